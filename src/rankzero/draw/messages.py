"""Messages over time: one line a rank, one arrow a message, from where it was sent to where it arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rankzero.draw import style
from rankzero.draw.picture import Picture


@dataclass(frozen=True, order=True)
class Message:
    """A message between two ranks. `sent` is when the send began, `received` when the receive was done, in seconds."""

    sent: float
    received: float
    source: int
    destination: int


def messages(events: Sequence[Message], ranks: int) -> Picture:
    """Draw messages over time, in microseconds since the first was sent, each in its sender's colour.

    Raises ValueError when there are no messages.
    """
    if not events:
        raise ValueError("no messages to draw: `events` is empty")
    ordered = sorted(events)
    start = ordered[0].sent
    figure, axes = style.figure(7.0, 0.55 * ranks + 1.0)
    for rank in range(ranks):
        axes.axhline(rank, color=style.INK, linewidth=0.8, alpha=0.5)
    for event in ordered:
        begin, end = (event.sent - start) * 1e6, (event.received - start) * 1e6
        axes.annotate(
            "",
            xy=(end, event.destination),
            xytext=(begin, event.source),
            arrowprops={
                "arrowstyle": "-|>",
                "color": style.rank_colour(event.source),
                "linewidth": 1.8,
                "shrinkA": 0,
                "shrinkB": 0,
            },
        )
    last = max(event.received for event in ordered)
    axes.set_xlim(-0.03 * (last - start) * 1e6, 1.03 * (last - start) * 1e6)
    axes.set_ylim(ranks - 0.5, -0.5)
    axes.set_yticks(range(ranks), [f"rank {rank}" for rank in range(ranks)])
    axes.set_xlabel("time since the first send (µs)")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    route = ", ".join(f"{event.source} to {event.destination}" for event in ordered[:12])
    more = "" if len(ordered) <= 12 else f" and {len(ordered) - 12} more"
    alt = f"Messages over time between {ranks} ranks, in the order in which they were sent: {route}{more}."
    return Picture(figure, alt)
