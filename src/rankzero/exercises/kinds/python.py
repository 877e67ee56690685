"""Python: alone, under mpirun, or on the engines, where a file runs as a `%%px` cell does."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Any

from rankzero.exercises import bench, compiled

START_SECONDS = 90.0
"""That ranks may take to start and end on a busy machine; on an idle one it is about 4."""


CRASH = (
    "A crash inside a library in C shows no line of Python. Look at the types of what is handed over, and at the MPI "
    "that the library was built with: it must be that of the ranks."
)
RAISED = "The line is above. Print there, on every rank, what it is given: `rank` and the values beside it."


class Bench(compiled.Bench):
    """A bench for Python programs."""

    ENV: dict[str, str] = {}  # noqa: RUF012

    def python(self, *argv: str, **options: Any) -> bench.Run:
        """Run a Python program with the course's Python."""
        return self.run(
            sys.executable, *argv, shown=" ".join(["python", *argv]), env=self.ENV | options.pop("env", {}), **options
        )

    def engines(
        self,
        ranks: int,
        file: str,
        *names: str,
        limit: float = 5.0,
        hints: Mapping[str, str] | None = None,
        **options: Any,
    ) -> dict[str, list[Any]]:
        """Run a file on engines, as a `%%px` cell; return variables as lists in rank order.

        The values must be such as JSON can hold. Refuses when a rank raises, hangs for `limit` seconds, or lacks one.
        hints: regular expression -> the next step when a rank ends with an error in which it is found.
        """
        self.file(file)
        argv = ["-m", "rankzero.exercises.on_engines", "-n", str(ranks), "--limit", f"{limit:g}", file, *names]
        run = self.python(*argv, ok=False, wall=limit + START_SECONDS, **options)
        said = json.loads(run.lines[-1]) if run.lines and run.lines[-1].startswith("{") else {"unready": run.output}
        self.last = None  # what it printed was for us, and no verdict should show it
        if "unready" in said:
            raise bench.CannotJudgeError(f"{ranks} ranks could not be started here: {bench.tail(said['unready'])}")
        if "error" in said:
            # Which rank crashes first is chance, and its end is the end of all.
            error = re.sub(r"^ranks? [\d, ]+ (?:was|were) killed", "a rank was killed", said["error"])
            own = (hint for pattern, hint in (hints or {}).items() if re.search(pattern, error))
            self.refuse(
                f"{file} does not come to its end on {ranks} ranks",
                yours=bench.tail(error),
                expected="every rank comes to the end",
                hint=next(own, CRASH if "killed by SIG" in error else RAISED),
            )
        if "lacking" in said:
            name, rank, why = said["lacking"]
            self.refuse(
                f"{file} does not leave what is asked for on every rank",
                yours=f"`{name}` {why} on rank {rank}",
                expected=f"`{name}`, a number, text or a list of these, on every rank",
                hint="Keep the names of the start.",
            )
        values: dict[str, list[Any]] = said["values"]
        return values
