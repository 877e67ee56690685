"""Holds when make links ./norm from the two static libraries, and it computes norms."""

import re

from rankzero.exercises import compiled
from rankzero.exercises.kinds.build import Bench

LINKER = "linker"
LIBRARIES = {"libvector.a": "vector_norm", "libproduct.a": "scalar_product"}
HINTS = {
    "undefined reference to `vector_norm'": "The library that has it is there. The linker reads its line once, from "
    "left to right. When it comes to `-lvector`, what does it know already that it needs?",
    "undefined reference to `(scalar_product|sqrt)'|DSO missing": "`main.o` is right now. The same holds between the "
    "libraries: who calls `scalar_product`, and who `sqrt`?",
}


def check(bench: Bench) -> None:
    bench.need("ld")
    bench.run("make", "-s", "clean")
    for name in ("ld", "ld.bfd"):
        bench.bring("ld.sh", to=f"{LINKER}/{name}").chmod(0o755)
    trace = bench.folder / LINKER / "trace"
    trace.write_text("")
    run = bench.run("env", f"COMPILER_PATH={trace.parent}", "make", shown="make", ok=False, wall=bench.BUILD_SECONDS)
    if run.returncode:
        bench.refuse(
            "`make` fails",
            yours="\n".join(run.stderr.splitlines()[:12]),
            expected="exit code 0",
            hint=compiled.hint_for(run.output, HINTS),
            output="",
        )
    bench.file("norm")
    taken = [line for line in trace.read_text().splitlines() if re.search(r"vector|product", line)]
    static(bench, taken)
    for values, norm in (("3 4", 5.0), ("1 2 2 4", 5.0), ("2 3 6", 7.0)):
        run = bench.run("./norm", *values.split(), ok=False)
        bench.require(
            not run.returncode,
            f"`{run.shown}` does not run, although `make` says nothing",
            yours=run.output.strip() or "(no output)",
            expected=f"norm = {norm:.6f}",
            hint="An option that keeps the linker quiet brings no function. `nm norm | grep ' U '` shows what the "
            "program still needs; of these only what comes from the system, with an @, may be left.",
        )
        bench.near(f"the norm of ({values})", yours=run.number("norm"), expected=norm, within=1e-6)
    from_libraries(bench, taken)


def static(bench: Bench, taken: list[str]) -> None:
    """Refuse libraries that are not static. taken: what the linker read, of ours."""
    shared = sorted({line for line in taken if re.search(r"\.so(\.\d+)*$", line)})
    there = [path for path in map(bench.folder.joinpath, LIBRARIES) if path.is_file()]
    shared += [path.name for path in there if not path.read_bytes().startswith((b"!<arch>\n", b"!<thin>\n"))]
    if shared:
        bench.refuse(
            "./norm is linked with shared libraries",
            yours=", ".join(shared),
            expected="libvector.a and libproduct.a, static libraries",
            hint="The site wants static libraries: make `libvector.a` and `libproduct.a` with `ar`, as the rules of "
            "the start do.",
            output="",
        )


def from_libraries(bench: Bench, taken: list[str]) -> None:
    """Refuse unless something was taken out of each library. A member stands in the trace as (libvector.a)vector.o."""
    members = [
        f"{name} of {library}"
        for library, name in re.findall(r"^\((?:\S*/)?(lib\w+\.a)\)(\S+)", "\n".join(taken), re.M)
    ]
    objects = sorted({line for line in taken if re.fullmatch(r"\S+\.o", line) and not line.startswith("(")})
    for library, symbol in LIBRARIES.items():
        if any(member.endswith(f" of {library}") for member in members):
            continue
        hint = f"The site wants both libraries: take `{symbol}` from {library}"
        if objects:
            hint += f", not from an object file: {library} must stand on the line that links, and "
            hint += f"{' and '.join(objects)} not."
        else:
            hint += f"; {library} must stand on the line that links too, and each function in its own library."
        bench.refuse(
            f"./norm has nothing from {library}",
            yours=f"the linker took {', '.join(objects + members) or 'neither'}",
            expected=f"the linker takes `{symbol}` from {library}",
            hint=hint,
            output="",
        )
