"""Ranks of one MPI_COMM_WORLD for a notebook: ipyparallel engines, started by mpirun, owned by one supervisor.

`start(4)` gives four ranks and `%%px` to run a cell on all of them. What ipyparallel leaves to its user is done here:

- engine i is rank i of a world that really has n ranks (a launcher of another MPI would make n worlds of one),
- output comes rank by rank, the same each time, so that it can be compared,
- a cell that hangs in MPI, which no interrupt can reach, ends with a message that says which rank stands where,
  and with new ranks,
- controller, mpirun and ranks end when the kernel does, however it ends (`rankzero.proc`),
- everything listens on 127.0.0.1, and messages are signed with a key that only this user can read.

On a real cluster the same ranks come from ipyparallel's Slurm launcher: see chapters/00_start_here.md.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipyparallel
from ipyparallel.client.magics import ParallelMagics, exec_args, output_args
from ipyparallel.error import RemoteError
from IPython.core.getipython import get_ipython
from IPython.core.magic_arguments import argument, magic_arguments

from rankzero import proc
from rankzero.mpi import preload, toolchain

_LOOPBACK = Path(__file__).with_name("loopback.c")
"""Preloaded, it keeps the launcher's sockets on loopback."""

_INTERRUPT_SECONDS = 1.0
"""How long ranks have to come back from an interrupt. Python code comes back at once, an MPI call never."""

_PREPARE = "__import__('rankzero.mpi._on_engine', fromlist=['prepare']).prepare({folder!r})"
"""Run on each engine at its start; it leaves no name behind in the reader's variables."""


class EnginesError(RuntimeError):
    """Ranks could not be had, or were lost. The message says why and what to do."""

    def _render_traceback_(self) -> list[str]:
        """Show the message alone: the frames are ours, not the reader's."""
        return [f"{type(self).__name__}: {self}"]


class RanksStuckError(EnginesError):
    """Some ranks did not come back from a cell and were replaced. `where` maps each such rank to where it stood."""

    def __init__(self, message: str, where: dict[int, str]) -> None:
        super().__init__(message)
        self.where = where


class Ranks:
    """n ranks of one MPI_COMM_WORLD. Made by `start`.

    view: ipyparallel's DirectView of all ranks, for `apply_sync`, `push`, `pull`. client: its Client.
    limit: seconds that a `%%px` cell may take before the ranks count as stuck; None, the default: until you interrupt.
    """

    def __init__(self, n: int, mpi: toolchain.Mpi) -> None:
        self.n = n
        self.mpi = mpi
        self.limit: float | None = None
        self._owner = os.getpid()
        self._supervisor: proc.Supervisor | None = None
        self._up()

    def __repr__(self) -> str:
        state = "" if self._supervisor else ", stopped"
        return f"<{self.n} ranks of one MPI_COMM_WORLD, {self.mpi.name}{state}>"

    def __len__(self) -> int:
        return self.n

    @property
    def running(self) -> bool:
        """Whether all ranks are there."""
        if self._supervisor is None:
            return False
        try:
            return self._supervisor.wait("ranks", timeout=0) is None
        except proc.ProcError:  # the supervisor itself was killed
            return False

    def stop(self) -> None:
        """End the ranks and all that belongs to them. Returns when nothing is left; a second call does nothing."""
        if self._supervisor is None or os.getpid() != self._owner:  # a forked child must not end its parent's ranks
            return
        supervisor, self._supervisor = self._supervisor, None
        self.client.close(linger=0)
        with contextlib.suppress(proc.ProcError):  # killed: closing sweeps up what it has left
            supervisor.end("ranks")
            supervisor.end("controller")
        supervisor.close()

    def restart(self) -> None:
        """Replace all ranks by new ones. Whatever was defined on them is gone."""
        self.stop()
        self._up()

    def _up(self) -> None:
        self._supervisor = supervisor = proc.Supervisor()
        try:
            self._launch(supervisor)
        except BaseException:  # an interrupt too: half a set of ranks is of no use to anyone
            self._supervisor = None
            supervisor.close()
            raise

    def _launch(self, supervisor: proc.Supervisor) -> None:
        folder = supervisor.run_dir.path
        shm = str(supervisor.run_dir.shm)
        (folder / "profile").mkdir()  # an engine that comes before the controller must find it
        profile = f"--profile-dir={folder / 'profile'}"
        env = os.environ | toolchain.environment()
        env |= {
            "IPYTHONDIR": str(folder / "ipython"),
            "TMPDIR": str(folder),  # the session directories of mpirun and its ranks
            "OMPI_MCA_btl": "self,vader" if self.mpi.major < 5 else "self,sm",  # one node: no TCP, no port
            "OMPI_MCA_btl_vader_backing_directory": shm,  # Open MPI 4; shared memory, gone with the run directory
            "OMPI_MCA_btl_sm_backing_directory": shm,  # Open MPI 5
            "LD_PRELOAD": " ".join(filter(None, [str(preload.into(folder, _LOOPBACK)), os.environ.get("LD_PRELOAD")])),
        }
        # Both at once: an engine waits for the file that says where the controller listens. The controller writes
        # that file in place, so the engines are shown a copy, there only once it is whole.
        controller = ["-m", "ipyparallel.controller", profile, "--ip=127.0.0.1", "--location=127.0.0.1", "--nodb"]
        controller += [
            "--HeartMonitor.period=200",
            "--HeartMonitor.max_heartmonitor_misses=100",
        ]  # ranks count from the first beat
        controller += ["--IPController.broadcast_scheduler_depth=0"]
        supervisor.start(
            "controller",
            [sys.executable, *controller],
            env=env,
            stdout=folder / "controller.log",
            deathsig=signal.SIGTERM,
        )
        for_engines = folder / "engines.json"
        startup = _PREPARE.format(folder=str(folder))
        engine = ["-m", "ipyparallel.engine", "--mpi", profile, f"--IPEngine.url_file={for_engines}"]
        engine += ["--IPEngine.wait_for_url_file=60", "--IPEngine.enable_nanny=False"]
        engine += [f"--IPEngine.startup_command={startup}"]
        supervisor.start(
            "ranks",
            [self.mpi.mpirun, "-n", str(self.n), sys.executable, *engine],
            env=env,
            stdout=folder / "ranks.log",
            deathsig=signal.SIGTERM,
        )
        written = folder / "profile" / "security"
        self._poll(lambda: _whole(written / "ipcontroller-engine.json"), "the controller did not start")
        self._poll(lambda: _whole(written / "ipcontroller-client.json"), "the controller did not start")
        partial = shutil.copy(written / "ipcontroller-engine.json", folder / "engines.partial")
        Path(partial).replace(for_engines)
        self.client = ipyparallel.Client(connection_info=str(written / "ipcontroller-client.json"), timeout=30)
        self._poll(lambda: len(self.client) == self.n, f"not all of {self.n} ranks came up")
        self.view = self.client[:]
        self.view.block = True
        worlds = sorted(json.loads(path.read_text()) for path in folder.glob("rank.*[0-9]"))
        self.pids = [pid for _, _, pid in worlds]
        if [(rank, size) for rank, size, _ in worlds] != [(i, self.n) for i in range(self.n)]:
            raise EnginesError(
                f"{self.mpi.mpirun} made engines with these (rank, size): {[w[:2] for w in worlds]}, not one world\n"
                f"of {self.n}: mpi4py and the launcher belong to different MPIs. `rankzero doctor` says which is which."
            )

    def _poll(self, ready: Callable[[], bool], failure: str, seconds: float = 60) -> None:
        """Wait for `ready`; raise EnginesError as soon as controller or ranks have ended, or the time is up."""
        supervisor = self._supervisor
        if supervisor is None:
            raise EnginesError(failure)
        deadline = time.monotonic() + seconds
        while not ready():
            for name in ("controller", "ranks"):
                if end := supervisor.wait(name, timeout=0.01):
                    log = (supervisor.run_dir.path / f"{name}.log").read_text(errors="replace").strip()
                    raise EnginesError(f"{failure}: {name} ended with code {end['returncode']}.\n{log[-2000:]}")
            if time.monotonic() > deadline:
                log = (supervisor.run_dir.path / "ranks.log").read_text(errors="replace").strip()
                raise EnginesError(f"{failure} within {seconds:.0f} s.\n{log[-2000:]}")

    # -- a cell that does not come back ---------------------------------------------------------

    def finish(self, result: Any, cell: str, limit: float | None = None) -> None:
        """Wait for a cell's result on all ranks.

        Raises RanksStuckError when ranks stand in MPI after `limit` seconds or an interrupt, EnginesError when a
        rank died; new ranks are there in either case. EnginesError too when an interrupt brought all ranks back.
        """
        limit = self.limit if limit is None else limit
        deadline = None if limit is None else time.monotonic() + limit
        try:
            while not result.wait(0.05):
                if not self.running:
                    self._replace_dead()
                if deadline and time.monotonic() > deadline:
                    self._free(result, cell, f"within {limit:g} s")
                    raise EnginesError(
                        f"not all ranks came back within {limit:g} s. They were interrupted and keep their variables."
                    )
        except KeyboardInterrupt:
            self._free(result, cell, "before your interrupt")
            raise EnginesError("you interrupted the cell. All ranks came back and keep their variables.") from None
        if not self.running:
            self._replace_dead()

    def _free(self, result: Any, cell: str, when: str) -> None:
        """Bring all ranks back to where they take orders: by an interrupt where that helps, else by new ranks."""
        stacks = self._stacks()
        for pid in self.pids:
            os.kill(pid, signal.SIGINT)
        result.wait(_INTERRUPT_SECONDS)
        futures = dict(enumerate(result._children))  # the public result shows nothing before all ranks are done
        stuck = [rank for rank, future in futures.items() if not future.done()]
        if not stuck:
            return
        raised = {
            rank: "was interrupted"
            if answer.ename == "KeyboardInterrupt"
            else f"raised {answer.ename}: {answer.evalue}"
            for rank, future in futures.items()
            if rank not in stuck and isinstance(answer := future.result(), RemoteError)
        }
        where = {rank: _place(stacks.get(rank, ""), cell) for rank in stuck}
        lines = [f"{len(stuck)} of {self.n} ranks did not come back {when}."]
        table: dict[str, list[int]] = {}
        for rank in range(self.n):
            table.setdefault(where.get(rank) or raised.get(rank) or "had finished", []).append(rank)
        for what, ranks in table.items():
            lines.append(f"  {_name(ranks):<12} {what}")
        lines += [
            "An MPI call that waits cannot be interrupted from outside, so all ranks were",
            "ended and new ones started. What was defined on them is gone: run the cells",
            "with %%px again, from the first.",
        ]
        self.restart()
        raise RanksStuckError("\n".join(lines), where)

    def _replace_dead(self) -> None:
        """Start new ranks after a death, and raise EnginesError with what the launcher said of it."""
        log = self._supervisor.run_dir.path / "ranks.log" if self._supervisor else None
        said = log.read_text(errors="replace") if log and log.exists() else ""
        what = toolchain.cause_of_death(said) or "a rank ended"
        self.restart()
        raise EnginesError(
            f"{what}, and mpirun ended the others with it: a world that has\n"
            f"lost a rank cannot go on. {self.n} new ranks were started. What was defined on the old\n"
            "ones is gone: run the cells with %%px again, from the first."
        )

    def _stacks(self) -> dict[int, str]:
        """Return each rank's Python stack now, innermost call first, as faulthandler writes it on SIGUSR1."""
        if self._supervisor is None:
            return {}
        logs = {rank: self._supervisor.run_dir.path / f"stack.{rank}" for rank in range(self.n)}
        before = {rank: log.stat().st_size for rank, log in logs.items()}
        for pid in self.pids:
            os.kill(pid, signal.SIGUSR1)
        deadline = time.monotonic() + 0.5
        while time.monotonic() < deadline and any(logs[rank].stat().st_size == before[rank] for rank in logs):
            time.sleep(0.01)
        time.sleep(0.02)  # the last one may be half written
        return {rank: log.read_text()[before[rank] :] for rank, log in logs.items()}


def _whole(path: Path) -> bool:
    """Whether a file is there and holds all of its JSON."""
    try:
        json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    return True


def _name(ranks: list[int]) -> str:
    """Return "rank 2" or "ranks 0, 1, 3"."""
    return ("rank " if len(ranks) == 1 else "ranks ") + ", ".join(map(str, ranks))


def _place(stack: str, cell: str) -> str:
    """Return "line 3: comm.Barrier()": where in the cell a rank stands, from its stack."""
    main = stack[stack.find("Current thread") :]
    for line in re.findall(r'File "[^"]*ipykernel_[^"]*", line (\d+) in <module>', main):
        number = int(line)
        text = cell.splitlines()[number - 1].strip() if number <= len(cell.splitlines()) else ""
        return f"at line {number}: {text}"
    return "outside the lines of the cell"


class RankMagics(ParallelMagics):
    """ipyparallel's %%px, with output that is the same each time, and with an end for cells that hang."""

    stream_output = False
    progress_after_seconds = -1

    def __init__(self, shell: Any, ranks: Ranks) -> None:
        super().__init__(shell, ranks.view)
        self.ranks = ranks
        self._limit: float | None = None

    @magic_arguments()
    @exec_args
    @output_args
    @argument("--local", action="store_const", const=True, dest="local", help="also run the cell in the notebook")
    @argument("--limit", type=float, metavar="SECONDS", help="replace the ranks when they do not come back in time")
    def cell_px(self, line: str = "", cell: str = "") -> Any:
        """Run the cell on the ranks. `--limit SECONDS` ends a cell that hangs."""
        self._limit = RankMagics.cell_px.parser.parse_argstring(line).limit
        try:
            return super().cell_px(line, cell)
        finally:
            self._limit = None

    def parallel_execute(self, cell: str, block: bool | None = None, groupby: str = "type", **options: Any) -> Any:
        """Send a cell to the ranks and show what they print, rank by rank."""
        if not self.ranks.running:
            if self.ranks._supervisor is None:
                raise EnginesError("these ranks were stopped: run the cell with engines.start(...) again")
            self.ranks._replace_dead()
        self.view = self.ranks.view if self.view.client is not self.ranks.client else self.view
        result = super().parallel_execute(cell, block=False, groupby=groupby, **options)
        if not (self.view.block if block is None else block):
            return result
        try:
            self.ranks.finish(result, cell, self._limit)
        except EnginesError:
            self.view = self.ranks.view
            raise
        result.wait_for_output(1)
        result.display_outputs(groupby)
        result.get()
        return None


_ranks: Ranks | None = None


def start(n: int = 4, mpi: toolchain.Mpi | None = None) -> Ranks:
    """Start n ranks of one MPI_COMM_WORLD and register %%px for them; in a kernel there is one set at a time.

    Called again with the same n, it returns the ranks that are there. Raises ValueError when n is no positive number,
    EnginesError when there is no MPI or the ranks do not come up.
    """
    global _ranks
    if not isinstance(n, int) or n < 1:
        raise ValueError(f"n is the number of ranks, 1 or more, not {n!r}")
    mpi = mpi or toolchain.course()
    if mpi is None:
        raise EnginesError("no MPI on this machine that can be used: `rankzero doctor` says what is missing")
    if _ranks and _ranks.n == n and _ranks.mpi == mpi and _ranks.running:
        ranks = _ranks
    else:
        if _ranks:
            _ranks.stop()
        _ranks = ranks = Ranks(n, mpi)
        atexit.register(ranks.stop)
    if shell := get_ipython():
        shell.register_magics(RankMagics(shell, ranks))
    return ranks
