"""Which MPIs this machine has, how to compile and launch with them, and what they need to run here."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rankzero import places, proc

_C_COMPILER = {"Open MPI": "mpicc.openmpi", "MPICH": "mpicc.mpich"}
_LAUNCHER = {"Open MPI": "mpirun.openmpi", "MPICH": "mpirun.mpich"}


@dataclass(frozen=True)
class Mpi:
    """One MPI: its name ("Open MPI" or "MPICH"), version, and the full paths of its compiler and launcher."""

    name: str
    version: str
    mpicc: str
    mpirun: str

    @property
    def major(self) -> int:
        """The first number of the version."""
        return int(self.version.split(".")[0])


def environment() -> dict[str, str]:
    """Return the variables with which `mpirun -n 4` works on a machine with fewer cores, as root, and on loopback.

    Both MPIs read only their own. Inside a Slurm job none is needed: slots and networks are the site's to say.
    """
    if "SLURM_JOB_ID" in os.environ:
        return {}
    variables = {
        "OMPI_MCA_rmaps_base_oversubscribe": "1",  # Open MPI 4
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",  # Open MPI 5
        "OMPI_MCA_btl_tcp_if_include": "lo",
        "OMPI_MCA_oob_tcp_if_include": "lo",
        # A program started without mpirun starts no daemon of its own, which takes 0.15 s and, when several start at
        # once, now and then fails with "Unable to start a daemon on the local node". It cannot spawn ranks then.
        "OMPI_MCA_ess_singleton_isolated": "1",  # Open MPI 4
        "HYDRA_IFACE": "lo",  # MPICH's launcher
        "UCX_NET_DEVICES": "lo",  # Debian's MPICH
    }
    mpicc = shutil.which("mpicc")
    if mpicc and Path(mpicc).is_relative_to(places.mpich()):  # set-up's own, as the system has none
        variables["MPI4PY_LIBMPI"] = str(places.mpich() / "lib" / "libmpi.so.12")
    if os.geteuid() == 0:  # a training machine; Open MPI wants to be told twice that it is meant
        for prefix in ("OMPI", "PRTE"):
            variables[f"{prefix}_ALLOW_RUN_AS_ROOT"] = "1"
            variables[f"{prefix}_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    return variables


def identify(mpicc: str) -> str | None:
    """Return the MPI that a compiler wrapper belongs to: "Open MPI", "MPICH", or None for neither."""
    for name, option in (("Open MPI", "-showme:version"), ("MPICH", "-show")):
        result = proc.run([mpicc, option], limits=proc.Limits(wall=10))
        if result.ok and (name == "MPICH" or name in result.stdout + result.stderr):
            return name
    return None


def _launcher_version(mpirun: str) -> tuple[str, str] | None:
    """Return (name, version) as a launcher tells them, or None when it does not run."""
    result = proc.run([mpirun, "--version"], limits=proc.Limits(wall=10))
    text = result.stdout + result.stderr
    if found := re.search(r"\(Open MPI\) (\d[\w.]*)", text):
        return "Open MPI", found[1]
    if "HYDRA" in text and (found := re.search(r"Version:\s*(\d[\w.]*)", text)):
        return "MPICH", found[1]
    return None


def course() -> Mpi | None:
    """Return the MPI of bare `mpicc` and `mpirun`, the course's own; None when one is missing or they differ."""
    mpicc, mpirun = shutil.which("mpicc"), shutil.which("mpirun")
    if not mpicc or not mpirun:
        return None
    told = _launcher_version(mpirun)
    if told is None or identify(mpicc) != told[0]:
        return None
    return Mpi(*told, mpicc, mpirun)


def find(name: str) -> Mpi | None:
    """Return the MPI of that name ("Open MPI" or "MPICH"), wherever it is on PATH or in the course's own prefix."""
    bare = course()
    if bare and bare.name == name:
        return bare
    prefix = places.mpich() / "bin"
    candidates = [(shutil.which(_C_COMPILER[name]), shutil.which(_LAUNCHER[name]))]
    if name == "MPICH":
        candidates.append((shutil.which("mpicc", path=str(prefix)), shutil.which("mpirun", path=str(prefix))))
    for mpicc, mpirun in candidates:
        if mpicc and mpirun and (told := _launcher_version(mpirun)) and told[0] == name:
            return Mpi(*told, mpicc, mpirun)
    return None


def cause_of_death(said: str) -> str:
    """Return which rank died of what, as a launcher tells it (Open MPI's or MPICH's); "" where it says nothing."""
    if found := re.search(r"process rank (\d+).*?exited on\s+signal (\d+)", said, re.DOTALL):
        return f"rank {found[1]} was killed by {signal.Signals(int(found[2])).name}"
    if found := re.search(r"MPI_ABORT was invoked on rank (\d+).*?errorcode (-?\d+)", said, re.DOTALL):
        return f"rank {found[1]} called MPI_Abort with code {found[2]}"
    if found := re.search(r"Process name: \[\[\d+,\d+\],(\d+)\]\s+Exit code:\s+(\d+)", said):
        return f"rank {found[1]} ended with exit code {found[2]}"
    if found := re.search(r"application called MPI_Abort\(.*?, (-?\d+)\) - process (\d+)", said):
        return f"rank {found[2]} called MPI_Abort with code {found[1]}"
    if found := re.search(
        r"An error occurred in (MPI_\w+).*?process \[\d+,(\d+)\].*?\*\*\* (MPI_ERR.*)", said, re.DOTALL
    ):
        return f"{found[1]} failed on rank {found[2]}: {found[3].splitlines()[0]}"
    if found := re.search(r"\(rank (\d+) in comm \d+\): Fatal error in (?:internal|PMPI)_(\w+): ([^,\n]*)", said):
        return f"MPI_{found[2]} failed on rank {found[1]}: {found[3]}"
    if found := re.search(r"TERMINATED WITH THE EXIT STRING: .*?\(signal (\d+)\)", said):
        if int(found[1]) == signal.SIGKILL:
            return "a rank ended without MPI_Finalize, and the launcher killed the others"
        return f"a rank was killed by {signal.Signals(int(found[1])).name}"
    return ""


def preflight() -> list[str]:
    """Return what is wrong with the course's MPI, each with the command that mends it; empty when all is well.

    Compiles a program with bare `mpicc`, runs it and mpi4py with bare `mpirun` on 2 ranks, and compares what they
    say of themselves: one MPI, and a world of size 2.
    """
    mpicc, mpirun = shutil.which("mpicc"), shutil.which("mpirun")
    missing = [name for name, path in (("mpicc", mpicc), ("mpirun", mpirun)) if not path]
    if missing or not mpicc or not mpirun:
        return [
            f"{' and '.join(missing)} not found: lessons that run MPI programs do not work.\n"
            "    sudo apt-get install --no-install-recommends openmpi-bin libopenmpi-dev"
        ]
    source = (
        "#include <mpi.h>\n#include <stdio.h>\n"
        "int main(int argc, char **argv) { char v[MPI_MAX_LIBRARY_VERSION_STRING]; int n, size, rank;\n"
        "  MPI_Init(&argc, &argv); MPI_Get_library_version(v, &n); MPI_Comm_size(MPI_COMM_WORLD, &size);\n"
        "  MPI_Comm_rank(MPI_COMM_WORLD, &rank); for (int i = 0; i < n; i++) if (v[i] == '\\n') v[i] = 0;\n"
        '  if (rank == 0) printf("%d %s\\n", size, v); return MPI_Finalize(); }\n'
    )
    script = (
        "from mpi4py import MPI; c = MPI.COMM_WORLD; v = MPI.Get_library_version().splitlines()[0].strip('\\0');"
        "c.rank == 0 and print(c.size, v)"
    )
    env = os.environ | environment()
    limits = proc.Limits(wall=60)
    problems = []
    said = {}
    with tempfile.TemporaryDirectory(prefix="rz-preflight-") as folder:
        program = Path(folder) / "world"
        program.with_suffix(".c").write_text(source)
        result = proc.run([mpicc, "-o", program, program.with_suffix(".c")], limits=limits, env=env)
        if not result.ok:
            return [f"{mpicc} cannot compile an MPI program: {result.describe()}\n{result.tail()}"]
        for what, argv in (("C", [program]), ("mpi4py", [sys.executable, "-c", script])):
            result = proc.run([mpirun, "-n", "2", *argv], limits=limits, env=env, cwd=folder)
            if not result.ok:
                problems.append(f"`mpirun -n 2` of a {what} program failed: {result.describe()}\n{result.tail()}")
                continue
            size, _, version = result.stdout.strip().partition(" ")
            said[what] = version
            if size != "2":
                problems.append(
                    f"`mpirun -n 2` made worlds of size {size} for {what}, not one of 2: {mpirun} belongs to another\n"
                    f"MPI than the program. PATH decides which is found first: {os.environ.get('PATH', '')}"
                )
    if len(set(said.values())) > 1:
        problems.append(
            f"mpicc and mpi4py use different MPIs: {json.dumps(said)}.\n"
            "    MPI4PY_MPIABI=openmpi or =mpich chooses the one for mpi4py. For MPICH it wants a libmpi.so.12: where\n"
            "    that has another name (Debian: libmpich.so.12), put a link called so on LD_LIBRARY_PATH"
        )
    return problems


def compile_c(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    mpi: Mpi | None = None,
    shared: bool = False,
    flags: tuple[str, ...] = ("-g", "-O2", "-Wall"),
) -> Path:
    """Compile one C file with `mpicc` and return the output's path; `shared` makes a library for the engines.

    Raises proc.CommandFailedError with the compiler's words, proc.ProcError when there is no mpicc.
    """
    mpicc = mpi.mpicc if mpi else "mpicc"
    argv = [mpicc, *flags, *(("-shared", "-fPIC") if shared else ()), "-o", output, source, "-lm"]
    proc.run(argv, check=True)
    return Path(output)
