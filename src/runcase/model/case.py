"""What a case consists of in memory: facts as lazy frames, conclusions as small frames."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import polars as pl

from runcase.model.tables import REDACTIONS, TESTS, TOMBSTONES


@dataclass(frozen=True, slots=True)
class Facts:
    """What the evidence says: one lazy frame a fact table, each with exactly the columns of its table."""

    sources: pl.LazyFrame
    events: pl.LazyFrame
    artifacts: pl.LazyFrame
    spans: pl.LazyFrame
    problems: pl.LazyFrame
    redactions: pl.LazyFrame = field(default_factory=lambda: REDACTIONS.empty().lazy())
    tombstones: pl.LazyFrame = field(default_factory=lambda: TOMBSTONES.empty().lazy())


@dataclass(frozen=True, slots=True)
class Conclusions:
    """What follows from facts and packs: one frame a conclusion table, sorted by its key.

    `members` says which source belongs to which run: `source_id, run_id, attempt`
    with one row a pair; a source without a row belongs to no run and is listed.
    """

    runs: pl.DataFrame
    attempts: pl.DataFrame
    members: pl.DataFrame
    windows: pl.DataFrame
    states: pl.DataFrame
    edges: pl.DataFrame
    signals: pl.DataFrame
    diagnoses: pl.DataFrame
    replay: pl.DataFrame
    tests: pl.DataFrame = field(default_factory=TESTS.empty)


def with_overview(facts: Facts, sources: pl.DataFrame, problems: pl.DataFrame) -> Facts:
    """Facts with the sources and problems of a whole case."""
    return replace(facts, sources=sources.lazy(), problems=problems.lazy())
