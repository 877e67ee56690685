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

    BUILD_SECONDS = 60.0

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
        argv = (wrapper, *flags, *sources, "-o", output, *libraries)
        run = self.run(*argv, ok=False, wall=self.BUILD_SECONDS, **options)
        if run.returncode:
            error = first_error(run.stderr or run.output, hints)
            self.refuse(
                "it does not compile" if "ld returned" not in run.output else "it compiles, and does not link",
                yours=error,
                expected="no error",
                hint=hint_for(run.output, hints),
                output="",
            )
        return f"./{output}"

    def make(self, *targets: str, ok: bool = True, hints: Hints | None = None, **options: Any) -> bench.Run:
        """Run make, and refuse with its first error when it fails. hints: as for `compile`."""
        return self.built(self.run("make", *targets, ok=False, wall=self.BUILD_SECONDS, **options), ok, hints)

    def built(self, run: bench.Run, ok: bool = True, hints: Hints | None = None) -> bench.Run:
        """Return a build that was run, or refuse with its first error when it failed."""
        if ok and run.returncode:
            self.refuse(
                f"`{run.shown}` fails",
                yours=first_error(run.stderr or run.output, hints),
                expected="exit code 0",
                hint=hint_for(run.output, hints),
                output="",
            )
        return run

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


_BEGINS = re.compile(
    r"^(?=\S*ld: |\S+:\d+:\d+:|In file included|\S+: (?:In|At) \S|collect2: |make(?:\[\d+\])?: |CMake |-- )", re.M
)
"""Where a compiler, linker, make or CMake begins another message."""
_COMPLAINS = r"\berror\b|undefined reference|multiple definition|cannot find|Error:|^CMake Error"


def first_error(text: str, hints: Hints | None = None) -> str:
    """Return the first error of a compiler or linker, as a whole: the one that the hint is about, where there is one.

    The linker's come in threes, as its first may be about a file and the next ones about what is missing there.
    """
    messages = _BEGINS.split(text)
    about = next((pattern for pattern in hints or {} if re.search(pattern, text, re.M)), _COMPLAINS)
    start = next((number for number, one in enumerate(messages) if re.search(about, one, re.M)), None)
    if start is None:
        return bench.tail(text)
    end = start + (3 if "ld: " in messages[start] else 1)
    more = "…" if end > start + 1 and "ld: " in "".join(messages[end : end + 1]) else ""
    return "\n".join(("".join(messages[start:end]) + more).strip().splitlines()[: bench.TAIL])
