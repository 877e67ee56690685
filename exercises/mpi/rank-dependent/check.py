"""Holds when each hour has its line, with the warnings of all ranks, whichever ranks have some."""

from rankzero.exercises import bench as bench_module
from rankzero.exercises.kinds.c import Bench

OWN = 2


def check(bench: Bench) -> None:
    frost = bench.compile("frost.c")
    for ranks, hours, limit, seed in ((4, 7, -12, 14), (3, 7, -12, 23), (1, 4, -5, 2)):
        try:
            run = bench.mpirun(ranks, frost, str(hours), str(limit), str(seed))
        except bench_module.RefusedError as err:
            if err.what.startswith("Deadlock"):
                err.hint = (
                    "Who is where? Some ranks have called a collective that others have passed by. On each way through "
                    "the loop, every rank must make the same collective calls, in the same order: what does yours ask "
                    "before it calls, and is the answer the same on all ranks?"
                )
            raise
        for hour in range(hours):
            parts = [
                [one for i in range(OWN) if (one := degrees(hour, rank * OWN + i, seed)) < limit]
                for rank in range(ranks)
            ]
            judge(bench, run, hour, parts, f"limit {limit}, {ranks} rank{'s' * (ranks > 1)}")
        bench.expect("the number of lines", yours=len(run.lines), expected=hours, hint="One line an hour, by rank 0.")


def judge(bench: Bench, run: bench_module.Run, hour: int, parts: list[list[int]], case: str) -> None:
    """Compare the line of one hour with what is right. parts: the warnings of each rank."""
    every = [one for part in parts for one in part]
    wanted = f"warnings = {len(every)}, {min(every)} to {max(every)} degrees" if every else "no warning"
    prefix = f"hour {hour}: "
    found = [line.removeprefix(prefix) for line in run.lines if line.startswith(prefix)]
    if found == [wanted]:
        return
    have = ", ".join(str(rank) for rank, part in enumerate(parts) if part)
    who = f"Rank {have} has warnings in this hour. " if have.isdigit() else f"Ranks {have} have warnings in this hour. "
    if not have:
        who = "No rank has a warning in this hour. "
    right_number = any(line.startswith(f"warnings = {len(every)},") for line in found)
    if not every:
        hint = "What do the reductions give then, and does rank 0 ask for that before it prints?"
    elif not found or found == ["no warning"]:
        hint = "Rank 0 prints what all have found together, also where it has found nothing itself."
    elif right_number:
        hint = "The number is right. What does a rank that has none give to the minimum and the maximum? It must be a "
        hint += "number that changes no result, in every hour anew."
    else:
        hint = "What does each rank add?"
    bench.refuse(
        f"hour {hour} ({case}) is not right",
        yours=" and ".join(found) or "(no line)",
        expected=wanted,
        hint=who + hint,
    )


def degrees(hour: int, thermometer: int, seed: int) -> int:
    """Return what a thermometer shows, as frost.c makes it up."""
    return (hour * hour * 7 + thermometer * 13 + hour * thermometer * 5 + seed * 3) % 41 - 20
