"""Where ranks may run: a line for each rank, a square for each core, filled where the rank is let in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rankzero.draw import style
from rankzero.draw.picture import Picture


def binding(
    launches: Mapping[str, Sequence[Collection[int]]], *, cores: int | None = None, sockets: int = 1
) -> Picture:
    """Draw, for each launch, the cores that its ranks may run on, in the colour of the rank.

    launches: label -> for each rank, the numbers of its cores, from 0. cores: how many a node has, by default as many
    as are named; sockets: in how many equal parts they lie, with a line between.
    Raises ValueError when there is nothing to draw, or a core that the node does not have.
    """
    named = [core for ranks in launches.values() for allowed in ranks for core in allowed]
    if not named:
        raise ValueError("no rank has a core: there is nothing to draw")
    count = max(named) + 1 if cores is None else cores
    if min(named) < 0 or max(named) >= count:
        raise ValueError(f"core {max(named)} on a node with {count} cores")
    most = max(map(len, launches.values()))
    figure = Figure(figsize=(7.0, 0.28 * most + 1.2), layout="constrained")
    for axes, (label, ranks) in zip(figure.subplots(1, len(launches), squeeze=False)[0], launches.items(), strict=True):
        for rank, allowed in enumerate(ranks):
            for core in range(count):
                colour = style.rank_colour(rank) if core in allowed else "none"
                square = Rectangle((core - 0.4, rank - 0.4), 0.8, 0.8, facecolor=colour, edgecolor=style.INK)
                square.set_linewidth(0.5)
                axes.add_patch(square)
        for socket in range(1, sockets):
            axes.axvline(socket * count / sockets - 0.5, color=style.INK, linewidth=1.2)
        axes.set_xlim(-0.6, count - 0.4)
        axes.set_ylim(most - 0.4, -0.6)
        axes.set_xticks(range(count))
        axes.set_yticks(range(len(ranks)), [str(rank) for rank in range(len(ranks))])
        axes.tick_params(length=0)
        axes.set_title(label, fontsize=11)
        axes.set_xlabel("core")
        for spine in axes.spines.values():
            spine.set_visible(False)
    figure.axes[0].set_ylabel("rank")
    return Picture(figure, " ".join(_alt(label, ranks) for label, ranks in launches.items()))


def _alt(label: str, ranks: Sequence[Collection[int]]) -> str:
    places = [f"rank {rank} {_cores(sorted(allowed))}" for rank, allowed in enumerate(ranks)]
    return f"{label}: {', '.join(places)}."


def _cores(allowed: Sequence[int]) -> str:
    if not allowed:
        return "on no core"
    if len(allowed) > 2 and list(allowed) == list(range(allowed[0], allowed[-1] + 1)):
        return f"on cores {allowed[0]} to {allowed[-1]}"
    return f"on core{'s' if len(allowed) > 1 else ''} {' and '.join(map(str, allowed))}"
