"""Karma, Jasmine, Playwright, TestCafe."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from runcase.analysis.test_reports.base import Line, LineTool, Report, Tool, counts, distinct, summed

_KARMA_TOTAL = re.compile(r"^TOTAL: (?:(?P<failed>\d+) FAILED, )?(?P<passed>\d+) SUCCESS")
_KARMA_BROWSER = re.compile(
    r"^\s*(?:(\S.*?): )?Executed (?P<run>\d+) of \d+(?: \(?(?P<failed>\d+) FAILED\)?)?(?:.*skipped (?P<skipped>\d+))?"
)
_KARMA_NAME = re.compile(r"^\S[^()]* \([^()]+\) (\S.*) FAILED$")
_PLAYWRIGHT_END = re.compile(
    r"^\s{2}(?:(?P<passed>\d+) passed \([\d.]+\w+\)|(?P<failed>\d+) failed$|(?P<passed_late>\d+) flaky$"
    r"|(?P<skipped>\d+) skipped$)"
)
_PLAYWRIGHT_NAME = re.compile(r"^\s+(?:\d+\) )?((?:\[[\w -]+\] › )?\S+:\d+:\d+ › .+?)(?: [─-]+)?\s*$")


class Karma(Tool):
    """karma: each browser repeats its counts until the last ones stand; `TOTAL:` sums those of one invocation."""

    name = "karma"
    wanted = r"^TOTAL: |Executed \d+ of \d+|\(\S.*\) \S.* FAILED$"
    sign = r"^TOTAL: (?:\d+ FAILED|\d+ SUCCESS)|Executed \d+ of \d+.*secs"

    def report(self, lines: Sequence[Line]) -> Report | None:
        """The totals, or the last counts of each browser."""
        last = counts(_KARMA_BROWSER, _last_of_each(lines))
        ends = counts(_KARMA_TOTAL, lines)
        if not ends and not last:
            return None
        failed = summed(ends or last, "failed")
        passed = summed(ends, "passed") if ends else summed(last, "run") - failed
        names = distinct([m[1] for line in lines if (m := _KARMA_NAME.match(line.text))])
        places = tuple(line.place for line, _ in ends or last)
        return Report(self.name, passed + failed, passed, failed, summed(last, "skipped"), names, places)


def _last_of_each(lines: Sequence[Line]) -> list[Line]:
    """The last counts of each browser; one that counts from the begin again runs anew."""
    last: dict[str, tuple[int, Line]] = {}
    before: list[Line] = []
    for line in lines:
        if m := _KARMA_BROWSER.match(line.text):
            browser, done = m[1] or "", int(m["run"])
            if browser in last and done < last[browser][0]:
                before.append(last[browser][1])
            last[browser] = (done, line)
    return [*before, *(line for _, line in last.values())]


def _last_counts(ends: Sequence[tuple[Line, dict[str, int]]]) -> tuple[int, ...]:
    """The place of the last count of each invocation: what failed is counted first, what passed last."""
    order = ("failed", "passed_late", "skipped", "passed")
    ranks = [next((n for n, kind in enumerate(order) if said[kind]), 0) for _, said in ends]
    return tuple(line.place for (line, _), rank, then in zip(ends, ranks, [*ranks[1:], 0], strict=True) if then <= rank)


class Playwright(Tool):
    """Playwright's test runner; what passed when it was tried again is no failure."""

    name = "playwright"
    wanted = r"^\s{2}\d+ (?:passed|failed|flaky|skipped|did not run)\b|^\s+(?:\d+\) )?(?:\[[\w -]+\] › )?\S+:\d+:\d+ › "
    sign = r"^\s{2}\d+ (?:passed \(|failed$|flaky$)"

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed; names are those listed below `N failed`."""
        ends = counts(_PLAYWRIGHT_END, lines)
        if not ends:
            return None
        passed, failed, skipped = (summed(ends, kind) for kind in ("passed", "failed", "skipped"))
        names = distinct(_below(lines)) if failed else ()
        return Report(self.name, passed + failed, passed, failed, skipped, names, _last_counts(ends))


def _below(lines: Sequence[Line]) -> list[str]:
    names, taken = [], False
    for line in lines:
        if m := _PLAYWRIGHT_END.match(line.text):
            taken = m["failed"] is not None
        elif taken and (m := _PLAYWRIGHT_NAME.match(line.text)):
            names.append(m[1])
    return names


JASMINE = LineTool(
    "jasmine",
    r"^\d+ specs?, \d+ failures?|^\d+\) \S|^(?:Failures|Pending):",
    re.compile(r"^(?P<run>\d+) specs?, (?P<failed>\d+) failures?(?:, (?P<skipped>\d+) pending specs?)?"),
    re.compile(r"^\d+\) (\S.*?)\s*$"),
    headings=re.compile(r"^(?P<failing>Failures:)|^Pending:"),
)


class _TestCafe(LineTool):
    """What it calls all tests are those that ran."""

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed."""
        told = super().report(lines)
        return told and replace(told, passed=told.ran - told.failed)


TESTCAFE = _TestCafe(
    "testcafe",
    r"^ (?:\d+/)?\d+ (?:failed|passed) \(\d|^ \d+ skipped$|^ ✖ \S",
    re.compile(
        r"^ (?:(?P<failed>\d+)/(?P<run>\d+) failed|(?P<passed>\d+) passed) \(\d+[ms\d ]*\)$|^ (?P<skipped>\d+) skipped$"
    ),
    re.compile(r"^ ✖ (\S.*?)(?: \(screenshots: .*\))?\s*$"),
    mark=r"^ (?:\d+/)?\d+ (?:failed|passed) \(\d",
)
