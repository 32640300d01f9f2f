"""Rows that document readers yield: one record a row, with the fields as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from runcase.model.tables import RECORDS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(value: object) -> datetime | None:
    """An instant from RFC 3339 text (any number of digits), or from seconds since 1970; None when it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        seconds = float(value)
        while seconds > 1e11:
            seconds /= 1000
        return _EPOCH + timedelta(seconds=seconds) if 0 < seconds < 7e9 else None
    text = str(value).strip().replace(" UTC", "Z")
    head, dot, rest = text.partition(".")
    if dot:
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        text = f"{head}.{digits[:6]:0<6}{rest[len(digits) :]}"
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found.astimezone(UTC) if 1970 <= found.year < 2200 else None


def record(start: int, length: int, message: str, ts: datetime | None, **given: Any) -> dict[str, Any]:
    """One RECORDS row; `fields` may be a mapping."""
    fields = given.pop("fields", None)
    row: dict[str, Any] = {
        "byte_start": start,
        "byte_len": length,
        "n_lines": 1,
        "message": message,
        "ts": ts,
        "ts_lo": ts,
        "ts_hi": ts,
        "ts_basis": "explicit_zone" if ts else "none",
        "artifacts": [],
        "fields": json.dumps(fields, ensure_ascii=False, default=str) if fields else None,
    }
    return row | given


def records(rows: Sequence[dict[str, Any]], data: bytes) -> pl.DataFrame:
    """RECORDS in the order of the document, with line numbers; `source_id` is the caller's to fill."""
    rows = sorted(rows, key=lambda r: r["byte_start"])
    at = line = 0
    for row in rows:
        line += data.count(b"\n", at, row["byte_start"])
        at = row["byte_start"]
        row["line"] = line + 1
        row["n_lines"] = 1 + data.count(b"\n", at, at + max(0, row["byte_len"] - 1))
    return RECORDS.frame([{**r, "source_id": ""} for r in rows])
