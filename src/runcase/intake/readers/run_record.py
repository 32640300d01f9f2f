"""Run records and manifests: JSON of a system's own that names a run and its state, or its artifacts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from runcase.intake.ndjson import Broken, lines, whole
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.rows import instant, record, records
from runcase.model.tables import ARTIFACTS

_RUN_KEY = re.compile(rb'"run_?[iI]d"\s*:\s*"')
_STATE_KEY = re.compile(rb'"(?:status|state)"\s*:')
_TIME_KEY = re.compile(rb'"(?:created|started|claimed|updated|finished)_?[aA]t"\s*:')
_ARTIFACT_KEY = re.compile(rb'"artifact(?:_?[iI]d)?"\s*:')
_DIGEST_KEY = re.compile(rb'"(?:sha256|sha1|md5|checksum|digest)"\s*:')

_STATUSES = {
    "succeeded": "succeeded success completed complete done ok passed",
    "failed": "failed failure error errored crashed",
    "cancelled": "cancelled canceled aborted killed",
    "timed_out": "timed_out timeout timedout",
    "running": "running started in_progress active queued pending claimed",
}
STATUS_WORDS = {word: status for status, words in _STATUSES.items() for word in words.split()}
"""Words of status columns -> statuses of the model."""


class RunRecord(DocumentReader):
    """One JSON object that names a run, its status and its times."""

    name = "run_record"
    versions = "any JSON object with run_id, status and *_at"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """A run id, a status and a time, in one object."""
        head = sniff.head.strip()
        if not head.startswith(b"{") or not sniff.complete or not _RUN_KEY.search(head):
            return None
        if not _STATE_KEY.search(head) or not _TIME_KEY.search(head) or not isinstance(whole(head), dict):
            return None
        return Taken("a JSON object with a run id, a status and times", 60)

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """One record: what the record claims. A claim is no proof; the analysis weighs it."""
        value = whole(data)
        if not isinstance(value, dict):
            return DocumentFacts()
        stated = str(value.get("status") or value.get("state") or "").lower()
        fields = {k: v for k, v in value.items() if isinstance(v, (str, int, float, bool)) or v is None}
        fields["claimed_status"] = STATUS_WORDS.get(stated, stated or None)
        at = instant(value.get("updated_at") or value.get("finished_at") or value.get("created_at"))
        row = record(
            0,
            len(data),
            f"run record: status {stated or 'not stated'}",
            at,
            kind="log.run_record",
            run_id=_text(value, "run_id", "runId"),
            attempt=value["attempt"] if isinstance(value.get("attempt"), int) else None,
            workspace_id=_text(value, "workspace_id", "workspaceId"),
            trace_id=_text(value, "trace_id", "traceId"),
            fields=fields,
        )
        return DocumentFacts(records=records([row], data))


class Manifest(DocumentReader):
    """JSON lines, one artifact a line."""

    name = "manifest"
    versions = "JSON lines with artifact_id and a path or checksum"
    describes_run = False

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Lines that are objects with an artifact and a digest."""
        first = sniff.head.lstrip().split(b"\n", 1)[0]
        if first.startswith(b"{") and _ARTIFACT_KEY.search(first) and _DIGEST_KEY.search(first):
            return Taken("JSON lines that name artifacts and their digests", 60)
        return None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """One record and one `listed` claim a row."""
        rows, claims, problems = [], [], []
        for found in lines(data):
            if isinstance(found, Broken):
                problems.append(found.problem(path))
            elif isinstance(found.value, dict):
                claim = _claim(found.value)
                rows.append(_manifest_row(found.start, found.length, found.value, claim))
                place = {"source_id": "", "byte_start": found.start, "byte_len": found.length}
                claims.append({**claim, **place, "ts": rows[-1]["ts"]})
        artifacts = ARTIFACTS.frame([c for c in claims if c["artifact_id"]])
        return DocumentFacts(records=records(rows, data), artifacts=artifacts, problems=problems)


def _claim(value: Mapping[str, Any]) -> dict[str, Any]:
    digest = next(((k, value[k]) for k in ("sha256", "sha1", "md5") if value.get(k)), None)
    checksum = f"{digest[0]}:{digest[1]}" if digest else _text(value, "checksum", "digest")
    size = next((value[k] for k in ("size_bytes", "size", "bytes") if isinstance(value.get(k), int)), None)
    return {
        "run_id": _text(value, "run_id", "runId"),
        "attempt": value["attempt"] if isinstance(value.get("attempt"), int) else None,
        "artifact_id": _text(value, "artifact_id", "artifactId", "artifact", "path"),
        "action": "listed",
        "role": _text(value, "role", "kind", "type"),
        "path": _text(value, "path", "uri", "location"),
        "size_bytes": size,
        "checksum": checksum,
        "stage": _text(value, "stage", "step"),
    }


def _manifest_row(start: int, length: int, value: Mapping[str, Any], claim: Mapping[str, Any]) -> dict[str, Any]:
    row = record(
        start,
        length,
        f"manifest row: {claim['artifact_id']}",
        instant(value.get("ts") or value.get("time") or value.get("created_at")),
        kind="log.manifest_row",
        stage=claim["stage"],
        run_id=claim["run_id"],
        attempt=claim["attempt"],
        fields=dict(value),
    )
    return row | {"artifacts": [claim["artifact_id"]] if claim["artifact_id"] else []}


def _text(value: Mapping[str, Any], *keys: str) -> str | None:
    found = next((value[k] for k in keys if value.get(k) not in (None, "")), None)
    if found is None:
        return None
    return found if isinstance(found, str) else json.dumps(found)
