"""Judge an exercise: in a sandbox, by its check.py, with one verdict."""

from __future__ import annotations

import runpy
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rankzero import proc, sandbox
from rankzero.exercises import bench, kinds, verdict
from rankzero.exercises.manifest import Exercise, ExerciseError
from rankzero.exercises.verdict import Verdict

MOST = 200 * sandbox.MB
"""Bytes of a learner's folder that are copied for judging."""


def check(exercise: Exercise, folders: Sequence[Path] | None = None, *, isolate: bool | None = None) -> Verdict:
    """Judge the learner's copy, or folders laid one over the other. Raises ExerciseError when there is no copy.

    Nothing outside the sandbox is changed, and nothing is left running.
    """
    folders = [exercise.work] if folders is None else folders
    if not folders[0].is_dir():
        raise ExerciseError(f"{exercise.name} is not started yet.\n    rankzero start {exercise.name}")
    began = time.monotonic()
    on: bench.Bench | None = None
    said: dict[str, Any] = {"exercise": exercise.name, "title": exercise.title}
    with sandbox.Sandbox(isolate=isolate) as box:
        try:
            changed = _bring(exercise, folders, box.folder)
            on = kinds.bench(exercise.kind)(exercise, box)
            for name in changed:
                on.note(f"your change of {name}, which is given: the check uses the one of the start")
            _judge_of(exercise)(on)
        except bench.RefusedError as err:
            said |= {"result": verdict.REFUSED, "what": err.what, "yours": err.yours, "expected": err.expected}
            said |= {"hint": err.hint, "output": bench.tail(err.output)}
        except ExerciseError:
            raise
        except (bench.CannotJudgeError, proc.ProcError, FileNotFoundError) as err:  # the last: a sandbox swept away
            said |= {"result": verdict.UNJUDGED, "what": str(err)}
        else:
            said |= {"result": verdict.PASSED, "what": "Solved.", "why": exercise.after, "try_next": exercise.try_next}
        names = {str(box.folder): f"/…/work/{exercise.name}", str(box.private): "/tmp"}
    for key in ("what", "yours", "expected", "output", "hint"):
        said[key] = bench.steady(_with_names(said.get(key, ""), names))
    return Verdict(
        **said,
        commands=tuple(replace(one, text=_with_names(one.text, names)) for one in on.commands) if on else (),
        notes=tuple(on.notes) if on else (),
        seconds=time.monotonic() - began,
    )


def _with_names(text: str, names: Mapping[str, str]) -> str:
    """Return a text with the sandbox's folders called as the learner knows them."""
    for path, name in names.items():
        text = text.replace(path, name)
    return text


def lay(folders: Sequence[Path], target: Path) -> None:
    """Copy folders into one, each over those before it."""
    for folder in folders:
        shutil.copytree(folder, target, symlinks=True, dirs_exist_ok=True)


def _bring(exercise: Exercise, folders: Sequence[Path], target: Path) -> list[str]:
    """Copy what is judged, put back what is given, and return the names of given files that were changed."""
    total = sum(path.lstat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())
    if total > MOST:
        raise bench.RefusedError(
            f"{exercise.name} holds {total // sandbox.MB} MB, more than the {MOST // sandbox.MB} that are judged",
            yours=f"{total // sandbox.MB} MB",
            expected=f"less than {MOST // sandbox.MB} MB",
            hint="Delete what your programs wrote there.",
        )
    lay(folders, target)
    changed = []
    for name in exercise.given:
        source, copy = exercise.folder / "start" / name, target / name
        if not copy.is_file() or copy.read_bytes() != source.read_bytes():
            changed += [name] if copy.exists() else []
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
    return changed


def _judge_of(exercise: Exercise) -> Callable[[bench.Bench], None]:
    """Return the function `check` of an exercise's check.py."""
    path = exercise.folder / "check.py"
    try:
        judge: Callable[[bench.Bench], None] = runpy.run_path(str(path))["check"]
    except (OSError, ImportError, SyntaxError, KeyError) as err:
        raise ExerciseError(f"{path} is no check: {err}") from err
    return judge
