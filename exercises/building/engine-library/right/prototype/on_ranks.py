# Runs on every rank, as the rest of a %%px cell. It leaves `total` on each of them.
import ctypes
from pathlib import Path

from mpi4py import MPI

from rankzero.mpi.native import handle

comm = MPI.COMM_WORLD
weight, *numbers = map(float, Path("values.txt").read_text().split())
mine = numbers[comm.rank :: comm.size]  # one of comm.size numbers is ours

library = ctypes.CDLL("./libtotal.so")
prototype = ctypes.CFUNCTYPE(
    ctypes.c_double, type(handle(comm)), ctypes.POINTER(ctypes.c_double), ctypes.c_long, ctypes.c_double
)
weighted_total = prototype(("weighted_total", library))
values = (ctypes.c_double * len(mine))(*mine)
total = weighted_total(handle(comm), values, len(mine), weight)
print(f"rank {comm.rank}: {total}")
