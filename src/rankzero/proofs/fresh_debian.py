"""On a fresh Debian 12, `make lab` is all that a new user types: as root, with sudo, and without any rights.

The work is done by ci/prove_fresh_debian.py, which can be called by itself, for other systems too.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import Any

from rankzero import places, proc
from rankzero.proofs import Proof, ProofError

SCRIPT = "ci/prove_fresh_debian.py"
INPUTS = (
    "Makefile",
    "apt.txt",
    "requirements-mpich.lock",
    "requirements-torch-cpu.txt",
    "src/rankzero/apt.py",
    "src/rankzero/lab.py",
    "src/rankzero/setup.py",
    SCRIPT,
)
CASES = {
    "root": "root types `make lab` and is in lesson one",
    "sudo": "a user with sudo types `make lab` and is in lesson one, in a path with a space",
    "no-rights": "without rights `make lab` says what to ask for, and with the least of it opens, with MPICH's wheel",
    "daemons": "no package that set-up installs starts anything, now or at the next boot, cut off or not",
}


def proofs() -> Iterator[Proof]:
    """Return one proof a case."""
    for name, title in CASES.items():
        title = f"On a fresh Debian 12, {title}."
        inputs = INPUTS if name != "daemons" else ("src/rankzero/apt.py", SCRIPT)
        yield Proof(f"fresh_debian/{name}", title, inputs, functools.partial(run, name), functools.partial(check, name))


def run(name: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Make the root file system and run the case in it. Raises ProofError where that cannot be done."""
    if os.geteuid() or not shutil.which("mmdebstrap"):
        raise ProofError("this proof needs root and mmdebstrap:  sudo apt-get install mmdebstrap")
    say("making a root file system; this takes some minutes")
    limits = proc.Limits(wall=3600, output=1 << 24)
    result = proc.run([sys.executable, SCRIPT, name], cwd=places.ROOT, limits=limits, check=True)
    found: dict[str, Any] = json.loads(result.stdout)
    return {"minbase_s": found["minbase_s"], **found[name]}


def check(name: str, result: dict[str, Any]) -> list[str]:
    """Return what did not hold."""
    if "trouble" in result:
        return [str(result["trouble"])]
    return check_daemons(result) if name == "daemons" else check_lab(name, result)


def check_lab(name: str, result: dict[str, Any]) -> list[str]:
    """Return what did not hold of a case that opens the lab."""
    found = []
    for turn in ("first", "again"):
        lab = result[turn]
        if lab.get("status") != 200 or not lab["lesson"]:
            found.append(f"{turn}: the lab did not open on lesson one")
        elif [where for where in lab["listening"] if not where.startswith("tcp 0100007F:")]:
            found.append(f"{turn}: the lab listens beyond loopback: {lab['listening']}")
        if lab["left_running"]:
            found.append(f"{turn}: left running: {lab['left_running']}")
    if result["again"]["steps_s"]:
        found.append(f"again: steps were repeated: {[*result['again']['steps_s']]}")
    if result["changed"]:
        found.append(f"not as before: {result['changed']}")
    if name == "no-rights":
        line = "sudo apt-get install --no-install-recommends --no-remove python3-venv"
        if not result["bare"]["exit_code"] or not any(line in said for said in result["bare"]["said"]):
            found.append("bare: no error with the line for an administrator")
    return found


def check_daemons(result: dict[str, Any]) -> list[str]:
    """Return what did not hold of the case with daemons."""
    found = []
    control = result["control: redis-server by plain apt-get, policy-rc.d allows"]
    if not control["enabled"] or not control["listening"]:
        found.append("the control started or enabled nothing, so the rest shows nothing")
    after = [(title, result[f"policy-rc.d: {title}"]) for title in ("none", "allows", "denies")]
    after += [(title, result[title]["next"]) for title in ("interrupted", "killed")]
    for title, state in after:
        if state["exit_code"] or state["enabled"] or state["listening"] or state["processes"] or state["note"]:
            found.append(f"{title}: {state}")
        if not state.get("policy-rc.d kept", True):
            found.append(f"{title}: the site's policy-rc.d is not as it was")
    cut_off = result["interrupted"]["then"]
    if cut_off["enabled"] or cut_off["listening"] or cut_off["policy-rc.d"]:
        found.append(f"interrupted: {cut_off}")
    return found
