"""A finished case for people who write their own analyses: every table as a lazy frame with every column."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields

import polars as pl

from runcase.ledger import places
from runcase.ledger.store import Case
from runcase.model.refs import Ref
from runcase.model.tables import CONCLUSIONS


@dataclass(frozen=True, slots=True)
class OpenCase:
    """Facts and conclusions by name; columns, units and keys are declared in `runcase.model.tables`."""

    case: Case
    sources: pl.LazyFrame
    events: pl.LazyFrame
    artifacts: pl.LazyFrame
    spans: pl.LazyFrame
    problems: pl.LazyFrame
    redactions: pl.LazyFrame
    tombstones: pl.LazyFrame
    runs: pl.LazyFrame
    attempts: pl.LazyFrame
    members: pl.LazyFrame
    windows: pl.LazyFrame
    artifact_states: pl.LazyFrame
    edges: pl.LazyFrame
    signals: pl.LazyFrame
    diagnoses: pl.LazyFrame
    replay: pl.LazyFrame
    tests: pl.LazyFrame

    def tables(self) -> dict[str, pl.LazyFrame]:
        """Every table by its name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "case"}

    def raw(self, ref: str) -> bytes | None:
        """The bytes that `source_id:byte_start+byte_len` names; None when they were not kept, or have expired.

        Raises:
            RuncaseError: `bad_ref`.
        """
        return self.case.raw(Ref.parse(ref))


def opened(root: str | os.PathLike[str]) -> OpenCase:
    """An existing case, in a folder or at a URL.

    Raises:
        RuncaseError: `not_a_case`, `newer_case`; for a URL `missing_extra`, `unreachable`.
    """
    case = places.opened(root)
    facts, conclusions = case.facts(), case.conclusions()
    lazy = {f.name: getattr(facts, f.name) for f in fields(facts)}
    frames = (getattr(conclusions, f.name) for f in fields(conclusions))
    small = {table.name: frame.lazy() for table, frame in zip(CONCLUSIONS, frames, strict=True)}
    return OpenCase(case, **lazy, **small)
