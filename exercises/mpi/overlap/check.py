"""Holds when the inner cells are computed while the halos are on their way, and every cell is right."""

import re

from rankzero import sandbox
from rankzero.exercises import bench as bench_module
from rankzero.exercises.kinds.c import Bench

SHOWN = "mpicc -O2 -o rod rod.c compute.c …"
IN_FLIGHT = "both receives and both sends are started before, and waited for after"
FAULTS = {
    "waited": (
        "the inner cells are computed when the exchange has been waited for: nothing overlaps",
        IN_FLIGHT,
        "MPI_Waitall returns when all has come: what stands behind it begins after the exchange, not during it. Which "
        "cells need no halo? Compute these between MPI_Isend and MPI_Waitall, and the others behind it.",
    ),
    "not started": (
        "the inner cells are computed before the exchange is started: nothing overlaps",
        IN_FLIGHT,
        "What is to overlap must be started first, by calls that return at once: MPI_Irecv and MPI_Isend, and "
        "then compute. A blocking call such as MPI_Sendrecv starts and completes in one.",
    ),
    "receives": (
        "the inner cells are computed before all receives are posted, or after one was waited for",
        IN_FLIGHT,
        "A message that nobody has asked for yet has nowhere to go. Post the receives first, then the sends, and wait "
        "for them after the inner cells.",
    ),
    "sends": (
        "the inner cells are computed before all sends are started, or after one was waited for",
        IN_FLIGHT,
        "MPI_Send, and MPI_Wait for a send, may return only when the neighbour has taken the message, and do so for "
        "long ones. Start the sends with MPI_Isend, and wait for them after the inner cells.",
    ),
    "halo": (
        "a halo cell is read while it is on its way",
        "the cells beside a halo are computed after the receive has been waited for",
        "`compute` reads one cell more on each side than it is told to compute. Cell 1 needs cell 0, and cell mine "
        "needs cell mine + 1: before the wait, these hold the values of an earlier step, or half a message.",
    ),
    "changed": (
        "a cell is changed while it is on its way to a neighbour",
        "the sends of a step are waited for before its cells are written again",
        "The buffer of a send is MPI's until the send is complete. `u` and `next` change places after a step: the step "
        "after it writes into the cells that this one sends.",
    ),
    "never complete": (
        "the program comes to MPI_Finalize with an operation that it has not completed",
        "MPI_Wait or its like completes each operation",
        "Each MPI_Irecv and MPI_Isend gives you a request, and each request must be waited for: all four in each step.",
    ),
}


def check(bench: Bench) -> None:
    for name in ("compute.c", "inflight.c", "inflight.h"):
        bench.bring(name)
    rod = bench.compile("rod.c", "compute.c", "inflight.c", shown=SHOWN)
    for ranks, n, steps in ((3, 17, 4), (4, 6, 3), (1, 5, 2)):  # 6 cells on 4 ranks: some have one
        run = bench.mpirun(ranks, rod, str(n), str(steps), ok=False)
        said = sorted(re.findall(r"^judge: rank (\d+): ([^:]+): (.*)$", run.stderr, re.M))
        for rank, fault, place in said:
            what, expected, hint = FAULTS[fault]
            yours = f"{place} on rank {rank} of {ranks}"
            bench.refuse(what, yours=yours, expected=expected, hint=hint, output="")
        bench_module.refuse_ending(run, sandbox.LIMITS)
        found = re.findall(r"^cell (\d+): (\S+)$", run.stdout, re.M)
        yours = {int(cell): float(value) for cell, value in found}
        wanted = after(n, steps)
        bench.expect("the cells that rank 0 prints", yours=[int(cell) for cell, _ in found], expected=list(range(n)))
        wrong = [cell for cell in range(n) if not abs(yours[cell] - wanted[cell]) < 1e-9]
        bench.require(
            not wrong,
            f"the rod is not right ({n} cells on {ranks} rank{'s' * (ranks > 1)}, with another compute.c)",
            yours=", ".join(f"cell {cell}: {yours[cell]:.6f}" for cell in wrong[:3]),
            expected=", ".join(f"cell {cell}: {wanted[cell]:.6f}" for cell in wrong[:3]),
            hint="Each cell of a block is computed in each step, by one call of `compute` or another: cells 1 and mine "
            "too, from halos of this step.",
        )


def after(n: int, steps: int) -> list[float]:
    """Return the rod of judge/compute.c."""
    rod = [1.0 + cell * cell % 23 for cell in range(n)]
    for _ in range(steps):
        wide = [0.0, *rod, 0.0]
        rod = [0.5 * wide[i] + 0.125 * wide[i - 1] + 0.25 * wide[i + 1] for i in range(1, n + 1)]
    return rod
