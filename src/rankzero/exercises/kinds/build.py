"""Trees of files with a build system: make, CMake."""

from __future__ import annotations

from typing import Any

from rankzero.exercises import bench, compiled
from rankzero.exercises.compiled import Hints


class Bench(compiled.Bench):
    """A bench for build trees."""

    NEEDS = ("make",)

    def cmake(self, *arguments: str, ok: bool = True, hints: Hints | None = None, **options: Any) -> bench.Run:
        """Run cmake, and refuse with its first error when it fails. hints: as for `compile`."""
        return self.built(self.run("cmake", *arguments, ok=False, wall=self.BUILD_SECONDS, **options), ok, hints)
