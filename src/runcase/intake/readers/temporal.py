"""Temporal workflow histories as JSON: one history is one run.

Exports differ: `{"events": []}` of the command line, `{"history": {"events": []}}`
of the HTTP interface, a bare array of the web interface; ascending or descending;
types as `EVENT_TYPE_WORKFLOW_EXECUTION_STARTED` or `WorkflowExecutionStarted`;
keys in camel or snake case. Payloads are base64 with their encoding beside them
(temporal.api.history.v1, temporal.api.enums.v1.EventType).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from runcase.intake.instants import Instant, instant
from runcase.intake.json_spans import JsonText, Leaf, opens_only
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, member, number_of, text_of
from runcase.intake.readers.temporal_values import Failure, camel, enum_name, failure_of, payload_text

_EVENT_TYPE = re.compile(rb'"event_?[Tt]ype"\s*:\s*"(?:EVENT_TYPE_[A-Z_]+|[A-Z][A-Za-z]+)"')
_ATTRIBUTES = re.compile(rb'"\w+(?:EventAttributes|_event_attributes)"\s*:')
_EVENTS = opens_only((), ("events",), ("history",), ("history", "events"))

_FINISHED = {
    "WorkflowExecutionCompleted": "succeeded",
    "WorkflowExecutionFailed": "failed",
    "WorkflowExecutionTimedOut": "timed_out",
    "WorkflowExecutionCanceled": "cancelled",
    "WorkflowExecutionTerminated": "cancelled",
    "WorkflowExecutionContinuedAsNew": "succeeded",
}
"""Closing event -> run status; a run that continued as new did its part."""

_OPERATION = re.compile(
    r"(?P<what>ActivityTask|ChildWorkflowExecution|NexusOperation)"
    r"(?P<how>Scheduled|Started|Completed|Failed|TimedOut|Canceled|Terminated)"
)
_OUTCOME = {
    "Completed": "ok",
    "Failed": "failed",
    "TimedOut": "failed",
    "Canceled": "cancelled",
    "Terminated": "cancelled",
}
_ROOT = "workflow"
_ROOT_STATUS = {"succeeded": "ok", "failed": "error", "cancelled": "cancelled", "timed_out": "timeout"}
_SPAN_STATUS = {"Completed": "ok", "Failed": "error", "TimedOut": "timeout", "Canceled": "cancelled"}
_TASKS = frozenset({"WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted"})
"""Turns of the workflow's own code; a history has many, and none of them ends the run."""
_BENIGN_CAUSES = frozenset({"ResetWorkflow", "UnhandledCommand", "ForceCloseCommand", "FailoverCloseCommand"})
"""Causes of a failed workflow task that belong to normal operation."""

_LOGGED = re.compile(
    r"Timer|Marker|WorkflowExecution(?:Signaled|Update|CancelRequested|Options)|UpsertWorkflow|WorkflowProperties"
    r"|ExternalWorkflow|CancelRequested|RequestCancel|Initiated|ActivityProperties|Paused$|Unpaused$"
)


class Temporal(DocumentReader):
    """One workflow history."""

    name = "temporal"
    versions = "Temporal history JSON, server 1.x (both spellings of enums), CLI, HTTP and UI exports"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Event types of a history, each with an attributes object of its name."""
        if not sniff.head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
            return None
        types, attributes = len(_EVENT_TYPE.findall(sniff.head)), len(_ATTRIBUTES.findall(sniff.head))
        return Taken(f"{types} events with attributes of their type", 90) if types and attributes else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """Records in file order; spans of activities, child workflows, Nexus operations and timers."""
        text = JsonText(data, path)
        events = [e for leaf in text.walk(_EVENTS) if (e := _event(leaf)) is not None]
        draft = Draft(data, problems=text.problems)
        history = _History({e.number: e for e in reversed(events) if e.number is not None}, draft)
        for event in events:
            history.tell(event)
        return draft.facts()


@dataclass(frozen=True, slots=True)
class _Event:
    """One history event; `number` is null when the export lost it."""

    number: int | None
    type: str
    when: Instant
    attributes: dict[str, object]
    place: Place

    def get(self, name: str) -> object:
        """An attribute by its camel-case name, however it is spelled."""
        return self.attributes.get(name, self.attributes.get(_snake(name)))


def _event(leaf: Leaf) -> _Event | None:
    """The event that a leaf of the walk is; None for other members of the export."""
    if not leaf.path or not isinstance(leaf.path[-1], int):
        return None
    members = leaf.members
    key = next((k for k in members if k.endswith(("EventAttributes", "_event_attributes"))), "")
    inner = members.get(key)
    return _Event(
        number_of(members.get("eventId", members.get("event_id"))),
        _type_name(members.get("eventType", members.get("event_type")), key),
        instant(members.get("eventTime", members.get("event_time"))),
        inner if isinstance(inner, dict) else {},
        Place(leaf.start, leaf.length),
    )


def _type_name(written: object, attributes_key: str) -> str:
    """`WorkflowExecutionStarted` for every spelling; by the attributes when the type is a number or absent."""
    if isinstance(written, str) and written and not written.isdigit():
        return camel(written.removeprefix("EVENT_TYPE_")) if written.isupper() or "_" in written else written
    name = attributes_key.removesuffix("EventAttributes").removesuffix("_event_attributes")
    return camel(name) if "_" in name else name[:1].upper() + name[1:]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


class _History:
    """Tells the events of one run; knows all of them, whatever their order in the file."""

    def __init__(self, by_number: dict[int, _Event], draft: Draft) -> None:
        self._by_number = by_number
        self._draft = draft
        self._told: set[tuple[int, str]] = set()
        started = next((e for e in by_number.values() if e.type == "WorkflowExecutionStarted"), None)
        self._run_id = _run_id(started) if started else None
        self._attempt = number_of(started.get("attempt")) if started else None
        if self._attempt is not None and self._attempt < 1:
            self._attempt = None
        claims = [n for n, e in by_number.items() if e.type == "WorkflowTaskStarted"]
        self._claim = min(claims, default=None)
        if started:
            self._tell_root(started, next((e for e in by_number.values() if e.type in _FINISHED), None))

    def _tell_root(self, begin: _Event, end: _Event | None) -> None:
        """The span of the workflow itself; open when no event closes it."""
        self._draft.span(
            begin.place,
            _ROOT,
            _operation_name(begin, "workflow"),
            kind="other",
            start=begin.when[0],
            end=end.when[0] if end else None,
            status=_ROOT_STATUS[_FINISHED[end.type]] if end else "open",
            run_id=self._run_id,
            attempt=self._attempt,
        )

    def tell(self, event: _Event) -> None:
        """Adds the record of one event, and the span that it closes."""
        if event.number is not None and (event.number, event.type) in self._told:
            self._record(event, "log", f"{event.type} (event {event.number} once more)", {"duplicate": True})
            return
        self._told.add((event.number or 0, event.type))
        operation = _OPERATION.fullmatch(event.type)
        if event.type in _FINISHED:
            self._finished(event)
        elif event.type == "WorkflowExecutionStarted":
            self._created(event)
        elif event.type.startswith("WorkflowTask"):
            self._workflow_task(event)
        elif operation:
            self._operation(event, operation["what"], operation["how"])
        else:
            self._other(event)

    def _record(
        self,
        event: _Event,
        kind: str | None,
        summary: str,
        fields: Mapping[str, object],
        details: tuple[str | None, ...] = (),
        level: str | None = None,
        stage: str | None = None,
        tool_call_id: str | None = None,
    ) -> None:
        known = {"event_id": event.number, "event_type": event.type, **fields}
        self._draft.record(
            event.place,
            kind,
            summary,
            event.when,
            details,
            known,
            level=level,
            stage=stage,
            run_id=self._run_id,
            attempt=self._attempt,
            tool_call_id=tool_call_id,
        )

    def _created(self, event: _Event) -> None:
        job = text_of(member(event.get("workflowType"), "name"))
        parent = event.get("parentWorkflowExecution")
        ids = [text_of(member(parent, key)) for key in ("workflowId", "runId")]
        before = failure_of(event.get("continuedFailure"))
        self._record(
            event,
            "run.created",
            f"workflow {job or 'of unknown type'} started",
            {
                "job": job,
                "task_queue": text_of(member(event.get("taskQueue"), "name")),
                "parent_run_id": "/".join(i for i in ids if i) or None,
                "cron": text_of(event.get("cronSchedule")),
                "continued_from": text_of(event.get("continuedExecutionRunId")),
                "input": payload_text(event.get("input")),
            },
            (f"previous attempt failed: {before.chain}" if before else None,),
        )

    def _finished(self, event: _Event) -> None:
        status = _FINISHED[event.type]
        failure = failure_of(event.get("failure"))
        reason = text_of(event.get("reason"))
        why = failure.headline if failure else reason
        error = failure.name if failure else ("WorkflowExecutionTimedOut" if status == "timed_out" else None)
        summary = f"workflow {_words(event.type, 'WorkflowExecution')}" + (f": {why}" if why else "")
        self._record(
            event,
            "run.finished",
            summary,
            {
                "status": status,
                "error": failure.headline if failure else None,
                "error_name": error,
                "reason": reason,
                "retry_state": text_of(event.get("retryState")),
                "continued": text_of(event.get("newExecutionRunId")) or None,
                "result": payload_text(event.get("result")),
            },
            (failure.chain, failure.trace) if failure else (payload_text(event.get("details")),),
            "info" if status == "succeeded" else "error",
        )

    def _workflow_task(self, event: _Event) -> None:
        identity = text_of(event.get("identity"))
        if event.number is not None and event.number == self._claim:
            self._record(event, "attempt.claimed", f"claimed by {identity or 'a worker'}", {"host": identity})
        elif event.type in _TASKS:
            self._record(event, "log.workflow_task", _words(event.type), {"host": identity})
        else:
            cause = enum_name(event.get("cause"))
            failure = failure_of(event.get("failure"))
            benign = cause in _BENIGN_CAUSES or event.type.endswith("TimedOut")
            what = cause or enum_name(event.get("timeoutType")) or ""
            self._record(
                event,
                "warning" if benign else "error",
                f"{_words(event.type)}: {what}".removesuffix(": "),
                {"cause": cause, "error_name": failure.name if failure else None},
                (failure.chain, failure.trace) if failure else (),
                "warning" if benign else "error",
            )

    def _operation(self, event: _Event, what: str, how: str) -> None:
        """An activity, child workflow or Nexus operation: queued, begun, or ended."""
        opening = self._opening(event, what)
        name = _operation_name(opening or event, what)
        call = f"{what}:{opening.number}" if opening else None
        host = text_of(event.get("identity"))
        if how == "Scheduled":
            fields: dict[str, object] = {"input": payload_text(event.get("input"))}
            self._record(event, "invocation.queued", f"{name} scheduled", fields, stage=name, tool_call_id=call)
            return
        if how == "Started":
            self._operation_started(event, name, call, host)
            return
        failure = failure_of(event.get("failure"))
        outcome = _OUTCOME[how]
        why = f": {failure.headline}" if failure else ""
        self._record(
            event,
            "stage.finished",
            f"{name} {_words(how)}{why}",
            {
                "status": outcome,
                "error": failure.headline if failure else None,
                "error_name": failure.name if failure else None,
                "retry_state": text_of(event.get("retryState")),
                "host": host,
                "result": payload_text(event.get("result")),
            },
            (failure.chain, failure.trace) if failure else (),
            "error" if outcome == "failed" else None,
            name,
            call,
        )
        self._operation_span(event, opening, name, how, failure)

    def _operation_started(self, event: _Event, name: str, call: str | None, host: str | None) -> None:
        """History holds the start of the last try only; what failed before stands in `lastFailure`."""
        attempt = number_of(event.get("attempt"))
        last = failure_of(event.get("lastFailure"))
        again = f" (attempt {attempt})" if attempt is not None and attempt > 1 else ""
        fields = {"attempt": attempt, "host": host, "last_error_name": last.name if last else None}
        details = (f"previous attempt failed: {last.chain}", last.trace) if last else ()
        self._record(event, "stage.started", f"{name} started{again}", fields, details, None, name, call)

    def _operation_span(
        self, event: _Event, opening: _Event | None, name: str, how: str, failure: Failure | None
    ) -> None:
        started = self._by_number.get(number_of(event.get("startedEventId")) or -1)
        begin = started or opening
        if event.number is None:
            return
        self._draft.span(
            event.place,
            f"event-{event.number}",
            name,
            kind="stage",
            parent_span_id=_ROOT,
            start=begin.when[0] if begin else None,
            end=event.when[0],
            status=_SPAN_STATUS.get(how, "error"),
            error=failure.headline if failure else None,
            run_id=self._run_id,
            attempt=self._attempt,
            attributes={"attempt": number_of(started.get("attempt")) if started else None},
        )

    def _opening(self, event: _Event, what: str) -> _Event | None:
        """The event that scheduled or initiated an operation; itself when it is that."""
        if event.type == f"{what}Scheduled":
            return event
        for key in ("scheduledEventId", "initiatedEventId"):
            number = number_of(event.get(key))
            if number:
                return self._by_number.get(number)
        return None

    def _other(self, event: _Event) -> None:
        name = text_of(event.get("markerName")) or text_of(event.get("signalName")) or text_of(event.get("timerId"))
        failure = failure_of(event.get("failure"))
        kind = "log" if _LOGGED.search(event.type) else None
        summary = f"{_words(event.type)}{f': {name}' if name else ''}"
        fields: dict[str, object] = {"name": name, "error_name": failure.name if failure else None}
        details = (failure.chain, failure.trace) if failure else (payload_text(event.get("details")),)
        self._record(event, kind, summary, fields, details)
        fired = event.type == "TimerFired" and self._by_number.get(number_of(event.get("startedEventId")) or -1)
        if fired and event.number is not None:
            self._draft.span(
                event.place,
                f"event-{event.number}",
                f"timer {name}",
                kind="other",
                parent_span_id=_ROOT,
                start=fired.when[0],
                end=event.when[0],
                status="ok",
                run_id=self._run_id,
                attempt=self._attempt,
            )


def _run_id(started: _Event) -> str | None:
    """`workflowId/runId`, as far as the first event names them; null without a run id."""
    run = next((r for k in ("originalExecutionRunId", "firstExecutionRunId") if (r := text_of(started.get(k)))), None)
    workflow = text_of(started.get("workflowId"))
    return f"{workflow}/{run}" if workflow and run else run


def _operation_name(event: _Event, what: str) -> str:
    for key in ("activityType", "workflowType"):
        name = text_of(member(event.get(key), "name"))
        if name:
            return name
    operation = text_of(event.get("operation"))
    return f"{text_of(event.get('service')) or 'nexus'}.{operation}" if operation else what


def _words(name: str, without: str = "") -> str:
    """`ActivityTaskTimedOut` -> `activity task timed out`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removeprefix(without)).lower()
