"""Absences that packs describe: an event that is due at all, after another, inside a window, or again and again."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from runcase.analysis.absences import signals_of
from runcase.analysis.conditions import Evaluator
from runcase.analysis.observability import DAMAGED
from runcase.analysis.selection import value_of
from runcase.analysis.silences import silences
from runcase.analysis.view import CaseView
from runcase.model.tables import SIGNALS, TIME
from runcase.rules.globs import glob_pattern
from runcase.rules.language import EventSelector, ExpectRule, Pack

MAX_REFS = 8
"""Events after which something was due that one signal cites; the first ones in time."""

DUE = pl.Schema(
    {"run_id": pl.String(), "since": TIME, "until": TIME, "refs": pl.List(pl.String()), "times": pl.UInt32()}
)
"""An absence: since when and until when the event was due (null: not bounded), and how often."""


def expectations(view: CaseView) -> pl.DataFrame:
    """SIGNALS of the `expect` rules of the packs that speak of each run."""
    rules = [(pack, rule) for pack in view.packs for rule in pack.expect]
    if not rules:
        return SIGNALS.empty()
    selectors = [s for _, r in rules for s in (r.event, r.after) if s is not None]
    evaluator = Evaluator(view, selectors=selectors)
    return pl.concat([_told(view, evaluator, pack, rule) for pack, rule in rules])


def _told(view: CaseView, evaluator: Evaluator, pack: Pack, rule: ExpectRule) -> pl.DataFrame:
    """What one rule says of all runs: absences, and, where the rule has a sentence for it, runs in which it was met."""
    asked, unmet = _weighed(view, evaluator, pack, rule)
    carried = _carried(view, evaluator, unmet, rule)
    found = [signals_of(carried, rule.code, _sentence(rule))]
    if rule.met is not None:
        met = asked.join(unmet, on="run_id", how="anti").sort("run_id")
        seen = (
            evaluator.events(rule.event).group_by("run_id", maintain_order=True).agg(refs=pl.col("ref").head(MAX_REFS))
        )
        rows = met.join(seen, on="run_id", how="left", maintain_order="left").with_columns(
            verdict=pl.lit("observed"), searched=pl.lit("the events that it cites")
        )
        found.append(signals_of(rows, f"{rule.code}.met", pl.lit(rule.met), "observation"))
    return pl.concat(found)


def _sentence(rule: ExpectRule) -> pl.Expr:
    """The author's sentence, with how often and how long where that says more."""
    long = (pl.col("until") - pl.col("since")).dt.total_seconds()
    silent = pl.lit(rule.silent is not None)
    return (
        pl.when(pl.col("times") > 1)
        .then(pl.format("{} ({} times)", pl.lit(rule.text), "times"))
        .when(silent & long.is_not_null())
        .then(pl.format("{} ({} s)", pl.lit(rule.text), long))
        .otherwise(pl.lit(rule.text))
    )


def _weighed(view: CaseView, evaluator: Evaluator, pack: Pack, rule: ExpectRule) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`run_id` of the runs in which the event was due, and, as `DUE`, those in which it did not come."""
    cited = view.run_packs.filter(pl.col("pack") == pack.name).select("run_id").unique().sort("run_id")
    if rule.silent is not None:
        return cited, _of(silences(view, cited, evaluator.events(rule.event), rule))
    if rule.after is not None:
        return _after(evaluator, rule, rule.after)
    if rule.window is not None:
        return _inside(view, evaluator, rule, rule.window, cited)
    came = evaluator.events(rule.event).select("run_id").unique()
    absent = cited.join(came, on="run_id", how="anti", maintain_order="left")
    return cited, _of(absent.with_columns(times=pl.lit(1, dtype=pl.UInt32)))


def _of(rows: pl.DataFrame) -> pl.DataFrame:
    """Exactly the columns of `DUE`; what a row lacks is null."""
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(dtype).alias(name) for name, dtype in DUE.items()
    )


# --- after another event --------------------------------------------------------------------------


def _after(evaluator: Evaluator, rule: ExpectRule, after: EventSelector) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Each event of `after` wants an event of its own kind later: the next one with the same `by`, in time."""
    by = ["run_id", *(["_by"] if rule.by else [])]
    due = _keyed(evaluator.events(after), rule.by).select(*by, "order", "ref", "ts")
    came = _keyed(evaluator.events(rule.event), rule.by).select(*by, "order", _at="ts", _came="ref")
    pairs = due.sort("order").join_asof(
        came.sort("order"),
        on="order",
        by=by,
        strategy="forward",
        allow_exact_matches=False,
        check_sortedness=False,
    )
    late = _late(rule.within) if rule.within is not None else pl.lit(value=False)
    unmet = pairs.filter(pl.col("_came").is_null() | late).sort("run_id", "order")
    found = unmet.group_by("run_id", maintain_order=True).agg(
        since=pl.col("ts").first(), refs=pl.col("ref").head(MAX_REFS), times=pl.len()
    )
    limit = rule.within or timedelta(0)
    return due.select("run_id").unique(), _of(found.with_columns(until=pl.col("since") + limit))


def _late(within: timedelta) -> pl.Expr:
    """True where the answer came after the limit; an answer without a time is not called late."""
    return (pl.col("_at") - pl.col("ts") > within).fill_null(value=False)


def _keyed(events: pl.DataFrame, by: str | None) -> pl.DataFrame:
    """Adds `_by`; events without the value are left out, for they cannot be paired."""
    if by is None:
        return events
    return events.with_columns(_by=value_of(by)).filter(pl.col("_by").is_not_null())


# --- inside a window ------------------------------------------------------------------------------


def _inside(
    view: CaseView, evaluator: Evaluator, rule: ExpectRule, window: str, cited: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Windows that began, of the last attempt, in which the event did not come; an open window ends with the run."""
    last = view.attempts.group_by("run_id").agg(attempt=pl.col("attempt").max(), _last=pl.col("last_ts").max())
    named = view.windows.filter((pl.col("name") == window) & pl.col("start").is_not_null())
    begun = named.join(last, on=["run_id", "attempt"], how="inner").join(cited, on="run_id", how="semi")
    spans = begun.sort("run_id", "start").select(
        "run_id", "start_ref", since="start", until=pl.coalesce("end", "_last")
    )
    came = evaluator.events(rule.event).select("run_id", _at="ts")
    pairs = spans.join(came, on="run_id", how="left")
    within = (pl.col("_at") >= pl.col("since")) & (pl.col("_at") <= pl.col("until"))
    met = pairs.filter(within.fill_null(value=False)).select("run_id", "since").unique()
    unmet = spans.join(met, on=["run_id", "since"], how="anti", maintain_order="left")
    found = unmet.group_by("run_id", maintain_order=True).agg(
        pl.col("since", "until").first(), refs=pl.col("start_ref").drop_nulls().head(MAX_REFS), times=pl.len()
    )
    return spans.select("run_id").unique(), _of(found)


# --- the verdict ----------------------------------------------------------------------------------


def _carried(view: CaseView, evaluator: Evaluator, rows: pl.DataFrame, rule: ExpectRule) -> pl.DataFrame:
    """Adds `verdict` and `searched`: proven where a whole source that would carry the event covers the interval."""
    able = _able(view, evaluator, rule)
    joined = rows.join(able, on="run_id", how="left", maintain_order="left")
    end = pl.coalesce("until", "since")
    reaches = end.is_null() | (pl.col("last_ts") >= end)
    covers = pl.col("leaf").is_not_null() & ~pl.col("damaged") & reaches
    found = joined.group_by("run_id", maintain_order=True).agg(
        _proven=covers.fill_null(value=False).any(),
        _names=pl.col("leaf").drop_nulls().unique().sort().str.join(", "),
        _damaged=pl.col("damaged").any(),
    )
    wide = rows.join(found, on="run_id", how="left", maintain_order="left")
    proven = pl.col("_proven").fill_null(value=False)
    return wide.with_columns(
        verdict=pl.when(proven).then(pl.lit("absent_proven")).otherwise(pl.lit("not_observable")),
        searched=_searched(proven, rule),
    )


def _able(view: CaseView, evaluator: Evaluator, rule: ExpectRule) -> pl.DataFrame:
    """`run_id, leaf, last_ts, damaged`: sources that would carry the event.

    They match `carrier`; without one, they are called like a source that
    carries the event, or what it follows, anywhere in the case.
    """
    leaf = pl.col("path").str.extract(r"([^/]+)$")
    sources = view.sources.filter(pl.col("events") > 0).select(
        "source_id", "path", "last_ts", leaf=leaf, damaged=pl.col("verdict").is_in(DAMAGED)
    )
    if rule.carrier is not None:
        globs = (glob_pattern(rule.carrier), glob_pattern(f"*/{rule.carrier}"))
        sources = sources.filter(pl.any_horizontal(pl.col("path").str.contains(g) for g in globs))
    else:
        selectors = [s for s in (rule.event, rule.after) if s is not None]
        seen = pl.concat([evaluator.events(s).select("source_id") for s in selectors]).unique()
        names = sources.join(seen, on="source_id", how="semi")["leaf"].drop_nulls()
        sources = sources.filter(pl.col("leaf").is_in(names.implode()))
    mine = view.members.select("run_id", "source_id").unique().join(sources, on="source_id", how="inner")
    return mine.select("run_id", "leaf", "last_ts", "damaged").sort("run_id", "leaf")


def _searched(proven: pl.Expr, rule: ExpectRule) -> pl.Expr:
    nothing = (
        f"no source that matches {rule.carrier} was supplied"
        if rule.carrier
        else ("no source of the run carries such events")
    )
    why = (
        pl.when(proven)
        .then(pl.lit(""))
        .when(pl.col("_damaged").fill_null(value=False))
        .then(pl.lit(", which is incomplete"))
        .otherwise(pl.lit(", which does not reach beyond that instant"))
    )
    none = pl.col("_names").is_null() | (pl.col("_names") == "")
    return pl.when(none).then(pl.lit(nothing)).otherwise(pl.concat_str(pl.lit("searched "), "_names", why))
