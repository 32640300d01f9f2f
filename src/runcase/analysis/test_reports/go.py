"""go test, gotestsum, Ginkgo."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

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


_DONE = re.compile(r"^DONE (?:(\d+) runs, )?\d+ tests?\b")
_RERUN = re.compile(r"^=== FAIL: \S+ \S+ \(re-run (\d+)\)")


class _Gotestsum(LineTool):
    """With `--rerun-fails` the first total counts the tests; what failed when it last ran has failed."""

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed."""
        totals = [(n, int(m[1] or 1)) for n, line in enumerate(lines) if (m := _DONE.match(line.text))]
        last = [(n, runs) for (n, runs), (_, after) in pairwise([*totals, (0, 1)]) if after == 1]
        once = [n for n, runs in totals if runs == 1]
        if len(once) == len(totals) or not once:
            return super().report(lines)
        kept, mended = [], 0
        for begin, (end, runs) in zip([0, *(n + 1 for n, _ in last)], last, strict=False):
            part = lines[begin : end + 1]
            first = next(line for line in part if _DONE.match(line.text))
            failed = [line for line in part if line.text.startswith("=== FAIL: ")]
            if runs > 1:
                failed = [line for line in failed if (m := _RERUN.match(line.text)) and int(m[1]) == runs - 1]
                told = super().report([first])
                mended += told.failed - len(failed) if told else 0
            kept += [*failed, first]
        told = super().report(kept)
        return told and replace(told, passed=told.passed + mended, failed=told.failed - mended)


GOTESTSUM = _Gotestsum(
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
