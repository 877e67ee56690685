"""One look for every picture: readable in light and dark, in print, and without telling red from green."""

from __future__ import annotations

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette, without black and yellow; https://jfly.uni-koeln.de/color/
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
INK = "#777777"
"""Text and axes: 4.5 to 1 on white and 4.0 to 1 on the book's dark page, so one picture serves both."""


def rank_colour(rank: int) -> str:
    """Return a rank's colour; it keeps it through a whole lesson."""
    return PALETTE[rank % len(PALETTE)]


def use() -> None:
    """Make this the style of every figure from here on."""
    mpl.rcParams.update(
        {
            "figure.figsize": (7.0, 3.2),
            "figure.facecolor": "none",
            "axes.facecolor": "none",
            "savefig.facecolor": "none",
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "axes.titlecolor": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "text.color": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": mpl.cycler(color=PALETTE),
            "font.size": 11,
            "svg.fonttype": "path",
            "svg.hashsalt": "rank-zero",  # the same picture gives the same file
        }
    )


def figure(width: float = 7.0, height: float = 3.2) -> tuple[Figure, Axes]:
    """Return a figure of that size in inches, which no notebook shows by itself, and its axes."""
    made = Figure(figsize=(width, height), layout="constrained")
    return made, made.subplots()
