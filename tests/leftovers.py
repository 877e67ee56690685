"""A pytest plugin: after every test, also one that hangs, nothing is there that was not there before.

Looked for are processes, the ports that they hold, listening sockets of the session itself, shared memory (POSIX
and System V) and run directories. What stays for longer than `--leftovers-grace` seconds fails the test, is named,
and is ended or removed, so that the next test starts clean.

Other people use the machine as well, under the same name too. A process is ours when it descends from this session
or carries its mark in the environment; a file or a segment is somebody else's when a living process of theirs holds
it. What lives under something that was there before the test (a pool of engines that a fixture keeps) is the
business of who started that.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import re
import shutil
import signal
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

MARK = "RANKZERO_TEST_SESSION"
RUN_DIRS = re.compile(rf"rz-{os.getuid()}-|\.rz-|ompi\.|openmpi-sessions-|prte\.")
NUMBER_IN_NAME = re.compile(r"(?:^|[.-])(\d+)(?=$|[.-])")
IPC_RMID = 0


@dataclass(frozen=True)
class Process:
    """A process; with its start, in clock ticks since boot, it is told from another one with the same pid."""

    pid: int
    started: int
    parent: int = field(compare=False)
    state: str = field(compare=False)

    @classmethod
    def read(cls, pid: int | str) -> Process:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
        fields = text[text.rindex(b")") + 2 :].split()
        return cls(int(pid), started=int(fields[19]), parent=int(fields[1]), state=fields[0].decode())

    @property
    def command(self) -> str:
        try:
            words = Path(f"/proc/{self.pid}/cmdline").read_bytes().replace(b"\0", b" ").split()
        except OSError:
            return "(ended just now)"
        return b" ".join(words).decode(errors="replace")[:160]


ME = Process.read(os.getpid())


@dataclass(frozen=True)
class Snapshot:
    """What is there. Processes are ours only; segments and folders are the user's."""

    processes: frozenset[Process] = frozenset()
    sockets: frozenset[str] = frozenset()
    segments: frozenset[int] = frozenset()
    files: frozenset[Path] = frozenset()


@dataclass
class Leftovers:
    """What was not there before."""

    processes: list[Process] = field(default_factory=list)
    sockets: dict[str, str] = field(default_factory=dict)
    segments: list[int] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.processes or self.sockets or self.segments or self.files)

    def lines(self) -> list[str]:
        """Say what is left, one thing a line."""
        held = {
            process: ", ".join(sorted(listening(_socket_inodes(process.pid)).values())) for process in self.processes
        }
        return [
            *(
                f"process {p.pid}: {p.command}" + (f" (listens on {held[p]})" if held[p] else "")
                for p in self.processes
            ),
            *(f"the test session itself listens on {address}" for address in self.sockets.values()),
            *(f"System V shared memory {segment}" for segment in self.segments),
            *(f"{'run directory' if path.is_dir() else 'shared memory'} {path}" for path in self.files),
        ]

    def remove(self) -> None:
        """End and remove it all, but for sockets of the session itself: a close would hit who uses the number next."""
        for process in self.processes:
            try:
                if Process.read(process.pid).started == process.started:
                    os.kill(process.pid, signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError):
                pass
        for segment in self.segments:
            ctypes.CDLL(None).shmctl(segment, IPC_RMID, None)
        for path in self.files:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def snapshot(mark: str) -> Snapshot:
    """Look at what is there now."""
    ours, _ = _processes(mark)
    return Snapshot(frozenset(ours), frozenset(_socket_inodes("self")), frozenset(_segments()), frozenset(_files()))


def left_since(before: Snapshot, mark: str) -> Leftovers:
    """Return what was not there before and is nobody else's."""
    sockets = listening(frozenset(_socket_inodes("self")) - before.sockets)
    segments = frozenset(_segments()) - before.segments
    files = frozenset(_files()) - before.files
    # Only now the processes: whoever has made one of these meanwhile must be among them, or it would seem nobody's.
    ours, everyone = _processes(mark)
    known = {process.pid for process in before.processes}
    new = [p for p in ours - before.processes if not _descends(p, known, everyone)]
    if segments or files:
        mine = {p.pid for p in ours} | {os.getpid()}
        held = _held_by({p.pid for p in everyone.values()} - mine, segments, files)
        # A lock goes from a caller to its reaper in a moment in which neither may be seen to have it.
        held |= _with_twins({path for path in files if _is_locked(path)} - _held_by(mine, frozenset(), files), files)
        segments, files = (segments - held) & frozenset(_segments()), (files - held) & frozenset(_files())
    return Leftovers(sorted(new, key=lambda p: p.pid), sockets, sorted(segments), sorted(files))


def _processes(mark: str) -> tuple[set[Process], dict[int, Process]]:
    """Return this session's processes, and everyone's by pid. Zombies hold nothing and are not counted."""
    everyone: dict[int, Process] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                process = Process.read(name)
            except OSError:  # ended between the two calls
                continue
            if process.state not in "ZX":
                everyone[process.pid] = process
    sign = f"{MARK}={mark}".encode()
    ours = {
        process
        for process in everyone.values()
        if process.pid != ME.pid
        and process.started >= ME.started
        and (_descends(process, {ME.pid}, everyone) or _carries(process, sign))
    }
    return ours, everyone


def _descends(process: Process, ancestors: set[int], everyone: dict[int, Process]) -> bool:
    while process.parent in everyone:
        if process.parent in ancestors:
            return True
        process = everyone[process.parent]
    return False


def _carries(process: Process, sign: bytes) -> bool:
    try:
        with open(f"/proc/{process.pid}/environ", "rb") as file:
            return sign in file.read()
    except OSError:  # ended, or another user's
        return False


def _socket_inodes(pid: int | str) -> Iterator[str]:
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:  # ended, or another user's
        return
    for name in names:
        try:
            target = os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:  # closed between the two calls
            continue
        if target.startswith("socket:["):
            yield target[8:-1]


def listening(inodes: frozenset[str] | Iterator[str]) -> dict[str, str]:
    """Return the addresses of those sockets that listen."""
    wanted = frozenset(inodes)
    found = {}
    for table in ("tcp", "tcp6") if wanted else ():
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in wanted:
                found[fields[9]] = f"port {int(fields[1].rsplit(':', 1)[1], 16)}"
    for line in Path("/proc/net/unix").read_text().splitlines()[1:] if wanted else ():
        fields = line.split()
        if int(fields[3], 16) & 0x10000 and fields[6] in wanted:
            found[fields[6]] = f"socket {fields[7] if len(fields) > 7 else '(no name)'}"
    return found


def _segments() -> Iterator[int]:
    """Yield the ids of this user's System V shared-memory segments."""
    with open("/proc/sysvipc/shm") as file:
        names = file.readline().split()
        for line in file:
            row = dict(zip(names, line.split(), strict=True))
            if int(row["uid"]) == os.getuid():
                yield int(row["shmid"])


def _files() -> Iterator[Path]:
    """Yield this user's shared memory and run directories."""
    for folder, wanted in (("/dev/shm", re.compile("")), ("/tmp", RUN_DIRS)):
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    if wanted.match(entry.name) and entry.stat(follow_symlinks=False).st_uid == os.getuid():
                        yield Path(entry.path)
                except FileNotFoundError:  # removed between the two calls
                    continue


def _held_by(pids: set[int], segments: frozenset[int], files: frozenset[Path]) -> frozenset[int | Path]:
    """Return what of this is held by those processes: open, mapped, worked in, or named after one of them."""
    held: set[int | Path] = set()
    asked, files = files, files | {_run_dir(path) for path in files}
    for path in files:
        names = [path.name, *(entry.name for entry in path.glob("*"))] if path.is_dir() else [path.name]
        if any(int(number) in pids for name in names for number in NUMBER_IN_NAME.findall(name)):
            held.add(path)
    for pid in pids:
        try:
            links = [os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]
            links.append(os.readlink(f"/proc/{pid}/cwd"))
            maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
        except OSError:  # ended, or another user's
            continue
        mapped = [line.split(maxsplit=5) for line in maps if "/" in line]
        links += [row[5] for row in mapped]
        attached = {int(row[4]) for row in mapped if row[5].startswith("/SYSV")}
        held |= segments & attached
        held |= {path for path in files if any(link == str(path) or link.startswith(f"{path}/") for link in links)}
    return _with_twins(held, asked)


def _run_dir(path: Path) -> Path:
    """Return the run directory that a folder in shared memory is the twin of, any other path as it is."""
    return Path("/tmp", path.name) if path.parent == Path("/dev/shm") and RUN_DIRS.match(path.name) else path


def _with_twins(held: set[int | Path], files: frozenset[Path]) -> frozenset[int | Path]:
    """Add twins to what is held: one may be empty, and belongs to whom the run directory with the lock belongs to.

    That may have been there before, as the two are made, and looked at, one after the other.
    """
    return frozenset(held | {path for path in files if _run_dir(path) in held})


def _is_locked(path: Path) -> bool:
    """Whether somebody who lives holds the lock of a run directory, or of the one that this is the twin of."""
    try:
        with open(_run_dir(path) / "lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no run directory, or gone
        return False
    return False


def wait_until_clean(before: Snapshot, mark: str, grace: float) -> Leftovers:
    """Return what is still left after `grace` seconds, as soon as nothing is."""
    give_up = time.monotonic() + grace
    while (left := left_since(before, mark)) and time.monotonic() < give_up:
        time.sleep(0.02)
    return left


def check(before: Snapshot, mark: str, grace: float, what: str) -> None:
    """Fail with what is left behind since `before`, and remove it."""
    if left := wait_until_clean(before, mark, grace):
        lines = left.lines()
        left.remove()
        listed = "\n".join(f"    {line}" for line in lines)
        pytest.fail(
            f"left behind {grace:g} s after {what}:\n{listed}\n"
            "Processes were ended and files removed. Start programs through rankzero.proc, and close what you open.",
            pytrace=False,
        )


# -- the plugin -------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--leftovers-grace", type=float, default=10.0, metavar="S", help="seconds in which what a test started must end"
    )


def pytest_configure(config: pytest.Config) -> None:
    # A session inside a test carries the outer session's mark as well, so that the outer one sees what it leaves.
    os.environ[MARK] = f"{os.environ.get(MARK, '')}/{uuid.uuid4().hex}"


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left_by_the_session(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold the fixtures that live longer than a test to the same rule."""
    before = snapshot(os.environ[MARK])
    yield
    check(before, os.environ[MARK], request.config.getoption("--leftovers-grace"), "the last test of the session")


@pytest.fixture(autouse=True)
def nothing_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold every test to leave nothing behind."""
    before = snapshot(os.environ[MARK])
    yield
    check(before, os.environ[MARK], request.config.getoption("--leftovers-grace"), "the test")
