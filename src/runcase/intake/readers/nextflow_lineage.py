"""Nextflow's lineage store: `.lineage/<hash>/.data.json`, one record a file (lineage/v1beta1, Nextflow 25.04 on).

Records name each other by `lid://` ids; the run of all of them is the workflow
run, whose own id is its folder.
"""

from __future__ import annotations

import re
from typing import Any

from runcase.intake.instants import instant
from runcase.intake.json_spans import JsonText, Leaf
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, list_of, member, number_of, text_of
from runcase.intake.readers.stated_version import stated

_VERSION = re.compile(rb'"version"\s*:\s*"lineage/v\d\w*"')
_FOLDER = re.compile(r"([0-9a-f]{32})/\.data\.json$")
_OUTPUTS = ("FileOutput", "TaskOutput", "WorkflowOutput")


class NextflowLineage(DocumentReader):
    """One record of the store."""

    name = "nextflow_lineage"
    versions = "Nextflow lineage/v1beta1 (25.04 on)"
    stated_version = stated(rb'"version"\s*:\s*"lineage/(v\d\w*)"', rb"v1beta1")
    describes_run = False

    def recognises(self, sniff: Sniff) -> Taken | None:
        """A version of the lineage model."""
        return Taken("a record of the lineage model", 88) if _VERSION.search(sniff.head[:4096]) else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """One record, and claims of the files that it names."""
        text = JsonText(data, path)
        draft = Draft(data, problems=text.problems)
        for leaf in text.walk(lambda _: False):
            _tell(leaf, path, draft)
        return draft.facts()


def _tell(leaf: Leaf, path: str, draft: Draft) -> None:
    whole = leaf.members
    inner = whole.get("spec")
    spec: dict[str, Any] = inner if isinstance(inner, dict) else whole
    kind = text_of(whole.get("kind")) or text_of(whole.get("type")) or "record"
    place = Place(leaf.start, leaf.length)
    folder = _FOLDER.search(path)
    run = text_of(spec.get("workflowRun")) or (f"lid://{folder[1]}" if folder and kind == "WorkflowRun" else None)
    name = text_of(spec.get("name"))
    known: dict[str, Any] = {"run_id": text_of(spec.get("sessionId")), "workspace_id": run}
    stage = name if kind == "TaskRun" else _task(spec)
    words = f"{kind} {name or text_of(spec.get('path')) or ''}".strip()
    fields = {"job": name if kind == "WorkflowRun" else None, "task_run": text_of(spec.get("taskRun"))}
    when = instant(spec.get("createdAt"))
    draft.record(place, f"log.lineage_{kind.lower()}", words, when, fields=fields, stage=stage, **known)
    if kind == "FileOutput":
        _file(draft, place, spec, text_of(spec.get("path")), "written", stage, run, known)
    elif kind in ("TaskRun", "WorkflowRun"):
        given = list_of(spec.get("input")) + list_of(spec.get("params"))
        for value in (v for g in given for v in _values(member(g, "value"))):
            where = text_of(member(value, "path")) or (text_of(value) if str(value).startswith("lid://") else None)
            _file(draft, place, value, where, "read", stage or name, run, known)
    elif kind in _OUTPUTS:
        for value in (v for g in list_of(spec.get("output")) for v in _values(member(g, "value"))):
            where = text_of(member(value, "path")) or (text_of(value) if str(value).startswith("lid://") else None)
            _file(draft, place, value, where, "written", stage, run, known)


def _values(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _task(spec: dict[str, Any]) -> str | None:
    return text_of(spec.get("taskRun")) or text_of(spec.get("source"))


def _file(
    draft: Draft, place: Place, holder: object, where: str | None, action: str, stage: str | None, run: str | None,
    known: dict[str, Any],
) -> None:  # fmt: skip
    """A claim of a file, its digest as `algorithm:value`."""
    if not where:
        return
    digest, algorithm = (text_of(member(holder, "checksum", k)) for k in ("value", "algorithm"))
    draft.artifact(place, where, action, path=None if where.startswith("lid://") else where, stage=stage,
                   size_bytes=number_of(member(holder, "size")), run_id=known["run_id"],
                   checksum=f"{algorithm or 'digest'}:{digest}" if digest else None)  # fmt: skip
