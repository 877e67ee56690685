"""Compares two steps on the GPU, or the simulator, with NumPy: NUMBA_ENABLE_CUDASIM=1 python demo.py"""

import numpy as np
from ring import step


def with_numpy(u):
    around = sum(np.roll(u, by, axis) for by in (1, -1) for axis in (0, 1))
    return u + 0.125 * (around - 4.0 * u)


for shape in ((8, 8), (8, 16), (5, 11), (9, 3)):
    u = np.add.outer(np.arange(shape[0]) ** 2.0, np.arange(shape[1]) * 100.0)
    yours, wanted = step(step(u)), with_numpy(with_numpy(u))
    print(f"{shape[0]} x {shape[1]}: sum = {yours.sum():.6f}, wrong cells = {np.sum(abs(yours - wanted) > 1e-9)}")
    print(yours.round(3).tolist())
