"""Texts that a pattern cannot match without: the prefilter of the matcher.

`required("(?i)upload (timeout|failed) after")` is `[" after"]` or the like: one of
the returned texts occurs, letter case aside, in every text that the pattern
matches. An empty list means that nothing can be said.
"""

from __future__ import annotations

import re
import warnings

from runcase.rules.language import Match

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import re._constants as c  # type: ignore[import-not-found]
    import re._parser as parser  # type: ignore[import-not-found]

MIN_LENGTH = 3
"""Shorter texts occur in too many lines to be worth a look."""

MAX_CHOICES = 48

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
    return sorted(best) if best and min(map(len, best)) >= MIN_LENGTH else []


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


def _best(items: object) -> set[str]:
    """The most selective set of texts of which one must occur in a sequence."""
    found: list[set[str]] = []
    run = ""
    for op, arg in [*list(items), (None, None)]:  # type: ignore[call-overload]
        if op is c.LITERAL and arg < 128:
            run += chr(arg).lower()
            continue
        if run:
            found.append({run})
            run = ""
        inner = _inner(op, arg)
        if inner:
            found.append(inner)
    return max(found, key=lambda s: (min(map(len, s)), -len(s)), default=set())


def _inner(op: object, arg: object) -> set[str]:
    if op is c.SUBPATTERN:
        return _best(arg[3])  # type: ignore[index]
    if op in (c.MAX_REPEAT, c.MIN_REPEAT) and arg[0] > 0:  # type: ignore[index]
        return _best(arg[2])  # type: ignore[index]
    if op is c.BRANCH:
        choices = [_best(branch) for branch in arg[1]]  # type: ignore[index]
        if all(choices):
            united = set().union(*choices)
            return united if len(united) <= MAX_CHOICES else set()
    return set()
