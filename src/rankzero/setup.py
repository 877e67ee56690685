"""Set-up: the system packages, .venv, what must be built, and a check that it works.

Standard library only; `make setup` runs it before anything is installed:

    PYTHONPATH=src python3 -m rankzero.setup [--go-on]

Each step says what it downloads before it starts and how long it took. What is done is written down in .venv when it
is done, together with what it was done for (the lock's hash, the folder, the Python), so nothing half-made is taken
for whole: an interrupted set-up goes on, a changed lock is followed, a moved checkout gets a new .venv.

Exit code 0: all is there. 1: something is missing or failed, and the last lines say what, why and what mends it.
With --go-on, as `make lab` calls it, only what nothing works without counts; the rest is said, and not tried again
until `make setup`. 130: interrupted.

Settings: YES=1 or CI answer the question; RANKZERO_TORCH=cpu or cuda overrides the search for a GPU.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import fcntl
import hashlib
import json
import math
import os
import platform
import re
import shutil
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rankzero import apt, places, proc

LOCK = places.ROOT / "requirements.lock"
GPU_LOCK = places.ROOT / "requirements-gpu.lock"
MPICH_LOCK = places.ROOT / "requirements-mpich.lock"
TORCH = places.ROOT / "requirements-torch-cpu.txt"
TORCH_INDEX = "https://download.pytorch.org/whl/cpu/torch/"
PYTHON = places.VENV / "bin" / "python"
STATE = places.VENV / "rank-zero.json"
SCRATCH = places.VENV / "tmp"
MPICH = places.VENV / "mpich"

MB = 1000 * 1000
# (download, once installed) in MB, measured in November 2026 for Python 3.11 on x86_64: the sum of the wheels that pip
# takes from the index, and `du` of what they became. What "cuda" takes once installed is 5.3 GB by others' measurement.
SIZES = {"packages": (274, 1075), "cpu": (192, 725), "cuda": (2722, 5300), "mpich": (13, 40)}

QUICK = ("--retries", "0", "--timeout", "8")
"""Options for asking whether an index answers: one that does not costs seconds."""


class SetupError(RuntimeError):
    """A step failed. The message says what happened, why, and the command that mends it."""


# -- saying it -----------------------------------------------------------------------------------------------


def say(text: str = "") -> None:
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Say what begins, and how long it took."""
    say(f"▸ {title}")
    began = time.monotonic()
    yield
    say(f"  done in {time.monotonic() - began:.1f} s")


def size(megabytes: int) -> str:
    """Return a size as a person reads it."""
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes} MB"


def indent(text: str) -> str:
    """Return the text indented, for the inside of a message."""
    return "\n".join("    " + line for line in text.splitlines())


# -- what is done --------------------------------------------------------------------------------------------


def digest(*files: Path) -> str:
    """Return a hash of the files' contents; a missing file counts as empty."""
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.read_bytes() if file.exists() else b"")
        whole.update(b"\0")
    return whole.hexdigest()[:16]


class State:
    """What is done in .venv, and for what; stored there, whole or not at all, after each step."""

    def __init__(self) -> None:
        try:
            self.facts: dict[str, Any] = json.loads(STATE.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.facts = {}

    def __getitem__(self, name: str) -> Any:
        return self.facts.get(name)

    def note(self, **facts: Any) -> None:
        """Add facts, and store them all."""
        self.facts |= facts
        places.store(STATE, json.dumps(self.facts, indent=1, sort_keys=True) + "\n")

    def venv_is_whole(self) -> bool:
        """Whether .venv is there, belongs to this folder and this Python, and no step in it was cut off."""
        return (
            PYTHON.exists()
            and self["root"] == str(places.ROOT)
            and self["python"] == os.path.realpath(PYTHON)
            and self["doing"] in (None, packages_touched())
        )

    @contextlib.contextmanager
    def doing(self) -> Iterator[None]:
        """Mark a step that changes the installed packages. Cut off before it changed one, it did no harm."""
        self.note(doing=packages_touched())
        yield
        self.note(doing=None)


def packages_touched() -> int:
    """Return when a package was last added or removed, in ns; 0 where there are none."""
    folders = [*places.VENV.glob("lib/python*/site-packages")]
    return max((folder.stat().st_mtime_ns for folder in folders), default=0)


# -- system packages -----------------------------------------------------------------------------------------


def log_file(name: str) -> Path:
    """Return an empty log in the state folder."""
    path = places.home() / "logs" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    return path


def terminal() -> bool:
    """Whether a person sits there: can read progress, and answer."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def agreed() -> bool:
    """Whether the question is answered already, by YES=1 or in CI."""
    return os.environ.get("YES", "") not in ("", "0") or os.environ.get("CI", "") not in ("", "0", "false")


def system_packages(refused: Sequence[str] = ()) -> list[str]:
    """Install what apt.txt names and this machine lacks. Returns what is still missing and was not to be had, as lines.

    A person who refused exactly these packages before is not asked again.
    """
    if not apt.usable():
        if refused == ["no apt"]:
            return []
        wanted = indent("\n".join(f"{need.names[0]:<20}{need.why}" for need in apt.needs()))
        return [f"This is no Debian or Ubuntu. What the course needs, by its names in Debian:\n{wanted}"]
    missing = apt.missing()
    if not missing and not apt.NOTE.exists():
        return []
    names = [need.names[0] for need in missing]
    if names == list(refused):
        return [f"Not installed, as before: {' '.join(names)}  (`make setup` asks again)"]
    for need in missing:
        say(f"  {' or '.join(need.names):<28} {need.why}")
    as_root = apt.rights(may_ask=False)
    log = None if terminal() else log_file("apt.log")
    if apt.lists_age() > apt.OLD_LISTS and as_root is not None:
        fetch_lists(as_root, log)
    no_lists = apt.lists_age() == math.inf
    offered = set(names) if no_lists else apt.offered(names) if names else set()
    lacking = [name for name in names if name not in offered]
    names = [name for name in names if name in offered]
    notes = [f"Not to be had from this system's package lists: {' '.join(lacking)}"] if lacking else []
    if not names and not apt.NOTE.exists():
        return notes
    line = apt.line([need.names[0] for need in missing])
    by_hand = f"These system packages are missing. An administrator installs them with\n\n    {line}\n"
    try:
        plan = None if no_lists else apt.plan(names)
    except apt.AptError as err:
        return [*notes, f"{by_hand}\nHere apt says:\n{indent(str(err))}"]
    cost = "apt will say how much there is to download"
    if plan:
        cost = f"{plan.packages} with those that they need: {plan.download} to download, {plan.disk} on disk"
    if not agreed():
        if not terminal():
            return [*notes, f"{by_hand}\n({cost}; `YES=1 make setup` does it, where you have root or sudo)"]
        say(f"\n{len(names)} system packages, {cost}.\nNothing is removed; no daemon is started or enabled.")
        if input("Install them now? [Y/n] ").strip().lower() not in ("", "y", "yes"):
            return [*notes, by_hand]
    if as_root is None:
        as_root = apt.rights(may_ask=terminal())
    if as_root is None:
        return [*notes, f"You are not root, and sudo does not let you. {by_hand}"]
    if no_lists:
        fetch_lists(as_root, log)
    try:
        with step(f"system packages: {cost}"):
            apt.install_as_root(as_root, names, log=log)
    except apt.AptError as err:
        return [*notes, str(err)]
    return notes


def fetch_lists(as_root: Sequence[str], log: Path | None) -> None:
    """Fetch the lists of what this system offers."""
    with step("package lists of this system, which are missing or old"):
        apt.update(as_root, log=log)


# -- Python packages -----------------------------------------------------------------------------------------


def base_python() -> str:
    """Return the Python that .venv is made from, also when called from inside a virtual environment."""
    return str(getattr(sys, "_base_executable", None) or sys.executable)


def make_venv(state: State) -> None:
    """Make .venv anew. Raises SetupError."""
    if places.VENV.exists():
        say("▸ .venv is unfinished, or from another folder or Python: it is made anew")
        shutil.rmtree(places.VENV)
    state.facts = {name: state[name] for name in ("refused",) if state[name]}
    with step("virtual environment .venv"):
        python = base_python()
        whole = proc.run([python, "-c", "import ensurepip, venv"]).ok
        option = [] if whole else ["--without-pip"]
        if not whole and not proc.run([python, "-m", "pip", "--python", python, "--version"]).ok:
            mend = apt.line(["python3-venv"]) if apt.usable() else "Install venv and pip for this Python."
            raise SetupError(
                f"{python} can make no virtual environment with pip in it:\n"
                f"the system has split that off, and nothing works without.\n    {mend}"
            )
        made = proc.run(
            [python, "-m", "venv", *option, places.VENV], limits=proc.Limits(wall=300), env=pip_environment()
        )
        if not made.ok:
            raise failure("The virtual environment could not be made", made.stderr + made.stdout)
    state.note(root=str(places.ROOT), python=os.path.realpath(PYTHON))


def pip_environment() -> dict[str, str]:
    """Return the environment for pip: the user's own settings, less those that would lead out of .venv."""
    drop = ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV", "MAKEFLAGS")
    env = {name: value for name, value in os.environ.items() if name not in drop}
    env |= {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "TMPDIR": str(SCRATCH)}
    caches = Path(env.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    if "PIP_CACHE_DIR" not in env and not any(os.access(folder, os.W_OK) for folder in (caches / "pip", caches)):
        env["PIP_CACHE_DIR"] = str(places.home() / "cache" / "pip")
    return env


def own_pip() -> list[str | os.PathLike[str]]:
    """Return the words that run pip for .venv: its own or, where the system split that off, the system's."""
    if any(places.VENV.glob("lib/python*/site-packages/pip")):
        return [PYTHON, "-m", "pip"]
    return [base_python(), "-m", "pip", "--python", PYTHON]


def pip(*words: str | os.PathLike[str], quiet: bool = False) -> None:
    """Run pip for .venv, with its progress on a terminal. Raises SetupError with pip's own words and what they mean."""
    log = log_file("pip.log")
    SCRATCH.mkdir(exist_ok=True)
    on_terminal = terminal() and not quiet
    argv = [*own_pip(), *words, "--log", log, *([] if on_terminal else ["-q"])]
    try:
        with log.with_name("pip.out").open("w") as output:
            code = proc.stream(argv, env=pip_environment(), cwd=places.ROOT, log=None if on_terminal else output.name)
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
    if code:
        raise failure(f"pip {words[0]} ended with {code}", log.read_text(errors="replace"))


def failure(what: str, words: str) -> SetupError:
    """Return an error that says why, as far as a tool's words and the disk tell, and what mends it."""
    errors = [re.sub(r"^\d{4}-\d\d-\d\dT[\d:,]+ ", "", line).strip() for line in words.splitlines()]
    errors = [line for line in errors if "error" in line.lower() or line.startswith("Retrying") or "No space" in line]
    shown = indent("\n".join(dict.fromkeys(errors[-4:])))
    free = shutil.disk_usage(places.ROOT).free
    if "No space left" in words or "Disk quota exceeded" in words or free < 20 * MB:
        why = f"The disk is full: {size(free // MB)} are free in {places.ROOT}."
        mend = "Make room, then call the same again; it goes on from here."
    elif "DO NOT MATCH THE HASHES" in words:
        why = "A downloaded file is not the one that requirements.lock means: a broken download, or a changed index."
        mend = "Try `PIP_NO_CACHE_DIR=1 make setup`; if it stays so, do not install that file, and tell us."
    elif re.search(r"CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerificationError", words):
        why = "The index's certificate is not trusted here, as behind a proxy that opens connections."
        mend = "Name your site's certificates:  PIP_CERT=/path/to/certificates.pem make setup"
    elif re.search(r"NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|Max retries|Connection\w*Error", words):
        why = "The package index does not answer: no network, or a proxy that pip has not been told of."
        mend = "With a proxy:  HTTPS_PROXY=http://proxy:3128 make setup     A mirror:  PIP_INDEX_URL=… make setup"
    elif "Permission denied" in words:
        why = f"You may not write there. {places.ROOT} must be yours."
        mend = "Clone the course into a folder of your own."
    else:
        why = f"The whole story is in {places.home() / 'logs' / 'pip.log'}."
        mend = "make setup"
    return SetupError("\n".join(part for part in (f"{what}.", shown, why, f"    {mend}") if part))


def ask_index() -> None:
    """Find out in seconds whether the index answers. Raises SetupError."""
    requirement = re.search(r"^six==.*?(?=^\S)", LOCK.read_text(encoding="utf-8") + "\nend", re.DOTALL | re.MULTILINE)
    if requirement is None:  # no such package any more: the installation itself will tell
        return
    with contextlib.ExitStack() as cleanup:
        SCRATCH.mkdir(exist_ok=True)
        cleanup.callback(shutil.rmtree, SCRATCH, ignore_errors=True)
        probe = places.VENV / "probe.txt"
        probe.write_text(requirement[0])
        cleanup.callback(probe.unlink)
        try:
            pip("download", *QUICK, "--no-deps", "--require-hashes", "-d", SCRATCH, "-r", probe, quiet=True)
        except SetupError as err:
            raise SetupError(f"No Python packages could be had.\n{err}") from err


def room_for(*parts: str) -> None:
    """Check that the disk holds what is coming. Raises SetupError."""
    needed = sum(sum(SIZES[part]) for part in parts)
    free = shutil.disk_usage(places.VENV).free // MB
    if free < needed:
        raise SetupError(
            f"The disk is too full: set-up needs {size(needed)} in {places.ROOT}, and {size(free)} are free.\n"
            "    Make room, or clone the course to a larger disk."
        )


def has_gpu() -> bool:
    """Whether to install for an NVIDIA GPU."""
    if chosen := os.environ.get("RANKZERO_TORCH"):
        if chosen not in ("cpu", "cuda"):
            raise SetupError(f"RANKZERO_TORCH is cpu or cuda, not {chosen}.\n    RANKZERO_TORCH=cpu make setup")
        return chosen == "cuda"
    if Path("/proc/driver/nvidia/version").exists():
        return True
    smi = shutil.which("nvidia-smi")
    return smi is not None and proc.run([smi, "-L"], limits=proc.Limits(wall=20)).ok


def torch_version() -> str:
    """Return the version of torch, from the only place that has it."""
    found = re.search(r"^torch==(\S+)$", TORCH.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise SetupError(f"{TORCH.name} names no version of torch.\n    git checkout {TORCH.name}")
    return found[1]


def python_packages(state: State) -> None:
    """Install the locked packages where they are not. Raises SetupError."""
    cuda = has_gpu()
    locks = [LOCK, GPU_LOCK] if cuda else [LOCK]
    wanted = digest(*locks)
    if state["packages"] != wanted:
        parts = ["packages", "cuda"] if cuda else ["packages"]
        if not state["packages"]:
            room_for(*parts, *([] if cuda else ["cpu"]))
        ask_index()
        download = sum(SIZES[part][0] for part in parts)
        what = "packages with PyTorch for CUDA" if cuda else "packages"
        title = f"Python {what}, {' and '.join(lock.name for lock in locks)}: up to {size(download)} to download"
        with step(title), state.doing():
            requirements = [word for lock in locks for word in ("-r", lock.name)]
            pip("install", "--require-hashes", "--no-deps", *requirements)
        state.note(packages=wanted, **({"torch": "cuda", "torch_trouble": None} if cuda else {}))


def find_links() -> list[str]:
    """Return the folders and pages of wheels that the user named to pip, in the environment or in a configuration."""
    listing = proc.run([*own_pip(), "config", "list"], env=pip_environment()).stdout
    found = re.findall(r"^(?:global|install|download|:env:)\.find-links='(.*)'$", listing, re.MULTILINE)
    return list(dict.fromkeys(word for links in found for word in links.replace("\\n", " ").split()))


def cpu_torch(state: State) -> None:
    """Install torch without CUDA, from a folder that the user names or from PyTorch's own index. Raises SetupError.

    --no-index keeps every other index out, the user's extra ones too, and the wheel is looked at before it is
    installed, so that the build for CUDA cannot come instead.
    """
    version = torch_version()
    wanted = f"cpu {version}"
    if state["torch"] == wanted:
        return
    named = find_links()
    sources = [("the folder that you name to pip", named)] if named else []
    sources.append(("PyTorch's index of CPU builds", [TORCH_INDEX]))
    refused = []
    here = f"Python {sys.version_info.major}.{sys.version_info.minor} on {platform.machine()}"
    with step(f"PyTorch {version} for the CPU: up to {size(SIZES['cpu'][0])} to download"):
        for place, links in sources:
            options = ["--no-index", *(word for link in links for word in ("--find-links", link))]
            asked = proc.run(
                [PYTHON, "-m", "pip", "index", "versions", "torch", *options, *QUICK], env=pip_environment()
            )
            versions = re.search(r"^Available versions: (.*)", asked.stdout, re.MULTILINE)
            if not versions or version not in [word.split("+")[0] for word in versions[1].split(", ")]:
                refused.append(f"{place} ({' '.join(links)}) does not answer, or has none for {here}")
                continue
            wheels = places.VENV / "wheels"
            shutil.rmtree(wheels, ignore_errors=True)
            try:
                pip("download", "--no-deps", *options, "-d", wheels, f"torch=={version}")
                (wheel,) = wheels.glob("torch-*.whl")
                if needed := cuda_requirements(wheel):
                    refused.append(f"{place} has a build that needs CUDA ({', '.join(needed[:3])}, …): not installed")
                    continue
                with state.doing():
                    pip("install", "--no-deps", "--no-index", wheel)
            finally:
                shutil.rmtree(wheels, ignore_errors=True)
            state.note(torch=wanted, torch_trouble=None)
            return
    raise SetupError(
        f"PyTorch {version} was not installed; lessons on training do not work without, all others do.\n"
        f"{indent(chr(10).join(refused))}\n"
        "Put its CPU build for your Python into a folder, and name that:\n    PIP_FIND_LINKS=/your/folder make setup"
    )


def versions_offered(package: str, options: Sequence[str]) -> list[str]:
    """Return the versions of a package, without local parts, that pip finds for this Python; costs seconds at most."""
    argv = [*own_pip(), "index", "versions", package, *options, *QUICK]
    found = re.search(r"^Available versions: (.*)", proc.run(argv, env=pip_environment()).stdout, re.MULTILINE)
    return [word.split("+")[0] for word in found[1].split(", ")] if found else []


def cuda_requirements(wheel: Path) -> list[str]:
    """Return the requirements of a wheel that belong to CUDA, optional ones left out."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = archive.read(name).decode(errors="replace")
    requirements = re.findall(r"^Requires-Dist: ([\w.-]+)(.*)$", metadata, re.MULTILINE)
    return [name for name, rest in requirements if re.match(r"nvidia-|cuda-", name) and "extra ==" not in rest]


def course_itself(state: State) -> None:
    """Install the course's own package, editable. Raises SetupError."""
    wanted = digest(places.ROOT / "pyproject.toml")
    if state["course"] != wanted:
        with step("the course's own package"), state.doing():
            pip("install", "--no-deps", "--no-index", "--no-build-isolation", "--editable", ".", quiet=True)
        state.note(course=wanted)


# -- MPI and what is built -----------------------------------------------------------------------------------


def search_path(environ: Mapping[str, str] = os.environ) -> str:
    """Return PATH for everything in the lab: .venv first, and last the course's own MPICH, for want of a system's."""
    return os.pathsep.join([str(places.VENV / "bin"), environ.get("PATH", os.defpath), str(places.mpich() / "bin")])


def second_mpi(state: State) -> None:
    """Install MPICH from its wheel, in a prefix of its own, where the system has none. Raises SetupError."""
    wanted = digest(MPICH_LOCK)
    if shutil.which("mpicc.mpich") or (state["mpich"] == wanted and places.mpich().exists()):
        return
    with step(f"MPICH in .venv/mpich, as the system has none: {size(SIZES['mpich'][0])} to download"):
        shutil.rmtree(MPICH, ignore_errors=True)
        pip("install", "--require-hashes", "--no-deps", "--ignore-installed", "--prefix", MPICH, "-r", MPICH_LOCK.name)
        if (link := places.mpich()) != MPICH:
            link.unlink(missing_ok=True)
            link.symlink_to(MPICH)
    state.note(mpich=wanted)


def build() -> list[str]:
    """Build the programs that lessons show. Returns what went wrong."""
    folder = places.ROOT / "c_examples"
    path = search_path()
    if not (folder / "Makefile").exists() or not shutil.which("mpicc", path=path):
        return []
    drop = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")
    env = {name: value for name, value in os.environ.items() if name not in drop} | {"PATH": path}
    result = proc.run(["make", "-s", "-C", folder], env=env, limits=proc.Limits(wall=600))
    return [] if result.ok else [f"The programs in c_examples/ could not be built.\n{indent(result.tail())}"]


def preflight(state: State) -> list[str]:
    """Check that mpicc, mpirun and mpi4py belong together, if anything changed since. Returns what is wrong."""
    path = search_path()
    found = [shutil.which(name, path=path) for name in ("cc", "mpicc", "mpirun")]
    if not found[0]:
        mend = apt.line(["gcc"]) if apt.usable() else "Install gcc by your system's package manager."
        return [f"There is no C compiler: lessons with C programs do not work, those in Python do.\n    {mend}"]
    programs = [os.path.realpath(program) for program in found if program]
    times = [Path(program).stat().st_mtime_ns for program in programs]
    wanted = hashlib.sha256(repr((programs, times, state["packages"], state["mpich"])).encode()).hexdigest()[:16]
    if state["preflight"] == wanted:
        return []
    script = "import json; from rankzero.mpi import toolchain; print(json.dumps(toolchain.preflight()))"
    with step("a world of two ranks"):
        result = proc.run([PYTHON, "-c", script], env=os.environ | {"PATH": path}, limits=proc.Limits(wall=180))
    problems = (
        list(json.loads(result.stdout)) if result.ok else [f"The check of MPI itself failed.\n{indent(result.tail())}"]
    )
    if not problems:
        state.note(preflight=wanted)
    return problems


# -- all of it -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one set-up at a time work in this folder."""
    try:
        handle = os.open(places.ROOT, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("▸ another set-up works in this folder: waiting for it")
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
    except PermissionError as err:
        if err.filename and Path(err.filename).is_relative_to(places.ROOT):
            raise SetupError(
                f"{err.filename} cannot be written: {err.strerror}. Set-up makes .venv in {places.ROOT}.\n"
                "    Clone the course into a folder of your own."
            ) from err
        raise


def set_up(problems: list[str], *, go_on: bool) -> None:
    """Do what is not done yet. Adds what could not be had and does not stop the rest; raises SetupError else."""
    places.home()
    state = State()
    was_whole = state.venv_is_whole()
    refused = state["refused"] or [] if go_on else []
    problems += system_packages(refused)
    if not was_whole:
        make_venv(state)
    still = [need.names[0] for need in apt.missing()] if problems and apt.usable() else ["no apt"] if problems else []
    if state["refused"] != still:
        state.note(refused=still)
    python_packages(state)
    if state["torch"] != "cuda" and not (go_on and state["torch_trouble"] == torch_version()):
        try:
            cpu_torch(state)
        except SetupError as err:
            state.note(torch_trouble=torch_version())
            problems.append(str(err))
    elif state["torch_trouble"]:
        problems.append("PyTorch is missing: lessons on training do not work  (`make setup` tries again)")
    course_itself(state)
    try:
        second_mpi(state)
    except SetupError as err:
        problems.append(f"There is no MPICH: what compares it with Open MPI does not work. {err}")
    problems += [*build(), *preflight(state)]


def main(argv: Sequence[str] | None = None) -> int:
    """Set up. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="rankzero.setup")
    parser.add_argument("--go-on", action="store_true", help="fail only for what nothing works without")
    args = parser.parse_args(argv)
    apt.signals_as_interrupts()
    began = time.monotonic()
    problems: list[str] = []
    try:
        with alone():
            set_up(problems, go_on=args.go_on)
        code = 1 if problems and not args.go_on else 0
    except (SetupError, places.PlacesError, proc.ProcError) as err:
        problems.append(f"Set-up stopped. {err}")
        code = 1
    except OSError as err:
        if err.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        problems.append(f"Set-up stopped. {failure('A file could not be written', str(err))}")
        code = 1
    except KeyboardInterrupt:
        problems.append("Set-up was interrupted; the next call goes on from here.")
        code = 130
    for problem in problems:
        print(f"\n! {problem}", file=sys.stderr)
    if not args.go_on and not problems:
        say(f"Set-up is complete ({time.monotonic() - began:.1f} s).")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
