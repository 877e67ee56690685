"""Holds when the ring comes to its end for every n, also where no send returns before its receive is there."""

import math

from rankzero.exercises import bench as bench_module
from rankzero.exercises.compiled import FLAGS, OTHER
from rankzero.exercises.kinds.c import Bench

STRICT = "-DMPI_Send=MPI_Ssend"


def check(bench: Bench) -> None:
    ring = bench.compile("ring.c")
    judge(bench, 4, 12011, ring, mpi=True)
    # With MPI_Ssend for MPI_Send, no message is small enough to be buffered: the standard allows that at any size.
    strict = bench.compile("ring.c", output="ring_strict", mpi=OTHER, flags=(*FLAGS, STRICT))
    try:
        judge(bench, 3, 51, strict, mpi=OTHER)
    except bench_module.RefusedError as err:
        if err.what.startswith("Deadlock"):
            err.hint = (
                f"`{STRICT}` makes every send wait for its receive, and the second MPI has limits of its own. Whoever "
                "needs a buffer inside of MPI, of whatever size, hangs there. Order the calls so that none is needed."
            )
        raise
    try:
        judge(bench, 1, 1201, ring, mpi=True)
    except bench_module.RefusedError as err:
        if err.what.startswith("Deadlock"):
            err.hint = (
                "With one rank, left and right are the rank itself. It cannot receive while it waits in its own send: "
                "what must it do when it is alone?"
            )
        raise


def judge(bench: Bench, ranks: int, n: int, ring: str, mpi: str | bool) -> None:
    """Compare the table of distances with the right one."""
    run = bench.mpirun(ranks, ring, str(n), mpi=mpi)
    members = sum(line.startswith("member") for line in run.lines)
    bench.expect(
        f"the number of members (n = {n}, {ranks} rank{'s' * (ranks > 1)})",
        yours=members,
        expected=ranks,
        hint="One a rank.",
    )
    for a in range(ranks):
        text = run.search(rf"^member {a}: (.*)$", f"member {a}: and {ranks} distances")[1]
        wanted = " ".join(f"{distance(a, b, n):.8f}" for b in range(ranks))
        if text.split() == wanted.split():
            continue
        mirrored = text.split() == [f"{distance(a, 2 * a - b, n, ranks):.8f}" for b in range(ranks)]
        bench.refuse(
            f"the distances of member {a} (n = {n}, {ranks} rank{'s' * (ranks > 1)}) are not right",
            yours=text,
            expected=wanted,
            hint="The distances are right, but stand in the wrong places: the members travel to the left, and `whose` "
            "counts as if they travelled to the right."
            if mirrored
            else "Does a rank still send what it wants to send, or what it has just received? A buffer must not be "
            "used again before its send is complete, so a rank that receives first needs a second one.",
        )


def distance(a: int, b: int, n: int, ranks: int = 0) -> float:
    """Return the distance of two members; ranks: take b modulo that."""
    b = b % ranks if ranks else b
    return math.sqrt(sum((forecast(a, i) - forecast(b, i)) ** 2 for i in range(n)) / n)


def forecast(member: int, i: int) -> int:
    """Return value i of a member, as ring.c makes it up."""
    return (i * (member + 2) + member) % 17
