"""Holds when rows and columns of ranks add up in order, on grids that are no squares, and nothing is left over."""

from collections.abc import Callable

from rankzero.exercises.kinds.c import Bench

Where = Callable[[int], tuple[int, int]]


def check(bench: Bench) -> None:
    bench.bring("count.c")
    drift = bench.compile("drift.c", "count.c")
    for rows, columns, steps in ((2, 3, 3), (3, 1, 4)):
        run = bench.mpirun(rows * columns, drift, str(rows), str(columns), str(steps))
        case = f"{rows} x {columns} cells, {steps} steps"
        made, freed = map(int, run.search(r"^communicators: (\d+) made, (\d+) freed", "its communicators").groups())
        found = [line.split() for line in run.lines if not line.startswith("communicators:")]
        expected = table(rows, columns, steps)
        if found != expected:
            bench.refuse(
                f"the snow ({case}) is not right",
                yours="\n".join(" ".join(row) for row in found),
                expected="\n".join(" ".join(row) for row in expected),
                hint=hint(found, rows, columns, steps),
                output="",
            )
        if made != freed:
            bench.refuse(
                f"communicators are left over ({case})",
                yours=f"{made} made, {freed} freed, on rank 0",
                expected="as many freed as made",
                hint="An MPI has a few thousand communicators at a time, and a long run makes two in every step. "
                "`MPI_Comm_free` gives one back; to forget the variable does not. Or make them once, before the loop.",
                output="",
            )


def hint(found: list[list[str]], rows: int, columns: int, steps: int) -> str:
    """Return the next step, from the snow that came out."""
    known = {
        "A rank's row and column do not follow from its number as they should. How many ranks stand in a row of the "
        "grid, the number of rows or the number of columns?": {"row": lambda rank: (rank // rows, rank % columns)},
        "The ranks are numbered row by row: the first three of a grid with 3 columns are the northern row. Here, they "
        "are taken for a column.": {"row": lambda rank: (rank % rows, rank // rows)},
        "The sums of the columns begin in the north. The key gives the order in the new communicator: the lowest key "
        "comes first.": {"south": False},
        "The sums of the rows begin in the east. The key gives the order in the new communicator: the lowest key "
        "comes first.": {"west": False},
        "Rows and columns are mixed up. Ranks with the same *colour* come together: what have all ranks of a row in "
        "common?": {"swapped": True},
    }
    for text, change in known.items():
        if found == table(rows, columns, steps, **change):
            return text
    if found == table(rows, columns, steps, row=lambda rank: (rank // rows, rank % columns), south=False):
        return (
            "Row, and with it the colour, is right on squares only: how many ranks stand in a row? And the sums of the "
            "columns begin in the north: the lowest key comes first."
        )
    return (
        "Ranks with the same *colour* come together in one communicator, and the key orders them there: the lowest "
        "comes first. Let each rank print row, column, and its rank in both communicators."
    )


def table(
    rows: int,
    columns: int,
    steps: int,
    row: Where | None = None,
    south: bool = True,
    west: bool = True,
    swapped: bool = False,
) -> list[list[str]]:
    """Return the snow; row: row and column of a rank, south, west: whether sums begin there."""
    ranks = range(rows * columns)
    places = [row(rank) if row else divmod(rank, columns) for rank in ranks]
    snow = [10 + rank * rank for rank in ranks]

    def before(one: int, other: int, begin: bool) -> bool:
        return one <= other if begin else one >= other

    for _ in range(steps):
        west_sums, south_sums = [], []
        for i, j in places:
            west_sums.append(
                sum(snow[r] for r in ranks if places[r][0] == i and before(places[r][1], j, west)),
            )
            south_sums.append(
                sum(snow[r] for r in ranks if places[r][1] == j and before(places[r][0], i, not south)),
            )
        if swapped:
            west_sums, south_sums = south_sums, west_sums
        snow = [(snow[r] + 2 * west_sums[r] + 3 * south_sums[r]) % 1000 for r in ranks]
    return [[str(one) for one in snow[i * columns : (i + 1) * columns]] for i in range(rows)]
