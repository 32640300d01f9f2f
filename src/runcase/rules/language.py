"""What a rule pack can say, as typed values.

`pack.py` turns YAML into these; `compile.py` turns the `events` part into
matchers; the analysis reads the rest. Values here are trusted: everything was
checked when the pack was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

Confidence = Literal["proven", "consistent", "conjecture"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a declaration stands: file inside the pack, line and column from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


# --- matching one record -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Match:
    """A condition on one record; all parts that are given must hold.

    `pattern` and `contains` look at `message` unless `on` names another text
    column or `fields.<key>`.
    """

    pattern: str | None = None
    contains: tuple[str, ...] = ()
    on: str = "message"
    level: tuple[str, ...] = ()
    logger: str | None = None
    stream: str | None = None
    source: str | None = None
    """Glob on the source path; `{name}` captures one path segment part."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Field name -> condition text, see comparison.py."""
    stage: str | None = None
    attempt: str | None = None
    all_of: tuple[Match, ...] = ()
    any_of: tuple[Match, ...] = ()
    none_of: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class ArtifactClaim:
    """An artifact that a record names; values are templates over captures and fields."""

    id: str
    action: Literal["written", "read", "listed", "expected"] = "written"
    role: str | None = None
    path: str | None = None
    size: str | None = None
    checksum: str | None = None
    derived_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A record to try a rule on, and what the rule must yield (`gives`: column or `fields.NAME` -> text)."""

    line: str
    place: Place
    source: str = "example.log"
    stream: str | None = None
    stage: str | None = None
    attempt: int | None = None
    level: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    gives: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventRule:
    """Names a record. First match by descending priority, then pack order, then file order."""

    id: str
    kind: str
    match: Match
    place: Place
    priority: int = 0
    stage: str | None = None
    level: str | None = None
    summary: str | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    """run_id, attempt, workspace_id, tool_call_id, invocation_id, trace_id, span_id, bundle -> template."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Further fields -> template: status, exit_code, done, total, host, tool ..."""
    duration: str | None = None
    artifacts: tuple[ArtifactClaim, ...] = ()
    failure: str | None = None
    """Failure class that this record alone suggests (`dependency.network.dns`)."""
    literals: tuple[str, ...] = ()
    """Lower-case texts: one occurs, letter case aside, in every message that matches; empty where nothing is known."""
    examples: tuple[Example, ...] = ()
    counterexamples: tuple[Example, ...] = ()


# --- identity, stages, windows --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IdentityRule:
    """How ids are read off a record (`pattern`, `from_field`) or a source's path; captures are named like the ids."""

    id: str
    place: Place
    pattern: str | None = None
    from_field: str | None = None
    path: str | None = None
    sets: Mapping[str, str] = field(default_factory=dict)
    carry: bool = False
    """True: holds for the following records of the source until the next such record."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A named step between two boundaries: the granularity of replay."""

    name: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    deterministic: bool = True
    side_effects: Literal["none", "idempotent", "unsafe"] = "none"
    optional: bool = False
    redo: tuple[str, ...] = ()
    """Acts that a redo of this stage consists of, as a person would say them."""


@dataclass(frozen=True, slots=True)
class BoundaryRule:
    """The first or last event of an attempt that satisfies a selector."""

    pick: Literal["first", "last"]
    kinds: tuple[str, ...]
    stage: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WindowRule:
    """A span of an attempt between two boundaries, with the codes of their absence."""

    name: str
    start: BoundaryRule
    end: BoundaryRule
    start_absent: str
    end_absent: str
    place: Place


# --- conditions over a run ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EventSelector:
    """Events of a run; all parts that are given must hold."""

    kinds: tuple[str, ...] = ()
    rule: str | None = None
    stage: str | None = None
    level: tuple[str, ...] = ()
    where: Mapping[str, str] = field(default_factory=dict)
    attempt: Literal["last", "any", "earlier"] = "last"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A value of the last event of each selection: equal in all of them, or not."""

    value: str
    events: tuple[EventSelector, ...]
    same: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition over a run's facts and conclusions; exactly one part is given."""

    all_of: tuple[Condition, ...] = ()
    any_of: tuple[Condition, ...] = ()
    none_of: tuple[Condition, ...] = ()
    event: EventSelector | None = None
    count: tuple[EventSelector, str] | None = None
    """Selector and condition text on the number of events (`>=3`)."""
    value_count: tuple[EventSelector, str, str] | None = None
    """Selector, field, and condition text on the number of distinct values."""
    sequence: tuple[EventSelector, ...] = ()
    within: timedelta | None = None
    by: str | None = None
    artifact: Mapping[str, str] | None = None
    """role, kind, state (comma list), producer."""
    window: Mapping[str, str] | None = None
    """name, state (comma list), duration (`>15m`)."""
    signal: str | None = None
    status: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    """Attempt columns that are equal over all attempts (`bundle`)."""
    different: tuple[str, ...] = ()
    """Attempt columns that differ between the last two attempts (`exit_code`)."""
    compare: Comparison | None = None


@dataclass(frozen=True, slots=True)
class ExpectRule:
    """An absence to look for.

    `event` is due at all, after each `after` (within a time, for the same `by`),
    or inside a window; with `silent`, it must not stay away for longer than that
    while another source is alive.
    """

    id: str
    code: str
    event: EventSelector
    text: str
    place: Place
    after: EventSelector | None = None
    within: timedelta | None = None
    window: str | None = None
    by: str | None = None
    silent: timedelta | None = None
    carrier: str | None = None
    """Glob on the sources that would carry the event; none of them covering the interval makes it not observable."""
    met: str | None = None
    """Sentence for runs in which the event came; null: nothing is said of them."""


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """A sentence of a failure's evidence and the condition that yields its refs."""

    text: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class FailureRule:
    """A failure class, when it holds, and what to say and do."""

    id: str
    failure: str
    when: Condition
    place: Place
    confidence: Confidence = "consistent"
    blocker: str = ""
    evidence: tuple[EvidenceLine, ...] = ()
    next_actions: tuple[str, ...] = ()
    priority: int = 0


@dataclass(frozen=True, slots=True)
class ReplayRule:
    """Where a run of a failure class restarts, and what that means in words."""

    id: str
    place: Place
    failure: str | None = None
    start: str | None = None
    reuse: tuple[str, ...] = ()
    redo: tuple[str, ...] = ()
    not_redo: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RedactRule:
    """A secret to replace before anything is written; the first group, if any, is the secret."""

    id: str
    kind: str
    pattern: str
    place: Place


@dataclass(frozen=True, slots=True)
class FormatRule:
    """A line format of the user's own: named captures `ts`, `level`, `logger`, `message`; the rest become fields."""

    id: str
    pattern: str
    place: Place
    ts_format: str | None = None
    zone: str | None = None
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pack:
    """A rule pack, read and checked."""

    name: str
    version: str
    digest: str
    """First 12 hex digits of SHA-256 over the pack's files."""
    description: str = ""
    extends: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    """Applies to sources that these readers took; empty with empty `sources`: applies to every source."""
    sources: tuple[str, ...] = ()
    """Applies to sources whose path matches one of these globs."""
    formats: tuple[FormatRule, ...] = ()
    identity: tuple[IdentityRule, ...] = ()
    events: tuple[EventRule, ...] = ()
    stages: tuple[Stage, ...] = ()
    windows: tuple[WindowRule, ...] = ()
    expect: tuple[ExpectRule, ...] = ()
    failures: tuple[FailureRule, ...] = ()
    replay: tuple[ReplayRule, ...] = ()
    redact: tuple[RedactRule, ...] = ()
    shipped: bool = False
    """True for packs that come with runcase; a pack of a user's own overrides their rules by id."""

    def cite(self, rule_id: str) -> str:
        """`pack@digest#rule`: how a verdict names the rule."""
        return f"{self.name}@{self.digest}#{rule_id}"
