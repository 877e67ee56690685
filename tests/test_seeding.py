"""Seeded faults: one mistake each, of the kinds that parallel programs suffer from, and none in what is no code."""

from __future__ import annotations

import ast

import pytest

from rankzero import seeding

C = """\
#include <mpi.h>  // rank + 1
int main(int argc, char **argv) {
    int rank, x[4];
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0 && argc > 1) MPI_Send(x, 4, MPI_INT, 1, 7, MPI_COMM_WORLD);
    MPI_Reduce(x, x, 4, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
    printf("rank + 1 == 2");
    return 0;
}
"""
PYTHON = """\
%%px
!echo rank + 1
lines = !echo rank + 1
import numpy as np
rank = comm.rank
if rank == 0 and n is not None:
    comm.send("rank + 1", dest=rank + 1, tag=5)
total = comm.allreduce(mine, op=MPI.SUM)
"""


FORTRAN = """\
program p
  use mpi_f08
  integer :: i = 3, rank
  real(8) :: u(4)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  if (i >= 4 .and. rank == 0) then  ! rank + 1
    call MPI_Send(u, 4, MPI_REAL8, rank + 1, 7, MPI_COMM_WORLD)
  end if
  u(1) = 1.5d0 * i - 100_8
end program
"""
BASH = """\
#!/bin/bash
n=3  # 4
if [[ $n -gt 2 && -n $1 ]]; then
    rm -- "$1"
fi
mkdir new && mv a new
"""


def seeded(text, language):
    return {(fault.line, fault.kind, fault.was, fault.now) for fault in seeding.faults(text, language)}


def test_faults_in_c_are_of_every_kind():
    found = seeded(C, "c")
    assert {
        (4, "missing statement", "MPI_Comm_rank(MPI_COMM_WORLD, &rank);", ";"),
        (5, "comparison", "==", "!="),
        (5, "arithmetic", "&&", "||"),
        (5, "rank", "rank", "(rank + 1)"),
        (5, "constant", "1", "2"),
        (5, "MPI argument", "4", "(4) - 1"),
        (5, "MPI argument", "1", "(1) + 1"),
        (5, "MPI argument", "7", "(7) + 1"),
        (6, "MPI argument", "MPI_SUM", "MPI_MAX"),
        (6, "MPI argument", "0", "(0) + 1"),
    } <= found
    assert {fault[0] for fault in found if fault[1] != "constant"} == {4, 5, 6, 7}, (
        "no includes, comments, declarations"
    )
    assert [fault[1] for fault in found if fault[0] == 7] == ["missing statement"], "texts stay as they are"


def test_faults_in_fortran_are_of_every_kind():
    found = seeded(FORTRAN, "fortran")
    assert {
        (5, "missing statement", "call MPI_Comm_rank(MPI_COMM_WORLD, rank)", "continue"),
        (6, "comparison", ">=", ">"),
        (6, "comparison", "==", "/="),
        (6, "arithmetic", ".and.", ".or."),
        (6, "rank", "rank", "(rank + 1)"),
        (7, "MPI argument", "rank + 1", "(rank + 1) + 1"),
        (7, "MPI argument", "7", "(7) + 1"),
        (9, "constant", "1.5d0", "2.5d0"),
        (9, "constant", "100_8", "101_8"),
        (9, "arithmetic", "*", "+"),
    } <= found
    assert min(fault[0] for fault in found) == 5, "no declarations"
    assert [fault[1] for fault in found if fault[0] == 5] == ["missing statement"], "rank is filled there, not read"


def test_faults_in_bash_are_of_every_kind():
    found = seeded(BASH, "bash")
    assert {
        (2, "constant", "3", "4"),
        (3, "comparison", "-gt", "-ge"),
        (3, "comparison", "-n", "-z"),
        (3, "arithmetic", "&&", "||"),
        (4, "missing statement", 'rm -- "$1"', ":"),
        (6, "arithmetic", "&&", "||"),
        (6, "missing statement", "mkdir new && mv a new", ":"),
    } <= found


def test_streams_of_cxx_are_left_alone():
    assert seeded("int main() { std::cout << 1 + 2 << n; }", "cpp") >= {(1, "arithmetic", "+", "-")}
    assert not {fault for fault in seeded("int main() { std::cout << n; }", "cpp") if fault[1] == "arithmetic"}


def test_faults_in_python_are_of_every_kind():
    found = seeded(PYTHON, "python")
    assert {
        (5, "rank", "comm.rank", "(comm.rank + 1)"),
        (6, "comparison", "is not", "is"),
        (6, "arithmetic", "and", "or"),
        (7, "MPI argument", "rank + 1", "(rank + 1) + 1"),
        (7, "MPI argument", "5", "(5) + 1"),
        (8, "MPI argument", "MPI.SUM", "MPI.MAX"),
        (8, "missing statement", "total = comm.allreduce(mine, op=MPI.SUM)", "pass"),
    } <= found
    assert {fault[0] for fault in found} == {5, 6, 7, 8}, "no magics, no imports"


@pytest.mark.parametrize("fault", seeding.faults(PYTHON, "python"), ids=lambda fault: f"{fault.line}-{fault.now}")
def test_a_program_with_a_fault_differs_in_that_place_only_and_can_be_read(fault):
    changed = fault.apply(PYTHON)
    assert changed != PYTHON
    assert changed.startswith(PYTHON[: fault.start])
    assert changed.endswith(PYTHON[fault.end :])
    ast.parse(seeding.without_magics(changed))


def test_positions_hold_behind_letters_of_several_bytes():
    text = 'x = "π"\ny = 1\n'
    assert [fault.apply(text) for fault in seeding.faults(text, "python") if fault.kind == "constant"] == [
        'x = "π"\ny = 2\n'
    ]


def test_a_sample_is_bounded_mixed_and_the_same_again():
    def sample(most, seed):
        return seeding.sample(every, most, seed, kind=lambda fault: fault.kind)

    every = seeding.faults(C, "c")
    picked = sample(5, "a seed")
    assert picked == sample(5, "a seed")
    assert picked != sample(5, "another seed")
    assert len({fault.kind for fault in picked}) == 5
    assert sample(1000, "a seed") == every
