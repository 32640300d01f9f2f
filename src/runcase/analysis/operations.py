"""Stages, tool calls and invocations: begun and ended operations as windows."""

from __future__ import annotations

import polars as pl

from runcase.analysis.selection import of_kind
from runcase.analysis.windows import measured
from runcase.model.refs import ref_of

KINDS = ("stage", "tool", "invocation")

_SPAN_KINDS = {"stage": "stage", "tool": "tool", "other": "tool", "invocation": "invocation", "queue": "invocation"}
"""Kind of a span -> kind of its window; single tests are no windows of their own."""

SAME_SECONDS = 2
"""Two producers that tell of one instant differ by less: some write whole seconds, and each writes when it knows."""

_CARRIED = ("ts", "ts_lo", "ts_hi", "ref", "detail")
_GROUP = ("run_id", "attempt", "kind", "_key")


def operations(marks: pl.DataFrame, spans: pl.DataFrame, sources: pl.DataFrame, doubt: pl.DataFrame) -> pl.DataFrame:
    """WINDOWS of kind `stage`, `tool` and `invocation`.

    Args:
        marks: As `marks.marks` yields them.
        spans: SPANS with runs assigned. A span that repeats an operation which events close is left out.
        sources: SOURCES. What two readers tell under one name, at the same instants, is one operation.
        doubt: As `clocks.Clocks.doubt` yields it.
    """
    readers = sources.select("source_id", _reader=pl.col("reader").fill_null("")).unique("source_id")
    told = measured(_told(marks, readers), doubt)
    stated = measured(_stated(_once_stated(spans, readers)), doubt)
    closed = told.filter(pl.col("state") == "closed").select("run_id", "attempt", "kind", "name").unique()
    fresh = stated.join(closed, on=["run_id", "attempt", "kind", "name"], how="anti", maintain_order="left")
    open_twice = told.filter(pl.col("state") != "closed").join(
        fresh.select("run_id", "attempt", "kind", "name").unique(),
        on=["run_id", "attempt", "kind", "name"],
        how="anti",
        maintain_order="left",
    )
    return pl.concat([told.filter(pl.col("state") == "closed"), open_twice, fresh])


def _told(marks: pl.DataFrame, readers: pl.DataFrame) -> pl.DataFrame:
    """Begins and ends of one operation side by side; an end without a begin takes it from the duration it states."""
    ordered = _folded(_once(_steps(marks).sort(*_GROUP, "order"), readers))
    follows = pl.col("_begins").shift(-1).over(_GROUP)
    before = pl.col("_begins").shift(1).over(_GROUP)
    paired = pl.col("_begins") & ~follows.fill_null(value=True)
    following = [pl.col(c).shift(-1).over(_GROUP).alias(f"_next_{c}") for c in _CARRIED]
    alone = ~pl.col("_begins") & ~before.fill_null(value=False)
    ordered = ordered.with_columns(*following, _paired=paired, _alone=alone)
    return pl.concat([_begun(ordered.filter(pl.col("_begins"))), _ended(ordered.filter(pl.col("_alone")))])


def _once(steps: pl.DataFrame, readers: pl.DataFrame) -> pl.DataFrame:
    """Steps without those that another reader tells too; of two ends the one stays whose reader told the begin."""
    rows = steps.join(readers, on="source_id", how="left", maintain_order="left")
    opener = pl.when("_begins").then("_reader").forward_fill().over(_GROUP)
    rows = rows.with_columns(_mine=(pl.col("_reader") == opener).fill_null(value=False))
    named = pl.col("kind").is_in(["stage", "tool"]) & (pl.col("_key") != pl.col("kind"))
    close = pl.col("ts").diff().over(_GROUP).dt.total_microseconds() <= SAME_SECONDS * 1_000_000
    alike = pl.col("_begins") == pl.col("_begins").shift(1).over(_GROUP)
    other = pl.col("_reader") != pl.col("_reader").shift(1).over(_GROUP)
    again = (named & close & alike & other).fill_null(value=False)
    better = again & ~pl.col("_begins") & pl.col("_mine") & ~pl.col("_mine").shift(1).over(_GROUP)
    rows = rows.with_columns(_again=again & ~better, _worse=better.shift(-1).over(_GROUP).fill_null(value=False))
    return rows.filter(~pl.col("_again") & ~pl.col("_worse")).select(steps.columns)


def _once_stated(spans: pl.DataFrame, readers: pl.DataFrame) -> pl.DataFrame:
    """Spans without those that another reader states too, more roughly: in whole seconds, or else later in order."""
    ends = pl.col("run_id").is_not_null() & pl.col("start").is_not_null() & pl.col("end").is_not_null()
    numbered = spans.with_row_index("_row")
    rows = numbered.filter(ends & pl.col("kind").is_in(["stage", "tool"])).join(readers, on="source_id", how="left")
    rows = rows.filter(pl.col("_reader").n_unique().over("run_id", "kind", "name") > 1)
    slot = pl.col("start").dt.epoch("s") // SAME_SECONDS
    rows = rows.with_columns(_slot=slot, _rough=pl.col("start").dt.microsecond() == 0)
    near = rows.with_columns(_slot=pl.concat_list(slot - 1, slot, slot + 1)).explode("_slot")
    pairs = rows.join(near, on=["run_id", "kind", "name", "_slot"], how="inner", suffix="_x")
    limit = pl.duration(seconds=SAME_SECONDS)
    same = [(pl.col(c) - pl.col(f"{c}_x")).abs() <= limit for c in ("start", "end")]
    tries = pl.col("attempt").is_null() | pl.col("attempt_x").is_null() | (pl.col("attempt") == pl.col("attempt_x"))
    equal = pl.col("_rough") == pl.col("_rough_x")
    finer = (pl.col("_rough") & ~pl.col("_rough_x")) | (equal & (pl.col("_row_x") < pl.col("_row")))
    told = pairs.filter((pl.col("_reader") != pl.col("_reader_x")) & tries & finer, *same)
    return numbered.join(told.select("_row").unique(), on="_row", how="anti").drop("_row")


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
