"""Names and lines of a log inside a sentence: no longer than a sentence can carry."""

from __future__ import annotations

import polars as pl

ROOM = 72
"""Characters that a quoted name or line may take; the evidence that is cited beside it has the rest."""


def clip(text: str) -> str:
    """The first line of `text`, cut to `ROOM`."""
    first = text.split("\n", 1)[0]
    return first if len(first) <= ROOM else f"{first[: ROOM - 1].rstrip()}…"


def clipped(text: pl.Expr) -> pl.Expr:
    """As `clip`, for a column; null for null."""
    first = text.str.split("\n").list.first()
    cut = pl.concat_str(first.str.slice(0, ROOM - 1).str.strip_chars_end(), pl.lit("…"))
    return pl.when(first.str.len_chars() <= ROOM).then(first).otherwise(cut)
