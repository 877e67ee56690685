"""The doctor: its schema, what it says of a machine that lacks something, and that nothing can break it."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from rankzero import apt, cli, doctor, places, proc

KEYS = ["name", "group", "found", "version", "path", "detail", "needed_by", "mend"]


def link_programs(folder: Path, *names: str) -> Path:
    """Make a folder whose only programs are those named, as links to this machine's."""
    folder.mkdir(exist_ok=True)
    for name in names:
        if target := shutil.which(name):
            (folder / name).symlink_to(target)
    return folder


def fake(folder: Path, name: str, script: str) -> None:
    """Put a program of our own into the folder."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def report_of(path: Path | str, *, python: str = sys.executable) -> tuple[int, dict[str, dict]]:
    """Run the doctor as a user does, with another PATH; return its exit code and its findings by name."""
    env = dict(os.environ, PATH=str(path), PYTHONPATH=str(places.ROOT / "src"))
    result = proc.run([python, "-m", "rankzero.doctor", "--json"], env=env)
    assert result.stderr == ""
    return result.returncode, {finding["name"]: finding for finding in json.loads(result.stdout)}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, dict]]:
    """What the doctor says of a machine that has no program but apt-get."""
    return report_of(link_programs(tmp_path_factory.mktemp("bare") / "bin", "apt-get"))


def test_json_has_the_documented_keys_and_types(capsys):
    cli.main(["doctor", "--json"])
    findings = json.loads(capsys.readouterr().out)
    assert findings
    for finding in findings:
        assert list(finding) == KEYS
        assert isinstance(finding["found"], bool)
        assert isinstance(finding["needed_by"], list)
        texts = [finding[key] for key in KEYS if key not in ("found", "needed_by")]
        assert all(isinstance(text, str) for text in texts)
        assert finding["found"] == (finding["mend"] == ""), finding
        assert set(finding["needed_by"]) <= {part.label for part in doctor.PARTS}
    names = [finding["name"] for finding in findings]
    assert len(names) == len(set(names))
    assert {finding["group"] for finding in findings} == set(doctor.GROUPS)
    for key in KEYS:
        assert f"\n    {key} " in doctor.__doc__


def test_every_need_of_a_part_is_looked_for():
    looked_for = {finding.name for finding in doctor.examine()}
    for part in doctor.PARTS:
        assert {*part.needs, *part.wants} <= looked_for, part.label


def test_lesson_one_works_on_a_machine_that_was_set_up(capsys):
    assert cli.main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "Lesson one works here" in out
    assert "\033[" not in out, "colour, although this is no terminal"
    too_long = [line for line in out.splitlines() if len(line) > 80 and " " in line.strip()]
    assert too_long == []


def test_missing_tools_come_with_the_command_that_brings_them(bare):
    code, findings = bare
    assert code == 1
    packages = {name for need in apt.needs() for name in need.names}
    for tool in doctor.TOOLS:
        finding = findings[tool.name]
        if finding["found"]:
            assert finding["path"].startswith(str(places.VENV)), finding
        elif tool.apt in packages:
            assert finding["mend"] == f"sudo apt-get install --no-install-recommends --no-remove {tool.apt}"
        else:
            assert finding["mend"]
    assert not findings["one MPI"]["found"]
    assert not findings["user namespaces"]["found"]


def test_mends_install_only_what_apt_txt_names(bare):
    packages = {name for need in apt.needs() for name in need.names}
    for finding in bare[1].values():
        if "apt-get install" in finding["mend"]:
            assert finding["mend"].split()[-1] in packages, finding
    essential = [tool for tool in doctor.TOOLS if tool.apt and tool.name in doctor.PARTS[0].needs]
    assert {tool.apt for tool in essential} <= packages


def test_one_missing_compiler_is_named_and_fails(tmp_path):
    everything = {name for tool in doctor.TOOLS for name in tool.programs} - {"gcc"}
    path = link_programs(tmp_path / "bin", "apt-get", "unshare", "true", *everything)
    code, findings = report_of(path)
    assert code == 1
    assert [name for name in doctor.PARTS[0].needs if not findings[name]["found"]] == ["gcc"]
    assert findings["gcc"]["mend"].endswith("apt-get install --no-install-recommends --no-remove gcc")
    findings = [doctor.Finding("gcc", "Compilers", False, needed_by=("00 Start here",), mend="x")]
    assert "Lesson one does not work here yet: gcc missing" in doctor.report(findings)


def test_without_apt_the_package_is_named_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor.apt_line("gdb") == "by your system's package manager; Debian calls it gdb"


def test_broken_tools_do_not_break_the_doctor(tmp_path, monkeypatch, capfd):
    folder = link_programs(tmp_path / "bin", "apt-get")
    fake(folder, "gcc", "exit 1")
    fake(folder, "gdb", "trap '' TERM\nwhile :; do :; done")
    fake(folder, "valgrind", r"printf '\377\376\000garbage\033[2J\n'")
    fake(folder, "strace", "while :; do echo 1.2.3.4.5.6.7.8.9; done")
    fake(folder, "mpicc", "kill -SEGV $$")
    fake(folder, "mpirun", "echo something else 9.9")
    fake(folder, "nvidia-smi", "echo NVIDIA-SMI has failed; exit 9")
    (folder / "clang").write_text("no program at all")
    (folder / "clang").chmod(0o755)
    (folder / "cppcheck").symlink_to(tmp_path / "nowhere")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(doctor, "LIMIT", 1.0)
    findings = {finding.name: finding for finding in doctor.examine()}
    assert findings["gcc"].detail == "is there, but ended with exit code 1"
    assert findings["gdb"].detail == "is there, but did not answer within 1 s"
    assert "killed by signal" in findings["strace"].detail or "did not answer" in findings["strace"].detail
    assert "killed by signal" in findings["mpicc"].detail or "ended with exit code" in findings["mpicc"].detail
    assert "could not be started" in findings["clang"].detail
    for name in ("gcc", "gdb", "strace", "mpicc", "clang"):
        assert not findings[name].found
        assert findings[name].path == str(folder / name)
        assert findings[name].mend
    assert findings["valgrind"].found
    assert findings["valgrind"].detail == "says no version that can be read"
    assert findings["mpirun"].detail == "of an MPI that this course does not know"
    assert not findings["one MPI"].found
    assert "nvidia-smi ended with exit code 9" in findings["GPU"].detail
    assert findings["cppcheck"].path == "", "a link to nowhere is no program"
    text = doctor.report(list(findings.values()))
    assert "broken" in text
    assert "\033" not in text
    assert capfd.readouterr() == ("", "")


def test_mixed_mpis_are_told(tmp_path, monkeypatch):
    folder = link_programs(tmp_path / "bin", "apt-get")
    fake(folder, "mpicc", 'case $1 in -v) echo "mpicc for MPICH version 4.0.2";; *) exit 1;; esac')
    fake(folder, "mpirun", 'echo "mpirun (Open MPI) 4.1.4"')
    monkeypatch.setenv("PATH", str(folder))
    findings = {finding.name: finding for finding in doctor.examine()}
    assert findings["mpicc"].detail == "MPICH"
    assert findings["mpirun"].detail == "Open MPI"
    assert not findings["one MPI"].found
    assert "mpicc: MPICH 4.0.2, mpirun: Open MPI 4.1.4" in findings["one MPI"].detail
    assert "update-alternatives" in findings["one MPI"].mend


def test_a_state_folder_that_cannot_be_written_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RANKZERO_HOME", str(tmp_path / "file" / "below"))
    findings = {finding.name: finding for finding in doctor.examine()}
    assert not findings["state folder"].found
    assert "RANKZERO_HOME=" in findings["state folder"].mend
    assert doctor.missing_for(doctor.PARTS[0], findings.values()) == ["state folder"]


def test_it_runs_from_the_system_python_without_any_package(tmp_path):
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if python is None:
        pytest.skip("no python3 outside .venv")
    if proc.run([python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]).returncode:
        pytest.skip("the system's python3 is older than 3.11")
    copy = tmp_path / "a checkout"
    shutil.copytree(places.ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(places.ROOT / "apt.txt", copy)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(copy / "src"), "RANKZERO_HOME": str(tmp_path / "state")}
    result = proc.run([python, "-S", "-m", "rankzero.doctor"], env=env)
    assert result.stderr == ""
    assert result.returncode == 1
    assert "Lesson one does not work here yet" in result.stdout
    assert result.stdout.endswith("    make setup\n")


def test_colour_only_where_it_is_asked_for():
    findings = [doctor.Finding("gcc", "Compilers", True, version="12.2.0")]
    assert "\033[32m" in doctor.report(findings, colour=True)
    assert "\033" not in doctor.report(findings)


@pytest.mark.parametrize(("files", "quota"), [({"cpu.max": "max 100000"}, None), ({"cpu.max": "150000 100000"}, 1.5)])
def test_the_cgroup_quota_is_read(tmp_path, monkeypatch, files, quota):
    for name, text in files.items():
        (tmp_path / name).write_text(text + "\n")
    monkeypatch.setattr(doctor, "_cgroup", lambda v1, v2: [text for name, text in files.items() if name in (v1, v2)])
    assert doctor.cpu_quota() == quota
