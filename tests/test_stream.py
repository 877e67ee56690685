"""Running a program on the terminal: its code comes back, its words go where they should, and an interrupt ends it."""

import os
import signal
import subprocess
import sys
import time

import pytest

from rankzero import proc

CALLER = "import signal, sys; from rankzero import proc; sys.exit(proc.stream({argv!r}, patience={patience}))"


def wait_for(path):
    deadline = time.monotonic() + 20
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return path.read_text()


def test_the_exit_code_comes_back_and_output_can_go_to_a_log(tmp_path):
    log = tmp_path / "log"
    log.write_text("before\n")
    assert proc.stream(["sh", "-c", "echo out; echo err >&2; exit 3"], log=log) == 3
    assert log.read_text() == "before\nout\nerr\n"


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(proc.ProcError, match="no-such-program could not be started"):
        proc.stream(["no-such-program"])


@pytest.mark.parametrize("stubborn", [False, True])
def test_an_interrupt_is_passed_on_and_ends_the_program_with_what_it_started(tmp_path, stubborn):
    started, told = tmp_path / "started", tmp_path / "told"
    on_interrupt = f"echo told >{told}; " + ("" if stubborn else "kill $!; exit 7")
    script = f"trap '{on_interrupt}' INT; sleep 600 & echo $! >{started}; while :; do wait; done"
    caller = CALLER.format(argv=["sh", "-c", script], patience=0.5 if stubborn else 20)
    process = subprocess.Popen([sys.executable, "-c", caller], stderr=subprocess.PIPE, text=True)
    sleeper = int(wait_for(started))
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert words.strip().endswith("KeyboardInterrupt")
    assert told.exists()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(sleeper, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    pytest.fail("what the program had started lives on")


ON_START = """\
import os, signal, subprocess
from rankzero import proc
true_popen = subprocess.Popen
def popen(*args, **keywords):
    process = true_popen(*args, **keywords)
    open({started!r}, "w").write(str(process.pid))
    os.kill(os.getpid(), signal.{name})  # before the caller has heard of the process
    return process
subprocess.Popen = popen
def out_of_time(*_):
    raise TimeoutError("the caller's own limit")
signal.signal(signal.SIGALRM, out_of_time)
proc.stream(["sleep", "600"])
"""


@pytest.mark.parametrize(("name", "raised"), [("SIGINT", "KeyboardInterrupt"), ("SIGALRM", "TimeoutError")])
def test_a_signal_while_the_program_is_being_started_ends_it_as_well(tmp_path, name, raised):
    started = tmp_path / "started"
    program = ON_START.format(started=str(started), name=name)
    process = subprocess.run(
        [sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, timeout=30, check=False
    )
    assert process.returncode != 0
    assert process.stderr.strip().splitlines()[-1].startswith(raised)
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)


def test_an_exception_of_the_callers_own_is_none_of_a_program_that_could_not_be_started(tmp_path):
    program = ON_START.format(started=str(tmp_path / "started"), name="SIGALRM").replace(
        "os.kill(", "signal.alarm(1) or ("
    )
    process = subprocess.run(
        [sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, timeout=30, check=False
    )
    assert process.stderr.strip().endswith("TimeoutError: the caller's own limit")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "started").read_text()), 0)
