"""Line formats that a rule pack declares: a pattern with named captures, a time format and a zone."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from runcase.intake.formats import stamps
from runcase.intake.formats.levels import normal
from runcase.intake.formats.stamp_times import captured
from runcase.model.tables import TIME
from runcase.rules.language import FormatRule

MIN_SHARE = 0.3
"""Of the first lines of a source that must match a declared format."""

_PARTS = ("ts", "level", "logger", "message")


def fitting(sample: pl.Series, formats: Sequence[FormatRule]) -> FormatRule | None:
    """The declared format that most lines match; the earlier of equals."""
    hits = [(int(sample.str.contains(rule.pattern).sum()), rule) for rule in formats]
    best = max(hits, key=lambda h: h[0], default=(0, None))
    return best[1] if best[0] and best[0] >= MIN_SHARE * sample.len() else None


def read(frame: pl.DataFrame, rule: FormatRule) -> pl.DataFrame:
    """Fills time, level, message and fields of the lines that match."""
    parts = captured(frame["text"], rule.pattern)
    names = [n for n in parts.columns if n not in _PARTS or n == "logger"]
    shown = frame["text"].str.contains(rule.pattern)
    times = _times(parts["ts"] if "ts" in parts.columns else pl.Series([None] * frame.height, dtype=pl.String), rule)
    fields = parts.select(pl.struct(names).struct.json_encode()).to_series() if names else None
    level = parts.select(normal(pl.col("level"))).to_series() if "level" in parts.columns else None
    message = parts["message"] if "message" in parts.columns else frame["text"]
    return frame.with_columns(
        *(pl.when(shown).then(times[n]).otherwise(pl.col(n)).alias(n) for n in times.columns),
        message=pl.when(shown).then(message.fill_null("")).otherwise(pl.col("message")),
        level=pl.when(shown).then(level).otherwise(pl.col("level")) if level is not None else pl.col("level"),
        fields=pl.when(shown).then(fields).otherwise(pl.col("fields")) if fields is not None else pl.col("fields"),
        stamped=pl.col("stamped") | shown,
    )


def _times(texts: pl.Series, rule: FormatRule) -> pl.DataFrame:
    """`ts, ts_lo, ts_hi, ts_basis`; the hour that summer time repeats is an interval, the one that it skips no time."""
    if rule.ts_format is None:
        found = stamps.instants(texts)
        return found.select("ts", ts_lo="ts", ts_hi="ts", ts_basis="ts_basis")
    local = texts.str.to_datetime(rule.ts_format, time_unit="us", strict=False, ambiguous="null")
    if local.dtype != pl.Datetime("us"):  # the format has a zone of its own
        at = local.cast(TIME)
        return _bounded(at, at, "explicit_zone")
    zone = rule.zone or "UTC"
    first, second = (
        local.dt.replace_time_zone(zone, ambiguous=a, non_existent="null").dt.convert_time_zone("UTC")
        for a in ("earliest", "latest")
    )
    return _bounded(first, second, "explicit_zone" if rule.zone else "assumed_zone")


def _bounded(low: pl.Series, high: pl.Series, basis: str) -> pl.DataFrame:
    frame = pl.DataFrame({"ts": low, "ts_lo": low, "ts_hi": high})
    return frame.with_columns(ts_basis=pl.when(pl.col("ts").is_null()).then(pl.lit("none")).otherwise(pl.lit(basis)))
