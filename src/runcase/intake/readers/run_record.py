"""A run record of a system's own: one JSON object that names a run, its state and its times.

What such a record states is a claim; the analysis weighs it against evidence.
"""

from __future__ import annotations

import re

from runcase.intake.instants import NOWHEN, instant
from runcase.intake.json_spans import JsonText, Leaf
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, number_of, text_of

_RUN_KEY = re.compile(rb'"(?:run|job|execution|pipeline_run)_?[iI]d"\s*:\s*["\d]')
_STATE_KEY = re.compile(rb'"(?:status|state)"\s*:')
_TIME_KEY = re.compile(rb'"(?:created|started|claimed|updated|finished|completed|ended|queued)_?[aA]t"\s*:')
_RUN_IDS = ("run_id", "runId", "pipeline_run_id", "execution_id", "executionId", "job_id", "jobId")
_TIMES = (
    "updated_at",
    "updatedAt",
    "finished_at",
    "finishedAt",
    "completed_at",
    "completedAt",
    "created_at",
    "createdAt",
)


class RunRecord(DocumentReader):
    """One object, or one a line."""

    name = "run_record"
    versions = "any JSON object, or JSON lines, with run_id, status and *_at"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """A run id, a status and a time in the first object; several objects only one a line."""
        head = sniff.head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if not head.startswith(b"{") or not sniff.complete:
            return None
        if not (_RUN_KEY.search(head) and _STATE_KEY.search(head) and _TIME_KEY.search(head)):
            return None
        roots = [leaf for leaf in JsonText(sniff.head, sniff.path).walk(lambda _: False) if _is_record(leaf)]
        return Taken("a JSON object with a run id, a status and times", 60) if len(roots) == 1 else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """One record an object."""
        text = JsonText(data, path)
        draft = Draft(data, problems=text.problems)
        for leaf in text.walk(lambda _: False):
            _tell(leaf, draft)
        return draft.facts()


def _is_record(leaf: Leaf) -> bool:
    members = leaf.members
    return any(k in members for k in _RUN_IDS) and ("status" in members or "state" in members)


def _tell(leaf: Leaf, draft: Draft) -> None:
    members = leaf.members
    stated = text_of(members.get("status", members.get("state")))
    run_id = next((r for k in _RUN_IDS if (r := text_of(members.get(k)))), None)
    when = next((w for k in _TIMES if (w := instant(members.get(k)))[0] is not None), NOWHEN)
    fields = members | {"claimed_status": stated}
    draft.record(
        Place(leaf.start, leaf.length),
        "log.run_record",
        f"run record: status {stated or 'not stated'}",
        when,
        fields=fields,
        run_id=run_id,
        attempt=number_of(members.get("attempt")),
        workspace_id=text_of(members.get("workspace_id", members.get("workspaceId"))),
        trace_id=text_of(members.get("trace_id", members.get("traceId"))),
    )
