"""Holds when the file of all ranks has every byte of the matrix where it belongs, for shapes of the check."""

import struct

from rankzero import sandbox
from rankzero.exercises import bench as bench_module
from rankzero.exercises.kinds.c import Bench

HEADER, MAGIC, DOUBLE = 24, 1995, 8
FILE = "out.bin"
HINTS = {
    "other": "Which row and column does `yours` belong to, and which place of the file did it go to? In C's order the "
    "last index changes fastest: the file has `rows` rows of `columns` numbers, and a rank's part of each row is "
    "`mine` numbers from number `first` on. Does the type say so, in this order, and in numbers?",
    "shifted": "The matrix begins at another byte. The displacement of a view counts bytes, whatever the types are: "
    "here it is the length of the header.",
    "hole": "Nobody has written there, or what was written was overwritten. Each rank writes all its numbers, `rows` "
    "times `mine`, each to a place of its own.",
}


def check(bench: Bench) -> None:
    field = bench.compile("field.c")
    for ranks, rows, columns in ((4, 3, 10), (3, 7, 5), (1, 2, 3)):
        path = bench.folder / FILE
        path.write_bytes(b"\xff" * 1000)  # an older file, and a longer one
        where = f"{rows} rows, {columns} columns on {ranks} rank{'s' * (ranks > 1)}"
        run = bench.mpirun(ranks, field, FILE, str(rows), str(columns), ok=False)
        if "An error occurred in MPI_Type_create_subarray" in run.output:
            bench.refuse(
                f"MPI_Type_create_subarray refuses its arguments ({where})",
                yours="MPI_ERR_ARG, on one rank at least",
                expected="start + size of the part, at most the size of the whole, in each dimension",
                hint="Print the three lists on each rank. The columns of a rank begin at `first`, and there are "
                "`mine` of them; its rows begin at 0, and all ranks have all `rows`. `first` is not always rank "
                "times `mine`.",
                output="",
            )
        bench_module.refuse_ending(run, sandbox.LIMITS)
        bench.file(FILE)
        judge(bench, path.read_bytes(), rows, columns, where)


def judge(bench: Bench, data: bytes, rows: int, columns: int, where: str) -> None:
    """Refuse the bytes of a file that are not those of a matrix."""
    header = struct.unpack("3q", data[:HEADER].ljust(HEADER, b"\0"))
    bench.expect(
        f"the header of the file ({where})",
        yours=header,
        expected=(MAGIC, rows, columns),
        hint="The first 24 bytes are three 8-byte integers: the magic number, the rows, the columns. Nothing else may "
        "be written there.",
    )
    wanted = [1000.0 * i + j for i in range(rows) for j in range(columns)]
    body = data[HEADER : HEADER + DOUBLE * len(wanted)]
    yours = struct.unpack(f"{len(body) // DOUBLE}d", body[: len(body) // DOUBLE * DOUBLE])
    for place, value in enumerate(wanted):
        found = yours[place] if place < len(yours) else None
        if found == value:
            continue
        hole = found is None or (found == 0 and place)
        shifted = next((by for by in range(1, 64) if is_shifted(data, wanted, by)), 0)
        bench.refuse(
            f"the file has not the matrix in it ({where})",
            yours=f"row {place // columns}, column {place % columns} holds {said(found, rows, columns)}"
            + (f"; the matrix begins at byte {HEADER + DOUBLE * shifted}" if shifted else ""),
            expected=f"{value:g} there, at byte {HEADER + DOUBLE * place}",
            hint=HINTS["shifted" if shifted else "hole" if hole else "other"],
        )
    bench.expect(
        f"the length of the file ({where})",
        yours=f"{len(data)} bytes",
        expected=f"{HEADER + DOUBLE * len(wanted)} bytes",
        hint="What stands behind the matrix? An older file may be longer, and a view that begins too late, or a block "
        "that is too long, writes beyond the end.",
    )


def is_shifted(data: bytes, wanted: list[float], by: int) -> bool:
    """Whether the whole matrix stands some numbers further on."""
    return data[HEADER + DOUBLE * by :].startswith(struct.pack(f"{len(wanted)}d", *wanted))


def said(value: float | None, rows: int, columns: int) -> str:
    """Return a number of the file in words."""
    if value is None:
        return "nothing: the file ends before"
    row, column = divmod(value, 1000)
    if column == int(column) and 0 <= row < rows and 0 <= column < columns:
        return f"{value:g}, of row {row:g}, column {column:g}"
    return f"{value:g}, which is nowhere in the matrix"
