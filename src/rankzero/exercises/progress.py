"""What a learner has done: a journal in the state folder, one line of JSON an event, and what is read from it.

An event is appended in one write and never changed, so two terminals do not lose each other's. A line that cannot be
read (a full disk, a power cut) is set aside, with the whole file, and said; what can be read stands.
"""

from __future__ import annotations

import contextlib
import datetime
import html
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rankzero import places
from rankzero.exercises import manifest
from rankzero.exercises.manifest import Exercise

EVENTS = ("start", "check", "hint", "solution", "reset")


def journal() -> Path:
    """Return the file with all events."""
    return places.home() / "progress.jsonl"


@dataclass
class Record:
    """What was done with one exercise. Times are ISO 8601 in UTC; "" means not yet.

    hints: how many were shown. solution_seen: "", or when; early says that hints were left then.
    """

    started: str = ""
    checks: int = 0
    passed: str = ""
    last: str = ""
    hints: int = 0
    solution_seen: str = ""
    early: bool = False

    @property
    def state(self) -> str:
        """Return in a word how it stands."""
        if self.passed:
            seen = self.solution_seen and self.solution_seen < self.passed
            return "solved, after its solution was shown" if seen else "solved"
        return "begun" if self.started or self.checks else "to do"


@dataclass
class Progress:
    """All records by exercise, and what is wrong with the journal, as sentences."""

    records: dict[str, Record] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)

    def of(self, name: str) -> Record:
        """Return the record of an exercise, an empty one if there is none."""
        return self.records.setdefault(name, Record())


def note(event: str, name: str, **facts: Any) -> str:
    """Write down an event. Returns why that was not possible, "" when it was: a lesson goes on without."""
    line = json.dumps({"time": _now(), "event": event, "exercise": name} | facts) + "\n"
    try:
        path = journal()
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":  # the last write was cut off
                line = "\n" + line
            if os.write(handle, line.encode()) != len(line.encode()):
                return f"progress could not be written whole to {path}: the disk is full"
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as err:
        return f"progress was not written down: {err.strerror or err}"
    return ""


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def read() -> Progress:
    """Read the journal; lines that cannot be read are set aside with a copy of the whole, and said."""
    progress = Progress()
    path = journal()
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return progress
    good, bad = [], 0
    for line in data.splitlines():
        if not line.strip():
            continue
        try:
            event = json.loads(line)
            _apply(progress, event)
        except (ValueError, KeyError, TypeError, AttributeError):
            bad += 1
        else:
            good.append(line.decode(errors="replace"))
    if bad:
        aside = path.with_name(f"progress.damaged-{_now().replace(':', '-')}.jsonl")
        with contextlib.suppress(OSError):  # full disk: it is said next time as well
            shutil.copy2(path, aside)
            places.store(path, "".join(f"{line}\n" for line in good))
        what = "1 line" if bad == 1 else f"{bad} lines"
        progress.troubles.append(
            f"{what} of the progress journal could not be read. The damaged file is kept as {aside.name}, "
            f"and the {len(good)} events that could be read stand."
        )
    return progress


def _apply(progress: Progress, event: dict[str, Any]) -> None:
    kind, name, when = event["event"], event["exercise"], event["time"]
    if kind not in EVENTS or not isinstance(name, str) or not isinstance(when, str):
        raise ValueError("no event of ours")
    record = progress.of(name)
    record.last = max(record.last, when)
    match kind:
        case "start":
            record.started = record.started or when
        case "check":
            record.checks += 1
            if event["result"] == "passed":
                record.passed = record.passed or when
        case "hint":
            record.hints = max(record.hints, int(event["number"]))
        case "solution":
            record.solution_seen = record.solution_seen or when
            record.early = record.early or bool(event.get("early"))


# -- showing it -----------------------------------------------------------------------------------------------


def table(progress: Progress, exercises: Iterable[Exercise]) -> list[str]:
    """Return a line for each exercise, under its chapter."""
    lines: list[str] = []
    chapter = ""
    for one in exercises:
        if one.chapter != chapter:
            chapter = one.chapter
            lines += ["", f"Chapter {chapter}"] if lines else [f"Chapter {chapter}"]
        record = progress.of(one.name)
        mark = "✓" if record.passed else "·" if record.state == "begun" else " "
        day = record.passed[:10] or (record.last[:10] and f"last {record.last[:10]}")
        extra = f"{record.hints} of {len(one.hints)} hints" if record.hints else ""
        lines.append(f"  {mark} {one.name:<26} {one.minutes:>3} min  {record.state:<6} {day:<16} {extra}".rstrip())
    return lines


def by_competency(progress: Progress, exercises: Sequence[Exercise]) -> list[tuple[manifest.Competency, int, int]]:
    """Return for each competency that has exercises: how many of these are solved, and how many there are."""
    found = []
    for one in manifest.competencies().values():
        names = [exercise.name for exercise in exercises if one.id in exercise.competencies]
        if names:
            found.append((one, sum(bool(progress.of(name).passed) for name in names), len(names)))
    return found


def export(progress: Progress, exercises: Sequence[Exercise]) -> dict[str, Any]:
    """Return everything for JSON."""
    return {
        "exported": _now(),
        "exercises": [
            {
                "name": one.name,
                "title": one.title,
                "chapter": one.chapter,
                "competencies": list(one.competencies),
                "state": progress.of(one.name).state,
                **vars(progress.of(one.name)),
            }
            for one in exercises
        ],
        "competencies": [
            {"id": one.id, "area": one.area, "level": one.level, "outcome": one.outcome, "solved": done, "of": total}
            for one, done, total in by_competency(progress, exercises)
        ],
    }


def page(progress: Progress, exercises: Sequence[Exercise]) -> str:
    """Return a page that shows what is done, when, and in which competency: one HTML file that loads nothing."""
    solved = sum(bool(progress.of(one.name).passed) for one in exercises)
    rows = []
    for one in exercises:
        record = progress.of(one.name)
        cells = [one.chapter, f"<strong>{html.escape(one.title)}</strong><br><code>{one.name}</code>", record.state]
        cells += [record.passed[:10] or "–", str(record.checks), f"{record.hints} of {len(one.hints)}"]
        rows.append(
            f'<tr class="{record.state.split(",")[0].replace(" ", "-")}">'
            + "".join(f"<td>{c}</td>" for c in cells)
            + "</tr>"
        )
    areas: dict[str, list[str]] = {}
    for competency, done, total in by_competency(progress, exercises):
        text = (
            f"<li>{html.escape(competency.outcome)} <small>(Engineer {competency.level})</small>"
            f'<br><progress value="{done}" max="{total}" aria-label="{html.escape(competency.outcome, quote=True)}">'
            f"</progress> {done} of {total}</li>"
        )
        areas.setdefault(competency.area, []).append(text)
    lists = "".join(f"<h3>{html.escape(area)}</h3><ul>{''.join(items)}</ul>" for area, items in areas.items())
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rank Zero: progress</title><style>
:root{{color-scheme:light dark}} body{{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}}
table{{border-collapse:collapse;width:100%}}
td,th{{text-align:left;padding:.3em .6em;border-bottom:1px solid #8884;vertical-align:top}}
tr.solved td:nth-child(3){{font-weight:bold}} ul{{padding-left:1.2em}} progress{{accent-color:#009E73;width:12em}}
</style></head><body>
<h1>Progress</h1>
<p>{solved} of {len(exercises)} exercises solved. Written {_now()[:16].replace("T", " ")} UTC.</p>
<h2>Exercises</h2>
<table><thead><tr><th scope="col">Chapter</th><th scope="col">Exercise</th><th scope="col">State</th>
<th scope="col">Solved</th>
<th scope="col">Checks</th><th scope="col">Hints</th></tr></thead>
<tbody>{"".join(rows)}</tbody></table>
<h2>Competencies</h2>
{lists}
</body></html>
"""
