"""Facts and conclusions to `Dossier` values, one run at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

import polars as pl

from runcase.model.case import Conclusions, Facts
from runcase.model.refs import Ref, ref_of
from runcase.model.text import present_line
from runcase.report.dossier import (
    SCHEMA,
    Artifact,
    Attempt,
    Blocker,
    Considered,
    Coverage,
    Damage,
    Dossier,
    Edge,
    Failure,
    KeyEvent,
    Replay,
    Run,
    Signal,
    Statement,
    Tests,
    Window,
)
from runcase.report.excerpts import Placed, Raw, excerpts

MAX_KEY_EVENTS = 400
"""Events that a dossier names; the ledger has them all."""

_KEY_KINDS = "^(?:run|attempt|invocation|workspace|stage|tool|artifact|upload|retry|error|warning|exit)(?:[.]|$)"

Row = dict[str, object]


def dossiers(
    facts: Facts, conclusions: Conclusions, raw: Raw, only: str | None = None
) -> Iterator[tuple[str, Dossier]]:
    """Every run's id and dossier (or that of `only`), failed runs first, then by id."""
    tables = _Tables(facts, conclusions)
    runs = conclusions.runs.sort(
        pl.col("status").replace_strict({"failed": 0, "timed_out": 1, "lost": 2, "cancelled": 3}, default=9), "run_id"
    )
    for row in runs.iter_rows(named=True):
        if only is None or row["run_id"] == only:
            yield row["run_id"], _dossier(row, tables, raw)


class _Tables:
    """Conclusions by run, partitioned once."""

    def __init__(self, facts: Facts, conclusions: Conclusions) -> None:
        self.facts = facts
        self.members = _by_run(conclusions.members)
        self.attempts = _by_run(conclusions.attempts)
        self.windows = _by_run(conclusions.windows)
        self.states = _by_run(conclusions.states)
        self.edges = _by_run(conclusions.edges)
        self.signals = _by_run(conclusions.signals)
        self.diagnoses = _by_run(conclusions.diagnoses)
        self.replay = _by_run(conclusions.replay)
        self.tests = _by_run(conclusions.tests)
        self.sources = facts.sources.collect()
        self.problems = facts.problems.collect()
        single = conclusions.members.group_by("source_id", maintain_order=True).agg(pl.col("run_id").n_unique())
        self.alone = set(single.filter(pl.col("run_id") == 1)["source_id"].to_list())


def _by_run(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {str(k[0]): v for k, v in frame.partition_by("run_id", as_dict=True, maintain_order=True).items()}


def _rows(tables: dict[str, pl.DataFrame], run_id: str) -> list[Row]:
    frame = tables.get(run_id)
    return frame.to_dicts() if frame is not None else []


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What is read of a run's events."""

    key: pl.DataFrame
    decisive: pl.DataFrame
    total: int
    unknown: int


def _dossier(row: Row, t: _Tables, raw: Raw) -> Dossier:
    run_id = str(row["run_id"])
    diagnoses = _rows(t.diagnoses, run_id)
    verdict = next((d for d in diagnoses if d["rank"] == 0), None)
    members = t.members.get(run_id)
    source_ids = members["source_id"].unique(maintain_order=True).to_list() if members is not None else []
    sources = t.sources.filter(pl.col("source_id").is_in(source_ids))
    decisive = [str(r) for r in _list(verdict, "decisive")]
    evidence = _evidence(run_id, source_ids, decisive, t)
    windows = [_window(w) for w in _rows(t.windows, run_id)]
    signals = [(s["family"], _signal(s)) for s in _rows(t.signals, run_id)]
    return Dossier(
        run=_run(row, _rows(t.attempts, run_id)),
        failure=_failure(verdict, diagnoses[1:])
        if verdict and row["status"] not in ("succeeded", "running")
        else (_failure(verdict, diagnoses[1:]) if verdict else None),
        windows=tuple(w for w in windows if w.kind in ("window", "residual")),
        stages=tuple(w for w in windows if w.kind == "stage"),
        tools=tuple(w for w in windows if w.kind in ("tool", "invocation")),
        gaps=tuple(w for w in windows if w.kind == "gap"),
        signals=tuple(s for family, s in signals if family != "contradiction"),
        contradictions=tuple(s for family, s in signals if family == "contradiction"),
        artifacts=tuple(_artifact(a) for a in _rows(t.states, run_id)),
        edges=tuple(_edge(e) for e in _rows(t.edges, run_id)),
        replay=next((replay_value(r) for r in _rows(t.replay, run_id)), None),
        tests=next((_tests(x) for x in _rows(t.tests, run_id)), None),
        next_actions=tuple(str(a) for a in _list(verdict, "next_actions")),
        excerpts=excerpts(_placed(evidence.decisive, sources, decisive), raw),
        events=tuple(_key_event(e) for e in evidence.key.iter_rows(named=True)),
        evidence_damage=tuple(_damage(sources, t)),
        sources=tuple(present_line(p) for p in sources["path"].to_list()),
        coverage=_coverage(sources, evidence),
        provenance={"schema": SCHEMA, "runcase": version("runcase"), "pack": str(row["pack"] or "")},
    )


def _evidence(run_id: str, source_ids: list[str], decisive: list[str], t: _Tables) -> _Evidence:
    alone = [s for s in source_ids if s in t.alone]
    belongs = pl.col("source_id").is_in(alone) | (
        pl.col("source_id").is_in(source_ids) & pl.col("run_id").eq_missing(run_id)
    )
    events = t.facts.events.filter(belongs.fill_null(value=False))
    counts = events.select(total=pl.len(), unknown=(pl.col("kind") == "unknown").sum()).collect()
    named = pl.col("kind").str.contains(_KEY_KINDS) | pl.col("level").is_in(["error", "fatal"])
    key = events.filter(named.fill_null(value=False)).sort("ts", "source_id", "byte_start", nulls_last=True)
    shown = events.filter(pl.col("source_id").is_in([Ref.parse(r).source_id for r in decisive])).with_columns(
        ref=ref_of()
    )
    return _Evidence(
        key.head(MAX_KEY_EVENTS).collect(),
        shown.filter(pl.col("ref").is_in(decisive)).select("ref", "line", "ts", "level", "source_id").collect(),
        int(counts["total"][0]),
        int(counts["unknown"][0] or 0),
    )


def _placed(rows: pl.DataFrame, sources: pl.DataFrame, order: list[str]) -> Iterator[Placed]:
    """The decisive records in the order of the verdict."""
    place = {ref: n for n, ref in enumerate(order)}
    paths = dict(zip(sources["source_id"].to_list(), sources["path"].to_list(), strict=True))
    for e in sorted(rows.iter_rows(named=True), key=lambda e: place[e["ref"]]):
        yield Placed(Ref.parse(e["ref"]), e["line"], paths.get(e["source_id"], ""), True, _iso(e["ts"]), e["level"])


# --- rows to values -------------------------------------------------------------------------------


def _iso(value: object) -> str | None:
    """ISO 8601 in UTC with microseconds."""
    return f"{value:%Y-%m-%dT%H:%M:%S.%f}Z" if isinstance(value, datetime) else None


def _text(value: object) -> str | None:
    return present_line(str(value)) if value is not None else None


def _number(value: object) -> int | None:
    return int(value) if isinstance(value, int) else None


def _list(row: Row | None, name: str) -> list[object]:
    value = row.get(name) if row else None
    return list(value) if isinstance(value, list) else []


def _refs(row: Row, name: str = "refs") -> tuple[str, ...]:
    return tuple(str(r) for r in _list(row, name))


def _run(r: Row, attempts: list[Row]) -> Run:
    return Run(
        run_id=present_line(str(r["run_id"])),
        status=str(r["status"]),
        status_basis=str(r["status_basis"]),
        status_refs=_refs(r, "status_refs"),
        claimed_status=_text(r["claimed_status"]),
        parent_run_id=_text(r["parent_run_id"]),
        job=_text(r["job"]),
        bundle=_text(r["bundle"]),
        workspace_id=_text(r["workspace_id"]),
        trace_id=_text(r["trace_id"]),
        created_at=_iso(r["created_at"]),
        claimed_at=_iso(r["claimed_at"]),
        started_at=_iso(r["started_at"]),
        finished_at=_iso(r["finished_at"]),
        first_ts=_iso(r["first_ts"]),
        last_ts=_iso(r["last_ts"]),
        identity=str(r["identity"]),
        attempts=tuple(_attempt(a) for a in attempts),
    )


def _attempt(a: Row) -> Attempt:
    return Attempt(
        attempt=_number(a["attempt"]) or 1,
        status=str(a["status"]),
        workspace_id=_text(a["workspace_id"]),
        trace_id=_text(a["trace_id"]),
        bundle=_text(a["bundle"]),
        host=_text(a["host"]),
        created_at=_iso(a["created_at"]),
        claimed_at=_iso(a["claimed_at"]),
        started_at=_iso(a["started_at"]),
        finished_at=_iso(a["finished_at"]),
        exit_code=_number(a["exit_code"]),
        events=_number(a["events"]) or 0,
    )


def _failure(verdict: Row, others: list[Row]) -> Failure:
    evidence = json.loads(str(verdict["evidence"] or "[]"))
    return Failure(
        failure_class=str(verdict["class"]),
        confidence=str(verdict["confidence"]),
        blocker=Statement(present_line(str(verdict["text"])), _refs(verdict)),
        evidence=tuple(Statement(present_line(e["text"]), tuple(e["refs"])) for e in evidence),
        considered=tuple(Considered(str(o["class"]), present_line(str(o["text"]))) for o in others),
        signature=str(verdict["signature"]),
        decisive=_refs(verdict, "decisive"),
    )


def _window(w: Row) -> Window:
    return Window(
        name=present_line(str(w["name"])),
        kind=str(w["kind"]),
        attempt=_number(w["attempt"]),
        state=str(w["state"]),
        start=_iso(w["start"]),
        end=_iso(w["end"]),
        duration_us=_number(w["duration_us"]),
        uncertainty_us=_number(w["uncertainty_us"]),
        reason=_text(w["reason"]),
        searched=_text(w["searched"]),
        detail=_text(w["detail"]),
        proof=tuple(str(w[c]) for c in ("start_ref", "end_ref") if w[c]),
    )


def _signal(s: Row) -> Signal:
    return Signal(
        str(s["code"]),
        str(s["verdict"]),
        present_line(str(s["text"])),
        present_line(str(s["searched"] or "")),
        _refs(s),
        _number(s["attempt"]),
    )


def _artifact(a: Row) -> Artifact:
    return Artifact(
        artifact_id=present_line(str(a["artifact_id"])),
        kind=_text(a["kind"]),
        path=_text(a["path"]),
        size_bytes=_number(a["size_bytes"]),
        checksum=_text(a["checksum"]),
        state=str(a["state"]),
        state_text=present_line(str(a["state_text"])),
        producer=_text(a["producer"]),
        attempt=_number(a["attempt"]),
        consumers=tuple(present_line(str(c)) for c in _list(a, "consumers")),
        written_at=_iso(a["written_at"]),
        refs=_refs(a),
    )


def _edge(e: Row) -> Edge:
    return Edge(present_line(str(e["subject"])), str(e["relation"]), present_line(str(e["object"])), _refs(e))


def replay_value(r: Row) -> Replay:
    """A row of REPLAYS as the dossier has it."""
    blockers = json.loads(str(r["blockers"] or "[]"))
    return Replay(
        start=_text(r["start"]),
        reuse=tuple(present_line(str(x)) for x in _list(r, "reuse")),
        redo=tuple(present_line(str(x)) for x in _list(r, "redo")),
        not_redo=tuple(present_line(str(x)) for x in _list(r, "not_redo")),
        blockers=tuple(Blocker(b["code"], present_line(b["text"]), tuple(b.get("refs", ()))) for b in blockers),
        counterfactuals=tuple(present_line(str(x)) for x in _list(r, "counterfactuals")),
        commands=tuple(present_line(str(x)) for x in _list(r, "commands")),
    )


def _tests(x: Row) -> Tests:
    run, passed, failed, skipped = (_number(x[name]) or 0 for name in ("run", "passed", "failed", "skipped"))
    names = tuple(present_line(str(n)) for n in _list(x, "failed_names"))
    return Tests(str(x["tool"]), run, passed, failed, skipped, names)


def _key_event(e: Row) -> KeyEvent:
    text = str(e["summary"] or str(e["message"]).split("\n", 1)[0])
    return KeyEvent(
        event_id=str(e["event_id"]),
        ref=f"{e['source_id']}:{e['byte_start']}+{e['byte_len']}",
        ts=_iso(e["ts"]),
        ts_basis=str(e["ts_basis"]),
        attempt=_number(e["attempt"]),
        kind=str(e["kind"]),
        stage=_text(e["stage"]),
        level=_text(e["level"]),
        summary=present_line(text, 200),
        rule=_text(e["rule"]),
    )


def _damage(sources: pl.DataFrame, t: _Tables) -> Iterator[Damage]:
    """Problems of the run's sources and of the containers that hold them, and damage of the ledger itself."""
    ids = set(sources["source_id"].to_list())
    parents = dict(zip(t.sources["source_id"].to_list(), t.sources["parent_id"].to_list(), strict=True))
    for source_id in list(ids):
        above = parents.get(source_id)
        while above and above not in ids:
            ids.add(above)
            above = parents.get(above)
    mine = t.problems.filter(pl.col("source_id").is_in(list(ids)) | pl.col("source_id").is_null())
    for p in mine.sort("path", "byte_start", "code", nulls_last=True).head(100).iter_rows(named=True):
        place = None if p["byte_start"] is None else f"{p['source_id']}:{p['byte_start']}+{p['byte_len'] or 0}"
        yield Damage(p["code"], p["severity"], _text(p["path"]), present_line(p["message"]), place)


def _coverage(sources: pl.DataFrame, evidence: _Evidence) -> Coverage:
    def total(column: str) -> int:
        return int(sources[column].sum() or 0)

    return Coverage(
        sources=sources.height,
        bytes=total("size_bytes"),
        lines=total("lines"),
        events=evidence.total,
        unknown=evidence.unknown,
        quarantined=total("quarantined_bytes"),
        overhead=total("overhead_bytes"),
    )
