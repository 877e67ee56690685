"""Prove in a root file system with hardly anything in it that `make lab` is all a new user types.

As root, from the checkout:  PYTHONPATH=src python3 ci/prove_fresh_debian.py [--suite bookworm] [--gate] [CASE …]

Makes a minbase root file system with git, make, python3 and ca-certificates (mmdebstrap, from this machine's mirrors),
and for each case a copy of it with the checkout, changes not yet committed included. In namespaces of its own (mounts,
processes), with a real /proc, /dev and /sys and the network of this machine:

    root       root types `make lab`
    sudo       an ordinary user with sudo does
    no-rights  an ordinary user without: a clear error, as nothing works without python3-venv; then, when an
               administrator has brought python3-venv and gcc but no MPI, the lab opens with MPICH from its wheel
    daemons    packages with daemons, as apt.txt may name some day: none starts and none is enabled, whatever
               policy-rc.d says before, and also when the installation is interrupted or killed

Each but the last opens the lab twice, asks it for lesson one with the token, ends it by Ctrl-C, and looks at what is
left: processes, ports, what is enabled for the next boot, policy-rc.d. --gate then runs `make test` too. Prints one
JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from rankzero import apt, gate, proc

CASES = ("root", "sudo", "no-rights", "daemons")
LEARNER = 1000
CHECKOUT = "rank zero"

# What `unshare` runs: $1 the root file system, then pairs of folders to show in it, then -- and the command in it.
MOUNTS = """
root=$1; shift
mount --bind "$root" "$root"; cd "$root"
mount -t proc proc proc; mount -t sysfs -o ro sysfs sys; mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts; mount -t tmpfs -o mode=1777 tmpfs dev/shm
for node in null zero full random urandom tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd
while [ "$1" != -- ]; do mkdir -p "./$1"; mount --bind -o ro "$1" "./$1"; shift; done
shift
exec chroot "$root" "$@"
"""


# -- outside -------------------------------------------------------------------------------------------------


def minbase(suite: str, folder: Path) -> tuple[Path, float]:
    """Make the root file system as a tar file; return it and the seconds that took."""
    tar = folder / f"{suite}.tar"
    argv = ["mmdebstrap", "--variant=minbase", "--include=git,make,python3,ca-certificates", suite, tar]
    return tar, proc.run(argv, limits=proc.Limits(wall=900), check=True).wall


def case(name: str, tar: Path, folder: Path, *, with_gate: bool) -> dict[str, Any]:
    """Run one case in a copy of the root file system; return what it found."""
    root = folder / name
    root.mkdir()
    proc.run(["tar", "-C", root, "-xf", tar], limits=proc.Limits(wall=300), check=True)
    for file in ("resolv.conf", "hosts"):
        shutil.copy(Path("/etc", file).resolve(), root / "etc" / file)
    env = {name: value for name, value in os.environ.items() if gate.HANDED_ON.fullmatch(name)}
    env |= {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    shown = []
    for setting, value in env.items():  # certificates and folders of wheels, at the places where the settings say
        for path in map(Path, value.split() if setting.startswith("PIP_") else [value]):
            if path.is_dir() and not (root / path.relative_to("/")).exists():
                shown.append(str(path))
            elif path.is_file() and setting != "PATH":
                (root / path.relative_to("/")).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, root / path.relative_to("/"))
    (root / "etc" / "passwd").open("a").write(f"learner:x:{LEARNER}:{LEARNER}::/home/learner:/bin/sh\n")
    (root / "etc" / "shadow").open("a").write("learner:*:20000:0:99999:7:::\n")
    (root / "etc" / "group").open("a").write(f"learner:x:{LEARNER}:\n")
    (root / "home" / "learner").mkdir()
    as_root = name in ("root", "daemons")
    home = root / ("root" if as_root else "home/learner")
    copy = gate.copy_tree(home / CHECKOUT)
    if not as_root:
        gate.hand_over(home, LEARNER, LEARNER)
    words = ["python3", f"ci/{Path(__file__).name}", "--inside", name, *(["--gate"] if with_gate else [])]
    enter = [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--propagation",
        "private",
        "sh",
        "-eu",
        "-c",
        MOUNTS,
    ]
    inside = f"/{copy.relative_to(root)}"
    chroot = ["sh", "-c", 'cd "$0" && exec "$@"', inside, *words]
    result = proc.run([*enter, "sh", root, *shown, "--", *chroot], env=env, limits=proc.Limits(wall=3600))
    if not result.ok:
        return {"trouble": f"{result.describe()}\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}"}
    print(result.stderr, file=sys.stderr)
    return dict(json.loads(result.stdout))


# -- inside --------------------------------------------------------------------------------------------------


def listening() -> list[str]:
    """Return the addresses and ports on which a process of this namespace listens."""
    sockets = {}
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A":
                sockets[words[9]] = f"{table} {words[1]}"
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = str(link.readlink())
        except OSError:  # closed meanwhile
            continue
        if target.startswith("socket:") and target[8:-1] in sockets:
            found.add(sockets[target[8:-1]])
    return sorted(found)


def processes() -> list[str]:
    """Return the command lines of the processes of this namespace, without this one."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        if int(entry.name) not in (os.getpid(), 1):
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:  # ended meanwhile
                continue
            if words:
                found.append(words.strip())
    return found


def state() -> dict[str, Any]:
    """Return what must be the same before and after."""
    return {
        "enabled": sorted(apt._enabled()),
        "listening": listening(),
        "processes": processes(),
        "policy-rc.d": apt.POLICY.exists(),
    }


def as_learner(argv: list[str]) -> list[str]:
    """Return the words that make the ordinary user run a command."""
    return ["setpriv", f"--reuid={LEARNER}", f"--regid={LEARNER}", "--clear-groups", "--", *argv]


def make(verb: str, *, learner: bool) -> subprocess.Popen[str]:
    """Start a verb of the Makefile as a person would, in a group of its own, so that Ctrl-C can be sent to it."""
    env = os.environ | {"YES": "1", "HOME": "/home/learner" if learner else "/root"}
    argv = ["make", "--no-print-directory", verb]
    return subprocess.Popen(
        as_learner(argv) if learner else argv,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def lab(*, learner: bool) -> dict[str, Any]:
    """Type `make lab`; return how long each step took and whether lesson one answers; end it by Ctrl-C."""
    began = time.monotonic()
    process = make("lab", learner=learner)
    said, answer = [], {}
    for line in process.stdout or ():
        said.append(line.rstrip())
        print(line, end="", file=sys.stderr, flush=True)
        if address := re.search(r"http://\S+", line):
            with urllib.request.urlopen(address[0], timeout=20) as reply:
                page = reply.read().decode()
            answer = {
                "answers_after_s": round(time.monotonic() - began, 1),
                "status": reply.status,
                "lesson": '"treePath": "notebooks/00_start_here.ipynb"' in page,
                "listening": listening(),
            }
        if "Ctrl-C ends it" in line:
            os.killpg(process.pid, signal.SIGINT)
    code = process.wait()
    left_after = time.monotonic()
    while (left := processes()) and time.monotonic() - left_after < 10:
        time.sleep(0.05)
    steps = re.findall(r"^▸ (.*)\n  done in ([\d.]+) s", "\n".join(said), re.MULTILINE)
    return {
        "steps_s": {step: float(seconds) for step, seconds in steps},
        **answer,
        "left_running": left,
        "said": [] if answer else said,
        "exit_code": None if answer else code,
    }


POLICIES = {"none": "", "allows": "#!/bin/sh\nexit 0\n", "denies": "#!/bin/sh\nexit 101\n"}
DAEMONS = {"none": "openssh-server", "allows": "munge", "denies": "chrony"}


def install(*packages: str, after: str = "", number: int = 0) -> int:
    """Install packages as set-up does; send a signal when apt has said `after`. Returns the exit code."""
    log = Path("/tmp/install.log")
    with log.open("w") as output:
        argv = [sys.executable, "-m", "rankzero.apt", *packages]
        process = subprocess.Popen(argv, env=os.environ | {"PYTHONPATH": "src"}, stdout=output, stderr=output)
        while process.poll() is None and number:
            if after in log.read_text():
                process.send_signal(number)
                break
            time.sleep(0.01)
        code = process.wait()
    print(log.read_text(), file=sys.stderr)
    return code


def daemons() -> dict[str, Any]:
    """Install daemons in every situation; return what each left."""
    environment = apt.environment()
    subprocess.run(["apt-get", "update", "-qq"], env=environment, check=True, stdout=sys.stderr)
    before, found = state(), {}

    def left() -> dict[str, Any]:
        now = state()
        found = {what: sorted(set(now[what]) - set(before[what])) for what in ("enabled", "listening", "processes")}
        return found | {"note": apt.NOTE.exists(), "policy-rc.d": apt.POLICY.exists()}

    for policy, text in POLICIES.items():
        if text:
            apt.POLICY.write_text(text)
            apt.POLICY.chmod(0o755)
        result = {"installed": DAEMONS[policy], "exit_code": install(DAEMONS[policy])} | left()
        result["policy-rc.d kept"] = (apt.POLICY.read_text() if apt.POLICY.exists() else "") == text
        found[f"policy-rc.d: {policy}"] = result
        apt.POLICY.unlink(missing_ok=True)
    for title, number in (("interrupted", signal.SIGTERM), ("killed", signal.SIGKILL)):
        package = "nginx-light" if title == "interrupted" else "mariadb-server"
        code = install(package, after="Unpacking", number=number)
        deadline = time.monotonic() + 120
        while any(re.match("apt-get|.*dpkg", words) for words in processes()) and time.monotonic() < deadline:
            time.sleep(0.1)
        found[title] = {"then": {"exit_code": code} | left(), "next": {"exit_code": install(package)} | left()}
    apt.POLICY.write_text(POLICIES["allows"])
    apt.POLICY.chmod(0o755)
    subprocess.run(["apt-get", "install", "-yqq", "redis-server"], env=environment, check=True, stdout=sys.stderr)
    deadline = time.monotonic() + 10
    while not left()["listening"] and time.monotonic() < deadline:
        time.sleep(0.1)
    found["control: redis-server by plain apt-get, policy-rc.d allows"] = left()
    return found


def inside(name: str, *, with_gate: bool) -> dict[str, Any]:
    """Do what the case says, inside the root file system."""
    if name == "daemons":
        return daemons()
    learner = name != "root"
    found: dict[str, Any] = {"python": sys.version.split()[0]}
    environment = apt.environment()

    def administrator(*packages: str) -> None:
        subprocess.run(["apt-get", "update", "-qq"], env=environment, check=True, stdout=sys.stderr)
        argv = ["apt-get", "install", "-yqq", "--no-install-recommends", *packages]
        subprocess.run(argv, env=environment, check=True, stdout=sys.stderr)

    if name == "sudo":
        administrator("sudo")
        Path("/etc/sudoers.d/learner").write_text("learner ALL=(ALL) NOPASSWD: ALL\n")
    before = state()
    if name == "no-rights":
        found["bare"] = lab(learner=True)
        administrator("python3-venv", "gcc", "libc6-dev")
        before = state()
    found["first"] = lab(learner=learner)
    found["again"] = lab(learner=learner)
    if with_gate:
        began = time.monotonic()
        process = make("test", learner=learner)
        text, _ = process.communicate()
        print(text, file=sys.stderr)
        found["gate"] = {"exit_code": process.returncode, "s": round(time.monotonic() - began), "said": text[-3000:]}
    after = state()
    found["changed"] = {what: [before[what], after[what]] for what in before if before[what] != after[what]}
    return found


def main() -> int:
    """Run the cases that are named, or all. Returns the exit code: 0, whatever the cases found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=" ".join(CASES))
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--gate", action="store_true", help="run `make test` too")
    parser.add_argument("--rootfs", type=Path, help="a tar file made before, to save the time")
    parser.add_argument("--inside", choices=CASES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        print(json.dumps(inside(args.inside, with_gate=args.gate)))
        return 0
    folder = Path(tempfile.mkdtemp(prefix="rz-fresh-"))
    apt.signals_as_interrupts()
    try:
        tar, seconds = (args.rootfs, 0.0) if args.rootfs else minbase(args.suite, folder)
        found: dict[str, Any] = {"suite": args.suite, "minbase_s": round(seconds, 1)}
        for name in args.cases or CASES:
            found[name] = case(name, tar, folder, with_gate=args.gate)
            shutil.rmtree(folder / name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
