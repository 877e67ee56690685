"""A program that nobody has vouched for: each way to end has its name, in time, and nothing is left or touched."""

from __future__ import annotations

import os
import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from rankzero import _inside, places, proc, sandbox

WALL = 1.5
LIMITS = replace(sandbox.LIMITS, wall=WALL)

WAYS = [True, False] if not sandbox.isolation() else [False]
ids = {True: "shut in", False: "process group"}.get


@pytest.fixture(params=WAYS, ids=ids)
def box(request):
    with sandbox.Sandbox(isolate=request.param) as made:
        yield made


def sh(box, script, **options):
    return box.run(["sh", "-c", script], **{"limits": LIMITS, **options})


def test_the_end_of_a_program_is_told_as_it_was(box):
    ending = sh(box, "echo out; echo err >&2; exit 3")
    assert (ending.returncode, ending.stdout, ending.stderr, ending.ended_by) == (3, "out\n", "err\n", "")
    assert sh(box, "kill -SEGV $$").returncode == -11
    assert sh(box, "exit 0").ok


# Name of the limit -> what goes beyond it.
BEYOND = {
    "wall": "while :; do :; done",
    "processes": "bomb() { bomb | bomb & }; bomb; sleep 60",
    "output": "yes",
    "disk": "n=0; while :; do n=$((n + 1)); head -c 100000000 /dev/zero >file$n; done",
    "memory": f"exec {shlex.quote(sys.executable)} -c 'a = []\nwhile True: a.append(bytearray(b\"x\" * 10**8))'",
}


@pytest.mark.parametrize("limit", BEYOND)
def test_what_goes_beyond_a_limit_is_ended_in_time_and_named(box, limit):
    began = time.monotonic()
    limits = replace(LIMITS, wall=10.0) if limit != "wall" else LIMITS
    limits = replace(limits, totals={**limits.totals, "memory": 10**9})
    assert sh(box, BEYOND[limit], limits=limits).ended_by == limit
    assert time.monotonic() - began < (WALL if limit == "wall" else 10) + 2


def test_the_kernel_keeps_a_program_to_a_number_of_processes_too(box):
    most = int(sh(box, "exec bash -c 'ulimit -u'").stdout)
    assert most >= _inside.PROCESSES
    assert most - (0 if box.isolated else _inside.tasks_of(os.geteuid())) < _inside.PROCESSES + 100


def test_a_program_that_ignores_sigterm_is_ended_and_said_to_do_so(box):
    assert sh(box, "trap '' TERM; while :; do sleep 0.1; done").ignores_sigterm
    assert sh(box, "trap 'echo no' TERM; while :; do sleep 0.1; done").ignores_sigterm
    assert not sh(box, "sleep 60").ignores_sigterm


def test_a_daemon_is_named_and_ended(box):
    ending = sh(box, "setsid sleep 612 >/dev/null 2>&1 & exit 0")
    assert ending.stayed == ("sleep 612",)
    assert not ending.ok
    assert b"sleep\x00612" not in b"".join(_commands())


def _commands():
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes()
        except OSError:  # ended
            continue


def test_a_program_that_is_not_there_is_said(box):
    with pytest.raises(proc.ProcError, match="no-such-program could not be started: No such file"):
        box.run(["no-such-program"])


def test_it_has_a_home_and_a_tmp_of_its_own(box):
    ending = sh(box, 'echo x >"$HOME/a" && echo x >"$TMPDIR/b" && echo x >c && ls')
    assert ending.stdout == "c\n", ending.stderr
    assert (box.folder / "c").exists()


@pytest.mark.skipif(bool(sandbox.isolation()), reason=f"programs cannot be shut in here: {sandbox.isolation()}")
def test_shut_in_it_sees_the_files_and_changes_none_but_its_own(tmp_path):
    theirs = tmp_path / "theirs"
    theirs.write_text("mine")
    state = places.home()
    with sandbox.Sandbox(isolate=True) as box:
        script = (
            f"cat '{theirs}'; echo yours >'{theirs}'; rm -f '{theirs}'; touch '{state}/x' '{places.ROOT}/x'; : >/tmp/x"
        )
        ending = sh(box, f"{script}; : >/tmp/x")
        assert ending.stdout == "mine" or "No such file" in ending.stderr, "what lies below /tmp is hidden"
        assert not (box.private / "x").read_bytes()
    assert theirs.read_text() == "mine"
    assert not (state / "x").exists()
    assert not (places.ROOT / "x").exists()


@pytest.mark.skipif(bool(sandbox.isolation()), reason=f"programs cannot be shut in here: {sandbox.isolation()}")
def test_shut_in_it_has_a_loopback_that_nobody_else_shares_and_no_rights():
    with sandbox.Sandbox(isolate=True) as box:
        code = (
            "import socket\ns = socket.create_server(('127.0.0.1', 0))\n"
            "c = socket.create_connection(s.getsockname(), 2)\nprint(len(open('/proc/net/dev').readlines()) - 2)"
        )
        ending = box.run([sys.executable, "-c", code], limits=LIMITS)
        assert ending.stdout.strip() == "1", ending.output
        assert "0000000000000000" in sh(box, "grep CapEff /proc/self/status").stdout


def test_several_programs_run_one_after_the_other(box):
    assert sh(box, "echo 1 >a").ok
    assert sh(box, "cat a").stdout == "1\n"
    (box.folder / "b").mkdir()
    assert sh(box, "pwd", cwd="b").stdout.endswith("/work/b\n")


def test_input_is_what_it_is_given(box, tmp_path):
    text = box.private / "input"
    text.write_text("42\n")
    assert sh(box, "read n; echo $((n + 1))", stdin=text).stdout == "43\n"
    assert sh(box, "read n || echo end").stdout == "end\n"


class Impatient:
    """A watcher that sees a hang in everything."""

    def __init__(self, pid):
        assert Path(f"/proc/{pid}").exists()

    def look(self, left):
        return "it hangs"

    def where(self):
        return "here"


def test_what_a_watcher_sees_ends_the_program(box):
    ending = sh(box, "sleep 60", watcher=Impatient)
    assert (ending.ended_by, ending.hang) == ("hang", "it hangs")
