"""OpenLineage run events (spec 2-0-2), one JSON line each: the run, and its stages as runs with it as their parent."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

from runcase.report.artifact_graph import flow_of
from runcase.report.build import Reported
from runcase.report.dossier import Dossier, Window
from runcase.report.exports.base import HOME, Exported
from runcase.report.outcomes import outcome

SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
FACETS = "https://openlineage.io/spec/facets/1-0-1/"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ENDS = {"succeeded": "COMPLETE", "failed": "FAIL", "timed_out": "FAIL", "cancelled": "ABORT"}


def openlineage(one: Reported) -> Exported:
    """START and end of the run and of each stage of its last attempt, as far as their instants are known."""
    d = one.dossier
    events = [*_run_events(d), *(e for w in _stages(d) for e in _stage_events(d, w))]
    lines = [json.dumps(e, ensure_ascii=False) for e in sorted(events, key=lambda e: e["eventTime"])]
    loss = ["windows, attempts, absences and the replay plan"]
    if not _UUID.fullmatch(d.run.run_id):
        loss.append(f"the run id {d.run.run_id} is no UUID and stands for {run_uuid(d.run.run_id)}")
    if d.run.status not in _ENDS:
        loss.append(f"the end of the run: its status is {d.run.status}, and OpenLineage has no event for it")
    if unsaid := sum(w.state == "closed" and not outcome(w) for w in _stages(d)):
        loss.append(f"{unsaid} stages whose end says no outcome stand as COMPLETE")
    if not events:
        loss.insert(0, "every event: the evidence holds no time")
    text = "".join(line + "\n" for line in lines)
    return Exported(text.encode("utf-8", "backslashreplace"), tuple(loss))


def run_uuid(run_id: str, stage: str = "") -> str:
    """The run id if it is a UUID, else one that is derived from it."""
    if not stage and _UUID.fullmatch(run_id):
        return run_id
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{HOME}{run_id}#{stage}"))


def _stages(d: Dossier) -> list[Window]:
    last = d.run.attempts[-1].attempt if d.run.attempts else None
    return [w for w in d.stages if w.attempt == last]


def _run_events(d: Dossier) -> Iterator[dict[str, Any]]:
    begin, end = d.run.created_at or d.run.first_ts, d.run.finished_at or d.run.last_ts
    facets: dict[str, Any] = {}
    if d.failure:
        facets["errorMessage"] = _facet("ErrorMessageRunFacet") | {
            "message": f"{d.failure.failure_class}: {d.failure.blocker.text}",
            "programmingLanguage": "unknown",
        }
    run, job = run_uuid(d.run.run_id), d.run.job or d.run.run_id
    if begin:
        yield _event("START", begin, run, job, {})
    if end and d.run.status in _ENDS:
        yield _event(_ENDS[d.run.status], end, run, job, facets)


def _stage_events(d: Dossier, w: Window) -> Iterator[dict[str, Any]]:
    parent = _facet("ParentRunFacet") | {
        "run": {"runId": run_uuid(d.run.run_id)},
        "job": {"namespace": "runcase", "name": d.run.job or d.run.run_id},
    }
    run, job = run_uuid(d.run.run_id, w.name), f"{d.run.job or d.run.run_id}.{w.name}"
    used, made = _datasets(d, w.name)
    if w.start:
        yield _event("START", w.start, run, job, {"parent": parent})
    if w.start and w.end:
        yield _event(_ENDS[outcome(w) or "succeeded"], w.end, run, job, {"parent": parent}) | {
            "inputs": used,
            "outputs": made,
        }


def _datasets(d: Dossier, stage: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    node = f"stage:{stage}"
    flow = sorted({flow_of(e.subject, e.relation, e.object) for e in d.edges})
    used = [a.removeprefix("artifact:") for a, b in flow if b == node and a.startswith("artifact:")]
    made = [b.removeprefix("artifact:") for a, b in flow if a == node and b.startswith("artifact:")]
    return [_dataset(x) for x in used], [_dataset(x) for x in made]


def _dataset(name: str) -> dict[str, Any]:
    return {"namespace": "runcase", "name": name, "facets": {}}


def _facet(name: str) -> dict[str, Any]:
    return {"_producer": HOME, "_schemaURL": f"{FACETS}{name}.json#/$defs/{name}"}


def _event(word: str, at: str, run: str, job: str, facets: dict[str, Any]) -> dict[str, Any]:
    return {
        "eventType": word,
        "eventTime": at,
        "run": {"runId": run, "facets": facets},
        "job": {"namespace": "runcase", "name": job, "facets": {}},
        "inputs": [],
        "outputs": [],
        "producer": HOME,
        "schemaURL": SPEC,
    }
