"""Manifests as JSON lines: rows that name artifacts with path, size and digest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from runcase.intake.instants import instant
from runcase.intake.json_spans import JsonText, Leaf
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, number_of, text_of

_NAMED = re.compile(rb'"(?:artifact(?:_?[iI]d)?|path|file|filename|uri)"\s*:\s*"')
_DIGESTED = re.compile(rb'"(?:sha256|sha1|sha512|md5|checksum|digest)"\s*:\s*"')
_GONE = ("expired", "deleted", "purged")
_DIGESTS = ("sha256", "sha512", "sha1", "md5")


class Manifest(DocumentReader):
    """One artifact a line."""

    name = "manifest"
    versions = "JSON lines with artifact_id or path, and a size or checksum"
    describes_run = False

    def recognises(self, sniff: Sniff) -> Taken | None:
        """A first line that is an object with an artifact and a digest, and no message as a log has one."""
        first = sniff.head.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0]
        if not first.startswith(b"{") or re.search(rb'"(?:msg|message|level)"\s*:', first):
            return None
        if _NAMED.search(first) and _DIGESTED.search(first):
            return Taken("JSON lines that name artifacts and their digests", 60)
        return None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """One record and one `listed` claim a row; a row that names no artifact is a record only."""
        text = JsonText(data, path)
        draft = Draft(data, problems=text.problems)
        for leaf in text.lines():
            _tell(leaf, draft)
        return draft.facts()


def _tell(leaf: Leaf, draft: Draft) -> None:
    row = leaf.members
    place = Place(leaf.start, leaf.length)
    artifact_id = _first(row, "artifact_id", "artifactId", "artifact", "id", "path", "file", "filename", "uri")
    when = instant(row.get("ts") or row.get("time") or row.get("created_at"))
    ids: dict[str, Any] = {
        "run_id": _first(row, "run_id", "runId"),
        "attempt": number_of(row.get("attempt")),
        "stage": _first(row, "stage", "step"),
    }
    summary = f"manifest row: {artifact_id or 'names no artifact'}"
    named = [artifact_id] if artifact_id else []
    draft.record(place, "log.manifest_row", summary, when, fields=row, artifacts=named, **ids)
    if artifact_id is None:
        return
    digest = next((f"{name}:{row[name]}" for name in _DIGESTS if isinstance(row.get(name), str)), None)
    if _is_gone(row):
        draft.artifact(place, artifact_id, "expired", ts=when[0], **ids)
    draft.artifact(
        place,
        artifact_id,
        "listed",
        role=_first(row, "role", "kind", "type"),
        path=_first(row, "path", "file", "filename", "uri", "location"),
        size_bytes=next((n for k in ("size_bytes", "size", "bytes") if (n := number_of(row.get(k))) is not None), None),
        checksum=digest or _first(row, "checksum", "digest"),
        ts=when[0],
        **ids,
    )


def _is_gone(row: Mapping[str, object]) -> bool:
    """Whether the row itself says that its artifact was deleted: it is a tombstone."""
    state = (_first(row, "state", "status") or "").lower()
    return state in _GONE or text_of(row.get("deleted_at")) is not None


def _first(row: Mapping[str, object], *keys: str) -> str | None:
    return next((text for k in keys if (text := text_of(row.get(k)))), None)
