"""What the kinds with compiled programs share: compile, launch on ranks of either MPI, look into a binary."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from typing import Any

from rankzero.exercises import bench
from rankzero.mpi import toolchain

COMPILERS = {".c": ("gcc", "mpicc"), ".cpp": ("g++", "mpicxx"), ".f90": ("gfortran", "mpifort")}
"""Suffix -> compiler without and with MPI."""
FLAGS = ("-g", "-O2", "-Wall")
OTHER = "MPICH"
Hints = Mapping[str, str]


class Bench(bench.Bench):
    """A bench for programs in C, C++ and Fortran."""

    def compile(
        self,
        *sources: str,
        output: str = "",
        mpi: str | bool = True,
        flags: tuple[str, ...] = FLAGS,
        hints: Hints | None = None,
        **options: Any,
    ) -> str:
        """Compile and link files into one program and return how it is called.

        mpi: True, the course's MPI; False, none; "MPICH", the second one. output: its name; default: that of the first
        source. The first file's suffix decides the compiler. hints: regular expression -> the next step, for what the
        compiler may say. Refuses with its first error.
        """
        suffix = "." + sources[0].rsplit(".", 1)[-1]
        output = output or sources[0].rsplit(".", 1)[0]
        wrapper = COMPILERS[suffix][1 if mpi else 0]
        if mpi == OTHER:
            wrapper = self.second_mpi(wrapper)
        libraries = () if suffix == ".f90" else ("-lm",)
        for source in sources:
            self.file(source)
        run = self.run(wrapper, *flags, *sources, "-o", output, *libraries, ok=False, wall=60, **options)
        if run.returncode:
            error = first_error(run.output)
            self.refuse(
                "it does not compile" if "ld returned" not in run.output else "it compiles, and does not link",
                yours=error,
                expected="no error",
                hint=hint_for(run.output, hints),
            )
        return f"./{output}"

    def mpirun(self, ranks: int, *argv: str, mpi: str | bool = True, **options: Any) -> bench.Run:
        """Run a program on ranks of the course's MPI, or of "MPICH"."""
        launcher, compiler = (self.second_mpi(name) if mpi == OTHER else name for name in ("mpirun", "mpicc"))
        self.need(launcher)
        which = toolchain.Mpi(OTHER if mpi == OTHER else "Open MPI", "", compiler, launcher)
        return self.run(launcher, "-n", str(ranks), *argv, mpi=which, **options)

    def second_mpi(self, program: str) -> str:
        """Return the name of MPICH's mpicc, mpicxx, mpifort or mpirun here. Raises CannotJudgeError without MPICH."""
        if shutil.which(f"{program}.mpich"):
            return f"{program}.mpich"
        found = toolchain.find(OTHER)
        if found is None:
            raise bench.CannotJudgeError("MPICH is not on this machine, and the check needs it.\n    make setup")
        return str(found.mpicc).removesuffix("mpicc") + program

    # -- looking into binaries ------------------------------------------------------------------------

    def dynamic(self, binary: str) -> dict[str, list[str]]:
        """Return the dynamic section of a program or library: NEEDED, SONAME, RPATH, RUNPATH, each with its values."""
        self.file(binary)
        text = self.run("readelf", "-d", binary).stdout
        found: dict[str, list[str]] = {}
        for key, value in re.findall(r"\((NEEDED|SONAME|RPATH|RUNPATH)\)\s+[^\[]*\[([^\]]*)\]", text):
            found.setdefault(key, []).append(value)
        return found

    def libraries(self, binary: str, **options: Any) -> dict[str, str]:
        """Return what the loader would load, name -> path, as ldd prints it; "not found" where it finds none."""
        self.file(binary)
        text = self.run("ldd", binary, **options).stdout
        return {name: path.split(" (")[0].strip() for name, path in re.findall(r"^\s*(\S+) => (.+)$", text, re.M)}


def hint_for(output: str, hints: Hints | None) -> str:
    """Return the next step for what a tool said."""
    found = (hint for pattern, hint in (hints or {}).items() if re.search(pattern, output, re.M))
    return next(found, "Mend the first error that it names; those after it often follow from it.")


def first_error(text: str) -> str:
    """Return the first error of a compiler or linker, with the lines that belong to it."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if re.search(r"\berror\b|undefined reference|multiple definition|cannot find|Error:|^CMake Error", line):
            before = lines[number - 4 : number] if line.startswith("Error:") else []  # gfortran shows the place first
            return "\n".join([*before, *lines[number : number + 3]])
    return bench.tail(text)
