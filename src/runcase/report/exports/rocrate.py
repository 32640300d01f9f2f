"""RO-Crate 1.1 metadata (Process Run): the run and its stages are actions, artifacts what they used and made."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from runcase.model.kinds import FAILED
from runcase.report.artifact_graph import flow_of
from runcase.report.build import Reported
from runcase.report.dossier import Artifact, Dossier, Window
from runcase.report.exports.base import Exported, as_json

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_STATUS = {"succeeded": "CompletedActionStatus", "running": "ActiveActionStatus"}


def rocrate(one: Reported) -> Exported:
    """The content of `ro-crate-metadata.json`."""
    d = one.dossier
    ids = {f"artifact:{a.artifact_id}": _id("artifact", a.artifact_id) for a in d.artifacts}
    for e in d.edges:
        for node in (e.subject, e.object):
            if node.startswith("artifact:"):
                ids.setdefault(node, _id("artifact", node.partition(":")[2]))
    flow = sorted({flow_of(e.subject, e.relation, e.object) for e in d.edges})
    known = {a.artifact_id: a for a in d.artifacts}
    files = [_file(node, ids[node], known.get(node.partition(":")[2])) for node in sorted(ids)]
    actions = [_run_action(d, flow, ids), *(_stage_action(d, w, flow, ids) for w in _last_stages(d))]
    tool = {"@id": "#job", "@type": "SoftwareApplication", "name": d.run.job or d.run.run_id}
    graph = [_descriptor(), _root(d, actions), _profile(), tool, *actions, *files]
    loss = [
        "the bytes of the artifacts: the crate names them and does not hold them",
        "windows, absences and the replay plan",
    ]
    if _published(d) is None:
        loss.append("the date of publication: the evidence holds no time")
    return as_json({"@context": CONTEXT, "@graph": graph}, loss)


def _id(sort: str, name: str) -> str:
    return f"#{sort}-{quote(name, safe='', errors='backslashreplace')}"


def _descriptor() -> dict[str, Any]:
    return {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
    }


def _profile() -> dict[str, Any]:
    return {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}


def _published(d: Dossier) -> str | None:
    return d.run.finished_at or d.run.last_ts or d.run.first_ts


def _root(d: Dossier, actions: list[dict[str, Any]]) -> dict[str, Any]:
    root: dict[str, Any] = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"Run {d.run.run_id}",
        "description": f"What the logs say of run {d.run.run_id}: {d.run.status}",
        "license": "not stated by the evidence",
        "conformsTo": {"@id": PROFILE},
        "mentions": [{"@id": a["@id"]} for a in actions],
        "hasPart": [],
    }
    at = _published(d)
    return root | ({"datePublished": at} if at else {})


def _run_action(d: Dossier, flow: list[tuple[str, str]], ids: dict[str, str]) -> dict[str, Any]:
    made = {b for a, b in flow if a.startswith("stage:") or a in ids}
    used = {a for a, b in flow if a in ids and a not in made}
    action = _action("#run", f"Run {d.run.run_id}", used, {m for m in made if m in ids}, ids)
    if d.run.status in _STATUS or d.run.status in FAILED or d.run.status == "cancelled":
        word = _STATUS.get(d.run.status, "FailedActionStatus")
        action["actionStatus"] = f"http://schema.org/{word}"
    if d.failure:
        action["error"] = f"{d.failure.failure_class}: {d.failure.blocker.text}"
    begin, end = d.run.created_at or d.run.first_ts, d.run.finished_at
    return action | ({"startTime": begin} if begin else {}) | ({"endTime": end} if end else {})


def _last_stages(d: Dossier) -> list[Window]:
    last = d.run.attempts[-1].attempt if d.run.attempts else None
    stages = {w.name: w for w in d.stages if w.attempt == last}
    return [stages[name] for name in sorted(stages)]


def _stage_action(d: Dossier, w: Window, flow: list[tuple[str, str]], ids: dict[str, str]) -> dict[str, Any]:
    node = f"stage:{w.name}"
    used, made = {a for a, b in flow if b == node}, {b for a, b in flow if a == node}
    action = _action(_id("stage", w.name), f"Stage {w.name}", used & ids.keys(), made & ids.keys(), ids)
    return action | ({"startTime": w.start} if w.start else {}) | ({"endTime": w.end} if w.end else {})


def _action(own: str, name: str, used: set[str], made: set[str], ids: dict[str, str]) -> dict[str, Any]:
    return {
        "@id": own,
        "@type": "CreateAction",
        "name": name,
        "instrument": {"@id": "#job"},
        "object": [{"@id": ids[n]} for n in sorted(used)],
        "result": [{"@id": ids[n]} for n in sorted(made)],
    }


def _file(node: str, own: str, a: Artifact | None) -> dict[str, Any]:
    found: dict[str, Any] = {"@id": own, "@type": "File", "name": node.partition(":")[2]}
    if a is None:
        return found
    if a.size_bytes is not None:
        found["contentSize"] = str(a.size_bytes)
    if a.checksum and a.checksum.startswith("sha256:"):
        found["sha256"] = a.checksum.removeprefix("sha256:")
    return found | {"description": f"{a.state}: {a.state_text}"}
