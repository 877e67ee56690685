"""Holds when the installed tree runs after a move, with the libraries moved with it, and DESTDIR works."""

import math
import re
import shlex
import shutil

from rankzero.exercises import compiled
from rankzero.exercises.bench import RefusedError, Run
from rankzero.exercises.kinds.build import Bench

TREES = ("staging", "production", "package", "site", "unpacked")
LIBRARIES = ("librod.so", "libseries.so")
DOLLARS = (
    "Two stand on the way from the Makefile to the linker: make, to which `$$` is one dollar, and the shell, which "
    "leaves alone what stands in single quotes."
)
HALF = "PREFIX itself need not be there yet: with DESTDIR, every mkdir and every cp goes below $(DESTDIR)$(PREFIX)."


def check(bench: Bench) -> None:
    for name in TREES:  # left from the learner's own tries
        shutil.rmtree(bench.folder / name, ignore_errors=True)
    bench.make("clean")
    here = str(bench.folder)
    builds(bench, bench.make("install", f"PREFIX={here}/staging", shown="make install PREFIX=$PWD/staging", ok=False))
    installed(bench, "staging", "PREFIX says")
    packing = bench.make(
        "install",
        f"PREFIX={here}/site/rod",
        f"DESTDIR={here}/package",
        shown="make install PREFIX=$PWD/site/rod DESTDIR=$PWD/package",
        ok=False,
    )
    builds(bench, packing)
    build = sorted(path.name for path in bench.folder.iterdir() if path.name not in TREES)
    bench.run(
        *("sh", "-c", 'mkdir production && mv staging production/rod && rm -r "$@"', "sh", *build),
        shown=f"mkdir production && mv staging production/rod && rm -r {shlex.join(build)}",
    )
    runs_moved(bench, "production/rod")

    packed = f"package{here}/site/rod"
    outside = sorted(str(path.relative_to(bench.folder)) for path in bench.folder.glob("site/rod/*/*"))
    if outside:
        bench.refuse(
            "DESTDIR is ignored: with it, files still go to PREFIX itself",
            yours="\n".join(f"$PWD/{name}" for name in outside),
            expected="files in $DESTDIR$PREFIX/bin and $DESTDIR$PREFIX/lib, none in $PREFIX",
            hint="In the rule of install, write $(DESTDIR)$(PREFIX) wherever something is copied to, or made.",
            output=packing.output,
        )
    installed(bench, packed, "DESTDIR and PREFIX say")
    bench.run("mv", packed, "unpacked", shown='mv "package/$PWD/site/rod" unpacked')
    runs_moved(bench, "unpacked")


def builds(bench: Bench, run: Run) -> None:
    """Refuse unless make has built and installed."""
    if not run.returncode:
        return
    cause = re.search(r"^.*warning: (lib\w+\.so), needed by \S+, not found.*\n.*", run.output, re.M)
    if cause:
        bench.refuse(
            f"`{run.shown}` fails: the linker does not find {cause[1]}, which librod.so needs",
            yours=cause[0],
            expected="exit code 0",
            hint="When it links rod, the linker looks also for what librod.so needs, and not where -L says. "
            "`-Wl,-rpath-link,.` tells it to look here. That is for the linker alone: it is written into no file.",
            output="",
        )
    bench.refuse(
        f"`{run.shown}` fails",
        yours=compiled.first_error(run.stderr),
        expected="exit code 0",
        hint=compiled.hint_for(run.output, {r"site/rod/\S*'?: (No such file|Not a directory)": HALF}),
    )


def installed(bench: Bench, tree: str, given: str) -> None:
    """Refuse unless the program and its libraries are in bin and lib of a tree, the program as a program."""
    shown = tree.replace(str(bench.folder), "/$PWD")
    there = sorted(str(path.relative_to(bench.folder / tree)) for path in (bench.folder / tree).glob("*/*"))
    for name in ("bin/rod", *(f"lib/{library}" for library in LIBRARIES)):
        bench.require(
            (bench.folder / tree / name).is_file(),
            f"make install does not put {name} where {given}",
            yours="\n".join(f"{shown}/{name}" for name in there) or f"nothing in {shown}",
            expected=f"{shown}/{name}",
            hint="Install all three: the program into bin, both libraries into lib.",
        )
    first = (bench.folder / tree / "bin/rod").read_bytes()[:256]
    bench.require(
        first.startswith(b"\x7fELF"),
        "bin/rod is a script, not the program",
        yours=first.decode(errors="replace").strip(),
        expected="the program itself",
        hint="What a script sets, every program that rod starts inherits, and gdb and ldd see only a shell. The linker "
        "can write into the program where its libraries are: -rpath.",
    )


def runs_moved(bench: Bench, tree: str) -> None:
    """Refuse unless a moved tree's program runs, is right, and loads the tree's own libraries."""
    program = f"{tree}/bin/rod"
    run = bench.run(program, "0.5", "0.1", ok=False)
    if "error while loading shared libraries" in run.stderr:
        explain(bench, tree, run)
    for x, t in ((0.3, 0.02), (0.71, 0.15)):
        run = bench.run(program, str(x), str(t))
        bench.near(
            f"the temperature at {x:g}, {t:g}",
            yours=run.number("temperature"),
            expected=rod(x, t),
            within=1e-8,
            hint="Link all three from the sources of the start: only how they find each other is wrong.",
        )
    loaded = bench.libraries(program)
    for library in LIBRARIES:
        stem = library.removesuffix(".so")
        paths = [path for name, path in loaded.items() if name.rpartition("/")[2].startswith(stem)]
        bench.require(
            paths,
            f"bin/rod does not load {library}",
            yours=", ".join(sorted(name.rpartition("/")[2] for name in loaded)),
            expected=library,
            hint="Link it with the shared library (-lrod), not with the object files: a fix in the library is then a "
            "fix in every program.",
        )
        own = (bench.folder / tree).resolve()
        bench.require(
            all((bench.folder / path).resolve().is_relative_to(own) for path in paths),
            f"the moved program takes {library} from another place",
            yours=", ".join(paths),
            expected=f"{tree}/lib/{library}",
            hint="Somewhere a fixed path is still written: `readelf -d` of the program and of librod.so shows it.",
        )


def explain(bench: Bench, tree: str, run: Run) -> None:
    """Refuse, and say why the loader of a moved program did not find a library."""
    found = re.search(r"error while loading shared libraries: (?:\S*/)?(lib\w+\.so)\S*: (.*)", run.stderr)
    missing, reason = (found[1], found[2]) if found else ("a library", run.stderr.strip())
    who = "bin/rod"
    dynamic = bench.dynamic(f"{tree}/{who}")
    if missing == "libseries.so" and not any("series" in name for name in dynamic.get("NEEDED", [])):
        who = "lib/librod.so"
        dynamic = bench.dynamic(f"{tree}/{who}")
    entries = [(key, value) for key in ("RPATH", "RUNPATH") for value in dynamic.get(key, [])]
    paths = [path for _, value in entries for path in value.split(":")]
    said = "\n".join(f"{key} of {who}: {value.replace(str(bench.folder), '/…')}" for key, value in entries)
    inherits = "A RUNPATH holds for what its own file needs, not for what the libraries need in turn. "
    if who == "lib/librod.so" and not paths:
        what = "bin/rod finds librod.so, but librod.so does not find libseries.so"
        hint = inherits + "librod.so needs one of its own."
    elif not paths:
        what = f"{who} has no RUNPATH: the loader is not told where {missing} is"
        hint = "-L and -rpath-link are for the linker only. -Wl,-rpath,… writes a RUNPATH, for the loader."
    elif any(path.startswith("RIGIN") for path in paths):
        what = f"make took $O of $ORIGIN for a variable of its own, and {who} got the rest"
        hint = DOLLARS
    elif any(path == "" or path.startswith("/..") for path in paths):
        what = f"the shell took $ORIGIN for a variable of its own, and {who} got what stood behind it"
        hint = DOLLARS
    elif all(path.startswith("/") for path in paths):
        what = f"the RUNPATH of {who} names a fixed place, and the tree has moved"
        hint = "Whatever fixed place you write there, the next move makes it wrong. Can the loader be told something "
        hint += "that moves along? `man ld.so` names words that it replaces when a program starts."
    elif not any("ORIGIN" in path for path in paths):
        what = f"the RUNPATH of {who} is relative: the loader starts at the folder from which rod is called"
        hint = "A user calls rod from anywhere. The path must start at the folder in which the file itself lies: which "
        hint += "word means that to the loader? `man ld.so` has it."
    else:
        what = f"{who} does not find {missing}"
        hint = "Put the folder of the file in place of $ORIGIN and follow the path: where does it lead?"
    raise RefusedError(  # and not the whole output of readelf
        f"the moved program does not start: {what}",
        yours="\n".join(part for part in (f"{missing}: {reason}", said) if part),
        expected=f"{missing} is found in the lib beside the program's bin",
        hint=hint,
    )


def rod(x: float, t: float) -> float:
    """Return the temperature of a rod that started with x (1 - x), its ends kept at 0: the sum of its sines."""
    pi = math.pi
    return sum(8 / (k * pi) ** 3 * math.exp(-((k * pi) ** 2) * t) * math.sin(k * pi * x) for k in range(1, 400, 2))
