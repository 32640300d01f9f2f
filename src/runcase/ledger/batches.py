"""The batches of a case: which there are, and the facts that they hold."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, product
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from runcase.ledger.batch_writer import SUPERSEDES, BatchWriter, superseded
from runcase.ledger.case_files import CaseFiles, Elsewhere
from runcase.ledger.parquet import parts_among, row_groups, scanned, unreadable
from runcase.model.naming_order import counted
from runcase.model.problems import Problem, RuncaseError
from runcase.model.tables import FACTS, RAW, SOURCES, Table


class Batches(CaseFiles):
    """The ledger of a case."""

    def __init__(self, root: Path, elsewhere: Elsewhere | None = None) -> None:
        super().__init__(root, elsewhere)
        self._forget()

    def bring(self, batches: Iterable[str], tables: Iterable[Table] = FACTS) -> None:
        """Makes tables of some batches local, before anything opens them by their paths."""
        if self._elsewhere is not None:
            self._elsewhere.bring(n for b, t in product(batches, tables) for n in self._names(b, t))

    def batches(self) -> list[str]:
        """Names of the batches that are visible, sorted; one that another takes the place of is none."""
        with os.scandir(self.root / "ledger") as entries:
            found = {e.name for e in entries if not e.name.startswith(".") and e.is_dir()}
        return sorted(found - {self._superseded_by(name) for name in found})

    def _superseded_by(self, batch: str) -> str | None:
        """The batch whose place one takes, if any; a batch comes with its note."""
        if batch not in self._superseded:
            self._superseded[batch] = superseded(self.root / "ledger" / batch / SUPERSEDES)
        return self._superseded[batch]

    def remove_superseded(self) -> None:
        """Drops batches that others took the place of, and then the notes that say so."""
        ledger = self.root / "ledger"
        for note in sorted(ledger.glob(f"*/{SUPERSEDES}")):
            if (name := superseded(note)) is not None:
                shutil.rmtree(ledger / name, ignore_errors=True)
            note.unlink()
        self._superseded.clear()

    def clear_staging(self) -> None:
        """Removes what a killed build left behind, before batches are written."""
        for stale in (self.root / "ledger").glob(".staging-*"):
            shutil.rmtree(stale)
        self._forget()

    def _forget(self) -> None:
        """What was learned of files that a build is about to replace."""
        self._checked: dict[Path, Problem | None] = {}
        self._first_inputs: dict[str, str] = {}
        self._inside: dict[str, list[str]] = {}
        self._superseded: dict[str, str | None] = {}

    def batch(self, name: str, supersedes: str | None = None) -> BatchWriter:
        """A writer for a new batch, which may take the place of another; leftovers of a killed build are removed."""
        self.clear_staging()
        return BatchWriter(self.root / "ledger", name, supersedes)

    def _as_named(self, batches: Sequence[str]) -> list[str]:
        """Batches in the order of the names of their first inputs."""
        if len(batches) < 2:
            return list(batches)
        for batch in batches:
            if batch not in self._first_inputs:
                self._first_inputs[batch] = self._first_input(batch)
        return sorted(batches, key=lambda b: (counted(self._first_inputs[b]), b))

    def _first_input(self, batch: str) -> str:
        """The name of the first input that a batch holds; empty where it cannot be read."""
        for path, problem in self._parts(SOURCES, [batch]):
            file = pq.ParquetFile(path) if problem is None else None
            if file is not None and file.num_row_groups:
                first = file.read_row_group(0, columns=["path"])["path"][0].as_py()
                return str(first).split("!/", 1)[0]
        return ""

    def facts_of(self, table: Table, batch: str) -> pl.LazyFrame:
        """One fact table of one batch, in stored order.

        Raises:
            RuncaseError: `not_a_case` when it cannot be read.
        """
        self.bring([batch], [table])
        parts = list(self._parts(table, [batch]))
        for _, problem in parts:
            if problem is not None:
                raise RuncaseError("not_a_case", problem.message, "build anew from the inputs")
        return scanned([path for path, _ in parts], table)

    def kept(self, batch: str) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Sources whose bytes a batch holds, in the order in which they were read, each with its chunks."""
        self.bring([batch], [RAW])
        groups = row_groups([self.root / n for n in self._names(batch, RAW)], ["source_id", "data"])
        rows = (r for g in groups for r in zip(g["source_id"].to_pylist(), g["data"].to_pylist(), strict=True))
        for source_id, chunks in groupby(rows, key=lambda r: str(r[0])):
            yield source_id, (data for _, data in chunks)

    def _parts(self, table: Table, batches: Sequence[str]) -> Iterator[tuple[Path, Problem | None]]:
        for batch in batches:
            for name in self._names(batch, table):
                path = self.root / name
                if path not in self._checked:
                    if self._withheld(name):
                        continue
                    self._checked[path] = unreadable(path, name, table, self._held)
                yield path, self._checked[path]

    def _names(self, batch: str, table: Table) -> list[str]:
        """The files of a table of a batch within the case, in stored order, also those that are not local."""
        folder = f"ledger/{batch}"
        if batch not in self._inside:
            own = os.listdir(self.root / folder) if (self.root / folder).is_dir() else []
            self._inside[batch] = [*own, *(self._elsewhere.inside(folder) if self._elsewhere is not None else ())]
        return [f"{folder}/{name}" for name in parts_among(self._inside[batch], table)]

    def ledger_problems(self, batches: Sequence[str]) -> list[Problem]:
        """One problem a ledger file that cannot be read; what is kept elsewhere and was not needed is not looked at."""
        return [problem for table in FACTS for _, problem in self._parts(table, batches) if problem is not None]

    def _fact(self, table: Table, batches: Sequence[str]) -> pl.LazyFrame:
        parts = [path for path, problem in self._parts(table, batches) if problem is None]
        if not parts:
            return table.empty().lazy()
        return scanned(parts, table)
