"""Dossiers to files: one after the other, or by several processes where there is much to say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import polars as pl

from runcase.analysis.renewal import of_runs
from runcase.ledger.serving import Stage, Tell
from runcase.ledger.store import Case
from runcase.ledger.workers import Crew
from runcase.model.case import Conclusions
from runcase.report import html, markdown
from runcase.report.build import Reported, dossiers
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


# --- in a worker ----------------------------------------------------------------------------------


def _prepare(writing: Writing) -> tuple[Writing, Conclusions]:
    return writing, writing.case.conclusions()


def _write_share(ready: tuple[Writing, Conclusions], runs: frozenset[str], tell: Tell) -> int:
    writing, held = ready
    return sum(1 for _ in _written(writing, of_runs(held, runs)))
