"""Stages, tool calls and invocations: begun and ended operations as windows."""

from __future__ import annotations

import polars as pl

from runcase.analysis.selection import of_kind
from runcase.analysis.windows import measured
from runcase.model.refs import ref_of

KINDS = ("stage", "tool", "invocation")

_SPAN_KINDS = {"stage": "stage", "tool": "tool", "other": "tool", "invocation": "invocation", "queue": "invocation"}
"""Kind of a span -> kind of its window; single tests are no windows of their own."""

_CARRIED = ("ts", "ts_lo", "ts_hi", "ref", "detail")
_GROUP = ("run_id", "attempt", "kind", "_key")


def operations(marks: pl.DataFrame, spans: pl.DataFrame, doubt: pl.DataFrame) -> pl.DataFrame:
    """WINDOWS of kind `stage`, `tool` and `invocation`.

    Args:
        marks: As `marks.marks` yields them.
        spans: SPANS with runs assigned. A span that repeats an operation which events close is left out.
        doubt: As `clocks.Clocks.doubt` yields it.
    """
    told = measured(_told(marks), doubt)
    stated = measured(_stated(spans), doubt)
    closed = told.filter(pl.col("state") == "closed").select("run_id", "attempt", "kind", "name").unique()
    fresh = stated.join(closed, on=["run_id", "attempt", "kind", "name"], how="anti", maintain_order="left")
    open_twice = told.filter(pl.col("state") != "closed").join(
        fresh.select("run_id", "attempt", "kind", "name").unique(),
        on=["run_id", "attempt", "kind", "name"],
        how="anti",
        maintain_order="left",
    )
    return pl.concat([told.filter(pl.col("state") == "closed"), open_twice, fresh])


def _told(marks: pl.DataFrame) -> pl.DataFrame:
    """Begins and ends of one operation side by side; an end without a begin takes it from the duration it states."""
    ordered = _folded(_steps(marks).sort(*_GROUP, "order"))
    follows = pl.col("_begins").shift(-1).over(_GROUP)
    before = pl.col("_begins").shift(1).over(_GROUP)
    paired = pl.col("_begins") & ~follows.fill_null(value=True)
    following = [pl.col(c).shift(-1).over(_GROUP).alias(f"_next_{c}") for c in _CARRIED]
    alone = ~pl.col("_begins") & ~before.fill_null(value=False)
    ordered = ordered.with_columns(*following, _paired=paired, _alone=alone)
    return pl.concat([_begun(ordered.filter(pl.col("_begins"))), _ended(ordered.filter(pl.col("_alone")))])


def _folded(steps: pl.DataFrame) -> pl.DataFrame:
    """Steps in which operations of one name that overlap, and all end, are one: which end is whose is not told."""
    deep = pl.when("_begins").then(1).otherwise(-1).cum_sum().over(_GROUP)
    rows = steps.with_columns(_deep=deep)
    rows = rows.with_columns(_open=pl.col("_deep") - pl.col("_deep").clip(upper_bound=0).cum_min().over(_GROUP))
    outer = pl.col("_open").shift(1, fill_value=0).over(_GROUP) == 0
    rows = rows.with_columns(_outer=outer, _alone=outer & ~pl.col("_begins"))
    rows = rows.with_columns(_part=(pl.col("_outer") & pl.col("_begins")).cum_sum().over(_GROUP))
    part = [*_GROUP, "_part", "_alone"]
    several = (pl.col("_begins").sum() > 1) & (pl.col("_open").last() == 0)
    failed = pl.col("detail").str.contains("^(?:error|status (?:error|failed))").fill_null(value=False)
    rows = rows.with_columns(_fold=several.over(part), _bad=pl.col("detail").filter(failed).first().over(part))
    inside = pl.col("_fold") & ~pl.col("_outer") & (pl.col("_open") > 0)
    kept = rows.filter(~inside)
    detail = pl.when(pl.col("_fold") & ~pl.col("_begins")).then(pl.coalesce("_bad", "detail")).otherwise("detail")
    return kept.with_columns(detail=detail).select(steps.columns)


def _steps(marks: pl.DataFrame) -> pl.DataFrame:
    """Events that begin or end an operation: `kind`, `name`, `_key` that both ends share, and `_begins`."""
    kind = pl.col("kind")
    begins = of_kind(kind, ["stage.started", "tool.started", "invocation.started"])
    ends = of_kind(kind, ["stage.finished", "tool.finished", "invocation.finished"])
    broken_tool = of_kind(kind, ["error"]) & pl.col("tool_call_id").is_not_null()
    broken_stage = of_kind(kind, ["error.rule"]) & pl.col("stage").is_not_null()
    sort = kind.str.extract(r"^(stage|tool|invocation)\.").fill_null(
        pl.when(broken_stage).then(pl.lit("stage")).otherwise(pl.lit("tool"))
    )
    rows = marks.filter(begins | ends | broken_tool | broken_stage)
    named = (
        pl.when(sort == "stage")
        .then(pl.coalesce("stage", "summary", pl.lit("stage")))
        .when(sort == "tool")
        .then(pl.coalesce("f_tool", "tool_call_id", "summary", pl.lit("tool")))
        .otherwise(pl.coalesce("invocation_id", pl.lit("invocation")))
    )
    key = pl.when(sort == "stage").then(pl.col("stage")).when(sort == "tool").then(pl.col("tool_call_id"))
    exit_text = pl.when(pl.col("f_exit_code").is_not_null()).then(pl.format("exit {}", "f_exit_code"))
    broken = pl.when(of_kind(kind, ["error"])).then(pl.lit("error"))
    said = pl.coalesce(exit_text, pl.format("status {}", "f_status"), broken)
    return rows.with_columns(
        kind=sort,
        name=named,
        attempt=pl.col("in_attempt"),
        _begins=begins,
        _key=pl.coalesce(key, pl.when(sort == "invocation").then("invocation_id"), named),
        detail=pl.when(~begins).then(said),
    )


def _begun(rows: pl.DataFrame) -> pl.DataFrame:
    paired = pl.col("_paired")
    return rows.select(
        "run_id",
        "attempt",
        "kind",
        "name",
        start="ts",
        start_lo="ts_lo",
        start_hi="ts_hi",
        start_ref="ref",
        end=pl.when(paired).then("_next_ts"),
        end_lo=pl.when(paired).then("_next_ts_lo"),
        end_hi=pl.when(paired).then("_next_ts_hi"),
        end_ref=pl.when(paired).then("_next_ref"),
        detail=pl.when(paired).then("_next_detail"),
        _start_absent=pl.lit("not_timed"),
        _end_absent=pl.when(paired).then(pl.lit("not_timed")).otherwise(pl.lit("no_end_event")),
    )


def _ended(rows: pl.DataFrame) -> pl.DataFrame:
    back = pl.duration(microseconds=pl.col("duration_us"))
    return rows.select(
        "run_id",
        "attempt",
        "kind",
        "name",
        start=pl.col("ts") - back,
        start_lo=pl.col("ts_lo") - back,
        start_hi=pl.col("ts_hi") - back,
        start_ref=pl.when(pl.col("duration_us").is_not_null()).then("ref"),
        end="ts",
        end_lo="ts_lo",
        end_hi="ts_hi",
        end_ref="ref",
        detail="detail",
        _start_absent=pl.lit("no_begin_event"),
        _end_absent=pl.lit("not_timed"),
    )


def _stated(spans: pl.DataFrame) -> pl.DataFrame:
    rows = spans.filter(pl.col("run_id").is_not_null() & pl.col("kind").is_in(list(_SPAN_KINDS)))
    outcome = pl.when(~pl.col("status").is_in(["ok", "unset"])).then(pl.col("status"))
    return rows.select(
        "run_id",
        pl.col("attempt"),
        kind=pl.col("kind").replace_strict(_SPAN_KINDS, return_dtype=pl.String),
        name="name",
        start="start",
        start_lo="start",
        start_hi="start",
        start_ref=pl.when(pl.col("start").is_not_null()).then(ref_of()),
        end="end",
        end_lo="end",
        end_hi="end",
        end_ref=pl.when(pl.col("end").is_not_null()).then(ref_of()),
        detail=pl.concat_str(outcome, pl.col("error"), separator=": ", ignore_nulls=True).replace("", None),
        _start_absent=pl.when(pl.col("end").is_null()).then(pl.lit("not_timed")).otherwise(pl.lit("no_begin_event")),
        _end_absent=pl.lit("no_end_event"),
    )
