"""How the lines of a source are laid out: detected over its first lines, applied to all.

A layout turns lines (`start, length, text`) into the columns that a record
begins with: `ts, ts_basis, level, stream, fields, message`, and `begins`, which
tells whether a line begins a record or goes on with the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from runcase.intake.formats import json_lines, stamps
from runcase.model.tables import TIME
from runcase.rules.language import FormatRule

LEVELS = {
    "trace": "trace",
    "verbose": "trace",
    "finest": "trace",
    "finer": "trace",
    "debug": "debug",
    "fine": "debug",
    "config": "debug",
    "info": "info",
    "information": "info",
    "notice": "info",
    "warn": "warning",
    "warning": "warning",
    "error": "error",
    "err": "error",
    "severe": "error",
    "fatal": "fatal",
    "critical": "fatal",
    "crit": "fatal",
    "alert": "fatal",
    "emerg": "fatal",
    "panic": "fatal",
}
"""Level names of the loggers at hand -> the six levels of the model."""

_NAMES = "|".join(sorted(LEVELS, key=len, reverse=True))
_BEFORE = rf"(?i)(?:^|[^\w.-])({_NAMES})[\s\]>:|-]*$"
_UPPER = (
    r"^(?:\S+\s+){0,4}?[\[(<]?(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|SEVERE|FATAL|CRITICAL)"
    r"[\])>]?(?:[\s:|,]|$)"
)
_KLOG = {"I": "info", "W": "warning", "E": "error", "F": "fatal", "D": "debug"}
_STREAM = r"^(stdout|stderr) ([FP]) "

STAMPED_SHARE = 0.3
"""Of the lines of a source that must be stamped, so that an unstamped one goes on with the record before."""

_TRACE_LINE = r"^(?:[ \t]+at \S|[ \t]+\.\.\. \d+ (?:more|common)|Caused by: |[ \t]+File \".*\", line \d+)"


@dataclass(frozen=True, slots=True)
class Layout:
    """What was detected: stamp shapes in the order of their frequency, JSON lines or not, and how lines are joined."""

    name: str | None
    shapes: tuple[stamps.StampShape, ...]
    json: bool
    joins_unstamped: bool
    recorded_at: datetime | None
    w3c_date: str | None = None
    """The date of a W3C extended log whose lines have a clock only; each `#Date` line renews it."""

    def parse(self, lines: pl.DataFrame) -> pl.DataFrame:
        """The columns of a record's begin for each line, in order."""
        frame = lines.with_columns(
            ts=pl.lit(None, dtype=TIME),
            ts_basis=pl.lit("none"),
            pre=pl.lit("", dtype=pl.String),
            message=pl.col("text"),
            level=pl.lit(None, dtype=pl.String),
            fields=pl.lit(None, dtype=pl.String),
        )
        if self.json:
            frame = json_lines.read(frame)
        for shape in self.shapes:
            frame = _stamped(frame, shape, self.recorded_at)
        if self.w3c_date is not None:
            frame = _dated(frame, self.w3c_date)
        return _with_begins(_with_level(_with_stream(frame)), self.joins_unstamped)


def detect(
    sample: pl.Series, recorded_at: datetime | None, format_name: str | None, formats: Sequence[FormatRule]
) -> Layout:
    """The layout that the first lines of a source show."""
    full = sample.filter(sample.str.strip_chars().str.len_bytes() > 0)
    objects = full.str.contains(r"^\s*\{.*\}\s*$")
    json = 2 * int(objects.sum()) > full.len()
    rest = full.filter(~objects) if json else full
    shapes = stamps.detect(rest)
    if json:
        return Layout("json_lines", tuple(shapes), True, False, recorded_at)
    w3c = _w3c_date(full)
    if w3c is not None:
        return Layout("w3c", tuple(shapes), False, False, recorded_at, w3c)
    stamped = pl.Series([False] * full.len(), dtype=pl.Boolean)
    for shape in shapes:
        stamped |= full.str.contains(shape.pattern)
    joins = bool(shapes) and int(stamped.sum()) >= STAMPED_SHARE * stamped.len()
    return Layout(format_name or (shapes[0].name if shapes else None), tuple(shapes), False, joins, recorded_at)


def _w3c_date(lines: pl.Series) -> str | None:
    """The first `#Date` of a log whose `#Fields` have a time and no date (W3C Extended Log File Format)."""
    fields = lines.str.extract(r"^#Fields:\s*(.*)$").drop_nulls()
    dates = lines.str.extract(r"^#Date:\s*(\d{4}-\d\d-\d\d)").drop_nulls()
    if not fields.len() or not dates.len():
        return None
    names = str(fields[0]).split()
    return str(dates[0]) if "time" in names and "date" not in names else None


def _dated(frame: pl.DataFrame, date: str) -> pl.DataFrame:
    """Fills the time of lines that open with a clock, by the last `#Date` before them."""
    day = frame["text"].str.extract(r"^#Date:\s*(\d{4}-\d\d-\d\d)").fill_null(strategy="forward").fill_null(date)
    clock = frame["text"].str.extract(r"^(\d\d:\d\d:\d\d)[ \t]")
    at = (
        (day + " " + clock)
        .str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
        .dt.replace_time_zone("UTC")
    )
    fresh = frame["ts"].is_null() & at.is_not_null()
    return frame.with_columns(
        ts=pl.when(fresh).then(at).otherwise(pl.col("ts")),
        ts_basis=pl.when(fresh).then(pl.lit("assumed_zone")).otherwise(pl.col("ts_basis")),
    )


def _stamped(frame: pl.DataFrame, shape: stamps.StampShape, recorded_at: datetime | None) -> pl.DataFrame:
    """Fills time and message of the lines that show `shape` and have no time yet."""
    parts = frame.select(stamps.parsed(pl.col("text"), shape).alias("parts")).unnest("parts")
    times = stamps.instant(parts, shape, recorded_at)
    fresh = frame["ts"].is_null() & times["ts"].is_not_null()
    head = parts["pre"].str.len_bytes() + parts["at"].str.len_bytes()
    rest = _rest(frame["text"], head)
    level = parts["at"].str.slice(0, 1).replace_strict(_KLOG, default=None, return_dtype=pl.String)
    return frame.with_columns(
        ts=pl.when(fresh).then(times["ts"]).otherwise(pl.col("ts")),
        ts_basis=pl.when(fresh).then(times["ts_basis"]).otherwise(pl.col("ts_basis")),
        pre=pl.when(fresh).then(parts["pre"]).otherwise(pl.col("pre")),
        message=pl.when(fresh).then(rest).otherwise(pl.col("message")),
        level=pl.when(fresh & (shape.name == "klog")).then(level).otherwise(pl.col("level")),
    )


def _rest(text: pl.Series, head: pl.Series) -> pl.Series:
    """What follows the stamp: one separating space is taken, closing brackets and colons too."""
    frame = pl.DataFrame({"t": text, "n": head})
    bytes_left = pl.col("t").cast(pl.Binary).bin.slice(pl.col("n")).cast(pl.String)
    return frame.select(bytes_left.str.replace(r"^[\])>\"'|,:;]*\s?", "")).to_series()


def _with_stream(frame: pl.DataFrame) -> pl.DataFrame:
    """`stdout F text`, as container runtimes write it; a partial line goes on with the next."""
    found = frame["message"].str.extract(_STREAM, 1)
    if found.null_count() == found.len():
        return frame.with_columns(stream=pl.lit(None, dtype=pl.String), partial=pl.lit(value=False))
    return frame.with_columns(
        stream=found,
        partial=(frame["message"].str.extract(_STREAM, 2) == "P").fill_null(value=False),
        message=frame["message"].str.replace(_STREAM, ""),
    )


def _with_level(frame: pl.DataFrame) -> pl.DataFrame:
    stamped = pl.col("ts").is_not_null()
    head = pl.col("message").str.slice(0, 120)
    found = pl.coalesce(
        pl.when(stamped & (pl.col("pre") != "")).then(pl.col("pre").str.extract(_BEFORE)),
        pl.when(stamped).then(head.str.extract(_UPPER)),
        pl.when(stamped).then(head.str.extract(r"(?i)\b(?:level|lvl|severity)=\"?(\w+)")),
        pl.when(~stamped).then(
            head.str.extract(r"^\s*\[?(TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL)\]?[\s:]")
        ),
    ).str.to_lowercase()
    normal = found.replace_strict(LEVELS, default=None, return_dtype=pl.String)
    return frame.with_columns(level=pl.coalesce("level", normal))


def _with_begins(frame: pl.DataFrame, joins_unstamped: bool) -> pl.DataFrame:
    stamped = pl.col("ts").is_not_null()
    trace = pl.col("text").str.contains(_TRACE_LINE) & ~stamped
    goes_on = ~stamped if joins_unstamped else trace
    after_partial = pl.col("partial").shift(1, fill_value=False)
    return frame.with_columns(begins=~(goes_on | after_partial))
