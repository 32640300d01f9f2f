"""node's own runner, TAP, AVA, Bun, Deno, bats."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runcase.analysis.test_reports.base import Line, LineTool, Report, Tool, distinct, summed
from runcase.analysis.test_reports.base import counts as counted

_END = re.compile(
    r"^(?:[ℹ#]) (?:pass +(?P<passed>\d+)|fail +(?P<failed>\d+)|cancelled (?P<failed_late>[1-9]\d*)"
    r"|skipped +(?P<skipped>\d+)|skip:? +(?P<skipped_old>\d+))$"
)
_POINT = re.compile(r"^(not )?ok \d+ ?(?:- )?(.*?)(?: # time=\S+(?: \{)?)?$")
_DIRECTIVE = re.compile(r"# ?(skip|todo)\b", re.IGNORECASE)
_SKIPPED = re.compile(r"# ?skip\b", re.IGNORECASE)
_NESTED = re.compile(r"^(\s*)not ok \d+ ?(?:- )?(.*?)(?: # time=\S+)?$")
_SPEC = re.compile(r"^(\s*)✖ (.+) \([\d.]+m?s\)$")


class Tap(Tool):
    """TAP 12 to 14 as test programs print it, with or without totals, and node's `spec` reporter."""

    name = "tap"
    wanted = r"^\s*(?:not )?ok \d+\b|^[ℹ#] (?:pass|fail|cancelled|skipped|skip:?) +\d+$|^\s*✖ .+ \([\d.]+m?s\)$"
    sign = r"^(?:not )?ok \d+\b|^[ℹ#] pass +\d+$"

    def report(self, lines: Sequence[Line]) -> Report | None:
        """The totals where there are any, else the points that are not nested."""
        ends = counted(_END, lines)
        points = [(line, m) for line in lines if (m := _POINT.match(line.text))]
        bad = [m[2] for _, m in points if m[1] and not _DIRECTIVE.search(m[2])]
        names = distinct(_leaves(lines, _NESTED if points else _SPEC))
        if ends:
            passed, failed, skipped = (summed(ends, kind) for kind in ("passed", "failed", "skipped"))
            places = tuple(line.place for line, _ in ends)
            skipped = skipped or sum(1 for _, m in points if _SKIPPED.search(m[2]))
            return Report(self.name, passed + failed, passed, failed, skipped, names if failed else (), places)
        if not points:
            return None
        aside = sum(1 for _, m in points if _DIRECTIVE.search(m[2]))
        passed = len(points) - aside - len(bad)
        return Report(self.name, passed + len(bad), passed, len(bad), aside, names, (points[-1][0].place,))


def _leaves(lines: Sequence[Line], failure: re.Pattern[str]) -> list[str]:
    """Names of what failed, less those that only hold what failed deeper right before them."""
    names, deeper = [], 0
    for line in lines:
        m = failure.match(line.text)
        if m and not _DIRECTIVE.search(m[2]) and not m[2].endswith("{"):
            if len(m[1]) >= deeper:
                names.append(m[2])
            deeper = len(m[1])
        elif len(line.text) - len(line.text.lstrip()) < deeper:
            deeper = 0
    return names


AVA = LineTool(
    "ava",
    r"^\s{2,}\d+ (?:tests? (?:failed|passed|skipped)|known failures?|uncaught exceptions?)$|^\s*(?:✖|✘ \[fail\]:) \S",
    re.compile(
        r"^\s{2,}(?:(?P<failed>\d+) tests? failed|(?P<passed>\d+) tests? passed|(?P<skipped>\d+) tests? skipped)$"
    ),
    re.compile(
        r"^\s*(?:✖ (.+? › .+?)|✖ (\S.+?)|✘ \[fail\]: (\S.+?))"
        r"(?: \([\d.]+m?s\))?(?: Difference.*| Rejected.*| Error.*| Timeout.*)?$"
    ),
)
BUN = LineTool(
    "bun",
    r"^ ?\d+ (?:pass|fail|skip)$|^\(fail\) ",
    re.compile(r"^ ?(?:(?P<passed>\d+) pass|(?P<failed>\d+) fail|(?P<skipped>\d+) skip)$"),
    re.compile(r"^\(fail\) (.+?)(?: \[[\d.]+m?s\])?$"),
)
DENO = LineTool(
    "deno",
    r"^(?:ok|FAILED) \| \d+ passed|^\S.* => \S+:\d+:\d+$",
    re.compile(
        r"^(?:ok|FAILED) \| (?P<passed>\d+) passed(?: \(\d+ steps?\))? \| (?P<failed>\d+) failed(?: \(\d+ steps?\))?"
        r"(?: \| (?P<skipped>\d+) ignored)?"
    ),
    re.compile(r"^(\S.* => \S+:\d+:\d+)$"),
)
