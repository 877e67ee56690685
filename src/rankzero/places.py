"""Where things are: the checkout, the learner's work, the state folder, run directories.

Standard library only: set-up imports it before anything is installed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""

VENV = ROOT / ".venv"
WORK = ROOT / "work"
"""The learner's: exercises are copied here, and nothing here is ever deleted by the course."""

SHM = Path("/dev/shm")


class PlacesError(OSError):
    """A folder that the course needs cannot be had. The message ends with the command that mends it."""


def _state() -> Path:
    named = os.environ.get("RANKZERO_HOME")
    state = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return (Path(named) if named else Path(state) / "rank-zero").absolute()


def home() -> Path:
    """Return the state folder, made if need be: $RANKZERO_HOME, else rank-zero in the XDG state folder.

    Raises PlacesError where it cannot be written.
    """
    path = _state()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as err:
        raise PlacesError(
            f"the state folder {path} cannot be written: {err.strerror}.\n"
            "Progress, logs and settings live there. Name a folder that can be written:\n"
            "    RANKZERO_HOME=/some/folder make lab"
        ) from err
    return path


def mpich() -> Path:
    """Return the prefix of the MPICH that set-up installs where the system has none and there is no root.

    Its mpicc cannot live in a path with a space. For such a checkout this is a link to it, in the state folder.
    """
    prefix = VENV / "mpich"
    if " " not in str(prefix):
        return prefix
    return _state() / f"mpich-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]}"


def jupyter_environment() -> dict[str, str]:
    """Return the variables that keep Jupyter, IPython and Matplotlib inside the state folder.

    A learner's own Jupyter settings are neither read nor changed, and a read-only home does no harm.
    """
    state = home()
    return {
        "JUPYTER_CONFIG_DIR": str(state / "jupyter" / "config"),
        "JUPYTER_DATA_DIR": str(state / "jupyter" / "data"),
        "JUPYTER_RUNTIME_DIR": str(state / "jupyter" / "runtime"),
        "IPYTHONDIR": str(state / "ipython"),
        "MPLCONFIGDIR": str(state / "matplotlib"),
    }


def store(path: Path, text: str) -> None:
    """Write a file whole or not at all: an interrupt leaves the old one, and nothing beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    staged = Path(name)
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask()
        staged.chmod(mode)
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


@dataclass(frozen=True)
class RunDir:
    """A private folder for one run, with a twin in shared memory; both vanish with `remove`.

    The path is short on purpose: a Unix socket's path holds 107 bytes at most, and Open MPI and
    ZeroMQ put sockets several folders deep. The lock tells a run that lives from one that was killed.
    """

    path: Path
    shm: Path
    lock: int

    def remove(self) -> None:
        """Delete the folder and its twin."""
        for folder in (self.path, self.shm):
            shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # closed already: removed twice
            os.close(self.lock)


def _prefix() -> str:
    return f"rz-{os.getuid()}-"


def new_run_dir() -> RunDir:
    """Make a run directory, mode 0700, and sweep away those whose owner is dead."""
    sweep_run_dirs()
    # Locked before it has the name that sweep_run_dirs looks for, so that nobody takes it for a dead one.
    staging = Path(tempfile.mkdtemp(prefix=".rz-", dir="/tmp"))
    lock = os.open(staging / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    path = staging.with_name(_prefix() + staging.name.removeprefix(".rz-"))
    staging.rename(path)
    shm = path
    if os.access(SHM, os.W_OK):
        shm = SHM / path.name
        shm.mkdir(mode=0o700)
    return RunDir(path, shm, lock)


def sweep_run_dirs() -> list[Path]:
    """Delete this user's run directories whose owner is gone, with what still runs there. Returns what was deleted."""
    swept = []
    for path in Path("/tmp").glob(_prefix() + "*"):
        try:
            if not stat.S_ISDIR(path.lstat().st_mode) or path.lstat().st_uid != os.getuid():
                continue
            lock = os.open(path / "lock", os.O_RDWR | os.O_CLOEXEC)
        except OSError:  # being made or removed by another process just now
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # in use
            os.close(lock)
            continue
        kill_marked(path)
        RunDir(path, SHM / path.name, lock).remove()
        swept.append(path)
    return swept


def kill_marked(run_dir: Path) -> list[int]:
    """Kill this user's processes that were started for `run_dir` and outlived its owner. Returns their pids.

    They are known by RANKZERO_RUN in their environment, never by a recorded pid, which may be another's by now.
    """
    mark = f"RANKZERO_RUN={run_dir}".encode()
    killed = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            marked = mark in environ.read_bytes().split(b"\0")
        except OSError:  # another user's, or gone
            continue
        if marked:
            pid = int(environ.parent.name)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            killed.append(pid)
    return killed
