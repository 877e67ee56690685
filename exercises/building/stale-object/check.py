"""Holds when make compiles again what a changed header concerns, and nothing else, while headers come and go."""

import os

from rankzero.exercises.kinds.build import Bench

PRODUCTS = ("grid.o", "main.o", "report.o", "cells")
LISTS = {
    r"No rule to make target 'clean'": "Keep the target clean of the start: the check begins with it.",
    r"\.(d|dep|depend)'?: No such file": "At the first build there are no `.d` files yet, and none are needed: "
    "-include says nothing when a file is missing.",
    r"No rule to make target .*old_names\.h": "An old `.d` file still names a header that is gone. -MP, beside -MMD, "
    "writes an empty rule for each header: make then takes one that is gone for changed.",
}


def check(bench: Bench) -> None:
    bench.make("-s", "clean", hints=LISTS)
    bench.make("-j4", hints=LISTS)
    bench.require(
        (bench.folder / "cells").exists(),
        "make without a name does not make cells",
        yours=f"made: {', '.join(sorted(path.name for path in bench.folder.rglob('*.o'))) or 'nothing'}",
        expected="cells",
        hint="`make` without a name makes the first target of the file. Put your rules behind that of cells.",
    )
    judge_mean(bench, "after a build from nothing", cells=5, coldest=10)
    make(bench, "nothing has changed", compiles=())

    change(bench, "porosity", "cell.h", "main.c")
    make(bench, "only cell.h and main.c have changed", compiles=("grid.o", "main.o"))
    judge_mean(bench, "after a new member in cell.h", cells=5, coldest=10)

    change(bench, "kelvin", "units.h")
    make(bench, "only units.h has changed", compiles=("report.o",))
    judge_mean(bench, "after a change of units.h", cells=5, coldest=10, zero=273.15)

    change(bench, "values", "grid.h", "start_values.h")
    make(bench, "only grid.h has changed, which includes start_values.h now", compiles=("grid.o", "main.o"))
    change(bench, "warmer", "start_values.h")
    make(bench, "only start_values.h has changed", compiles=("grid.o", "main.o"))
    judge_mean(
        bench,
        "after a change of start_values.h, which grid.h now includes",
        cells=8,
        coldest=14,
        zero=273.15,
    )

    change(bench, "modern", "report.c")
    (bench.folder / "old_names.h").unlink()
    make(bench, "only report.c has changed, and old_names.h is gone", compiles=("report.o",))
    judge_mean(bench, "without old_names.h", cells=8, coldest=14, zero=273.15)


def change(bench: Bench, step: str, *names: str) -> None:
    """Make everything older, then bring changed files."""
    for path in bench.folder.rglob("*"):
        age = path.lstat()
        os.utime(path, ns=(age.st_atime_ns, age.st_mtime_ns - 10**12), follow_symlinks=False)
    for name in names:
        os.utime(bench.bring(f"{step}/{name}", name))


def make(bench: Bench, what: str, *, compiles: tuple[str, ...]) -> None:
    """Run make; refuse when it makes what it need not. What it leaves out shows in the result."""
    before = made(bench)
    bench.make(hints=LISTS, shown=f"make   # {what}")
    after = made(bench)
    for name in PRODUCTS:
        bench.require(
            name in compiles or (name == "cells" and compiles) or after[name] == before[name],
            f"{name} was made again, and {what}",
            yours=f"{name} made again",
            expected=f"only {' and '.join(compiles)}, and cells" if compiles else "make: 'cells' is up to date.",
            hint=f"Why does make believe that {name} is out of date? `make -n --debug=basic` gives its reason.",
        )


def made(bench: Bench) -> dict[str, int]:
    """Return when each product was made."""
    found = {path.name: path.stat().st_mtime_ns for path in sorted(bench.folder.rglob("*")) if path.name in PRODUCTS}
    for name in PRODUCTS:
        bench.require(
            name in found,
            f"make leaves no {name} behind",
            expected=", ".join(PRODUCTS),
            hint="Keep one object for each source: without it, every change compiles everything.",
        )
    return found


def judge_mean(bench: Bench, when: str, *, cells: int, coldest: float, zero: float = 0.0) -> None:
    run = bench.run("./cells", str(cells))
    mean = coldest + (cells - 1) / 2 + zero
    bench.require(
        abs(run.number("mean") - mean) < 0.005,
        f"the mean is not right {when}",
        yours=run.search(r"^mean.*", "mean = a number")[0],
        expected=f"mean = {mean:.2f} {'K' if zero else 'C'}",
        hint="Which objects did make compile again, and which still have the header in them as it was? Change it in "
        "the same way yourself; `make -p | grep '^grid.o'` then prints what make believes that grid.o depends on.",
    )
