"""Parts of a tool's output: the task or goal that lines belong to, which of them failed, and which failures count."""

from __future__ import annotations

import re
from collections.abc import Iterable

import polars as pl

_BEGINS = (
    # Gradle: `> Task :app:test`, before 4.7 `:app:test`; what the task writes may follow without a space
    r"^(?:> Task )?(:[A-Za-z][\w:.-]*)",
    # Maven: `[INFO] --- maven-surefire-plugin:2.22.2:test (default-test) @ module ---`
    r"^\[INFO\] --- [^:\s]+:(\S+ \(\S+\) @ \S+) ---",
)
_ENDS = (
    r"^(?:FAILURE: Build|\* What went wrong|BUILD (?:FAILED|SUCCESSFUL)|\[INFO\] (?:Reactor Summary|BUILD ))"
    r"|^\d+ actionable tasks?:"
    r"|^Failures:$|^Finished in [\d.]+ "
    r"|^={3,} (?:FAILURES|ERRORS|short test summary info|\d+ \w+.* in [\d.]+s.*) ={3,}$"
    r"|^(?:\[\w+\] )?Tests run:"
)
EXCUSED = "failures that do not count"
_EXCUSES = (
    # RSpec, pytest, Surefire: what was expected to fail, what passed when it was run again, what passed
    r"^Pending: \(Failures listed here are expected"
    r"|^={3,} (?:XFAILURES|XPASSES|PASSES|RERUNS|rerun test summary info|warnings summary.*) ={3,}$"
    r"|^(?:\[\w+\] )?(?:Flakes|Flaked tests): *$"
)
"""Heads of lists of failures that the tool does not hold against the run."""

_FAILED = (
    re.compile(r"^(?:> Task )?(:[A-Za-z][\w:.-]*) FAILED\s*$"),
    re.compile(r"^Execution failed for task '(:[\w:.-]+)'"),
)
_GOAL = re.compile(r"^\[ERROR\] Failed to execute goal [^:\s]+:[^:\s]+:(\S+ \(\S+\)) on project ([^\s:]+)")


def part_of(text: pl.Expr) -> pl.Expr:
    """The part that a line begins, empty where it ends one; null for lines that do neither."""
    likely = text.str.starts_with(":") | text.str.starts_with("> Task :") | text.str.starts_with("[INFO] --- ")
    begun = pl.coalesce(text.str.extract(pattern) for pattern in _BEGINS)
    ended = pl.when(text.str.contains(_ENDS)).then(pl.lit(""))
    excused = pl.when(text.str.contains(_EXCUSES)).then(pl.lit(EXCUSED))
    return pl.when(likely).then(begun).otherwise(pl.coalesce(excused, ended))


def failing_parts(texts: Iterable[str]) -> tuple[str, ...]:
    """The parts of which the tool says that they failed."""
    found: dict[str, None] = {}
    for text in texts:
        goal = _GOAL.match(text)
        task = next((m for pattern in _FAILED if (m := pattern.match(text))), None)
        if goal or task:
            found[f"{goal[1]} @ {goal[2]}" if goal else task[1] if task else ""] = None
    return tuple(found)


def elsewhere(part: str | None, failing: tuple[str, ...]) -> bool:
    """Whether a line belongs to a part that did not fail, in a build of which the tool names parts that did.

    What a tool lists as no failure of the run is such a part in any build.
    """
    if part == EXCUSED:
        return True
    # old Gradle writes the first line of a task's output right behind its name
    return bool(part) and bool(failing) and not any(str(part).startswith(name) for name in failing)
