"""Run a program that nobody has vouched for: shut in, under limits, and with a name for every way in which it can end.

A `Sandbox` is a private folder in which programs run, one after the other. Where the machine allows it (user
namespaces; `isolation` says), each has its own process ids, network and view of the files: it can write in the folder,
in a /tmp and a /dev/shm of its own, and nowhere else. Where not, it is held by a process group and a subreaper, which
leave no process behind either, and HOME and TMPDIR point into the sandbox.
"""

from __future__ import annotations

import errno
import functools
import json
import math
import os
import re
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rankzero import _inside, _reaper, places, proc

_INSIDE = Path(_inside.__file__)
_LAUNCHERS = re.compile(r"(mpirun|mpiexec|orted|orterun|prte|hydra_)")
_TERM_BIT = 1 << (signal.SIGTERM - 1)
_POLITE = 0.4
"""Seconds that a program has to end after SIGTERM, as after a scheduler's."""

MB = 1000 * 1000
LIMITS = proc.Limits(
    wall=10.0,
    memory=8000 * MB,
    file_size=300 * MB,
    output=64 * 1024,
    totals={"processes": 128, "memory": 3000 * MB, "output": 8 * MB, "disk": 400 * MB},
)
"""What an exercise may use unless it says otherwise."""


class Watcher(Protocol):
    """Looks at a program while it runs: `rankzero.mpi.watch.Watch`."""

    def look(self, left: float) -> Any | None:
        """Return what keeps the program from ever ending, None while it may. Called about ten times a second.

        left: seconds until the program is ended anyway; a look should not take longer.
        """

    def where(self) -> str:
        """Return where the program stands now, as text."""


@dataclass(frozen=True)
class Ending:
    """How a program ended.

    ended_by: "" by itself (returncode tells how; negative: a signal), "hang", "wall", or the name of the total that it
    went beyond: "processes", "memory", "output", "disk". hang: what the watcher saw. where: where it stood when its
    time was up. stayed: command lines of what outlived it. ignores_sigterm: it did not end when told to.
    wall and cpu in seconds, max_rss in bytes.
    """

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    wall: float
    cpu: float
    max_rss: int
    ended_by: str = ""
    hang: Any = None
    where: str = ""
    stayed: tuple[str, ...] = ()
    ignores_sigterm: bool = False

    @property
    def ok(self) -> bool:
        """Whether it ended by itself with 0 and left nothing running."""
        return self.returncode == 0 and not self.ended_by and not self.stayed

    @property
    def command(self) -> str:
        """The command as one would type it."""
        return shlex.join(self.argv)

    @property
    def output(self) -> str:
        """Both streams, stdout first."""
        return "\n".join(text.rstrip() for text in (self.stdout, self.stderr) if text.strip())


@functools.cache
def isolation() -> str:
    """Return why programs cannot be shut in here; empty when they can be."""
    try:
        with Sandbox(isolate=True) as probe:
            probe.run(["/bin/sh", "-c", ":"], limits=proc.Limits(wall=10))
    except proc.ProcError as err:
        return str(err)
    return ""


class Sandbox:
    """A private folder in which programs run. Use it as a context manager: nothing is left afterwards.

    folder: where they run, and what they may change. private: their /tmp, as the caller sees it. isolate: None, the
    default, shuts in where the machine allows it.
    """

    def __init__(self, *, isolate: bool | None = None) -> None:
        self.isolated = not isolation() if isolate is None else isolate
        self._supervisor = proc.Supervisor()
        self._count = 0
        root = self._supervisor.run_dir.path
        self.folder, self.private, self._shm = root / "work", root / "tmp", self._supervisor.run_dir.shm
        self.folder.mkdir()
        (self.private / "home").mkdir(parents=True)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self._supervisor.close()

    def environment(self) -> dict[str, str]:
        """Return the environment of a program: the caller's, but its own home, temporary files and language."""
        tmp = "/tmp" if self.isolated else str(self.private)
        own = {"HOME": f"{tmp}/home", "TMPDIR": tmp, "RANKZERO_HOME": f"{tmp}/home", "PYTHONDONTWRITEBYTECODE": "1"}
        own |= {"LC_ALL": "C.UTF-8"}  # messages in the language that checks look for
        drop = ("PYTHONPATH", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "LD_PRELOAD", "LD_LIBRARY_PATH")
        return {name: value for name, value in os.environ.items() if name not in drop} | own

    def run(
        self,
        argv: Sequence[str | os.PathLike[str]],
        *,
        cwd: str | os.PathLike[str] = ".",
        env: Mapping[str, str] | None = None,
        stdin: str | os.PathLike[str] = os.devnull,
        limits: proc.Limits = LIMITS,
        watcher: type[Watcher] | Any = None,
    ) -> Ending:
        """Run a program to its end, or until it is ended; cwd is relative to the folder.

        watcher: makes, from the pid of the program's ancestor, what looks at it meanwhile. Raises proc.ProcError when
        the program cannot be started.
        """
        words = [os.fspath(word) for word in argv]
        self._count += 1
        name = f"program {self._count}"
        run_dir = self._supervisor.run_dir.path
        report, out, err = (run_dir / f"{kind}.{self._count}" for kind in ("report", "out", "err"))
        folders = [str(self.folder), str(self.private), str(self._shm)]
        where = (self.folder / cwd).resolve()
        spec = {
            "report": str(report),
            "cwd": str(where),
            "writable": folders[:1],
            "tmp": folders[1],
            "shm": folders[2],
            "keep": [str(places.ROOT), sys.prefix, sys.base_prefix],
            "isolate": self.isolated,
        }
        env = self.environment() if env is None else env
        wall = limits.wall
        backstop = proc.Limits(None if wall is None else wall + 15, limits.cpu, limits.memory, limits.file_size)
        backstop = proc.Limits(**{**vars(backstop), "totals": limits.totals})
        pid = self._supervisor.start(
            name,
            [sys.executable, "-I", "-S", _INSIDE, json.dumps(spec), *words],
            cwd=where,
            env=env,
            stdin=stdin,
            stdout=out,
            stderr=err,
            limits=backstop,
            folders=folders,
            contained=self.isolated,
        )
        began = time.monotonic()
        looker: Watcher | None = watcher(pid) if watcher else None
        ended_by, hang, stood, stubborn = "", None, "", False
        while (end := self._supervisor.wait(name, 0.05)) is None:
            left = math.inf if wall is None else began + wall - time.monotonic()
            if looker and (hang := looker.look(left)):
                ended_by = "hang"
            elif left < 0:
                ended_by = "wall"
                stood = looker.where() if looker else ""
            if ended_by:
                stubborn = self._ask_to_end(name, pid)
                self._supervisor.end(name)
                end = self._supervisor.ended[name]
                break
        said = json.loads(report.read_text() or "{}") if report.exists() else {}
        if "failed" in said:
            number, _, reason = said["failed"].partition(" ")
            absent = number == str(errno.ENOENT)
            if "/" not in words[0] and shutil.which(words[0], path=env.get("PATH")) is None:
                # The kernel says "permission denied" where a folder on PATH is closed to us.
                absent, reason = True, os.strerror(errno.ENOENT)
            missing = " (`rankzero doctor` says what brings it)" if absent else ""
            raise proc.ProcError(f"{words[0]} could not be started: {reason}{missing}")
        return Ending(
            argv=tuple(words),
            returncode=said.get("returncode", end["returncode"]),
            stdout=proc.read(out, limits.output)[0],
            stderr=proc.read(err, limits.output)[0],
            wall=time.monotonic() - began,
            cpu=said.get("cpu", end["cpu"]),
            max_rss=said.get("max_rss", end["max_rss"]),
            ended_by=ended_by or end["killed_for"],
            hang=hang,
            where=stood,
            stayed=tuple(said.get("stayed", ())),
            ignores_sigterm=stubborn,
        )

    def _ask_to_end(self, name: str, top: int) -> bool:
        """Send SIGTERM to a program; return whether a process that does something else with it is there afterwards."""
        pids = {pid for pid in _reaper.descendants(top) if str(_INSIDE) not in _command(pid)}
        for pid in pids:
            _reaper.send(pid, signal.SIGTERM)
        self._supervisor.wait(name, _POLITE)
        return any(_handles_sigterm(pid) and not _LAUNCHERS.search(_command(pid)) for pid in pids)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:  # ended
        return ""


def _handles_sigterm(pid: int) -> bool:
    """Whether a living process ignores SIGTERM or has a handler for it."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # ended
        return False
    masks = re.findall(r"^Sig(?:Ign|Cgt):\s*([0-9a-f]+)", status, re.M)
    return "\nState:\tZ" not in status and any(int(mask, 16) & _TERM_BIT for mask in masks)
