"""The index of a case as Markdown: what failed and why, what changed, how each job does, then every run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runcase.model.kinds import FAILED
from runcase.report.dialects import GITHUB
from runcase.report.index_value import Changes, Group, Index, JobStrip, RunLine
from runcase.report.instants import micros
from runcase.report.words import iso_minute

MAX_GROUPS, MAX_RUNS, MAX_JOBS = 60, 1000, 60

_MARKS = {"succeeded": ".", "failed": "F", "timed_out": "T", "lost": "L", "cancelled": "c", "running": "r"}

code, prose = GITHUB.code, GITHUB.prose


def render_index(index: Index) -> str:
    """The nightly report as text."""
    counts = ", ".join(f"{n} {prose(status)}" for status, n in index.counts.items()) or "no runs"
    parts = [
        ["# Runs", "", f"{counts}. {index.sources} sources, {index.events:,} events."],
        _titled("Since the last build", _changes(index.changes, index)) if index.changes else [],
        _titled("Failures by cause", _groups(index)),
        _titled("Jobs", _jobs(index.jobs)),
        _titled("All runs", _runs(index.runs)),
        _titled("Damaged evidence", [f"- {code(x.path)}: {code(x.text)}" for x in index.damage]),
        _titled("Sources that belong to no run", [f"- {code(p)}" for p in index.unassigned[:200]]),
    ]
    return "\n\n".join("\n".join(p) for p in parts if p) + "\n"


def _titled(title: str, lines: Sequence[str] | Iterator[str]) -> list[str]:
    found = list(lines)
    return [f"## {title}", "", *found] if found else []


def _changes(c: Changes, index: Index) -> Iterator[str]:
    brought = ", ".join(f"{n} {prose(status)}" for status, n in c.counts.items()) or "no run"
    yield f"The latest of {index.builds} builds brought {brought}."
    yield ""
    known = {g.signature: g for g in index.groups}
    for title, signatures in (("new", c.new), ("failed again", c.again), ("not seen again", c.not_seen)):
        for s in signatures[:12]:
            if s in known:
                yield f"- {title}: {code(known[s].failure_class)} {code(known[s].blocker)}"
    for title, jobs in (("broke", c.broke), ("recovered", c.recovered)):
        for job in jobs[:12]:
            yield f"- {title}: job {code(job)}"


def _groups(index: Index) -> list[str]:
    rows = [
        (
            str(g.count),
            code(g.failure_class),
            code(g.blocker),
            _minute(g.first_seen),
            _minute(g.last_seen),
            " ".join(x for x in (prose(g.known), _ticket(g)) if x) or "-",
            code(g.runs[0]) if g.runs else "-",
        )
        for g in index.groups[:MAX_GROUPS]
    ]
    left = len(index.groups) - MAX_GROUPS
    more = ["", f"{left} more causes are in index.html"] if left > 0 else []
    return [*GITHUB.table(("runs", "class", "why", "first seen", "last seen", "known", "for example"), rows), *more]


def _ticket(g: Group) -> str:
    if g.ticket is None:
        return ""
    return f"{code(g.ticket)} {code(g.url)}" if g.url else code(g.ticket)


def _jobs(jobs: Sequence[JobStrip]) -> list[str]:
    rows = [
        (
            code(j.job),
            code("".join(_MARKS.get(r.status, "?") for r in j.runs)),
            str(j.failed),
            str(j.total),
            prose(j.median or "-"),
        )
        for j in jobs[:MAX_JOBS]
    ]
    legend = ["", "Oldest first; `.` succeeded, `F` failed, `T` timed out, `L` lost, `c` cancelled, `r` running."]
    return [*GITHUB.table(("job", "latest runs", "failed", "runs", "median"), rows), *(legend if rows else [])]


def _runs(runs: Sequence[RunLine]) -> list[str]:
    rows = [
        (
            f"[{prose(r.status)}](runs/{r.folder}/dossier.md)",
            code(r.run_id),
            code(r.job or ""),
            str(r.attempts),
            prose(r.took or "-"),
            code(r.failure_class or "") if r.status in FAILED else "-",
        )
        for r in runs[:MAX_RUNS]
    ]
    left = len(runs) - MAX_RUNS
    more = ["", f"{left} more runs are in index.html"] if left > 0 else []
    return [*GITHUB.table(("status", "run", "job", "attempts", "took", "class"), rows), *more]


def _minute(ts: str | None) -> str:
    return iso_minute(ts) if ts is None or micros(ts) is not None else code(ts)
