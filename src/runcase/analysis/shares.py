"""Sources that can be concluded apart: what shares a run stays together, in shares of about the same work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from runcase.analysis.identity import Assignment
from runcase.analysis.members import members
from runcase.model.case import Facts
from runcase.rules.compile import field

SHARE_EVENTS = 150_000
"""A share has about half to all of so many events, or is one set of runs or one batch that is not parted."""

_NAMING = {"job": "job", "parent_run_id": "run", "child": "run"}
"""Members of `fields` that join sources -> what they name: runs of one job are held against each other."""

_TIES = pl.Schema({"source_id": pl.String(), "tie": pl.String()})


@dataclass(frozen=True, slots=True)
class Share:
    """Sources of some runs that none of the others says anything of, with the containers that they lie in."""

    sources: pl.Series
    """`source_id`, sorted."""
    batches: tuple[str, ...]
    """That hold them, sorted."""
    joins: Assignment
    """How their records are joined to runs."""


def shares(facts: Facts, joins: Assignment, most: int = SHARE_EVENTS) -> list[Share]:
    """A case in shares, in the order of the batches that hold them.

    Args:
        facts: The facts of the case.
        joins: How its records are joined to runs.
        most: Events of a share of more than one set of runs.
    """
    import networkx as nx

    sources = facts.sources.select("batch", "source_id", "parent_id", "events").collect().sort("batch", "source_id")
    names = sources["source_id"].to_list()
    belonging = members([joins.apply(f) for f in (facts.events, facts.spans, facts.artifacts)], joins)
    sets = nx.utils.UnionFind(names)
    ties = pl.concat([_stored(sources, most), *_ties(facts, joins, belonging)])
    for together in ties.group_by("tie").agg("source_id")["source_id"]:
        sets.union(*together.to_list())
    found = sources.with_columns(_set=pl.Series([sets[name] for name in names], dtype=pl.String))
    sized = found.group_by("_set", maintain_order=True).agg("source_id", events=pl.col("events").sum().fill_null(0))
    return [_share(part, sources, belonging, joins) for part in _parted(sized, most)]


def _share(part: pl.Series, sources: pl.DataFrame, belonging: pl.DataFrame, joins: Assignment) -> Share:
    held = with_containers(part, sources)
    runs = belonging.filter(pl.col("source_id").is_in(part.implode()))["run_id"].unique()
    batches = sources.filter(pl.col("source_id").is_in(held.implode()))["batch"].unique().sort()
    return Share(held, tuple(batches), joins.of(part, runs))


def _parted(sets: pl.DataFrame, most: int) -> Iterator[pl.Series]:
    """The sources of neighbouring sets; an even number of parts lets two processes end together."""
    work = pl.col("events") + 1
    total = int(sets.select(work.sum()).item())
    parts = 2 * -(-total // (2 * most))
    part = ((work.cum_sum() - work) * parts // total).alias("_part")
    for share in sets.with_columns(part).partition_by("_part", maintain_order=True):
        yield share["source_id"].explode()


def with_containers(part: pl.Series, sources: pl.DataFrame) -> pl.Series:
    """Adds the containers in which the sources lie, at any depth; sorted."""
    return _reached(part, sources, "source_id", "parent_id")


def with_contents(containers: pl.Series, sources: pl.DataFrame) -> pl.Series:
    """Adds what lies in sources that are containers, at any depth; sorted."""
    return _reached(containers, sources, "parent_id", "source_id")


def _reached(start: pl.Series, sources: pl.DataFrame, here: str, there: str) -> pl.Series:
    """Adds what is reached from column to column, again and again; sorted."""
    found = level = start
    while level.len():
        level = sources.filter(pl.col(here).is_in(level.implode()))[there].drop_nulls().unique()
        level = level.filter(~level.is_in(found.implode())).alias("source_id")
        found = pl.concat([found, level])
    return found.sort()


# --- what holds sources together ------------------------------------------------------------------


def _stored(sources: pl.DataFrame, most: int) -> pl.DataFrame:
    """The sources of each batch that is no larger than a share: what two shares hold of it, both would read whole."""
    small = pl.col("events").sum().over("batch") <= most
    return _tied(sources.filter(small), "batch", "batch")


def _ties(facts: Facts, joins: Assignment, belonging: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """`source_id, tie`: sources with an equal tie belong together."""
    yield _tied(belonging, "run", "run_id")
    yield _tied(joins.pieces, "log", "newest_id")
    both = pl.concat([joins.duplicates, joins.duplicates.select(source_id="same_as", same_as="same_as")])
    yield _tied(both, "text", "same_as")
    yield from _named(facts)
    yield _traced(facts)


def _tied(rows: pl.DataFrame, what: str, column: str) -> pl.DataFrame:
    found = rows.filter(pl.col(column).is_not_null())
    return found.select("source_id", tie=pl.format("{}:{}", pl.lit(what), column)).cast(_TIES)


def _named(facts: Facts) -> Iterator[pl.DataFrame]:
    """Sources whose records name a run that started them, one that they started, or the job."""
    naming = facts.events.filter(pl.col("fields").str.contains_any([f'"{name}"' for name in _NAMING]))
    told = naming.select("source_id", *(field(name).alias(name) for name in _NAMING)).unique()
    rows = told.collect(engine="streaming")
    for name, what in _NAMING.items():
        yield _tied(rows, what, name)


def _traced(facts: Facts) -> pl.DataFrame:
    """Where there are traces at all: the sources of their spans, and those whose records name one."""
    named = pl.col("trace_id").is_not_null()
    spans = facts.spans.filter(named).select("source_id").unique().collect()
    if spans.is_empty():
        return pl.DataFrame(schema=_TIES)
    events = facts.events.filter(named).select("source_id").unique().collect(engine="streaming")
    return pl.concat([spans, events]).select("source_id", tie=pl.lit("traces")).cast(_TIES)
