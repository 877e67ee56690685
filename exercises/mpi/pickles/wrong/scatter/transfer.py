"""Spread a field over the ranks of a communicator, in blocks of rows, and collect it again."""

import numpy as np


def spread(comm, field):
    """Return this rank's block of rows. Rank 0 has the field, an array of two dimensions; the others give None.

    Blocks are as np.array_split makes them: where rows are left over, each of the first ranks has one row more.
    """
    shape, dtype = comm.bcast((field.shape, field.dtype) if comm.rank == 0 else None)  # small: may be pickled
    rows = [shape[0] // comm.size + (rank < shape[0] % comm.size) for rank in range(comm.size)]
    block = np.empty((rows[comm.rank], shape[1]), dtype)
    comm.Scatter(np.ascontiguousarray(field) if comm.rank == 0 else None, block)
    return block


def collect(comm, block):
    """Return the field on rank 0, made of the blocks of all ranks one below the other, and None on the others."""
    rows = comm.gather(len(block))
    field = counts = None
    if comm.rank == 0:
        field = np.empty((sum(rows), block.shape[1]), block.dtype)
        counts = [mine * block.shape[1] for mine in rows]
    comm.Gatherv(np.ascontiguousarray(block), [field, counts] if comm.rank == 0 else None)
    return field
