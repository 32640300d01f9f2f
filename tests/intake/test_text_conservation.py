"""Semantics that any faster reading of texts must keep: no byte is lost, and how bytes arrive changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.intake.texts import read

from runcase.intake.limits import TextLimits
from runcase.intake.text_source import TextSource, finished

SMALL = TextLimits(block_bytes=64, line_bytes=48, joined_lines=6, joined_bytes=256, segment_bytes=128)
"""So small that short texts are cut in every way that long ones are."""

_LINES = st.sampled_from(
    [
        b"2026-03-01 10:00:00,123 INFO a: x\n",
        b"2026-03-01T10:00:01Z ERROR b: y\r\n",
        b"Dec 31 23:59:59 host a: x\n",
        b"Jan  1 00:00:01 host a: x\n",
        b"  indented\n",
        b"Traceback (most recent call last):\n",
        b'  File "a.py", line 1, in f\n',
        b"ValueError: no\n",
        b"\n",
        b"During handling of the above exception, another exception occurred:\n",
        b"panic: x\n",
        b"goroutine 1 [running]:\n",
        b"main.main()\n",
        b"\t/a/b.go:12 +0x1d\n",
        b"2026-03-01T10:00:00.1Z stdout P part \n",
        b"2026-03-01T10:00:00.2Z stderr F other\n",
        b"2026-03-01T10:00:00.3Z stdout F end\n",
        b"web_1  | hello\n",
        b"db-1   |   at x.y(z)\n",
        b'{"log":"half ","stream":"stdout","time":"2026-03-01T10:00:00Z"}\n',
        b'{"log":"done\\n","stream":"stdout","time":"2026-03-01T10:00:01Z"}\n',
        b" 10%\r 20%\r 30%\n",
        b"\x1b[31mred\x1b[0m\n",
        b"line\r",
        "grüße \U0001f600\n".encode(),
        b"\xff\xfe\x00bad\n",
        b"x" * 150 + b"\n",
        "ä".encode() * 70 + b"\n",
        b"no end",
    ]
)
TEXTS = st.one_of(st.lists(_LINES, max_size=40).map(b"".join), st.binary(max_size=300))
YEARS = datetime(2000, 1, 1), datetime(2030, 1, 1)
CUTS = st.lists(st.integers(0, 1500), max_size=12)


@given(data=TEXTS, cuts=CUTS)
@settings(max_examples=30, deadline=None)
@example(data=b"\xef\xbb\xbfabc", cuts=[1, 2])
@example(data="a\nb\n".encode("utf-16"), cuts=[1, 3])
def test_every_byte_lies_in_exactly_one_record_or_is_counted(data: bytes, cuts: list[int]) -> None:
    got = read(data, cuts, limits=SMALL)

    account = got.account
    assert got.records["byte_len"].sum() + account.quarantined_bytes + account.overhead_bytes == len(data)
    ends = (got.records["byte_start"] + got.records["byte_len"]).to_list()
    assert got.records["byte_start"].to_list() == [account.overhead_bytes, *ends][: len(ends)]


@given(data=TEXTS, cuts=CUTS)
@settings(max_examples=60, deadline=None)
@example(data=b"a\r\nb\rc\rd\r", cuts=[2])
@example(data=b"x" * 200, cuts=[100, 150])
@example(data="ö".encode() * 100, cuts=[49, 97])
def test_how_the_bytes_arrive_changes_no_record(data: bytes, cuts: list[int]) -> None:
    whole = read(data, limits=SMALL)
    pieces = read(data, cuts, limits=SMALL)

    assert pieces.records.rows() == whole.records.rows()
    assert pieces.account == whole.account


@given(data=TEXTS)
@settings(max_examples=20, deadline=None)
@example(
    b"2026-03-01 10:00:00,123 INFO a: x\n" * 3
    + b"2026-03-01T10:00:00.1Z stdout P part \n  indented\nTraceback (most recent call last):\n  indented\n"
    + b"  indented\n"
    + b"Traceback (most recent call last):\n" * 2
    + b"  indented\n"
)
def test_the_size_of_a_block_changes_no_record(data: bytes) -> None:
    small = TextLimits(block_bytes=1, line_bytes=48, joined_lines=6, joined_bytes=256, segment_bytes=128)

    assert read(data, range(0, len(data), 31), limits=small).records.rows() == read(data, limits=SMALL).records.rows()


@given(texts=st.lists(st.tuples(TEXTS, st.none() | st.datetimes(*YEARS)), max_size=6))
@settings(max_examples=60, deadline=None)
@example([(b"Dec 31 23:59:59 host a: x\nJan  1 00:00:01 host a: x\n", datetime(y, 1, 2)) for y in (2024, 2026)])
@example([(b"Traceback (most recent call last):\n", None), (b"x\n  indented\nValueError: no\n", None)])
@example([(b"10:00:00 a\n09:00:00 b\n", None), (b"08:00:00 c\n", None), (b"2026-03-01 10:00:00 d\n11:00:00 e\n", None)])
def test_texts_that_are_read_in_one_pass_give_what_each_gives_alone(texts: list[tuple[bytes, datetime | None]]) -> None:
    dated = [(data, written.replace(tzinfo=UTC) if written else None) for data, written in texts]
    alone, beside = ([TextSource("a.log", w, data) for data, w in dated] for _ in range(2))
    for (data, _), one, other in zip(dated, alone, beside, strict=True):
        one.feed(data)
        other.feed(data)

    found = finished(beside)

    assert [f.rows() for f in found] == [one.finish().rows() for one in alone]
    assert [b.account for b in beside] == [a.account for a in alone]


@given(data=TEXTS)
@settings(max_examples=20, deadline=None)
def test_each_physical_line_is_counted_once(data: bytes) -> None:
    got = read(b"start\n" + data, limits=SMALL)

    if not got.account.encoding.startswith("utf-16") and not data.count(b"\r"):
        lines = (b"start\n" + data).count(b"\n") + (not (b"start\n" + data).endswith(b"\n"))
        assert got.account.lines == lines
        assert got.records["line"].is_sorted()


def test_a_text_whose_lines_end_with_carriage_returns_is_read_line_by_line() -> None:
    data = "".join(f"{w} did well\r" for w in ("one two three four five six seven eight nine ten".split())).encode()
    source = TextSource("log.txt", None, data)
    records = pl.concat([source.feed(data), source.finish()])
    assert source.account.lines == 10
    assert records["byte_len"].sum() == len(data)
