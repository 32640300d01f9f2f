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
    "announced": pl.Boolean(),
}
"""Of a stamp: prefix and stamp, date (and its other reading where the order of its numbers is not evidenced), time of
day and Unix time in microseconds, minutes east of UTC, how much later it may be than it says (null: it
states no clock), level letter, whether the line is text that announces it."""


@dataclass(frozen=True, slots=True)
class Carry:
    """The last stamp before a block: day number and time of day of its own clock."""

    day: int | None = None
    tod: int | None = None


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
        "announced": pl.lit(shape.place == "announced"),
    }
    nothing = pl.lit(None)
    return parts.select((e if (e := made[n]) is not None else nothing).cast(t).alias(n) for n, t in NUMBERS.items())


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


def resolved(stamps: pl.DataFrame, carry: Carry, first_year: int | None, recorded_at: datetime | None) -> pl.DataFrame:
    """Instants of the stamps of consecutive lines.

    Args:
        stamps: Columns of NUMBERS, one row a line; lines without stamp are null.
        carry: The stamp before the first line.
        first_year: Year of the first stamp without year when nothing before it tells.
        recorded_at: When the file was last written, if that is known.

    Returns:
        `ts, ts_lo, ts_hi, ts_basis, impossible, own_day, own_tod`, one row a line; the last two are what Carry takes.
    """
    dated = stamps.with_columns(full_year=_full_year(carry, first_year)).with_columns(
        own_day=day_number(pl.col("full_year"), pl.col("month"), pl.col("day")),
        other_day=day_number(pl.coalesce("year_or", "full_year"), pl.col("month_or"), pl.col("day_or")),
    )
    dated = dated.with_columns(own_day=_day_of_clock(carry))
    timed = dated.with_columns(
        micros=pl.when(~_after_its_file(recorded_at)).then(_instant()),
        moved=(pl.col("other_day") - pl.col("own_day")).fill_null(0) * DAY_US,
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


def _after_its_file(recorded_at: datetime | None) -> pl.Expr:
    """Whether a stamp without year would lie more than a day after its file was last written."""
    if recorded_at is None:
        return pl.lit(value=False)
    latest = int(recorded_at.timestamp() * 1_000_000) + DAY_US
    return (pl.col("year").is_null() & _has_day() & (_instant() > latest)).fill_null(value=False)


def _full_year(carry: Carry, first_year: int | None) -> pl.Expr:
    """The year that is written, or that of the stamp before, plus one for each turn of the calendar since."""
    before = date_of(carry.day) if carry.day is not None else None
    valid = pl.col("month").is_between(1, 12)
    place = pl.when(valid).then(pl.col("month") * 31 + pl.col("day"))
    last = place.forward_fill().shift(1).fill_null(_known(before.month * 31 + before.day if before else None))
    step = place - last
    turn = pl.when(step < -HALF_YEAR).then(1).when(step > NEW_YEAR).then(-1).otherwise(0)
    turned = pl.when(pl.col("year").is_null() & valid).then(turn).otherwise(0).cast(pl.Int32).fill_null(0).cum_sum()
    start = before.year if before else first_year
    return pl.coalesce("year", (pl.col("year") - turned).forward_fill().fill_null(_known(start)) + turned)


def _known(value: int | None) -> pl.Expr:
    return pl.lit(value, dtype=pl.Int64)


def _day_of_clock(carry: Carry) -> pl.Expr:
    """The day of a stamp; one that is only a clock goes on from the day before it, and turns at midnight."""
    bare = ~_has_day() & pl.col("epoch").is_null() & pl.col("tod").is_not_null()
    step = pl.col("tod") - pl.col("tod").forward_fill().shift(1).fill_null(_known(carry.tod))
    turned = (bare & (step < -DAY_US // 2)).fill_null(value=False).cast(pl.Int64).cum_sum()
    day = pl.col("own_day")
    return pl.when(bare).then((day - turned).forward_fill().fill_null(_known(carry.day)) + turned).otherwise(day)


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
