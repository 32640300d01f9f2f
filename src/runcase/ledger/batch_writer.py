"""Facts to a batch: written beside its place, synced, and renamed, which makes all its tables visible at once."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from secrets import token_hex
from types import TracebackType

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from runcase.ledger.case_files import sync, sync_tree
from runcase.ledger.parquet import ROW_GROUP_ROWS, arrow_schema, earlier_part, encoding, narrowed, tell_earlier
from runcase.model.tables import EVENTS, FACTS, RAW, Table

_LONG: dict[str, tuple[tuple[str, ...], int]] = {
    EVENTS.name: (("message", "fields"), 8 * 1024 * 1024),
    RAW.name: (("data",), 2 * 1024 * 1024),
}
"""Columns of long values, and how many of their bytes end a row group early.

Few of the rows of a giant line fill the memory, and a ref costs one row group of raw chunks. A writer keeps some
100 KB a row group, so that groups of a few rows each would fill the memory as well (measured 2026-11).
"""

PART_GROUPS = 192
"""Row groups of one file: a writer holds 23 KB for each row group of events until the file ends (measured 2026-11)."""

MOST_WAITING = 16
"""Tables that wait to be a row group before they are made one: each holds some 40 KB a column beside its rows."""

SUPERSEDES = "supersedes"
"""File of a batch that names another one, whose place it takes: one rename shows the new and hides the old."""


class BatchWriter:
    """Writes one batch; leaving the `with` block without an error makes it visible, or leaves that to `give_place`.

    Frames are gathered into row groups of a fixed size, so that the files depend
    on the rows and not on how they were handed in. A table of many row groups is
    written as several files.
    """

    def __init__(
        self,
        ledger: Path,
        name: str,
        supersedes: str | None = None,
        placed: bool = True,
        part_groups: int = PART_GROUPS,
    ) -> None:
        self.name = name
        self._supersedes = supersedes
        self._placed = placed
        self.staging = ledger / f".staging-{name}-{os.getpid()}-{token_hex(4)}"
        self._place = ledger / name
        self._part_groups = part_groups
        self._groups = {t.name: 0 for t in FACTS}
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._waiting: dict[str, list[pa.Table]] = {t.name: [] for t in FACTS}
        self._long_bytes = dict.fromkeys(_LONG, 0)

    def __enter__(self) -> BatchWriter:
        self.staging.mkdir(parents=True)
        for table in FACTS:
            self._begin_part(table)
        return self

    def _begin_part(self, table: Table) -> None:
        schema = arrow_schema(table)
        path = self.staging / f"{table.name}.parquet"
        self._writers[table.name] = pq.ParquetWriter(path, schema, **encoding(schema))

    def write(self, table: Table, frame: pl.DataFrame) -> None:
        """Appends rows; the batch column is filled in."""
        if frame.is_empty():
            return
        stored = narrowed(frame.with_columns(batch=pl.lit(self.name)), table)
        waiting = self._waiting[table.name]
        waiting.append(stored.to_arrow().cast(self._writers[table.name].schema))
        if len(waiting) >= MOST_WAITING:
            waiting[:] = [pa.concat_tables(waiting).combine_chunks()]
        full = sum(t.num_rows for t in waiting) >= ROW_GROUP_ROWS
        if table.name in _LONG:
            self._long_bytes[table.name] += int(_long_bytes(waiting[-1], table).sum())
            full |= self._long_bytes[table.name] >= _LONG[table.name][1]
        if full:
            self._flush(table, whole_groups=True)

    def _flush(self, table: Table, whole_groups: bool) -> None:
        if not self._waiting[table.name]:
            return
        rows = pa.concat_tables(self._waiting[table.name])
        while size := _group_end(rows, table, whole_groups):
            self._write_group(table, rows.slice(0, size))
            rows = rows.slice(size)
        self._waiting[table.name] = [rows] if rows.num_rows else []
        if table.name in _LONG:
            self._long_bytes[table.name] = int(_long_bytes(rows, table).sum())

    def _write_group(self, table: Table, rows: pa.Table) -> None:
        earlier, begun = divmod(self._groups[table.name], self._part_groups)
        if earlier and not begun:
            self._writers[table.name].close()
            (self.staging / f"{table.name}.parquet").rename(self.staging / earlier_part(table, earlier))
            self._begin_part(table)
        self._writers[table.name].write_table(rows, row_group_size=rows.num_rows)
        self._groups[table.name] += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for table in FACTS:
                self._flush(table, whole_groups=False)
                tell_earlier(self._writers[table.name], max(self._groups[table.name] - 1, 0) // self._part_groups)
        for writer in self._writers.values():
            writer.close()
        if kind is not None:
            shutil.rmtree(self.staging, ignore_errors=True)
            return
        if self._supersedes is not None:
            (self.staging / SUPERSEDES).write_text(self._supersedes)
        sync_tree(self.staging)
        if self._placed:
            give_place(self.staging, self._place)


def give_place(staging: Path, place: Path) -> None:
    """Makes a written batch visible; one that stands there has the same name, so it is the same or damaged."""
    aside = place.with_name(f".staging-{place.name}-replaced")
    if place.is_dir():
        place.rename(aside)
    staging.rename(place)
    shutil.rmtree(aside, ignore_errors=True)
    sync(place.parent)


def superseded(note: Path) -> str | None:
    """The batch that a note names; None without a note, or where it names none: a case may be a stranger's."""
    try:
        name = note.read_bytes()[:64].decode("ascii", "replace")
    except FileNotFoundError:
        return None
    return name if re.fullmatch(r"[0-9a-f]{16}(?:-[0-9]+)?", name) and name != note.parent.name else None


def _group_end(rows: pa.Table, table: Table, whole: bool) -> int:
    """Rows of the next row group; 0 when there are none, or (`whole`) too few to fill one."""
    if table.name in _LONG:
        sizes = _long_bytes(rows.slice(0, ROW_GROUP_ROWS), table)
        passed = np.flatnonzero(np.cumsum(sizes) >= _LONG[table.name][1])
        if passed.size:
            return int(passed[0]) + 1
    if rows.num_rows >= ROW_GROUP_ROWS:
        return ROW_GROUP_ROWS
    return 0 if whole else int(rows.num_rows)


def _long_bytes(rows: pa.Table, table: Table) -> np.ndarray:
    """Bytes of the long columns of each row."""
    columns, _ = _LONG[table.name]
    return np.asarray(sum(_lengths(rows[c]) for c in columns))


def _lengths(column: pa.ChunkedArray) -> np.ndarray:
    """Bytes of each value, which its offsets tell; 0 for null."""
    offsets = [np.frombuffer(c.buffers()[1], np.int64)[c.offset : c.offset + len(c) + 1] for c in column.chunks]
    return np.concatenate([np.diff(found) for found in offsets])
