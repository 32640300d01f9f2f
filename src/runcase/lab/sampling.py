"""A text that a pattern matches, made from the pattern; checked by the engine before it is handed out."""

from __future__ import annotations

import re
import warnings

import polars as pl

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import re._constants as c  # type: ignore[import-not-found]
    import re._parser as parser  # type: ignore[import-not-found]

_CATEGORIES = {
    c.CATEGORY_DIGIT: "7",
    c.CATEGORY_WORD: "a",
    c.CATEGORY_SPACE: " ",
    c.CATEGORY_NOT_DIGIT: "x",
    c.CATEGORY_NOT_WORD: " ",
    c.CATEGORY_NOT_SPACE: "x",
}
_FILLERS = "x7 -_./:"
MAX_CHARS = 400


def sample_of(pattern: str) -> str | None:
    """A short printable text that the pattern matches; None when none could be made."""
    try:
        tree = parser.parse(pattern)
    except (re.error, OverflowError, RecursionError):
        return None
    for least in (0, 1):
        text = "".join(_one(op, arg, least) for op, arg in tree)
        if (
            text.strip()
            and text.isprintable()
            and len(text) <= MAX_CHARS
            and pl.Series([text]).str.contains(pattern)[0]
        ):
            return text
    return None


def _one(op: object, arg: object, least: int) -> str:
    """A text for one part of a pattern; optional parts are left out when `least` is 0."""
    if op is c.LITERAL:
        return chr(arg)  # type: ignore[arg-type]
    if op is c.NOT_LITERAL:
        return next(f for f in _FILLERS if ord(f) != arg)
    if op is c.ANY:
        return "x"
    if op is c.IN:
        return _member(list(arg))  # type: ignore[call-overload]
    if op is c.SUBPATTERN:
        return _all(arg[3], least)  # type: ignore[index]
    if op is c.BRANCH:
        return _all(arg[1][0], least)  # type: ignore[index]
    if op in (c.MAX_REPEAT, c.MIN_REPEAT):
        times = max(int(arg[0]), min(least, int(arg[1])))  # type: ignore[index]
        return _all(arg[2], least) * times  # type: ignore[index]
    return ""


def _all(items: object, least: int) -> str:
    parts: list[tuple[object, object]] = list(items)  # type: ignore[call-overload]
    return "".join(_one(op, arg, least) for op, arg in parts)


def _member(members: list[tuple[object, object]]) -> str:
    """A character of a set."""
    if members and members[0][0] is c.NEGATE:
        return next((f for f in _FILLERS if not any(_has(m, f) for m in members[1:])), "x")
    op, arg = members[0]
    if op is c.LITERAL:
        return chr(arg)  # type: ignore[arg-type]
    if op is c.RANGE:
        return chr(arg[0])  # type: ignore[index]
    return _CATEGORIES.get(arg, "x")


def _has(member: tuple[object, object], char: str) -> bool:
    op, arg = member
    if op is c.LITERAL:
        return arg == ord(char)
    if op is c.RANGE:
        return int(arg[0]) <= ord(char) <= int(arg[1])  # type: ignore[index]
    spelled = {c.CATEGORY_DIGIT: r"\d", c.CATEGORY_WORD: r"\w", c.CATEGORY_SPACE: r"\s"}.get(arg)
    return spelled is not None and re.match(spelled, char) is not None
