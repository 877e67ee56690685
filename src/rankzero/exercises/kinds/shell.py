"""Shell scripts and command lines."""

from __future__ import annotations

from typing import Any

from rankzero.exercises import bench, compiled


class Bench(compiled.Bench):
    """A bench for shell scripts."""

    NEEDS = ("bash",)

    def shell(self, script: str, *arguments: str, **options: Any) -> bench.Run:
        """Run a script by bash."""
        self.file(script)
        return self.run("bash", script, *arguments, **options)
