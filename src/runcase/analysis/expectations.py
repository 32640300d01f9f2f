"""Absences that packs describe: if one event happened, another must follow."""

from __future__ import annotations

import fnmatch

import polars as pl

from runcase.analysis.absences import signals_of
from runcase.analysis.conditions import Evaluator
from runcase.analysis.observability import DAMAGED
from runcase.analysis.view import CaseView
from runcase.model.tables import SIGNALS
from runcase.rules.language import EventSelector, ExpectRule, Pack


def expectations(view: CaseView) -> pl.DataFrame:
    """SIGNALS of the `expect` rules of the packs that speak of each run."""
    rules = [(pack, rule) for pack in view.packs for rule in pack.expect]
    if not rules:
        return SIGNALS.empty()
    selectors = [s for _, r in rules for s in (r.event, r.after) if s is not None]
    evaluator = Evaluator(view, selectors=selectors)
    return pl.concat([_unmet(view, evaluator, pack, rule) for pack, rule in rules])


def _unmet(view: CaseView, evaluator: Evaluator, pack: Pack, rule: ExpectRule) -> pl.DataFrame:
    """Runs in which the event was due and did not come."""
    due = _due(view, evaluator, pack, rule)
    came = evaluator.events(rule.event).select("run_id", "order", _at="ts")
    pairs = due.join(came, on="run_id", how="left", maintain_order="left")
    after = pl.col("_since_order").is_null() | (pl.col("order") > pl.col("_since_order"))
    met = pl.col("order").is_not_null() & after & _in_time(rule)
    kept = pairs.filter(met.fill_null(value=False)).select("run_id").unique()
    rows = due.join(kept, on="run_id", how="anti", maintain_order="left")
    return signals_of(_carried(view, rows, rule), rule.code, pl.lit(rule.text))


def _in_time(rule: ExpectRule) -> pl.Expr:
    """Within the limit after the event that made it due; `silent` is the same limit, counted between neighbours."""
    limit = rule.within or rule.silent
    if limit is None:
        return pl.lit(value=True)
    return pl.col("_at").is_null() | pl.col("_since").is_null() | (pl.col("_at") - pl.col("_since") <= limit)


def _due(view: CaseView, evaluator: Evaluator, pack: Pack, rule: ExpectRule) -> pl.DataFrame:
    """`run_id, _since, _since_order, refs`: runs in which the event is due, and since when."""
    cited = view.run_packs.filter(pl.col("pack") == pack.name).select("run_id").sort("run_id")
    if rule.after is None:
        return cited.with_columns(
            _since=pl.lit(None, dtype=pl.Datetime("us", "UTC")),
            _since_order=pl.lit(None, dtype=pl.Int64),
            refs=pl.lit([], dtype=pl.List(pl.String)),
        )
    which: EventSelector = rule.after
    last = evaluator.events(which).group_by("run_id", maintain_order=True)
    return last.agg(_since=pl.col("ts").last(), _since_order=pl.col("order").last(), refs=pl.col("ref").tail(1))


def _carried(view: CaseView, rows: pl.DataFrame, rule: ExpectRule) -> pl.DataFrame:
    """Adds `verdict` and `searched`: proven where a source that would carry the event reaches beyond the instant."""
    sources = view.sources.filter(~pl.col("verdict").is_in(DAMAGED) & (pl.col("events") > 0))
    if rule.carrier is not None:
        glob = rule.carrier
        fits = [
            p for p in sources["path"].to_list() if fnmatch.fnmatchcase(p, glob) or fnmatch.fnmatchcase(p, f"*/{glob}")
        ]
        sources = sources.filter(pl.col("path").is_in(fits))
    reach = view.members.join(sources.select("source_id", "path", "last_ts"), on="source_id", how="inner")
    joined = rows.join(reach.select("run_id", "path", "last_ts"), on="run_id", how="left", maintain_order="left")
    limit = rule.within or rule.silent
    until = pl.col("_since") + limit if limit is not None else pl.col("_since")
    covers = pl.col("path").is_not_null() & (pl.col("_since").is_null() | (pl.col("last_ts") >= until))
    leaf = pl.col("path").str.extract(r"([^/]+)$")
    found = joined.group_by("run_id", maintain_order=True).agg(
        _proven=covers.fill_null(value=False).any(), _names=leaf.drop_nulls().unique().sort().str.join(", ")
    )
    wide = rows.join(found, on="run_id", how="left", maintain_order="left")
    proven = pl.col("_proven").fill_null(value=False)
    where = pl.lit(f"sources that match {rule.carrier}" if rule.carrier else "the sources of the run")
    return wide.with_columns(
        verdict=pl.when(proven).then(pl.lit("absent_proven")).otherwise(pl.lit("not_observable")),
        searched=pl.when(pl.col("_names") != "")
        .then(pl.format("searched {}", "_names"))
        .otherwise(pl.concat_str(pl.lit("none of "), where, pl.lit(" was supplied"))),
    )
