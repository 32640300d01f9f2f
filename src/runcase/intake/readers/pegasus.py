"""Pegasus and HTCondor DAGMan: `jobstate.log`, `*.dag` with its rescue files, `braindump`.

A line of `jobstate.log` is `EPOCH JOB STATE SCHED_ID SITE - SUBMIT_SEQ`; where a
state ends something, the exit code stands in the place of the scheduler's id
(pegasus-monitord 4.x and 5.x; DAGMan file format of HTCondor 8 to 23).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from runcase.intake.instants import Instant, instant, since_epoch
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, number_of
from runcase.intake.readers.pegasus_files import submit_folder
from runcase.intake.readers.stated_version import stated
from runcase.model.problems import Problem

_JOB = re.compile(
    r"(?P<at>\d{9,10}) (?P<job>\S+) (?P<state>[A-Z_]+) (?P<id>\S+) (?P<site>\S+) (?P<wall>\S+) (?P<seq>\d+)"
)
_INTERNAL = re.compile(r"(?P<at>\d{9,10}) INTERNAL \*\*\* (?P<what>[A-Z_]+)(?: (?P<value>\S+))? \*\*\*")
_STATES = re.compile(rb"(?m)^\d{9,10} (?:INTERNAL \*\*\* [A-Z_]+|\S+ (?:SUBMIT|EXECUTE|JOB_TERMINATED|JOB_SUCCESS) )")
_DAG = re.compile(
    rb"(?mi)^[ \t]*(?:JOB[ \t]+\S+[ \t]+\S+|PARENT[ \t]+\S+.*[ \t]CHILD[ \t]+\S+|SUBDAG[ \t]+EXTERNAL[ \t]+\S+)"
)
_DAG_COMMAND = re.compile(
    rb"(?i)\s*(?:#|$|(?:JOB|PARENT|SUBDAG|SCRIPT|RETRY|VARS|PRIORITY|CATEGORY|MAXJOBS|CONFIG|DOT|SPLICE|DONE|DATA|FINAL|SERVICE"
    rb"|PROVISIONER|ABORT-DAG-ON|SET_JOB_ATTR|NODE_STATUS_FILE|JOBSTATE_LOG|REJECT|INCLUDE|CONNECT|PIN_IN|PIN_OUT|ENV"
    rb"|PRE_SKIP|SUBMIT-DESCRIPTION|SAVE_POINT_FILE)(?:\s|$))"
)
"""What a line of a DAG file begins with; every other text has lines that begin with none of them."""
_BRAINDUMP = re.compile(rb'(?m)^"?(?:wf_uuid|submit_dir|root_wf_uuid|dax_label)"?[: ]')

_ENDED = {"JOB_SUCCESS": "ok", "JOB_FAILURE": "failed", "JOB_ABORTED": "cancelled", "SUBMIT_FAILED": "failed"}
_KINDS = {
    "SUBMIT": "invocation.queued",
    "EXECUTE": "stage.started",
    "JOB_HELD": "warning",
    "JOB_EVICTED": "warning",
    "POST_SCRIPT_FAILURE": "error",
    "PRE_SCRIPT_FAILURE": "error",
}
_LEVELS = {"warning": "warning", "error": "error"}


def _lines(data: bytes) -> Iterator[tuple[int, str, Place]]:
    """Number, text and place of each line that is not blank."""
    at = 0
    for number, raw in enumerate(data.splitlines(keepends=True), 1):
        text = raw.decode("utf-8", "backslashreplace").strip()
        if text:
            yield number, text, Place(at, len(raw))
        at += len(raw)


class JobState(DocumentReader):
    """States of all jobs of one workflow."""

    name = "pegasus_jobstate"
    versions = "Pegasus 4.x and 5.x jobstate.log"
    ends_lines = True

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Lines of an epoch, a job and one of its states."""
        found = len(_STATES.findall(sniff.head))
        return Taken(f"{found} job states", 85) if found >= 2 or (found and sniff.complete) else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """A record a line; spans of the workflow and of each try of a job, queued and running."""
        draft = Draft(data)
        workflow = _Workflow(draft, submit_folder(path), data.count(b"*** DAGMAN_STARTED ") > 1)
        for number, text, place in _lines(data):
            job, internal = _JOB.fullmatch(text), _INTERNAL.fullmatch(text)
            if job:
                workflow.job_state(place, job)
            elif internal:
                workflow.internal(place, internal)
            else:
                draft.record(place, None, text)
                draft.problems.append(_malformed(path, place, number, "no job state"))
        workflow.close()
        return draft.facts()


def _malformed(path: str, place: Place, number: int, why: str) -> Problem:
    return Problem("line_malformed", "info", f"line {number}: {why}", path, None, place.start, place.length, number)


@dataclass(slots=True)
class _Try:
    """One submission of a job."""

    job: str
    number: int
    place: Place
    restart: int | None
    at: dict[str, Instant] = field(default_factory=dict)
    status: str = "open"
    exit_code: int | None = None


class _Workflow:
    """Follows jobs through their states; a restart of DAGMan is a further attempt of the run."""

    def __init__(self, draft: Draft, workspace: str | None, restarts: bool) -> None:
        self._draft = draft
        self._workspace = workspace
        self._restarts = restarts
        self._started: list[tuple[Place, Instant]] = []
        self._ended: tuple[Instant, str] | None = None
        self._tries: dict[tuple[str, int], _Try] = {}
        self._count: dict[str, int] = {}

    @property
    def _attempt(self) -> int | None:
        return max(1, len(self._started)) if self._restarts else None

    def internal(self, place: Place, line: re.Match[str]) -> None:
        """Starts and ends of DAGMan and of the monitor."""
        when = since_epoch(line["at"], 1)
        what, code = line["what"], number_of(line["value"])
        kind, level = "log", None
        fields: dict[str, object] = {}
        if what == "DAGMAN_STARTED":
            kind = "attempt.started" if self._started else "run.created"
            self._started.append((place, when))
        elif what == "DAGMAN_FINISHED" and code is not None:
            status = "succeeded" if code == 0 else "failed"
            kind, level = "run.finished", None if code == 0 else "error"
            fields = {"exit_code": code, "status": status}
            self._ended = (when, status)
        words = what.replace("_", " ").lower() + (f" {line['value']}" if line["value"] else "")
        known: dict[str, Any] = {"attempt": self._attempt, "workspace_id": self._workspace}
        self._draft.record(place, kind, words, when, fields=fields, level=level, **known)

    def job_state(self, place: Place, line: re.Match[str]) -> None:
        """One state of one try of a job."""
        job, state, when = line["job"], line["state"], since_epoch(line["at"], 1)
        key = (job, int(line["seq"]))
        if key not in self._tries:
            self._count[job] = self._count.get(job, 0) + 1
            self._tries[key] = _Try(job, self._count[job], place, self._attempt)
        one = self._tries[key]
        one.at.setdefault(state, when)
        code = number_of(line["id"]) if state.endswith(("_SUCCESS", "_FAILURE")) else None
        status = _ENDED.get(state)
        if status or state == "POST_SCRIPT_FAILURE":
            one.status = {"ok": "ok", "cancelled": "cancelled"}.get(status or "", "error")
            one.exit_code = code
        kind = "stage.finished" if status else _KINDS.get(state, "log")
        kind = "retry" if state == "SUBMIT" and one.number > 1 else kind
        level = "error" if status == "failed" else _LEVELS.get(kind)
        fields = {
            "state": state,
            "status": status,
            "job_exit_code": code,
            "try": one.number,
            "submit_seq": key[1],
            "sched_id": line["id"] if code is None else None,
            "site": line["site"],
        }
        words = f"{job} {state.replace('_', ' ').lower()}" + (f" with exit code {code}" if code else "")
        known: dict[str, Any] = {"attempt": self._attempt, "workspace_id": self._workspace}
        self._draft.record(place, kind, words, when, fields=fields, level=level, stage=job, **known)

    def close(self) -> None:
        """Spans; what no state ended stays open."""
        for one in self._tries.values():
            self._spans(one)
        if self._started:
            place, when = self._started[0]
            end, status = self._ended or ((None, "none"), "open")
            said = {"succeeded": "ok", "failed": "error"}.get(status, status)
            self._draft.span(place, "workflow", "dagman", kind="other", start=when[0], end=end[0], status=said)

    def _spans(self, one: _Try) -> None:
        submit, execute = one.at.get("SUBMIT"), one.at.get("EXECUTE")
        ended = next((one.at[s] for s in ("JOB_TERMINATED", *_ENDED) if s in one.at), None)
        last = max((n for (job, _), t in self._tries.items() if job == one.job for n in [t.number]), default=1)
        status = "retried" if one.status == "error" and one.number < last else one.status
        for kind, begin, end in (("queue", submit, execute), ("stage", execute, ended)):
            if begin is None:
                continue
            self._draft.span(
                one.place,
                f"{kind}-{one.place.start}",
                one.job,
                kind=kind,
                parent_span_id="workflow",
                start=begin[0],
                end=end[0] if end else None,
                status=status if kind == "stage" else "ok" if end else "open",
                attempt=one.restart,
                attributes={"try": one.number, "exit_code": one.exit_code},
            )


class Dag(DocumentReader):
    """A DAG file or its rescue."""

    name = "dagman_dag"
    versions = "HTCondor DAGMan input and rescue files"
    ends_lines = True
    describes_run = False

    def recognises(self, sniff: Sniff) -> Taken | None:
        """JOB lines with a submit file, or PARENT ... CHILD lines, and hardly a line that is no command."""
        found = len(_DAG.findall(sniff.head))
        lines = sniff.head.split(b"\n") if found else []
        if sum(1 for line in lines if not _DAG_COMMAND.match(line)) * 5 > len(lines):
            return None
        return Taken(f"{found} nodes and edges", 70) if found >= 2 or (found and sniff.complete) else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """A record a line; an edge line carries `parents` and `children`."""
        draft = Draft(data)
        for _, text, place in _lines(data):
            words = text.split()
            keyword = words[0].upper()
            if keyword == "PARENT" and "CHILD" in (w.upper() for w in words):
                cut = [w.upper() for w in words].index("CHILD")
                fields: dict[str, object] = {"parents": words[1:cut], "children": words[cut + 1 :]}
                draft.record(place, "log.dag_edge", text, fields=fields)
            elif keyword in ("JOB", "RETRY", "DONE") and len(words) > 1:
                given: dict[str, object] = {"announces": words[1] if keyword == "JOB" else None}
                if keyword == "RETRY" and len(words) > 2:
                    given["retries"] = number_of(words[2])
                draft.record(place, f"log.dag_{keyword.lower()}", text, fields=given, stage=words[1])
            else:
                draft.record(place, "log", text)
        return draft.facts()


class Braindump(DocumentReader):
    """The planner's account of a workflow."""

    name = "pegasus_braindump"
    versions = "Pegasus braindump.txt (4.x) and braindump.yml (5.x)"
    ends_lines = True
    stated_version = stated(rb"(?m)^(?:planner_version|pegasus_version)[: ]+[\"']?([\d.]+\w*)", rb"[45]\..*")
    describes_run = False

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Keys of the planner."""
        found = len(_BRAINDUMP.findall(sniff.head))
        return Taken(f"{found} keys of the planner", 85) if found >= 3 and sniff.complete else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """One record with all keys as fields; `job` is the workflow's label."""
        pairs = re.findall(r'(?m)^"?(\w+)"?(?::\s*| )"?(.*?)"?\s*$', data.decode("utf-8", "backslashreplace"))
        fields: dict[str, object] = {key: value for key, value in pairs if value != "null"}
        name = fields.get("pegasus_wf_name") or fields.get("dax_label")
        draft = Draft(data)
        known: dict[str, Any] = {"run_id": fields.get("wf_uuid"), "workspace_id": submit_folder(path)}
        parent = fields.get("root_wf_uuid")
        fields |= {"job": name, "parent_run_id": parent if parent != fields.get("wf_uuid") else None}
        draft.record(
            Place(0, len(data)),
            "run.created",
            f"workflow {name} planned",
            instant(fields.get("timestamp")),
            fields=fields,
            **known,
        )
        return draft.facts()
