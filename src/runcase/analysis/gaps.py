"""The longest silences of each attempt: who fell silent after what, and who stayed alive."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from runcase.analysis.marks import RECORD_KIND
from runcase.analysis.selection import of_kind
from runcase.analysis.wording import clipped
from runcase.model.naming_order import numbered
from runcase.model.refs import ref_of
from runcase.model.tables import WINDOWS

MOST = 3
"""Gaps that an attempt shows."""

SHORTEST = timedelta(seconds=10)
BIN = "5s"
"""Events within one are no silence; half of `SHORTEST`, so that a silence always spans the end of a bin."""

SHARE = 0.04
"""A silence is a gap from `SHORTEST` on, if it takes at least this share of the attempt's time."""

PAIR = ("run_id", "attempt")


def gaps(events: pl.LazyFrame, marks: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """WINDOWS of kind `gap`.

    Proofs of life (heartbeats) do not end a silence; they tell which sources stayed alive in it.

    Args:
        events: EVENTS with runs assigned.
        marks: As `marks.marks` yields them.
        sources: SOURCES, in the order of their names.
    """
    found = _silences(events, sources)
    if found.is_empty():
        return WINDOWS.empty()
    alive = _alive(events, found, sources)
    rows = found.join(alive, on="_gap", how="left", maintain_order="left")
    rows = rows.join(sources.select("source_id", _path=_leaf()), on="source_id", how="left", maintain_order="left")
    rows = rows.join(_last_said(found, marks), on="_gap", how="left", maintain_order="left")
    spoke = marks.group_by("run_id").agg(_sources=pl.col("source_id").n_unique())
    rows = rows.join(spoke, on="run_id", how="left", maintain_order="left")
    lag = (pl.col("start") - pl.col("_said_at")).dt.total_seconds()
    when = pl.when(lag > 0).then(pl.format(" {} s", lag)).otherwise(pl.lit(""))
    said = pl.when(pl.col("_said").is_not_null()).then(pl.format("{} after `{}`", when, "_said")).otherwise(pl.lit(""))
    others = (
        pl.when(pl.col("_alive").is_not_null())
        .then(pl.format("; {} stayed alive", "_alive"))
        .when(pl.col("_sources") > 1)
        .then(pl.lit("; nothing else of the run spoke"))
        .otherwise(pl.lit(""))
    )
    rate = pl.coalesce(pl.col("_rate"), pl.lit(""))
    return WINDOWS.fill(
        rows.with_columns(
            kind=pl.lit("gap"),
            name=pl.lit("gap"),
            state=pl.lit("closed"),
            duration_us=(pl.col("end") - pl.col("start")).dt.total_microseconds(),
            uncertainty_us=pl.lit(0),
            detail=pl.concat_str(pl.col("_path"), pl.lit(" fell silent"), said, others, rate),
        )
    )


def _leaf() -> pl.Expr:
    """The last part of a path."""
    return pl.col("path").str.extract(r"([^/]+)$")


def _silences(events: pl.LazyFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """The longest silences: `run_id, attempt, start, end, start_ref, end_ref`, source before it, and `_gap` number.

    A silence is longer than a bin, so it lies between two bins that follow one another: events are reduced to the
    first and last instant of each bin before anything is sorted.
    """
    spoken = ~of_kind(pl.col("kind"), ["heartbeat", RECORD_KIND]) & (pl.col("ts_basis") != "inherited")
    timed = events.filter(pl.col("attempt").is_not_null() & pl.col("ts").is_not_null() & spoken)
    binned = timed.group_by(*PAIR, _bin=pl.col("ts").dt.truncate(BIN)).agg(
        first=pl.col("ts").min(), last=pl.col("ts").max()
    )
    rows = binned.collect(engine="streaming").sort(*PAIR, "_bin")
    following = pl.col("first").shift(-1).over(PAIR)
    whole = (pl.col("last").max() - pl.col("first").min()).over(PAIR)
    found = rows.select(*PAIR, start="last", end=following, _whole=whole)
    found = found.with_columns(_length=pl.col("end") - pl.col("start"))
    long = found.filter((pl.col("_length") >= SHORTEST) & (pl.col("_length") >= pl.col("_whole") * SHARE))
    longest = (
        long.sort(*PAIR, "_length", "start", descending=[False, False, True, False])
        .group_by(PAIR, maintain_order=True)
        .head(MOST)
        .sort(*PAIR, "start", "end")
    )
    return _cited(timed, longest.select(*PAIR, "start", "end").with_row_index("_gap"), sources)


def _cited(events: pl.LazyFrame, found: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """Adds the event before each silence (the last one at its begin) and the one after it."""
    places = events.select(*PAIR, "ts", "source_id", "byte_start", ref=ref_of())
    ends = pl.concat([found.select(*PAIR, ts="start"), found.select(*PAIR, ts="end")]).unique().lazy()
    near = places.join(ends, on=[*PAIR, "ts"], how="semi").collect(engine="streaming")
    near = near.join(numbered(sources), on="source_id", how="left")
    place = ("_source", "source_id", "byte_start")
    grouped = near.sort(*PAIR, "ts", *place).group_by(*PAIR, "ts", maintain_order=True)
    before = grouped.last().select(*PAIR, "source_id", start="ts", start_ref="ref")
    after = grouped.first().select(*PAIR, end="ts", end_ref="ref")
    cited = found.join(before, on=[*PAIR, "start"], how="left", maintain_order="left")
    return cited.join(after, on=[*PAIR, "end"], how="left", maintain_order="left")


def _alive(events: pl.LazyFrame, found: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """`_gap, _alive`: names of the run's sources that spoke within the gap, with the number of their events."""
    within = found.select("run_id", "_gap", "start", "end").lazy()
    inside = (pl.col("ts") > pl.col("start")) & (pl.col("ts") < pl.col("end"))
    counted = (
        events.filter(pl.col("run_id").is_not_null() & pl.col("ts").is_not_null())
        .select("run_id", "ts", "source_id")
        .join(within, on="run_id", how="inner")
        .filter(inside)
        .group_by("_gap", "source_id")
        .agg(n=pl.len())
        .collect()
    )
    named = counted.join(sources.select("source_id", leaf=_leaf()), on="source_id", how="left")
    text = pl.format("{} ({} events)", "leaf", "n")
    return named.sort("_gap", "leaf", "source_id").group_by("_gap", maintain_order=True).agg(_alive=text.str.join(", "))


def _last_said(found: pl.DataFrame, marks: pl.DataFrame) -> pl.DataFrame:
    """`_gap, _said, _said_at, _rate`: the last mark of the attempt before the gap, and its pace until then."""
    happened = (pl.col("kind") != RECORD_KIND) & pl.col("ts").is_not_null()
    said = marks.filter(happened & pl.col("title").is_not_null())
    said = said.select(
        "run_id", "ts", _said=clipped(pl.col("title")), attempt=pl.col("in_attempt"), _said_at="ts"
    ).sort("ts")
    before = found.sort("start").join_asof(
        said, left_on="start", right_on="ts", by=list(PAIR), strategy="backward", check_sortedness=False
    )
    return (
        before.join(_rates(found, marks), on="_gap", how="left")
        .select("_gap", "_said", "_said_at", "_rate")
        .sort("_gap")
    )


def _rates(found: pl.DataFrame, marks: pl.DataFrame) -> pl.DataFrame:
    """`_gap, _rate`: what progress events say of the pace before the gap, where the work was unfinished."""
    done, total = (pl.col(f"f_{n}").cast(pl.Float64, strict=False) for n in ("done", "total"))
    steps = marks.filter(of_kind(pl.col("kind"), ["progress"]) & pl.col("ts").is_not_null())
    steps = steps.with_columns(done=done, total=total, attempt=pl.col("in_attempt"))
    steps = steps.filter(pl.col("done").is_not_null() & pl.col("total").is_not_null())
    joined = steps.select(*PAIR, "stage", "ts", "done", "total").join(
        found.select(*PAIR, "_gap", "start"), on=list(PAIR), how="inner"
    )
    before = joined.filter(pl.col("ts") <= pl.col("start")).sort("_gap", "ts", "done")
    latest = pl.col("stage").eq_missing(pl.col("stage").last().over("_gap"))
    paced = (
        before.filter(latest)
        .group_by("_gap", maintain_order=True)
        .agg(
            _n=pl.col("done").last() - pl.col("done").first(),
            _s=(pl.col("ts").last() - pl.col("ts").first()).dt.total_microseconds() / 1e6,
            _left=pl.col("total").last() - pl.col("done").last(),
        )
    )
    paced = paced.filter((pl.col("_n") > 0) & (pl.col("_s") > 0) & (pl.col("_left") > 0))
    each = pl.col("_s") / pl.col("_n")
    text = pl.format(
        "; at {} s a step the {} left would have taken {} s",
        each.round(2),
        pl.col("_left").cast(pl.Int64),
        (each * pl.col("_left")).round(0).cast(pl.Int64),
    )
    return paced.select("_gap", _rate=text)
