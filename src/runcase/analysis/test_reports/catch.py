"""Catch2 and doctest: cases are printed under a rule, deeper lines are sections."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runcase.analysis.test_reports.base import Line, Report, Tool, counts, distinct, summed

_END = re.compile(
    r"^(?:\[doctest\] )?test cases: +(?P<run>\d+) \|(?: +(?P<passed>\d+) passed)?"
    r"(?:(?: \|)? +(?P<failed>\d+) failed)?(?: +\| +(?P<skipped>\d+) skipped)?"
    r"|^All tests passed \(.* in (?P<passed_all>\d+) test cases?\)"
    r"|^Passed all (?P<passed_compact>\d+) test cases? with |^Failed (?P<failed_compact>\d+) test cases?, failed "
)
_RULE = re.compile(r"^-{60,}$")
_TITLE = re.compile(r"^(\S.*?)\s*$")
_PLACE = re.compile(r"^\S+[:(]\d+\)?$")
_FAILED = re.compile(r"^\S+?[:(]\d+\)?: FAILED:?$")
_DOCTEST = re.compile(r"^TEST CASE: +(\S.*?)\s*$")


class Catch(Tool):
    """A case's title stands right under a rule; `file:line: FAILED:` below it says that it failed."""

    name = "catch"
    wanted = (
        rf"test cases: +\d+ \||^All tests passed \(.* in \d+ test cases?\)|^Passed all \d+ test cases? with"
        rf"|^Failed \d+ test cases?, failed|{_RULE.pattern}|{_FAILED.pattern}|^TEST CASE: "
    )
    sign = (
        r"test cases: +\d+ \||^All tests passed \(.* in \d+ test cases?\)|^Passed all \d+ test cases? with"
        r"|^Failed \d+ test cases?, failed"
    )
    after = _RULE.pattern

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed."""
        ends = counts(_END, lines)
        if not ends:
            return None
        ran, passed, failed, skipped = (summed(ends, kind) for kind in ("run", "passed", "failed", "skipped"))
        passed = passed or max(0, ran - failed - skipped)
        places = tuple(line.place for line, _ in ends)
        return Report(self.name, ran or passed + failed, passed, failed, skipped, distinct(_names(lines)), places)


def _names(lines: Sequence[Line]) -> list[str]:
    names, title, ruled = [], "", -1
    for line in lines:
        if _RULE.match(line.text):
            ruled = line.place
        elif line.place == ruled + 1 and not _PLACE.match(line.text) and (m := _TITLE.match(line.text)):
            title = m[1]
        elif m := _DOCTEST.match(line.text):
            names.append(m[1])
        elif _FAILED.match(line.text) and title:
            names.append(title)
    return names
