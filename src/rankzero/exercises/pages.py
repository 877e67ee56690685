"""What the book shows of exercises and competencies: Markdown, made from their own files at each build."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from rankzero.exercises import manifest
from rankzero.exercises.manifest import Exercise

_LANGUAGES = {".c": "c", ".h": "c", ".cpp": "cpp", ".f90": "fortran", ".py": "python", ".sh": "bash", ".toml": "toml"}


def exercises(chapter: str) -> str:
    """Return the exercises of a chapter: each with its task, hints and solution, the last two folded.

    Raises ValueError where there are none.
    """
    found = [one for one in manifest.everything() if one.chapter == chapter]
    if not found:
        raise ValueError(f"chapter {chapter} has no exercises")
    return "\n\n".join(_exercise(one) for one in found)


def _exercise(one: Exercise) -> str:
    title, _, task = one.readme().partition("\n")
    lines = [line for line in task.strip().splitlines() if line.strip() != f"rankzero check {one.name}"]
    parts = [
        f"(exercise-{one.name})=\n## {title.removeprefix('# ').strip()}",
        f"*{one.minutes} minutes* · `{one.name}` · {_evidence(one)}",
        "\n".join(lines).strip(),
        f"```bash\nrankzero start {one.name}\nrankzero check {one.name}\n```",
    ]
    for number, hint in enumerate(one.hints, 1):
        parts.append(_folded(f"Hint {number} of {len(one.hints)}", hint))
    files = [_listing(path, one.folder / "solution") for path in _readable(one.folder / "solution")]
    parts.append(_folded("Solution", "\n\n".join([*files, one.after])))
    return "\n\n".join(parts)


def _evidence(one: Exercise) -> str:
    outcomes = [manifest.competencies()[key].outcome for key in one.competencies]
    return "evidence for: " + "; ".join(outcome[0].lower() + outcome[1:] for outcome in outcomes)


def _readable(folder: Path) -> Sequence[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _listing(path: Path, folder: Path) -> str:
    language = "make" if path.name == "Makefile" else "cmake" if path.name == "CMakeLists.txt" else ""
    text = path.read_text(encoding="utf-8").rstrip()
    fence = "`" * (3 + len(max(re.findall(r"^`+", text, re.M), default="")))
    language = language or _LANGUAGES.get(path.suffix, "text")
    return f"`{path.relative_to(folder)}`\n\n{fence}{language}\n{text}\n{fence}"


def _folded(title: str, text: str) -> str:
    return f"::::::{{dropdown}} {title}\n{text}\n::::::"


def competencies() -> str:
    """Return the competencies of the course by area: outcome, level, and the exercises that are evidence for it."""
    found = manifest.everything()
    parts: list[str] = []
    area = ""
    for one in manifest.competencies().values():
        if one.area != area:
            area = one.area
            parts += ["", f"## {area}", "", "| outcome | level | exercises |", "|---|---|---|"]
        names = [_link(exercise) for exercise in found if one.id in exercise.competencies]
        parts.append(f"| {one.outcome} | Engineer&nbsp;{one.level} | {', '.join(names) or '–'} |")
    return "\n".join(parts).strip()


def _link(one: Exercise) -> str:
    return f"[{one.name}](#exercise-{one.name})"
