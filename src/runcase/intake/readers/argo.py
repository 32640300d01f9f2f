"""Argo workflows: the nodes of a Workflow's status (argoproj.io/v1alpha1, Argo Workflows 3.x)."""

from __future__ import annotations

from typing import Any

from runcase.intake.instants import instant
from runcase.intake.readers.draft import Draft, list_of, member, number_of, text_of
from runcase.intake.readers.kubernetes_pods import Cluster, Part, Thing

_STATUS = {"Succeeded": "ok", "Failed": "failed", "Error": "failed", "Skipped": "skipped", "Omitted": "skipped"}
_SPAN_STATUS = {"ok": "ok", "failed": "error", "skipped": "skipped"}
_RUN_STATUS = {"Succeeded": "succeeded", "Failed": "failed", "Error": "failed"}
_WORKING = frozenset({"Pod", "Container", "HTTP", "Plugin", "Suspend"})
"""Types of nodes that do something; the others group nodes."""
_CLASSES = (
    ("OOMKilled", "resource.oom"),
    ("ImagePullBackOff", "dependency.registry"),
    ("ErrImagePull", "dependency.registry"),
    ("exceeded its deadline", "timeout.step"),
    ("Step exceeded", "timeout.step"),
    ("The node was low on resource", "resource.evicted"),
    ("Unschedulable", "pre_work.unschedulable"),
    ("No space left", "resource.disk"),
)
"""Words of a node's message -> class."""


def workflow(cluster: Cluster, thing: Thing) -> None:
    """Its creation, its nodes as stages, its phase."""
    known: dict[str, Any] = {"run_id": thing.name}
    created = thing.parts.get(("metadata",))
    if created is not None:
        template = text_of(thing.value("spec", "workflowTemplateRef", "name"))
        job = template or text_of(member(created.value, "generateName")) or text_of(member(created.value, "name"))
        when = instant(member(created.value, "creationTimestamp"))
        fields = {"job": job, "uid": text_of(member(created.value, "uid"))}
        cluster.draft.record(
            created.place, "run.created", f"workflow {thing.name} created", when, fields=fields, **known
        )
    nodes = list(thing.under("status", "nodes"))
    retried = _retried(nodes)
    for part in nodes:
        _node(cluster.draft, part, retried, known)
    _phase(cluster, thing, known)


def _retried(nodes: list[Part]) -> set[str]:
    """Ids of nodes that another try of the same step followed: all but the last child of a Retry node."""
    found: set[str] = set()
    for part in nodes:
        if member(part.value, "type") == "Retry":
            children = [t for c in list_of(member(part.value, "children")) if (t := text_of(c))]
            found.update(children[:-1])
    return found


def _node(draft: Draft, part: Part, retried: set[str], known: dict[str, Any]) -> None:
    node = part.value
    name = text_of(member(node, "displayName")) or text_of(member(node, "name")) or "node"
    phase, kind = text_of(member(node, "phase")) or "Pending", text_of(member(node, "type"))
    message = text_of(member(node, "message"))
    begun, ended = instant(member(node, "startedAt")), instant(member(node, "finishedAt"))
    status = _STATUS.get(phase)
    again = text_of(member(node, "id")) in retried
    works = kind in _WORKING
    fields: dict[str, object] = {
        "status": status,
        "phase": phase,
        "template": text_of(member(node, "templateName")),
        "node_exit_code": number_of(member(node, "outputs", "exitCode")),
        "host": text_of(member(node, "hostNodeName")),
    }
    level = None
    if status == "failed" and works:
        level = "warning" if again else "error"
        fields |= {"error_name": phase, "failure": _class_of(message)}
    words = f"{kind or 'node'} {name} {phase.lower()}" + (f": {message}" if message else "")
    record = "log" if not works else "stage.finished" if status else "stage.started" if begun[0] else "log"
    when = ended if status else begun
    invocation = text_of(member(node, "id")) if kind == "Pod" else None
    draft.record(part.place, record, words, when, (message,), fields, level=level, stage=name if works else None,
                 invocation_id=invocation, **known)  # fmt: skip
    said = "retried" if again and status == "failed" else _SPAN_STATUS.get(status or "", "open")
    draft.span(
        part.place, text_of(member(node, "id")) or f"node-{part.place.start}", name,
        kind="stage" if works else "other", parent_span_id=text_of(member(node, "boundaryID")) or "workflow",
        start=begun[0], end=ended[0] if status else None, status=said,
        error=message if status == "failed" else None, **known,
    )  # fmt: skip
    _artifacts(draft, part, name, known)


def _artifacts(draft: Draft, part: Part, stage: str, known: dict[str, Any]) -> None:
    """Artifacts that a node read and wrote, by the key in their store."""
    for side, action in (("inputs", "read"), ("outputs", "written")):
        for given in list_of(member(part.value, side, "artifacts")):
            stores = [member(given, store, "key") for store in ("s3", "gcs", "oss", "azure")]
            key = next((t for s in stores if (t := text_of(s))), None)
            name = key or text_of(member(given, "path")) or text_of(member(given, "name"))
            if name:
                role = text_of(member(given, "name"))
                draft.artifact(part.place, name, action, path=key, role=role, stage=stage, **known)


def _class_of(message: str | None) -> str | None:
    return next((failure for word, failure in _CLASSES if word in (message or "")), None)


def _phase(cluster: Cluster, thing: Thing, known: dict[str, Any]) -> None:
    part = thing.parts.get(("status", "phase"))
    if part is None:
        return
    phase = text_of(part.value) or "Pending"
    message = text_of(thing.value("status", "message"))
    stopped = text_of(thing.value("spec", "shutdown")) is not None or (message or "").startswith(
        "Stopped with strategy"
    )
    status = _RUN_STATUS.get(phase)
    if status == "failed" and stopped:
        status = "cancelled"
    words = f"workflow {thing.name} {phase.lower()}" + (f": {message}" if message else "")
    fields: dict[str, object] = {"status": status, "phase": phase}
    fields |= {"failure": _class_of(message), "claimed_status": "running" if status is None else None}
    level = None if status in (None, "succeeded") else "error"
    when = instant(thing.value("status", "finishedAt"))
    kind = "run.finished" if status else "log"
    cluster.draft.record(part.place, kind, words, when, (message,), fields, level=level, **known)
