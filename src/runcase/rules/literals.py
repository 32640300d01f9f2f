"""Texts that a pattern cannot match without: the prefilter of the matcher.

`required("(?i)upload (timeout|failed) after")` is `[" after"]` or the like: one of
the returned texts occurs, letter case aside, in every text that the pattern
matches. An empty list means that nothing can be said.
"""

from __future__ import annotations

import hashlib
import re
import sys
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from runcase.model.kept import kept, kept_beside
from runcase.rules.language import Match

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import re._constants as c  # type: ignore[import-not-found]
    import re._parser as parser  # type: ignore[import-not-found]

MIN_LENGTH = 3
"""Shorter texts occur in too many lines to be worth a look."""

MAX_CHOICES = 64
"""Texts of which one occurs; more are not worth a search."""

MAX_LETTERS = 4
"""Of a set such as `[Ee]` that is written out."""

LONG = 12
"""From this length on, fewer texts are worth more than longer ones."""

Items = Iterable[tuple[object, Any]]
"""Elements of a pattern as Python's parser gives them: what one is, and its parts."""

FOLDED = ("\u017f", "\u212a")
"""The characters outside ASCII that are, letter case aside, an ASCII letter: long s and the Kelvin sign.

A search for `required` texts that folds ASCII only must look for these as well, or it misses what `(?i)` finds.
"""


def required(pattern: str) -> list[str]:
    """Lower-case texts of which one occurs in every match; empty when there are none long enough."""
    try:
        tree = parser.parse(pattern.replace("(?<", "(?P<"))
    except (re.error, OverflowError, RecursionError):
        return []
    best = _best(tree)
    shortest = {t for t in best if not any(other in t for other in best if other != t)}
    return sorted(shortest) if best and min(map(len, best)) >= MIN_LENGTH else []


def required_of(patterns: Sequence[str], module: str) -> list[list[str]]:
    """`required` of each of a module's own patterns; kept beside it, since hundreds take a tenth of a second.

    Args:
        patterns: The patterns.
        module: Its `__file__`.
    """
    digest = hashlib.sha256(Path(__file__).read_bytes() + "\0".join(patterns).encode()).hexdigest()
    name = f"{Path(module).stem}.literals.{sys.implementation.cache_tag}"
    found: list[list[str]] = kept(kept_beside(module), name, digest, lambda: [required(p) for p in patterns])
    return found


def needed(match: Match) -> list[str]:
    """As `required`, of the message of a record on which a condition holds."""
    options = []
    if match.on == "message":
        if match.pattern is not None:
            options.append(required(match.pattern))
        if match.contains and min(map(len, match.contains)) >= MIN_LENGTH:
            options.append([t.lower() for t in match.contains])
    options += [needed(m) for m in match.all_of]
    branches = [needed(m) for m in match.any_of]
    if all(branches):
        options.append([t for texts in branches for t in texts])
    return max((o for o in options if o), key=lambda o: min(map(len, o)), default=[])


def _best(items: Items, most: int = MAX_CHOICES) -> set[str]:
    """The most selective set of at most so many texts of which one must occur in a sequence."""
    found: list[set[str]] = []
    run = {""}
    for op, arg in items:
        texts = _texts(op, arg)
        if texts is not None and len(run) * len(texts) <= most:
            run = {a + b for a in run for b in texts}
            continue
        found += [run, _within(op, arg, most)]
        run = {""} if texts is None else texts
    return max((f for f in (*found, run) if f and "" not in f and len(f) <= most), key=_worth, default=set())


def _worth(texts: set[str]) -> tuple[int, int, int]:
    shortest = min(map(len, texts))
    return min(shortest, LONG), -len(texts), shortest


def _texts(op: object, arg: Any) -> set[str] | None:
    """All that an element can match, where that is a few texts; a place such as `\\b` matches the empty one."""
    if op is c.LITERAL:
        return {chr(arg).lower()} if arg < 128 else None
    if op is c.AT:
        return {""}
    if op is c.IN:
        few = len(arg) <= MAX_LETTERS and all(kind is c.LITERAL and letter < 128 for kind, letter in arg)
        return {chr(letter).lower() for _, letter in arg} if few else None
    if op is c.SUBPATTERN:
        return _sequence(arg[3])
    if op is c.BRANCH:
        branches = [_sequence(branch) for branch in arg[1]]
        united = set().union(*(b for b in branches if b is not None))
        return None if None in branches or len(united) > MAX_CHOICES else united
    if op in (c.MAX_REPEAT, c.MIN_REPEAT) and arg[:2] == (0, 1):
        repeated = _sequence(arg[2])
        return None if repeated is None else repeated | {""}
    return None


def _sequence(items: Items) -> set[str] | None:
    """As `_texts`, of elements that follow each other."""
    run = {""}
    for op, arg in items:
        texts = _texts(op, arg)
        if texts is None or len(run) * len(texts) > MAX_CHOICES:
            return None
        run = {a + b for a in run for b in texts}
    return run


def _within(op: object, arg: Any, most: int) -> set[str]:
    """As `_best`, of one element."""
    if op is c.SUBPATTERN:
        return _best(arg[3], most)
    if op in (c.MAX_REPEAT, c.MIN_REPEAT) and arg[0] > 0:
        return _best(arg[2], most)
    if op is c.BRANCH:
        choices = [_best(branch, max(1, most // len(arg[1]))) for branch in arg[1]]
        return set().union(*choices) if all(choices) else set()
    return set()
