"""Spread a field over the ranks of a communicator, in blocks of rows, and collect it again."""

import numpy as np


def spread(comm, field):
    """Return this rank's block of rows. Rank 0 has the field, an array of two dimensions; the others give None.

    Blocks are as np.array_split makes them: where rows are left over, each of the first ranks has one row more.
    """
    if comm.rank == 0:
        blocks = np.array_split(field, comm.size)
        for rank in range(1, comm.size):
            comm.send((blocks[rank].shape, field.dtype), dest=rank)
            comm.Send(np.ascontiguousarray(blocks[rank]), dest=rank)
        return blocks[0].copy()
    block = np.empty(*comm.recv(source=0))
    comm.Recv(block, source=0)
    return block


def collect(comm, block):
    """Return the field on rank 0, made of the blocks of all ranks one below the other, and None on the others."""
    rows = comm.gather(len(block))
    if comm.rank > 0:
        comm.Send(np.ascontiguousarray(block), dest=0)
        return None
    field = np.empty((sum(rows), block.shape[1]), block.dtype)
    field[: rows[0]] = block
    for rank in range(1, comm.size):
        first = sum(rows[:rank])
        comm.Recv(field[first : first + rows[rank]], source=rank)
    return field
