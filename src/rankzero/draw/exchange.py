"""Who exchanges with whom: a square for each pair of ranks, the darker the more."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib import colors
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator

from rankzero.draw import style
from rankzero.draw.picture import Picture

NUMBERS = 12
"""Ranks up to which the numbers stand in the squares."""
# The palette's blues, ever darker, so that it prints in grey, and both ends stand out from a white and a dark page.
_MAP = LinearSegmentedColormap.from_list("exchange", ["#e8f1f8", "#56B4E9", "#0072B2", "#0a4f7d"])
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


def exchange(matrix: Sequence[Sequence[int]], what: str = "bytes") -> Picture:
    """Draw what each rank (row) sends to each other (column), as `Trace.traffic` has it; nothing is blank.

    what: the unit, "bytes" or "messages". Raises ValueError when the matrix is not square, or empty.
    """
    ranks = len(matrix)
    if not ranks or any(len(row) != ranks for row in matrix):
        raise ValueError("the matrix has not as many columns as rows, or none")
    highest = max(max(row) for row in matrix)
    factor, prefix = next(((size, name) for size, name in _PREFIXES if highest >= size), (1.0, ""))
    unit = what if not prefix else f"{prefix}B" if what == "bytes" else f"{round(factor)} {what}"
    values = [[value / factor if value else float("nan") for value in row] for row in matrix]
    side = min(6.0, 1.6 + 0.5 * ranks)
    figure, axes = style.figure(side + 1.0, side)
    scale = colors.Normalize(0, highest / factor or 1.0)
    image = axes.imshow(values, cmap=_MAP, norm=scale, interpolation="nearest")
    bar = figure.colorbar(image, label=f"sent ({unit})", shrink=0.9, ticks=MaxNLocator(5, integer=factor == 1.0))
    bar.outline.set_visible(False)
    if ranks <= NUMBERS:
        for source, row in enumerate(values):
            for destination, value in enumerate(row):
                if matrix[source][destination]:
                    ink = "white" if scale(value) > 0.45 else "black"
                    text = f"{value:.3g}"
                    axes.text(destination, source, text, ha="center", va="center", color=ink, fontsize=9)
        axes.set_xticks(range(ranks))
        axes.set_yticks(range(ranks))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("to rank")
    axes.set_ylabel("from rank")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(True)
    return Picture(figure, _alt(matrix, what))


def _alt(matrix: Sequence[Sequence[int]], what: str) -> str:
    pairs = {(i, j): value for i, row in enumerate(matrix) for j, value in enumerate(row) if value}
    ranks = len(matrix)
    if not pairs:
        return f"No {what} are exchanged between the {ranks} ranks."
    (source, destination), most = max(pairs.items(), key=lambda pair: pair[1])
    both = all((destination, source) in pairs for source, destination in pairs)
    distances = sorted({abs(i - j) for i, j in pairs})
    said = [f"{len(pairs)} of {ranks * ranks} pairs of ranks exchange something, {sum(pairs.values())} {what} in all."]
    said.append(f"Most goes from rank {source} to rank {destination}: {most} {what}.")
    said.append("Whoever sends to another also receives from it." if both else "Not all that is sent goes both ways.")
    if len(distances) <= 3:
        said.append(f"Partners are {' or '.join(map(str, distances))} apart in rank.")
    return " ".join(said)
