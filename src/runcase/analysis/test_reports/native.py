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
        failed = sum(n.get("failed", 0) + n.get("errors", 0) for _, n in ends)
        skipped = sum(n.get("skipped", 0) for _, n in ends)
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
    r"(?:Failed|Passed)!\s+- Failed:|^\s*(?:Failed|X) \S+.*\[",
    re.compile(r"Failed:\s*(?P<failed>\d+), Passed:\s*(?P<passed>\d+), Skipped:\s*(?P<skipped>\d+)"),
    re.compile(r"^\s*(?:Failed|X) (\S.*?) \[[<\d]"),
)


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
