"""Holds when the counter is defined once, for ./count and for any other program with the same files."""

import shlex

from rankzero.exercises import compiled
from rankzero.exercises.bench import RefusedError
from rankzero.exercises.kinds.c import Bench

ANOTHER = "another_program.c"
HINTS = {
    "multiple definition": "Each .c file that includes the header defines it again; guards and #pragma once do not "
    "reach from one .c file to another. A header declares; one .c file defines.",
    "undefined reference": "It is declared, and no file that is linked here defines it: one .c file must, only one.",
}
WITH_OWN_MAKEFILE = HINTS | {
    "multiple definition": "Flags in your Makefile hide it from you, not from others. A header declares; one .c file "
    "defines.",
    "undefined reference": "What the header declares, one of the .c files that others get must define: not main.c, "
    "which they replace; and not by `inline` alone, which in C is no definition that the linker can use.",
}


def check(bench: Bench) -> None:
    bench.run("make", "-s", "clean")
    bench.make(hints=HINTS)
    for n in (10, 7):
        run = bench.run("./count", str(n))
        bench.near(
            "the norm of y squared",
            yours=run.number("norm squared"),
            expected=sum((i + 2) ** 2 for i in range(n)),
            within=1e-6,
            hint="Only where the counter is defined is wrong: what is computed can stay as it is.",
        )
        one_counter(bench, f"./count {n}", yours=run.number("operations"), expected=2 * n * n + n + 2 * n)

    bench.bring("user.c", to=ANOTHER)
    others = sorted(path.name for path in bench.folder.glob("*.c") if path.name not in ("main.c", ANOTHER))
    objects = [name.replace(".c", ".o") for name in (ANOTHER, *others)]
    build = f"gcc -std=c11 -g -O0 -c {ANOTHER} {shlex.join(others)} && gcc -o another {shlex.join(objects)}"
    run = bench.run("sh", "-c", build, shown=build, ok=False, wall=60)
    if run.returncode:
        bench.refuse(
            "a program with its own makefile cannot be built from the same files",
            yours=compiled.first_error(run.stderr, WITH_OWN_MAKEFILE),
            expected="no error",
            hint=compiled.hint_for(run.output, WITH_OWN_MAKEFILE),
            output="",
        )
    counts = bench.run("./another").stdout.split()
    for number, (when, expected) in enumerate(
        (("before any operation", 0), ("after the library's", 10), ("after its own 100", 110), ("at the end", 114))
    ):
        one_counter(bench, f"another program, {when},", yours=int(counts[number]), expected=expected)


def one_counter(bench: Bench, who: str, *, yours: float, expected: int) -> None:
    """Refuse unless what all files counted is seen by one of them."""
    if yours == expected:
        return
    program = who.split()[0] if who.startswith("./") else "./another"
    names = [line.split()[-1] for line in bench.run("nm", program).lines if line.split()[-2] in ("b", "d")]
    twice = sorted({name for name in names if names.count(name) > 1 and not name.startswith(("_", "completed"))})
    what = f"each file has a counter of its own: {program} has {twice[0]} several times" if twice else ""
    raise RefusedError(
        what or f"the number of operations is not right: {who} sees {yours}",
        yours=f"operations = {yours}",
        expected=f"operations = {expected}",
        hint="`static` in a header gives every file that includes it another one; they only share the name."
        if twice
        else "2 for each pair of numbers in a scalar product, 1 for each addition to a vector: is it all added to the "
        "counter that flops_count looks at?",
    )
