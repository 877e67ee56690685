"""Run sync.sh several times at once, stop it in the middle, end it; write what became of it to said.json.

Nothing waits for a time to pass: a run stands still in tools/list until it is told to go on, and what another run does
meanwhile is seen from outside: it lists as well, it has ended, or it waits.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time
from pathlib import Path

LIMIT = 5.0
"""Seconds after which a run is said to hang."""
HERE = Path.cwd()
IN_MODIFY, IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE = 0x2, 0x40, 0x80, 0x100, 0x200
LOCKING = {"x86_64": ("72", "73"), "aarch64": ("25", "32")}.get(os.uname().machine, ())
"""The numbers of the system calls fcntl and flock."""
EVENTS = {
    IN_MODIFY: "written",
    IN_MOVED_FROM: "renamed away",
    IN_MOVED_TO: "renamed to",
    IN_CREATE: "created",
    IN_DELETE: "removed",
}


class Case:
    """A folder with an index, and the runs of sync.sh on it."""

    def __init__(self, name: str, temporary: Path) -> None:
        self.folder = HERE / "cases" / name
        self.control = self.folder / "control"
        self.temporary = temporary
        self.site = self.folder / "site"
        self.control.mkdir(parents=True)
        self.site.mkdir()
        self.index = self.site / "index"
        self.index.write_text("gcc 11.2.0\n# 1 packages\n")
        self.runs: list[Run] = []

    def start(self, name: str) -> Run:
        """Start a run."""
        run = Run(self, name)
        self.runs.append(run)
        return run

    def whole(self, name: str) -> int | None:
        """Run from start to end; return the exit code, None when it does not come to its end."""
        run = self.start(name)
        run.tell("go")
        return run.end()

    def left(self) -> list[str]:
        """Return what lies beside the index, but for the lock file, and what is in the folder for temporary files."""
        beside = {template(path.name) for path in self.site.iterdir() if path.name not in ("index", "index.lock")}
        return sorted(beside | {f"$TMPDIR/{template(path.name)}" for path in self.temporary.iterdir()})

    def text(self) -> str:
        """Return what a reader of the index finds."""
        if not self.index.is_file():
            return "(no index)"
        return re.sub("\0+", lambda zeros: f"({len(zeros[0])} bytes 0)", self.index.read_text(errors="replace"))

    def close(self) -> None:
        """End what is left."""
        for run in self.runs:
            run.close()


class Run:
    """One run of sync.sh, in a process group of its own."""

    def __init__(self, case: Case, name: str) -> None:
        self.case = case
        self.half = case.control / f"half.{name}"
        fifo = case.control / f"go.{name}"
        os.mkfifo(fifo)
        self.fifo = os.open(fifo, os.O_RDWR)  # so that neither side waits for the other to open it
        self.log = (case.control / f"log.{name}").open("wb")
        env = os.environ | {"CONTROL": str(case.control), "RUN": name, "TMPDIR": str(case.temporary)}
        self.process = subprocess.Popen(
            ["bash", "sync.sh", "tree", str(case.index)],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )

    def tell(self, word: str) -> None:
        """Let it go on from the middle: go, or anything else to let tools/list fail."""
        os.write(self.fifo, f"{word}\n".encode())

    def lists(self) -> bool:
        """Whether it has come to the middle of tools/list."""
        return self.half.exists()

    def reaches_the_middle(self) -> bool:
        """Wait for the middle of tools/list; False when it ends before that."""
        return self.look(until=("lists", "ends")) == "lists"

    def look(self, until: tuple[str, ...] = ("lists", "ends", "waits")) -> str:
        """Return what it does: lists, ends, waits (for a lock, or asleep), or "nothing" for a long time."""
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            if self.lists():
                return "lists"
            if self.process.poll() is not None:
                return "lists" if self.lists() else "ends"
            if "waits" in until and self.waits():
                return "waits"
            time.sleep(0.003)
        return "nothing"

    def waits(self) -> bool:
        """Whether a process of its group waits for a lock, or sleeps to look for one again later."""
        group = [pid for pid in pids() if group_of(pid) == self.process.pid]
        return any(system_call(pid) in LOCKING or command(pid) == "sleep" for pid in group)

    def end(self) -> int | None:
        """Wait for its end; return the exit code, None when it does not come."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(LIMIT)
        return None

    def signal(self, number: int) -> int | None:
        """Send a signal to the whole group, as a scheduler or a terminal does; return the exit code."""
        os.killpg(self.process.pid, number)
        code = self.end()
        self.nothing_left()
        return code

    def nothing_left(self, seconds: float = LIMIT) -> bool:
        """Wait until what it has started has ended as well; False when something is left."""
        deadline = time.monotonic() + seconds
        while any(group_of(pid) == self.process.pid for pid in pids()):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.003)
        return True

    def close(self) -> None:
        """End what is left of it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.fifo)
        self.log.close()


def template(name: str) -> str:
    """Return a name of a file; where it ends in something that differs from run to run, the template of it."""
    stem, dot, end = name.rpartition(".")
    return f"{stem}{dot}XXXXXX" if dot and (len(end) > 5 or re.search(r"\d", end)) else name


def pids() -> list[int]:
    """Return the numbers of all processes."""
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def group_of(pid: int) -> int:
    """Return a living process's group, 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in "ZX" else int(fields[2])


def system_call(pid: int) -> str:
    """Return the number of the system call in which a process sleeps; "running" or "" when it does not."""
    try:
        return Path(f"/proc/{pid}/syscall").read_text().split()[0]
    except (OSError, IndexError):  # gone
        return ""


def command(pid: int) -> str:
    """Return a process's name, "" when it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


class Watch:
    """What happens to a name in a folder, by inotify."""

    def __init__(self, path: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.name = path.name
        self.fd = libc.inotify_init1(os.O_NONBLOCK)
        if libc.inotify_add_watch(self.fd, str(path.parent).encode(), sum(EVENTS)) < 0:
            raise OSError(ctypes.get_errno(), "inotify")

    def events(self) -> list[str]:
        """Return what happened, each kind once, in order."""
        found: list[str] = []
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.fd, 1 << 16):
                while data:
                    _, mask, _, length = struct.unpack_from("iIII", data)
                    name = data[16 : 16 + length].rstrip(b"\0").decode()
                    data = data[16 + length :]
                    if name == self.name:
                        found += [word for bit, word in EVENTS.items() if mask & bit and word not in found]
        return found


# -- what is tried -------------------------------------------------------------------------------------


def ordinary(case: Case) -> dict:
    """Run twice, one after the other."""
    watch = Watch(case.index)
    code = case.whole("a")
    events = watch.events()
    again = case.whole("b")
    mode = case.index.stat().st_mode if case.index.exists() else 0
    fresh = (case.control / "half.a").stat().st_mode if (case.control / "half.a").exists() else 0
    log = "".join((case.control / f"log.{run}").read_text(errors="replace") for run in "ab")
    found = {"code": code, "again": again, "log": log, "events": events, "index": case.text(), "left": case.left()}
    return found | {"mode": mode & 0o777, "fresh": fresh & 0o777}


def overlap(case: Case) -> dict:
    """Run a second time while one is in the middle; a third time while the second is, if that has waited."""
    first = case.start("a")
    if not first.reaches_the_middle():
        return {"first": "ends"}
    middle = case.text()
    second = case.start("b")
    does = second.look()
    emptied = "" in (middle, case.text())
    codes = {}
    first.tell("go")
    codes["first"] = first.end()
    third = ""
    if does == "waits" and second.reaches_the_middle():
        another = case.start("c")
        third = another.look()
        another.tell("go")
        second.tell("go")
        codes["second"], codes["third"] = second.end(), another.end()
    else:
        second.tell("go")
        codes["second"] = second.end()
    found = {"second": does, "third": third, "codes": codes, "emptied": emptied}
    return found | {"index": case.text(), "left": case.left()}


def ended(case: Case, number: int) -> dict:
    """End a run in the middle by a signal, then run again."""
    before = case.text()
    first = case.start("a")
    if not first.reaches_the_middle():
        return {"reached": False}
    pid = first.process.pid
    code = first.signal(number)
    found = {"reached": True, "code": code, "before": before, "index": case.text(), "left": case.left()}
    # Process numbers come round: a number that somebody wrote down belongs to another program some day.
    for path in case.site.rglob("*"):
        if path.is_file() and path.read_text().strip() == str(pid):
            path.write_text(f"{os.getpid()}\n")
            found["number"] = True
    following = case.start("b")
    following.tell("go")
    found["next"] = following.look()
    found["next code"] = following.end() if found["next"] != "waits" else None
    found["next index"] = case.text()
    return found


def ended_alone(case: Case) -> dict:
    """Send SIGTERM to the script alone in the middle, as `kill` does; what it has started goes on to its end."""
    before = case.text()
    run = case.start("a")
    if not run.reaches_the_middle():
        return {"reached": False}
    run.process.terminate()
    run.tell("go")
    found = {"reached": True, "code": run.end(), "before": before}
    run.nothing_left()
    return found | {"index": case.text(), "left": case.left()}


def orphaned(case: Case) -> dict:
    """Kill the script alone in the middle; run again while what it had started is there, and when it is not."""
    first = case.start("a")
    if not first.reaches_the_middle():
        return {"reached": False}
    first.process.kill()
    first.end()
    second = case.start("b")
    does = second.look()
    found = {"reached": True, "both list": does == "lists" and not first.nothing_left(0.5)}
    for run in (first, second):
        run.tell("go")
    first.nothing_left()
    second.end()
    found["next code"] = case.whole("c")
    return found | {"index": case.text()}


def failing(case: Case) -> dict:
    """Let tools/list fail in the middle."""
    before = case.text()
    run = case.start("a")
    run.tell("fail")
    return {"code": run.end(), "before": before, "index": case.text(), "left": case.left()}


TRIED = {
    "ordinary": ordinary,
    "overlap": overlap,
    "TERM": lambda case: ended(case, signal.SIGTERM),
    "KILL": lambda case: ended(case, signal.SIGKILL),
    "TERM alone": ended_alone,
    "KILL alone": orphaned,
    "failing": failing,
}


def main() -> None:
    """Try everything, each in a folder of its own."""
    elsewhere = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None
    said: dict[str, dict] = {}
    for name, do in TRIED.items():
        temporary = Path(tempfile.mkdtemp(dir=elsewhere))
        case = Case(name, temporary)
        try:
            said[name] = do(case)
        finally:
            case.close()
            shutil.rmtree(temporary)
    said["elsewhere"] = {"another": elsewhere is not None and elsewhere.stat().st_dev != HERE.stat().st_dev}
    (HERE / "said.json").write_text(json.dumps(said))


main()
