"""How conditions over a run are spelled: selections of events, sequences, counts, comparisons, absences."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from runcase.rules.spelled_values import (
    Comparison,
    Comparisons,
    Duration,
    FieldName,
    Id,
    Kinds,
    Levels,
    Spelled,
    Strings,
    listed,
)


class SelectorSpelled(Spelled):
    """Events of a run; all parts that are given must hold."""

    kind: Kinds = Field(default_factory=list)
    rule: str | None = None
    stage: str | None = None
    level: Levels = Field(default_factory=list)
    where: Comparisons = Field(default_factory=dict)
    attempt: Literal["last", "any", "earlier"] = "last"


class CountSpelled(Spelled):
    """A number of events, or of distinct values of a field."""

    event: SelectorSpelled
    value: FieldName | None = Field(None, description="field whose distinct values are counted")
    is_: Comparison = Field(alias="is", description="condition on the number, such as >=3")


class CompareSpelled(Spelled):
    """A value compared between the last events of several selections: other stages, other attempts."""

    value: FieldName = Field(description="field or column that is compared")
    events: list[SelectorSpelled] = Field(min_length=2)
    is_: Literal["same", "different"] = Field(alias="is")


AttemptColumn = Literal["bundle", "workspace_id", "trace_id", "host", "exit_code", "status"]
AttemptColumns = Annotated[
    list[AttemptColumn], BeforeValidator(listed, json_schema_input_type=AttemptColumn | list[AttemptColumn])
]
ArtifactKey = Literal["artifact_id", "role", "kind", "path", "state", "producer", "size_bytes", "checksum", "attempt"]
WindowKey = Literal["name", "kind", "state", "duration", "reason"]


class ConditionSpelled(Spelled):
    """One condition over a run; exactly one part is given (`within` and `by` go with `sequence`)."""

    all: list[ConditionSpelled] = Field(default_factory=list)
    any: list[ConditionSpelled] = Field(default_factory=list)
    none: list[ConditionSpelled] = Field(default_factory=list)
    event: SelectorSpelled | None = Field(None, description="at least one such event")
    count: CountSpelled | None = Field(None, description="how many such events, or distinct values among them")
    sequence: list[SelectorSpelled] = Field(default_factory=list, description="one after the other")
    within: Duration | None = Field(None, description="from the first to the last event of the sequence")
    by: FieldName | None = Field(None, description="events of a sequence agree in this field")
    artifact: dict[ArtifactKey, Comparison] | None = None
    window: dict[WindowKey, Comparison] | None = None
    signal: str | None = Field(None, description="code of a signal, or several with commas")
    status: Strings = Field(default_factory=list, description="status of the run")
    same: AttemptColumns = Field(default_factory=list, description="equal over all attempts")
    different: AttemptColumns = Field(default_factory=list, description="differs between the last two attempts")
    compare: CompareSpelled | None = Field(None, description="a value compared across stages or attempts")

    @model_validator(mode="after")
    def _one_part(self) -> ConditionSpelled:
        parts = sorted(self.model_fields_set - {"within", "by"})
        if len(parts) != 1:
            said = "none is given" if not parts else f"{', '.join(parts)} are given; put them under `all:`"
            raise ValueError(f"a condition has exactly one part; {said}")
        if parts != ["sequence"] and self.model_fields_set & {"within", "by"}:
            raise ValueError("`within` and `by` go with `sequence` only")
        return self


class ExpectSpelled(Spelled):
    """An absence to look for: `event` is due at all, after `after`, within a time, inside a window; or not silent."""

    id: Id
    code: Id
    event: SelectorSpelled
    text: str
    after: SelectorSpelled | None = Field(None, description="the event is due after each of these")
    within: Duration | None = Field(None, description="how soon after `after`")
    window: str | None = Field(None, description="the event is due inside this window of the attempt")
    by: FieldName | None = Field(None, description="`after` and `event` agree in this field")
    silent: Duration | None = Field(None, description="longest time without the event while another source is alive")
    carrier: str | None = Field(None, description="glob on the sources that would carry the event")
    met: str | None = Field(None, description="sentence for a run in which the event came; none is said otherwise")

    @model_validator(mode="after")
    def _consistent(self) -> ExpectSpelled:
        if self.silent and (self.after or self.within or self.window or self.by):
            raise ValueError("`silent` stands alone: it looks at the time between events, wherever they are")
        if (self.within or self.by) and not self.after:
            raise ValueError("`within` and `by` need `after`: the event from which they count")
        if self.window and self.after:
            raise ValueError("`window` and `after` exclude each other; write two rules")
        return self
