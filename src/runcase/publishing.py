"""Dossiers and the index of all runs to files, by several processes where there is much to say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import polars as pl

from runcase.analysis.renewal import of_runs
from runcase.finished import issues_of, run_folders
from runcase.ledger.serving import Stage, Tell
from runcase.ledger.store import Case
from runcase.ledger.workers import Crew
from runcase.model.allocators import let_go
from runcase.model.case import Conclusions, Facts
from runcase.report import html, index, index_markdown, known_issues, markdown
from runcase.report.build import Reported, dossiers
from runcase.report.history import month_of, older_months
from runcase.report.index_value import Index
from runcase.report.json_face import to_json
from runcase.report.known_issues import KnownIssue

SHARE_EVENTS = 75_000
SHARE_RUNS = 25
"""A share of the runs ends with the one that reaches one of them."""

WORTH_EVENTS = 100_000
WORTH_RUNS = 50
"""From one of them on, processes repay what they load."""


@dataclass(frozen=True, slots=True)
class Writing:
    """What dossiers are written with."""

    case: Case
    folders: Mapping[str, str]
    """Run id -> folder under runs/."""
    max_page_bytes: int | None
    issues: Sequence[KnownIssue]


def publish(
    writing: Writing,
    whole: Facts,
    conclusions: Conclusions,
    changed: Set[str],
    crew: Crew | None = None,
    tell: Callable[[int], None] = lambda _: None,
) -> None:
    """Writes the dossiers of changed runs, and the index of all.

    Args:
        writing: Where to, and how.
        whole: Sources and problems of the whole case.
        conclusions: Those of all runs, which are on disk as well.
        changed: Runs whose dossiers are to be written.
        crew: Processes that help.
        tell: Is told how many dossiers are written.
    """
    case, folders = writing.case, writing.folders
    if changed:
        write_dossiers(writing, conclusions, changed, crew, tell)
    case.remove_runs_except(set(folders.values()))
    page = index.index(whole, conclusions, folders, writing.issues, case.builds())
    case.write_text("index.html", html.render_index(page))
    _write_months(case, page, {folders[r] for r in changed})
    case.write_text("index.md", index_markdown.render_index(page))
    case.write_text(html.STYLESHEET, html.stylesheet())


def write_dossiers(
    writing: Writing,
    conclusions: Conclusions,
    runs: Set[str],
    crew: Crew | None = None,
    tell: Callable[[int], None] = lambda _: None,
) -> None:
    """Writes the dossiers of some runs.

    Args:
        writing: Where to, and how.
        conclusions: Conclusions of the case, which are on disk as well.
        runs: Ids of the runs to write.
        crew: Processes that help where there is much to write.
        tell: Is told how many dossiers are written.
    """
    mine = of_runs(conclusions, runs)
    events = int(mine.runs["events"].sum() or 0)
    if crew is None or crew.jobs < 2 or (events < WORTH_EVENTS and len(runs) < WORTH_RUNS):
        for n, _ in enumerate(_written(writing, mine), start=1):
            tell(n)
        return
    done = 0
    let_go()  # what concluding has used of libraries: 30 MiB a process (measured 2026-11)

    def write(share: frozenset[str]) -> int:
        return sum(1 for _ in _written(writing, of_runs(mine, share)))

    for _, written in crew.shared(Stage(_prepare, (writing,), _write_share), list(_shares(mine.runs)), write):
        done += written
        tell(done)


def _shares(runs: pl.DataFrame) -> Iterator[frozenset[str]]:
    """Run ids in shares of about the same size."""
    share: list[str] = []
    events = 0
    for run_id, count in runs.sort("run_id").select("run_id", "events").iter_rows():
        share.append(run_id)
        events += count or 0
        if events >= SHARE_EVENTS or len(share) >= SHARE_RUNS:
            yield frozenset(share)
            share, events = [], 0
    if share:
        yield frozenset(share)


def _written(writing: Writing, conclusions: Conclusions) -> Iterator[Reported]:
    facts = writing.case.facts(writing.case.holding(conclusions.members["source_id"]))
    for one in dossiers(facts, conclusions, writing.case.raw, issues=writing.issues):
        write_dossier(writing.case, f"runs/{writing.folders[one.run_id]}", one, writing.max_page_bytes)
        yield one


def write_dossier(case: Case, folder: str, one: Reported, max_page_bytes: int | None) -> None:
    """The three faces of one run, and the style sheet for hosts that forbid inline style."""
    case.write_text(f"{folder}/dossier.html", html.render(one.dossier, max_page_bytes, one.events))
    case.write_text(f"{folder}/{html.STYLESHEET}", html.stylesheet())
    case.write_text(f"{folder}/dossier.md", markdown.render(one.dossier))
    case.write_text(f"{folder}/dossier.json", to_json(one.dossier))


def _write_months(case: Case, page: Index, changed: Set[str]) -> None:
    """Writes the pages of months whose runs the index does not list all, where a run in a changed folder is theirs."""
    touched = {month_of(line) for line in page.runs if line.folder in changed}
    names = {f"index-{month}.html": month for month in older_months(page.runs)}
    for name, month in names.items():
        if month in touched or not case.has(name):
            case.write_text(name, html.render_month(page, month))
    case.remove_pages_except("index-*.html", names.keys())


def retold(before: Sequence[KnownIssue], now: Sequence[KnownIssue], conclusions: Conclusions) -> set[str]:
    """Runs of which another list of known issues says something else."""
    old, new = (known_issues.tickets(issues, conclusions.diagnoses) for issues in (before, now))
    return {run_id for run_id in old.keys() | new.keys() if old.get(run_id) != new.get(run_id)}


def render_again(case: Case, runs: Set[str]) -> dict[str, str]:
    """Writes the dossiers of some runs anew from what the case holds; returns run id -> folder of all runs."""
    conclusions = case.conclusions()
    folders = run_folders(conclusions.runs["run_id"].to_list())
    write_dossiers(Writing(case, folders, _page_limit(case), issues_of(case)), conclusions, runs)
    return folders


def _page_limit(case: Case) -> int | None:
    """The size budget of pages that the case was built with."""
    settings = case.provenance().get("settings")
    limit = settings.get("max_page_bytes") if isinstance(settings, dict) else None
    return limit if isinstance(limit, int) else None


# --- in a worker ----------------------------------------------------------------------------------


def _prepare(writing: Writing) -> tuple[Writing, Conclusions]:
    let_go()
    return writing, writing.case.conclusions()


def _write_share(ready: tuple[Writing, Conclusions], runs: frozenset[str], tell: Tell) -> int:
    writing, held = ready
    return sum(1 for _ in _written(writing, of_runs(held, runs)))
