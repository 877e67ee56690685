"""Where all ranks stand: their stacks at one moment, merged into "which ranks stand where".

    pids = ranks_below(launcher)
    print(text(merge(take(pids))))

gdb reads the stacks of compiled code, py-spy the lines of a Python program (mpi4py). Both look at a process from
outside: it need not be prepared, and goes on afterwards. A stack is a tuple of `Frame`, outermost first.
"""

from __future__ import annotations

import functools
import json
import math
import os
import re
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from rankzero import _reaper, proc

RANK_VARIABLES = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID")
"""How launchers tell a process its rank; an earlier one wins, as a launcher may itself be a task of Slurm's."""

_IN_GDB = Path(__file__).with_name("_in_gdb.py")
_PER_GDB = 16
"""Processes that one gdb reads: it shares the symbols of their libraries, and leaves the cores free."""
_LIBMPI = re.compile(rb"/libmpi(?:ch)?\.so")
_PYTHON = re.compile(r"/(?:python[\d.]*|libpython[\d.]+\.so[\d.]*)$")
_C_CALL = re.compile(r"P?(MPI_[A-Z]\w*)$")
_FORTRAN_CALL = re.compile(r"p?mpir?_(\w+?)(?:_f08(?:ts)?)?_*$")
_BEHIND = {"ompi_mpi_init": "MPI_Init", "ompi_mpi_finalize": "MPI_Finalize"}  # what a tail call leaves of a stack
_NOT_THE_USERS = re.compile(r"/usr/|<frozen |.*/(?:site|dist)-packages/|.*/lib/python3\.\d+/")


class StacksError(RuntimeError):
    """Stacks could not be taken. The message says what forbids it, and what mends it."""


class StacksTimeoutError(StacksError):
    """No stack was read in time: gdb is slow on a busy machine, and may succeed later."""


class Frame(NamedTuple):
    """A call on a stack. file is the source ("" and line 0 when not known), library "" for the program itself."""

    function: str
    file: str = ""
    line: int = 0
    library: str = ""

    def __str__(self) -> str:
        where = f" {Path(self.file).name}:{self.line}" if self.file else ""
        return f"{self.function or '(unknown function)'}{where}"


Stack = tuple[Frame, ...]


@dataclass(frozen=True)
class Thread:
    """A thread of a process: its id as the host knows it, its name, its stack; main is the one that began it all."""

    tid: int
    name: str
    main: bool
    stack: Stack


# -- which process is which rank -------------------------------------------------------------------------------


def ranks_below(pid: int) -> dict[int, int]:
    """Return rank -> pid of the MPI processes among `pid` and its descendants, in the caller's view of pids.

    What a launcher starts may be a shell, and what a rank starts inherits its variables: the process of a rank is the
    topmost one that has an MPI library mapped. One such process without a rank, a program run without mpirun, is 0.
    """
    return {rank: pids[0] for rank, pids in processes(pid).items()}


def processes(pid: int) -> dict[int, list[int]]:
    """Return rank -> all topmost processes that claim to be it; more than one when several worlds run."""
    family = {pid} | _reaper.descendants(pid)
    parents = {member: _parent(member) for member in family}
    mapped = {member for member in family if _maps_mpi(member)}
    found: dict[int, list[int]] = {}
    alone = []
    for member in sorted(mapped):
        above = parents[member]
        while above in parents and above not in mapped:
            above = parents[above]
        if above in mapped:  # started, or forked, by a rank
            continue
        rank = _rank(member)
        if rank is None:
            alone.append(member)
        else:
            found.setdefault(rank, []).append(member)
    if not found and alone:
        found[0] = alone
    return dict(sorted(found.items()))


def _read(path: str) -> bytes:
    """Return what a file of /proc holds, nothing when the process has ended or is another user's."""
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def _parent(pid: int) -> int:
    text = _read(f"/proc/{pid}/stat")
    return int(text[text.rindex(b")") + 2 :].split()[1]) if text else 0


def _maps_mpi(pid: int) -> bool:
    return _LIBMPI.search(_read(f"/proc/{pid}/maps")) is not None


def _rank(pid: int) -> int | None:
    words = _read(f"/proc/{pid}/environ").split(b"\0")
    variables = dict(word.decode(errors="replace").split("=", 1) for word in words if b"=" in word)
    values = [variables[name] for name in RANK_VARIABLES if variables.get(name, "").isdigit()]
    return int(values[0]) if values else None


# -- taking stacks ------------------------------------------------------------------------------------------------


def take(pids: Mapping[int, int], *, seconds: float = 4.0) -> dict[int, Stack]:
    """Return rank -> stack of the main thread, for the ranks of `pids` (rank -> pid) whose process still lives.

    See `take_threads` for what it raises.
    """
    taken = take_threads(pids, seconds=seconds)
    return {rank: thread.stack for rank, threads in taken.items() for thread in threads if thread.main}


def take_threads(pids: Mapping[int, int], *, seconds: float = 4.0) -> dict[int, tuple[Thread, ...]]:
    """Return rank -> its threads, the main one first, for the ranks whose process still lives.

    Processes may live in other PID and mount namespaces; the pids are the caller's. Ranks that cannot be read within
    `seconds` are left out. Raises StacksError when gdb is missing or may not look at a process.
    """
    return snapshots(pids, 1, seconds=seconds)[0]


def snapshots(
    pids: Mapping[int, int], count: int = 2, *, apart: float = 0.2, seconds: float = 4.0
) -> list[dict[int, tuple[Thread, ...]]]:
    """Return what `take_threads` does, `count` times, `apart` seconds apart: cheaper than so many calls of that.

    Lines of Python programs are read once. `seconds` is the limit for all; see `take_threads` for what is raised.
    """
    if not pids:
        return [{}] * count
    gdb = shutil.which("gdb")
    if gdb is None:
        raise StacksError("stacks are read with gdb, and there is none:\n    sudo apt-get install gdb")
    answers: list[dict[str, Any]] = []
    python: dict[int, list[dict[str, Any]]] = {}
    with proc.Supervisor() as supervisor:
        folder = supervisor.run_dir.path
        env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "HOME": str(folder)}
        spy = _py_spy()
        spied = {pid: folder / f"python.{pid}" for pid in _pythons(pids.values())} if spy else {}
        for pid, output in spied.items():  # --nonblocking: it need not stop a process that gdb holds
            argv = [str(spy), "dump", "--json", "--nonblocking", "--pid", str(pid)]
            supervisor.start(output.name, argv, env=env, stdout=output, stderr=os.devnull)
        roots = list(_roots(pids.values()).items())
        together = max(1, min(os.cpu_count() or 1, math.ceil(len(roots) / _PER_GDB)))
        outputs = [folder / f"stacks.{number}" for number in range(together)]
        log = folder / "gdb.log"
        for number, output in enumerate(outputs):
            argv = _command(gdb, PIDS=roots[number::together], OUTPUT=str(output), TURNS=count, APART=apart)
            supervisor.start(output.name, argv, env=env, stdout=log)
        deadline = time.monotonic() + seconds
        for output in [*spied.values(), *outputs]:
            supervisor.wait(output.name, max(0.0, deadline - time.monotonic()))
        answers = [json.loads(line) for output in outputs for line in _whole_lines(output)]
        for pid, output in spied.items():
            if supervisor.ended.get(output.name, {}).get("returncode") == 0:
                python[pid] = json.loads(output.read_text())
        said = log.read_text(errors="replace").strip()
    for answer in answers:
        if "error" in answer and alive(answer["pid"]):
            raise StacksError(_why_not(answer["pid"], answer["error"]))
    if not any("threads" in answer for answer in answers) and any(map(alive, pids.values())):
        raise StacksTimeoutError(f"gdb read no stack within {seconds:g} s.\n{said[-500:]}".rstrip())
    native = {(answer["turn"], answer["pid"]): answer["threads"] for answer in answers if "threads" in answer}
    return [
        {
            rank: _threads(pid, native[turn, pid], python.get(pid, []))
            for rank, pid in pids.items()
            if (turn, pid) in native
        }
        for turn in range(count)
    ]


def _command(gdb: str, **variables: object) -> list[str]:
    """Return the command that runs _in_gdb.py with these variables."""
    # Not even a look at what the machine or the user has set up for gdb: no debuginfod, no pretty printers, no debug
    # symbols of the C library, which take longer to read than all the rest.
    settings = ["auto-load no", "debuginfod enabled off", "debug-file-directory /nonexistent", "history save off"]
    return [
        gdb,
        *("-nx", "-nh", "-batch"),
        *(word for setting in settings for word in ("-iex", f"set {setting}")),
        *("-ex", "python " + "; ".join(f"{name} = {value!r}" for name, value in variables.items())),
        *("-x", str(_IN_GDB)),
    ]


def _whole_lines(path: Path) -> list[str]:
    """Return the lines of a file that may be being written."""
    if not path.exists():
        return []
    return [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


def alive(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    text = _read(f"/proc/{pid}/stat")
    return bool(text) and text[text.rindex(b")") + 2 :][:1] not in (b"Z", b"X")


def _roots(pids: Iterable[int]) -> dict[int, str]:
    """Return pid -> the folder below which its program and libraries are found from here.

    Processes of one mount namespace share one: gdb then sees that their libraries are the same files.
    """
    roots: dict[int, str] = {}
    known: dict[str, str] = {}
    for pid in pids:
        try:
            space = str(Path(f"/proc/{pid}/ns/mnt").readlink())
            named = Path(f"/proc/{pid}/exe").readlink()
            there = Path(f"/proc/{pid}/exe").stat()
            same = named.exists() and os.path.samestat(there, named.stat())
        except OSError:  # it has ended, or is another user's: gdb will say so
            roots[pid] = "/"
            continue
        roots[pid] = "/" if same else known.setdefault(space, f"/proc/{pid}/root")
    return roots


def _pythons(pids: Iterable[int]) -> list[int]:
    found = []
    for pid in pids:
        try:
            if _PYTHON.search(str(Path(f"/proc/{pid}/exe").readlink())):
                found.append(pid)
        except OSError:  # ended just now
            continue
    return found


def _py_spy() -> str | None:
    beside = Path(sys.executable).with_name("py-spy")
    return str(beside) if beside.exists() else shutil.which("py-spy")


def _why_not(pid: int, error: str) -> str:
    """Say why gdb could not read a living process, and what mends it."""
    status = dict(
        line.split(":\t", 1)
        for line in _read(f"/proc/{pid}/status").decode(errors="replace").splitlines()
        if ":\t" in line
    )
    tracer = status.get("TracerPid", "0").strip()
    if tracer not in ("0", str(os.getpid())):
        return f"process {pid} is being watched by another debugger already (process {tracer}): end that one first"
    uids = status.get("Uid", "").split()
    if uids and os.geteuid() != 0 and str(os.geteuid()) not in uids:
        return f"process {pid} belongs to another user (uid {uids[0]}): only that user and root may look at it"
    scope = _read("/proc/sys/kernel/yama/ptrace_scope").decode().strip() or "0"
    if scope == "3":
        return "this machine forbids all debuggers until it is restarted (kernel.yama.ptrace_scope is 3)"
    if scope != "0":
        return (
            f"this machine forbids gdb to look at running programs (kernel.yama.ptrace_scope is {scope}):\n"
            "    sudo sysctl kernel.yama.ptrace_scope=0"
        )
    if "not permitted" in error:
        return (
            f"gdb may not look at process {pid}: {error}. In a container, start that with the right to trace:\n"
            "    podman run --cap-add=SYS_PTRACE …"
        )
    return f"gdb could not look at process {pid}: {error}"


def _threads(pid: int, native: list[dict[str, Any]], python: list[dict[str, Any]]) -> tuple[Thread, ...]:
    """Return a process's threads, the main one first, with Python lines in place of the interpreter's frames."""
    spied = {thread["os_thread_id"]: thread["frames"] for thread in python}
    threads = []
    for thread in native:
        tid = thread["tid"]
        stack = tuple(Frame(*frame) for frame in reversed(thread["frames"]))
        if spied:
            lines = spied.get(tid) or spied.get(_own_tid(pid, tid)) or []
            stack = _with_python(stack, lines)
        threads.append(Thread(tid, thread["name"], tid == pid, stack))
    return tuple(sorted(threads, key=lambda thread: (not thread.main, thread.tid)))


def _own_tid(pid: int, tid: int) -> int:
    """Return a thread's id as its own PID namespace knows it."""
    found = re.search(rb"^NSpid:.*?(\d+)$", _read(f"/proc/{pid}/task/{tid}/status"), re.MULTILINE)
    return int(found[1]) if found else tid


def _with_python(native: Stack, lines: list[dict[str, Any]]) -> Stack:
    """Return Python's frames, then the MPI call that they stand in, if they do."""
    if not lines:
        return native
    python = tuple(Frame(line["name"], line["filename"], line["line"]) for line in reversed(lines))
    start = _mpi_begins(native)
    return python + native[start:]


# -- what of a stack is the user's -----------------------------------------------------------------------------------


@functools.lru_cache(maxsize=4096)
def mpi_call(function: str, library: str = "") -> str | None:
    """Return the name of the MPI call that a function is, "MPI_Send" for PMPI_Send and mpi_send_f08_, else None."""
    if found := _C_CALL.match(function):
        return found[1]
    if function in _BEHIND:
        return _BEHIND[function]
    if "libmpi" in library and (found := _FORTRAN_CALL.match(function)):
        return "MPI_" + found[1].capitalize()
    return None


def _mpi_begins(stack: Stack) -> int:
    """Return the index of the outermost frame of the MPI call that a stack stands in; its length when in none."""
    for index, frame in enumerate(stack):
        if mpi_call(frame.function, frame.library):
            return index
    return len(stack)


def inside_mpi(stack: Stack) -> Stack:
    """Return the part of a stack below the user's call of MPI: frames of libmpi and what it uses."""
    return stack[_mpi_begins(stack) :]


def has_user_frames(stack: Stack) -> bool:
    """Whether any code of the user's is on a stack."""
    return any(map(_users, stack))


@functools.lru_cache(maxsize=4096)
def _users(frame: Frame) -> bool:
    """Whether a frame is the user's own code: it has a source that is no system file, or is the program's."""
    if frame.file:
        return _NOT_THE_USERS.match(frame.file) is None
    return not frame.library and bool(frame.function) and not frame.function.startswith("_start")


def shown(stack: Stack) -> Stack:
    """Return what a person wants to see of a stack: the user's frames, then the call that they stand in, if any."""
    start = _mpi_begins(stack)
    own = [index for index in range(start) if _users(stack[index])]
    if not own:
        called = stack[start:] or stack[-1:]
        return (_called(called[0]),) if called else ()
    first, last = own[0], own[-1]
    if first < last and stack[first].function == "main" and re.search(r"\.[fF]\d*$", stack[first].file):
        first += 1  # the main that a Fortran compiler puts above the main program
    frames = [stack[index]._replace(library="") for index in range(first, last + 1) if _users(stack[index])]
    if last + 1 < len(stack):
        frames.append(_called(stack[start] if start < len(stack) else stack[last + 1]))
    return tuple(frames)


def _called(frame: Frame) -> Frame:
    """Return a call into a library by its name alone."""
    call = mpi_call(frame.function, frame.library)
    return Frame(call or frame.function or f"(in {Path(frame.library).name or 'the program'})")


@dataclass(frozen=True)
class Place:
    """Where a rank stands: the call it is in ("MPI_Recv", "sleep", "" for none), and the user's line that made it."""

    call: str
    function: str
    file: str
    line: int

    @classmethod
    def of(cls, stack: Stack) -> Place:
        """Return where a stack stands."""
        frames = shown(stack)
        call = ""
        if frames and not frames[-1].file and (len(frames) > 1 or mpi_call(frames[-1].function)):
            call = frames[-1].function
            frames = frames[:-1]
        if not frames:
            return cls(call, "", "", 0)
        return cls(call, frames[-1].function, frames[-1].file, frames[-1].line)

    @property
    def in_mpi(self) -> bool:
        """Whether the rank is inside an MPI call."""
        return self.call.startswith("MPI_")

    def __str__(self) -> str:
        where = f"{Path(self.file).name}:{self.line}" if self.file else ""
        if not where:
            return " in ".join(filter(None, [self.call, self.function])) or "(unknown)"
        return f"{self.call} at {where} ({self.function})" if self.call else f"{where} ({self.function})"


# -- merging --------------------------------------------------------------------------------------------------------


@dataclass
class Node:
    """A call in merged stacks: the ranks that pass through it, and the calls below. The root's frame is None."""

    frame: Frame | None = None
    ranks: list[int] = field(default_factory=list)
    children: dict[Frame, Node] = field(default_factory=dict)


def merge(stacks: Mapping[int, Stack]) -> Node:
    """Return the tree of all ranks' stacks, each reduced to what `shown` keeps of it."""
    alike: dict[Stack, list[int]] = {}
    for rank, stack in stacks.items():
        alike.setdefault(stack, []).append(rank)
    root = Node(ranks=sorted(stacks))
    for stack, ranks in alike.items():
        node = root
        for frame in shown(stack):
            below = node.children.get(frame)
            if below is None:
                below = node.children[frame] = Node(frame)
            below.ranks += ranks
            node = below
    return root


def text(tree: Node, what: str = "rank") -> str:
    """Return one line for each place that ranks (or threads) stand at: "ranks 0, 2-3  main ring.c:40 > MPI_Recv"."""
    rows: list[tuple[list[int], str]] = []
    queue: list[tuple[Node, str]] = [(tree, "")]
    while queue:
        node, path = queue.pop()
        below = {rank for child in node.children.values() for rank in child.ranks}
        here = [rank for rank in node.ranks if rank not in below]
        if here:
            rows.append((sorted(here), path or "(no stack)"))
        queue += [(child, f"{path} > {frame}" if path else str(frame)) for frame, child in node.children.items()]
    rows.sort()
    names = [name_ranks(ranks, what=what) for ranks, _ in rows]
    width = max(map(len, names), default=0)
    return "\n".join(f"{name:<{width}}  {path}" for name, (_, path) in zip(names, rows, strict=True))


def name_ranks(ranks: Iterable[int], most: int = 8, what: str = "rank") -> str:
    """Return "rank 2" or "ranks 0, 2-3"; with more than `most` pieces the rest is left out, and counted."""
    ordered = sorted(ranks)
    pieces: list[list[int]] = []
    for rank in ordered:
        if pieces and pieces[-1][1] == rank - 1:
            pieces[-1][1] = rank
        else:
            pieces.append([rank, rank])
    words = [str(a) if a == b else f"{a}, {b}" if b == a + 1 and len(pieces) == 1 else f"{a}-{b}" for a, b in pieces]
    if len(words) > most:
        words[most:] = [f"… ({len(ordered)} ranks)"]
    return f"{what}{'' if len(ordered) == 1 else 's'} " + ", ".join(words)
