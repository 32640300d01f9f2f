"""What the time that a file was last written tells of stamps that leave out their year or their day."""

from __future__ import annotations

from calendar import isleap
from datetime import date, datetime, timedelta

import polars as pl

from runcase.intake.formats.stamp_times import DAY_US, HALF_YEAR, NEW_YEAR

_LEAP_DAY = 2 * 31 + 29

_APART_US = 2_000_000
"""How far a file's time may be off its last stamp: zip counts in steps of two seconds."""


def first_year(stamps: pl.DataFrame, recorded_at: datetime, complete: bool) -> int:
    """Year of the first stamp of a source whose stamps have none.

    The last stamp that can be seen lies before the file was last written, so that
    a complete sample tells how often the calendar turned since the first. A 29th of
    February falls in a leap year.
    """
    seen = stamps.filter(pl.col("month").is_between(1, 12)).select(place=pl.col("month") * 31 + pl.col("day"))["place"]
    if not seen.len():
        return recorded_at.year
    written = recorded_at.month * 31 + recorded_at.day + 1
    if not complete:
        return recorded_at.year - (int(seen[0]) > written)
    steps = seen.diff().fill_null(0)
    turned = ((steps < -HALF_YEAR).cast(pl.Int32) - (steps > NEW_YEAR).cast(pl.Int32)).cum_sum()
    first = recorded_at.year - (int(seen[-1]) > written) - int(turned[-1])
    leaps = turned.filter(seen == _LEAP_DAY).unique().to_list()
    return next((y for y in range(first, first - 8, -1) if all(isleap(y + t) for t in leaps)), first)


def first_day(stamps: pl.DataFrame, recorded_at: datetime) -> int | None:
    """Day number of the first clock of a whole source, where its last one is the time of day that the file was written.

    Two that agree to the second do so by chance once in 20,000 files; without that, a clock has no day.
    """
    tods = stamps["tod"].drop_nulls()
    if not tods.len():
        return None
    midnight = recorded_at.replace(hour=0, minute=0, second=0, microsecond=0)
    written = (recorded_at - midnight) // timedelta(microseconds=1)
    if not -_APART_US <= written - int(tods[-1]) <= _APART_US:
        return None
    return midnight.toordinal() - date(1970, 1, 1).toordinal() - int((tods.diff() < -DAY_US // 2).sum())
