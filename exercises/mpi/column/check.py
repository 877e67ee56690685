"""Holds when each rank gets whole columns of a table that is no square, and rank 0 puts them back where they were."""

from rankzero.exercises import bench as bench_module
from rankzero.exercises.compiled import FLAGS
from rankzero.exercises.kinds.c import Bench

INT = 4
Table = list[list[int]]


def check(bench: Bench) -> None:
    bench.bring("room.h")
    # Room around the arrays: whoever goes beyond one does the same every time.
    rain = bench.compile("rain.c", flags=(*FLAGS, "-include", "room.h"))
    for ranks, hours, stations in ((4, 5, 8), (3, 7, 6)):
        case = f"{hours} hours, {stations} stations, {ranks} ranks"
        try:
            run = bench.mpirun(ranks, rain, str(hours), str(stations))
        except bench_module.RefusedError as err:
            if "SIG" in err.what or "MPI_ERR_TYPE" in err.what:
                err.hint = "Is each type that you have made committed, with `MPI_Type_commit`, before it is used? And "
                err.hint += "what does it say of where the values lie: number of blocks, length of a block, stride?"
            elif "TRUNCATE" in err.what or "exit code 15" in err.what:  # what mpirun says of it is cut off now and then
                err.what, err.yours = f"a message was longer than its receive ({case})", "MPI_ERR_TRUNCATE"
                err.output = ""
                err.hint = "More values are sent than are expected. A column has as many values as there are hours, "
                err.hint += "and between two of them lie as many ints as there are stations."
            raise
        beyond = {int(line.split()[-2]) for line in run.lines if line.startswith("room:")}
        rows = [line.split() for line in run.lines if not line.startswith("room:")]
        table = [[rain_at(hour, station) for station in range(stations)] for hour in range(hours)]
        right = summed(table)
        if beyond:
            bench.refuse(
                f"the program writes beyond {'the table' if hours * stations * INT in beyond else 'an array'} ({case})",
                yours=f"beyond an array of {' and one of '.join(map(str, sorted(beyond)))} bytes",
                expected=f"only into the table ({hours * stations * INT} bytes) and the part of a rank "
                f"({hours * stations // ranks * INT} bytes)",
                hint="A type describes the memory of the rank that uses it. In the table, a column is one int in each "
                "row; in `part`, it is a number of ints, one after the other."
                if hours * stations // ranks * INT in beyond
                else "Of several columns, MPI takes the next one an *extent* further on. By itself that is from the "
                "first value to the last one, nearly the whole table. What must it be, in bytes?",
                output="",
            )
        if rows == [[str(one) for one in row] for row in right]:
            continue
        place = next(
            (
                (hour, station)
                for hour in range(hours)
                for station in range(stations)
                if rows[hour : hour + 1] == [] or rows[hour][station : station + 1] != [str(right[hour][station])]
            ),
            (hours, 0),
        )
        bench.refuse(
            f"the table ({case}) is not right in row {place[0]}, column {place[1]}",
            yours=" ".join(rows[place[0]]) if place[0] < len(rows) else "(no such row)",
            expected=" ".join(map(str, right[place[0]])) if place[0] < hours else "(no such row)",
            hint=hint(rows, table, ranks),
        )


def hint(rows: list[list[str]], table: Table, ranks: int) -> str:
    """Return the next step, from the table that came out."""
    hours, stations = len(table), len(table[0])
    mine = stations // ranks
    flat = [one for row in table for one in row]
    columns = [table[hour][station] for station in range(stations) for hour in range(hours)]
    blocks = [table[h][r * mine + c] for r in range(ranks) for h in range(hours) for c in range(mine)]
    found = [int(one) for row in rows for one in row if one.lstrip("-").isdigit()]
    if found == running(flat, hours):
        return (
            "The values that one rank gets lie side by side in the table: a piece of its rows. The values of a column "
            "lie a whole row apart. Describe them to MPI with a type of your own."
        )
    if found == running(columns, hours):
        return (
            "The columns are dealt out as they should be. Now `collect` puts them into the table one after the "
            "other; there, too, a column has one value in each row."
        )
    if found == [running(blocks, hours)[i] for i in where(hours, stations, mine)]:
        return (
            "Each rank gets the values of its own columns, but hour by hour, all of its columns in turn. In `part`, "
            "one column must follow the other: let the type be that of one column, and deal out `mine` of them."
        )
    return (
        "Of several columns, MPI takes the next one an *extent* further on, and the extent is given in bytes: how far "
        "is it from a column to the next one?"
    )


def where(hours: int, stations: int, mine: int) -> list[int]:
    """Return, for each cell of the table in its order, its place among the ranks' parts that are dealt hour by hour."""
    return [
        (station // mine * hours + hour) * mine + station % mine for hour in range(hours) for station in range(stations)
    ]


def running(values: list[int], hours: int) -> list[int]:
    """Return running sums over each stretch of so many values."""
    sums: list[int] = []
    for i, value in enumerate(values):
        sums.append(value + (sums[-1] if i % hours else 0))
    return sums


def summed(table: Table) -> Table:
    """Return the running sums down each column."""
    return [
        [sum(row[station] for row in table[: hour + 1]) for station in range(len(table[0]))]
        for hour in range(len(table))
    ]


def rain_at(hour: int, station: int) -> int:
    """Return a measurement, as rain.c makes it up."""
    return (hour * hour * 5 + station * 11 + hour * station * 3) % 10
