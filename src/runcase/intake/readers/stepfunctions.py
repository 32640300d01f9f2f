"""AWS Step Functions execution histories: `get-execution-history` as JSON, one or more pages, either order.

`previousEventId` makes the events a graph, since parallel and map states run
side by side; the state of an event is found by following it (API reference,
HistoryEvent).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from runcase.intake.instants import Instant, instant
from runcase.intake.json_spans import JsonText, Leaf, opens_only
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, member, number_of, text_of

_PREVIOUS = re.compile(rb'"previousEventId"\s*:\s*"?\d')
_TYPE = re.compile(
    rb'"type"\s*:\s*"(?:Execution|MapRun|[A-Z][a-z]+State|MapIteration|Task|Activity|LambdaFunction|Evaluation|Wait)'
)
_EVENTS = opens_only((), ("events",))

_FINISHED = {
    "ExecutionSucceeded": "succeeded",
    "ExecutionFailed": "failed",
    "ExecutionAborted": "cancelled",
    "ExecutionTimedOut": "timed_out",
}
_CALL = re.compile(
    r"(?P<what>Task|Activity|LambdaFunction|MapRun|MapIteration|MapState|ParallelState)"
    r"(?P<how>Scheduled|ScheduleFailed|Submitted|SubmitFailed|Started|StartFailed|Succeeded|Failed|TimedOut|Aborted)"
)
_BEGINS = frozenset({"Started"})
_ENDS = {
    "Succeeded": "ok",
    "Failed": "failed",
    "ScheduleFailed": "failed",
    "SubmitFailed": "failed",
    "StartFailed": "failed",
    "TimedOut": "failed",
    "Aborted": "cancelled",
}
_ROOT = "execution"
_ROOT_STATUS = {"succeeded": "ok", "failed": "error", "cancelled": "cancelled", "timed_out": "timeout"}
_SPAN_STATUS = {"Succeeded": "ok", "TimedOut": "timeout", "Aborted": "cancelled"}


class StepFunctions(DocumentReader):
    """One execution's history."""

    name = "stepfunctions"
    versions = "AWS Step Functions GetExecutionHistory (API 2016-11-23), JSONPath and JSONata machines"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Events with a type of the service and a `previousEventId`."""
        if not sniff.head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
            return None
        chained = len(_PREVIOUS.findall(sniff.head))
        return (
            Taken(f"{chained} events that name their previous one", 90)
            if chained and _TYPE.search(sniff.head)
            else None
        )

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """Records in file order; spans of states and of calls within them."""
        text = JsonText(data, path)
        events: list[_Event] = []
        arn: str | None = None
        for leaf in text.walk(_EVENTS):
            if leaf.path and isinstance(leaf.path[-1], int):
                events.append(_event(leaf))
            elif leaf.path == ("executionArn",):
                arn = text_of(leaf.value)
        draft = Draft(data, problems=text.problems)
        history = _History(events, arn, draft)
        for event in events:
            history.tell(event)
        return draft.facts()


@dataclass(frozen=True, slots=True)
class _Event:
    """One history event; `number` is null when the export lost it, `details` is the object that belongs to its type."""

    number: int | None
    previous: int
    type: str
    when: Instant
    details: dict[str, object]
    place: Place

    @property
    def state(self) -> str | None:
        """Name of the state that the event enters or leaves."""
        return text_of(self.details.get("name")) if self.type.endswith(("StateEntered", "StateExited")) else None

    @property
    def error(self) -> str | None:
        """Error name, as the service or the task gave it."""
        return text_of(self.details.get("error"))

    @property
    def cause(self) -> str | None:
        """Cause in words; often JSON of its own."""
        return text_of(self.details.get("cause"))


def _event(leaf: Leaf) -> _Event:
    members = leaf.members
    inner = next((v for k, v in members.items() if k.endswith("EventDetails") and isinstance(v, dict)), {})
    return _Event(
        number_of(members.get("id")),
        number_of(members.get("previousEventId")) or 0,
        text_of(members.get("type")) or "",
        instant(members.get("timestamp")),
        inner,
        Place(leaf.start, leaf.length),
    )


class _History:
    """Tells the events of one execution; knows all of them, whatever their order in the file."""

    def __init__(self, events: list[_Event], arn: str | None, draft: Draft) -> None:
        self._draft = draft
        self._run_id = arn
        self._told: set[tuple[int, str]] = set()
        self._by_number = {e.number: e for e in reversed(events) if e.number is not None}
        self._redrives = [n for n, e in self._by_number.items() if e.type == "ExecutionRedriven"]
        self._open: dict[int, tuple[int, ...]] = {}
        self._left: dict[int, int] = {}
        self._tries: dict[int, int] = {}
        self._attempts: dict[int, int] = {}
        for number in sorted(self._by_number):
            self._place(self._by_number[number], number)
        self._tell_root(events)

    def _tell_root(self, events: list[_Event]) -> None:
        """The span of the execution itself; open when no event closes it."""
        begin = next((e for e in events if e.type == "ExecutionStarted"), None)
        end = next((e for e in events if e.type in _FINISHED), None)
        if begin is None:
            return
        self._draft.span(
            begin.place,
            _ROOT,
            "execution",
            kind="other",
            start=begin.when[0],
            end=end.when[0] if end else None,
            status=_ROOT_STATUS[_FINISHED[end.type]] if end else "open",
            run_id=self._run_id,
        )

    def _place(self, event: _Event, number: int) -> None:
        """Finds the entries of the states around one event, and its try; earlier events are placed."""
        around = self._open.get(event.previous, ())
        if event.type.endswith("StateEntered"):
            around = (*around, number)
        elif event.type.endswith("StateExited"):
            depth = next((d for d in reversed(range(len(around))) if self._name(around[d]) == event.state), None)
            if depth is not None:
                self._left[number] = around[depth]
                around = around[:depth]
        self._open[number] = around
        if event.type.endswith(("TaskScheduled", "ActivityScheduled", "LambdaFunctionScheduled")):
            entry = around[-1] if around else 0
            self._tries[entry] = self._attempts[number] = self._tries.get(entry, 0) + 1

    def _name(self, number: int) -> str | None:
        return self._by_number[number].state

    def _entry(self, event: _Event) -> int:
        """Number of the event that entered the state around `event`; 0 outside of states."""
        around = self._open.get(event.number or 0, ())
        return around[-1] if around else 0

    def tell(self, event: _Event) -> None:
        """Adds the record of one event, and the span that it closes."""
        if event.number is not None and (event.number, event.type) in self._told:
            self._record(event, "log", f"{event.type} (event {event.number} once more)", {"duplicate": True})
            return
        self._told.add((event.number or 0, event.type))
        call = _CALL.fullmatch(event.type)
        if event.type in _FINISHED:
            self._finished(event)
        elif event.type in ("ExecutionStarted", "ExecutionRedriven"):
            self._begun(event)
        elif event.state is not None:
            self._state(event, event.state)
        elif call:
            self._call(event, call["what"], call["how"])
        else:
            self._other(event)

    def _record(
        self,
        event: _Event,
        kind: str | None,
        summary: str,
        fields: Mapping[str, object],
        level: str | None = None,
        stage: str | None = None,
        tool_call_id: str | None = None,
    ) -> None:
        known = {"event_id": event.number, "event_type": event.type, **fields}
        known |= {"error_name": event.error, "error": event.cause} if event.error or event.cause else {}
        self._draft.record(
            event.place,
            kind,
            summary,
            event.when,
            (event.cause,),
            known,
            level=level,
            stage=stage,
            run_id=self._run_id,
            attempt=self._attempt_of(event),
            tool_call_id=tool_call_id,
        )

    def _attempt_of(self, event: _Event) -> int | None:
        """Redrives make attempts: one more than the redrives before the event; null without any."""
        return 1 + sum(n <= (event.number or 0) for n in self._redrives) if self._redrives else None

    def _stage(self, event: _Event) -> str | None:
        entry = self._entry(event)
        return self._name(entry) if entry else None

    def _begun(self, event: _Event) -> None:
        again = event.type == "ExecutionRedriven"
        fields: dict[str, object] = {
            "input": _compact(event.details.get("input")),
            "job": text_of(event.details.get("stateMachineAliasArn"))
            or text_of(event.details.get("stateMachineVersionArn")),
            "redrives": number_of(event.details.get("redriveCount")),
        }
        self._record(event, "attempt.started" if again else "run.created", _words(event.type), fields)

    def _finished(self, event: _Event) -> None:
        status = _FINISHED[event.type]
        error = event.error or ("States.Timeout" if status == "timed_out" else None)
        why = ": ".join(part for part in (error, _first_line(event.cause)) if part)
        summary = _words(event.type) + (f": {why}" if why else "")
        fields: dict[str, object] = {"status": status, "output": _compact(event.details.get("output"))}
        fields |= {"error_name": error} if error else {}
        self._record(event, "run.finished", summary, fields, "info" if status == "succeeded" else "error")

    def _state(self, event: _Event, name: str) -> None:
        entered = event.type.endswith("Entered")
        fields = {"state_type": event.type.removesuffix("Entered").removesuffix("Exited")}
        if entered:
            self._record(event, "stage.started", f"{name} entered", fields, stage=name)
            return
        self._record(event, "stage.finished", f"{name} exited", {"status": "ok"} | fields, stage=name)
        self._span(event, name, "stage", self._by_number.get(self._left.get(event.number or 0, 0)), "ok")

    def _call(self, event: _Event, what: str, how: str) -> None:
        stage = self._stage(event)
        resource = self._resource(event)
        name = resource or what
        again = self._attempts.get(event.number or 0, 1)
        fields: dict[str, object] = {"tool": resource, "attempt": again if again > 1 else None}
        call = f"{what}:{self._entry(event)}:{again}"
        if how in _ENDS:
            self._ended(event, what, how, name, stage, call)
        elif how in _BEGINS:
            self._record(event, "tool.started", f"{name} started", fields, stage=stage, tool_call_id=call)
        else:
            kind = "retry" if again > 1 else "invocation.queued"
            words = f"{name} {how.lower()}" + (f" again (attempt {again})" if again > 1 else "")
            self._record(event, kind, words, fields, stage=stage, tool_call_id=call)

    def _ended(self, event: _Event, what: str, how: str, name: str, stage: str | None, call: str) -> None:
        status = _ENDS[how]
        error = event.error or ("States.Timeout" if how == "TimedOut" else None)
        why = ": ".join(part for part in (error, _first_line(event.cause)) if part)
        summary = f"{name} {_words(how)}" + (f": {why}" if why else "")
        level = "error" if status == "failed" else None
        self._record(event, "tool.finished", summary, {"status": status, "tool": name}, level, stage, call)
        self._span(event, name, "tool", self._before(event, what), _SPAN_STATUS.get(how, "error"))

    def _other(self, event: _Event) -> None:
        failed = event.type.endswith("Failed")
        why = ": ".join(part for part in (event.error, _first_line(event.cause)) if part)
        kind = "error" if failed else "log" if event.type.endswith(("Aborted", "Redriven")) else None
        summary = _words(event.type) + (f": {why}" if why else "")
        self._record(event, kind, summary, {}, "error" if failed else None, self._stage(event))

    def _before(self, event: _Event, what: str) -> _Event | None:
        """The event that began a call: its start, else its scheduling."""
        at = self._by_number.get(event.previous)
        found: _Event | None = None
        while at is not None and at.type.startswith(what) and not at.type.endswith(tuple(_ENDS)):
            found = at
            if at.type.endswith("Started") or at.previous >= (at.number or 0):
                break
            at = self._by_number.get(at.previous)
        return found

    def _resource(self, event: _Event) -> str | None:
        """The service or function that a call is for; stated by its scheduling only."""
        at: _Event | None = event
        while at is not None and _CALL.fullmatch(at.type) is not None:
            found = text_of(member(at.details, "resource"))
            if found:
                kind = text_of(at.details.get("resourceType"))
                return f"{kind}:{found}" if kind else found
            at = self._by_number.get(at.previous) if at.previous < (at.number or 0) else None
        return None

    def _span(self, event: _Event, name: str, kind: str, begin: _Event | None, status: str) -> None:
        error = ": ".join(part for part in (event.error, _first_line(event.cause)) if part) or None
        self._draft.span(
            event.place,
            f"event-{event.place.start}",
            name,
            kind=kind,
            parent_span_id=_ROOT,
            start=begin.when[0] if begin else None,
            end=event.when[0],
            status=status,
            error=error,
            run_id=self._run_id,
            attempt=self._attempt_of(event),
        )


def _compact(value: object) -> str | None:
    """Input or output as one text, whether the export kept it as a string or parsed it."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _first_line(text: str | None) -> str | None:
    return text.strip().split("\n")[0][:400] if text and text.strip() else None


def _words(name: str) -> str:
    """`ExecutionTimedOut` -> `execution timed out`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
