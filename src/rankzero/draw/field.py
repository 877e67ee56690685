"""A field on a plate, and which rank holds which part of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike

from rankzero.draw import style
from rankzero.draw.picture import Picture

MAP = "inferno"
"""Even in lightness from dark to light: equal steps look equal, also in grey."""
_SHADOW = [withStroke(linewidth=2.5, foreground="black")]


def field(
    values: ArrayLike,
    blocks: Mapping[int, tuple[slice, slice]] | None = None,
    *,
    label: str = "temperature (°C)",
    low: float | None = None,
    high: float | None = None,
) -> Picture:
    """Draw a field, shape (rows, columns), row 0 on top, with the border of each rank's block and its number.

    blocks: rank -> (its rows, its columns), such as `{0: np.s_[0:50, 0:100]}`. label: of the scale, with the unit.
    low, high: ends of the scale, those of the field by default; several pictures are comparable with the same ones.
    Raises ValueError when the field is not two-dimensional, not finite, or a block is outside.
    """
    array = np.asarray(values, dtype=float)
    if array.ndim != 2 or not array.size:
        raise ValueError(f"a field has rows and columns; this has the shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("the field has values that are not finite")
    rows, columns = array.shape
    low, high = float(array.min()) if low is None else low, float(array.max()) if high is None else high
    width = 6.0
    figure, axes = style.figure(width, min(6.0, 0.7 + (width - 1.6) * rows / columns))
    image = axes.imshow(
        _small(array), cmap=MAP, vmin=low, vmax=high, extent=(0, columns, rows, 0), interpolation="nearest"
    )
    bar = figure.colorbar(image, label=label)
    bar.outline.set_visible(False)
    for rank, (of_rows, of_columns) in sorted((blocks or {}).items()):
        top, bottom, step = of_rows.indices(rows)
        left, right, across = of_columns.indices(columns)
        if not (top < bottom and left < right and step == across == 1):
            raise ValueError(f"the block of rank {rank} holds nothing of a field of {rows} x {columns}")
        box = Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor="white", linewidth=1.2)
        box.set_path_effects(_SHADOW)
        axes.add_patch(box)
        middle = ((left + right) / 2, (top + bottom) / 2)
        text = axes.text(*middle, str(rank), color="white", ha="center", va="center", fontsize=12)
        text.set_path_effects(_SHADOW)
    axes.set_xlabel("column")
    axes.set_ylabel("row")
    for spine in axes.spines.values():
        spine.set_visible(True)
    return Picture(figure, _alt(array, blocks or {}, label))


def _small(array: np.ndarray) -> np.ndarray:
    """Leave points out where there are more than a picture has room for: it is stored in the page."""
    step = max(1, -(-max(array.shape) // 400))
    return array[::step, ::step]


def _alt(array: np.ndarray, blocks: Mapping[int, tuple[slice, slice]], label: str) -> str:
    rows, columns = array.shape
    hot = np.unravel_index(int(array.argmax()), array.shape)
    cold = np.unravel_index(int(array.argmin()), array.shape)
    said = (
        f"A field of {rows} rows and {columns} columns, {label}: highest {array.max():.3g} at row {hot[0]}, column "
        f"{hot[1]}; lowest {array.min():.3g} at row {cold[0]}, column {cold[1]}."
    )
    if not blocks:
        return said
    shapes = {rank: array[block].shape for rank, block in blocks.items()}
    sizes = sorted(set(shapes.values()))
    held = " or ".join(f"{height} x {width}" for height, width in sizes)
    hottest = max(blocks, key=lambda rank: float(array[blocks[rank]].mean()))
    return f"{said} {len(blocks)} ranks hold {held} points each; those of rank {hottest} are hottest on average."
