"""Which source belongs to which run, as a table."""

from __future__ import annotations

import polars as pl

from runcase.analysis.identity import Assignment
from runcase.model.tables import MEMBERS


def members(rows: list[pl.LazyFrame], joins: Assignment) -> pl.DataFrame:
    """MEMBERS: each source and the runs that its records, or its place, belong to.

    Args:
        rows: Fact tables with runs assigned.
        joins: How they were assigned.
    """
    ids = ("source_id", "run_id", "attempt")
    pairs = [r.filter(pl.col("run_id").is_not_null()).select(ids).unique() for r in rows]
    seen = pl.concat(pairs).unique().collect(engine="streaming").sort(ids)
    numbers = pl.col("attempt").drop_nulls().unique()
    found = seen.group_by("source_id", "run_id", maintain_order=True).agg(
        attempt=pl.when((numbers.len() == 1) & pl.col("attempt").is_not_null().all()).then(numbers.first())
    )
    placed = pl.concat([joins.by_source, joins.beside])
    silent = placed.join(found, on=["source_id", "run_id"], how="anti").select(ids)
    basis = placed.select("source_id", "run_id", "basis").unique(["source_id", "run_id"], keep="first")
    both = pl.concat([found, silent]).join(basis, on=["source_id", "run_id"], how="left")
    return MEMBERS.fill(both.with_columns(pl.col("basis").fill_null("field"))).sort(MEMBERS.key, nulls_last=True)
