"""The order of names in which sources are read: as people count, `2_build` before `10_test`."""

from __future__ import annotations

import re

import polars as pl

_DIGITS = 20
"""Numbers are told apart by so many of their last digits: times in nanoseconds have 19. Whole names settle the rest."""


def counted(name: str) -> tuple[str, str]:
    """A key to sort names by: numbers by what they count; different names have different keys."""
    return re.sub(r"[0-9]+", lambda m: m[0].zfill(_DIGITS)[-_DIGITS:], name), name


def counted_of(name: pl.Expr) -> pl.Expr:
    """The first part of `counted` of each name."""
    padded = name.str.replace_all(r"[0-9]+", f"{'0' * _DIGITS}${{0}}")
    return padded.str.replace_all(f"[0-9]*([0-9]{{{_DIGITS}}})", "${1}")


def numbered(sources: pl.DataFrame) -> pl.DataFrame:
    """`source_id, _source`: the number of each source among SOURCES, which are in the order of their names."""
    return sources.select("source_id").with_row_index("_source")


def in_order_of_names(sources: pl.DataFrame) -> pl.DataFrame:
    """SOURCES in the order of their paths."""
    return sources.sort(counted_of(pl.col("path")), "path", "ordinal", "source_id")
