"""C on the engines: call a shared library that mpicc made, with a communicator of mpi4py's."""

from __future__ import annotations

import ctypes
from typing import Any

from mpi4py import MPI


def handle(comm: MPI.Comm) -> Any:
    """Return a communicator as the C argument of type MPI_Comm.

    An MPI_Comm is a pointer in Open MPI and an int in MPICH; mpi4py tells its size and its address.
    """
    c_type = ctypes.c_int if MPI._sizeof(MPI.Comm) == ctypes.sizeof(ctypes.c_int) else ctypes.c_void_p
    return c_type.from_address(MPI._addressof(comm))
