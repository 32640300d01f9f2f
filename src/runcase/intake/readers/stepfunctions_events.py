"""The events of Step Functions executions, however an export lays them out.

`get-execution-history` as one or more pages, in either order; an array or JSON
lines of such; the log events of Express workflows, one a line, bare or inside the
messages of a CloudWatch Logs export.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from runcase.intake.instants import Instant, instant
from runcase.intake.json_spans import JsonText, Leaf, opens_only
from runcase.intake.readers.draft import Place, number_of, text_of

_EVENTS = opens_only((), ("events",), (-1,), (-1, "events"))
_BARE = opens_only((), ("events",))
_ONE_A_LINE = re.compile(rb'\s*(?:\d{4}-\S+ )?\{[^\n]*"(?:execution_arn|previous_event_id)"')
_PAGES = re.compile(rb'(?:\xef\xbb\xbf)?\s*\[\s*\{\s*"(?:events|nextToken|executionArn)"')


@dataclass(frozen=True, slots=True)
class Event:
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
        value = self.details.get("cause")
        return json.dumps(value, default=str) if isinstance(value, dict | list) else text_of(value)


@dataclass(slots=True)
class Execution:
    """The events of one execution in the order of the file; `more` says that further pages exist."""

    arn: str | None = None
    events: list[Event] = field(default_factory=list)
    more: bool = False

    def clashes(self, page: list[Event]) -> bool:
        """Whether a page gives other events for numbers that are taken: it is of another execution."""
        taken = {e.number: (e.type, e.when[0]) for e in self.events if e.number is not None}
        return any(e.number in taken and taken[e.number] != (e.type, e.when[0]) for e in page)


def executions(text: JsonText, data: bytes) -> list[Execution]:
    """Every execution of a document."""
    head = data.removeprefix(b"\xef\xbb\xbf")
    if _ONE_A_LINE.match(head):
        return _from_lines(text)
    pages: dict[tuple[int, object], Execution] = {}
    for leaf in text.walk(_EVENTS if _PAGES.match(data) else _BARE):
        if not leaf.path:
            continue
        inside = isinstance(leaf.path[0], int) and len(leaf.path) > 1
        page = pages.setdefault((text.roots, leaf.path[0] if inside else None), Execution())
        if isinstance(leaf.path[-1], int):
            page.events.append(_event(leaf))
        elif leaf.path[-1] == "executionArn":
            page.arn = text_of(leaf.value)
        elif leaf.path[-1] == "nextToken":
            page.more = bool(leaf.value)
    return _joined([p for p in pages.values() if p.events])


def _joined(pages: list[Execution]) -> list[Execution]:
    """Pages of one execution put together; a page follows the one before unless its numbers are taken."""
    found: list[Execution] = []
    for page in pages:
        last = found[-1] if found else None
        if last is None or (page.arn and page.arn != last.arn) or last.clashes(page.events):
            found.append(page)
        else:
            last.events += page.events
            last.more = page.more
    return found


def _from_lines(text: JsonText) -> list[Execution]:
    """Log events, each with the ARN of its execution."""
    found: dict[str | None, Execution] = {}
    for leaf in text.lines():
        for members in _messages(leaf.members):
            arn = text_of(members.get("execution_arn"))
            found.setdefault(arn, Execution(arn)).events.append(_log_event(members, Place(leaf.start, leaf.length)))
    return list(found.values())


def _messages(members: dict[str, object]) -> Iterator[dict[str, object]]:
    """The log event of a line: itself, or in its `message`."""
    inner = members.get("message")
    if isinstance(inner, str) and "execution_arn" not in members:
        try:
            inner = json.loads(inner)
        except (ValueError, RecursionError):
            return
    yield inner if isinstance(inner, dict) else members


def _event(leaf: Leaf) -> Event:
    members = leaf.members
    message = members.get("message")
    if isinstance(message, str) and "type" not in members:
        inner = next(_messages(members), {})
        return _log_event(inner, Place(leaf.start, leaf.length))
    inner = next((v for k, v in members.items() if k.endswith("EventDetails") and isinstance(v, dict)), {})
    return Event(
        number_of(members.get("id")),
        number_of(members.get("previousEventId")) or 0,
        text_of(members.get("type")) or "",
        instant(members.get("timestamp")),
        inner,
        Place(leaf.start, leaf.length),
    )


def _log_event(members: dict[str, object], place: Place) -> Event:
    """An event as Express workflows log it (log levels ALL and ERROR; the latter leaves gaps)."""
    details = members.get("details")
    return Event(
        number_of(members.get("id")),
        number_of(members.get("previous_event_id")) or 0,
        text_of(members.get("type")) or "",
        instant(members.get("event_timestamp")),
        details if isinstance(details, dict) else {},
        place,
    )


def cause_words(cause: str | None) -> str | None:
    """The line of a cause that a person wants: services wrap it in JSON of their own, nested executions more than once.

    Lambda: errorType, errorMessage; nested executions: Error, Cause; ECS and Batch:
    StoppedReason or StatusReason and the containers' exit codes; Glue: ErrorMessage.
    """
    for _ in range(5):
        found = _unwrapped(cause)
        if found is None or found == cause:
            break
        cause = found
    return cause.strip().split("\n")[0][:400] if cause and cause.strip() else None


def _unwrapped(cause: str | None) -> str | None:
    if not cause or not cause.lstrip().startswith("{"):
        return cause
    try:
        given = json.loads(cause)
    except (ValueError, RecursionError):
        return cause
    parts: list[object] = [given.get(k) for k in ("errorType", "Error")]
    parts += [given.get(k) for k in ("errorMessage", "Cause", "ErrorMessage", "StoppedReason", "StatusReason")]
    for container in _containers(given):
        parts += [container.get("Reason"), _exit(container.get("ExitCode"))]
    said = [t for p in parts if (t := text_of(p))]
    return ": ".join(dict.fromkeys(said)) or cause


def _containers(given: dict[str, object]) -> list[dict[str, object]]:
    listed = given.get("Containers")
    rows = [*(listed if isinstance(listed, list) else []), given.get("Container")]
    return [r for r in rows if isinstance(r, dict)]


def _exit(code: object) -> str | None:
    return f"exit code {code}" if number_of(code) else None
