"""Slurm accounting: `sacct`, with any columns (Slurm 18 to 24).

`--parsable` puts bars between cells; without it columns are as wide as the dashes
under their names, and what does not fit is cut, with a plus sign. With `--duplicates`
a job that was requeued has a row for each time that it ran.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from runcase.intake.instants import Instant, instant
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, number_of
from runcase.intake.readers.tables import aligned_rows_of, rows_of

_STATUS = {
    "COMPLETED": "succeeded",
    "TIMEOUT": "timed_out",
    "DEADLINE": "timed_out",
    "CANCELLED": "cancelled",
    "PREEMPTED": "cancelled",
    "REVOKED": "cancelled",
    **dict.fromkeys(("FAILED", "OUT_OF_MEMORY", "NODE_FAIL", "BOOT_FAIL", "LAUNCH_FAILED"), "failed"),
}
"""State -> status; states without one are not ends."""

_OPEN = ("RUNNING", "PENDING", "REQUEUED", "RESIZING", "SUSPENDED", "COMPLETING", "CONFIGURING", "STOPPED")

_CAUSES = {"OUT_OF_MEMORY": "resource.oom", "NODE_FAIL": "crash.node", "TIMEOUT": "timeout.job"}
_COLUMNS = {b"JobID", b"JobIDRaw", b"JobName", b"State", b"ExitCode", b"Start", b"End", b"Submit", b"Elapsed"}
_DASHES = re.compile(rb"-+(?: +-+)+ *\r?")
_SPAN_STATUS = {"succeeded": "ok", "failed": "error", "timed_out": "timeout", "cancelled": "cancelled"}


class Sacct(DocumentReader):
    """Rows of jobs and their steps."""

    name = "slurm_sacct"
    versions = "sacct, plain, --parsable and --parsable2, with --duplicates, Slurm 18 to 24"
    ends_lines = True

    def recognises(self, sniff: Sniff) -> Taken | None:
        """A header of accounting columns with bars between them, or dashes under them."""
        header = sniff.head.split(b"\n", 1)[0].strip()
        found = _COLUMNS.intersection(header.split() if _aligned(sniff.head) else header.split(b"|"))
        return Taken(f"{len(found)} accounting columns", 85) if len(found) >= 3 and b"State" in found else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """A record and a span a row; a job is a run, its steps are stages."""
        draft = Draft(data)
        rows = list(aligned_rows_of(data) if _aligned(data) else rows_of(data, "|", draft, path))
        times = Counter(job for _, row in rows if (job := _job_id(row)) and "." not in job)
        tries: Counter[str] = Counter()
        for place, row in rows:
            whole = _job_id(row)
            job = whole.partition(".")[0]
            tries[whole] += "." not in whole
            told = _told(row, tries[job] if times[job] > 1 and tries[job] else None)
            _record(draft, place, told)
            _spans(draft, place, told)
        return draft.facts()


def _aligned(data: bytes) -> bool:
    """Whether dashes stand under the names of the columns."""
    return _DASHES.fullmatch(data.split(b"\n", 2)[1] if data.count(b"\n", 0, 4096) else b"") is not None


def _job_id(row: dict[str, str]) -> str:
    return row.get("JobID") or row.get("JobIDRaw") or ""


@dataclass(frozen=True, slots=True)
class _Told:
    """What a row says of a job, or of a step of one."""

    row: dict[str, str]
    whole: str
    """The id of the job, and that of the step behind a dot."""
    step: str
    """As its program is called."""
    attempt: int | None
    state: str
    status: str | None
    submit: Instant
    start: Instant
    end: Instant

    @property
    def job(self) -> str:
        """The id of the job."""
        return self.whole.partition(".")[0]

    @property
    def is_step(self) -> bool:
        """Whether it is a step of a job, and not the job itself."""
        return "." in self.whole

    @property
    def known(self) -> dict[str, object]:
        """The run that it tells of."""
        return {"run_id": self.job or None, "attempt": self.attempt}


def _told(row: dict[str, str], attempt: int | None) -> _Told:
    whole = _job_id(row)
    step = whole.partition(".")[2]
    program = row.get("JobName") or step
    named = f"{step} ({program})" if step.isdecimal() and program != step else step
    state = _state(row.get("State", ""))
    submit, start, end = (_stamp(row.get(k)) for k in ("Submit", "Start", "End"))
    return _Told(row, whole, named, attempt, state, _STATUS.get(state), submit, start, end)


def _record(draft: Draft, place: Place, t: _Told) -> None:
    code = re.fullmatch(r"(\d+):(\d+)", t.row.get("ExitCode", ""))
    killed = code is not None and code[1] == "0" and code[2] != "0"
    fields: dict[str, object] = {
        **t.row,
        "status": "ok" if t.is_step and t.status == "succeeded" else t.status,
        "exit_code": number_of(code[1]) if code and not t.is_step and not killed else None,
        "signal": number_of(code[2]) if code and code[2] != "0" else None,
        "job": t.row.get("JobName"),
        "host": t.row.get("NodeList"),
        "error_name": None if t.status in (None, "succeeded") else t.state,
        "failure": _CAUSES.get(t.state),
    }
    kind = ("stage.finished" if t.is_step else "run.finished") if t.status else "log"
    level = None if t.status in (None, "succeeded") else "error"
    when = t.end if t.status else t.start
    words = f"{'step' if t.is_step else 'job'} {t.whole} {t.state}"
    draft.record(place, kind, words, when, fields=fields, level=level, stage=t.step or None, **t.known)  # type: ignore[arg-type]


def _spans(draft: Draft, place: Place, t: _Told) -> None:
    """The time in the queue, of a job; and that of the job or step itself."""
    own = f"{t.job}-{t.attempt}" if t.attempt else t.job
    name = t.step or t.row.get("JobName") or t.whole
    if not t.is_step and t.submit[0] is not None:
        queue = {"kind": "queue", "start": t.submit[0], "end": t.start[0], "status": "ok"}
        draft.span(place, f"queue-{own}", name, parent_span_id=f"job-{own}", **queue, **t.known)
    said = _SPAN_STATUS.get(t.status or "", "unset" if t.end[0] is not None else "open")
    spent = {"kind": "stage" if t.is_step else "other", "start": t.start[0], "end": t.end[0], "status": said}
    span_id, parent = (f"job-{own}.{t.step}", f"job-{own}") if t.is_step else (f"job-{own}", None)
    draft.span(place, span_id, name, parent_span_id=parent, **spent, **t.known)


def _state(cell: str) -> str:
    """The state, whole again where a narrow column cut it and only one begins so; `CANCELLED by 7` is CANCELLED."""
    word = cell.split(" ")[0]
    begun = [s for s in (*_STATUS, *_OPEN) if s.startswith(word.removesuffix("+"))]
    return begun[0] if word.endswith("+") and len(begun) == 1 else word.removesuffix("+")


def _stamp(value: str | None) -> Instant:
    """Slurm writes `Unknown` or `None` where there is no time; others are local, without a zone."""
    return instant(value)
