"""Every MPI call of a run: when it began and ended, with whom it talked, how much it sent.

    trace = record(["./heat", "100"], ranks=4)
    trace.inside("wait")                 # seconds in calls that wait, for each rank
    for message in trace.messages():     # sends, with the receives that took them
        ...

`record` preloads pmpi/tracer.c into the program, which need not be compiled for that; what the tracer sees and what it
leaves out stands there. All ranks must be on one machine: only then do they have one clock.
`rankzero.draw.timeline` and `rankzero.draw.exchange` draw what is read here; `rankzero trace ./heat` prints it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import struct
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from rankzero import places, proc
from rankzero.mpi import preload, toolchain, watch
from rankzero.mpi.toolchain import Mpi

TRACER = places.ROOT / "pmpi" / "tracer.c"
LIMIT_VARIABLE = "RANKZERO_PMPI_LIMIT"
RECORDS = 100_000
"""Calls that are kept of each rank, unless `record` is told otherwise: 48 bytes each."""

_LETTERS = {
    "S": "send",
    "R": "receive",
    "X": "receive",
    "W": "wait",
    "C": "collective",
    "P": "one-sided",
    "G": "one-sided",
    "U": "one-sided",
    "F": "file",
    "L": "life",
}
KINDS = ("send", "receive", "wait", "collective", "one-sided", "file", "other", "life")
"""Kinds of calls. MPI_Sendrecv is a receive, MPI_Test and MPI_Probe are waits; life is MPI_Init and MPI_Finalize."""

_HEADER = struct.Struct("=8s 4i 2Q")
_ROW = struct.Struct("=31sc")
_RECORD = struct.Struct("=3Qq2iIH2c")
_WORLD = 1


@dataclass(frozen=True, slots=True)
class Call:
    """One MPI call of one rank, with times in seconds.

    peer: the destination, source, target or root as its rank in MPI_COMM_WORLD, None where there is none or it is not
    known. size: bytes that go out, or that came in; of a collective, what a rank gives or gets (to or from each, where
    there are several). communicator: 0 is MPI_COMM_WORLD, others are numbered as they were first used; None for none.
    returned: whether the call did; `end` is the end of the trace otherwise.
    """

    rank: int
    name: str
    kind: str
    begin: float
    end: float
    peer: int | None
    tag: int | None
    size: int
    communicator: int | None
    returned: bool = True


@dataclass(frozen=True, slots=True, order=True)
class Message:
    """A message between two ranks of MPI_COMM_WORLD, size in bytes.

    sent: when its send began; received: when its receive, or the wait for it, had returned; both in seconds.
    """

    sent: float
    received: float
    source: int
    destination: int
    tag: int
    communicator: int
    size: int


@dataclass(frozen=True, slots=True)
class _Part:
    """One end of a message, or bytes put ("P") or got ("G"); done is None when it is not known to have ended."""

    rank: int
    moves: str
    begin: float
    done: float | None
    peer: int
    tag: int
    communicator: int
    size: int


@dataclass(frozen=True)
class Trace:
    """What a run has called. Time 0 is when the last rank came back from MPI_Init; MPI_Init itself is before.

    calls: for each rank, its calls in the order in which they began. dropped: calls that were beyond the limit, of all
    ranks together; whatever is counted below is then counted without them. result: how the program ended.
    """

    calls: tuple[tuple[Call, ...], ...]
    dropped: int = 0
    result: proc.Result | None = None
    _parts: tuple[tuple[_Part, ...], ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        calls = sum(map(len, self.calls))
        return f"<trace of {self.ranks} ranks: {calls} calls, {len(self.messages())} messages>"

    @property
    def ranks(self) -> int:
        """Ranks of MPI_COMM_WORLD."""
        return len(self.calls)

    @property
    def end(self) -> float:
        """When the last call ended, in seconds, MPI_Finalize left out; 0 when there was none."""
        return max((call.end for call in self._all() if call.kind != "life"), default=0.0)

    def messages(self) -> list[Message]:
        """Return the messages that were received, in the order in which they were sent.

        The k-th send from a rank to another with a communicator and tag belongs to the k-th receive of such a message,
        in the order in which the receives were posted: MPI does not let messages overtake each other. A receive with a
        wildcard counts with the source and tag that its status told.
        """
        return sorted(message for message in self._matched() if message.received < math.inf)

    def unreceived(self) -> list[Message]:
        """Return the messages that were sent and not known to be received; their `received` is infinite."""
        return sorted(message for message in self._matched() if message.received == math.inf)

    def traffic(self, what: str = "bytes") -> list[list[int]]:
        """Return a matrix, a row for each source and a column for each destination: "bytes" or "messages" sent.

        What a rank puts into another's window is sent to it, what it gets from there was sent by the other.
        Collectives are not in it: which messages they are made of is the library's business. Raises ValueError when
        `what` is neither.
        """
        if what not in ("bytes", "messages"):
            raise ValueError(f'what={what!r}: "bytes" or "messages"')
        matrix = [[0] * self.ranks for _ in range(self.ranks)]
        for part in self._all_parts():
            if part.moves != "R":
                source, destination = (part.peer, part.rank) if part.moves == "G" else (part.rank, part.peer)
                matrix[source][destination] += part.size if what == "bytes" else 1
        return matrix

    def inside(self, *kinds: str) -> list[float]:
        """Return the seconds that each rank spent in calls of some kinds; in all but MPI_Init and MPI_Finalize if none.

        Calls of several threads of a rank are added up.
        """
        wanted = kinds or tuple(kind for kind in KINDS if kind != "life")
        return [math.fsum(call.end - call.begin for call in mine if call.kind in wanted) for mine in self.calls]

    def kinds(self) -> list[str]:
        """Return which of KINDS there are in the trace, in that order, without "life"."""
        there = {call.kind for call in self._all()}
        return [kind for kind in KINDS if kind in there and kind != "life"]

    def perfetto(self) -> dict[str, Any]:
        """Return the trace in the JSON of Chrome's trace viewer, which ui.perfetto.dev reads: a track for each rank."""
        events: list[dict[str, Any]] = []
        for rank in range(self.ranks):
            name = {"name": f"rank {rank}"}
            events.append({"ph": "M", "name": "thread_name", "pid": 0, "tid": rank, "args": name})
        for call in self._all():
            args = {"peer": call.peer, "tag": call.tag, "bytes": call.size, "communicator": call.communicator}
            known = {key: value for key, value in args.items() if value is not None}
            where = {"pid": 0, "tid": call.rank, "ts": call.begin * 1e6, "dur": (call.end - call.begin) * 1e6}
            events.append({"ph": "X", "name": call.name, "cat": call.kind, **where, "args": known})
        for number, message in enumerate(self.messages()):
            both = {"name": "message", "cat": "message", "id": number, "pid": 0}
            events.append({"ph": "s", **both, "tid": message.source, "ts": message.sent * 1e6})
            events.append({"ph": "f", "bp": "e", **both, "tid": message.destination, "ts": message.received * 1e6})
        return {"traceEvents": events, "displayTimeUnit": "ns"}

    def table(self) -> str:
        """Return a line for each rank: calls, seconds inside MPI, bytes and messages sent to other ranks or itself."""
        lines = [f"{'rank':>4} {'calls':>8} {'in MPI (s)':>12} {'sent (bytes)':>14} {'messages':>9}"]
        seconds, sizes, counts = self.inside(), self.traffic(), self.traffic("messages")
        for rank, calls in enumerate(self.calls):
            sent = f"{sum(sizes[rank]):>14} {sum(counts[rank]):>9}"
            lines.append(f"{rank:>4} {len(calls):>8} {seconds[rank]:>12.6f} {sent}")
        if self.dropped:
            lines.append(f"{self.dropped} more calls were beyond the limit and are not counted here")
        return "\n".join(lines)

    def _all(self) -> Iterator[Call]:
        return (call for mine in self.calls for call in mine)

    def _all_parts(self) -> Iterator[_Part]:
        return (part for mine in self._parts for part in mine)

    def _matched(self) -> Iterator[Message]:
        for sent, received in self._pairs():
            when = received.done if received and received.done is not None else math.inf
            yield Message(sent.begin, when, sent.rank, sent.peer, sent.tag, sent.communicator, sent.size)

    def _pairs(self) -> Iterator[tuple[_Part, _Part | None]]:
        """Yield each send with the receive that took, or would take, its message."""
        ends: dict[tuple[int, int, int, int], tuple[list[_Part], list[_Part]]] = defaultdict(lambda: ([], []))
        for part in self._all_parts():
            if part.moves == "S":
                ends[part.rank, part.peer, part.communicator, part.tag][0].append(part)
            elif part.moves == "R":
                ends[part.peer, part.rank, part.communicator, part.tag][1].append(part)
        for sends, receives in ends.values():
            for sent, received in zip_longest(sends, receives):
                if sent:  # a receive without its send: the send was beyond the limit
                    yield sent, received


class TracedProgramError(proc.CommandFailedError):
    """A traced program did not end with 0. `result` says how it ended, `trace` holds what it called until then."""

    def __init__(self, result: proc.Result, trace: Trace) -> None:
        super().__init__(result)
        self.trace = trace


def environment(
    folder: str | os.PathLike[str], mpi: Mpi, base: Mapping[str, str] = os.environ, records: int = RECORDS
) -> dict[str, str]:
    """Return the variables with which ranks of a program of that MPI write their traces into a folder.

    They are added to `base`'s own. The folder's path may hold neither a space nor a colon.
    Raises proc.ProcError or its CommandFailedError when the tracer cannot be compiled.
    """
    tracer = str(preload.into(Path(folder), TRACER, mpi.mpicc))
    return {
        "LD_PRELOAD": " ".join(filter(None, [tracer, base.get("LD_PRELOAD")])),
        watch.FOLDER_VARIABLE: os.fspath(folder),
        LIMIT_VARIABLE: str(records),
        # The address sanitizer wants to be the first library of all, which a preloaded one is.
        "ASAN_OPTIONS": ":".join(filter(None, [base.get("ASAN_OPTIONS"), "verify_asan_link_order=0"])),
    }


def record(
    argv: Sequence[str | os.PathLike[str]],
    mpi: Mpi | None = None,
    ranks: int = 4,
    *,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
    limits: proc.Limits = proc.Limits(),
    records: int = RECORDS,
    check: bool = True,
) -> Trace:
    """Run a program on some ranks of this machine and return what it called. Nothing of it is left behind.

    argv is the program, without `mpirun`. mpi: the one it was compiled for; the course's own by default. env: variables
    on top of this process's. records: calls that are kept of each rank, the first ones.
    Raises TracedProgramError, which holds the trace, when the program does not end with 0 within its limits; with
    check=False that trace is returned, and its `result` says how it ended. Raises proc.ProcError when there is no MPI,
    or no rank of it has called MPI_Init.
    """
    mpi = mpi or toolchain.course()
    if mpi is None:
        raise proc.ProcError(
            "no MPI to run it with: mpicc and mpirun are missing, or not of one MPI (`rankzero doctor`)"
        )
    with proc.Supervisor() as owner:  # of the folder, which is gone at the end whatever happens
        folder, shm = owner.run_dir.path / "trace", str(owner.run_dir.shm)
        folder.mkdir()
        all_of_it = os.environ | toolchain.environment()
        all_of_it |= {
            "TMPDIR": str(folder),
            "OMPI_MCA_btl": "self,vader" if mpi.major < 5 else "self,sm",  # one machine
            "OMPI_MCA_btl_vader_backing_directory": shm,
            "OMPI_MCA_btl_sm_backing_directory": shm,
        }
        if ranks > len(os.sched_getaffinity(0)):
            all_of_it["OMPI_MCA_mpi_yield_when_idle"] = "1"  # who waits leaves the cores to those that compute
        all_of_it |= env or {}
        all_of_it |= environment(folder, mpi, all_of_it, records)
        command = [mpi.mpirun, "-n", str(ranks), *argv]
        result = proc.run(command, cwd=cwd, env=all_of_it, limits=limits)
        trace = read(folder, result, time.monotonic_ns())
    if check and not result.ok:
        raise TracedProgramError(result, trace)
    if result.ok and not any(trace.calls):
        raise proc.ProcError(
            f"{os.fspath(argv[0])}: no rank has called MPI_Init of {mpi.name}. Is it a program of that MPI?"
        )
    return trace


def read(folder: Path, result: proc.Result | None = None, until: int = 0) -> Trace:
    """Return the trace that the ranks of one run have written into a folder; without calls when there is none.

    until: when the run ended, in nanoseconds of CLOCK_MONOTONIC: what never returned goes on to then.
    Ranks that MPI_Comm_spawn started are left out. A file that is being written may be read as well.
    """
    files = {}
    dropped = size = 0
    for path in [*folder.glob("trace.*"), *folder.glob("tracing.*")]:
        data = path.read_bytes()
        if data.startswith(b"RZTRACE1"):
            _, rows, _, rank, world, limit, count = _HEADER.unpack_from(data)
            files[rank] = (data, rows, min(count, limit))
            dropped += max(0, count - limit)
            size = max(size, world, rank + 1)
    raw = {rank: list(_records(*file)) for rank, file in files.items()}
    ready = [one[2][1] for mine in raw.values() for one in mine if one[0].startswith("MPI_Init") and one[2][1]]
    zero = max(ready, default=0)
    last = max((max(one[2][:3]) for mine in raw.values() for one in mine), default=0)
    last = max(last, until)
    numbers = {_WORLD: 0}
    for _, _, one in sorted((one for mine in raw.values() for one in mine), key=lambda one: one[2][0]):
        if one[6]:
            numbers.setdefault(one[6], len(numbers))
    calls: list[tuple[Call, ...]] = []
    parts: list[tuple[_Part, ...]] = []
    for rank in range(size):
        mine = raw.get(rank, [])
        calls.append(tuple(_call(rank, *one, zero, last, numbers) for one in mine if one[2][9] == b"\1"))
        parts.append(tuple(_part(rank, one, zero, numbers) for *_, one in mine if _is_part(one, size)))
    return Trace(tuple(calls), dropped, result, tuple(parts))


def _records(data: bytes, rows: int, count: int) -> Iterator[tuple[str, str, tuple[Any, ...]]]:
    """Yield (name, kind, record) of each call and each further message, in the order in which they began."""
    names = [
        (name.rstrip(b"\0").decode(), _LETTERS.get(kind.decode(), "other"))
        for name, kind in _ROW.iter_unpack(data[_HEADER.size : _HEADER.size + rows * _ROW.size])
    ]
    start = _HEADER.size + rows * _ROW.size
    for one in _RECORD.iter_unpack(data[start : start + count * _RECORD.size]):
        if one[0]:  # else it was about to begin when the rank was killed
            yield (*names[one[7]], one)


def _call(
    rank: int, name: str, kind: str, one: tuple[Any, ...], zero: int, last: int, numbers: Mapping[int, int]
) -> Call:
    begin, end, _, size, peer, tag, comm, *_ = one
    return Call(
        rank=rank,
        name=name,
        kind=kind,
        begin=(begin - zero) * 1e-9,
        end=((end or last) - zero) * 1e-9,
        peer=peer if peer >= 0 else None,
        tag=tag if tag >= 0 else None,
        size=size,
        communicator=numbers.get(comm),
        returned=end > 0,
    )


def _is_part(one: tuple[Any, ...], size: int) -> bool:
    """Whether a record is of something that moves; a receive that has not said from whom is of nothing yet."""
    return one[8] != b"\0" and 0 <= one[4] < size and (one[5] >= 0 or one[8] in b"PG")


def _part(rank: int, one: tuple[Any, ...], zero: int, numbers: Mapping[int, int]) -> _Part:
    begin, _, done, size, peer, tag, comm, _, moves, _ = one
    when = (done - zero) * 1e-9 if done else None
    return _Part(rank, moves.decode(), (begin - zero) * 1e-9, when, peer, tag, numbers.get(comm, 0), size)


# -- rankzero trace -------------------------------------------------------------------------------------------------

_NAMES = {"openmpi": "Open MPI", "mpich": "MPICH"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rankzero trace`."""
    parser.add_argument("-n", type=int, default=4, metavar="RANKS", help="how many ranks (default 4)")
    parser.add_argument(
        "--mpi", choices=_NAMES, help="the MPI that the program was compiled for (default: that of mpicc)"
    )
    parser.add_argument("--perfetto", metavar="FILE", help="write all calls as JSON, to be opened at ui.perfetto.dev")
    parser.add_argument(
        "--limit", type=float, default=600, metavar="SECONDS", help="stop the program then (default 600)"
    )
    parser.add_argument("program", nargs=argparse.REMAINDER, help="the program and its arguments, without mpirun")


def main(args: argparse.Namespace) -> int:
    """Run a program, print what it printed and a line for each rank; return the program's exit code."""
    if not args.program:
        print("rankzero trace: which program?", file=sys.stderr)
        return 2
    mpi = toolchain.find(_NAMES[args.mpi]) if args.mpi else toolchain.course()
    if args.mpi and mpi is None:
        raise proc.ProcError(f"there is no {_NAMES[args.mpi]} here (`rankzero doctor` says what brings it)")
    trace = record(args.program, mpi, args.n, limits=proc.Limits(wall=args.limit), check=False)
    result = trace.result
    assert result is not None
    print(result.stdout, end="")
    print(result.stderr, end="", file=sys.stderr)
    print(trace.table())
    if args.perfetto:
        Path(args.perfetto).write_text(json.dumps(trace.perfetto()), encoding="utf-8")
    if not result.ok:
        print(f"rankzero trace: {result.describe()}", file=sys.stderr)
    return result.returncode if result.returncode > 0 else int(not result.ok)
