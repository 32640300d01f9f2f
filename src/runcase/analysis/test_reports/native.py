"""C and C++ (CTest, GoogleTest, Catch2, doctest, Boost, automake, Meson), Rust, Zig, Swift, Bazel."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from runcase.analysis.test_reports.base import Line, LineTool, Report, Tool, counts, distinct

_NOT_RUN = re.compile(r"^\s*\d+ - \S+ \((?:Skipped|Disabled)\)$")


class _Ctest(LineTool):
    """What it skipped counts as passed in its total, and is listed below it."""

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed."""
        told = super().report(lines)
        skipped = sum(1 for line in lines if _NOT_RUN.match(line.text))
        return told and replace(told, passed=max(0, told.passed - skipped), skipped=skipped)


CTEST = _Ctest(
    "ctest",
    r"tests passed, \d+ tests? failed out of|^\s*\d+ - \S+ \(|^Test project (?:/|[A-Z]:)",
    re.compile(r"tests passed, (?P<failed>\d+) tests? failed out of (?P<run>\d+)"),
    re.compile(
        r"^\s*\d+ - (\S+) \((?:Failed|SEGFAULT|Timeout|Subprocess aborted|Not Run|ILLEGAL|NUMERICAL|Exit code 0x)"
    ),
    counts_for=("gtest", "catch", "boost"),
    begin=r"^Test project (?:/|[A-Z]:)",
)


NEXTEST = LineTool(
    "nextest",
    r"^\s+Summary \[.*tests? run: |^\s+(?:FAIL|SIGSEGV|SIGABRT|TIMEOUT) \[ *[\d.]+s\]|^\s+Starting \d+ tests? across ",
    re.compile(
        r"^\s+Summary \[.*\] (?P<run>\d+)(?:/\d+)? tests? run: (?P<passed>\d+) passed(?: \([^)]*\))?"
        r"(?:, (?P<failed>\d+) failed)?(?:, (?P<failed_late>\d+) timed out)?(?:, (?P<skipped>\d+) skipped)?"
    ),
    re.compile(r"^\s+(?:FAIL|SIGSEGV|SIGABRT|TIMEOUT) \[ *[\d.]+s\] (?:\([^)]*\) )?(\S+ \S+)"),
    begin=r"^\s+Starting \d+ tests? across ",
)


class XCTest(Tool):
    """xcodebuild and swift test: suites nest, so that only the outermost total counts."""

    name = "xctest"
    wanted = r"^\s*Executed \d+ tests?, with |^Test [Cc]ase '.*' failed|^Test Suite '|^\s+✗ \w+, "
    sign = r"Executed \d+ tests?, with "

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed: each ends with the total of `All tests` or `Selected tests`."""
        outer = ""
        totals: list[tuple[Line, dict[str, int]]] = []
        for line in lines:
            if m := re.match(r"^Test Suite '(.*)' (?:passed|failed)", line.text):
                outer = m[1]
            elif outer in ("All tests", "Selected tests"):
                totals += counts(_EXECUTED, [line])
                outer = ""
        totals = totals or counts(_EXECUTED, lines)[-1:]  # xcpretty leaves the suites out
        if not totals:
            return None
        names = [m[1].replace(" ", ".") for line in lines if (m := _XCTEST_CASE.match(line.text))]
        names = names or [m[1] for line in lines if (m := _XCPRETTY_CASE.match(line.text))]
        ran, failed, skipped = (sum(n[k] for _, n in totals) for k in ("run", "failed", "skipped"))
        places = tuple(line.place for line, _ in totals)
        return Report(self.name, ran, max(0, ran - failed - skipped), failed, skipped, distinct(names), places)


_EXECUTED = re.compile(
    r"^\s*Executed (?P<run>\d+) tests?, with (?:(?P<skipped>\d+) tests? skipped and )?(?P<failed>\d+) failures?"
)
_XCPRETTY_CASE = re.compile(r"^\s+✗ (\w+), ")
_XCTEST_CASE = re.compile(r"^Test [Cc]ase '(?:-\[(?:\w+\.)?)?([\w. ]+?)(?:\(\))?\]?' failed")


CARGO = LineTool(
    "cargo",
    r"^test result: |^test .* \.\.\. FAILED",
    re.compile(r"^test result: \w+\. (?P<passed>\d+) passed; (?P<failed>\d+) failed; (?P<skipped>\d+) ignored"),
    re.compile(r"^test (.+?)(?: - should panic)? \.\.\. FAILED"),
)
GTEST = LineTool(
    "gtest",
    r"^\[=+\] \d+ tests? from .* ran|^\[  (?:FAILED |SKIPPED|PASSED ) \] ",
    re.compile(
        r"^\[=+\] (?P<run>\d+) tests? from .* ran|^\[  FAILED  \] (?P<failed>\d+) tests?, listed"
        r"|^\[  SKIPPED \] (?P<skipped>\d+) tests?, listed"
    ),
    re.compile(r"^\[  FAILED  \] (\S+\.[^\s,]+)"),
)
AUTOMAKE = LineTool(
    "automake",
    r"^# (?:TOTAL|PASS|SKIP|XFAIL|FAIL|XPASS|ERROR): +\d+$|^(?:FAIL|ERROR|XPASS): \S+$",
    re.compile(
        r"^# (?:(?:PASS|XFAIL): +(?P<passed>\d+)|SKIP: +(?P<skipped>\d+)|(?:FAIL|XPASS|ERROR): +(?P<failed>\d+))$"
    ),
    re.compile(r"^(?:FAIL|ERROR|XPASS): (\S+)$"),
)
MESON = LineTool(
    "meson",
    r"^(?:Ok|OK|Expected Fail|Fail|FAIL|Unexpected Pass|Skipped|SKIP|Timeout|TIMEOUT): +\d+\s*$"
    r"|^\s*\d+/\d+ .*\b(?:FAIL|TIMEOUT|ERROR)\b|^\s*1/\d+ \S",
    re.compile(
        r"^(?:(?:Ok|OK|Expected Fail): +(?P<passed>\d+)|(?:Skipped|SKIP): +(?P<skipped>\d+)"
        r"|(?:Fail|FAIL|Unexpected Pass|Timeout|TIMEOUT): +(?P<failed>\d+))\s*$"
    ),
    re.compile(r"^\s*\d+/\d+ (?:\S+ / )?(\S.*?)\s+(?:FAIL|TIMEOUT|ERROR)\s"),
    mark=r"^(?:Expected Fail|Unexpected Pass|Timeout|TIMEOUT|FAIL): +\d+\s*$",
    begin=r"^\s*1/\d+ \S",
)
ZIG = LineTool(
    "zig",
    r"^\d+ passed; \d+ skipped; \d+ failed\.|\.\.\.FAIL \(",
    re.compile(r"^(?P<passed>\d+) passed; (?P<skipped>\d+) skipped; (?P<failed>\d+) failed\."),
    re.compile(r"^\d+/\d+ (?:.*?\.)?(test\.\S.*?)\.\.\.FAIL \("),
)


BUCK2 = LineTool(
    "buck2",
    r"^Tests finished: Pass \d+|^✗ (?:Fail|Timeout|Fatal): \S|^Buck UI: ",
    re.compile(
        r"^Tests finished: Pass (?P<passed>\d+)\. (?:Timeout (?P<failed_late>\d+)\. )?Fail (?P<failed>\d+)\."
        r" (?:Timeout (?P<failed_timeout>\d+)\. )?Fatal (?P<failed_fatal>\d+)\. Skip (?P<skipped>\d+)\."
    ),
    re.compile(r"^✗ (?:Fail|Timeout|Fatal): (\S+ - .+?)(?: \([\d.]+m?s\))?$"),
    begin=r"^Buck UI: ",
)


class Boost(Tool):
    """Boost.Test: the end counts failed checks, the names are those of the cases."""

    name = "boost"
    wanted = r"^Running \d+ test cases?\.\.\.|error: in \"[^\"]+\""
    sign = r"^Running \d+ test cases?\.\.\."

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Modules are summed."""
        begins = counts(re.compile(r"^Running (?P<run>\d+) test cases?\.\.\."), lines)
        if not begins:
            return None
        names = distinct([m[1] for line in lines if (m := re.search(r'error: in "([^"]+)"', line.text))])
        ran = sum(n["run"] for _, n in begins)
        places = tuple(line.place for line, _ in begins)
        return Report(self.name, ran, max(0, ran - len(names)), len(names), 0, names, places)


_TARGET = re.compile(
    r"^(//\S+)\s+(?:\(cached\) )?(PASSED|FLAKY|FAILED|TIMEOUT|NO STATUS|SKIPPED|INCOMPLETE|REMOTE FAILURE)\b"
)


class Bazel(Tool):
    """The summary of `bazel test`: a line a target."""

    name = "bazel"
    begin = (
        r"^(?:INFO: )?(?:Analyzed (?:\d+ targets?|target //)|Found \d+ (?:test )?targets?\b)|^={5,} Test output for //"
    )
    wanted = rf"{_TARGET.pattern}|{begin}"
    sign = r"^//\S+\s+(?:\(cached\) )?(?:PASSED|FLAKY|FAILED|TIMEOUT)\b"

    def report(self, lines: Sequence[Line]) -> Report | None:
        """A target that several invocations name has its last result."""
        last = {m[1]: (m[2], line.place) for line in lines if (m := _TARGET.match(line.text))}
        if not last:
            return None
        aside = [t for t, (verdict, _) in last.items() if verdict in ("NO STATUS", "SKIPPED", "INCOMPLETE")]
        bad = [t for t, (verdict, _) in last.items() if verdict in ("FAILED", "TIMEOUT", "REMOTE FAILURE")]
        ran = len(last) - len(aside)
        places = tuple(place for _, place in last.values())
        return Report(self.name, ran, ran - len(bad), len(bad), len(aside), tuple(bad), places)


_SWIFT_END = re.compile(r"^[✘✔􀢄􁁛] +Test run with (\d+) tests?")
_SWIFT_NAME = re.compile(r"^[✘􀢄] +Test (?!run with |case )(.+?) failed after ")


class SwiftTesting(Tool):
    """Swift Testing: the end counts tests and issues, the names are those of the tests."""

    name = "swift testing"
    wanted = r"^[✘✔􀢄􁁛] +Test (?:run with \d+ tests?|\S.* failed after )"
    sign = r"^[✘✔􀢄􁁛] +Test run with \d+ tests?"

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed."""
        ends = [(line, int(m[1])) for line in lines if (m := _SWIFT_END.match(line.text))]
        if not ends:
            return None
        names = distinct([m[1].strip('"') for line in lines if (m := _SWIFT_NAME.match(line.text))])
        ran = sum(n for _, n in ends)
        return Report(
            self.name, ran, max(0, ran - len(names)), len(names), 0, names, tuple(line.place for line, _ in ends)
        )
