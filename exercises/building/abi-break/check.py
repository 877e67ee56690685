"""Holds when one installation serves a program that was built with release 1.0, and one that uses release 1.1."""

import math
import re
import shutil

from rankzero.exercises.bench import RefusedError
from rankzero.exercises.kinds.build import Bench

FINE = 200_000
"""Points with which the steps are so many that they show whether the diffusivity has all digits of a double."""
HERE = {"LD_LIBRARY_PATH": "installed/lib"}


def check(bench: Bench) -> None:
    for name in ("installed", "last-year"):  # left from the learner's own tries
        shutil.rmtree(bench.folder / name, ignore_errors=True)
    for name in ("old", "new"):
        (bench.folder / name).unlink(missing_ok=True)
    bench.make("clean", "install", "PREFIX=installed")
    bench.file("installed/lib")
    bench.make("-s", "-f", "users.mk", "old")
    for points, length in ((50, 2.0), (21, None)):
        old_runs(bench, points, length)
    bench.file("installed/include/plan.h")
    bench.make(
        "-s",
        "-f",
        "users.mk",
        "new",
        hints={
            "no member named": "A release that takes the new feature away again helps the old users only: the header "
            "that is installed must have it.",
            "cannot find -lplan": "The linker looks for libplan.so, a link to the library that new programs shall get.",
            "undefined reference": "The header promises a function that the library does not have under that name.",
        },
    )
    for points, diffusivity in ((50, 0.7), (33, 1.3), (33, None), (FINE, 0.7)):
        new_runs(bench, points, diffusivity)


def old_runs(bench: Bench, points: int, length: float | None) -> None:
    """Refuse unless the program of last year runs with what is installed now, and is right."""
    expected = f"old: steps = {steps(points, length or 1.0, 1.0)} until time = 0.1"
    arguments = [str(points), *([] if length is None else [f"{length:g}"])]
    run = bench.run("./old", *arguments, env=HERE, ok=False)
    if "error while loading shared libraries" in run.stderr:
        there = sorted(path.name for path in bench.folder.glob("installed/lib/*"))
        bench.refuse(
            "the old program no longer starts: it asks for libplan.so.1",
            yours=f"{run.stderr.strip()}\ninstalled/lib: {', '.join(there)}",
            expected=expected,
            hint="With another soname for the new library, the old one must stay installed beside it: its sources are "
            "in release-1.0.",
        )
    bench.require(
        "undefined symbol" not in run.stderr,
        "the old program does not find a function that release 1.0 had",
        yours=run.stderr,
        expected=expected,
        hint="What release 1.0 offered must stay, under the same name. `nm -D` shows what a library offers.",
    )
    if run.returncode == 0 and run.stdout.strip() == expected:
        return
    lib = bench.folder / "installed/lib"
    others = [path for path in lib.glob("libplan.so.*") if path.name != "libplan.so.1"]
    soname = bench.dynamic("installed/lib/libplan.so.1").get("SONAME", ["none"])[0]
    if soname != "libplan.so.1" and any(path.resolve() == (lib / "libplan.so.1").resolve() for path in others):
        what = "libplan.so.1 is the new library under the old name: the loader believes it, and the numbers are wrong"
        hint = "A link changes a name, not what is in the library. Install a library with the old ABI under that name."
    elif run.stdout.strip().endswith("until time = 0.1"):  # what release 1.0 knew is where it was
        zero = "diffusivity is 0" if "steps = 0 " in run.stdout else "diffusivity is not 1"
        what = f"the old program gets wrong numbers: {zero} for a program that does not set it"
        hint = "The old program knows of no diffusivity, and the library counts with it. plan_new must set it to 1."
    else:
        what = "the old program runs with the new library, and gets wrong numbers"
        hint = "It reads and writes the members of the struct where they were in release 1.0. Where are they now? "
        hint += (
            "`gdb -batch -ex 'ptype /o struct plan' installed/lib/libplan.so.1` prints how many bytes from its start "
        )
        hint += "each member lies. Compare that with `last-year/libplan.so.1`."
    yours = run.output or f"exit code {run.returncode}"
    raise RefusedError(what, yours=yours, expected=expected, hint=hint)  # and not the whole output of readelf


def new_runs(bench: Bench, points: int, diffusivity: float | None) -> None:
    """Refuse unless the program that uses the new member is right."""
    arguments = [str(points), *([] if diffusivity is None else [f"{diffusivity:g}"])]
    expected = f"new: steps = {steps(points, 2.0, diffusivity or 1.0)} until time = 0.1"
    run = bench.run("./new", *arguments, env=HERE)
    if run.stdout.strip() == expected:
        return
    if not run.stdout.strip().endswith("until time = 0.1"):  # what plan_new put there, found elsewhere
        needed = ", ".join(name for name in bench.dynamic("new").get("NEEDED", []) if "plan" in name)
        raise RefusedError(  # and not the numbers, which are what lay in memory
            "the new program gets the library of release 1.0, or one with its layout",
            yours=f"new asks for {needed}",
            expected="the library of the release whose header it was compiled with",
            hint="The linker reads libplan.so, takes the soname from it, and writes that into the program: "
            "`readelf -d` of the library and of new shows it.",
        )
    found = re.fullmatch(r"new: steps = (\d+) until time = 0.1", run.stdout.strip())
    if found and points == FINE and math.isclose(int(found[1]), steps(points, 2.0, diffusivity or 1.0), rel_tol=1e-6):
        bench.refuse(
            "the diffusivity loses digits on its way to plan_steps",
            yours=run.stdout,
            expected=expected,
            hint="`diffusivity` is a double, with 16 digits; a float keeps 7. It needs 8 bytes, at a place that no old "
            "program uses.",
        )
    bench.refuse(
        "the new program is not right",
        yours=run.stdout,
        expected=expected,
        hint="Without a diffusivity it is 1; with one, the time step is width^2 / (4 diffusivity).",
    )


def steps(points: int, length: float, diffusivity: float) -> int:
    """Return the time steps of the explicit method until time 0.1, at its limit of stability in two dimensions."""
    width = length / (points + 1)
    return math.ceil(0.1 / (width * width / (4 * diffusivity)))
