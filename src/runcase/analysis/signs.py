"""Signs of life that other sources than the worker's log note: heartbeats, and what an attempt writes to stdout."""

from __future__ import annotations

import polars as pl

from runcase.analysis.selection import of_kind

CLAIMED, BEGUN = 1, 2
"""Steps (`clock_order.STEPS`) that come before a first output, and before a first heartbeat."""

OUTPUT_NAMES = "stdout|stderr|console"
"""How sources that hold what a process prints are called."""

SIGNS = pl.Schema(
    {
        "run_id": pl.String(),
        "own_attempt": pl.Int64(),
        "rank": pl.Int32(),
        "source_id": pl.String(),
        "byte_start": pl.Int64(),
        "byte_len": pl.Int64(),
        "ts_lo": pl.Datetime("us", "UTC"),
        "ts_hi": pl.Datetime("us", "UTC"),
    }
)
"""The first sign of an attempt in a source, and the step (`rank`) without which it cannot be."""


def signs(events: pl.LazyFrame, sources: pl.DataFrame, members: pl.DataFrame, marks: pl.DataFrame) -> pl.DataFrame:
    """`SIGNS` of all attempts.

    Args:
        events: EVENTS with runs assigned.
        sources: SOURCES.
        members: MEMBERS.
        marks: As `marks.marks` yields them.
    """
    beats = events.filter(of_kind(pl.col("kind"), ["heartbeat"]))
    printed = events.filter(pl.col("source_id").is_in(_early(sources, members, marks)))
    found = [_firsts(beats, BEGUN), _firsts(printed, CLAIMED)]
    return pl.concat(found)


def _firsts(rows: pl.LazyFrame, rank: int) -> pl.DataFrame:
    """The first event of each attempt in each source; what names no attempt is left out."""
    known = pl.col("run_id").is_not_null() & pl.col("attempt").is_not_null() & pl.col("ts_lo").is_not_null()
    named = rows.filter(known).with_columns(own_attempt="attempt", rank=pl.lit(rank, dtype=pl.Int32))
    ordered = named.select(SIGNS.names()).collect().sort("run_id", "own_attempt", "ts_lo", "source_id", "byte_start")
    return ordered.unique(["run_id", "own_attempt", "source_id"], keep="first", maintain_order=True)


def _early(sources: pl.DataFrame, members: pl.DataFrame, marks: pl.DataFrame) -> list[str]:
    """Outputs that begin before their attempt was claimed; of others nothing need be asked."""
    claims = marks.filter(
        of_kind(pl.col("kind"), ["attempt.claimed", "invocation.claimed"]) & pl.col("ts").is_not_null()
    )
    first = claims.group_by("run_id", attempt=pl.col("own_attempt")).agg(_claim=pl.col("ts").min())
    printed = sources.filter(pl.col("path").str.to_lowercase().str.contains(OUTPUT_NAMES))
    mine = members.join(printed, on="source_id", how="inner").join(first, on=["run_id", "attempt"], how="inner")
    return mine.filter(pl.col("first_ts") < pl.col("_claim"))["source_id"].unique().sort().to_list()
