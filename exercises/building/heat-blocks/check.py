"""Holds when heat.c is right on any number of ranks: the heat is that of the exact solution of the method."""

import math

from rankzero import sandbox
from rankzero.exercises import bench as bench_module
from rankzero.exercises.kinds.c import Bench

RATIO = 0.2


def check(bench: Bench) -> None:
    heat = bench.compile("heat.c")
    # 5 rows over 3 ranks leave two over, and so do 1102 over 4, where one row is more than any MPI sends eagerly
    for ranks, n, steps in ((1, 30, 60), (3, 5, 40), (4, 1102, 3)):
        run = bench.mpirun(ranks, heat, str(n), str(steps), ok=False)
        said = [line for line in run.output.splitlines() if line.startswith("heat:")]
        if "sum =" not in run.stdout and run.returncode:
            bench.require(
                not said or run.returncode > 128,
                f"heat does not compute {n} rows on {ranks} ranks: exit code {run.returncode}",
                yours="\n".join(sorted(set(said))),
                expected="heat: sum = …, error = …: right",
                hint="Users choose n, and the scheduler the ranks. Share the rows that are left over among the ranks.",
            )
            bench_module.refuse_ending(run, sandbox.LIMITS)
        wanted, lines = total(n, steps), "\n".join(said)  # without what mpirun says about an exit code of 1
        if not abs(run.number("sum") - wanted) <= 1e-10:
            bench.refuse(
                f"the heat on the plate (n = {n}, {ranks} rank{'s' * (ranks > 1)}) is not right",
                yours=f"{run.number('sum'):.10g}",
                expected=f"{wanted:.10g} ± 1e-10",
                hint="The right sum is the same on every number of ranks. Let each rank print which rows of the plate "
                "it has, first + 1 to first + rows: does each row from 1 to n have exactly one owner? If so, look at "
                "which rows the ranks exchange.",
                output=lines,
            )
        least, most = map(int, run.search(r"rows of a rank = (\d+) to (\d+)", "rows of a rank = … to …").groups())
        bench.require(
            most - least <= 1,
            f"the rows are not shared evenly (n = {n}, {ranks} ranks)",
            yours=f"a rank has {least} to {most} rows",
            expected=f"{n // ranks} to {n // ranks + (n % ranks > 0)} rows",
            hint="All ranks wait for the one with most rows, in every step: give each of the first `n % size` ranks "
            "one row more.",
        )
        bench.expect("the exit code of heat", yours=run.returncode, expected=0, hint="See the error that it prints.")


def total(n: int, steps: int) -> float:
    """Return the sum over the plate, times the area of a cell: each step shrinks the sine by the same factor."""
    width = 1 / (n + 1)
    decay = 1 - 8 * RATIO * math.sin(math.pi * width / 2) ** 2
    return decay**steps * (sum(math.sin(math.pi * j * width) for j in range(1, n + 1)) * width) ** 2
