"""Spark event logs: JSON lines that the history server reads (Spark 2.x to 4.x).

`SparkListenerApplicationStart` opens an application, `...ApplicationEnd` closes it;
a log without the end is of an application that runs, or whose driver died. Stages
have attempts, tasks their ends with a reason. Rolled logs (`eventlog_v2_*/events_N_*`)
are parts of one application, joined by its id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from runcase.intake.instants import Instant, since_epoch
from runcase.intake.json_spans import JsonText, Leaf
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, list_of, member, number_of, text_of
from runcase.intake.readers.stated_version import stated

_EVENT = re.compile(rb'"Event"\s*:\s*"(?:SparkListener\w+|org\.apache\.spark\.[\w.]+)"')
_PATH = re.compile(
    r"(?P<app>application_\d+_\d+|app-\d{14}-\d{4}|spark-[0-9a-f]{32}|local-\d{13})(?:_(?P<attempt>\d+))?"
)
_OOM = ("OutOfMemoryError", "exit code 137", "Exit status: 137", "Container killed by YARN for exceeding", "OOMKilled")
_TASK_CLASSES = {
    "FetchFailed": "dependency.shuffle",
    "ExecutorLostFailure": "crash.executor",
    "TaskKilled": "cancelled",
}


class Spark(DocumentReader):
    """One application's event log."""

    name = "spark_eventlog"
    versions = "Spark 2.x to 4.x event logs, single and rolled"
    stated_version = stated(rb'"Spark Version"\s*:\s*"([^"]*)"', rb"[2-4]\..*")

    def recognises(self, sniff: Sniff) -> Taken | None:
        """JSON lines whose `Event` is a listener's."""
        if not sniff.head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
            return None
        found = len(_EVENT.findall(sniff.head))
        return Taken(f"{found} events of Spark's listeners", 90) if found else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """A record a line; spans of the application, its jobs, stages and failed tasks."""
        text = JsonText(data, path)
        draft = Draft(data, problems=text.problems)
        application = _Application(draft, path)
        for leaf in text.lines():
            application.tell(leaf)
        application.close(cut=any(p.code == "json_truncated" for p in text.problems))
        return draft.facts()


@dataclass(slots=True)
class _Application:
    """Follows one application."""

    draft: Draft
    path: str
    run_id: str | None = None
    attempt: int | None = None
    begin: tuple[Place, Instant, str] | None = None
    end: Instant | None = None
    unmended: dict[str, int] = field(default_factory=dict)
    """What jobs were for -> how many failed, up to the next one for it that succeeded: the program tried again."""
    jobs: dict[int, tuple[Place, Instant]] = field(default_factory=dict)
    purposes: dict[int, str] = field(default_factory=dict)
    open_stages: dict[tuple[int, int], tuple[Place, Instant, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found = _PATH.search(self.path.rsplit("/", 1)[-1]) or _PATH.search(self.path)
        if found:
            self.run_id = found["app"]
            self.attempt = number_of(found["attempt"])

    @property
    def failed_jobs(self) -> int:
        """Jobs that failed and were not repeated with success."""
        return sum(self.unmended.values())

    @property
    def known(self) -> dict[str, Any]:
        return {"run_id": self.run_id, "attempt": self.attempt}

    def tell(self, leaf: Leaf) -> None:
        """Adds the record of one event."""
        event, place = leaf.members, Place(leaf.start, leaf.length)
        name = (text_of(event.get("Event")) or "").removeprefix("SparkListener")
        teller = _TELLERS.get(name)
        if teller is not None:
            teller(self, place, event)
        else:
            self.draft.record(
                place, "log", name.rsplit(".", 1)[-1] or "event", _millis(event, "Timestamp", "time"), **self.known
            )

    def close(self, cut: bool) -> None:
        """What no event closed stays open; of a log that is cut off nothing is said."""
        for (stage, attempt), (place, when, name) in self.open_stages.items():
            self._span(place, f"stage-{stage}.{attempt}", name, "stage", when, None, "open")
        for job, (place, when) in self.jobs.items():
            self._span(place, f"job-{job}", f"job {job}", "other", when, None, "open")
        if self.begin is None or (cut and self.end is None):
            return
        place, when, name = self.begin
        status = "open" if self.end is None else "error" if self.failed_jobs else "ok"
        self.draft.span(place, "application", name, kind="other", start=when[0], end=self.end[0] if self.end else None,
                        status=status, **self.known)  # fmt: skip

    def application_start(self, place: Place, event: dict[str, object]) -> None:
        self.run_id = text_of(event.get("App ID")) or self.run_id
        self.attempt = number_of(event.get("App Attempt ID")) or self.attempt
        name = text_of(event.get("App Name")) or "application"
        when = _millis(event, "Timestamp")
        self.begin = (place, when, name)
        fields = {"job": name, "user": text_of(event.get("User"))}
        self.draft.record(place, "run.created", f"application {name} started", when, fields=fields, **self.known)

    def application_end(self, place: Place, event: dict[str, object]) -> None:
        """The driver came to its end; Spark 4 gives its exit code, before that failed jobs tell."""
        self.end = _millis(event, "Timestamp")
        code = number_of(event.get("ExitCode"))
        bad = code not in (None, 0) if code is not None else self.failed_jobs > 0
        fields: dict[str, object] = {"status": "failed" if bad else "succeeded", "exit_code": code}
        words = "application ended" + (f" with exit code {code}" if code else "")
        words += f" after {self.failed_jobs} failed jobs" if self.failed_jobs else ""
        level = "error" if bad else None
        self.draft.record(place, "run.finished", words, self.end, fields=fields, level=level, **self.known)

    def executor_added(self, place: Place, event: dict[str, object]) -> None:
        executor, host = text_of(event.get("Executor ID")), text_of(member(event.get("Executor Info"), "Host"))
        when = _millis(event, "Timestamp")
        self.draft.record(
            place, "log.executor", f"executor {executor} on {host}", when, fields={"host": host}, **self.known
        )

    def executor_removed(self, place: Place, event: dict[str, object]) -> None:
        executor, why = text_of(event.get("Executor ID")), text_of(event.get("Removed Reason")) or ""
        oom = any(w in why for w in _OOM)
        lost = oom or "Container" in why or "lost" in why.lower() or "heartbeat" in why
        failure = "resource.oom" if oom else "crash.executor" if lost and "idle" not in why else None
        fields = {"failure": failure, "error_name": "ExecutorRemoved" if failure else None}
        words = f"executor {executor} removed: {why.splitlines()[0] if why else 'no reason given'}"
        kind = "error.executor" if failure else "log.executor"
        self.draft.record(place, kind, words, _millis(event, "Timestamp"), (why,), fields,
                          level="error" if failure else None, **self.known)  # fmt: skip

    def job_start(self, place: Place, event: dict[str, object]) -> None:
        job, when = number_of(event.get("Job ID")), _millis(event, "Submission Time")
        if job is not None:
            self.jobs[job] = (place, when)
            self.purposes[job] = _purpose(event) or f"job {job}"
        self.draft.record(place, "log.job", f"job {job} submitted", when, fields={"job_number": job}, **self.known)

    def job_end(self, place: Place, event: dict[str, object]) -> None:
        job, when = number_of(event.get("Job ID")), _millis(event, "Completion Time")
        result = text_of(member(event.get("Job Result"), "Result")) or "unknown"
        bad = result == "JobFailed"
        purpose = self.purposes.get(job, f"job {job}") if job is not None else "job"
        if bad:
            self.unmended[purpose] = self.unmended.get(purpose, 0) + 1
        elif result == "JobSucceeded":
            self.unmended.pop(purpose, None)
        message = text_of(member(event.get("Job Result"), "Exception", "Message"))
        trace = _trace(member(event.get("Job Result"), "Exception", "Stack Trace"))
        first = message.splitlines()[0] if message else result
        fields = {"status": "failed" if bad else "ok", "error_name": "JobFailed" if bad else None}
        fields |= {"failure": "resource.oom" if bad and any(w in (message or "") for w in _OOM) else None}
        words = f"job {job} " + (f"failed: {first}" if bad else "succeeded")
        kind, level = ("error.job", "error") if bad else ("log.job", None)
        self.draft.record(place, kind, words, when, (message, trace), fields, level=level, **self.known)
        began = self.jobs.pop(job, None) if job is not None else None
        start = began[1] if began else (None, "none")
        self._span(
            place, f"job-{job}", f"job {job}", "other", start, when, "error" if bad else "ok", first if bad else None
        )

    def stage_submitted(self, place: Place, event: dict[str, object]) -> None:
        stage, attempt, name = _stage(event)
        when = _millis(event.get("Stage Info"), "Submission Time")
        self.open_stages[stage, attempt] = (place, when, name)
        words = f"stage {stage}.{attempt} submitted: {name}"
        kind = "retry" if attempt else "stage.started"
        self.draft.record(place, kind, words, when, fields={"try": attempt + 1}, stage=name, **self.known)

    def stage_completed(self, place: Place, event: dict[str, object]) -> None:
        stage, attempt, name = _stage(event)
        info = event.get("Stage Info")
        start, end = _millis(info, "Submission Time"), _millis(info, "Completion Time")
        reason = text_of(member(info, "Failure Reason"))
        self.open_stages.pop((stage, attempt), None)
        fields = {
            "status": "failed" if reason else "ok",
            "try": attempt + 1,
            "error_name": "StageFailed" if reason else None,
        }
        words = f"stage {stage}.{attempt} " + (f"failed: {reason.splitlines()[0]}" if reason else f"completed: {name}")
        level = "error" if reason else None
        self.draft.record(place, "stage.finished", words, end, (reason,), fields, level=level, stage=name, **self.known)
        error = reason.splitlines()[0] if reason else None
        self._span(place, f"stage-{stage}.{attempt}", name, "stage", start, end, "error" if reason else "ok", error)

    def task_end(self, place: Place, event: dict[str, object]) -> None:
        why, info = event.get("Task End Reason"), event.get("Task Info")
        reason = text_of(member(why, "Reason")) or "unknown"
        start, end = _millis(info, "Launch Time"), _millis(info, "Finish Time")
        stage, task = number_of(event.get("Stage ID")), number_of(member(info, "Index"))
        said = (
            text_of(member(why, "Full Stack Trace"))
            or text_of(member(why, "Message"))
            or text_of(member(why, "Loss Reason"))
        )
        named = text_of(member(why, "Class Name"))
        bad = reason not in ("Success", "Resubmitted")
        oom = any(w in f"{named} {said}" for w in _OOM)
        first = ": ".join(p for p in (named or reason, text_of(member(why, "Description"))) if p) if bad else reason
        fields: dict[str, object] = {
            "task_status": reason, "host": text_of(member(info, "Host")), "try": number_of(member(info, "Attempt")),
            "executor": text_of(member(info, "Executor ID")), "error_name": named or reason if bad else None,
            "failure": ("resource.oom" if oom else _TASK_CLASSES.get(reason)) if bad else None,
        }  # fmt: skip
        words = f"task {task} of stage {stage}: {first}"
        self.draft.record(place, "warning" if bad else "log.task", words, end, (said,), fields,
                          level="warning" if bad else None, **self.known)  # fmt: skip
        if bad:
            self._span(
                place, f"task-{place.start}", f"task {task} of stage {stage}", "tool", start, end, "error", first
            )

    def _span(
        self, place: Place, span_id: str, name: str, kind: str, start: Instant, end: Instant | None, status: str,
        error: str | None = None,
    ) -> None:  # fmt: skip
        self.draft.span(place, span_id, name, kind=kind, parent_span_id="application", start=start[0],
                        end=end[0] if end else None, status=status, error=error, **self.known)  # fmt: skip


_TELLERS = {
    "ApplicationStart": _Application.application_start,
    "ApplicationEnd": _Application.application_end,
    "ExecutorAdded": _Application.executor_added,
    "ExecutorRemoved": _Application.executor_removed,
    "JobStart": _Application.job_start,
    "JobEnd": _Application.job_end,
    "StageSubmitted": _Application.stage_submitted,
    "StageCompleted": _Application.stage_completed,
    "TaskEnd": _Application.task_end,
}


def _millis(holder: object, *names: str) -> Instant:
    found = (since_epoch(member(holder, n), 1000) for n in names)
    return next((w for w in found if w[0] is not None), (None, "none"))


def _stage(event: dict[str, object]) -> tuple[int, int, str]:
    info = event.get("Stage Info")
    number, attempt = number_of(member(info, "Stage ID")), number_of(member(info, "Stage Attempt ID"))
    return number or 0, attempt or 0, text_of(member(info, "Stage Name")) or f"stage {number}"


def _purpose(event: dict[str, object]) -> str | None:
    """The description of a job, else the call that its last stage is named after."""
    told = text_of(member(event.get("Properties"), "spark.job.description"))
    stages = [s for s in list_of(event.get("Stage Infos")) if number_of(member(s, "Stage ID")) is not None]
    last = max(stages, key=lambda s: number_of(member(s, "Stage ID")) or 0, default=None)
    return told or text_of(member(last, "Stage Name"))


def _trace(value: object) -> str | None:
    """Frames as the listener's JSON writes them."""
    frames = [
        f"    at {text_of(member(f, 'Declaring Class'))}.{text_of(member(f, 'Method Name'))}"
        f"({text_of(member(f, 'File Name'))}:{text_of(member(f, 'Line Number'))})"
        for f in list_of(value)
    ]
    return "\n".join(frames) or None
