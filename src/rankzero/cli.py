"""`rankzero VERB …`: thin; each verb stands in the module that does the work.

A module of a verb has `configure(parser)`, which adds its arguments, and `main(args)`, which returns the exit code.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from rankzero import __version__
from rankzero.places import PlacesError
from rankzero.proc import ProcError

VERBS = {
    "lab": ("rankzero.lab", "open JupyterLab on lesson one"),
    "doctor": ("rankzero.doctor", "say what this machine has, what is missing, and what brings it"),
    "execute": ("rankzero.notebooks", "run notebooks from a fresh kernel and store their outputs"),
    "book": ("rankzero.book", "build the site from the committed outputs"),
    "serve": ("rankzero.book", "build the site and show it on this machine"),
    "prove": ("rankzero.proofs", "run the long proofs and store their results as data"),
    "bench": ("rankzero.bench", "measure the course's own figures on this machine"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb. Returns its exit code: 0 done, 1 failed with a message, 2 misuse, 130 interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="rankzero", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--version", action="version", version=f"rankzero {__version__}")
    subparsers = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, (module_name, help_text) in VERBS.items():
        subparser = subparsers.add_parser(verb, help=help_text, description=help_text)
        if words[:1] == [verb]:  # only the verb that is asked for is imported
            importlib.import_module(module_name).configure(subparser)
    args = parser.parse_args(words)
    try:
        code = int(importlib.import_module(VERBS[args.verb][0]).main(args))
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
