"""Values of the pack spelling: names, kinds, durations, conditions and lists, each checked where it stands."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationInfo

from runcase.model.kinds import EVENT_KINDS, FAILURE_ROOTS, LEVELS, is_event_kind, is_failure_class
from runcase.rules.comparison import checked_comparison
from runcase.rules.patterns import PatternBudget, checked_pattern

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


def unchanged(value: object) -> object:
    """The value; stands where only the JSON Schema needs to know of a second form."""
    return value


def listed(value: object) -> object:
    """One value stands for a list of one."""
    return value if isinstance(value, (list, tuple)) else [value]


def _near(value: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` where a known word is near; empty otherwise."""
    found = difflib.get_close_matches(value, list(known), 1)
    return f"; did you mean {found[0]!r}?" if found else ""


def _pattern(text: str, info: ValidationInfo) -> str:
    return checked_pattern(text, info.context if isinstance(info.context, PatternBudget) else None)


Pattern = Annotated[str, AfterValidator(_pattern)]


def _kind(value: str) -> str:
    if not is_event_kind(value):
        hint = _near(value, EVENT_KINDS) or "; a pack may refine a listed kind with further dotted parts"
        raise ValueError(f"unknown event kind {value!r}{hint}")
    return value


def _failure(value: str) -> str:
    if not is_failure_class(value):
        hint = _near(value.split(".")[0], FAILURE_ROOTS) or f"; it begins with one of {', '.join(FAILURE_ROOTS)}"
        raise ValueError(f"unknown failure class {value!r}{hint}")
    return value


def _level(value: str) -> str:
    if value not in LEVELS:
        hint = _near(value, LEVELS) or f"; levels are {', '.join(LEVELS)}"
        raise ValueError(f"unknown level {value!r}{hint}")
    return value


def _begins_with(names: Iterable[str]) -> dict[str, JsonValue]:
    """What an editor may know of a dotted name: how it begins."""
    return {"pattern": rf"^({'|'.join(re.escape(n) for n in names)})(\.[\w.-]+)?$"}


def _field(value: str) -> str:
    if not re.fullmatch(r"[\w@.:/-]{1,100}", value):
        raise ValueError(f"{value!r} is no field name; it has letters, digits and _ @ . : / - only")
    return value


def _text_column(value: str) -> str:
    if value not in TEXT_COLUMNS and not re.fullmatch(r"fields\.[\w@.:/-]{1,100}", value):
        raise ValueError(
            f"{value!r} is no text to look at{_near(value, TEXT_COLUMNS)}; it is fields.NAME or one of "
            + ", ".join(TEXT_COLUMNS)
        )
    return value


TEXT_COLUMNS = ("message", "summary", "stage", "stream", "path", "run_id", "workspace_id", "tool_call_id", "trace_id")
"""Columns of a record that a condition may look at, besides `fields.NAME`."""


def _id(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,79}", value):
        raise ValueError("an id is lower case letters, digits, dots, dashes and underscores")
    return value


def _comparison(value: str, info: ValidationInfo) -> str:
    return checked_comparison(value, info.context if isinstance(info.context, PatternBudget) else None)


Id = Annotated[str, AfterValidator(_id)]
Kind = Annotated[str, AfterValidator(_kind), Field(json_schema_extra=_begins_with(EVENT_KINDS))]
Failure = Annotated[str, AfterValidator(_failure), Field(json_schema_extra=_begins_with(FAILURE_ROOTS))]
Level = Annotated[str, AfterValidator(_level), Field(json_schema_extra={"enum": list(LEVELS)})]
Strings = Annotated[list[str], BeforeValidator(listed, json_schema_input_type=str | list[str])]
Kinds = Annotated[list[Kind], BeforeValidator(listed, json_schema_input_type=Kind | list[Kind])]
Levels = Annotated[list[Level], BeforeValidator(listed, json_schema_input_type=Level | list[Level])]
Duration = Annotated[timedelta, BeforeValidator(duration)]
FieldName = Annotated[str, AfterValidator(_field)]
Comparison = Annotated[str, AfterValidator(_comparison)]
Comparisons = dict[FieldName, Comparison]
TextColumn = Annotated[str, AfterValidator(_text_column)]
IdName = Literal[
    "run_id", "attempt", "workspace_id", "tool_call_id", "invocation_id", "trace_id", "span_id", "bundle", "stage"
]


class Spelled(BaseModel):
    """Common part: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)
