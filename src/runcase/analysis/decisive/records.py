"""Records of many lines: which of them tell, and which one speaks for the whole."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

FEW = 8
"""A record of so many lines is shown whole."""

_TELLING_MEMBER = re.compile(
    r"""\s*"\w*(?:[tT]ype|[mM]essage|[cC]ause|[rR]eason|[eE]rror\w*|[sS]tatus|[tT]ime|[pP]hase|exitCode)"\s*:\s*(?:"[^"]|\d)"""
)
_EXPORTED = re.compile(r"[A-Z_][A-Z0-9_]*=")
_TELLING_EXPORT = re.compile(
    r"(?:MESSAGE|UNIT|_SYSTEMD_UNIT|SYSLOG_IDENTIFIER|EXIT_CODE|EXIT_STATUS|UNIT_RESULT|JOB_RESULT)="
)
"""Fields of journald's export format that say what happened, and to which unit."""
_TRACEBACK = r"\A[^\n]{0,160}Traceback \(most recent call last\)[^\n]*\n"
"""Some programs say on the same line what they were at."""
_LAST_TITLE = r"\n(\S[^\n]*)(?:\n(?:\s[^\n]*)?)*$"


def told_lines(lines: Sequence[str]) -> list[int]:
    """Lines to show: of a trace its begin, its end, and the lines that are not indented, which say what was thrown.

    Of an object its members that name what happened.
    """
    if len(lines) <= FEW:
        return list(range(len(lines)))
    last = max((n for n, line in enumerate(lines) if line.strip()), default=0)
    if lines[0].lstrip()[:1] in ("{", "["):
        return [0, *[n for n, line in enumerate(lines[:last]) if n and _TELLING_MEMBER.match(line)][:FEW], last]
    if sum(_EXPORTED.match(line) is not None for line in lines) > len(lines) // 2:
        return [n for n, line in enumerate(lines) if _TELLING_EXPORT.match(line)]
    titles = [n for n, line in enumerate(lines) if n and line[:1].strip()]
    below = [n for t in titles if lines[t].rstrip().endswith(":") for n in _first_below(lines, t)]
    kept = {0, 1, 2, *titles[:3], *titles[-3:], *(n + 1 for n in titles[-1:]), *below[:FEW], last - 2, last - 1, last}
    return sorted(n for n in kept if 0 <= n <= last)


def _first_below(lines: Sequence[str], title: int) -> list[int]:
    """The first line with text below a title; none where another title follows."""
    at = next((n for n in range(title + 1, len(lines)) if lines[n].strip()), None)
    return [at] if at is not None and not lines[at][:1].strip() else []


def spoken(message: pl.Expr, most: int) -> pl.Expr:
    """The text by which a record is judged: its begin; of a Python traceback the line that ends it."""
    title = message.str.extract(_LAST_TITLE).str.slice(0, most)
    trace = message.str.contains(_TRACEBACK)
    return pl.when(trace).then(pl.coalesce(title, message.str.slice(0, most))).otherwise(message.str.slice(0, most))
