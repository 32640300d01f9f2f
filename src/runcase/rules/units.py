"""Durations as logs write them, to microseconds."""

from __future__ import annotations

import polars as pl

_CLOCK = r"^\s*(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)\s*$"
_PARTS = {
    r"(\d+(?:\.\d+)?)\s*d(?:ays?)?\b": 86_400_000_000,
    r"(\d+(?:\.\d+)?)\s*h(?:(?:ou)?rs?)?(?:\b|\d)": 3_600_000_000,
    r"(\d+(?:\.\d+)?)\s*m(?:in(?:ute)?s?)?(?:\b|\d)": 60_000_000,
    r"(\d+(?:\.\d+)?)\s*s(?:ec(?:ond)?s?)?\b": 1_000_000,
    r"(\d+(?:\.\d+)?)\s*(?:ms|msec|millis(?:econds)?|milliseconds)\b": 1_000,
    r"(\d+(?:\.\d+)?)\s*(?:us|µs|usec|microseconds)\b": 1,
    r"(\d+(?:\.\d+)?)\s*(?:ns|nanoseconds)\b": 0.001,
}


def duration_us(text: pl.Expr) -> pl.Expr:
    """Microseconds of `31.8s`, `00:12:33`, `1m 3s`, `250 ms`; a bare number is seconds; null for anything else."""
    hours, minutes, seconds = (text.str.extract(_CLOCK, n).cast(pl.Float64) for n in (1, 2, 3))
    clock = (hours.fill_null(0) * 3600 + minutes * 60 + seconds) * 1_000_000
    parts = [text.str.extract(p, 1).cast(pl.Float64) * unit for p, unit in _PARTS.items()]
    united = pl.when(pl.any_horizontal(p.is_not_null() for p in parts)).then(
        pl.sum_horizontal(p.fill_null(0) for p in parts)
    )
    bare = text.str.extract(r"^\s*(\d+(?:\.\d+)?)\s*$", 1).cast(pl.Float64) * 1_000_000
    return pl.coalesce(clock, united, bare).round(0).cast(pl.Int64, strict=False)
