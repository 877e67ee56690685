"""A check of an exercise says the same each time, and refuses a solution with a mistake in it.

Every answer that is known (start, solution, right/, wrong/) is judged five times. Then one mistake at a time is made in
the solution: in a program, those of `rankzero.seeding`; in a build file or a header, one word less in a line that the
solution changed. Of the mistakes that change what the exercise's `runs` print, by themselves, at least 95 % must be
refused.
"""

from __future__ import annotations

import difflib
import functools
import os
import re
import shlex
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rankzero import places, proc, sandbox, seeding
from rankzero.exercises import check as engine
from rankzero.exercises import kinds, manifest, verdict
from rankzero.exercises.manifest import Exercise
from rankzero.mpi import toolchain
from rankzero.proofs import Proof

TIMES = 5
MOST = 20
"""Mistakes made in one exercise; a sample where more can be made."""
LEAST = 0.95


def proofs() -> Iterator[Proof]:
    """Return one proof an exercise."""
    for one in manifest.everything():
        yield Proof(
            f"exercises/{one.name}",
            f"The check of {one.name} says the same {TIMES} times, and refuses {LEAST:.0%} of mistakes in a solution.",
            (f"exercises/{one.topic}/{one.name}/**/*", "src/rankzero/seeding.py"),
            functools.partial(run, one),
            check,
        )


def check(result: dict[str, Any]) -> list[str]:
    """Return what such data do not show."""
    found = [f"{name}: {count} different verdicts" for name, count in result["different"].items() if count != 1]
    verdicts = [one["verdict"] for one in result["mistakes"]]
    refused, survived = verdicts.count("refused"), verdicts.count("survived")
    if refused < LEAST * (refused + survived):
        places = ", ".join(one["place"] for one in result["mistakes"] if one["verdict"] == "survived")
        found.append(f"{refused} of {refused + survived} mistakes refused; accepted: {places}")
    if not refused:
        found.append("no mistake was refused")
    return found


@dataclass(frozen=True)
class Mistake:
    """A file of the solution with one mistake in it, and how to tell people."""

    file: str
    text: str
    place: str
    kind: str
    was: str
    now: str


def mistakes(exercise: Exercise) -> list[Mistake]:
    """Return the mistakes that can be made in a solution."""
    solution, start = exercise.folder / "solution", exercise.folder / "start"
    found = []
    languages = kinds.bench(exercise.kind).LANGUAGES
    for path in sorted(path for path in solution.rglob("*") if path.is_file()):
        name, text = str(path.relative_to(solution)), path.read_text(encoding="utf-8")
        language = languages.get(path.suffix)
        faults = seeding.faults(text, language) if language else []
        for fault in faults:
            place = f"{name}:{fault.line}"
            found.append(Mistake(name, fault.apply(text), place, fault.kind, fault.was, fault.now))
        if not faults:  # a build file, or a header with declarations alone
            before = (start / name).read_text(encoding="utf-8") if (start / name).is_file() else ""
            found += _without_a_word(name, before, text)
    return found


def _without_a_word(name: str, before: str, text: str) -> Iterator[Mistake]:
    """Yield a file with one word less in a line that is new."""
    lines = text.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, before.splitlines(keepends=True), lines, autojunk=False)
    for operation, _, _, begin, end in matcher.get_opcodes():
        for number in range(begin, end) if operation != "equal" else ():
            if lines[number].lstrip().startswith("#"):
                continue
            for word in re.finditer(r"\S+", lines[number]):
                line = lines[number][: word.start()] + lines[number][word.end() :]
                changed = "".join([*lines[:number], line, *lines[number + 1 :]])
                yield Mistake(name, changed, f"{name}:{number + 1}", "missing word", word[0], "")


def run(exercise: Exercise, say: Callable[[str], None]) -> dict[str, Any]:
    """Judge every answer several times, then every mistake once."""
    different: dict[str, int] = {}
    for variant, folders in exercise.variants().items():
        said = {repr(engine.check(exercise, folders).substance()) for _ in range(TIMES)}
        different[variant] = len(said)
        say(f"{variant}: {'the same' if len(said) == 1 else f'{len(said)} verdicts in'} {TIMES} times")
    every = mistakes(exercise)
    picked = seeding.sample(every, MOST, exercise.name, kind=lambda one: one.kind)
    records = []
    sound = functools.cache(lambda: [_behaviour(exercise, None) for _ in range(3)])
    for number, one in enumerate(picked, 1):
        result = _judge(exercise, one, sound)
        say(f"{number}/{len(picked)} {one.place} {_short(one.was)} → {_short(one.now)}: {result}")
        records.append({"place": one.place, "kind": one.kind, "was": one.was, "now": one.now, "verdict": result})
    return {"exercise": exercise.name, "different": different, "candidates": len(every), "mistakes": records}


def _judge(exercise: Exercise, mistake: Mistake, sound: Callable[[], list[tuple[int, str]]]) -> str:
    """Return "refused", "unchanged" (it runs as before) or "survived"."""
    with tempfile.TemporaryDirectory(prefix="rankzero-mistake-") as folder:
        wrong = Path(folder)
        (wrong / mistake.file).parent.mkdir(parents=True, exist_ok=True)
        (wrong / mistake.file).write_text(mistake.text, encoding="utf-8")
        (wrong / mistake.file).chmod((exercise.folder / "solution" / mistake.file).stat().st_mode)
        said = engine.check(exercise, [exercise.folder / "start", exercise.folder / "solution", wrong])
        if said.result != verdict.PASSED:
            return "refused" if said.result == verdict.REFUSED else "not judged"
        if all(_behaviour(exercise, wrong) in sound() for _ in range(2)):
            return "unchanged"
    return "survived"


def _behaviour(exercise: Exercise, wrong: Path | None) -> tuple[int, str]:
    """Return exit code and sorted output of the exercise's `runs`, with its solution or with a mistake in that."""
    folders = [exercise.folder / "start", exercise.folder / "solution", *([wrong] if wrong else [])]
    with sandbox.Sandbox() as box:
        engine.lay(folders, box.folder)
        env = box.environment() | toolchain.environment()
        env["PATH"] = os.pathsep.join((str(places.VENV / "bin"), env["PATH"]))  # `python` is the course's
        limits = proc.Limits(**{**vars(sandbox.LIMITS), "wall": 60.0})
        ending = box.run(["bash", "-c", "\n".join(exercise.runs)], env=env, limits=limits)
    return ending.returncode, "\n".join(sorted(ending.output.splitlines()))


def _short(text: str) -> str:
    return shlex.quote(" ".join(text.split()))[:40]


def survivors(results: Sequence[dict[str, Any]]) -> list[str]:
    """Return the mistakes that were accepted, for the book."""
    return [
        f"{result['exercise']} {one['place']}: `{one['was']}` → `{one['now']}`"
        for result in results
        for one in result["mistakes"]
        if one["verdict"] == "survived"
    ]
