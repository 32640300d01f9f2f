"""The events of all runs to TESTS: every tool reads the lines that it needs, tools of one run are summed."""

from __future__ import annotations

import polars as pl

from runcase.analysis.test_reports.base import Line, Report, Tool, distinct
from runcase.analysis.test_reports.javascript import Jest, Mocha, Vitest
from runcase.analysis.test_reports.jvm import AntJunit, Gradle, JunitPlatform, Sbt, Surefire
from runcase.analysis.test_reports.native import (
    CARGO,
    CTEST,
    DOTNET,
    GTEST,
    JUNIT_TEXT,
    KARMA,
    MINITEST,
    NEXTEST,
    PHPUNIT,
    PLAYWRIGHT,
    RSPEC,
    TESTNG,
    GoTest,
    XCTest,
)
from runcase.analysis.test_reports.python import Pytest, Unittest
from runcase.model.refs import ref_of
from runcase.model.tables import TESTS

TOOLS: tuple[Tool, ...] = (
    Pytest(),
    Unittest(),
    Surefire(),
    Gradle(),
    AntJunit(),
    Sbt(),
    JunitPlatform(),
    JUNIT_TEXT,
    Jest(),
    Mocha(),
    Vitest(),
    GoTest(),
    CARGO,
    RSPEC,
    PHPUNIT,
    CTEST,
    DOTNET,
    GTEST,
    MINITEST,
    KARMA,
    PLAYWRIGHT,
    XCTest(),
    NEXTEST,
    TESTNG,
)

MAX_LINE_CHARS = 500
"""A report's line is shorter; what is longer is output of the tests."""

_ABOVE_TESTNG = ("maven", "gradle", "ant")
"""Build tools that count themselves what TestNG counts."""

_HINT_LITERALS = (
    *("passing", "failing", "passed", "FAILED", "Tests run", "Ran ", "test completed", "tests completed", "Tests:"),
    *("Tests  ", "example, ", "examples, ", "test result:", "--- FAIL", "--- PASS", "[junit]", "OK (", ": Total "),
    *("Result: ", "Results: ", "<<< ", "test complete", "tests complete", "tests found", "error in ", "errors in "),
    *(
        "no tests ran",
        " - Failed:",
        "test from ",
        "tests from ",
        " runs, ",
        " tests, ",
        "TOTAL: ",
        "Executed ",
        " failed",
        "tests run: ",
        "test run: ",
    ),
)
"""One of them is in every text that `_HINT` finds."""

_HINT = (
    r"passing|failing|passed|FAILED|Tests run|Ran \d+ test|tests? completed|Tests:|Tests  |examples?, |test result:"
    r"|--- (?:FAIL|PASS)|\[junit\]|OK \(|: Total \d|Results?: |<<< |tests? complete|tests found|\d errors? in "
    r"|no tests ran"
    r"|[!]\s+- Failed:|Total tests: |tests? from |(?:runs|tests), \d+ assertions|^TOTAL: |Executed \d+ test"
    r"|[Tt]ests? run: \d|\d failed$"
)
"""Runs without any such line have no report; most runs end here."""


def test_results(events: pl.LazyFrame) -> pl.DataFrame:
    """TESTS, one row a run in which some tool reported.

    Args:
        events: EVENTS with runs assigned, in the order of the sources.
    """
    assigned = events.filter(pl.col("run_id").is_not_null())
    hinted = _hinted(assigned)
    if hinted.is_empty():
        return TESTS.empty()
    lines = assigned.select("run_id", "source_id", "byte_start", "byte_len", text=_first_line())
    wanted = "|".join(f"(?:{t.wanted})" for t in TOOLS)
    kept = (
        lines.filter(pl.col("run_id").is_in(hinted["run_id"].implode()))
        .with_row_index("place")
        .filter(pl.col("text").str.contains(wanted))
        .with_columns(ref=ref_of())
        .collect()
    )
    rows = [_row(str(k[0]), v) for k, v in kept.partition_by("run_id", as_dict=True, maintain_order=True).items()]
    return TESTS.frame([r for r in rows if r]).sort(TESTS.key)


def _hinted(events: pl.LazyFrame) -> pl.DataFrame:
    """`run_id` of runs that may have a report."""
    maybe = events.filter(pl.col("message").str.contains_any(list(_HINT_LITERALS)))
    said = maybe.filter(_first_line().str.contains(_HINT))
    return said.select("run_id").unique().collect(engine="streaming")


def _first_line() -> pl.Expr:
    return pl.col("message").str.split("\n").list.first().str.slice(0, MAX_LINE_CHARS)


def _row(run_id: str, frame: pl.DataFrame) -> dict[str, object]:
    reports = [r for tool in TOOLS if (r := tool.report(_lines(frame, tool)))]
    reports = [r for r in reports if r.ran or r.skipped or r.failed_names]
    if any(r.tool in _ABOVE_TESTNG for r in reports):
        reports = [r for r in reports if r.tool != "testng"]
    if not reports:
        return {}
    refs = dict(zip(frame["place"].to_list(), frame["ref"].to_list(), strict=True))
    places = sorted({p for r in reports for p in r.places})
    return {
        "run_id": run_id,
        "tool": "+".join(r.tool for r in reports),
        "run": _total(reports, "ran"),
        "passed": _total(reports, "passed"),
        "failed": _total(reports, "failed"),
        "skipped": _total(reports, "skipped"),
        "failed_names": list(distinct([n for r in reports for n in r.failed_names])),
        "refs": [refs[p] for p in places][:20],
    }


def _lines(frame: pl.DataFrame, tool: Tool) -> list[Line]:
    mine = frame.filter(pl.col("text").str.contains(tool.wanted)).select("place", "text")
    return [Line(place, text) for place, text in mine.iter_rows()]


def _total(reports: list[Report], name: str) -> int:
    return sum(int(getattr(r, name)) for r in reports)
