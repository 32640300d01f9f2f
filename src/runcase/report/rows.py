"""Rows of the conclusions as values of a dossier; every text from the evidence goes through `present_line`."""

from __future__ import annotations

import json

from runcase.model.text import present_line
from runcase.report.dossier import (
    Artifact,
    Attempt,
    Blocker,
    Considered,
    Edge,
    Failure,
    KeyEvent,
    Replay,
    Run,
    Signal,
    Source,
    Statement,
    Tests,
    Window,
)
from runcase.report.words import iso

Row = dict[str, object]


def text_of(value: object) -> str | None:
    """One line of displayable text, or None."""
    return present_line(str(value)) if value is not None else None


def number(value: object) -> int | None:
    """The number, or None."""
    return int(value) if isinstance(value, int) else None


def items(row: Row | None, name: str) -> list[object]:
    """The list in a column; empty for no row and for null."""
    value = row.get(name) if row else None
    return list(value) if isinstance(value, list) else []


def refs(row: Row, name: str = "refs") -> tuple[str, ...]:
    """The refs in a column."""
    return tuple(str(r) for r in items(row, name))


def run(r: Row, attempts: list[Row]) -> Run:
    """A row of RUNS and its rows of ATTEMPTS."""
    return Run(
        run_id=present_line(str(r["run_id"])),
        status=str(r["status"]),
        status_basis=str(r["status_basis"]),
        status_refs=refs(r, "status_refs"),
        claimed_status=text_of(r["claimed_status"]),
        parent_run_id=text_of(r["parent_run_id"]),
        job=text_of(r["job"]),
        bundle=text_of(r["bundle"]),
        workspace_id=text_of(r["workspace_id"]),
        trace_id=text_of(r["trace_id"]),
        created_at=iso(r["created_at"]),
        claimed_at=iso(r["claimed_at"]),
        started_at=iso(r["started_at"]),
        finished_at=iso(r["finished_at"]),
        first_ts=iso(r["first_ts"]),
        last_ts=iso(r["last_ts"]),
        identity=str(r["identity"]),
        attempts=tuple(attempt(a) for a in attempts),
    )


def attempt(a: Row) -> Attempt:
    """A row of ATTEMPTS."""
    return Attempt(
        attempt=number(a["attempt"]) or 1,
        status=str(a["status"]),
        workspace_id=text_of(a["workspace_id"]),
        trace_id=text_of(a["trace_id"]),
        bundle=text_of(a["bundle"]),
        host=text_of(a["host"]),
        created_at=iso(a["created_at"]),
        claimed_at=iso(a["claimed_at"]),
        started_at=iso(a["started_at"]),
        finished_at=iso(a["finished_at"]),
        exit_code=number(a["exit_code"]),
        events=number(a["events"]) or 0,
    )


def failure(verdict: Row, others: list[Row]) -> Failure:
    """The row of DIAGNOSES with rank 0, and the others."""
    evidence = json.loads(str(verdict["evidence"] or "[]"))
    return Failure(
        failure_class=str(verdict["class"]),
        confidence=str(verdict["confidence"]),
        blocker=Statement(present_line(str(verdict["text"])), refs(verdict)),
        evidence=tuple(Statement(present_line(e["text"]), tuple(e["refs"])) for e in evidence),
        considered=tuple(Considered(str(o["class"]), present_line(str(o["text"]))) for o in others),
        signature=str(verdict["signature"]),
        decisive=refs(verdict, "decisive"),
    )


def window(w: Row) -> Window:
    """A row of WINDOWS."""
    return Window(
        name=present_line(str(w["name"])),
        kind=str(w["kind"]),
        attempt=number(w["attempt"]),
        state=str(w["state"]),
        start=iso(w["start"]),
        end=iso(w["end"]),
        duration_us=number(w["duration_us"]),
        uncertainty_us=number(w["uncertainty_us"]),
        reason=text_of(w["reason"]),
        searched=text_of(w["searched"]),
        detail=text_of(w["detail"]),
        proof=tuple(str(w[c]) for c in ("start_ref", "end_ref") if w[c]),
    )


def signal(s: Row) -> Signal:
    """A row of SIGNALS."""
    return Signal(
        str(s["code"]),
        str(s["verdict"]),
        present_line(str(s["text"])),
        present_line(str(s["searched"] or "")),
        refs(s),
        number(s["attempt"]),
    )


def artifact(a: Row) -> Artifact:
    """A row of STATES."""
    return Artifact(
        artifact_id=present_line(str(a["artifact_id"])),
        kind=text_of(a["kind"]),
        path=text_of(a["path"]),
        size_bytes=number(a["size_bytes"]),
        checksum=text_of(a["checksum"]),
        state=str(a["state"]),
        state_text=present_line(str(a["state_text"])),
        producer=text_of(a["producer"]),
        attempt=number(a["attempt"]),
        consumers=tuple(present_line(str(c)) for c in items(a, "consumers")),
        written_at=iso(a["written_at"]),
        refs=refs(a),
    )


def edge(e: Row) -> Edge:
    """A row of EDGES."""
    return Edge(present_line(str(e["subject"])), str(e["relation"]), present_line(str(e["object"])), refs(e))


def replay(r: Row) -> Replay:
    """A row of REPLAYS."""
    blockers = json.loads(str(r["blockers"] or "[]"))
    return Replay(
        start=text_of(r["start"]),
        reuse=tuple(present_line(str(x)) for x in items(r, "reuse")),
        redo=tuple(present_line(str(x)) for x in items(r, "redo")),
        not_redo=tuple(present_line(str(x)) for x in items(r, "not_redo")),
        blockers=tuple(Blocker(b["code"], present_line(b["text"]), tuple(b.get("refs", ()))) for b in blockers),
        counterfactuals=tuple(present_line(str(x)) for x in items(r, "counterfactuals")),
        commands=tuple(present_line(str(x)) for x in items(r, "commands")),
    )


def tests(x: Row) -> Tests:
    """A row of TESTS."""
    run, passed, failed, skipped = (number(x[name]) or 0 for name in ("run", "passed", "failed", "skipped"))
    names = tuple(present_line(str(n)) for n in items(x, "failed_names"))
    return Tests(str(x["tool"]), run, passed, failed, skipped, names, number(x["earlier_tries"]) or 0)


def key_event(e: Row) -> KeyEvent:
    """An event with its summary, or else its one line of `text`."""
    return KeyEvent(
        event_id=f"evt_{e['source_id']}_{e['byte_start']}",
        ref=f"{e['source_id']}:{e['byte_start']}+{e['byte_len']}",
        ts=iso(e["ts"]),
        ts_basis=str(e["ts_basis"]),
        attempt=number(e["attempt"]),
        kind=str(e["kind"]),
        stage=text_of(e["stage"]),
        level=text_of(e["level"]),
        summary=present_line(str(e["summary"] or e["text"] or ""), 200),
        rule=text_of(e["rule"]),
    )


def source(s: Row) -> Source:
    """A row of SOURCES."""
    return Source(
        str(s["source_id"]),
        present_line(str(s["path"])),
        number(s["size_bytes"]) or 0,
        text_of(s["sha256"]),
        str(s["verdict"]),
    )
