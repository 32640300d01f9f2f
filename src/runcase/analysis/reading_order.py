"""The order in which the sources of a run are read: that of their inputs' names, and of a rotation where there was one.

The ledger holds batches as they came, and in a batch `app.log` before `app.log.1`.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from runcase.model.naming_order import counted_of

MOST_PASSES = 32
"""Each pass reads the ledger once more, so that what would take more of them stays in the ledger's order at last."""


def in_reading_order(
    events: pl.LazyFrame, stored: pl.DataFrame, members: pl.DataFrame, pieces: pl.DataFrame
) -> pl.LazyFrame:
    """EVENTS with the sources of each run in reading order; sources of different runs may change places.

    Args:
        events: EVENTS, in the order of the ledger.
        stored: SOURCES, in the order of the ledger.
        members: MEMBERS.
        pieces: `rotation.PIECES`.
    """
    passes = _passes(_wanted(stored, pieces), members)
    late = pl.DataFrame({"source_id": list(passes), "_pass": list(passes.values())}).filter(pl.col("_pass") > 0)
    if late.is_empty():
        return events
    again = (part["source_id"].implode() for part in late.sort("_pass").partition_by("_pass", maintain_order=True))
    source = pl.col("source_id")
    first = events.filter(~source.is_in(late["source_id"].implode()))
    return pl.concat([first, *(events.filter(source.is_in(ids)) for ids in again)])


def _wanted(stored: pl.DataFrame, pieces: pl.DataFrame) -> dict[str, int]:
    """Source -> its number in the ledger, in reading order; what an archive holds stays in the order of the archive."""
    given = pl.col("path").str.split("!/").list.first()
    named = stored.select("source_id", _given=given).with_row_index("_stored")
    placed = named.sort(counted_of(pl.col("_given")), "_given", "_stored").with_row_index("_place")
    rotated = placed.join(pieces, on="source_id", how="left", maintain_order="left")
    ordered = rotated.with_columns(
        _place=pl.col("_place").min().over(pl.coalesce("newest_id", "source_id")), place=pl.col("place").fill_null(0)
    ).sort("_place", "place")
    return dict(ordered.select("source_id", "_stored").iter_rows())


def _passes(wanted: Mapping[str, int], members: pl.DataFrame) -> dict[str, int]:
    """Source -> in which pass over the ledger it is read, so that each run meets its sources in the order wanted."""
    runs: dict[str, list[str]] = {}
    for source_id, run_id in members.select("source_id", "run_id").unique().sort("source_id", "run_id").iter_rows():
        runs.setdefault(source_id, []).append(run_id)
    reached: dict[str, tuple[int, int]] = {}
    passes: dict[str, int] = {}
    for source_id, number in wanted.items():
        own = [reached.get(run_id, (0, -1)) for run_id in runs.get(source_id, ())]
        last = max((at if number > place else at + 1 for at, place in own), default=0)
        passes[source_id] = min(last, MOST_PASSES - 1)
        reached.update(dict.fromkeys(runs.get(source_id, ()), (last, number)))
    return passes
