"""Early trouble that a run plainly outlived: it went on for long, and what ended it is explained by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from runcase.analysis.decisive.regions import Region
from runcase.analysis.decisive.weighing import TELLING, Candidate

LONG = 200
"""Rows without any trouble after which a run has gone on; and at least half of what was left of it."""

_AS_TELLING = 24.0
"""What ended a run explains it by itself where its line scores so near to that of the early one."""

_LASTING = ("test.", "build.", "resource.", "crash.")
"""Of such trouble a run goes on and fails for it in the end: tools collect what failed, a full disk stays full."""

_PASSING = ("crash.exception", "crash.database", "resource.lock")
"""Of such kinds, and not lasting."""

_NO_OWN = ("timeout.", "cancelled", "lost", "crash.exception", "pre_work.")
"""What trouble of any kind leads to: no explanation of its own."""

_WORD = re.compile(r"[a-z][a-z0-9_]{3,}")
_COMMON = frozenset(
    "abort aborting cannot code command could couldn detected does error errors exception exist exit exiting failed"
    " failure failures fatal file files find found from have into invalid line load missing named only open output"
    " process read running step such task test tests that this unable unknown with within directory".split()
)


def ended_by(early: Candidate, candidates: Sequence[Candidate], regions: Sequence[Region]) -> list[Candidate]:
    """What came after a run had outlived `early`, where that explains its end; nothing where `early` may be why.

    It may be why where the later lines speak of the same kind of trouble or of the same thing, as of a program that
    could not be installed and is not found then.

    Args:
        early: The first cause by weight.
        candidates: All of the run.
        regions: Where the run was declared failed, in order; empty when nothing says so.
    """
    if _lasts(early):
        return []
    region = next((r for r in regions if r.holds(early.place)), None)
    if regions and region is None:
        return []
    telling = [c for c in candidates if c.family.weight >= TELLING and c.score >= early.score - _AS_TELLING]
    after = sorted(
        (c for c in telling if c.place >= early.place and (region is None or region.holds(c.place))), key=_place
    )
    if not after:
        return []
    end = region.end if region else after[-1].place
    pause = max(LONG, (end - early.place) // 2)
    resumed = next((b.place for a, b in pairwise(after) if b.place - a.place >= pause), None)
    later = [c for c in after if resumed is not None and c.place >= resumed]
    explained = any(_explains(c) for c in later)
    return later if explained and not any(_related(early, c) for c in later) else []


def _place(c: Candidate) -> int:
    return c.place


def _lasts(c: Candidate) -> bool:
    failure = c.family.failure or ""
    return failure.startswith(_LASTING) and failure not in _PASSING


def _explains(c: Candidate) -> bool:
    return c.family.failure is not None and not c.family.failure.startswith(_NO_OWN)


def _related(early: Candidate, later: Candidate) -> bool:
    same = later.family is early.family or (early.family.failure or "") == later.family.failure
    return same or bool(_words(early) & _words(later))


def _words(c: Candidate) -> frozenset[str]:
    return frozenset(_WORD.findall(c.text.lower())) - _COMMON
