"""Tells a hang from slowness, while a program runs.

    watch = Watch(pid, folder)           # started with Watch.environment(folder, mpi)
    while running:
        if hang := watch.look():         # about ten times a second
            print(hang.why)
    print(watch.where())                 # its time is up: where it stands

Neither counters nor stacks alone can tell. A program that computes makes no MPI call for long, and its stack may look
the same twice; one that talks a lot stands in the same call at every look. So `look` asks both, and takes stacks
only when the counters of pmpi/counter.c have stood still and every rank is inside a call that can block. When in
doubt a program is slow: what hangs unseen meets its time limit, and `where` says where it stood.
"""

from __future__ import annotations

import math
import os
import re
import struct
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from rankzero import _reaper, places
from rankzero.mpi import preload, stacks
from rankzero.mpi.stacks import Place, Stack, StacksError, StacksTimeoutError, Thread
from rankzero.mpi.toolchain import Mpi

COUNTER = places.ROOT / "pmpi" / "counter.c"
FOLDER_VARIABLE = "RANKZERO_PMPI_FOLDER"

STILL = 2.0
"""Seconds in which no MPI call may begin or end before a program is suspected, and no thread may have run."""
STILL_IN_FINALIZE = 6.0
"""The same when all stand in MPI_Finalize, which takes long on a busy machine."""
NO_PROGRESS = 4.0
"""Seconds in which no call may complete anything before polling ranks are suspected."""
_POLLS = 1000
"""Calls a second above which a rank that only asks (MPI_Test, MPI_Iprobe) is polling, not working between two asks."""
_PATIENCE = 6.0
"""Seconds for two snapshots of all stacks; twice as long after each time that it was not enough, up to the most."""
_MOST_PATIENCE = 24.0
_AGAIN = 1.0
"""Seconds before stacks are taken again after a suspicion that they did not confirm."""

_HEADER = struct.Struct("=8s 8i 5Q")
_ROW = struct.Struct("=32s 2Q")
# They wait for something outside the ranks' own messages, or are about to end all.
_NEVER_SUSPECT = re.compile(r"MPI_(Init|Init_thread|Abort|Comm_(spawn|spawn_multiple|accept|connect|join))$")
# What a rank does, not waits for, inside a call: move data, reduce it, read and write files.
_WORKS = re.compile(
    r".*(mem(cpy|move|set)|process_vm_|vmsplice|op_base_|_avx|2buff|3buff)|_*(libc_)?p?(read|write)v?(64)?$"
)
_WORKS_IN = re.compile(r".*/mca_op_")
_SLEEPS = re.compile(r"_*(sched_yield|u?sleep|(clock_)?nanosleep|pthread_yield)$")

_WHAT_FOR = (
    (r"I?S?[SBR]?[Ss]end(_c)?$", "a send that does not return until a receive is posted"),
    (r"(M?[Rr]ecv|M?[Pp]robe)(_c)?$", "no message for it has come"),
    (r"Sendrecv", "its partner has not done its part"),
    (r"Wait", "an operation that it waits for does not complete"),
    (r"Finalize", "it returns only when every rank has called it"),
    (r"Win_(un)?lock|Win_flush", "another rank holds the lock, or does not serve the window"),
    (r"Win_(start|complete|post|wait)", "a rank of the group has not done its part"),
    (r"", "a collective returns only when every rank of the communicator has called it"),
)

# Numbers of the system calls futex and read: linux/arch/*/entry/syscalls, asm-generic/unistd.h.
_FUTEX_READ = {"x86_64": (202, 0), "aarch64": (98, 63), "riscv64": (98, 63), "ppc64le": (221, 3)}
_FUTEX_PRIVATE = 128
_FUTEX_WAITS = {0, 6, 9, 13}  # FUTEX_WAIT, LOCK_PI, WAIT_BITSET, LOCK_PI2: linux/futex.h
_SIGALRM_BIT = 1 << 13


@dataclass(frozen=True)
class Calls:
    """The MPI calls of one rank so far, as pmpi/counter.c counts them; times in nanoseconds of CLOCK_MONOTONIC.

    size is 0 before MPI_Init has returned. call is the one a thread is inside, "" for none; kind says whether it
    blocks ("B"), starts something ("S") or asks ("T"). by_name: how often each was called.
    """

    rank: int
    size: int
    thread_level: int
    finalized: bool
    inside: int
    call: str
    kind: str
    completions: int
    clock_reads: int
    inside_ns: int
    changed_ns: int
    started_ns: int
    by_name: dict[str, int]
    asked: int

    @property
    def begun(self) -> int:
        """Calls begun."""
        return sum(self.by_name.values())

    @property
    def ended(self) -> int:
        """Calls that have returned."""
        return self.begun - self.inside


@dataclass(frozen=True)
class Hang:
    """A program that will never end by itself.

    kind: "deadlock" (all wait), "no-progress" (some ask on and on, and nothing ever comes). ranks: where each rank
    stands, or each thread of a program without MPI, numbered from 0. text: the merged stacks. why: who waits where.
    """

    kind: str
    ranks: dict[int, Place]
    text: str
    why: str

    def __str__(self) -> str:
        return self.why


def counters(folder: Path, since: int = 0) -> dict[int, Calls]:
    """Return rank -> its calls in the newest run that counted into a folder, without what MPI_Comm_spawn started.

    Runs whose MPI_Init began before `since`, in nanoseconds of CLOCK_MONOTONIC, do not count.
    """
    found: dict[int, Calls] = {}
    for data in _files(folder, since).values():
        calls = _calls(data)
        if calls.rank not in found or found[calls.rank].started_ns < calls.started_ns:
            found[calls.rank] = calls
    return dict(sorted(found.items()))


def _files(folder: Path, since: int, spawned: bool = False) -> dict[str, bytes]:
    """Return name -> contents of the counters' files that are not older than `since`."""
    found = {}
    for path in folder.glob("*.*"):
        if path.name.startswith(("spawned.",) if spawned else ("calls.", "starting.")):
            try:
                data = path.read_bytes()
            except FileNotFoundError:  # given its name just now
                continue
            if data.startswith(b"RZCALLS1") and _HEADER.unpack_from(data)[-1] >= since:
                found[path.name] = data
    return found


def _calls(data: bytes) -> Calls:
    _, count, _, rank, size, level, finalized, inside, call, done, clock, inside_ns, changed, started = (
        _HEADER.unpack_from(data)
    )
    rows = list(_ROW.iter_unpack(data[_HEADER.size : _HEADER.size + count * _ROW.size]))
    names = [name.rstrip(b"\0").decode() for name, _, _ in rows]
    known = inside > 0 and 0 <= call < count
    return Calls(
        rank=rank,
        size=size,
        thread_level=level,
        finalized=bool(finalized),
        inside=inside,
        call=names[call] if known else "",
        kind=chr(rows[call][1]) if known else "",
        completions=done,
        clock_reads=clock,
        inside_ns=inside_ns,
        changed_ns=changed,
        started_ns=started,
        by_name={name: begun for name, (_, _, begun) in zip(names, rows, strict=True) if begun},
        asked=sum(begun for _, kind, begun in rows if kind == ord("T")),
    )


@dataclass
class _Suspicion:
    """What was seen when a suspicion began, to be seen again unchanged."""

    since: float
    signature: object
    seen: object = None


class Watch:
    """Looks at a program while it runs.

    pid: of a process above all of the program's, or the program itself. folder: where its ranks count their calls
    (`environment`); it may be missing, and stays empty for a program without MPI.
    problem: why hangs cannot be seen here (gdb is missing, or forbidden), once that is known.
    """

    def __init__(self, pid: int, folder: str | os.PathLike[str]) -> None:
        self.pid = pid
        self.folder = Path(folder)
        self.problem = ""
        self._since = _started(pid)
        self._not_before = 0.0
        self._patience = self._seconds = _PATIENCE
        self._still: _Suspicion | None = None
        self._polling: _Suspicion | None = None
        self._locked: _Suspicion | None = None

    @staticmethod
    def environment(folder: str | os.PathLike[str], mpi: Mpi, base: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Return the variables with which a program of that MPI counts its calls in a folder, added to `base`'s own.

        Raises proc.ProcError or its CommandFailedError when the counter cannot be compiled.
        """
        counter = str(preload.into(Path(folder), COUNTER, mpi.mpicc))
        return {
            "LD_PRELOAD": " ".join(filter(None, [counter, base.get("LD_PRELOAD")])),
            FOLDER_VARIABLE: os.fspath(folder),
            "OMPI_MCA_mpi_yield_when_idle": "1",  # ranks that wait leave the cores to those that work, and to gdb
            # The address sanitizer wants to be the first library of all, which a preloaded one is.
            "ASAN_OPTIONS": ":".join(filter(None, [base.get("ASAN_OPTIONS"), "verify_asan_link_order=0"])),
        }

    def look(self, left: float = math.inf) -> Hang | None:
        """Return a hang if there is one for certain, else None. Takes a millisecond, or two snapshots of all stacks.

        left: seconds that snapshots may take at most, a second or more.
        """
        self._seconds = min(self._patience, max(left, 1.0))
        if self.problem:
            return None
        try:
            files = _files(self.folder, self._since)
            if not files:
                return self._look_at_threads()
            if _files(self.folder, self._since, spawned=True):  # several worlds: who waits for whom cannot be told
                return None
            return self._look_at_ranks(files)
        except StacksTimeoutError:  # a busy machine
            self._patience = min(2 * self._patience, _MOST_PATIENCE)
            return self._later(time.monotonic())
        except StacksError as err:
            self.problem = str(err)
            return None

    def where(self) -> str:
        """Return which ranks, or threads, stand where now; where gdb is missing or forbidden, return that."""
        try:
            pids = stacks.ranks_below(self.pid)
            if pids:
                return stacks.text(stacks.merge(stacks.take(pids)))
            threads = self._threads_below()
            return stacks.text(stacks.merge(dict(enumerate(thread.stack for thread in threads))), "thread")
        except StacksError as err:
            return str(err)

    def places(self) -> dict[int, Place]:
        """Return where each rank stands now, or each thread of a program without MPI. Raises StacksError."""
        pids = stacks.ranks_below(self.pid)
        taken = stacks.take(pids) if pids else dict(enumerate(thread.stack for thread in self._threads_below()))
        return {rank: Place.of(stack) for rank, stack in taken.items()}

    def _threads_below(self) -> list[Thread]:
        """Return the threads of the programs that have started no other: what a shell or launcher waits for."""
        leaves = dict(enumerate(_leaves(self.pid)))
        return [thread for threads in stacks.take_threads(leaves).values() for thread in threads]

    # -- ranks ------------------------------------------------------------------------------------------------------

    def _look_at_ranks(self, files: dict[str, bytes]) -> Hang | None:
        now = time.monotonic()
        headers = {name: _HEADER.unpack_from(data) for name, data in files.items()}
        still = {name: header[5:] for name, header in headers.items()}
        if self._still is None or self._still.signature != still:
            self._still = _Suspicion(now, still)
        progress = {name: (header[6], header[9]) for name, header in headers.items()}
        if self._polling is None or self._polling.signature != progress:
            self._polling = _Suspicion(now, progress)
        if now < self._not_before:
            return None
        if now - self._still.since >= STILL:
            return self._deadlock(now)
        if now - self._polling.since >= NO_PROGRESS / 2:
            return self._no_progress(now)
        return None

    def _waiting(self) -> tuple[dict[int, int], dict[int, Calls]] | None:
        """Return rank -> pid of those that could be waiting, and all counters; None when some rank does otherwise."""
        found = stacks.processes(self.pid)
        if any(len(pids) > 1 for pids in found.values()):  # several worlds
            return None
        calls = counters(self.folder, self._since)
        living = {rank: pids[0] for rank, pids in found.items() if not (rank in calls and calls[rank].finalized)}
        if not living or any(rank not in calls for rank in living):  # not yet, or no longer, in MPI
            return None
        return living, calls

    def _deadlock(self, now: float) -> Hang | None:
        waiting = self._waiting()
        if waiting is None:
            return self._later(now)
        living, calls = waiting
        if any(calls[rank].kind != "B" or _NEVER_SUSPECT.match(calls[rank].call) for rank in living):
            return None
        everywhere = {calls[rank].call for rank in living}
        if self._still and everywhere == {"MPI_Finalize"} and now - self._still.since < STILL_IN_FINALIZE:
            return None
        multiple = {rank for rank in living if calls[rank].thread_level == 3}
        first, second = _waits_twice(living, multiple, (), self._seconds)
        unchanged = self._still and self._still.signature == self._headers()
        if not first or not second or not unchanged or _shown(first) != _shown(second):
            return self._later(now)
        return self._hang("deadlock", second, calls)

    def _no_progress(self, now: float) -> Hang | None:
        """Ranks that ask and ask: a suspicion after half of NO_PROGRESS, to be confirmed after the other half."""
        suspicion = self._polling
        if suspicion is None:
            return None
        calls = counters(self.folder, self._since)
        if suspicion.seen is None:
            suspicion.seen = (now, calls)
            return None
        before: dict[int, Calls]
        began, before = suspicion.seen  # type: ignore[misc]
        if now - began < NO_PROGRESS / 2:
            return None
        waiting = self._waiting()
        if waiting is None or before.keys() != waiting[1].keys():
            return self._later(now)
        living, calls = waiting
        asking = {rank for rank in living if _only_asks(before[rank], calls[rank], now - began)}
        blocked = {
            rank
            for rank in living
            if calls[rank].kind == "B"
            and calls[rank].begun == before[rank].begun
            and not _NEVER_SUSPECT.match(calls[rank].call)
        }
        if not asking or asking | blocked != living.keys():
            suspicion.seen = (now, calls)
            return self._later(now)
        multiple = {rank for rank in living if calls[rank].thread_level == 3}
        first, second = _waits_twice(living, multiple, asking, self._seconds)
        headers = self._headers()
        progress = {name: (header[1], header[4]) for name, header in headers.items()}
        if not first or not second or progress != suspicion.signature:
            return self._later(now)
        if any(_shown(first)[rank] != _shown(second)[rank] for rank in blocked):
            return self._later(now)
        asked = {rank: _same_question(first[rank], second[rank]) for rank in asking}
        where = second | {rank: stack for rank, stack in asked.items() if stack}
        return self._hang("no-progress", where, calls, asking) if all(asked.values()) else self._later(now)

    def _headers(self) -> dict[str, tuple[int, ...]]:
        return {name: _HEADER.unpack_from(data)[5:] for name, data in _files(self.folder, self._since).items()}

    def _later(self, now: float) -> None:
        self._not_before = max(now, time.monotonic()) + _AGAIN

    def _hang(
        self, kind: str, where: dict[int, Stack], calls: Mapping[int, Calls], asking: Collection[int] = ()
    ) -> Hang:
        ranks = {rank: Place.of(stack) for rank, stack in where.items()}
        size = max((one.size for one in calls.values()), default=0)
        gone = [rank for rank in range(size) if rank not in ranks]
        return Hang(kind, ranks, stacks.text(stacks.merge(where)), _why(ranks, gone, set(asking)))

    # -- threads ----------------------------------------------------------------------------------------------------

    def _look_at_threads(self) -> Hang | None:
        now = time.monotonic()
        if now < self._not_before:
            return None
        self._not_before = now + 0.2  # /proc is no place to look at ten times a second
        leaves = _leaves(self.pid)
        if len(leaves) != 1 or not _waits_for_own_threads(leaves[0]):
            self._locked = None
            return None
        pid = leaves[0]
        signature = (pid, _activity(pid))
        if self._locked is None or self._locked.signature != signature:
            self._locked = _Suspicion(now, signature)
        if now - self._locked.since < (STILL if self._locked.seen is None else _AGAIN):
            return None
        threads = stacks.take_threads({0: pid}).get(0, ())
        seen = tuple((thread.tid, stacks.shown(thread.stack)) for thread in threads)
        if not threads or not _waits_for_own_threads(pid):
            self._locked = None
        elif self._locked.seen == seen:
            where = {number: thread.stack for number, thread in enumerate(threads)}
            ranks = {number: Place.of(stack) for number, stack in where.items()}
            return Hang("deadlock", ranks, stacks.text(stacks.merge(where), "thread"), _why_threads(ranks))
        else:  # gdb has woken the threads: count anew what they do
            self._locked = _Suspicion(time.monotonic(), (pid, _activity(pid)), seen)
        return None


# -- what a stack says ------------------------------------------------------------------------------------------------


def _waits_twice(
    pids: Mapping[int, int], multiple: set[int], asking: Collection[int], seconds: float
) -> tuple[dict[int, Stack] | None, dict[int, Stack] | None]:
    """Look twice at all ranks, and return what `_waits` says of each look. Raises StacksTimeoutError, StacksError."""
    first, second = stacks.snapshots(pids, seconds=seconds)
    if len(second) < len(pids) and all(map(stacks.alive, pids.values())):
        raise StacksTimeoutError(f"gdb read the stacks of {len(second)} of {len(pids)} ranks within {seconds:g} s")
    return _waits(first, pids, multiple, asking), _waits(second, pids, multiple, asking)


def _waits(
    taken: Mapping[int, tuple[Thread, ...]], pids: Mapping[int, int], multiple: set[int], asking: Collection[int]
) -> dict[int, Stack] | None:
    """Return rank -> the stack that stands in MPI; None unless every rank does nothing but wait there, or ask."""
    found: dict[int, Stack] = {}
    for rank, threads in taken.items():
        in_mpi = [thread for thread in threads if stacks.inside_mpi(thread.stack)]
        if not in_mpi and rank in asking:  # just between two questions
            in_mpi = [threads[0]]
        if not in_mpi or any(_works(thread.stack) for thread in in_mpi):
            return None
        # Any thread may call MPI, and so make a rank go on: the others must be waiting as well.
        others = [thread for thread in threads if thread not in in_mpi] if rank in multiple else []
        if any(stacks.has_user_frames(other.stack) and not _waits_in_lock(pids[rank], other.tid) for other in others):
            return None
        found[rank] = in_mpi[0].stack
    return found if found.keys() == pids.keys() else None


def _works(stack: Stack) -> bool:
    """Whether a rank does something inside its MPI call: moves data, or runs the user's own reduction."""
    inner = stacks.inside_mpi(stack)
    return stacks.has_user_frames(inner) or any(
        _WORKS.match(frame.function) or _WORKS_IN.match(frame.library) for frame in inner
    )


def _same_question(first: Stack, second: Stack) -> Stack | None:
    """Return where a rank asks, when two looks found it in one function, and at least one in the question itself."""
    places = {stack: Place.of(stack) for stack in (first, second)}
    asks = [stack for stack, place in places.items() if place.in_mpi or _SLEEPS.match(place.call)]
    return asks[-1] if asks and len({place.function for place in places.values()}) == 1 else None


def _shown(where: Mapping[int, Stack]) -> dict[int, Stack]:
    return {rank: stacks.shown(stack) for rank, stack in where.items()}


def _only_asks(before: Calls, after: Calls, seconds: float) -> bool:
    """Whether all that a rank did meanwhile was to ask MPI, very often, without ever looking at the clock."""
    begun, asked = after.begun - before.begun, after.asked - before.asked
    inside = (after.inside_ns - before.inside_ns) / 1e9
    quick = asked / seconds >= _POLLS and inside / seconds >= 0.5
    return quick and begun == asked and after.clock_reads == before.clock_reads


def _why(ranks: Mapping[int, Place], gone: list[int], asking: set[int]) -> str:
    groups: dict[tuple[Place, bool], list[int]] = {}
    for rank, place in ranks.items():
        groups.setdefault((place, rank in asking), []).append(rank)
    lines = []
    for (place, asks), members in sorted(groups.items(), key=lambda item: item[1]):
        name, one = stacks.name_ranks(members), len(members) == 1
        if asks:
            lines.append(f"{name} {'asks' if one else 'ask'} again and again, {place}, and nothing ever comes.")
        else:
            reason = next(text for pattern, text in _WHAT_FOR if re.match(f"MPI_(?:{pattern})", place.call))
            lines.append(f"{name} {'waits' if one else 'wait'} in {place}: {reason}.")
    if gone:
        lines.append(f"{stacks.name_ranks(gone)} {'has' if len(gone) == 1 else 'have'} left MPI or ended.")
    return "\n".join(lines)


def _why_threads(places: Mapping[int, Place]) -> str:
    if len(places) == 1:
        return f"the program waits in {places[0]}, and there is no other thread that could wake it."
    groups: dict[Place, list[int]] = {}
    for number, place in places.items():
        groups.setdefault(place, []).append(number)
    each = "; ".join(f"{stacks.name_ranks(members, what='thread')} in {place}" for place, members in groups.items())
    return f"all {len(places)} threads wait for each other: {each}."


# -- what the kernel says ---------------------------------------------------------------------------------------------


def _read(path: str) -> str:
    """Return a file of /proc, "" when the process has ended or may not be looked at."""
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


def _started(pid: int) -> int:
    """Return when a process began, or a little earlier, in nanoseconds of CLOCK_MONOTONIC; 0 when it has ended."""
    text = _read(f"/proc/{pid}/stat")
    if not text:
        return 0
    ticks = int(text[text.rfind(")") + 2 :].split()[19])
    asleep = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()  # /proc counts a machine's sleep too
    return int((ticks / os.sysconf("SC_CLK_TCK") - asleep - 0.05) * 1e9)


def _leaves(pid: int) -> list[int]:
    """Return the living processes at or below `pid` that have no living child."""
    family = {pid} | _reaper.descendants(pid)
    parents = {}
    for member in family:
        text = _read(f"/proc/{member}/stat")
        state, parent = text[text.rfind(")") + 2 :].split()[:2] if text else ("X", "0")
        if state not in "ZX":
            parents[member] = int(parent)
    return sorted(parents.keys() - set(parents.values()))


def _activity(pid: int) -> dict[str, str]:
    """Return, for each thread, how often it was given a core and gave it up: it ran if that has changed."""
    try:
        threads = [task.name for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:  # ended
        return {}
    return {
        thread: " ".join(re.findall(r"ctxt_switches:\s*(\d+)", _read(f"/proc/{pid}/task/{thread}/status")))
        for thread in threads
    }


def _waits_for_own_threads(pid: int) -> bool:
    """Whether every thread of a process waits, without a time limit, for what only this process can give.

    The kernel tells the system call of each thread: a futex (lock, condition, join, barrier, semaphore) without a
    timeout, or a read of a pipe that nobody else holds. A timer, or a handler for SIGALRM, could wake it.
    """
    threads = list(_activity(pid))
    caught = re.search(r"^SigCgt:\s*([0-9a-f]+)", _read(f"/proc/{pid}/status"), re.MULTILINE)
    if not threads or not caught or int(caught[1], 16) & _SIGALRM_BIT or _read(f"/proc/{pid}/timers"):
        return False
    return all(_waits_in_lock(pid, int(thread)) or _reads_own_pipe(pid, int(thread)) for thread in threads)


def _system_call(pid: int, tid: int) -> list[int]:
    """Return number and six arguments of the system call that a thread is in; [] when it runs."""
    words = _read(f"/proc/{pid}/task/{tid}/syscall").split()
    return [int(word, 0) for word in words[:7]] if len(words) > 6 else []


def _waits_in_lock(pid: int, tid: int) -> bool:
    futex, _ = _FUTEX_READ.get(os.uname().machine, (None, None))
    call = _system_call(pid, tid)
    if not call or call[0] != futex:
        return False
    _, address, operation, _, timeout, *_ = call
    if timeout or operation & 0x7F not in _FUTEX_WAITS:
        return False
    return bool(operation & _FUTEX_PRIVATE) or not _is_shared_memory(pid, address)  # pthread_join's is not private


def _is_shared_memory(pid: int, address: int) -> bool:
    """Whether another process may have this address mapped as well."""
    for line in _read(f"/proc/{pid}/maps").splitlines():
        span, rights, *_ = line.split()
        low, high = (int(bound, 16) for bound in span.split("-"))
        if low <= address < high:
            return rights.endswith("s")
    return True


def _reads_own_pipe(pid: int, tid: int) -> bool:
    _, read = _FUTEX_READ.get(os.uname().machine, (None, None))
    call = _system_call(pid, tid)
    if not call or call[0] != read or call[1] <= 2:  # the standard streams are somebody else's
        return False
    pipe = _links(pid).get(call[1], "")
    if not pipe.startswith("pipe:"):
        return False
    others = {int(path.name) for path in Path("/proc").glob("[0-9]*")} - {pid}
    return not any(pipe in _links(other).values() for other in others)


def _links(pid: int) -> dict[int, str]:
    """Return descriptor -> what it is, for the open files of a process."""
    found = {}
    try:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            found[int(link.name)] = str(link.readlink())
    except OSError:  # another user's, or ended meanwhile
        pass
    return found
