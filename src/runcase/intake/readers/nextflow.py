"""Nextflow: `.nextflow.log`, the trace table, `.nextflow/history`.

The log has no year and no zone, and is rolled at each start; a trace has the
columns that its user asked for; a history row without a status never closed
(Nextflow 19 to 25).
"""

from __future__ import annotations

import re
from datetime import timedelta

import polars as pl

from runcase.intake.instants import NOWHEN, Instant, instant
from runcase.intake.readers.annotation import json_fields
from runcase.intake.readers.base import Annotator, DocumentFacts, DocumentReader, Sniff, Taken, TextReader
from runcase.intake.readers.draft import Draft, Place, number_of
from runcase.intake.readers.phrases import Phrase, PhraseAnnotator
from runcase.intake.readers.stated_version import stated
from runcase.intake.readers.tables import rows_of
from runcase.model.kinds import EXIT_CLASSES

_LINE = re.compile(
    rb"(?m)^[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d\.\d{3} \[[^\]\n]+\] (?:TRACE|DEBUG|INFO|WARN|ERROR) +\S+ - "
)
_HISTORY = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\t[^\t\n]*\t[\w-]+\t(?:OK|ERR|-)\t[^\t\n]*\t[0-9a-f-]{36}\t")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

_TASK_EXIT = r"\bterminated with an error exit status \((\d+)\)"
_P = r"^\[[^\]]*\] [A-Z]+ +\S+ - "
_HASH = r"\[(?P<workspace_id>[0-9a-f]{2}/[0-9a-f]{6,})\] "
_PHRASES = (
    Phrase(_P + r"\$> (?P<command>nextflow (?:.* )?run (?P<job>[^\s-]\S*).*)", "run.created"),
    Phrase(_P + r"\$> (?P<command>nextflow .*)", "run.created"),
    Phrase(_P + r"Session UUID: (?P<run_id>[0-9a-f-]{36})", "log"),
    Phrase(_P + r"Run name: (?P<run_name>\S+)", "log"),
    Phrase(_P + _HASH + r"Submitted process > (?P<stage>.+)$", "invocation.queued"),
    Phrase(_P + _HASH + r"Re-submitted process > (?P<stage>.+)$", "retry"),
    Phrase(
        _P + r".*\[(?P<workspace_id>[0-9a-f]{2}/[0-9a-f]{6,})\] Cached process > (?P<stage>.+)$",
        "stage.finished",
        None,
        "ok",
    ),
    Phrase(
        _P + r"Task completed > .*; name: (?P<stage>.+?); status: COMPLETED; exit: 0;", "stage.finished", None, "ok"
    ),
    Phrase(
        _P + r"Task completed > .*; name: (?P<stage>.+?); status: \w+; exit: (?P<task_exit>-?\w+);",
        "stage.finished",
        "warning",
        "failed",
    ),
    Phrase(_P + r".*Execution is retried", "retry", "warning"),
    Phrase(_P + r"(?P<error_name>Error executing process) > '(?P<stage>[^']+)'", "error.process", "error"),
    Phrase(_P + r"Session aborted", "error.aborted", "error"),
    Phrase(_P + r"(?:Workflow completed|Execution status) > ", "log"),
    Phrase(_P + r"(?:> )?Execution complete -- Goodbye", "run.finished"),
    Phrase(r"^\[[^\]]*\] ERROR ", "error", "error"),
    Phrase(r"^\[[^\]]*\] WARN ", "warning", "warning"),
)


class NextflowLog(TextReader):
    """`.nextflow.log` and its older rolls."""

    name = "nextflow_log"
    versions = "Nextflow 19 to 25 .nextflow.log"
    stated_version = stated(rb"N E X T F L O W +~ +version (\S+)", rb"(?:19|2[0-5])\..*")

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Lines of a date without year, thread, level and logger, and a logger of Nextflow."""
        found = len(_LINE.findall(sniff.head))
        return Taken(f"{found} lines of Nextflow's logger", 80) if found and b"nextflow." in sniff.head else None

    def annotator(self, path: str) -> Annotator:
        """Remembers whether the session failed."""
        return _LogAnnotator(_PHRASES)


class _LogAnnotator(PhraseAnnotator):
    _failed = False

    def concluded(self, records: pl.DataFrame) -> pl.DataFrame:
        """`Goodbye` is said however the session went: what was said before tells how."""
        bad = pl.col("kind").is_in(["error.process", "error.aborted"])
        failed = (
            bad.cum_sum().fill_null(strategy="forward").fill_null(0) > 0 if not self._failed else pl.lit(value=True)
        )
        broken = pl.col("kind") == "error.process"
        code = pl.when(broken).then(pl.col("message").str.extract(_TASK_EXIT))
        known = json_fields(
            error_name=pl.col("fields").str.json_path_match("$.error_name"),
            task_exit=code,
            failure=code.replace_strict(EXIT_CLASSES, default=None, return_dtype=pl.String),
        )
        records = records.with_columns(fields=pl.when(code.is_not_null()).then(known).otherwise("fields"))
        end = pl.col("kind") == "run.finished"
        said = pl.when(failed).then(pl.lit('{"status":"failed"}')).otherwise(pl.lit('{"status":"succeeded"}'))
        seen = records.with_columns(fields=pl.when(end).then(said).otherwise("fields"))
        self._failed = self._failed or bool(records.select(bad.any()).item())
        return seen


class NextflowTrace(DocumentReader):
    """A trace table, one row a task."""

    name = "nextflow_trace"
    versions = "Nextflow 19 to 25 trace.txt, any columns"
    ends_lines = True

    def recognises(self, sniff: Sniff) -> Taken | None:
        """A header of tab-separated trace columns."""
        header = sniff.head.split(b"\n", 1)[0].strip().split(b"\t")
        known = {b"task_id", b"hash", b"native_id", b"name", b"process", b"status", b"exit", b"submit", b"realtime"}
        found = known.intersection(header)
        return Taken(f"{len(found)} trace columns", 85) if len(found) >= 4 and b"status" in found else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """A record a row, and spans of its wait and its work."""
        draft = Draft(data)
        rows = list(rows_of(data, "\t", draft, path))
        done = {r.get("name") for _, r in rows if r.get("status") in ("COMPLETED", "CACHED")}
        for place, row in rows:
            _task(draft, place, row, row.get("name") in done)
        return draft.facts()


class NextflowHistory(DocumentReader):
    """`.nextflow/history`: one row a launch."""

    name = "nextflow_history"
    versions = "Nextflow 19 to 25 history"
    ends_lines = True

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Rows of time, duration, name, status, revision, session and command."""
        return Taken("rows of launches", 85) if _HISTORY.match(sniff.head) else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """A record a launch, which states the status of its session; `-` states that it never closed."""
        draft = Draft(data)
        header = "time\tduration\trun_name\tstatus\trevision\tsession\tcommand\n"
        seen: dict[str, int] = {}
        for place, row in rows_of(data, "\t", draft, path, header):
            session = row.get("session", "")
            seen[session] = seen.get(session, 0) + 1
            state = row.get("status", "")
            fields = {
                "claimed_status": {"OK": "succeeded", "ERR": "failed", "-": "running"}.get(state),
                "launch": seen[session],
            }
            words = f"launch {row.get('run_name')}: {state}"
            when = instant(row.get("time"))
            draft.record(place, "log.run_record", words, when, fields={**row, **fields}, run_id=session or None)
        return draft.facts()


def _task(draft: Draft, place: Place, row: dict[str, str], succeeded_later: bool) -> None:
    name = row.get("name") or row.get("process") or row.get("task_id") or "task"
    state = row.get("status", "")
    failed = state == "FAILED"
    status = {"COMPLETED": "ok", "CACHED": "ok", "ABORTED": "cancelled"}.get(state, "failed" if failed else None)
    submit, start, end = (_stamp(row.get(k)) for k in ("submit", "start", "complete"))
    took = _seconds(row.get("realtime"))
    if end[0] is None and start[0] is not None and took is not None:
        end = (start[0] + timedelta(seconds=took), start[1])
    code = number_of(row.get("exit"))
    level = None if not failed else "warning" if succeeded_later else "error"
    words = f"task {name} {state}" + (f" with exit code {code}" if code else "")
    fields: dict[str, object] = {**row, "status": status, "task_exit": code}
    draft.record(place, "stage.finished" if status else "log", words, end, fields=fields, level=level, stage=name)
    said = {"failed": "retried" if succeeded_later else "error", None: "open"}.get(status, status)
    if submit[0] is not None:
        draft.span(
            place,
            f"queue-{place.start}",
            name,
            kind="queue",
            parent_span_id="run",
            start=submit[0],
            end=start[0],
            status="ok",
        )
    draft.span(
        place,
        f"task-{place.start}",
        name,
        kind="stage",
        start=start[0],
        end=end[0],
        status=said,
        attributes={"exit": code},
    )


def _stamp(value: str | None) -> Instant:
    return NOWHEN if value in (None, "", "-") else instant(value)


def _seconds(value: str | None) -> float | None:
    """A duration as `1h 2m 3.5s`, or milliseconds in raw traces."""
    if not value or value == "-":
        return None
    if value.isdigit():
        return int(value[:15]) / 1000
    parts = re.findall(r"(\d{1,9}(?:\.\d+)?) ?(ms|s|m|h|d)\b", value)
    return sum(float(n) * _UNITS[u] for n, u in parts) if parts else None
