"""Rows of the declared tables for tests: only what matters is spelled, the rest follows from the declarations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from runcase.model.case import Facts
from runcase.model.tables import ARTIFACTS, EVENTS, PROBLEMS, SOURCES, SPANS, Table

DAY = datetime(2026, 3, 14, tzinfo=UTC)
Row = dict[str, Any]

_DEFAULTS: dict[str, Row] = {
    "events": {
        "ts_basis": "explicit_zone",
        "kind": "log",
        "message": "",
        "artifacts": [],
        "byte_len": 10,
        "n_lines": 1,
    },
    "sources": {
        "ordinal": 0,
        "kind": "file",
        "size_bytes": 0,
        "event_bytes": 0,
        "quarantined_bytes": 0,
        "overhead_bytes": 0,
        "verdict": "ok",
        "role": "log",
        "lines": 0,
        "events": 0,
    },
    "artifacts": {"action": "written", "byte_start": 0, "byte_len": 10},
    "spans": {"kind": "other", "status": "ok", "byte_start": 0, "byte_len": 10},
    "problems": {"severity": "warning", "quarantined_bytes": 0},
}


def at(clock: str) -> datetime:
    """`13:04:19` or `13:04:19.250` on the day of the tests."""
    h, m, s = clock.split(":")
    return DAY + timedelta(hours=int(h), minutes=int(m), seconds=float(s))


def row(table: Table, **given: object) -> Row:
    """A row of `table`; columns that are neither given nor have a default are null.

    `ts` may be a clock text; `fields` and `attributes` may be mappings.
    """
    made: Row = {"batch": "b"} | _DEFAULTS.get(table.name, {}) | given
    for name, value in made.items():
        if table.schema.get(name) == pl.Datetime("us", "UTC") and isinstance(value, str):
            made[name] = at(value)
        if name in ("fields", "attributes") and isinstance(value, Mapping):
            made[name] = json.dumps(value)
    if table is EVENTS and made.get("ts") is None:
        made["ts_basis"] = "none"
    return made


def event(kind: str = "log", ts: str | datetime | None = None, source: str = "s1", **given: object) -> Row:
    """A row of EVENTS; `byte_start` follows from its position when it is not given (see `facts`)."""
    return row(EVENTS, kind=kind, ts=ts, source_id=source, **given)


def source(source_id: str = "s1", path: str = "run.log", **given: object) -> Row:
    """A row of SOURCES; the digest is that of its id unless one is given."""
    return row(SOURCES, **{"source_id": source_id, "path": path, "sha256": f"{source_id:0>64}"} | given)


def artifact(artifact_id: str, action: str = "written", source: str = "s1", **given: object) -> Row:
    """A row of ARTIFACTS."""
    return row(ARTIFACTS, artifact_id=artifact_id, action=action, source_id=source, **given)


def span(
    name: str,
    start: str | datetime | None = None,
    end: str | datetime | None = None,
    source: str = "s1",
    **given: object,
) -> Row:
    """A row of SPANS."""
    return row(SPANS, **{"name": name, "span_id": name, "start": start, "end": end, "source_id": source} | given)


def facts(
    events: Sequence[Row] = (),
    sources: Sequence[Row] = (),
    artifacts: Sequence[Row] = (),
    spans: Sequence[Row] = (),
    problems: Sequence[Row] = (),
) -> Facts:
    """Facts of these rows.

    Events get consecutive places within their source, `ts_lo` and `ts_hi` equal to
    `ts`, and each source that is not given is a log file named after its id.
    """
    placed = _placed(events)
    return Facts(
        sources=SOURCES.frame(_all_sources(placed, sources, artifacts, spans)).lazy(),
        events=EVENTS.frame(placed).lazy(),
        artifacts=ARTIFACTS.frame(list(artifacts)).lazy(),
        spans=SPANS.frame(list(spans)).lazy(),
        problems=PROBLEMS.frame(list(problems)).lazy(),
    )


def _placed(events: Sequence[Row]) -> list[Row]:
    count: dict[object, int] = {}
    placed = []
    for e in events:
        n = count.get(e["source_id"], 0)
        count[e["source_id"]] = n + 1
        made = {"byte_start": n * 100, "line": n + 1, "ts_lo": e.get("ts"), "ts_hi": e.get("ts")} | e
        made["event_id"] = f"evt_{made['source_id']}_{made['byte_start']}"
        placed.append(made)
    return placed


def _all_sources(events: Sequence[Row], sources: Sequence[Row], *others: Sequence[Row]) -> list[Row]:
    named = {str(s["source_id"]) for s in sources}
    used = {str(r["source_id"]) for rows in (events, *others) for r in rows}
    rows = [*sources, *(source(s, f"{s}.log") for s in sorted(used - named))]
    return [_counted(r, [e for e in events if e["source_id"] == r["source_id"]]) for r in rows]


def _counted(source_row: Row, events: Sequence[Row]) -> Row:
    """The source with its number of events and their first and last instants."""
    times = [t for e in events if isinstance(t := e.get("ts"), datetime)]
    return source_row | {
        "events": len(events),
        "lines": len(events),
        "first_ts": min(times, default=None),
        "last_ts": max(times, default=None),
    }
