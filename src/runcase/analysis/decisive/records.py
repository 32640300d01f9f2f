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
_INNER = re.compile(r"\s*\[(?:cause\]: |end of output\])")
"""What was thrown within: by Node in this line, by what pip ran in the line before."""
_EXPORTED = re.compile(r"[A-Z_][A-Z0-9_]*=")
_TELLING_EXPORT = re.compile(
    r"(?:MESSAGE|UNIT|_SYSTEMD_UNIT|SYSLOG_IDENTIFIER|EXIT_CODE|EXIT_STATUS|UNIT_RESULT|JOB_RESULT)="
)
"""Fields of journald's export format that say what happened, and to which unit."""
_TRACEBACK = r"\A[^\n]{0,160}Traceback \(most recent call last\)[^\n]*\n"
"""Some programs say on the same line what they were at."""
PYTHON_TITLE = r"(?s)\A.*\n  File \"[^\n]*(?:\n[ \t][^\n]*)*\n(\w[\w.]*[^\n]*)"
"""What the last frame of a Python traceback stands above: an exception, before any detail that follows it."""
GROUP_TITLE = r"(?s)\A.*\n[ |]*\| ([A-Za-z_][\w.]*(?:: [^\n]*)?)\n[ |]*\+-"
"""The same inside the frame that Python draws around each exception of a group."""
_CAUSE = r"(?s)\A.*\n\s*at .*\n\s*(\[cause\]: [^\n]*)"
"""What Node prints inside an error that was thrown for another."""
_OUTPUT = r"(?s)\A.*\n( +[A-Za-z_][\w.]*(?:Error|Exception|Exit): [^\n]*)\n *\[end of output\]"
"""What a build that pip ran threw."""
_ROOT = r"(?s)\A[^\n]*\n.*?\n\s*at .*\n(Caused(?: by)?: [^\n]*)"
_ABOVE_FRAMES = r"(?s)\A[^\n]*\n+((?:[a-z][\w$]*\.)+[A-Z]\w*(?:Exception|Error|Failure)\b[^\n]*)\n.*?\n?\s+at "
"""What a JVM threw, below the line that logged it, and the innermost cause of it."""
_ABOVE_STACK = r"(?s)\A[^\n]*\n.*?\n([A-Za-z_][\w.]*(?:Error|Exception)\b[^\n]*)\n+Stack Trace:\n\s+File \""
"""What Dagster caught, above the stack that it was thrown in."""
_HARMLESS = r"(?i)\A[^\n]*\b(?:trace|debug|info|warn|warning)\b"
_NOT_HARMLESS = r"\A[^\n]*(?:\bwith failure cause:|\bto FAILED\b|\.\.\. \d+ lines matching cause stack trace)"
"""What an engine logs as a warning or less is what broke where the line says that a job or task failed by it."""
_REPORT = r"(?m)^(==\d+==\s?ERROR: \w+Sanitizer[^\n]*|panic: [^\n]*|thread '[^'\n]*' [^\n]*panicked at[^\n]*)"
"""What a runtime prints when a program dies; a stamped line above it, which takes it in, is of something else."""
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
    inner = [n - line.strip().startswith("[end") for n, line in enumerate(lines) if _INNER.match(line)]
    kept = {0, 1, 2, *titles[:3], *titles[-3:], *(n + 1 for n in titles[-1:]), *below[:FEW], *inner[-3:]}
    kept |= {last - 2, last - 1, last}
    return sorted(n for n in kept if 0 <= n <= last)


def _first_below(lines: Sequence[str], title: int) -> list[int]:
    """The first line with text below a title; none where another title follows."""
    at = next((n for n in range(title + 1, len(lines)) if lines[n].strip()), None)
    return [at] if at is not None and not lines[at][:1].strip() else []


def spoken(messages: pl.Series, most: int) -> pl.Series:
    """The text by which each record is judged: its begin; of a trace the line that says what was thrown; a last report.

    At most so many characters of it.
    """
    begins = messages.str.slice(0, most)
    several = messages.str.contains("\n", literal=True).fill_null(value=False).arg_true()
    if several.is_empty():
        return begins
    message = pl.col("message")
    told = messages[several].to_frame("message").select(pl.coalesce(_told(message), message).str.slice(0, most))
    return begins.scatter(several, told.to_series())


def _told(several: pl.Expr) -> pl.Expr:
    """What tells most of a record of several lines; null where that is its begin."""
    raised = pl.coalesce(several.str.extract(way) for way in (_OUTPUT, PYTHON_TITLE, GROUP_TITLE, _LAST_TITLE))
    report = several.str.extract(_REPORT)
    thrown = pl.coalesce(*(several.str.extract(way) for way in (_CAUSE, _ROOT, _ABOVE_STACK, _ABOVE_FRAMES)))
    return (
        pl.when(several.str.contains(_TRACEBACK))
        .then(raised)
        .when(report.is_not_null())
        .then(report)
        .when(~several.str.contains(_HARMLESS) | several.str.contains(_NOT_HARMLESS))
        .then(thrown)
    )
