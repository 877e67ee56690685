"""The course's ping-pong beside NetPIPE's, run by turns; and what the lesson on numbers is made of.

In each turn both tell the best mean of several series of round trips. The shortest of all turns are compared: on a
machine that others use as well, that is the time which is least theirs.
"""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rankzero import places, proc
from rankzero.mpi import toolchain
from rankzero.proofs import Proof, ProofError

SOURCES = "c_examples/mpi"
PROGRAMS = ("steady", "pingpong", "allreduce", "memory", "loggp")
NETPIPE = {"Open MPI": ("NPopenmpi", "netpipe-openmpi"), "MPICH": ("NPmpich2", "netpipe-mpich2")}
"""MPI: the command and Debian's package."""

TURNS = 40
WITHIN = {8: 0.15, 1 << 16: 0.15, 1 << 20: 0.30}
"""Bytes: how far the minima of both may be apart."""

REPEATS = {8: 500, 1 << 16: 100, 1 << 20: 20}
"""Bytes: round trips in one of NetPIPE's trials, of which it tells the best mean. Its clock counts microseconds."""

CURVE = tuple(str(1 << power) for power in range(23))
FITTED = tuple(str(bytes) for bytes in (1, 256, 512, 1024, 1536, 2048, 2560, 3072, 3584, 4000))
MEMORY = ("65536", "1048576", "4194304", "268435456")
CROWDS = (2, 4, 8)
"""Numbers of ranks: with more of them than cores they take turns."""

WITHOUT_CMA = ("--mca", "btl_vader_single_copy_mechanism", "none")
"""Open MPI's option for two copies through shared memory, instead of one from process to process."""

LIMITS = proc.Limits(wall=120)


def proofs() -> Iterator[Proof]:
    """Return one proof for each MPI."""
    inputs = (*(f"{SOURCES}/{name}.c" for name in PROGRAMS), f"{SOURCES}/check.h", "src/rankzero/proofs/numbers.py")
    for name in NETPIPE:
        yield Proof(
            f"numbers/{name.lower().replace(' ', '_')}",
            f"{name}: the course's ping-pong and NetPIPE find the same shortest times.",
            inputs,
            functools.partial(run, name),
            check,
        )


def run(name: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure. Raises ProofError where the MPI or its NetPIPE is missing."""
    command, package = NETPIPE[name]
    mpi, netpipe = toolchain.find(name), shutil.which(command)
    if mpi is None or netpipe is None:
        raise ProofError(f"this proof needs {name} and {command}:  sudo apt-get install {package}")
    with tempfile.TemporaryDirectory() as folder:
        return _measure(mpi, netpipe, Path(folder), say)


def _measure(mpi: toolchain.Mpi, netpipe: str, folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    for program in PROGRAMS:
        source = places.ROOT / SOURCES / f"{program}.c"
        toolchain.compile_c(source, folder / program, mpi=mpi, flags=("-std=c11", "-O2"))

    def launch(ranks: int, *words: str | Path) -> str:
        argv = [mpi.mpirun, "-n", str(ranks), *words]
        return proc.run(
            argv, cwd=folder, env={**os.environ, **toolchain.environment()}, limits=LIMITS, check=True
        ).stdout

    def table(ranks: int, *words: str | Path) -> list[list[float]]:
        lines = launch(ranks, *words).splitlines()
        return [[float(number) for number in line.split()] for line in lines if not line.startswith("#")]

    def piped(bytes: int, *options: str) -> float:
        size = str(bytes)
        launch(2, netpipe, "-l", size, "-u", size, "-p", "0", "-n", str(REPEATS[bytes]), "-o", "np.out", *options)
        return float((folder / "np.out").read_text().split()[2]) * 1e6

    ours: dict[str, list[float]] = {str(bytes): [] for bytes in WITHIN}
    theirs: dict[str, list[float]] = {str(bytes): [] for bytes in WITHIN}
    sums: list[float] = []
    both_ways: list[float] = []
    for turn in range(TURNS):
        say(f"turn {turn + 1} of {TURNS}")
        for bytes in WITHIN:
            ours[str(bytes)].append(table(2, folder / "steady", str(bytes))[0][1])
            theirs[str(bytes)].append(piped(bytes))
        sums.append(table(2, folder / "allreduce", "library", "8")[0][2])
        both_ways.append(piped(8, "-2"))
    say("curves, memory and the LogGP model")
    found: dict[str, Any] = {
        "version": mpi.version,
        "steady_us": ours,
        "netpipe_us": theirs,
        "allreduce_of_8_bytes_us": sums,
        "netpipe_both_ways_8_bytes_us": both_ways,
        "curve_us": {str(int(row[0])): row[1] for row in table(2, folder / "pingpong", *CURVE)},
        "loggp_us": table(2, folder / "loggp", *FITTED),
        "allreduce_by_ranks_us": {
            str(ranks): table(ranks, folder / "allreduce", "library", "8")[0][1:3] for ranks in CROWDS
        },
        "memory_MBps": {str(int(row[0])): row[1:] for row in table(1, folder / "memory", *MEMORY)},
    }
    if mpi.name == "Open MPI":
        rows = table(2, *WITHOUT_CMA, folder / "pingpong", *CURVE)
        found["without_cma_us"] = {str(int(row[0])): row[1] for row in rows}
    return found


def check(result: dict[str, Any]) -> list[str]:
    """Return the sizes at which the minima are too far apart."""
    found = []
    for bytes, within in WITHIN.items():
        ours, theirs = min(result["steady_us"][str(bytes)]), min(result["netpipe_us"][str(bytes)])
        if abs(ours / theirs - 1) > within:
            found.append(f"{bytes} B: {ours:.3f} us, NetPIPE {theirs:.3f} us: more than {within:.0%} apart")
    return found
