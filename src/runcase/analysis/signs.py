"""Signs of life that other sources than the worker's log note: heartbeats, and what an attempt writes to stdout."""

from __future__ import annotations

from typing import Literal

import polars as pl

from runcase.analysis.selection import of_kind

CLAIMED, BEGUN = 1, 2
"""Steps (`clock_order.STEPS`) that come before a first output, and before a first heartbeat."""

ENDED = -1
"""Stands for the exit of a process, which comes after its last output."""

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
"""A sign of an attempt in a source, and the step (`rank`) that must lie before it, or after it (`ENDED`)."""


def signs(events: pl.LazyFrame, sources: pl.DataFrame, members: pl.DataFrame, marks: pl.DataFrame) -> pl.DataFrame:
    """`SIGNS` of all attempts.

    Args:
        events: EVENTS with runs assigned.
        sources: SOURCES.
        members: MEMBERS.
        marks: As `marks.marks` yields them.
    """
    beats = events.filter(of_kind(pl.col("kind"), ["heartbeat"]))
    outputs = sources.filter(pl.col("path").str.to_lowercase().str.contains(OUTPUT_NAMES))
    mine = members.join(outputs, on="source_id", how="inner")
    early, late = (events.filter(pl.col("source_id").is_in(ids)) for ids in (_early(mine, marks), _late(mine, marks)))
    return pl.concat([_signs(beats, BEGUN), _signs(early, CLAIMED), _signs(late, ENDED)])


def _signs(rows: pl.LazyFrame, rank: int) -> pl.DataFrame:
    """The first event of each attempt in each source, the last one for `ENDED`; what names no attempt is left out."""
    known = pl.col("run_id").is_not_null() & pl.col("attempt").is_not_null() & pl.col("ts_lo").is_not_null()
    named = rows.filter(known).with_columns(own_attempt="attempt", rank=pl.lit(rank, dtype=pl.Int32))
    ordered = named.select(SIGNS.names()).collect().sort("run_id", "own_attempt", "ts_lo", "source_id", "byte_start")
    keep: Literal["first", "last"] = "last" if rank == ENDED else "first"
    return ordered.unique(["run_id", "own_attempt", "source_id"], keep=keep, maintain_order=True)


def ends_process() -> pl.Expr:
    """True for the exit of an attempt's process as its runtime notes it; it prints nothing after that."""
    exits = pl.col("kind").is_in(["exit", "invocation.finished"]) & pl.col("f_exit_code").is_not_null()
    return exits & pl.col("tool_call_id").is_null() & pl.col("own_attempt").is_not_null() & pl.col("ts").is_not_null()


def _early(outputs: pl.DataFrame, marks: pl.DataFrame) -> list[str]:
    """Outputs that begin before their attempt was claimed; of others nothing need be asked."""
    claims = marks.filter(
        of_kind(pl.col("kind"), ["attempt.claimed", "invocation.claimed"]) & pl.col("ts").is_not_null()
    )
    first = claims.group_by("run_id", attempt=pl.col("own_attempt")).agg(_claim=pl.col("ts").min())
    mine = outputs.join(first, on=["run_id", "attempt"], how="inner")
    return mine.filter(pl.col("first_ts") < pl.col("_claim"))["source_id"].unique().sort().to_list()


def _late(outputs: pl.DataFrame, marks: pl.DataFrame) -> list[str]:
    """Outputs that go on after another source noted the exit of their process."""
    ends = marks.filter(ends_process()).select("run_id", "ts", attempt="own_attempt", _noted="source_id")
    mine = outputs.join(ends, on=["run_id", "attempt"], how="inner")
    after = (pl.col("last_ts") > pl.col("ts")) & (pl.col("source_id") != pl.col("_noted"))
    return mine.filter(after)["source_id"].unique().sort().to_list()
