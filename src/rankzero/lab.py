"""`rankzero lab`: JupyterLab on this machine's loopback, on lesson one, with a token.

Jupyter and all that it starts (kernels, terminals, what these run) belong to one supervisor: Ctrl-C, a closed terminal
or kill -9 leaves nothing. Its settings are in the state folder; a person's own are neither read nor changed.

RANKZERO_LAB_IP names another address to listen on: in a container 0.0.0.0, so that a port can be published.
"""

from __future__ import annotations

import argparse
import html
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from pathlib import Path
from typing import Any

from rankzero import _reaper, places, proc, setup
from rankzero.mpi import toolchain

LESSON = "notebooks/00_start_here.ipynb"
PORT = 8888
LOOPBACK = "127.0.0.1"
START = 60.0
"""Seconds that JupyterLab has for its first answer; about 2 are usual."""

END = 15.0
"""Seconds that kernels have to end what they started, such as engines."""

# No question about news, no look at other servers for extensions: a lesson needs no internet.
PAGE_CONFIG = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}

# Whole notebooks are laid out at once: the default leaves blanks and raw text behind when one scrolls through a lesson.
SETTINGS = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("--port", type=int, default=PORT, help=f"the first port to try (default {PORT})")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")


def environment() -> dict[str, str]:
    """Return the environment of the lab: its terminals and kernels find .venv, and mpirun works as lessons show it."""
    os.environ["PATH"] = setup.search_path()  # what is found there decides what an MPI needs
    env = os.environ | places.jupyter_environment() | toolchain.environment() | {"VIRTUAL_ENV": str(places.VENV)}
    for name in ("PYTHONPATH", "PYTHONHOME", "MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
        env.pop(name, None)
    return env


def main(args: argparse.Namespace) -> int:
    """Open the lab, and keep it until it is told to end. Returns the exit code."""
    env = environment()
    labconfig = Path(env["JUPYTER_CONFIG_DIR"], "labconfig")
    for name, content in (("page_config", PAGE_CONFIG), ("default_setting_overrides", SETTINGS)):
        if not (labconfig / f"{name}.json").exists():  # what a learner has set is kept
            places.store(labconfig / f"{name}.json", json.dumps(content) + "\n")
    log = places.home() / "logs" / "lab.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text("")
    argv = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *(f"--ServerApp.ip={os.environ.get('RANKZERO_LAB_IP', LOOPBACK)}", f"--ServerApp.port={args.port}"),
        "--ServerApp.port_retries=50",
        *(f"--ServerApp.root_dir={places.ROOT}", f"--LabApp.default_url=/lab/tree/{LESSON}"),
        *("--LabApp.extension_manager=readonly", "--ServerApp.log_level=WARN"),
    ]
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    with proc.Supervisor() as supervisor:
        try:
            pid = supervisor.start("lab", argv, cwd=places.ROOT, env=env, stdout=log)
            _trust(Path(env["JUPYTER_DATA_DIR"]))  # while it starts
            server = _wait(supervisor, Path(env["JUPYTER_RUNTIME_DIR"], f"jpserver-{pid}.json"), log)
            if server["port"] != args.port:
                print(f"Port {args.port} is taken; this lab is on {server['port']}.")
            address = f"{server['url']}lab/tree/{LESSON}?token={server['token']}"
            opened = not args.no_browser and _open(address, supervisor.run_dir.path / "open.html")
            print("JupyterLab is open in your browser. Its address:" if opened else "Open this address in a browser:")
            print(f"\n    {address}\n\nCtrl-C ends it. Its log: {log}", flush=True)
            end = supervisor.wait("lab")
        except KeyboardInterrupt:
            print("\nEnding JupyterLab, its kernels and what they started …", flush=True)
            supervisor.signal("lab", signal.SIGTERM)
            deadline = time.monotonic() + END
            supervisor.wait("lab", END)
            while _reaper.descendants(supervisor.pid) and time.monotonic() < deadline:
                time.sleep(0.05)
            return 0
    if end and end["returncode"]:
        raise proc.ProcError(f"JupyterLab ended with {end['returncode']}:\n{_tail(log)}")
    return 0  # File > Shut Down, in the browser


def _trust(data: Path) -> None:
    """Sign the lessons: JupyterLab hides the stored pictures of a notebook that nobody here has run or signed."""
    import nbformat  # a second or more, which JupyterLab needs to start as well: not before it has begun
    from nbformat import sign

    data.mkdir(parents=True, exist_ok=True)
    notary = sign.NotebookNotary(data_dir=str(data))
    for path in (places.ROOT / "notebooks").glob("*.ipynb"):
        try:
            notary.sign(nbformat.read(path, as_version=4))
        except (ValueError, AttributeError):  # a learner's, half written: JupyterLab will say what is wrong with it
            continue


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _tail(log: Path) -> str:
    return "\n".join("    " + line for line in log.read_text(errors="replace").splitlines()[-8:])


def _wait(supervisor: proc.Supervisor, info: Path, log: Path) -> dict[str, Any]:
    """Wait until JupyterLab answers; return what it wrote down about itself. Raises ProcError when it does not."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        if supervisor.wait("lab", 0.05) is not None:
            raise proc.ProcError(f"JupyterLab did not start:\n{_tail(log)}\nThe whole log: {log}")
        try:
            server: dict[str, Any] = json.loads(info.read_text(encoding="utf-8"))
            # Where it listens on every address it names the container's, which means nothing outside.
            server["url"] = f"http://{LOOPBACK}:{server['port']}{server['base_url']}"
            question = urllib.request.Request(f"{server['url']}api/status?token={server['token']}")
            direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy knows no loopback
            with direct.open(question, timeout=5):
                return server
        except (OSError, ValueError):  # not there yet, half written, or not listening yet
            continue
    raise proc.ProcError(
        f"JupyterLab does not answer {START:.0f} s after its start:\n{_tail(log)}\nThe whole log: {log}"
    )


def _open(address: str, page: Path) -> bool:
    """Open the address in the person's browser, where there is a screen. Returns whether one was found.

    By way of a private file: a command line, with the token in it, can be read by everybody on the machine.
    """
    if not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")):
        return False
    page.write_text(f'<meta http-equiv="refresh" content="0; url={html.escape(address)}">\n', encoding="utf-8")
    try:
        return webbrowser.open(page.as_uri())
    except webbrowser.Error:
        return False
