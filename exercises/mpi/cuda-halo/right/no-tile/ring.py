"""Heat on a torus, on a GPU: the plane ends nowhere, its last row is beside its first, and its last column as well.

Run: NUMBA_ENABLE_CUDASIM=1 python demo.py (without a GPU, on numba's simulator)
"""

from numba import cuda

SIDE = 8  # a block has SIDE x SIDE threads, one for each cell


@cuda.jit
def heat(u, new):
    """One step: each cell of new is made from that cell of u and its four neighbours."""
    rows, columns = u.shape
    i, j = cuda.grid(2)
    if i < rows and j < columns:
        around = u[(i - 1) % rows, j] + u[(i + 1) % rows, j] + u[i, (j - 1) % columns] + u[i, (j + 1) % columns]
        new[i, j] = u[i, j] + 0.125 * (around - 4.0 * u[i, j])


def step(u):
    """Return the field after one step, for a field of any shape."""
    blocks = (-(-u.shape[0] // SIDE), -(-u.shape[1] // SIDE))  # rounded up
    there = cuda.to_device(u)
    new = cuda.device_array_like(there)
    heat[blocks, (SIDE, SIDE)](there, new)
    return new.copy_to_host()
