"""Numbers and instants in words, one way on every face."""

from __future__ import annotations

from datetime import datetime


def iso(value: object) -> str | None:
    """ISO 8601 in UTC with microseconds; None for none."""
    return f"{value:%Y-%m-%dT%H:%M:%S.%f}Z" if isinstance(value, datetime) else None


def duration_words(start: object, end: object) -> str | None:
    """The time from `start` to `end`; None unless both are known."""
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return None
    return micros_words(round((end - start).total_seconds() * 1_000_000))


def micros_words(micros: int | None) -> str:
    """`250ms`, `51s`, `11m 28s`, `2h 03m`, `3d 4h`; seconds have one digit below ten seconds."""
    if micros is None:
        return "?"
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    if micros < 1_000_000:
        return f"{sign}{micros // 1000}ms" if micros >= 1000 or not micros else f"{sign}{micros}us"
    seconds = micros / 1_000_000
    if seconds < 10 and round(seconds, 1) != round(seconds):
        return f"{sign}{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{sign}{whole}s"
    if whole < 3600:
        return f"{sign}{whole // 60}m {whole % 60:02d}s"
    if whole < 86400:
        return f"{sign}{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{sign}{whole // 86400}d {whole % 86400 // 3600}h"


def clock(ts: str | None) -> str:
    """The time of day of an ISO instant, whole seconds; `?` for none."""
    return ts[11:19] if ts else "?"


def bytes_words(count: int | None) -> str:
    """`512 B`, `3.8 kB`, `1.2 MB`."""
    if count is None:
        return "?"
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{int(size)} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return ""


def iso_minute(ts: str | None) -> str:
    """Date and time of day to the minute; `?` for none."""
    return f"{ts[:10]} {ts[11:16]}" if ts else "?"
