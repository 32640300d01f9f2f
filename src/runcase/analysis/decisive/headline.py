"""What is said of the cause in one line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import takewhile

from runcase.analysis.decisive.records import GROUP_TITLE, PYTHON_TITLE
from runcase.analysis.decisive.weighing import Candidate

ROOM = 300
"""Characters of one line of a headline."""

_BARE = re.compile(
    r"^\W*(?:\[\w+\]\W*)?(?:\d+ failing|FAILED|FAILURES?|Caused an ERROR|Failed (?:example|tests):|Tests in error:"
    r"|Expected:)\W*$"
)
"""Lines that say that something failed and not what."""

_MEMBERS = tuple(rf'"{key}": ?"((?:[^"\\]|\\.)+)"' for key in ("stderr", "module_stderr", "msg", "message", "error"))
"""What tells in an object, the most first: what a command wrote says more than that it failed."""

_PRINTED = re.compile(r"^(?:stderr|stdout|all|message): (['\"`])(.+?)(?:\\n)*\1,?(?: \+)?$")
"""A member of an error as Node.js prints it."""

_FRAME = re.compile(r"^\s*(?:at |File \")")
_RULED = re.compile(r"^[\s_=*#-]{4,}>?\s*|[\s_=*#-]{4,}$")
_JOINED = 3
"""Rows beside a bare line that say what failed."""


def headline(c: Candidate, texts: Mapping[int, str]) -> str:
    """The first line of a statement without its ruling; what was raised where a stack trace follows it.

    Args:
        c: The cause.
        texts: Rows of the run near it: a line that only says that something failed takes what stands beside it.
    """
    lines = [line for line in c.text.strip().split("\n") if line.strip()]
    if len(lines) == 1 and _BARE.match(lines[0]):
        return _named(c, texts)
    if len(lines) > 2 and "Traceback" in c.text:
        title = _pattern(PYTHON_TITLE).search(c.text.strip()) or _pattern(GROUP_TITLE).search(c.text)
        raised = title[1] if title else lines[-1] if not lines[-1].startswith(" ") else None
    else:
        lines, raised = lines[_speaking(c, lines) :], None
    head = _without_object(_PRINTED.sub(r"\2", (_RULED.sub("", lines[0]) or lines[0]).strip()))
    head = " ".join([head, *_announced(c, head, lines[1:], texts)])[:ROOM]
    return f"{head}; {raised[:ROOM]}" if raised and not head.startswith("Traceback") else raised or head


def _speaking(c: Candidate, lines: Sequence[str]) -> int:
    """Which line of a record made it a candidate: a report may stand below a line that was logged before it."""
    says = _pattern(c.family.pattern).search
    return next((n for n, line in enumerate(lines) if says(line)), 0) if len(lines) > 1 else 0


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern or "(?!)")


def _without_object(line: str) -> str:
    """A line that ends in a JSON object, as Ansible writes them: what stands before it, and what its members tell."""
    prefix, found, members = line.partition(" {")
    told = next((m[1] for key in _MEMBERS if (m := re.search(key, members))), None) if found and prefix else None
    return line if told is None else f"{prefix} {_unescaped(told)}"


def _unescaped(text: str) -> str:
    try:
        return " ".join(str(json.loads(f'"{text}"')).split())
    except ValueError:
        return text


def _announced(c: Candidate, head: str, below: Sequence[str], texts: Mapping[int, str]) -> list[str]:
    """The rows that a title announces: indented ones below a colon, Gradle's `> ` below its `What went wrong`."""
    rows = [*below] or [texts.get(p, "") for p in range(c.place + 1, c.place + 1 + _JOINED)]
    told = [line for row in rows for line in row.split("\n")]
    if head.endswith(":"):
        inside = list(takewhile(lambda line: line.strip() and line[:1].isspace() and not _FRAME.match(line), told))
        return [line.strip() for line in inside[:_JOINED]]
    return [told[0]] if told and told[0].startswith("> ") and c.family.after else []


def _named(c: Candidate, texts: Mapping[int, str]) -> str:
    before = [texts[p].strip() for p in range(c.place - c.family.before, c.place) if texts.get(p, "").strip()]
    after: list[str] = []
    for place in range(c.place + 1, c.place + 10):
        text = texts.get(place)
        if text is None or _FRAME.match(text) or len(after) == _JOINED or (after and not text.strip()):
            break
        after += [text.strip()] if text.strip() else []
    rows = [*before[-1:], c.text.strip(), *([] if before else after)]
    return " ".join(" ".join(row.split()) for row in rows)[:ROOM]
