"""Lying bars, one a thing, each made of parts: how much of it is what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rankzero.draw import style
from rankzero.draw.picture import Picture


def bars(names: Sequence[str], parts: Mapping[str, Sequence[float]], *, xlabel: str, alt: str) -> Picture:
    """Draw one bar for each name, from above, made of its parts one after another; the label carries the unit.

    Raises ValueError when a part has another length than names, or when there are more parts than colours.
    """
    if len(parts) > len(style.PALETTE):
        raise ValueError(f"{len(parts)} parts, and colours for {len(style.PALETTE)}")
    figure, axes = style.figure(7.0, 0.45 * len(names) + 1.2)
    left = [0.0] * len(names)
    for (part, values), colour in zip(parts.items(), style.PALETTE, strict=False):
        if len(values) != len(names):
            raise ValueError(f"{part} has {len(values)} values, there are {len(names)} bars")
        axes.barh(names, values, left=left, height=0.6, color=colour, label=part)
        left = [before + value for before, value in zip(left, values, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel(xlabel)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    if len(parts) > 1:
        axes.legend(frameon=False, ncols=len(parts), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return Picture(figure, alt)
