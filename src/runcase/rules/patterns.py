"""Patterns of the rule language: regular expressions that match in linear time.

The deciding engine is Rust's `regex` as polars carries it. What it cannot do in
linear time (look-around, back-references) is refused with a reason; length and
nesting are bounded, because a pattern of a stranger's pack is hostile input too.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

MAX_LENGTH = 2000
MAX_GROUPS = 60
MAX_NESTING = 20
MAX_REPEAT = 1000

_REFUSED = (
    (
        r"\(\?<?[=!]",
        "look-around is not allowed: it cannot be matched in linear time; use `none:` for what must not occur",
    ),
    (r"\\[1-9]|\(\?P=", "back-references are not allowed: they cannot be matched in linear time"),
    (r"\(\?>", "atomic groups are not allowed; the engine never backtracks, so they are not needed"),
    (r"\(\?\(", "conditional groups are not allowed"),
)


def checked_pattern(text: str) -> str:
    """`text` itself.

    Raises:
        ValueError: When it is no pattern of the language, with the reason.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"the pattern has {len(text)} characters; at most {MAX_LENGTH} are allowed")
    bare = re.sub(r"\\[^1-9]", "..", text)
    for refused, why in _REFUSED:
        if re.search(refused, bare):
            raise ValueError(why)
    _bounded(bare)
    _compiles(text)
    return text


Pattern = Annotated[str, AfterValidator(checked_pattern)]


def _bounded(bare: str) -> None:
    depth = deepest = groups = 0
    in_class = False
    for char in bare:
        if in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
        elif char == "(":
            depth, groups = depth + 1, groups + 1
            deepest = max(deepest, depth)
        elif char == ")":
            depth -= 1
    if deepest > MAX_NESTING or groups > MAX_GROUPS:
        raise ValueError(f"the pattern has {groups} groups, {deepest} deep; at most {MAX_GROUPS} and {MAX_NESTING}")
    for count in re.findall(r"\{(\d+)(?:,(\d*))?\}", bare):
        if any(c and int(c) > MAX_REPEAT for c in count):
            raise ValueError(f"a repeat of more than {MAX_REPEAT} is not allowed")


def _compiles(text: str) -> None:
    import polars as pl

    try:
        pl.Series([""]).str.contains(text)
    except pl.exceptions.ComputeError as e:
        reason = str(e).strip().split("error: ")[-1].split("\n")[0]
        raise ValueError(f"not a pattern: {reason}") from None


def named_captures(text: str) -> list[str]:
    """Names of the captures, in order."""
    return re.findall(r"\(\?P?<([A-Za-z_]\w*)>", text)
