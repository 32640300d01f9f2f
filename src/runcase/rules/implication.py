"""Reasoning about conditions without running them: what can never hold, and what follows from what.

Both answers are one-sided: `impossible` and `implies` say yes only where it is
certain; a no means nothing.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

from runcase.rules.language import Match
from runcase.rules.literals import required

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import re._constants as c  # type: ignore[import-not-found]
    import re._parser as parser  # type: ignore[import-not-found]

_ORDER = re.compile(r"\s*(>=|<=|==|=|>|<)\s*(-?\d+(?:\.\d+)?)\s*")


# --- what can never hold --------------------------------------------------------------------------


def impossible(match: Match) -> str | None:
    """Why no record can satisfy the condition; None when nothing says so."""
    parts = list(_conjunction(match))
    for part in parts:
        if part.pattern is not None and part.on == "message" and (why := _unmatchable(part.pattern)):
            return why
    return _disjoint(parts) or _denied(parts) or _fields(parts) or _branches(match)


def _conjunction(match: Match) -> Iterator[Match]:
    """The condition and everything that must hold with it."""
    yield match
    for part in match.all_of:
        yield from _conjunction(part)


def _disjoint(parts: list[Match]) -> str | None:
    levels = [set(p.level) for p in parts if p.level]
    if levels and not set.intersection(*levels):
        return "no level satisfies all of its `level` parts"
    for name in ("stage", "stream", "logger"):
        plain = {v for p in parts if (v := getattr(p, name)) is not None and not re.search(r"[*?\[{]", v)}
        if len(plain) > 1:
            return f"`{name}` cannot be {' and '.join(sorted(plain))} at once"
    return None


def _denied(parts: list[Match]) -> str | None:
    """Something that must hold implies something that must not."""
    for part in parts:
        for denied in part.none_of:
            if any(implies(p, denied) for p in parts):
                return "what `none` forbids follows from what must hold"
    return None


def _fields(parts: list[Match]) -> str | None:
    said: dict[str, list[str]] = {}
    for part in parts:
        for name, wanted in part.fields.items():
            said.setdefault(f"fields.{name}", []).append(wanted.strip())
        if part.attempt is not None:
            said.setdefault("attempt", []).append(part.attempt.strip())
    for name, conditions in said.items():
        low, high = _bounds([*conditions, ">=1"] if name == "attempt" else conditions)
        if low > high:
            return f"no value of {name} satisfies {' and '.join(conditions)}"
        if "absent" in conditions and len(set(conditions)) > 1:
            return f"{name} cannot be absent and {next(w for w in conditions if w != 'absent')}"
        plain = {w for w in conditions if re.fullmatch(r"[\w./:-]+", w) and w not in ("exists", "absent")}
        if len(plain) > 1:
            return f"{name} cannot be {' and '.join(sorted(plain))} at once"
    return None


def _bounds(wanted: list[str]) -> tuple[float, float]:
    """The closed interval in which all numeric conditions leave a value; strict signs count as a hair more."""
    low, high = float("-inf"), float("inf")
    for text in wanted:
        m = _ORDER.fullmatch(text)
        if m is None:
            continue
        number = float(m[2])
        hair = 1e-9 * max(1.0, abs(number))
        if m[1] in (">=", ">", "=", "=="):
            low = max(low, number + (hair if m[1] == ">" else 0))
        if m[1] in ("<=", "<", "=", "=="):
            high = min(high, number - (hair if m[1] == "<" else 0))
    return low, high


def _branches(match: Match) -> str | None:
    for part in _conjunction(match):
        reasons = [impossible(b) for b in part.any_of]
        if reasons and all(reasons):
            return f"no branch of `any` can match: {reasons[0]}"
    return None


def _unmatchable(pattern: str) -> str | None:
    """Why a pattern matches no message."""
    if re.search(r"\\x1[bB]|\\x\{1[bB]\}|\\e\[|\x1b", pattern):
        return "the pattern wants terminal escapes, which are taken off before rules see the text"
    try:
        tree = parser.parse(pattern.replace("(?<", "(?P<").replace(r"\z", r"\Z"))
    except (re.error, OverflowError, RecursionError):
        return None
    return _dead(tree, bool(tree.state.flags & re.MULTILINE), 0)


def _dead(items: object, lines: bool, before: int) -> str | None:
    """Why a sequence can match nothing, given that at least `before` characters stand before it."""
    ended = False
    for op, arg in items:  # type: ignore[attr-defined]
        width = _least(op, arg)
        if ended and width > 0:
            return "the pattern wants text after the end (`$`)"
        if op is c.AT:
            if arg in (c.AT_BEGINNING, c.AT_BEGINNING_STRING) and before and not lines:
                return "the pattern wants text before the beginning (`^`)"
            ended = ended or (arg in (c.AT_END, c.AT_END_STRING) and not lines)
        elif why := _dead_inside(op, arg, lines, before):
            return why
        before += width
    return None


def _dead_inside(op: object, arg: object, lines: bool, before: int) -> str | None:
    if op is c.SUBPATTERN:
        added = bool(arg[1] & re.MULTILINE)  # type: ignore[index]
        return _dead(arg[3], lines or added, before)  # type: ignore[index]
    if op is c.BRANCH:
        reasons = [_dead(branch, lines, before) for branch in arg[1]]  # type: ignore[index]
        return reasons[0] if all(reasons) else None
    if op in (c.MAX_REPEAT, c.MIN_REPEAT) and arg[0] > 0:  # type: ignore[index]
        return _dead(arg[2], lines, before)  # type: ignore[index]
    return None


def _least(op: object, arg: object) -> int:
    """The least number of characters that a part takes."""
    if op in (c.LITERAL, c.NOT_LITERAL, c.ANY, c.IN):
        return 1
    if op is c.SUBPATTERN:
        return _width(arg[3])  # type: ignore[index]
    if op in (c.MAX_REPEAT, c.MIN_REPEAT):
        return int(arg[0]) * _width(arg[2])  # type: ignore[index]
    if op is c.BRANCH:
        return min(_width(branch) for branch in arg[1])  # type: ignore[index]
    return 0


def _width(items: object) -> int:
    parts: list[tuple[object, object]] = list(items)  # type: ignore[call-overload]
    return sum(_least(op, arg) for op, arg in parts)


# --- what follows from what -----------------------------------------------------------------------


def implies(given: Match, wanted: Match) -> bool:
    """Whether every record that satisfies `given` surely satisfies `wanted`."""
    if given == wanted:
        return True
    for part in _conjunction(given):
        if part.any_of and all(implies(branch, wanted) for branch in part.any_of):
            return True
    parts = list(_conjunction(given))
    return (
        _text_follows(parts, wanted)
        and _columns_follow(parts, wanted)
        and all(any(w == n for p in parts for n in p.none_of) for w in wanted.none_of)
        and all(implies(given, w) for w in wanted.all_of)
        and (not wanted.any_of or any(implies(given, w) for w in wanted.any_of))
    )


def _text_follows(parts: list[Match], wanted: Match) -> bool:
    if wanted.pattern is not None and not any(_pattern_follows(p, wanted) for p in parts):
        return False
    return not wanted.contains or any(_contained(p, wanted.on, wanted.contains) for p in parts)


def _pattern_follows(part: Match, wanted: Match) -> bool:
    if part.on != wanted.on or part.pattern is None or wanted.pattern is None:
        return False
    if part.pattern == wanted.pattern or wanted.pattern in ("", ".*"):
        return True
    plain, folded = _plain_text(wanted.pattern)
    if plain is None:
        return False
    if folded:
        return _contained(part, wanted.on, (plain,))
    own, own_folded = _plain_text(part.pattern)
    return own is not None and not own_folded and plain in own


def _contained(part: Match, on: str, texts: tuple[str, ...]) -> bool:
    """Whether one of `texts` (letter case aside) occurs in everything that satisfies the part."""
    if part.on != on:
        return False
    low = [t.lower() for t in texts]
    choices = [t.lower() for t in part.contains]
    needed = required(part.pattern) if part.pattern else []
    return any(options and all(any(t in o for t in low) for o in options) for options in (choices, needed))


def _plain_text(pattern: str) -> tuple[str | None, bool]:
    """The text that a pattern of plain characters spells (None for any other), and whether letter case is aside."""
    try:
        tree = parser.parse(pattern)
    except (re.error, OverflowError, RecursionError):
        return None, False
    if not len(tree) or any(op is not c.LITERAL for op, _ in tree):
        return None, False
    return "".join(chr(arg) for _, arg in tree), bool(tree.state.flags & re.IGNORECASE)


def _columns_follow(parts: list[Match], wanted: Match) -> bool:
    if wanted.level and not any(p.level and set(p.level) <= set(wanted.level) for p in parts):
        return False
    for name in ("logger", "stream", "source", "stage", "attempt"):
        value = getattr(wanted, name)
        if value is not None and value != "*" and not any(getattr(p, name) == value for p in parts):
            return False
    return all(_field_follows(parts, name, value) for name, value in wanted.fields.items())


def _field_follows(parts: list[Match], name: str, wanted: str) -> bool:
    given = [p.fields[name].strip() for p in parts if name in p.fields]
    if wanted.strip() in given or (wanted.strip() == "exists" and any(g != "absent" for g in given)):
        return True
    if not given or not _ORDER.fullmatch(wanted):
        return False
    low, high = _bounds(given)
    least, most = _bounds([wanted])
    return least <= low and high <= most and (low, high) != (float("-inf"), float("inf"))
