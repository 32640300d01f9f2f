"""AWS Step Functions: the answer of `get-execution-history`, pages joined or not, in either order."""

from __future__ import annotations

import re
from typing import Any

from runcase.intake.json_spans import Broken, Element, array_elements
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.rows import instant, record, records

_SHAPE = re.compile(rb'"previousEventId"\s*:')
_TYPE = re.compile(rb'"type"\s*:\s*"[A-Z][A-Za-z]+"')

_ENDS = {
    "ExecutionSucceeded": "succeeded",
    "ExecutionFailed": "failed",
    "ExecutionAborted": "cancelled",
    "ExecutionTimedOut": "timed_out",
}


class StepFunctions(DocumentReader):
    """One execution's history."""

    name = "stepfunctions"
    versions = "get-execution-history JSON, API 2016-11-23"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Events with a type and a previousEventId."""
        head = sniff.head.lstrip(b"\xef\xbb\xbf \r\n\t")
        if head[:1] in (b"{", b"[") and _SHAPE.search(head) and _TYPE.search(head):
            return Taken("JSON events with previousEventId", 90)
        return None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """One record an event; an execution without an end has no `run.finished`."""
        rows, problems = [], []
        for found in array_elements(data, "events"):
            if isinstance(found, Broken):
                problems.append(found.problem(path))
            elif isinstance(found.value, dict):
                rows.append(_row(found, found.value))
        return DocumentFacts(records=records(rows, data), problems=problems)


def _row(found: Element, event: dict[str, Any]) -> dict[str, Any]:
    kind = str(event.get("type", ""))
    detail = next((v for k, v in event.items() if k.endswith("EventDetails") and isinstance(v, dict)), {})
    error, cause = detail.get("error"), detail.get("cause")
    fields: dict[str, Any] = {"id": event.get("id"), "previous": event.get("previousEventId"), "type": kind}
    fields |= {k: v for k, v in (("error", error), ("cause", cause)) if v}
    if kind in _ENDS:
        fields["status"] = _ENDS[kind]
    name = detail.get("name")
    return record(
        found.start,
        found.length,
        " ".join(str(x) for x in (kind, name, error, cause) if x),
        instant(event.get("timestamp")),
        kind=_kind(kind),
        stage=str(name) if name and kind.endswith(("StateEntered", "StateExited")) else None,
        level="error" if kind.endswith(("Failed", "TimedOut", "Aborted")) else "info",
        fields=fields,
    )


def _kind(kind: str) -> str:
    if kind in _ENDS:
        return "run.finished"
    if kind == "ExecutionStarted":
        return "run.created"
    if kind.endswith("StateEntered"):
        return "stage.started"
    if kind.endswith("StateExited"):
        return "stage.finished"
    if kind.endswith("TimedOut"):
        return "error.timeout"
    if kind.endswith("Failed"):
        return "error.task"
    if kind.endswith(("Started", "Scheduled")):
        return "tool.started" if kind.endswith("Started") else "invocation.queued"
    if kind.endswith("Succeeded"):
        return "tool.finished"
    return "log"
