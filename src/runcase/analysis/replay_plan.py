"""From where one run can safely be done again: a plan over stages and artifacts, and the check of a plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

MAX_TRIED = 20
"""Artifacts whose restoration is tried one by one for counterfactuals."""

MAX_NAMED = 4
"""Artifacts that a sentence names one by one."""


@dataclass(frozen=True, slots=True)
class StageFacts:
    """A stage of one run: what it reads and writes, and how far it got."""

    name: str
    inputs: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    completed: bool = False
    begun: bool = False
    deterministic: bool = True
    side_effects: Literal["none", "idempotent", "unsafe"] = "none"
    optional: bool = False
    acts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lack:
    """Why an artifact cannot be reused: a blocker's code and sentence, with evidence."""

    code: str
    text: str
    refs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Stages to redo in order, artifacts to reuse, and what stands against it.

    `start` is null when the plan is blocked. Blockers of a plan with a start are
    the reasons why it does not start later.
    """

    start: str | None
    redo: tuple[str, ...]
    not_redo: tuple[str, ...]
    reuse: tuple[str, ...]
    blockers: tuple[Lack, ...] = ()
    counterfactuals: tuple[str, ...] = field(default=())


def plan(stages: Sequence[StageFacts], lacks: Mapping[str, Lack], hard: Sequence[Lack] = ()) -> Plan:
    """The smallest safe redo of a run.

    Args:
        stages: In the order of their declaration.
        lacks: Artifacts that cannot be reused, and why.
        hard: What blocks any replay of the run.

    Returns:
        A plan for which `unmet` is empty whenever it has a start.
    """
    found = _blocked(stages, lacks, hard)
    tried = _counterfactuals(stages, lacks, hard, found)
    return Plan(found.start, found.redo, found.not_redo, found.reuse, found.blockers, tried)


def unmet(stages: Sequence[StageFacts], lacks: Mapping[str, Lack], found: Plan) -> list[str]:
    """Inputs of redone stages that are neither reused nor made by a redone stage before them; none in a valid plan."""
    if found.start is None:
        return []
    by_name = {s.name: s for s in stages}
    made: set[str] = set()
    missing: list[str] = []
    for name in found.redo:
        stage = by_name[name]
        usable = {a for a in found.reuse if a not in lacks} | made
        missing += [f"{name}: {a}" for a in sorted(stage.inputs - usable)]
        made |= stage.outputs
    return missing


def _redo_set(stages: Sequence[StageFacts], lacks: Mapping[str, Lack]) -> set[str]:
    """Stages to redo: unfinished ones, makers of what they lack, and those that read what comes out differently."""
    producers = {a: s for s in stages for a in s.outputs}
    redo = {s.name for s in stages if not s.completed and not (s.optional and not s.begun)}
    changed: set[str] = set()
    while True:
        again = [s for s in stages if s.name in redo]
        fresh = {producers[a].name for s in again for a in s.inputs if a in lacks and a in producers}
        other = [s for s in again if not (s.deterministic and s.completed) or s.inputs & changed]
        differing = changed.union(*(s.outputs for s in other))
        fresh |= {s.name for s in stages if s.inputs & differing}
        if fresh <= redo and differing == changed:
            return redo
        redo |= fresh
        changed = differing


def _blocked(stages: Sequence[StageFacts], lacks: Mapping[str, Lack], hard: Sequence[Lack]) -> Plan:
    redo = _redo_set(stages, lacks)
    again = [s for s in stages if s.name in redo]
    kept = [s for s in stages if s.name not in redo and s.completed]
    needed = frozenset[str]().union(*(s.inputs for s in again)) if again else frozenset()
    remade = frozenset[str]().union(*(s.outputs for s in again)) if again else frozenset()
    reuse = tuple(sorted(a for a in needed - remade if a not in lacks))
    never = [lacks[a] for a in sorted(needed - remade) if a in lacks]
    unsafe = [_unsafe(s) for s in again if s.side_effects == "unsafe" and s.begun]
    early = _misordered(again)
    stops = [*hard, *never, *unsafe, *early]
    soft = [*_reasons(stages, lacks, redo), *(_varying(s) for s in again if not s.deterministic and s.completed)]
    start = again[0].name if again and not stops else None
    names = tuple(s.name for s in again)
    return Plan(start, names, tuple(s.name for s in kept), reuse, _distinct([*stops, *soft]))


def _misordered(again: Sequence[StageFacts]) -> list[Lack]:
    """Stages that read what only a later stage makes: the declaration is at odds with the lineage."""
    made: set[str] = set()
    later = {a: s.name for s in again for a in s.outputs}
    found = []
    for stage in again:
        for a in sorted(stage.inputs - made):
            if later.get(a, stage.name) != stage.name:
                found.append(Lack("artifact_missing", f"{stage.name} reads {a}, which only {later[a]} makes after it"))
            elif a in stage.outputs:
                found.append(Lack("artifact_missing", f"{stage.name} reads {a}, which it makes itself"))
        made |= stage.outputs
    return found


def _reasons(stages: Sequence[StageFacts], lacks: Mapping[str, Lack], redo: set[str]) -> list[Lack]:
    """Why completed stages are redone: what their readers lack."""
    read = {a for s in stages if s.name in redo for a in s.inputs}
    made = [a for s in stages if s.name in redo and s.completed for a in sorted(s.outputs)]
    return [lacks[a] for a in made if a in lacks and a in read]


def _unsafe(stage: StageFacts) -> Lack:
    return Lack("side_effect_unsafe", f"{stage.name} had begun, and doing it twice is not safe")


def _varying(stage: StageFacts) -> Lack:
    return Lack("nondeterministic", f"{stage.name} may give other bytes when it is done again; its readers are redone")


def _distinct(lacks: Iterable[Lack]) -> tuple[Lack, ...]:
    return tuple({(x.code, x.text): x for x in lacks}.values())


def _counterfactuals(
    stages: Sequence[StageFacts], lacks: Mapping[str, Lack], hard: Sequence[Lack], found: Plan
) -> tuple[str, ...]:
    """What would move the start: each lacking artifact, all that a stage lacks, everything, and no hard blocker."""
    said = []
    for what, names in _restorable(stages, lacks, found):
        moved = _blocked(stages, {k: v for k, v in lacks.items() if k not in names}, hard)
        if moved.start is not None and moved.redo != found.redo:
            said.append(f"restore {what} and the start moves to {moved.start}")
            if len(names) > 1:
                break
    for block in hard:
        moved = _blocked(stages, lacks, [h for h in hard if h is not block])
        if moved.start is not None:
            said.append(f"without this blocker ({block.code}) the start would be {moved.start}")
    return tuple(said)


def _restorable(
    stages: Sequence[StageFacts], lacks: Mapping[str, Lack], found: Plan
) -> Iterator[tuple[str, frozenset[str]]]:
    """Artifacts to try, with words for them: one by one, those that late stages read first; then larger sets."""
    wanted = [sorted(s.inputs & lacks.keys()) for s in reversed(stages) if s.name in found.redo]
    singles = list(dict.fromkeys(a for names in wanted for a in names))
    yield from ((a, frozenset([a])) for a in singles[:MAX_TRIED])
    for stage, names in zip((s for s in reversed(stages) if s.name in found.redo), wanted, strict=True):
        if len(names) > 1:
            yield f"{_named(names)}, which {stage.name} reads,", frozenset(names)
    if len(singles) > 1:
        yield f"all of {_named(singles)}", frozenset(lacks)


def _named(names: Sequence[str]) -> str:
    """All of a few names; of many the first, the last, and how many there are."""
    few = len(names) <= MAX_NAMED
    return ", ".join(names) if few else f"{names[0]}, ..., {names[-1]} ({len(names)} artifacts)"
