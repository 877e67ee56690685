"""Purpose: an array to another rank and back, as a buffer and as a pickle, and half the time of that.

Run:     mpirun -n 2 python -m mpi4py pickles.py
Times:   mpirun -n 2 python -m mpi4py pickles.py 8 1024 1048576 prints them in microseconds, for arrays of so many bytes
Source:  the same in C: pingpong.c
"""

import sys

import numpy as np
from mpi4py import MPI


# [ways]
def by_buffer(comm: MPI.Comm, numbers: np.ndarray) -> np.ndarray:
    """Send memory as it is, into memory that is there."""
    came = np.empty_like(numbers)
    if comm.rank == 0:
        comm.Send(numbers, dest=1)
        comm.Recv(came, source=1)
    elif comm.rank == 1:
        comm.Recv(came, source=0)
        comm.Send(came, dest=0)
    return came


def by_pickle(comm: MPI.Comm, numbers: np.ndarray) -> np.ndarray:
    """Send any object: it becomes bytes, and a new object on the other side."""
    came = numbers
    if comm.rank == 0:
        comm.send(numbers, dest=1)
        came = comm.recv(source=1)
    elif comm.rank == 1:
        came = comm.recv(source=0)
        comm.send(came, dest=0)
    return came


# [/ways]


def microseconds(comm: MPI.Comm, size: int, rounds: int = 10) -> list[float]:
    """Return half the least time of a round trip for arrays of so many bytes: by buffer, by pickle."""
    numbers = np.arange(size // 8, dtype=float)
    best = []
    for way in (by_buffer, by_pickle):
        times = []
        for _ in range(rounds):
            comm.Barrier()
            begin = MPI.Wtime()
            came = way(comm, numbers)
            times.append(MPI.Wtime() - begin)
            if comm.rank < 2 and not np.array_equal(came, numbers):
                raise ValueError(f"rank {comm.rank}: {way.__name__}: not what was sent, for {size} bytes")
        best.append(min(times) / 2 * 1e6)
    return best


def main(sizes: list[int]) -> int:
    """Print times for some sizes, none without; return what the program ends with."""
    comm = MPI.COMM_WORLD
    if comm.size < 2:
        print("pickles: needs 2 ranks or more", file=sys.stderr)
        return 2
    for size in sizes or [8, 80_000]:
        buffer, pickle = microseconds(comm, size)
        if sizes and comm.rank == 0:
            print(f"{size} {buffer:.2f} {pickle:.2f}")
    if comm.rank == 0:
        print(f"# pickles: ranks {comm.size}: right")
    return 0


if __name__ == "__main__":
    sys.exit(main([int(word) for word in sys.argv[1:]]))
