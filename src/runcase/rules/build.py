"""Checked spellings to the typed values of the language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runcase.rules.language import (
    ArtifactClaim,
    BoundaryRule,
    Comparison,
    Condition,
    EventRule,
    EventSelector,
    EvidenceLine,
    Example,
    ExpectRule,
    FailureRule,
    FormatRule,
    IdentityRule,
    Match,
    Pack,
    Place,
    RedactRule,
    ReplayRule,
    Stage,
    WindowRule,
)
from runcase.rules.literals import needed
from runcase.rules.spelled_conditions import CompareSpelled, ConditionSpelled, ExpectSpelled, SelectorSpelled
from runcase.rules.spelling import (
    BoundarySpelled,
    EventSpelled,
    ExampleSpelled,
    FailureSpelled,
    FileSpelled,
    FormatSpelled,
    IdentitySpelled,
    MatchSpelled,
    PackSpelled,
    ReplaySpelled,
    StageSpelled,
    WindowSpelled,
)

Places = Mapping[tuple[str | int, ...], Place]


def pack_of(head: PackSpelled, files: Sequence[tuple[FileSpelled, Places]], digest: str) -> Pack:
    """All files of a pack as one value; rules keep the order of the files."""
    return Pack(
        name=head.name,
        version=head.version,
        digest=digest,
        description=head.description,
        extends=tuple(head.extends),
        readers=tuple(head.readers),
        sources=tuple(head.sources),
        formats=tuple(_format(f, p["formats", n]) for s, p in files for n, f in enumerate(s.formats)),
        identity=tuple(_identity(i, p["identity", n]) for s, p in files for n, i in enumerate(s.identity)),
        events=tuple(_event(e, p, n) for s, p in files for n, e in enumerate(s.events)),
        stages=tuple(_stage(x) for s, _ in files for x in s.stages),
        windows=tuple(_window(w, p["windows", n]) for s, p in files for n, w in enumerate(s.windows)),
        expect=tuple(_expect(e, p["expect", n]) for s, p in files for n, e in enumerate(s.expect)),
        failures=tuple(_failure(f, p["failures", n]) for s, p in files for n, f in enumerate(s.failures)),
        replay=tuple(_replay(r, p["replay", n]) for s, p in files for n, r in enumerate(s.replay)),
        redact=tuple(
            RedactRule(r.id, r.kind, r.pattern, p["redact", n]) for s, p in files for n, r in enumerate(s.redact)
        ),
    )


def _format(f: FormatSpelled, place: Place) -> FormatRule:
    return FormatRule(f.id, f.pattern, place, f.ts_format, f.zone, tuple(f.samples))


def _identity(i: IdentitySpelled, place: Place) -> IdentityRule:
    return IdentityRule(i.id, place, i.pattern, i.field, i.path, {str(k): v for k, v in i.sets.items()}, i.carry)


def _stage(x: StageSpelled) -> Stage:
    return Stage(x.name, tuple(x.reads), tuple(x.writes), x.deterministic, x.side_effects, x.optional, tuple(x.redo))


def _window(w: WindowSpelled, place: Place) -> WindowRule:
    return WindowRule(w.name, _boundary(w.start), _boundary(w.end), w.start_absent, w.end_absent, place)


def _expect(e: ExpectSpelled, place: Place) -> ExpectRule:
    return ExpectRule(
        id=e.id,
        code=e.code,
        event=selector(e.event),
        text=e.text,
        place=place,
        after=selector(e.after) if e.after else None,
        within=e.within,
        window=e.window,
        by=e.by,
        silent=e.silent,
        carrier=e.carrier,
        met=e.met,
    )


def _failure(f: FailureSpelled, place: Place) -> FailureRule:
    return FailureRule(
        id=f.id,
        failure=f.class_,
        when=condition(f.when),
        place=place,
        confidence=f.confidence,
        blocker=f.blocker,
        evidence=tuple(EvidenceLine(e.text, condition(e.when)) for e in f.evidence),
        next_actions=tuple(f.next_actions),
        priority=f.priority,
    )


def _replay(r: ReplaySpelled, place: Place) -> ReplayRule:
    return ReplayRule(
        id=r.id,
        place=place,
        failure=r.failure,
        start=r.start,
        reuse=tuple(r.reuse),
        redo=tuple(r.redo),
        not_redo=tuple(r.not_redo),
        commands=tuple(r.commands),
    )


def _event(e: EventSpelled, places: Places, n: int) -> EventRule:
    when = match(e.match)
    return EventRule(
        id=e.id,
        kind=e.kind,
        match=when,
        place=places["events", n],
        priority=e.priority,
        stage=e.stage,
        level=e.level,
        summary=e.summary,
        ids={str(k): v for k, v in e.ids.items()},
        fields=dict(e.fields),
        duration=e.duration,
        artifacts=tuple(
            ArtifactClaim(a.id, a.action, a.role, a.path, a.size, a.checksum, tuple(a.derived_from))
            for a in e.artifacts
        ),
        failure=e.failure,
        literals=tuple(needed(when)),
        examples=_examples(e.examples.match, places, ("events", n, "examples", "match")),
        counterexamples=_examples(e.examples.no_match, places, ("events", n, "examples", "no_match")),
    )


def _examples(spelled: Sequence[ExampleSpelled], places: Places, path: tuple[str | int, ...]) -> tuple[Example, ...]:
    found = []
    for n, e in enumerate(spelled):
        place = places.get((*path, n), places[path])
        found.append(
            Example(e.line, place, e.source, e.stream, e.stage, e.attempt, e.level, dict(e.fields), dict(e.gives))
        )
    return tuple(found)


def match(m: MatchSpelled) -> Match:
    """One condition on a record."""
    return Match(
        pattern=m.pattern,
        contains=tuple(m.contains),
        on=m.on,
        level=tuple(m.level),
        logger=m.logger,
        stream=m.stream,
        source=m.source,
        fields=dict(m.fields),
        stage=m.stage,
        attempt=m.attempt,
        all_of=tuple(match(x) for x in m.all),
        any_of=tuple(match(x) for x in m.any),
        none_of=tuple(match(x) for x in m.none),
    )


def _boundary(b: BoundarySpelled) -> BoundaryRule:
    return BoundaryRule(b.pick, tuple(b.kind), b.stage, dict(b.where))


def selector(s: SelectorSpelled) -> EventSelector:
    """Events of a run."""
    return EventSelector(tuple(s.kind), s.rule, s.stage, tuple(s.level), dict(s.where), s.attempt)


def condition(c: ConditionSpelled) -> Condition:
    """One condition over a run."""
    counted = c.count
    return Condition(
        all_of=tuple(condition(x) for x in c.all),
        any_of=tuple(condition(x) for x in c.any),
        none_of=tuple(condition(x) for x in c.none),
        event=selector(c.event) if c.event else None,
        count=(selector(counted.event), counted.is_) if counted and not counted.value else None,
        value_count=(selector(counted.event), counted.value, counted.is_) if counted and counted.value else None,
        sequence=tuple(selector(x) for x in c.sequence),
        within=c.within,
        by=c.by,
        artifact={str(k): v for k, v in c.artifact.items()} if c.artifact is not None else None,
        window={str(k): v for k, v in c.window.items()} if c.window is not None else None,
        signal=c.signal,
        status=tuple(c.status),
        same=tuple(c.same),
        different=tuple(c.different),
        compare=_comparison(c.compare) if c.compare else None,
    )


def _comparison(c: CompareSpelled) -> Comparison:
    return Comparison(c.value, tuple(selector(e) for e in c.events), c.is_ == "same")
