"""A figure with its alternative text, shown as SVG in a notebook and on a page."""

from __future__ import annotations

import io
import re
from html import escape

from matplotlib.figure import Figure


class Picture:
    """A picture that says in words what there is to see, for those who do not see it.

    In a notebook, the last line of a cell shows it. `alt` is a sentence or two: what the picture answers.
    """

    def __init__(self, figure: Figure, alt: str) -> None:
        self.figure = figure
        self.alt = alt

    def __repr__(self) -> str:
        return self.alt

    def svg(self) -> str:
        """Return the picture as one SVG element with role and label, the same text for the same data."""
        buffer = io.StringIO()
        self.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        text = buffer.getvalue()
        text = text[text.index("<svg") :]
        text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
        label = f'<svg role="img" aria-label="{escape(self.alt, quote=True)}" style="max-width:100%;height:auto"'
        return label + text.removeprefix("<svg").rstrip()

    def _repr_html_(self) -> str:
        return self.svg()
