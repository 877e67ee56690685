"""Holds when each file has its checksum, in the order of the list, and no rank has more of them than it must."""

from collections import Counter

from rankzero import sandbox
from rankzero.exercises import bench as bench_module
from rankzero.exercises.compiled import FLAGS
from rankzero.exercises.kinds.c import Bench

TRUNCATED = (
    15  # Open MPI's exit code for MPI_ERR_TRUNCATE; what it says of it is cut off now and then, or mpirun crashes
)


def check(bench: Bench) -> None:
    bench.bring("room.h")
    # Room around the arrays: whoever goes beyond one does the same every time.
    verify = bench.compile("verify.c", flags=(*FLAGS, "-include", "room.h"))
    for ranks, n in ((4, 11), (3, 2)):
        run = bench.mpirun(ranks, verify, str(n), ok=False)
        case = f"{n} files, {ranks} ranks"
        if run.returncode == TRUNCATED or "MPI_ERR_TRUNCATE" in run.stderr:
            bench.refuse(
                f"a rank is sent more files than it receives ({case})",
                yours="MPI_ERR_TRUNCATE",
                expected=f"{n} files with a checksum",
                hint="Each rank must know how many files are its own, and receive just as many as rank 0 sends to it: "
                "all can compute that from n, size and rank.",
                output="",
            )
        if run.returncode == 2 and not run.stdout:
            bench.refuse(
                f"it does not check {n} files on {ranks} ranks: exit code 2",
                yours=run.stderr.splitlines()[0] if run.stderr else "(no output)",
                expected=f"{n} files with a checksum",
                hint="Users choose n, and the scheduler the ranks. Deal out the files that are left over as well.",
                output="",
            )
        bench_module.refuse_ending(run, sandbox.LIMITS)
        judge(bench, run, ranks, n, case)


def judge(bench: Bench, run: bench_module.Run, ranks: int, n: int, case: str) -> None:
    """Compare the list with the right one, and count who has computed how many."""
    lines = [line for line in run.lines if line.startswith("file ")]
    bench.expect(f"the number of files ({case})", yours=len(lines), expected=n, hint="One line a file, by rank 0.")
    by: Counter[str] = Counter()
    for i, line in enumerate(lines):
        file = 100 + 3 * i
        wanted = f"file {file}: checksum {(file * file * 37 + 11) % 1009}, by rank "
        owner = line.removeprefix(wanted)
        if not line.startswith(wanted) or owner not in map(str, range(ranks)):
            missing = line.startswith(f"file {file}: checksum -1, by rank -1")
            dropped = sum("checksum -1," in one for one in lines) == n % ranks and i == n - n % ranks
            bench.refuse(
                f"file {i} of the list ({case}) is {'not checked' if missing else 'not right'}",
                yours=line,
                expected=f"{wanted}0 to {ranks - 1}",
                hint=f"Of {n} files, {n // ranks} for each of {ranks} ranks are {n // ranks * ranks}. Some ranks need "
                "one more, so the ranks' parts differ in length: there are collectives for that."
                if dropped
                else "Where does the part of each rank begin in the list? That is counted in files, not in bytes, and "
                "it is as many as all ranks before have together. It holds for the way out and for the way back.",
            )
        by[owner] += 1
    written = [line for line in run.lines if line.startswith("room:")]
    if written:
        bench.refuse(
            f"the program writes beyond the end of an array ({case})",
            yours=", ".join(sorted(set(written))).replace("room: ", ""),
            expected=f"only into the list, {n * 4} bytes, and the parts of the ranks",
            hint="`MPI_Gather` takes as many from each rank, and puts them all into the list. Is the list as long as "
            "that? And does a rank fill more than its part?",
            output="",
        )
    most = -(-n // ranks)
    bench.require(
        max(by.values()) <= most,
        f"the files are not shared evenly ({case})",
        yours=", ".join(f"rank {owner} has {count}" for owner, count in sorted(by.items())),
        expected=f"no rank has more than {most}",
        hint="All wait for the rank that has most. Give each of the first `n % size` ranks one file more, instead of "
        "all that are left over to one.",
    )
