"""Run a file on engines, as a `%%px` cell, and print variables as JSON: `python -m rankzero.exercises.on_engines`."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from ipyparallel.error import CompositeError, RemoteError

from rankzero.mpi import engines

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def main() -> int:
    """Run; the last line printed is {"values": {name: [of rank 0, …]}} or {"error": text}."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, required=True, help="number of ranks")
    parser.add_argument("--limit", type=float, default=5.0, help="seconds that the file may take")
    parser.add_argument("file", type=Path)
    parser.add_argument("names", nargs="*", help="variables to print; null where a rank has none")
    args = parser.parse_args()
    code = args.file.read_text(encoding="utf-8")
    ranks = engines.start(args.n)
    try:
        result = ranks.view.execute(code, silent=False, block=False)
        ranks.finish(result, code, args.limit)
        result.get()
        values = {}
        for name in args.names:
            got = ranks.view.apply_sync(_get, name)
            values[name] = None if None in got else got
        said: dict[str, object] = {"values": values}
    except engines.EnginesError as err:
        said = {"error": str(err)}
    except (CompositeError, RemoteError) as err:
        said = {"error": _ANSI.sub("", "\n".join(_first(err)))}
    finally:
        ranks.stop()
    print(json.dumps(said), flush=True)
    return 1 if "error" in said else 0


def _get(name: str) -> object:
    value = globals().get(name)  # the engine's own: this function runs there
    return value.tolist() if hasattr(value, "tolist") else value


def _first(error: Exception) -> list[str]:
    """Return what the first rank that failed said."""
    if isinstance(error, CompositeError):
        _, _, traceback, _ = error.elist[0]
        return traceback.splitlines()[-8:]
    return [str(error)]


if __name__ == "__main__":
    sys.exit(main())
