"""How the lines of a source are laid out: detected over its first lines, applied to all.

A layout turns lines (`start, length, text`) into the columns that a record
begins with: `ts, ts_lo, ts_hi, ts_basis, level, stream, fields, message`, and
`begins`, which tells whether a line begins a record or goes on with the one
before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from runcase.intake.formats import declared, joining, json_lines, stamps
from runcase.intake.formats.levels import LETTERS, level_of
from runcase.intake.formats.stamp_shapes import StampShape
from runcase.intake.formats.stamp_times import Carry, first_year, resolved
from runcase.model.tables import TIME
from runcase.rules.language import FormatRule

_STREAM = r"^(stdout|stderr) ([FP])(?: |$)"


@dataclass(frozen=True, slots=True)
class Layout:
    """What was detected: stamp shapes in the order of their frequency, JSON lines or not, and how lines are joined."""

    name: str | None
    shapes: tuple[StampShape, ...]
    json: bool
    joins_unstamped: bool
    recorded_at: datetime | None
    first_year: int | None = None
    """Year of the first stamp without one, when no stamp before it tells."""
    formats: tuple[FormatRule, ...] = ()
    """Formats that a pack declares; they go before what is detected."""

    def parse(self, lines: pl.DataFrame, carry: Carry | None = None) -> pl.DataFrame:
        """The columns of a record's begin for each line, in order; `own_day` and `own_tod` are what Carry takes."""
        frame = lines.with_columns(
            ts=pl.lit(None, dtype=TIME),
            ts_lo=pl.lit(None, dtype=TIME),
            ts_hi=pl.lit(None, dtype=TIME),
            ts_basis=pl.lit("none"),
            pre=pl.lit("", dtype=pl.String),
            message=pl.col("text"),
            level=pl.lit(None, dtype=pl.String),
            fields=pl.lit(None, dtype=pl.String),
            stamped=pl.lit(value=False),
        )
        for rule in self.formats:
            frame = declared.read(frame, rule)
        if self.json:
            frame = json_lines.read(frame)
        frame = _stamped(frame, self, carry or Carry())
        return _with_begins(_with_level(_with_stream(frame)), self.joins_unstamped)


def detect(
    sample: pl.Series,
    recorded_at: datetime | None,
    format_name: str | None,
    formats: Sequence[FormatRule],
    complete: bool = False,
) -> Layout:
    """The layout that the first lines of a source show; `complete` when there are no others."""
    full = sample.filter(sample.str.strip_chars().str.len_bytes() > 0)
    own = declared.fitting(full, formats)
    if own is not None:
        return Layout(own.id, (), False, True, recorded_at, None, (own,))
    objects = full.str.contains(r"^\s*\{.*\}\s*$")
    json = 2 * int(objects.sum()) > full.len()
    shapes = tuple(stamps.detect(full.filter(~objects) if json else full, recorded_at))
    year = None
    shown = stamps.read(full, shapes)
    if recorded_at is not None and not all(s.has_year for s in shapes):
        year = first_year(shown, recorded_at, complete)
    if json:
        return Layout("json_lines", shapes, True, False, recorded_at, year)
    joins = bool(shapes) and (~shown["announced"]).sum() >= stamps.OPENED_SHARE * full.len()
    return Layout(format_name or (shapes[0].name if shapes else None), shapes, False, joins, recorded_at, year)


def carried(parsed: pl.DataFrame, before: Carry) -> Carry:
    """The last stamp of parsed lines."""
    days, tods = parsed["own_day"].drop_nulls(), parsed["own_tod"].drop_nulls()
    return Carry(int(days[-1]) if days.len() else before.day, int(tods[-1]) if tods.len() else before.tod)


def _stamped(frame: pl.DataFrame, layout: Layout, carry: Carry) -> pl.DataFrame:
    """Fills time and message of the lines that show a stamp and have no time yet."""
    texts = frame.select(pl.when(~pl.col("stamped")).then("text")).to_series()
    shown = stamps.read(texts, layout.shapes)
    times = resolved(shown, carry, layout.first_year, layout.recorded_at)
    fresh = shown["at"].is_not_null()
    joined = frame.hstack(times.rename({n: f"{n}_" for n in ("ts", "ts_lo", "ts_hi", "ts_basis")}))
    filled = joined.with_columns(
        *(
            pl.when(fresh).then(pl.col(f"{n}_")).otherwise(pl.col(n)).alias(n)
            for n in ("ts", "ts_lo", "ts_hi", "ts_basis")
        ),
        pre=pl.when(fresh).then(shown["pre"]).otherwise(pl.col("pre")),
        message=pl.when(fresh & ~shown["announced"].fill_null(value=False))
        .then(_rest(frame["text"], shown))
        .otherwise(pl.col("message")),
        level=pl.coalesce("level", shown["klog"].replace_strict(LETTERS, default=None, return_dtype=pl.String)),
        stamped=pl.col("stamped") | fresh,
    )
    return filled.drop("ts_", "ts_lo_", "ts_hi_", "ts_basis_")


def _rest(text: pl.Series, shown: pl.DataFrame) -> pl.Series:
    """What follows the stamp: one separating space is taken, closing brackets and colons too."""
    frame = pl.DataFrame({"t": text, "n": shown["pre"].str.len_bytes() + shown["at"].str.len_bytes()})
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
    return frame.with_columns(level=pl.coalesce("level", level_of(pl.col("stamped"), pl.col("pre"), pl.col("message"))))


def _with_begins(frame: pl.DataFrame, joins_unstamped: bool) -> pl.DataFrame:
    bare = ~pl.col("stamped")
    after = bare if joins_unstamped else bare & joining.goes_on(pl.col("text"))
    after_partial = pl.col("partial").shift(1, fill_value=False)
    return frame.with_columns(begins=~(after | after_partial))
