"""Rows of runs as families look at them: where they stand in their run, and what of their text counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import polars as pl

from runcase.analysis.decisive.records import spoken
from runcase.analysis.multiplexed import of_events, own_words
from runcase.analysis.stretches import Stretch, in_batches

PLACE = ("source_id", "byte_start")
"""Where a row stands in the ledger."""

TEXT_CHARS = 2000


def said(messages: pl.Series) -> pl.Series:
    """What families look at of records."""
    return spoken(messages, TEXT_CHARS).to_frame("text").select(plain(pl.col("text"))).to_series()


def plain(text: pl.Expr) -> pl.Expr:
    """What is looked at of a record: no colours that were written down as `^[[31m`, nothing that multiplexers add."""
    coloured = text.str.contains("^[[", literal=True)
    return own_words(of_events(pl.when(coloured).then(text.str.replace_all(r"\^\[\[[0-9;]*[mK]", "")).otherwise(text)))


def placed(
    query: pl.LazyFrame,
    parted: Iterable[Stretch],
    sifted: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows,
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Batches with `place`, the number of a row within its run, and `run_id, passed`: rows of each run so far.

    A place says nothing of other runs: neither what lies between two rows of a run nor what is concluded beside it.
    """
    passed = pl.DataFrame(schema={"run_id": pl.String(), "passed": pl.UInt32()})
    for batch in in_batches(query, parted, sifted):
        before = batch.join(passed, on="run_id", how="left", maintain_order="left")["passed"].fill_null(0)
        numbered = batch.with_columns(place=pl.int_range(pl.len(), dtype=pl.UInt32).over("run_id") + before)
        counted = numbered.group_by("run_id").agg(passed=pl.col("place").max() + 1)
        passed = pl.concat([counted, passed.join(counted, on="run_id", how="anti")])
        yield numbered, passed
