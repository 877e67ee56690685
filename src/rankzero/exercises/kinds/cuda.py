"""Numba CUDA kernels: on the simulator, or on the GPU where there is one."""

from rankzero.exercises.kinds import python
from rankzero.setup import has_gpu


class Bench(python.Bench):
    """A bench for numba CUDA kernels. Grids must be small: the simulator needs about a second for 32 x 32 threads."""

    ENV = {} if has_gpu() else {"NUMBA_ENABLE_CUDASIM": "1"}
