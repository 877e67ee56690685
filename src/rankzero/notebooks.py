"""The notebooks: run from a fresh kernel, stored in one canonical form, audited, and compared with what they show.

`execute` writes the outputs that a page shows; `problems` says what is wrong with a notebook as it lies there;
`compare` runs it again and says which cells no longer print what they show.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import itertools
import json
import os
import re
import shlex
import socket
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import yaml
from markdown_it import MarkdownIt
from nbformat import NotebookNode

from rankzero import lab, pasted, places, proc

CELL_TIMEOUT = 60.0
"""Seconds that one cell may take before it counts as hanging."""

MAX_CELLS = 25
OPENING = ["You will be able to", "Before you start"]
CLOSING = ["What you learned", "Next"]

NOT_COMPARED = "nbval-ignore-output"
"""The tag of a cell whose output cannot be the same twice; its metadata says why, in `rankzero.reason`."""
RAISES = "raises-exception"
"""The tag of a cell that ends with a deliberate error."""

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE_INFO = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
KEPT_METADATA = ("mystnb", "rankzero", "tags")
"""What an author may say about a notebook or a cell. All else is what some editor noted for itself."""

PICTURES = ("image/png", "image/jpeg")
"""Not compared: the same picture has other bytes with another version of a library."""

_PENDING = re.compile(r"<AsyncResult\b|<AsyncMapResult\b|<(?:Future|Task)\b[^>]*\bpending\b|<coroutine object\b")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class NotebookError(proc.ProcError):
    """A notebook did not run to its end. The message holds the cell and the traceback."""


# -- which notebooks there are ------------------------------------------------------------------------


def reading_order(root: Path = places.ROOT) -> list[str]:
    """Return the pages of the book, without their suffixes, in the order of _toc.yml."""

    def walk(entry: Any) -> Iterator[str]:
        if isinstance(entry, dict):
            yield from (str(entry[key]) for key in ("root", "file") if key in entry)
            for key in ("parts", "chapters", "sections"):
                yield from walk(entry.get(key, []))
        else:
            for item in entry:
                yield from walk(item)

    return [page.removesuffix(".ipynb") for page in walk(yaml.safe_load((root / "_toc.yml").read_text()))]


def everything(root: Path = places.ROOT) -> list[Path]:
    """Return all notebooks: those in the book in reading order, then those that are not in it."""
    found = set((root / "notebooks").glob("*.ipynb"))
    in_book = [path for page in reading_order(root) if (path := root / f"{page}.ipynb") in found]
    return in_book + sorted(found.difference(in_book))


# -- one canonical form ---------------------------------------------------------------------------------


def load(path: Path) -> NotebookNode:
    """Read a notebook. A cell without an id gets one that depends on its text only."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    taken: set[str] = set()
    for cell in raw["cells"]:
        name = cell.get("id")
        text, salt = "".join(cell["source"]), 0
        while not name or name in taken:
            name = hashlib.sha256(f"{salt}{text}".encode()).hexdigest()[:8]
            salt += 1
        taken.add(name)
        cell["id"] = name
    raw["nbformat_minor"] = max(5, raw["nbformat_minor"])
    return nbformat.reads(json.dumps(raw), as_version=4)


def canonical(notebook: NotebookNode) -> str:
    """Return the text that a notebook is stored as: the same for the same content, whatever wrote it."""
    notebook = nbformat.from_dict(json.loads(json.dumps(notebook)))
    kept = {key: value for key, value in notebook.metadata.items() if key in KEPT_METADATA}
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNELSPEC, "language_info": LANGUAGE_INFO} | kept)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    count = 0
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {key: value for key, value in cell.metadata.items() if key in KEPT_METADATA and value}
        )
        cell.source = cell.source.rstrip("\n")
        if cell.cell_type != "code" or cell.execution_count is None:
            continue
        count += 1
        cell.execution_count = count
        for output in cell.outputs:
            output.pop("transient", None)
            if output.output_type == "execute_result":
                output.execution_count = count
    return nbformat.writes(notebook).rstrip("\n") + "\n"


# -- running --------------------------------------------------------------------------------------------


def environment() -> dict[str, str]:
    """Return the environment that notebooks run in: the lab's, so that what is stored is what a reader will see."""
    return lab.environment()


def executed(path: Path, cell_timeout: float = CELL_TIMEOUT) -> NotebookNode:
    """Run a notebook from a fresh kernel in its own folder and return it with its new outputs.

    Raises NotebookError at the first cell that fails without being tagged for it, or that takes too long.
    """
    notebook = load(path)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []
    begun: list[int] = []  # a kernel that dies at once does not tell the number of its cell any more
    client = nbclient.NotebookClient(
        notebook,
        timeout=int(cell_timeout),
        kernel_name=KERNELSPEC["name"],
        coalesce_streams=True,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_execute=lambda cell, cell_index: begun.append(cell_index),
    )
    with tempfile.TemporaryFile() as said:  # what the kernel itself says, which is no output of any cell
        try:
            client.execute(env=environment(), stderr=said)
        except nbclient.exceptions.CellExecutionError as err:
            reason = str(err)
        except nbclient.exceptions.CellTimeoutError:
            reason = f"still running after {cell_timeout:.0f} s"
        except nbclient.exceptions.DeadKernelError:
            said.seek(0)
            reason = f"the kernel died\n{said.read().decode(errors='replace')}"
        except asyncio.CancelledError as err:  # nbclient's own answer to Ctrl-C while a kernel starts
            raise KeyboardInterrupt from err
        else:
            return notebook
    raise NotebookError(f"In [{len(begun)}]: {_ANSI.sub('', reason).strip()}")


# -- the audit: what can be seen without running --------------------------------------------------------


def problems(path: Path, root: Path = places.ROOT) -> list[str]:
    """Return what is wrong with a notebook as it is stored, each with its place. Runs nothing."""
    notebook = load(path)
    found = []
    page = path.relative_to(root).with_suffix("").as_posix()
    if page not in reading_order(root):
        found.append(f"not in the book: add `file: {page}` to _toc.yml")
    minutes = notebook.metadata.get("rankzero", {}).get("minutes")
    if not isinstance(minutes, int) or minutes < 1:
        found.append("the metadata lack `rankzero.minutes`, the minutes that a reader needs")
    if len(notebook.cells) > MAX_CELLS:
        found.append(f"{len(notebook.cells)} cells, {MAX_CELLS} at most: one idea a lesson")
    found += _wrong_headings(notebook)
    found += _wrong_programs(notebook, root)
    for number, cell in enumerate(notebook.cells, 1):
        faults = _wrong_code(cell) if cell.cell_type == "code" else pasted.pasted(cell.source)
        found += [f"cell {number}: {fault}" for fault in faults]
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    if None not in counts and counts != list(range(1, len(counts) + 1)):
        found.append(f"cells were not run once each from top to bottom: execution counts {counts}")
    if path.read_text(encoding="utf-8") != canonical(notebook):
        found.append(f"not in canonical form: make execute NOTEBOOKS={path.relative_to(root)}")
    return found


def _wrong_headings(notebook: NotebookNode) -> list[str]:
    headings: dict[str, list[str]] = {"h1": [], "h2": []}
    for cell in notebook.cells:
        tokens = MarkdownIt("commonmark").parse(cell.source) if cell.cell_type == "markdown" else []
        for token, inline in itertools.pairwise(tokens):
            if token.type == "heading_open":
                headings.setdefault(token.tag, []).append(inline.content)
    titles, sections = headings["h1"], headings["h2"]
    found = []
    if len(titles) != 1:
        found.append(f"one title (`# …`) is wanted, there are {len(titles)}")
    if sections[:2] != OPENING or sections[-2:] != CLOSING or len(sections) < 4:
        wanted = " · ".join([*OPENING, "…", *CLOSING])
        found.append(f"sections must be {wanted}; they are {' · '.join(sections) or 'none'}")
    return found


def programs(notebook: NotebookNode) -> list[str]:
    """Return the program files that a notebook shows, relative to the checkout's root: `rankzero.programs`."""
    return list(notebook.metadata.get("rankzero", {}).get("programs", []))


def _wrong_programs(notebook: NotebookNode, root: Path) -> Iterator[str]:
    named = set(programs(notebook))
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    used = set(re.findall(r"c_examples/[\w./-]+\.(?:c|cpp|f90|py|sh)\b", code))
    for file in sorted(used - named):
        yield f"the metadata lack {file} in `rankzero.programs`: faults are seeded in what stands there"
    for file in sorted(file for file in named if not (root / file).is_file()):
        yield f"`rankzero.programs` names {file}, which is not there"


def _wrong_code(cell: NotebookNode) -> Iterator[str]:
    """Say what is wrong with a code cell and its stored outputs."""
    tags = cell.metadata.get("tags", [])
    first = cell.source.lstrip().split("\n", 1)[0]
    if not cell.source.strip():
        yield "an empty code cell"
        return
    if cell.execution_count is None:
        yield "a code cell that was never executed"
    if re.search(r"^\s*#+\s*(NBVAL_|PYTEST_VALIDATE_)", cell.source, re.M):
        yield "a comment that steers nbval: use a tag, which says so without being shown"
    for tag in tags:
        if tag.startswith("nbval-") and tag != NOT_COMPARED:
            yield f"the tag {tag}: only {NOT_COMPARED} and {RAISES} are in use here"
    if NOT_COMPARED in tags and not cell.metadata.get("rankzero", {}).get("reason"):
        yield f"tagged {NOT_COMPARED} without a reason in its metadata (`rankzero.reason`)"
    is_python = not first.startswith("%%") or first.startswith("%%px")
    if is_python and re.search(r";\s*(#.*)?$", cell.source.rstrip().split("\n")[-1]):
        yield "a trailing `;` does not suppress the output when outputs are compared: write `_ = …`"
    raised = [output for output in cell.outputs if output.output_type == "error"]
    if raised and RAISES not in tags:
        yield f"an error without the tag {RAISES}: {raised[0].ename}: {raised[0].evalue}"
    if not raised and RAISES in tags:
        yield f"tagged {RAISES}, and no error is stored"
    text = "\n".join(texts(cell.outputs))
    if pending := _PENDING.search(text):
        yield f"a pending result is stored ({pending[0]}…), which compares equal for ever: wait for it in the cell"
    yield from (f"the output names {what} of this machine: {name}" for what, name in _machine_names(text))


def texts(outputs: Sequence[NotebookNode]) -> Iterator[str]:
    """Yield all text of some outputs, without colours; pictures are not text."""
    for output in outputs:
        if output.output_type == "stream":
            yield _ANSI.sub("", output.text)
        elif output.output_type == "error":
            yield _ANSI.sub("", "\n".join([output.evalue, *output.traceback]))
        else:
            yield from (text for kind, text in output.data.items() if isinstance(text, str) and kind not in PICTURES)


def _machine_names(text: str) -> Iterator[tuple[str, str]]:
    """Yield what would be another word on another machine: paths, its name, the user's, process ids."""
    roots = "|".join(re.escape(str(path)) for path in (places.ROOT, Path.home()) if len(path.parts) > 1)
    paths = re.findall(
        rf"(?<![\w./~-])(?:/(?:home|root|tmp|Users|var/tmp)/[\w.+-]|(?:{roots})(?![\w-]))[^\s'\"<>:,)]*", text
    )
    yield from (("a path", path) for path in sorted(set(paths)))
    host, user = socket.gethostname(), os.environ.get("USER", "")
    if len(host) > 3 and host != "localhost" and re.search(rf"\b{re.escape(host)}\b", text):
        yield "the name", host
    if len(user) > 3 and user != "root" and re.search(rf"\b{re.escape(user)}\b", text):
        yield "a user", user
    yield from (("a process id", match[0]) for match in re.finditer(r"\b[Pp](?:ID|id)\b[ =:]*\d+", text))


# -- the share compared -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Share:
    """How many cells print, and of how many of them the output is compared."""

    printing: int
    compared: int

    def __add__(self, other: Share) -> Share:
        return Share(self.printing + other.printing, self.compared + other.compared)

    def __str__(self) -> str:
        return f"{self.compared} of {self.printing} printing cells compared" + (
            f" ({self.part:.0%})" if self.printing else ""
        )

    @property
    def part(self) -> float:
        """The part compared, 1.0 where nothing prints."""
        return self.compared / self.printing if self.printing else 1.0


def share(path: Path) -> Share:
    """Count the printing cells of a notebook. A cell that shows nothing but a bitmap is not compared."""
    printing = [cell for cell in load(path).cells if cell.cell_type == "code" and cell.outputs]
    return Share(len(printing), sum(is_compared(cell) for cell in printing))


def is_compared(cell: NotebookNode) -> bool:
    """Whether a change of what the cell prints can be seen by `compare`."""
    if NOT_COMPARED in cell.metadata.get("tags", []):
        return False
    # A bitmap comes with a line of text such as <Figure size 640x480 with 1 Axes>, which says nothing of it.
    return any(not any(kind in output.get("data", {}) for kind in PICTURES) for output in cell.outputs)


def substance(path: Path) -> str:
    """Return what decides whether a fault is seen: the code, its tags, the outputs that are compared. No prose."""
    notebook = load(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    cells = [[cell.source, cell.metadata.get("tags", []), cell.outputs if is_compared(cell) else []] for cell in code]
    return json.dumps([programs(notebook), cells])


# -- comparing what is shown with what the code prints ----------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """What became of one code cell: "same", "differs" (or failed, or hung) or "skipped", after a cell that hung."""

    number: int
    outcome: str
    message: str = ""


@dataclass(frozen=True)
class Comparison:
    """What became of a notebook that was run again. `broken` says why, when it could not be run to its end."""

    cells: tuple[Cell, ...]
    seconds: float
    broken: str = ""

    @property
    def red(self) -> tuple[Cell, ...]:
        """The cells that did not print what they show."""
        return tuple(cell for cell in self.cells if cell.outcome == "differs")

    def report(self) -> str:
        """Return what differs, cell for cell; empty when everything is as shown."""
        parts = [f"In [{cell.number}]\n{cell.message}" for cell in self.red]
        return "\n\n".join([*parts, self.broken] if self.broken else parts)


def compare(
    path: Path,
    *,
    cell_timeout: float = CELL_TIMEOUT,
    wall: float = 600.0,
    first_only: bool = False,
    env: Mapping[str, str] | None = None,
) -> Comparison:
    """Run a notebook under nbval, in a process of its own, and compare every output strictly.

    Bitmaps are not compared, nor are cells tagged for it. first_only stops at the first cell that differs; wall is
    the limit in seconds for the whole notebook. Whatever the notebook started is gone when this returns.
    """
    with tempfile.TemporaryDirectory(prefix="rankzero-compare-") as folder:
        junit = Path(folder) / "junit.xml"
        argv = [sys.executable, "-m", "pytest", "-p", "nbval.plugin", "--nbval", "--nbval-current-env", str(path)]
        argv += [f"--nbval-cell-timeout={cell_timeout}", f"--junitxml={junit}", "--color=no", "-vv", "--tb=short"]
        # A session of its own inside the suite: none of the suite's settings and plugins. Without confcutdir pytest
        # lists every folder above the notebook, and fails at one that may only be passed through.
        argv += ["-c", os.devnull, f"--rootdir={path.parent}", f"--confcutdir={path.parent}", "--noconftest"]
        argv += ["-p", "no:cacheprovider"]
        argv += ["--exitfirst"] if first_only else []
        # nbval writes the kernel's connection file where temporary files go, and a killed one stays there.
        own = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "TMPDIR": folder}
        env = {**(environment() if env is None else env), **own}
        result = proc.run(argv, cwd=path.parent, env=env, limits=proc.Limits(wall=wall))
        cells = tuple(_cells(junit)) if junit.exists() else ()
    broken = ""
    if result.timed_out:
        broken = f"the notebook did not end within {wall:.0f} s and was killed"
    elif result.returncode not in (0, 1) or (result.returncode == 1) != any(c.outcome == "differs" for c in cells):
        broken = f"nbval ended with exit code {result.returncode}:\n{result.tail()}"
    return Comparison(cells, result.wall, broken)


def _cells(junit: Path) -> Iterator[Cell]:
    """Read pytest's report: nbval calls the n-th code cell "Cell n-1". Other names are of what kept it from running."""
    for case in ET.parse(junit).iter("testcase"):
        if (name := re.fullmatch(r"Cell (\d+)", case.get("name", ""))) is None:
            continue
        number = int(name[1]) + 1
        faults = [*case.findall("failure"), *case.findall("error")]
        if faults:
            yield Cell(number, "differs", "\n".join(fault.text or fault.get("message", "") for fault in faults))
        else:
            yield Cell(number, "same" if case.find("skipped") is None else "skipped")


# -- the verb ---------------------------------------------------------------------------------------------


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rankzero execute`."""
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="default: all, in the order of the book")
    parser.add_argument(
        "--cell-timeout", type=float, default=CELL_TIMEOUT, metavar="S", help="seconds a cell may take (%(default).0f)"
    )


def main(args: argparse.Namespace) -> int:
    """Run notebooks and store their outputs. A notebook that fails, or is interrupted, stays as it was."""
    # The kernel's connection file is written by this process, and belongs into the state folder as well.
    os.environ.update(places.jupyter_environment())
    paths = [Path(name).resolve() for name in args.notebooks] or everything()
    for path in paths:
        if not path.is_file():
            print(f"rankzero execute: there is no notebook {path}", file=sys.stderr)
            return 2
    for done, path in enumerate(paths):
        print(f"{_shown(path)} … ", end="", flush=True)
        started = time.monotonic()
        try:
            text = canonical(executed(path, args.cell_timeout))
        except (NotebookError, KeyboardInterrupt) as err:
            print("interrupted" if isinstance(err, KeyboardInterrupt) else f"failed, and left as it was\n{err}")
            rest = shlex.join(_shown(left) for left in paths[done:])
            print(f"{done} of {len(paths)} stored. To go on:\n    make execute NOTEBOOKS={shlex.quote(rest)}")
            return 130 if isinstance(err, KeyboardInterrupt) else 1
        changed = text != path.read_text(encoding="utf-8")
        if changed:
            places.store(path, text)
        print(f"{time.monotonic() - started:.1f} s, {share(path)}, {'stored' if changed else 'unchanged'}")
    return 0


def _shown(path: Path) -> str:
    return str(path.relative_to(places.ROOT)) if path.is_relative_to(places.ROOT) else str(path)
