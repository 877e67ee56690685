"""What lessons show of programs is the text of the file that is compiled."""

import pytest

from rankzero import lesson

SOURCE = """#include <mpi.h>

int main(void) {
    // [part]
    int rank;

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    // [/part]
    // [other]
    return rank;
    // [/other]
}
"""


def test_a_part_is_what_stands_between_its_markers(tmp_path):
    (tmp_path / "a.c").write_text(SOURCE)
    shown = lesson.show(tmp_path / "a.c", "part")
    assert shown.data == "int rank;\n\nMPI_Comm_rank(MPI_COMM_WORLD, &rank);"
    assert lesson.show(tmp_path / "a.c", "other").data == "return rank;"
    assert "MPI_Comm_rank" in shown._repr_html_()


def test_a_whole_program_is_shown_without_a_marker(tmp_path):
    (tmp_path / "a.c").write_text(SOURCE)
    assert lesson.show(tmp_path / "a.c").data == SOURCE.rstrip()


@pytest.mark.parametrize("wrong", ["nowhere", "par"])
def test_a_part_that_is_not_there_is_refused(tmp_path, wrong):
    (tmp_path / "a.c").write_text(SOURCE)
    with pytest.raises(ValueError, match=rf"no part between \[{wrong}\]"):
        lesson.show(tmp_path / "a.c", wrong)


def test_an_empty_part_is_refused(tmp_path):
    (tmp_path / "a.c").write_text("// [part]\n// [/part]\n")
    with pytest.raises(ValueError, match=r"\[part\].* is empty"):
        lesson.show(tmp_path / "a.c", "part")
