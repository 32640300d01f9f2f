"""Which rule packs speak of a run, and which one declares its stages and windows."""

from __future__ import annotations

import polars as pl

from runcase.analysis.view import CaseView
from runcase.rules.language import Pack


def run_packs(events: pl.LazyFrame) -> pl.DataFrame:
    """`run_id, pack, cited`: packs whose rules named events of the run, and how many; sorted."""
    cited = events.filter(pl.col("run_id").is_not_null() & pl.col("rule").is_not_null())
    name = pl.col("rule").str.split("@").list.first()
    counted = cited.group_by("run_id", pack=name).agg(cited=pl.len().cast(pl.Int64))
    return counted.collect(engine="streaming").sort("run_id", "pack")


def engines(view: CaseView) -> pl.DataFrame:
    """`run_id, pack`: the pack that knows how the engine of a run resumes, by its rules or by the reader it names.

    The strongest of several.
    """
    able = [(n, p) for n, p in enumerate(view.packs) if any(r.commands for r in p.replay)]
    strength = {p.name: n for n, p in able}
    by_reader = pl.DataFrame(
        [(reader, p.name) for _, p in able for reader in p.readers],
        schema={"reader": pl.String, "pack": pl.String},
        orient="row",
    )
    read = view.members.join(view.sources.select("source_id", "reader"), on="source_id", how="inner")
    read = read.join(by_reader, on="reader", how="inner").select("run_id", "pack")
    cited = view.run_packs.filter(pl.col("pack").is_in(list(strength))).select("run_id", "pack")
    ranked = (
        pl.concat([read, cited])
        .unique()
        .with_columns(_n=pl.col("pack").replace_strict(strength, default=-1, return_dtype=pl.Int64))
    )
    return ranked.sort("run_id", "_n").group_by("run_id", maintain_order=True).agg(pl.col("pack").last())


def declaring(found: pl.DataFrame, packs: tuple[Pack, ...]) -> pl.DataFrame:
    """`run_id, pack`: of the packs with stages or windows, the one that named most events; ties to the stronger."""
    weight = {p.name: n for n, p in enumerate(packs) if p.stages or p.windows}
    able = found.filter(pl.col("pack").is_in(list(weight)))
    strength = pl.col("pack").replace_strict(weight, default=-1, return_dtype=pl.Int64)
    ranked = able.with_columns(_strength=strength).sort("run_id", "cited", "_strength")
    return ranked.group_by("run_id", maintain_order=True).agg(pl.col("pack").last())
