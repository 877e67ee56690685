"""A fault in a program that a lesson shows turns a compared cell red in at least nine cases of ten.

Each program (files named in the notebook's metadata under `rankzero.programs`, and its Python cells) gets one fault at
a time, in a copy of the tree; then the notebook is run and compared as in the gate. A cell that shows the program's
text does not count as seeing a fault: what the program does must. Nor does a fault count that nobody could see: one
that does not compile, and one with which the program by itself prints the same and ends with the same code. A file is
run by the lines in its header; a cell's program is the lesson, and all it prints counts, compared or not.
"""

from __future__ import annotations

import ast
import functools
import itertools
import json
import os
import queue
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from rankzero import gate, notebooks, places, proc, seeding
from rankzero.proofs import Proof

LEAST = 0.90
"""The part of the faults in each program that must be seen."""

MOST = 12
"""Faults tried in one program; a sample where more can be seeded."""

CELL_TIMEOUT = 30.0
"""Seconds for a cell with a fault in its program: one that hangs is red."""

DIRECT = proc.Limits(wall=30)
MISUSE = 127
"""Exit code of a shell that finds no such command."""
COMMON = "c_examples/common"
Behaviour = tuple[int, str]
"""Exit code and output of one run."""
CELLS = "cells"
"""The name under which a notebook's own Python cells stand."""


def proofs() -> Iterator[Proof]:
    """Return one proof a notebook that shows a program."""
    for path in notebooks.everything():
        files = notebooks.programs(notebooks.load(path))
        inputs = (f"code:{_name(path)}", *files, *headers(files), "src/rankzero/seeding.py")
        yield Proof(
            f"fault_detection/{path.stem}",
            f"A fault in a program of {path.stem} turns a compared cell red in at least {LEAST:.0%} of cases.",
            inputs,
            functools.partial(run, path),
            check,
        )


def headers(files: list[str]) -> list[str]:
    """Return the course's common headers that these programs include."""
    included = {
        name for file in files for name in re.findall(r'^#include "(.+)"', (places.ROOT / file).read_text(), re.M)
    }
    return sorted(f"{COMMON}/{name}" for name in included if (places.ROOT / COMMON / name).exists())


def check(result: dict[str, Any]) -> list[str]:
    """Return the programs in which too many faults pass unseen."""
    found = []
    for program in result["programs"]:
        verdicts = [fault["verdict"] for fault in program["faults"]]
        seen, missed = verdicts.count("seen"), verdicts.count("survived")
        if not seen + missed:
            found.append(f"{program['program']}: no fault was tried")
        elif seen < LEAST * (seen + missed):
            unseen = ", ".join(fault["place"] for fault in program["faults"] if fault["verdict"] == "survived")
            found.append(f"{program['program']}: {seen} of {seen + missed} faults seen; not seen: {unseen}")
    return found


# -- the work ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seeded:
    """A fault in one place: a file, or a cell of the notebook (its index), and how to tell people where."""

    program: str
    cell: int | None
    fault: seeding.Fault
    place: str


def seeded(path: Path) -> tuple[list[Seeded], dict[str, int]]:
    """Return the faults to try in a notebook's programs, and how many can be seeded in each."""
    every: dict[str, list[Seeded]] = {}
    notebook = notebooks.load(path)
    for file in notebooks.programs(notebook):
        faults = seeding.faults((places.ROOT / file).read_text(), seeding.SUFFIXES[Path(file).suffix])
        every[file] = [Seeded(file, None, fault, f"{file}:{fault.line}") for fault in faults]
    own: list[Seeded] = []
    code = [(i, cell) for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    for number, (index, cell) in enumerate(code, 1):
        if not cell.source.startswith("%%") or cell.source.startswith("%%px"):
            faults = seeding.faults(cell.source, "python")
            own += [Seeded(CELLS, index, fault, f"In [{number}]:{fault.line}") for fault in faults]
    if own:
        every[CELLS] = own
    picked = []
    for program, candidates in every.items():
        picked += seeding.sample(candidates, MOST, f"{path.stem} {program}", kind=lambda one: one.fault.kind)
    return picked, {program: len(candidates) for program, candidates in every.items()}


def without_listings(path: Path, program: str) -> NotebookNode:
    """Return a notebook in which cells that print lines of this program's text are not compared."""
    notebook = notebooks.load(path)
    lines = {line.strip() for line in program.splitlines() if len(line.strip()) > 8}
    for cell in notebook.cells:
        shown = {line.strip() for text in notebooks.texts(cell.get("outputs", [])) for line in text.splitlines()}
        if shown & lines:
            cell.metadata.setdefault("tags", []).append(notebooks.NOT_COMPARED)
    return notebook


def run(path: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Try every chosen fault; return the verdict of each."""
    todo, candidates = seeded(path)
    workers = max(1, min(2, len(os.sched_getaffinity(0))))
    with proc.Supervisor() as keeper:  # its folder goes whatever happens
        trees: queue.Queue[Path] = queue.Queue()
        for number in range(workers):
            tree = gate.copy_tree(keeper.run_dir.path / str(number))
            (tree / ".venv").symlink_to(places.VENV)
            trees.put(tree)
        tree = trees.get()
        baseline = notebooks.compare(tree / _name(path), env=environment(tree))
        trees.put(tree)
        if report := baseline.report():
            raise proc.ProcError(f"{path.stem} is red without any fault:\n{report}")
        counter = itertools.count(1)

        def try_one(one: Seeded) -> dict[str, str]:
            tree = trees.get()
            try:
                verdict, evidence = _verdict(one, path, tree)
            finally:
                trees.put(tree)
            fault = one.fault
            change = f"{_short(fault.was)} → {_short(fault.now)}"
            say(f"{next(counter)}/{len(todo)} {one.place} {change}: {verdict}, {evidence}")
            record = {"place": one.place, "kind": fault.kind, "was": fault.was, "now": fault.now}
            return record | {"verdict": verdict, "evidence": evidence}

        with ThreadPoolExecutor(workers) as pool:
            records = list(pool.map(try_one, todo))
    return {
        "notebook": path.stem,
        "programs": [
            {
                "program": program,
                "candidates": count,
                "faults": [record for one, record in zip(todo, records, strict=True) if one.program == program],
            }
            for program, count in candidates.items()
        ],
    }


def _verdict(one: Seeded, path: Path, tree: Path) -> tuple[str, str]:
    """Seed one fault in a tree, look, and take it out again. Returns verdict and evidence."""
    notebook = tree / _name(path)
    file = notebook if one.cell is not None else tree / one.program
    original, lesson = file.read_text(), notebook.read_text()
    try:
        if one.cell is not None:
            changed = notebooks.load(notebook)
            cell = changed.cells[one.cell]
            cell.source = one.fault.apply(cell.source)
            if not _is_python(cell.source):
                return "invalid", "not Python any more"
            file.write_text(notebooks.canonical(changed))
        else:
            notebook.write_text(notebooks.canonical(without_listings(notebook, original)))
            file.write_text(one.fault.apply(original))
            if not _compiles(file, tree):
                return "invalid", "does not compile"
        result = notebooks.compare(notebook, cell_timeout=CELL_TIMEOUT, first_only=True, env=environment(tree))
        if result.red:
            return "seen", f"In [{result.red[0].number}]"
        if result.broken:
            return "seen", result.broken.splitlines()[0]
        direct = direct_run if one.cell is None else direct_lesson
        if behaves_the_same(lambda: direct(file, tree), lambda: file.write_text(original)):
            return "unchanged", "run by itself it prints the same and ends with the same code"
        return "survived", "no compared cell turned red"
    finally:
        file.write_text(original)
        notebook.write_text(lesson)


def behaves_the_same(run: Callable[[], Behaviour | None], mend: Callable[[], object]) -> bool:
    """Whether a program does the same with its fault, as it is now, and without it, after `mend`."""
    faulty = [run() for _ in range(2)]
    mend()
    sound = [run() for _ in range(3)]
    if any(behaviour is None or behaviour[0] != 0 for behaviour in sound):  # it tells nothing
        return False
    return all(behaviour in sound for behaviour in faulty)


def direct_lesson(path: Path, tree: Path) -> Behaviour | None:
    """Execute a lesson in a copy of its tree; return exit code and all outputs. The file stays as it is."""
    text = path.read_text()
    try:
        argv = [sys.executable, "-m", "rankzero.cli", "execute", path]
        result = proc.run(argv, env=environment(tree), limits=proc.Limits(wall=300))
        outputs = [cell.get("outputs", []) for cell in notebooks.load(path).cells]
    finally:
        path.write_text(text)
    return result.returncode, json.dumps(outputs)


def direct_run(file: Path, tree: Path) -> Behaviour | None:
    """Run a program by the lines in its header; return exit code and sorted output, None when no line is there.

    None as well when the lines cannot be run at all, which would look the same with any fault.
    """
    lines = run_lines(file.read_text())
    if not lines:
        return None
    with tempfile.TemporaryDirectory(prefix="rankzero-direct-") as folder:
        # The lines are those that a person types beside the program, with the other topics next door.
        around = file.parent.parent if file.parent.parent == tree / "c_examples" else file.parent
        beside = shutil.copytree(around, Path(folder) / around.name) / file.parent.relative_to(around)
        result = proc.run(["sh", "-ec", "\n".join(lines)], cwd=beside, env=environment(tree), limits=DIRECT)
    if result.returncode == MISUSE or "not found" in result.stderr or "No rule to make" in result.stderr:
        return None
    said = (result.stdout + result.stderr).replace(folder, "…")
    return result.returncode, "\n".join(sorted(said.splitlines()))


def run_lines(text: str) -> list[str]:
    """Return the commands after "Run:" in a program's header."""
    header = re.search(r"\bRun:(.*?)(?:^\W*\w+:|\*/)", text, re.M | re.S)
    lines = header[1].splitlines() if header else []
    return [stripped for line in lines if (stripped := re.sub(r"^\s*(\*|//|!|#)?\s*", "", line).strip())]


def environment(tree: Path) -> dict[str, str]:
    """Return the environment of notebooks, with the package taken from that tree."""
    return notebooks.environment() | {"PYTHONPATH": str(tree / "src")}


def _compiles(file: Path, tree: Path) -> bool:
    env = environment(tree)
    topics = [f"-I{folder}" for folder in sorted(file.parent.parent.iterdir()) if folder.is_dir()]
    match file.suffix:
        case ".py":
            return _is_python(file.read_text())
        case ".sh":
            return proc.run(["bash", "-n", file], env=env, limits=DIRECT).ok
        case ".f90":
            with tempfile.TemporaryDirectory(prefix="rankzero-modules-") as folder:
                argv = ["mpifort", "-fsyntax-only", f"-J{folder}", *_modules(file), file]
                return proc.run(argv, env=env, limits=DIRECT).ok
        case ".cpp":
            return proc.run(["mpicxx", "-fsyntax-only", *topics, file], env=env, limits=DIRECT).ok
    return proc.run(["mpicc", "-fsyntax-only", *topics, file], env=env, limits=DIRECT).ok


def _modules(file: Path) -> list[Path]:
    """Return the files beside a Fortran file that hold modules which it uses."""
    used = set(re.findall(r"^\s*use(?:\s*,.*::)?\s+(\w+)", file.read_text(), re.M | re.I))
    return [
        other
        for other in sorted(file.parent.glob("*.f90"))
        if other != file and used & set(re.findall(r"^\s*module\s+(\w+)\s*$", other.read_text(), re.M | re.I))
    ]


def _is_python(cell: str) -> bool:
    try:
        ast.parse(seeding.without_magics(cell))
    except SyntaxError:
        return False
    return True


def _name(path: Path) -> str:
    return path.relative_to(places.ROOT).as_posix()


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 40 else line[:39] + "…"
