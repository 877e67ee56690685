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
    line: Mapping[str, Sequence[float]] | None = None,
    logarithmic: bool = False,
    marks: Mapping[str, float] | None = None,
) -> Picture:
    """Draw measured series as points, all over the same x; labels carry the units.

    `line`: what they are compared with, as thin lines without points.
    `marks`: points of interest on the x axis, label -> x, as upright dashed lines.
    Raises ValueError when a series has another length than x.
    """
    figure, axes = style.figure()
    for (name, y), marker in zip(series.items(), "osD^v*", strict=False):
        if len(y) != len(x):
            raise ValueError(f"{name} has {len(y)} points, x has {len(x)}")
        axes.plot(x, y, marker=marker, linestyle="none" if line else "-", label=name)
    for name, y in (line or {}).items():
        axes.plot(x, y, color=style.INK, linewidth=1, zorder=1, label=name)
    if logarithmic:
        axes.set_xscale("log")
        axes.set_yscale("log")
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(visible=True, color=style.INK, alpha=0.25, linewidth=0.5)
    for label, at in (marks or {}).items():
        axes.axvline(at, color=style.INK, linewidth=1, linestyle="--", zorder=1)
        top = axes.get_xaxis_transform()  # x in data, y in the height of the picture
        axes.text(at, 1.01, label, transform=top, ha="center", va="bottom", fontsize=10)
    if len(series) + len(line or {}) > 1:
        axes.legend(frameon=False)
    return Picture(figure, alt)
