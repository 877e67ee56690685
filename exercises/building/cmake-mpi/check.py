"""Holds when libaverage carries MPI to its users, here and installed, and the MPI is the one that CMake was told."""

import re
import shutil

from rankzero.exercises.bench import CannotJudgeError
from rankzero.exercises.kinds.build import Bench

HINTS = {
    r"mpi\.h: No such file": "Who includes average.h needs mpi.h as well. Let CMake find MPI, and say of the library "
    "that its users need it too: that is what PUBLIC means in target_link_libraries.",
    r"undefined reference to `MPI|DSO missing": "Who links libaverage needs the library of MPI as well. Link the "
    "target MPI::MPI_C, publicly.",
    r"No rule to make target .*libmpi": "A path was written down that is not there on this machine. Let find_package "
    "look for MPI.",
    r"MPI::MPI_C": "The installed package speaks of a target MPI::MPI_C that nobody has made in the other project. Its "
    "config file is where it can look for what it needs: find_dependency.",
}
FIRST = {
    r"mpi\.h: No such file": "average.c includes mpi.h, and the compiler does not look where it is. Let CMake find "
    "MPI, and link the library with the target that find_package makes."
}


def check(bench: Bench) -> None:
    for program in ("cmake", "mpicc"):
        bench.need(program)
    for folder in ("build", "stage", "use", "other"):  # of the learner's: a cache knows the folder it was made in
        shutil.rmtree(bench.folder / folder, ignore_errors=True)
    bench.cmake("-B", "build", hints=HINTS)
    bench.cmake("--build", "build", "--target", "average", hints=FIRST | HINTS)
    bench.cmake("--build", "build", hints=HINTS)
    bench.file("build/show")
    run = bench.mpirun(2, "build/show")
    bench.expect("the number of ranks of build/show", yours=run.number("ranks"), expected=2)
    bench.near("the average of the ranks", yours=run.number("average"), expected=0.5, within=0.001)

    bench.cmake("--install", "build", "--prefix", "stage")
    prefix = f"-DCMAKE_PREFIX_PATH={bench.folder / 'stage'}"
    shown = "cmake -S consumer -B use -DCMAKE_PREFIX_PATH=$PWD/stage"
    bench.cmake("-S", "consumer", "-B", "use", prefix, shown=shown, hints=HINTS)
    bench.cmake("--build", "use", hints=HINTS)
    run = bench.mpirun(1, "use/alone")
    bench.near("the average of one rank", yours=run.number("average"), expected=7.0, within=0.001)

    judge_choice(bench)
    judge_package(bench, "stage")


def judge_choice(bench: Bench) -> None:
    """Refuse when another MPI than the one that CMake was told is linked."""
    try:
        mpicc = bench.second_mpi("mpicc")
    except CannotJudgeError:
        bench.note("whether -DMPI_C_COMPILER chooses the MPI: there is only one on this machine")
        return
    bench.cmake("-B", "other", f"-DMPI_C_COMPILER={mpicc}", hints=HINTS)
    bench.cmake("--build", "other", hints=HINTS)
    linked = [name for name in bench.libraries("other/show") if re.match(r"libmpi(ch)?\.", name)]
    bench.require(
        linked and not any(name.startswith("libmpi.so.40") for name in linked),
        "CMake was told to take MPICH, and the program is linked with another MPI",
        yours=f"`ldd other/show` has {' and '.join(linked) or 'no library of MPI'}",
        expected="the library of MPICH alone",
        hint="The user of a project chooses the compiler and the MPI, when configuring. A project that names one, or "
        "asks the first `mpicc` on PATH, takes that choice away. find_package(MPI) heeds it.",
    )


def judge_package(bench: Bench, prefix: str) -> None:
    """Refuse when the installed target has in it where this machine has its MPI."""
    for file in sorted((bench.folder / prefix).rglob("*.cmake")):
        for line in file.read_text().splitlines():
            named = re.match(r'\s*((?:INTERFACE|IMPORTED)_\w+) "([^"]*)"', line)
            if named and (path := re.search(r"(?:^|[;:= IL])(/[^;>]+)", named[2])):
                bench.refuse(
                    "the installed target has a path of this machine in it",
                    yours=f"{path[1]} in {named[1]}, in {file.name}",
                    expected='INTERFACE_LINK_LIBRARIES "MPI::MPI_C"',
                    hint="Where the package is used, MPI may be somewhere else. ${MPI_C_INCLUDE_DIRS} and "
                    "${MPI_C_LIBRARIES} are paths, and are written down as such. The target MPI::MPI_C is written down "
                    "by its name.",
                    output="",
                )
