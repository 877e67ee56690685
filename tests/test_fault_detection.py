"""The proof that faults are seen: what counts as seen, and what as a fault."""

from __future__ import annotations

import nbformat.v4 as v4
import pytest

from rankzero import notebooks, places, seeding
from rankzero.proofs import fault_detection

PROGRAM = """\
/*
 * Purpose: none
 * Run:     cc -o sum sum.c
 *          ./sum
 * Source:  none
 */
#include <stdio.h>
int main(void) {
    int sum = 1 + 1, unused = 3;
    (void)unused;
    printf("%d\\n", sum);
    return 0;
}
"""


def verdicts(**counts):
    faults = [{"verdict": verdict, "place": f"x.c:{n}"} for verdict, number in counts.items() for n in range(number)]
    return {"programs": [{"program": "x.c", "faults": faults}]}


def test_nine_of_ten_faults_in_each_program_must_be_seen():
    assert fault_detection.check(verdicts(seen=9, survived=1)) == []
    assert fault_detection.check(verdicts(seen=8, survived=1)) == ["x.c: 8 of 9 faults seen; not seen: x.c:0"]


def test_faults_that_nobody_could_see_do_not_count():
    assert fault_detection.check(verdicts(seen=1, unchanged=20, invalid=20)) == []
    assert fault_detection.check(verdicts(unchanged=20)) == ["x.c: no fault was tried"]


def test_the_lines_that_run_a_program_are_those_of_its_header():
    assert fault_detection.run_lines(PROGRAM) == ["cc -o sum sum.c", "./sum"]


@pytest.mark.parametrize("path", notebooks.everything(), ids=lambda path: path.stem)
def test_every_program_that_a_lesson_shows_says_how_it_is_run(path):
    for file in notebooks.programs(notebooks.load(path)):
        assert fault_detection.run_lines((places.ROOT / file).read_text()), f"{file}: its header has no line Run:"


def test_a_fault_without_effect_is_told_from_one_with_effect(tmp_path):
    file = tmp_path / "sum.c"
    found = {}
    for fault in seeding.faults(PROGRAM, "c"):
        if fault.kind == "constant":
            file.write_text(fault.apply(PROGRAM))
            found[fault.was, fault.line] = fault_detection.behaves_the_same(
                lambda: fault_detection.direct_run(file, places.ROOT), lambda: file.write_text(PROGRAM)
            )
    assert found == {("1", 9): False, ("3", 9): True, ("0", 12): False}
    assert file.read_text() == PROGRAM


def test_a_cell_that_shows_the_program_does_not_count_as_seeing_its_fault(tmp_path):
    listing = v4.new_output("execute_result", {"text/plain": "int sum = 1 + 1, unused = 3;"}, execution_count=1)
    result = v4.new_output("stream", text="2\n")
    cells = [v4.new_code_cell("show(…)", outputs=[listing]), v4.new_code_cell("!./sum", outputs=[result])]
    path = tmp_path / "01.ipynb"
    path.write_text(notebooks.canonical(v4.new_notebook(cells=cells)))
    seen = fault_detection.without_listings(path, PROGRAM).cells
    assert [notebooks.is_compared(cell) for cell in seen] == [False, True]
