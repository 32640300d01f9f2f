"""HTCondor: the event log of jobs (`log = ...` of a submit description).

Blocks open with `NNN (cluster.proc.subproc) date time what` and end with a line of
three dots; the lines between them say more (condor_utils/condor_event.cpp). A job that
is held or evicted is not over: it may run again, which is another attempt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from runcase.intake.instants import Instant, instant
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, number_of

_HEAD = re.compile(
    rb"(?m)^(?P<event>\d{3}) \((?P<cluster>\d+)\.(?P<proc>\d+)\.\d+\) "
    rb"(?P<at>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?|\d\d/\d\d(?:/\d\d)? \d\d:\d\d:\d\d)"
    rb" (?P<what>[^\r\n]*)"
)
_END = re.compile(rb"(?m)^\.\.\.[ \t]*\r?(?:\n|\Z)")
_RETURNED = re.compile(r"Normal termination \(return value (-?\d+)\)")
_SIGNAL = re.compile(r"Abnormal termination \(signal (\d+)\)")
_CODE = re.compile(r"^\s*Code (\d+) Subcode (-?\d+)", re.MULTILINE)
_SLOT = re.compile(r"^\s*SlotName: (?:\S+@)?(\S+)", re.MULTILINE)
_ADDRESS = re.compile(r"on host: <?([^\s:>?]+)")
_SUBMIT, _EXECUTE, _EVICTED, _TERMINATED, _SHADOW, _ABORTED, _HELD = 0, 1, 4, 5, 7, 9, 12
_DISCONNECTED, _RECONNECT_FAILED = 22, 24
_TROUBLE = {
    _EVICTED: "evicted",
    _SHADOW: "shadow",
    _DISCONNECTED: "disconnected",
    _RECONNECT_FAILED: "reconnect_failed",
}
"""Events after which the job goes on, or runs again."""
_HOLDS = {"3": "config.policy", "12": "writeback.transfer", "13": "input.transfer", "34": "resource.oom"}
"""HoldReasonCode -> class: PERIODIC_HOLD, output and input transfer, resources exceeded (HTCondor manual, job ads)."""


@dataclass(frozen=True, slots=True)
class _Event:
    """A block of the log."""

    number: int
    run_id: str
    at: Instant
    what: str
    more: str
    place: Place


class CondorEvents(DocumentReader):
    """A run a job of a cluster, an attempt each time that it was executed."""

    name = "condor_events"
    versions = "HTCondor 8 to 24 job event logs in text, stamps with and without a year"
    ends_lines = True

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Heads of events with cluster and process."""
        found = len(_HEAD.findall(sniff.head))
        first = _HEAD.match(sniff.head.lstrip(b"\xef\xbb\xbf\r\n"))
        return Taken(f"{found} job events", 84) if found and first else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """A record an event; spans from executing to whatever ended that."""
        draft = Draft(data)
        tries: dict[str, int] = {}
        running: dict[str, _Event] = {}
        for event in _events(data):
            if event.number == _EXECUTE:
                tries[event.run_id] = tries.get(event.run_id, 0) + 1
            ids = {"run_id": event.run_id, "attempt": tries.get(event.run_id, 1)}
            _tell(event, ids, draft)
            if event.number in (_EVICTED, _TERMINATED, _ABORTED, _HELD, _RECONNECT_FAILED) and event.run_id in running:
                _executed(running.pop(event.run_id), event, ids, draft)
            if event.number == _EXECUTE:
                running[event.run_id] = event
        for run_id, event in running.items():
            _executed(event, None, {"run_id": run_id, "attempt": tries[run_id]}, draft)
        return draft.facts()


def _events(data: bytes) -> Iterator[_Event]:
    """The blocks; one whose end is missing reaches to the next head."""
    heads = list(_HEAD.finditer(data))
    for n, head in enumerate(heads):
        limit = heads[n + 1].start() if n + 1 < len(heads) else len(data)
        end = _END.search(data, head.end(), limit)
        stop = end.end() if end else limit
        text = data[head.end() : end.start() if end else limit].decode("utf-8", "backslashreplace")
        yield _Event(
            int(head["event"]),
            f"{int(head['cluster'])}.{int(head['proc'])}",
            instant(head["at"].decode()),
            head["what"].decode("utf-8", "backslashreplace").strip(),
            text.strip("\r\n"),
            Place(head.start(), stop - head.start()),
        )


def _tell(event: _Event, ids: dict[str, Any], draft: Draft) -> None:
    host = _SLOT.search(event.more) or _ADDRESS.search(event.what)
    fields: dict[str, object] = {"host": host[1] if host else None}
    kind, level = "log", None
    if event.number == _SUBMIT:
        kind, fields = "run.created", {}
    elif event.number == _EXECUTE:
        kind = "attempt.claimed"
    elif event.number == _TERMINATED:
        kind, fields = "run.finished", _how(event.more)
        level = "error" if fields["status"] == "failed" else None
    elif event.number == _ABORTED:
        kind, level, fields = "run.finished", "warning", {"status": "cancelled"}
    elif event.number == _HELD:
        code = _CODE.search(event.more)
        failure = _HOLDS.get(code[1]) if code else None
        kind, level = "error.held", "error"
        fields = {"claimed_status": "running", "error_name": "Held", "failure": failure}
    elif event.number in _TROUBLE:
        kind, level = f"warning.{_TROUBLE[event.number]}", "warning"
    why = (
        event.more.strip().split("\n", 1)[0].strip() if event.number in (_HELD, _ABORTED, _TERMINATED, _SHADOW) else ""
    )
    words = f"{event.what.rstrip('.')}: {why}" if why else event.what
    draft.record(event.place, kind, words, event.at, [event.more], fields, level=level, **ids)


def _how(more: str) -> dict[str, object]:
    """Status, exit code and signal of a job that terminated; a termination that says neither is an end all the same."""
    returned, signal = _RETURNED.search(more), _SIGNAL.search(more)
    if signal:
        return {"status": "failed", "signal": number_of(signal[1])}
    code = number_of(returned[1]) if returned else None
    return {"status": None if code is None else "succeeded" if code == 0 else "failed", "exit_code": code}


def _executed(begun: _Event, ended: _Event | None, ids: dict[str, Any], draft: Draft) -> None:
    status = "open"
    if ended is not None:
        good = ended.number == _TERMINATED and _how(ended.more)["status"] == "succeeded"
        status = "ok" if good else "cancelled" if ended.number == _ABORTED else "error"
    draft.span(
        begun.place,
        f"execution-{begun.place.start}",
        "execution",
        kind="stage",
        parent_span_id="job",
        start=begun.at[0],
        end=ended.at[0] if ended else None,
        status=status,
        **ids,
    )
