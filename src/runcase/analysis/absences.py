"""Absences: what was due in a run and did not come, each with its verdict and where it was searched."""

from __future__ import annotations

import polars as pl

from runcase.analysis.artifacts import NEVER_MADE
from runcase.analysis.observability import DAMAGED, Reach
from runcase.analysis.selection import of_kind
from runcase.analysis.view import CaseView
from runcase.model.kinds import UNSUCCESSFUL
from runcase.model.refs import ref_of
from runcase.model.tables import SIGNALS

PAIR = ["run_id", "attempt"]
MOST = 10
"""Artifacts of one run that get a signal of their own for the same code; the rest share one."""

MANAGED_KINDS = ("run.created", "workspace.ready", "invocation.queued", "invocation.redelivered", "attempt.started")
"""Events of systems that hand runs to workers; only of their runs a claim, a workspace or a write-back is due."""


def managed_runs(view: CaseView, marks: pl.DataFrame) -> pl.DataFrame:
    """`run_id` of runs of which a pack declares the stages, or that some queue or worker speaks of."""
    packed = view.runs.filter(pl.col("pack").is_not_null()).select("run_id")
    spoken = marks.filter(of_kind(pl.col("kind"), MANAGED_KINDS)).select("run_id")
    logs = view.members.join(view.sources.filter(pl.col("reader").is_null()), on="source_id", how="semi")
    return pl.concat([packed, spoken]).unique().join(logs, on="run_id", how="semi").sort("run_id")


def absences(view: CaseView, marks: pl.DataFrame, reach: Reach) -> pl.DataFrame:
    """SIGNALS of family `absence` that every managed run is checked for, and those that its claims allow."""
    managed = managed_runs(view, marks)
    attempts = view.attempts.join(managed, on="run_id", how="semi", maintain_order="left")
    begun = _begun(attempts, marks)
    parts = [
        _no_claim(begun, reach),
        _no_first_work(begun, reach),
        _no_stdout(begun, view),
        _no_writeback(begun, marks, reach),
        _no_final_artifact(view, begun, reach),
        *_artifact_absences(view),
        _unfinished_stages(view, reach),
        _no_spans(view),
        _no_run(view),
    ]
    return pl.concat(parts)


def signals_of(rows: pl.DataFrame, code: str, text: pl.Expr, family: str = "absence") -> pl.DataFrame:
    """SIGNALS of rows that have `run_id, verdict, searched, refs` and may have `attempt`."""
    named = rows.with_columns(code=pl.lit(code), family=pl.lit(family), text=text)
    return SIGNALS.fill(named.with_columns(pl.col("refs").fill_null([])))


def _begun(attempts: pl.DataFrame, marks: pl.DataFrame) -> pl.DataFrame:
    """ATTEMPTS with the refs of their creation, claim, and last work."""
    parts = {
        "created_ref": of_kind(pl.col("kind"), ["run.created", "invocation.queued"]),
        "claimed_ref": of_kind(pl.col("kind"), ["attempt.claimed", "invocation.claimed", "attempt.started"]),
    }
    rows = attempts
    for name, which in parts.items():
        first = marks.filter(which).group_by("run_id", attempt=pl.col("in_attempt"), maintain_order=True)
        rows = rows.join(first.agg(pl.col("ref").first().alias(name)), on=PAIR, how="left", maintain_order="left")
    return rows


def _is_over() -> pl.Expr:
    """True for attempts that are not known to run: of one that runs, an end is not due."""
    return pl.col("status") != "running"


def _refs(*names: str) -> pl.Expr:
    return pl.concat_list(names).list.drop_nulls()


def _no_claim(begun: pl.DataFrame, reach: Reach) -> pl.DataFrame:
    due = begun.filter(pl.col("created_ref").is_not_null() & pl.col("claimed_at").is_null())
    rows = reach.verdicts(due.with_columns(since=pl.col("created_at"), refs=_refs("created_ref")), "queue")
    return signals_of(rows, "no_claim", pl.lit("the run was requested, and no worker claimed it"))


def _no_first_work(begun: pl.DataFrame, reach: Reach) -> pl.DataFrame:
    due = begun.filter(pl.col("claimed_ref").is_not_null() & pl.col("started_at").is_null())
    rows = reach.verdicts(due.with_columns(since=pl.col("claimed_at"), refs=_refs("claimed_ref")), "worker")
    return signals_of(rows, "no_first_work_event", pl.lit("a worker took the attempt, and no work event followed"))


def _no_stdout(begun: pl.DataFrame, view: CaseView) -> pl.DataFrame:
    """An empty stdout proves silence; a stdout that was not supplied proves nothing."""
    named = pl.col("path").str.to_lowercase().str.contains("stdout|console")
    outs = view.members.join(view.sources.filter(named), on="source_id", how="inner")
    streams = view.events.filter(pl.col("run_id").is_not_null() & (pl.col("stream") == "stdout"))
    spoke = streams.select("run_id", "attempt").unique().collect()
    heard = pl.concat([spoke, outs.filter(pl.col("events") > 0).select(PAIR)]).unique()
    whole = heard.filter(pl.col("attempt").is_null()).select("run_id")
    due = begun.filter(pl.col("claimed_ref").is_not_null() | pl.col("started_at").is_not_null())
    due = due.join(heard, on=PAIR, how="anti", maintain_order="left").join(whole, on="run_id", how="anti")
    empty = outs.filter((pl.col("events") == 0) & (pl.col("verdict").is_in(["ok", "empty"])))
    empty = empty.group_by("run_id", "attempt").agg(_path=pl.col("path").min())
    rows = due.join(empty, on=PAIR, how="left", maintain_order="left").sort(PAIR)
    proven = pl.col("_path").is_not_null()
    rows = rows.with_columns(
        verdict=pl.when(proven).then(pl.lit("absent_proven")).otherwise(pl.lit("not_observable")),
        searched=pl.when(proven)
        .then(pl.format("searched {}, which is empty", "_path"))
        .otherwise(pl.lit("no stdout of this attempt was supplied")),
        refs=_refs("claimed_ref"),
    )
    return signals_of(rows, "no_first_stdout", pl.lit("nothing was written to stdout"))


def _no_writeback(begun: pl.DataFrame, marks: pl.DataFrame, reach: Reach) -> pl.DataFrame:
    """The last attempt began and no event says how the run finished."""
    finished = marks.filter(of_kind(pl.col("kind"), ["run.finished"])).select("run_id", attempt=pl.col("in_attempt"))
    last = begun.filter(pl.col("attempt") == pl.col("attempt").max().over("run_id"))
    seen = pl.col("claimed_ref").is_not_null() | pl.col("started_at").is_not_null()
    due = last.filter(seen & _is_over()).join(finished.unique(), on=PAIR, how="anti", maintain_order="left")
    stale = marks.filter(pl.col("f_claimed_status") == "running").group_by("run_id", maintain_order=True)
    due = due.join(stale.agg(_row=pl.col("ref").last()), on="run_id", how="left", maintain_order="left")
    rows = reach.verdicts(due.with_columns(since=pl.col("last_ts"), refs=_refs("_row", "claimed_ref")), "status")
    row = pl.col("_row").is_not_null()
    rows = rows.with_columns(
        verdict=pl.when(row).then(pl.lit("absent_proven")).otherwise("verdict"),
        searched=pl.when(row).then(pl.lit("the status row itself")).otherwise("searched"),
    )
    text = (
        pl.when(row)
        .then(pl.lit("the status row still says running"))
        .otherwise(pl.lit("no event says how the run finished"))
    )
    return signals_of(rows, "no_status_writeback", text)


def _no_final_artifact(view: CaseView, begun: pl.DataFrame, reach: Reach) -> pl.DataFrame:
    """Due where the pack's stages write a `final` artifact, or where the run gives its artifacts roles."""
    packs = [p.name for p in view.packs if any("final" in s.writes for s in p.stages)]
    declared = view.runs.filter(pl.col("pack").is_in(packs)).select("run_id")
    made = view.artifacts.filter(pl.col("action").is_in(["written", "listed"]) & pl.col("run_id").is_not_null())
    roles = made.filter(pl.col("role").is_not_null()).select("run_id").unique()
    final = made.filter(pl.col("role") == "final").select(PAIR).unique()
    whole = final.filter(pl.col("attempt").is_null()).select("run_id")
    due = begun.join(pl.concat([declared, roles]).unique(), on="run_id", how="semi", maintain_order="left")
    last = due.filter((pl.col("attempt") == pl.col("attempt").max().over("run_id")) & _is_over())
    last = last.join(final, on=PAIR, how="anti", maintain_order="left").join(whole, on="run_id", how="anti")
    rows = reach.verdicts(
        last.sort(PAIR).with_columns(since=pl.col("started_at"), refs=_refs("claimed_ref")), "artifact"
    )
    return signals_of(rows, "no_final_artifact", pl.lit("no final artifact was written"))


def _artifact_absences(view: CaseView) -> list[pl.DataFrame]:
    """Rows without a file and files without a row; a manifest or an archive that is cut off proves neither."""
    states = view.states.rename({"artifact_id": "name"})
    missing = states.filter((pl.col("state") == "missing") & (pl.col("state_text") != NEVER_MADE))
    unlisted = states.filter(pl.col("state") == "unlisted")
    damaged = view.sources.filter(pl.col("verdict").is_in(DAMAGED))
    lists = view.artifacts.filter(pl.col("action") == "listed").join(damaged, on="source_id", how="semi")
    inside = view.members.join(_within(view.sources, damaged), on="source_id", how="semi")
    return [
        each(
            _held(unlisted, lists, "the manifest"),
            "manifest_row_missing",
            "{} exists, but the manifest has no row for it",
        ),
        each(
            _held(missing, inside, "the archive, which holds other files of its folder"),
            "artifact_file_missing",
            "{} is claimed, but its file is not in the archive",
        ),
    ]


def _held(states: pl.DataFrame, damaged: pl.DataFrame, where: str) -> pl.DataFrame:
    """Adds `verdict` and `searched`: proven unless the run is among those of which `where` is damaged."""
    cut = damaged.select("run_id", _cut=pl.lit(value=True)).unique()
    rows = states.join(cut, on="run_id", how="left", maintain_order="left")
    bad = pl.col("_cut").fill_null(value=False)
    return rows.with_columns(
        verdict=pl.when(bad).then(pl.lit("not_observable")).otherwise(pl.lit("absent_proven")),
        searched=pl.when(bad).then(pl.lit(f"{where}; it is incomplete")).otherwise(pl.lit(where)),
    )


def _within(sources: pl.DataFrame, damaged: pl.DataFrame) -> pl.DataFrame:
    """Sources that lie in a damaged container, at any depth."""
    found = level = damaged.filter(pl.col("kind") == "container").select("source_id")
    while not level.is_empty():
        level = sources.join(level, left_on="parent_id", right_on="source_id", how="semi").select("source_id")
        level = level.join(found, on="source_id", how="anti")
        found = pl.concat([found, level])
    return found


def end_of_attempt() -> pl.Expr:
    """When an attempt was over; its last sign of life where nothing says so."""
    return pl.coalesce("finished_at", "last_ts")


def each(rows: pl.DataFrame, code: str, text: str) -> pl.DataFrame:
    """A signal for each of the first rows of a run, and one for all that follow.

    Args:
        rows: `run_id, name, verdict, searched, refs`, and `attempt` if there is one.
        code: The signal's code.
        text: Its sentence, with a hole for the name.
    """
    ordered = rows.sort("run_id", "name").with_columns(_n=pl.int_range(pl.len()).over("run_id"))
    first = signals_of(ordered.filter(pl.col("_n") < MOST), code, pl.format(text, "name"))
    rest = ordered.filter(pl.col("_n") >= MOST).group_by("run_id", "verdict", maintain_order=True)
    more = rest.agg(pl.col("searched").first(), refs=pl.col("refs").list.first().head(MOST), _more=pl.len())
    others = signals_of(more, code, pl.format(text, pl.format("each of {} more", "_more")))
    return pl.concat([first, others])


def _unfinished_stages(view: CaseView, reach: Reach) -> pl.DataFrame:
    """Stages that began and never ended in attempts that are over."""
    ended = view.attempts.filter(pl.col("status").is_in(UNSUCCESSFUL)).select(*PAIR, since=end_of_attempt())
    rows = view.windows.filter((pl.col("kind") == "stage") & (pl.col("state") == "open"))
    rows = rows.join(ended, on=PAIR, how="inner", maintain_order="left").sort(*PAIR, "start")
    last = rows.group_by(PAIR, maintain_order=True).last()
    found = reach.verdicts(last.with_columns(refs=pl.concat_list("start_ref")).drop("searched"), "worker")
    return signals_of(found, "stage_never_finished", pl.format("stage {} began and never ended", "name"))


def _no_spans(view: CaseView) -> pl.DataFrame:
    """A trace id without any span of that trace; proven only where spans of traces were supplied of the same time."""
    traced = view.attempts.filter(pl.col("trace_id").is_not_null())
    spans = view.spans.filter(pl.col("trace_id").is_not_null())
    due = traced.join(spans, on="trace_id", how="anti", maintain_order="left")
    low, high = spans["start"].min(), spans["end"].max()
    covered = (pl.col("first_ts") >= pl.lit(low)) & (pl.col("last_ts") <= pl.lit(high))
    rows = due.with_columns(
        verdict=pl.when(covered.fill_null(value=False))
        .then(pl.lit("absent_proven"))
        .otherwise(pl.lit("not_observable")),
        searched=pl.lit("the spans of the case" if spans.height else "no source of spans was supplied"),
        refs=pl.col("status_refs").list.head(0),
    )
    text = pl.format("events carry trace id {}, and no span of that trace was found", "trace_id")
    return signals_of(rows, "trace_without_spans", text)


def _no_run(view: CaseView) -> pl.DataFrame:
    """Spans of traces that name no run: in a source that became a run of its own, or beside one."""
    traced = view.spans.filter(pl.col("trace_id").is_not_null())
    own = view.runs.filter(pl.col("identity") == "source").select("run_id")
    adopted = traced.join(own, on="run_id", how="semi", maintain_order="left")
    homeless = traced.filter(pl.col("run_id").is_null()).drop("run_id")
    beside = homeless.join(view.members.select("source_id", "run_id"), on="source_id", how="inner")
    both = pl.concat([adopted.select("run_id", ref_of().alias("ref")), beside.select("run_id", ref_of().alias("ref"))])
    rows = both.group_by("run_id", maintain_order=True).agg(_n=pl.len(), refs=pl.col("ref").head(MOST))
    rows = rows.with_columns(verdict=pl.lit("observed"), searched=pl.lit("run id, trace, workspace and invocation"))
    return signals_of(
        rows.sort("run_id"), "spans_without_run", pl.format("{} spans name no run that another source knows", "_n")
    )
