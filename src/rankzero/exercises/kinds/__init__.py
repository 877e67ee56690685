"""The kinds of exercises, one module each, with one interface: a class `Bench`, made from `rankzero.exercises.bench`.

To add a kind, add a module. Its name is what `kind` in an exercise.toml says.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil

from rankzero.exercises.bench import Bench


@functools.cache
def everything() -> dict[str, type[Bench]]:
    """Return the benches by the names of their kinds."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__))
    return {name: importlib.import_module(f"{__name__}.{name}").Bench for name in names}


def bench(kind: str) -> type[Bench]:
    """Return the bench of one kind."""
    found: type[Bench] = importlib.import_module(f"{__name__}.{kind}").Bench
    return found
