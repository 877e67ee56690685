"""Every notebook prints what it shows, and the suite sees it when one does not."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import nbformat.v4 as v4
import pytest

from rankzero import notebooks, places, proc

LEAST_COMPARED = 0.70
"""The part of the printing cells that must be compared."""

ALL = notebooks.everything()


def name(path: Path) -> str:
    return path.stem


# -- the notebooks of the course ---------------------------------------------------------------------------


@pytest.mark.timeout(660)
@pytest.mark.parametrize("path", ALL, ids=name)
def test_outputs_are_what_the_code_prints(path, summary):
    result = notebooks.compare(path)
    summary(f"{path.stem}: {notebooks.share(path)}, {result.seconds:.1f} s")
    assert not result.report(), (
        f"{path.relative_to(places.ROOT)} shows what its code does not print\n\n{result.report()}"
    )


@pytest.mark.parametrize("path", ALL, ids=name)
def test_a_lesson_is_stored_as_the_house_wants_it(path):
    assert notebooks.problems(path) == []


@pytest.mark.parametrize("path", ALL, ids=name)
def test_most_of_what_a_lesson_prints_is_compared(path):
    share = notebooks.share(path)
    assert share.part >= LEAST_COMPARED, f"{share}, {LEAST_COMPARED:.0%} at least"


def test_there_are_lessons_and_most_of_what_they_print_is_compared(summary):
    total = sum(map(notebooks.share, ALL), start=notebooks.Share(0, 0))
    summary(f"all notebooks: {total}; bitmaps are not compared")
    assert total.printing > 0
    assert total.part >= LEAST_COMPARED


# -- what the suite must see: a small book, sound but for one thing ----------------------------------------


def code(source, count=None, outputs=(), tags=(), **ours):
    metadata = ({"tags": list(tags)} if tags else {}) | ({"rankzero": ours} if ours else {})
    return v4.new_code_cell(source, execution_count=count, outputs=list(outputs), metadata=metadata)


def printed(text):
    return v4.new_output("stream", name="stdout", text=text)


def lesson(*cells, sections=(*notebooks.OPENING, *notebooks.CLOSING), minutes=5):
    opening, closing = [f"## {section}" for section in sections[:2]], [f"## {section}" for section in sections[2:]]
    first, last = "\n\n".join(["# A lesson", *opening]), "\n\n".join(closing)
    return v4.new_notebook(
        cells=[v4.new_markdown_cell(first), *cells, v4.new_markdown_cell(last)],
        metadata={"rankzero": {"minutes": minutes}},
    )


@pytest.fixture
def book(tmp_path):
    """A function that stores a notebook in a small book and returns its path."""
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n- file: notebooks/01_lesson\n")
    (tmp_path / "notebooks").mkdir()

    def store(notebook, name="01_lesson"):
        path = tmp_path / "notebooks" / f"{name}.ipynb"
        path.write_text(notebook if isinstance(notebook, str) else notebooks.canonical(notebook))
        return path

    return store


def audit(path):
    return notebooks.problems(path, path.parents[1])


def test_a_sound_lesson_is_accepted(book):
    path = book(lesson(code("print(1 + 1)", 1, [printed("2\n")])))
    assert audit(path) == []
    assert notebooks.compare(path).report() == ""


def test_a_notebook_below_a_folder_that_may_only_be_passed_through_is_run(book, tmp_path):
    """As in the gate, where the copy stands in a folder that the user who runs the suite may not list."""
    path = book(lesson(code("print(1)", 1, [printed("1\n")])))
    tmp_path.chmod(0o311)
    try:
        assert notebooks.compare(path).report() == ""
    finally:
        tmp_path.chmod(0o700)


def test_a_notebook_that_cannot_be_collected_is_said_to_be_broken(book):
    assert "nbval ended with exit code" in notebooks.compare(book("no notebook")).broken


@pytest.mark.skipif(not ALL, reason="there is no notebook yet")
def test_a_change_of_one_committed_output_turns_its_cell_red(tmp_path):
    """On a copy of a real lesson: one digit of the first output that is compared and not an error."""
    notebook = notebooks.load(ALL[0])
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    number, output = next(
        (number, output)
        for number, cell in enumerate(cells, 1)
        for output in cell.outputs
        if notebooks.is_compared(cell) and output.output_type == "stream"
    )
    output.text = output.text[:-2] + chr(ord(output.text[-2]) + 1) + output.text[-1]
    copy = tmp_path / "notebooks" / ALL[0].name
    copy.parent.mkdir()
    (tmp_path / "c_examples").symlink_to(places.ROOT / "c_examples")
    copy.write_text(notebooks.canonical(notebook))
    result = notebooks.compare(copy, first_only=True)
    assert [cell.number for cell in result.red] == [number], result.report()
    assert "Cell outputs differ" in result.report()


def test_a_notebook_that_is_not_in_the_book_is_refused(book):
    book(lesson())
    assert audit(book(lesson(), "02_forgotten")) == ["not in the book: add `file: notebooks/02_forgotten` to _toc.yml"]


FAULTS = {
    "an untagged error": (
        lesson(code("1 / 0", 1, [v4.new_output("error", ename="ZeroDivisionError", evalue="division by zero")])),
        "cell 2: an error without the tag raises-exception: ZeroDivisionError: division by zero",
    ),
    "a tag for an error that is not there": (
        lesson(code("1", 1, tags=["raises-exception"])),
        "cell 2: tagged raises-exception, and no error is stored",
    ),
    "a code cell that was never executed": (
        lesson(code("print(1)")),
        "cell 2: a code cell that was never executed",
    ),
    "a pending result": (
        lesson(code("%px 1", 1, [v4.new_output("execute_result", {"text/plain": "<AsyncResult(%px): pending>"})])),
        "cell 2: a pending result is stored (<AsyncResult…)",
    ),
    "an output not compared, without a reason": (
        lesson(code("print(1)", 1, [printed("1\n")], tags=["nbval-ignore-output"])),
        "cell 2: tagged nbval-ignore-output without a reason",
    ),
    "an output not compared because of a comment": (
        lesson(code("# NBVAL_IGNORE_OUTPUT\nprint(1)", 1, [printed("1\n")])),
        "cell 2: a comment that steers nbval",
    ),
    "a cell skipped": (lesson(code("1", 1, tags=["nbval-skip"])), "cell 2: the tag nbval-skip"),
    "a semicolon that hides an output": (lesson(code("plot();", 1)), "cell 2: a trailing `;`"),
    "an empty cell": (lesson(code("")), "cell 2: an empty code cell"),
    "a path of this machine": (
        lesson(code("print(f)", 1, [printed("/home/ada/work/x.c\n")])),
        "cell 2: the output names a path of this machine: /home/ada/work/x.c",
    ),
    "a process id": (
        lesson(code("print(p)", 1, [printed("started with PID 4711\n")])),
        "cell 2: the output names a process id of this machine: PID 4711",
    ),
    "pasted output": (
        lesson(v4.new_markdown_cell("```\nrank 0 of 4\n```")),
        "cell 2: line 1: pasted text",
    ),
    "a program in which no fault is seeded": (
        lesson(code("!mpicc ../c_examples/first/pi.c", 1)),
        "the metadata lack c_examples/first/pi.c in `rankzero.programs`",
    ),
    "too many cells": (lesson(*(v4.new_markdown_cell("x") for _ in range(24))), "26 cells, 25 at most"),
    "no minutes": (lesson(minutes=0), "the metadata lack `rankzero.minutes`"),
    "sections in another order": (
        lesson(sections=("Before you start", "You will be able to", "What you learned", "Next")),
        "sections must be You will be able to · Before you start · … · What you learned · Next",
    ),
    "two titles": (lesson(v4.new_markdown_cell("# Another")), "one title (`# …`) is wanted, there are 2"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_lesson_with_one_fault_is_refused_for_it(fault, book):
    notebook, message = FAULTS[fault]
    faults = audit(book(notebook))
    assert any(line.startswith(message) for line in faults), faults


def test_cells_run_out_of_order_are_refused(book):
    path = book(lesson(code("1", 1), code("2", 2)))
    path.write_text(path.read_text().replace('"execution_count": 1', '"execution_count": 7'))
    faults = audit(path)
    assert faults[0].startswith("cells were not run once each from top to bottom: execution counts [7, 2]")
    assert faults[1].startswith("not in canonical form")


def test_each_cell_that_does_not_print_what_it_shows_turns_red(book):
    error = v4.new_output("error", ename="ValueError", evalue="no")
    cells = {
        "as shown": code("print(1)", 1, [printed("1\n")]),
        "another output": code("print(1)", 2, [printed("2\n")]),
        "an output that is not stored": code("print(1)", 3),
        "no output": code("pass", 4, [printed("1\n")]),
        "an output not compared": code("print(1)", 5, [printed("2\n")], [notebooks.NOT_COMPARED]),
        "the deliberate error": code("raise ValueError('no')", 6, [error], [notebooks.RAISES]),
        "another error": code("raise ValueError('yes')", 7, [error], [notebooks.RAISES]),
        "no error": code("pass", 8, [error], [notebooks.RAISES]),
    }
    result = notebooks.compare(book(lesson(*cells.values())))
    assert [list(cells)[cell.number - 1] for cell in result.red] == [
        "another output",
        "an output that is not stored",
        "no output",
        "another error",
        "no error",
    ]
    assert not result.broken


@pytest.mark.parametrize(
    "hang", ["import time; time.sleep(600)", "import signal, time; signal.signal(2, signal.SIG_IGN); time.sleep(600)"]
)
def test_a_cell_that_hangs_turns_red_in_time_and_leaves_nothing(hang, book):
    start = "import subprocess\n_ = subprocess.Popen(['setsid', 'sleep', '600'])"
    result = notebooks.compare(book(lesson(code(start, 1), code(hang, 2), code("print(1)", 3))), cell_timeout=1)
    assert result.cells[1].outcome == "differs"
    assert "Timeout of 1 seconds exceeded" in result.report()


def test_a_notebook_that_outlives_its_time_is_killed_and_leaves_nothing(book):
    result = notebooks.compare(book(lesson(code("import time; time.sleep(600)", 1))), wall=4)
    assert result.broken == "the notebook did not end within 4 s and was killed"


def test_a_kernel_that_dies_turns_its_cell_red(book):
    result = notebooks.compare(book(lesson(code("import os; os._exit(3)", 1), code("1", 2))), cell_timeout=5)
    assert result.report()


def test_a_bitmap_is_not_counted_as_compared():
    figure = v4.new_output("display_data", {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure size 640x480>"})
    assert not notebooks.is_compared(code("plot()", 1, [figure]))
    assert notebooks.is_compared(code("plot()", 1, [figure, printed("1\n")]))


# -- one canonical form ------------------------------------------------------------------------------------


def test_the_canonical_form_of_the_canonical_form_is_itself(book):
    path = book(lesson(code("print(1)", 1, [printed("1\n")])))
    assert notebooks.canonical(notebooks.load(path)) == path.read_text()


def test_what_editors_note_for_themselves_is_not_stored():
    notebook = lesson(code("1", 9, [v4.new_output("execute_result", {"text/plain": "1"}, execution_count=9)], ["keep"]))
    notebook.cells[1].metadata |= {"execution": {"iopub.execute_input": "2026"}, "trusted": True, "collapsed": False}
    notebook.metadata |= {"language_info": {"name": "python", "version": "3.11.2"}, "widgets": {}, "kernelspec": {}}
    stored = json.loads(notebooks.canonical(notebook))
    assert stored["cells"][1]["metadata"] == {"tags": ["keep"]}
    assert stored["cells"][1]["execution_count"] == stored["cells"][1]["outputs"][0]["execution_count"] == 1
    assert stored["metadata"]["kernelspec"] == notebooks.KERNELSPEC
    assert "version" not in stored["metadata"]["language_info"]
    assert set(stored["metadata"]) == {"kernelspec", "language_info", "rankzero"}


def test_a_cell_keeps_its_id_and_gets_a_stable_one_where_it_has_none(book):
    raw = json.loads(notebooks.canonical(lesson(code("1"), code("1"), code("1"))))
    for cell in raw["cells"][1:]:
        del cell["id"]
    texts = [notebooks.canonical(notebooks.load(book(json.dumps(raw)))) for _ in range(2)]
    assert texts[0] == texts[1]
    ids = [cell["id"] for cell in json.loads(texts[0])["cells"]]
    assert ids[0] == raw["cells"][0]["id"]
    assert len(set(ids)) == len(ids)


# -- execute -----------------------------------------------------------------------------------------------


def execute(*paths, options=()):
    argv = [sys.executable, "-m", "rankzero.cli", "execute", *options, *paths]
    return proc.run(argv, cwd=paths[0].parent)


def test_execute_stores_what_the_code_prints_and_a_second_run_changes_nothing(book):
    path = book(lesson(code("print(1 + 1)"), code("print('a')\nimport sys\nprint('b', file=sys.stderr)\nprint('c')")))
    result = execute(path)
    assert result.ok, result.stdout + result.stderr
    assert audit(path) == []
    assert notebooks.compare(path).report() == ""
    assert "2 of 2 printing cells compared (100%), stored" in result.stdout
    assert "unchanged" in execute(path).stdout


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import time; time.sleep(600)", "still running after 2 s"),
        ("import os; os._exit(3)", "the kernel died"),
    ],
)
def test_execute_stops_at_a_fault_and_leaves_the_notebook_as_it_was(source, message, book):
    faulty, later = book(lesson(code("print(1)"), code(source)), "02_faulty"), book(lesson(code("1")), "03_later")
    before = faulty.read_bytes()
    result = execute(faulty, later, options=["--cell-timeout", "2"])
    assert result.returncode == 1
    assert "In [2]: " in result.stdout
    assert message in result.stdout
    assert f"0 of 2 stored. To go on:\n    make execute NOTEBOOKS='{faulty} {later}'" in result.stdout
    assert faulty.read_bytes() == before
    assert sorted(path.name for path in faulty.parent.iterdir()) == [faulty.name, later.name]


def test_execute_interrupted_leaves_every_notebook_whole_and_says_how_to_go_on(book, tmp_path):
    first, second = book(lesson(code("1"))), book(lesson(code("import time; time.sleep(600)")), "02_long")
    before = second.read_bytes()
    with proc.Supervisor() as supervisor:
        log = tmp_path / "log"
        argv = [sys.executable, "-u", "-m", "rankzero.cli", "execute", first, second]
        pid = supervisor.start("execute", argv, stdout=log)
        give_up = time.monotonic() + 60
        while "02_long" not in log.read_text() and time.monotonic() < give_up:
            time.sleep(0.05)
        os.kill(pid, signal.SIGINT)
        end = supervisor.wait("execute", timeout=20)
    assert end is not None
    assert end["returncode"] == 130, log.read_text()
    assert f"1 of 2 stored. To go on:\n    make execute NOTEBOOKS={second}" in log.read_text()
    assert second.read_bytes() == before
    assert sorted(path.name for path in second.parent.iterdir()) == [first.name, second.name]
