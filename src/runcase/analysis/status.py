"""How an attempt ended, from the heaviest evidence that there is."""

from __future__ import annotations

import polars as pl

from runcase.analysis.marks import is_failure, status_of
from runcase.analysis.selection import of_kind
from runcase.model.kinds import WORK_KINDS
from runcase.model.refs import ref_of

END_LINES = 30
"""An error is at the end of its source when at most so many lines follow it: what a crash still flushes."""

END_LINES_PLAIN = 5
"""The same for a line of level error that is neither of kind error nor has a stack trace."""

WEIGHTS = {
    "status_event": 0,
    "cancellation": 1,
    "timeout": 1,
    "exit": 2,
    "exit_zero": 3,
    "invocation": 4,
    "finished": 5,
    "invocation_end": 5,
    "claimed_end": 6,
    "tool_success": 7,
    "error_at_end": 8,
    "spans": 9,
    "claimed": 10,
    "tool_failure": 11,
    "lease_expired": 12,
    "claimed_running": 13,
}
"""Basis of a status -> its weight; the least wins, the latest among equals."""

VERDICTS = pl.Schema(
    {
        "run_id": pl.String(),
        "attempt": pl.Int64(),
        "status": pl.String(),
        "basis": pl.String(),
        "ts": pl.Datetime("us", "UTC"),
        "order": pl.Int64(),
        "ref": pl.String(),
    }
)
"""What tells how an attempt ended, and where; of equal weight the one with the highest `order` counts."""


def evidence(marks: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """`VERDICTS` of all attempts, of any weight.

    Args:
        marks: As `marks.marks` yields them.
        spans: SPANS with runs assigned.
    """
    return pl.concat([*_from_marks(marks), _from_spans(spans)])


def verdicts(weighed: pl.DataFrame) -> pl.DataFrame:
    """One row an attempt with evidence of its status: `run_id, attempt, status, basis, ts, refs`; of `VERDICTS`."""
    weight = pl.col("basis").replace_strict(WEIGHTS, return_dtype=pl.Int64)
    ranked = weighed.with_columns(_weight=weight).sort("run_id", "attempt", "_weight", "order", maintain_order=True)
    lightest = ranked.filter(pl.col("_weight") == pl.col("_weight").min().over("run_id", "attempt"))
    return lightest.group_by("run_id", "attempt", maintain_order=True).agg(
        pl.col("status").last(), pl.col("basis").last(), pl.col("ts").last(), refs=pl.col("ref").drop_nulls().tail(1)
    )


def settled(weighed: pl.DataFrame) -> pl.DataFrame:
    """`run_id` of runs of which something in `VERDICTS` tells the status that outweighs the words of tools."""
    return _settling(weighed).select("run_id").unique()


def _settling(weighed: pl.DataFrame) -> pl.DataFrame:
    heavy = [basis for basis, weight in WEIGHTS.items() if weight < WEIGHTS["tool_success"]]
    return weighed.filter(pl.col("basis").is_in(heavy))


def told_early(weighed: pl.DataFrame, marks: pl.DataFrame) -> pl.DataFrame:
    """`run_id, source_id, byte_start` of the last success that an engine states of itself, where nothing else settles.

    A script may run more than the engine, and what it runs after it speaks for itself. In a document nothing does.
    """
    settling = _settling(weighed)
    others = settling.filter((pl.col("basis") != "status_event") | (pl.col("status") != "succeeded"))
    rows = settling.join(others, on="run_id", how="anti").select("run_id", "ref")
    placed = rows.join(marks.select("ref", "source_id", "byte_start", "lines_after"), on="ref", how="inner")
    last = placed.sort("run_id", "source_id", "byte_start").unique("run_id", keep="last", maintain_order=True)
    return last.filter(pl.col("lines_after").is_not_null()).select("run_id", "source_id", "byte_start")


def taken_back(weighed: pl.DataFrame, early: pl.DataFrame, words: pl.DataFrame) -> pl.DataFrame:
    """`weighed` without the early successes of runs that failed by what tools say below them."""
    failed = words.filter(pl.col("status") == "failed").select("run_id")
    gone = early.join(failed, on="run_id", how="semi")["run_id"]
    return weighed.filter(~(pl.col("run_id").is_in(gone.implode()) & (pl.col("status") == "succeeded")))


def _from_marks(marks: pl.DataFrame) -> list[pl.DataFrame]:
    kind = pl.col("kind")
    finished = of_kind(kind, ["run.finished"])
    said = pl.coalesce(status_of(pl.col("f_status")), status_of(kind.str.extract(r"^run\.finished\.(\w+)")))
    ended = said.is_in(["succeeded", "failed", "timed_out", "cancelled", "lost"])
    return [
        _verdict(marks.filter(finished & ended), said, "status_event"),
        _verdict(marks.filter(_cancels()), pl.lit("cancelled"), "cancellation"),
        _verdict(marks.filter(_times_out()), pl.lit("timed_out"), "timeout"),
        *_exits(marks),
        _invocations(marks),
        _invocation_ends(marks),
        _verdict(marks.filter(finished & said.is_null() & pl.col("f_exit_code").is_null()), _plain_end(), "finished"),
        _errors_at_end(marks),
        _verdict(marks.filter(_falls_silent()), pl.lit("lost"), "lease_expired"),
        *_claims(marks),
    ]


def _verdict(rows: pl.DataFrame, status: pl.Expr, basis: str) -> pl.DataFrame:
    chosen = rows.select(
        "run_id", status.alias("status"), "ts", "order", "ref", attempt=pl.col("in_attempt"), basis=pl.lit(basis)
    )
    return chosen.select(VERDICTS.names()).cast(VERDICTS)


def _cancels() -> pl.Expr:
    """Kinds such as `run.cancelled`, `exit.cancelled`, `error.cancelled.by_user`."""
    return pl.col("kind").str.contains(r"^(?:run|attempt|exit|error)\b.*\.cancell?(?:ed|ation)\b")


def _times_out() -> pl.Expr:
    """Kinds that say that the run itself, not a part of it, ran out of time."""
    return pl.col("kind").str.contains(r"^(?:exit\.timeout|error\.timeout\.(?:run|job|attempt|workflow))\b")


def _falls_silent() -> pl.Expr:
    """Kinds by which a queue or scheduler says that the worker gives no sign of life: no end, and no running either."""
    return pl.col("kind").str.contains(r"^(?:warning|error|invocation)\.(?:lease|heartbeat)_(?:expired|lost)\b")


def _plain_end() -> pl.Expr:
    failed = pl.col("level").is_in(["error", "fatal"]).fill_null(value=False)
    return pl.when(failed).then(pl.lit("failed")).otherwise(pl.lit("succeeded"))


def exits(marks: pl.DataFrame) -> pl.DataFrame:
    """Exits of the attempt's own processes, with `code`.

    Of plain `exit` events the last one that each rule saw in each source; refined
    ones (`exit.command`) are exits of different things, and each counts.
    """
    own = of_kind(pl.col("kind"), ["exit", "run.finished"]) & pl.col("tool_call_id").is_null()
    rows = marks.filter(own).with_columns(code=pl.col("f_exit_code").cast(pl.Int64, strict=False))
    rows = rows.filter(pl.col("code").is_not_null()).sort("order")
    refined = pl.col("kind").str.starts_with("exit.")
    last = pl.col("order") == pl.col("order").max().over("run_id", "in_attempt", "source_id", "rule", "kind")
    return rows.filter(refined | last)


def _exits(marks: pl.DataFrame) -> list[pl.DataFrame]:
    """One command that fails ends a run; one that went well says nothing of those after it."""
    rows = exits(marks)
    whole = ~pl.col("kind").str.starts_with("exit.")
    return [
        _verdict(rows.filter(pl.col("code") != 0), pl.lit("failed"), "exit"),
        _verdict(rows.filter((pl.col("code") == 0) & whole), pl.lit("succeeded"), "exit_zero"),
    ]


def _invocations(marks: pl.DataFrame) -> pl.DataFrame:
    code = pl.col("f_exit_code").cast(pl.Int64, strict=False)
    by_code = pl.when(code == 0).then(pl.lit("succeeded")).when(code.is_not_null()).then(pl.lit("failed"))
    said = pl.coalesce(status_of(pl.col("f_status")), by_code)
    rows = marks.filter(of_kind(pl.col("kind"), ["invocation.finished"]) & said.is_not_null())
    return _verdict(rows, said, "invocation")


def _invocation_ends(marks: pl.DataFrame) -> pl.DataFrame:
    """The runtime came to its regular end without a word on how: failed if anything failed in that source before."""
    failed = is_failure(pl.col("kind"), pl.col("level"))
    first = marks.filter(failed).group_by("run_id", "in_attempt", "source_id").agg(_failed=pl.col("order").min())
    silent = pl.col("f_status").is_null() & pl.col("f_exit_code").is_null()
    ends = marks.filter(of_kind(pl.col("kind"), ["invocation.finished"]) & silent)
    rows = ends.join(first, on=["run_id", "in_attempt", "source_id"], how="left", maintain_order="left")
    broken = (pl.col("_failed") < pl.col("order")).fill_null(value=False)
    return _verdict(rows, pl.when(broken).then(pl.lit("failed")).otherwise(pl.lit("succeeded")), "invocation_end")


def errors_at_end(marks: pl.DataFrame) -> pl.DataFrame:
    """Errors that stand at the end of their source, with no work of the attempt after them."""
    named = of_kind(pl.col("kind"), ["error"]) | (pl.col("level") == "fatal") | (pl.col("n_lines") > 2)
    near = pl.when(named.fill_null(value=False)).then(END_LINES).otherwise(END_LINES_PLAIN)
    work = of_kind(pl.col("kind"), [*WORK_KINDS, "upload.finished"])
    failed = is_failure(pl.col("kind"), pl.col("level"))
    last_work = marks.filter(work & ~failed).group_by("run_id", "in_attempt").agg(_work=pl.col("order").max())
    rows = marks.filter(failed & (pl.col("lines_after") <= near))
    rows = rows.join(last_work, on=["run_id", "in_attempt"], how="left", maintain_order="left")
    return rows.filter(pl.col("_work").is_null() | (pl.col("_work") < pl.col("order"))).drop("_work")


def _errors_at_end(marks: pl.DataFrame) -> pl.DataFrame:
    return _verdict(errors_at_end(marks), pl.lit("failed"), "error_at_end")


def claims(marks: pl.DataFrame) -> pl.DataFrame:
    """Rows that state a status without being the event of its change, with `claimed`; in order."""
    claimed = pl.coalesce(
        status_of(pl.col("f_claimed_status")),
        pl.when(of_kind(pl.col("kind"), ["run.created"])).then(status_of(pl.col("f_status"))),
    )
    return marks.with_columns(claimed=claimed).filter(pl.col("claimed").is_not_null())


def _claims(marks: pl.DataFrame) -> list[pl.DataFrame]:
    rows = claims(marks)
    status = pl.col("claimed")
    return [
        _verdict(rows.filter(status.is_in(["cancelled", "timed_out"])), status, "claimed_end"),
        _verdict(rows.filter(status.is_in(["succeeded", "failed", "lost"])), status, "claimed"),
        _verdict(rows.filter(status == "running"), status, "claimed_running"),
    ]


def _from_spans(spans: pl.DataFrame) -> pl.DataFrame:
    """The status of each attempt's outermost spans: any that failed decides, then any that is open."""
    outer = spans.filter(pl.col("run_id").is_not_null() & pl.col("parent_span_id").is_null())
    words = {"ok": "succeeded", "unset": "succeeded", "error": "failed", "timeout": "timed_out", "open": "running"}
    said = pl.col("status").replace_strict(words | {"cancelled": "cancelled"}, default=None, return_dtype=pl.String)
    status = pl.when(pl.col("end").is_null()).then(pl.lit("running")).otherwise(said)
    rank = {"succeeded": 0, "running": 1, "cancelled": 2, "timed_out": 3, "failed": 4}
    rows = outer.with_columns(
        status.alias("status"), ref=ref_of(), ts=pl.col("end"), attempt=pl.col("attempt").fill_null(1)
    ).filter(pl.col("status").is_not_null())
    order = pl.col("status").replace_strict(rank, return_dtype=pl.Int64)
    chosen = rows.with_columns(basis=pl.lit("spans"), order=order).sort("run_id", "attempt", "order", "ts", "ref")
    return chosen.select(VERDICTS.names()).cast(VERDICTS)
