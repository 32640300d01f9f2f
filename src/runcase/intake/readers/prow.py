"""Prow: `started.json` and `finished.json` of a job's folder in its bucket.

The folder is named by the build, the folder above by the job
(kubernetes/test-infra, gubernator layout; pod utilities of Prow since 2018).
"""

from __future__ import annotations

import json
import re

from runcase.intake.instants import Instant, instant
from runcase.intake.json_spans import JsonText, Leaf
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, text_of

_STATUS = {"SUCCESS": "succeeded", "FAILURE": "failed", "ERROR": "failed", "ABORTED": "cancelled"}
_TIME = re.compile(rb'^\s*\{\s*"timestamp"\s*:\s*\d{10}\b')
_RESULT = re.compile(rb'"passed"\s*:|"result"\s*:\s*"[A-Z]')
_SMALL = 4096
_BEGUN = frozenset({"repos", "pull", "node", "repo-version", "repo-commit", "repo", "jenkins-node", "metadata"})


class Prow(DocumentReader):
    """One of the two files."""

    name = "prow"
    versions = "started.json and finished.json of Prow's pod utilities and of bootstrap.py"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """One small object with a time in seconds and a result, or what only a start states."""
        if not sniff.complete or not sniff.head.lstrip().startswith(b"{"):
            return None
        try:
            root = json.loads(sniff.head)
        except (ValueError, RecursionError):
            cut = _TIME.search(sniff.head) and _RESULT.search(sniff.head) and len(sniff.head) < _SMALL
            return Taken("a time in seconds and a result, damaged", 55) if cut else None
        if not isinstance(root, dict) or _seconds(root) is None or "run_id" in root:
            return None
        if _ended(root):
            return Taken("a time in seconds and a result", 65)
        known = _BEGUN.intersection(root)
        return Taken(f"a time in seconds and {', '.join(sorted(known))}", 55) if known and len(root) < 12 else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """One record: the start or the end of the run that the folder is named by."""
        text = JsonText(data, path)
        draft = Draft(data, problems=text.problems)
        for leaf in text.walk(lambda _: False):
            _tell(leaf, draft, path)
        return draft.facts()


def _tell(leaf: Leaf, draft: Draft, path: str) -> None:
    root, place = leaf.members, Place(leaf.start, leaf.length)
    folders = path.replace("!/", "/").split("/")[:-1]
    run_id = folders[-1] if folders else None
    job = text_of(root.get("job")) or (folders[-2] if len(folders) > 1 else None)
    when: Instant = instant(_seconds(root))
    if not _ended(root):
        fields = {"job": job, "host": text_of(root.get("node")), "pull": text_of(root.get("pull"))}
        draft.record(place, "attempt.claimed", "prow started the job", when, fields=fields, run_id=run_id)
        return
    result = text_of(root.get("result")) or ("SUCCESS" if root.get("passed") is True else "FAILURE")
    status = _STATUS.get(result.upper(), "failed" if root.get("passed") is False else None)
    level = None if status == "succeeded" else "error"
    fields = {"status": status, "job": job, "result": result}
    draft.record(place, "run.finished", f"prow: {result}", when, fields=fields, run_id=run_id, level=level)


def _seconds(root: dict[str, object]) -> int | None:
    value = root.get("timestamp")
    return value if isinstance(value, int) and 1_000_000_000 < value < 10_000_000_000 else None


def _ended(root: dict[str, object]) -> bool:
    return isinstance(root.get("passed"), bool) or str(root.get("result")).upper() in _STATUS
