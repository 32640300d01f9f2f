"""New rules on an old case: its kept bytes are read again, without the archives, and what changed is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from runcase import arrivals, finished, pipeline
from runcase.intake.read import read_kept
from runcase.intake.read_plan import ReadPlan
from runcase.intake.redaction.redactor import Redaction
from runcase.ledger.batch_writer import BatchWriter
from runcase.ledger.classify import Classifier
from runcase.ledger.places import held
from runcase.ledger.store import Case
from runcase.ledger.units import Unit, whole_name
from runcase.ledger.workers import Crew
from runcase.model.case import Conclusions
from runcase.model.refs import ref_of
from runcase.model.tables import ARTIFACTS, EVENTS, PROBLEMS, RAW, REDACTIONS, SOURCES, SPANS, TOMBSTONES
from runcase.rules.compile import Ruleset
from runcase.rules.language import Pack
from runcase.rules.pack import load_packs
from runcase.settings import Settings

READ_AGAIN = (EVENTS, ARTIFACTS, SPANS)
"""Tables of facts that rules and formats decide; the others are kept as they are."""

_PLACE = ["source_id", "byte_start"]
_RENEWED = ("format", "lines", "events", "first_ts", "last_ts")
"""Columns of SOURCES that another line format may change."""


@dataclass(frozen=True, slots=True)
class Change:
    """Events whose verdict changed in the same way: what it was, what it is, how many, and one of them."""

    before: str
    after: str
    events: int
    ref: str


@dataclass(frozen=True, slots=True)
class RunChange:
    """A run whose status or failure class changed; a run that came or went has `None` on one side."""

    run_id: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Reclassified:
    """What new rules changed."""

    events: int
    changed: int
    changes: tuple[Change, ...]
    runs: tuple[RunChange, ...]
    not_read: int
    """Sources with events whose bytes are not kept: their events stay as they were."""


def reclassify(settings: Settings, report: pipeline.Report = lambda _: None) -> Reclassified:
    """Renews a case by the packs of `settings`.

    Raises:
        RuncaseError: `not_a_case`, `busy`, and those of packs; the case is then as it was.
    """
    packs = load_packs(settings.packs)
    with held(settings.case) as case:
        case.remove_superseded()
        issues = finished.issues_of(case)
        old = case.conclusions()
        not_read = 0
        counted: list[pl.DataFrame] = []
        batches = case.batches()
        for n, batch in enumerate(batches):
            report(pipeline.Progress("reading again", n, len(batches), "batches"))
            left, differing = _renew_batch(case, batch, packs, settings)
            not_read += left
            counted.append(differing)
        with Crew(settings.jobs, ("runcase.publishing",)) as crew:
            facts, new, _ = pipeline.renew(case, packs, settings, report, issues, anew=True, crew=crew)
        events = int(facts.sources.select(pl.col("events").sum()).collect().item() or 0)
    changes = _summed(counted)
    return Reclassified(events, sum(c.events for c in changes), changes, _run_changes(old, new), not_read)


# --- one batch ------------------------------------------------------------------------------------


def _renew_batch(case: Case, batch: str, packs: tuple[Pack, ...], settings: Settings) -> tuple[int, pl.DataFrame]:
    """Writes the batch anew under the name that a build with these packs gives it.

    Returns:
        How many sources could not be read again, and the changes as `_changes` yields them.
    """
    sources = case.facts_of(SOURCES, batch).collect()
    name = arrivals.batch_name(_units(case, batch), packs, replace(settings, keep_raw=True))
    name += batch.removeprefix(whole_name(batch))
    if name == batch:
        return 0, _NO_CHANGES
    with case.batch(name, supersedes=batch) as writer:
        again = _read_again(case, batch, sources, packs, writer)
        _keep_rest(case, batch, sources, again, writer)
    left = sources.filter((pl.col("events") > 0) & ~pl.col("source_id").is_in(list(again))).height
    return left, _changes(case.facts_of(EVENTS, batch), case.facts_of(EVENTS, name))


def _units(case: Case, batch: str) -> list[Unit]:
    """The input files of a batch; the last portion of one that was divided tells of it."""
    whole = whole_name(batch)
    siblings = [batch] if whole == batch else [b for b in case.batches() if whole_name(b) == whole]
    sources = pl.concat(case.facts_of(SOURCES, b).filter(pl.col("parent_id").is_null()) for b in siblings)
    tops = sources.select("path", "sha256", "size_bytes").collect()
    return [Unit(n, Path(path), path, sha256, size) for n, (path, sha256, size) in enumerate(tops.iter_rows())]


def _read_again(
    case: Case, batch: str, sources: pl.DataFrame, packs: tuple[Pack, ...], writer: BatchWriter
) -> dict[str, dict[str, object]]:
    """Writes what rules decide of each source whose bytes are all there; returns their new SOURCES rows."""
    plan = ReadPlan(formats=arrivals.formats_of(packs), keep_raw=False, redact=None)
    rows = {row["source_id"]: row for row in sources.iter_rows(named=True)}
    marks = case.facts_of(REDACTIONS, batch).sort("source_id", "byte_start").collect()
    by_source = marks.partition_by("source_id", as_dict=True)
    classifier = Classifier(Ruleset(packs))
    found: dict[str, dict[str, object]] = {}
    for source_id, chunks in case.kept(batch):
        row = rows[source_id]
        redactions = _redactions(by_source.get((source_id,)))
        for piece in read_kept(row, chunks, redactions, plan):
            if piece.records.height:
                classified = classifier.feed(piece.records, piece.contexts)
                writer.write(EVENTS, classified.events)
                writer.write(ARTIFACTS, classified.artifacts)
            writer.write(ARTIFACTS, piece.artifacts)
            writer.write(SPANS, piece.spans)
            if piece.source.height:
                found[source_id] = piece.source.row(0, named=True)
    return found


def _redactions(rows: pl.DataFrame | None) -> list[Redaction]:
    if rows is None:
        return []
    columns = ("byte_start", "byte_len", "kind", "mark", "mark_bytes")
    return [Redaction(*row) for row in rows.select(columns).iter_rows()]


def _keep_rest(
    case: Case, batch: str, sources: pl.DataFrame, again: dict[str, dict[str, object]], writer: BatchWriter
) -> None:
    """Writes what rules do not decide, and the facts of sources that were not read again, as they were."""
    read = list(again)
    for table in READ_AGAIN:
        kept = case.facts_of(table, batch).filter(~pl.col("source_id").is_in(read)).collect()
        writer.write(table, kept)
    for table in (PROBLEMS, REDACTIONS, TOMBSTONES):
        writer.write(table, case.facts_of(table, batch).collect())
    for chunk in _raw(case, batch):
        writer.write(RAW, chunk)
    renewed = [
        row | {c: again[row["source_id"]][c] for c in _RENEWED} if row["source_id"] in again else row
        for row in sources.iter_rows(named=True)
    ]
    writer.write(SOURCES, SOURCES.frame(renewed))


def _raw(case: Case, batch: str) -> Iterator[pl.DataFrame]:
    """The raw chunks, some at a time."""
    rows = case.facts_of(RAW, batch)
    total = int(rows.select(pl.len()).collect().item())
    for start in range(0, total, 64):
        yield rows.slice(start, 64).collect()


# --- what changed ---------------------------------------------------------------------------------

_NO_CHANGES = pl.DataFrame(
    schema={"before": pl.String(), "after": pl.String(), "events": pl.UInt32(), "ref": pl.String()}
)


def _changes(old: pl.LazyFrame, new: pl.LazyFrame) -> pl.DataFrame:
    """`before, after, events, ref`: events whose kind, rule, stage, level, run or summary differ, by verdict."""
    compared = ("kind", "rule", "stage", "level", "run_id", "summary")
    before = old.select(*_PLACE, "byte_len", *(pl.col(c).alias(f"old_{c}") for c in compared))
    after = new.select(*_PLACE, "byte_len", *compared)
    joined = before.join(after, on=_PLACE, how="full", coalesce=True)
    differ = pl.any_horizontal(pl.col(f"old_{c}").ne_missing(pl.col(c)) for c in compared)
    undated = joined.with_columns(_undated("old_rule"), _undated("rule"))
    rows = undated.filter(differ).with_columns(
        before=_verdict("old_kind", "old_rule"),
        after=_verdict("kind", "rule"),
        byte_len=pl.coalesce("byte_len", "byte_len_right"),
    )
    grouped = rows.sort(_PLACE).group_by("before", "after", maintain_order=True)
    return grouped.agg(events=pl.len(), ref=ref_of().first()).collect()


def _undated(rule: str) -> pl.Expr:
    """`pack#rule`: the digest is left out, for it changes with every edit of the pack."""
    return pl.col(rule).str.replace("@[0-9a-f]+#", "#")


def _verdict(kind: str, rule: str) -> pl.Expr:
    """`kind by pack#rule`; a record that is not there has no kind."""
    said = pl.when(pl.col(rule).is_null()).then(pl.col(kind)).otherwise(pl.format("{} by {}", kind, rule))
    return pl.coalesce(said, pl.lit("no record"))


def _summed(parts: Sequence[pl.DataFrame]) -> tuple[Change, ...]:
    whole = pl.concat([_NO_CHANGES, *(p.cast(_NO_CHANGES.schema) for p in parts)])
    grouped = whole.group_by("before", "after", maintain_order=True).agg(pl.col("events").sum(), pl.col("ref").first())
    ranked = grouped.sort("events", "before", "after", descending=[True, False, False])
    return tuple(Change(*row) for row in ranked.iter_rows())


def _run_changes(old: Conclusions, new: Conclusions) -> tuple[RunChange, ...]:
    before, after = _told(old), _told(new)
    ids = sorted(before.keys() | after.keys())
    return tuple(RunChange(i, before.get(i), after.get(i)) for i in ids if before.get(i) != after.get(i))


def _told(conclusions: Conclusions) -> dict[str, str]:
    """Run -> status and failure class."""
    verdicts = conclusions.diagnoses.filter(pl.col("rank") == 0).select("run_id", "class")
    rows = conclusions.runs.join(verdicts, on="run_id", how="left").select("run_id", "status", "class")
    return {run_id: f"{status}, {failure}" if failure else status for run_id, status, failure in rows.iter_rows()}
