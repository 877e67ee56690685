"""Holds when every rank has the norm and the mean of all values, whatever part of them it holds."""

import itertools
import math

from rankzero.exercises import bench as bench_module
from rankzero.exercises.compiled import OTHER
from rankzero.exercises.kinds.c import Bench

WITHIN = 1e-8
NUMBER = r"(-?\d+\.\d+|-?nan|-?inf)"


def check(bench: Bench) -> None:
    norm = bench.compile("norm.c")
    for ranks, n, seed in ((3, 50, 2), (4, 3, 3)):
        judge(bench, ranks, n, seed, norm)
    other = bench.compile("norm.c", output="norm_other", mpi=OTHER)
    try:
        judge(bench, 2, 107, 5, other, mpi=OTHER)
    except bench_module.RefusedError as err:
        if "failed on rank" in err.what:
            err.what += " with the second MPI, MPICH"
            err.hint = (
                "The standard forbids one buffer for both what goes in and what comes out, and this MPI looks. "
                "`MPI_IN_PLACE` instead of the first one says that the values stand in the second."
            )
        raise


def judge(bench: Bench, ranks: int, n: int, seed: int, norm: str, mpi: str | bool = True) -> None:
    """Compare what each rank has with what is right."""
    values = [((i * 7 + seed * 13) % 23 - 5) * 0.25 for i in range(n)]
    ends = [n * rank * rank // (ranks * ranks) for rank in range(ranks + 1)]
    parts = [values[begin:end] for begin, end in itertools.pairwise(ends)]
    run = bench.mpirun(ranks, norm, str(n), str(seed), mpi=mpi)
    rows = [
        run.search(rf"^rank {rank}: norm = {NUMBER}, mean = {NUMBER}$", f"rank {rank}: norm = …, mean = …")
        for rank in range(ranks)
    ]
    lines = sum(line.startswith("rank ") for line in run.lines)
    bench.expect(
        f"the number of lines ({ranks} ranks)", yours=lines, expected=ranks, hint="One line a rank, by rank 0."
    )
    case = f"n = {n}, {ranks} ranks, parts of {', '.join(str(len(part)) for part in parts)} values"
    for name, group, right, hint in (
        ("norm", 1, root(values), of_norm(parts)),
        ("mean", 2, sum(values) / n, of_mean(parts)),
    ):
        found = [float(row[group]) for row in rows]
        for rank, one in enumerate(found):
            if abs(one - right) <= WITHIN:
                continue
            known = next((text for value, text in hint.items() if abs(value - one) <= WITHIN), "")
            if rank:
                known = "Rank 0 has it, and other ranks do not, so they would not stop with rank 0. Which collective "
                known += "gives the result to all?"
            elif math.isnan(one):
                known = "A rank without values divides 0 by 0, and what is computed with that is no number either. Add "
                known += "up first, and divide once, by the number of all values."
            bench.refuse(
                f"the {name} on rank {rank} is not right ({case})",
                yours=f"{one:.9f}",
                expected=f"{right:.9f}",
                hint=known or "Which number does each rank give to the reduction, of which type, and what comes out?",
            )


def root(values: list[float]) -> float:
    """Return the root of the sum of the squares."""
    return math.sqrt(sum(value * value for value in values))


def of_norm(parts: list[list[float]]) -> dict[float, str]:
    """Return wrong norms, each with what to say of it."""
    norms = [root(part) for part in parts]
    return {
        sum(norms): "That is the sum of the norms of the parts. Of what must the root be taken, and when?",
        max(norms): "That is the largest norm of a part. The norm of the whole is the root of the sum of all squares.",
        norms[0]: "That is the norm of this rank's own part: nothing of the others was added. Does the type in the "
        "reduction fit the variable?",
        sum(value * value for part in parts for value in part): "That is the sum of the squares, without the root.",
    }


def of_mean(parts: list[list[float]]) -> dict[float, str]:
    """Return wrong means, each with what to say of it."""
    means = [sum(part) / len(part) if part else 0.0 for part in parts]
    total = sum(map(sum, parts))
    return {
        sum(means) / len(means): "That is the mean of the means of the parts. It counts a rank with few values as much "
        "as a rank with many.",
        total / len(parts[0]) if parts[0] else math.nan: "That is the sum of all values, divided by the number of "
        "values of this rank alone.",
        means[0]: "That is the mean of this rank's own part.",
    }
