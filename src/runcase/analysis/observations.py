"""Observations: what is worth knowing of a run and is neither missing nor contradictory."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from runcase.analysis.absences import PAIR, signals_of
from runcase.analysis.critical import closed_operations, critical_path
from runcase.analysis.selection import of_kind
from runcase.analysis.view import CaseView
from runcase.analysis.wording import clip
from runcase.model.kinds import UNSUCCESSFUL
from runcase.model.tables import SIGNALS

MAX_REFS = 8


def observations(view: CaseView, marks: pl.DataFrame, duplicates: pl.DataFrame) -> pl.DataFrame:
    """SIGNALS of family `observation`."""
    return pl.concat(
        [
            _retried(view),
            _redelivered(marks),
            _duplicates(view, duplicates),
            _not_made(view),
            _critical(view),
            _sign_of_life(view),
            _children(view, marks),
        ]
    )


def observation(rows: pl.DataFrame, code: str, text: pl.Expr) -> pl.DataFrame:
    """SIGNALS of rows that have `run_id, refs` and may have `attempt`."""
    made = rows.with_columns(verdict=pl.lit("observed"), searched=pl.lit("the events that it cites"))
    return signals_of(made, code, text, "observation")


def _retried(view: CaseView) -> pl.DataFrame:
    """Runs of several attempts: how each of them went."""
    several = view.attempts.filter(pl.len().over("run_id") > 1).sort(PAIR)
    each = pl.format("attempt {} {}", "attempt", pl.col("status").str.replace_all("_", " "))
    rows = several.group_by("run_id", maintain_order=True).agg(
        _each=each.str.join(", "),
        _last=pl.col("status").last(),
        refs=pl.col("status_refs").list.first().drop_nulls().head(MAX_REFS),
    )
    won = pl.col("_last") == "succeeded"
    good = observation(rows.filter(won), "retry_succeeded", pl.format("it succeeded on a retry: {}", "_each"))
    return pl.concat([good, observation(rows.filter(~won), "retried", pl.format("it was retried: {}", "_each"))])


def _redelivered(marks: pl.DataFrame) -> pl.DataFrame:
    again = marks.filter(of_kind(pl.col("kind"), ["invocation.redelivered"]))
    rows = again.group_by("run_id", attempt=pl.col("in_attempt"), maintain_order=True).agg(
        n=pl.len(), refs=pl.col("ref").head(MAX_REFS)
    )
    return observation(rows, "redelivered", pl.format("the queue handed the message over again, {} times", "n"))


def _duplicates(view: CaseView, duplicates: pl.DataFrame) -> pl.DataFrame:
    """Sources that were counted once because another one holds the same text."""
    if duplicates.is_empty():
        return SIGNALS.empty()
    paths = view.sources.select("source_id", "path", "size_bytes")
    known = duplicates.join(paths, on="source_id", how="left")
    known = known.join(view.members.select(same_as="source_id", run_id="run_id").unique(), on="same_as", how="inner")
    place = pl.format("{}:0+{}", "source_id", "size_bytes")
    grouped = known.sort("run_id", "path", "source_id").group_by("run_id", maintain_order=True)
    rows = grouped.agg(n=pl.len(), _first=pl.col("path").first(), refs=place.head(MAX_REFS))
    text = pl.format("{} sources hold text that others hold too, and were counted once, such as {}", "n", "_first")
    return observation(rows, "duplicate_source", text)


def _not_made(view: CaseView) -> pl.DataFrame:
    """Stages of the pack that never began in an attempt that did not succeed, and what they would have written."""
    rows: list[dict[str, object]] = []
    begun = view.windows.filter(pl.col("kind") == "stage").select("run_id", "attempt", "name").unique()
    last = view.attempts.group_by("run_id").agg(attempt=pl.col("attempt").max())
    names = begun.join(last, on=["run_id", "attempt"], how="semi").group_by("run_id").agg("name")
    known = dict(names.iter_rows())
    declared = {p.name: p.stages for p in view.packs}
    over = view.runs.filter(pl.col("status").is_in(UNSUCCESSFUL))
    for run_id, pack in over.select("run_id", "pack").sort("run_id").iter_rows():
        missed = [s for s in declared.get(pack, ()) if s.name not in known.get(run_id, ()) and not s.optional]
        if missed and run_id in known:
            stages = ", ".join(s.name for s in missed)
            made = ", ".join(dict.fromkeys(w for s in missed for w in s.writes))
            rows.append(
                {"run_id": run_id, "refs": [], "_text": f"{stages} never began" + (f"; not made: {made}" * bool(made))}
            )
    frame = pl.DataFrame(rows, schema={"run_id": pl.String, "refs": pl.List(pl.String), "_text": pl.String})
    return observation(frame, "not_made", pl.col("_text"))


def _critical(view: CaseView) -> pl.DataFrame:
    """The stage that decided most of how long the last attempt took; one that never ended counts up to the end."""
    last = view.attempts.sort("run_id", "attempt").group_by("run_id", maintain_order=True).last()
    ends = {(r, a): (b, e) for r, a, b, e in last.select("run_id", "attempt", "first_ts", "last_ts").iter_rows()}
    stages = view.windows.filter((pl.col("kind") == "stage") & pl.col("start").is_not_null())
    rows: list[dict[str, object]] = []
    for key, own in stages.partition_by(PAIR, as_dict=True, maintain_order=True).items():
        begin, end = ends.get((key[0], key[1]), (None, None))
        text = _slowest(own, begin, end) if begin is not None and end is not None else None
        if text is not None:
            rows.append({"run_id": key[0], "attempt": key[1], "refs": [], "_text": text})
    schema = pl.Schema({n: SIGNALS.schema[n] for n in ("run_id", "attempt", "refs")} | {"_text": pl.String()})
    return observation(pl.DataFrame(rows, schema=schema), "critical_path", pl.col("_text"))


def _slowest(stages: pl.DataFrame, begin: datetime, end: datetime) -> str | None:
    """Of two stages or more, the one that took most; null for one stage."""
    total = (end - begin) // timedelta(microseconds=1)
    steps = critical_path(closed_operations(stages), total)
    top = max(steps, key=lambda s: s.duration_us, default=None)
    still = stages.filter(pl.col("state") == "open").sort("start", "name").tail(1).select("name", "start").rows()
    if still and (top is None or (end - still[0][1]) // timedelta(microseconds=1) > top.duration_us):
        spent = (end - still[0][1]).total_seconds()
        return f"{clip(still[0][0])}: {spent:.1f} of {total / 1e6:.1f} s so far, when the evidence ends"
    if top is None or stages.height < 2:
        return None
    return (
        f"{clip(top.name)}: {top.duration_us / 1e6:.1f} of {total / 1e6:.1f} s; "
        f"without it {top.run_without_us / 1e6:.1f} s"
    )


def _sign_of_life(view: CaseView) -> pl.DataFrame:
    """Runs that may still run: when they were last heard of."""
    rows = view.runs.filter((pl.col("status") == "running") & pl.col("last_ts").is_not_null())
    rows = rows.with_columns(
        refs=pl.col("status_refs"),
        verdict=pl.lit("not_observable"),
        searched=pl.lit("all sources of the run, which end there"),
    )
    heard = pl.col("last_ts").dt.strftime("%Y-%m-%d %H:%M:%S")
    text = pl.format("nothing shows that the run has ended; its last sign of life is of {}", heard)
    return signals_of(rows, "may_still_run", text, "observation")


def _children(view: CaseView, marks: pl.DataFrame) -> pl.DataFrame:
    """Runs that a run started: how they went, and those of which nothing was supplied."""
    named = marks.filter(pl.col("f_child").is_not_null()).select("run_id", "ref", child="f_child")
    stated = view.runs.filter(pl.col("parent_run_id").is_not_null()).select(
        child="run_id", run_id="parent_run_id", ref=pl.lit(None, dtype=pl.String)
    )
    pairs = pl.concat([named, stated.select(named.columns)]).unique(["run_id", "child"], keep="first")
    known = view.runs.select(child="run_id", _status=pl.col("status").str.replace_all("_", " "))
    rows = pairs.join(known, on="child", how="left").sort("run_id", "child")
    rows = rows.join(view.runs.select("run_id"), on="run_id", how="semi", maintain_order="left")
    each = pl.format("{} {}", "child", pl.col("_status").fill_null("(nothing of it was supplied)"))
    grouped = rows.group_by("run_id", maintain_order=True).agg(
        _each=each.head(MAX_REFS).str.join(", "), _n=pl.len(), refs=pl.col("ref").drop_nulls().head(MAX_REFS)
    )
    seen = observation(grouped, "child_runs", pl.format("it started {} runs: {}", "_n", "_each"))
    lacking = rows.filter(pl.col("_status").is_null()).with_columns(
        refs=pl.concat_list("ref").list.drop_nulls(),
        verdict=pl.lit("not_observable"),
        searched=pl.lit("all sources of the case"),
    )
    text = pl.format("run {} was started by this one, and no source of it was supplied", "child")
    return pl.concat([seen, signals_of(lacking, "child_not_supplied", text)])
