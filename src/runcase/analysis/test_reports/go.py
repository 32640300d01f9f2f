"""go test, gotestsum, Ginkgo."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runcase.analysis.test_reports.base import Line, LineTool, Report, Tool, distinct

_VERDICT = re.compile(r"^(\s*)--- (FAIL|PASS|SKIP): (\S+)")
_ACTION = re.compile(r'^\{.*"Action":"(pass|fail|skip)".*"Test":"([^"]+)"')
_RUNNING = re.compile(r"^\s+(Test\S*) \([\dhms.]+\)$")


class GoTest(Tool):
    """go test: plain, -v and -json; tests that were running when time ran out have failed."""

    name = "go"
    wanted = (
        r"^\s*--- (?:FAIL|PASS|SKIP): |^\{.*\"Action\":\"(?:pass|fail|skip)\".*\"Test\":|^panic: test timed out"
        r"|^\s+Test\S* \([\dhms.]+\)$"
    )
    sign = r"^\s*--- (?:FAIL|PASS|SKIP): |\"Action\":\"(?:pass|fail|skip)\"|^panic: test timed out"

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Without -v only failures are printed, so that passed is what is known to have passed."""
        late = any(line.text.startswith("panic: test timed out") for line in lines)
        found = []
        for line in lines:
            if m := _VERDICT.match(line.text):
                found.append((m[2].lower(), m[3]))
            elif m := _ACTION.match(line.text):
                found.append((m[1], m[2]))
            elif late and (m := _RUNNING.match(line.text)):
                found.append(("fail", m[1]))
        if not found:
            return None
        by = {verdict: [name for v, name in found if v == verdict] for verdict in ("fail", "pass", "skip")}
        passed, failed = len(by["pass"]), len(by["fail"])
        return Report(
            self.name, passed + failed, passed, failed, len(by["skip"]), distinct(by["fail"]), (lines[0].place,)
        )


GOTESTSUM = LineTool(
    "gotestsum",
    r"^DONE .*\b\d+ tests?\b|^=== FAIL: \S",
    re.compile(
        r"^DONE (?:\d+ runs, )?(?P<run>\d+) tests?(?:, (?P<skipped>\d+) skipped)?(?:, (?P<failed>\d+) failures?)?"
        r"(?:, \d+ errors?)? in "
    ),
    re.compile(r"^=== FAIL: \S+ (\S+)"),
    counts_for=("go",),
)
GINKGO = LineTool(
    "ginkgo",
    r"-- \d+ Passed \| \d+ Failed|^\s*\[(?:FAIL|Fail|PANICKED|Panic!|TIMEDOUT)\] \S",
    re.compile(
        r"-- (?P<passed>\d+) Passed \| (?P<failed>\d+) Failed (?:\| \d+ Flaked )?\| (?P<skipped_pending>\d+) Pending"
        r" \| (?P<skipped>\d+) Skipped"
    ),
    re.compile(r"^\s*\[(?:FAIL|Fail|PANICKED|Panic!|TIMEDOUT)\] (\S.*?)\s*$"),
    counts_for=("go",),
)
