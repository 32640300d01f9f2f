"""Slurm accounting: `sacct --parsable`, with any columns (Slurm 18 to 24)."""

from __future__ import annotations

import re

from runcase.intake.instants import Instant, instant
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, number_of
from runcase.intake.readers.tables import rows_of

_STATUS = {
    "COMPLETED": "succeeded",
    "TIMEOUT": "timed_out",
    "DEADLINE": "timed_out",
    "CANCELLED": "cancelled",
    "PREEMPTED": "cancelled",
    "REVOKED": "cancelled",
    **dict.fromkeys(("FAILED", "OUT_OF_MEMORY", "NODE_FAIL", "BOOT_FAIL", "LAUNCH_FAILED"), "failed"),
}
"""State -> status; states without one (RUNNING, PENDING, REQUEUED, ...) are not ends."""

_CAUSES = {"OUT_OF_MEMORY": "resource.oom", "NODE_FAIL": "crash.node", "TIMEOUT": "timeout.job"}
_SPAN_STATUS = {"succeeded": "ok", "failed": "error", "timed_out": "timeout", "cancelled": "cancelled"}


class Sacct(DocumentReader):
    """Rows of jobs and their steps."""

    name = "slurm_sacct"
    versions = "sacct --parsable and --parsable2, Slurm 18 to 24"
    ends_lines = True

    def recognises(self, sniff: Sniff) -> Taken | None:
        """A header of accounting columns with bars between them."""
        header = sniff.head.split(b"\n", 1)[0].strip().split(b"|")
        known = {b"JobID", b"JobIDRaw", b"JobName", b"State", b"ExitCode", b"Start", b"End", b"Submit", b"Elapsed"}
        found = known.intersection(header)
        return Taken(f"{len(found)} accounting columns", 85) if len(found) >= 3 and b"State" in found else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """A record and a span a row; a job is a run, its steps are stages."""
        draft = Draft(data)
        for place, row in rows_of(data, "|", draft, path):
            _tell(draft, place, row)
        return draft.facts()


def _tell(draft: Draft, place: Place, row: dict[str, str]) -> None:
    whole = row.get("JobID") or row.get("JobIDRaw") or ""
    job, dot, step = whole.partition(".")
    state = row.get("State", "").split(" ")[0].rstrip("+")
    status = _STATUS.get(state)
    code = re.fullmatch(r"(\d+):(\d+)", row.get("ExitCode", ""))
    submit, start, end = (_stamp(row.get(k)) for k in ("Submit", "Start", "End"))
    known = {"run_id": job or None, "attempt": None}
    fields: dict[str, object] = {
        **row,
        "status": ("ok" if status == "succeeded" else status) if dot else status,
        "exit_code": number_of(code[1]) if code and not dot else None,
        "signal": number_of(code[2]) if code and code[2] != "0" else None,
        "job": row.get("JobName"),
        "host": row.get("NodeList"),
        "error_name": None if status in (None, "succeeded") else state,
        "failure": _CAUSES.get(state),
    }
    kind = ("stage.finished" if dot else "run.finished") if status else "log"
    level = None if status in (None, "succeeded") else "error"
    when = end if status else start
    words = f"{'step' if dot else 'job'} {whole} {state}"
    draft.record(place, kind, words, when, fields=fields, level=level, stage=step or None, **known)  # type: ignore[arg-type]
    name = row.get("JobName") or whole
    said = _SPAN_STATUS.get(status or "", "open")
    parent = f"job-{job}" if dot else None
    if not dot and submit[0] is not None:
        queue = f"queue-{job}"
        draft.span(
            place,
            queue,
            name,
            kind="queue",
            parent_span_id=f"job-{job}",
            start=submit[0],
            end=start[0],
            status="ok",
            **known,
        )
    kind = "stage" if dot else "other"
    draft.span(
        place, f"job-{whole}", name, kind=kind, parent_span_id=parent, start=start[0], end=end[0], status=said, **known
    )


def _stamp(value: str | None) -> Instant:
    """Slurm writes `Unknown` or `None` where there is no time; others are local, without a zone."""
    return instant(value)
