"""What the stages after identification share, and no other floor needs."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from runcase.analysis.clocks import Clocks


@dataclass(frozen=True, slots=True)
class Basis:
    """Marks in memory, and what was found out on the way to them."""

    marks: pl.DataFrame
    """As `marks.marks` yields them, clocks corrected."""
    duplicates: pl.DataFrame
    """`source_id, same_as`: sources that are counted once."""
    clocks: Clocks
    """Skews that were corrected, and clocks that cannot be."""
    tests: pl.DataFrame
    """TESTS, as test tools say in the console."""
