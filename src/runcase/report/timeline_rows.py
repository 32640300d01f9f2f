"""Rows of a timeline: what a window, stage, gap or tool call looks like, alone and where many share a row.

Everything is laid out for the narrowest page (`NARROW`); wider pages only stretch the bars.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from runcase.model.kinds import FAILED
from runcase.report.collapse import template
from runcase.report.dossier import Attempt, Window
from runcase.report.fitting import cells, cut_inside, cut_to
from runcase.report.instants import micros
from runcase.report.timeline_axis import Axis
from runcase.report.words import micros_words, reason_words, state_words

NARROW = 272
"""Pixels that the picture has on a page of 320."""

CELL = 6.4
"""Pixels a narrow character takes at 11 px in DejaVu Sans, the widest usual system font, on average."""

NOTE_CELLS = 27
"""Longest note, in narrow characters, so that a label keeps half of the narrowest page."""

BINS = 120
"""Steps of the axis when many spans share a row."""


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


def in_order(windows: Sequence[Window]) -> list[Window]:
    """Spans by begin; those without any instant come last."""
    return sorted(windows, key=lambda w: (_begin(w), w.name, w.end or ""))


def _begin(w: Window) -> int:
    """Its first instant; spans without any come last."""
    return next((m for m in map(micros, (w.start, w.end)) if m is not None), 1 << 62)


def attempt_begin(a: Attempt) -> int | None:
    """The first instant that is known of an attempt."""
    return next((m for m in map(micros, (a.created_at, a.claimed_at, a.started_at)) if m is not None), None)


def gap_row(gaps: Sequence[Window], axis: Axis) -> Row:
    """All gaps of an attempt, each where it is."""
    label, note = f"gaps ×{len(gaps)}", f"Σ {micros_words(sum(w.duration_us or 0 for w in gaps))}"
    bars = tuple(b for w in gaps for b in _bars(micros(w.start), micros(w.end), "gap", 0, axis))
    return Row("gap", _fitted(label, note), "; ".join(map(_full, gaps)), note, 0, bars)


def attempt_head(a: Attempt, axis: Axis) -> Row:
    """The row that opens an attempt and shows all of it."""
    begin, end = attempt_begin(a), micros(a.finished_at)
    took = micros_words(end - begin) if begin is not None and end is not None else "no end seen"
    tone = "failed" if a.status in FAILED else "attempt"
    bars = _bars(begin, end, tone, 0, axis)
    at = axis.at(end) if a.status in FAILED and end is not None else None
    label = f"Attempt {a.attempt}: {a.status}"
    return Row("head", _fitted(label, took), label, took, 0, bars, at, f"attempt-{a.attempt}")


def group_rows(windows: list[Window], axis: Axis, room: int) -> tuple[list[Row], int]:
    """Rows for `windows`, at most `room`, and how many of them have no row of their own.

    One row a span while there is room; else one a name, then one a name with its
    numbers masked; what is open or contradictory keeps its own row first, and the
    names that took least time are counted together.
    """
    if len(windows) <= room:
        return [span_row(w, axis) for w in windows], 0
    notable = [w for w in windows if w.state in ("open", "contradictory")][: room // 3]
    rest = [w for w in windows if w not in notable]
    groups = _grouped(rest, lambda w: w.name)
    if len(groups) > room - len(notable):
        groups = _grouped(rest, lambda w: template(w.name))
    kept = groups[: max(1, room - len(notable) - 1)]
    others = [w for _, group in groups[len(kept) :] for w in group]
    rows = [span_row(w, axis) for w in notable]
    for name, group in sorted(kept, key=lambda g: _begin(g[1][0])):
        rows.append(
            span_row(group[0], axis) if len(group) == 1 else _shared_row(group, f"{name} ×{len(group):,}", axis)
        )
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


def span_row(w: Window, axis: Axis) -> Row:
    """A span on a row of its own."""
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
    return cut_to(state_words(w.state), NOTE_CELLS)


def _full(w: Window) -> str:
    parts = [f"{w.kind} {w.name}: {_note(w)}", reason_words(w.reason) if w.reason else None, w.detail]
    return "; ".join(p for p in parts if p)


def _bars(start: int | None, end: int | None, tone: str, soft: float, axis: Axis) -> tuple[Bar, ...]:
    if start is None and end is None:
        return ()
    opens = "both" if start is None and end is None else "start" if start is None else "end" if end is None else ""
    low = axis.at(start) if start is not None else _open_begin(end, axis)
    high = axis.at(end) if end is not None else _open_end(start, axis)
    if high < low:
        low, high, tone = high, low, "contradictory"
    return (Bar(low, round(high - low, 3), tone, opens, round(min(soft, (high - low) / 2), 3)),)


def _open_begin(end: int | None, axis: Axis) -> float:
    """Where a bar begins whose begin was not seen: with its attempt."""
    known = axis.first is not None and (end is None or axis.first < end)
    return axis.at(axis.first) if known and axis.first is not None else 0.0


def _open_end(start: int | None, axis: Axis) -> float:
    """Where a bar ends whose end was not seen: with its attempt."""
    known = axis.last is not None and (start is None or start < axis.last)
    return axis.at(axis.last) if known and axis.last is not None else 100.0


def _shared_row(windows: list[Window], label: str, axis: Axis) -> Row:
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
    """`label`, cut so that it does not reach `note` on the narrowest page; a path keeps its end."""
    room = int(NARROW / CELL) - cells(note) - 2
    return cut_to(label, room) if " " in label else cut_inside(label, room)
