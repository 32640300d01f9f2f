"""Day or month: how the numbers of a date are ordered, as the source as a whole evidences.

Values over 12 decide; then a reading that lies after the file was written is
dropped; then the reading whose days run on without jumps wins. What stays open
is read as its writers mostly mean it, and the other reading bounds the instant.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import polars as pl

from runcase.intake.formats.stamp_shapes import Order, StampShape
from runcase.intake.formats.stamp_times import captured, day_number, numbers

_USUAL: dict[str, tuple[Order, ...]] = {
    "num": ("mdy", "dmy"),
    "num_y4": ("mdy", "dmy"),
    "num_y2": ("mdy", "dmy", "ymd"),
}
_DOTTED: dict[str, tuple[Order, ...]] = {
    "num": ("mdy", "dmy"),
    "num_y4": ("dmy", "mdy"),
    "num_y2": ("dmy", "ymd", "mdy"),
}
"""Orders of a shape, the usual one first; dates with points are written day first."""

_LEVEL_BEHIND = r"^\s*(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL)\b"
"""log4j's `yy/MM/dd HH:mm:ss LEVEL`, as Spark and Hadoop ship it."""

_OUTLIERS = 0.02


def with_order(shape: StampShape, lines: pl.Series, recorded_at: datetime | None) -> StampShape:
    """The shape with the order of its numbers; `also` holds the readings that stay open."""
    if shape.name not in _USUAL:
        return shape
    parts = captured(lines, shape.strict)
    left = list(_usual(shape, lines, parts))
    days = {order: _days(parts, replace(shape, order=order)) for order in left}
    fewest = min(days[o].null_count() for o in left)
    left = [o for o in left if days[o].null_count() <= fewest + _OUTLIERS * lines.len()]
    if recorded_at is not None and shape.has_year:
        today = recorded_at.toordinal() - datetime(1970, 1, 1).toordinal() + 1
        left = [o for o in left if _latest(days[o]) <= today] or left
    jumps = {o: int(days[o].diff().abs().sum()) for o in left}
    least = min(jumps.values())
    left = [o for o in left if jumps[o] <= 2 * least]
    return replace(shape, order=left[0], also=tuple(left[1:]))


def _usual(shape: StampShape, lines: pl.Series, parts: pl.DataFrame) -> tuple[Order, ...]:
    """Orders to consider, the most usual one first; only one where the way of writing leaves no other."""
    days_first = bool((parts["a"].cast(pl.Int32) > 12).any())
    if shape.name == "num" and parts["at"].str.contains(r"^\d\d-\d\d ").all():
        return ("dmy",) if days_first else ("mdy",)
    if "p" in parts.columns and parts["p"].is_not_null().all() and not days_first:
        return ("mdy",)
    if shape.name == "num_y2" and _levels_behind(lines, shape):
        return ("ymd", "mdy", "dmy")
    return (_DOTTED if parts["at"].str.contains(r"^\d+\.").all() else _USUAL)[shape.name]


def _levels_behind(lines: pl.Series, shape: StampShape) -> bool:
    """Whether a level follows most stamps (their last character is taken by the pattern)."""
    return 2 * int(lines.str.replace(shape.strict, "").str.contains(_LEVEL_BEHIND).sum()) > lines.len()


def _days(parts: pl.DataFrame, shape: StampShape) -> pl.Series:
    """Day numbers under the order of `shape`; a yearless date counts in one leap year."""
    found = numbers(parts, shape)
    year = pl.col("year") if shape.has_year else pl.lit(2000, dtype=pl.Int32)
    return found.select(day_number(year, pl.col("month"), pl.col("day"))).to_series()


def _latest(days: pl.Series) -> int:
    latest = days.max()
    return latest if isinstance(latest, int) else 0
