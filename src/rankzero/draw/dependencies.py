"""Who needs whom: a program and its shared libraries, who asks for each, and where the loader finds it.

`read` asks the tools of the system (glibc's loader and readelf), `dependencies` draws what it returns.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.patches import FancyArrowPatch

from rankzero import proc
from rankzero.draw import style
from rankzero.draw.picture import Picture

EVERYWHERE = re.compile(r"libc\.so|ld-linux|ld64\.so")
"""The C library and the loader itself: everything needs them, so a picture with them shows little else."""
NOT_FOUND = "not found"
PLACES = ("RPATH", "LD_LIBRARY_PATH", "RUNPATH", "ld.so.cache", "system folders", NOT_FOUND)
"""Where the loader can find a library, in its order. Each has a colour of its own in every picture."""
ROW = 0.34
"""Inches from one name to the next."""


@dataclass(frozen=True)
class Library:
    """A program or a shared library. `name` is what others ask for, `needs` what it asks for itself, in its order.

    `found` is one of PLACES, "" for the program and for what needed no search; `path` is the file, "" where there is
    none.
    """

    name: str
    path: str
    found: str
    needs: tuple[str, ...]


def read(program: str | os.PathLike[str], env: Mapping[str, str] | None = None) -> list[Library]:
    """Return a program and all shared libraries that it would start with, in the order in which they are loaded.

    The program does not run: its loader is asked, with LD_TRACE_LOADED_OBJECTS as `ldd` does. Libraries that a program
    loads later (plug-ins) are not among them. env: default this process's. Raises proc.ProcError when the file is none
    that readelf can read, or its loader fails.
    """
    path = Path(program)
    own = needed([path])[0]
    found = [Library(path.name, str(path), "", own)]
    if not own:  # linked statically: without a loader, the program itself would run
        return found
    asked = {"LD_TRACE_LOADED_OBJECTS": "1", "LD_DEBUG": "libs"}
    result = proc.run([path.absolute()], env={**(os.environ if env is None else env), **asked}, check=True)
    sources = searched(result.stderr)
    pairs = traced(result.stdout)
    files = [Path(file) for _, file in pairs if file]
    needs = dict(zip(files, needed(files), strict=True))
    for name, file in pairs:
        where = sources.get(name, "") if file else NOT_FOUND
        found.append(Library(name, file, where, needs.get(Path(file), ())))
    return found


def needed(files: Sequence[Path]) -> list[tuple[str, ...]]:
    """Return for each ELF file the names that it asks for, its NEEDED entries, in its order.

    Raises proc.ProcError when one is no ELF file.
    """
    if not files:
        return []
    env = {**os.environ, "LC_ALL": "C"}
    said = proc.run(["readelf", "--wide", "--dynamic", *files], env=env, check=True).stdout
    parts = re.split(r"^File: .*$", said, flags=re.M)[1:] if len(files) > 1 else [said]
    return [tuple(re.findall(r"\(NEEDED\)[^\[]*\[(.*)\]", part)) for part in parts]


def traced(text: str) -> list[tuple[str, str]]:
    """Return (name, path) of each library in what `ldd` prints, path "" for one that was not found.

    One that was asked for with a folder in its name is its own path, and is not searched for. The loader is left out.
    """
    lines = re.findall(r"^\t(.+?)(?: => (not found|.+?))?(?: \(0x[0-9a-f]+\))?$", text, re.M)
    pairs = [(name, path or name) for name, path in lines if path or ("/" in name and not _is_everywhere(name))]
    return [(name, "" if path == NOT_FOUND else path) for name, path in pairs]


def searched(text: str) -> dict[str, str]:
    """Return where the loader looked last for each library, one of PLACES, from what it prints with LD_DEBUG=libs."""
    labels = {"LD_LIBRARY_PATH": "LD_LIBRARY_PATH", "system search path": "system folders"}
    last: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if started := re.search(r"\tfind library=(\S+)", line):
            name = started[1]
        elif "\t search cache=" in line:
            last[name] = "ld.so.cache"
        elif source := re.search(r"\t search path=.*\((RPATH|RUNPATH|LD_LIBRARY_PATH|system search path)", line):
            last[name] = labels.get(source[1], source[1])
    return last


def dependencies(libraries: Sequence[Library]) -> Picture:
    """Draw libraries from top to bottom in the order given, an arc from each to those among them that it needs.

    Right of a name stands where it was found, in whose colour the arcs to it are. The C library and the loader are
    left out. Raises ValueError when there is nothing to draw.
    """
    shown = [one for one in libraries if not _is_everywhere(one.name)]
    if not shown:
        raise ValueError("no libraries to draw: `libraries` is empty")
    rows = {one.name: row for row, one in enumerate(shown)}
    colours = {place: style.PALETTE[number % len(style.PALETTE)] for number, place in enumerate(PLACES)}
    figure, axes = style.figure(7.0, ROW * len(shown) + 0.3)
    axes.set_axis_off()
    axes.set_xlim(0.0, 7.0)  # inches, nearly
    axes.set_ylim(len(shown) - 0.5, -0.5)
    start = 1.8
    arcs = [(rows[one.name], rows[name]) for one in shown for name in one.needs if name in rows]
    farthest = max((abs(end - begin) for begin, end in arcs), default=1)
    for begin, end in arcs:
        colour = colours.get(shown[end].found, style.INK)
        depth = (0.4 + 2.0 * abs(end - begin) / farthest) / (ROW * abs(end - begin))
        axes.add_patch(
            FancyArrowPatch(
                (start, begin),
                (start, end),
                connectionstyle=f"arc3,rad={depth if end > begin else -depth}",
                arrowstyle="-|>,head_length=5,head_width=2.5",
                color=colour,
                linewidth=1.3,
                shrinkA=0,
                shrinkB=3,
            )
        )
    for row, one in enumerate(shown):
        colour = colours.get(one.found, style.INK)
        axes.plot(start, row, marker="o", markersize=5, color=colour)
        axes.text(start + 0.15, row, one.name, verticalalignment="center")
        axes.text(start + 3.0, row, one.found, verticalalignment="center", color=colour)
    return Picture(figure, _alt(shown, rows))


def _is_everywhere(name: str) -> bool:
    return EVERYWHERE.match(Path(name).name) is not None


def _alt(shown: Sequence[Library], rows: Mapping[str, int]) -> str:
    said = []
    for one in shown:
        needs = [name for name in one.needs if name in rows]
        if needs:
            said.append(f"{one.name} needs {', '.join(needs)}")
    places = {place: [one.name for one in shown if one.found == place] for place in PLACES}
    found = [f"{place}: {', '.join(names)}" for place, names in places.items() if names]
    return f"Who needs whom: {'; '.join(said) or 'nobody'}. Where each was found: {'; '.join(found) or 'nowhere'}."
