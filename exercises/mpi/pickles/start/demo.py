"""Shows what transfer.py does: mpirun -n 3 python demo.py"""

import numpy as np
from mpi4py import MPI
from transfer import collect, spread

comm = MPI.COMM_WORLD
for dtype, shape in (("f8", (7, 4)), ("i2", (6, 2)), ("c8", (2, 5))):
    field = np.arange(shape[0] * shape[1], dtype=dtype).reshape(shape) if comm.rank == 0 else None
    block = spread(comm, field)
    blocks = comm.gather(f"rank {comm.rank}: {block.dtype} {block.shape} {block.tolist()}")
    whole = collect(comm, block * 2)
    if comm.rank == 0:
        print("\n".join(blocks), whole.dtype, whole.shape, whole.tolist(), sep="\n")
