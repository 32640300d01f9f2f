"""What a document reader collects while it reads: rows first, frames at the end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from runcase.intake.instants import NOWHEN, Instant
from runcase.intake.readers.base import DocumentFacts
from runcase.model.problems import Problem
from runcase.model.tables import ARTIFACTS, RECORDS, SPANS, Table

MAX_MESSAGE_CHARS = 64 * 1024
"""As in texts: longer messages are cut, their bytes stay referenced."""

MAX_FIELD_CHARS = 4096
"""A longer value of a field is cut; the raw bytes hold the whole."""


@dataclass(frozen=True, slots=True)
class Place:
    """Bytes of the document that a fact rests on."""

    start: int
    length: int


@dataclass(slots=True)
class Draft:
    """Facts of one document, in any order; `facts` sorts them."""

    data: bytes
    _records: list[dict[str, object]] = field(default_factory=list)
    _spans: list[dict[str, object]] = field(default_factory=list)
    _artifacts: list[dict[str, object]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def record(
        self,
        place: Place,
        kind: str | None,
        summary: str,
        when: Instant = NOWHEN,
        details: Iterable[str | None] = (),
        fields: Mapping[str, object] | None = None,
        **columns: object,
    ) -> None:
        """Adds a record; its message is the summary and, below it, the details that are there."""
        ts, basis = when
        text = "\n".join([summary, *(d for d in details if d)])
        row: dict[str, object] = {
            "kind": kind, "summary": clean(summary), "message": clean(text)[:MAX_MESSAGE_CHARS], "ts": ts, "ts_lo": ts,
            "ts_hi": ts, "ts_basis": basis, "fields": as_fields(fields or {}), "byte_start": place.start,
            "byte_len": place.length, "artifacts": [],
        }  # fmt: skip
        self._records.append(row | {n: _cell(v) for n, v in columns.items()})

    @property
    def size(self) -> int:
        """How many records there are: the number of the next one."""
        return len(self._records)

    def amend(self, number: int, members: Mapping[str, object]) -> None:
        """Adds members to the fields of a record; one whose document ended before it was told is left out."""
        if number < len(self._records):
            row = self._records[number]
            row["fields"] = as_fields(json.loads(str(row["fields"] or "{}")) | members)

    def span(self, place: Place, span_id: str, name: str, **columns: object) -> None:
        """Adds a timed operation; `attributes` may be given as a mapping."""
        attributes = columns.pop("attributes", None)
        row: dict[str, object] = {"byte_start": place.start, "byte_len": place.length, "status": "unset"}
        if isinstance(attributes, Mapping):
            row["attributes"] = as_fields(attributes)
        self._spans.append(row | {n: _cell(v) for n, v in {"span_id": span_id, "name": name, **columns}.items()})

    def artifact(self, place: Place, artifact_id: str, action: str, **columns: object) -> None:
        """Adds a claim about an artifact."""
        row: dict[str, object] = {"byte_start": place.start, "byte_len": place.length, "derived_from": []}
        self._artifacts.append(
            row | {n: _cell(v) for n, v in {"artifact_id": artifact_id, "action": action, **columns}.items()}
        )

    def facts(self) -> DocumentFacts:
        """Everything collected, as frames."""
        records = _frame(RECORDS, self._records).sort("byte_start")
        return DocumentFacts(
            _with_lines(records, self.data),
            _frame(SPANS, self._spans).sort(SPANS.key, nulls_last=True),
            _frame(ARTIFACTS, self._artifacts).sort(ARTIFACTS.key, nulls_last=True),
            tuple(self.problems),
        )


def clean(text: str) -> str:
    """`text` without lone surrogates, which a JSON escape or an invalid byte may leave and no table can hold."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def as_fields(members: Mapping[str, object]) -> str | None:
    """A JSON object of the members that are not null, long values cut; null when none is left."""
    kept = {k: _cut(v) for k, v in members.items() if v is not None}
    return clean(json.dumps(kept, ensure_ascii=False, separators=(",", ":"))) if kept else None


def text_of(value: object) -> str | None:
    """A scalar as text; null for null, objects and arrays."""
    if value is None or isinstance(value, dict | list):
        return None
    return str(value).lower() if isinstance(value, bool) else clean(str(value))


def list_of(value: object) -> list[object]:
    """The value when it is an array, else nothing."""
    return value if isinstance(value, list) else []


def member(value: object, *keys: str | int) -> object:
    """What stands at a path of keys and indexes below `value`, or None."""
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and -len(value) <= key < len(value):
            value = value[key]
        else:
            return None
    return value


def number_of(value: object) -> int | None:
    """A whole number, written as one or as digits; null for anything else, and for what no column can hold."""
    if isinstance(value, bool):
        return None
    try:
        number = int(value) if isinstance(value, int | str) else None
    except ValueError:
        return None
    return number if number is not None and -(2**63) <= number < 2**63 else None


def _cut(value: object) -> object:
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if isinstance(value, str):
        return value if len(value) <= MAX_FIELD_CHARS else value[:MAX_FIELD_CHARS] + " ..."
    if isinstance(value, dict | list):
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
        short = len(text) <= MAX_FIELD_CHARS and "Infinity" not in text and "NaN" not in text
        return value if short else text[:MAX_FIELD_CHARS] + " ..."
    return value


def _cell(value: object) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cell(v) for v in value]
    return value


def _frame(table: Table, rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame({n: [r.get(n) for r in rows] for n in table.names}, schema=table.schema, strict=True)


def _with_lines(records: pl.DataFrame, data: bytes) -> pl.DataFrame:
    """Fills `line` and `n_lines` from the offsets."""
    ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == 10)
    start = records["byte_start"].to_numpy()
    first = np.searchsorted(ends, start)
    last = np.searchsorted(ends, np.maximum(start, start + records["byte_len"].to_numpy() - 1))
    return records.with_columns(
        line=pl.Series(first + 1, dtype=pl.Int64), n_lines=pl.Series(last - first + 1, dtype=pl.Int64)
    )
