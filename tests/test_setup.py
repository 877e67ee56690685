"""Set-up: one MPI, locks that agree, nothing half-made taken for whole, no CUDA by mistake, and errors that help."""

import contextlib
import importlib.metadata
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from rankzero import apt, gate, lab, places, proc, setup
from rankzero.mpi import toolchain

ROOT = places.ROOT
NOWHERE = "http://127.0.0.1:9/simple"  # the port of `discard`: nobody listens


def locked(name):
    """The requirements of a lock, each with whether it has a hash."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    found = [re.split(r"\s+--hash=", line, maxsplit=1) for line in lines if re.match(r"[a-z0-9]", line)]
    return [(Requirement(words[0]), len(words) == 2) for words in found]


# -- MPI ---------------------------------------------------------------------------------------------------


@pytest.mark.smoke
def test_bare_mpicc_mpirun_and_mpi4py_belong_to_one_mpi():
    assert toolchain.preflight() == []


@pytest.mark.parametrize("ranks", [1, 2, 3, 5])
def test_a_world_of_n_has_size_n(ranks):
    script = "from mpi4py import MPI; print(MPI.COMM_WORLD.size)"
    result = proc.run(
        ["mpirun", "-n", str(ranks), sys.executable, "-c", script], env=os.environ | toolchain.environment(), check=True
    )
    assert re.sub(r"\s", "", result.stdout) == str(ranks) * ranks  # mpirun may mix the ends of lines


def test_the_environment_brings_no_mpi_of_its_own():
    commands = {path.name for path in (places.VENV / "bin").iterdir()}
    assert not {name for name in commands if re.match(r"mpi(cc|cxx|run|exec)", name)}


# -- locks -------------------------------------------------------------------------------------------------


def test_every_locked_package_has_a_hash():
    for name in ("requirements.lock", "requirements-gpu.lock", "requirements-mpich.lock"):
        assert [str(requirement) for requirement, has_hash in locked(name) if not has_hash] == [], name


def test_torch_has_one_version_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"torch=={setup.torch_version()}" in project["dependencies"]
    versions = {
        str(requirement.specifier) for requirement, _ in locked("requirements-gpu.lock") if requirement.name == "torch"
    }
    assert versions == {f"=={setup.torch_version()}"}
    assert f"--find-links {setup.TORCH_INDEX}" in setup.TORCH.read_text(encoding="utf-8").splitlines()


def test_the_lock_for_everybody_has_no_torch_no_cuda_libraries_and_no_mpi():
    names = {requirement.name for requirement, _ in locked("requirements.lock")}
    assert not {name for name in names if re.match(r"torch$|triton$|nvidia-|mpich$|openmpi$", name)}


def test_no_package_of_the_gpu_lock_stands_in_the_other():
    names = [
        {requirement.name for requirement, _ in locked(name)} for name in ("requirements.lock", "requirements-gpu.lock")
    ]
    assert names[0].isdisjoint(names[1])


def test_what_is_installed_is_what_is_locked():
    wanted = {
        requirement.name: str(requirement.specifier).removeprefix("==")
        for requirement, _ in locked("requirements.lock")
        if not requirement.marker or requirement.marker.evaluate()
    }
    here = {}
    for name in wanted:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            here[name] = importlib.metadata.version(name)
    assert here == wanted


def test_what_is_installed_fits_together():
    proc.run([*setup.own_pip(), "check"], check=True)


def test_nothing_assumes_one_kind_of_processor():
    for name in ("apt.txt", "Makefile", "requirements-torch-cpu.txt", "src/rankzero/setup.py", "src/rankzero/apt.py"):
        code = [line for line in (ROOT / name).read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        assert not re.search(r"amd64|x86_64", "\n".join(code)), name


# -- .venv -------------------------------------------------------------------------------------------------


def fresh_checkout(folder):
    """Make a checkout with a space in its path; return what calls set-up's own code there, as for a new user."""
    root = folder / "rank zero"
    shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", *(path.name for path in ROOT.glob("requirements*"))):
        shutil.copy(ROOT / name, root / name)
    env = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    env |= {"PIP_CONFIG_FILE": os.devnull, "HOME": str(folder), "RANKZERO_HOME": str(folder / "state")}
    prelude = f"from rankzero import setup\ns = setup.State()\nsetup.TORCH_INDEX = {NOWHERE!r}\n"

    def call(code, **variables):
        python = [setup.base_python(), "-c", prelude + code]
        return proc.run(python, cwd=call.root, env=env | {"PYTHONPATH": "src"} | variables)

    call.root = root
    return call


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A fresh checkout with a .venv, in which nothing was installed yet."""
    call = fresh_checkout(tmp_path_factory.mktemp("fresh"))
    made = call("setup.make_venv(s)")
    assert made.ok, made.stderr
    return call


def wheel(folder, version, *requirements):
    """Make a wheel that says it is torch."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"torch-{version}-py3-none-any.whl"
    info = f"torch-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("torch/__init__.py", f"requirements = {requirements!r}\n")
        lines = [
            "Metadata-Version: 2.1",
            "Name: torch",
            f"Version: {version}",
            *(f"Requires-Dist: {r}" for r in requirements),
        ]
        archive.writestr(f"{info}/METADATA", "\n".join(lines) + "\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def test_the_build_for_cuda_is_never_installed_without_a_gpu(fresh, tmp_path):
    version = setup.torch_version()
    wheel(tmp_path / "cuda", version, "nvidia-cublas==13; platform_system == 'Linux'", "jinja2")
    index = tmp_path / "index" / "simple" / "torch"
    shutil.copytree(tmp_path / "cuda", index)
    (index / "index.html").write_text(
        f'<a href="torch-{version}-py3-none-any.whl">torch-{version}-py3-none-any.whl</a>'
    )
    other = {"PIP_EXTRA_INDEX_URL": (tmp_path / "index" / "simple").as_uri(), "PIP_INDEX_URL": NOWHERE}

    found = fresh("try: setup.cpu_torch(s)\nexcept setup.SetupError as err: print(err)", **other)
    assert "was not installed" in found.stdout, found
    assert "PIP_FIND_LINKS=/your/folder" in found.stdout

    named = other | {"PIP_FIND_LINKS": str(tmp_path / "cuda")}
    found = fresh("try: setup.cpu_torch(s)\nexcept setup.SetupError as err: print(err)", **named)
    assert "a build that needs CUDA (nvidia-cublas" in found.stdout, found

    packages = fresh.root.glob(".venv/lib/python*/site-packages/torch*")
    assert [*packages] == []

    wheel(tmp_path / "cpu", f"{version}+cpu", "jinja2", "nvidia-cublas; extra == 'cuda'")
    named = other | {"PIP_FIND_LINKS": str(tmp_path / "cpu")}
    found = fresh("setup.cpu_torch(s); print(s['torch']); setup.cpu_torch(s)", **named)
    assert found.stdout.splitlines()[-1] == f"cpu {version}", found
    assert next(fresh.root.glob(".venv/lib/python*/site-packages/torch/__init__.py")).exists()


def test_no_network_is_said_as_such_and_leaves_nothing_half_made(fresh):
    code = "try: setup.python_packages(s)\nexcept setup.SetupError as err: print(err)\n"
    code += "print(s.venv_is_whole(), s['packages'])"
    found = fresh(code, PIP_INDEX_URL=NOWHERE)
    assert "The package index does not answer" in found.stdout, found
    assert "HTTPS_PROXY=" in found.stdout
    assert found.stdout.splitlines()[-1] == "True None"


def test_an_unfinished_or_moved_environment_is_not_taken_for_whole(tmp_path):
    call = fresh_checkout(tmp_path)
    whole = "print(setup.State().venv_is_whole())"
    assert call(whole).stdout == "False\n"
    proc.run([setup.base_python(), "-m", "venv", "--without-pip", call.root / ".venv"], check=True)
    assert call(whole).stdout == "False\n"
    call("s.note(root=str(setup.places.ROOT), python=setup.os.path.realpath(setup.PYTHON))")
    assert call(whole).stdout == "True\n"

    call("import os\nwith s.doing(): os._exit(9)")  # cut off before a package changed
    assert call(whole).stdout == "True\n"
    stamp = call.root / ".venv" / setup.STATE.name
    good = stamp.read_text()
    half = "next(setup.places.VENV.glob('lib/python*/site-packages')).joinpath('half-made').mkdir()"
    call(f"import os\nwith s.doing(): {half}; os._exit(9)")
    assert call(whole).stdout == "False\n"

    call("with s.doing(): pass")
    assert call(whole).stdout == "True\n"
    stamp.write_text(good[:20])  # whatever wrote that
    assert call(whole).stdout == "False\n"

    call.root = call.root.rename(call.root.with_name("moved"))
    assert call(whole).stdout == "False\n"


def test_settings_that_would_lead_pip_out_of_the_environment_are_dropped_and_others_kept(monkeypatch, tmp_path):
    for name in ("PIP_TARGET", "PIP_PREFIX", "PIP_INDEX_URL", "PIP_CERT"):
        monkeypatch.setenv(name, "/somewhere")
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "not" / "there"))
    env = setup.pip_environment()
    assert env["PIP_USER"] == "0"
    assert "PIP_TARGET" not in env
    assert "PIP_PREFIX" not in env
    assert env["PIP_INDEX_URL"] == env["PIP_CERT"] == "/somewhere"
    assert Path(env["PIP_CACHE_DIR"]).is_relative_to(places.home())


@pytest.mark.parametrize(
    ("words", "why", "mend"),
    [
        ("ERROR: [Errno 28] No space left on device", "The disk is full", "Make room"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES", "not the one that requirements.lock means", "PIP_NO_CACHE_DIR=1"),
        ("SSLError(SSLCertVerificationError(…))", "certificate is not trusted", "PIP_CERT="),
        ("NewConnectionError: Temporary failure in name resolution", "does not answer", "HTTPS_PROXY="),
        ("ERROR: Permission denied: '/x'", "You may not write there", "Clone the course"),
        ("ERROR: something else", "whole story", "make setup"),
    ],
)
def test_a_failure_says_why_and_what_mends_it(words, why, mend):
    said = str(setup.failure("pip install ended with 1", words))
    assert said.startswith("pip install ended with 1.")
    assert why in said
    assert mend in said


def test_too_little_room_is_said_before_anything_is_downloaded(monkeypatch):
    few = shutil.disk_usage(places.VENV)._replace(free=100 * setup.MB)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: few)
    with pytest.raises(setup.SetupError, match=r"needs 2\.3 GB in .*, and 100 MB are free"):
        setup.room_for("packages", "cpu")


def test_without_a_compiler_set_up_says_so_and_what_brings_one(monkeypatch, tmp_path):
    monkeypatch.setattr(setup, "search_path", lambda: str(tmp_path))
    (said,) = setup.preflight(setup.State())
    assert said.startswith("There is no C compiler")
    assert "sudo apt-get install --no-install-recommends --no-remove gcc" in said


@pytest.mark.smoke
def test_with_nothing_changed_set_up_does_nothing():
    result = proc.run(
        [setup.base_python(), "-m", "rankzero.setup", "--go-on"], cwd=ROOT, env=os.environ | {"PYTHONPATH": "src"}
    )
    assert result.ok, result.stderr
    assert result.stdout == ""


def test_a_python_that_is_too_old_is_named_with_what_to_do(tmp_path):
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && { echo Python 3.9.2; exit; }\nexit 1\n')
    old.chmod(0o755)
    for verb in ("lab", "setup", "test"):
        result = proc.run(["make", verb, f"PYTHON={old}"], cwd=ROOT)
        assert result.returncode == 2
        assert f"needs Python 3.11 or later; here: {old} Python 3.9.2" in result.stderr
        assert "make lab PYTHON=/path/to/python3" in result.stderr


# -- system packages ---------------------------------------------------------------------------------------


def test_every_system_package_says_what_needs_it():
    needs = apt.needs()
    names = [name for need in needs for name in need.names]
    assert len(set(names)) == len(names)
    assert [need.names for need in needs if not need.why] == []
    assert ("lmod", "environment-modules") in [need.names for need in needs]


def test_what_excludes_another_package_is_not_asked_for_where_that_is(monkeypatch):
    everything = {need.names[0] for need in apt.needs()}
    monkeypatch.setattr(apt, "installed", lambda: everything - {"lmod"} | {"environment-modules"})
    assert apt.missing() == []
    monkeypatch.setattr(apt, "installed", lambda: everything - {"lmod", "gdb"})
    assert [need.names[0] for need in apt.missing()] == ["gdb", "lmod"]


def test_without_rights_the_line_for_an_administrator_is_given(monkeypatch, capsys):
    need = apt.Need(("no-such-package",), "a test")
    monkeypatch.setattr(apt, "missing", lambda: [need])
    monkeypatch.setattr(apt, "rights", lambda *, may_ask: None)
    monkeypatch.setattr(apt, "offered", set)
    monkeypatch.setattr(apt, "plan", lambda _: apt.Plan(3, "12 MB", "30 MB"))
    monkeypatch.setenv("YES", "1")
    (said,) = setup.system_packages()
    assert "    sudo apt-get install --no-install-recommends --no-remove no-such-package\n" in said
    assert "no-such-package" in capsys.readouterr().out

    (said,) = setup.system_packages(refused=["no-such-package"])
    assert said.startswith("Not installed, as before: no-such-package")

    monkeypatch.delenv("YES")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(setup, "terminal", lambda: False)
    (said,) = setup.system_packages()
    assert "3 with those that they need: 12 MB to download, 30 MB on disk" in said


@pytest.fixture
def policy(tmp_path, monkeypatch):
    path = tmp_path / "policy-rc.d"
    monkeypatch.setattr(apt, "POLICY", path)
    return path


def test_starts_are_denied_to_packages_only_and_only_meanwhile(policy):
    with apt._guard() as shield:
        assert shield == []
        assert proc.run([policy, "sshd", "start"], env=apt.environment()).returncode == apt.DENIED
        assert proc.run([policy, "sshd", "start"], env={}).returncode == 0  # an administrator's own start, meanwhile
    assert not policy.exists()
    with pytest.raises(KeyboardInterrupt), apt._guard():
        raise KeyboardInterrupt
    assert not policy.exists()


def test_a_guard_left_by_a_killed_set_up_is_replaced(policy):
    policy.write_text(apt.GUARD)
    with apt._guard():
        assert proc.run([policy, "sshd", "start"], env=apt.environment()).returncode == apt.DENIED
    assert not policy.exists()


def test_a_site_s_own_policy_is_never_changed(policy):
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    with apt._guard():
        assert policy.read_text() == "#!/bin/sh\nexit 101\n"
    assert [*policy.parent.iterdir()] == [policy]

    policy.write_text("#!/bin/sh\nexit 0\n")
    if os.geteuid() == 0:  # it is mounted over, for apt only
        with apt._guard() as shield:
            assert proc.run([*shield, policy], env=apt.environment()).returncode == apt.DENIED
            assert proc.run([policy], env=apt.environment()).returncode == 0
    else:
        with pytest.raises(apt.AptError, match="Nothing was installed"), apt._guard():
            pass
    assert policy.read_text() == "#!/bin/sh\nexit 0\n"
    assert [*policy.parent.iterdir()] == [policy]


def test_links_that_start_something_are_found(tmp_path):
    for name in (
        "systemd/system/multi-user.target.wants/a.service",
        "systemd/user/sockets.target.wants/b.socket",
        "rc2.d/S01a",
    ):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).symlink_to("/lib/x")
    (tmp_path / "rc2.d" / "K01a").symlink_to("/lib/x")
    (tmp_path / "systemd" / "system" / "own.service").write_text("")
    assert len(apt._enabled(tmp_path)) == 3


# -- the lab -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def open_lab(env, *words):
    """Run `rankzero lab` until it has said its address; yields the process, the address and what it said."""
    argv = [sys.executable, "-m", "rankzero.cli", "lab", "--no-browser", *words]
    process = subprocess.Popen(argv, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C ends it" in line:
                break
        yield process, re.search(r"http://\S+", "".join(said))[0], "".join(said)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def gone(port):
    """Whether nobody listens on a port any more, within 10 s."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return True
        time.sleep(0.05)
    return False


@pytest.mark.smoke
def test_the_lab_opens_on_lesson_one_by_token_on_loopback_only_and_ctrl_c_ends_it_all(tmp_path):
    env = os.environ | {"RANKZERO_HOME": str(tmp_path / "state"), "HOME": "/proc"}  # a home that cannot be written
    with socket.create_server(("127.0.0.1", 0)) as taken:
        first = taken.getsockname()[1]
        with open_lab(env, "--port", str(first)) as (process, address, said):
            port = int(re.search(r":(\d+)/", address)[1])
            assert f"Port {first} is taken; this lab is on {port}." in said
            with urllib.request.urlopen(address, timeout=20) as reply:
                assert f'"treePath": "{lab.LESSON}"' in reply.read().decode()
            api = f"http://127.0.0.1:{port}/api/contents"
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(api, timeout=20)
            token = re.search(r"token=(\w+)", address)[1]
            kernels = urllib.request.Request(
                f"http://127.0.0.1:{port}/api/kernels?token={token}", data=b"{}", method="POST"
            )
            with urllib.request.urlopen(kernels, timeout=20) as reply:
                assert json.load(reply)["name"] == "python3"
            tables = (Path(f"/proc/net/{table}").read_text() for table in ("tcp", "tcp6"))
            heard = [line.split()[1] for table in tables for line in table.splitlines() if line.split()[3] == "0A"]
            assert [where for where in heard if where.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        assert gone(port)


def test_a_killed_lab_leaves_nothing(tmp_path):
    env = os.environ | {"RANKZERO_HOME": str(tmp_path / "state")}
    with open_lab(env) as (process, address, _):
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert gone(int(re.search(r":(\d+)/", address)[1]))


def test_a_home_that_cannot_be_written_is_said_with_the_way_out():
    env = {name: value for name, value in os.environ.items() if name not in ("RANKZERO_HOME", "XDG_STATE_HOME")}
    result = proc.run([sys.executable, "-m", "rankzero.cli", "lab"], env=env | {"HOME": "/proc"}, cwd=ROOT)
    assert result.returncode == 1
    assert "RANKZERO_HOME=/some/folder make lab" in result.stderr


# -- the gate ----------------------------------------------------------------------------------------------


def test_the_copy_has_uncommitted_work_and_nothing_that_git_ignores(tmp_path, monkeypatch):
    root = tmp_path / "checkout"
    root.mkdir()
    git = ["git", "-C", root, "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for name, text in (("kept", "1"), ("gone", "1"), (".gitignore", "ignored\n")):
        (root / name).write_text(text)
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        proc.run([*git, *words], check=True)
    (root / "kept").write_text("2")
    (root / "new").write_text("1")
    (root / "ignored").write_text("1")
    (root / "gone").unlink()
    monkeypatch.setattr(places, "ROOT", root)
    copy = gate.copy_tree(tmp_path / "copy")
    assert {path.name for path in copy.iterdir()} == {".git", ".gitignore", "kept", "new"}
    assert (copy / "kept").read_text() == "2"
    status = proc.run(["git", "-C", copy, "status", "--short"], check=True).stdout.splitlines()
    assert status == [" D gone", " M kept", "?? new"]


def test_the_report_counts_names_reasons_and_fails_for_a_failure(tmp_path, capsys):
    junit = tmp_path / "results.xml"
    junit.write_text(
        '<testsuites><testsuite><testcase classname="tests.test_x" name="a[notebooks/05_mpi.ipynb]" time="90"/>'
        '<testcase classname="tests.test_x" name="b" time="6"><skipped message="no GPU here"/></testcase>'
        '<testcase classname="tests.test_x" name="c" time="6"><failure message="x"/></testcase>'
        "</testsuite></testsuites>"
    )
    report = gate.Report()
    report.read(junit)
    assert not report.show(0)
    said = capsys.readouterr().out
    assert re.search(r"^  chapter 05 +1\.5$", said, re.MULTILINE)
    assert re.search(r"^ +1  no GPU here$", said, re.MULTILINE)
    assert said.splitlines()[-1] == "1 passed, 1 failed, 1 skipped"
    report.read(tmp_path / "never-written.xml")
    assert report.faults
