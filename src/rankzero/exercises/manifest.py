"""What an exercise is: one folder, exercises/<topic>/<name>/, described by its exercise.toml.

exercise.toml   see `Exercise` for its keys
README.md       the task: the situation, what must hold, the command
start/          what the learner gets
solution/       one good answer: the files that differ from start/
right/<name>/   other good answers, in the same way
wrong/<name>/   plausible wrong answers; [wrong] in exercise.toml holds, by name, what the check must say of each
judge/          what only the check uses, where it needs more than the learner's files
check.py        `check(bench)`: judges the end state, see `rankzero.exercises.bench`
"""

from __future__ import annotations

import difflib
import functools
import inspect
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rankzero import places, proc

FOLDER = "exercises"
MAX_WORDS = 160
"""Words of one hint."""
LEAST_WRONG = 3

_ALLOWED = {"exercise.toml", "README.md", "check.py", "start", "solution", "right", "wrong", "judge"}
_KEYS = {"title", "chapter", "competencies", "minutes", "kind", "open", "given", "ranks", "timeout", "hints", "after"}
_KEYS |= {"try_next", "start", "wrong", "runs"}


class ExerciseError(proc.ProcError):
    """There is no such exercise, or its folder is not what it should be. The message says what to do."""


@dataclass(frozen=True)
class Exercise:
    """One exercise. Everything but name, topic and folder stands in exercise.toml.

    title, chapter ("02"), competencies (ids of competencies.toml), minutes (that a learner needs), kind (a module of
    `rankzero.exercises.kinds`), open (files that the learner changes, the first is opened first), given (files that the
    check puts back before it judges), ranks, timeout (seconds for one program), hints, after (why the answer works),
    try_next (what to try then), start (what the check must say of start/), wrong (name -> what it must say), runs
    (commands that show what a solution does, for the proof by mutants).
    """

    name: str
    topic: str
    folder: Path
    title: str
    chapter: str
    competencies: tuple[str, ...]
    minutes: int
    kind: str
    open: tuple[str, ...]
    hints: tuple[str, ...]
    after: str
    try_next: str
    start: str
    wrong: Mapping[str, str]
    given: tuple[str, ...] = ()
    ranks: int = 1
    timeout: float = 10.0
    runs: tuple[str, ...] = ()

    @property
    def work(self) -> Path:
        """Where the learner's copy is, or will be."""
        return places.WORK / self.name

    def readme(self) -> str:
        """Return the task, Markdown."""
        return (self.folder / "README.md").read_text(encoding="utf-8")

    def variants(self) -> dict[str, tuple[Path, ...]]:
        """Return what the check must be right about: name -> folders, each laid over the one before."""
        start = self.folder / "start"
        found = {"start": (start,), "solution": (start, self.folder / "solution")}
        for group in ("right", "wrong"):
            for path in sorted((self.folder / group).glob("*")):
                found[f"{group}/{path.name}"] = (start, path)
        return found

    def expected(self, variant: str) -> str:
        """Return what the check must say of a variant; "" when it must accept it."""
        if variant == "start":
            return self.start
        group, _, name = variant.partition("/")
        return self.wrong.get(name, "") if group == "wrong" else ""


def load(folder: Path) -> Exercise:
    """Read one exercise. Raises ExerciseError."""
    try:
        data = tomllib.loads((folder / "exercise.toml").read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as err:
        raise ExerciseError(f"{_shown(folder)}/exercise.toml cannot be read: {err}") from err
    lacking = {"title", "chapter", "competencies", "minutes", "kind", "open", "hints", "after", "start"} - data.keys()
    if unknown := data.keys() - _KEYS:
        raise ExerciseError(f"{_shown(folder)}/exercise.toml has unknown keys: {', '.join(sorted(unknown))}")
    if lacking:
        raise ExerciseError(f"{_shown(folder)}/exercise.toml lacks {', '.join(sorted(lacking))}")
    return Exercise(
        name=folder.name,
        topic=folder.parent.name,
        folder=folder,
        title=data["title"],
        chapter=data["chapter"],
        competencies=tuple(data["competencies"]),
        minutes=data["minutes"],
        kind=data["kind"],
        open=tuple(data["open"]),
        hints=tuple(inspect.cleandoc(hint) for hint in data["hints"]),
        after=inspect.cleandoc(data["after"]),
        try_next=inspect.cleandoc(data.get("try_next", "")),
        start=data["start"],
        wrong=data.get("wrong", {}),
        given=tuple(data.get("given", ())),
        ranks=data.get("ranks", 1),
        timeout=float(data.get("timeout", 10)),
        runs=tuple(data.get("runs", ())),
    )


@functools.cache
def everything(root: Path = places.ROOT) -> tuple[Exercise, ...]:
    """Return all exercises, by chapter, then in the order in which exercises/<topic>/order.txt names them."""
    found = [load(path.parent) for path in sorted((root / FOLDER).glob("*/*/exercise.toml"))]
    return tuple(sorted(found, key=lambda one: (one.chapter, one.topic, _place(one))))


def _place(exercise: Exercise) -> tuple[int, str]:
    order = exercise.folder.parent / "order.txt"
    names = order.read_text(encoding="utf-8").split() if order.exists() else []
    return (names.index(exercise.name) if exercise.name in names else len(names), exercise.name)


def find(name: str) -> Exercise:
    """Return the exercise of that name. Raises ExerciseError, with the names that are near."""
    name = name.rstrip("/").rpartition("/")[2]
    for exercise in everything():
        if exercise.name == name:
            return exercise
    near = difflib.get_close_matches(name, [one.name for one in everything()], n=3, cutoff=0.5)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    raise ExerciseError(f"there is no exercise {name}.{meant}\n    rankzero list")


# -- competencies ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Competency:
    """One thing that this job asks: an outcome that begins with a verb, of an area, at level 1 or 2."""

    id: str
    area: str
    level: int
    outcome: str


@functools.cache
def competencies(root: Path = places.ROOT) -> dict[str, Competency]:
    """Return the vocabulary of the whole course, competencies.toml, by id, in its order."""
    data = tomllib.loads((root / "competencies.toml").read_text(encoding="utf-8"))
    found = {}
    for area in data["area"]:
        for one in area["outcome"]:
            found[one["id"]] = Competency(one["id"], area["title"], one["level"], one["text"])
    return found


# -- what is wrong with one -----------------------------------------------------------------------------------


def problems(exercise: Exercise, kinds: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with an exercise as it lies there, sentences. Runs nothing."""
    folder = exercise.folder
    for path in sorted(folder.iterdir()):
        if path.name not in _ALLOWED:
            yield f"stray: {path.name}"
    for name in ("README.md", "check.py", "start", "solution"):
        if not (folder / name).exists():
            yield f"no {name}"
    if exercise.kind not in kinds:
        yield f"kind {exercise.kind} is none of {', '.join(kinds)}"
    for unknown in sorted(set(exercise.competencies) - competencies().keys()):
        yield f"competencies.toml has no {unknown}"
    if not exercise.competencies:
        yield "it is evidence for no competency"
    if len(exercise.hints) < 2:
        yield "fewer than two hints"
    for number, hint in enumerate(exercise.hints, 1):
        if not 8 <= len(hint.split()) <= MAX_WORDS:
            yield f"hint {number} has {len(hint.split())} words; 8 to {MAX_WORDS} are wanted"
    for what, text in (("after", exercise.after), ("try_next", exercise.try_next), ("start", exercise.start)):
        if not text:
            yield f"`{what}` is empty"
    for name in (*exercise.open, *exercise.given):
        if not (folder / "start" / name).is_file():
            yield f"start/ has no {name}"
    for name in sorted(set(exercise.open) & set(exercise.given)):
        yield f"{name} is both the learner's to change and given"
    there = {path.name for path in (folder / "wrong").glob("*") if path.is_dir()}
    for name in sorted(there ^ exercise.wrong.keys()):
        yield f"wrong/{name} is only {'a folder' if name in there else 'in [wrong]'}"
    if len(there) < LEAST_WRONG:
        yield f"{len(there)} wrong answers; {LEAST_WRONG} at least"
    for variant, folders in exercise.variants().items():
        if variant != "start" and not any(path.is_file() for path in folders[-1].rglob("*")):
            yield f"{variant}/ is empty"
        for path in sorted(folders[-1].rglob("*")):
            same = folder / "start" / path.relative_to(folders[-1])
            if variant != "start" and path.is_file() and same.is_file() and same.read_bytes() == path.read_bytes():
                yield f"{variant}/{path.relative_to(folders[-1])} is the same as in start/: leave it out"
    if f"rankzero check {exercise.name}" not in (exercise.readme() if (folder / "README.md").exists() else ""):
        yield f"README.md does not say `rankzero check {exercise.name}`"
    if not re.fullmatch(r"[a-z][a-z0-9-]+", exercise.name):
        yield "a name has small letters, digits and hyphens"


def _shown(path: Path) -> str:
    return str(path.relative_to(places.ROOT)) if path.is_relative_to(places.ROOT) else str(path)
