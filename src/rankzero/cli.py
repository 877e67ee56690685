"""`rankzero VERB …`: thin; each verb stands in the module that does the work.

What stands for a verb, a module or an object in one (`module:name`), has `configure(parser)`, which adds its arguments,
and `main(args)`, which returns the exit code.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from rankzero import __version__
from rankzero.places import PlacesError
from rankzero.proc import ProcError

VERBS = {
    "lab": ("rankzero.lab", "open JupyterLab on lesson one"),
    "doctor": ("rankzero.doctor", "say what this machine has, what is missing, and what brings it"),
    "list": ("rankzero.exercises.verbs:LIST", "show the exercises, and which are solved"),
    "start": ("rankzero.exercises.verbs:START", "copy an exercise to work/, and say what to open"),
    "check": ("rankzero.exercises.verbs:CHECK", "judge your answer to an exercise"),
    "hint": ("rankzero.exercises.verbs:HINT", "show the next hint"),
    "solution": ("rankzero.exercises.verbs:SOLUTION", "show the solution, after the last hint"),
    "reset": ("rankzero.exercises.verbs:RESET", "begin an exercise again, and keep your files beside"),
    "watch": ("rankzero.exercises.verbs:WATCH", "judge an exercise each time a file of it is saved"),
    "progress": ("rankzero.exercises.verbs:PROGRESS", "show what you have done, as text, page or JSON"),
    "trace": ("rankzero.mpi.trace", "run an MPI program and say what each rank called and sent"),
    "execute": ("rankzero.notebooks", "run notebooks from a fresh kernel and store their outputs"),
    "book": ("rankzero.book", "build the site from the committed outputs"),
    "serve": ("rankzero.book", "build the site and show it on this machine"),
    "prove": ("rankzero.proofs", "run the long proofs and store their results as data"),
    "bench": ("rankzero.bench", "measure the course's own figures on this machine"),
}


def _load(name: str) -> Any:
    module, _, attribute = name.partition(":")
    loaded = importlib.import_module(module)
    return getattr(loaded, attribute) if attribute else loaded


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb. Returns its exit code: 0 done, 1 failed with a message, 2 misuse, 130 interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="rankzero", description="Rank Zero: the lab, the exercises and the proofs.")
    parser.add_argument("--version", action="version", version=f"rankzero {__version__}")
    subparsers = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, (name, help_text) in VERBS.items():
        subparser = subparsers.add_parser(verb, help=help_text, description=help_text)
        if words[:1] == [verb]:  # only the verb that is asked for is imported
            _load(name).configure(subparser)
    args = parser.parse_args(words)
    try:
        code = int(_load(VERBS[args.verb][0]).main(args))
        sys.stdout.flush()
        return code
    except (PlacesError, ProcError) as err:
        print(f"rankzero {args.verb}: {err}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `rankzero doctor | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
