"""What `%load_ext rankzero` does in the first cell of a lesson."""

from __future__ import annotations

import os
from typing import Any

from rankzero import places
from rankzero.draw import style
from rankzero.mpi import toolchain


def prepare(shell: Any) -> None:
    """Set this kernel's environment, so that commands in cells find the course's tools and run on this machine.

    Nothing else happens: no program is wrapped or renamed.
    """
    os.environ.update(toolchain.environment())
    own = str(places.VENV / "bin")
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    if own not in path:
        os.environ["PATH"] = os.pathsep.join([own, *path])
    os.environ["NO_COLOR"] = "1"  # outputs are stored as text
    style.use()
