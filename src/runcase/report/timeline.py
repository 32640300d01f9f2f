"""Geometry of the timeline: what a run's windows, stages, gaps and tool calls look like on one axis.

Horizontal places are per cent of the axis, vertical ones pixels, so that the
picture fits any width while its text keeps its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from runcase.model.kinds import FAILED
from runcase.report.decisive import decisive_places
from runcase.report.dossier import Attempt, Dossier, Window
from runcase.report.instants import micros
from runcase.report.timeline_axis import Axis, Tick, axis_of, ticks
from runcase.report.timeline_rows import (
    Row,
    attempt_begin,
    attempt_head,
    gap_row,
    group_rows,
    in_order,
    span_row,
)
from runcase.report.words import micros_words

ROW, AXIS = 28, 24
"""Heights in pixels: a row, the axis."""

ROOM = {"windows": 12, "stages": 24, "gaps": 3, "tool calls": 16}
"""Rows that an attempt's spans of each sort may take; beyond, spans of one name share a row."""

ATTEMPTS_IN_FULL = 3
"""With more attempts than these, each has less room."""

GAPS_A_ROW = 60
"""With more gaps than these, the row holds their weight at each step."""

MAX_UNTIMED = 3
"""Spans without any time that have rows of their own, in which nothing is drawn."""

MAX_ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class Timeline:
    """The whole picture; `height` in pixels. `left_out` says what the rows do not show one by one.

    Vertical lines are dashed in step with the rows from `first_bar` on, so that they cross bars and no text.
    """

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    height: int
    failed_at: float | None
    begin: str
    summary: str
    left_out: tuple[str, ...]
    first_bar: int = AXIS + 13


def timeline(dossier: Dossier) -> Timeline | None:
    """The picture, or None when fewer than two instants are evidenced."""
    axis = axis_of(dossier)
    if axis is None:
        return None
    shown, hidden = _shown_attempts(dossier)
    rows: list[Row] = []
    left_out = [f"{hidden} attempts between the first and the last are left out"] if hidden else []
    for attempt in (None, *shown):
        drawn, notes = _attempt_rows(dossier, attempt, axis, len(shown))
        rows += drawn
        left_out += notes
    placed = _placed(rows)
    failed = micros(_failure_instant(dossier))
    return Timeline(
        rows=tuple(placed),
        ticks=ticks(axis),
        height=_bottom(placed) + 6,
        failed_at=axis.at(failed) if failed is not None else None,
        begin=_iso_of(dossier, axis.low),
        summary=_summary(dossier, axis),
        left_out=tuple(left_out),
    )


def _iso_of(d: Dossier, low: int) -> str:
    stamps = [d.run.created_at, d.run.first_ts, *(w.start for w in (*d.windows, *d.stages, *d.tools, *d.gaps))]
    return next((s for s in stamps if s and micros(s) == low), "")


def _failure_instant(d: Dossier) -> str | None:
    """When the line was written that the verdict rests on first; None when no decisive line has a time."""
    if d.run.status not in FAILED and d.failure is None:
        return None
    return next((place.ts for place in decisive_places(d) if micros(place.ts) is not None), None)


def _summary(d: Dossier, axis: Axis) -> str:
    parts = [
        f"{len(group)} {noun}"
        for group, noun in (
            (d.run.attempts, "attempts"),
            (d.windows, "windows"),
            (d.stages, "stages"),
            (d.tools, "tool calls"),
            (d.gaps, "gaps"),
        )
        if group
    ]
    return f"{micros_words(axis.high - axis.low)} in all: {', '.join(parts)}"


def _shown_attempts(d: Dossier) -> tuple[list[Attempt], int]:
    attempts = list(d.run.attempts)
    if len(attempts) <= MAX_ATTEMPTS:
        return attempts, 0
    return attempts[:2] + attempts[2 - MAX_ATTEMPTS :], len(attempts) - MAX_ATTEMPTS


def _attempt_rows(d: Dossier, attempt: Attempt | None, axis: Axis, attempts: int) -> tuple[list[Row], list[str]]:
    number = attempt.attempt if attempt else None
    axis = replace(axis, first=attempt_begin(attempt), last=micros(attempt.finished_at)) if attempt else axis
    rows: list[Row] = [attempt_head(attempt, axis)] if attempt and len(d.run.attempts) > 1 else []
    notes: list[str] = []
    groups = (
        ("windows", [w for w in d.windows if w.kind != "residual"]),
        ("stages", d.stages),
        ("gaps", d.gaps),
        ("tool calls", d.tools),
    )
    residual = [w for w in d.windows if w.kind == "residual" and w.attempt == number]
    for title, group in groups:
        mine = [w for w in group if w.attempt == number]
        mine, untimed = _timed(mine) if title != "windows" else (mine, 0)
        if title == "gaps" and 1 < len(mine) <= GAPS_A_ROW:
            rows.append(gap_row(mine, axis))
            continue
        drawn, hidden = group_rows(
            mine, axis, max(2, ROOM[title] * ATTEMPTS_IN_FULL // max(ATTEMPTS_IN_FULL, attempts))
        )
        rows += drawn
        where = f" of attempt {number}" if number is not None and len(d.run.attempts) > 1 else ""
        if untimed:
            notes.append(
                f"{untimed} {title}{where} have no time in the evidence and are left out; the table lists them"
            )
        if hidden:
            notes.append(f"{hidden} of {len(mine)} {title}{where} share a row or are left out; the table lists them")
    rows += [span_row(w, axis) for w in residual]
    return rows, notes


def _timed(spans: Sequence[Window]) -> tuple[list[Window], int]:
    """Spans by begin, without those that have no time where these are many, and how many these are."""
    timed = [w for w in spans if w.start or w.end]
    left = len(spans) - len(timed)
    return (in_order(spans), 0) if left <= MAX_UNTIMED else (in_order(timed), left)


def _placed(rows: Sequence[Row]) -> list[Row]:
    return [replace(row, y=AXIS + n * ROW) for n, row in enumerate(rows)]


def _bottom(rows: Sequence[Row]) -> int:
    return rows[-1].y + ROW if rows else AXIS
