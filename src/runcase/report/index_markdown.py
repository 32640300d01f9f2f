"""The index of a case as Markdown."""

from __future__ import annotations

from runcase.report.dialects import GITHUB
from runcase.report.index import FAILED, Index
from runcase.report.words import clock

code = GITHUB.code


def render_index(index: Index) -> str:
    """All runs: what failed and why, then every run."""
    counts = ", ".join(f"{n} {status}" for status, n in index.counts.items()) or "no runs"
    lines = ["# Runs", "", f"{counts}. {index.sources} sources, {index.events:,} events.", ""]
    if index.groups:
        lines += ["## Failures", ""]
        rows = [
            (
                str(g.count),
                code(g.failure_class),
                code(g.blocker),
                clock(g.first_seen),
                clock(g.last_seen),
                code(g.runs[0]),
            )
            for g in index.groups
        ]
        lines += [*GITHUB.table(("runs", "class", "why", "first seen", "for example"), rows), ""]
    rows = [
        (
            f"[{r.status}](runs/{r.folder}/dossier.md)",
            code(r.run_id),
            code(r.job or ""),
            str(r.attempts),
            r.took or "-",
            code(r.failure_class or "") if r.status in FAILED else "-",
        )
        for r in index.runs
    ]
    lines += ["## All runs", "", *GITHUB.table(("status", "run", "job", "attempts", "took", "class"), rows)]
    if index.damage:
        lines += ["", "## Damaged evidence", "", *(f"- {code(x.path)}: {code(x.text)}" for x in index.damage)]
    if index.unassigned:
        lines += ["", "## Sources that belong to no run", "", *(f"- {code(p)}" for p in index.unassigned[:200])]
    return "\n".join(lines) + "\n"
