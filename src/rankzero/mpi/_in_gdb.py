"""Run by gdb's own Python: write the stacks of several processes to a file, one JSON line a process.

One gdb for many processes reads the symbols of a library once, and what it has attached to leaves the cores free.
Started by `rankzero.mpi.stacks` with these variables set: PIDS, a list of (pid, root of its file system); OUTPUT, the
file; TURNS, how often to look; APART, the seconds between two looks.
"""

from __future__ import annotations

import json
import re
import time
from typing import TextIO

import gdb

PIDS: list[tuple[int, str]] = globals()["PIDS"]
OUTPUT: str = globals()["OUTPUT"]
TURNS: int = globals()["TURNS"]
APART: float = globals()["APART"]
DEEPEST = 200
"""Frames of a stack at most, from the innermost: a recursion without end has hundreds of thousands."""


def frames(known: set[str]) -> list[tuple[str, str, int, str]]:
    """Return the selected thread's stack, innermost first: function, source file, line, library ("": the program).

    Symbols are read of those libraries only that are on a stack: `known` are those of this process so far.
    """
    found: list[tuple[str, str, int, str]] = []
    frame = gdb.newest_frame()
    while frame is not None and len(found) < DEEPEST:
        library = gdb.solib_name(frame.pc()) or ""
        if library and library not in known:  # begin again: what lies above was found without its symbols
            known.add(library)
            gdb.execute(f"sharedlibrary ^{re.escape(library)}$", to_string=True)
            found, frame = [], gdb.newest_frame()
            continue
        place = frame.find_sal()
        source = place.symtab.fullname() if place.symtab else ""
        found.append((frame.name() or "", source, place.line, library))
        try:
            frame = frame.older()
        except gdb.error:  # no way to unwind further
            break
    return found


def threads() -> list[dict[str, object]]:
    """Return tid, name and stack of each thread of the selected process."""
    found = []
    known: set[str] = set()
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        try:
            stack = frames(known)
        except gdb.error:  # the thread is just ending
            continue
        found.append({"tid": thread.ptid[1], "name": thread.name or "", "frames": stack})
    return found


def attach(number: int, pid: int, root: str) -> None:
    """Attach to a process as gdb's inferior of that number."""
    gdb.execute(f"set sysroot {root}", to_string=True)
    if number > len(gdb.inferiors()):
        gdb.execute("add-inferior -no-connection", to_string=True)
    gdb.execute(f"inferior {number}", to_string=True)
    gdb.execute(f"attach {pid}", to_string=True)


def look(turn: int, output: TextIO) -> None:
    """Attach to all first, so that ranks that spin leave the cores to us; then read; then let go of all."""
    attached = []
    answers: dict[int, dict[str, object]] = {}
    for number, (pid, root) in enumerate(PIDS, start=1):
        answers[number] = {"turn": turn, "pid": pid}
        try:
            attach(number, pid, root)
            attached.append(number)
        except gdb.error as err:
            answers[number]["error"] = str(err)
    for number, answer in answers.items():
        if number in attached:
            try:
                gdb.execute(f"inferior {number}", to_string=True)
                gdb.execute(f"set sysroot {PIDS[number - 1][1]}", to_string=True)
                answer["threads"] = threads()
            except gdb.error as err:
                answer["error"] = str(err)
        output.write(json.dumps(answer) + "\n")
        output.flush()
    if attached:
        gdb.execute(f"detach inferiors {' '.join(map(str, attached))}", to_string=True)


gdb.execute("set auto-solib-add off")
with open(OUTPUT, "a", encoding="utf-8") as file:  # noqa: PTH123
    for turn in range(TURNS):
        if turn:
            time.sleep(APART)  # what lies between two looks is what they are compared for
        look(turn, file)
