"""What this machine is, in the few words that a stored figure needs beside it."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

from rankzero.mpi import toolchain


def describe() -> dict[str, str | int | float]:
    """Return cpu, cores (that this process may use), memory in GiB, os, python and mpi. No names, no paths."""
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    model = re.search(r"^model name\s*: (.+)$", cpuinfo, re.M)
    mpi = toolchain.course()
    return {
        "cpu": model[1].strip() if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "os": platform.freedesktop_os_release().get("PRETTY_NAME", "Linux"),
        "python": platform.python_version(),
        "mpi": f"{mpi.name} {mpi.version}" if mpi else "none",
    }


def sentence(machine: dict[str, str | int | float]) -> str:
    """Return the description as one line of text."""
    return "{cpu}, {cores} cores, {memory_gib} GiB, {os}, Python {python}, {mpi}".format(**machine)
