"""The verbs for learners: list, start, check, hint, solution, reset, watch, progress."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rankzero import places
from rankzero.exercises import check, manifest, progress, verdict, work
from rankzero.exercises.manifest import Exercise, ExerciseError

LOOK = 0.15
"""Seconds between two looks at the learner's files by `watch`."""


@dataclass(frozen=True)
class Verb:
    """One verb of the command line: what it takes, and what it does."""

    configure: Callable[[argparse.ArgumentParser], None]
    main: Callable[[argparse.Namespace], int]


def _name(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    more = "; default: the one in whose folder you are, else the one you changed last" if optional else ""
    parser.add_argument("name", nargs="?" if optional else None, default="", help=f"of the exercise{more}")


def _shown(path: Path) -> str:
    """Return a path as one would type it from here."""
    return shlex.quote(os.path.relpath(path))


def _remember(event: str, exercise: Exercise, **facts: object) -> None:
    if trouble := progress.note(event, exercise.name, **facts):
        print(trouble, file=sys.stderr)


def _colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


# -- list ---------------------------------------------------------------------------------------------------


def _list(args: argparse.Namespace) -> int:
    exercises = [one for one in manifest.everything() if not args.chapter or one.chapter == args.chapter]
    if args.json:
        keys = ("name", "title", "topic", "chapter", "minutes", "kind", "competencies")
        print(json.dumps([{key: getattr(one, key) for key in keys} for one in exercises], indent=1))
        return 0
    done = progress.read()
    chapter = ""
    for one in exercises:
        if one.chapter != chapter:
            print(f"{chr(10) if chapter else ''}Chapter {one.chapter}")
            chapter = one.chapter
        record = done.of(one.name)
        mark = "✓" if record.passed else "·" if record.state == "begun" else " "
        print(f"  {mark} {one.name:<26} {one.minutes:>3} min  {one.title}")
    if not exercises:
        print("There are no exercises" + (f" in chapter {args.chapter}." if args.chapter else "."))
    else:
        print("\n✓ solved  · begun      rankzero start NAME")
    return 0


def _configure_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--chapter", default="", metavar="NN", help="only those of one chapter")
    parser.add_argument("--json", action="store_true", help="as JSON")


# -- start and reset ------------------------------------------------------------------------------------------


def _start(args: argparse.Namespace) -> int:
    exercise = manifest.find(args.name)
    if work.start(exercise):
        _remember("start", exercise)
        print(f"{exercise.title}, about {exercise.minutes} minutes, is in {_shown(exercise.work)}")
    else:
        print(f"{exercise.name} is there already, with what you did, in {_shown(exercise.work)}")
        print(f"    rankzero reset {exercise.name}      begins again and keeps yours beside")
    _tell_files(exercise)
    return 0


def _tell_files(exercise: Exercise) -> None:
    print(f"\nRead     {_shown(exercise.work / 'README.md')}")
    print("Change   " + "\n         ".join(_shown(exercise.work / name) for name in exercise.open))
    print(f"Then     rankzero check {exercise.name}      (or leave `rankzero watch {exercise.name}` running beside)")
    print(f"Stuck?   rankzero hint {exercise.name}")


def _reset(args: argparse.Namespace) -> int:
    exercise = manifest.find(args.name)
    kept = work.reset(exercise)
    _remember("reset", exercise)
    if kept:
        print(f"Yours is kept in {_shown(kept)}")
    print(f"{exercise.name} is as at the start, in {_shown(exercise.work)}")
    _tell_files(exercise)
    return 0


# -- check and watch ------------------------------------------------------------------------------------------


def judge(exercise: Exercise) -> verdict.Verdict:
    """Judge the learner's copy and write the result down."""
    said = check.check(exercise)
    if said.result != verdict.UNJUDGED:
        _remember("check", exercise, result=said.result, what="" if said.passed else said.what[:200])
    return said


def _check(args: argparse.Namespace) -> int:
    exercise = work.current(args.name)
    said = judge(exercise)
    print(json.dumps(said.as_json(), indent=1) if args.json else said.as_text(colour=_colour()))
    return said.exit_code


def _configure_check(parser: argparse.ArgumentParser) -> None:
    _name(parser, optional=True)
    parser.add_argument("--json", action="store_true", help="as JSON")


def _watch(args: argparse.Namespace) -> int:
    exercise = work.current(args.name)
    if not exercise.work.is_dir():
        raise ExerciseError(f"{exercise.name} is not started yet.\n    rankzero start {exercise.name}")
    print(f"Watching {_shown(exercise.work)}: save a file, and it is judged. Ctrl-C ends.", flush=True)
    seen: dict[str, tuple[int, int, int]] | None = None
    while True:
        now = work.state(exercise.work)
        if now == seen:
            time.sleep(LOOK)
            continue
        seen = now
        if not now:
            print(f"{_shown(exercise.work)} is gone; waiting for it to come back.", flush=True)
            continue
        print(f"\n── {time.strftime('%H:%M:%S')} ──", flush=True)
        said = judge(exercise)
        print(said.as_text(colour=_colour()), flush=True)
        if args.once and said.passed:
            return 0


def _configure_watch(parser: argparse.ArgumentParser) -> None:
    _name(parser, optional=True)
    parser.add_argument("--once", action="store_true", help="end when it is solved")


# -- hint and solution ----------------------------------------------------------------------------------------


def _hint(args: argparse.Namespace) -> int:
    exercise = work.current(args.name)
    shown = progress.read().of(exercise.name).hints
    number = min(shown + 1, len(exercise.hints))
    if shown >= len(exercise.hints):
        print("That was the last one. Here it is again.\n")
    print(f"Hint {number} of {len(exercise.hints)}\n")
    print("\n".join(verdict.wrapped(exercise.hints[number - 1])))
    _remember("hint", exercise, number=number)
    print()
    print(f"    rankzero {'hint' if number < len(exercise.hints) else 'solution'} {exercise.name}")
    return 0


def _solution(args: argparse.Namespace) -> int:
    exercise = work.current(args.name)
    record = progress.read().of(exercise.name)
    left = len(exercise.hints) - record.hints
    if left > 0 and not args.yes and not record.passed:
        print(f"There {'is' if left == 1 else 'are'} {left} more hint{'s' * (left > 1)} for {exercise.name}.")
        print(f"    rankzero hint {exercise.name}\n    rankzero solution {exercise.name} --yes      shows it now")
        return 1
    _remember("solution", exercise, early=left > 0)
    for path in solution_files(exercise):
        print(f"── {path.relative_to(exercise.folder / 'solution')} ──")
        print(path.read_text(encoding="utf-8").rstrip() + "\n")
    print("\n".join(verdict.wrapped(exercise.after)))
    return 0


def solution_files(exercise: Exercise) -> list[Path]:
    """Return the files of the solution that a person reads."""
    return sorted(path for path in (exercise.folder / "solution").rglob("*") if path.is_file())


def _configure_solution(parser: argparse.ArgumentParser) -> None:
    _name(parser, optional=True)
    parser.add_argument("--yes", action="store_true", help="show it although there are hints left")


# -- progress -------------------------------------------------------------------------------------------------


def _progress(args: argparse.Namespace) -> int:
    done, exercises = progress.read(), manifest.everything()
    for trouble in done.troubles:
        print(trouble, file=sys.stderr)
    if args.json:
        print(json.dumps(progress.export(done, exercises), indent=1, ensure_ascii=False))
        return 0
    if args.page is not None:
        path = Path(args.page) if args.page else places.home() / "progress.html"
        places.store(path.absolute(), progress.page(done, exercises))
        print(path)
        return 0
    print("\n".join(progress.table(done, exercises)))
    print()
    for competency, solved, total in progress.by_competency(done, exercises):
        if solved:
            print(f"  {solved} of {total}  {competency.area}: {competency.outcome}")
    solved = sum(bool(done.of(one.name).passed) for one in exercises)
    print(f"{solved} of {len(exercises)} solved.   rankzero progress --page   writes a page, --json exports")
    return 0


def _configure_progress(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="everything, as JSON")
    parser.add_argument(
        "--page", nargs="?", const="", metavar="FILE", help="write a page (default: progress.html in the state folder)"
    )


LIST = Verb(_configure_list, _list)
START = Verb(_name, _start)
CHECK = Verb(_configure_check, _check)
HINT = Verb(lambda parser: _name(parser, optional=True), _hint)
SOLUTION = Verb(_configure_solution, _solution)
RESET = Verb(_name, _reset)
WATCH = Verb(_configure_watch, _watch)
PROGRESS = Verb(_configure_progress, _progress)
