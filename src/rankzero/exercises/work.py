"""The learner's copy of an exercise, work/<name>/: made, kept, set back. Nothing of the learner's is ever deleted."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import tempfile
from pathlib import Path

from rankzero import places
from rankzero.exercises import manifest
from rankzero.exercises.manifest import Exercise, ExerciseError

KEPT = "kept"
"""work/kept/ holds what `reset` has put aside."""


def start(exercise: Exercise) -> bool:
    """Give the learner the files of an exercise. Returns False, and changes nothing, where they are there already."""
    if exercise.work.exists():
        return False
    _copy(exercise, exercise.work)
    return True


def reset(exercise: Exercise) -> Path | None:
    """Set an exercise back to its start; return where the learner's files are kept, None where there were none."""
    aside = None
    if exercise.work.exists():
        now = datetime.datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
        folder = places.WORK / KEPT
        folder.mkdir(parents=True, exist_ok=True)
        number, aside = 1, folder / f"{exercise.name}_{now}"
        while aside.exists():
            number += 1
            aside = folder / f"{exercise.name}_{now}_{number}"
        exercise.work.rename(aside)
    _copy(exercise, exercise.work)
    return aside


def _copy(exercise: Exercise, target: Path) -> None:
    """Copy start/ whole or not at all: an interrupt, or a full disk, leaves nothing half there."""
    try:
        places.WORK.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{exercise.name}-", dir=places.WORK) as staging:
            staged = Path(staging) / exercise.name
            shutil.copytree(exercise.folder / "start", staged, symlinks=True)
            shutil.copy(exercise.folder / "README.md", staged)
            staged.rename(target)
    except OSError as err:
        raise ExerciseError(
            f"{exercise.name} cannot be copied to {places.WORK}: {err.strerror or err}.\n"
            "The folder work/ in the checkout must be yours, on a disk with room."
        ) from err


def started() -> list[Exercise]:
    """Return the exercises of which the learner has a copy, the one changed last first."""
    there = [one for one in manifest.everything() if one.work.is_dir()]
    return sorted(there, key=lambda one: changed(one.work), reverse=True)


def state(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Return name -> (time of the last change in ns, size, inode) of all in a folder; empty where it is gone.

    Two of them differ when anything was saved between. The time is the inode's, which nobody can set: that of the
    contents is an old one where a file was put in place by `cp -p`.
    """
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = f"{place}/{name}"
            with contextlib.suppress(OSError):  # removed meanwhile
                status = os.lstat(path)
                found[path] = (status.st_ctime_ns, status.st_size, status.st_ino)
    return found


def changed(folder: Path) -> int:
    """Return when anything in a folder was changed last, in ns since the epoch; 0 where it is gone."""
    return max((time for time, _, _ in state(folder).values()), default=0)


def current(name: str = "") -> Exercise:
    """Return the exercise of that name; without one that in whose copy we stand, else the one changed last.

    Raises ExerciseError.
    """
    if name:
        return manifest.find(name)
    here = Path.cwd()
    there = started()
    for exercise in there:
        if here == exercise.work or exercise.work in here.parents:
            return exercise
    if not there:
        raise ExerciseError(
            "no exercise is started yet.\n    rankzero list            what there is\n    rankzero start NAME"
        )
    return there[0]
