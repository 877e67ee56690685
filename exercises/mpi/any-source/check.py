"""Holds when each result stands where its task belongs, in whatever order the workers answer, and no worker waits."""

import re
import struct

from rankzero import sandbox
from rankzero.exercises import bench as bench_module
from rankzero.exercises.kinds.c import Bench

FAULTS = {
    "idle": (
        "workers are idle while another one computes",
        "the other workers do all other tasks while task 0 goes on",
        "Results that are received in the order of the ranks are filed rightly, but all wait for the slowest. Take "
        "the result that comes first, from whoever it is, and give that worker the next task.",
    ),
    "done twice": (
        "a task is done twice",
        "each task is handed out once",
        "After each result one worker is ready: `status.MPI_SOURCE` of the receive that took it.",
    ),
    "no such task": ("a worker gets a task that there is not", "tasks from 0", "Is `next` less than `tasks` there?"),
}

NOBODYS = "nobody's result"
HINT = (
    "From whom is the result that was just received, and which task had that worker? The order in which results come "
    "says nothing, and a receive from MPI_ANY_SOURCE after MPI_Probe may take another message than the one that "
    "MPI_Probe saw."
)


def check(bench: Bench) -> None:
    for name in ("work.c", "board.h"):
        bench.bring(name)
    farm = bench.compile("farm.c", "work.c", shown="mpicc -O2 -o farm farm.c work.c …")
    for ranks, tasks in ((4, 11), (3, 1), (2, 4)):
        board = bench.folder / "board"
        board.write_bytes(struct.pack("130i", tasks, ranks == 4, *[0] * 128))
        run = bench.mpirun(ranks, farm, str(tasks), ok=False)
        for fault, text in re.findall(r"^judge: ([^:]+): (.*)$", run.stderr, re.M)[:1]:
            what, expected, hint = FAULTS[fault]
            bench.refuse(
                f"{what} ({tasks} tasks on {ranks} ranks)", yours=text, expected=expected, hint=hint, output=""
            )
        bench_module.refuse_ending(run, sandbox.LIMITS)
        yours = {int(k): float(value) for k, value in re.findall(r"^molecule (\d+): (\S+)$", run.stdout, re.M)}
        wanted = {k: 1000 / (k + 3) for k in range(tasks)}
        bench.expect("the list of molecules", yours=sorted(yours), expected=sorted(wanted))
        wrong = [k for k in wanted if not abs(yours[k] - wanted[k]) < 1e-5]
        if any(whose(yours[k], tasks) == NOBODYS for k in wrong):  # which ones is chance
            bench.refuse(
                f"results stand at the wrong molecule, or nowhere ({tasks} tasks on {ranks} ranks)",
                yours=NOBODYS,
                expected="each molecule has the result of its task",
                hint=HINT,
            )
        bench.require(
            not wrong,
            f"results stand at the wrong molecule ({tasks} tasks on {ranks} ranks, and they do not come in order)",
            yours="\n".join(f"molecule {k}: {yours[k]:.6f}, {whose(yours[k], tasks)}" for k in wrong[:1]),
            expected="\n".join(f"molecule {k}: {wanted[k]:.6f}" for k in wrong[:1]),
            hint=HINT,
        )
        begun = struct.unpack("130i", board.read_bytes())[2 : 2 + tasks]
        bench.require(
            all(begun),
            f"not all tasks are done ({tasks} tasks on {ranks} ranks)",
            yours=f"{sum(map(bool, begun))} tasks",
            expected=f"{tasks} tasks",
        )


def whose(value: float, tasks: int) -> str:
    """Return, in words, whose result a number is."""
    found = next((k for k in range(tasks) if abs(value - 1000 / (k + 3)) < 1e-5), None)
    return NOBODYS if found is None else f"the result of task {found}"
