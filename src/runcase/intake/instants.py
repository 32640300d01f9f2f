"""Instants as documents write them: RFC 3339 text, or a count since 1970 in an unstated unit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR, _LAST_YEAR = 1970, 2199
_TICKS = ((1e17, 1_000_000_000), (1e14, 1_000_000), (1e11, 1_000))
"""A count above the bound has so many ticks a second; each bound lies in 1973 or later of the coarser unit."""

Instant = tuple[datetime | None, str]
"""An instant in UTC and its `ts_basis`; `(None, "none")` when there is none."""

NOWHEN: Instant = (None, "none")


def instant(value: object) -> Instant:
    """What `value` says; never raises."""
    if isinstance(value, bool) or value is None:
        return NOWHEN
    if isinstance(value, int | float):
        return _counted(value)
    if isinstance(value, str):
        return _written(value.strip())
    return NOWHEN


def since_epoch(ticks: object, per_second: int) -> Instant:
    """An instant given as a count of ticks of a known unit, as a number or as digits."""
    try:
        count = int(ticks) if isinstance(ticks, str | int) else int(float(ticks))  # type: ignore[arg-type]
        at = _EPOCH + timedelta(microseconds=count * 1_000_000 // per_second)
    except (ValueError, TypeError, OverflowError):
        return NOWHEN
    return (at, "explicit_zone") if count > 0 and at.year <= _LAST_YEAR else NOWHEN


def _written(text: str) -> Instant:
    if text.isascii() and text.isdigit() and 9 <= len(text) <= 20:
        return _counted(int(text))
    if len(text) < 16 or not text[:4].isdigit():
        return NOWHEN
    if text.endswith(" UTC"):
        text = f"{text[:-4].replace(' +0000', '')}+00:00"
    try:
        at = datetime.fromisoformat(text)
        known = at.tzinfo is not None
        at = at.astimezone(UTC) if known else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return NOWHEN
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        return NOWHEN
    return at, "explicit_zone" if known else "assumed_zone"


def _counted(value: float) -> Instant:
    if not 1e8 <= value < 1e19:
        return NOWHEN
    per_second = next((ticks for bound, ticks in _TICKS if value > bound), 1)
    if isinstance(value, float):
        return since_epoch(round(value * 1_000_000 / per_second), 1_000_000)
    return since_epoch(value, per_second)
