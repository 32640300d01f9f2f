"""The events of all runs to TESTS: every tool reads the lines that it needs, tools of one run are summed."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain

import polars as pl

from runcase.analysis.multiplexed import own_words
from runcase.analysis.stretches import Stretch, apart, in_batches
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
from runcase.analysis.test_reports.counted_once import AGAIN, Tries, inside, tries
from runcase.analysis.test_reports.worded import Worded
from runcase.model.refs import ref_of
from runcase.model.tables import TESTS
from runcase.rules.literals import FOLDED, required_of
from runcase.rules.patterns import any_of, ascii_borders

TOOLS: tuple[Tool, ...] = (
    *(python.Pytest(), python.Unittest(), python.STESTR),
    *(maven.Surefire(), jvm.Gradle(), jvm.AntJunit(), jvm.Sbt(), jvm.ScalaTest(), jvm.ZioTest(), jvm.JunitPlatform()),
    *(junit_text.JUNIT_TEXT, junit_text.TESTNG),
    *(javascript.Jest(), javascript.Mocha(), javascript.Vitest(), javascript.Uvu(), javascript.ElmTest()),
    *(browsers.Karma(), browsers.JASMINE, browsers.Playwright(), browsers.TESTCAFE),
    *(tap.Tap(), tap.AVA, tap.BUN, tap.DENO),
    *(go.GoTest(), go.GOTESTSUM, go.GINKGO),
    *(native.CARGO, native.NEXTEST, native.ZIG, native.CTEST, native.GTEST, catch.Catch(), native.Boost()),
    *(native.AUTOMAKE, native.MESON, native.Bazel(), native.BUCK2, native.XCTest(), native.SwiftTesting()),
    *(dotnet.DOTNET, dotnet.NUNIT),
    *(
        scripting.Rspec(),
        scripting.MINITEST,
        scripting.PHPUNIT,
        scripting.PEST,
        scripting.PESTER,
        scripting.CLOJURE,
        scripting.Prove(),
    ),
    *(scripting.EXUNIT, scripting.EUNIT, scripting.Dart(), scripting.Bats(), scripting.TESTTHAT),
    *(scripting.JULIA, scripting.ALCOTEST, scripting.TASTY, scripting.Busted()),
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
_LINES = [*(t.wanted for t in (*TOOLS, UNKNOWN)), AGAIN]
_WANTED = [ascii_borders(any_of(_LINES[n : n + _TOOLS_AT_ONCE])) for n in range(0, len(_LINES), _TOOLS_AT_ONCE)]
SIGN_LITERALS = sorted(set(chain(*required_of([t.sign for t in (*TOOLS, UNKNOWN)], __file__)))) + list(FOLDED)
"""One of them is in every record of which `is_sign` holds. Runs without one have no report; most end here."""


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


def tested(events: pl.LazyFrame, parted: Sequence[Stretch], reporting: Set[str], counting: Set[str]) -> Tested:
    """What the tools say.

    Args:
        events: EVENTS with runs assigned, in the order of the sources.
        parted: Their stretches.
        reporting: Runs with a record of which `is_sign` holds.
        counting: Runs of which `totals` are asked for.
    """
    if not reporting:
        return Tested(TESTS.empty(), pl.DataFrame(schema=TOTALS))
    kept = _kept(events.filter(pl.col("run_id").is_in(sorted(reporting))), parted)
    rows, totals = [], []
    for (run_id,), frame in kept.partition_by("run_id", as_dict=True, maintain_order=True).items():
        tried = tries(frame)
        found = _reports(frame, tried)
        if found:
            rows.append(_row(str(run_id), frame, found))
            totals += _totals(frame, found) if run_id in counting else []
    return Tested(TESTS.frame(rows).sort(TESTS.key), pl.DataFrame(totals, schema=TOTALS))


def _kept(events: pl.LazyFrame, parted: Sequence[Stretch]) -> pl.DataFrame:
    """Lines that some tool wants, and what stands right below some titles; with what tells where they stand.

    `place` is their number, `step` that of the command or step they belong to, `ref` where their bytes are.
    """
    begins = pl.col("kind").is_in(["stage.started", "tool.started"]).fill_null(value=False)
    lines = events.select("run_id", "source_id", "byte_start", "byte_len", _begins=begins, text=_first_line())
    looked_at = lines.with_columns(
        _wanted=pl.any_horizontal(pl.col("text").str.contains(p) for p in _WANTED).fill_null(value=False),
        _title=pl.col("text").str.contains(_AFTER).fill_null(value=False),
    )
    kept = [looked_at.clear().collect().with_row_index("place").with_columns(step=pl.lit(0, pl.UInt32))]
    before, steps, titled = 0, 0, False
    for batch in in_batches(looked_at, parted):
        placed = batch.with_row_index("place", offset=before).with_columns(step=pl.col("_begins").cum_sum() + steps)
        kept.append(apart(placed.filter(pl.col("_wanted") | pl.col("_title").shift(fill_value=titled))))
        before, steps, titled = before + batch.height, int(placed["step"][-1]), bool(batch["_title"][-1])
    return pl.concat(kept).drop("_wanted", "_title", "_begins").with_columns(ref=ref_of())


def is_sign() -> pl.Expr:
    """Whether the `message` of a record may be of a report."""
    return _first_line().str.contains(_SIGN)


def _below(title: str) -> pl.Expr:
    """Right below a line that shows the pattern."""
    near = pl.col("place").cast(pl.Int64).diff() == 1
    return (near & pl.col("text").shift(1).str.contains(title)).fill_null(value=False)


def _first_line() -> pl.Expr:
    return own_words(pl.col("message").str.split("\n").list.first().str.slice(0, MAX_LINE_CHARS), of_steps=True)


@dataclass(frozen=True, slots=True)
class _Told:
    """What one tool reports, and the lines that it does so with."""

    tool: Tool
    report: Report
    lines: Sequence[Line]
    earlier: frozenset[tuple[int, int]]
    """Tries that the report leaves out."""


def _row(run_id: str, frame: pl.DataFrame, found: Sequence[_Told]) -> dict[str, object]:
    refs = dict(zip(frame["place"].to_list(), frame["ref"].to_list(), strict=True))
    reports = [t.report for t in found]
    places = sorted({p for r in reports for p in r.places})
    return {
        "run_id": run_id,
        "tool": "+".join(r.tool for r in reports),
        "run": _total(reports, "ran"),
        "passed": _total(reports, "passed"),
        "failed": _total(reports, "failed"),
        "skipped": _total(reports, "skipped"),
        "failed_names": list(distinct([n for r in reports for n in r.failed_names])),
        "earlier_tries": len({span for t in found for span in t.earlier}),
        "refs": [refs[p] for p in places][:20],
    }


def _reports(frame: pl.DataFrame, tried: Tries) -> list[_Told]:
    """What the tools say; nothing of a try that was tried again, and nothing that another tool counts itself."""
    found = [told for tool in TOOLS if (told := _told(tool, _lines(frame, tool), tried))]
    unknown = None if found else _told(UNKNOWN, _lines(frame, UNKNOWN), tried)
    outer = [(t, span) for t in found for span in inside(t.tool, t.report, t.lines)]
    found = [kept for t in found if (kept := _outside(t, [span for other, span in outer if other is not t]))]
    found = [t for t in found if t.report.ran or t.report.skipped or t.report.failed_names]
    covered = {name for t in found for name in t.tool.counts_for}
    return [t for t in found if t.report.tool not in covered] + ([unknown] if unknown else [])


def _told(tool: Tool, lines: Sequence[Line], tried: Tries) -> _Told | None:
    again = tried.before_last(lines, tool)
    lines = _without(lines, [(begin, end - 1) for begin, end in again])
    report = tool.report(lines)
    return _Told(tool, report, lines, frozenset(again)) if report else None


def _outside(told: _Told, spans: Sequence[tuple[int, int]]) -> _Told | None:
    """What a tool says outside the invocations of others that run it."""
    lines = _without(told.lines, spans)
    report = told.report if len(lines) == len(told.lines) else told.tool.report(lines)
    return replace(told, report=report, lines=lines) if report else None


def _without(lines: Sequence[Line], spans: Sequence[tuple[int, int]]) -> list[Line]:
    return [line for line in lines if not any(begin <= line.place <= end for begin, end in spans)]


def _totals(frame: pl.DataFrame, found: Sequence[_Told]) -> list[dict[str, object]]:
    """Rows of `TOTALS`: a tool's lines between the totals before and after one are one invocation of it."""
    rows: list[tuple[int, dict[str, object]]] = []
    where = frame.select("run_id", "source_id", "byte_start", "byte_len")
    index = {place: n for n, place in enumerate(frame["place"].to_list())}
    for told in found:
        ends = set(told.report.places)
        at = [n for n, line in enumerate(told.lines) if line.place in ends]
        for before, n, after in zip([-1, *at], at, [*at[1:], len(told.lines)], strict=False):
            said, place = told.tool.report(told.lines[before + 1 : after]), told.lines[n].place
            if said and (said.ran or said.failed or said.broken):
                stands = where.row(index[place], named=True)
                rows.append((place, stands | {"tool": told.report.tool, "failed": said.failed > 0 or said.broken}))
    return [row for _, row in sorted(rows, key=lambda r: r[0])]


def _lines(frame: pl.DataFrame, tool: Tool) -> list[Line]:
    says = pl.col("text").str.contains(ascii_borders(tool.wanted))
    mine = frame.filter(says | _below(tool.after) if tool.after else says).select("place", "text")
    return [Line(place, text) for place, text in mine.iter_rows()]


def _total(reports: Sequence[Report], name: str) -> int:
    return sum(int(getattr(r, name)) for r in reports)
