"""ISO instants of a dossier as numbers that can be drawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(ts: str | None) -> int | None:
    """Microseconds since 1970; None for no instant and for text that is none."""
    if ts is None:
        return None
    try:
        at = datetime.fromisoformat(ts)
    except ValueError:
        return None
    gone = (at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH
    return (gone.days * 86_400 + gone.seconds) * 1_000_000 + gone.microseconds


def clock_of(instant: int | None) -> str:
    """Time of day in milliseconds; empty for no instant and for one that the calendar does not hold."""
    if instant is None:
        return ""
    try:
        return f"{_EPOCH + timedelta(microseconds=instant):%H:%M:%S.%f}"[:-3]
    except OverflowError:
        return ""


def iso_of(instant: int | None) -> str:
    """ISO 8601 in UTC with microseconds; empty for no instant and for one that the calendar does not hold."""
    if instant is None:
        return ""
    try:
        return f"{_EPOCH + timedelta(microseconds=instant):%Y-%m-%dT%H:%M:%S.%f}Z"
    except OverflowError:
        return ""
