"""Holds when make links ./norm from the two static libraries, and it computes norms."""

from rankzero.exercises.kinds.build import Bench


def check(bench: Bench) -> None:
    bench.run("make", "-s", "clean")
    built = bench.make(
        hints={
            "undefined reference": "The library that has it is there, and stands in the wrong place: "
            "whoever calls stands before whoever is called."
        }
    )
    bench.file("norm")
    for values, norm in (("3 4", 5.0), ("1 2 2 4", 5.0)):
        run = bench.run("./norm", *values.split())
        bench.near(f"the norm of ({values})", yours=run.number("norm"), expected=norm, within=1e-6)
    used = built.output.splitlines()
    link = next((line for line in reversed(used) if " -o norm" in line), "")
    for library, symbol in (("libvector.a", "vector_norm"), ("libproduct.a", "scalar_product")):
        bench.file(library)
        named = library in link or f"-l{library[3:-2]}" in link
        bench.require(
            named,
            f"./norm is not linked from {library}",
            yours=link,
            expected=f"{library}, or -l{library[3:-2]}, on the line that links",
            hint=f"The site wants the libraries: take {symbol} from {library}, not from its object file.",
        )
