"""Trees of files with a build system: make, CMake."""

from __future__ import annotations

from typing import Any

from rankzero.exercises import bench, compiled
from rankzero.exercises.compiled import Hints


class Bench(compiled.Bench):
    """A bench for build trees."""

    NEEDS = ("make",)
    BUILD_SECONDS = 60.0

    def make(self, *targets: str, ok: bool = True, hints: Hints | None = None, **options: Any) -> bench.Run:
        """Run make, and refuse with its first error when it fails. hints: as for `compile`."""
        return self._built(self.run("make", *targets, ok=False, wall=self.BUILD_SECONDS, **options), ok, hints)

    def cmake(self, *arguments: str, ok: bool = True, hints: Hints | None = None, **options: Any) -> bench.Run:
        """Run cmake, and refuse with its first error when it fails. hints: as for `compile`."""
        return self._built(self.run("cmake", *arguments, ok=False, wall=self.BUILD_SECONDS, **options), ok, hints)

    def _built(self, run: bench.Run, ok: bool, hints: Hints | None) -> bench.Run:
        if ok and run.returncode:
            error = compiled.first_error(run.output)
            hint = compiled.hint_for(run.output, hints)
            self.refuse(f"`{run.shown}` fails", yours=error, expected="exit code 0", hint=hint)
        return run
