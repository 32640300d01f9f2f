"""`rules mutate`: rules changed in small ways, to see which changes their examples do not notice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from runcase.lab.trial import records
from runcase.rules.compile import captures, condition, text_column
from runcase.rules.language import EventRule, Match, Pack
from runcase.rules.patterns import checked_pattern

MAX_MUTANTS = 60
"""Of one rule; of more, evenly spread ones are tried."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one rule, and whether the examples of the rule notice it."""

    pack: str
    rule: str
    place: str
    change: str
    survived: bool


def mutated(pack: Pack) -> list[Mutant]:
    """Every small change of every rule; one that survives is a hole in the examples.

    A change is noticed when the rule then matches other examples of the pack than
    before, or captures something else from its own.
    """
    own = {rule.id: len(rule.examples) for rule in pack.events}
    frame = records([e for rule in pack.events for e in (*rule.examples, *rule.counterexamples)], pack)
    found: list[Mutant] = []
    at = 0
    for rule in pack.events:
        found += _mutants(rule, pack, frame, frame.slice(at, own[rule.id]))
        at += own[rule.id] + len(rule.counterexamples)
    return found


def _mutants(rule: EventRule, pack: Pack, frame: pl.DataFrame, own: pl.DataFrame) -> Iterator[Mutant]:
    before = (_held(rule.match, frame), _captured(rule.match, own))
    for text, match in _spread(list(dict(_changes(rule.match)).items())):
        after = (_held(match, frame), _captured(match, own))
        yield Mutant(pack.name, rule.id, str(rule.place), text, after == before)


def _held(match: Match, frame: pl.DataFrame) -> list[bool]:
    found: list[bool] = frame.select(pl.col("source_id"), held=condition(match))["held"].to_list()
    return found


def _captured(match: Match, frame: pl.DataFrame) -> list[object]:
    """What the patterns of a match capture from the records; nothing for those that it does not match."""
    taken: list[object] = []
    for column, pattern in captures(match):
        taken += frame.select(text_column(column).str.extract_groups(pattern)).to_series().to_list()
    return taken


def _spread(changes: list[tuple[str, Match]]) -> list[tuple[str, Match]]:
    step = -(-len(changes) // MAX_MUTANTS) or 1
    return changes[::step]


def _changes(match: Match) -> Iterator[tuple[str, Match]]:
    """(what was changed, the changed condition); each differs in one place."""
    if match.pattern is not None:
        for text, pattern in _patterns(match.pattern):
            yield f"pattern {text}", replace(match, pattern=pattern)
    for n, word in enumerate(match.contains):
        if len(match.contains) > 1:
            yield f"contains without {word!r}", replace(match, contains=match.contains[:n] + match.contains[n + 1 :])
    for name in ("logger", "stream", "source", "stage", "attempt"):
        if getattr(match, name) is not None:
            yield f"without {name}", _with(match, name, None)
    if match.level and (match.pattern or match.contains or match.all_of or match.any_of or match.fields):
        yield "without level", replace(match, level=())
    for name in match.fields:
        yield f"without fields.{name}", replace(match, fields={k: v for k, v in match.fields.items() if k != name})
    for part in ("all_of", "any_of", "none_of"):
        yield from _nested(match, part)


def _nested(match: Match, part: str) -> Iterator[tuple[str, Match]]:
    inner: tuple[Match, ...] = getattr(match, part)
    shown = part.removesuffix("_of")
    for n, one in enumerate(inner):
        rest = inner[:n] + inner[n + 1 :]
        if rest or part != "any_of":
            yield f"without {shown}[{n}]", _with(match, part, rest)
        for text, changed in _changes(one):
            yield f"{shown}[{n}]: {text}", _with(match, part, (*inner[:n], changed, *inner[n + 1 :]))


def _with(match: Match, name: str, value: object) -> Match:
    """The condition with one member changed."""
    changed: dict[str, Any] = {name: value}
    return replace(match, **changed)


def _patterns(pattern: str) -> Iterator[tuple[str, str]]:
    """Small changes of a pattern that are patterns still."""
    for text, changed in _raw_patterns(pattern):
        try:
            yield text, checked_pattern(changed)
        except ValueError:
            continue


def _raw_patterns(pattern: str) -> Iterator[tuple[str, str]]:
    if pattern.startswith("^"):
        yield "without ^", pattern[1:]
    if pattern.endswith("$") and not pattern.endswith(r"\$"):
        yield "without $", pattern[:-1]
    for m in re.finditer(r"\\b", pattern):
        yield rf"without \b at {m.start()}", pattern[: m.start()] + pattern[m.end() :]
    for m in re.finditer(r"(?<!\\)(?:\\[dwS]|\.)(?=[+*]|\{)", pattern):
        yield f"{m[0]} to . at {m.start()}", pattern[: m.start()] + "." + pattern[m.end() :]
    for m in re.finditer(r"(?<![\\(])[*+?](?![?+])", pattern):
        for other in {"*": "+", "+": "*", "?": ""}[m[0]] or ("",):
            yield f"{m[0]} to {other or 'nothing'} at {m.start()}", pattern[: m.start()] + other + pattern[m.end() :]
    for m in re.finditer(r"(?<![\\A-Za-z(<?])[A-Za-z]{4,}(?![>\w])", pattern):
        yield f"without {m[0]!r}", pattern[: m.start()] + r"\w*" + pattern[m.end() :]
    yield from _branches(pattern)


def _branches(pattern: str) -> Iterator[tuple[str, str]]:
    """Alternatives taken out, one by one."""
    for group in re.finditer(r"\((?:\?:|\?P<\w+>)([^()\[\]\\]*\|[^()\[\]\\]*)\)", pattern):
        options = group[1].split("|")
        for n, option in enumerate(options):
            rest = "|".join(options[:n] + options[n + 1 :])
            yield f"without the alternative {option!r}", pattern[: group.start(1)] + rest + pattern[group.end(1) :]
