"""Run programs with limits, and leave nothing behind. Nothing else in the package starts a process.

`run` is for a program that ends by itself; `Supervisor` is for several that live together, such as the
controller and the ranks of a set of engines. Both put a small process of their own (`_reaper.py`)
between the caller and what is started; see there for what it guarantees.

Standard library only: set-up imports this before anything is installed.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rankzero import _reaper, places

_REAPER = Path(__file__).with_name("_reaper.py")


class ProcError(RuntimeError):
    """A program could not be started, or the reaper is gone. The message says which and why."""


class CommandFailedError(ProcError):
    """`run(..., check=True)` saw a command that did not end with 0. `result` holds what is known."""

    def __init__(self, result: Result) -> None:
        super().__init__(f"{result.describe()}\n    {result.command}\n{result.tail()}".rstrip())
        self.result = result


@dataclass(frozen=True)
class Limits:
    """What a program may use. None: no limit but the machine's.

    wall and cpu in seconds (cpu is per process); memory in bytes of address space per process; file_size in bytes per
    file written; output in bytes kept of each stream. `totals` are limits for the program with all that it started,
    by name: "processes", "memory" (resident bytes that are not shared), "output" (bytes of a stream), "disk" (bytes
    in the sandbox); what goes beyond one is killed within 0.5 s or so, and `Result.killed_for` names it.
    """

    wall: float | None = 60.0
    cpu: int | None = None
    memory: int | None = None
    file_size: int | None = None
    output: int = 1 << 20
    totals: Mapping[str, int] = field(default_factory=dict)

    def rlimits(self) -> dict[str, int]:
        """Return the limits that the kernel keeps, by their names in `resource`."""
        named = {
            "RLIMIT_CPU": self.cpu,
            "RLIMIT_AS": self.memory,
            "RLIMIT_FSIZE": self.file_size,
        }
        return {"RLIMIT_CORE": 0} | {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True)
class Result:
    """How a program ended. wall and cpu in seconds, max_rss in bytes; a negative returncode is a signal."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    wall: float
    cpu: float
    max_rss: int
    timed_out: bool
    truncated: bool = field(default=False)

    @property
    def ok(self) -> bool:
        """Whether the program ended by itself with 0."""
        return self.returncode == 0 and not self.timed_out

    @property
    def command(self) -> str:
        """The command as one would type it."""
        return shlex.join(self.argv)

    def describe(self) -> str:
        """Return one sentence on how it ended."""
        name = Path(self.argv[0]).name
        if self.timed_out:
            return f"{name} did not end within {self.wall:.0f} s and was killed"
        if self.returncode < 0:
            return f"{name} was killed by {signal.Signals(-self.returncode).name}"
        return f"{name} ended with exit code {self.returncode}"

    def tail(self, lines: int = 20) -> str:
        """Return the last lines of what it said: stderr if there is any, else stdout."""
        return "\n".join((self.stderr.strip() or self.stdout.strip()).splitlines()[-lines:])


class Supervisor:
    """Starts named programs and owns them: when it is closed or its caller dies, all of them end.

    `run_dir` is a private directory for sockets and logs, gone at the end as well, and so are the folders in
    `also_remove`. Use it as a context manager.
    """

    def __init__(self, also_remove: Sequence[str | os.PathLike[str]] = ()) -> None:
        self.run_dir = places.new_run_dir()
        self.ended: dict[str, dict[str, Any]] = {}
        self.pids: dict[str, int] = {}
        self._buffer = b""
        self._socket, theirs = socket.socketpair()
        with theirs, (self.run_dir.path / "reaper.log").open("wb") as log:
            lock = self.run_dir.lock
            argv = [sys.executable, "-I", "-S", str(_REAPER), str(os.getpid()), str(theirs.fileno()), str(lock)]
            self._process = subprocess.Popen(
                [*argv, str(self.run_dir.path), str(self.run_dir.shm), *map(os.fspath, also_remove)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                pass_fds=(theirs.fileno(), lock),
                start_new_session=True,
                cwd="/",
            )
        os.close(self.run_dir.lock)

    @property
    def pid(self) -> int:
        """The reaper's pid."""
        return self._process.pid

    def start(
        self,
        name: str,
        argv: Sequence[str | os.PathLike[str]],
        *,
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | os.PathLike[str] = os.devnull,
        stdout: str | os.PathLike[str] = os.devnull,
        stderr: str | os.PathLike[str] | None = None,
        limits: Limits = Limits(wall=None),
        folders: Sequence[str] = (),
        contained: bool = False,
        deathsig: int = signal.SIGKILL,
    ) -> int:
        """Start a program in a session of its own and return its pid.

        Streams are files, appended to; stderr goes where stdout goes unless named. `folders` are those in which the
        total "disk" is counted. contained: the program is one whose end is the end of all that it started. deathsig
        is what it gets when the reaper itself is killed. Raises ProcError when it cannot be started.
        """
        words = [os.fspath(word) for word in argv]
        self.ended.pop(name, None)
        self._ask(
            do="start",
            name=name,
            argv=words,
            cwd=os.fspath(cwd or Path.cwd()),
            env=dict(os.environ if env is None else env),
            stdin=os.fspath(stdin),
            stdout=os.fspath(stdout),
            stderr=os.fspath(stdout if stderr is None else stderr),
            limits=limits.rlimits(),
            wall=limits.wall,
            totals=dict(limits.totals),
            folders=list(folders),
            contained=contained,
            deathsig=int(deathsig),
        )
        event = self._wait_for({"started", "failed"}, name, timeout=30)
        if event["event"] == "failed":
            if event["errno"] == errno.ENOENT:
                raise ProcError(f"{words[0]}: no such program on this machine (`rankzero doctor` says what brings it)")
            raise ProcError(f"{words[0]} could not be started: {event['reason']}")
        self.pids[name] = event["pid"]
        return int(event["pid"])

    def wait(self, name: str, timeout: float | None = None) -> dict[str, Any] | None:
        """Wait until a program has ended; return its end, or None when the time is up first."""
        if name in self.ended:
            return self.ended[name]
        try:
            return self._wait_for({"exited"}, name, timeout)
        except TimeoutError:
            return None

    def signal(self, name: str, number: int) -> None:
        """Send a signal to a program's process group."""
        self._ask(do="signal", name=name, number=int(number))

    def end(self, name: str, timeout: float = 10) -> None:
        """Kill a program with all that it started, and wait for it."""
        if name in self.pids and name not in self.ended:
            self._ask(do="end", name=name)
            self.wait(name, timeout)

    def alive(self) -> bool:
        """Whether the reaper is there."""
        return self._process.poll() is None

    def close(self) -> None:
        """End everything and remove the run directory. Returns when it is done."""
        if self._socket.fileno() < 0:
            return
        try:
            self._ask(do="stop")
            self._wait_for({"stopped"}, None, timeout=20)
        except (ProcError, TimeoutError):
            self._process.kill()
        self._process.wait()
        self._socket.close()
        places.sweep_run_dirs()

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, **request: Any) -> None:
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as err:
            raise ProcError("the supervising process is gone: what it started has been ended") from err

    def _wait_for(self, events: set[str], name: str | None, timeout: float | None) -> dict[str, Any]:
        """Read answers until one of `events` about `name` comes; keep the ends of others."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            while b"\n" in self._buffer:
                line, self._buffer = self._buffer.split(b"\n", 1)
                event: dict[str, Any] = json.loads(line)
                if event["event"] == "exited":
                    self.ended[event["name"]] = event
                if event["event"] in events and event.get("name") == name:
                    return event
            self._socket.settimeout(None if deadline is None else max(0.001, deadline - time.monotonic()))
            try:
                data = self._socket.recv(1 << 16)
            except TimeoutError:
                raise
            except OSError as err:
                raise ProcError("the supervising process is gone: what it started has been ended") from err
            if not data:
                raise ProcError("the supervising process is gone: what it started has been ended")
            self._buffer += data


def run(
    argv: Sequence[str | os.PathLike[str]],
    *,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
    limits: Limits = Limits(),
    check: bool = False,
) -> Result:
    """Run a program to its end, or to its limits, and leave nothing of it behind.

    Output beyond `limits.output` bytes a stream is cut in the middle. An interrupt (Ctrl-C) ends the program and is
    raised again. Raises ProcError when it cannot be started and, with check, CommandFailedError when it does not end
    with 0.
    """
    with Supervisor() as supervisor:
        out, err = (supervisor.run_dir.path / stream for stream in ("stdout", "stderr"))
        supervisor.start("main", argv, cwd=cwd, env=env, stdout=out, stderr=err, limits=limits)
        end = supervisor.wait("main")
        if end is None:  # cannot be: we waited without a limit, and the reaper keeps limits.wall
            raise ProcError("the end of the program was not reported")
        stdout, cut_out = read(out, limits.output)
        stderr, cut_err = read(err, limits.output)
    result = Result(
        argv=tuple(os.fspath(word) for word in argv),
        returncode=end["returncode"],
        stdout=stdout,
        stderr=stderr,
        wall=end["wall"],
        cpu=end["cpu"],
        max_rss=end["max_rss"],
        timed_out=end["timed_out"],
        truncated=cut_out or cut_err,
    )
    if check and not result.ok:
        raise CommandFailedError(result)
    return result


def stream(
    argv: Sequence[str | os.PathLike[str]],
    *,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
    log: str | os.PathLike[str] | None = None,
    patience: float = 10.0,
) -> int:
    """Run a program on this terminal, so that a person sees its progress and can answer it; return its exit code.

    With `log` its output goes to that file instead, appended. An interrupt (Ctrl-C, or a signal that the caller turns
    into an exception) is passed on; what has not ended `patience` seconds later is killed with its descendants. When
    the caller is killed, the program gets SIGTERM. Raises ProcError when it cannot be started.
    """
    words = [os.fspath(word) for word in argv]
    with contextlib.ExitStack() as files:
        output = files.enter_context(Path(log).open("ab")) if log else None
        process = None
        try:
            with _signals_held_back():
                try:
                    process = subprocess.Popen(
                        words,
                        cwd=cwd,
                        env=None if env is None else dict(env),
                        stdin=subprocess.DEVNULL if log else None,
                        stdout=output,
                        stderr=subprocess.STDOUT if log else None,
                        preexec_fn=lambda: _reaper.LIBC.prctl(_reaper.PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0),
                    )
                except OSError as err:
                    raise ProcError(f"{words[0]} could not be started: {err.strerror}") from err
            return process.wait()
        except BaseException:
            if process is not None:
                _end(process, patience)
            raise


@contextlib.contextmanager
def _signals_held_back() -> Iterator[None]:
    """Keep what Python code handles until the block is over: nobody could end a program that is half started."""
    came: list[int] = []
    theirs = {}
    if threading.current_thread() is threading.main_thread():  # Python runs handlers in no other
        theirs = {number: handler for number in signal.valid_signals() if callable(handler := signal.getsignal(number))}
    for number in theirs:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in theirs.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)


def _end(process: subprocess.Popen[bytes], patience: float) -> None:
    """Interrupt a program; kill it with its descendants when it does not end in time, or at a second Ctrl-C."""
    _reaper.send(process.pid, signal.SIGINT)
    try:
        process.wait(patience)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        for pid in (*_reaper.descendants(process.pid), process.pid):
            _reaper.send(pid, signal.SIGKILL)
        process.wait()


def read(path: Path, limit: int) -> tuple[str, bool]:
    """Return a file's text, and whether its middle was left out to keep within `limit` bytes."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= limit:
            return file.read().decode(errors="replace"), False
        head = file.read(limit // 2)
        file.seek(size - limit // 2)
        tail = file.read()
    cut = f"\n[… {size - len(head) - len(tail)} bytes left out …]\n"
    return head.decode(errors="replace") + cut + tail.decode(errors="replace"), True
