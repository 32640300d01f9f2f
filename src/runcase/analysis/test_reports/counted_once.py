"""Tests that ran twice or are reported twice: of several tries the last one counts, of nested tools the outer one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from runcase.analysis.test_reports.base import Line, Report, Tool
from runcase.rules.patterns import ascii_borders

AGAIN = (
    # Travis, its `travis_retry`; nick-fields/retry; Azure Pipelines; retry, `retry` of npm and of shells; Jenkins
    r"^The command \".+\" failed\. Retrying, \d+ of \d+|^(?:##\[warning\])?Attempt \d+ failed\. Reason: "
    r"|RetryHelper encountered task failure, will retry |^Retry \d+/\d+ exited \d+, retrying in "
    r"|^\W{0,8}(?:[Cc]ommand|[Tt]ests?|Script|Build|Job|Step)\b.{0,200}\bfailed\b.{0,80}\b[Rr]etrying\b|^Retrying$"
    r"|^\W{0,8}[Aa]ttempt \d+(?: ?(?:/|of) ?\d+)? failed\b.{0,80}\b(?:[Rr]etrying|[Tt]rying again)\b"
    # pytest --last-failed
    r"|^run-last-failure: rerun previous \d+ failure"
)
"""Lines of a wrapper that says that it tries a command again. Of each it is certain that the command failed."""


@dataclass(frozen=True, slots=True)
class Tries:
    """Where a command was tried and failed, before it was tried again; in order."""

    spans: tuple[tuple[int, int], ...] = ()
    """Places from the begin of the command to the line that says that it is tried again."""

    def before_last(self, lines: Sequence[Line], tool: Tool) -> list[tuple[int, int]]:
        """Spans in which the tool reports what it reports again in a later try."""
        found = []
        for begin, end in self.spans:
            tried = [line for line in lines if begin <= line.place < end]
            later = [line for line in lines if line.place >= end]
            found += [(begin, end)] if tried and later and tool.report(tried) and tool.report(later) else []
        return found


def tries(frame: pl.DataFrame) -> Tries:
    """The tries of one run.

    Args:
        frame: `place, text, step`: lines in order, with the number of the command or step that each belongs to.
    """
    again = frame.filter(pl.col("text").str.contains(ascii_borders(AGAIN)).fill_null(value=False))
    begins = dict(frame.group_by("step", maintain_order=True).agg(pl.col("place").first()).iter_rows())
    spans, done = [], -1
    for place, step in again.select("place", "step").iter_rows():
        spans.append((max(begins[step], done), place))
        done = place
    return Tries(tuple(spans))


def inside(tool: Tool, report: Report, lines: Sequence[Line]) -> list[tuple[int, int]]:
    """Places from the begin of each invocation to its last total: what other tools say there, `tool` counts itself."""
    ends, begin = set(report.places), re.compile(tool.begin or "(?!)")
    spans: list[tuple[int, int]] = []
    opened: int | None = None
    for line in lines:
        if line.place in ends and opened is not None:
            spans = [*(span for span in spans if span[0] != opened), (opened, line.place)]
        elif begin.search(line.text) and (opened is None or any(span[0] == opened for span in spans)):
            opened = line.place
    return spans
