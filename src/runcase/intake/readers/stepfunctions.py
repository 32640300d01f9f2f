"""AWS Step Functions execution histories, and the logs of Express workflows.

`previousEventId` makes the events a graph, since parallel and map states run
side by side; the state of an event is found by following it (API reference,
HistoryEvent). A failure that a retry or a catcher took care of is a warning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from runcase.intake.json_spans import JsonText
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, number_of, text_of
from runcase.intake.readers.error_names import class_of
from runcase.intake.readers.stepfunctions_events import Event, Execution, cause_words, executions
from runcase.intake.readers.stepfunctions_graph import CALL, ENDS, Graph
from runcase.model.problems import Problem

_PREVIOUS = re.compile(rb'"previous(?:EventId|_event_id)\\?"\s*:\s*\\?"?\d')
_TYPE = re.compile(
    rb'\\?"type\\?"\s*:\s*\\?"(?:Execution|MapRun|[A-Z][a-z]+State|MapIteration|Task|Activity|LambdaFunction|Evaluation)'
)
_DETAILS = re.compile(rb'"(?:executionStarted|stateEntered|stateExited)EventDetails"\s*:\s*\{')

_FINISHED = {
    "ExecutionSucceeded": "succeeded",
    "ExecutionFailed": "failed",
    "ExecutionAborted": "cancelled",
    "ExecutionTimedOut": "timed_out",
}
_ROOT_STATUS = {"succeeded": "ok", "failed": "error", "cancelled": "cancelled", "timed_out": "timeout"}
_SPAN_STATUS = {"Succeeded": "ok", "TimedOut": "timeout", "Aborted": "cancelled"}
_CLASSES = {
    "States.Timeout": "timeout.task",
    "States.HeartbeatTimeout": "timeout.heartbeat",
    "States.Permissions": "dependency.auth",
    "States.Runtime": "input.path",
    "States.ParameterPathFailure": "input.path",
    "States.ResultPathMatchFailure": "input.path",
    "States.NoChoiceMatched": "input.no_choice",
    "States.QueryEvaluationError": "input.query",
    "States.IntrinsicFailure": "input.query",
    "States.DataLimitExceeded": "resource.data_limit",
    "States.ItemReaderFailed": "input.items",
    "Lambda.TooManyRequestsException": "rate_limit",
    "Lambda.OutOfMemory": "resource.oom",
}
"""Error names of the service and of Lambda that tell a class (Amazon States Language, appendix A)."""


class StepFunctions(DocumentReader):
    """Executions' histories."""

    name = "stepfunctions"
    versions = "AWS Step Functions GetExecutionHistory (API 2016-11-23) and Express logs, JSONPath and JSONata machines"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Events with a type of the service and the number of their previous one, or with details of states."""
        if not sniff.head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
            return None
        chained = len(_PREVIOUS.findall(sniff.head))
        if chained and _TYPE.search(sniff.head):
            return Taken(f"{chained} events that name their previous one", 90)
        return Taken("events with details of states", 90) if _DETAILS.search(sniff.head) else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """Records in file order; spans of states and of calls within them."""
        text = JsonText(data, path)
        found = executions(text, data)
        draft = Draft(data, problems=text.problems)
        whole = not text.problems
        for execution in found:
            if execution.more:
                words = f"the history of {execution.arn or 'the execution'} goes on: its last page names a next one"
                draft.problems.append(Problem("history_incomplete", "warning", words, path))
            _Teller(execution, draft, whole and not execution.more).tell_all()
        return draft.facts()


class _Teller:
    """Tells the events of one execution; knows all of them, whatever their order in the file."""

    def __init__(self, execution: Execution, draft: Draft, complete: bool) -> None:
        self._draft = draft
        self._run_id = execution.arn
        self._root = f"execution {execution.arn}" if execution.arn else "execution"
        self._events = execution.events
        self._told: set[tuple[int, str]] = set()
        self._graph = Graph(execution.events)
        redrives = [e.number or 0 for e in execution.events if e.type == "ExecutionRedriven"]
        self._redrives = sorted(set(redrives))
        self._tell_root(complete)

    def _tell_root(self, complete: bool) -> None:
        """The span of the execution itself; open when the history is whole and no event closes it."""
        begin = next((e for e in self._events if e.type == "ExecutionStarted"), None)
        ends = [e for e in self._events if e.type in _FINISHED]
        end = max(ends, key=lambda e: e.number or 0, default=None)
        if begin is None or (end is None and not complete):
            return
        self._draft.span(
            begin.place,
            self._root,
            "execution",
            kind="other",
            start=begin.when[0],
            end=end.when[0] if end else None,
            status=_ROOT_STATUS[_FINISHED[end.type]] if end else "open",
            run_id=self._run_id,
            attempt=self._attempt_of(end) if end else None,
        )

    def tell_all(self) -> None:
        """Adds the record of each event, and the span that it closes; an event told twice is a log line."""
        for event in self._events:
            if event.number is not None and (event.number, event.type) in self._told:
                self._record(event, "log", f"{event.type} (event {event.number} once more)", {"duplicate": True})
                continue
            self._told.add((event.number or 0, event.type))
            self._tell(event)

    def _tell(self, event: Event) -> None:
        call = CALL.fullmatch(event.type)
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
        event: Event,
        kind: str | None,
        summary: str,
        fields: Mapping[str, object],
        level: str | None = None,
        stage: str | None = None,
        tool_call_id: str | None = None,
    ) -> None:
        known = {"event_id": event.number, "event_type": event.type}
        known |= {"error_name": event.error, "error": event.cause} if event.error or event.cause else {}
        self._draft.record(
            event.place,
            kind,
            summary,
            event.when,
            (event.cause,),
            known | dict(fields),
            level=level,
            stage=stage,
            run_id=self._run_id,
            attempt=self._attempt_of(event),
            tool_call_id=tool_call_id,
        )

    def _attempt_of(self, event: Event) -> int | None:
        """Redrives make attempts: one more than the redrives before the event; null without any."""
        return 1 + sum(n <= (event.number or 0) for n in self._redrives) if self._redrives else None

    def _begun(self, event: Event) -> None:
        again = event.type == "ExecutionRedriven"
        fields: dict[str, object] = {
            "input": _compact(event.details.get("input")),
            "job": text_of(event.details.get("stateMachineAliasArn"))
            or text_of(event.details.get("stateMachineVersionArn"))
            or _machine(self._run_id),
            "redrives": number_of(event.details.get("redriveCount")),
        }
        self._record(event, "attempt.started" if again else "run.created", _words(event.type), fields)

    def _finished(self, event: Event) -> None:
        status = _FINISHED[event.type]
        error = event.error or ("States.Timeout" if status == "timed_out" else None)
        why = ": ".join(part for part in (error, cause_words(event.cause)) if part)
        summary = _words(event.type) + (f": {why}" if why else "")
        fields: dict[str, object] = {"status": status, "output": _compact(event.details.get("output"))}
        if status in ("failed", "timed_out"):
            fields |= {"error_name": error, "failure": _class_of(error)}
        if status == "timed_out":
            fields |= {"failure": "timeout.execution"}
        self._record(event, "run.finished", summary, fields, "info" if status == "succeeded" else "error")

    def _state(self, event: Event, name: str) -> None:
        entered = event.type.endswith("Entered")
        kind = event.type.removesuffix("Entered").removesuffix("Exited")
        if entered:
            self._record(event, "stage.started", f"{name} entered", {"state_type": kind}, stage=name)
            return
        fields = {"status": "ok", "state_type": kind}
        self._record(event, "stage.finished", f"{name} exited", fields, stage=name)
        self._span(event, name, "stage", self._graph.entry_left(event), "ok")

    def _call(self, event: Event, what: str, how: str) -> None:
        stage = self._graph.stage(event)
        resource = self._graph.resource(event)
        name = resource or self._graph.title(event, what)
        again = self._graph.try_of(event)
        fields: dict[str, object] = {"tool": name, "attempt": again if again > 1 else None}
        call = self._graph.call_id(event, what)
        if how in ENDS:
            self._ended(event, what, how, name, stage, call)
        elif how == "Started":
            self._record(event, "tool.started", f"{name} started", fields, stage=stage, tool_call_id=call)
        else:
            kind = "retry" if again > 1 and how == "Scheduled" else "invocation.queued"
            words = f"{name} {how.lower()}" + (f" again (attempt {again})" if again > 1 else "")
            self._record(event, kind, words, fields, stage=stage, tool_call_id=call)

    def _ended(self, event: Event, what: str, how: str, name: str, stage: str | None, call: str) -> None:
        status = ENDS[how]
        error = event.error or ("States.Timeout" if how == "TimedOut" else None)
        fields: dict[str, object] = {"status": status, "tool": name}
        handled = status == "failed" and self._graph.handled(event)
        if status == "failed":
            fields |= {"error_name": error, "failure": _class_of(error), "handled": handled or None}
        why = ": ".join(part for part in (error, cause_words(event.cause)) if part)
        summary = f"{name} {_words(how)}" + (f": {why}" if why else "")
        level = "warning" if handled else "error" if status == "failed" else None
        self._record(event, "tool.finished", summary, fields, level, stage, call)
        said = "retried" if handled else _SPAN_STATUS.get(how, "error")
        self._span(event, name, "tool", self._graph.begin_of(event, what), said)

    def _other(self, event: Event) -> None:
        """What is neither a state nor a call: a failed evaluation, an aborted state, a type that is newer than this."""
        failed = event.type.endswith("Failed")
        handled = failed and self._graph.handled(event)
        why = ": ".join(part for part in (event.error, cause_words(event.cause)) if part)
        kind = "warning" if handled else "error" if failed else "log" if event.type.endswith("Aborted") else None
        summary = _words(event.type) + (f": {why}" if why else "")
        fields: dict[str, object] = {"location": text_of(event.details.get("location"))}
        fields |= {"failure": _class_of(event.error)} if failed else {}
        stage = self._graph.stage(event) or text_of(event.details.get("state"))
        self._record(event, kind, summary, fields, kind if failed else None, stage)

    def _span(self, event: Event, name: str, kind: str, begin: Event | None, status: str) -> None:
        error = ": ".join(part for part in (event.error, cause_words(event.cause)) if part) or None
        self._draft.span(
            event.place,
            f"event-{event.place.start}",
            name,
            kind=kind,
            parent_span_id=self._root,
            start=begin.when[0] if begin else None,
            end=event.when[0],
            status=status,
            error=error,
            run_id=self._run_id,
            attempt=self._attempt_of(event),
        )


def _class_of(error: str | None) -> str | None:
    """By the service's own names, then by what names of errors tell anywhere."""
    return _CLASSES.get(error or "") or class_of(error)


def _machine(arn: str | None) -> str | None:
    """Name of the state machine in `arn:aws:states:REGION:ACCOUNT:execution:MACHINE:NAME`, `express` likewise."""
    parts = (arn or "").split(":")
    return parts[6] if len(parts) > 7 and parts[5] in ("execution", "express") else None


def _compact(value: object) -> str | None:
    """Input or output as one text, whether the export kept it as a string or parsed it."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _words(name: str) -> str:
    """`ExecutionTimedOut` -> `execution timed out`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
