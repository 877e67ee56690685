"""What `%load_ext rankzero` does in the first cell of a lesson."""

from __future__ import annotations

import os
import re
import textwrap
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError
from IPython.display import Code

from rankzero import places
from rankzero.draw import style
from rankzero.exercises import verbs, work
from rankzero.exercises.manifest import ExerciseError
from rankzero.exercises.verdict import Verdict
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
    for name in ("CLICOLOR_FORCE", "FORCE_COLOR"):  # the kernel sets them, and they win over NO_COLOR
        os.environ.pop(name, None)
    style.use()
    shell.register_magic_function(_check, magic_kind="line", magic_name="check")
    if "px" not in shell.magics_manager.magics["cell"]:
        shell.register_magic_function(_no_ranks, magic_kind="cell", magic_name="px")


def _check(line: str) -> Verdict:
    """`%check NAME`: judge an exercise, as `rankzero check NAME` does."""
    try:
        return verbs.judge(work.current(line.strip()))
    except ExerciseError as err:
        raise UsageError(str(err)) from err


def _no_ranks(line: str, cell: str) -> None:
    """Say what is missing when `%%px` comes before the ranks. `engines.start` puts the real one in its place."""
    raise UsageError("there are no ranks yet: run the cell with engines.start(4) first")


def show(path: str | os.PathLike[str], marker: str | None = None) -> Code:
    """Return the text of a program for display: all of it, or what stands between `[marker]` and `[/marker]`.

    The markers are comments in the file itself, so what is shown is what is compiled. Raises ValueError when the file
    has no such part.
    """
    text = Path(path).read_text(encoding="utf-8")
    if marker is not None:
        comment = r"[ \t]*(?://|#|!|/\*)[ ]*"
        part = re.search(
            rf"^{comment}\[{re.escape(marker)}\][^\n]*\n(.*?)^{comment}\[/{re.escape(marker)}\]", text, re.M | re.S
        )
        if part is None:
            raise ValueError(f"{path} has no part between [{marker}] and [/{marker}]")
        text = textwrap.dedent(part[1])
        if not text.strip():
            raise ValueError(f"the part between [{marker}] and [/{marker}] of {path} is empty")
    language = {".c": "c", ".cpp": "cpp", ".f90": "fortran", ".py": "python", ".sh": "bash"}.get(Path(path).suffix)
    return Code(data=text.rstrip(), language=language)
