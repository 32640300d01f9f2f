"""Jaeger and Zipkin traces as their query interfaces return them (Jaeger 1.x, Zipkin v2)."""

from __future__ import annotations

import re
from datetime import timedelta

from runcase.intake.instants import since_epoch
from runcase.intake.json_spans import JsonText, Leaf, Path, opens_only
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, list_of, member, number_of, text_of
from runcase.intake.readers.otlp import run_of

_JAEGER = re.compile(rb'"traceID"\s*:\s*"[0-9a-fA-F]+"')
_OPERATION = re.compile(rb'"operationName"\s*:')
_ZIPKIN = re.compile(rb'"traceId"\s*:\s*"[0-9a-fA-F]{16,32}"')
_ENDPOINT = re.compile(rb'"(?:localEndpoint|remoteEndpoint|parentId)"\s*:')
_KINDS = {"client": "tool", "server": "invocation", "producer": "queue", "consumer": "invocation"}
_OPENS = opens_only((), ("data",), ("data", -1), ("data", -1, "spans"), ("spans",), (-1,), (-1, "spans"))


class Jaeger(DocumentReader):
    """Traces with their processes."""

    name = "jaeger"
    versions = "Jaeger 1.x JSON"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Spans with `traceID` and `operationName`."""
        found = len(_JAEGER.findall(sniff.head))
        return Taken(f"{found} Jaeger spans", 88) if found and _OPERATION.search(sniff.head) else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """A record and a span a span; tags of its process are among the attributes."""
        text = JsonText(data, path)
        draft = Draft(data, problems=text.problems)
        processes: dict[Path, dict[str, object]] = {}
        spans: list[Leaf] = []
        for leaf in text.walk(_OPENS):
            if leaf.path[-1:] == ("processes",):
                processes[leaf.path[:-1]] = leaf.members
            elif len(leaf.path) > 1 and leaf.path[-2] == "spans":
                spans.append(leaf)
        for leaf in spans:
            process = processes.get(leaf.path[:-2], {}).get(text_of(leaf.members.get("processID")) or "")
            _jaeger_span(leaf, process, draft)
        return draft.facts()


class Zipkin(DocumentReader):
    """An array of spans, or one of traces."""

    name = "zipkin"
    versions = "Zipkin v2 JSON"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Spans with `traceId` and an endpoint or a parent."""
        if not sniff.head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
            return None
        found = len(_ZIPKIN.findall(sniff.head))
        return Taken(f"{found} Zipkin spans", 80) if found and _ENDPOINT.search(sniff.head) else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """A record and a span a span."""
        text = JsonText(data, path)
        draft = Draft(data, problems=text.problems)
        nested = re.match(rb"(?:\xef\xbb\xbf)?\s*\[\s*\[", data) is not None
        for leaf in text.walk(opens_only((), (-1,)) if nested else opens_only(())):
            _zipkin_span(leaf, draft)
        return draft.facts()


def _jaeger_span(leaf: Leaf, process: object, draft: Draft) -> None:
    span = leaf.members
    tags = {str(member(t, "key")): member(t, "value") for t in list_of(span.get("tags"))}
    parents = [r for r in list_of(span.get("references")) if member(r, "refType") == "CHILD_OF"]
    service = text_of(member(process, "serviceName"))
    failed = tags.get("error") in (True, "true") or tags.get("otel.status_code") == "ERROR"
    parent = text_of(member(parents, 0, "spanID")) or text_of(span.get("parentSpanID"))
    ids = (text_of(span.get("traceID")), text_of(span.get("spanID")), parent)
    error = text_of(tags.get("otel.status_description")) or text_of(tags.get("error.message"))
    kind = _KINDS.get(text_of(tags.get("span.kind")) or "", "other")
    _span(
        leaf,
        draft,
        ids,
        text_of(span.get("operationName")),
        kind,
        span.get("startTime"),
        failed,
        error,
        {**tags, "service": service},
    )


def _zipkin_span(leaf: Leaf, draft: Draft) -> None:
    span = leaf.members
    given = span.get("tags")
    tags: dict[str, object] = dict(given) if isinstance(given, dict) else {}
    service = text_of(member(span.get("localEndpoint"), "serviceName"))
    ids = (text_of(span.get("traceId")), text_of(span.get("id")), text_of(span.get("parentId")))
    kind = _KINDS.get((text_of(span.get("kind")) or "").lower(), "other")
    error = text_of(tags.get("error"))
    _span(
        leaf,
        draft,
        ids,
        text_of(span.get("name")),
        kind,
        span.get("timestamp"),
        "error" in tags,
        error,
        {**tags, "service": service},
    )


def _span(
    leaf: Leaf,
    draft: Draft,
    ids: tuple[str | None, str | None, str | None],
    name: str | None,
    kind: str,
    micros: object,
    failed: bool,
    error: str | None,
    attributes: dict[str, object],
) -> None:
    """Both facts of one span; `ids` are those of trace, span and parent."""
    place = Place(leaf.start, leaf.length)
    when = since_epoch(micros, 1_000_000)
    took = number_of(leaf.members.get("duration"))
    end = (
        when[0] + timedelta(microseconds=took)
        if when[0] is not None and took is not None and 0 <= took < 2**53
        else None
    )
    trace = (ids[0] or "").lower().rjust(32, "0") if ids[0] else None
    known = {"trace_id": trace, "run_id": run_of(attributes)}
    words = (name or "span") + (f": {error}" if failed and error else "")
    level = "error" if failed else None
    record = "error.span" if failed else "log.span"
    draft.record(
        place,
        record,
        words,
        when,
        fields=attributes,
        level=level,
        duration_us=took,
        span_id=ids[1],
        trace_id=known["trace_id"],
        run_id=known["run_id"],
    )
    status = "error" if failed else "open" if end is None else "unset"
    draft.span(
        place,
        ids[1] or f"span-{place.start}",
        name or "span",
        kind=kind,
        parent_span_id=ids[2],
        start=when[0],
        end=end,
        status=status,
        error=error if failed else None,
        attributes=attributes,
        **known,
    )
