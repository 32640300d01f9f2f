"""go test, cargo test, rspec, phpunit, ctest, dotnet: tools whose totals and names stand one a line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from runcase.analysis.test_reports.base import Line, Report, Tool, counts, distinct


@dataclass(frozen=True)
class LineTool(Tool):
    """A tool that is told by patterns.

    `end` has the groups `passed`, `failed`, `skipped`, or `run` for all of them;
    `failure` has the name as its first group that matched.
    """

    name: str
    wanted: str
    end: re.Pattern[str]
    failure: re.Pattern[str]
    run_counts_skipped: bool = True

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Ends are summed."""
        ends = counts(self.end, lines)
        names = [next(g for g in m.groups() if g) for line in lines if (m := self.failure.search(line.text))]
        if not ends:
            return None
        failed = sum(n.get("failed", 0) + n.get("errors", 0) + n.get("bad", 0) for _, n in ends)
        skipped = sum(n.get("skipped", 0) + n.get("left", 0) for _, n in ends)
        ran = sum(n.get("run", 0) + n.get("all", 0) for _, n in ends)
        passed = sum(n.get("passed", 0) for _, n in ends) or max(
            0, ran - failed - (skipped if self.run_counts_skipped else 0)
        )
        places = tuple(line.place for line, _ in ends)
        return Report(self.name, ran or passed + failed, passed, failed, skipped, distinct(names), places)


CARGO = LineTool(
    "cargo",
    r"^test result: |^test .* \.\.\. FAILED",
    re.compile(r"^test result: \w+\. (?P<passed>\d+) passed; (?P<failed>\d+) failed; (?P<skipped>\d+) ignored"),
    re.compile(r"^test (\S+)(?: - .*)? \.\.\. FAILED"),
)
RSPEC = LineTool(
    "rspec",
    r"^\d+ examples?, \d+ failures?|^rspec \./",
    re.compile(r"^(?P<run>\d+) examples?, (?P<failed>\d+) failures?(?:, (?P<skipped>\d+) pending)?"),
    re.compile(r"^rspec \./\S+ # (.+?)\s*$"),
)
PHPUNIT = LineTool(
    "phpunit",
    r"^Tests: \d+, Assertions: |^OK \(\d+ tests?, |^\d+\) \S+::",
    re.compile(
        r"^(?:Tests: (?P<run>\d+), Assertions: \d+|OK \((?P<passed>\d+) tests?)"
        r"(?:.*?Errors: (?P<errors>\d+))?(?:.*?Failures: (?P<failed>\d+))?(?:.*?Skipped: (?P<skipped>\d+))?"
    ),
    re.compile(r"^\d+\) (\S+::.+?)\s*$"),
)
JUNIT_TEXT = LineTool(
    "junit",
    r"^OK \(\d+ tests?\)|^Tests run: \d+,  Failures: \d+$|^\d+\) \w+\([\w.$]+\)",
    re.compile(r"^(?:OK \((?P<run>\d+) tests?\)|Tests run: (?P<all>\d+),  Failures: (?P<failed>\d+))"),
    re.compile(r"^\d+\) (\w+\([\w.$]+\))"),
)
CTEST = LineTool(
    "ctest",
    r"tests passed, \d+ tests failed out of|^\s*\d+ - \S+ \(",
    re.compile(r"tests passed, (?P<failed>\d+) tests failed out of (?P<run>\d+)"),
    re.compile(r"^\s*\d+ - (\S+) \((?:Failed|SEGFAULT|Timeout|Subprocess aborted|Not Run|ILLEGAL|NUMERICAL)"),
)
DOTNET = LineTool(
    "dotnet",
    r"(?:Failed|Passed)!\s+- Failed:|^\s*(?:Failed|X) \S+.*\[|^Total tests: \d+",
    re.compile(
        r"Failed:\s*(?P<failed>\d+), Passed:\s*(?P<passed>\d+), Skipped:\s*(?P<skipped>\d+)"
        r"|^Total tests: (?P<run>\d+)\. Passed: (?P<done>\d+)\. Failed: (?P<bad>\d+)\. Skipped: (?P<left>\d+)"
    ),
    re.compile(r"^\s*(?:Failed|X) (\S.*?) \[[<\d]"),
)
GTEST = LineTool(
    "gtest",
    r"^\[=+\] \d+ tests? from .* ran|^\[  (?:FAILED|SKIPPED|PASSED)  \] ",
    re.compile(
        r"^\[=+\] (?P<run>\d+) tests? from .* ran|^\[  FAILED  \] (?P<failed>\d+) tests?, listed"
        r"|^\[  SKIPPED \] (?P<skipped>\d+) tests?, listed"
    ),
    re.compile(r"^\[  FAILED  \] (\S+\.[^\s,]+)"),
)
MINITEST = LineTool(
    "minitest",
    r"^\d+ (?:runs|tests), \d+ assertions, |^\s*\w[\w:]*#test_\S+",
    re.compile(
        r"^(?P<run>\d+) (?:runs|tests), \d+ assertions, (?P<failed>\d+) failures, (?P<errors>\d+) errors"
        r"(?:, \d+ pendings, \d+ omissions)?(?:, (?P<skipped>\d+) skips)?"
    ),
    re.compile(r"^\s*(\w[\w:]*#test_\S+?)(?: \[\S+:\d+\])?:$"),
)
KARMA = LineTool(
    "karma",
    r"^TOTAL: |^Executed \d+ of \d+ .*secs|\): Executed \d+ of \d+.*\(.* secs / |\(\S.*\) \S.* FAILED$",
    re.compile(r"^TOTAL: (?:(?P<failed>\d+) FAILED, )?(?P<passed>\d+) SUCCESS"),
    re.compile(r"^\S[^()]* \([^()]+\) (\S.*) FAILED$"),
)
PLAYWRIGHT = LineTool(
    "playwright",
    r"^\s{2}\d+ (?:passed|failed|flaky|skipped|did not run)\b|^\s+\d+\) (?:\[[\w -]+\] › )?\S+:\d+:\d+ › ",
    re.compile(
        r"^\s{2}(?:(?P<passed>\d+) passed \([\d.]+m?s?\)|(?P<failed>\d+) failed$|(?P<skipped>\d+) skipped$)",
    ),
    re.compile(r"^\s+\d+\) ((?:\[[\w -]+\] › )?\S+:\d+:\d+ › .+?)(?: [─-]+)?\s*$"),
)


NEXTEST = LineTool(
    "nextest",
    r"^\s+Summary \[.*tests? run: |^\s+(?:FAIL|SIGSEGV|SIGABRT|TIMEOUT) \[ *[\d.]+s\]",
    re.compile(
        r"^\s+Summary \[.*\] (?P<run>\d+)(?:/\d+)? tests? run: (?P<passed>\d+) passed(?: \([^)]*\))?"
        r"(?:, (?P<failed>\d+) failed)?(?:, \d+ timed out)?(?:, (?P<skipped>\d+) skipped)?"
    ),
    re.compile(r"^\s+(?:FAIL|SIGSEGV|SIGABRT|TIMEOUT) \[ *[\d.]+s\] (?:\([^)]*\) )?(\S+ \S+)"),
)
TESTNG = LineTool(
    "testng",
    r"^Total tests run: \d+, |^FAILED: \w",
    re.compile(
        r"^Total tests run: (?P<run>\d+), (?:Passes: (?P<passed>\d+), )?Failures: (?P<failed>\d+)"
        r", Skips: (?P<skipped>\d+)"
    ),
    re.compile(r"^FAILED: (\w[\w.$]*)"),
)


class XCTest(Tool):
    """xcodebuild and swift test: suites nest, so that only the outermost total counts."""

    name = "xctest"
    wanted = r"^\s*Executed \d+ tests?, with |^Test [Cc]ase '.*' failed|^Test Suite '"

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
        if not totals:
            return None
        names = [m[1].replace(" ", ".") for line in lines if (m := _XCTEST_CASE.match(line.text))]
        ran, failed, skipped = (sum(n[k] for _, n in totals) for k in ("run", "failed", "skipped"))
        places = tuple(line.place for line, _ in totals)
        return Report(self.name, ran, max(0, ran - failed - skipped), failed, skipped, distinct(names), places)


_EXECUTED = re.compile(
    r"^\s*Executed (?P<run>\d+) tests?, with (?:(?P<skipped>\d+) tests? skipped and )?(?P<failed>\d+) failures?"
)
_XCTEST_CASE = re.compile(r"^Test [Cc]ase '(?:-\[(?:\w+\.)?)?([\w. ]+?)(?:\(\))?\]?' failed")


class GoTest(Tool):
    """go test, plain and -v."""

    name = "go"
    wanted = r"^\s*--- (?:FAIL|PASS|SKIP): "

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Without -v only failures are printed, so that passed is what is known to have passed."""
        found = [m for line in lines if (m := re.match(r"^(\s*)--- (FAIL|PASS|SKIP): (\S+)", line.text))]
        if not found:
            return None
        by = {verdict: [m[3] for m in found if m[2] == verdict] for verdict in ("FAIL", "PASS", "SKIP")}
        places = tuple(line.place for line in lines[:1])
        passed, failed = len(by["PASS"]), len(by["FAIL"])
        return Report(self.name, passed + failed, passed, failed, len(by["SKIP"]), distinct(by["FAIL"]), places)
