"""Silences: a kind of event stays away for too long while another source of the run is alive."""

from __future__ import annotations

import polars as pl

from runcase.analysis.view import CaseView
from runcase.rules.language import ExpectRule


def silences(view: CaseView, runs: pl.DataFrame, came: pl.DataFrame, rule: ExpectRule) -> pl.DataFrame:
    """The longest silence of each run that is longer than the rule allows.

    Args:
        view: All runs.
        runs: `run_id` of the runs to look at.
        came: The events that must not stay away.
        rule: Has `silent`.

    Returns:
        `run_id, since, until, refs, times` (number of such silences of the run). `refs` are the event before the
        silence, if there is one, and the first sign of life of another source within it.
    """
    steps = _steps(view, runs, came)
    long = steps.filter(pl.col("until") - pl.col("since") > rule.silent)
    alive = _alive(view, came, long)
    kept = alive.with_columns(_long=pl.col("until") - pl.col("since")).sort(
        "run_id", "_long", "since", descending=[False, True, False]
    )
    return kept.group_by("run_id", maintain_order=True).agg(
        pl.col("since", "until").first(), refs=pl.concat_list("ref", "_sign").first().list.drop_nulls(), times=pl.len()
    )


def _steps(view: CaseView, runs: pl.DataFrame, came: pl.DataFrame) -> pl.DataFrame:
    """`run_id, since, until, ref`: from each event to the next, from the run's begin to the first, from the last on."""
    bounds = view.runs.join(runs, on="run_id", how="semi").filter(pl.col("first_ts").is_not_null())
    begins = bounds.select("run_id", ts="first_ts", ref=pl.lit(None, dtype=pl.String))
    ends = bounds.select("run_id", ts="last_ts", ref=pl.lit(None, dtype=pl.String))
    timed = came.filter(pl.col("ts").is_not_null()).join(runs, on="run_id", how="semi").select("run_id", "ts", "ref")
    # Stable, and in this order: a begin stands before an event of the same instant, an end after it.
    marks = pl.concat([begins, timed, ends]).sort("run_id", "ts", maintain_order=True)
    steps = marks.select("run_id", "ref", since="ts", until=pl.col("ts").shift(-1).over("run_id"))
    return steps.filter(pl.col("until").is_not_null())


def _alive(view: CaseView, came: pl.DataFrame, long: pl.DataFrame) -> pl.DataFrame:
    """Silences in which a source that does not carry the event wrote something, with that something as `_sign`."""
    others = (
        view.events.join(long.select("run_id").unique().lazy(), on="run_id", how="semi")
        .join(came.select("run_id", "source_id").unique().lazy(), on=["run_id", "source_id"], how="anti")
        .filter(pl.col("ts").is_not_null())
        .select(
            "run_id",
            "source_id",
            "byte_start",
            _at="ts",
            _sign=pl.format("{}:{}+{}", "source_id", "byte_start", "byte_len"),
        )
        .collect()
        .sort("_at", "source_id", "byte_start")
        .select("run_id", "_at", "_sign")
    )
    signed = long.sort("since").join_asof(
        others,
        left_on="since",
        right_on="_at",
        by="run_id",
        strategy="forward",
        allow_exact_matches=False,
        check_sortedness=False,
    )
    return signed.filter(pl.col("_at") < pl.col("until"))
