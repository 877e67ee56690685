"""The suite checks itself: each kind of leftover is planted in a session of its own, caught, named and removed."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import leftovers
import pytest

from rankzero import proc

TESTS = Path(__file__).parent

PREAMBLE = f"""
import ctypes, os, signal, socket, subprocess, sys, time
from pathlib import Path
import pytest
from rankzero import places, proc

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
NOTE = Path("note")
RUN_DIR = "/tmp/rz-{os.getuid()}-planted"
"""

# Kind of leftover -> (how a test plants it, what the report must name, what the next test must find true).
PLANTED = {
    "a child": (
        "NOTE.write_text(str(subprocess.Popen(SLEEP).pid))",
        "process ",
        "not Path('/proc', NOTE.read_text()).exists() or 'Z' in Path('/proc', NOTE.read_text(), 'stat').read_text()",
    ),
    "a daemon, with two forks, a session of its own and a cleared directory": (
        "subprocess.run(['sh', '-c', 'setsid sleep 600 >/dev/null 2>&1 & echo $! >note'], check=True)",
        "sleep 600",
        "not Path('/proc', NOTE.read_text().strip()).exists()",
    ),
    "a port": (
        """subprocess.Popen([sys.executable, "-c", '''if True:
            import pathlib, socket, time
            s = socket.create_server(("127.0.0.1", 0))
            pathlib.Path("note").write_text(str(s.getsockname()[1]))
            time.sleep(600)
        '''])
    while not (NOTE.exists() and NOTE.read_text()):
        time.sleep(0.01)""",
        "listens on port ",
        "socket.socket().connect_ex(('127.0.0.1', int(NOTE.read_text()))) != 0",
    ),
    "a port of the session itself": (
        "pytest.kept = socket.create_server(('127.0.0.1', 0))",
        "the test session itself listens on port ",
        "pytest.kept.close() is None",
    ),
    "a Unix socket of the session itself": (
        "pytest.kept = socket.socket(socket.AF_UNIX); pytest.kept.bind('s'); pytest.kept.listen()",
        "the test session itself listens on socket s",
        "pytest.kept.close() is None",
    ),
    "POSIX shared memory": (
        "Path('/dev/shm/rankzero-planted').write_bytes(b'12')",
        "shared memory /dev/shm/rankzero-planted",
        "not Path('/dev/shm/rankzero-planted').exists()",
    ),
    "System V shared memory": (
        "NOTE.write_text(str(ctypes.CDLL(None).shmget(0, 4096, 0o1600)))",
        "System V shared memory ",
        "NOTE.read_text() not in Path('/proc/sysvipc/shm').read_text().split()",
    ),
    "a run directory": (
        "Path(RUN_DIR).mkdir(); Path(RUN_DIR, 'file').touch()",
        "run directory /tmp/rz-",
        "not Path(RUN_DIR).exists()",
    ),
    "Open MPI's session directory": (
        "Path('/tmp/ompi.planted.0/pid.0').mkdir(parents=True)",
        "run directory /tmp/ompi.planted.0",
        "not Path('/tmp/ompi.planted.0').exists()",
    ),
}


def session(folder: Path, text: str, *options: str) -> proc.Result:
    """Run a test file in a session of its own, under the plugin."""
    (folder / "test_planted.py").write_text(PREAMBLE + text)
    argv = [sys.executable, "-m", "pytest", "-p", "leftovers", "-p", "pytest_timeout", "-p", "no:cacheprovider"]
    argv += ["-c", os.devnull, f"--confcutdir={folder}"]
    env = {**os.environ, "PYTHONPATH": str(TESTS), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return proc.run([*argv, f"--rootdir={folder}", *options, str(folder)], cwd=folder, env=env)


@pytest.fixture(scope="module")
def planted(tmp_path_factory) -> str:
    """What a session says in which every kind is planted by one test, and looked for by the next."""
    tests = [
        f"def test_plants_{n}():\n    {plant}\n\ndef test_finds_gone_{n}():\n    assert {gone}\n    NOTE.unlink(True)\n"
        for n, (plant, _, gone) in enumerate(PLANTED.values())
    ]
    return session(tmp_path_factory.mktemp("planted"), "\n".join(tests), "--leftovers-grace=0.3").stdout


@pytest.mark.parametrize("kind", PLANTED)
def test_what_a_test_leaves_behind_fails_it_and_is_removed(kind, planted):
    number = list(PLANTED).index(kind)
    report = planted.partition(f"ERROR at teardown of test_plants_{number} ")[2]
    assert "left behind 0.3 s after the test:" in report.splitlines()[1], planted
    assert PLANTED[kind][1] in report.splitlines()[2], planted
    assert f"test_finds_gone_{number} " not in planted, planted
    assert f"{2 * len(PLANTED)} passed, {len(PLANTED)} errors" in planted, planted


def test_what_ends_by_itself_in_time_is_no_leftover(tmp_path):
    result = session(tmp_path, "def test_short():\n    subprocess.Popen(['sleep', '0.3'])\n")
    assert result.ok, result.stdout


def test_what_a_fixture_keeps_for_several_tests_is_no_leftover_but_what_it_forgets_is(tmp_path):
    text = """
@pytest.fixture(scope="module")
def pool():
    with proc.Supervisor() as pool:
        pool.start("one", ["sleep", "600"])
        yield pool
    subprocess.Popen(["sleep", "601"])

def test_uses(pool):
    pass

def test_starts_another_in_the_pool(pool):
    pool.start("two", ["sleep", "600"])
"""
    result = session(tmp_path, text, "--leftovers-grace=0.3")
    assert "2 passed, 1 error" in result.stdout, result.stdout
    assert "after the last test of the session" in result.stdout
    assert "sleep 601" in result.stdout
    assert "sleep 600" not in result.stdout


@pytest.mark.parametrize("method", ["signal", "thread"])
def test_a_test_that_hangs_and_is_timed_out_leaves_nothing(method, tmp_path):
    text = "def test_hangs():\n    proc.run(['sh', '-c', 'setsid sleep 602 & sleep 602'])\n"
    before = leftovers.snapshot(os.environ[leftovers.MARK])
    result = session(tmp_path, text, "--timeout=1", f"--timeout-method={method}")
    assert "Timeout" in result.stdout + result.stderr
    assert "left behind" not in result.stdout
    assert not leftovers.wait_until_clean(before, os.environ[leftovers.MARK], grace=10).lines()


def test_a_session_that_is_killed_leaves_nothing_that_proc_started(tmp_path):
    text = "def test_is_killed():\n    proc.run(['sh', '-c', 'setsid sleep 603 & kill -9 ' + str(os.getpid())])\n"
    before = leftovers.snapshot(os.environ[leftovers.MARK])
    assert session(tmp_path, text).returncode == -9
    assert not leftovers.wait_until_clean(before, os.environ[leftovers.MARK], grace=10).lines()


def test_what_other_people_hold_is_not_ours(tmp_path):
    """Somebody else, with the same name and without our mark, works on the machine during a test."""
    mark = os.environ[leftovers.MARK]
    before = leftovers.snapshot(mark)
    shm, run_dir = Path("/dev/shm/rankzero-of-another"), Path(f"/tmp/rz-{os.getuid()}-another")
    program = f"""if True:
        import ctypes, os, pathlib, time
        libc = ctypes.CDLL(None)
        libc.shmat.restype = ctypes.c_void_p
        if os.fork() or os.setsid() or os.fork():
            os._exit(0)
        segment = libc.shmget(0, 4096, 0o1600)
        libc.shmat(segment, None, 0)
        libc.shmctl(segment, {leftovers.IPC_RMID}, None)
        shared = open("{shm}", "wb")
        pathlib.Path("{run_dir}").mkdir()
        lock = open("{run_dir}/lock", "wb")
        pathlib.Path("note").write_text(str(os.getpid()))
        time.sleep(600)
    """
    env = {name: value for name, value in os.environ.items() if name != leftovers.MARK}
    note = tmp_path / "note"
    try:
        subprocess.run([sys.executable, "-c", program], env=env, cwd=tmp_path, check=True)
        give_up = time.monotonic() + 10
        while not (note.exists() and note.read_text()) and time.monotonic() < give_up:
            time.sleep(0.01)
        after = leftovers.snapshot(mark)
        assert {shm, run_dir} <= after.files - before.files
        assert len(after.segments) == len(before.segments) + 1
        assert not leftovers.left_since(before, mark).lines()
    finally:
        if note.exists():
            os.kill(int(note.read_text()), 9)
        shm.unlink(missing_ok=True)
        shutil.rmtree(run_dir, ignore_errors=True)


def test_the_twin_of_a_run_directory_is_held_with_it_also_when_it_comes_later():
    """Another session has made its run directory before a test, and the empty twin in shared memory just after."""
    mark = os.environ[leftovers.MARK]
    run_dir = Path(f"/tmp/rz-{os.getuid()}-later")
    twin = Path("/dev/shm", run_dir.name)
    run_dir.mkdir()
    holder = subprocess.Popen(["sleep", "60"], cwd=run_dir)
    try:
        before = leftovers.snapshot(mark)
        twin.mkdir()
        files = leftovers.snapshot(mark).files - before.files
        assert files == {twin}
        assert twin in leftovers._held_by({holder.pid}, frozenset(), files)
        assert leftovers._held_by(set(), frozenset(), files) == frozenset()
        with (run_dir / "lock").open("w") as lock:
            assert not leftovers._is_locked(twin)
            fcntl.flock(lock, fcntl.LOCK_EX)
            assert leftovers._is_locked(twin)
            (run_dir / "lock").unlink()
    finally:
        holder.kill()
        holder.wait()
        twin.rmdir()
        run_dir.rmdir()
