"""Facts and packs to conclusions: the stages of the analysis in order, each reading only what stands before it."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace

import polars as pl

from runcase.analysis import runs as frames
from runcase.analysis.artifacts import states, without_payloads
from runcase.analysis.basis import Basis
from runcase.analysis.claims import claims_of_runs
from runcase.analysis.clocks import clocks
from runcase.analysis.diagnosis import diagnose
from runcase.analysis.gaps import gaps
from runcase.analysis.heard import heard
from runcase.analysis.identity import Assignment, assignment
from runcase.analysis.lineage import declared_order, edges
from runcase.analysis.marks import marks, spread
from runcase.analysis.members import members
from runcase.analysis.observability import carriers, reach, with_searched
from runcase.analysis.operations import operations
from runcase.analysis.pack_choice import declaring, engines, run_packs
from runcase.analysis.reading_order import in_reading_order
from runcase.analysis.replay import replays
from runcase.analysis.rotation import carried_over
from runcase.analysis.signals import signals
from runcase.analysis.signs import signs
from runcase.analysis.skew_reports import with_doubt
from runcase.analysis.status import evidence, settled, taken_back, told_early
from runcase.analysis.stretches import stretches
from runcase.analysis.test_reports.results import tested
from runcase.analysis.test_reports.xml import fuller, reported
from runcase.analysis.tool_words import Unsettled, last_words
from runcase.analysis.view import CaseView
from runcase.analysis.windows import residuals, windows
from runcase.model.case import Conclusions, Facts
from runcase.model.naming_order import in_order_of_names
from runcase.model.tables import REPLAYS, WINDOWS
from runcase.rules.language import Pack


def conclude(
    facts: Facts,
    packs: tuple[Pack, ...],
    taken: Set[str] = frozenset(),
    names: Mapping[str, str] | None = None,
) -> Conclusions:
    """Everything that follows from the facts.

    Args:
        facts: The fact tables.
        packs: Rule packs, later ones stronger.
        taken: Ids of runs that stand elsewhere in the case: a run that is named after its source gets another.
        names: Source -> the id that the run which is named after it has already.

    Returns:
        One frame a conclusion table, each sorted by its key.
    """
    return concluded(facts, packs, assignment(facts, taken, names), carriers(facts))


def concluded(facts: Facts, packs: tuple[Pack, ...], joins: Assignment, carrying: pl.DataFrame) -> Conclusions:
    """As `conclude`, of facts whose runs are assigned.

    Args:
        facts: The fact tables of a case, or of some of its sources with all that they share runs with.
        packs: Rule packs, later ones stronger.
        joins: The runs of at least these sources.
        carrying: `observability.carriers` of the whole case.
    """
    view, basis = identified(facts, packs, joins)
    view = replace(view, windows=_timed(view, basis))
    timed = with_doubt(view.windows, basis.clocks)
    able = reach(view, carrying)
    view = replace(view, windows=with_searched(timed, able))
    claims = claims_of_runs(view.artifacts, view.sources)
    lineage = edges(claims, declared_order(view.events, view.sources))
    known = states(claims, view.sources, view.members)
    view = replace(view, states=without_payloads(known, view.sources, facts.tombstones.collect()), edges=lineage)
    view = replace(view, signals=signals(view, basis, able))
    found = Conclusions(
        runs=view.runs,
        attempts=view.attempts,
        members=view.members,
        windows=view.windows,
        states=view.states,
        edges=view.edges,
        signals=view.signals,
        diagnoses=diagnose(view),
        replay=REPLAYS.empty(),
        tests=fuller(basis.tests, reported(view.spans, view.members, view.sources)),
    )
    return replace(found, replay=replays(found, packs, engines(view)))


def identified(facts: Facts, packs: tuple[Pack, ...], joins: Assignment) -> tuple[CaseView, Basis]:
    """The view with runs, attempts and members, and what the next stages rest on."""
    stored = facts.sources.collect()
    sources = in_order_of_names(stored)
    claims = joins.apply(facts.artifacts).collect()
    carried = carried_over(facts.events, joins.pieces, sources)
    events, spans = joins.apply(carried), joins.apply(facts.spans).collect()
    belonging = members([events, spans.lazy(), claims.lazy()], joins)
    events = in_reading_order(events, stored, belonging, joins.pieces)
    reach, numbers, seen = _marked(events, sources, belonging, spans)
    lives = signs(events, sources, belonging, seen)
    told = clocks(seen, lives, claims, spans, sources, joins.pieces)
    if told.skews.height:
        events = told.corrected(events, "ts", "ts_lo", "ts_hi")
        spans = told.corrected(spans.lazy(), "start", "end").collect()
        claims = told.corrected(claims.lazy(), "ts").collect()
        sources = told.corrected(sources.lazy(), "first_ts", "last_ts").collect()
        reach, numbers, seen = _marked(events, sources, belonging, spans)
    ends = evidence(seen, spans)
    early = told_early(ends, seen)
    decided = settled(ends).join(early, on="run_id", how="anti")
    unsettled = joins.own.join(decided, on="run_id", how="anti", maintain_order="left")
    parted = stretches(events)
    said = heard(events, parted, unsettled["source_id"])
    console = tested(events, parted, said.reporting, set(unsettled["run_id"]))
    words = last_words(events, said.verdicts, sources, Unsettled(unsettled, early), numbers, seen, console.totals)
    tries, basis = frames.attempts(numbers, seen, pl.concat([taken_back(ends, early, words), words]))
    cited = run_packs(events)
    declared = declaring(cited, packs)
    view = CaseView(
        events=events,
        artifacts=claims,
        spans=spans,
        problems=facts.problems,
        sources=sources,
        members=belonging,
        run_packs=cited,
        runs=frames.runs(tries, basis, seen, reach, belonging, sources, declared),
        attempts=tries,
        packs=packs,
    )
    return view, Basis(seen, joins.duplicates, told, console.results)


def _marked(
    events: pl.LazyFrame, sources: pl.DataFrame, belonging: pl.DataFrame, spans: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """How far events reach, the attempts that there are, and the marks."""
    reach = spread(events)
    numbers = frames.attempt_numbers(reach, belonging, spans)
    return reach, numbers, marks(events, sources, numbers)


def _timed(view: CaseView, basis: Basis) -> pl.DataFrame:
    """WINDOWS."""
    seen, doubt = basis.marks, basis.clocks.doubt
    found = windows(seen, view.spans, view.attempts, view.runs.select("run_id", "pack"), view.packs, doubt)
    inside = [operations(seen, view.spans, view.sources, doubt), gaps(view.events, seen, view.sources)]
    whole = pl.concat([found, residuals(found, view.attempts), *inside])
    return whole.sort(WINDOWS.key, nulls_last=True)
