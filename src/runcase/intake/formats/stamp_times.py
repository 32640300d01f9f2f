"""Parts of stamps to instants: what a stamp leaves out comes from its neighbours, and the basis says so.

A stamp without year takes the year of the nearest stamp before it, and the next
one where the calendar turns; the first one lies before its file was last
written. A stamp without date goes on from the day of the stamp before it.
Impossible dates, years outside 1970 to 2199, and yearless stamps that would lie
after their file are no time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from runcase.intake.formats.stamp_shapes import MONTHS, ZONES, Order, StampShape

FIRST_YEAR, LAST_YEAR = 1970, 2199
DAY_US = 86_400_000_000
_MAX_OFFSET = 15 * 60
HALF_YEAR = 186
"""Of `month * 31 + day`: a larger step back is a turn of the calendar, a smaller one a line out of order."""

NEW_YEAR = 350
"""Of the same: a larger step ahead is a line of last year behind one of this year."""

_TAI_EPOCH = (1 << 62) + 10
"""Label of 1970-01-01 as tai64n of daemontools and s6 write it (cr.yp.to/libtai/tai64.html)."""

NUMBERS = {
    "pre": pl.String(),
    "at": pl.String(),
    "year": pl.Int32(),
    "month": pl.Int32(),
    "day": pl.Int32(),
    "year_or": pl.Int32(),
    "month_or": pl.Int32(),
    "day_or": pl.Int32(),
    "tod": pl.Int64(),
    "zone": pl.Int32(),
    "epoch": pl.Int64(),
    "slack": pl.Int64(),
    "klog": pl.String(),
    "within": pl.Boolean(),
}
"""Of a stamp: prefix and stamp, date (and its other reading where the order of its numbers is not evidenced), time of
day and Unix time in microseconds, minutes east of UTC, how much later it may be than it says (null: it
states no clock), level letter, whether it stands within text that belongs to the message."""


@dataclass(frozen=True, slots=True)
class Carry:
    """The last stamp before a block: day number and time of day of its own clock."""

    day: int | None = None
    tod: int | None = None


_NO_CARRY = Carry()


def captured(texts: pl.Series, pattern: str) -> pl.DataFrame:
    """The named groups of a pattern as columns; null where it does not match."""
    return pl.DataFrame({"t": texts}).select(g=pl.col("t").str.extract_groups(pattern)).unnest("g")


def numbers(parts: pl.DataFrame, shape: StampShape) -> pl.DataFrame:
    """The columns of NUMBERS for the captured parts of a shape; null where the line does not show it."""
    have = set(parts.columns)
    year, month, day = _date(have, shape.order)
    other = _date(have, shape.also[0]) if shape.also else (None, None, None)
    minutes = 59_999_999 if shape.name == "iso_minute" else 0
    letter = pl.col("at").str.slice(0, 1) if shape.name.startswith("klog") else None
    made: dict[str, pl.Expr | None] = {
        "pre": pl.col("pre"),
        "at": pl.col("at"),
        "year": year,
        "month": month,
        "day": day,
        "year_or": other[0],
        "month_or": other[1],
        "day_or": other[2],
        "tod": _time_of_day(have) if "H" in have else None,
        "zone": _zone(have),
        "epoch": _epoch(have),
        "slack": pl.lit(minutes) if shape.name != "day" else None,
        "klog": letter,
        "within": _within(shape),
    }
    nothing = pl.lit(None)
    return parts.select((e if (e := made[n]) is not None else nothing).cast(t).alias(n) for n, t in NUMBERS.items())


def _within(shape: StampShape) -> pl.Expr:
    """Whether a stamp stands within a sentence, and not behind a header of names and brackets."""
    if shape.place != "loose":
        return pl.lit(shape.place == "announced")
    words = pl.col("pre").str.count_matches(r"[A-Za-z]{2,}[\w'-]*[,:=]?\s")
    return words >= (2 if shape.few else 3)


def _int(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int32, strict=False)


def _date(have: set[str], order: Order) -> tuple[pl.Expr | None, pl.Expr | None, pl.Expr | None]:
    """Year, month and day; the two numbers `a` and `c` (and `y`) are read in the order given."""
    short = _century(_int("y")) if "y" in have else None
    year = _int("Y") if "Y" in have else short
    if "a" not in have:
        month = pl.col("b").str.to_lowercase().replace_strict(MONTHS, default=None, return_dtype=pl.Int32)
        return year, _int("m") if "m" in have else month if "b" in have else None, _int("d") if "d" in have else None
    if order == "ymd":
        return _century(_int("a")), _int("c"), _int("y")
    return (year, _int("a"), _int("c")) if order == "mdy" else (year, _int("c"), _int("a"))


def _century(two: pl.Expr) -> pl.Expr:
    """POSIX strptime %y: 69 to 99 are 1969 to 1999."""
    return pl.when(two >= 69).then(two + 1900).otherwise(two + 2000)


def _time_of_day(have: set[str]) -> pl.Expr:
    """Microseconds since midnight; null for an hour or minute that does not exist."""
    hour, minute, second = _int("H"), _int("M"), _int("S") if "S" in have else pl.lit(0, dtype=pl.Int32)
    valid = (hour < 24) & (minute < 60) & (second <= 60)
    if "p" in have:
        half = pl.col("p").str.to_lowercase()
        valid &= half.is_null() | ((half == "p") & (hour > 0)) | ((half == "a") & (hour <= 12))
        hour = pl.when(half == "p").then(hour % 12 + 12).when(half == "a").then(hour % 12).otherwise(hour)
    micro = _digits("f", 6) if "f" in have else pl.lit(0, dtype=pl.Int64)
    if "fm" in have:
        micro += pl.col("fm").cast(pl.Int64, strict=False).fill_null(0) * 1000
    seconds = hour.cast(pl.Int64) * 3600 + minute * 60 + second
    return pl.when(valid).then(seconds * 1_000_000 + micro)


def _digits(name: str, count: int) -> pl.Expr:
    """A decimal fraction as so many digits."""
    padded = pl.col(name).fill_null("0").str.pad_end(count, "0").str.slice(0, count)
    return padded.cast(pl.Int64, strict=False).fill_null(0)


def _zone(have: set[str]) -> pl.Expr | None:
    """Minutes east of UTC; null when no zone is written or its name means several."""
    if "bias" in have:
        return -_int("bias")
    if "off" in have:
        return _int("off")
    if "z" not in have:
        return None
    text = pl.coalesce(pl.col(n) for n in ("z", "z_") if n in have)
    written = text.str.extract(r"([+-]\d\d(?::?\d\d)?)$").str.replace(":", "", literal=True).str.pad_end(5, "0")
    hours, minutes = written.str.slice(1, 2).cast(pl.Int32, strict=False), written.str.slice(3, 2)
    east = hours * 60 + minutes.cast(pl.Int32, strict=False)
    signed = pl.when(written.str.starts_with("-")).then(-east).otherwise(east)
    named = text.str.to_uppercase().replace_strict(ZONES, default=None, return_dtype=pl.Int32)
    return pl.coalesce(pl.when(signed.abs() <= _MAX_OFFSET).then(signed), named)


def _epoch(have: set[str]) -> pl.Expr | None:
    if "t" in have:
        seconds = pl.col("t").str.to_integer(base=16, strict=False, dtype=pl.Int64) - _TAI_EPOCH
        nanos = pl.col("tn").str.to_integer(base=16, strict=False, dtype=pl.Int64)
        return pl.when(seconds.is_between(0, 2**33)).then(seconds * 1_000_000 + nanos // 1000)
    if "e" not in have:
        return None
    return pl.col("e").cast(pl.Int64, strict=False) * 1_000_000 + _digits("ef", 6) + _digits("ed", 6)


def day_number(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """Days since 1970-01-01 in the Gregorian calendar; null for a date that does not exist or lies outside our years.

    Source: days_from_civil, howardhinnant.github.io/date_algorithms.html.
    """
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    short = month.is_in([4, 6, 9, 11])
    length = pl.when(month == 2).then(28 + leap.cast(pl.Int32)).when(short).then(30).otherwise(31)
    valid = year.is_between(FIRST_YEAR, LAST_YEAR) & month.is_between(1, 12) & day.is_between(1, length)
    shifted = (year - (month <= 2).cast(pl.Int32)).cast(pl.Int64)
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return pl.when(valid).then(
        era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year.cast(pl.Int64) - 719_468
    )


@dataclass(frozen=True, slots=True)
class Before:
    """What is known before the first of some stamps; where they are those of several texts, before each text's first.

    `year` and `latest` are expressions, since they may differ from text to text.
    """

    carry: Carry
    """The stamp that came last; empty for several texts, which are complete."""
    year: pl.Expr
    """Year of the first stamp without one, when nothing before it tells."""
    latest: pl.Expr
    """Microseconds since 1970 after which a stamp without year cannot lie; null where no file time is known."""
    text: str | None = None
    """Column that tells the texts apart; None for one text."""

    @classmethod
    def of(cls, carry: Carry = _NO_CARRY, first_year: int | None = None, recorded_at: datetime | None = None) -> Before:
        """Of the stamps of one text, of which `carry` came last."""
        return cls(carry, _known(first_year), _known(latest(recorded_at)))

    def within(self, order: pl.Expr) -> pl.Expr:
        """An expression that looks at earlier rows, kept inside each text."""
        return order if self.text is None else order.over(self.text)


def latest(recorded_at: datetime | None) -> int | None:
    """As `Before.latest`: a day after the file was last written."""
    return None if recorded_at is None else int(recorded_at.timestamp() * 1_000_000) + DAY_US


def resolved(stamps: pl.DataFrame, before: Before) -> pl.DataFrame:
    """Instants of the stamps of consecutive lines.

    Args:
        stamps: Columns of NUMBERS, one row a line; lines without stamp are null.
        before: What is known before the first line.

    Returns:
        `ts, ts_lo, ts_hi, ts_basis, impossible, own_day, own_tod`, one row a line; the last two are what Carry takes.
    """
    timed = (
        _with_day_of_clock(_with_full_year(stamps.lazy(), before), before)
        .with_columns(
            micros=pl.when(~_after_its_file(before)).then(_instant()),
            moved=(pl.col("other_day") - pl.col("written_day")).fill_null(0) * DAY_US,
        )
        .collect()
    )
    stamp = pl.Datetime("us", "UTC")
    return timed.select(
        "own_day",
        own_tod="tod",
        ts=pl.col("micros").cast(stamp),
        ts_lo=(pl.col("micros") + pl.col("moved").clip(upper_bound=0)).cast(stamp),
        ts_hi=(pl.col("micros") + pl.col("moved").clip(lower_bound=0) + pl.col("slack").fill_null(0)).cast(stamp),
        ts_basis=pl.when(pl.col("micros").is_null()).then(pl.lit("none")).otherwise(_basis()),
        impossible=(_has_day() | pl.col("epoch").is_not_null())
        & pl.col("slack").is_not_null()
        & pl.col("micros").is_null(),
    )


def _has_day() -> pl.Expr:
    return pl.col("month").is_not_null()


def _instant() -> pl.Expr:
    """Microseconds since 1970, UTC; an unknown zone counts as UTC."""
    east = pl.col("zone").fill_null(0).cast(pl.Int64) * 60_000_000
    return pl.coalesce("epoch", pl.col("own_day") * DAY_US + pl.col("tod") - east)


def _after_its_file(before: Before) -> pl.Expr:
    """Whether a stamp without year would lie more than a day after its file was last written."""
    return (pl.col("year").is_null() & _has_day() & (_instant() > before.latest)).fill_null(value=False)


def _with_full_year(stamps: pl.LazyFrame, before: Before) -> pl.LazyFrame:
    """`full_year`: that which is written, or that of the stamp before, plus one for each turn of the calendar since.

    And the days that it gives: `written_day`, and `other_day` in the other order of its numbers.
    """
    last = date_of(before.carry.day) if before.carry.day is not None else None
    valid = pl.col("month").is_between(1, 12)
    step = pl.col("place") - pl.col("place_before").fill_null(_known(last.month * 31 + last.day if last else None))
    turn = pl.when(step < -HALF_YEAR).then(1).when(step > NEW_YEAR).then(-1).otherwise(0)
    start = _known(last.year) if last else before.year
    return (
        stamps.with_columns(place=pl.when(valid).then(pl.col("month") * 31 + pl.col("day")))
        .with_columns(place_before=before.within(pl.col("place").forward_fill().shift(1)))
        .with_columns(turn=pl.when(pl.col("year").is_null() & valid).then(turn).otherwise(0).cast(pl.Int32))
        .with_columns(turned=before.within(pl.col("turn").fill_null(0).cum_sum()))
        .with_columns(base=before.within((pl.col("year") - pl.col("turned")).forward_fill()))
        .with_columns(full_year=pl.coalesce("year", pl.col("base").fill_null(start) + pl.col("turned")))
        .with_columns(
            written_day=day_number(pl.col("full_year"), pl.col("month"), pl.col("day")),
            other_day=day_number(pl.coalesce("year_or", "full_year"), pl.col("month_or"), pl.col("day_or")),
        )
    )


def _known(value: int | None) -> pl.Expr:
    return pl.lit(value, dtype=pl.Int64)


def _with_day_of_clock(dated: pl.LazyFrame, before: Before) -> pl.LazyFrame:
    """`own_day`: a stamp that is only a clock goes on from the day before it, and turns at midnight."""
    bare = ~_has_day() & pl.col("epoch").is_null() & pl.col("tod").is_not_null()
    step = pl.col("tod") - pl.col("tod_before").fill_null(_known(before.carry.tod))
    turn = (bare & (step < -DAY_US // 2)).fill_null(value=False)
    day = pl.col("day_base").fill_null(_known(before.carry.day)) + pl.col("nights")
    return (
        dated.with_columns(tod_before=before.within(pl.col("tod").forward_fill().shift(1)))
        .with_columns(turn=turn.cast(pl.Int64))
        .with_columns(nights=before.within(pl.col("turn").cum_sum()))
        .with_columns(day_base=before.within((pl.col("written_day") - pl.col("nights")).forward_fill()))
        .with_columns(own_day=pl.when(bare).then(day).otherwise("written_day"))
    )


def _basis() -> pl.Expr:
    known = pl.col("epoch").is_not_null() | pl.col("zone").is_not_null()
    return (
        pl.when(~_has_day() & pl.col("epoch").is_null())
        .then(pl.lit("inherited"))
        .when(pl.col("year").is_null() & _has_day())
        .then(pl.lit("inferred_year"))
        .when(known)
        .then(pl.lit("explicit_zone"))
        .otherwise(pl.lit("assumed_zone"))
    )


def date_of(day: int) -> date:
    """The date of a day number."""
    return date(1970, 1, 1) + timedelta(days=day)
