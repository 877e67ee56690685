"""Curves of measured points, on logarithmic axes where a power law is the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rankzero.draw import style
from rankzero.draw.picture import Picture


def curves(
    x: Sequence[float],
    series: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    ylabel: str,
    alt: str,
    logarithmic: bool = False,
) -> Picture:
    """Draw one line with markers for each series, all over the same x; labels carry the units.

    Raises ValueError when a series has another length than x.
    """
    figure, axes = style.figure()
    for (name, y), marker in zip(series.items(), "osD^v*", strict=False):
        if len(y) != len(x):
            raise ValueError(f"{name} has {len(y)} points, x has {len(x)}")
        axes.plot(x, y, marker=marker, label=name)
    if logarithmic:
        axes.set_xscale("log")
        axes.set_yscale("log")
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(visible=True, color=style.INK, alpha=0.25, linewidth=0.5)
    if len(series) > 1:
        axes.legend(frameon=False)
    return Picture(figure, alt)
