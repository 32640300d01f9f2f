"""Runs and their attempts: identity, instants, and how they ended."""

from __future__ import annotations

import polars as pl

from runcase.analysis.selection import of_kind
from runcase.analysis.status import claims, exits, verdicts
from runcase.model.kinds import WORK_KINDS
from runcase.model.tables import ATTEMPTS, RUNS

PAIR = ("run_id", "attempt")


def attempt_numbers(spread: pl.DataFrame, members: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """`run_id, attempt, events, first_ts, last_ts`: at least attempt 1 of every run; sorted."""
    named = [f.select(PAIR) for f in (spread, members, spans.filter(pl.col("run_id").is_not_null()))]
    pairs = pl.concat(named).unique()
    numbered = pairs.filter(pl.col("attempt").is_not_null())
    rest = pairs.select("run_id").unique().join(numbered, on="run_id", how="anti").with_columns(attempt=pl.lit(1))
    every = pl.concat([numbered, rest.cast({"attempt": pl.Int64})]).sort(PAIR)
    timed = _with_spans(spread.filter(pl.col("attempt").is_not_null()), spans)
    joined = every.join(timed, on=list(PAIR), how="left", maintain_order="left")
    return joined.with_columns(pl.col("events").fill_null(0))


def _with_spans(spread: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """Spans reach as events do."""
    known = spans.filter(pl.col("run_id").is_not_null() & pl.col("attempt").is_not_null())
    reach = known.group_by(PAIR).agg(_lo=pl.col("start").min(), _hi=pl.max_horizontal("start", "end").max())
    joined = spread.join(reach, on=list(PAIR), how="full", coalesce=True)
    return joined.select(
        *PAIR,
        "events",
        first_ts=pl.min_horizontal("first_ts", "_lo"),
        last_ts=pl.max_horizontal("last_ts", "_hi"),
    )


def attempts(numbers: pl.DataFrame, marks: pl.DataFrame, ends: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """ATTEMPTS, and `run_id, attempt, basis` of their statuses.

    Args:
        numbers: As `attempt_numbers` yields them.
        marks: As `marks.marks` yields them.
        ends: `status.VERDICTS`.
    """
    ended = verdicts(ends).rename({"refs": "status_refs", "ts": "_end"})
    said = _said(marks)
    joined = numbers.join(said, on=list(PAIR), how="left", maintain_order="left")
    joined = joined.join(_exit_codes(marks), on=list(PAIR), how="left", maintain_order="left")
    joined = joined.join(ended, on=list(PAIR), how="left", maintain_order="left")
    joined = joined.join(_superseded(numbers), on=list(PAIR), how="left", maintain_order="left")
    whole = joined.with_columns(
        status=_status(),
        status_refs=pl.col("status_refs").fill_null([]),
        finished_at=pl.when(~_status().is_in(["running", "lost"])).then(pl.col("_end")),
    )
    return ATTEMPTS.fill(whole).sort(ATTEMPTS.key), whole.select(*PAIR, "basis")


def _status() -> pl.Expr:
    """An attempt that another one followed no longer runs, whatever a row claims."""
    running = pl.col("status") == "running"
    known = pl.when(running & pl.col("_superseded").fill_null(value=False)).then(pl.lit("lost"))
    return known.otherwise(pl.col("status").fill_null("lost"))


def _superseded(numbers: pl.DataFrame) -> pl.DataFrame:
    later = pl.col("attempt") < pl.col("attempt").max().over("run_id")
    return numbers.select(*PAIR, _superseded=later)


def _said(marks: pl.DataFrame) -> pl.DataFrame:
    """What the events of each attempt say of it: ids, host, and the instants of its boundaries."""
    kind = pl.col("kind")
    work = of_kind(kind, WORK_KINDS)
    claimed = of_kind(kind, ["attempt.claimed"])
    taken = of_kind(kind, ["invocation.claimed"])
    rows = marks.rename({"in_attempt": "attempt"})
    return rows.group_by(PAIR, maintain_order=True).agg(
        workspace_id=pl.col("workspace_id").drop_nulls().last(),
        trace_id=pl.col("trace_id").drop_nulls().last(),
        bundle=pl.col("f_bundle").drop_nulls().first(),
        host=pl.coalesce(pl.col("f_host").drop_nulls().first(), pl.col("f_worker").drop_nulls().first()),
        created_at=pl.col("ts").filter(of_kind(kind, ["run.created"])).min(),
        claimed_at=pl.coalesce(pl.col("ts").filter(claimed).min(), pl.col("ts").filter(taken).min()),
        started_at=pl.col("ts").filter(work).min(),
    )


def _exit_codes(marks: pl.DataFrame) -> pl.DataFrame:
    """The exit code of each attempt's process; a failure outweighs a later success of another process."""
    rows = exits(marks).with_columns(_failed=pl.col("code") != 0).sort("_failed", "order")
    return rows.group_by("run_id", attempt=pl.col("in_attempt"), maintain_order=True).agg(
        exit_code=pl.col("code").last()
    )


def runs(
    attempts: pl.DataFrame,
    basis: pl.DataFrame,
    marks: pl.DataFrame,
    spread: pl.DataFrame,
    members: pl.DataFrame,
    sources: pl.DataFrame,
    packs: pl.DataFrame,
) -> pl.DataFrame:
    """RUNS: the last attempt's status is the run's.

    Args:
        attempts: ATTEMPTS.
        basis: `run_id, attempt, basis` of each status.
        marks: As `marks.marks` yields them.
        spread: As `marks.spread` yields it.
        members: MEMBERS.
        sources: SOURCES.
        packs: `run_id, pack` that declares stages and windows.
    """
    ordered = attempts.join(basis, on=list(PAIR), how="left", maintain_order="left").sort(PAIR)
    framed = ordered.group_by("run_id", maintain_order=True).agg(
        pl.col("status", "status_refs", "finished_at").last(),
        pl.col("workspace_id", "trace_id").drop_nulls().last(),
        pl.col("bundle").drop_nulls().first(),
        pl.col("created_at", "claimed_at", "started_at", "first_ts").min(),
        pl.col("last_ts").max(),
        status_basis=pl.col("basis").last(),
        attempts=pl.len().cast(pl.Int64),
    )
    for part in (_run_level(marks), _claimed(marks), _counted(spread), _identity(members, sources), packs):
        framed = framed.join(part, on="run_id", how="left", maintain_order="left", suffix="_x")
    silent = (pl.col("status") == "lost") & pl.col("status_basis").ne_missing("lease_expired")
    lost = pl.when(silent).then(pl.lit("no_terminal_evidence"))
    return RUNS.fill(
        framed.with_columns(
            status_basis=pl.coalesce(lost, "status_basis"),
            first_ts=pl.min_horizontal("first_ts", "_lo"),
            last_ts=pl.max_horizontal("last_ts", "_hi"),
            events=pl.col("events").fill_null(0),
            identity=pl.col("identity").fill_null("field"),
        )
    ).sort(RUNS.key)


def _run_level(marks: pl.DataFrame) -> pl.DataFrame:
    """The job, and the run that started it: by its own word, else by that of the one that started it."""
    named = marks.group_by("run_id", maintain_order=True)
    said = named.agg(job=pl.col("f_job").drop_nulls().first(), _stated=pl.col("f_parent_run_id").drop_nulls().first())
    started = marks.filter(pl.col("f_child").is_not_null()).select(run_id="f_child", _starter="run_id")
    started = started.unique("run_id", keep="first", maintain_order=True)
    joined = said.join(started, on="run_id", how="left", maintain_order="left")
    return joined.select("run_id", "job", parent_run_id=pl.coalesce("_stated", "_starter"))


def _claimed(marks: pl.DataFrame) -> pl.DataFrame:
    """The last status that a record or row states."""
    return claims(marks).group_by("run_id", maintain_order=True).agg(claimed_status=pl.col("claimed").last())


def _counted(spread: pl.DataFrame) -> pl.DataFrame:
    return spread.group_by("run_id", maintain_order=True).agg(
        pl.col("events").sum(), _lo=pl.col("first_ts").min(), _hi=pl.col("last_ts").max()
    )


def _identity(members: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """How each run was identified: `source`, `reader`, `path` (its id is a part of every path), or `field`."""
    joined = members.join(sources.select("source_id", "path", "reader"), on="source_id", how="left")
    strong = joined.filter(pl.col("basis") != "sibling")
    in_path = pl.col("path").str.contains(pl.col("run_id"), literal=True).all()
    alone = (pl.col("basis") == "source").any()
    read = pl.col("reader").is_not_null().all()
    how = (
        pl.when(alone)
        .then(pl.lit("source"))
        .when(in_path)
        .then(pl.lit("path"))
        .when(read)
        .then(pl.lit("reader"))
        .otherwise(pl.lit("field"))
    )
    return strong.group_by("run_id").agg(identity=how)
