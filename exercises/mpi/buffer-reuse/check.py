"""Holds when each frame arrives as the detector gave it, and no buffer changes while a send is on its way from it."""

import re

from rankzero import sandbox
from rankzero.exercises import bench as bench_module
from rankzero.exercises import compiled
from rankzero.exercises.kinds.c import Bench

FLAGS = (*compiled.FLAGS, "-Wl,--wrap=free")
SHOWN = "mpicc -O2 -o frames frames.c detector.c …"
PIXELS = 20011  # 160 kB, more than any MPI sends eagerly
FAULTS = {
    "freed": (
        "rank 0 frees the buffer of a send that is on its way",
        "the buffer stays until MPI_Wait or its like has completed the send",
        "MPI_Isend copies nothing: MPI reads the buffer until the request is complete. Free it after that.",
    ),
    "changed after MPI_Test said no": (
        "rank 0 changes the buffer of a send that is on its way: MPI_Test had said that it is not complete",
        "the buffer stays as it is until its request is complete",
        "MPI_Test does not wait. Only where it sets its flag is the buffer yours again. MPI_Wait does wait.",
    ),
    "changed": (
        "rank 0 changes the buffer of a send that is on its way",
        "the buffer stays as it is until MPI_Wait or its like has completed the send",
        "MPI_Isend copies nothing: MPI may read the buffer until the request is complete. Which request must be "
        "complete before `read_frame` may write here? Wait for that one, before `read_frame`.",
    ),
    "given up": (
        "rank 0 gives a request up with MPI_Request_free",
        "MPI_Wait or its like completes each send",
        "After MPI_Request_free nobody can ask whether the send is complete, so the buffer can never be used again.",
    ),
    "never complete": (
        "rank 0 comes to MPI_Finalize with a send that it has not completed",
        "MPI_Wait or its like completes each send",
        "Each MPI_Isend gives you a request, and each request wants a MPI_Wait, MPI_Waitall or their like. After the "
        "loop, which are still open? An overwritten request can never be waited for.",
    ),
}


def check(bench: Bench) -> None:
    bench.bring("detector.c")
    for name in ("inflight.c", "inflight.h"):
        bench.bring(name)
    frames = bench.compile("frames.c", "detector.c", "inflight.c", flags=FLAGS, shown=SHOWN)
    for ranks, number in ((4, 8), (3, 1)):
        run = bench.mpirun(ranks, frames, str(number), str(PIXELS), ok=False)
        said = re.findall(r"^judge: rank \d+: ([^:]+): (.*)$", run.stderr, re.M)
        for fault, (what, expected, hint) in FAULTS.items():
            for place in (place for kind, place in said if kind == fault):
                bench.refuse(what, yours=place, expected=expected, hint=hint, output="")
        bench_module.refuse_ending(run, sandbox.LIMITS)
        yours = {int(k): float(value) for k, value in re.findall(r"^frame (\d+): sum = (\S+)$", run.stdout, re.M)}
        for k in range(number):
            bench.expect(
                f"the sum of frame {k} of {number} (on {ranks} ranks, with other frames than yours)",
                yours=yours.get(k, "none"),
                expected=float(total(k)),
                hint="To which rank does each frame go, with which tag, and from which buffer? A frame that is there "
                "twice has taken the place of another.",
            )
        bench.expect("the number of frames", yours=len(yours), expected=number)


def total(k: int) -> int:
    """Return the sum over the pixels of a frame of judge/detector.c."""
    return sum(100 * (k + 1) * (k + 3) + (p % 7) * (k + 1) for p in range(PIXELS))
