"""What a check says: one verdict, shown as text in a terminal, as HTML in a notebook, and as JSON to programs."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from rankzero.exercises.bench import Command

WIDTH = 96
PASSED, REFUSED, UNJUDGED = "passed", "refused", "cannot judge"
EXIT = {PASSED: 0, REFUSED: 1, UNJUDGED: 2}
"""Exit codes of `rankzero check`."""

_GLUE = "\x1f"
"""Stands for a space at which no line may be broken."""
_COLOURS = {PASSED: "32;1", REFUSED: "31;1", UNJUDGED: "33;1"}


@dataclass(frozen=True)
class Verdict:
    """One verdict.

    result: "passed", "refused" or "cannot judge" (what is missing stands in `what`). what: the first thing that is
    wrong. yours and expected: what is compared; either may be empty. hint: the next step. commands: what ran. output:
    the last lines of the last command. notes: what could not be looked at. why and try_next: after success.
    """

    exercise: str
    title: str
    result: str
    what: str
    yours: str = ""
    expected: str = ""
    hint: str = ""
    commands: tuple[Command, ...] = ()
    output: str = ""
    notes: tuple[str, ...] = ()
    why: str = ""
    try_next: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the exercise is solved."""
        return self.result == PASSED

    @property
    def exit_code(self) -> int:
        """What `rankzero check` ends with."""
        return EXIT[self.result]

    def substance(self) -> dict[str, Any]:
        """Return what must be the same each time: everything but times."""
        data = self.as_json()
        del data["seconds"]
        data["commands"] = [[one["command"], one["ended"]] for one in data["commands"]]
        return data

    def as_json(self) -> dict[str, Any]:
        """Return the verdict for JSON; seconds are wall time."""
        data = asdict(self)
        data["commands"] = [
            {"command": one.text, "ended": one.ended, "seconds": round(one.seconds, 2)} for one in self.commands
        ]
        data["notes"] = list(self.notes)
        data["seconds"] = round(self.seconds, 2)
        return data

    def as_text(self, *, colour: bool = False) -> str:
        """Return the verdict for a terminal."""

        def paint(text: str, code: str) -> str:
            return f"\x1b[{code}m{text}\x1b[0m" if colour else text

        lines = []
        for one in self.commands:
            lines.append(f"  $ {one.text}")
            lines.append(paint(f"      {one.ended}, {one.seconds:.1f} s", "2"))
        if lines:
            lines.append("")
        lines += [paint(f"{self.exercise}: {self.result.upper()}", _COLOURS[self.result]), *wrapped(self.what)]
        for label, text in (("yours", self.yours), ("expected", self.expected)):
            if text:
                lines += block(label, text)
        if self.output and self.output not in (self.yours, self.expected):
            lines += block("output", self.output)
        for note in self.notes:
            lines += wrapped(f"Not looked at: {note}")
        for label, text in self._prose():
            lines += ["", paint(label, "1"), *wrapped(text)]
        return "\n".join(lines)

    def _prose(self) -> list[tuple[str, str]]:
        labels = (("Why it works", self.why), ("Try next", self.try_next), ("Next step", self.hint))
        return [(label, text) for label, text in labels if text]

    def _repr_html_(self) -> str:
        """Show the verdict in a notebook."""
        escape: Callable[[str], str] = html.escape
        mark = {PASSED: "✓", REFUSED: "✗", UNJUDGED: "?"}[self.result]
        colour = {PASSED: "#009E73", REFUSED: "#D55E00", UNJUDGED: "#777777"}[self.result]
        parts = [
            f'<div class="rz-verdict" style="border-left:4px solid {colour};padding:0.2em 0 0.2em 1em">',
            f"<p><strong>{mark} {escape(self.exercise)}: {escape(self.result)}</strong> {prose(self.what)}</p>",
        ]
        rows = [(label, text) for label, text in (("yours", self.yours), ("expected", self.expected)) if text]
        if self.output and self.output not in (self.yours, self.expected):
            rows.append(("output", self.output))
        if rows:
            cells = "".join(
                f'<tr><th scope="row" style="text-align:left;vertical-align:top">{label}</th>'
                f'<td style="text-align:left"><pre style="margin:0;white-space:pre-wrap">{escape(text)}</pre></td></tr>'
                for label, text in rows
            )
            parts.append(f"<table><tbody>{cells}</tbody></table>")
        parts += [f"<p>Not looked at: {prose(note)}</p>" for note in self.notes]
        parts += [f"<p><strong>{label}.</strong> {prose(text)}</p>" for label, text in self._prose()]
        if self.commands:
            ran = "\n".join(f"$ {one.text}\n    {one.ended}, {one.seconds:.1f} s" for one in self.commands)
            parts.append(
                f"<details><summary>What ran, {self.seconds:.1f} s</summary><pre>{escape(ran)}</pre></details>"
            )
        return "".join([*parts, "</div>"])

    def __repr__(self) -> str:
        return self.as_text()


def wrapped(text: str) -> list[str]:
    """Return a text's paragraphs, as lines that fit; `code` and indented lines stay whole, to be copied."""
    lines: list[str] = []
    for paragraph in text.split("\n\n"):
        if lines:
            lines.append("")
        if any(line.startswith("    ") for line in paragraph.splitlines()):
            lines += paragraph.splitlines()
        else:
            whole = re.sub(r"`[^`]*`", lambda code: code[0].replace(" ", _GLUE), " ".join(paragraph.split()))
            lines += textwrap.wrap(whole, WIDTH, break_long_words=False, break_on_hyphens=False)
    return [line.replace(_GLUE, " ") for line in lines]


def block(label: str, text: str) -> list[str]:
    """Return a label with a text of one or more lines beside it."""
    first, *rest = text.rstrip().splitlines() or [""]
    return [f"  {label:<9} {first}", *(f"  {'':<9} {line}" for line in rest)]


def prose(text: str) -> str:
    """Return a text as HTML: `code` in backquotes, paragraphs, nothing else."""
    escaped = html.escape(text)
    parts = escaped.split("`")
    marked = "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))
    return marked.replace("\n\n", "<br>")
