"""Files to conclusions in this process: what a reader's tests look at."""

from __future__ import annotations

import functools
import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from runcase.analysis.conclude import conclude
from runcase.intake.read import read_inputs
from runcase.intake.read_plan import Input, ReadPlan
from runcase.intake.readers.base import DocumentFacts, DocumentReader
from runcase.ledger.classify import Classifier
from runcase.model.case import Conclusions, Facts
from runcase.model.tables import ARTIFACTS, EVENTS, PROBLEMS, SOURCES, SPANS
from runcase.rules.compile import Ruleset, compile_packs
from runcase.rules.language import Pack
from runcase.rules.pack import load_packs
from runcase.settings import DEFAULT_PACKS


@dataclass(frozen=True, slots=True)
class Read:
    """What became of some files."""

    facts: Facts
    conclusions: Conclusions

    @property
    def statuses(self) -> dict[str, str]:
        """Run id -> status."""
        runs = self.conclusions.runs
        return dict(zip(runs["run_id"], runs["status"], strict=True))

    @property
    def run(self) -> dict[str, Any]:
        """The only run."""
        assert self.conclusions.runs.height == 1, self.statuses
        return self.conclusions.runs.row(0, named=True)

    @property
    def verdict(self) -> dict[str, Any]:
        """The diagnosis of rank 0 of the only failed run."""
        found = self.conclusions.diagnoses.filter(pl.col("rank") == 0)
        assert found.height == 1, found
        return found.row(0, named=True)

    @property
    def readers(self) -> dict[str, str | None]:
        """Path -> reader."""
        sources = self.facts.sources.collect()
        return dict(zip(sources["path"], sources["reader"], strict=True))

    @property
    def events(self) -> pl.DataFrame:
        """All events in the order of their places."""
        return self.facts.events.collect().sort(EVENTS.key)

    @property
    def spans(self) -> pl.DataFrame:
        """All spans."""
        return self.facts.spans.collect().sort(SPANS.key)

    @property
    def problems(self) -> pl.DataFrame:
        """All problems."""
        return self.facts.problems.collect().sort(PROBLEMS.key, nulls_last=True)

    @property
    def edges(self) -> list[tuple[str, str, str]]:
        """Lineage of all runs."""
        return self.conclusions.edges.select("subject", "relation", "object").rows()

    def errors(self) -> list[str]:
        """`error_name` of every event that has one."""
        return [n for f in self.events["fields"].drop_nulls() if (n := json.loads(f).get("error_name"))]


@functools.cache
def _shipped() -> tuple[tuple[Pack, ...], Ruleset]:
    packs = load_packs(DEFAULT_PACKS)
    return packs, compile_packs(packs)


def read(files: Mapping[str, bytes | str]) -> Read:
    """The case of these files (relative path -> content); the law of conservation is checked on the way."""
    packs, ruleset = _shipped()
    tables = (SOURCES, EVENTS, ARTIFACTS, SPANS, PROBLEMS)
    frames: dict[str, list[pl.DataFrame]] = {t.name: [t.empty()] for t in tables}
    with tempfile.TemporaryDirectory() as folder:
        for name, content in sorted(files.items()):
            data = content.encode() if isinstance(content, str) else content
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            for table, frame in _facts(path, name, data, ruleset):
                frames[table].append(frame)
    whole = {t.name: t.fill(pl.concat(frames[t.name], how="diagonal")) for t in tables}
    _conserved(whole)
    facts = Facts(**{name: frame.lazy() for name, frame in whole.items()})
    return Read(facts, conclude(facts, packs))


def read_one(content: bytes | str, name: str = "input.json") -> Read:
    """The case of one file."""
    return read({name: content})


def document(reader: DocumentReader, content: bytes | str, path: str = "input.json") -> DocumentFacts:
    """What a reader says of a document, without the rest of the way."""
    return reader.read(content.encode() if isinstance(content, str) else content, path)


def _facts(path: Path, name: str, data: bytes, ruleset: Ruleset) -> list[tuple[str, pl.DataFrame]]:
    found: list[tuple[str, pl.DataFrame]] = []
    classifier = Classifier(ruleset)
    for piece in read_inputs([Input(path, name, hashlib.sha256(data).hexdigest())], ReadPlan(keep_raw=False)):
        if piece.records.height:
            named = classifier.feed(piece.records, piece.contexts)
            found += [("events", named.events), ("artifacts", named.artifacts)]
        found += [("artifacts", piece.artifacts), ("spans", piece.spans), ("problems", piece.problems)]
        found.append(("sources", piece.source))
    return found


def _conserved(frames: Mapping[str, pl.DataFrame]) -> None:
    parts = ("event_bytes", "quarantined_bytes", "overhead_bytes")
    for row in frames["sources"].iter_rows(named=True):
        assert row["size_bytes"] == sum(row[p] for p in parts), row
        assert all(row[p] >= 0 for p in parts), row
    overlaps = frames["events"].sort("source_id", "byte_start").with_columns(
        after=(pl.col("byte_start") + pl.col("byte_len")).shift(1).over("source_id")
    )  # fmt: skip
    assert not (overlaps["after"] > overlaps["byte_start"]).any(), "records overlap"
