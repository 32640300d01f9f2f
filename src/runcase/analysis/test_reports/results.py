"""The events of all runs to TESTS: every tool reads the lines that it needs, tools of one run are summed."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

import polars as pl

from runcase.analysis.multiplexed import own_words
from runcase.analysis.stretches import apart, in_batches, stretches
from runcase.analysis.test_reports import (
    browsers,
    catch,
    dotnet,
    go,
    javascript,
    junit_text,
    jvm,
    maven,
    native,
    python,
    scenarios,
    scripting,
    tap,
)
from runcase.analysis.test_reports.base import Line, Report, Tool, distinct
from runcase.analysis.test_reports.worded import Worded
from runcase.model.refs import ref_of
from runcase.model.tables import TESTS
from runcase.rules.literals import FOLDED, required
from runcase.rules.patterns import any_of, ascii_borders

TOOLS: tuple[Tool, ...] = (
    *(python.Pytest(), python.Unittest(), python.STESTR),
    *(maven.Surefire(), jvm.Gradle(), jvm.AntJunit(), jvm.Sbt(), jvm.ScalaTest(), jvm.JunitPlatform()),
    *(junit_text.JUNIT_TEXT, junit_text.TESTNG),
    *(javascript.Jest(), javascript.Mocha(), javascript.Vitest()),
    *(browsers.Karma(), browsers.JASMINE, browsers.Playwright()),
    *(tap.Tap(), tap.AVA, tap.BUN, tap.DENO),
    *(go.GoTest(), go.GOTESTSUM, go.GINKGO),
    *(native.CARGO, native.NEXTEST, native.ZIG, native.CTEST, native.GTEST, catch.Catch(), native.Boost()),
    *(native.AUTOMAKE, native.MESON, native.Bazel(), native.XCTest(), native.SwiftTesting()),
    *(dotnet.DOTNET, dotnet.NUNIT),
    *(scripting.Rspec(), scripting.MINITEST, scripting.PHPUNIT, scripting.PEST, scripting.Prove()),
    *(scripting.EXUNIT, scripting.EUNIT, scripting.Dart(), scripting.Bats(), scripting.TESTTHAT),
    *(scripting.JULIA, scripting.TASTY, scripting.Busted()),
    *(scenarios.Cucumber(), scenarios.Robot(), scenarios.BEHAVE),
)

UNKNOWN = Worded()
"""Asked where no other tool reports."""

MAX_LINE_CHARS = 500
"""A report's line is shorter; what is longer is output of the tests."""

_TOOLS_AT_ONCE = 8
"""In one pattern: all in one outgrow the engine's automaton, and cost a line fifty times as much (measured 2026-11)."""

_AFTER = ascii_borders(any_of(t.after for t in TOOLS if t.after))
_SIGN = ascii_borders(any_of(t.sign for t in (*TOOLS, UNKNOWN)))
_LINES = [t.wanted for t in (*TOOLS, UNKNOWN)]
_WANTED = [ascii_borders(any_of(_LINES[n : n + _TOOLS_AT_ONCE])) for n in range(0, len(_LINES), _TOOLS_AT_ONCE)]
_LITERALS = sorted({t for tool in (*TOOLS, UNKNOWN) for t in required(tool.sign)}) + list(FOLDED)
"""One of them is in every line that `_SIGN` finds. Runs without such a line have no report; most end here."""


TOTALS = pl.Schema(
    {
        "run_id": pl.String(),
        "tool": pl.String(),
        "source_id": pl.String(),
        "byte_start": pl.Int64(),
        "byte_len": pl.Int64(),
        "failed": pl.Boolean(),
    }
)
"""Where a tool counts its tests, one row an invocation, and whether some of them failed."""


@dataclass(frozen=True, slots=True)
class Tested:
    """What test tools say in the console."""

    results: pl.DataFrame
    """TESTS, one row a run in which some tool reported."""
    totals: pl.DataFrame
    """`TOTALS`, in the order of the sources."""


def tested(events: pl.LazyFrame, counting: Set[str]) -> Tested:
    """What the tools say.

    Args:
        events: EVENTS with runs assigned, in the order of the sources.
        counting: Runs of which `totals` are asked for.
    """
    assigned = events.filter(pl.col("run_id").is_not_null())
    hinted = _hinted(assigned)
    if hinted.is_empty():
        return Tested(TESTS.empty(), pl.DataFrame(schema=TOTALS))
    kept = _kept(assigned.filter(pl.col("run_id").is_in(hinted["run_id"].implode())))
    rows, totals = [], []
    for (run_id,), frame in kept.partition_by("run_id", as_dict=True, maintain_order=True).items():
        found = _reports(frame)
        if found:
            rows.append(_row(str(run_id), frame, [r for _, r in found]))
            totals += _totals(frame, found) if run_id in counting else []
    return Tested(TESTS.frame(rows).sort(TESTS.key), pl.DataFrame(totals, schema=TOTALS))


def _kept(events: pl.LazyFrame) -> pl.DataFrame:
    """Lines that some tool wants, with `place`, their number, and `ref`; and what stands right below some titles."""
    lines = events.select("run_id", "source_id", "byte_start", "byte_len", text=_first_line())
    looked_at = lines.with_columns(
        _wanted=pl.any_horizontal(pl.col("text").str.contains(p) for p in _WANTED).fill_null(value=False),
        _title=pl.col("text").str.contains(_AFTER).fill_null(value=False),
    )
    kept = [looked_at.clear().collect().with_row_index("place")]
    before, titled = 0, False
    for batch in in_batches(looked_at, stretches(events)):
        placed = batch.with_row_index("place", offset=before)
        kept.append(apart(placed.filter(pl.col("_wanted") | pl.col("_title").shift(fill_value=titled))))
        before, titled = before + batch.height, bool(batch["_title"][-1])
    return pl.concat(kept).drop("_wanted", "_title").with_columns(ref=ref_of())


def _hinted(events: pl.LazyFrame) -> pl.DataFrame:
    """`run_id` of runs that may have a report."""
    maybe = events.filter(pl.col("message").str.contains_any(_LITERALS, ascii_case_insensitive=True))
    said = maybe.filter(_first_line().str.contains(_SIGN))
    return said.select("run_id").unique().collect(engine="streaming")


def _below(title: str) -> pl.Expr:
    """Right below a line that shows the pattern."""
    near = pl.col("place").cast(pl.Int64).diff() == 1
    return (near & pl.col("text").shift(1).str.contains(title)).fill_null(value=False)


def _first_line() -> pl.Expr:
    return own_words(pl.col("message").str.split("\n").list.first().str.slice(0, MAX_LINE_CHARS), of_steps=True)


def _row(run_id: str, frame: pl.DataFrame, reports: Sequence[Report]) -> dict[str, object]:
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


def _reports(frame: pl.DataFrame) -> list[tuple[Tool, Report]]:
    """What the tools say; nothing that another one counts itself."""
    found = [(tool, r) for tool in TOOLS if (r := tool.report(_lines(frame, tool)))]
    unknown = UNKNOWN.report(_lines(frame, UNKNOWN)) if not found else None
    found = [(tool, r) for tool, r in found if r.ran or r.skipped or r.failed_names]
    covered = {name for tool, _ in found for name in tool.counts_for}
    return [(t, r) for t, r in found if r.tool not in covered] + ([(UNKNOWN, unknown)] if unknown else [])


def _totals(frame: pl.DataFrame, reports: Sequence[tuple[Tool, Report]]) -> list[dict[str, object]]:
    """Rows of `TOTALS`: a tool's lines between the totals before and after one are one invocation of it."""
    rows: list[tuple[int, dict[str, object]]] = []
    where = frame.select("run_id", "source_id", "byte_start", "byte_len")
    index = {place: n for n, place in enumerate(frame["place"].to_list())}
    for tool, report in reports:
        lines = _lines(frame, tool)
        ends = set(report.places)
        at = [n for n, line in enumerate(lines) if line.place in ends]
        for before, n, after in zip([-1, *at], at, [*at[1:], len(lines)], strict=False):
            said, place = tool.report(lines[before + 1 : after]), lines[n].place
            if said and (said.ran or said.failed):
                stands = where.row(index[place], named=True)
                rows.append((place, stands | {"tool": report.tool, "failed": said.failed > 0}))
    return [row for _, row in sorted(rows, key=lambda r: r[0])]


def _lines(frame: pl.DataFrame, tool: Tool) -> list[Line]:
    says = pl.col("text").str.contains(ascii_borders(tool.wanted))
    mine = frame.filter(says | _below(tool.after) if tool.after else says).select("place", "text")
    return [Line(place, text) for place, text in mine.iter_rows()]


def _total(reports: Sequence[Report], name: str) -> int:
    return sum(int(getattr(r, name)) for r in reports)
