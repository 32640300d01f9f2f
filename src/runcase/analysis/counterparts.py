"""The good runs that a run is held against: those of its job that began before it, the nearest first."""

from __future__ import annotations

import polars as pl

from runcase.model.kinds import UNSUCCESSFUL

MOST = 3
"""Good runs that lines are looked for in: one may have been lucky, and what all of them have is usual."""


_PAIRED = ("run_id", "attempt", "other", "other_attempt", "why")


def good_runs_before(runs: pl.DataFrame, most: int = MOST, of: pl.Series | None = None) -> pl.DataFrame:
    """The good runs that runs are held against.

    Later ones are left out: what a case says of a run does not change with the good runs that follow it.

    Args:
        runs: RUNS, all that are known.
        most: So many of each run.
        of: Run ids; None: those that ended badly.

    Returns:
        `run_id, other, nth`; `nth` is 0 for the nearest; sorted by `run_id, nth`. Runs without a job or without a
        time have none.
    """
    timed = runs.filter(pl.col("job").is_not_null() & pl.col("first_ts").is_not_null())
    good = timed.filter(pl.col("status") == "succeeded").sort("job", "first_ts", "run_id")
    good = good.select("job", "first_ts", other="run_id", rank=pl.int_range(pl.len()).over("job"))
    over = timed.filter(_asked(of)).select("run_id", "job", "first_ts").sort("first_ts", "run_id")
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


def counterparts(runs: pl.DataFrame, attempts: pl.DataFrame, of: pl.Series | None = None) -> pl.DataFrame:
    """What the last attempt of a run is compared with: the last good run of its job before it, else the attempt before.

    Args:
        runs: RUNS, all that are known.
        attempts: ATTEMPTS.
        of: Run ids; None: those that ended badly.

    Returns:
        `run_id, attempt, other, other_attempt, why`, sorted by `run_id`; runs that have neither are left out.
    """
    over = runs.filter(_asked(of)).sort("first_ts", "run_id", nulls_last=True)
    last = attempts.group_by("run_id").agg(pl.col("attempt").max())
    over = over.select("run_id", "job", "first_ts").join(last, on="run_id", how="inner", maintain_order="left")
    good = good_runs_before(runs, 1, of).join(
        last.rename({"run_id": "other", "attempt": "other_attempt"}), on="other", how="inner", maintain_order="left"
    )
    found = over.join(good, on="run_id", how="inner", maintain_order="left").with_columns(why=pl.lit("last good run"))
    rest = over.join(found, on="run_id", how="anti").filter(pl.col("attempt") > 1)
    before = rest.with_columns(other="run_id", other_attempt=pl.col("attempt") - 1, why=pl.lit("the attempt before"))
    return pl.concat([found.select(_PAIRED), before.select(_PAIRED)]).sort("run_id")


def _asked(of: pl.Series | None) -> pl.Expr:
    return pl.col("status").is_in(UNSUCCESSFUL) if of is None else pl.col("run_id").is_in(of.implode())
