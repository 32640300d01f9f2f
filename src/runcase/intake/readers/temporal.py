"""Temporal workflow histories: `{"events": [...]}` as exported by the command line, the UI and the SDKs.

Both spellings of the enums (`EVENT_TYPE_WORKFLOW_EXECUTION_STARTED`,
`WorkflowExecutionStarted`), any order of events, whole and partial histories.
"""

from __future__ import annotations

import re
from typing import Any

from runcase.intake.json_spans import Broken, Element, array_elements
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.rows import instant, record, records

_TYPE = re.compile(rb'"event_?[tT]ype"\s*:\s*(?:"(?:EVENT_TYPE_)?[A-Za-z_]+"|\d+)')
_KNOWN = re.compile(rb"(?i)workflow_?execution_?|workflow_?task_?|eventTime")

_ENDS = {
    "WorkflowExecutionCompleted": "succeeded",
    "WorkflowExecutionFailed": "failed",
    "WorkflowExecutionTimedOut": "timed_out",
    "WorkflowExecutionCanceled": "cancelled",
    "WorkflowExecutionTerminated": "cancelled",
    "WorkflowExecutionContinuedAsNew": "succeeded",
}
_KINDS = {
    "WorkflowExecutionStarted": "run.created",
    "ActivityTaskScheduled": "invocation.queued",
    "ActivityTaskStarted": "tool.started",
    "ActivityTaskCompleted": "tool.finished",
    "ActivityTaskFailed": "error.activity",
    "ActivityTaskTimedOut": "error.timeout.activity",
    "ActivityTaskCanceled": "tool.finished",
    "WorkflowTaskStarted": "attempt.started",
    "WorkflowTaskFailed": "error.workflow_task",
    "WorkflowTaskTimedOut": "error.timeout.workflow_task",
    "ChildWorkflowExecutionStarted": "invocation.started",
    "ChildWorkflowExecutionCompleted": "invocation.finished",
    "ChildWorkflowExecutionFailed": "error.child",
    "ChildWorkflowExecutionTimedOut": "error.timeout.child",
}


class Temporal(DocumentReader):
    """One workflow history."""

    name = "temporal"
    versions = "history JSON of server 1.x, both enum spellings"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """JSON with event types of workflows."""
        head = sniff.head.lstrip(b"\xef\xbb\xbf \r\n\t")
        if head[:1] not in (b"{", b"[") or not _TYPE.search(head) or not _KNOWN.search(head):
            return None
        return Taken("JSON with eventType and workflow events", 90)

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """One record an event; a history without a closing event has no `run.finished`."""
        rows, problems = [], []
        for found in array_elements(data, "events"):
            if isinstance(found, Broken):
                problems.append(found.problem(path))
            elif isinstance(found.value, dict):
                rows.append(_row(found, found.value))
        run_id = next((r["run_id"] for r in rows if r.get("run_id")), None)
        for row in rows:
            row["run_id"] = run_id
        return DocumentFacts(records=records(rows, data), problems=problems)


def event_type(event: dict[str, Any]) -> str:
    """The type in the camel-case spelling."""
    name = str(event.get("eventType") or event.get("event_type") or "")
    if name.startswith("EVENT_TYPE_"):
        return "".join(part.capitalize() for part in name.removeprefix("EVENT_TYPE_").split("_"))
    return name


def attributes(event: dict[str, Any]) -> dict[str, Any]:
    """The one member that carries what is special to the type."""
    found = next(
        (v for k, v in event.items() if k.endswith(("Attributes", "_attributes")) and isinstance(v, dict)), None
    )
    return found or {}


def _row(found: Element, event: dict[str, Any]) -> dict[str, Any]:
    kind, detail = event_type(event), attributes(event)
    error = _error(detail)
    fields: dict[str, Any] = {"event_id": event.get("eventId"), "type": kind}
    if error:
        fields |= {"error": error}
    if kind in _ENDS:
        fields |= {"status": _ENDS[kind]} | ({"continued": True} if kind.endswith("ContinuedAsNew") else {})
    name = _name(detail)
    return record(
        found.start,
        found.length,
        " ".join(x for x in (kind, name, error) if x),
        instant(event.get("eventTime") or event.get("event_time")),
        kind="run.finished" if kind in _ENDS else _KINDS.get(kind, "log"),
        level="error" if error or kind.endswith(("Failed", "TimedOut")) else "info",
        run_id=detail.get("originalExecutionRunId") or detail.get("firstExecutionRunId"),
        fields=fields | ({"job": name} if kind == "WorkflowExecutionStarted" and name else {}),
    )


def _name(detail: dict[str, Any]) -> str | None:
    for key in ("activityType", "workflowType"):
        named = detail.get(key)
        if isinstance(named, dict) and named.get("name"):
            return str(named["name"])
    return None


def _error(detail: dict[str, Any]) -> str | None:
    """The message and type of a failure, with its innermost cause."""
    failure = detail.get("failure")
    if not isinstance(failure, dict):
        cause = detail.get("cause") or detail.get("reason")
        return str(cause) if isinstance(cause, str) and cause else None
    parts = []
    while isinstance(failure, dict) and len(parts) < 20:
        info = failure.get("applicationFailureInfo")
        named = info.get("type") if isinstance(info, dict) else None
        parts.append(": ".join(str(x) for x in (named, failure.get("message")) if x))
        failure = failure.get("cause")
    return "; caused by ".join(p for p in parts if p) or None
