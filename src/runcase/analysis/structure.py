"""Failures that show in the shape of a run: where it stopped between request and write-back, whatever its lines say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from runcase.analysis.absences import PAIR
from runcase.analysis.selection import of_kind
from runcase.analysis.stated import headline
from runcase.analysis.view import CaseView
from runcase.model.kinds import FAILED, WORK_KINDS
from runcase.model.refs import ref_of

KEPT_STATES = ("verified", "claimed", "unlisted")
"""States of an artifact that was made and is not known to be gone or spoiled."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A failure class that follows from boundaries alone."""

    failure: str
    confidence: str
    text: str
    refs: tuple[str, ...]
    evidence: tuple[Mapping[str, object], ...] = field(default=())


def shapes(view: CaseView) -> dict[str, Shape]:
    """Run id -> the shape of its failure; runs whose boundaries tell none are left out.

    Only what is proven absent counts: a claim, or work, that no supplied source could have shown is no evidence.
    """
    last = _last(view)
    never = _absent(view, last, "no_claim").filter(pl.col("started_at").is_null() & pl.col("claimed_at").is_null())
    never = never.join(_at_work(view, never["run_id"]), on="run_id", how="anti", maintain_order="left")
    broken = _absent(view, last, "no_first_work_event").join(_made(view), on=PAIR, how="anti", maintain_order="left")
    found = {r["run_id"]: _unclaimed(r) for r in never.iter_rows(named=True)}
    found |= {r["run_id"]: _unbooted(r) for r in broken.iter_rows(named=True)}
    return {**_unpersisted(view, last), **found}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended where no line says why: a sentence, what it rests on, and how sure it is."""

    text: str
    refs: tuple[str, ...]
    confidence: str
    decides: bool = True
    """Whether lines that speak of failures are but echoes of it, or tell of what did not end the run."""


def endings(view: CaseView, silent: Set[str] = frozenset()) -> dict[str, Ending]:
    """Of cancelled runs and of those that ran out of time the record that says so, of lost ones the last words.

    Args:
        view: All runs.
        silent: Failed runs of which no line says why; theirs is the record that says that they failed.
    """
    stopped = pl.col("status").is_in(["cancelled", "timed_out"])
    failed = (pl.col("status") == "failed") & pl.col("run_id").is_in(sorted(silent))
    told = view.runs.filter(stopped | failed).with_columns(
        pl.when(stopped).then("pack"), _sure=pl.when(stopped).then(pl.lit("proven")).otherwise(pl.lit("consistent"))
    )
    told = told.select("run_id", "pack", "_sure", ref=pl.col("status_refs").list.first())
    told = told.filter(pl.col("ref").is_not_null())
    line = headline(pl.col("message")).str.slice(0, 300)
    said = view.events.select(ref=ref_of(), line=line).filter(pl.col("ref").is_in(told["ref"].implode())).collect()
    rows = told.join(said.filter(pl.col("line") != ""), on="ref", how="inner", maintain_order="left")
    words = rows.select("run_id", "line", "ref", "_sure", decides=pl.col("pack").is_not_null())
    found = {r: Ending(text, (ref,), sure, decides) for r, text, ref, sure, decides in words.iter_rows()}
    return {**_silences(view), **found}


def _silences(view: CaseView) -> dict[str, Ending]:
    """Lost runs: what their last attempt had begun and never ended, its last words, and who noticed."""
    lost = view.runs.filter(pl.col("status") == "lost").select("run_id", "status_basis", "status_refs")
    last = view.attempts.join(lost.select("run_id"), on="run_id", how="semi")
    last = last.group_by("run_id").agg(pl.col("attempt").max(), pl.col("last_ts").last())
    mine = view.windows.join(last, on=PAIR, how="inner").sort("run_id", "start", "start_ref")
    begun = mine.filter((pl.col("state") == "open") & pl.col("kind").is_in(["stage", "tool"]))
    outer = begun.sort("run_id", pl.col("kind") != "stage", maintain_order=True)
    stage = outer.filter(pl.col("kind") == pl.col("kind").first().over("run_id"))
    clock = pl.col("start").dt.strftime("%H:%M:%S")
    words = pl.format("; {} {} began at {} and never ended", "kind", "name", clock)
    open_ones = stage.group_by("run_id", maintain_order=True).last().select("run_id", words.alias("_open"), "start_ref")
    gaps = mine.filter(pl.col("kind") == "gap").group_by("run_id", maintain_order=True).last()
    rows = lost.join(open_ones, on="run_id", how="left", maintain_order="left")
    rows = rows.join(gaps.select("run_id", _said="start_ref"), on="run_id", how="left", maintain_order="left")
    rows = rows.with_columns(refs=pl.concat_list("start_ref", "_said", pl.col("status_refs").list.first()))
    found = {}
    for r in rows.iter_rows(named=True):
        refs = tuple(dict.fromkeys(x for x in r["refs"] if x is not None))
        sure = "consistent" if r["status_basis"] == "lease_expired" else "conjecture"
        what = str(r["_open"] or "")
        found[r["run_id"]] = Ending(f"nothing says how the run ended{what}", refs, sure, bool(what))
    return found


def last_silences(view: CaseView) -> dict[str, tuple[str, str]]:
    """Of runs that ran out of time: the silence that lasted up to their end, in words, and its last event."""
    over = view.runs.filter(pl.col("status") == "timed_out").select("run_id")
    last = view.attempts.filter(pl.col("attempt") == pl.col("attempt").max().over("run_id"))
    ends = last.join(over, on="run_id", how="semi").select(*PAIR, "last_ts")
    gaps = view.windows.filter((pl.col("kind") == "gap") & pl.col("start_ref").is_not_null())
    rows = gaps.join(ends, on=PAIR, how="inner").filter(pl.col("end") == pl.col("last_ts")).sort("run_id", "start")
    spent = (pl.col("end") - pl.col("start")).dt.total_seconds()
    after = pl.concat_str(pl.lit(" "), pl.col("detail").str.extract(r"(after `.*?`)")).fill_null("")
    words = rows.select("run_id", pl.format("nothing was heard for its last {} s{}", spent, after), "start_ref")
    return {run: (text, ref) for run, text, ref in words.iter_rows()}


def of_last_attempts(view: CaseView, runs: pl.Series | None = None) -> pl.LazyFrame:
    """EVENTS of the last attempt of each of `runs` (None: those that did not succeed), in their order.

    What belongs to no single attempt counts from the last one's first instant on.
    """
    bad = pl.col("status") != "succeeded"
    wanted = view.runs.filter(bad if runs is None else pl.col("run_id").is_in(runs.implode())).select("run_id")
    last = view.attempts.join(wanted, on="run_id", how="semi").sort(PAIR)
    begun = last.group_by("run_id", maintain_order=True).agg(
        _last=pl.col("attempt").last(), _begin=pl.col("first_ts").last(), _tries=pl.len()
    )
    late = pl.col("ts").is_null() | pl.col("_begin").is_null() | (pl.col("ts") >= pl.col("_begin"))
    own = (pl.col("attempt") == pl.col("_last")) | (pl.col("attempt").is_null() & late)
    joined = view.events.join(begun.lazy(), on="run_id", how="inner", maintain_order="left")
    return joined.filter(own | (pl.col("_tries") == 1)).drop("_last", "_begin", "_tries")


def _last(view: CaseView) -> pl.DataFrame:
    """The last attempt of each run that is over and did not succeed."""
    last = view.attempts.filter(pl.col("attempt") == pl.col("attempt").max().over("run_id"))
    return last.filter(pl.col("status").is_in(FAILED)).sort("run_id")


def _absent(view: CaseView, last: pl.DataFrame, code: str) -> pl.DataFrame:
    """Last attempts with a proven absence, its `refs` and where it was `searched`."""
    proven = view.signals.filter((pl.col("code") == code) & (pl.col("verdict") == "absent_proven"))
    wanted = proven.select(*PAIR, "refs", "searched").unique(PAIR, keep="first", maintain_order=True)
    return last.join(wanted, on=PAIR, how="inner", maintain_order="left")


def _at_work(view: CaseView, runs: pl.Series) -> pl.DataFrame:
    """`run_id` of those that did work in their last attempt, also where nothing tells when."""
    worked = of_last_attempts(view, runs).filter(of_kind(pl.col("kind"), WORK_KINDS))
    return worked.select("run_id").unique().collect() if runs.len() else pl.DataFrame(schema={"run_id": pl.String()})


def _made(view: CaseView) -> pl.DataFrame:
    """Attempts of which some artifact is listed or told of as written: work had begun, whatever its log shows."""
    return view.artifacts.filter(pl.col("action").is_in(["listed", "written"])).select(PAIR).unique()


def _unclaimed(r: Mapping[str, object]) -> Shape:
    waited = _seconds(r["created_at"], r["last_ts"])
    text = f"no worker claimed the run{waited}"
    evidence = (
        {"text": "the run was requested", "refs": r["refs"]},
        {"text": f"no claim was found: {r['searched']}", "refs": []},
        {"text": "how it ended", "refs": r["status_refs"]},
    )
    return _shape("pre_work.never_claimed", text, r, evidence)


def _unbooted(r: Mapping[str, object]) -> Shape:
    evidence = (
        {"text": "a worker claimed the attempt", "refs": r["refs"]},
        {"text": f"no work event was found: {r['searched']}", "refs": []},
        {"text": "how it ended", "refs": r["status_refs"]},
    )
    return _shape("pre_work.boot_failed", "a worker claimed the attempt, and no work began", r, evidence)


def _unpersisted(view: CaseView, last: pl.DataFrame) -> dict[str, Shape]:
    """The final artifact was made in the last attempt, and no event of a success follows."""
    final = view.states.filter((pl.col("kind") == "final") & pl.col("state").is_in(KEPT_STATES))
    final = final.select("run_id", "attempt", "artifact_id", made="refs").unique(
        PAIR, keep="first", maintain_order=True
    )
    rows = last.join(final, on=PAIR, how="inner", maintain_order="left")
    return {r["run_id"]: _unwritten(r) for r in rows.iter_rows(named=True)}


def _unwritten(r: Mapping[str, object]) -> Shape:
    text = f"the final artifact {r['artifact_id']} was made, and its write-back never finished"
    evidence = (
        {"text": "the final artifact was made", "refs": list(_texts(r["made"])[:3])},
        {"text": "how it ended", "refs": r["status_refs"]},
    )
    return _shape("writeback.not_persisted", text, r, evidence)


def _shape(failure: str, text: str, r: Mapping[str, object], evidence: tuple[Mapping[str, object], ...]) -> Shape:
    refs = [x for e in evidence for x in _texts(e["refs"])]
    proven = "proven" if r["status"] != "lost" else "consistent"
    kept = tuple(e for e in evidence if e["refs"] or "found" in str(e["text"]))
    return Shape(failure, proven, text, tuple(dict.fromkeys(refs)), kept)


def _seconds(start: object, end: object) -> str:
    """` in 1800 s`; empty when one of the instants is not known."""
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return ""
    return f" in {(end - start).total_seconds():.0f} s"


def _texts(value: object) -> Sequence[str]:
    return [str(v) for v in value] if isinstance(value, (list, tuple)) else []
