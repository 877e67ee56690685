"""Holds when make compiles every user of a module after it and whenever it changes, and nothing else."""

import math
import os

from rankzero.exercises.bench import Run
from rankzero.exercises.kinds.build import Bench

HINTS = {
    "Cannot open module file": "The `.mod` file is written when the module is compiled. Tell make that whoever uses "
    "the module depends on what that step makes, for each user by itself: the order in a list is no dependency.",
    r"No rule to make target .*\.mod": "make does not know that compiling a module writes its .mod file as well: "
    "depend on the object file, which is made by the same command, or say how the .mod file comes about.",
    "No rule to make target": "Keep one object file for each source file, beside it, with the same name.",
    "[Ii]nterface mismatch|Type mismatch": "One file was compiled again, another one that it uses was not.",
}
SEEN = (".o", ".mod")


def check(bench: Bench) -> None:
    bench.need("gfortran")
    bench.file("Makefile")
    for target in ("quadrature.o", "main.o", "-j4"):
        from_nothing(bench)
        bench.make(target, hints=HINTS, shown=f"make {target}   # nothing is built yet")
    bench.require(
        (bench.folder / "integrate").exists(),
        "make without a name does not make integrate",
        yours=f"made: {', '.join(compiled(bench))}",
        expected="integrate",
        hint="`make` without a name makes the first target of the file. Put your rules behind that of integrate.",
    )
    integrate(bench, bits=24)

    before = compiled(bench)
    bench.make(shown="make   # nothing has changed")
    again = changed(bench, before)
    bench.require(
        not again,
        "make builds again although nothing changed",
        yours=f"built again: {', '.join(again)}",
        expected="nothing",
        hint="A target that is phony, depends on a phony one or is deleted first is out of date for ever.",
    )

    change(bench, "precision.f90")
    bench.make(hints=HINTS, shown="make   # precision.f90 has real64 now")
    run = integrate(bench, bits=53)
    bench.near("pi in 100000 strips", yours=run.number("pi"), expected=math.pi, within=1e-9)

    change(bench, "precision.f90", "standard/precision.f90")
    bench.make(hints=HINTS, shown="make   # the constant standard in precision.f90 has changed")
    bench.require(
        "IEEE 754-2019" in integrate(bench, bits=53).stdout,
        "after a change of the constant `standard` in precision.f90, the program has the old one",
        yours="real numbers as in IEEE 754",
        expected="real numbers as in IEEE 754-2019",
        hint="main.f90 uses precision itself. What it has from there need not show in quadrature.mod, so a rule by way "
        "of that file alone does not see it.",
    )

    change(bench, "quadrature.f90")
    before = compiled(bench)
    bench.make(hints=HINTS, shown="make   # the constant method in quadrature.f90 has changed")
    bench.require(
        "rule of midpoints" in integrate(bench, bits=53).stdout,
        "after a change of the constant `method` in quadrature.f90, the program has the old one",
        yours="midpoint rule",
        expected="rule of midpoints",
        hint="A constant of a module becomes part of the object file of each of its users.",
    )
    bench.require(
        "precision.o" not in changed(bench, before),
        "after a change of quadrature.f90, make compiles precision.f90 again, which does not use it",
        yours=f"built again: {', '.join(changed(bench, before))}",
        expected="built again: integrate, main.o, quadrature.o",
        hint="Let each object file depend on its own source, and on the modules that this source uses.",
    )


def integrate(bench: Bench, bits: int) -> Run:
    """Run the program and refuse unless it says that it computes with that many bits."""
    bench.file("integrate")
    run = bench.run("./integrate", "100000")
    bench.require(
        run.number("bits") == bits,
        "the object file of main.f90 is stale: the program has the precision from before the change",
        yours=f"bits = {run.number('bits')}",
        expected=f"bits = {bits}, as precision.f90 says now",
        hint="make compiles a file again only when something is newer that it *depends* on. What comes after `|` makes "
        "the order, and is not looked at for that.",
    )
    return run


def change(bench: Bench, name: str, source: str = "") -> None:
    """Change a source file, as the learner would."""
    os.utime(bench.bring(source or name, name))


def from_nothing(bench: Bench) -> None:
    """Delete all that make has built."""
    for name in compiled(bench):
        (bench.folder / name).unlink()


def compiled(bench: Bench) -> dict[str, int]:
    """Return what make has built, name -> when it was written."""
    paths = [path for path in bench.folder.rglob("*") if path.suffix in SEEN or path.name == "integrate"]
    return {str(path.relative_to(bench.folder)): path.stat().st_mtime_ns for path in sorted(paths) if path.is_file()}


def changed(bench: Bench, before: dict[str, int]) -> list[str]:
    """Return the names of the programs and object files that were written since."""
    return [name for name, when in compiled(bench).items() if not name.endswith(".mod") and before.get(name) != when]
