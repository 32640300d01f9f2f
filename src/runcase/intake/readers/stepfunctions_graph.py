"""How the events of an execution hang together: which state an event is in, which try, and what became of it."""

from __future__ import annotations

import re

from runcase.intake.readers.draft import member, number_of, text_of
from runcase.intake.readers.stepfunctions_events import Event

CALL = re.compile(
    r"(?P<what>Task|Activity|LambdaFunction|MapRun|MapIteration|MapState|ParallelState)"
    r"(?P<how>Scheduled|ScheduleFailed|Submitted|SubmitFailed|Started|StartFailed|Succeeded|Failed|TimedOut|Aborted"
    r"|Redriven)"
)
ENDS = {
    "Succeeded": "ok",
    "Failed": "failed",
    "ScheduleFailed": "failed",
    "SubmitFailed": "failed",
    "StartFailed": "failed",
    "TimedOut": "failed",
    "Aborted": "cancelled",
}
_OF_CONTAINER = re.compile(r"(?:MapIteration|MapState|ParallelState|MapRun)(?:Succeeded|Failed|Aborted)")
_BROKEN = frozenset({"MapStateFailed", "ParallelStateFailed", "MapRunFailed"})
_TRIES = ("TaskScheduled", "ActivityScheduled", "LambdaFunctionScheduled", "MapStateStarted", "ParallelStateStarted")


class Graph:
    """The events of one execution by number, and what follows from their order."""

    def __init__(self, events: list[Event]) -> None:
        self._by_number = {e.number: e for e in reversed(events) if e.number is not None}
        self._around: dict[int, tuple[int, ...]] = {}
        self._left: dict[int, int] = {}
        self._tries: dict[int, int] = {}
        self._try: dict[int, int] = {}
        self._exits: set[int] = set()
        self._starts: dict[tuple[str, int, int | None], Event] = {}
        self._begun: dict[int, Event] = {}
        for number in sorted(self._by_number):
            self._place(self._by_number[number], number)

    def _place(self, event: Event, number: int) -> None:
        """Finds the entries of the states around one event, and its try; earlier events are placed."""
        around = self._around.get(event.previous, ())
        if event.type.endswith("StateEntered"):
            around = (*self._enclosing(around, event, left=True), number)
        elif _OF_CONTAINER.fullmatch(event.type):
            around = self._enclosing(around, event, left=False)
        elif event.type.endswith("StateExited"):
            depth = next((d for d in reversed(range(len(around))) if self._name(around[d]) == event.state), None)
            if depth is not None:
                self._left[number] = around[depth]
                self._exits.add(around[depth])
                around = around[:depth]
        self._around[number] = around
        if event.type in _TRIES:
            entry = around[-1] if around else 0
            self._tries[entry] = self._tries.get(entry, 0) + 1
        call = CALL.fullmatch(event.type)
        if call:
            self._try[number] = self._tries.get(around[-1] if around else 0, 1)
            self._place_call(event, number, call["what"], call["how"])

    def _place_call(self, event: Event, number: int, what: str, how: str) -> None:
        """Maps and parallel states end many events after their start."""
        key = (what, self._entry(event), number_of(event.details.get("index")))
        if how == "Started":
            self._starts[key] = event
        elif how in ENDS and key in self._starts:
            self._begun[number] = self._starts[key]

    def _enclosing(self, around: tuple[int, ...], event: Event, left: bool) -> tuple[int, ...]:
        """The entries down to the map or parallel state; those inside it were `left`, or failed with it."""
        gone: list[int] = []
        while around and not self._by_number[around[-1]].type.startswith(("Map", "Parallel")):
            gone.append(around[-1])
            around = around[:-1]
        before = self._by_number.get(event.previous)
        if around and before is not None and before.type in _BROKEN:
            gone.append(around[-1])
            around = around[:-1]
        self._exits.update(gone if left else ())
        return around

    def _name(self, number: int) -> str | None:
        return self._by_number[number].state

    def _entry(self, event: Event) -> int:
        """Number of the event that entered the state around `event`; 0 outside of states."""
        around = self._around.get(event.number or 0, ())
        return around[-1] if around else 0

    def stage(self, event: Event) -> str | None:
        """The state that an event is in."""
        entry = self._entry(event)
        return self._name(entry) if entry else None

    def entry_left(self, event: Event) -> Event | None:
        """The event that entered the state which `event` leaves."""
        return self._by_number.get(self._left.get(event.number or 0, 0))

    def try_of(self, event: Event) -> int:
        """Which try of its state a call belongs to, from 1."""
        return self._try.get(event.number or 0, 1)

    def call_id(self, event: Event, what: str) -> str:
        """One id for all events of a call."""
        index = number_of(event.details.get("index")) if what == "MapIteration" else None
        parts = [what, self._entry(event), self.try_of(event), index]
        return ":".join(str(p) for p in parts if p is not None)

    def handled(self, event: Event) -> bool:
        """Whether a failure was taken care of: its state was tried again or left, or a state around it was left."""
        around = self._around.get(event.number or 0, ())
        if any(entry in self._exits for entry in around):
            return True
        return bool(around) and self.try_of(event) < self._tries.get(around[-1], 1)

    def begin_of(self, event: Event, what: str) -> Event | None:
        """The event that began a call: its start, else its scheduling."""
        at = self._by_number.get(event.previous)
        found: Event | None = None
        while at is not None and at.type.startswith(what) and not at.type.endswith(tuple(ENDS)):
            found = at
            if at.type.endswith("Started") or at.previous >= (at.number or 0):
                break
            at = self._by_number.get(at.previous)
        return found or self._begun.get(event.number or 0)

    def resource(self, event: Event) -> str | None:
        """The service or function that a call is for; stated by its scheduling only."""
        at: Event | None = event
        while at is not None and CALL.fullmatch(at.type) is not None:
            found = text_of(member(at.details, "resource"))
            if found:
                kind = text_of(at.details.get("resourceType"))
                return f"{kind}:{found}" if kind else found
            at = self._by_number.get(at.previous) if at.previous < (at.number or 0) else None
        return None

    def title(self, event: Event, what: str) -> str:
        """A name for what is no call of a service: the state, and the number of an iteration."""
        name = text_of(event.details.get("name")) or self.stage(event)
        index = number_of(event.details.get("index"))
        if what == "MapIteration" and index is not None:
            return f"{name or what} [{index}]"
        return name or what
