"""Rank Zero: the parts of the course that a reader should not have to think about."""

from typing import Any

__version__ = "0.1.0"


def load_ipython_extension(shell: Any) -> None:
    """Prepare a notebook: `%load_ext rankzero` (see `rankzero.lesson`)."""
    from rankzero import lesson

    lesson.prepare(shell)
