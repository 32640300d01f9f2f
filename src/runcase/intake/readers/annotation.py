"""Expressions that annotators of text share."""

from __future__ import annotations

import polars as pl

MARKS = pl.col("fields").str.json_path_match("$.marks")
"""What the reader's `marks` pattern found in a record; null where nothing was."""


def first_line() -> pl.Expr:
    """The first line of the message that is not empty: what a mark stands on."""
    return pl.col("message").str.extract(r"^\n*([^\n]*)")


def json_fields(**members: pl.Expr) -> pl.Expr:
    """A JSON object of the members that are not null; null where all are."""
    parts = [_member(name, value) for name, value in members.items()]
    body = pl.concat_str(parts, separator=",", ignore_nulls=True)
    return pl.when(pl.any_horizontal(value.is_not_null() for value in members.values())).then(
        pl.concat_str(pl.lit("{"), body, pl.lit("}"))
    )


def _member(name: str, value: pl.Expr) -> pl.Expr:
    encoded = pl.struct(value.alias(name)).struct.json_encode()
    return pl.when(value.is_not_null()).then(encoded.str.slice(1, encoded.str.len_chars() - 2))
