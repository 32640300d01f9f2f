"""What a test tool's report is, and how a tool is read."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from runcase.rules.patterns import unnamed


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the console, in order; `place` counts lines of the run."""

    place: int
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """Totals over all invocations of one tool; `ran` is what the tool says it ran (some count skipped tests in)."""

    tool: str
    ran: int
    passed: int
    failed: int
    skipped: int
    failed_names: tuple[str, ...]
    places: tuple[int, ...]
    broken: bool = False
    """Whether an invocation failed by what is no test: a file that did not load, an error between tests."""


class Tool(ABC):
    """One test tool's console output."""

    name: str
    wanted: str
    """Linear-time pattern of the lines that it needs; the others are not handed over."""
    sign: str
    """Linear-time pattern of which every report of the tool has a line, with a literal that `required` finds."""
    counts_for: tuple[str, ...] = ()
    """Tools whose reports speak of tests that this one counts itself."""
    begin: str = ""
    """Linear-time pattern, in `wanted` too, of the line that begins an invocation: other tools between it and the last
    total report tests that this one counts itself."""
    after: str = ""
    """Linear-time pattern; the lines right below those that it finds are handed over too."""

    @abstractmethod
    def report(self, lines: Sequence[Line]) -> Report | None:
        """What the tool says; None when these lines hold no totals and no failures of it."""


def counts(pattern: re.Pattern[str], lines: Sequence[Line]) -> list[tuple[Line, dict[str, int]]]:
    """Lines that show the pattern, with its named groups as numbers (absent ones are 0)."""
    found = []
    for line in lines:
        m = pattern.search(line.text)
        if m:
            found.append((line, {k: int(v.replace(",", "")) if v else 0 for k, v in m.groupdict().items()}))
    return found


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names in order, each once, without the blanks around them."""
    return tuple(dict.fromkeys(n.strip() for n in names if n.strip()))


@dataclass(frozen=True)
class LineTool(Tool):
    """A tool that is told by patterns.

    `end` has groups whose names begin with `passed`, `failed`, `skipped`, or `run` for all of them;
    `failure` has the name as its first group that matched.
    """

    name: str
    wanted: str
    end: re.Pattern[str]
    failure: re.Pattern[str]
    counts_for: tuple[str, ...] = ()
    mark: str = ""
    """The sign, where `end` holds no literal."""
    begin: str = ""
    headings: re.Pattern[str] | None = None
    """Heads of lists; names count below those that show the group `failing`."""

    @property
    def sign(self) -> str:  # type: ignore[override]
        """Each report has an end."""
        return self.mark or unnamed(self.end.pattern)

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Ends are summed."""
        ends = counts(self.end, lines)
        if not ends:
            return None
        names = distinct([first(m) for line in self._below_failing(lines) if (m := self.failure.search(line.text))])
        ran, passed, failed, skipped = (summed(ends, kind) for kind in ("run", "passed", "failed", "skipped"))
        passed = passed or max(0, ran - failed - skipped)
        places = tuple(line.place for line, _ in ends)
        return Report(self.name, ran or passed + failed, passed, failed, skipped, names, places)

    def _below_failing(self, lines: Sequence[Line]) -> list[Line]:
        """Lines of lists of failures, and those that stand in no list."""
        failing, kept = True, []
        for line in lines:
            head = self.headings.match(line.text) if self.headings else None
            failing = bool(head["failing"]) if head else failing
            kept += [line] if failing else []
        return kept


def first(found: re.Match[str]) -> str:
    """The first group that matched."""
    return next((g for g in found.groups() if g), "")


def summed(ends: Sequence[tuple[Line, dict[str, int]]], kind: str) -> int:
    """All counts whose group's name begins with `kind`."""
    return sum(n for _, groups in ends for name, n in groups.items() if name.startswith(kind))
