"""What a test tool's report is, and how a tool is read."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass


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


class Tool(ABC):
    """One test tool's console output."""

    name: str
    wanted: str
    """Linear-time pattern of the lines that it needs; the others are not handed over."""

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
