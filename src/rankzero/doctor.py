"""`rankzero doctor`: what this machine has, what is missing, and the command that brings it.

Standard library only, so that it runs before anything is installed:

    PYTHONPATH=src python3 -m rankzero.doctor

`--json` prints a list of objects, one a finding, always in the same order and with the same keys:

    name       what was looked for; unique
    group      the heading it stands under
    found      true: it is there and answers
    version    as it says itself; "" where it says none
    path       where it is; "" where that means nothing
    detail     what else there is to know; for a tool that is there and broken, how it failed
    needed_by  the parts of the course that use it; a list, empty for plain information
    mend       found: "". Otherwise the command that brings it or, where none can, a sentence

Exit code 0: what lesson one needs is here; 1: it is not.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rankzero import apt, places, proc

LIMIT = 5.0
"""Seconds that a tool has for telling its version."""

OLDEST_PYTHON = (3, 11)
GIB = 1 << 30
_VERSION = re.compile(r"\d+(?:\.\d+)+")


@dataclass(frozen=True)
class Finding:
    """One line of the report; the module's docstring says what each field means."""

    name: str
    group: str
    found: bool
    version: str = ""
    path: str = ""
    detail: str = ""
    needed_by: tuple[str, ...] = ()
    mend: str = ""


@dataclass(frozen=True)
class Tool:
    """A program that is asked for its version. `programs`: the names it goes by, the first found counts."""

    name: str
    group: str
    programs: tuple[str, ...]
    apt: str = ""
    arguments: tuple[str, ...] = ("--version",)
    without: str = ""  # what to do where no apt package brings it


@dataclass(frozen=True)
class Part:
    """A part of the course: without its needs it does not work, without its wants something of it is left out."""

    number: str
    title: str
    needs: tuple[str, ...]
    wants: tuple[str, ...] = ()
    arrived: bool = False  # there, although it is no lesson

    @property
    def label(self) -> str:
        """What it is called in `needed_by`."""
        return f"{self.number} {self.title}".strip()

    def is_here(self) -> bool:
        """Whether the checkout has it."""
        return self.arrived or bool(self.number and any((places.ROOT / "notebooks").glob(f"{self.number}_*.ipynb")))


@dataclass(frozen=True)
class Answer:
    """What a program said, or the trouble there was with it."""

    text: str = ""
    trouble: str = ""


PACKAGES = (
    "jupyterlab",
    "ipykernel",
    "ipyparallel",
    "mpi4py",
    "numpy",
    "matplotlib",
    "numba",
    "torch",
    "nbval",
    "pytest",
)

TOOLS = (
    Tool("gcc", "Compilers", ("gcc",), "gcc", ("-dumpfullversion",)),
    Tool("g++", "Compilers", ("g++",), "g++", ("-dumpfullversion",)),
    Tool("gfortran", "Compilers", ("gfortran",), "gfortran", ("-dumpfullversion",)),
    Tool("clang", "Compilers", ("clang",), "clang"),
    Tool("make", "Compilers", ("make",), "make"),
    Tool("cmake", "Compilers", ("cmake",), "cmake"),
    Tool("pkg-config", "Compilers", ("pkg-config", "pkgconf"), "pkg-config"),
    Tool("ccache", "Compilers", ("ccache",), "ccache"),
    Tool("git", "Compilers", ("git",), "git"),
    Tool("mpicc", "MPI", ("mpicc",), "libopenmpi-dev", ("--showme:version",)),
    Tool("mpirun", "MPI", ("mpirun",), "openmpi-bin"),
    Tool("MPICH mpicc", "MPI", ("mpicc.mpich",), "libmpich-dev", ("-v",)),
    Tool("MPICH mpirun", "MPI", ("mpirun.mpich",), "mpich"),
    Tool("sinfo", "Slurm", ("sinfo",), "slurm-client"),
    Tool("slurmctld", "Slurm", ("slurmctld",), "slurmctld", ("-V",)),
    Tool("slurmd", "Slurm", ("slurmd",), "slurmd", ("-V",)),
    Tool("munge", "Slurm", ("munge",), "munge"),
    Tool("gdb", "Debuggers", ("gdb",), "gdb", ("-nx", "--version")),
    Tool("valgrind", "Debuggers", ("valgrind",), "valgrind"),
    Tool("strace", "Debuggers", ("strace",), "strace"),
    Tool("py-spy", "Debuggers", ("py-spy",), without=".venv/bin/pip install py-spy"),
    Tool("clang-tidy", "Analysers", ("clang-tidy",), "clang-tidy"),
    Tool("cppcheck", "Analysers", ("cppcheck",), "cppcheck"),
    Tool("shellcheck", "Analysers", ("shellcheck",), "shellcheck"),
    Tool("clang-format", "Analysers", ("clang-format",), without="make setup"),
    Tool("lstopo", "Fabric and topology", ("lstopo", "lstopo-no-graphics"), "hwloc"),
    Tool("fi_info", "Fabric and topology", ("fi_info",), "libfabric-bin"),
    Tool("ucx_info", "Fabric and topology", ("ucx_info",), "ucx-utils", ("-v",)),
    Tool("podman", "Containers", ("podman",), "podman"),
    Tool(
        "apptainer",
        "Containers",
        ("apptainer", "singularity"),
        without="not in Debian 12; ask your site's administrators",
    ),
    Tool("ch-run", "Containers", ("ch-run",), "charliecloud"),
    Tool("Chromium", "Browser", ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"), "chromium"),
)
"""Programs that are found on PATH. Everything else has a function of its own below."""

PARTS = (
    Part(
        "00",
        "Start here",
        (
            *("Python", "gcc", "make", "mpicc", "mpirun", "one MPI", "state folder"),
            *("jupyterlab", "ipykernel", "ipyparallel", "mpi4py", "numpy", "matplotlib"),
        ),
        ("CPUs", "memory", "disk: checkout", "disk: /tmp", "disk: /dev/shm"),
    ),
    Part("01", "Linux on a node", ("Python", "gcc"), ("strace", "lstopo", "user namespaces")),
    Part(
        "02",
        "Building software",
        ("gcc", "make", "mpicc", "mpirun"),
        ("g++", "gfortran", "cmake", "pkg-config", "ccache", "MPICH mpicc", "MPICH mpirun", "shellcheck", "strace"),
    ),
    Part("", "Exercises", ("gcc", "make", "mpicc", "mpirun", "gdb", "ptrace"), ("user namespaces",), arrived=True),
    Part("03", "Spack and modules", ("Spack", "git", "gcc", "make"), ("modules", "gfortran")),
    Part(
        "04",
        "MPI",
        ("mpicc", "mpirun", "one MPI"),
        ("MPICH mpicc", "MPICH mpirun", "numba", "lstopo", "fi_info", "ucx_info"),
    ),
    Part(
        "05",
        "MPI debugging",
        ("mpicc", "mpirun", "gdb", "ptrace"),
        ("valgrind", "py-spy", "strace", "clang", "clang-tidy", "cppcheck", "MPICH mpicc"),
    ),
    Part("06", "Slurm", ("sinfo", "slurmctld", "slurmd", "munge"), ("user namespaces",)),
    Part("", "Containers", ("user namespaces",), ("podman", "ch-run", "apptainer")),
    Part("", "GPU kernels and training", ("numba",), ("torch", "GPU")),
    Part("", "make test", ("nbval", "pytest", "shellcheck", "clang-format", "git"), ("Chromium",), arrived=True),
)
"""What the course consists of. A part without a lesson in the checkout is named as still to come."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--json", action="store_true", help="print the findings as a list of objects")


def main(args: argparse.Namespace) -> int:
    """Print the report. Returns 0 when what lesson one needs is here, else 1."""
    findings = examine()
    if args.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        print(report(findings, colour=colour))
    return 1 if missing_for(PARTS[0], findings) else 0


def examine() -> list[Finding]:
    """Look at this machine. Nothing is installed, changed or left running."""
    located = {tool.name: _which(tool.programs) for tool in TOOLS}
    for name, program in (("MPICH mpicc", "mpicc"), ("MPICH mpirun", "mpirun")):
        prefix = places.mpich() / "bin"  # where set-up puts it without root
        located[name] = located[name] or shutil.which(program, path=str(prefix)) or ""
    commands = {tool.name: [path, *tool.arguments] for tool in TOOLS if (path := located[tool.name])}
    commands |= _other_commands()
    answers = ask(commands, LIMIT)
    packages = _package_versions()
    findings = [*_machine(), *_cpus_and_memory(), *_disk()]
    for tool in TOOLS:
        findings.append(_tool(tool, located[tool.name], answers))
        if tool.name == "MPICH mpirun":
            findings.append(_one_mpi(answers, packages))
    findings += [
        _modules(answers),
        _spack(),
        _ptrace(answers),
        _user_namespaces(answers),
        _infiniband(),
        _gpu(answers),
        *_packages(packages),
    ]
    order = {name: index for index, name in enumerate(GROUPS)}
    return sorted(findings, key=lambda finding: order[finding.group])


GROUPS = (
    *("Machine", "Python and its packages", "Compilers", "MPI", "Slurm", "Debuggers", "Analysers", "Modules and Spack"),
    *("Fabric and topology", "GPU", "Containers", "Browser"),
)


# -- asking programs --------------------------------------------------------------------------------

_ATTACH = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
PTRACE_SEIZE = 0x4206
if libc.ptrace(PTRACE_SEIZE, int(sys.argv[1]), None, None) == 0:
    print("attached")
else:
    print(os.strerror(ctypes.get_errno()))
"""
_LIBRARY = "import mpi4py; mpi4py.rc.initialize = False; from mpi4py import MPI; print(MPI.Get_library_version())"
_IN_VENV = places.VENV / "bin" / "python"


def _other_commands() -> dict[str, list[str]]:
    """Return what is asked beyond versions, by the name that the answer is looked up with."""
    commands: dict[str, list[str]] = {}
    if path := _which(("mpicc",)):
        commands["mpicc -v"] = [path, "-v"]  # MPICH's way to say which it is
    if path := _which(("unshare",)):
        commands["unshare"] = [path, "--user", "--map-root-user", _which(("true",)) or "true"]
    if path := _which(("nvidia-smi",)):
        commands["nvidia-smi"] = [path, "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    if path := _which(("fi_info",)):
        commands["fi_info -l"] = [path, "-l"]
    if path := _lmod():
        commands["lmod"] = [path, "bash", "--version"]
    if path := _environment_modules():
        commands["modulecmd"] = [path, "bash", "--version"]
    commands["mpi4py"] = [str(_IN_VENV) if _IN_VENV.exists() else sys.executable, "-c", _LIBRARY]
    return commands


def ask(commands: Mapping[str, Sequence[str]], limit: float) -> dict[str, Answer]:
    """Run all commands at once, each for `limit` seconds at most, and return what they said by name.

    A program that cannot be started, fails or hangs has `trouble` in its answer; nothing of it is left. "ptrace" is
    answered as well: one process of this user tries to attach to another one, as a debugger does to a rank.
    """
    answers: dict[str, Answer] = {}
    limits = proc.Limits(wall=limit, output=1 << 16, file_size=1 << 20)
    environment = dict(os.environ, LC_ALL="C", DEBUGINFOD_URLS="", OMPI_MCA_btl="self")
    try:
        with proc.Supervisor() as supervisor:
            files = {}
            python = [sys.executable, "-I", "-S", "-c"]
            target = supervisor.start("ptrace target", [*python, "import signal; signal.pause()"])
            for name, argv in {"ptrace": [*python, _ATTACH, str(target)], **commands}.items():
                files[name] = supervisor.run_dir.path / f"answer-{len(files)}"
                try:
                    supervisor.start(name, argv, cwd="/", env=environment, stdout=files[name], limits=limits)
                except proc.ProcError as err:
                    answers[name] = Answer(trouble=str(err).splitlines()[0])
            for name in files:
                if name in answers:
                    continue
                end = supervisor.wait(name, 2 * limit + 10)
                with files[name].open("rb") as file:
                    text = file.read(limits.output).decode(errors="replace")
                text = "".join(char if char.isprintable() or char == "\n" else "?" for char in text)
                answers[name] = Answer(text, _trouble(end, limit))
    except (proc.ProcError, OSError) as err:
        for name in ("ptrace", *commands):
            answers.setdefault(name, Answer(trouble=f"not asked: no program can be started ({err})"))
    return answers


def _trouble(end: Mapping[str, object] | None, limit: float) -> str:
    if end is None or end["timed_out"]:
        return f"did not answer within {limit:.0f} s"
    code = int(str(end["returncode"]))
    if code < 0:
        return f"was killed by signal {-code}"
    return f"ended with exit code {code}" if code else ""


def _which(names: Iterable[str]) -> str:
    """Return the first of these programs: in .venv, on PATH, or in the sbin beside a bin on PATH."""
    folders = [str(places.VENV / "bin"), *os.environ.get("PATH", os.defpath).split(os.pathsep)]
    folders += [re.sub(r"bin/?$", "sbin", folder) for folder in folders if re.search(r"/bin/?$", folder)]
    for name in names:
        if found := shutil.which(name, path=os.pathsep.join(folder for folder in folders if folder)):
            return found
    return ""


# -- mending ----------------------------------------------------------------------------------------


def apt_line(package: str) -> str:
    """Return the command that brings a package of apt.txt, or a sentence where apt is not how this machine does it."""
    if not any(package in need.names for need in apt.needs()):
        return f"not part of the set-up; Debian's package is {package}"
    if not _which(("apt-get",)):
        return f"by your system's package manager; Debian calls it {package}"
    return apt.line([package])


def _needed_by(name: str) -> tuple[str, ...]:
    return tuple(part.label for part in PARTS if name in part.needs or name in part.wants)


def _finding(name: str, group: str, found: bool, mend: str = "", **more: str) -> Finding:
    """Make a finding whose needed_by comes from PARTS, and whose mend is empty when it was found."""
    return Finding(name, group, found, needed_by=_needed_by(name), mend="" if found else mend, **more)


# -- what is looked at ------------------------------------------------------------------------------


def _tool(tool: Tool, path: str, answers: Mapping[str, Answer]) -> Finding:
    mend = apt_line(tool.apt) if tool.apt else tool.without
    if not path:
        return _finding(tool.name, tool.group, False, mend)
    answer = answers[tool.name]
    if tool.name == "mpicc" and answer.trouble:
        answer = answers["mpicc -v"]
    if answer.trouble:
        mend = mend.replace("--no-remove", "--reinstall")
        return _finding(tool.name, tool.group, False, mend, path=path, detail=f"is there, but {answer.trouble}")
    version = _VERSION.search(answer.text)
    detail = "" if version else "says no version that can be read"
    if tool.name in ("mpicc", "mpirun"):
        detail = _family(answer.text) or "of an MPI that this course does not know"
    if tool.name == "fi_info":
        providers = re.findall(r"^([\w;-]+):$", answers["fi_info -l"].text, re.MULTILINE)
        detail = "providers: " + ", ".join(providers) if providers else ""
    return _finding(tool.name, tool.group, True, path=path, version=version[0] if version else "", detail=detail)


def _family(text: str) -> str:
    """Return "Open MPI" or "MPICH" when this is what one of them says of itself, else ""."""
    if re.search(r"Open ?MPI|OpenRTE|PRTE", text, re.IGNORECASE):
        return "Open MPI"
    return "MPICH" if re.search(r"MPICH|HYDRA", text, re.IGNORECASE) else ""


def _one_mpi(answers: Mapping[str, Answer], packages: Mapping[str, str]) -> Finding:
    """Whether bare mpicc, bare mpirun and mpi4py belong to one MPI, of one version."""
    said = {"mpicc": answers.get("mpicc", Answer()), "mpirun": answers.get("mpirun", Answer())}
    if said["mpicc"].trouble:
        said["mpicc"] = answers["mpicc -v"]
    said["mpi4py"] = answers["mpi4py"] if "mpi4py" in packages else Answer()
    belongs = {}
    for name, answer in said.items():
        family = "" if answer.trouble else _family(answer.text)
        version = _VERSION.search(answer.text)
        belongs[name] = f"{family} {version[0] if version else ''}".strip() if family else ""
    detail = ", ".join(f"{name}: {mpi or 'none'}" for name, mpi in belongs.items())
    kinds = set(belongs.values())
    if len(kinds) == 1 and "" not in kinds:
        return _finding("one MPI", "MPI", True, version=kinds.pop(), detail="mpicc, mpirun and mpi4py agree")
    if not belongs["mpi4py"]:
        mend = "make setup"
    elif "" in kinds:
        mend = apt_line("openmpi-bin")
    else:
        mend = "take the other MPI off PATH (module unload, deactivate), or choose the system's:\n" + "\n".join(
            f"{'' if os.getuid() == 0 else 'sudo '}update-alternatives --set {name} /usr/bin/{program}.openmpi"
            for name, program in (("mpi", "mpicc"), ("mpirun", "mpirun"))
        )
    return _finding("one MPI", "MPI", False, mend, detail=detail)


def _machine() -> list[Finding]:
    try:
        system = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        system = platform.system()
    inside = any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv", "/.singularity.d"))
    who = "root" if os.getuid() == 0 else "an ordinary user"
    detail = f"{system}, as {who}" + (", in a container" if inside else "")
    findings = [_finding("system", "Machine", True, version=f"{platform.system()} {platform.machine()}", detail=detail)]
    new_enough = sys.version_info >= OLDEST_PYTHON
    venv = importlib.util.find_spec("ensurepip") is not None
    least = ".".join(map(str, OLDEST_PYTHON))
    findings.append(
        _finding(
            "Python",
            "Python and its packages",
            new_enough,
            f"Python {least} or later; then make lab PYTHON=/path/to/python3",
            version=platform.python_version(),
            path=sys.executable,
            detail="" if venv or sys.prefix != sys.base_prefix else "has no ensurepip: set-up installs python3-venv",
        )
    )
    return findings


def _first_line(path: Path) -> str:
    """Return a small file's first line, or "" where there is no such file."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.readline().strip()
    except OSError:
        return ""


def _cgroup(v1: str, v2: str) -> Iterable[str]:
    """Yield a setting of this process's cgroup and of those above it, of either version of cgroups."""
    root = Path("/sys/fs/cgroup")
    try:
        groups = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        groups = []
    for line in groups:
        _, controllers, group = line.split(":", 2)
        base, name = (root, v2) if not controllers else (root / controllers, v1)
        folder = base / group.lstrip("/")
        for above in (folder, *folder.parents):
            if text := _first_line(above / name):
                yield text
            if above == base:
                break


def cpu_quota() -> float | None:
    """Return how many CPUs' time the cgroup allows, or None for no limit."""
    quotas = []
    for text in _cgroup("cpu.cfs_quota_us", "cpu.max"):
        quota, period = [*text.split(), "100000"][:2]
        if quota.isdigit():
            quotas.append(int(quota) / int(period))
    return min(quotas, default=None)


def memory_limit() -> int | None:
    """Return the cgroup's limit of memory in bytes, or None for no limit."""
    limits = [int(text) for text in _cgroup("memory.limit_in_bytes", "memory.max") if text.isdigit()]
    return min((limit for limit in limits if limit < 1 << 60), default=None)


def _cpus_and_memory() -> list[Finding]:
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    cpu = Path("/sys/devices/system/cpu")
    siblings = {_first_line(cpu / f"cpu{number}" / "topology" / "thread_siblings_list") for number in allowed}
    siblings.discard("")
    cores = len(siblings) or len(allowed)
    words = [f"{len(allowed)} of {os.cpu_count()} allowed", f"{cores} core{'s' * (cores > 1)}"]
    words.append("SMT on" if _first_line(cpu / "smt" / "active") == "1" else "SMT off or none")
    nodes = len(list(Path("/sys/devices/system/node").glob("node[0-9]*"))) or 1
    words.append(f"{nodes} NUMA node{'s' * (nodes > 1)}")
    if (quota := cpu_quota()) is not None:
        words.append(f"cgroup quota {quota:g} CPUs")
    if len(allowed) < 4:
        words.append("4 ranks share them: timings say less")
    findings = [_finding("CPUs", "Machine", True, version=str(len(allowed)), detail=", ".join(words))]

    lines = {}
    try:
        for line in Path("/proc/meminfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            lines[key] = int(value.split()[0]) * 1024
    except OSError:
        lines = {}
    total, available = lines.get("MemTotal", 0), lines.get("MemAvailable", 0)
    limit = memory_limit()
    usable = min(total, limit) if limit else total
    detail = f"{_size(available)} available" + (f", cgroup limit {_size(limit)}" if limit else "")
    enough = usable == 0 or usable >= 2 * GIB
    mend = "2 GiB are needed for four ranks and JupyterLab: a larger machine, or a larger limit"
    findings.append(_finding("memory", "Machine", enough, mend, version=_size(usable), detail=detail))
    return findings


def _size(count: float) -> str:
    return f"{count / GIB:.1f} GiB"


def _disk() -> list[Finding]:
    findings = []
    installed = _IN_VENV.exists()
    needs = {  # bytes: .venv holds 1.7 GB, and as much again passes through while it is made
        "disk: checkout": (places.ROOT, GIB // 4 if installed else 4 * GIB, "free space on the disk of the checkout"),
        "disk: /tmp": (Path("/tmp"), GIB // 4, "free space in /tmp: run directories and sockets live there"),
        "disk: /dev/shm": (places.SHM, GIB // 16, "give it more, for a container: podman run --shm-size=256m"),
    }
    for name, (path, least, mend) in needs.items():
        try:
            usage = shutil.disk_usage(path)
        except OSError as err:
            findings.append(_finding(name, "Machine", False, mend, path=str(path), detail=str(err.strerror)))
            continue
        detail = f"free of {_size(usage.total)}" + ("" if usage.free >= least else f"; {_size(least)} are needed")
        more = {"version": _size(usage.free), "path": str(path), "detail": detail}
        findings.append(_finding(name, "Machine", usage.free >= least, mend, **more))
    try:
        state = places.home()
        usage = shutil.disk_usage(state)
        more = {"version": _size(usage.free), "path": str(state), "detail": f"free of {_size(usage.total)}"}
        findings.append(_finding("state folder", "Machine", True, **more))
    except OSError as err:
        mend = "RANKZERO_HOME=/some/folder make lab"
        findings.append(_finding("state folder", "Machine", False, mend, detail=str(err).splitlines()[0]))
    return findings


def _lmod() -> str:
    named = os.environ.get("LMOD_CMD", "")
    for path in (named, "/usr/share/lmod/lmod/libexec/lmod"):
        if path and Path(path).exists():
            return path
    return ""


def _environment_modules() -> str:
    named = os.environ.get("MODULES_CMD", "")
    found = [Path(named)] if named else []
    found += [*Path("/usr/lib").glob("*/modulecmd.tcl"), Path("/usr/share/modules/libexec/modulecmd.tcl")]
    return next((str(path) for path in found if path.exists()), "")


def _modules(answers: Mapping[str, Answer]) -> Finding:
    trouble = ""
    for name, title, path in (
        ("lmod", "Lmod", _lmod()),
        ("modulecmd", "Environment Modules", _environment_modules()),
    ):
        if path and not answers[name].trouble:
            version = _VERSION.search(answers[name].text)
            return _finding(
                "modules", "Modules and Spack", True, path=path, version=version[0] if version else "", detail=title
            )
        if path:
            trouble = f"{title} is there, but {answers[name].trouble}"
    return _finding("modules", "Modules and Spack", False, apt_line("lmod"), detail=trouble)


def _spack() -> Finding:
    own = ""
    with contextlib.suppress(places.PlacesError):  # said under "state folder"
        own = shutil.which("spack", path=str(places.home() / "spack" / "bin")) or ""
    path = own or _which(("spack",))
    if not path:
        mend = "nothing to do yet: it comes with the chapter on Spack"
        return _finding("Spack", "Modules and Spack", False, mend)
    source = Path(path).resolve().parents[1] / "lib" / "spack" / "spack" / "__init__.py"
    try:
        version = re.search(r"""^(?:spack_)?_*version\w* *= *["'](\d[\w.]*)""", source.read_text("utf-8"), re.MULTILINE)
    except OSError:
        version = None
    detail = "the course's own" if own else "not the course's own"
    return _finding("Spack", "Modules and Spack", True, path=path, version=version[1] if version else "", detail=detail)


def _ptrace(answers: Mapping[str, Answer]) -> Finding:
    scope = _first_line(Path("/proc/sys/kernel/yama/ptrace_scope"))
    yama = f"Yama ptrace_scope {scope}" if scope else "no Yama here"
    if answers["ptrace"].text.strip() == "attached":
        return _finding("ptrace", "Debuggers", True, detail=f"a process may attach to another of yours; {yama}")
    why = answers["ptrace"].trouble or answers["ptrace"].text.strip()
    if scope not in ("", "0"):
        mend = "sudo sysctl kernel.yama.ptrace_scope=0"
    else:
        mend = "in a container: start it with --cap-add=SYS_PTRACE"
    return _finding("ptrace", "Debuggers", False, mend, detail=f"attaching failed: {why}; {yama}")


def _user_namespaces(answers: Mapping[str, Answer]) -> Finding:
    answer = answers.get("unshare", Answer(trouble="there is no unshare"))
    if not answer.trouble:
        return _finding("user namespaces", "Containers", True, detail="unshare --user --map-root-user works")
    why = answer.text.strip().splitlines()[-1:] or [answer.trouble]
    if _first_line(Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")) == "1":
        mend = "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    elif _first_line(Path("/proc/sys/kernel/unprivileged_userns_clone")) == "0":
        mend = "sudo sysctl kernel.unprivileged_userns_clone=1"
    else:
        mend = "in a container: start it with --security-opt seccomp=unconfined"
    return _finding("user namespaces", "Containers", False, mend, detail=why[0])


def _infiniband() -> Finding:
    folder = Path("/sys/class/infiniband")
    devices = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    mend = "nothing to do: MPI here uses shared memory and TCP"
    return _finding("InfiniBand", "Fabric and topology", bool(devices), mend, detail=", ".join(devices))


def _gpu(answers: Mapping[str, Answer]) -> Finding:
    answer = answers.get("nvidia-smi")
    mend = "nothing to do: CUDA lessons run on numba's simulator"
    if answer is None:
        return _finding("GPU", "GPU", False, mend, detail="no nvidia-smi")
    cards = [[word.strip() for word in line.split(",")] for line in answer.text.splitlines() if line.count(",") == 2]
    if answer.trouble or not cards:
        return _finding("GPU", "GPU", False, mend, detail=f"nvidia-smi {answer.trouble or 'names no GPU'}")
    detail = "; ".join(f"{name}, {memory}" for name, _, memory in cards)
    return _finding("GPU", "GPU", True, version=f"driver {cards[0][1]}", detail=detail, path=_which(("nvidia-smi",)))


def _package_versions() -> dict[str, str]:
    """Return the versions of the course's Python packages: those of .venv where there is one, else this Python's."""
    folders = [str(folder) for folder in (places.VENV / "lib").glob("python3*/site-packages")] or sys.path
    versions = {}
    for name in PACKAGES:
        for distribution in importlib.metadata.distributions(name=name, path=folders):
            versions.setdefault(name, distribution.version)
    return versions


def _packages(versions: Mapping[str, str]) -> list[Finding]:
    group = "Python and its packages"
    return [_finding(name, group, name in versions, "make setup", version=versions.get(name, "")) for name in PACKAGES]


# -- the report -------------------------------------------------------------------------------------

WIDTH = 80
RIGHTS = ("ptrace", "user namespaces")
"""What is not installed but allowed."""
_COLOURS = {"ok": "32", "~~": "33", "--": "33", "!!": "31"}


def missing_for(part: Part, findings: Iterable[Finding], *, wants: bool = False) -> list[str]:
    """Return the names of what a part needs (or wants) and this machine lacks."""
    lacking = {finding.name for finding in findings if not finding.found}
    return [name for name in (part.wants if wants else part.needs) if name in lacking]


def report(findings: Sequence[Finding], *, colour: bool = False) -> str:
    """Return the findings as text for a terminal of 80 columns, with the verdict at its end."""

    def paint(mark: str, text: str) -> str:
        return f"\033[{_COLOURS[mark]}m{text}\033[0m" if colour else text

    def wrapped(text: str, indent: int, first: str = "") -> list[str]:
        options = {"break_long_words": False, "break_on_hyphens": False, "subsequent_indent": " " * indent}
        return textwrap.wrap(text, WIDTH, initial_indent=first or " " * indent, **options)

    lines = []
    for group in GROUPS:
        lines += ["", group]
        for finding in (finding for finding in findings if finding.group == group):
            essential = PARTS[0].label in finding.needed_by and finding.name in PARTS[0].needs
            mark = "ok" if finding.found else "!!" if essential else "--"
            head = f"  {mark}  {finding.name:<16} "
            version = finding.version
            if not finding.found and not version:
                version = "broken" if finding.path else "refused" if finding.name in RIGHTS else "missing"
            words = "  ".join(word for word in (f"{version:<11}", finding.path, finding.detail) if word.strip())
            text = wrapped(words, 23, head) if words.strip() else [head.rstrip()]
            lines += [paint(mark, text[0][:6]) + text[0][6:], *text[1:]]
            if not finding.found:
                if finding.needed_by:
                    lines += wrapped("for " + ", ".join(finding.needed_by), 23)
                lines += [" " * 8 + line for line in finding.mend.splitlines()]
    lines += ["", "What of the course works here"]
    for part in PARTS:
        absent, wanted = missing_for(part, findings), missing_for(part, findings, wants=True)
        mark = "--" if absent else "~~" if wanted else "ok"
        here = part.is_here()
        if absent:
            words = f"{'does not work yet' if here else 'to come'}: needs {', '.join(absent)}"
        elif wanted:
            words = f"{'works' if here else 'to come'}, without {', '.join(wanted)}"
        else:
            words = "works" if here else "to come: all that it needs is here"
        text = wrapped(words, 32, f"  {mark}  {part.label:<26}")
        lines += [paint(mark, text[0][:6]) + text[0][6:], *text[1:]]
    lines += ["", "ok here   ~~ in part   -- missing   !! missing, and lesson one needs it", ""]
    absent = missing_for(PARTS[0], findings)
    if absent:
        lines += wrapped(f"Lesson one does not work here yet: {', '.join(absent)} missing. Next:", 0)
        lines.append("    make setup")
    else:
        lines += ["Lesson one works here. Next:", "    make lab"]
    return "\n".join(lines[1:])


if __name__ == "__main__":
    _parser = argparse.ArgumentParser(prog="rankzero doctor", description=(__doc__ or "").splitlines()[0])
    configure(_parser)
    raise SystemExit(main(_parser.parse_args()))
