"""What a dossier says of clocks that were corrected, of those that cannot be, and of those that nothing bounds."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from runcase.analysis.absences import signals_of
from runcase.analysis.clocks import DOUBTS, Clocks, doubted
from runcase.analysis.contradictions import contradiction
from runcase.analysis.observations import observation
from runcase.analysis.view import CaseView
from runcase.model.tables import SIGNALS

REPORTED_US = 1_000_000
"""Skews below this are corrected but not reported."""

OPEN_FROM = timedelta(minutes=2)
OPEN_SHARE = 0.5
"""A window on two clocks is worth a word of doubt if it is this long, and this share of it may be skew."""


def with_doubt(windows: pl.DataFrame, found: Clocks) -> pl.DataFrame:
    """WINDOWS in which a duration that rests on a clock that is bounded on one side only says so."""
    if found.skews.is_empty():
        return windows
    rows = doubted(windows, found.doubt)
    two = (pl.col("kind") == "window") & (pl.col("state") == "closed")
    longer = pl.col("_start_early").is_null() | pl.col("_end_late").is_null()
    shorter = pl.col("_start_late").is_null() | pl.col("_end_early").is_null()
    word = pl.when(longer & shorter).then(pl.lit("about")).when(longer).then(pl.lit("at least"))
    text = pl.format(
        "{} this long: a clock was corrected by the least that makes its order possible",
        word.otherwise(pl.lit("at most")),
    )
    detail = pl.when(two & (longer | shorter)).then(text).otherwise("detail")
    return rows.with_columns(detail=detail).drop(DOUBTS).select(windows.columns)


def skew_signals(view: CaseView, found: Clocks) -> pl.DataFrame:
    """SIGNALS about clocks."""
    leaf = view.sources.select("source_id", leaf=pl.col("path").str.extract(r"([^/]+/[^/]+|[^/]+)$"))
    runs = view.members.select("source_id", "run_id").unique()
    return pl.concat([_skewed(found, leaf, runs), _excluded(found, leaf, runs), _open(view, found, leaf)])


def _skewed(found: Clocks, leaf: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Clocks that were corrected; parts of one rotated log share a clock, which is told once."""
    rows = found.skews.filter(pl.col("offset_us").abs() >= REPORTED_US).sort("clock", "source_id")
    named = rows.join(leaf, left_on="clock", right_on="source_id", how="left", maintain_order="left")
    named = named.join(leaf, left_on="reference_id", right_on="source_id", how="left", suffix="_ref")
    of_runs = named.join(runs, on="source_id", how="inner").sort("run_id", "clock", "source_id")
    once = of_runs.unique(["run_id", "clock"], keep="first", maintain_order=True)
    behind = pl.col("offset_us") > 0
    text = pl.format(
        "the clock of {} stands {} s {} that of {}; its times were corrected by {} s",
        "leaf",
        _extent(behind),
        pl.when(behind).then(pl.lit("behind")).otherwise(pl.lit("ahead of")),
        "leaf_ref",
        _seconds(pl.col("offset_us").abs()),
    )
    return observation(once.select("run_id", "refs", _text=text), "clock_skew", pl.col("_text"))


def _extent(behind: pl.Expr) -> pl.Expr:
    """Within which limits the clock is off, in seconds: `361 to 421`, or `at least 361`."""
    least, most = (_seconds(pl.col(c).abs()) for c in ("lo_us", "hi_us"))
    near, far = pl.when(behind).then(least).otherwise(most), pl.when(behind).then(most).otherwise(least)
    by = _seconds(pl.col("offset_us").abs())
    return (
        pl.when(far.is_null())
        .then(pl.format("at least {}", pl.coalesce(near, by)))
        .otherwise(pl.format("{} to {}", pl.coalesce(near, pl.lit("0")), far))
    )


def _seconds(us: pl.Expr) -> pl.Expr:
    return (us / 1e6).round(3).cast(pl.String).str.replace(r"\.0$", "")


def _excluded(found: Clocks, leaf: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Clocks that no skew reconciles."""
    sets = found.impossible.with_row_index("_set").explode("clocks")
    named = sets.join(leaf, left_on="clocks", right_on="source_id", how="left", maintain_order="left")
    texts = named.group_by("_set", maintain_order=True).agg(_names=pl.col("leaf").sort().str.join(", "))
    of_runs = sets.join(runs, left_on="clocks", right_on="source_id", how="inner")
    rows = of_runs.unique(["run_id", "_set"], keep="first").join(texts, on="_set").sort("run_id", "_set")
    text = pl.format("no skew between the clocks of {} makes the order of their events possible", "_names")
    return contradiction(rows.select("run_id", "refs", _text=text), "impossible_clocks", pl.col("_text"))


# --- what nothing bounds --------------------------------------------------------------------------


def _open(view: CaseView, found: Clocks, leaf: pl.DataFrame) -> pl.DataFrame:
    """The longest window of an attempt that begins on one clock and ends on another that may be ahead of it.

    That a claim is followed by a start says that the second clock is not behind; that it is not ahead has to be said
    by something that goes the other way. Where nothing does, no one can tell a slow boot from a clock that is ahead.
    """
    closed = view.windows.filter((pl.col("kind") == "window") & (pl.col("state") == "closed"))
    long = closed.filter(pl.col("duration_us") >= OPEN_FROM // timedelta(microseconds=1))
    for side in ("start", "end"):
        source = long.with_columns(source_id=pl.col(f"{side}_ref").str.split(":").list.first())
        named = source.join(found.groups, on="source_id", how="left", maintain_order="left").join(leaf, on="source_id")
        long = named.rename({"clock": f"{side}_clock", "leaf": f"{side}_leaf"}).drop("source_id")
    across = long.filter(pl.col("start_clock") != pl.col("end_clock"))
    if across.is_empty():
        return SIGNALS.empty()
    rows = across.with_columns(_skew=_slack(across, found))
    rows = rows.filter(pl.col("_skew") >= pl.col("duration_us") * OPEN_SHARE)
    rows = rows.sort("run_id", "attempt", -pl.col("duration_us"), "name")
    rows = rows.unique(["run_id", "attempt"], keep="first", maintain_order=True)
    rows = rows.with_columns(
        verdict=pl.lit("not_observable"),
        searched=pl.lit("what must have come before what in all sources of the case"),
        refs=pl.concat_list("start_ref", "end_ref"),
    )
    text = pl.format(
        "{} of {} s lies between two clocks, and nothing tells how far that of {} is ahead of that of {}: "
        "up to {} s of it may be skew",
        "name",
        _seconds(pl.col("duration_us")),
        "end_leaf",
        "start_leaf",
        _seconds(pl.col("_skew")),
    )
    return signals_of(rows, "clock_not_bounded", text, "observation")


def _slack(across: pl.DataFrame, found: Clocks) -> pl.Series:
    """By how much the end's clock may be ahead of the start's, microseconds: by one constraint, or by two in a row."""
    ends = ["start_clock", "end_clock"]
    pairs = across.select(ends).unique()
    direct = found.bounds.select(start_clock="early", end_clock="late", _bound="bound")
    first = found.bounds.select(start_clock="early", _mid="late", _b1="bound")
    second = found.bounds.select(_mid="early", end_clock="late", _b2="bound")
    two = pairs.join(second, on="end_clock").join(first, on=["start_clock", "_mid"])
    ways = [pairs.join(direct, on=ends), two.select(*ends, _bound=pl.col("_b1") + pl.col("_b2"))]
    rows = across.join(
        pl.concat(ways).group_by(ends).agg(pl.col("_bound").max()), on=ends, how="left", maintain_order="left"
    )
    moved = found.skews.select("clock", "offset_us").unique()
    for end in ends:
        rows = rows.join(
            moved.rename({"clock": end, "offset_us": f"_{end}"}), on=end, how="left", maintain_order="left"
        )
    by = pl.col("_end_clock").fill_null(0) - pl.col("_start_clock").fill_null(0)
    own = pl.col("duration_us")
    return rows.select(pl.min_horizontal((by - pl.col("_bound")).fill_null(own), own)).to_series()
