"""The good runs that a run is held against: those of its job that began before it, the nearest first."""

from __future__ import annotations

import polars as pl

from runcase.model.kinds import UNSUCCESSFUL

MOST = 3
"""Good runs that lines are looked for in: one may have been lucky, and what all of them have is usual."""


def good_runs_before(runs: pl.DataFrame, most: int = MOST) -> pl.DataFrame:
    """The good runs that each run which ended badly is held against.

    Later ones are left out: what a case says of a run does not change with the good runs that follow it.

    Args:
        runs: RUNS, all that are known.
        most: So many of each run.

    Returns:
        `run_id, other, nth`; `nth` is 0 for the nearest; sorted by `run_id, nth`. Runs without a job or without a
        time have none.
    """
    timed = runs.filter(pl.col("job").is_not_null() & pl.col("first_ts").is_not_null())
    good = timed.filter(pl.col("status") == "succeeded").sort("job", "first_ts", "run_id")
    good = good.select("job", "first_ts", other="run_id", rank=pl.int_range(pl.len()).over("job"))
    over = (
        timed.filter(pl.col("status").is_in(UNSUCCESSFUL))
        .select("run_id", "job", "first_ts")
        .sort("first_ts", "run_id")
    )
    ranked = good.select("job", "first_ts", "rank").sort("first_ts", "rank")
    nearest = over.join_asof(
        ranked,
        on="first_ts",
        by="job",
        strategy="backward",
        allow_exact_matches=False,
        check_sortedness=False,
    )
    back = pl.DataFrame({"nth": range(most)}, schema={"nth": pl.Int64})
    wanted = nearest.filter(pl.col("rank").is_not_null()).join(back, how="cross")
    wanted = wanted.with_columns(rank=pl.col("rank") - pl.col("nth"))
    found = wanted.join(good.select("job", "rank", "other"), on=["job", "rank"], how="inner")
    return found.select("run_id", "other", "nth").sort("run_id", "nth")
