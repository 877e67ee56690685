"""A run over time: a lane for each rank, a bar for each MPI call, an arrow for each message."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path

from rankzero.draw import style
from rankzero.draw.picture import Picture
from rankzero.mpi.trace import Call, Message, Trace

ARROWS = 200
"""Messages beyond which a picture shows only that many of them."""
_NARROWEST = 1 / 600
"""Gaps and bars narrower than this part of the picture are not told apart."""
_HALF = 0.3
"""Half the height of a bar; lanes are 1 apart."""

# Waiting is what one should see: the strong colours are for calls in which a rank may stand still.
COLOURS = {
    "send": "#56B4E9",
    "receive": "#E69F00",
    "wait": "#D55E00",
    "collective": "#CC79A7",
    "one-sided": "#009E73",
    "file": "#0072B2",
    "other": style.INK,
    "life": style.INK,
}
_LEGEND = {"fontsize": 10, "columnspacing": 1.2, "handlelength": 1.2, "handletextpad": 0.5}
_STANDS = {"send", "receive", "wait", "collective", "one-sided"}


def timeline(trace: Trace, begin: float | None = None, end: float | None = None, arrows: int = ARROWS) -> Picture:
    """Draw a trace between two times in seconds of the trace: calls as bars, computation blank, messages as arrows.

    Without times, it is drawn from the end of MPI_Init to the last call before MPI_Finalize. An arrow leads from the
    begin of a send to the end of its receive. Of more than `arrows` messages, that many are drawn, taken at random but
    each time the same, and the picture says so. A call that never returned goes on to the right edge.
    Raises ValueError when the trace has no calls, or the time is empty.
    """
    if not any(trace.calls):
        raise ValueError("no calls to draw: the trace is empty")
    begin = 0.0 if begin is None else begin
    end = trace.end if end is None else end
    if not begin < end:
        raise ValueError(f"no time between begin={begin} s and end={end} s")
    unit, per_second = _unit(end - begin)
    figure, axes = style.figure(7.0, 0.5 * trace.ranks + 1.4)
    shown = [call for mine in trace.calls for call in mine if call.begin < end and call.end > begin]
    there = [kind for kind in COLOURS if any(call.kind == kind for call in shown)]
    for kind in reversed(there):  # the short ones last, on top
        _bars(axes, [call for call in shown if call.kind == kind], kind, begin, end, per_second)
    axes.set_xlim(0.0, (end - begin) * per_second)
    axes.set_ylim(trace.ranks - 0.5, -0.5)
    within = [message for message in trace.messages() if message.received > begin and message.sent < end]
    drawn = within if len(within) <= arrows else sorted(random.Random(0).sample(within, arrows))
    _arrows(axes, drawn, begin, per_second)
    axes.set_yticks(range(trace.ranks), [f"rank {rank}" for rank in range(trace.ranks)])
    since = "MPI_Init" if begin == 0 else f"{begin * per_second:g} {unit} after MPI_Init"
    axes.set_xlabel(f"time since {since} ({unit})")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    handles: list[Patch | Line2D] = [Patch(color=COLOURS[kind], label=_label(kind)) for kind in there]
    if drawn:
        label = "message" if len(drawn) == len(within) else f"message ({len(drawn)} of {len(within)} drawn)"
        handles.append(Line2D([], [], color=style.INK, linewidth=1.2, label=label))
    figure.legend(handles=handles, frameon=False, ncols=6, loc="outside upper center", **_LEGEND)
    return Picture(figure, _alt(trace, shown, begin, end, len(within), len(drawn)))


def _unit(seconds: float) -> tuple[str, float]:
    """Return the unit in which a time is a number that one can read, and how many of it a second has."""
    return ("s", 1.0) if seconds >= 1 else ("ms", 1e3) if seconds >= 1e-3 else ("µs", 1e6)


def _label(kind: str) -> str:
    return "Init, Finalize" if kind == "life" else kind


def _bars(axes: Axes, calls: Sequence[Call], kind: str, begin: float, end: float, per_second: float) -> None:
    """Draw the calls of one kind, as one path: neighbours that the eye could not tell apart are one bar."""
    narrowest = (end - begin) * _NARROWEST
    corners: list[tuple[float, float]] = []
    for rank, spans in _by_rank(calls).items():
        for left, right in _joined(spans, narrowest):
            left, right = max(left, begin), min(max(right, left + narrowest), end)
            x, y = [(at - begin) * per_second for at in (left, right)], (rank - _HALF, rank + _HALF)
            corners += [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1]), (x[0], y[0])]
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * (len(corners) // 5)
    axes.add_patch(PathPatch(Path(corners, codes), facecolor=COLOURS[kind], linewidth=0, label=kind))


def _by_rank(calls: Iterable[Call]) -> dict[int, list[tuple[float, float]]]:
    spans: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for call in calls:
        spans[call.rank].append((call.begin, call.end))
    return spans


def _joined(spans: Iterable[tuple[float, float]], gap: float) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for left, right in sorted(spans):
        if joined and left - joined[-1][1] < gap:
            joined[-1] = (joined[-1][0], max(joined[-1][1], right))
        else:
            joined.append((left, right))
    return joined


def _arrows(axes: Axes, messages: Sequence[Message], begin: float, per_second: float) -> None:
    if not messages:
        return
    x = [(message.sent - begin) * per_second for message in messages]
    y = [float(message.source) for message in messages]
    dx = [(message.received - message.sent) * per_second for message in messages]
    dy = [float(message.destination - message.source) for message in messages]
    axes.quiver(
        x,
        y,
        dx,
        dy,
        angles="xy",
        scale_units="xy",
        scale=1,
        units="inches",
        width=0.014,
        headwidth=6,
        headlength=8,
        headaxislength=8,
        minlength=0,
        color=style.INK,
        zorder=3,
    )


def _alt(trace: Trace, shown: Sequence[Call], begin: float, end: float, within: int, drawn: int) -> str:
    unit, per_second = _unit(end - begin)

    def clipped(call: Call) -> float:
        return min(call.end, end) - max(call.begin, begin)

    def time(seconds: float) -> str:
        return f"{seconds * per_second:.3g} {unit}"

    count = "1 message" if within == 1 else f"{within} messages"
    said = [f"{trace.ranks} ranks over {time(end - begin)}, {len(shown)} MPI calls and {count}."]
    if drawn < within:
        said.append(f"{drawn} of the messages are drawn.")
    standing = [call for call in shown if call.kind in _STANDS]
    if standing:
        total = [sum(clipped(call) for call in standing if call.rank == rank) for rank in range(trace.ranks)]
        most, least = max(range(trace.ranks), key=total.__getitem__), min(range(trace.ranks), key=total.__getitem__)
        said.append(
            f"Rank {most} is longest inside MPI, {time(total[most])}; rank {least} shortest, {time(total[least])}."
        )
        one = max(standing, key=clipped)
        peer = f" with rank {one.peer}" if one.peer is not None else ""
        said.append(f"The longest call is {one.name}{peer} on rank {one.rank}, {time(clipped(one))}.")
    for call in shown:
        if not call.returned and call.name != "MPI_Abort":
            peer = f" with rank {call.peer}" if call.peer is not None else ""
            said.append(f"{call.name}{peer} on rank {call.rank} does not return.")
    return " ".join(said)
