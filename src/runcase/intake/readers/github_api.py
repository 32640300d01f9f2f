"""GitHub Actions as its API tells it: jobs of a workflow run with their steps, and the workflow run itself.

Answers of `/actions/runs/ID/jobs` and `/actions/runs/ID` (REST, 2022-11-28), several pages after one another, and
`gh run view --json` (gh 2.x, names in camel case). Beside the archive of the run they say when a job was queued, when
a runner took it, and what was skipped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runcase.intake.instants import NOWHEN, Instant, instant
from runcase.intake.json_spans import JsonText, Leaf, Path
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, number_of, text_of
from runcase.intake.readers.github_files import run_id, scope_of

_JOBS = re.compile(rb'"jobs"\s*:\s*\[')
_OF_ACTIONS = re.compile(
    rb'"(?:runner_name|run_attempt|check_run_url|workflow_name|startedAt|completedAt|databaseId)"\s*:'
)
_RUN = re.compile(rb'"(?:run_number|workflow_id|run_attempt|jobs_url|run_started_at)"\s*:')
_CONCLUSIONS = {
    "success": "succeeded",
    "neutral": "succeeded",
    "failure": "failed",
    "startup_failure": "failed",
    "cancelled": "cancelled",
    "timed_out": "timed_out",
    "stale": "lost",
}
_SPAN_STATUSES = {
    "success": "ok",
    "neutral": "ok",
    "failure": "error",
    "cancelled": "cancelled",
    "timed_out": "timeout",
    "skipped": "skipped",
}
_NO_TIME = "0001-01-01T00:00:00Z"
"""What gh writes for an instant that never came."""


class GitHubApi(DocumentReader):
    """A run a job, steps as its stages; a workflow run whose jobs are its stages."""

    name = "github_api"
    versions = "REST answers of 2022-11-28 on workflow runs and their jobs; gh run view --json of gh 2.x"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """A list of jobs, or a workflow run, with members that only GitHub's have."""
        if not sniff.head.lstrip().startswith(b"{"):
            return None
        jobs, run = _JOBS.search(sniff.head), len({m[0] for m in _RUN.finditer(sniff.head)})
        if jobs and len({m[0] for m in _OF_ACTIONS.finditer(sniff.head)}) >= 2:
            return Taken("jobs of a workflow run", 84)
        return Taken("a workflow run", 84) if run >= 3 else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """Jobs in their order; the workflow run is over when it says so."""
        text = JsonText(data, path)
        draft = Draft(data, problems=text.problems)
        scope = scope_of(path)
        objects: dict[Path, _Object] = {}
        for leaf in text.walk(_opens):
            base: Path = (text.roots, *leaf.path[:2]) if leaf.path[:1] == ("jobs",) else (text.roots,)
            rest = leaf.path[2:] if len(base) > 1 else leaf.path
            objects.setdefault(base, _Object()).take(rest, leaf)
        for base, found in objects.items():
            if len(base) > 1:
                _job(found, objects.get(base[:1], _Object()), scope, draft)
            elif found.names & {"conclusion", "status"}:
                _workflow(found, [o for b, o in objects.items() if b[:1] == base and len(b) > 1], scope, draft)
        return draft.facts()


def _opens(path: Path) -> bool:
    return path in ((), ("jobs",)) or (path[:1] == ("jobs",) and (len(path) == 2 or path[2:] == ("steps",)))


@dataclass(slots=True)
class _Object:
    """A job or a workflow run: its members, names in snake case, and its steps."""

    members: dict[str, Leaf] = field(default_factory=dict)
    steps: list[Leaf] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        """Members that are there."""
        return set(self.members)

    def take(self, path: Path, leaf: Leaf) -> None:
        """A leaf below it."""
        if path[:1] == ("steps",) and len(path) > 1:
            self.steps.append(leaf)
        elif path:
            self.members[_snake(str(path[0]))] = leaf

    def text(self, *names: str) -> str | None:
        """The first of the members that is a scalar."""
        return next((t for n in names if n in self.members and (t := text_of(self.members[n].value))), None)

    def at(self, name: str) -> Instant:
        """The instant that a member states."""
        return _when(self.text(name))

    def place(self, *names: str) -> Place | None:
        """Where the first of the members stands that is not null."""
        found = next((m for n in names if (m := self.members.get(n)) and m.value is not None), None)
        return Place(found.start, found.length) if found else None


def _snake(name: str) -> str:
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _when(text: str | None) -> Instant:
    return NOWHEN if text is None or text == _NO_TIME else instant(text)


def _ids(job: _Object, run: _Object, scope: str) -> dict[str, Any]:
    name = job.text("name") or "job"
    attempt = job.text("run_attempt") or run.text("run_attempt", "attempt")
    return {"run_id": run_id(scope, name), "attempt": number_of(attempt)}


def _job(job: _Object, run: _Object, scope: str, draft: Draft) -> None:
    """When it was queued, when a runner took it, its steps, and its end; of a skipped job that it was skipped."""
    name, conclusion, status = job.text("name") or "job", job.text("conclusion"), job.text("status")
    if conclusion == "skipped":
        place = job.place("conclusion")
        if place:
            draft.record(place, "log.skipped", f"job {name} was skipped", job.at("completed_at"))
        return
    ids = _ids(job, run, scope)
    workflow = job.text("workflow_name") or run.text("workflow_name")
    parent = scope or job.text("run_id") or run.text("id", "database_id")
    known = {"job": name, "workflow": workflow, "parent_run_id": parent}
    if place := job.place("created_at"):
        draft.record(place, "run.created", f"job {name} was queued", job.at("created_at"), fields=known, **ids)
    begun = status in ("in_progress", "completed", None)
    if begun and (place := job.place("started_at")) and job.at("started_at")[0] is not None:
        runner = job.text("runner_name")
        words = f"job {name} began" + (f" on {runner}" if runner else "")
        draft.record(place, "attempt.claimed", words, job.at("started_at"), fields={**known, "host": runner}, **ids)
    for step in job.steps:
        _step(step, draft, ids)
    if conclusion and (place := job.place("conclusion")):
        said = {"status": _CONCLUSIONS.get(conclusion), "conclusion": conclusion, **known}
        level = "error" if said["status"] in ("failed", "timed_out") else None
        words = f"job {name}: {conclusion}"
        kind = "run.finished" if said["status"] else "log"
        draft.record(place, kind, words, job.at("completed_at"), fields=said, level=level, **ids)
    elif status and (place := job.place("status")):
        draft.record(place, "log", f"job {name}: {status}", fields={"claimed_status": status, **known}, **ids)


def _step(leaf: Leaf, draft: Draft, ids: Mapping[str, Any]) -> None:
    step = {_snake(str(k)): v for k, v in leaf.members.items()}
    name = (text_of(step.get("name")) or "step").removeprefix("Run ")
    conclusion, status = text_of(step.get("conclusion")), text_of(step.get("status"))
    start, end = _when(text_of(step.get("started_at"))), _when(text_of(step.get("completed_at")))
    place = Place(leaf.start, leaf.length)
    ran = conclusion != "skipped" and status not in ("queued", "pending")
    if ran:
        draft.span(
            place,
            f"api-step-{leaf.start}",
            name,
            parent_span_id="job",
            kind="stage",
            start=start[0],
            end=end[0] if conclusion else None,
            status=_SPAN_STATUSES.get(conclusion or "", "unset" if conclusion else "open"),
            **ids,
        )
    draft.record(place, "log.step", f"step {name}: {conclusion or status}", start, stage=name, **ids)


def _workflow(run: _Object, jobs: list[_Object], scope: str, draft: Draft) -> None:
    """The workflow run, its jobs as stages."""
    own = text_of(run.text("id", "database_id"))
    ids: dict[str, Any] = {"run_id": scope or own, "attempt": number_of(run.text("run_attempt", "attempt"))}
    known = {"job": run.text("workflow_name", "name"), "github_run_id": own}
    if ids["run_id"] is None:
        return
    if place := run.place("created_at"):
        words = f"workflow run {own or scope} was requested"
        draft.record(place, "run.created", words, run.at("created_at"), fields=known, **ids)
    for job in jobs:
        if place := job.place("name"):
            conclusion = job.text("conclusion")
            draft.span(
                place,
                f"api-job-{place.start}",
                job.text("name") or "job",
                parent_span_id="run",
                kind="stage",
                start=job.at("started_at")[0] if conclusion != "skipped" else None,
                end=job.at("completed_at")[0] if conclusion and conclusion != "skipped" else None,
                status=_SPAN_STATUSES.get(conclusion or "", "unset" if conclusion else "open"),
                **ids,
            )
    conclusion, status = run.text("conclusion"), run.text("status")
    if conclusion and (place := run.place("conclusion")):
        said = {"status": _CONCLUSIONS.get(conclusion), "conclusion": conclusion, **known}
        bad = [j.text("name") for j in jobs if _CONCLUSIONS.get(j.text("conclusion") or "") in ("failed", "timed_out")]
        said["error_name"] = conclusion if said["status"] in ("failed", "timed_out") else None
        draft.record(
            place,
            "run.finished" if said["status"] else "log",
            f"workflow run: {conclusion}" + "".join(f"; job {name} failed" for name in bad[:3]),
            run.at("updated_at"),
            fields=said,
            level="error" if said["status"] in ("failed", "timed_out") else None,
            **ids,
        )
    elif status and (place := run.place("status")):
        draft.record(place, "log", f"workflow run: {status}", fields={"claimed_status": status, **known}, **ids)
