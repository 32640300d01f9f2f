"""The stages in order: inputs to a batch, facts to conclusions, conclusions to dossiers."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import polars as pl

from runcase import __version__, concluding
from runcase.analysis.shares import with_contents
from runcase.arrivals import batch_name, damaged_groups, formats_of, new_units, not_published
from runcase.finished import issues_of, run_folders
from runcase.intake import inputs
from runcase.intake.read_plan import ReadPlan
from runcase.intake.remote import shown
from runcase.ledger.cluster import ingest_on
from runcase.ledger.ingest import IngestPlan, in_portions, ingest
from runcase.ledger.places import held
from runcase.ledger.store import Case
from runcase.ledger.sums import write_sums
from runcase.ledger.units import Group, Unit, grouped
from runcase.ledger.workers import Crew
from runcase.model.allocators import let_go
from runcase.model.case import Conclusions, Facts, with_overview
from runcase.model.refs import source_id
from runcase.model.tables import PROBLEMS
from runcase.publishing import WORTH_RUNS, Writing, publish, retold
from runcase.renewing import concluded
from runcase.report import known_issues
from runcase.report.damage import damaged_once
from runcase.report.known_issues import KnownIssue
from runcase.rules.language import Pack
from runcase.rules.pack import load_packs
from runcase.rules.precedence import overrides
from runcase.settings import Settings

FRESH_FROM_BYTES = 4 << 20
"""Of inputs: processes that read so much hold memory that is not given back, and make room for fresh ones."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a build stands: a stage's name, and units done of all; a total of 0 is not known."""

    stage: str
    done: int = 0
    total: int = 0
    unit: str = "runs"


MAX_NOTICED = 5
"""Problems that the end of a build names; the dossiers and the ledger have all."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did."""

    case: str
    """Where it is; a URL without what may be secret in it."""
    new_inputs: int
    known_inputs: int
    events: int
    """Events of the whole case."""
    runs: pl.DataFrame
    """RUNS of the whole case."""
    older_runs: int
    """How many of them the case had before."""
    asked: frozenset[str]
    """Those that this build was asked about: its new inputs tell of them, or, where none is new, any of its inputs."""
    folders: dict[str, str]
    quarantined_bytes: int
    damage: int
    noticed: pl.DataFrame
    """The gravest problems of the evidence: `severity, code, path, message`; at most `MAX_NOTICED` rows."""


Report = Callable[[Progress], None]

COMPILED_FROM_BYTES = 4 << 20
"""Inputs from this size on are read by compiled kernels; below, loading them would cost more than they save."""


def build(settings: Settings, report: Report = lambda _: None, crew: Crew | None = None) -> Built:
    """Reads what is new into the case and renews its conclusions and dossiers.

    Args:
        settings: What was asked.
        report: Is told how far it is.
        crew: Processes that were started before; without it, some are started when there is something to read.

    Raises:
        RuncaseError: On misuse; the case is then as it was.
    """
    if crew is None:
        with Crew(settings.jobs) as own:
            return build(settings, report, own)
    packs = load_packs(settings.packs)
    issues = _known_issues(settings.known_issues)
    with held(settings.case, make=True) as case, inputs.spooling(case.root / ".spool") as spool:
        report(Progress("looking at the inputs"))
        older = case.provenance().get("runs")
        new, known = new_units(case, settings, spool)
        unpublished = not_published(case, known)
        groups = in_portions([Group(batch_name(g, packs, settings), g) for g in grouped(new)], crew)
        groups += damaged_groups(case, known, packs, settings, crew)
        if groups:
            read(case, groups, packs, settings, crew, report)
            make_ready(crew, groups)
        written = {g.batch for g in groups}
        facts, conclusions, folders = renew(case, packs, settings, report, issues, written, crew=crew)
    older_runs = len(folders.keys() & set(older)) if isinstance(older, dict) else 0
    asked = runs_within(facts, conclusions, ([*new, *unpublished] or known))
    return summary(settings, len(new), len(known), older_runs, asked, facts, conclusions, folders)


def _known_issues(path: Path | None) -> tuple[KnownIssue, ...]:
    """Those of a file; without one, none."""
    if path is None:
        return ()
    from runcase.report.known_issues_file import load  # what reads YAML

    return load(path)


def renew(
    case: Case,
    packs: tuple[Pack, ...],
    settings: Settings,
    report: Report,
    issues: Sequence[KnownIssue],
    written: Set[str] = frozenset(),
    anew: bool = False,
    crew: Crew | None = None,
) -> tuple[Facts, Conclusions, dict[str, str]]:
    """Conclusions, dossiers and provenance for the batches on disk; also run id -> folder under runs/.

    Args:
        case: The case, held for writing.
        packs: The rule packs.
        settings: Those of the build.
        report: Is told how far the dossiers are.
        issues: Known issues for the index.
        written: Batches that this build wrote.
        anew: Whether to conclude everything anew, and not only what fresh evidence touches.
        crew: Processes that help to write dossiers.
    """
    made = provenance(packs, settings)
    report(Progress("concluding"))
    found = concluded(case, packs, made, written, anew, concluding.by(case, crew))
    conclusions, changed = found.conclusions, found.changed
    folders = run_folders(conclusions.runs["run_id"].to_list())
    whole = with_overview(case.facts([]), found.sources, found.problems)
    if changed or not case.is_concluded() or case.rested_on() != case.batches():
        case.write_conclusions(conclusions, found.sources, found.problems)
    changed |= {r for r, folder in folders.items() if not case.has(f"runs/{folder}/dossier.json")}
    changed |= retold(issues_of(case), issues, conclusions)
    writing = Writing(case, folders, settings.max_page_bytes, issues)
    publish(writing, whole, conclusions, changed, crew, lambda n: report(Progress("dossiers", n, len(changed))))
    builds = case.builds()
    case.remove_superseded()
    kept = [f"ledger/{b}" for b in case.batches() if b not in written]
    kept += [f"runs/{folder}" for run_id, folder in folders.items() if run_id not in changed]
    write_sums(case, kept)
    tickets = {"known_issues": known_issues.as_values(issues)} if issues else {}
    case.write_provenance(made | tickets | {"runs": folders, "builds": builds})
    return whole, conclusions, folders


# --- inputs to facts ------------------------------------------------------------------------------


def read(
    case: Case, groups: Sequence[Group], packs: tuple[Pack, ...], settings: Settings, crew: Crew, report: Report
) -> None:
    """Writes the batches of `groups`."""
    total = sum(g.size_bytes for g in groups)

    def tell(done: int) -> None:
        report(Progress("reading", done, total, "bytes"))

    tell(0)
    formats = formats_of(packs)
    secrets = tuple(r for p in packs for r in p.redact) if settings.redact else None
    compiled = total >= COMPILED_FROM_BYTES and find_spec("numba") is not None
    reading = ReadPlan(formats=formats, keep_raw=settings.keep_raw, compiled=compiled, redact=secrets)
    plan = IngestPlan(reading, packs)
    case.clear_staging()
    let_go()  # this process waits for those that read: 27 MiB of its libraries (measured 2026-11)
    try:
        if settings.scheduler is None:
            ingest(groups, plan, crew, case.root / "ledger", tell)
        else:
            ingest_on(settings.scheduler, groups, plan, case.root / "ledger", tell)
    finally:
        case.clear_staging()


def make_ready(crew: Crew, groups: Sequence[Group]) -> None:
    """Lets the processes load what writes dossiers while this one concludes, where there may be many to write."""
    size = sum(g.size_bytes for g in groups)
    helpers = crew.jobs - 1  # this process takes part
    if size >= FRESH_FROM_BYTES:
        crew.end()
        crew.load("runcase.concluding", "runcase.publishing")
        crew.start(helpers)
    elif sum(len(g.units) for g in groups) >= WORTH_RUNS:
        crew.end(keep=helpers)
        crew.load("runcase.publishing")
        crew.start(helpers)


def runs_within(facts: Facts, conclusions: Conclusions, units: Sequence[Unit]) -> frozenset[str]:
    """Runs that some inputs tell of, with all that lies in them."""
    roots = pl.Series("source_id", [source_id(u.sha256, u.name, 0) for u in units], dtype=pl.String)
    held = with_contents(roots, facts.sources.select("source_id", "parent_id").collect())
    return frozenset(conclusions.members.filter(pl.col("source_id").is_in(held.implode()))["run_id"])


def provenance(packs: Sequence[Pack], settings: Settings) -> dict[str, object]:
    """What makes the conclusions and faces of a case what they are: versions, packs, who overrides whom, settings."""
    replaced = [str(o) for o in overrides(packs)]
    return {
        "runcase": __version__,
        "packs": [{"name": p.name, "version": p.version, "digest": p.digest} for p in packs],
        "settings": {"max_page_bytes": settings.max_page_bytes},
        **({"overrides": replaced} if replaced else {}),
    }


def summary(
    settings: Settings,
    new: int,
    known: int,
    older_runs: int,
    asked: frozenset[str],
    facts: Facts,
    conclusions: Conclusions,
    folders: dict[str, str],
) -> Built:
    """The figures that the command line ends with."""
    events, quarantined = facts.sources.select(pl.col("events", "quarantined_bytes").sum()).collect().row(0)
    found = facts.problems.filter(pl.col("severity") != "info").collect()
    defects = damaged_once(found.sort("severity", *PROBLEMS.key, nulls_last=True))
    damage = defects.filter(pl.col("severity") == "error").height
    noticed = defects.select("severity", "code", "path", "message").head(MAX_NOTICED)
    place = shown(str(settings.case))
    return Built(place, new, known, events, conclusions.runs, older_runs, asked, folders, quarantined, damage, noticed)
