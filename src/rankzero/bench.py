"""`rankzero bench`: the course's own figures on this machine. They are data: nothing passes or fails by them."""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rankzero import book, gate, machine, notebooks, places, proc
from rankzero.exercises import check, manifest
from rankzero.mpi import engines
from rankzero.proofs import FOLDER

RANKS = 4
SAVED = f"{FOLDER}/bench.json"


@dataclass(frozen=True)
class Row:
    """One figure: its name, what is measured, its unit, how often, and the function that measures it once."""

    name: str
    what: str
    unit: str
    repeats: int
    measure: Callable[[], float]


# -- what is measured ----------------------------------------------------------------------------------------


def start_ranks() -> float:
    """Return the seconds until all ranks of a notebook take orders."""
    started = time.monotonic()
    ranks = engines.start(RANKS)
    seconds = time.monotonic() - started
    ranks.stop()
    return seconds


def recover_from_deadlock() -> float:
    """Return the seconds from the end of a cell's time, with one rank in a receive for ever, to new ranks."""
    ranks = engines.start(RANKS)
    try:
        cell = "from mpi4py import MPI\nif MPI.COMM_WORLD.rank == 1: MPI.COMM_WORLD.recv(source=0)"
        result = ranks.view.execute(cell, block=False)
        ready = time.monotonic() + 1.0  # rank 1 is in MPI by then
        try:
            ranks.finish(result, cell, limit=1.0)
        except engines.RanksStuckError:
            return time.monotonic() - ready
        raise proc.ProcError("the rank that waits for ever came back")
    finally:
        ranks.stop()


def set_up_again() -> float:
    """Return the seconds that `make setup` takes when nothing has changed."""
    return proc.run(["make", "--no-print-directory", "setup"], cwd=places.ROOT, check=True).wall


def open_lab() -> float:
    """Return the seconds from `rankzero lab` to an address that answers."""
    with proc.Supervisor() as supervisor:
        log = supervisor.run_dir.path / "lab.log"
        argv = [sys.executable, "-u", "-m", "rankzero.cli", "lab", "--no-browser"]
        started = time.monotonic()
        supervisor.start("lab", argv, cwd=places.ROOT, stdout=log, limits=proc.Limits(wall=60))
        while "token=" not in (log.read_text() if log.exists() else ""):
            if supervisor.wait("lab", 0.02) is not None:
                raise proc.ProcError(f"the lab did not open:\n{log.read_text()}")
        return time.monotonic() - started


@contextmanager
def _copy() -> Iterator[Path]:
    """Make a copy of the checkout, gone at the end."""
    with proc.Supervisor() as supervisor:
        yield gate.copy_tree(supervisor.run_dir.path / "tree")


def build_book() -> float:
    """Return the seconds that the site takes from nothing."""
    with _copy() as tree:
        return book.build(tree).seconds


def build_book_again() -> float:
    """Return the seconds that the site takes after an edit of one page."""
    with _copy() as tree:
        book.build(tree)
        page = tree / "chapters" / "00_start_here.md"
        page.write_text(page.read_text() + "\nOne more sentence.\n")
        return book.build(tree).seconds


def compare_lesson() -> float:
    """Return the seconds that the gate takes to run the first lesson and compare what it prints."""
    return notebooks.compare(notebooks.everything()[0]).seconds


def check_exercises(kind: str) -> Callable[[], float]:
    """Return what measures the seconds for judging a solution; each call takes the next exercise of that kind."""
    turn = itertools.cycle([one for one in manifest.everything() if one.kind == kind])

    def judge() -> float:
        exercise = next(turn)
        said = check.check(exercise, exercise.variants()["solution"])
        if not said.passed:
            raise proc.ProcError(f"{exercise.name}: {said.what}")
        return said.seconds

    return judge


def _check_rows() -> Iterator[Row]:
    for kind in sorted({one.kind for one in manifest.everything()}):
        number = sum(one.kind == kind for one in manifest.everything())
        what = f"a check of a solution: {number} exercise{'s' * (number > 1)} of the kind {kind}"
        yield Row(f"check-{kind}", what, "s", 20, check_exercises(kind))


ROWS = (
    Row("engines", f"{RANKS} ranks for a notebook, until they take orders", "s", 5, start_ranks),
    Row("deadlock", f"from a rank stuck in MPI to {RANKS} new ranks", "s", 5, recover_from_deadlock),
    Row("setup", "make setup, nothing changed", "s", 3, set_up_again),
    Row("lab", "rankzero lab, until JupyterLab answers", "s", 3, open_lab),
    Row("book", "the book from nothing", "s", 1, build_book),
    Row("book-edit", "the book after an edit of one page", "s", 1, build_book_again),
    Row("lesson", "the first lesson, run and compared", "s", 3, compare_lesson),
    *_check_rows(),
)


# -- the table -----------------------------------------------------------------------------------------------


def measure(row: Row, repeats: int | None = None) -> dict[str, Any]:
    """Return a row's figures, or why there are none."""
    values = []
    try:
        for _ in range(repeats or row.repeats):
            values.append(row.measure())
    except (proc.ProcError, engines.EnginesError) as err:
        return {"name": row.name, "what": row.what, "not_measured": str(err).strip().splitlines()[0]}
    return {"name": row.name, "what": row.what, "unit": row.unit, "values": [round(value, 3) for value in values]}


def line(figures: Mapping[str, Any]) -> str:
    """Return one row of the table."""
    if "not_measured" in figures:
        return f"{figures['name']:<{NAME}} not measured: {figures['not_measured']}"
    values, unit = figures["values"], figures["unit"]
    shown = "".join(f"{value:>9.2f} {unit:<3}" for value in (statistics.median(values), min(values), p95(values)))
    return f"{figures['name']:<{NAME}}{shown}{len(values):>4}  {figures['what']}"


def p95(values: Sequence[float]) -> float:
    """Return the value that 95 % do not exceed: of fewer than 20 the largest."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


NAME = 16
HEADER = f"{'':<{NAME}}" + "".join(f"{title:>9} {'':<3}" for title in ("median", "least", "p95")) + f"{'n':>4}"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rankzero bench`."""
    names = [row.name for row in ROWS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: all of {', '.join(names)}")
    parser.add_argument("--repeat", type=int, metavar="N", help="measure each figure N times")
    parser.add_argument("--json", action="store_true", help="print data instead of a table")
    parser.add_argument("--save", action="store_true", help=f"also store the data in {SAVED}, for the book")


def main(args: argparse.Namespace, rows: Sequence[Row] = ROWS) -> int:
    """Measure, and print the table of figures with machine and date."""
    known = {row.name: row for row in rows}
    if unknown := [name for name in args.names if name not in known]:
        print(f"rankzero bench: there is no figure {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    told = machine.describe()
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    record: dict[str, Any] = {"machine": told, "date": date, "rows": []}
    if not args.json:
        print(f"{machine.sentence(told)}, {date}\n\n{HEADER}", flush=True)
    for name in args.names or known:
        record["rows"].append(measure(known[name], args.repeat))
        if not args.json:
            print(line(record["rows"][-1]), flush=True)
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    if args.json:
        print(text, end="")
    if args.save:
        places.store(places.ROOT / SAVED, text)
    return 0
