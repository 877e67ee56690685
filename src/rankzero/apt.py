"""System packages: what is missing, and how it is installed so that no daemon starts, now or at the next boot.

Standard library only. As root, `python -m rankzero.apt PACKAGE …` installs; set-up calls it through sudo.

Three things keep daemons down:

- While packages are installed, `/usr/sbin/policy-rc.d` denies every start. Where a site has its own, that file is left
  as it is: ours is mounted over it in a mount namespace that only apt and its children see, and which ends with them.
  Where that is not possible and the site's own does not deny either, nothing is installed.
- What a new package enabled is disabled again, native units and init scripts alike. Debian remembers that at upgrades.
- At the end nothing may run from a new package.

All of it is undone or finished after an error and after an interrupt too. Should the installing process be killed
by SIGKILL, the guard that it leaves lets everything pass, and a note in /var/lib makes the next set-up go on.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rankzero import places, proc

LIST = places.ROOT / "apt.txt"
LISTS = Path("/var/lib/apt/lists")
NOTE = Path("/var/lib/rank-zero-setup.json")
POLICY = Path("/usr/sbin/policy-rc.d")
GUARD_MARK = "Rank Zero"
GUARD = f"""#!/bin/sh
# Written by {GUARD_MARK}'s set-up while it installs packages, and removed when it ends. It speaks for
# these packages only: one left behind by a set-up that was killed lets everything pass.
[ "${{RANKZERO_INSTALLING:-}}" = yes ] || exit 0
exit 101
"""
DENIED = 101
OPTIONS = (
    "--no-install-recommends",
    "--no-remove",
    *("-o", "Acquire::Retries=1"),
    *("-o", "Acquire::http::Timeout=15"),
    *("-o", "Acquire::https::Timeout=15"),
    *("-o", "DPkg::Lock::Timeout=300"),
    *("-o", "Dpkg::Options::=--force-confdef"),
    *("-o", "Dpkg::Options::=--force-confold"),
)
OLD_LISTS = 7 * 24 * 3600.0
"""Package lists older than this, in seconds, are fetched anew: they name files that may be gone."""

HANDED_ON = re.compile(r"^(https?|ftp|no|all)_proxy$|^(SSL|CURL)_|^RANKZERO_", re.IGNORECASE)
"""Variables that sudo would drop and that the installing process needs."""


class AptError(RuntimeError):
    """Packages could not be installed. The message says what happened, why, and the command that mends it."""


@dataclass(frozen=True)
class Need:
    """One line of apt.txt: any of `names` will do, the first is installed where none is there."""

    names: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Plan:
    """What apt says that an installation takes: number of packages, and sizes as apt prints them."""

    packages: int
    download: str
    disk: str


# -- what is missing ---------------------------------------------------------------------------------------


def usable() -> bool:
    """Whether this machine's packages are managed by apt."""
    return all(shutil.which(name) for name in ("apt-get", "apt-cache", "dpkg-query"))


def needs(text: str | None = None) -> list[Need]:
    """Return the lines of apt.txt."""
    found = []
    for line in (LIST.read_text(encoding="utf-8") if text is None else text).splitlines():
        names, _, why = line.partition("#")
        if names.strip():
            found.append(Need(tuple(name.strip() for name in names.split("|")), why.strip()))
    return found


def installed() -> set[str]:
    """Return the names of the installed packages, and the names that these provide."""
    names: set[str] = set()
    result = proc.run(["dpkg-query", "-W", "-f", "${db:Status-Status}|${Package}|${Provides}\n"], check=True)
    for line in result.stdout.splitlines():
        status, package, provides = line.split("|", 2)
        if status == "installed":
            names.add(package)
            names.update(word.split()[0] for word in provides.split(",") if word.strip())
    return names


def missing() -> list[Need]:
    """Return the lines of apt.txt of which no alternative is installed."""
    here = installed()
    return [need for need in needs() if not here.intersection(need.names)]


def offered(names: Sequence[str]) -> set[str]:
    """Return those of the names for which the package lists of this machine have a candidate."""
    found = set()
    result = proc.run(["apt-cache", "policy", *names], env=environment(), check=True)
    for name, body in re.findall(r"^(\S+):\n((?:[ \t].*\n?)*)", result.stdout, re.MULTILINE):
        if (candidate := re.search(r"Candidate: (.*)", body)) and candidate[1] != "(none)":
            found.add(name.split(":")[0])
    return found


def lists_age() -> float:
    """Return the age of the package lists in seconds; infinite where there are none, as on a fresh machine."""
    times = [path.stat().st_mtime for path in LISTS.glob("*_Packages*")]
    return time.time() - max(times) if times else math.inf


def plan(names: Sequence[str]) -> Plan:
    """Ask apt what installing these packages takes; changes nothing and needs no rights.

    Raises AptError with apt's own words when it would refuse.
    """
    argv = ["apt-get", "install", "--assume-no", "-o", "Debug::NoLocking=1", *OPTIONS, *names]
    result = proc.run(argv, env=environment())
    if errors := re.findall(r"^E: (?!Aborted).*|^The following packages have unmet.*(?:\n .*)*", result.stderr, re.M):
        raise AptError("\n".join(errors))
    new = re.search(r"(\d+) newly installed", result.stdout)
    need = re.search(r"^Need to get (?:([\d.,]+ \S?B)/)?([\d.,]+ \S?B)", result.stdout, re.MULTILINE)
    disk = re.search(r"^After this operation, ([\d.,]+ \S?B)", result.stdout, re.MULTILINE)
    sizes = (need[1] or need[2] if need else "0 B", disk[1] if disk else "0 B")
    return Plan(int(new[1]) if new else 0, *sizes)


def line(names: Sequence[str]) -> str:
    """Return the one line for an administrator."""
    return f"sudo apt-get install {' '.join(OPTIONS[:2])} {' '.join(names)}"


# -- rights ------------------------------------------------------------------------------------------------


def rights(*, may_ask: bool) -> list[str] | None:
    """Return the words that make root run what follows them: none for root, sudo with its own, None without rights."""
    if os.geteuid() == 0:
        return []
    if not shutil.which("sudo"):
        return None
    if proc.stream(["sudo", "-n", "true"], log=os.devnull) and not (may_ask and proc.stream(["sudo", "-v"]) == 0):
        return None
    return ["sudo", "env", *(f"{name}={value}" for name, value in os.environ.items() if HANDED_ON.match(name))]


def environment() -> dict[str, str]:
    """Return what apt and the packages' scripts run with: no question, no restart of services, English words."""
    return {name: value for name, value in os.environ.items() if name not in ("LANGUAGE", "PYTHONPATH")} | {
        "LC_ALL": "C.UTF-8",
        "DEBIAN_FRONTEND": "noninteractive",
        "APT_LISTCHANGES_FRONTEND": "none",
        "NEEDRESTART_SUSPEND": "1",
        "RANKZERO_INSTALLING": "yes",
    }


def update(as_root: Sequence[str], *, log: Path | None) -> None:
    """Fetch the package lists. An index that does not answer is apt's to report, and no reason to stop."""
    settings = [option for option in OPTIONS if not option.startswith("--")]
    proc.stream([*as_root, "apt-get", "update", "-q", *settings], env=environment(), log=log, patience=60)


def install_as_root(as_root: Sequence[str], names: Sequence[str], *, log: Path | None) -> None:
    """Call `install` with the rights of root. Raises AptError."""
    if not as_root:
        install(names, log=log)
        return
    python = ["PYTHONDONTWRITEBYTECODE=1", f"PYTHONPATH={places.ROOT / 'src'}", sys.executable, "-m", "rankzero.apt"]
    if proc.stream([*as_root, *python, *names], log=log, patience=600, cwd="/"):
        raise AptError(f"The packages were not installed{_words(log)}\nBy hand:  {line(names)}")


# -- as root -----------------------------------------------------------------------------------------------


def install(names: Sequence[str], *, log: Path | None = None) -> None:
    """As root: install packages, start nothing and enable nothing; finish what a killed call left, if there is any.

    Raises AptError.
    """
    with _guard() as shield:
        before = _remember()
        env = environment()
        try:
            if proc.run(["dpkg", "--audit"], env=env).stdout.strip():
                proc.stream([*shield, "dpkg", "--configure", "-a"], env=env, log=log, patience=600)
            argv = [*shield, "apt-get", "install", "--yes", "-q", *OPTIONS, *names]
            if names and (code := proc.stream(argv, env=env, log=log, patience=600)):
                raise AptError(f"apt-get ended with {code}{_words(log)}\nOnce that is mended:  make lab")
        finally:
            with _uninterrupted():
                stray = _keep_down(before)
        if stray:
            raise AptError(
                "These run although no package may start anything:\n    " + "\n    ".join(stray) + "\n"
                "Stop them, e.g. with `sudo systemctl stop NAME`, and tell us: it is a fault of set-up's."
            )


def _words(log: Path | None) -> str:
    """Return what apt said last, from its log if it has one."""
    if log is None:
        return " (its words stand above)."
    lines = log.read_text(errors="replace").splitlines()
    return ":\n    " + "\n    ".join([text for text in lines if text.startswith(("E: ", "W: "))][-6:] or lines[-6:])


@contextlib.contextmanager
def _guard() -> Iterator[list[str]]:
    """Deny the start of daemons; yields the words to put before a command for which that must hold."""
    if POLICY.is_file() and not POLICY.is_symlink() and GUARD_MARK in POLICY.read_text(errors="replace"):
        POLICY.unlink()  # left by a set-up that was killed
    foreign = POLICY.exists() or POLICY.is_symlink()
    ours = POLICY.with_name("policy-rc.d.rank-zero") if foreign else POLICY
    ours.unlink(missing_ok=True)
    shield: list[str] = []
    try:
        handle = os.open(ours, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o755)
        with os.fdopen(handle, "w") as file:
            os.fchmod(handle, 0o755)
            file.write(GUARD)
        if foreign:
            script = f'mount --bind "$0" {POLICY} && exec "$@"'
            shield = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, str(ours)]
            if not _denies(shield):
                shield = []
        if not _denies(shield):
            why = (
                "this site's own lets them start, and nothing can be mounted over it here"
                if foreign
                else "it has no effect"
            )
            raise AptError(
                f"Nothing was installed: {POLICY} is what keeps daemons from starting, and {why}.\n"
                "Ask your administrator for the packages."
            )
        yield shield
    finally:
        with _uninterrupted():
            ours.unlink(missing_ok=True)


def _denies(shield: Sequence[str]) -> bool:
    """Whether a start would be denied to a package's scripts."""
    try:
        return proc.run([*shield, POLICY, "rank-zero-probe", "start", "2"], env=environment()).returncode == DENIED
    except proc.ProcError:  # no unshare, or the file cannot be executed
        return False


def _remember() -> dict[str, list[str]]:
    """Return what was installed and enabled before; if a set-up was killed, before that one."""
    if NOTE.exists():
        with contextlib.suppress(ValueError):  # killed while it wrote the note: before anything was installed
            return dict(json.loads(NOTE.read_text()))
    before = {"packages": sorted(_packages()), "enabled": sorted(_enabled())}
    NOTE.write_text(json.dumps(before))
    return before


def _packages() -> set[str]:
    """Return the packages of which files are on this machine, configured or not."""
    states = proc.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${binary:Package}\n"], check=True).stdout
    return {
        name for state, name in map(str.split, states.splitlines()) if state not in ("not-installed", "config-files")
    }


def _enabled(etc: Path = Path("/etc")) -> set[str]:
    """Return the links that start something at boot or log-in: of systemd's units, and of init scripts."""
    systemd = [link for side in ("system", "user") for link in (etc / "systemd" / side).rglob("*") if link.is_symlink()]
    return {str(link) for link in [*systemd, *etc.glob("rc[2345].d/S*")]}


def _keep_down(before: dict[str, list[str]]) -> list[str]:
    """Disable what the new packages enabled; return what runs of them, which nothing should."""
    new = sorted(_packages() - set(before["packages"]))
    if new:
        listing = proc.run(["dpkg-query", "-L", *new], limits=proc.Limits(output=1 << 26)).stdout
        files = {_merged(name) for name in listing.splitlines()}
        for name in sorted(_enabled() - set(before["enabled"])):
            link = Path(name)
            script = link.name[3:]
            if not link.is_symlink():  # gone with another: update-rc.d also disables the unit of that name
                continue
            if link.parent.parent == Path("/etc"):  # /etc/rc2.d/S01name
                if f"/etc/init.d/{script}" in files:
                    proc.run(["update-rc.d", script, "disable"], check=True)
            elif _merged(str(link.parent / link.readlink())) in files:
                link.unlink()
        if Path("/run/systemd/system").is_dir():
            proc.run(["systemctl", "daemon-reload"])
        stray = _running(files)
    else:
        stray = []
    NOTE.unlink(missing_ok=True)
    return stray


def _merged(name: str) -> str:
    """Return a path as it is where /lib is a link to /usr/lib, which dpkg's lists do not say."""
    name = os.path.normpath(name)
    return f"/usr{name}" if name.startswith(("/lib", "/bin/", "/sbin/")) else name


def _running(files: set[str]) -> list[str]:
    """Return the processes whose program is one of these files."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # ended meanwhile, or a kernel thread
                program = str((entry / "exe").readlink())
                if _merged(program) in files and _is_daemon(entry):
                    found.append(f"{program} (pid {entry.name})")
    return found


def _is_daemon(process: Path) -> bool:
    """Whether init has it, or a package's script started it: not a new program that a person runs meanwhile."""
    parent = (process / "stat").read_bytes().rpartition(b")")[2].split()[1]
    return parent == b"1" or b"RANKZERO_INSTALLING=yes" in (process / "environ").read_bytes().split(b"\0")


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let no signal cut off what puts things back."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def signals_as_interrupts() -> None:
    """Make SIGTERM and SIGHUP end Python as Ctrl-C does, so that every `finally` runs."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


def main(names: Sequence[str]) -> int:
    """As root: install. Returns the exit code."""
    signals_as_interrupts()
    try:
        install(names)
    except (AptError, proc.ProcError) as err:
        print(err, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
