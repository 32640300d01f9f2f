"""The events of Temporal histories, however an export lays them out.

One history as `{"events": []}` (command line), `{"history": {"events": []}}`
(HTTP interface), a bare array (web interface) or one event a line; many as an
array, as JSON lines, or as `{"items": [{"history": ...}]}` (cloud export,
temporal.api.export.v1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from runcase.intake.instants import Instant, instant
from runcase.intake.json_spans import JsonText, Leaf, Path, opens_only
from runcase.intake.readers.draft import Place, member, number_of, text_of
from runcase.intake.readers.temporal_values import camel

_ONE_A_LINE = re.compile(rb'\s*\{[^\n]*"event_?[iI]d"[^\n]*\}[ \t\r]*(?:\n|$)')
_FIRST_KEY = re.compile(rb'"(event_?[iI]d|event_?[tT]ype|history|events|items)"\s*:')
_LISTS = ((), ("events",), ("history",), ("history", "events"))
_MANY = (("items",), *(("items", -1, *p) for p in _LISTS), *((-1, *p) for p in _LISTS))
_NAMES = frozenset({"workflowExecution", "execution", "workflow_execution", "workflowExecutionInfo"})


@dataclass(frozen=True, slots=True)
class Event:
    """One history event; `number` is null when the export lost it."""

    number: int | None
    type: str
    when: Instant
    attributes: dict[str, object]
    place: Place

    def get(self, name: str) -> object:
        """An attribute by its camel-case name, however it is spelled."""
        return self.attributes.get(name, self.attributes.get(_snake(name)))


@dataclass(slots=True)
class History:
    """The events of one run in the order of the file, and the ids that the export gives beside them."""

    events: list[Event] = field(default_factory=list)
    workflow_id: str | None = None
    run_id: str | None = None


def histories(text: JsonText, data: bytes) -> list[History]:
    """Every history of a document."""
    if _ONE_A_LINE.match(data.removeprefix(b"\xef\xbb\xbf")) and not re.search(rb'"events"\s*:\s*\[', data[:4096]):
        return _from_lines(text)
    found: dict[tuple[int, Path], History] = {}
    for leaf in text.walk(opens_only(*_LISTS, *(_MANY if _holds_many(data) else ()))):
        if not leaf.path:
            continue
        where = (text.roots, _history_path(leaf.path))
        event = _event(leaf) if isinstance(leaf.path[-1], int) else None
        if event is not None:
            found.setdefault(where, History()).events.append(event)
        elif isinstance(leaf.path[-1], str):
            _name(found.setdefault(where, History()), leaf.path[-1], leaf.value)
    return [h for h in found.values() if h.events]


def _holds_many(data: bytes) -> bool:
    """Whether the elements of the root are histories; by the first key that tells."""
    first = _FIRST_KEY.search(data)
    return first is not None and (first[1] == b"items" or (first[1] in (b"history", b"events") and _is_array(data)))


def _is_array(data: bytes) -> bool:
    return data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def _history_path(path: Path) -> Path:
    """The part of a path that tells one history from the next: up to the index of its element."""
    if path[:1] == ("items",):
        return path[:2]
    return path[:1] if isinstance(path[0], int) and len(path) > 1 else ()


def _from_lines(text: JsonText) -> list[History]:
    """Events one a line; an event of the number 1 after others begins the next history."""
    found = [History()]
    for leaf in text.lines():
        event = _event(leaf)
        if event is None:
            continue
        if event.number == 1 and any(e.number != 1 for e in found[-1].events):
            found.append(History())
        found[-1].events.append(event)
    return [h for h in found if h.events]


def _name(history: History, key: str, value: object) -> None:
    """Ids beside the events: of their own, or in an execution object."""
    holder = value if key in _NAMES else {key: value}
    inner = member(holder, "execution")
    for part in (holder, inner):
        history.workflow_id = history.workflow_id or _either(part, "workflowId", "workflow_id")
        history.run_id = history.run_id or _either(part, "runId", "run_id")


def _either(holder: object, *keys: str) -> str | None:
    return next((t for k in keys if (t := text_of(member(holder, k)))), None)


def _event(leaf: Leaf) -> Event | None:
    """The event that a leaf is; None for anything else."""
    members = leaf.members
    if not members:
        return None
    key = next((k for k in members if k.endswith(("EventAttributes", "_event_attributes"))), "")
    inner = members.get(key, members.get("attributes"))
    return Event(
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


def words(name: str, without: str = "") -> str:
    """`ActivityTaskTimedOut` -> `activity task timed out`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removeprefix(without)).lower()


def numbered(history: History) -> Iterator[tuple[int, Event]]:
    """Events by number, the first of equal numbers."""
    seen: set[int] = set()
    for event in history.events:
        if event.number is not None and event.number not in seen:
            seen.add(event.number)
            yield event.number, event
