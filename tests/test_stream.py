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


def test_an_interrupt_while_the_program_is_being_started_ends_it_as_well(tmp_path):
    started = tmp_path / "started"
    caller = (
        "import os, signal, subprocess\n"
        "from rankzero import proc\n"
        "true_popen = subprocess.Popen\n"
        "def popen(*args, **keywords):\n"
        "    process = true_popen(*args, **keywords)\n"
        f"    open({str(started)!r}, 'w').write(str(process.pid))\n"
        "    os.kill(os.getpid(), signal.SIGINT)  # before the caller has heard of the process\n"
        "    return process\n"
        "subprocess.Popen = popen\n"
        "proc.stream(['sleep', '600'])\n"
    )
    process = subprocess.run([sys.executable, "-c", caller], stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    assert process.returncode == -signal.SIGINT
    assert process.stderr.strip().endswith("KeyboardInterrupt")
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)
