"""Holds when each ticket is drawn once, and rank 0's table is complete, with an MPI that does no more than it must."""

import re

from rankzero import sandbox
from rankzero.exercises import bench as bench_module
from rankzero.exercises.kinds.c import Bench


def check(bench: Bench) -> None:
    bench.bring("later.c")
    tickets = bench.compile("tickets.c", "later.c", shown="mpicc -O2 -o tickets tickets.c …")
    for ranks, each in ((4, 6), (3, 0), (1, 2)):
        (bench.folder / "board").write_bytes(bytes(8))
        run = bench.mpirun(ranks, tickets, str(each), ok=False)
        bench_module.refuse_ending(run, sandbox.LIMITS)
        total = ranks * each + ranks * (ranks - 1) // 2
        where = f"{ranks} rank{'s' * (ranks > 1)}, {total} tickets"
        if run.number("of others"):
            bench.refuse(
                f"tickets are used before they are there ({where})",
                yours="a rank draws a ticket that there is not",
                expected=f"tickets 0 to {total - 1}",
                hint="MPI_Get and MPI_Fetch_and_op only start. The value is there when MPI_Win_flush, MPI_Win_unlock "
                "or their like has returned, and a Put sends what stands in its buffer at any time until then. The "
                "check's MPI does all as late as it may.",
                output="",
            )
        twice = dict(re.findall(r"^ticket (\d+): drawn (\d+) times$", run.stdout, re.M))
        if twice:
            alone = [k for k, number in twice.items() if int(number) == ranks]
            bench.refuse(
                f"two ranks draw the same ticket ({where})",
                yours="ticket 0 is drawn by all ranks" if len(alone) > 1 else "a ticket is drawn more than once",
                expected="each ticket is drawn once",
                hint="Between reading the counter and writing it back no other rank may do either. A shared lock keeps "
                "nobody out, and two epochs are not one. MPI_Fetch_and_op reads and adds in one step; or an exclusive "
                "lock holds both, with MPI_Win_flush between them.",
                output="",
            )
        table = {int(r): int(number) for r, number in re.findall(r"^rank (\d+): (-?\d+) tickets$", run.stdout, re.M)}
        bench.expect(
            f"the table that rank 0 prints ({where})",
            yours=", ".join(f"rank {r}: {number}" for r, number in sorted(table.items())),
            expected=", ".join(f"rank {r}: {each + r}" for r in range(ranks)),
            hint="MPI_Put has only started when it returns. What ends its epoch, for the rank that puts and for the "
            "one that reads? MPI_Barrier completes no MPI_Put.",
        )
        bench.expect(f"the number of tickets ({where})", yours=run.number("tickets"), expected=total)
        bench.expect(
            f"the counter at the end ({where})",
            yours=run.number("counter"),
            expected=total,
            hint="The counter stands in number 0 of rank 0's window; each ticket adds one.",
        )
        bench.require(
            "judge: not complete" not in run.stderr,
            "a rank frees the window before it has completed what it started there",
            yours="\n".join(sorted(re.findall(r"^judge: not complete: (.*)$", run.stderr, re.M))),
            expected="MPI_Win_fence, MPI_Win_unlock or their like after the last operation",
            hint="Each operation belongs to an epoch, and each epoch has an end.",
        )
