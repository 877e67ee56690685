"""C++."""

from rankzero.exercises import compiled


class Bench(compiled.Bench):
    """A bench for programs in C++."""

    NEEDS = ("g++",)
