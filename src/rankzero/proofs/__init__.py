"""Proofs: claims of the course that take too long to show on every test run.

`make prove` runs a proof and commits its result, data in proofs/NAME.json, with a hash of every file that it depends
on. `make test` analyses the data again, and fails when a file has changed since or a result is missing.

Each module in this package has `proofs()`, which returns one `Proof` or several. To add one, add a module; nothing
else. Name as inputs what the result depends on and nothing more, so that an edit elsewhere does not cost a run.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import importlib
import json
import pkgutil
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rankzero import machine, notebooks, places, proc

FOLDER = "proofs"


class ProofError(proc.ProcError):
    """A proof cannot be run. The message says why."""


@dataclass(frozen=True)
class Proof:
    """One claim.

    name: of its result, proofs/NAME.json; "topic/what" where one module proves the same of several things.
    title: the claim, a sentence. inputs: patterns of files, from the checkout's root, that the result depends on;
    "lock:PACKAGE" stands for the version of a Python package, "code:NOTEBOOK" for a lesson without its prose.
    run: does the work, given a function that shows one line of progress; returns data for JSON. check: returns what
    is wrong with such data, sentences; none is right.
    """

    name: str
    title: str
    inputs: tuple[str, ...]
    run: Callable[[Callable[[str], None]], dict[str, Any]]
    check: Callable[[dict[str, Any]], list[str]]

    def file(self, root: Path = places.ROOT) -> Path:
        """Where the result lies."""
        return root / FOLDER / f"{self.name}.json"

    @property
    def command(self) -> str:
        """What runs it."""
        return f"make prove PROOFS={self.name}"


def registered() -> list[Proof]:
    """Return all proofs, in the order of their names."""
    modules = (importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    return sorted((proof for module in modules for proof in module.proofs()), key=lambda proof: proof.name)


def hashes(inputs: Sequence[str], root: Path = places.ROOT) -> dict[str, str]:
    """Return the SHA-256 of each file that the patterns match, and the version of each package, by name.

    A pattern that matches nothing stands for itself with "missing".
    """
    found: dict[str, str] = {}
    for pattern in inputs:
        if pattern.startswith("lock:"):
            package = re.escape(pattern.removeprefix("lock:"))
            pinned = re.search(rf"^{package}==([^\s;\\]+)", (root / "requirements.lock").read_text(), re.M)
            found[pattern] = pinned[1] if pinned else "missing"
            continue
        if pattern.startswith("code:"):
            lesson = root / pattern.removeprefix("code:")
            found[pattern] = _sha256(notebooks.substance(lesson).encode()) if lesson.is_file() else "missing"
            continue
        files = [path for path in root.glob(pattern) if path.is_file() and "__pycache__" not in path.parts]
        for path in files:
            found[path.relative_to(root).as_posix()] = _sha256(path.read_bytes())
        if not files:
            found[pattern] = "missing"
    return dict(sorted(found.items()))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def staleness(proof: Proof, root: Path = places.ROOT) -> list[str]:
    """Return why the stored result is not one of the files as they are now; empty when it is."""
    file = proof.file(root)
    if not file.exists():
        return ["it has no result"]
    then, now = json.loads(file.read_text())["inputs"], hashes(proof.inputs, root)
    changed = sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
    return [f"its result is stale: {', '.join(changed)} changed"] if changed else []


def problems(proof: Proof, root: Path = places.ROOT) -> list[str]:
    """Return what is wrong with a proof: missing or stale, or data that no longer show what it claims."""
    found = staleness(proof, root) or proof.check(json.loads(proof.file(root).read_text())["result"])
    return [f"{proof.name}: {fault}" for fault in found] + ([f"    {proof.command}"] if found else [])


def prove(proof: Proof, say: Callable[[str], None], root: Path = places.ROOT) -> list[str]:
    """Run a proof, store its result, and return what is wrong with it. An interrupt leaves the old result."""
    before = hashes(proof.inputs, root)
    if missing := [name for name, value in before.items() if value == "missing"]:
        raise ProofError(f"{proof.name} depends on what is not there: {', '.join(missing)}")
    started = time.monotonic()
    result = proof.run(say)
    if hashes(proof.inputs, root) != before:
        raise ProofError(f"{proof.name}: its inputs changed while it ran, so its result says nothing; run it again")
    record = {
        "proof": proof.title,
        "inputs": before,
        "machine": machine.describe(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seconds": round(time.monotonic() - started, 1),
        "result": result,
    }
    places.store(proof.file(root), json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return problems(proof, root)


def chosen(names: Sequence[str], among: Sequence[Proof]) -> list[Proof]:
    """Return the proofs of those names; the part before the slash names all that share it. No name: all."""
    unknown = [name for name in names if not any(_is_named(proof, name) for proof in among)]
    if unknown:
        raise ProofError(f"there is no proof {', '.join(unknown)}; `rankzero prove --list` shows all")
    return [proof for proof in among if not names or any(_is_named(proof, name) for name in names)]


def _is_named(proof: Proof, name: str) -> bool:
    return proof.name == name or proof.name.startswith(f"{name}/")


# -- the verb ---------------------------------------------------------------------------------------------


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rankzero prove`."""
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="default: all that have no result, a stale one, or one that does not hold",
    )
    parser.add_argument("--again", action="store_true", help="also those whose result is fresh and holds")
    parser.add_argument("--list", action="store_true", help="show all proofs and how they stand; run none")


def main(args: argparse.Namespace, among: Sequence[Proof] | None = None, root: Path = places.ROOT) -> int:
    """Run proofs and store their results. Those that are done stay done, so an interrupted call can be repeated."""
    everything = chosen(args.names, registered() if among is None else among)
    if args.list:
        for proof in everything:
            print(f"{proof.name}: {proof.title}")
            print("\n".join(f"    {line.strip()}" for line in problems(proof, root) or ["fresh, and holds"]))
        return 0
    due = [proof for proof in everything if args.again or problems(proof, root)]
    print(f"{len(due)} of {len(everything)} proofs to run" + ("" if due else ": every result is fresh and holds"))
    failed = 0
    for proof in due:
        print(f"{proof.name}: {proof.title}", flush=True)
        started = time.monotonic()
        faults = prove(proof, lambda line: print(f"    {line}", flush=True), root)
        print(f"    {time.monotonic() - started:.0f} s, {proof.file(root).relative_to(root)} stored")
        failed += bool(faults)
        for fault in faults[:-1]:
            print(f"    NOT PROVED: {fault}", file=sys.stderr)
    return 1 if failed else 0


def load(name: str, root: Path = places.ROOT) -> Mapping[str, Any]:
    """Return a stored record by the name of its proof: what the book and the tests read."""
    return json.loads((root / FOLDER / f"{name}.json").read_text())  # type: ignore[no-any-return]
