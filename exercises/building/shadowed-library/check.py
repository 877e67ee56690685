"""Holds when answer.toml says what is loaded and why, ./run.sh uses release 2.1, and the viewer still runs."""

import os
import re
import shutil
import statistics
from pathlib import PurePath

from rankzero.exercises.bench import RefusedError
from rankzero.exercises.kinds.diagnose import Bench

BEFORE = "as-it-was"  # a copy with the environment of the start: there the truth is looked up
TRACE = f"""
cd {BEFORE}; PS4='@${{BASH_SOURCE[0]}}@ '; set -x; . env/project.sh; set +x
ldd bin/spread; LD_LIBRARY_PATH='' ldd bin/spread
"""


def check(bench: Bench) -> None:
    said = answers(bench)
    for key, value in said.items():
        bench.require(
            isinstance(value, str),
            f"`{key}` is not a text",
            yours=f"{key} = {value}",
            expected=f'{key} = "…"',
            hint="One answer, in quotes.",
        )
    shutil.rmtree(bench.folder / BEFORE, ignore_errors=True)
    bench.run("make", "-s", "clean", "all", wall=60)
    diagnosis(said, *truth(bench))
    mended(bench)


def answers(bench: Bench) -> dict[str, str]:
    """Return what answer.toml says. Refuses while it lacks something, and names all that it lacks."""
    said, lacking = {}, []
    for key in ("loaded", "shadowed", "variable", "set_by"):
        try:
            said[key] = bench.answer(key)
        except RefusedError as err:
            if "does not say" not in err.what:
                raise
            lacking.append(key)
            hint = err.hint
    if lacking:
        bench.refuse(
            f"answer.toml does not say yet: {', '.join(f'`{key}`' for key in lacking)}",
            yours="\n".join(f'{key} = ""' for key in lacking),
            hint=hint,
        )
    return said


def truth(bench: Bench) -> tuple[str, str, str, str]:
    """Return what the program loads in the start's environment, and without one; the variable, and who sets it."""
    copy = bench.folder / BEFORE
    for name in ("bin", "software"):
        shutil.copytree(bench.folder / name, copy / name)
    shutil.copytree(bench.exercise.folder / "start" / "env", copy / "env")
    run = bench.run(
        *("bash", "-c", TRACE),
        shown="bash -xc '. env/project.sh; ldd bin/spread'   # with env/ as it was at the start",
    )
    here = f"{os.path.realpath(copy)}/"

    def inside(path: str) -> str:
        return os.path.normpath(path).replace(here, "").removeprefix(f"{copy}/")

    loaded, shadowed = (inside(path) for path in re.findall(r"libstats\S* => (\S+)", run.stdout))
    folder = str(PurePath(loaded).parent)
    settings = re.findall(r"^@+([^@]+)@ prepend (LD_\S+) (\S+)$", run.stderr, re.M)
    script, variable = next((inside(script), name) for script, name, path in settings if inside(path) == folder)
    return loaded, shadowed, variable, script


def diagnosis(said: dict[str, str], loaded: str, shadowed: str, variable: str, script: str) -> None:
    """Refuse the first statement that is not true, without saying what is."""

    def refuse(key: str, what: str, expected: str, hint: str) -> None:
        raise RefusedError(what, yours=f'{key} = "{said[key]}"', expected=expected, hint=hint)

    inside = "Ask the loader in the environment of the job: bash -c '. env/project.sh; ldd bin/spread'"
    if same(said["loaded"], str(PurePath(loaded).parent)):
        refuse("loaded", "`loaded` is a folder", "the file in it", "ldd prints the file behind =>.")
    if same(said["loaded"], shadowed):
        refuse("loaded", "`loaded`: it is what the program loads in your own shell", "what it loads in the job", inside)
    if not same(said["loaded"], loaded):
        refuse("loaded", "`loaded` is not the file that the job loads", "the file that the loader opens", inside)
    if not same(said["shadowed"], shadowed):
        refuse(
            "shadowed",
            "`shadowed` is not the file that the program would load by itself",
            "what ldd shows where LD_LIBRARY_PATH is not set",
            "env -u LD_LIBRARY_PATH ldd bin/spread",
        )
    name = said["variable"].strip("${}")
    if name == "LIBRARY_PATH":
        refuse(
            "variable",
            "LIBRARY_PATH is read by the compiler, when it links, and not by the loader",
            "a variable that the loader reads when the program starts",
            "LD_DEBUG=libs ./run.sh 2 4 9 says in brackets where each path comes from.",
        )
    if name != variable:
        refuse(
            "variable",
            "`variable` is not the one that makes the difference",
            "a variable that the loader reads when the program starts",
            "`man ld.so` lists them; LD_DEBUG=libs ./run.sh 2 4 9 says in brackets where each path comes from.",
        )
    file = re.sub(r":\d+$", "", said["set_by"])
    if not same(file, script) and file != PurePath(script).name:
        refuse(
            "set_by",
            "`set_by` is not the file with the line that puts that folder there",
            "the script with the line that names the variable and the folder of `loaded`",
            "bash -x run.sh 2 4 9 prints each command as it is run, with its variables filled in.",
        )


def same(said: str, path: str) -> bool:
    """Whether a path, relative to the exercise or absolute, is that of a file of the exercise."""
    said = os.path.normpath(said)
    return said == path or (said.startswith("/") and said.endswith(f"/{path}"))


def mended(bench: Bench) -> None:
    """Refuse unless ./run.sh uses release 2.1 and ./view.sh the viewer's own copy, and a shell both."""
    for text in ("1 5 11", "0.5 1.5 4 8 8"):
        values = [float(word) for word in text.split()]
        run = bench.run("./run.sh", *text.split())
        bench.near(
            "the mean",
            yours=run.number("mean"),
            expected=statistics.mean(values),
            within=1e-5,
            hint="Both releases compute it alike: does ./run.sh still start bin/spread?",
        )
        yours, expected = run.number("spread"), statistics.stdev(values)
        bench.require(
            abs(yours - expected) <= 1e-5,
            "./run.sh still uses another libstats than release 2.1",
            yours=f"spread of {text} = {yours:.6f}",
            expected=f"{expected:.6f}",
            hint="Every folder of LD_LIBRARY_PATH, the last one too, comes before the program's RUNPATH: the folder of "
            "the viewer must not be in it when bin/spread starts.",
        )
    text = "4 4 7 1 7"
    levels = len(set(text.split()))
    run = bench.run("./view.sh", *text.split(), ok=False)
    if run.returncode:
        own = "It needs its own copy, and it alone: NAME=value before a command sets a variable for that command."
        if "undefined symbol" in run.output:
            what = "the viewer gets another libstats than its own, one without what its maker added"
        elif "error while loading shared libraries" in run.output:
            what = "the viewer does not find its libstats"
        elif "command not found" in run.output:
            what, own = "there is no viewer any more", "Colleagues need it: ./view.sh must find the command viewer."
        else:
            what = f"`{run.shown}` fails, with the message below"
            own = "`bash -x view.sh 1 2 2` prints each command as it is run: which of them says that? A script that is "
            own += "started sees only the variables that are exported."
        if bench.run("bash", "-c", ". env/project.sh; alias viewer", ok=False).returncode == 0:
            own = (
                "Scripts do not expand aliases, so ./view.sh does not see yours. A function of the shell does what you "
            )
            own += "meant, or a small script in a folder of PATH."
        bench.refuse(what, yours=run.output, expected=f"levels = {levels}", hint=own, output="")
    hint = "./view.sh must start the viewer, and hand its arguments on."
    bench.expect("what the viewer shows", yours=run.number("levels"), expected=levels, hint=hint)
    by_hand(bench)


def by_hand(bench: Bench) -> None:
    """Refuse unless both programs are right for somebody who has the environment in a shell, and uses no script."""
    values, numbers = (2.0, 3.0, 8.5), (6, 1, 6, 2)
    typed = f"viewer {' '.join(map(str, numbers))}; bin/spread {' '.join(f'{value:g}' for value in values)}"
    run = bench.run("bash", "-c", f". env/project.sh; {typed}", ok=False)
    levels, spread = f"levels = {len(set(numbers))}", f"spread = {statistics.stdev(values):.6f}"
    for line, name, script in ((levels, "viewer", "./view.sh"), (spread, "bin/spread", "./run.sh")):
        bench.require(
            line in run.lines,
            f"`{name}` is right in {script}, and not in a shell that has sourced env/project.sh",
            yours=run.output.strip(),
            expected=line,
            hint="The environment is for everybody who sources it, whatever the script is called. What the viewer "
            "needs must hold for the viewer, whoever starts it, and for nobody else.",
        )
