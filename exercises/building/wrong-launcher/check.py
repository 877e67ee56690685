"""Holds when run.sh builds pi and starts it as one world with as many ranks as asked for, and prints once."""

import math
from collections import Counter

from rankzero.exercises.kinds.build import Bench

WITNESS = "witness"


def check(bench: Bench) -> None:
    for program in ("mpicc.mpich", "mpirun.mpich", "mpicc.openmpi", "mpirun.openmpi"):
        bench.need(program)
    bench.file("run.sh")
    witness = bench.folder / WITNESS
    eye = bench.bring("witness.h").read_text(encoding="utf-8")
    source = bench.file("pi.c")
    source.write_text(f'#define WITNESS "{witness}"\n{eye}#line 1\n{source.read_text(encoding="utf-8")}')
    for ranks, strips in ((4, 50021), (3, 40009)):
        witness.write_text("")
        run = bench.run("bash", "run.sh", str(ranks), str(strips))
        judge_worlds(bench, ranks, Counter(witness.read_text().splitlines()))
        results = [line for line in run.lines if "pi =" in line]
        bench.expect("the number of results", yours=len(results), expected=1, hint="Only rank 0 prints; so can you.")
        bench.expect("the number of ranks that run.sh prints", yours=run.number("ranks"), expected=ranks)
        bench.near("pi", yours=run.number("pi"), expected=math.pi, within=1e-8)


def judge_worlds(bench: Bench, ranks: int, seen: Counter[str]) -> None:
    """Refuse unless `ranks` processes ran and were one world. seen: "RANK SIZE MPI" -> how many said so."""
    worlds = {(int(size), mpi) for _, size, mpi in (line.split(" ", 2) for line in seen)}
    total = seen.total()
    bench.require(
        total > 0,
        "run.sh does not run the program that pi.c makes",
        yours="no process called MPI_Init",
        expected=f"{ranks} ranks",
        hint="The script must build ./pi and start it with a launcher, mpirun.",
    )
    expected = f"ranks {', '.join(map(str, range(ranks)))} of {ranks}, one world"
    if total > 1 and {size for size, _ in worlds} == {1}:
        mpi = " and ".join(sorted(mpi for _, mpi in worlds))
        bench.refuse(
            f"{total} worlds of one rank ran beside each other, not one world of {ranks} ranks",
            yours=f"{total} times rank 0 of 1, with {mpi}'s library",
            expected=expected,
            hint=f"The program is linked with {mpi}'s library, and only {mpi}'s launcher can tell it that it is not "
            "alone. `ldd ./pi` shows the library, `--version` of the launcher whose it is. What is printed afterwards "
            "does not matter: every rank has done all of the work.",
        )
    said = ", ".join(f"rank {rank} of {size}" for rank, size in sorted(line.split()[:2] for line in seen.elements()))
    bench.expect(
        f"the world that `run.sh {ranks} …` starts",
        yours=said,
        expected=", ".join(f"rank {rank} of {ranks}" for rank in range(ranks)),
        hint="The first argument of run.sh says how many ranks the launcher starts.",
    )
