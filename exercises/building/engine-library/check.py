"""Holds when every rank has the total that the C function in libtotal.so computes, with the MPI of the ranks."""

import re

from rankzero.exercises.kinds.python import Bench
from rankzero.mpi import toolchain

RANKS = 4
ADDED = 1000.0  # by the check's own total.c, to see who has computed
LIBRARIES = {r"libmpich|libmpi\.so\.12": "MPICH", r"libmpi\.so\.40": "Open MPI"}
HINTS = {
    "ArgumentError": "By itself, ctypes hands over ints and pointers only. Give the types of all arguments, in "
    "`.argtypes`, or the type of this one, as in `ctypes.c_double(weight)`.",
    "killed by SIG": "A crash inside of C. With which MPI's mpi.h was libtotal.so compiled? It must be that of the "
    "ranks: use its mpicc. And does each argument arrive with the type that total.c gives it?",
    "had finished": "In `weighted_total`, MPI_Allreduce waits for all ranks of the communicator: each must call it.",
}


def check(bench: Bench) -> None:
    for program in ("make", "mpicc.mpich"):
        bench.need(program)
    course = toolchain.course()
    ours = course.name if course else ""
    bench.bring("total.c").touch()
    weight, *values = map(float, bench.bring("values.txt").read_text().split())
    right = weight * sum(values)

    bench.run("make")
    for name in bench.libraries("libtotal.so"):
        whose = next((mpi for pattern, mpi in LIBRARIES.items() if re.match(pattern, name)), ours)
        if whose != ours:
            bench.refuse(
                f"libtotal.so is made for {whose}, and the ranks run {ours}",
                yours=f"{name}, as `ldd libtotal.so` shows",
                expected=f"the library of {ours}, or none",
                hint="In mpi.h, MPI_Comm, MPI_DOUBLE and MPI_SUM are numbers with one MPI and addresses with the "
                "other. A process has one MPI, so everything that it loads is compiled with the wrapper of that one. "
                "`MPI.Get_library_version()` in a `%%px` cell tells which MPI the ranks run.",
                output="",
            )

    totals = bench.engines(RANKS, "on_ranks.py", "total", hints=HINTS)["total"]
    lost = [rank for rank, total in enumerate(totals) if type(total) is int]
    bench.require(
        not lost,
        "ctypes takes the result of the C function for an int",
        yours=f"total is an int on rank {', '.join(map(str, lost))}",
        expected="a float",
        hint="ctypes knows nothing of C's declarations. Say what the function returns, in `restype`, before the call.",
    )
    bench.require(
        totals != [right] * RANKS,
        "the total is right, but the function in libtotal.so has not computed it",
        yours="the check's libtotal.so adds 1000 to every total, and yours did not change",
        expected="the result of `weighted_total`",
        hint="Load ./libtotal.so, and call its function on every rank.",
    )
    apart = len(set(totals)) == RANKS and abs(sum(totals) - RANKS * ADDED - right) < 1e-6
    bench.expect(
        f"the total on the ranks (of other values than yours, and the check's own libtotal.so adds {ADDED:g})",
        yours=totals,
        expected=[right + ADDED] * RANKS,
        hint="Each rank has another total, that of its own values: the function did not get the communicator of all "
        "ranks."
        if apart
        else "Compare, one by one, what total.c says of result and arguments with what ctypes is told: double is "
        "c_double, long is c_long. It is nan where another weight has arrived: a Python float that is handed over as "
        "an int loses what is behind the point, and C looks for a double in another place.",
    )
