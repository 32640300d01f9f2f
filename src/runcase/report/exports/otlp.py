"""OTLP JSON traces (opentelemetry-proto 1.x): the run is the root span, then attempts, then windows, stages and tools.

Attribute names follow the semantic conventions of CI/CD pipelines where there is one.
"""

from __future__ import annotations

import re
from typing import Any

from runcase.model.kinds import FAILED
from runcase.report.build import Reported
from runcase.report.dossier import Attempt, Dossier
from runcase.report.exports.base import (
    Exported,
    as_json,
    attempt_bounds,
    digest,
    run_bounds,
    timed,
    unended,
    unended_words,
)
from runcase.report.instants import micros
from runcase.report.outcomes import outcome

_TRACE = re.compile(r"(?!0{32})[0-9a-f]{32}")
INTERNAL = 1
OK, ERROR = 1, 2
_RESULTS = {"succeeded": "success", "failed": "failure", "timed_out": "timeout", "cancelled": "cancellation"}


def otlp(one: Reported) -> Exported:
    """One `ExportTraceServiceRequest`; without times it holds no span."""
    d = one.dossier
    bounds = run_bounds(d)
    spans = _spans(d, bounds) if bounds else []
    scope = {"name": "runcase", "version": d.provenance.get("runcase", "")}
    resource = {"attributes": _attributes({"service.name": d.run.job or "runcase"})}
    value = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": spans}]}]}
    loss = ["evidence, artifacts, lineage and the replay plan", *unended_words(d)]
    if bounds is None:
        loss.insert(0, "every span: the evidence holds no time")
    return as_json(value, loss)


def _spans(d: Dossier, bounds: tuple[int, int]) -> list[dict[str, Any]]:
    trace = d.run.trace_id if d.run.trace_id and _TRACE.fullmatch(d.run.trace_id) else digest(d.run.run_id, chars=32)
    root = digest(d.run.run_id, "run", chars=16)
    spans = [_span(trace, root, "", d.run.job or d.run.run_id, bounds, _run_attributes(d)) | _verdict(d)]
    parents: dict[int | None, str] = {None: root}
    for a in d.run.attempts:
        limits = attempt_bounds(a)
        if limits:
            own = parents[a.attempt] = digest(d.run.run_id, "attempt", a.attempt, chars=16)
            span = _span(trace, own, root, f"attempt {a.attempt}", limits, _attempt_attributes(a))
            spans.append(span | _status(a.status, ""))
    for n, t in enumerate(timed(d)):
        w = t.window
        own = digest(d.run.run_id, w.kind, w.name, w.attempt, w.start, n, chars=16)
        about = {"runcase.kind": w.kind, "runcase.uncertainty_us": w.uncertainty_us, "runcase.detail": w.detail}
        span = _span(trace, own, parents.get(w.attempt, root), w.name, (t.start, t.end), about)
        spans.append(span | _status(outcome(w), w.detail or ""))
    return spans


def _span(
    trace: str, own: str, parent: str, name: str, bounds: tuple[int, int], attributes: dict[str, Any]
) -> dict[str, Any]:
    return {
        "traceId": trace,
        "spanId": own,
        "parentSpanId": parent,
        "name": name,
        "kind": INTERNAL,
        "startTimeUnixNano": str(max(0, bounds[0]) * 1000),
        "endTimeUnixNano": str(max(0, bounds[1]) * 1000),
        "attributes": _attributes(attributes),
    }


def _verdict(d: Dossier) -> dict[str, Any]:
    """Status of the root, and as events what began and was not seen to end."""
    events = [
        {
            "timeUnixNano": str(max(0, at) * 1000),
            "name": f"{w.name} {w.state}",
            "attributes": _attributes({"runcase.kind": w.kind, "runcase.reason": w.reason}),
        }
        for w in unended(d)
        if (at := micros(w.start)) is not None
    ]
    return _status(d.run.status, d.failure.blocker.text if d.failure else "") | {"events": events}


def _status(status: str, message: str) -> dict[str, Any]:
    if status in FAILED:
        return {"status": {"code": ERROR, "message": message or status}}
    return {"status": {"code": OK}} if status == "succeeded" else {"status": {}}


def _run_attributes(d: Dossier) -> dict[str, Any]:
    return {
        "cicd.pipeline.name": d.run.job,
        "cicd.pipeline.run.id": d.run.run_id,
        "cicd.pipeline.result": _RESULTS.get(d.run.status),
        "runcase.status": d.run.status,
        "error.type": d.failure.failure_class if d.failure else None,
        "runcase.signature": d.failure.signature if d.failure else None,
    }


def _attempt_attributes(a: Attempt) -> dict[str, Any]:
    return {
        "runcase.attempt": a.attempt,
        "runcase.status": a.status,
        "host.name": a.host,
        "process.exit.code": a.exit_code,
        "runcase.workspace": a.workspace_id,
    }


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Attributes that have a value; integers as strings, as proto3 JSON has 64-bit numbers."""
    return [
        {"key": k, "value": {"intValue": str(v)} if isinstance(v, int) else {"stringValue": str(v)}}
        for k, v in values.items()
        if v is not None
    ]
