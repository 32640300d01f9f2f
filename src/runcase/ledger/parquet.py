"""How tables are stored, and what can be read of them: only what lies in `ledger` opens Parquet."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from runcase.ledger.case_files import sync
from runcase.model.problems import Problem
from runcase.model.refs import event_id_of
from runcase.model.tables import EVENTS, Table

ROW_GROUP_ROWS = 32 * 1024
"""Rows a row group; large enough to compress well, small enough to be held in memory while writing."""

_EARLIER = b"earlier_parts"
"""What the last file of a table that has several says of how many stand before it."""

_DICTIONARY = frozenset(
    ["batch", "run_id", "ts_basis", "kind", "stage", "level", "rule", "template_id", "source_id", "stream", "code"]
) | frozenset(["severity", "action", "role", "status", "format", "reader", "verdict", "encoding"])
"""Columns whose values repeat; the others are cheaper without a dictionary."""

_TEXTS = frozenset(["message", "fields", "summary", "data", "artifacts"])
"""Columns that nobody compares: without their least and greatest values a table takes two thirds of the time to write.
"""


def parts_of(folder: Path, table: Table) -> list[Path]:
    """The files of a table of a batch, in stored order: long tables have `events.1.parquet` and so on before the last.

    One that is missing is among them, unless it is the one before the last: that is for `unreadable` to see.
    """
    return [folder / name for name in parts_among(os.listdir(folder), table)]


def parts_among(names: Iterable[str], table: Table) -> list[str]:
    """As `parts_of`, by the names that a folder holds."""
    pattern = re.compile(rf"{table.name}\.([1-9][0-9]{{0,5}})\.parquet")
    earlier = max((int(found[1]) for name in names if (found := pattern.fullmatch(name))), default=0)
    return [earlier_part(table, n + 1) for n in range(earlier)] + [f"{table.name}.parquet"]


def earlier_part(table: Table, number: int) -> str:
    """The name of a file of a table that has others behind it, counted from 1."""
    return f"{table.name}.{number}.parquet"


def tell_earlier(writer: pq.ParquetWriter, number: int) -> None:
    """How many files of the table stand before the one that is written."""
    if number:
        writer.add_key_value_metadata({_EARLIER: str(number).encode()})


def _earlier_parts(stored: pq.FileMetaData) -> int:
    told = (stored.metadata or {}).get(_EARLIER, b"0")
    return int(told) if told.isdigit() else 0


def narrowed(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The stored columns; an interval that is a point, and a point that has no interval, stay implicit."""
    if table is EVENTS:
        exact = pl.col("ts_lo").eq_missing(pl.col("ts")) & pl.col("ts_hi").eq_missing(pl.col("ts"))
        frame = frame.with_columns(pl.when(~exact).then(pl.col("ts_lo", "ts_hi")))
    stored = table.stored_schema
    return frame.select(pl.col(name).cast(dtype) for name, dtype in stored.items())


def _as_declared(stored: pl.LazyFrame, table: Table) -> pl.LazyFrame:
    """Every declared column, derived ones computed."""
    if table is EVENTS:
        stored = stored.with_columns(
            event_id_of().alias("event_id"),
            pl.col("ts_lo").fill_null(pl.col("ts")),
            pl.col("ts_hi").fill_null(pl.col("ts")),
        )
    return stored.select(pl.col(name).cast(dtype) for name, dtype in table.schema.items())


@cache
def arrow_schema(table: Table) -> pa.Schema:
    """The stored columns."""
    return pl.DataFrame(schema=table.stored_schema).to_arrow().schema


def encoding(schema: pa.Schema) -> dict[str, object]:
    """zstd-1, dictionaries where values repeat, delta coding for integers and times, statistics of short columns."""
    dictionary = [f.name for f in schema if f.name in _DICTIONARY]
    delta = {
        f.name: "DELTA_BINARY_PACKED"
        for f in schema
        if f.name not in _DICTIONARY and (pa.types.is_integer(f.type) or pa.types.is_timestamp(f.type))
    }
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": dictionary,
        "column_encoding": delta or None,
        "write_statistics": [f.name for f in schema if f.name not in _TEXTS],
    }


def row_groups(paths: Sequence[Path], columns: list[str] | None = None) -> Iterator[pa.Table]:
    """The row groups of the files of a table, in stored order; all columns, or some."""
    for path in paths:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                yield file.read_row_group(group, columns=columns)


def replace_table(path: Path, groups: Iterable[pa.Table]) -> None:
    """Replaces a table of a batch by one rename; only retention does, and it leaves tombstones."""
    staged = path.with_name(f".{path.name}.new")
    stored = pq.read_metadata(path)
    schema = stored.schema.to_arrow_schema()
    with pq.ParquetWriter(staged, schema, **encoding(schema)) as writer:
        for rows in groups:
            if rows.num_rows:
                writer.write_table(rows.cast(schema))
        tell_earlier(writer, _earlier_parts(stored))
    sync(staged)
    staged.replace(path)
    sync(path.parent)


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """One table as one file."""
    arrow = frame.to_arrow()
    with pq.ParquetWriter(path, arrow.schema, **encoding(arrow.schema)) as writer:
        writer.write_table(arrow, row_group_size=ROW_GROUP_ROWS)


def unreadable(path: Path, name: str, table: Table, strict: bool) -> Problem | None:
    """Why a ledger file cannot be read; pyarrow looks first, because polars can abort on a corrupt file.

    Raises:
        OSError: When `strict` and the system refuses to read it: a build must not go on as if it were damaged.
    """
    try:
        stored = pq.read_metadata(path)
        schema = stored.schema.to_arrow_schema()
    except FileNotFoundError:
        return Problem("ledger_part_missing", "error", f"{name} is missing", path=name)
    except (pa.ArrowException, OSError) as e:
        if strict and isinstance(e, OSError) and e.errno:
            raise
        return Problem("ledger_part_damaged", "error", f"{name} cannot be read: {e}", path=name)
    before = _earlier_parts(stored)
    if before and not (path.parent / earlier_part(table, before)).exists():
        missing = f"{Path(name).parent}/{earlier_part(table, before)}"
        return Problem("ledger_part_missing", "error", f"{missing} is missing", path=missing)
    for field, column in zip(arrow_schema(table), (c for c in table.columns if not c.derived), strict=True):
        there = schema.names.count(field.name)
        if there > 1 or (not there and not column.nullable):
            said = "has twice" if there else "lacks"
            return Problem("ledger_part_foreign", "error", f"{name} {said} the column {field.name}", path=name)
        if there and schema.field(field.name).type != field.type:
            message = f"{name} has another type in the column {field.name}"
            return Problem("ledger_part_foreign", "error", message, path=name)
    return None


def scanned(parts: Path | list[Path], table: Table) -> pl.LazyFrame:
    """Every declared column of parts that can be read; a nullable one that an older version did not write is null."""
    stored = pl.scan_parquet(parts, schema=table.stored_schema, missing_columns="insert", extra_columns="ignore")
    return _as_declared(stored, table)
