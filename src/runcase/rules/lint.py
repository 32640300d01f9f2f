"""What is wrong with a pack that reads well: each check yields defects with their place, none runs a rule.

Checks that need records (examples) or readers are the laboratory's.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields as members

from runcase.model.tables import RECORDS
from runcase.rules.globs import glob_pattern
from runcase.rules.implication import implies, impossible
from runcase.rules.language import Condition, EventRule, EventSelector, Match, Pack, Place
from runcase.rules.patterns import named_captures
from runcase.rules.read import ReadPack
from runcase.rules.yaml_source import Defect

HOLE = re.compile(r"\{([A-Za-z_][\w.@:/-]*)\}")
"""A hole of a template."""

WINDOWS = ("queue", "boot", "active", "writeback")
"""Windows that there are without any pack."""

_IDS = {"run_id", "attempt", "workspace_id", "tool_call_id", "invocation_id", "trace_id", "span_id", "bundle", "stage"}


def lint(read: ReadPack, others: Sequence[Pack] = ()) -> list[Defect]:
    """Defects of one pack; `others` are the packs that it extends, weaker ones first."""
    if read.pack is None:
        return []
    checks = (_templates, _never, _shadowed, _identity, _references)
    return [defect for check in checks for defect in check(read, read.pack, others)]


# --- event rules ----------------------------------------------------------------------------------


def captures(match: Match) -> set[str]:
    """Names that a match may capture."""
    own = set(named_captures(match.pattern or ""))
    own |= set(named_captures(glob_pattern(match.source))) if match.source else set()
    return own.union(*(captures(m) for m in (*match.all_of, *match.any_of)))


def _templates(read: ReadPack, pack: Pack, _: Sequence[Pack]) -> Iterator[Defect]:
    """Templates with a hole that nothing fills."""
    for rule in pack.events:
        known = captures(rule.match) | {n for n in RECORDS.names if n != "fields"}
        for keys, template in _holders(rule):
            for hole in HOLE.findall(template):
                if hole not in known and not hole.startswith("fields."):
                    where = read.at(rule.place, *keys)
                    yield read.defect(where, _missing(rule, ".".join(str(k) for k in keys), hole, known))


def _holders(rule: EventRule) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every template of a rule, with the keys at which it stands."""
    for key in ("summary", "stage", "duration"):
        if (template := getattr(rule, key)) is not None:
            yield (key,), template
    for section in ("ids", "fields"):
        for name, template in getattr(rule, section).items():
            yield (section, name), template
    for n, claim in enumerate(rule.artifacts):
        for part in members(claim):
            value = getattr(claim, part.name)
            for template in value if isinstance(value, tuple) else [value]:
                if template is not None:
                    yield ("artifacts", n, part.name), template


def _missing(rule: EventRule, where: str, hole: str, known: set[str]) -> str:
    own = sorted(captures(rule.match))
    near = difflib.get_close_matches(hole, sorted(known), 1)
    hint = f"did you mean {near[0]!r}?" if near else f"captures are {', '.join(own)}" if own else "there are none"
    return f"{where} uses {{{hole}}}, which no pattern of rule {rule.id!r} captures; {hint}"


def _never(read: ReadPack, pack: Pack, _: Sequence[Pack]) -> Iterator[Defect]:
    """Rules that can match nothing."""
    for rule in pack.events:
        if why := impossible(rule.match):
            where = read.at(rule.place, "match")
            yield read.defect(where, f"rule {rule.id!r} can never match: {why}")


def _shadowed(read: ReadPack, pack: Pack, _: Sequence[Pack]) -> Iterator[Defect]:
    """Rules of which every match is named by an earlier rule of the same pack."""
    earlier: list[EventRule] = []
    for rule in sorted(pack.events, key=lambda r: -r.priority):
        for other in earlier:
            if implies(rule.match, other.match):
                yield read.defect(
                    read.at(rule.place, "id"),
                    f"rule {rule.id!r} is shadowed by {other.id!r} at {other.place}, which matches all that it "
                    "matches and comes first; give it a higher priority or make the other narrower",
                )
                break
        earlier.append(rule)


# --- identity -------------------------------------------------------------------------------------


def _identity(read: ReadPack, pack: Pack, _: Sequence[Pack]) -> Iterator[Defect]:
    for rule in pack.identity:
        if rule.pattern is None and rule.path is None:
            yield read.defect(rule.place, f"identity {rule.id!r} looks at nothing; give a pattern or a path")
        told = {*named_captures(rule.pattern or ""), *named_captures(rule.path or ""), *rule.sets}
        if (rule.pattern or rule.path) and not told & _IDS:
            near = [m for t in sorted(told) for m in difflib.get_close_matches(t, sorted(_IDS), 1)]
            hint = (
                f"did you mean {near[0]!r}?" if near else f"captures are named like the ids: {', '.join(sorted(_IDS))}"
            )
            yield read.defect(rule.place, f"identity {rule.id!r} tells no id; {hint}")


# --- names that must exist ------------------------------------------------------------------------


def _references(read: ReadPack, pack: Pack, others: Sequence[Pack]) -> Iterator[Defect]:
    """Stages, rules and windows that are named and not declared."""
    packs = (*others, pack)
    stages = {s.name for p in packs for s in p.stages}
    rules = {r.id for p in packs for r in p.events}
    windows = {w.name for p in packs for w in p.windows} | set(WINDOWS)
    if stages:
        yield from _stages(read, pack, stages)
    for place, keys, selector in _selectors(pack):
        own = selector.rule.split("#")[-1] if selector.rule else None
        if own and own not in rules and "#" not in (selector.rule or ""):
            yield _unknown(read, read.at(place, *keys), "event rule", own, rules)
    for expect in pack.expect:
        if expect.window and expect.window not in windows | stages:
            yield _unknown(read, read.at(expect.place, "window"), "window", expect.window, windows)


def _stages(read: ReadPack, pack: Pack, stages: set[str]) -> Iterator[Defect]:
    for rule in pack.events:
        if rule.stage and not HOLE.search(rule.stage) and rule.stage not in stages:
            yield _unknown(read, read.at(rule.place, "stage"), "stage", rule.stage, stages)
    for replay in pack.replay:
        if replay.start and replay.start not in stages:
            yield _unknown(read, read.at(replay.place, "start"), "stage", replay.start, stages)
    for place, keys, selector in _selectors(pack):
        if selector.stage and selector.stage not in stages:
            yield _unknown(read, read.at(place, *keys), "stage", selector.stage, stages)


def _selectors(pack: Pack) -> Iterator[tuple[Place, tuple[str, ...], EventSelector]]:
    for rule in pack.failures:
        for selector in selectors_of(rule.when):
            yield rule.place, ("when",), selector
        for line in rule.evidence:
            for selector in selectors_of(line.condition):
                yield rule.place, ("evidence",), selector
    for expect in pack.expect:
        yield expect.place, ("event",), expect.event
        if expect.after is not None:
            yield expect.place, ("after",), expect.after


def selectors_of(condition: Condition) -> Iterator[EventSelector]:
    """Every event selector of a condition, at any depth."""
    for part in (*condition.all_of, *condition.any_of, *condition.none_of):
        yield from selectors_of(part)
    yield from (condition.event,) if condition.event else ()
    yield from (condition.count[0],) if condition.count else ()
    yield from (condition.value_count[0],) if condition.value_count else ()
    yield from condition.sequence
    yield from condition.compare.events if condition.compare else ()


def _unknown(read: ReadPack, place: Place, what: str, name: str, known: Iterable[str]) -> Defect:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"declared are {', '.join(names[:12]) or 'none'}"
    return read.defect(place, f"there is no {what} {name!r}; {hint}")
