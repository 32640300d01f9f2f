"""What is done to a case that stands: payloads expire, and its faces say so."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl

from runcase import publishing
from runcase.analysis.artifacts import without_payloads
from runcase.analysis.renewal import of_runs
from runcase.analysis.replay import replays
from runcase.finished import case_packs
from runcase.ledger.places import held, opened
from runcase.ledger.retention import Expired, load_policy
from runcase.ledger.retention import retain as expire
from runcase.ledger.store import Case
from runcase.ledger.sums import RETAINING, write_sums
from runcase.model.case import Conclusions
from runcase.model.problems import RuncaseError
from runcase.model.tables import REPLAYS


def retain(path: str, policy: str, as_of: date, dry_run: bool = False) -> Expired:
    """Expires what a policy says, and renders the dossiers of the runs that lost something.

    Raises:
        RuncaseError: `not_a_case`, `busy`, `bad_policy`, `missing_path`.
    """
    ages = load_policy(Path(policy))
    if dry_run:
        return expire(opened(path), ages, as_of, dry_run=True)
    with held(path) as case:
        cut_off = case.has(RETAINING)
        case.write_text(RETAINING, "", durable=True)
        gone = expire(case, ages, as_of)
        _replan(case)
        if gone.sources or cut_off:
            lost = _all_that_lost(case) if cut_off else gone.runs
            folders = publishing.render_again(case, lost)
            same = [f"runs/{folder}" for run_id, folder in folders.items() if run_id not in lost]
            write_sums(case, [] if cut_off else same)
        (case.root / RETAINING).unlink()
    return gone


def _all_that_lost(case: Case) -> frozenset[str]:
    """Runs that lost something to any policy: which of them a killed run did not come to is not known."""
    stones = case.facts(case.batches()).tombstones.select("source_id").collect()
    members = case.conclusions().members
    return frozenset(members.join(stones, on="source_id", how="semi")["run_id"])


def _replan(case: Case) -> None:
    """States of artifacts whose files expired, and the replay plans that would have reused them."""
    facts, found = case.facts(case.batches()), case.conclusions()
    states = without_payloads(found.states, facts.sources.collect(), facts.tombstones.collect())
    touched = set(states.join(found.states, on=["run_id", "artifact_id", "state"], how="anti")["run_id"])
    if not touched:
        return
    own = of_runs(replace(found, states=states), touched & set(found.replay["run_id"]))
    other = found.replay.filter(~pl.col("run_id").is_in(own.runs["run_id"].implode()))
    plans = pl.concat([other, _plans(case, own)]).sort(REPLAYS.key)
    case.write_conclusions(replace(found, states=states, replay=plans), *case.overview())


def _plans(case: Case, own: Conclusions) -> pl.DataFrame:
    """REPLAYS of some runs; where their packs are not at hand, nothing is planned and that is why."""
    try:
        planned = replays(own, case_packs(case))
    except RuncaseError as e:
        block = json.dumps(
            [{"code": "payload_expired", "text": f"what it made has expired, and {e.message}", "refs": []}]
        )
        lists = [
            pl.lit([], dtype=pl.List(pl.String)).alias(c) for c in ("reuse", "redo", "not_redo", "counterfactuals")
        ]
        return own.replay.with_columns(pl.lit(None, pl.String).alias("start"), *lists, blockers=pl.lit(block))
    engine_only = own.replay.join(planned.select("run_id"), on="run_id", how="anti")
    return pl.concat([planned, engine_only])
