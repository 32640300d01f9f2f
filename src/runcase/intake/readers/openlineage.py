"""OpenLineage run events: JSON lines, an array, or one object (spec 1.x and 2.x)."""

from __future__ import annotations

import re
from typing import Any

from runcase.intake.instants import instant
from runcase.intake.json_spans import JsonText, Leaf
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, list_of, member, number_of, text_of
from runcase.intake.readers.stated_version import stated

_MARK = re.compile(rb'"eventType"\s*:\s*"(?:START|RUNNING|COMPLETE|ABORT|FAIL|OTHER)"')
_RUN = re.compile(rb'"runId"\s*:')
_KINDS = {
    "START": "attempt.started",
    "RUNNING": "heartbeat",
    "COMPLETE": "run.finished",
    "ABORT": "run.finished",
    "FAIL": "run.finished",
}
_STATUS = {"COMPLETE": "succeeded", "ABORT": "cancelled", "FAIL": "failed"}


class OpenLineage(DocumentReader):
    """Run events of any number of runs."""

    name = "openlineage"
    versions = "OpenLineage 1.x and 2.x RunEvents, JSON lines, arrays, single objects"
    stated_version = stated(
        rb'"schemaURL"\s*:\s*"https?://openlineage\.io/spec/(\d[\w.-]*)/OpenLineage\.json', rb"[12]-.*"
    )

    def recognises(self, sniff: Sniff) -> Taken | None:
        """An event type of the specification and a run id."""
        if not sniff.head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")):
            return None
        found = len(_MARK.findall(sniff.head))
        return Taken(f"{found} run events", 88) if found and _RUN.search(sniff.head) else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """A record an event, with the datasets that it names as claims."""
        text = JsonText(data, path)
        draft = Draft(data, problems=text.problems)
        for leaf in text.items():
            _tell(leaf, draft)
        return draft.facts()


def _tell(leaf: Leaf, draft: Draft) -> None:
    event = leaf.members
    place = Place(leaf.start, leaf.length)
    word = text_of(event.get("eventType")) or ""
    run_id = text_of(member(event.get("run"), "runId"))
    job = text_of(member(event.get("job"), "name"))
    facets = member(event.get("run"), "facets")
    error = text_of(member(facets, "errorMessage", "message"))
    parent = text_of(member(facets, "parent", "run", "runId"))
    when = instant(event.get("eventTime"))
    datasets = [
        _claim(place, item, action, draft, {"run_id": run_id, "stage": job, "ts": when[0]})
        for key, action in (("inputs", "read"), ("outputs", "written"))
        for item in list_of(event.get(key))
    ]
    draft.record(
        place,
        _KINDS.get(word, "log"),
        f"{job or 'job'} {word or 'event'}" + (f": {error.splitlines()[0]}" if error else ""),
        when,
        (error, text_of(member(facets, "errorMessage", "stackTrace"))),
        {
            "status": _STATUS.get(word),
            "job": job,
            "namespace": text_of(member(event.get("job"), "namespace")),
            "parent_run_id": parent,
            "root_run_id": text_of(member(facets, "parent", "root", "run", "runId")),
            "producer": text_of(event.get("producer")),
            "error": error,
            "error_name": word if word == "FAIL" and error else None,
        },
        level="error" if word == "FAIL" or error else None,
        run_id=run_id,
        artifacts=[d for d in datasets if d],
    )


def _claim(place: Place, item: object, action: str, draft: Draft, known: dict[str, Any]) -> str | None:
    """Claims one dataset; its id is `namespace/name`, as the specification identifies it."""
    parts = [text_of(member(item, key)) for key in ("namespace", "name")]
    name = "/".join(p for p in parts if p)
    if not name:
        return None
    size = number_of(member(item, "outputFacets", "outputStatistics", "size"))
    version = text_of(member(item, "facets", "version", "datasetVersion"))
    draft.artifact(place, name, action, path=parts[1], size_bytes=size, checksum=version, role="dataset", **known)
    return name
