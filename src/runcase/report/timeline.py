"""Geometry of the timeline: what a run's windows, stages, gaps and tool calls look like on one axis.

Horizontal places are per cent of the axis, vertical ones pixels, so that the
picture fits any width while its text keeps its size. Everything is laid out for
the narrowest page (`NARROW`); wider pages only stretch the bars.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from runcase.report.dossier import Attempt, Dossier, Window
from runcase.report.instants import micros
from runcase.report.words import micros_words

NARROW = 272
"""Pixels that the picture has on a page of 320."""

CELL = 6.4
"""Pixels a narrow character takes at 11 px in DejaVu Sans, the widest usual system font, on average."""

ROW, HEAD, AXIS = 30, 34, 24
"""Heights in pixels: a row, the row that opens an attempt, the axis."""

MAX_ROWS = 110
"""Rows of the whole picture; beyond, spans of one name share a row and further names are counted."""

MAX_ATTEMPTS = 12
BINS = 120
"""Steps of the axis when many spans share a row."""

FAILED = ("failed", "timed_out", "lost")


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of a row. `soft` is the part at each end that may not belong to it, in per cent of the axis."""

    x: float
    width: float
    tone: str
    opens: str = ""
    """`start` or `end` where that boundary was not seen, `both`, or nothing."""
    soft: float = 0.0
    weight: float = 1.0
    """How much of the stretch is filled, for bars that stand for several spans."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the picture: a label at the left, a note at the right, bars below both."""

    kind: str
    label: str
    full: str
    note: str
    y: int
    bars: tuple[Bar, ...]
    failed_at: float | None = None
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the axis, relative to its begin."""

    x: float
    label: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The whole picture; `height` in pixels. `left_out` says what the rows do not show one by one."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    height: int
    failed_at: float | None
    begin: str
    summary: str
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Axis:
    low: int
    high: int

    def at(self, instant: int) -> float:
        """Per cent of the axis."""
        return round(min(100.0, max(0.0, (instant - self.low) * 100 / (self.high - self.low))), 3)

    def share(self, micros_: int) -> float:
        return round(min(100.0, micros_ * 100 / (self.high - self.low)), 3)


def timeline(dossier: Dossier) -> Timeline | None:
    """The picture, or None when fewer than two instants are evidenced."""
    axis = _axis(dossier)
    if axis is None:
        return None
    shown, hidden = _shown_attempts(dossier)
    budget = max(8, MAX_ROWS // max(1, len(shown) + 1))
    rows: list[Row] = []
    left_out = [f"{hidden} attempts between the first and the last are left out"] if hidden else []
    for attempt in (None, *shown):
        drawn, notes = _attempt_rows(dossier, attempt, axis, budget)
        rows += drawn
        left_out += notes
    placed = _placed(rows)
    failed = micros(_failure_instant(dossier))
    return Timeline(
        rows=tuple(placed),
        ticks=_ticks(axis),
        height=_bottom(placed) + 6,
        failed_at=axis.at(failed) if failed is not None else None,
        begin=_iso_of(dossier, axis.low),
        summary=_summary(dossier, axis),
        left_out=tuple(left_out),
    )


def _axis(d: Dossier) -> _Axis | None:
    run = d.run
    stated = [run.created_at, run.claimed_at, run.started_at, run.finished_at, run.first_ts, run.last_ts]
    for a in run.attempts:
        stated += [a.created_at, a.claimed_at, a.started_at, a.finished_at]
    for w in (*d.windows, *d.stages, *d.tools, *d.gaps):
        stated += [w.start, w.end]
    known = [m for m in map(micros, stated) if m is not None]
    return _Axis(min(known), max(known)) if known and max(known) > min(known) else None


def _iso_of(d: Dossier, low: int) -> str:
    stamps = [d.run.created_at, d.run.first_ts, *(w.start for w in (*d.windows, *d.stages, *d.tools, *d.gaps))]
    return next((s for s in stamps if s and micros(s) == low), "")


def _failure_instant(d: Dossier) -> str | None:
    """When the first decisive line that has a time was written, or else when the run ended."""
    if d.run.status not in FAILED and d.failure is None:
        return None
    stamps = sorted(
        line.ts for e in d.excerpts for line in e.lines if line.decisive and micros(line.ts) is not None and line.ts
    )
    return stamps[0] if stamps else None


def _summary(d: Dossier, axis: _Axis) -> str:
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


def _attempt_rows(d: Dossier, attempt: Attempt | None, axis: _Axis, budget: int) -> tuple[list[Row], list[str]]:
    number = attempt.attempt if attempt else None
    rows: list[Row] = [_attempt_head(attempt, axis)] if attempt and len(d.run.attempts) > 1 else []
    notes: list[str] = []
    groups = (
        ("windows", [w for w in d.windows if w.kind != "residual"]),
        ("stages", d.stages),
        ("gaps", d.gaps),
        ("tool calls", d.tools),
    )
    residual = [w for w in d.windows if w.kind == "residual" and w.attempt == number]
    for title, group in groups:
        mine = _in_order([w for w in group if w.attempt == number])
        drawn, hidden = _group_rows(mine, axis, max(4, budget - len(rows)))
        rows += drawn
        if hidden:
            where = f" of attempt {number}" if number is not None and len(d.run.attempts) > 1 else ""
            notes.append(f"{hidden} of {len(mine)} {title}{where} share a row or are left out; the table lists them")
    rows += [_row(w, axis) for w in residual]
    return rows, notes


def _in_order(windows: Sequence[Window]) -> list[Window]:
    last = 1 << 62
    return sorted(windows, key=lambda w: (_or(micros(w.start), micros(w.end), last), w.name, w.end or ""))


def _or(*numbers: int | None) -> int:
    return next(n for n in numbers if n is not None)


def _attempt_head(a: Attempt, axis: _Axis) -> Row:
    begin = next((m for m in map(micros, (a.created_at, a.claimed_at, a.started_at)) if m is not None), None)
    end = micros(a.finished_at)
    took = micros_words(end - begin) if begin is not None and end is not None else "no end seen"
    tone = "failed" if a.status in FAILED else "attempt"
    bars = _bars(begin, end, tone, 0, axis)
    at = axis.at(end) if a.status in FAILED and end is not None else None
    label = f"Attempt {a.attempt}: {a.status}"
    return Row("head", _fitted(label, took), label, took, 0, bars, at, f"attempt-{a.attempt}")


def _group_rows(windows: list[Window], axis: _Axis, room: int) -> tuple[list[Row], int]:
    """One row a span while there is room; else one row a name, and at last a count of names."""
    if len(windows) <= room:
        return [_row(w, axis) for w in windows], 0
    notable = [w for w in windows if w.state in ("open", "contradictory")][: room // 3]
    rest = [w for w in windows if w not in notable]
    by_name = [list(g) for _, g in groupby(sorted(rest, key=lambda w: w.name), key=lambda w: w.name)]
    by_name.sort(key=lambda g: (-sum(w.duration_us or 0 for w in g), g[0].name))
    kept = by_name[: max(1, room - len(notable) - 1)]
    rows = [_row(w, axis) for w in notable]
    rows += [_shared_row(g, f"{g[0].name} ×{len(g)}" if len(g) > 1 else g[0].name, axis) for g in kept]
    others = [w for g in by_name[len(kept) :] for w in g]
    if others:
        rows.append(_shared_row(others, f"{len(by_name) - len(kept)} further names ×{len(others)}", axis))
    return rows, len(windows) - len(notable) - sum(1 for g in kept if len(g) == 1)


def _row(w: Window, axis: _Axis) -> Row:
    start, end = micros(w.start), micros(w.end)
    bars = () if w.kind == "residual" else _bars(start, end, _tone(w), axis.share(w.uncertainty_us or 0) / 2, axis)
    note = _note(w)
    return Row(w.kind, _fitted(w.name, note), _full(w), note, 0, bars)


def _tone(w: Window) -> str:
    if w.state == "contradictory":
        return "contradictory"
    return w.kind if w.kind in ("window", "stage", "tool", "invocation", "gap") else "window"


def _note(w: Window) -> str:
    if w.duration_us is not None:
        off = f" ±{micros_words(w.uncertainty_us)}" if w.uncertainty_us else ""
        return micros_words(w.duration_us) + off
    return w.state


def _full(w: Window) -> str:
    parts = [f"{w.kind} {w.name}: {_note(w)}", w.reason, w.detail]
    return "; ".join(p for p in parts if p)


def _bars(start: int | None, end: int | None, tone: str, soft: float, axis: _Axis) -> tuple[Bar, ...]:
    if start is None and end is None:
        return ()
    opens = "both" if start is None and end is None else "start" if start is None else "end" if end is None else ""
    low = axis.at(start) if start is not None else 0.0
    high = axis.at(end) if end is not None else 100.0
    if high < low:
        low, high, tone = high, low, "contradictory"
    return (Bar(low, round(high - low, 3), tone, opens, round(min(soft, (high - low) / 2), 3)),)


def _shared_row(windows: list[Window], label: str, axis: _Axis) -> Row:
    filled = [0.0] * BINS
    step = 100 / BINS
    for w in windows:
        start, end = micros(w.start), micros(w.end)
        if start is None or end is None:
            continue
        low, high = sorted((axis.at(start), axis.at(end)))
        first, last = min(BINS - 1, int(low / step)), min(BINS - 1, int(high / step))
        for n in range(first, last + 1):
            part = min(high, (n + 1) * step) - max(low, n * step)
            filled[n] += max(part / step, 0.04)
    total = sum(w.duration_us or 0 for w in windows)
    note = f"Σ {micros_words(total)}"
    tone = _tone(windows[0])
    return Row(
        "shared",
        _fitted(label, note),
        f"{label}: {micros_words(total)} in all",
        note,
        0,
        tuple(_stretches(filled, step, tone)),
    )


def _stretches(filled: list[float], step: float, tone: str) -> Iterator[Bar]:
    """Neighbouring steps of the same weight as one bar; four weights."""
    weights = [0.0 if f == 0 else 0.35 if f < 0.25 else 0.55 if f < 0.5 else 0.78 if f < 0.9 else 1.0 for f in filled]
    at = 0
    for weight, run in groupby(weights):
        length = sum(1 for _ in run)
        if weight:
            yield Bar(round(at * step, 3), round(length * step, 3), tone, weight=weight)
        at += length


def cells(text: str) -> int:
    """Width of `text` in narrow characters; wide and unassigned scripts count double."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" or ord(c) > 0x2FFF else 1 for c in text)


def _fitted(label: str, note: str) -> str:
    """`label`, cut so that it does not reach `note` on the narrowest page."""
    room = int(NARROW / CELL) - cells(note) - 2
    return cut_to(label, room)


def cut_to(text: str, room: int) -> str:
    """`text` in at most `room` narrow characters, with an ellipsis where it was cut."""
    if cells(text) <= room:
        return text
    kept = ""
    used = 1
    for char in text:
        used += cells(char)
        if used > room:
            break
        kept += char
    return kept.rstrip() + "…"


def _placed(rows: Sequence[Row]) -> list[Row]:
    placed, y = [], AXIS
    for row in rows:
        y += HEAD - ROW if row.kind == "head" else 0
        placed.append(replace(row, y=y))
        y += ROW
    return placed


def _bottom(rows: Sequence[Row]) -> int:
    return rows[-1].y + ROW if rows else AXIS


_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_UNITS = [s * 1000 for s in _STEPS] + [
    s * 1_000_000
    for s in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800)
]


def _ticks(axis: _Axis) -> tuple[Tick, ...]:
    """At most six marks at round distances from the begin."""
    span = axis.high - axis.low
    step = next((u for u in _UNITS if span / u <= 5), 0) or max(1, -(-span // (5 * 86_400_000_000))) * 86_400_000_000
    if span < 1000:
        step = max(1, span)
    found = []
    for n in range(span // step + 1):
        x = axis.share(n * step)
        anchor = "start" if n == 0 else "end" if x > 90 else "middle"
        found.append(Tick(x, "0" if n == 0 else f"+{micros_words(n * step)}", anchor))
    return tuple(found)
