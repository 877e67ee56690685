"""Holds when the picture is that of the serial computation, pixel by pixel, also with one row for a rank."""

from rankzero.exercises.kinds.c import Bench

Picture = list[list[int]]


def check(bench: Bench) -> None:
    soften = bench.compile("soften.c")
    for ranks, rows, columns, steps in ((3, 11, 7, 1), (4, 6, 5, 6)):
        run = bench.mpirun(ranks, soften, str(rows), str(columns), str(steps))
        case = f"{rows} x {columns}, {steps} step{'s' * (steps > 1)}, {ranks} ranks"
        expected = serial(rows, columns, steps)
        bench.expect(f"the number of rows of the picture ({case})", yours=len(run.lines), expected=rows)
        wrong = [i for i in range(rows) if run.lines[i].split() != [str(grey) for grey in expected[i]]]
        if not wrong:
            continue
        first = {rows * rank // ranks for rank in range(ranks)}
        last = {rows * (rank + 1) // ranks - 1 for rank in range(ranks)}
        blocks = ", ".join(f"{begin} to {end}" for begin, end in zip(sorted(first), sorted(last), strict=True))
        i = wrong[0]
        bench.refuse(
            f"the picture ({case}) is not right in row{'s' * (len(wrong) > 1)} {', '.join(map(str, wrong))}",
            yours=f"row {i}: {run.lines[i]}",
            expected=f"row {i}: {' '.join(map(str, expected[i]))}",
            hint=hint(set(wrong), first, last, rows, steps) + f" The ranks' blocks are rows {blocks}.",
            output="",
        )


def hint(wrong: set[int], first: set[int], last: set[int], rows: int, steps: int) -> str:
    """Return the next step, from the rows that are wrong."""
    if steps > 1:
        return "After one step all is right, after more it is not. How old is what the halo holds in the second step?"
    if wrong & {0, rows - 1} and wrong - {0, rows - 1}:
        return (
            "Rows at the edge of the picture are wrong as well, although no neighbour's row belongs beside them. Is "
            "the halo of the right array filled before it is used, and does each row go to the right side?"
        )
    if wrong & {0, rows - 1}:
        return (
            "The first and the last row of the picture have no neighbour beyond the edge. What should their halo hold?"
        )
    if wrong <= first:
        return (
            "Only first rows of blocks are wrong: what they get from above. Which row does the rank above send, an own "
            "one, or one that it has only a copy of?"
        )
    if wrong <= last:
        return (
            "Only last rows of blocks are wrong: what they get from below. Which row does the rank below send, an own "
            "one, or one that it has only a copy of?"
        )
    if wrong <= first | last:
        return (
            "Only first and last rows of blocks are wrong. A rank owns rows 1 to `rows` of its block; 0 and `rows + 1` "
            "are its halo. Write down for each direction: whose row is sent, and where must it go?"
        )
    return (
        "In one step, only first and last rows of a block depend on neighbours, and others are wrong too. Does a row "
        "that comes in overwrite one of the rank's own?"
    )


def serial(rows: int, columns: int, steps: int) -> Picture:
    """Return the softened picture."""
    grey = [[(i * i * 31 + j * 17 + i * j * 7) % 256 for j in range(columns)] for i in range(rows)]
    for _ in range(steps):
        grey = [
            [
                (
                    4 * grey[i][j]
                    + grey[max(i - 1, 0)][j]
                    + grey[min(i + 1, rows - 1)][j]
                    + grey[i][max(j - 1, 0)]
                    + grey[i][min(j + 1, columns - 1)]
                )
                // 8
                for j in range(columns)
            ]
            for i in range(rows)
        ]
    return grey
