"""Activities, child workflows and Nexus operations of a Temporal history: queued, begun, ended."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from runcase.intake.readers.draft import Draft, member, number_of, text_of
from runcase.intake.readers.error_names import class_of
from runcase.intake.readers.temporal_events import Event, words
from runcase.intake.readers.temporal_values import Failure, enum_name, failure_of, payload_text

OPERATION = re.compile(
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
_SPAN_STATUS = {"Completed": "ok", "TimedOut": "timeout", "Canceled": "cancelled", "Terminated": "cancelled"}
_LOCAL_ACTIVITY = frozenset({"LocalActivity", "core_local_activity"})
"""Marker names of the SDKs (Go and Java; those built on sdk-core)."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a run while its events are told."""

    by_number: Mapping[int, Event]
    draft: Draft
    run_id: str | None
    attempt: int | None

    @property
    def root(self) -> str:
        """Id of the workflow's own span; a document may hold several runs."""
        return f"workflow {self.run_id}" if self.run_id else "workflow"

    def referred(self, event: Event, *keys: str) -> Event | None:
        """The event whose number stands in one of these attributes."""
        numbers = (number_of(event.get(key)) for key in keys)
        return next((self.by_number[n] for n in numbers if n and n in self.by_number), None)

    def record(
        self,
        event: Event,
        kind: str | None,
        summary: str,
        fields: Mapping[str, object],
        details: tuple[str | None, ...] = (),
        level: str | None = None,
        stage: str | None = None,
        tool_call_id: str | None = None,
    ) -> None:
        """The record of one event."""
        self.draft.record(
            event.place,
            kind,
            summary,
            event.when,
            details,
            {"event_id": event.number, "event_type": event.type, **fields},
            level=level,
            stage=stage,
            run_id=self.run_id,
            attempt=self.attempt,
            tool_call_id=tool_call_id,
        )


def operation(known: Known, event: Event, what: str, how: str) -> None:
    """The record of one event of an operation, and the spans that it closes."""
    opening = event if how == "Scheduled" else known.referred(event, "scheduledEventId", "initiatedEventId")
    name = _name(opening or event, what)
    call = f"{what}:{opening.number}" if opening else None
    if how == "Scheduled":
        fields: dict[str, object] = {"input": payload_text(event.get("input"))}
        known.record(event, "invocation.queued", f"{name} scheduled", fields, stage=name, tool_call_id=call)
    elif how == "Started":
        _started(known, event, name, call)
        if opening is not None and opening is not event:
            queued_span(known, event, name, "queue", opening)
    else:
        _ended(known, event, opening, name, call, how)


def _started(known: Known, event: Event, name: str, call: str | None) -> None:
    """History holds the start of the last try only; what failed before stands in `lastFailure`."""
    attempt = number_of(event.get("attempt"))
    last = failure_of(event.get("lastFailure"))
    again = f" (attempt {attempt})" if attempt is not None and attempt > 1 else ""
    fields = {
        "attempt": attempt,
        "host": text_of(event.get("identity")),
        "last_error_name": last.name if last else None,
    }
    details = (f"previous attempt failed: {last.chain}", last.trace) if last else ()
    known.record(event, "stage.started", f"{name} started{again}", fields, details, None, name, call)


def _ended(known: Known, event: Event, opening: Event | None, name: str, call: str | None, how: str) -> None:
    failure = failure_of(event.get("failure"))
    outcome = _OUTCOME[how]
    why = f": {failure.headline}" if failure else ""
    fields: dict[str, object] = {
        "status": outcome,
        "error": failure.headline if failure else None,
        "error_name": failure.name if failure and outcome == "failed" else None,
        "failure": "timeout.operation" if how == "TimedOut" else class_of(failure.name) if failure else None,
        "retry_state": enum_name(event.get("retryState")),
        "host": text_of(event.get("identity")),
        "result": payload_text(event.get("result")),
    }
    details = (failure.chain, failure.trace) if failure else ()
    level = "error" if outcome == "failed" else None
    known.record(event, "stage.finished", f"{name} {words(how)}{why}", fields, details, level, name, call)
    _span(known, event, opening, name, how, failure)


def _span(known: Known, event: Event, opening: Event | None, name: str, how: str, failure: Failure | None) -> None:
    started = known.referred(event, "startedEventId")
    begin = started or opening
    known.draft.span(
        event.place,
        f"event-{event.place.start}",
        name,
        kind="stage",
        parent_span_id=known.root,
        start=begin.when[0] if begin else None,
        end=event.when[0],
        status=_SPAN_STATUS.get(how, "error"),
        error=failure.headline if failure else None,
        run_id=known.run_id,
        attempt=known.attempt,
        attributes={"attempt": number_of(started.get("attempt")) if started else None},
    )


def queued_span(known: Known, event: Event, name: str, kind: str, begin: Event) -> None:
    """The time from one event to a later one: a wait in a queue, or a timer."""
    known.draft.span(
        event.place,
        f"{kind}-{event.place.start}",
        name,
        kind=kind,
        parent_span_id=known.root,
        start=begin.when[0],
        end=event.when[0],
        status="ok",
        run_id=known.run_id,
        attempt=known.attempt,
    )


def start_failed(known: Known, event: Event) -> None:
    """What the server refused: to start a child, to signal or cancel another workflow. The workflow decides on it."""
    cause = enum_name(event.get("cause"))
    name = text_of(member(event.get("workflowType"), "name"))
    target = text_of(event.get("workflowId")) or text_of(member(event.get("workflowExecution"), "workflowId"))
    about = " ".join(p for p in (name, f"({target})" if target else None) if p)
    summary = f"{words(event.type)}{f' {about}' if about else ''}" + (f": {cause}" if cause else "")
    opens = event.type.startswith("StartChild")
    fields: dict[str, object] = {"cause": cause, "error_name": cause, "status": "failed" if opens else None}
    known.record(event, "stage.finished" if opens else "error", summary, fields, (), "error", name if opens else None)


def marker(known: Known, event: Event) -> None:
    """Versions, side effects, and local activities, which leave nothing else in a history."""
    name = text_of(event.get("markerName")) or "marker"
    failure = failure_of(event.get("failure"))
    details = _marker_details(event.get("details"))
    if name not in _LOCAL_ACTIVITY:
        text = json.dumps(details, ensure_ascii=False, default=str) if details else None
        known.record(event, "log", f"marker recorded: {name}", {"name": name}, (text,))
        return
    said = details.get("data")
    keys = ("ActivityType", "activityType", "activity_type")
    tool = next((t for k in keys if (t := text_of(member(said, k)) or text_of(details.get(k)))), "local activity")
    tries = next((n for k in ("Attempt", "attempt") if (n := number_of(member(said, k))) is not None), None)
    fields: dict[str, object] = {
        "status": "failed" if failure else "ok",
        "tool": tool,
        "attempt": tries,
        "error_name": failure.name if failure else None,
    }
    words_of = f"local activity {tool} " + (f"failed: {failure.headline}" if failure else "completed")
    chain = (failure.chain, failure.trace) if failure else ()
    known.record(event, "tool.finished", words_of, fields, chain, "error" if failure else None)


def _marker_details(value: object) -> dict[str, object]:
    """The payloads of a marker by their names, decoded; JSON as values."""
    given = value if isinstance(value, dict) else {}
    found: dict[str, object] = {}
    for key, payloads in given.items():
        text = payload_text(payloads)
        try:
            found[str(key)] = json.loads(text) if text is not None else None
        except (ValueError, RecursionError):
            found[str(key)] = text
    return found


def _name(event: Event, what: str) -> str:
    for key in ("activityType", "workflowType"):
        name = text_of(member(event.get(key), "name"))
        if name:
            return name
    called = text_of(event.get("operation"))
    return f"{text_of(event.get('service')) or 'nexus'}.{called}" if called else what
