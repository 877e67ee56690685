"""Run publish.sh as cron does, and see what happens to the names in the site: watch.py HOME SCRIPT STAGE SITE.

Ends with the exit code of the script. Writes what happened, by inotify, to events.json where it was started.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

EVENTS = {0x40: "renamed away", 0x80: "renamed to", 0x100: "created", 0x200: "removed"}
"""Of sys/inotify.h: IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE."""


def watch(folder: Path) -> int:
    """Begin to watch the names in a folder."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(os.O_NONBLOCK)
    if libc.inotify_add_watch(fd, os.fsencode(folder), sum(EVENTS)) < 0:
        raise OSError(ctypes.get_errno(), "inotify")
    return fd


def happened(fd: int) -> list[tuple[str, str]]:
    """Return what happened since, name and event, in order."""
    found: list[tuple[str, str]] = []
    with contextlib.suppress(BlockingIOError):
        while data := os.read(fd, 1 << 16):
            while data:
                _, mask, _, length = struct.unpack_from("iIII", data)
                name = os.fsdecode(data[16 : 16 + length].rstrip(b"\0"))
                data = data[16 + length :]
                found += [(name, word) for bit, word in EVENTS.items() if mask & bit]
    return found


def main() -> int:
    """Run it, with a folder for temporary files that is on another file system where there is one."""
    here = Path.cwd()
    home, script, stage, site = sys.argv[1:]
    elsewhere = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None
    temporary = tempfile.mkdtemp(dir=elsewhere)
    os.chdir(home)
    fd = watch(Path(site)) if Path(site).is_dir() else -1
    try:
        ended = subprocess.run(["bash", script, stage, site], env=os.environ | {"TMPDIR": temporary}, check=False)
        another = elsewhere is not None and elsewhere.stat().st_dev != here.stat().st_dev
        said = {"events": happened(fd) if fd >= 0 else [], "another": another}
        (here / "events.json").write_text(json.dumps(said))
    finally:
        shutil.rmtree(temporary)
    return ended.returncode if ended.returncode >= 0 else 128 - ended.returncode


sys.exit(main())
