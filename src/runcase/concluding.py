"""Facts to conclusions, by several processes where there is much to read: each concludes runs of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, fields
from functools import partial
from itertools import islice

import polars as pl

from runcase.analysis.conclude import conclude, concluded
from runcase.analysis.identity import assignment
from runcase.analysis.observability import carriers
from runcase.analysis.renewal import of_sources, together
from runcase.analysis.shares import SHARE_EVENTS, Share, shares
from runcase.analysis.stretches import apart
from runcase.ledger.serving import Stage, Tell
from runcase.ledger.store import Case
from runcase.ledger.workers import Crew
from runcase.model.case import Conclusions, Facts
from runcase.rules.language import Pack

AT_ONCE = 16
"""Shares whose conclusions are put together at once: two hundred columns of a few rows each take 150 kB a share."""

Conclude = Callable[[Facts, tuple[Pack, ...], Set[str], Mapping[str, str] | None], Conclusions]
"""As `analysis.conclude.conclude`."""


def by(case: Case, crew: Crew | None, share_events: int = SHARE_EVENTS) -> Conclude:
    """Conclusions in shares of about so many events, by the processes of a build where there are several.

    The shares depend on the facts alone, so that one process concludes what several do, and no more at a time.
    """

    def conclude_shares(
        facts: Facts,
        packs: tuple[Pack, ...],
        taken: Set[str] = frozenset(),
        names: Mapping[str, str] | None = None,
    ) -> Conclusions:
        if int(facts.sources.select(pl.col("events").sum()).collect().item() or 0) < share_events // 2:
            return conclude(facts, packs, taken, names)
        joins, carrying = assignment(facts, taken, names), carriers(facts)
        parts = shares(facts, joins, share_events)
        if len(parts) == 1:
            return concluded(facts, packs, joins, carrying)
        ready = _Ready(case, packs, carrying)
        return together(_folded(_each(ready, parts, crew)))

    return conclude_shares


def _each(ready: _Ready, parts: Sequence[Share], crew: Crew | None) -> Iterator[Conclusions]:
    """The conclusions of each share, in any order."""
    if crew is None:
        yield from (_concluded(ready, share) for share in parts)
        return
    stage = Stage(_Ready, (ready.case, ready.packs, ready.carrying), _concluded)
    yield from (found for _, found in crew.shared(stage, parts, partial(_concluded, ready)))


def _folded(parts: Iterator[Conclusions]) -> Iterator[Conclusions]:
    """The same conclusions in fewer parts, so that what is held grows with their rows and not with the shares."""
    while some := list(islice(parts, AT_ONCE)):
        yield _apart(together(some))


def _apart(found: Conclusions) -> Conclusions:
    """As `stretches.apart`: one share's texts are held by the frames of all, 2 MiB of each (measured 2026-11)."""
    return Conclusions(*(apart(getattr(found, f.name)) for f in fields(found)))


# --- in a worker ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Ready:
    """What each share is concluded with."""

    case: Case
    packs: tuple[Pack, ...]
    carrying: pl.DataFrame


def _concluded(ready: _Ready, share: Share, tell: Tell = lambda _: None) -> Conclusions:
    facts = ready.case.facts(share.batches)
    return _apart(concluded(of_sources(facts, share.sources), ready.packs, share.joins, ready.carrying))
