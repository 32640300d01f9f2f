"""How a pack is spelled in YAML: the models that check it and that the JSON Schema is generated from.

Scalars arrive as text, so `no`, `12:30:45` and `1e3` stay what the author
wrote; a model turns them into numbers and durations where it says so.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from runcase.rules.spelled_conditions import ConditionSpelled, ExpectSpelled
from runcase.rules.spelled_values import (
    Comparison,
    Comparisons,
    Failure,
    FieldName,
    Id,
    IdName,
    Kind,
    Kinds,
    Level,
    Levels,
    Pattern,
    Spelled,
    Strings,
    TextColumn,
    listed,
    unchanged,
)


class MatchSpelled(Spelled):
    """A condition on one record; all parts that are given must hold. `fields.NAME: ">=500"` may stand here too."""

    model_config = ConfigDict(json_schema_extra={"patternProperties": {r"^fields\.": {"type": "string"}}})

    pattern: Pattern | None = Field(None, description="linear-time regular expression; named captures are kept")
    contains: Strings = Field(default_factory=list, description="one of these texts occurs, letter case aside")
    on: TextColumn = Field("message", description="the text to look at: message, path, ..., or fields.NAME")
    level: Levels = Field(default_factory=list, description="one of these levels")
    logger: str | None = Field(None, description="glob on fields.logger")
    stream: str | None = Field(None, description="glob on the stream, such as stdout or stderr")
    source: str | None = Field(None, description="glob on the source path; {name} captures within a path segment")
    fields: Comparisons = Field(default_factory=dict, description="field -> condition such as >=500, 'in(a, b)', ~re")
    stage: str | None = Field(None, description="glob on the stage in which the record stands")
    attempt: Comparison | None = Field(None, description="condition on the number of the attempt")
    all: list[MatchOrText] = Field(default_factory=list)
    any: list[MatchOrText] = Field(default_factory=list)
    none: list[MatchOrText] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _folded(cls, value: object) -> object:
        """A bare text is a pattern; `fields.NAME` is a member of `fields`."""
        if isinstance(value, str):
            return {"pattern": value}
        if not isinstance(value, dict):
            return value
        inline = {k: v for k, v in value.items() if k.startswith("fields.")}
        if not inline:
            return value
        rest = {k: v for k, v in value.items() if k not in inline}
        given = rest.get("fields")
        united = {k.removeprefix("fields."): v for k, v in inline.items()}
        return rest | {"fields": given | united if isinstance(given, dict) else united}

    @model_validator(mode="after")
    def _says_something(self) -> MatchSpelled:
        if not self.model_fields_set - {"on"}:
            raise ValueError("an empty match would name every record; say what must hold")
        return self


MatchOrText = Annotated[MatchSpelled, BeforeValidator(unchanged, json_schema_input_type=str | MatchSpelled)]
"""A condition, or a bare pattern."""


class ExampleSpelled(Spelled):
    """A record to try a rule on: its text, and what else is known of it."""

    line: str = Field(description="the line or lines, with stamp and level as they stand in the log")
    source: str = Field("example.log", description="path of the source")
    stream: str | None = None
    stage: str | None = None
    attempt: Annotated[int, Field(ge=1)] | None = None
    level: Level | None = None
    fields: dict[FieldName, str] = Field(default_factory=dict)
    gives: dict[FieldName, str] = Field(
        default_factory=dict, description="what the rule must yield: kind, summary, run_id, duration, fields.NAME, ..."
    )


def _example(value: object) -> object:
    return {"line": value} if isinstance(value, str) else value


ExamplesOf = Annotated[
    list[Annotated[ExampleSpelled, BeforeValidator(_example, json_schema_input_type=str | ExampleSpelled)]],
    BeforeValidator(listed, json_schema_input_type=str | list[str | ExampleSpelled]),
    Field(min_length=1),
]


class Examples(Spelled):
    """Records that the rule must name, and records that it must not."""

    match: ExamplesOf
    no_match: ExamplesOf


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
    match: MatchOrText
    priority: int = 0
    stage: str | None = None
    level: Level | None = None
    summary: str | None = None
    ids: dict[IdName, str] = Field(default_factory=dict)
    fields: dict[FieldName, str] = Field(default_factory=dict)
    duration: str | None = None
    artifacts: list[ArtifactSpelled] = Field(default_factory=list)
    failure: Failure | None = None
    examples: Examples


class IdentitySpelled(Spelled):
    """How ids are read off a record or a path; captures are named like the ids."""

    id: Id
    pattern: Pattern | None = None
    field: FieldName | None = None
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
    where: Comparisons = Field(default_factory=dict)


class WindowSpelled(Spelled):
    """A span of an attempt between two boundaries."""

    name: str
    start: BoundarySpelled
    end: BoundarySpelled
    start_absent: str
    end_absent: str


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
