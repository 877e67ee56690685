"""Holds when runs of sync.sh do not overlap, none blocks the next one, and readers see a whole index at any time."""

import json
import sys
from typing import Any

from rankzero.exercises.kinds.shell import Bench

WHOLE = "gcc 12.3.0\nhdf5 1.14.3\nnetcdf 4.9.2\nopenmpi 4.1.4\n# 4 packages\n"
BUSY = 75
"""EX_TEMPFAIL of sysexits.h: try again later."""


def check(bench: Bench) -> None:
    bench.file("sync.sh")
    bench.need("flock")
    bench.bring("list", "tools/list")
    bench.bring("drive.py")
    shown = "# the check runs sync.sh with a tools/list of its own: several at once, ended in the middle"
    bench.run(sys.executable, "drive.py", shown=shown)
    said = json.loads(bench.file("said.json").read_text())
    judge_ordinary(bench, said["ordinary"])
    judge_overlap(bench, said["overlap"])
    judge_ended(bench, "TERM", "At SIGTERM, as timeout and Slurm send it", said["TERM"])
    judge_ended(bench, "KILL", "At SIGKILL, as the out-of-memory killer sends it", said["KILL"])
    judge_ended_alone(bench, said["TERM alone"])
    judge_orphaned(bench, said["KILL alone"])
    judge_failing(bench, said["failing"])
    judge_rename(bench, said["ordinary"], said["elsewhere"]["another"])


def judge_ordinary(bench: Bench, said: dict[str, Any]) -> None:
    for which, code in (("An ordinary run", said["code"]), ("A second run after the first", said["again"])):
        bench.require(
            code == 0,
            f"{which} {ending(code)}",
            yours=said["log"],
            expected="exit code 0",
            hint="Run it by hand: `bash -x sync.sh tree index`.",
        )
    bench.expect(
        "the index after an ordinary run",
        yours=said["index"],
        expected=WHOLE,
        hint="The lines of tools/list, then # N.",
    )
    bench.require(
        not said["left"],
        "An ordinary run leaves files behind",
        yours=", ".join(said["left"]),
        expected="the index, and index.lock where you use one",
        hint="Remove your temporary file in a trap at EXIT, or rename it.",
    )


def judge_overlap(bench: Bench, said: dict[str, Any]) -> None:
    if said.get("first"):
        bench.refuse("sync.sh does not run tools/list", hint="The list of packages must come from tools/list.")
    bench.require(
        said["second"] != "lists",
        "A second run starts while one is under way, and both list the tree at the same time",
        yours=f"the index in the end:\n{said['index']}",
        expected=f"the second run ends with {BUSY}, or waits for the first",
        hint="Before it does anything, a run must get a lock that only one can have: `flock` on a file that it keeps "
        "open until its end.",
    )
    bench.require(
        not said["emptied"],
        "sync.sh empties the index for its lock, before there is a new one",
        yours="an index without a line, while tools/list is at work",
        expected="the index of before",
        hint="`exec 9>FILE` empties FILE when it opens it. Lock another file: `index.lock`.",
    )
    second, codes = said["second"], said["codes"]
    wanted = BUSY if second == "ends" else 0
    bench.expect(
        f"the end of a second run, which {'ends' if second == 'ends' else 'waits'} while one is under way",
        yours=ending(codes["second"]),
        expected=ending(wanted),
        hint=f"cron's mail and monitoring tell by it that nothing was done: {BUSY} means to try again later. "
        "`flock -n` fails when another one has the lock.",
    )
    bench.require(
        said["third"] != "lists",
        "Three runs: the first has ended, the second, which had waited, lists the tree, and a third starts beside it",
        yours="the second and the third have a lock at the same time",
        expected="one at a time",
        hint="A lock belongs to the file that a run has opened, not to its name. Whoever removes the lock file leaves "
        "those who wait with a file without a name, and the next run makes a new one. Leave it where it is.",
    )
    bench.expect("the end of the first run", yours=ending(codes["first"]), expected=ending(0))
    bench.expect("the index after two runs at once", yours=said["index"], expected=WHOLE)


def judge_ended(bench: Bench, name: str, how: str, said: dict[str, Any]) -> None:
    bench.require(said["reached"], f"{how}: sync.sh did not get as far as tools/list")
    if said["code"] is None:
        bench.refuse(
            f"{how}, sync.sh goes on",
            yours="still running",
            expected="an end",
            hint="A trap that does not `exit` lets the script go on after it; an empty one ignores the signal.",
        )
    bench.require(
        said["index"] == said["before"],
        f"{how}, the index is not what it was before",
        yours=said["index"],
        expected=said["before"],
        hint="Readers see what you write at once. Write to another file in the same folder, and rename it when it is "
        "whole. And a trap for a signal must `exit`, or the script goes on after it with half of the work.",
    )
    bench.require(
        said["code"] != 0, f"{how}, sync.sh ends with exit code 0", hint="128 + the number of the signal is usual."
    )
    if name == "TERM":
        bench.require(
            not said["left"],
            f"{how}, a temporary file stays",
            yours=", ".join(said["left"]),
            expected="only the index, and index.lock where you use one",
            hint="Remove it in a trap at EXIT, and let a trap for TERM exit.",
        )
    number = said.get("number", False)
    bench.require(
        said["next"] in ("lists", "ends") and said["next code"] == 0,
        f"{how}, the next run does not start" + (", nor any after it" if name == "KILL" else ""),
        yours="it waits" if said["next"] == "waits" else ending(said["next code"]),
        expected="exit code 0, and a new index",
        hint="You wrote a process number down. After a kill -9 nobody removes it, and some day the number belongs to "
        "another program, as in this check. Only the kernel knows who lives: let it hold the lock, `flock`."
        if number
        else "What says that a run is under way is still there. After a kill -9 nobody removes it: no trap runs. Let "
        "the kernel hold the lock, `flock`: it ends with the process.",
    )
    bench.expect("the index after the next run", yours=said["next index"], expected=WHOLE)


def judge_ended_alone(bench: Bench, said: dict[str, Any]) -> None:
    how = "At SIGTERM to the script alone, as `kill PID` sends it"
    bench.require(said["reached"], f"{how}: sync.sh did not get as far as tools/list")
    bench.require(
        said["index"] in (said["before"], WHOLE),
        f"{how}, the index is not whole",
        yours=said["index"],
        expected=said["before"],
        hint="Bash runs a trap when tools/list has come to its end, and tools/list knows nothing of the signal: it "
        "succeeds. Then the script goes on with the next line, unless the trap says `exit`.",
    )
    bench.require(
        said["code"] not in (0, None),
        f"{how}, sync.sh {ending(said['code'])}",
        yours=ending(said["code"]),
        expected="an end with another exit code than 0",
        hint="Let the trap for TERM `exit 143`: 128 + the number of the signal is usual.",
    )
    bench.require(
        not said["left"],
        f"{how}, a temporary file stays",
        yours=", ".join(said["left"]),
        expected="only the index, and index.lock where you use one",
        hint="Remove it in a trap at EXIT, and let a trap for TERM exit.",
    )


def judge_orphaned(bench: Bench, said: dict[str, Any]) -> None:
    how = "After kill -9 of the script alone"
    bench.require(said["reached"], f"{how}: sync.sh did not get as far as tools/list")
    bench.require(
        not said["both list"],
        f"{how}, its tools/list goes on, and the next run lists the tree beside it",
        yours="two tools/list at a time",
        expected=f"the next run ends with {BUSY}, or waits until the old tools/list has ended",
        hint="tools/list must have the lock as well, and it inherits it with the open file. Do not close the file for "
        "it: `9>&-` takes the lock away.",
    )
    bench.require(
        said["next code"] == 0,
        f"{how}, and when its tools/list has ended too, the next run does not work",
        yours=ending(said["next code"]),
        expected=ending(0),
        hint="Let the kernel hold the lock, `flock`: it ends with the last process that has the file open.",
    )
    bench.expect("the index after that run", yours=said["index"], expected=WHOLE)


def judge_failing(bench: Bench, said: dict[str, Any]) -> None:
    bench.require(
        said["code"] not in (0, None),
        f"tools/list fails in the middle, and sync.sh {ending(said['code'])}",
        expected="another exit code than 0",
        hint="`set -e` stops at the first command that fails; not in a condition, though.",
    )
    bench.expect(
        "the index after tools/list has failed",
        yours=said["index"],
        expected=said["before"],
        hint="Rename only what is whole.",
    )
    bench.require(
        not said["left"], "tools/list fails, and a temporary file stays", yours=", ".join(said["left"]), expected="none"
    )


def judge_rename(bench: Bench, said: dict[str, Any], another: bool) -> None:
    bench.require(
        said["events"] == ["renamed to"],
        "The index is not put in place in one step: a reader at the wrong moment sees half of it, or none",
        yours=f"the index was {', '.join(said['events'])}",
        expected="another file was renamed to it",
        hint="cp writes into it bit by bit. So does mv when the file lies on another file system, as /tmp does on most "
        'clusters: it copies. Make the temporary file beside the index: `mktemp "$index.XXXXXX"`.',
    )
    if not another:
        bench.note("a rename from another file system: /dev/shm is not one here")
    bench.require(
        said["mode"] & 0o444 & said["fresh"] == said["fresh"] & 0o444,
        "The new index is private: its users cannot read it",
        yours=f"mode {said['mode']:o}",
        expected=f"mode {said['fresh']:o}",
        hint="mktemp makes files for you alone. `chmod +r` gives what your umask allows.",
    )


def ending(code: int | None) -> str:
    """Return in words how a run ended."""
    if code is None:
        return "does not end"
    return f"ends with exit code {code}" if code >= 0 else f"is ended by signal {-code}"
