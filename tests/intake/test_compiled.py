"""The compiled way reads every line as the reference does."""

import json

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from runcase.intake import compiled
from runcase.intake.formats.headers import Layout
from runcase.intake.formats.stamp_shapes import StampShape
from runcase.intake.text_source import TextSource

_STAMPS = (
    *("2026-03-01 10:11:12,345", "2026-03-01T10:11:12.123456789Z", "2026-02-30 10:11:12", "2026-03-01T10:11:12+02:00"),
    *("[2026-03-01 10:11:12]", "2026-03-01 10:11:12 -0700", "2026/03/01 10:11:12", "2026-03-01 10:11:60", "2026-03-01"),
    *(
        "2026-03-01 10:11:12.",
        "2026-03-01 10:11:12 UTC",
        "2026-03-01 10:11:12CEST",
        "9999-03-01 10:11:12",
        "2026-03-01 10:11:12 PM",
        "2026-03-01 10:11:12:123",
        "<13>2026-03-01 10:11:12",
        "2026-13-01 10:11:12",
        "{~;=2026-03-01 10:11:12",
        "2026-03-01 10:11:12 GET",
        "20260301",
    ),
)
_WORDS = (
    *(
        "INFO",
        "ERROR:",
        "[WARN]",
        "WARNING",
        "WARNINGS",
        "ERR",
        "NOTICE",
        "(DEBUG)",
        "level=error",
        "lvl=warn x",
        "keyl=1",
    ),
    *(
        "stdout F ",
        "stderr P ",
        "-",
        "  at a.b(C.java:1)",
        "Caused by: x",
        "\tat x",
        "... 3 more",
        "\x1b[31mred\x1b[0m",
        "ü",
    ),
    *(
        "a\rb",
        "\u017f",
        "}",
        '{"a":1}',
        "severity=info",
        "ERROR|",
        "[x:WARN]",
        "<info>",
        "warn: x",
        "info  [a]:",
        "ERR\tx",
        "10 20 E tag",
        "DEBUG2",
        "DEBUG4",
        "CRIT/",
        "(|FINE|)x",
        "LOG",
        '"level":"warn"',
        "log.level=ERROR",
        "a [error] b",
        "Notice|x",
        "x" * 130,
        "",
        "\x7f",
        "\x0b",
        '  File "a.py", line 3',
    ),
)
TEXT = st.lists(
    st.sampled_from(_WORDS) | st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=6), max_size=5
)
PLAIN = st.tuples(
    st.sampled_from([*_STAMPS, "", " ", "***** "]), st.sampled_from(["", " ", "  ", "] "]), TEXT.map(" ".join)
)
_KEYS = ("time", "timestamp", "message", "msg", "level", "severity", "PRIORITY", "trace_id", "log", "x")
_VALUES = st.sampled_from(
    [
        "2026-03-01T10:11:12.5Z",
        "2026-03-01 10:11:12",
        "info",
        "WARN",
        "odd",
        "",
        "a\nb",
        'q"',
        5,
        1e400,
        -0.5,
        None,
        True,
        {},
        {"a": [1, {"b": "]}"}], "c": {}},
        [],
        [[], "x"],
        "stdout F INFO hi",
        "ERROR x",
        "é",
        "\ud800",
        123456789012345678,
    ]
)
OBJECT = st.tuples(
    st.dictionaries(st.sampled_from(_KEYS), _VALUES, max_size=5),
    st.booleans(),
    st.sampled_from(["", ",", "}", " ", "\t"]),
)


def read(data: bytes, layout: Layout, chunk: int, way: bool) -> pl.DataFrame:
    source = TextSource("x", None, data[:100])
    source.account.encoding = "utf-8"
    source._layout, source._compiled, source._cr_ends = layout, way, False
    frames = [source.feed(data[i : i + chunk]) for i in range(0, len(data), chunk)]
    return pl.concat([*frames, source.finish()])


def same(lines: list[str], layout: Layout, end: str, chunk: int) -> None:
    data = end.join(lines).encode("utf-8", "surrogatepass")
    assert compiled.takes(layout, "utf-8")
    assert read(data, layout, chunk, True).equals(read(data, layout, chunk, False), null_equal=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(PLAIN.map("".join), min_size=1, max_size=12), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_a_line_says_the_same_both_ways(lines: list[str], end: str, alternating: bool) -> None:
    padding = ["2026-03-01 10:11:12 stdout F INFO plain"] * 2 * len(lines)
    layout = Layout("x", (StampShape("iso", "tight"),), False, True, None, interleaved=alternating)
    same(lines + padding, layout, end, 1 << 20)


@settings(max_examples=40, deadline=None)
@given(st.lists(OBJECT, min_size=1, max_size=8))
def test_an_object_says_the_same_both_ways(objects: list[tuple[dict[str, object], bool, str]]) -> None:
    lines = [json.dumps(o, ensure_ascii=escaped) + tail for o, escaped, tail in objects]
    padding = ['{"time":"2026-03-01T10:11:12Z","msg":"plain"}'] * 2 * len(lines)
    same(lines + padding, Layout("json_lines", (), True, False, None), "\n", 1 << 20)


def test_lines_that_stand_over_the_border_of_blocks_are_whole_both_ways() -> None:
    line = "2026-03-01 10:11:12 ERROR " + "x" * 200 + "\n\tat a.b.c\n  more\n"
    layout = Layout("iso", (StampShape("iso", "tight"),), False, True, None)
    same([line * 12_000], layout, "\n", 100_003)


def test_a_layout_with_a_property_that_the_kernels_were_not_taught_goes_the_other_way() -> None:
    names = list(Layout.__dataclass_fields__)
    assert names == compiled._KNOWN_FIELDS, "teach `compiled` (or `takes`) the new property, then name it there"
