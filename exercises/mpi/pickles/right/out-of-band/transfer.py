"""Spread a field over the ranks of a communicator, in blocks of rows, and collect it again."""

import numpy as np
from mpi4py.util import pkl5


def spread(comm, field):
    """Return this rank's block of rows. Rank 0 has the field, an array of two dimensions; the others give None.

    Blocks are as np.array_split makes them: where rows are left over, each of the first ranks has one row more.
    """
    blocks = None
    if comm.rank == 0:
        blocks = [np.ascontiguousarray(block) for block in np.array_split(field, comm.size)]
    return pkl5.Intracomm(comm).scatter(blocks)  # pickles where the numbers are, and sends them from there


def collect(comm, block):
    """Return the field on rank 0, made of the blocks of all ranks one below the other, and None on the others."""
    blocks = pkl5.Intracomm(comm).gather(np.ascontiguousarray(block))
    return np.concatenate(blocks) if comm.rank == 0 else None
