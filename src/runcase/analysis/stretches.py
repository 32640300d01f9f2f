"""Any number of events, a stretch of the ledger at a time: what is held does not grow with them.

A streamed query that hands out batches reads on while they are looked at, and holds the texts of a long run
before a tenth of them is done (polars 2.1, measured 2026-11). So each stretch is asked for by itself, by source and
place; the ledger skips what lies outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import polars as pl

BATCH_ROWS = 65_536
"""Rows that are looked at at once, fewer of them where records are long."""

BATCH_BYTES = 64 << 20
"""Of evidence, from which on a batch ends before it has so many rows."""

STRETCH_BYTES = 8 << 20
"""Of evidence, from which on a stretch ends before it has so many rows: a query holds a text several times."""

_PART_BYTES = 1 << 20
"""Of a source: what is counted by itself, and never parted."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some of the rows that were parted; stretches follow one another as the rows do."""

    where: pl.Expr
    """Of `source_id` and `byte_start`: whether a row is among them."""
    size_bytes: int


EVERYTHING = Stretch(pl.lit(value=True), 0)


def stretches(rows: pl.LazyFrame) -> list[Stretch]:
    """Rows in stretches of about `BATCH_ROWS`.

    Args:
        rows: EVENTS, or some of them.
    """
    placed = rows.select("source_id", "byte_len", _part=_part()).with_row_index("_row")
    counted = placed.group_by("source_id", "_part").agg(
        pl.col("byte_len").sum(), rows=pl.len(), first=pl.col("_row").min(), last=pl.col("_row").max()
    )
    parts = counted.collect(engine="streaming").sort("first")
    numbers = _numbers(parts.select("rows", "byte_len", "first", "last").iter_rows())
    parts = parts.with_columns(_stretch=pl.Series(list(numbers), dtype=pl.Int64))
    whole = pl.col("_stretch").n_unique().over("source_id") == 1
    return [_stretch(s) for s in parts.with_columns(_whole=whole).partition_by("_stretch", maintain_order=True)]


def _part() -> pl.Expr:
    return pl.col("byte_start") // _PART_BYTES


def _numbers(parts: Iterable[tuple[int, int, int, int]]) -> Iterator[int]:
    """The stretch of each part; one ends where it is full and no row of it stands behind those that follow."""
    number = rows = size_bytes = 0
    reached = -1
    for part_rows, part_bytes, first, last in parts:
        if (rows >= BATCH_ROWS or size_bytes >= STRETCH_BYTES) and first > reached:
            number, rows, size_bytes = number + 1, 0, 0
        rows, size_bytes, reached = rows + part_rows, size_bytes + part_bytes, max(reached, last)
        yield number


def _stretch(parts: pl.DataFrame) -> Stretch:
    """Of `source_id, _part, byte_len, _whole`: whether no other stretch holds some of the source."""
    among = pl.col("source_id").is_in(parts.filter("_whole")["source_id"].unique().implode())
    for (source_id,), cut in parts.filter(~pl.col("_whole")).group_by("source_id", maintain_order=True):
        held = cut["_part"].to_list()
        # the ledger skips by the first two conditions; the third is for sources that are not stored in their order
        near = pl.col("byte_start").is_between(min(held) * _PART_BYTES, (max(held) + 1) * _PART_BYTES - 1)
        among |= (pl.col("source_id") == source_id) & near & _part().is_in(held)
    sources = parts["source_id"]
    near = pl.col("source_id").is_between(pl.lit(sources.min()), pl.lit(sources.max()))
    return Stretch(near & among, int(parts["byte_len"].sum()))


def in_batches(
    query: pl.LazyFrame,
    parted: Iterable[Stretch],
    sifted: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows,
) -> Iterator[pl.DataFrame]:
    """The answer to a query in its order, `BATCH_ROWS` at a time where records are not long.

    Args:
        query: Row by row of what was parted; with `source_id` and `byte_start`.
        parted: The stretches.
        sifted: What becomes of the rows of a stretch; what it leaves out is not held until a batch is full.
    """
    waiting: pl.DataFrame | None = None
    size_bytes = 0
    for stretch in parted:
        fresh = sifted(query.filter(stretch.where).collect(engine="streaming"))
        rows = fresh if waiting is None else pl.concat([waiting, fresh])
        size_bytes += stretch.size_bytes
        while rows.height >= BATCH_ROWS or (rows.height and size_bytes >= BATCH_BYTES):
            yield rows.head(BATCH_ROWS)
            rows, size_bytes = rows.slice(BATCH_ROWS), stretch.size_bytes if rows.height > BATCH_ROWS else 0
        waiting = rows
    if waiting is not None and waiting.height:
        yield waiting


def apart(rows: pl.DataFrame) -> pl.DataFrame:
    """The same rows, without what else was read with them: a text is a view into all texts of its batch."""
    return pl.DataFrame(rows.to_arrow())
