"""Conditions on values as packs write them: `>=500`, `timeout`, `in(a, b)`, `~pattern`, `!=0`, `exists`."""

from __future__ import annotations

import re

import polars as pl

_COMPARISON = re.compile(r"\s*(>=|<=|!=|==|=|>|<)\s*(.+?)\s*")


def compared(value: pl.Expr, wanted: str) -> pl.Expr:
    """True where the text `value` satisfies `wanted`; null where it is not evidenced."""
    wanted = wanted.strip()
    if wanted == "exists":
        return value.is_not_null()
    if wanted == "absent":
        return value.is_null()
    if wanted.startswith("~"):
        return value.str.contains(wanted[1:].strip())
    if m := re.fullmatch(r"in\((.*)\)", wanted):
        return value.is_in([v.strip() for v in m[1].split(",")])
    if m := _COMPARISON.fullmatch(wanted):
        return _ordered(value, m[1], m[2])
    return value == wanted


def _ordered(value: pl.Expr, sign: str, text: str) -> pl.Expr:
    try:
        number = float(text)
    except ValueError:
        return value != text if sign == "!=" else value == text
    n = value.cast(pl.Float64, strict=False)
    return {">=": n >= number, "<=": n <= number, ">": n > number, "<": n < number, "!=": n != number}.get(
        sign, n == number
    )


def number_satisfies(number: int, wanted: str) -> bool:
    """Whether a count satisfies a condition such as `>=3`."""
    return bool(pl.select(compared(pl.lit(str(number)), wanted)).item())
