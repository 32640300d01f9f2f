"""What must have come before what on two clocks: each pair bounds how far the clocks stand apart."""

from __future__ import annotations

import polars as pl

from runcase.analysis.selection import of_kind
from runcase.analysis.signs import ENDED, ends_process
from runcase.model.kinds import WORK_KINDS

STEPS: tuple[tuple[str, ...], ...] = (
    ("run.created", "invocation.queued"),
    ("attempt.claimed", "invocation.claimed"),
    ("attempt.started",),
    ("workspace.ready",),
    WORK_KINDS,
)
"""Steps of an attempt in the only order that is possible; the first event of each counts."""

SHARED = ("run.created", "attempt.claimed", "attempt.started", "workspace.ready", "run.finished")
"""Kinds that happen once an attempt: two sources that report one speak of the same instant."""

SHARED_SLACK_US = 10_000_000
"""How far apart two sources may note the same instant without a clock being wrong."""

FARTHEST_US = 10**15
"""31 years: a bound beyond it says nothing of a clock, and sums of many must not overflow."""

_PAIR = ("run_id", "attempt")

CONSTRAINTS = pl.Schema({"early": pl.String(), "late": pl.String(), "bound": pl.Int64(), "refs": pl.List(pl.String())})
"""`late`'s clock must be moved against `early`'s by at least `bound` microseconds; `refs`: the two instants."""


def constraints(
    marks: pl.DataFrame, signs: pl.DataFrame, claims: pl.DataFrame, spans: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The strictest constraint of each pair of clocks, and those of instants that two clocks note.

    Args:
        marks: As `marks.marks` yields them, `source_id` naming a clock.
        signs: As `signs.signs` yields them, `source_id` naming a clock.
        claims: ARTIFACTS with runs assigned and `ref`, `source_id` naming a clock.
        spans: SPANS with `ref`, `source_id` naming a clock.

    Returns:
        Two frames of `CONSTRAINTS`.
    """
    firsts = _firsts(marks)
    shared = _shared(marks)
    found = pl.concat(
        [
            *(_steps(firsts), _signs_of_life(firsts, signs), _last_words(marks, signs)),
            *(shared, _written_before_read(claims), _nested(spans)),
        ]
    )
    near = found.filter(pl.col("bound") > -FARTHEST_US).with_columns(pl.col("bound").clip(upper_bound=FARTHEST_US))
    ordered = near.sort("early", "late", -pl.col("bound"), pl.col("refs").list.first())
    return ordered.unique(["early", "late"], keep="first", maintain_order=True), shared


def _firsts(marks: pl.DataFrame) -> pl.DataFrame:
    """`run_id, own_attempt, source_id, rank, ts_lo, ts_hi, ref`: the first event of each step in each source."""
    timed = marks.filter(pl.col("own_attempt").is_not_null() & pl.col("ts_lo").is_not_null())
    found = []
    for rank, kinds in enumerate(STEPS):
        rows = timed.filter(of_kind(pl.col("kind"), kinds)).sort("ts_lo", "order")
        first = rows.group_by("run_id", "own_attempt", "source_id", maintain_order=True).first()
        found.append(
            first.select(
                "run_id", "own_attempt", "source_id", "ts_lo", "ts_hi", "ref", rank=pl.lit(rank, dtype=pl.Int32)
            )
        )
    return pl.concat(found)


def _steps(firsts: pl.DataFrame) -> pl.DataFrame:
    """Of each attempt, each step of a source against each later step of another source."""
    pairs = firsts.join(firsts, on=["run_id", "own_attempt"], how="inner", suffix="_b")
    return _constraint(pairs.filter(pl.col("rank") < pl.col("rank_b")), 0)


def _signs_of_life(firsts: pl.DataFrame, signs: pl.DataFrame) -> pl.DataFrame:
    """An attempt is claimed and begins before the first sign of life that another source notes."""
    return _constraint(firsts.join(signs, on=["run_id", "own_attempt", "rank"], how="inner", suffix="_b"), 0)


def _last_words(marks: pl.DataFrame, signs: pl.DataFrame) -> pl.DataFrame:
    """A process prints nothing after its exit, but for what lay in a pipe; of several exits the last one counts."""
    exits = marks.filter(ends_process()).sort("ts_lo", "order")
    last = exits.group_by("run_id", "own_attempt", "source_id", maintain_order=True).last()
    printed = signs.filter(pl.col("rank") == ENDED)
    ends = last.select("run_id", "own_attempt", "source_id", "ts_lo", "ts_hi", "ref")
    return _constraint(printed.join(ends, on=["run_id", "own_attempt"], how="inner", suffix="_b"), SHARED_SLACK_US)


def _shared(marks: pl.DataFrame) -> pl.DataFrame:
    """Two sources that note the same single event, each bounding the other."""
    once = marks.filter(
        of_kind(pl.col("kind"), SHARED) & pl.col("own_attempt").is_not_null() & pl.col("ts_lo").is_not_null()
    )
    first = once.group_by("run_id", "own_attempt", "kind", "source_id", maintain_order=True).first()
    keys = ["run_id", "own_attempt", "kind"]
    rows = first.select(*keys, "source_id", "ts_lo", "ts_hi", "ref")
    return _constraint(rows.join(rows, on=keys, how="inner", suffix="_b"), SHARED_SLACK_US)


def _written_before_read(claims: pl.DataFrame) -> pl.DataFrame:
    timed = claims.filter(pl.col("ts").is_not_null() & pl.col("run_id").is_not_null()).sort("ts")
    rows = timed.select(*_PAIR, "artifact_id", "action", "source_id", "ref", ts_lo="ts", ts_hi="ts")
    keys = [*_PAIR, "artifact_id"]
    written = rows.filter(pl.col("action") == "written").unique(keys, keep="first", maintain_order=True)
    read = rows.filter(pl.col("action") == "read")
    return _constraint(written.join(read, on=keys, how="inner", suffix="_b", nulls_equal=True), 0)


def _nested(spans: pl.DataFrame) -> pl.DataFrame:
    """A span begins before the spans that it causes in other sources: they received its context."""
    timed = spans.filter(pl.col("start").is_not_null() & pl.col("trace_id").is_not_null())
    rows = timed.select("trace_id", "span_id", "parent_span_id", "source_id", "ref", ts_lo="start", ts_hi="start")
    parents = rows.unique(["trace_id", "span_id", "source_id"], keep="first", maintain_order=True)
    children = rows.filter(pl.col("parent_span_id").is_not_null())
    pairs = parents.join(
        children,
        left_on=["trace_id", "span_id"],
        right_on=["trace_id", "parent_span_id"],
        how="inner",
        suffix="_b",
    )
    return _constraint(pairs, 0)


def _constraint(pairs: pl.DataFrame, slack_us: int) -> pl.DataFrame:
    """CONSTRAINTS of pairs on two clocks: the first instant came no later than that with the suffix `_b`."""
    bound = (pl.col("ts_lo") - pl.col("ts_hi_b")).dt.total_microseconds() - slack_us
    return pairs.filter(pl.col("source_id") != pl.col("source_id_b")).select(
        early="source_id", late="source_id_b", bound=bound.cast(pl.Int64), refs=pl.concat_list("ref", "ref_b")
    )
