"""Holds when one header and one C library serve programs in C and in C++."""

from rankzero.exercises import compiled
from rankzero.exercises.kinds.cxx import Bench

HINTS = {
    "expected.*at end of input": 'An extern "C" { is opened, and not closed where the same compiler sees it.',
    "template with C linkage": 'Templates exist in C++ only: what C++ headers declare stands outside of extern "C".',
    "conflicting declaration of C function": 'C has no overloads: what is written in C++ stays outside of extern "C".',
    "cannot convert .std::vector|no matching function for call to .mean": "The header must keep `mean` of a "
    "std::vector: programs in C++ use it.",
    "expected identifier or.*string constant": 'This is a C compiler, which does not know extern "C". Which macro does '
    "only a C++ compiler define?",
    r"undefined reference to `\w+\(": "A C++ compiler asks for a name with the types of the arguments in it, and the "
    "library has been compiled by a C compiler. Does the header say that this function was compiled by a C compiler?",
    r"undefined reference to `\w+'": "A C compiler asks for the plain name. What does `nm libseries.a` show? A C "
    "library is compiled by a C compiler.",
}


def check(bench: Bench) -> None:
    bench.run("make", "-s", "clean")
    bench.make(hints=HINTS)
    bench.file("libseries.a")
    for values in ((1.0, 2.0, 6.0), (2.5, -4.0, 3.0, 8.0)):
        words = [f"{value:g}" for value in values]
        run = bench.run("./report", *words)
        hint = "The functions of series.c are right: does the header lead to them?"
        yours = run.number("mean")
        bench.near("the mean", yours=yours, expected=sum(values) / len(values), within=1e-6, hint=hint)
        half = values[: (len(values) + 1) // 2]
        yours = run.number("first half: mean")
        bench.near("the mean of the first half", yours=yours, expected=sum(half) / len(half), within=1e-6, hint=hint)

    for source, program, compiler, language in (
        ("user.c", "user_c", "gcc -std=c99 -pedantic-errors", "C"),
        ("user.cpp", "user_cxx", "g++ -std=c++11", "C++"),
    ):
        bench.bring(source)
        build = f"{compiler} -g -c {source} -o {program}.o && {compiler[:3]} {program}.o -L. -lseries -o {program}"
        run = bench.run("sh", "-c", build, shown=build, ok=False, wall=60)
        if run.returncode:
            bench.refuse(
                f"a user's program in {language} cannot be built with series.h and libseries.a",
                yours=compiled.first_error(run.stderr, HINTS),
                expected="no error",
                hint=compiled.hint_for(run.output, HINTS),
                output="",
            )
        run = bench.run(f"./{program}", "3", "0.5", "10")
        expected = "mean = 4.500000, largest = 10.000000, above = 2"
        bench.expect(
            f"what a user's program in {language} prints", yours=run.stdout.strip(), expected=expected, hint=hint
        )
