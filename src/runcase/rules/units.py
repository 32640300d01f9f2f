"""Durations and sizes as logs write them: to microseconds, to bytes."""

from __future__ import annotations

import polars as pl

_CLOCK = r"^\s*(?:(\d+)[ -])?(?:(\d+):)?(\d+):(\d+(?:[.,]\d+)?)\s*$"
"""`12:33`, `00:12:33`, `00:12:33.250`; Slurm and others put days before the clock, `2-03:00:00`."""

_NUMBER = r"(\d+(?:\.\d+)?)"
_PARTS = {
    rf"(?i){_NUMBER}\s*d(?:ays?)?(?:\b|\d|t)": 86_400_000_000,
    rf"(?i){_NUMBER}\s*h(?:(?:ou)?rs?)?(?:\b|\d)": 3_600_000_000,
    rf"(?i){_NUMBER}\s*m(?:in(?:ute)?s?)?(?:\b|\d)": 60_000_000,
    rf"(?i){_NUMBER}\s*s(?:ec(?:ond)?s?)?(?:\b|\d)": 1_000_000,
    rf"(?i){_NUMBER}\s*(?:ms|msecs?|millis(?:econds)?|milliseconds?)(?:\b|\d)": 1_000,
    rf"(?i){_NUMBER}\s*(?:us|µs|μs|usecs?|microseconds?)(?:\b|\d)": 1,
    rf"(?i){_NUMBER}\s*(?:ns|nsecs?|nanoseconds?)(?:\b|\d)": 0.001,
}
"""Unit by unit; ISO 8601 (`PT1M3S`) is read by the same, as its units are letters too."""

_WHOLE = (
    r"(?i)^\s*(?:about |ca\.? |~)?(?:p?t?\s*\d+(?:\.\d+)?\s*(?:d(?:ays?)?|h(?:(?:ou)?rs?)?|m(?:in(?:ute)?s?)?|"
    r"s(?:ec(?:ond)?s?)?|ms|msecs?|millis|milliseconds?|us|µs|μs|usecs?|microseconds?|ns|nsecs?|nanoseconds?)"
    r"[ ,]*(?:and )?t?)+\s*$"
)
"""A text that is a duration from end to end: `5 mounts` is none."""

UNIT_BYTES = {"b": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
_SIZE = r"(?i)^\s*(\d+(?:\.\d+)?)\s*(?:([kmgt])(i)?b?|b|bytes?)\s*$"


def duration_us(text: pl.Expr) -> pl.Expr:
    """Microseconds of `31.8s`, `00:12:33`, `1m 3s`, `250 ms`, `PT1M3S`; a bare number is seconds; else null."""
    days, hours, minutes, seconds = (
        text.str.extract(_CLOCK, n).str.replace(",", ".", literal=True).cast(pl.Float64) for n in (1, 2, 3, 4)
    )
    clock = (days.fill_null(0) * 86_400 + hours.fill_null(0) * 3600 + minutes * 60 + seconds) * 1_000_000
    parts = [text.str.extract(p, 1).cast(pl.Float64) * unit for p, unit in _PARTS.items()]
    united = pl.when(text.str.contains(_WHOLE)).then(pl.sum_horizontal(p.fill_null(0) for p in parts))
    bare = text.str.extract(r"^\s*(\d+(?:\.\d+)?)\s*$", 1).cast(pl.Float64) * 1_000_000
    return pl.coalesce(clock, united, bare).round(0).cast(pl.Int64, strict=False)


def bytes_of(text: pl.Expr) -> pl.Expr:
    """Bytes of `3855`, `12 KB`, `10MiB`; null for anything else."""
    number = text.str.extract(_SIZE, 1).cast(pl.Float64)
    letter = text.str.extract(_SIZE, 2).str.to_lowercase()
    decimal = letter.fill_null("b").replace_strict(UNIT_BYTES, default=None, return_dtype=pl.Float64)
    binary = letter.replace_strict(
        {"k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}, default=None, return_dtype=pl.Float64
    )
    unit = pl.when(text.str.extract(_SIZE, 3).is_not_null()).then(binary).otherwise(decimal)
    bare = text.str.extract(r"^\s*(\d+)\s*$", 1).cast(pl.Float64)
    return pl.coalesce(number * unit, bare).round(0).cast(pl.Int64, strict=False)


def parsed_duration(text: str) -> int | None:
    """Microseconds of one text that states a unit or a clock; None when it states neither."""
    found = pl.select(duration_us(pl.lit(text))).item()
    return None if found is None or text.strip().replace(".", "", 1).isdigit() else int(found)


def parsed_bytes(text: str) -> int | None:
    """Bytes of one text that states a unit; None when it states none."""
    found = pl.select(bytes_of(pl.lit(text))).item()
    return None if found is None or text.strip().isdigit() else int(found)
