"""What each engine does once, before it takes orders."""

from __future__ import annotations

import faulthandler
import json
import os
import signal
from pathlib import Path

from mpi4py import MPI


def prepare(folder: str) -> None:
    """Write down who this rank is, and make SIGUSR1 write where it stands, also while it waits inside MPI."""
    comm = MPI.COMM_WORLD
    stack = Path(folder, f"stack.{comm.rank}").open("w")  # noqa: SIM115  open as long as the engine lives
    faulthandler.register(signal.SIGUSR1, stack)
    partial = Path(folder, f"rank.{comm.rank}.partial")
    partial.write_text(json.dumps([comm.rank, comm.size, os.getpid()]))
    # Two worlds of one would both be rank 0: the pid keeps them apart.
    partial.rename(Path(folder, f"rank.{comm.rank}.{os.getpid()}"))
