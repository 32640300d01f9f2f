"""A time says how it is known, and how far it may be off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from tests.intake.texts import WRITTEN, Read, read

from runcase.intake.text_source import TextSource
from runcase.rules.language import FormatRule, Place


def _bounds(got: Read) -> list[tuple[str, str]]:
    frame = got.records.select(pl.col("ts_lo", "ts_hi").dt.strftime("%Y-%m-%dT%H:%M:%S"))
    return [(str(a), str(b)) for a, b in frame.iter_rows()]


@pytest.mark.parametrize(
    ("line", "basis"),
    [
        ("2026-03-01T10:00:00Z x", "explicit_zone"),
        ("2026-03-01 10:00:00 +0100 x", "explicit_zone"),
        ("2026-03-01 10:00:00 PST x", "explicit_zone"),
        ("2026-03-01 10:00:00 IST x", "assumed_zone"),
        ("2026-03-01 10:00:00 x", "assumed_zone"),
        ("1772359200 x", "explicit_zone"),
        ("Mar  1 10:00:00 host x", "inferred_year"),
        ("no time", "none"),
    ],
)
def test_a_time_says_how_it_is_known(line: str, basis: str) -> None:
    assert read(f"{line}\n").records["ts_basis"].to_list() == [basis]


def test_a_clock_takes_its_day_from_the_stamp_before_it_and_says_so() -> None:
    got = read("#Date: 2026-03-01 10:00:00\n#Fields: time x\n10:00:01 a\n10:00:02 b\n")

    assert got.records["ts_basis"].to_list() == ["assumed_zone", "inherited", "inherited"]


def test_a_clock_without_any_day_is_no_time() -> None:
    got = read("10:00:01 a\n10:00:02 b\n  more\n")

    assert got.times == [None, None]
    assert got.messages == ["a", "b\n  more"]


def test_a_clock_has_a_day_where_the_last_one_is_the_second_that_the_file_was_written() -> None:
    text = "23:59:59 a\n00:00:01 b\n11:59:59 c\n"

    assert read(text).times == ["2026-03-13T23:59:59", "2026-03-14T00:00:01", "2026-03-14T11:59:59"]
    assert read(text).records["ts_basis"].to_list() == ["inherited"] * 3
    assert read(text, written=WRITTEN + timedelta(seconds=9)).times == [None] * 3


def test_without_a_file_time_a_stamp_without_year_is_no_time() -> None:
    assert read("Mar  1 10:00:00 host x\n", written=None).times == [None]


def test_an_order_of_day_and_month_that_nothing_tells_is_an_interval() -> None:
    got = read("03/02/2026 10:00:00 x\n")

    assert got.times == ["2026-03-02T10:00:00"]
    assert _bounds(got) == [("2026-02-03T10:00:00", "2026-03-02T10:00:00")]


def test_a_stamp_of_minutes_may_be_up_to_a_minute_later() -> None:
    assert _bounds(read("[2026-03-01 17:53] [ALPM] x\n")) == [("2026-03-01T17:53:00", "2026-03-01T17:53:59")]


def test_a_stamp_that_is_no_time_is_told_with_its_place() -> None:
    got = read("2026-03-01 10:00:00 x\n0000-00-00 00:00:00 \x1b]y\n9999-12-31 00:00:00 z\n")

    assert got.times == ["2026-03-01T10:00:00", None, None]
    (problem,) = got.account.problems
    assert (problem.code, problem.byte_start, problem.byte_len) == ("impossible_time", 22, 24)


def _declared(text: str, zone: str | None, ts_format: str | None = "%d.%m.%Y %H:%M:%S") -> pl.DataFrame:
    pattern = r"^(?P<ts>\S+ \S+) (?P<level>\w+) (?P<job>\w+): (?P<message>.*)$"
    rule = FormatRule("own", pattern, Place("pack.yaml", 1, 1), ts_format, zone)
    source = TextSource("a.log", datetime(2026, 3, 14, tzinfo=UTC), text.encode(), formats=(rule,))
    return pl.concat([source.feed(text.encode()), source.finish()])


def test_the_hour_that_summer_time_repeats_is_an_interval() -> None:
    got = _declared("25.10.2025 01:30:00 WARN a: before\n26.10.2025 02:30:00 INFO b: twice\n", "Europe/Berlin")

    assert got["ts_lo"].to_list() == [
        datetime(2025, 10, 24, 23, 30, tzinfo=UTC),
        datetime(2025, 10, 26, 0, 30, tzinfo=UTC),
    ]
    assert got["ts_hi"].to_list() == [
        datetime(2025, 10, 24, 23, 30, tzinfo=UTC),
        datetime(2025, 10, 26, 1, 30, tzinfo=UTC),
    ]
    assert got["ts_basis"].to_list() == ["explicit_zone", "explicit_zone"]


def test_the_hour_that_summer_time_skips_is_no_time() -> None:
    got = _declared("30.03.2025 02:30:00 INFO a: never\n30.03.2025 04:30:00 INFO a: x\n", "Europe/Berlin")

    assert got["ts"].to_list() == [None, datetime(2025, 3, 30, 2, 30, tzinfo=UTC)]


def test_a_declared_format_splits_lines_as_it_says() -> None:
    got = _declared("01.02.2026 10:00:00 WARN a: x\n  more\n01.02.2026 10:00:01 INFO b: y\n", None)

    assert got["message"].to_list() == ["x\n  more", "y"]
    assert got["level"].to_list() == ["warning", "info"]
    assert got["fields"].to_list() == ['{"job":"a"}', '{"job":"b"}']
    assert got["ts_basis"].to_list() == ["assumed_zone", "assumed_zone"]
