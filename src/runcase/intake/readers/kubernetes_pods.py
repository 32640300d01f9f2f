"""Pods and jobs: when they were asked for, placed, started and ended, and why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runcase.intake.instants import NOWHEN, Instant, instant
from runcase.intake.json_spans import Path
from runcase.intake.readers.draft import Draft, Place, list_of, member, number_of, text_of

_BEFORE_START = {
    "ErrImagePull": "dependency.registry",
    "ImagePullBackOff": "dependency.registry",
    "ErrImageNeverPull": "dependency.registry",
    "InvalidImageName": "dependency.registry",
    "ImageInspectError": "dependency.registry",
    "RegistryUnavailable": "dependency.registry",
    "CreateContainerConfigError": "config.invalid",
    "CreateContainerError": "pre_work.container_start",
    "RunContainerError": "pre_work.container_start",
    "PreCreateHookError": "pre_work.container_start",
    "ContainerCannotRun": "pre_work.container_start",
    "StartError": "pre_work.container_start",
}
_ENDS = {"OOMKilled": "resource.oom", "DeadlineExceeded": "timeout.run", "Evicted": "resource.evicted"}
_PHASES = {
    "Evicted": "resource.evicted",
    "DeadlineExceeded": "timeout.run",
    "NodeLost": "crash.node",
    "NodeShutdown": "crash.node",
    "Terminated": "crash.node",
    "Preempting": "resource.preemption",
    "OutOfcpu": "pre_work.unschedulable",
    "OutOfmemory": "pre_work.unschedulable",
    "OutOfpods": "pre_work.unschedulable",
    "UnexpectedAdmissionError": "pre_work.unschedulable",
    "NodeAffinity": "pre_work.unschedulable",
}
"""`status.reason` of a failed pod -> class (kubelet)."""
_DISRUPTIONS = {
    "PreemptionByScheduler": "resource.preemption",
    "DeletionByTaintManager": "crash.node",
    "DeletionByPodGC": "crash.node",
    "EvictionByEvictionAPI": "cancelled.eviction",
    "TerminationByKubelet": "resource.evicted",
}
_EXITS = {126: "config.not_executable", 127: "config.command_not_found", 139: "crash.segfault", 134: "crash.abort"}
_JOB_LABELS = ("batch.kubernetes.io/job-name", "job-name")
_WORKFLOW_LABEL = "workflows.argoproj.io/workflow"


@dataclass(frozen=True, slots=True)
class Part:
    """A value of an object and its place."""

    value: object
    place: Place


@dataclass(frozen=True, slots=True)
class Thing:
    """An object of the cluster: its kind, and its parts by path."""

    kind: str
    parts: Mapping[Path, Part]

    def value(self, *path: str) -> object:
        """What stands at a path, whether the walk opened it or not."""
        for cut in range(len(path), 0, -1):
            part = self.parts.get(path[:cut])
            if part is not None:
                return member(part.value, *path[cut:])
        return None

    def under(self, *path: str) -> Iterator[Part]:
        """The elements of an array or the members of an object that the walk opened."""
        return (part for at, part in self.parts.items() if at[:-1] == path)

    @property
    def name(self) -> str:
        """`namespace/name`."""
        parts = (text_of(self.value("metadata", key)) for key in ("namespace", "name"))
        return "/".join(p for p in parts if p)

    @property
    def whole(self) -> Place:
        """From the first part to the last."""
        places = [part.place for part in self.parts.values()]
        start = min(p.start for p in places)
        return Place(start, max(p.start + p.length for p in places) - start)


@dataclass(frozen=True, slots=True)
class Cluster:
    """What is told, and what is known of all objects of the document."""

    draft: Draft
    tries: Mapping[str, int] = field(default_factory=dict)
    settled: frozenset[tuple[str, str]] = frozenset()
    """Pairs of an object and a class of trouble that a later event shows to be over."""


def owner(thing: Thing) -> str | None:
    """The run that a pod is for: its workflow or job; null for a pod of its own."""
    labels = thing.value("metadata", "labels")
    names = [text_of(member(labels, key)) for key in (_WORKFLOW_LABEL, *_JOB_LABELS)]
    owners = list_of(thing.value("metadata", "ownerReferences"))
    names += [text_of(member(o, "name")) for o in owners if member(o, "kind") in ("Job", "Workflow")]
    space = text_of(thing.value("metadata", "namespace"))
    return next(("/".join(p for p in (space, n) if p) for n in names if n), None)


def tries(things: Sequence[Thing]) -> dict[str, int]:
    """Pod -> which one of its job it is, by the time of creation; only for jobs with several pods."""
    pods = [t for t in things if t.kind == "Pod" and owner(t)]
    ordered = sorted(
        pods, key=lambda t: (owner(t) or "", text_of(t.value("metadata", "creationTimestamp")) or "", t.name)
    )
    counts: dict[str, int] = {}
    found: dict[str, int] = {}
    for thing in ordered:
        run = owner(thing) or ""
        found[thing.name] = counts[run] = counts.get(run, 0) + 1
    return found if any(n > 1 for n in counts.values()) else {}


# --- pods -----------------------------------------------------------------------------------------


def pod(cluster: Cluster, thing: Thing) -> None:
    """Its creation, conditions, containers and phase."""
    job = owner(thing)
    known: dict[str, Any] = {
        "run_id": job or thing.name,
        "attempt": cluster.tries.get(thing.name),
        "invocation_id": text_of(thing.value("metadata", "name")),
    }
    _pod_created(cluster, thing, job, known)
    for part in thing.under("status", "conditions"):
        _condition(cluster, thing, part, known)
    ends = [_container(cluster, part, known) for part in thing.under("status", "initContainerStatuses")]
    ends += [_container(cluster, part, known) for part in thing.under("status", "containerStatuses")]
    _phase(cluster, thing, job, [e for e in ends if e[0] is not None], known)


def _pod_created(cluster: Cluster, thing: Thing, job: str | None, known: dict[str, Any]) -> None:
    part = thing.parts.get(("metadata",))
    if part is None:
        return
    when = instant(member(part.value, "creationTimestamp"))
    owners = list_of(member(part.value, "ownerReferences"))
    fields = {"job": text_of(member(owners, 0, "name")), "uid": text_of(member(part.value, "uid"))}
    kind = "invocation.queued" if job else "run.created"
    cluster.draft.record(part.place, kind, f"pod {thing.name} created", when, fields=fields, **known)


def _condition(cluster: Cluster, thing: Thing, part: Part, known: dict[str, Any]) -> None:
    name, held = text_of(member(part.value, "type")) or "condition", member(part.value, "status") in ("True", True)
    reason, message = (text_of(member(part.value, k)) for k in ("reason", "message"))
    when = instant(member(part.value, "lastTransitionTime"))
    kind, level, failure = "log", None, None
    fields: dict[str, object] = {"reason": reason}
    if name == "PodScheduled" and held:
        kind = "attempt.claimed"
        fields["host"] = text_of(thing.value("spec", "nodeName"))
    elif name == "PodScheduled":
        kind, level, failure = "error.unscheduled", "error", "pre_work.unschedulable"
    elif name == "DisruptionTarget" and held:
        kind, level, failure = "error.disrupted", "error", _DISRUPTIONS.get(reason or "", "resource.evicted")
    words = f"{name} {'holds' if held else 'does not hold'}" + (f": {reason}" if reason else "")
    words += f": {message}" if message and level else ""
    fields |= {"failure": failure, "error_name": reason if failure else None}
    cluster.draft.record(part.place, kind, words, when, (message,), fields, level=level, **known)


def _container(cluster: Cluster, part: Part, known: dict[str, Any]) -> Instant:
    """One container's state; returns when it ended."""
    name = text_of(member(part.value, "name")) or "container"
    ended = member(part.value, "state", "terminated")
    waiting = member(part.value, "state", "waiting")
    last = member(part.value, "lastState", "terminated")
    restarts = number_of(member(part.value, "restartCount")) or 0
    if isinstance(ended, dict):
        return _terminated(cluster, part, name, ended, restarts, known)
    if isinstance(waiting, dict):
        _waiting(cluster, part, name, waiting, last, restarts, known)
        return NOWHEN
    begun = instant(member(part.value, "state", "running", "startedAt"))
    before = f"; before it: {_end_words(last)}" if isinstance(last, dict) else ""
    fields = {"restarts": restarts, "last_reason": text_of(member(last, "reason"))}
    words = f"container {name} runs{before}"
    kind = "stage.started" if begun[0] else "log"
    cluster.draft.record(part.place, kind, words, begun, fields=fields, stage=name, **known)
    if begun[0]:
        cluster.draft.span(part.place, f"container-{part.place.start}", name, kind="stage", start=begun[0],
                           parent_span_id="pod", status="open", **_of_span(known))  # fmt: skip
    return NOWHEN


def _terminated(
    cluster: Cluster, part: Part, name: str, ended: dict[str, Any], restarts: int, known: dict[str, Any]
) -> Instant:
    begun, when = instant(ended.get("startedAt")), instant(ended.get("finishedAt"))
    code, reason = number_of(ended.get("exitCode")), text_of(ended.get("reason"))
    good = code == 0 and reason in (None, "Completed")
    fields: dict[str, object] = {
        "status": "ok" if good else "failed",
        "container_exit_code": code,
        "reason": reason,
        "restarts": restarts,
        **(_cause(ended) if not good else {}),
    }
    level = None if good else "error"
    words = f"container {name} {_end_words(ended)}"
    said = (text_of(ended.get("message")),)
    cluster.draft.record(part.place, "stage.finished", words, when, said, fields, level=level, stage=name, **known)
    cluster.draft.span(part.place, f"container-{part.place.start}", name, kind="stage", start=begun[0], end=when[0],
                       parent_span_id="pod", status="ok" if good else "error", error=None if good else words,
                       **_of_span(known))  # fmt: skip
    return when


def _waiting(
    cluster: Cluster, part: Part, name: str, waiting: dict[str, Any], last: object, restarts: int, known: dict[str, Any]
) -> None:
    """A container that does not run: it never could, or it fell again and again."""
    reason, message = text_of(waiting.get("reason")), text_of(waiting.get("message"))
    fields: dict[str, object] = {"reason": reason, "restarts": restarts}
    words, level, when = f"container {name} waits: {reason or 'no reason given'}", None, NOWHEN
    if isinstance(last, dict):
        when = instant(last.get("finishedAt"))
        words += f" after {restarts} restarts; last time it {_end_words(last)}"
        fields |= _cause(last) or {"error_name": reason}
        fields |= {"last_exit_code": number_of(last.get("exitCode"))}
        level = "error"
    elif reason in _BEFORE_START:
        words += f": {message}" if message else ""
        fields |= {"failure": _BEFORE_START[reason], "error_name": reason}
        level = "error"
    kind = "error.container" if level else "log"
    said = (message, text_of(member(last, "message")))
    cluster.draft.record(part.place, kind, words, when, said, fields, level=level, stage=name, **known)


def _end_words(ended: object) -> str:
    reason, code = text_of(member(ended, "reason")), text_of(member(ended, "exitCode"))
    signal = number_of(member(ended, "signal"))
    how = f"terminated: {reason or 'no reason given'}, exit code {code or 'unknown'}"
    return how + (f", signal {signal}" if signal else "")


def _cause(ended: Mapping[str, object]) -> dict[str, object]:
    """`failure` and `error_name` where the state itself tells why; nothing for a plain exit code."""
    reason, code = text_of(ended.get("reason")), number_of(ended.get("exitCode"))
    failure = _ENDS.get(reason or "") or _BEFORE_START.get(reason or "") or _EXITS.get(code or 0)
    return {"failure": failure, "error_name": reason} if failure else {}


def _phase(cluster: Cluster, thing: Thing, job: str | None, ends: list[Instant], known: dict[str, Any]) -> None:
    part = thing.parts.get(("status", "phase"))
    if part is None:
        return
    phase = text_of(part.value) or "Unknown"
    reason, message = text_of(thing.value("status", "reason")), text_of(thing.value("status", "message"))
    status = {"Succeeded": "succeeded", "Failed": "failed"}.get(phase)
    failure = _PHASES.get(reason or "") if status == "failed" else None
    if failure == "timeout.run":
        status = "timed_out"
    when = max(ends, key=lambda e: str(e[0]), default=NOWHEN) if status else NOWHEN
    fields: dict[str, object] = {"phase": phase, "reason": reason, "status": status, "failure": failure}
    fields |= {"error_name": reason if failure else None}
    if status is None and job is None:
        fields["claimed_status"] = {"Pending": "running", "Running": "running", "Unknown": "lost"}.get(phase)
    kind = ("invocation.finished" if job else "run.finished") if status else "log"
    words = f"pod {thing.name} {phase}" + (f": {reason}" if reason else "") + (f": {message}" if message else "")
    level = None if status in (None, "succeeded") else "error"
    cluster.draft.record(part.place, kind, words, when, (message,), fields, level=level, **known)


def _of_span(known: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in known.items() if k in ("run_id", "attempt")}


# --- jobs -----------------------------------------------------------------------------------------


def job(cluster: Cluster, thing: Thing) -> None:
    """Its creation, and the condition that ends it."""
    known: dict[str, Any] = {"run_id": thing.name}
    part = thing.parts.get(("metadata",))
    if part is not None:
        when = instant(member(part.value, "creationTimestamp"))
        owners = list_of(member(part.value, "ownerReferences"))
        name = text_of(member(owners, 0, "name")) or text_of(member(part.value, "name"))
        cluster.draft.record(
            part.place, "run.created", f"job {thing.name} created", when, fields={"job": name}, **known
        )
    for one in thing.under("status", "conditions"):
        _job_condition(cluster, thing, one, known)
    active = thing.parts.get(("status", "active"))
    if active is not None and number_of(active.value):
        words = f"job {thing.name}: {text_of(active.value)} pods active"
        cluster.draft.record(active.place, "log", words, fields={"claimed_status": "running"}, **known)


def _job_condition(cluster: Cluster, thing: Thing, part: Part, known: dict[str, Any]) -> None:
    name, held = text_of(member(part.value, "type")) or "condition", member(part.value, "status") in ("True", True)
    reason, message = (text_of(member(part.value, k)) for k in ("reason", "message"))
    late = reason == "DeadlineExceeded"
    status = {"Complete": "succeeded", "Failed": "timed_out" if late else "failed"}.get(name) if held else None
    when = instant(member(part.value, "lastTransitionTime"))
    words = f"job {thing.name} {name}" + ("" if held else " no longer") + (f": {reason}" if reason else "")
    fields = {"status": status, "reason": reason, "failure": "timeout.run" if late and status else None}
    level = None if status in (None, "succeeded") else "error"
    kind = "run.finished" if status else "log"
    cluster.draft.record(part.place, kind, words, when, (message,), fields, level=level, **known)
