"""Announced, never seen: what a producer said would come and did not.

A total (`17 of 42`, a table of jobs), names (the nodes of a DAG, the children of a build event), artifacts that a rule
declares, and operations that were scheduled: where the source that would carry the answer is whole and reaches the
end, that it did not come is proven.
"""

from __future__ import annotations

import polars as pl

from runcase.analysis.absences import PAIR, each, end_of_attempt, signals_of
from runcase.analysis.artifacts import NEVER_MADE
from runcase.analysis.marks import ANNOUNCING
from runcase.analysis.observability import DAMAGED, Reach
from runcase.analysis.selection import of_kind
from runcase.analysis.view import CaseView
from runcase.model.kinds import UNSUCCESSFUL
from runcase.model.refs import ref_of
from runcase.rules.compile import field

CODE = "announced_never_seen"
_BEGINS = ("stage", "invocation", "tool", "retry")
"""Kinds of events by which an announced name comes."""


MEMBERS = ("announced", "announces", "never_came", "stream_ended")
"""Members of `fields` by which records announce: a total, a name; what a document announced and does not hold (and
whether the document says that it is whole)."""


def announced(view: CaseView, marks: pl.DataFrame, reach: Reach) -> pl.DataFrame:
    """SIGNALS `announced_never_seen` of all runs."""
    said = marks.filter(pl.col("fields").str.contains_any(list(ANNOUNCING)).fill_null(value=False))
    said = said.with_columns(field(name).alias(f"f_{name}") for name in MEMBERS)
    return pl.concat(
        [
            _totals(view, marks, said),
            _names(view, marks, said, reach),
            _children(view, said),
            _scheduled(view),
            _artifacts(view),
        ]
    )


def _ended(view: CaseView) -> pl.DataFrame:
    return view.attempts.filter(pl.col("status").is_in(UNSUCCESSFUL)).select(*PAIR, _end=end_of_attempt())


# --- totals ---------------------------------------------------------------------------------------


def _totals(view: CaseView, marks: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """`17 of 42` and then nothing: the last count of each stage of an attempt that did not succeed."""
    done, total = (pl.col(f"f_{n}").cast(pl.Int64, strict=False) for n in ("done", "total"))
    names = (*PAIR, "ref", "title", "source_id", "_done", "_total")
    steps = marks.filter(of_kind(pl.col("kind"), ["progress"])).with_columns(
        attempt=pl.col("in_attempt"), _done=done, _total=total
    )
    steps = steps.filter(pl.col("_done").is_not_null() & pl.col("_total").is_not_null())
    last = steps.group_by(*PAIR, "stage", "_total", maintain_order=True).last().select(names)
    whole = said.with_columns(
        attempt=pl.col("in_attempt"),
        _done=pl.lit(0, dtype=pl.Int64),
        _total=pl.col("f_announced").cast(pl.Int64, strict=False),
    )
    whole = whole.filter(pl.col("_total").is_not_null()).join(last, on=[*PAIR, "_total"], how="anti")
    rows = pl.concat([last, whole.sort("order").unique(PAIR, keep="last", maintain_order=True).select(names)])
    rows = rows.filter(pl.col("_done") < pl.col("_total")).sort(*PAIR, "ref")
    rows = rows.join(_ended(view), on=PAIR, how="inner", maintain_order="left")
    found = _rest_of_source(view, rows.with_columns(refs=pl.concat_list("ref")))
    left = pl.col("_total") - pl.col("_done")
    some = pl.format("`{}` was the last of {}; {} never came", "title", "_total", left)
    none = pl.format("`{}` announced {}, and none of them came", "title", "_total")
    return signals_of(found, CODE, pl.when(pl.col("_done") == 0).then(none).otherwise(some))


def _rest_of_source(view: CaseView, rows: pl.DataFrame) -> pl.DataFrame:
    """Adds `verdict` and `searched`: the source of the announcement itself would carry what comes, up to `_end`."""
    carriers = view.sources.select("source_id", _state="verdict", _reach="last_ts")
    joined = rows.join(carriers, on="source_id", how="left", maintain_order="left")
    damaged = pl.col("_state").is_in(DAMAGED).fill_null(value=True)
    far = (pl.col("_reach") >= pl.col("_end")).fill_null(value=False)
    return joined.with_columns(
        verdict=pl.when(far & ~damaged).then(pl.lit("absent_proven")).otherwise(pl.lit("not_observable")),
        searched=pl.when(damaged)
        .then(pl.lit("the rest of the source, which is incomplete"))
        .when(far)
        .then(pl.lit("the rest of the source, beyond the end of the attempt"))
        .otherwise(pl.lit("the rest of the source, which does not reach the end of the attempt")),
    )


# --- names ----------------------------------------------------------------------------------------


def _names(view: CaseView, marks: pl.DataFrame, said: pl.DataFrame, reach: Reach) -> pl.DataFrame:
    """Names that a plan lists (the nodes of a DAG) and no event or span of the run bears."""
    named = said.filter(pl.col("f_announces").is_not_null())
    over = view.runs.filter(pl.col("status").is_in(UNSUCCESSFUL)).select("run_id", since="last_ts")
    began = marks.filter(of_kind(pl.col("kind"), _BEGINS)).select("run_id", name="stage")
    came = pl.concat([began, view.spans.select("run_id", "name")]).unique()
    rows = named.select("run_id", "ref", attempt="in_attempt", name="f_announces").join(over, on="run_id")
    due = rows.sort("run_id", "name", "ref").unique(["run_id", "name"], keep="first", maintain_order=True)
    due = due.join(came, on=["run_id", "name"], how="anti", maintain_order="left")
    return each(
        reach.verdicts(due.with_columns(refs=pl.concat_list("ref")), "worker"),
        CODE,
        "{} was announced, and never began",
    )


def _children(view: CaseView, said: pl.DataFrame) -> pl.DataFrame:
    """What a document announces within itself and does not hold, as its reader counted it."""
    rows = said.filter(pl.col("f_never_came").is_not_null()).select(
        "run_id", "ref", "source_id", attempt="in_attempt", name="f_never_came", _ends="f_stream_ended"
    )
    states = view.sources.select("source_id", _state="verdict")
    joined = rows.join(states, on="source_id", how="left", maintain_order="left").sort("run_id", "ref")
    whole = (pl.col("_ends") == "true").fill_null(value=False) & ~pl.col("_state").is_in(DAMAGED)
    found = joined.with_columns(
        verdict=pl.when(whole).then(pl.lit("absent_proven")).otherwise(pl.lit("not_observable")),
        searched=pl.when(whole)
        .then(pl.lit("the whole stream, up to its last message"))
        .otherwise(pl.lit("the stream, which breaks off before its last message")),
        refs=pl.concat_list("ref"),
    )
    return each(found, CODE, "{} was announced, and never came")


def _scheduled(view: CaseView) -> pl.DataFrame:
    """Operations that were put into a queue and never began, in attempts that are over."""
    waits = view.spans.filter((pl.col("kind") == "queue") & pl.col("end").is_null() & pl.col("run_id").is_not_null())
    rows = waits.join(_ended(view), on=PAIR, how="inner", maintain_order="left").sort(*PAIR, "source_id", "byte_start")
    found = _rest_of_source(view, rows.with_columns(refs=pl.concat_list(ref_of())))
    return each(found, CODE, "{} was scheduled, and never began")


# --- artifacts ------------------------------------------------------------------------------------


def _artifacts(view: CaseView) -> pl.DataFrame:
    """Artifacts that a rule or a task declares and nothing made."""
    rows = view.states.filter(pl.col("state_text") == NEVER_MADE).rename({"artifact_id": "name"})
    ends = view.runs.select("run_id", _end="last_ts")
    rows = rows.join(ends, on="run_id", how="left", maintain_order="left")
    cited = rows.with_columns(source_id=pl.col("refs").list.first().str.split(":").list.first()).sort("run_id", "name")
    return each(_rest_of_source(view, cited), CODE, "{} was announced, and never made")
