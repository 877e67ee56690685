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
    """Run; the last line printed is JSON with one key.

    {"values": {name: [of rank 0, …]}}, {"lacking": [name, rank, why]} when a rank has no such variable, or none that
    JSON can hold, {"error": text} when the file does not come to its end, {"unready": text} when there are no ranks.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, required=True, help="number of ranks")
    parser.add_argument("--limit", type=float, default=5.0, help="seconds that the file may take")
    parser.add_argument("file", type=Path)
    parser.add_argument("names", nargs="*", help="variables to print")
    args = parser.parse_args()
    said = _run(args.file.read_text(encoding="utf-8"), args.n, args.names, args.limit)
    print(json.dumps(said), flush=True)
    return 0 if "values" in said else 1


def _run(code: str, n: int, names: list[str], limit: float) -> dict[str, object]:
    try:
        ranks = engines.start(n)
    except engines.EnginesError as err:
        return {"unready": str(err)}
    ranks.restart = ranks.stop  # type: ignore[method-assign]  nobody needs new ranks after a hang or a death
    try:
        result = ranks.view.execute(code, silent=False, block=False)
        ranks.finish(result, code, limit)
        result.get()
        values: dict[str, list[object]] = {}
        for name in names:
            answers = ranks.view.apply_sync(_get, name)
            for rank, (value, why) in enumerate(answers):
                if why:
                    return {"lacking": [name, rank, why]}
                values.setdefault(name, []).append(json.loads(value))
        return {"values": values}
    except engines.EnginesError as err:
        return {"error": _without_advice(str(err))}
    except RemoteError as err:
        return {"error": _raised(err)}
    finally:
        ranks.stop()


def _get(name: str) -> tuple[str, str]:
    """On an engine: return (value as JSON, ""), or ("", why not)."""
    import json  # an engine knows this function alone, and its own globals

    value = globals().get(name)
    if value is None:
        return "", "is None" if name in globals() else "is not there"
    try:
        return json.dumps(value.tolist() if hasattr(value, "tolist") else value), ""
    except (TypeError, ValueError):
        return "", f"is a {type(value).__name__}"


def _without_advice(text: str) -> str:
    """Return what a message says of the ranks, without what a notebook's reader should do now."""
    first, *rest = text.splitlines()
    first = first.rpartition(": a world")[0] or first
    return "\n".join([first, *(line for line in rest if line.startswith("  "))])


def _raised(error: RemoteError) -> str:
    """Return which ranks raised what, and the line at which the first of them did."""
    if not isinstance(error, CompositeError):
        return str(error)
    ranks: dict[str, list[int]] = {}
    for name, value, _, engine in error.elist:
        ranks.setdefault(f"{name}: {value}", []).append(engine["engine_id"])
    said = [f"rank{'s'[: len(who) - 1]} {', '.join(map(str, who))} raised {what}" for what, who in ranks.items()]
    where = [line for line in _ANSI.sub("", error.elist[0][2]).splitlines() if re.match(r"-+> ?\d+", line)]
    return "\n".join([*said, *where[-1:]])


if __name__ == "__main__":
    sys.exit(main())
