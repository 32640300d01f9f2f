"""Events of a cluster: what its parts said about a pod or a job, and whether the trouble was over later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from runcase.intake.instants import Instant, instant
from runcase.intake.readers.draft import text_of
from runcase.intake.readers.kubernetes_pods import Cluster, Thing

_TROUBLE = {
    "FailedScheduling": "pre_work.unschedulable",
    "FailedMount": "pre_work.mount",
    "FailedAttachVolume": "pre_work.mount",
    "FailedMapVolume": "pre_work.mount",
    "ProvisioningFailed": "pre_work.mount",
    "FailedCreatePodSandBox": "pre_work.sandbox",
    "FailedCreate": "pre_work.quota",
    "ErrImagePull": "dependency.registry",
    "InspectFailed": "dependency.registry",
    "ErrImageNeverPull": "dependency.registry",
    "OOMKilling": "resource.oom",
    "SystemOOM": "resource.oom",
    "Evicted": "resource.evicted",
    "EvictionThresholdMet": "resource.evicted",
    "Preempted": "resource.preemption",
    "NodeNotReady": "crash.node",
    "TaintManagerEviction": "crash.node",
    "DeadlineExceeded": "timeout.run",
}
"""Reason -> class (kubelet, scheduler, controllers; pkg/kubelet/events/event.go)."""
_PULL_WORDS = ("pull image", "pulling image", "ImagePull", "InvalidImageName")
_OVER = {
    "Scheduled": ("pre_work.unschedulable",),
    "Pulled": ("pre_work.mount", "pre_work.sandbox", "dependency.registry"),
    "Started": ("pre_work.mount", "pre_work.sandbox", "dependency.registry", "pre_work.container_start"),
    "SuccessfulCreate": ("pre_work.quota",),
    "SuccessfulAttachVolume": (),
}
"""Reason -> the classes of trouble that it shows to be over."""
_KINDS = {
    "Scheduled": "attempt.claimed",
    "Pulling": "tool.started",
    "Pulled": "tool.finished",
    "Started": "invocation.started",
    "SuccessfulCreate": "invocation.queued",
}
_WHEN = ("lastTimestamp", "eventTime", "deprecatedLastTimestamp", "firstTimestamp")


def _about(thing: Thing) -> tuple[str, str]:
    """Kind and `namespace/name` of the object that an event is about (core/v1; events.k8s.io/v1)."""
    key = "involvedObject" if thing.value("involvedObject") is not None else "regarding"
    kind = text_of(thing.value(key, "kind")) or "object"
    parts = (text_of(thing.value(key, k)) for k in ("namespace", "name"))
    return kind, "/".join(p for p in parts if p)


def _when(thing: Thing) -> Instant:
    found = (instant(thing.value(k)) for k in _WHEN)
    series = instant(thing.value("series", "lastObservedTime"))
    return next(
        (w for w in (series, *found) if w[0] is not None), instant(thing.value("metadata", "creationTimestamp"))
    )


def _trouble(thing: Thing) -> str | None:
    """The class of what an event complains of."""
    reason = text_of(thing.value("reason")) or ""
    said = text_of(thing.value("message")) or text_of(thing.value("note")) or ""
    if reason in ("Failed", "BackOff"):
        if any(w in said for w in _PULL_WORDS):
            return "dependency.registry"
        return "pre_work.container_start" if reason == "Failed" and "Error: " in said else None
    return _TROUBLE.get(reason)


def settled(things: Sequence[Thing]) -> frozenset[tuple[str, str]]:
    """Objects and classes of trouble whose last complaint lies before an event that shows it to be over."""
    complained: dict[tuple[str, str], datetime] = {}
    over: dict[tuple[str, str], datetime] = {}
    for thing in (t for t in things if t.kind == "Event"):
        name, at, trouble = _about(thing)[1], _when(thing)[0], _trouble(thing)
        if at is None:
            continue
        if trouble:
            complained[name, trouble] = max(at, complained.get((name, trouble), at))
        for ended in _OVER.get(text_of(thing.value("reason")) or "", ()):
            over[name, ended] = max(at, over.get((name, ended), at))
    return frozenset(key for key, at in over.items() if key in complained and at >= complained[key])


def event(cluster: Cluster, thing: Thing) -> None:
    """One record; about a job it names the run, about a pod the invocation."""
    kind, name = _about(thing)
    reason = text_of(thing.value("reason")) or "event"
    said = text_of(thing.value("message")) or text_of(thing.value("note")) or ""
    warns = text_of(thing.value("type")) == "Warning"
    trouble = _trouble(thing)
    over = trouble is not None and (name, trouble) in cluster.settled
    level = "error" if trouble and warns and not over else "warning" if warns or trouble else None
    fields: dict[str, object] = {
        "reason": reason,
        "object": f"{kind} {name}",
        "count": text_of(thing.value("count")),
        "failure": trouble,
        "error_name": reason if trouble else None,
        "tool": "image pull" if reason in ("Pulling", "Pulled") else None,
    }
    known: dict[str, Any] = {
        "run_id": name if kind in ("Job", "Workflow") else None,
        "invocation_id": name.rpartition("/")[2] if kind == "Pod" else None,
    }
    named = "retry" if reason == "BackOff" and not trouble else _KINDS.get(reason)
    named = named or ("error.event" if level == "error" else "warning" if level else "log")
    words = f"{reason}: {said}" if said else reason
    cluster.draft.record(thing.whole, named, words, _when(thing), fields=fields, level=level, **known)
