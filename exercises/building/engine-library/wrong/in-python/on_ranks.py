# Runs on every rank, as the rest of a %%px cell. It leaves `total` on each of them.
import ctypes
from pathlib import Path

from mpi4py import MPI

from rankzero.mpi.native import handle

comm = MPI.COMM_WORLD
weight, *numbers = map(float, Path("values.txt").read_text().split())
mine = numbers[comm.rank :: comm.size]  # one of comm.size numbers is ours

total = comm.allreduce(weight * sum(mine))
print(f"rank {comm.rank}: {total}")
