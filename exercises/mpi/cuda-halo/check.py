"""Holds when the kernel computes every cell of a torus of any shape, on the GPU or its simulator, as NumPy does."""

import json

from rankzero.exercises.kinds.cuda import Bench

GUARD = (
    "A block has more threads than there are cells at the edge. Every thread that reads or writes a field must first "
    "be asked whether its cell is there, in both directions."
)


def check(bench: Bench) -> None:
    bench.bring("judged.py")
    run = bench.python("judged.py", ok=False, wall=60.0)
    lines = run.lines
    if run.returncode or not lines or not lines[-1].startswith("["):
        error = next((line for line in reversed(run.output.splitlines()) if "Error" in line), run.output[-300:])
        bench.refuse(
            "the kernel does not come to its end",
            yours=error.strip(),
            expected="no error, for fields of any shape",
            hint=GUARD if "IndexError" in error or "out of bounds" in error else "Run `demo.py`: it shows the line.",
            output="",
        )
    for told in json.loads(lines[-1]):
        rows, columns = told["case"]
        where = f"a field of {rows} x {columns} cells, blocks of 8 x 8 threads"
        bench.last = None
        bench.require(
            told["launches"],
            "`step` does not launch the kernel `heat`",
            yours="no launch",
            expected="heat[blocks, threads](…)",
            hint="What NumPy computes on the host is no help on a GPU: the kernel must do it.",
        )
        bench.expect("the shape of the field that `step` returns", yours=told["shape"], expected=[rows, columns])
        if "wanted" not in told:
            continue
        bench.refuse(
            f"the field after a step is not right ({where})",
            yours=f"the first wrong cell is in row {told['row']}, column {told['column']}",
            expected=f"{told['wanted']:.6f} there",
            hint=hint(told),
        )


def hint(told: dict) -> str:
    """Return the next step for the first wrong cell."""
    rows, columns = told["case"]
    if rows % 8 == 0 and columns % 8 == 0:
        return (
            "This field fills its blocks. For a cell at each edge of a block, write down who loads its four neighbours "
            "into the tile, from which cell of the field, and whether that is done before the tile is read."
        )
    return (
        "The last block has more threads than cells. Which thread loads the halo behind the last row and the last "
        "column of the field? The last thread of the block does not, where it has no cell. And does every cell have a "
        "thread?"
    )
