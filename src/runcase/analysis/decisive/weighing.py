"""How much a line that speaks of failure weighs: by its kind, its place, and where else it is found."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runcase.analysis.decisive.details import REACH
from runcase.analysis.decisive.families import Family
from runcase.analysis.decisive.families.other_tests import ALL_PASSED
from runcase.analysis.decisive.naming import BY_NAME
from runcase.analysis.decisive.novelty import NOTHING, Shared
from runcase.analysis.decisive.parts import elsewhere, failing_parts
from runcase.analysis.decisive.regions import Region
from runcase.analysis.decisive.sifting import Speaking

TELLING = 80
"""Families from this weight on are statements of their own, with details around them."""

_OTHER_PART = 24
"""What a line loses that a part of the build wrote of which the tool does not say that it failed."""

_SHARED = 30
"""What a line loses that all good runs of the job have too; one that some of them have loses half of it and more."""

_PASSED = 20
"""What a line loses below which a test tool said that all tests passed."""

_NOVEL = 6
"""What a line gains that the good runs of the job do not have."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A line that says that something failed; `place` is its row in the run."""

    place: int
    family: Family
    text: str
    score: float
    against: str = ""
    """What speaks most against it, in words; empty for nothing but its weight."""
    shared: int = 0
    """Good runs of the job that have such a line too."""


def by_score(candidates: Iterable[Candidate]) -> list[Candidate]:
    """By falling score; the earlier one first where scores are equal."""
    return sorted(candidates, key=lambda c: (-c.score, c.place))


def weighed(found: Iterable[Speaking], regions: Sequence[Region], shared: Shared = NOTHING) -> list[Candidate]:
    """Candidates by falling score: weight, inside a failing part of the run, rare, not seen where all went well.

    Args:
        found: The rows of one run in order.
        regions: Where the run was declared failed, in order; empty when nothing says so.
        shared: What good runs of the same job have of it.
    """
    rows = [(r.place, r.text, BY_NAME[r.family], r.part, r.what) for r in found if r.family is not None]
    passed = [place for place, _, family, *_ in rows if family is ALL_PASSED]
    rows = [row for row in rows if row[2] is not ALL_PASSED]
    inside = {place: any(r.holds(place) for r in regions) for place, *_ in rows}
    seen = Counter(what for *_, what in rows)
    usual = {what for place, *_, what in rows if not inside[place]} if regions else set()
    failing = failing_parts(text for _, text, *_ in rows)
    titles = [place for place, _, family, *_ in rows if _is_title(family) and (inside[place] or not regions)]
    result = []
    for place, text, family, part, what in rows:
        score = family.weight + _standing(place, regions, inside[place])
        score -= min(24, 5 * max(0, seen[what] - 3) ** 0.5)
        score -= 12 if inside[place] and what in usual else 0
        score -= 12 if titles and family.failure == "crash.exception" and not _below(place, titles) else 0
        against: list[tuple[float, str]] = []
        if elsewhere(part, failing):
            against.append((_OTHER_PART, "is of a part of the build that did not fail"))
        if _before_all_passed(place, family, passed, regions):
            against.append((_PASSED, "was printed before all tests passed"))
        having = shared.having.get((what, family.name), 0)
        if having:
            against.append(
                (_SHARED * (1 + having / shared.runs) / 2, f"is in {having} of {shared.runs} good runs of this job too")
            )
        elif shared.runs:
            score += _NOVEL
        outside = "lies outside the failing step" if regions and not inside[place] else ""
        score -= sum(n for n, _ in against)
        result.append(Candidate(place, family, text, score, against[-1][1] if against else outside, having))
    return by_score(result)


def _is_title(family: Family) -> bool:
    """Whether a line of this family names a test that failed; that none ran names none."""
    failure = family.failure or ""
    return (
        family.weight >= TELLING and failure.startswith("test.") and failure != "test.none_found" and not family.total
    )


def _below(place: int, titles: Sequence[int]) -> bool:
    """Whether a row may belong to the test that the nearest title above it names; `titles` ascend."""
    at = bisect_right(titles, place)
    return at > 0 and place - titles[at - 1] <= REACH


def _before_all_passed(place: int, family: Family, passed: Sequence[int], regions: Sequence[Region]) -> bool:
    """Whether a test tool said below a row that all went well; what is built and tested fails in spite of it.

    Args:
        place: The row.
        family: What names it.
        passed: Where a test tool said so, ascending.
        regions: Where the run was declared failed: the row counts with what stands in the same.
    """
    if (family.failure or "").startswith(("test.", "build.", "resource.", "timeout.run")) or family.total:
        return False
    mine = next((r for r in regions if r.holds(place)), None)
    return any(p > place and (mine is None or mine.holds(p)) for p in passed)


def _standing(place: int, regions: Sequence[Region], inside: bool) -> float:
    """What the place of a line is worth: a failing part of the run, before it, after it."""
    if not regions:
        return 0.0
    if inside:
        return 12.0
    return -45.0 if place > regions[-1].end else -24.0
