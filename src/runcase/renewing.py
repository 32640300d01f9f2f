"""Facts to conclusions in a case that may have some: what fresh evidence touches, and no more.

A night opens the batches that it wrote and those of the runs that it touches. Of
all others it reads what the last build left in `analysis/`, so that its cost does not
grow with the nights before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

import polars as pl

from runcase.analysis.renewal import (
    also_concerned,
    last_good_runs,
    of_runs,
    own_names,
    renewed,
    runs_of,
    touched_runs,
    with_touched,
)
from runcase.concluding import Conclude
from runcase.ledger.store import Case
from runcase.model.case import Conclusions, Facts
from runcase.rules.language import Pack


@dataclass(frozen=True, slots=True)
class Concluded:
    """Conclusions of a whole case, its SOURCES and PROBLEMS, and the runs whose conclusions are new."""

    conclusions: Conclusions
    sources: pl.DataFrame
    problems: pl.DataFrame
    changed: set[str]


def concluded(
    case: Case,
    packs: tuple[Pack, ...],
    made: Mapping[str, object],
    written: Set[str],
    anew: bool,
    conclude: Conclude,
) -> Concluded:
    """The conclusions of a case as it is on disk now.

    Evidence that came since the last build is concluded together with the runs that
    it touches. Everything is concluded anew when packs, settings or the version changed,
    but for runs whose events have expired: their conclusions rest on what is gone.

    Args:
        case: The case, held for writing.
        packs: The rule packs.
        made: What makes conclusions what they are; see `provenance`.
        written: Batches that this build wrote.
        anew: Whether to conclude everything anew.
        conclude: Works the conclusions out.
    """
    known = set(case.concluded()) - written
    if not case.is_concluded():
        facts = case.facts(case.batches())
        found = conclude(facts, packs, frozenset(), None)
        return _whole(facts, found, set(found.runs["run_id"]))
    before = case.provenance()
    if anew or any(before.get(key) != value for key, value in made.items()):
        return _anew(case, packs, conclude)
    fresh = case.facts([b for b in case.batches() if b not in known])
    old = case.conclusions()
    sources, problems = _all(case, known, fresh)
    if fresh.sources.limit(1).collect().is_empty():
        return Concluded(old, sources, problems, set())
    touched = touched_runs(old, sources, fresh)
    beside = last_good_runs(old) - touched
    while True:
        found = _of_part(case, packs, fresh, old, touched | beside, conclude)
        whole = renewed(old, found, touched | beside)
        changed = set(found.runs["run_id"]) - beside
        concerned, held_against = also_concerned(old, whole, changed)
        again = (concerned & set(old.runs["run_id"])) - touched
        more = (held_against & set(old.runs["run_id"])) - touched - beside - again
        if not again and not more:
            return Concluded(whole, sources, problems, changed)
        touched |= again
        beside = (beside | more) - again


def _of_part(
    case: Case, packs: tuple[Pack, ...], fresh: Facts, old: Conclusions, runs: Set[str], conclude: Conclude
) -> Conclusions:
    """The conclusions on fresh evidence and on some runs that stand already."""
    others = set(old.runs["run_id"]) - runs
    members = old.members.filter(pl.col("run_id").is_in(sorted(runs)))["source_id"]
    fresh_batches = fresh.sources.select("batch").unique().collect()["batch"]
    part = case.facts(sorted({*case.holding(members), *fresh_batches}))
    return conclude(with_touched(part, fresh, old, runs), packs, others, own_names(old))


def _anew(case: Case, packs: tuple[Pack, ...], conclude: Conclude) -> Concluded:
    facts, old = case.facts(case.batches()), case.conclusions()
    frozen = runs_of(old, facts.tombstones.filter(pl.col("class") == "events"))
    found = renewed(conclude(facts, packs, frozenset(), None), of_runs(old, frozen), frozen)
    return _whole(facts, found, set(found.runs["run_id"]))


def _whole(facts: Facts, found: Conclusions, changed: set[str]) -> Concluded:
    return Concluded(found, facts.sources.collect(), facts.problems.collect(), changed)


def _all(case: Case, known: Set[str], fresh: Facts) -> tuple[pl.DataFrame, pl.DataFrame]:
    """SOURCES and PROBLEMS of the batches that are concluded, and of fresh ones."""
    old = (frame.filter(pl.col("batch").is_in(sorted(known))) for frame in case.overview())
    sources, problems = (pl.concat([a, b.collect()]) for a, b in zip(old, (fresh.sources, fresh.problems), strict=True))
    return sources, problems
