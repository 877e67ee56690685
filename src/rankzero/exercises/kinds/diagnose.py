"""Diagnosis: the learner looks at something that goes wrong, and states in answer.toml what it is."""

from __future__ import annotations

import tomllib
from typing import Any

from rankzero.exercises import compiled

ANSWER = "answer.toml"


class Bench(compiled.Bench):
    """A bench for statements."""

    def answer(self, key: str) -> Any:
        """Return what answer.toml says under a key, without spaces around it. Refuses while it says nothing."""
        path = self.file(ANSWER)
        try:
            said = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
            self.refuse(f"{ANSWER} cannot be read: {err}", hint='Text stands in quotes, as in `cause = "…"`.')
        value = said.get(key, "")
        value = value.strip() if isinstance(value, str) else value
        if value in ("", []):
            self.refuse(
                f"{ANSWER} does not say `{key}` yet",
                yours=f'{key} = ""',
                hint="Look first, with the commands in README.md; then write down what you found.",
            )
        return value
