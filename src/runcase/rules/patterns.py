"""Patterns of the rule language: regular expressions that match in linear time.

The deciding engine is Rust's `regex` as polars carries it. What it cannot do in
linear time (look-around, back-references) is refused with a reason; length and
nesting are bounded, because a pattern of a stranger's pack is hostile input too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

MAX_LENGTH = 2000
MAX_GROUPS = 60
MAX_NESTING = 20
MAX_REPEAT = 1000
MAX_COST = 60_000
"""Of one pattern, as `cost` counts: about 0.1 s to compile (measured 2026-11)."""
MAX_FILE_COST = 300_000
"""Of all patterns of one file, so that a hostile one ends soon."""
BASE_COST = 100
"""Of any pattern: what looking at it takes."""

_COSTS = {"w": 500, "W": 500, "p": 800, "P": 800, "d": 40, "D": 40, "s": 10, "S": 10}
_ATOM = re.compile(r"\\(?P<escape>.)|(?P<repeat>\{\d+(?:,\d*)?\})|(?P<char>.)", re.DOTALL)

_REFUSED = (
    (
        r"\(\?<?[=!]",
        "look-around is not allowed: it cannot be matched in linear time; use `none:` for what must not occur",
    ),
    (
        r"\\[1-9]|\(\?P=|\\k[<{']|\\g[<{]",
        "back-references are not allowed: they cannot be matched in linear time; capture twice and compare the fields",
    ),
    (r"\(\?>", "atomic groups are not allowed; the engine never backtracks, so they are not needed"),
    (r"(?:[*+?]|\})\+", "possessive quantifiers are not allowed; the engine never backtracks, so they are not needed"),
    (r"\(\?\(", "conditional groups are not allowed: they cannot be matched in linear time"),
    (r"\(\?(?:R|\d|&|P>)", "recursion is not allowed: it cannot be matched in linear time"),
)


class PatternBudget:
    """What the patterns of one file may cost together, and whether the engine has compiled them before."""

    def __init__(self, limit: int = MAX_FILE_COST, known: bool = False) -> None:
        self._left = limit
        self.known = known

    def spend(self, amount: int) -> None:
        """Takes from the budget.

        Raises:
            ValueError: When nothing is left.
        """
        self._left -= amount
        if self._left < 0:
            raise ValueError(
                "the patterns of this file are too costly together; "
                r"write [0-9A-Za-z_] for \w, repeat less, or spread the rules over several files"
            )


def cost(text: str) -> int:
    r"""Roughly how large a pattern's machine is: a repeat counts its part as often, `\w` and `\p` as many letters."""
    totals = [0]
    last = 0
    for part in _ATOM.finditer(text):
        if part["repeat"]:
            totals[-1] += last * (max(int(n) for n in re.findall(r"\d+", part[0])) - 1)
            continue
        if part["char"] == "(":
            totals.append(0)
        elif part["char"] == ")" and len(totals) > 1:
            last = totals.pop()
            totals[-1] += last
        else:
            last = _COSTS.get(part["escape"] or "", 6 if part["char"] == "." else 1)
            totals[-1] += last
    return sum(totals)


def checked_pattern(text: str, budget: PatternBudget | None = None) -> str:
    """`text` itself.

    Raises:
        ValueError: When it is no pattern of the language, with the reason.
    """
    if budget is not None:
        budget.spend(BASE_COST)
    if len(text) > MAX_LENGTH:
        raise ValueError(f"the pattern has {len(text):,} characters; at most {MAX_LENGTH:,} are allowed")
    bare = _without_classes(re.sub(r"\\[^1-9kg]", "..", text))
    for refused, why in _REFUSED:
        if re.search(refused, bare):
            raise ValueError(why)
    _bounded(bare)
    size = cost(text)
    if size > MAX_COST:
        raise ValueError("the pattern is too large when its repeats are written out; repeat less or match less exactly")
    if budget is not None:
        budget.spend(size)
    if budget is None or not budget.known:
        _compiles(text)
    return text


def _without_classes(bare: str) -> str:
    """Sets (`[...]`, nested too) become one letter, so that what stands in them is not taken for syntax."""
    kept: list[str] = []
    depth = 0
    for n, char in enumerate(bare):
        if char == "[" and not (depth and bare[n - 1] == "["):
            depth += 1
        elif char == "]" and depth and not _opens_set(bare, n):
            depth -= 1
            kept += [] if depth else ["x"]
        elif not depth:
            kept.append(char)
    return "".join(kept)


def _opens_set(bare: str, n: int) -> bool:
    """Whether the bracket at `n` is the first member of a set (`[]x]`, `[^]x]`) and so a plain character."""
    return bare[n - 1] == "[" or bare[max(0, n - 2) : n] == "[^"


def _bounded(bare: str) -> None:
    depth = deepest = groups = 0
    for char in bare:
        if char == "(":
            depth, groups = depth + 1, groups + 1
            deepest = max(deepest, depth)
        elif char == ")":
            depth -= 1
    if deepest > MAX_NESTING or groups > MAX_GROUPS:
        raise ValueError(f"the pattern has {groups} groups, {deepest} deep; at most {MAX_GROUPS} and {MAX_NESTING}")
    for count in re.findall(r"\{(\d+)(?:,(\d*))?\}", bare):
        if any(c and int(c) > MAX_REPEAT for c in count):
            raise ValueError(f"a repeat of more than {MAX_REPEAT:,} is not allowed")


def _compiles(text: str) -> None:
    import polars as pl

    try:
        pl.Series([""]).str.contains(text)
    except pl.exceptions.ComputeError as e:
        reason = str(e).strip().split("error: ")[-1].split("\n")[0].strip()
        raise ValueError(f"not a pattern: {reason}") from None


@cache
def ascii_borders(pattern: str) -> str:
    r"""The pattern with `\b` as a border of ASCII words.

    The border of a word of any script makes the engine leave its automaton on each text with a character outside
    ASCII, such as a check mark: 40 to 140 us a line where others take 1 (measured 2026-11).
    """
    return re.sub(r"(?s)\\(.)", lambda m: r"(?-u:\b)" if m[1] == "b" else m[0], pattern)


def any_of(patterns: Iterable[str]) -> str:
    """One pattern that a text shows which shows any of these."""
    return "|".join(f"(?:{unnamed(p)})" for p in patterns)


def unnamed(pattern: str) -> str:
    """The pattern without the names of its groups, of which each may stand once only."""
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)


def named_captures(text: str) -> list[str]:
    """Names of the captures, in order."""
    return re.findall(r"\(\?P?<([A-Za-z_]\w*)>", text)
