"""What a dossier says of clocks that were corrected, and of those that cannot be."""

from __future__ import annotations

import polars as pl

from runcase.analysis.clocks import Clocks

REPORTED_US = 1_000_000
"""Skews below this are corrected but not reported."""


def with_doubt(windows: pl.DataFrame, found: Clocks) -> pl.DataFrame:
    """WINDOWS in which a duration that rests on a clock corrected by the least that is possible says so."""
    if found.skews.is_empty():
        return windows
    late = pl.col("hi_us").is_null()
    loose = found.skews.filter(late | pl.col("lo_us").is_null()).select("source_id", _late=late)
    rows = windows.with_columns(_from=pl.col("start_ref").str.split(":").list.first())
    rows = rows.with_columns(_to=pl.col("end_ref").str.split(":").list.first())
    for side in ("_from", "_to"):
        named = loose.rename({"source_id": side, "_late": f"{side}_late"})
        rows = rows.join(named, on=side, how="left", maintain_order="left")
    two = (pl.col("kind") == "window") & (pl.col("state") == "closed") & (pl.col("_from") != pl.col("_to"))
    longer = pl.coalesce("_to_late", ~pl.col("_from_late"))
    word = pl.when(longer).then(pl.lit("at least")).otherwise(pl.lit("at most"))
    text = pl.format("{} this long: a clock was corrected by the least that makes its order possible", word)
    return rows.with_columns(detail=pl.when(two & longer.is_not_null()).then(text).otherwise("detail")).select(
        windows.columns
    )


def skew_signals(found: Clocks, sources: pl.DataFrame, members: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows for signals: (skews worth telling, impossible sets), each `run_id, refs, text`."""
    leaf = sources.select("source_id", leaf=pl.col("path").str.extract(r"([^/]+/[^/]+|[^/]+)$"))
    runs = members.select("source_id", "run_id").unique()
    told = found.skews.filter(pl.col("offset_us").abs() >= REPORTED_US).sort("source_id")
    # parts of one rotated log share a clock, which is told once
    told = told.with_columns(_proof=pl.col("refs").list.join(" "))
    told = told.unique(["reference_id", "offset_us", "_proof"], keep="first", maintain_order=True)
    side = pl.when(pl.col("offset_us") > 0).then(pl.lit("behind")).otherwise(pl.lit("ahead of"))
    text = pl.format(
        "the clock of {} stands about {} s {} that of {}; its times were corrected by that",
        "leaf",
        (pl.col("offset_us").abs() / 1e6).round(3),
        side,
        "leaf_ref",
    )
    never = pl.format("no skew between {} and {} makes the order of their events possible", "leaf", "leaf_ref")
    results = []
    for rows, said in ((told, text), (found.impossible, never)):
        named = rows.join(leaf, on="source_id", how="left", maintain_order="left")
        named = named.join(leaf, left_on="reference_id", right_on="source_id", how="left", suffix="_ref")
        of_runs = named.join(runs, on="source_id", how="inner").sort("run_id", "source_id")
        results.append(of_runs.select("run_id", "refs", text=said))
    return results[0], results[1]
