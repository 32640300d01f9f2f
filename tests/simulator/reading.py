"""Bytes to conclusions in this process: what a build does, without a case on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from runcase.analysis.conclude import conclude
from runcase.intake.read import read_inputs
from runcase.intake.read_plan import Input, ReadPlan
from runcase.ledger.classify import Classifier
from runcase.model.case import Conclusions, Facts
from runcase.model.refs import Ref
from runcase.model.tables import ARTIFACTS, EVENTS, FACTS, PROBLEMS, RAW, SOURCES, SPANS, Table
from runcase.report.build import dossiers
from runcase.report.dossier import Dossier
from runcase.rules.compile import compile_packs
from runcase.rules.language import Pack
from runcase.rules.pack import load_packs

PACKS: tuple[Pack, ...] = load_packs(["generic", "document-pipeline"])
RULES = compile_packs(PACKS)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the tool makes of some files."""

    facts: Facts
    found: Conclusions
    raw: pl.DataFrame

    def bytes_of(self, ref: Ref) -> bytes | None:
        """The bytes of a ref."""
        rows = self.raw.filter(pl.col("source_id") == ref.source_id).sort("byte_start")
        data = b"".join(rows["data"].to_list())
        return data[ref.byte_start : ref.byte_start + ref.byte_len]

    def dossier(self, run_id: str) -> Dossier:
        """The dossier of one run."""
        return next(r.dossier for r in dossiers(self.facts, self.found, self.bytes_of, only=run_id))


def seen(files: Mapping[str, bytes], folder: Path, packs: tuple[Pack, ...] = PACKS) -> Seen:
    """Facts and conclusions of files, each an input of its own, written to `folder` for the time of reading."""
    frames: dict[str, list[pl.DataFrame]] = {t.name: [] for t in FACTS}
    rules = RULES if packs is PACKS else compile_packs(packs)
    for n, (name, data) in enumerate(files.items()):
        path = folder / f"{n:04d}"
        path.write_bytes(data)
        classifier = Classifier(rules)
        for piece in read_inputs([Input(path, name, hashlib.sha256(data).hexdigest())], ReadPlan()):
            if piece.records.height:
                classified = classifier.feed(piece.records, piece.contexts)
                frames["events"].append(classified.events)
                frames["artifacts"].append(classified.artifacts)
            for table, part in ((ARTIFACTS, piece.artifacts), (SPANS, piece.spans), (PROBLEMS, piece.problems)):
                frames[table.name].append(part)
            frames["raw"].append(piece.raw)
            frames["sources"].append(piece.source)
    whole = {t.name: _joined(t, frames[t.name]) for t in FACTS}
    facts = Facts(*(whole[t.name].lazy() for t in (SOURCES, EVENTS, ARTIFACTS, SPANS, PROBLEMS)))
    return Seen(facts, conclude(facts, packs), whole[RAW.name])


def _joined(table: Table, frames: list[pl.DataFrame]) -> pl.DataFrame:
    """All rows with the declared columns; derived ones that the store fills in as it does."""
    rows = pl.concat([table.fill(f) for f in frames if f.height] or [table.empty()])
    if table is EVENTS:
        known = {"ts_lo": pl.coalesce("ts_lo", "ts"), "ts_hi": pl.coalesce("ts_hi", "ts")}
        rows = rows.with_columns(event_id=pl.format("evt_{}_{}", "source_id", "byte_start"), **known)
    return rows.with_columns(batch=pl.lit("b")) if "batch" in table.names else rows
