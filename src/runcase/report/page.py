"""What a page shows, decided before any template runs: cut lists, targets of citations, figures."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from runcase.model.kinds import FAILED
from runcase.report.artifact_graph import artifact_graph
from runcase.report.citations import Citations
from runcase.report.dossier import Artifact, Attempt, Dossier, Excerpt, KeyEvent, Signal, Window
from runcase.report.event_table import MAX_EVENTS, EventTable, of_key_events, packed
from runcase.report.first_screen import actions, incomplete_words, start_words
from runcase.report.history import month_of, newest, older_months
from runcase.report.index_value import Group, Index, RunLine
from runcase.report.instants import clock_of, micros
from runcase.report.lineage_figure import LineageFigure, lineage_figure
from runcase.report.timeline import Timeline, timeline
from runcase.report.words import micros_words

MAX_LEAD, LEAD_LINES = 4, 20
"""Excerpts, and their lines in all, that stand between the verdict and the next actions."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """How many items of each kind a page spells out."""

    spans: int = 1000
    artifacts: int = 1000
    events: int = 400
    items: int = 500
    excerpt_lines: int = 400
    cited: int = 2000
    rows: int = MAX_EVENTS
    first_rows: int = 40

    @classmethod
    def ladder(cls) -> Iterator[Limits]:
        """Ever smaller limits; the last fits any sensible size."""
        yield cls()
        for rows in (50_000, 20_000, 5_000):
            yield cls(rows=rows)
        yield cls(300, 300, 200, 200, 200, 500, 1_000, 40)
        yield cls(80, 80, 60, 60, 80, 120, 200, 20)
        yield cls(15, 15, 10, 15, 30, 20, 20, 5)


@dataclass(frozen=True, slots=True)
class Cut(Generic[T]):
    """The first items of a list, and how many more there are."""

    items: tuple[T, ...]
    left: int

    @classmethod
    def of(cls, items: Sequence[T], limit: int) -> Cut[T]:
        """At most `limit` items."""
        return cls(tuple(items[:limit]), max(0, len(items) - limit))


@dataclass(frozen=True, slots=True)
class RailStop:
    """One attempt on the run rail."""

    attempt: Attempt
    tone: str
    took: str
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class FirstRow:
    """An event of the ledger as a page without script shows it."""

    clock: str
    kind: str
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class DossierPage:
    """Everything that `dossier.html.j2` prints."""

    d: Dossier
    cites: Citations
    tone: str
    took: str
    rail: tuple[RailStop, ...]
    windows: tuple[Window, ...]
    lead: tuple[Excerpt, ...]
    further: tuple[Excerpt, ...]
    excerpt_lines_left: int
    spans: Cut[Window]
    artifacts: Cut[Artifact]
    signals: Cut[Signal]
    contradictions: Cut[Signal]
    events: Cut[KeyEvent]
    table: EventTable
    packed: str
    first_rows: tuple[FirstRow, ...]
    actions: tuple[str, ...]
    start: str
    incomplete: tuple[str, str] | None
    timeline: Timeline | None
    lineage: LineageFigure | None
    limits: Limits


def dossier_page(d: Dossier, events: EventTable | None, limits: Limits) -> DossierPage:
    """The page of one run within `limits`; without `events` its ledger view holds what the dossier names."""
    rows = (events or of_key_events(d.events, d.coverage.events)).head(limits.rows)
    spans = (*d.windows, *d.stages, *d.gaps, *d.tools)
    kept, lines_left = _cut_excerpts(_blocker_first(d), limits.excerpt_lines)
    return DossierPage(
        d=d,
        cites=Citations(d, kept, limits.cited),
        tone=tone(d.run.status),
        took=took(d.run.created_at or d.run.first_ts, d.run.finished_at or d.run.last_ts),
        rail=tuple(_stop(a, d) for a in d.run.attempts),
        windows=_frame_windows(d),
        lead=kept[: _lead(kept)],
        further=kept[_lead(kept) :],
        excerpt_lines_left=lines_left,
        spans=Cut.of(spans, limits.spans),
        artifacts=Cut.of(d.artifacts, limits.artifacts),
        signals=Cut.of(d.signals, limits.items),
        contradictions=Cut.of(d.contradictions, limits.items),
        events=Cut.of(d.events, limits.events),
        table=rows,
        packed=packed(rows),
        first_rows=tuple(_first_rows(rows, limits.first_rows)) if events is not None else (),
        actions=actions(d),
        start=start_words(d.replay) if d.replay else "",
        incomplete=incomplete_words(d),
        timeline=timeline(d),
        lineage=lineage_figure(artifact_graph(d)),
        limits=limits,
    )


def _first_rows(table: EventTable, most: int) -> Iterator[FirstRow]:
    for ts, kind, level, text in table.rows.head(most).select("ts", "kind", "level", "text").iter_rows():
        yield FirstRow(clock_of(ts), kind, level or "", text)


_TONES = {"failed": "bad", "timed_out": "bad", "lost": "lost", "cancelled": "warn", "running": "busy"}


def tone(status: str) -> str:
    """The colour and shape in which a status is drawn."""
    return _TONES.get(status, "good" if status == "succeeded" else "plain")


def took(start: str | None, end: str | None) -> str:
    """Words for the time between two instants; `unknown` unless both are evidenced."""
    low, high = micros(start), micros(end)
    return micros_words(high - low) if low is not None and high is not None else "unknown"


def _stop(a: Attempt, d: Dossier) -> RailStop:
    windows = tuple(w for w in d.windows if w.attempt == a.attempt and w.kind == "window")
    return RailStop(a, tone(a.status), took(a.created_at or a.claimed_at or a.started_at, a.finished_at), windows)


def _frame_windows(d: Dossier) -> tuple[Window, ...]:
    """The windows of the run as a whole or, failing that, of its last attempt; what none explains comes last."""
    last = d.run.attempts[-1].attempt if d.run.attempts else None
    shown = [w for w in d.windows if w.attempt in (None, last)]
    return tuple(sorted(shown, key=lambda w: w.kind == "residual"))


def searched_words(searched: str) -> str:
    """Where an absence was searched, as one reads it after its verdict."""
    return searched if searched.startswith(("searched ", "no ")) else f"searched: {searched}"


def _blocker_first(d: Dossier) -> list[Excerpt]:
    """The excerpts that show what the blocker cites, then the others, each in the order of the verdict."""
    begins = {ref.partition("+")[0] for ref in (d.failure.blocker.refs if d.failure else ())}
    return sorted(d.excerpts, key=lambda e: not any(line.ref.partition("+")[0] in begins for line in e.lines))


def _cut_excerpts(excerpts: Sequence[Excerpt], room: int) -> tuple[tuple[Excerpt, ...], int]:
    """Whole excerpts while there is room for their lines; at least the first."""
    kept: list[Excerpt] = []
    used = 0
    for excerpt in excerpts:
        if kept and used + len(excerpt.lines) > room:
            break
        kept.append(excerpt)
        used += len(excerpt.lines)
    return tuple(kept), sum(len(e.lines) for e in excerpts) - used


def _lead(excerpts: Sequence[Excerpt]) -> int:
    """How many excerpts stand with the verdict, so that the next actions stay near it; at least the first."""
    lines = list(itertools.accumulate(len(e.lines) for e in excerpts[:MAX_LEAD]))
    return max(1, sum(1 for n in lines if n <= LEAD_LINES))


@dataclass(frozen=True, slots=True)
class IndexPage:
    """Everything that `index.html.j2` prints."""

    index: Index
    failed: int
    total: int
    counts: Mapping[str, int] = field(default_factory=dict)
    tones: dict[str, str] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    rows: tuple[RunLine, ...] = ()
    months: tuple[str, ...] = ()
    """Months whose runs are not all among the rows: each has a page of its own."""
    month: str = ""
    """The month that this page is of; empty for the page of the case."""


def index_page(index: Index, month: str = "") -> IndexPage:
    """The page of all runs, or of those of a month."""
    counts = index.counts if not month else Counter(r.status for r in index.runs if month_of(r) == month)
    rows = tuple(r for r in index.runs if month_of(r) == month) if month else newest(index.runs)
    statuses = {*counts, *(r.status for r in index.runs), *(r.status for j in index.jobs for r in j.runs)}
    return IndexPage(
        index=index,
        failed=sum(n for status, n in counts.items() if status in FAILED),
        total=sum(counts.values()),
        counts=counts,
        tones={status: tone(status) for status in {*statuses, *(index.changes.counts if index.changes else ())}},
        folders={r.run_id: r.folder for r in index.runs},
        groups={g.signature: g for g in index.groups},
        rows=rows,
        months=() if month else older_months(index.runs),
        month=month,
    )
