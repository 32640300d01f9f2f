"""Facts and conclusions to `Dossier` values, one run at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace

import polars as pl

from runcase import __version__
from runcase.model.case import Conclusions, Facts
from runcase.model.text import present_line
from runcase.report import rows
from runcase.report.citations import cited
from runcase.report.damage import damaged_once
from runcase.report.dossier import SCHEMA, Coverage, Damage, Dossier, Window
from runcase.report.event_table import EventTable
from runcase.report.evidence import Ledger, RunEvents, RunLog, Wanted, run_events
from runcase.report.excerpts import Raw, excerpts
from runcase.report.known_issues import KnownIssue, tickets
from runcase.report.rows import Row

MAX_DAMAGE = 100
"""Problems that a dossier spells out."""

_FIRST = {"failed": 0, "timed_out": 1, "lost": 2, "cancelled": 3}


@dataclass(frozen=True, slots=True)
class Reported:
    """One run as the faces show it: its dossier, and its events for the ledger view."""

    run_id: str
    dossier: Dossier
    events: EventTable


def dossiers(
    facts: Facts,
    conclusions: Conclusions,
    raw: Raw,
    only: str | None = None,
    issues: Sequence[KnownIssue] = (),
) -> Iterator[Reported]:
    """Every run (or that of `only`), failed runs first, then by id; `issues` are tickets for known failures."""
    tables = _Tables(facts, conclusions, issues)
    runs = conclusions.runs.sort(pl.col("status").replace_strict(_FIRST, default=9), "run_id")
    by_id = {r["run_id"]: r for r in runs.iter_rows(named=True) if only in (None, r["run_id"])}
    ledger = Ledger(facts, conclusions)
    for run_id, log in ledger.by_run(list(by_id)):
        yield _reported(by_id[run_id], tables, log, ledger.paths, raw)


_DEFAULT_WINDOWS = ("queue", "boot", "active", "writeback")


def _window_place(w: Window) -> tuple[int, bool, int]:
    """Windows of an attempt in the order of its life, the residual after them; all else as it stood."""
    life = _DEFAULT_WINDOWS.index(w.name) if w.kind == "window" and w.name in _DEFAULT_WINDOWS else 4
    return w.attempt or 0, w.kind == "residual", life if w.kind == "window" else 0


class _Tables:
    """Conclusions by run, partitioned once."""

    def __init__(self, facts: Facts, conclusions: Conclusions, issues: Sequence[KnownIssue]) -> None:
        self.tickets = tickets(issues, conclusions.diagnoses)
        self.members = _by_run(conclusions.members)
        self.attempts = _by_run(conclusions.attempts)
        self.windows = _by_run(conclusions.windows)
        self.states = _by_run(conclusions.states)
        self.edges = _by_run(conclusions.edges)
        self.signals = _by_run(conclusions.signals)
        self.diagnoses = _by_run(conclusions.diagnoses)
        self.replay = _by_run(conclusions.replay)
        self.tests = _by_run(conclusions.tests)
        self.sources = {str(r["source_id"]): r for r in facts.sources.collect().iter_rows(named=True)}
        problems = facts.problems.sort("path", "byte_start", "code", nulls_last=True).collect()
        self.problems: dict[str | None, list[tuple[int, Row]]] = {}
        for n, p in enumerate(damaged_once(problems).iter_rows(named=True)):
            self.problems.setdefault(p["source_id"], []).append((n, p))
        self.version = __version__

    def parent(self, source_id: str) -> str | None:
        """The source that holds another."""
        above = self.sources[source_id]["parent_id"] if source_id in self.sources else None
        return str(above) if above else None


def _by_run(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {str(k[0]): v for k, v in frame.partition_by("run_id", as_dict=True, maintain_order=True).items()}


def _rows(tables: dict[str, pl.DataFrame], run_id: str) -> list[Row]:
    frame = tables.get(run_id)
    return frame.to_dicts() if frame is not None else []


def _reported(row: Row, t: _Tables, log: RunLog, paths: dict[str, str], raw: Raw) -> Reported:
    bare = _concluded(row, t)
    decisive = bare.failure.decisive if bare.failure else ()
    found = run_events(log, Wanted(decisive, list(cited(bare))), paths)
    return Reported(str(row["run_id"]), _with_evidence(bare, found, raw), found.table)


def _concluded(row: Row, t: _Tables) -> Dossier:
    """Everything that the conclusions say of a run."""
    run_id = str(row["run_id"])
    diagnoses = _rows(t.diagnoses, run_id)
    verdict = next((d for d in diagnoses if d["rank"] == 0), None)
    members = t.members.get(run_id)
    ids = set(members["source_id"].to_list()) if members is not None else set()
    sources = sorted((t.sources[i] for i in ids if i in t.sources), key=lambda s: (str(s["path"]), str(s["source_id"])))
    windows = sorted((rows.window(w) for w in _rows(t.windows, run_id)), key=_window_place)
    signals = [(s["family"], rows.signal(s)) for s in _rows(t.signals, run_id)]
    return Dossier(
        run=rows.run(row, _rows(t.attempts, run_id)),
        failure=rows.failure(verdict, diagnoses[1:]) if verdict else None,
        known_issue=t.tickets.get(run_id),
        windows=tuple(w for w in windows if w.kind in ("window", "residual")),
        stages=tuple(w for w in windows if w.kind == "stage"),
        tools=tuple(w for w in windows if w.kind in ("tool", "invocation")),
        gaps=tuple(w for w in windows if w.kind == "gap"),
        signals=tuple(s for family, s in signals if family != "contradiction"),
        contradictions=tuple(s for family, s in signals if family == "contradiction"),
        artifacts=tuple(rows.artifact(a) for a in _rows(t.states, run_id)),
        edges=tuple(rows.edge(e) for e in _rows(t.edges, run_id)),
        replay=next((rows.replay(r) for r in _rows(t.replay, run_id)), None),
        tests=next((rows.tests(x) for x in _rows(t.tests, run_id)), None),
        next_actions=tuple(present_line(str(a)) for a in rows.items(verdict, "next_actions")),
        excerpts=(),
        events=(),
        evidence_damage=tuple(_damage(ids, t)),
        sources=tuple(map(rows.source, sources)),
        coverage=_coverage(sources),
        provenance={"schema": SCHEMA, "runcase": t.version, "pack": str(row["pack"] or "")},
    )


def _with_evidence(d: Dossier, found: RunEvents, raw: Raw) -> Dossier:
    shown = excerpts(found.placed, raw)
    covered = {line.ref for e in shown for line in e.lines}
    return replace(
        d,
        excerpts=shown,
        events=tuple(rows.key_event(e) for e in found.key.iter_rows(named=True)),
        cited=tuple(c for c in found.cited if c.ref not in covered),
        coverage=replace(d.coverage, events=found.total, unknown=found.unknown),
    )


def _damage(ids: Set[str], t: _Tables) -> Iterator[Damage]:
    """Problems of the run's sources and of the containers that hold them, and damage of the ledger itself."""
    wanted: set[str | None] = {None, *ids}
    for source_id in ids:
        above = t.parent(source_id)
        while above and above not in wanted:
            wanted.add(above)
            above = t.parent(above)
    mine = sorted((found for i in wanted for found in t.problems.get(i, ())), key=lambda found: found[0])
    for _, p in mine[:MAX_DAMAGE]:
        place = None if p["byte_start"] is None else f"{p['source_id']}:{p['byte_start']}+{p['byte_len'] or 0}"
        yield Damage(
            str(p["code"]), str(p["severity"]), rows.text_of(p["path"]), present_line(str(p["message"])), place
        )


def _coverage(sources: Sequence[Row]) -> Coverage:
    """What the sources hold; events are counted when they are read."""

    def total(column: str) -> int:
        return sum(rows.number(s[column]) or 0 for s in sources)

    return Coverage(
        sources=len(sources),
        bytes=total("size_bytes"),
        lines=total("lines"),
        events=0,
        unknown=0,
        quarantined=total("quarantined_bytes"),
        overhead=total("overhead_bytes"),
    )
