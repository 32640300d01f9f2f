"""OpenTelemetry as OTLP/JSON: traces and logs, one or many requests in a file.

Ids are hex by the specification, base64 with some exporters; nanoseconds are
strings; order is not guaranteed (opentelemetry-proto 0.9 to 1.x).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Set
from typing import Any

from runcase.intake.instants import NOWHEN, Instant, since_epoch
from runcase.intake.json_spans import JsonText, Leaf, Path
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, list_of, member, number_of, text_of
from runcase.intake.readers.error_names import class_of

_Key = tuple[int, Path]
"""A request of the file and a resource in it."""

_MARK = re.compile(rb'"resource(Spans|Logs|Metrics)"\s*:\s*\[')
_LISTS = frozenset({"resourceSpans", "resourceLogs", "resourceMetrics", "scopeSpans", "scopeLogs", "scopeMetrics"})
_OLDER = frozenset({"instrumentationLibrarySpans", "instrumentationLibraryLogs"})
_LEAVES = frozenset({"spans", "logRecords", "metrics"})
_RUN_KEYS = ("run_id", "run.id", "cicd.pipeline.run.id", "workflow.run_id", "dagster.run_id", "job.run_id")
_SPAN_KINDS = {2: "invocation", 3: "tool", 4: "queue", 5: "invocation"}
_SPAN_KIND_NAMES = {"SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}
_LEVELS = ((21, "fatal"), (17, "error"), (13, "warning"), (9, "info"), (5, "debug"), (1, "trace"))


class Otlp(DocumentReader):
    """Spans, log records and metrics."""

    name = "otlp"
    versions = "OTLP/JSON of opentelemetry-proto 0.9 to 1.x, objects or JSON lines"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """The list of resources that every request opens with."""
        found = _MARK.search(sniff.head)
        return Taken(f"OTLP {found[1].decode().lower()}", 88) if found else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """A record and a span a span; a record a log record, for the rules to name."""
        text = JsonText(data, path)
        draft = Draft(data, problems=text.problems)
        resources: dict[_Key, dict[str, object]] = {}
        found: list[tuple[_Key, Leaf]] = []
        for leaf in text.walk(_opens):
            if leaf.path[-1:] == ("resource",):
                resources[text.roots, leaf.path[:2]] = attributes_of(leaf.members.get("attributes"))
            elif len(leaf.path) > 1 and leaf.path[-2] in _LEAVES:
                found.append(((text.roots, leaf.path[:2]), leaf))
        above = {parent for _, leaf in found if _failed(leaf.members) for parent in _parent(leaf.members)}
        for key, leaf in found:
            _tell(leaf, resources.get(key, {}), draft, above)
        return draft.facts()


def _opens(path: Path) -> bool:
    if not path or isinstance(path[-1], str):
        return not path or path[-1] in _LISTS | _OLDER | _LEAVES
    return len(path) > 1 and path[-2] in _LISTS | _OLDER


def _tell(leaf: Leaf, resource: Mapping[str, object], draft: Draft, above: Set[tuple[str, str]]) -> None:
    kind = leaf.path[-2]
    if kind == "spans":
        _span(leaf, resource, draft, above)
    elif kind == "logRecords":
        _log(leaf, resource, draft)
    else:
        name = text_of(leaf.members.get("name"))
        draft.record(Place(leaf.start, leaf.length), "log.metric", f"metric {name}", fields=resource)


def attributes_of(value: object) -> dict[str, object]:
    """A list of key and typed value as a plain mapping."""
    rows = [a for a in value if isinstance(a, dict)] if isinstance(value, list) else []
    return {str(a.get("key")): _plain(a.get("value")) for a in rows}


def _plain(value: object) -> object:
    if not isinstance(value, dict) or not value:
        return value
    kind, inner = next(iter(value.items()))
    if kind == "arrayValue":
        return [_plain(v) for v in list_of(member(inner, "values"))]
    if kind == "kvlistValue":
        return attributes_of(member(inner, "values"))
    return number_of(inner) if kind == "intValue" else inner


def hex_id(value: object, size: int) -> str | None:
    """An id of `size` bytes as lower-case hex, from hex or base64; null when it is none, or all zeros."""
    text = text_of(value) or ""
    if len(text) != 2 * size:
        try:
            text = base64.b64decode(text, validate=True).hex()
        except (binascii.Error, ValueError):
            return None
    text = text.lower()
    return text if re.fullmatch(rf"[0-9a-f]{{{2 * size}}}", text) and text.strip("0") else None


def run_of(*attributes: Mapping[str, object]) -> str | None:
    """The run that attributes name, by the keys in use."""
    return next((run for given in attributes for key in _RUN_KEYS if (run := text_of(given.get(key)))), None)


def _nanos(value: object) -> Instant:
    return since_epoch(value, 1_000_000_000) if value not in (None, "0", 0) else NOWHEN


def _failed(span: Mapping[str, object]) -> bool:
    return text_of(member(span.get("status"), "code")) in ("2", "STATUS_CODE_ERROR")


def _parent(span: Mapping[str, object]) -> list[tuple[str, str]]:
    """Trace and span id of the parent; none for a root."""
    trace, parent = hex_id(span.get("traceId"), 16), hex_id(span.get("parentSpanId"), 8)
    return [(trace, parent)] if trace and parent else []


def _cause(span: Mapping[str, object], attributes: Mapping[str, object]) -> dict[str, object]:
    """The error of a span that failed by itself: the exception's type, or what the attributes call it."""
    raised = [attributes_of(member(e, "attributes")) for e in list_of(span.get("events"))]
    types = [t for given in raised if (t := text_of(given.get("exception.type")))]
    name = next(iter(types), None) or text_of(attributes.get("error.type")) or "STATUS_CODE_ERROR"
    return {"error_name": name, "failure": class_of(name) if name != "STATUS_CODE_ERROR" else None}


def _span(leaf: Leaf, resource: Mapping[str, object], draft: Draft, above: Set[tuple[str, str]]) -> None:
    """Spans `above` only pass on that one below them failed."""
    span = leaf.members
    place = Place(leaf.start, leaf.length)
    attributes = attributes_of(span.get("attributes"))
    start, end = _nanos(span.get("startTimeUnixNano")), _nanos(span.get("endTimeUnixNano"))
    code = text_of(member(span.get("status"), "code"))
    failed = _failed(span)
    errors = [_exception(e) for e in list_of(span.get("events")) if member(e, "name") == "exception"]
    error = text_of(member(span.get("status"), "message")) or next((e for e in errors if e), None)
    name = text_of(span.get("name")) or "span"
    ids: dict[str, Any] = {
        "trace_id": hex_id(span.get("traceId"), 16),
        "run_id": run_of(attributes, resource),
        "attempt": None,
    }
    span_id = hex_id(span.get("spanId"), 8)
    draft.span(
        place,
        span_id or f"span-{place.start}",
        name,
        kind=_span_kind(span.get("kind")),
        parent_span_id=hex_id(span.get("parentSpanId"), 8),
        start=start[0],
        end=end[0],
        status=_status(failed, code, end),
        error=error if failed or errors else None,
        attributes={**resource, **attributes},
        **ids,
    )
    took = None if start[0] is None or end[0] is None else round((end[0] - start[0]).total_seconds() * 1_000_000)
    words = f"{name}: {error.splitlines()[0]}" if failed and error else f"{name} failed" if failed else name
    kind = "error.span" if failed else "log.span"
    itself = failed and (ids["trace_id"], span_id) not in above
    fields = {**resource, **attributes, **(_cause(span, attributes) if itself else {})}
    draft.record(
        place,
        kind,
        words,
        start,
        errors,
        fields,
        level="error" if failed else None,
        duration_us=took,
        span_id=span_id,
        **ids,
    )


def _status(failed: bool, code: str | None, end: Instant) -> str:
    if failed:
        return "error"
    if end[0] is None:
        return "open"
    return "ok" if code in ("1", "STATUS_CODE_OK") else "unset"


def _span_kind(value: object) -> str:
    text = text_of(value) or ""
    number = number_of(value) if not text.startswith("SPAN_KIND_") else _SPAN_KIND_NAMES.get(text[10:])
    return _SPAN_KINDS.get(number or 0, "other")


def _exception(event: object) -> str | None:
    given = attributes_of(member(event, "attributes"))
    head = ": ".join(t for k in ("exception.type", "exception.message") if (t := text_of(given.get(k))))
    return "\n".join(t for t in (head, text_of(given.get("exception.stacktrace"))) if t) or None


def _log(leaf: Leaf, resource: Mapping[str, object], draft: Draft) -> None:
    row = leaf.members
    attributes = attributes_of(row.get("attributes"))
    when = _nanos(row.get("timeUnixNano"))
    when = when if when[0] is not None else _nanos(row.get("observedTimeUnixNano"))
    number = number_of(row.get("severityNumber")) or 0
    body = _plain(row.get("body"))
    draft.record(
        Place(leaf.start, leaf.length),
        None,
        text_of(body) or text_of(row.get("eventName")) or str(body or ""),
        when,
        fields={**resource, **attributes},
        level=next((level for least, level in _LEVELS if number >= least), None),
        trace_id=hex_id(row.get("traceId"), 16),
        span_id=hex_id(row.get("spanId"), 8),
        run_id=run_of(attributes, resource),
    )
