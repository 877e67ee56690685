"""Heat on a torus, on a GPU: the plane ends nowhere, its last row is beside its first, and its last column as well.

Run: NUMBA_ENABLE_CUDASIM=1 python demo.py (without a GPU, on numba's simulator)
"""

import numpy as np
from numba import cuda

SIDE = 8  # a block has SIDE x SIDE threads, one for each cell
TILE = SIDE + 2  # and a tile in shared memory, with a halo of one cell all around


@cuda.jit
def heat(u, new):
    """One step: each cell of new is made from that cell of u and its four neighbours."""
    rows, columns = u.shape
    tile = cuda.shared.array((TILE, TILE), np.float64)
    i, j = cuda.grid(2)
    a, b = cuda.threadIdx.x + 1, cuda.threadIdx.y + 1  # where the cell stands in the tile
    if i < rows and j < columns:
        tile[a, b] = u[i, j]
        if a == 1:
            tile[0, b] = u[(i - 1) % rows, j]
        if a == SIDE or i == rows - 1:
            tile[a + 1, b] = u[(i + 1) % rows, j]
        if b == 1:
            tile[a, 0] = u[i, (j - 1) % columns]
        if b == SIDE:
            tile[a, b + 1] = u[i, (j + 1) % columns]
    cuda.syncthreads()  # now the tile is complete
    if i < rows and j < columns:
        around = tile[a - 1, b] + tile[a + 1, b] + tile[a, b - 1] + tile[a, b + 1]
        new[i, j] = tile[a, b] + 0.125 * (around - 4.0 * tile[a, b])


def step(u):
    """Return the field after one step, for a field of any shape."""
    blocks = (-(-u.shape[0] // SIDE), -(-u.shape[1] // SIDE))  # rounded up
    there = cuda.to_device(u)
    new = cuda.device_array_like(there)
    heat[blocks, (SIDE, SIDE)](there, new)
    return new.copy_to_host()
