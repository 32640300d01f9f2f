"""Geometry of the timeline: what a run's windows, stages, gaps and tool calls look like on one axis.

Horizontal places are per cent of the axis, vertical ones pixels, so that the
picture fits any width while its text keeps its size. Everything is laid out for
the narrowest page (`NARROW`); wider pages only stretch the bars.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from runcase.report.collapse import template
from runcase.report.decisive import decisive_places
from runcase.report.dossier import Attempt, Dossier, Window
from runcase.report.fitting import cells, cut_to
from runcase.report.instants import micros
from runcase.report.words import micros_words

NARROW = 272
"""Pixels that the picture has on a page of 320."""

CELL = 6.4
"""Pixels a narrow character takes at 11 px in DejaVu Sans, the widest usual system font, on average."""

ROW, AXIS = 28, 24
"""Heights in pixels: a row, the axis."""

ROOM = {"windows": 12, "stages": 24, "gaps": 3, "tool calls": 16}
"""Rows that an attempt's spans of each sort may take; beyond, spans of one name share a row."""

ATTEMPTS_IN_FULL = 3
"""With more attempts than these, each has less room."""

NOTE_CELLS = 27
"""Longest note, in narrow characters, so that a label keeps half of the narrowest page."""

GAPS_A_ROW = 60
"""With more gaps than these, the row holds their weight at each step."""

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


@dataclass(frozen=True, slots=True)
class _Axis:
    low: int
    high: int
    first: int | None = None
    """Begin of the attempt that is drawn, where an open end stops; None when it was not seen."""
    last: int | None = None
    """End of that attempt."""

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
    """When the line was written that the verdict rests on first; None when no decisive line has a time."""
    if d.run.status not in FAILED and d.failure is None:
        return None
    return next((place.ts for place in decisive_places(d) if micros(place.ts) is not None), None)


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


def _attempt_rows(d: Dossier, attempt: Attempt | None, axis: _Axis, attempts: int) -> tuple[list[Row], list[str]]:
    number = attempt.attempt if attempt else None
    axis = replace(axis, first=_attempt_begin(attempt), last=micros(attempt.finished_at)) if attempt else axis
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
        if title == "gaps" and 1 < len(mine) <= GAPS_A_ROW:
            rows.append(_gap_row(mine, axis))
            continue
        drawn, hidden = _group_rows(
            mine, axis, max(2, ROOM[title] * ATTEMPTS_IN_FULL // max(ATTEMPTS_IN_FULL, attempts))
        )
        rows += drawn
        if hidden:
            where = f" of attempt {number}" if number is not None and len(d.run.attempts) > 1 else ""
            notes.append(f"{hidden} of {len(mine)} {title}{where} share a row or are left out; the table lists them")
    rows += [_row(w, axis) for w in residual]
    return rows, notes


def _in_order(windows: Sequence[Window]) -> list[Window]:
    return sorted(windows, key=lambda w: (_begin(w), w.name, w.end or ""))


def _begin(w: Window) -> int:
    """Its first instant; spans without any come last."""
    return next((m for m in map(micros, (w.start, w.end)) if m is not None), 1 << 62)


def _attempt_begin(a: Attempt) -> int | None:
    return next((m for m in map(micros, (a.created_at, a.claimed_at, a.started_at)) if m is not None), None)


def _gap_row(gaps: Sequence[Window], axis: _Axis) -> Row:
    """All gaps of an attempt, each where it is."""
    label, note = f"gaps ×{len(gaps)}", f"Σ {micros_words(sum(w.duration_us or 0 for w in gaps))}"
    bars = tuple(b for w in gaps for b in _bars(micros(w.start), micros(w.end), "gap", 0, axis))
    return Row("gap", _fitted(label, note), "; ".join(map(_full, gaps)), note, 0, bars)


def _attempt_head(a: Attempt, axis: _Axis) -> Row:
    begin, end = _attempt_begin(a), micros(a.finished_at)
    took = micros_words(end - begin) if begin is not None and end is not None else "no end seen"
    tone = "failed" if a.status in FAILED else "attempt"
    bars = _bars(begin, end, tone, 0, axis)
    at = axis.at(end) if a.status in FAILED and end is not None else None
    label = f"Attempt {a.attempt}: {a.status}"
    return Row("head", _fitted(label, took), label, took, 0, bars, at, f"attempt-{a.attempt}")


def _group_rows(windows: list[Window], axis: _Axis, room: int) -> tuple[list[Row], int]:
    """Rows for `windows`, at most `room`, and how many of them have no row of their own.

    One row a span while there is room; else one a name, then one a name with its
    numbers masked; what is open or contradictory keeps its own row first, and the
    names that took least time are counted together.
    """
    if len(windows) <= room:
        return [_row(w, axis) for w in windows], 0
    notable = [w for w in windows if w.state in ("open", "contradictory")][: room // 3]
    rest = [w for w in windows if w not in notable]
    groups = _grouped(rest, lambda w: w.name)
    if len(groups) > room - len(notable):
        groups = _grouped(rest, lambda w: template(w.name))
    kept = groups[: max(1, room - len(notable) - 1)]
    others = [w for _, group in groups[len(kept) :] for w in group]
    rows = [_row(w, axis) for w in notable]
    for name, group in sorted(kept, key=lambda g: _begin(g[1][0])):
        rows.append(_row(group[0], axis) if len(group) == 1 else _shared_row(group, f"{name} ×{len(group):,}", axis))
    if others:
        label = f"{len(groups) - len(kept):,} further names ×{len(others):,}"
        rows.append(_shared_row(others, label, axis))
    return rows, len(windows) - len(notable) - sum(1 for _, group in kept if len(group) == 1)


def _grouped(windows: list[Window], name: Callable[[Window], str]) -> list[tuple[str, list[Window]]]:
    """Spans by name, the names that took longest first."""
    found: dict[str, list[Window]] = {}
    for w in windows:
        found.setdefault(name(w), []).append(w)
    return sorted(found.items(), key=lambda g: (-sum(w.duration_us or 0 for w in g[1]), g[0]))


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
    return cut_to(f"{w.state}: {w.reason}", NOTE_CELLS) if w.reason else w.state


def _full(w: Window) -> str:
    parts = [f"{w.kind} {w.name}: {_note(w)}", w.reason, w.detail]
    return "; ".join(p for p in parts if p)


def _bars(start: int | None, end: int | None, tone: str, soft: float, axis: _Axis) -> tuple[Bar, ...]:
    if start is None and end is None:
        return ()
    opens = "both" if start is None and end is None else "start" if start is None else "end" if end is None else ""
    low = axis.at(start) if start is not None else _open_begin(end, axis)
    high = axis.at(end) if end is not None else _open_end(start, axis)
    if high < low:
        low, high, tone = high, low, "contradictory"
    return (Bar(low, round(high - low, 3), tone, opens, round(min(soft, (high - low) / 2), 3)),)


def _open_begin(end: int | None, axis: _Axis) -> float:
    """Where a bar begins whose begin was not seen: with its attempt."""
    known = axis.first is not None and (end is None or axis.first < end)
    return axis.at(axis.first) if known and axis.first is not None else 0.0


def _open_end(start: int | None, axis: _Axis) -> float:
    """Where a bar ends whose end was not seen: with its attempt."""
    known = axis.last is not None and (start is None or start < axis.last)
    return axis.at(axis.last) if known and axis.last is not None else 100.0


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


def _fitted(label: str, note: str) -> str:
    """`label`, cut so that it does not reach `note` on the narrowest page."""
    room = int(NARROW / CELL) - cells(note) - 2
    return cut_to(label, room)


def _placed(rows: Sequence[Row]) -> list[Row]:
    return [replace(row, y=AXIS + n * ROW) for n, row in enumerate(rows)]


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
