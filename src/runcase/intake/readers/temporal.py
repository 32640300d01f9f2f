"""Temporal workflow histories as JSON: one history is one run.

Exports differ in layout (`temporal_events`), in the order of events, in the
spelling of types (`EVENT_TYPE_WORKFLOW_EXECUTION_STARTED`, `WorkflowExecutionStarted`,
numbers) and of keys (camel or snake case). Payloads are base64 with their encoding
beside them (temporal.api.history.v1, temporal.api.enums.v1.EventType).
"""

from __future__ import annotations

import re

from runcase.intake.json_spans import JsonText
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, member, number_of, text_of
from runcase.intake.readers.error_names import class_of
from runcase.intake.readers.temporal_events import Event, History, histories, numbered, words
from runcase.intake.readers.temporal_operations import OPERATION, Known, marker, operation, queued_span, start_failed
from runcase.intake.readers.temporal_values import enum_name, failure_of, payload_text

_EVENT_TYPE = re.compile(rb'"event_?[Tt]ype"\s*:\s*(?:"(?:EVENT_TYPE_[A-Z_]+|[A-Z][A-Za-z]+)"|\d{1,2}\b)')
_ATTRIBUTES = re.compile(rb'"[a-z]\w+(?:EventAttributes|_event_attributes)"\s*:')

_FINISHED = {
    "WorkflowExecutionCompleted": "succeeded",
    "WorkflowExecutionFailed": "failed",
    "WorkflowExecutionTimedOut": "timed_out",
    "WorkflowExecutionCanceled": "cancelled",
    "WorkflowExecutionTerminated": "cancelled",
    "WorkflowExecutionContinuedAsNew": "succeeded",
}
"""Closing event -> run status; a run that continued as new did its part."""

_ROOT_STATUS = {"succeeded": "ok", "failed": "error", "cancelled": "cancelled", "timed_out": "timeout"}
_TASKS = frozenset({"WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted"})
"""Turns of the workflow's own code; a history has many, and none of them ends the run."""
_BENIGN_CAUSES = frozenset({"ResetWorkflow", "UnhandledCommand", "ForceCloseCommand", "FailoverCloseCommand"})
"""Causes of a failed workflow task that belong to normal operation."""

_LOGGED = re.compile(
    r"Timer|Marker|WorkflowExecution(?:Signaled|Update|CancelRequested|Options|Paused|Unpaused)|UpsertWorkflow"
    r"|WorkflowProperties|ExternalWorkflow|CancelRequested|RequestCancel|Initiated|ActivityProperties|Paused$"
)


class Temporal(DocumentReader):
    """Workflow histories."""

    name = "temporal"
    versions = "Temporal history JSON, server 1.x (all spellings of enums): CLI, HTTP, UI and cloud exports"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Event types of a history, each with an attributes object of its name."""
        if not sniff.head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
            return None
        types, attributes = len(_EVENT_TYPE.findall(sniff.head)), len(_ATTRIBUTES.findall(sniff.head))
        return Taken(f"{types} events with attributes of their type", 90) if types and attributes else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """Records in file order; spans of activities, child workflows, Nexus operations and timers."""
        text = JsonText(data, path)
        found = histories(text, data)
        draft = Draft(data, problems=text.problems)
        for history in found:
            _Teller(history, draft, complete=not text.problems).tell_all()
        return draft.facts()


class _Teller:
    """Tells the events of one run; knows all of them, whatever their order in the file."""

    def __init__(self, history: History, draft: Draft, complete: bool) -> None:
        self._history = history
        by_number = dict(numbered(history))
        started = next((e for e in by_number.values() if e.type == "WorkflowExecutionStarted"), None)
        attempt = number_of(started.get("attempt")) if started else None
        self._known = Known(by_number, draft, _run_id(history, started), attempt if attempt and attempt > 0 else None)
        self._told: set[tuple[int, str]] = set()
        claims = [n for n, e in by_number.items() if e.type == "WorkflowTaskStarted"]
        self._claim = min(claims, default=None)
        end = next((e for e in by_number.values() if e.type in _FINISHED), None)
        if started and (end or complete):
            self._tell_root(started, end)

    def _tell_root(self, begin: Event, end: Event | None) -> None:
        """The span of the workflow itself; open when the history is whole and no event closes it."""
        known = self._known
        known.draft.span(
            begin.place,
            known.root,
            text_of(member(begin.get("workflowType"), "name")) or "workflow",
            kind="other",
            start=begin.when[0],
            end=end.when[0] if end else None,
            status=_ROOT_STATUS[_FINISHED[end.type]] if end else "open",
            run_id=known.run_id,
            attempt=known.attempt,
        )

    def tell_all(self) -> None:
        """Adds the record of each event, and the span that it closes; an event told twice is a log line."""
        for event in self._history.events:
            if event.number is not None and (event.number, event.type) in self._told:
                again = f"{event.type} (event {event.number} once more)"
                self._known.record(event, "log", again, {"duplicate": True})
                continue
            self._told.add((event.number or 0, event.type))
            self._tell(event)

    def _tell(self, event: Event) -> None:
        stands_for = OPERATION.fullmatch(event.type)
        if event.type in _FINISHED:
            self._finished(event)
        elif event.type == "WorkflowExecutionStarted":
            self._created(event)
        elif event.type.startswith("WorkflowTask"):
            self._workflow_task(event)
        elif stands_for:
            operation(self._known, event, stands_for["what"], stands_for["how"])
        elif event.type.endswith("ExecutionFailed"):
            start_failed(self._known, event)
        elif event.type == "MarkerRecorded":
            marker(self._known, event)
        else:
            self._other(event)

    def _created(self, event: Event) -> None:
        job = text_of(member(event.get("workflowType"), "name"))
        parent = event.get("parentWorkflowExecution")
        ids = [text_of(member(parent, key)) for key in ("workflowId", "runId")]
        before = failure_of(event.get("continuedFailure"))
        fields: dict[str, object] = {
            "job": job,
            "task_queue": text_of(member(event.get("taskQueue"), "name")),
            "parent_run_id": "/".join(i for i in ids if i) or None,
            "cron": text_of(event.get("cronSchedule")) or None,
            "continued_from": text_of(event.get("continuedExecutionRunId")) or None,
            "input": payload_text(event.get("input")),
        }
        details = (f"previous attempt failed: {before.chain}" if before else None,)
        self._known.record(event, "run.created", f"workflow {job or 'of unknown type'} started", fields, details)

    def _finished(self, event: Event) -> None:
        status = _FINISHED[event.type]
        failure = failure_of(event.get("failure"))
        reason = text_of(event.get("reason"))
        why = failure.headline if failure else reason
        timed_out = "WorkflowExecutionTimedOut" if status == "timed_out" else None
        summary = f"workflow {words(event.type, 'WorkflowExecution')}" + (f": {why}" if why else "")
        fields: dict[str, object] = {
            "status": status,
            "error": failure.headline if failure and status == "failed" else None,
            "error_name": (failure.name if failure else timed_out) if status != "succeeded" else None,
            "failure": "timeout.workflow" if timed_out else class_of(failure.name) if failure else None,
            "reason": reason,
            "retry_state": enum_name(event.get("retryState")),
            "continued": text_of(event.get("newExecutionRunId")) or None,
            "result": payload_text(event.get("result")),
        }
        details = (failure.chain, failure.trace) if failure else (payload_text(event.get("details")),)
        self._known.record(
            event, "run.finished", summary, fields, details, "info" if status == "succeeded" else "error"
        )

    def _workflow_task(self, event: Event) -> None:
        identity = text_of(event.get("identity"))
        if event.number is not None and event.number == self._claim:
            self._known.record(event, "attempt.claimed", f"claimed by {identity or 'a worker'}", {"host": identity})
        elif event.type in _TASKS:
            self._known.record(event, "log.workflow_task", words(event.type), {"host": identity})
        else:
            self._workflow_task_failed(event)

    def _workflow_task_failed(self, event: Event) -> None:
        """A turn of the workflow's own code that broke; the server tries it again until the run's time is up."""
        cause = enum_name(event.get("cause"))
        failure = failure_of(event.get("failure"))
        benign = cause in _BENIGN_CAUSES or event.type.endswith("TimedOut")
        what = ": ".join(p for p in (cause or enum_name(event.get("timeoutType")), failure and failure.headline) if p)
        self._known.record(
            event,
            "warning" if benign else "error",
            f"{words(event.type)}: {what}".removesuffix(": "),
            {"cause": cause, "error_name": (failure.name if failure else cause) if not benign else None},
            (failure.chain, failure.trace) if failure else (),
            "warning" if benign else "error",
        )

    def _other(self, event: Event) -> None:
        name = next((t for k in ("signalName", "timerId", "updateName") if (t := text_of(event.get(k)))), None)
        failure = failure_of(event.get("failure") or member(event.get("outcome"), "failure"))
        summary = f"{words(event.type)}{f': {name}' if name else ''}" + (f": {failure.headline}" if failure else "")
        fields: dict[str, object] = {"name": name, "cause": enum_name(event.get("cause"))}
        details = (failure.chain, failure.trace) if failure else (payload_text(event.get("input")),)
        kind = "warning" if failure else "log" if _LOGGED.search(event.type) else None
        self._known.record(event, kind, summary, fields, details, "warning" if failure else None)
        fired = event.type == "TimerFired" and self._known.referred(event, "startedEventId")
        if fired:
            queued_span(self._known, event, f"timer {name}", "other", fired)


def _run_id(history: History, started: Event | None) -> str | None:
    """`workflowId/runId`, as far as the export or the first event names them; null without a run id.

    A reset makes a new run that keeps the first events of the old one: the id
    stands in the failed workflow task that marks the reset.
    """
    resets = [
        text_of(e.get("newRunId"))
        for e in history.events
        if e.type == "WorkflowTaskFailed" and enum_name(e.get("cause")) == "ResetWorkflow"
    ]
    named = [started.get(k) for k in ("originalExecutionRunId", "firstExecutionRunId")] if started else []
    run = next((r for v in (history.run_id, *reversed(resets), *named) if (r := text_of(v))), None)
    workflow = history.workflow_id or (text_of(started.get("workflowId")) if started else None)
    return f"{workflow}/{run}" if workflow and run else run
