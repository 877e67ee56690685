"""`make test`: the gate. It sets up as `make lab` does, then proves everything. Standard library only.

Called by an ordinary user: in place, as that user. Called by root: the system packages as root; then a copy of the
tree, changes not yet committed included, in a private folder, where an ordinary user sets up and runs the suite; then
a short smoke as root. The copy's path has a space in it, so that every run proves that paths may.

That user is $RANKZERO_TEST_USER, else $SUDO_USER, else rankzero-test, made for the run. Root's settings for pip,
proxies and certificates are handed on, by copy where the user may not read them.

State is always private, so that leftovers on this machine cannot make the gate green. One supervisor owns all that
runs and the private folder: an interrupt, a signal or kill -9 leaves neither. Logs stay in the caller's state folder.
"""

from __future__ import annotations

import configparser
import os
import pwd
import re
import shutil
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rankzero import apt, places, proc, setup

USER = "rankzero-test"
COMMENT = "made by Rank Zero's gate"
ROOM = 4000 * 1000 * 1000
"""Bytes that the copy, its .venv and what the suite writes take at most."""

PYTEST = (*("-m", "pytest", "-q", "-rfEs", "-p", "no:cacheprovider"), *("-n", "2", "--dist", "loadfile"))
LIMITS = {"set-up": 1800.0, "lint": 600.0, "suite": 2400.0, "smoke as root": 600.0}
"""Seconds after which a stage is ended: not what it should take, but what no healthy one takes."""

HANDED_ON = re.compile(
    r"PATH|LANG|LC_\w+|TZ|TERM|CI|YES|(https?|ftp|no|all)_proxy|PIP_(?!CACHE_DIR)\w+|SSL_\w+|CURL_\w+|GIT_SSL_\w+"
    r"|REQUESTS_CA_BUNDLE|NODE_EXTRA_CA_CERTS|RANKZERO_(?!HOME|TEST_USER)\w+",
    re.IGNORECASE,
)


class GateError(RuntimeError):
    """The gate itself cannot do its work. The message says why and what mends it."""


@dataclass
class Report:
    """What the gate has to tell at its end."""

    stages: list[tuple[str, float, str]] = field(default_factory=list)  # title, seconds, "ok" or what went wrong
    counts: Counter[str] = field(default_factory=Counter)
    skips: Counter[str] = field(default_factory=Counter)
    chapters: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    faults: list[str] = field(default_factory=list)

    def read(self, junit: Path) -> None:
        """Add the results that pytest left."""
        if not junit.exists():
            self.faults.append(f"pytest ended before it wrote its results ({junit.name})")
            return
        for case in ET.parse(junit).getroot().iter("testcase"):
            kinds = {child.tag for child in case}
            kind = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
            self.counts[kind] += 1
            if (skipped := case.find("skipped")) is not None:
                self.skips[skipped.get("message", "no reason given")] += 1
            found = re.search(r"\b(\d\d)_[a-z]", f"{case.get('classname')}.{case.get('name')}")
            self.chapters[f"chapter {found[1]}" if found else "the course"] += float(case.get("time", 0))

    def show(self, began: float) -> bool:
        """Print the summary; the last line is the verdict in numbers. Returns whether the gate is passed."""
        say("\nStages")
        for title, seconds, verdict in self.stages:
            say(f"  {title:<28}{seconds:>7.1f} s  {verdict}")
        say(f"  {'in all':<28}{time.monotonic() - began:>7.1f} s")
        if self.chapters:
            say("\nMinutes of tests, by chapter (two run side by side)")
            for chapter, seconds in sorted(self.chapters.items()):
                say(f"  {chapter:<28}{seconds / 60:>7.1f}")
        if self.skips:
            say("\nSkipped, and why")
            for reason, number in self.skips.most_common():
                say(f"  {number:>4}  {reason}")
        for fault in self.faults:
            say(f"\n! {fault}")
        passed = not self.faults and not self.counts["failed"] and self.counts["passed"] > 0
        if not passed:
            say(f"\nThe gate is NOT passed. Logs: {logs()}")
        say(f"\n{self.counts['passed']} passed, {self.counts['failed']} failed, {self.counts['skipped']} skipped")
        return passed


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)


def logs() -> Path:
    """Return the folder of the gate's logs."""
    return places.home() / "logs" / "gate"


# -- stages --------------------------------------------------------------------------------------------------


class Stages:
    """Runs stages one after the other, shows what they say while they run, and keeps it in a log."""

    def __init__(self, supervisor: proc.Supervisor, report: Report) -> None:
        self.supervisor = supervisor
        self.report = report

    def run(self, title: str, argv: Sequence[str | os.PathLike[str]], cwd: Path, env: Mapping[str, str]) -> bool:
        """Run a stage; return whether it ended with 0."""
        say(f"\n── {title} ──")
        log = logs() / f"{title.replace(' ', '-')}.log"
        began = time.monotonic()
        limits = proc.Limits(wall=LIMITS[title])
        self.supervisor.start(title, argv, cwd=cwd, env=env, stdout=log, limits=limits)
        with log.open("rb") as file:
            end = None
            while end is None:
                end = self.supervisor.wait(title, 0.2)
                sys.stdout.buffer.write(file.read())
                sys.stdout.flush()
        code = end["returncode"]
        verdict = "ok" if code == 0 else "took too long" if end["timed_out"] else f"ended with {code}"
        self.report.stages.append((title, time.monotonic() - began, verdict))
        if code:
            self.report.faults.append(f"{title}: {verdict}")
        return bool(code == 0)

    def prove(self, root: Path, env: Mapping[str, str], prefix: Sequence[str] = ()) -> None:
        """Check the style and run the suite in `root`, if set-up got that far."""
        python = root / ".venv" / "bin" / "python"
        if not proc.run([*prefix, python, "-c", "import pytest, rankzero"], cwd=root, env=env).ok:
            self.report.faults.append("set-up did not get so far that the suite can run")
            return
        self.run("lint", [*prefix, "make", "--no-print-directory", "lint"], root, env)
        junit = Path(env["RANKZERO_HOME"]) / "suite.xml"
        self.run("suite", [*prefix, python, *PYTEST, f"--junitxml={junit}"], root, env)
        self.report.read(junit)


def in_place(report: Report, folder: Path) -> None:
    """Run the gate as an ordinary user, in the checkout itself."""
    env = os.environ | {"RANKZERO_HOME": str(folder / "state"), "PYTEST_DEBUG_TEMPROOT": str(folder)}
    with proc.Supervisor(also_remove=[folder]) as supervisor:
        stages = Stages(supervisor, report)
        set_up(report, folder)
        stages.prove(places.ROOT, env)


def set_up(report: Report, folder: Path) -> None:
    """Set up in place, on the terminal, so that a person can answer."""
    say("\n── set-up ──")
    began = time.monotonic()
    code = setup.main([])
    report.stages.append(("set-up", time.monotonic() - began, "ok" if code == 0 else f"ended with {code}"))
    if code == 130:
        raise KeyboardInterrupt
    if code:
        report.faults.append("set-up: not everything is there (see above)")


def as_root(report: Report, folder: Path) -> None:
    """Run the gate as root: an ordinary user in a copy, then a smoke."""
    say("\n── system packages ──")
    began = time.monotonic()
    problems = setup.system_packages()
    report.stages.append(("system packages", time.monotonic() - began, "ok" if not problems else "incomplete"))
    report.faults += problems
    user, made = test_user(folder)
    say(f"\nThe suite runs as {user.pw_name}, in a copy in {folder}")
    try:
        with proc.Supervisor(also_remove=[folder]) as supervisor:
            began = time.monotonic()
            copy = copy_tree(folder / "rank zero")
            hand_over(copy, user.pw_uid, user.pw_gid)
            env = settings(folder, user)
            report.stages.append(("copy", time.monotonic() - began, "ok"))
            stages = Stages(supervisor, report)
            prefix = become(user)
            # Through a shell: what setpriv itself executes is still found with root's rights.
            may_run = proc.run([*prefix, "sh", "-c", '"$0" -c ""', sys.executable]).ok
            python = [f"PYTHON={sys.executable}"] if may_run else []
            stages.run("set-up", [*prefix, "make", "--no-print-directory", "setup", *python], copy, env)
            stages.prove(copy, env, prefix)
            smoke(stages, copy, folder)
    finally:
        if made:
            remove_user(user, report)


def smoke(stages: Stages, copy: Path, folder: Path) -> None:
    """Run the tests marked smoke as root, in the copy that the user has set up."""
    python = copy / ".venv" / "bin" / "python"
    if not python.exists():
        return
    state = folder / "state of root"
    state.mkdir()
    git = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": str(copy)}
    private = {"RANKZERO_HOME": str(state), "PYTEST_DEBUG_TEMPROOT": str(state)}
    env = os.environ | git | private
    junit = state / "smoke.xml"
    argv = [python, "-m", "pytest", "-q", "-rfEs", "-p", "no:cacheprovider", "-m", "smoke", f"--junitxml={junit}"]
    stages.run("smoke as root", argv, copy, env)
    stages.report.read(junit)


# -- the ordinary user ---------------------------------------------------------------------------------------


def test_user(folder: Path) -> tuple[pwd.struct_passwd, bool]:
    """Return the user that runs the suite, and whether it was made for that and goes again at the end."""
    named = os.environ.get("RANKZERO_TEST_USER") or os.environ.get("SUDO_USER", "root")
    if named != "root":
        try:
            return pwd.getpwnam(named), False
        except KeyError:
            raise GateError(f"There is no user {named}.\n    RANKZERO_TEST_USER=somebody make test") from None
    if USER not in (entry.pw_name for entry in pwd.getpwall()):
        home = ["--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"]
        proc.run(["useradd", "--system", "--user-group", *home, "--comment", COMMENT, USER], check=True)
    user = pwd.getpwnam(USER)
    return user, user.pw_gecos == COMMENT


def remove_user(user: pwd.struct_passwd, report: Report) -> None:
    """Remove the user that was made for the run, and check that nothing of it is left."""
    left = [
        path for top in ("/tmp", "/var/tmp", "/dev/shm") for path in Path(top).iterdir() if owner(path) == user.pw_uid
    ]
    for path in left:
        report.faults.append(f"left behind by the suite, and removed: {path}")
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    result = proc.run(["userdel", user.pw_name])
    if result.returncode not in (0, 8):  # 8: in use, by another gate on this machine, which will remove it
        report.faults.append(f"the user {user.pw_name} could not be removed: {result.tail()}")


def owner(path: Path) -> int:
    """Return the owner of a file, -1 if it is gone."""
    try:
        return path.lstat().st_uid
    except FileNotFoundError:
        return -1


def become(user: pwd.struct_passwd) -> list[str]:
    """Return the words before a command that make this user run it."""
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups", "--"]


def hand_over(path: Path, uid: int, gid: int) -> None:
    """Make the user the owner of a file or of a folder with all in it."""
    for name in [path, *path.rglob("*")] if path.is_dir() else [path]:
        os.chown(name, uid, gid, follow_symlinks=False)


def copy_tree(target: Path) -> Path:
    """Copy the checkout as it is, changes not yet committed included, what git ignores left out. Returns the copy."""
    git = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    env = os.environ | git
    clone = ["git", "clone", "--quiet", "--no-checkout", "--no-local", "--depth", "1", places.ROOT, target]
    proc.run(clone, env=env, limits=proc.Limits(wall=300), check=True)
    listed = proc.run(
        ["git", "-C", places.ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        env=env,
        limits=proc.Limits(output=1 << 26),
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        source = places.ROOT / name
        if source.is_symlink() or source.exists():  # a file may be deleted and not yet committed so
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)
    proc.run(["git", "-C", target, "reset", "--quiet"], env=env, check=True)
    return target


def settings(folder: Path, user: pwd.struct_passwd) -> dict[str, str]:
    """Return the user's environment: root's settings for pip, proxies and certificates, everything else private."""
    home, state = folder / "home", folder / "state"
    env = {name: value for name, value in os.environ.items() if HANDED_ON.fullmatch(name)}
    for name, value in env.items():
        words = value.split() if name.startswith("PIP_") else [value]
        if name != "PATH":
            env[name] = " ".join(readable(word, home / "handed-on", user) for word in words)
    config = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "pip" / "pip.conf"
    for source, name in ((config, ".config/pip/pip.conf"), (Path("~/.pip/pip.conf").expanduser(), ".pip/pip.conf")):
        if source.is_file():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, home / name)
            for option, value in paths_in(source):
                words = [readable(word, home / "handed-on", user) for word in value.split()]
                if words != value.split():
                    env.setdefault(f"PIP_{option.upper().replace('-', '_')}", " ".join(words))
    home.mkdir(exist_ok=True)
    state.mkdir()
    for path in (home, state):
        hand_over(path, user.pw_uid, user.pw_gid)
        path.chmod(0o700)
    own = {"HOME": str(home), "USER": user.pw_name, "LOGNAME": user.pw_name, "RANKZERO_HOME": str(state)}
    return env | own | {"PYTEST_DEBUG_TEMPROOT": str(state)}


def paths_in(config: Path) -> Iterator[tuple[str, str]]:
    """Yield the settings of a pip configuration that name files."""
    parser = configparser.RawConfigParser()
    parser.read(config)
    for section in parser.sections():
        for option in ("cert", "client-cert", "find-links", "constraint"):
            if parser.has_option(section, option):
                yield option, parser.get(section, option)


def readable(word: str, folder: Path, user: pwd.struct_passwd) -> str:
    """Return the path, or that of a copy if it is a file or folder which the user cannot read."""
    path = Path(word)
    if not path.is_absolute() or not path.exists():
        return word
    looks = 'if [ -d "$0" ]; then ls "$0" >/dev/null; else test -r "$0"; fi'
    if proc.run([*become(user), "sh", "-c", looks, path]).ok:
        return word
    copy = folder / str(len([*folder.glob("*")])) / path.name
    copy.parent.mkdir(parents=True)
    shutil.copytree(path, copy) if path.is_dir() else shutil.copy(path, copy)
    return str(copy)


# -- all of it -----------------------------------------------------------------------------------------------


def private_folder() -> Path:
    """Make a private folder where there is room. Raises GateError."""
    for top in dict.fromkeys([tempfile.gettempdir(), "/tmp", "/var/tmp"]):
        if os.access(top, os.W_OK) and shutil.disk_usage(top).free > ROOM:
            folder = Path(tempfile.mkdtemp(prefix="rz-gate-", dir=top))
            folder.chmod(0o711)  # the ordinary user passes through
            return folder
    raise GateError(f"No temporary folder has {ROOM / 1e9:.0f} GB free.\n    TMPDIR=/some/folder make test")


def main() -> int:
    """Run the gate. Returns the exit code."""
    apt.signals_as_interrupts()
    began = time.monotonic()
    report = Report()
    try:
        shutil.rmtree(logs(), ignore_errors=True)
        logs().mkdir(parents=True)
        folder = private_folder()
        try:
            (as_root if os.geteuid() == 0 else in_place)(report, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except KeyboardInterrupt:
        print(f"\nThe gate was interrupted; everything it started is gone. Logs: {logs()}", file=sys.stderr)
        return 130
    except (GateError, setup.SetupError, places.PlacesError, proc.ProcError) as err:
        print(f"\nThe gate stopped. {err}", file=sys.stderr)
        return 1
    return 0 if report.show(began) else 1


if __name__ == "__main__":
    raise SystemExit(main())
