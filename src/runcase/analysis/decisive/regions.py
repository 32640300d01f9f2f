"""The parts of a run that were declared failed: commands and steps, each up to the row that says so."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from runcase.analysis.decisive.sifting import BAD, Speaking

MOST_REGIONS = 4
"""Failing commands or steps of a run that are looked at, from the first."""

_NAMED_BEFORE = 3
"""So many rows before a job says that it leaves out a stage it named the stage."""


@dataclass(frozen=True, slots=True)
class Region:
    """Rows from the begin of a command or step that failed to the line that says so."""

    begin: int
    end: int
    over: int | None = None
    """The row before `end` from which on the job cleaned up after what had failed."""

    @property
    def ends(self) -> tuple[int, ...]:
        """The row before which the last words of what failed stand, and the end."""
        return (self.end,) if self.over is None else (self.over, self.end)

    def holds(self, place: int) -> bool:
        """Whether a row lies inside; what a runner adds right before and after the end counts as inside."""
        return self.begin <= place < self.ends[0] or self.end - 1 <= place <= self.end + 2


def regions(rows: Sequence[Speaking]) -> list[Region]:
    """The commands or steps that failed; without an exit of their own, the run up to its failed end.

    Args:
        rows: The rows of one run in order.
    """
    ends = [r.place for r in rows if _fails(r)] or [
        r.place for r in rows if r.kind == "run.finished" and r.ended in BAD
    ]
    begins = [r.place for r in rows if r.kind in ("stage.started", "tool.started")]
    afterwards = [r.place for r in rows if r.afterwards is not None]
    found: dict[int, Region] = {}
    for end in ends:
        over = next((place for place in afterwards if place < end), None)
        at = bisect_right(begins, end if over is None else over - _NAMED_BEFORE)
        begin = begins[at - 1] if at else rows[0].place
        if begin in found or len(found) < MOST_REGIONS:
            found[begin] = Region(begin, end, over)
    return list(found.values())


def _fails(r: Speaking) -> bool:
    if r.kind.startswith("exit"):
        return r.code is not None and r.code != "0"
    return r.kind.startswith("error") and r.ended in BAD


def command(rows: Sequence[Speaking], failing: Sequence[Region]) -> str:
    """What the first of the failing parts calls itself, and the line of its end; empty when there is none."""
    if not failing:
        return ""
    first = failing[0]
    # what an action says of its own error is no name of what it ran
    named = (r for r in rows if r.place == first.begin or (r.place == first.end and r.kind.startswith("exit")))
    return "\n".join(r.text.split("\n", 1)[0] for r in named)
