"""Events asked a stretch at a time are the same rows in the same order, whatever is left out of each stretch."""

from __future__ import annotations

from itertools import count

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from runcase.analysis.stretches import BATCH_BYTES, STRETCH_BYTES, in_batches, stretches

LONG = STRETCH_BYTES // 2 + 1
"""Of records: two are a stretch."""


def rows(sources: list[int]) -> pl.DataFrame:
    """Long records, one behind the other in their source; `sources` says of which each is."""
    numbers = {s: count() for s in sources}
    places = [next(numbers[s]) * LONG for s in sources]
    given = {"source_id": [f"s{s}" for s in sources], "byte_start": places, "byte_len": [LONG] * len(sources)}
    return pl.DataFrame(given, schema={"source_id": pl.String(), "byte_start": pl.Int64(), "byte_len": pl.Int64()})


@given(st.lists(st.integers(0, 2), min_size=1, max_size=60).map(sorted), st.integers(1, 40))
def test_batches_hold_what_stays_of_each_stretch_in_order(sources: list[int], every: int) -> None:
    frame = rows(sources)
    kept = pl.col("byte_start") % (every * LONG) == 0
    found = list(in_batches(frame.lazy(), stretches(frame.lazy()), lambda part: part.filter(kept)))
    assert pl.concat([frame.clear(), *found]).equals(frame.filter(kept))


def test_stretches_of_which_nothing_stays_make_no_batch() -> None:
    frame = rows([0] * (2 * BATCH_BYTES // LONG))
    assert list(in_batches(frame.lazy(), stretches(frame.lazy()), lambda part: part.clear())) == []
