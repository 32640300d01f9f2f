"""Tools that run features and keywords: behave, Cucumber, Behat, Robot Framework."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runcase.analysis.test_reports.base import Line, LineTool, Report, Tool, counts, distinct, first

_CUCUMBER_END = re.compile(r"^(?:\[\w+\] )?(?P<run>\d+) [Ss]cenarios? \((?P<parts>[^)]*)\)")
_PART = re.compile(r"(\d+) (failed|passed|skipped|pending|undefined|ambiguous)")
_CUCUMBER_NAME = re.compile(
    r"^(?:cucumber (?:-p \S+ )?(\S+\.feature:\d+)|\s{4}(\S+\.feature:\d+)|(?:\[\w+\] )?(\S+\.feature:\d+) ?# ?\S"
    r"|\d+\) Scenario: (\S.*?) # \S+\.feature:\d+$)"
)
_ROBOT_END = re.compile(
    r"^(?P<run>\d+) (?:critical )?tests?(?: total)?, (?P<passed>\d+) passed, (?P<failed>\d+) failed"
    r"(?:, (?P<skipped>\d+) skipped)?"
)
_ROBOT_NAME = re.compile(r"^(\S.*?)\s+\| FAIL \|$")
_ROBOT_SUITE = re.compile(r"^[^|]* :: |^[^|.]+(?:\.[^|.]+)+$")


class Cucumber(Tool):
    """Cucumber (Ruby, JVM, JavaScript) and Behat."""

    name = "cucumber"
    wanted = r"^(?:\[\w+\] )?\d+ [Ss]cenarios? \(|\.feature:\d+"
    sign = r"\d+ [Ss]cenarios? \("

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed; steps that nobody wrote count as skipped."""
        ends = [(line, m) for line in lines if (m := _CUCUMBER_END.match(line.text))]
        if not ends:
            return None
        parts = [(what, int(n)) for _, m in ends for n, what in _PART.findall(m["parts"])]
        passed, failed = (sum(n for w, n in parts if w == what) for what in ("passed", "failed"))
        skipped = sum(n for w, n in parts if w not in ("passed", "failed"))
        names = distinct([first(m) for line in lines if (m := _CUCUMBER_NAME.match(line.text))])
        ran = sum(int(m["run"]) for _, m in ends)
        return Report(self.name, ran, passed, failed, skipped, names if failed else (), tuple(e.place for e, _ in ends))


class Robot(Tool):
    """Robot Framework: suites nest, the last total is that of all."""

    name = "robot"
    wanted = r"^\d+ (?:critical )?tests?(?: total)?, \d+ passed, \d+ failed|\| FAIL \|$"
    sign = r"^\d+ (?:critical )?tests?(?: total)?, \d+ passed, \d+ failed"

    def report(self, lines: Sequence[Line]) -> Report | None:
        """A name right before a total is that of a suite."""
        ends = counts(_ROBOT_END, lines)
        if not ends:
            return None
        _, total = ends[-1]
        places = {line.place - 1 for line, _ in ends}
        cases = [m[1] for line in lines if line.place not in places and (m := _ROBOT_NAME.match(line.text))]
        names = distinct([c for c in cases if not _ROBOT_SUITE.match(c)])
        failed, skipped, passed = total["failed"], total["skipped"], total["passed"]
        return Report(self.name, passed + failed, passed, failed, skipped, names, (ends[-1][0].place,))


BEHAVE = LineTool(
    "behave",
    r"^\d+ scenarios? passed, |^  \S+\.feature:\d+  \S",
    re.compile(
        r"^(?P<passed>\d+) scenarios? passed, (?P<failed>\d+) failed(?:, (?P<failed_errors>\d+) error)?"
        r", (?P<skipped>\d+) skipped"
    ),
    re.compile(r"^  (\S+\.feature:\d+  \S.*?)\s*$"),
)
