"""Conditions on values as packs write them, typed by what they compare with.

`timeout` is equality; `!=timeout`; `in(a, b)`, `not in(a, b)`; `~pattern`, `!~pattern`; `exists`, `absent`;
`>=500` compares numbers, `>15m` durations (`31.8s`, `00:12:33`), `>=10MiB` sizes.
"""

from __future__ import annotations

import re

import polars as pl

from runcase.rules.patterns import PatternBudget, checked_pattern
from runcase.rules.units import bytes_of, duration_us, parsed_bytes, parsed_duration

_COMPARISON = re.compile(r"\s*(>=|<=|!=|==|=|>|<)\s*(.+?)\s*")
_MEMBERSHIP = re.compile(r"(not\s+|!)?in\((.*)\)")
FORMS = "write VALUE, !=VALUE, >=N, <N, in(a, b), not in(a, b), ~pattern, !~pattern, exists or absent"


def checked_comparison(wanted: str, budget: PatternBudget | None = None) -> str:
    """`wanted` itself.

    Raises:
        ValueError: When it is no condition, with what to write instead.
    """
    text = wanted.strip()
    if not text:
        raise ValueError(f"an empty condition; {FORMS}")
    if text.startswith(("~", "!~")):
        checked_pattern(text.lstrip("!")[1:].strip(), budget)
    elif text.startswith(("<", ">", "!", "=")) and not _MEMBERSHIP.fullmatch(text):
        m = _COMPARISON.fullmatch(text)
        if m is None:
            raise ValueError(f"{wanted!r} compares with nothing; {FORMS}")
        if m[1][0] in "<>" and not _is_quantity(m[2]):
            raise ValueError(f"{m[2]!r} is no number, duration (15m) or size (10MiB); only those are ordered")
    return wanted


def compared(value: pl.Expr, wanted: str) -> pl.Expr:
    """True where the text `value` satisfies `wanted`; null where it is not evidenced."""
    wanted = wanted.strip()
    if wanted == "exists":
        return value.is_not_null()
    if wanted == "absent":
        return value.is_null()
    if wanted.startswith("!~"):
        return ~value.str.contains(wanted[2:].strip())
    if wanted.startswith("~"):
        return value.str.contains(wanted[1:].strip())
    if m := _MEMBERSHIP.fullmatch(wanted):
        among = value.is_in([v.strip() for v in m[2].split(",")])
        return ~among if m[1] else among
    if m := _COMPARISON.fullmatch(wanted):
        return _ordered(value, m[1], m[2])
    return value == wanted


def _is_quantity(text: str) -> bool:
    return _number(text) is not None or parsed_duration(text) is not None or parsed_bytes(text) is not None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _ordered(value: pl.Expr, sign: str, text: str) -> pl.Expr:
    """Numbers, durations and sizes by quantity; anything else by text, equal or not."""
    number, spent, size = _number(text), parsed_duration(text), parsed_bytes(text)
    if number is not None:
        return _signed(value.cast(pl.Float64, strict=False), sign, number)
    if spent is not None:
        return _signed(duration_us(value), sign, spent)
    if size is not None:
        return _signed(bytes_of(value), sign, size)
    return value != text if sign == "!=" else value == text


def _signed(n: pl.Expr, sign: str, limit: float) -> pl.Expr:
    if sign == ">=":
        return n >= limit
    if sign == "<=":
        return n <= limit
    if sign == ">":
        return n > limit
    if sign == "<":
        return n < limit
    return n != limit if sign == "!=" else n == limit
