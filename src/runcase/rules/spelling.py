"""How a pack is spelled in YAML: the models that check it and that the JSON Schema is generated from.

Scalars arrive as text, so `no`, `12:30:45` and `1e3` stay what the author
wrote; a model turns them into numbers and durations where it says so.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from runcase.model.kinds import LEVELS, is_event_kind, is_failure_class
from runcase.rules.patterns import Pattern

_UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}


def duration(text: str) -> timedelta:
    """`90s`, `1m 30s`, `250ms`.

    Raises:
        ValueError: When it is none.
    """
    if not re.fullmatch(r"\s*(?:\d+(?:\.\d+)?\s*(?:us|ms|s|m|h|d)\s*)+", text):
        raise ValueError("a duration is a number with a unit, such as 90s, 15m, 1h 30m")
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(us|ms|s|m|h|d)", text)
    return timedelta(microseconds=sum(float(n) * _UNITS[u] for n, u in parts))


def _listed(value: object) -> object:
    """One value stands for a list of one."""
    return value if isinstance(value, (list, tuple)) else [value]


def _kind(value: str) -> str:
    if not is_event_kind(value):
        raise ValueError(f"unknown event kind {value!r}; a pack may refine a kind with further dotted parts")
    return value


def _failure(value: str) -> str:
    if not is_failure_class(value):
        raise ValueError(f"unknown failure class {value!r}; it must begin with one of the roots in the documentation")
    return value


def _level(value: str) -> str:
    if value not in LEVELS:
        raise ValueError(f"unknown level {value!r}; levels are {', '.join(LEVELS)}")
    return value


def _id(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,79}", value):
        raise ValueError("an id is lower case letters, digits, dots, dashes and underscores")
    return value


Id = Annotated[str, AfterValidator(_id)]
Kind = Annotated[str, AfterValidator(_kind)]
Failure = Annotated[str, AfterValidator(_failure)]
Level = Annotated[str, AfterValidator(_level)]
Strings = Annotated[list[str], BeforeValidator(_listed)]
Kinds = Annotated[list[Kind], BeforeValidator(_listed)]
Levels = Annotated[list[Level], BeforeValidator(_listed)]
Duration = Annotated[timedelta, BeforeValidator(duration)]
IdName = Literal[
    "run_id", "attempt", "workspace_id", "tool_call_id", "invocation_id", "trace_id", "span_id", "bundle", "stage"
]


class Spelled(BaseModel):
    """Common part: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MatchSpelled(Spelled):
    """A condition on one record; all parts that are given must hold."""

    pattern: Pattern | None = Field(None, description="linear-time regular expression; named captures are kept")
    contains: Strings = Field(default_factory=list, description="one of these texts occurs, letter case aside")
    on: str = Field("message", description="the text to look at: message, summary, or fields.NAME")
    level: Levels = Field(default_factory=list)
    logger: str | None = Field(None, description="glob on fields.logger")
    stream: str | None = None
    source: str | None = Field(None, description="glob on the source path")
    fields: dict[str, str] = Field(
        default_factory=dict, description="field -> condition such as >=500, 'in(a, b)', ~re"
    )
    stage: str | None = None
    attempt: str | None = None
    all: list[MatchSpelled] = Field(default_factory=list)
    any: list[MatchSpelled] = Field(default_factory=list)
    none: list[MatchSpelled] = Field(default_factory=list)


def _match(value: object) -> object:
    """A bare text is a pattern."""
    return {"pattern": value} if isinstance(value, str) else value


class Examples(Spelled):
    """Lines that the rule must name, and lines that it must not."""

    match: Strings = Field(min_length=1)
    no_match: Strings = Field(min_length=1)


class ArtifactSpelled(Spelled):
    """An artifact that the record names; values are templates such as `{artifact}`."""

    id: str
    action: Literal["written", "read", "listed", "expected"] = "written"
    role: str | None = None
    path: str | None = None
    size: str | None = None
    checksum: str | None = None
    derived_from: Strings = Field(default_factory=list)


class EventSpelled(Spelled):
    """Names a record."""

    id: Id
    kind: Kind
    match: Annotated[MatchSpelled, BeforeValidator(_match)]
    priority: int = 0
    stage: str | None = None
    level: Level | None = None
    summary: str | None = None
    ids: dict[IdName, str] = Field(default_factory=dict)
    fields: dict[str, str] = Field(default_factory=dict)
    duration: str | None = None
    artifacts: list[ArtifactSpelled] = Field(default_factory=list)
    failure: Failure | None = None
    examples: Examples


class IdentitySpelled(Spelled):
    """How ids are read off a record or a path; captures are named like the ids."""

    id: Id
    pattern: Pattern | None = None
    field: str | None = None
    path: Pattern | None = None
    sets: dict[IdName, str] = Field(default_factory=dict)
    carry: bool = False


class StageSpelled(Spelled):
    """A named step between two boundaries."""

    name: str
    reads: Strings = Field(default_factory=list)
    writes: Strings = Field(default_factory=list)
    deterministic: bool = True
    side_effects: Literal["none", "idempotent", "unsafe"] = "none"
    optional: bool = False
    redo: Strings = Field(default_factory=list)


class BoundarySpelled(Spelled):
    """The first or last event of an attempt of these kinds."""

    pick: Literal["first", "last"] = "first"
    kind: Kinds
    stage: str | None = None
    where: dict[str, str] = Field(default_factory=dict)


class WindowSpelled(Spelled):
    """A span of an attempt between two boundaries."""

    name: str
    start: BoundarySpelled
    end: BoundarySpelled
    start_absent: str
    end_absent: str


class SelectorSpelled(Spelled):
    """Events of a run; all parts that are given must hold."""

    kind: Kinds = Field(default_factory=list)
    rule: str | None = None
    stage: str | None = None
    level: Levels = Field(default_factory=list)
    where: dict[str, str] = Field(default_factory=dict)
    attempt: Literal["last", "any", "earlier"] = "last"


class CountSpelled(Spelled):
    """A number of events, or of distinct values of a field."""

    event: SelectorSpelled
    value: str | None = Field(None, description="field whose distinct values are counted")
    is_: str = Field(alias="is", description="condition on the number, such as >=3")


class ConditionSpelled(Spelled):
    """One condition over a run; exactly one part is given (`within` and `by` go with `sequence`)."""

    all: list[ConditionSpelled] = Field(default_factory=list)
    any: list[ConditionSpelled] = Field(default_factory=list)
    none: list[ConditionSpelled] = Field(default_factory=list)
    event: SelectorSpelled | None = None
    count: CountSpelled | None = None
    sequence: list[SelectorSpelled] = Field(default_factory=list)
    within: Duration | None = None
    by: str | None = None
    artifact: dict[str, str] | None = None
    window: dict[str, str] | None = None
    signal: str | None = None
    status: Strings = Field(default_factory=list)
    same: Strings = Field(default_factory=list)
    different: Strings = Field(default_factory=list)


class ExpectSpelled(Spelled):
    """An absence to look for."""

    id: Id
    code: Id
    event: SelectorSpelled
    text: str
    after: SelectorSpelled | None = None
    within: Duration | None = None
    silent: Duration | None = None
    carrier: str | None = None


class EvidenceSpelled(Spelled):
    """A sentence of evidence, and the condition that yields its refs."""

    text: str
    when: ConditionSpelled


class FailureSpelled(Spelled):
    """A failure class: when it holds, what to say and what to do."""

    id: Id
    class_: Failure = Field(alias="class")
    when: ConditionSpelled
    confidence: Literal["proven", "consistent", "conjecture"] = "consistent"
    blocker: str = ""
    evidence: list[EvidenceSpelled] = Field(default_factory=list)
    next_actions: Strings = Field(default_factory=list)
    priority: int = 0


class ReplaySpelled(Spelled):
    """Where a run of a failure class restarts."""

    id: Id
    failure: Failure | None = None
    start: str | None = None
    reuse: Strings = Field(default_factory=list)
    redo: Strings = Field(default_factory=list)
    not_redo: Strings = Field(default_factory=list)
    commands: Strings = Field(default_factory=list)


class RedactSpelled(Spelled):
    """A secret to replace before anything is written."""

    id: Id
    kind: str
    pattern: Pattern


class FormatSpelled(Spelled):
    """A line format: captures `ts`, `level`, `logger`, `message`; the rest become fields."""

    id: Id
    pattern: Pattern
    ts_format: str | None = None
    zone: str | None = None
    samples: Strings = Field(default_factory=list)


class FileSpelled(Spelled):
    """A rule file: any of the sections."""

    formats: list[FormatSpelled] = Field(default_factory=list)
    identity: list[IdentitySpelled] = Field(default_factory=list)
    events: list[EventSpelled] = Field(default_factory=list)
    stages: list[StageSpelled] = Field(default_factory=list)
    windows: list[WindowSpelled] = Field(default_factory=list)
    expect: list[ExpectSpelled] = Field(default_factory=list)
    failures: list[FailureSpelled] = Field(default_factory=list)
    replay: list[ReplaySpelled] = Field(default_factory=list)
    redact: list[RedactSpelled] = Field(default_factory=list)


class PackSpelled(FileSpelled):
    """`pack.yaml`: the name, what the pack is for, and any of the sections."""

    name: Id
    version: str
    description: str = ""
    extends: Strings = Field(default_factory=list)
    readers: Strings = Field(default_factory=list, description="applies to sources that these readers took")
    sources: Strings = Field(
        default_factory=list, description="applies to sources whose path matches one of these globs"
    )
