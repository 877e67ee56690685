"""`rankzero book` and `rankzero serve`: build the site from the committed outputs, and show it on this machine."""

from __future__ import annotations

import argparse
import errno
import functools
import gzip
import http.server
import importlib.util
import os
import re
import sys
import time
import urllib.parse
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from rankzero import places, proc

PORT = 8000


class BookError(proc.ProcError):
    """The site cannot be built or shown. The message ends with what mends it."""


@dataclass(frozen=True)
class Site:
    """A built site: its folder, and the seconds that the build took."""

    folder: Path
    seconds: float

    @property
    def index(self) -> Path:
        """The landing page."""
        return self.folder / "index.html"

    def pages(self) -> list[Path]:
        """Return every page, in the order of their names."""
        return pages(self.folder)


def pages(folder: Path) -> list[Path]:
    """Return the pages of the site in `folder`: what a reader can open, not what pages are made of."""
    found = (
        path for path in folder.rglob("*.html") if path.relative_to(folder).parts[0] not in ("_static", "_sources")
    )
    return sorted(found)


def build(source: Path = places.ROOT, output: Path | None = None, *, fresh: bool = False) -> Site:
    """Build the book in `source` into `output`/_build/html (default: in `source`), with warnings as errors.

    Only what changed is built again unless `fresh`. Raises BookError with what Sphinx said.
    """
    if importlib.util.find_spec("jupyter_book") is None:
        raise BookError("Jupyter Book is not in .venv, so the site cannot be built:\n    make setup")
    output = source if output is None else output
    argv = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", source]
    argv += ["--path-output", output, "--warningiserror", "--nitpick", "--keep-going", *(["--all"] if fresh else [])]
    env = {**os.environ, **places.jupyter_environment(), "NO_COLOR": "1", "PYTHONWARNINGS": "ignore"}
    result = proc.run(argv, cwd=source, env=env, limits=proc.Limits(wall=600))
    if not result.ok:
        raise BookError(f"the site was not built: {result.describe()}\n{_complaints(result, source)}")
    return Site(output / "_build" / "html", result.wall)


def _complaints(result: proc.Result, source: Path) -> str:
    """Return what Sphinx complained about, paths relative to `source`; all that it said where that is not clear."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", result.stderr)
    lines = [line.replace(f"{source}/", "") for line in text.splitlines() if line.strip()]
    found = [line for line in lines if re.search(r"\b(WARNING|ERROR|CRITICAL)\b|Error\b|error:", line)]
    return "\n".join(f"    {line}" for line in found or [*result.stdout.splitlines()[-20:], *lines])


# --- weight ------------------------------------------------------------------------------------------------------

PACKED = {".html", ".css", ".js", ".svg", ".json", ".txt", ".xml", ".ipynb", ".md", ".map"}


def transfer_size(path: str, body: bytes) -> int:
    """Return the bytes that a static host sends for a file: gzipped where that is usual, else as they are."""
    return len(gzip.compress(body, 6)) if Path(path).suffix.lower() in PACKED else len(body)


class _Parts(HTMLParser):
    """Collects what a page loads by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        named = given.get("href") if tag == "link" else given.get("src")
        wanted = tag != "link" or bool({"stylesheet", "icon", "preload"} & set((given.get("rel") or "").split()))
        if named and wanted and not urllib.parse.urlsplit(named).scheme:
            self.addresses.add(urllib.parse.urlsplit(named).path)


def weight(page: Path) -> int:
    """Return the bytes of a page's first load, packed as a static host packs them.

    Read from its source, with what any formula needs where there is one; tests/test_book.py measures in a browser.
    """
    parts = _Parts()
    parts.feed(page.read_text())
    files = {page} | {(page.parent / urllib.parse.unquote(address)).resolve() for address in parts.addresses}
    for style in [file for file in files if file.suffix == ".css"]:
        fonts = re.findall(r"url\(([^)]+\.woff2?)\)", style.read_text())
        files |= {(style.parent / font).resolve() for font in fonts}
    startup = [file for file in files if file.match("mathjax/startup.js")]
    for part in startup and startup[0].parent.rglob("*"):
        if part.match("fonts/woff-v2/*"):
            wanted = part.name in ("MathJax_Main-Regular.woff", "MathJax_Math-Italic.woff")
        else:
            wanted = part.is_file() and part.parent.name != "extensions"
        files |= {part} if wanted else set()
    return sum(transfer_size(file.name, file.read_bytes()) for file in files)


# --- server ------------------------------------------------------------------------------------------------------


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files without a word, and never from a stale copy of the browser's."""

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    """A server of the site on loopback; its port is the first free one from `port` on, any with 0."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int = 0) -> None:
        handler = functools.partial(_Handler, directory=str(folder))
        for candidate in range(port, port + 100):
            try:
                super().__init__(("127.0.0.1", candidate), handler)
            except OSError as err:
                if err.errno != errno.EADDRINUSE:
                    raise
            else:
                return
        raise BookError(
            f"ports {port} to {port + 99} are all taken; name another:\n    rankzero serve --port {port + 100}"
        )

    @property
    def url(self) -> str:
        """The address of the landing page."""
        return f"http://127.0.0.1:{self.server_port}/"


# --- verbs -------------------------------------------------------------------------------------------------------


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of both verbs."""
    parser.add_argument("--fresh", action="store_true", help="build every page anew")
    if parser.prog.endswith("serve"):
        parser.add_argument("--port", type=int, default=PORT, help=f"the first port to try (default {PORT})")


def main(args: argparse.Namespace) -> int:
    """Build, say what was built, and with `serve` show it until Ctrl-C."""
    print("building the book …", flush=True)
    start = time.monotonic()
    site = build(fresh=args.fresh)
    report(site, time.monotonic() - start)
    return show(site, args.port) if args.verb == "serve" else 0


def report(site: Site, seconds: float) -> None:
    """Say where the site is, how long it took, and which page weighs most."""
    weights = {page: weight(page) for page in site.pages()}
    heaviest = max(weights, key=lambda page: weights[page])
    print(f"{len(weights)} pages in {seconds:.1f} s: {site.index}")
    print(f"heaviest: {heaviest.relative_to(site.folder)}, {weights[heaviest] / 1000:.0f} kB compressed")


def show(site: Site, port: int) -> int:
    """Serve the site on loopback until Ctrl-C."""
    with Server(site.folder, port) as server:
        print(f"{server.url}   (Ctrl-C ends it)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0
