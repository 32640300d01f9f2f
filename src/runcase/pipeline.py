"""The stages in order: inputs to a batch, facts to conclusions, conclusions to dossiers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import polars as pl

from runcase.analysis.conclude import conclude
from runcase.intake import inputs
from runcase.intake.read import ReadPlan
from runcase.ledger.ingest import Group, IngestPlan, Unit, grouped, ingest
from runcase.ledger.store import Case
from runcase.model.case import Conclusions, Facts
from runcase.model.problems import RuncaseError
from runcase.model.refs import Ref, source_id
from runcase.model.tables import PROBLEMS
from runcase.report import html, index, index_markdown, known_issues, markdown
from runcase.report.build import Reported, dossiers
from runcase.report.dossier import Dossier
from runcase.report.index_value import Index
from runcase.report.json_face import to_json
from runcase.report.known_issues import KnownIssue
from runcase.report.terminal import RawEvidence
from runcase.rules.language import FormatRule, Pack
from runcase.rules.pack import load_packs, overridden
from runcase.settings import Settings


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a build stands: a stage's name, and units done of all (bytes for reading, runs for dossiers)."""

    stage: str
    done: int
    total: int


MAX_NOTICED = 5
"""Problems that the end of a build names; the dossiers and the ledger have all."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did."""

    case: Path
    new_inputs: int
    known_inputs: int
    runs: pl.DataFrame
    folders: dict[str, str]
    quarantined_bytes: int
    damage: int
    noticed: pl.DataFrame
    """The gravest problems of the evidence: `severity, code, path, message`; at most `MAX_NOTICED` rows."""


Report = Callable[[Progress], None]

COMPILED_FROM_BYTES = 4 << 20
"""Inputs from this size on are read by compiled kernels; below, loading them would cost more than they save."""


def build(settings: Settings, report: Report = lambda _: None) -> Built:
    """Reads what is new into the case and renews its conclusions and dossiers.

    Raises:
        RuncaseError: On misuse; the case is then as it was.
    """
    packs = load_packs(settings.packs)
    issues = known_issues.load(settings.known_issues) if settings.known_issues else ()
    case = Case.create(settings.case)
    with case.locked(), inputs.spooling(case.root / ".spool") as spool:
        units, known = new_units(case, settings, spool)
        if units:
            read(case, units, packs, settings, report)
        facts, conclusions, folders = renew(case, packs, settings, report, issues)
    return summary(settings, len(units), known, facts, conclusions, folders)


def renew(
    case: Case, packs: tuple[Pack, ...], settings: Settings, report: Report, issues: Sequence[KnownIssue]
) -> tuple[Facts, Conclusions, dict[str, str]]:
    """Conclusions, dossiers and provenance anew from the facts; also run id -> folder under runs/."""
    facts = case.facts()
    conclusions = conclude(facts, packs)
    case.write_conclusions(conclusions)
    folders = publish(case, facts, conclusions, settings, report, issues)
    case.write_provenance(provenance(packs, folders, issues))
    return facts, conclusions, folders


# --- inputs to facts ------------------------------------------------------------------------------


def new_units(case: Case, settings: Settings, spool: Path) -> tuple[list[Unit], int]:
    """Inputs that the case does not hold yet, in the order of their names, and the number that it holds."""
    known = set(case.facts().sources.select("source_id").collect()["source_id"])
    units = all_units(settings, spool)
    new = [u for u in units if source_id(u.sha256, u.name, 0) not in known]
    return new, len(units) - len(new)


def all_units(settings: Settings, spool: Path) -> list[Unit]:
    """Every input in the order of the names; the same bytes under the same name count once."""
    files = inputs.input_files(settings.inputs, settings.case, spool)
    found: dict[tuple[str, str], Unit] = {}
    for path, name in sorted(files, key=lambda x: (x[1], str(x[0]))):
        sha256, size = inputs.fingerprint(path)
        found.setdefault((sha256, name), Unit(len(found), path, name, sha256, size))
    return list(found.values())


def read(case: Case, units: Sequence[Unit], packs: tuple[Pack, ...], settings: Settings, report: Report) -> None:
    """Writes batches with the facts of `units`."""
    total = sum(u.size_bytes for u in units)
    done = 0

    def tell(group: Group) -> None:
        nonlocal done
        done += group.size_bytes
        report(Progress("reading", done, total))

    report(Progress("reading", 0, total))
    formats = formats_of(packs)
    secrets = tuple(r for p in packs for r in p.redact) if settings.redact else None
    compiled = total >= COMPILED_FROM_BYTES and find_spec("numba") is not None
    reading = ReadPlan(formats=formats, keep_raw=settings.keep_raw, compiled=compiled, redact=secrets)
    plan = IngestPlan(reading, packs)
    groups = [Group(batch_name(g, packs, settings), g) for g in grouped(units)]
    case.clear_staging()
    ingest(groups, plan, settings.jobs, case.root / "ledger", tell)


def formats_of(packs: Sequence[Pack]) -> tuple[FormatRule, ...]:
    """Line formats that the packs declare, without those that a stronger pack overrides."""
    return tuple(f for p in overridden(packs) for f in p.formats)


def batch_name(units: Sequence[Unit], packs: Sequence[Pack], settings: Settings) -> str:
    """16 hex digits over what goes in: names and digests of the inputs, the packs, and what is kept of the bytes."""
    parts = sorted(f"{u.sha256} {u.name}" for u in units) + sorted(f"{p.name}@{p.digest}" for p in packs)
    parts.append(f"keep_raw={settings.keep_raw} redact={settings.redact}")
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


# --- conclusions to dossiers ----------------------------------------------------------------------


def publish(
    case: Case,
    facts: Facts,
    conclusions: Conclusions,
    settings: Settings,
    report: Report,
    issues: Sequence[KnownIssue] = (),
) -> dict[str, str]:
    """Writes every dossier and the index; returns run id -> folder under runs/."""
    folders = run_folders(conclusions.runs["run_id"].to_list())
    for n, one in enumerate(dossiers(facts, conclusions, case.raw)):
        write_dossier(case, f"runs/{folders[one.run_id]}", one, settings)
        report(Progress("dossiers", n + 1, len(folders)))
    case.remove_runs_except(set(folders.values()))
    page = index.index(facts, conclusions, folders, issues)
    case.write_text("index.html", html.render_index(page))
    case.write_text("index.md", index_markdown.render_index(page))
    case.write_text(html.STYLESHEET, html.stylesheet())
    return folders


def write_dossier(case: Case, folder: str, one: Reported, settings: Settings) -> None:
    """The three faces of one run, and the style sheet for hosts that forbid inline style."""
    case.write_text(f"{folder}/dossier.html", html.render(one.dossier, settings.max_page_bytes, one.events))
    case.write_text(f"{folder}/{html.STYLESHEET}", html.stylesheet())
    case.write_text(f"{folder}/dossier.md", markdown.render(one.dossier))
    case.write_text(f"{folder}/dossier.json", to_json(one.dossier))


def run_folders(run_ids: Sequence[str]) -> dict[str, str]:
    """A safe, readable, unique folder name a run id; never raw text from a log."""
    folders: dict[str, str] = {}
    for run_id in run_ids:
        readable = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in run_id).strip(".-")[:60]
        safe = readable == run_id and not readable.startswith(".")
        mark = hashlib.sha256(run_id.encode("utf-8", "surrogateescape")).hexdigest()[:8]
        folders[run_id] = readable if safe else f"{readable or 'run'}-{mark}"
    return folders


def provenance(packs: Sequence[Pack], folders: dict[str, str], issues: Sequence[KnownIssue] = ()) -> dict[str, object]:
    """What made the case: versions, packs by digest, tickets, and where each run's dossier is."""
    tickets = {"known_issues": known_issues.as_values(issues)} if issues else {}
    return tickets | {
        "runcase": version("runcase"),
        "packs": [{"name": p.name, "version": p.version, "digest": p.digest} for p in packs],
        "runs": folders,
    }


def summary(
    settings: Settings, new: int, known: int, facts: Facts, conclusions: Conclusions, folders: dict[str, str]
) -> Built:
    """The figures that the command line ends with."""
    quarantined = facts.sources.select(pl.col("quarantined_bytes").sum()).collect().item()
    defects = (
        facts.problems.filter(pl.col("severity") != "info").collect().sort("severity", *PROBLEMS.key, nulls_last=True)
    )
    damage = defects.filter(pl.col("severity") == "error").height
    noticed = defects.select("severity", "code", "path", "message").head(MAX_NOTICED)
    return Built(settings.case, new, known, conclusions.runs, folders, quarantined, damage, noticed)


# --- looking at a finished case -------------------------------------------------------------------


def case_index(path: str) -> Index:
    """Every run of a case.

    Raises:
        RuncaseError: `not_a_case`, `newer_case`.
    """
    case, facts, conclusions = open_case(path)
    issues = known_issues.of_values(case.provenance().get("known_issues"))
    return index.index(facts, conclusions, run_folders(conclusions.runs["run_id"].to_list()), issues)


def open_case(path: str) -> tuple[Case, Facts, Conclusions]:
    """An existing case with its facts and conclusions.

    Raises:
        RuncaseError: `not_a_case`, `newer_case`.
    """
    case = Case.open(Path(path))
    return case, case.facts(), case.conclusions()


def one_dossier(path: str, run_id: str) -> Dossier:
    """The dossier of one run of a case, made anew from its ledger.

    Raises:
        RuncaseError: `unknown_run`, with the nearest ids.
    """
    case, facts, conclusions = open_case(path)
    return dossier_of(case, facts, conclusions, the_run(conclusions, run_id, path))


def folder_of(path: str, dossier: Dossier) -> str:
    """The folder under runs/ in which the pages of a run stand; empty when the case does not say."""
    folders = Case.open(Path(path)).provenance().get("runs")
    return str(folders.get(dossier.run.run_id, "")) if isinstance(folders, dict) else ""


def one_report(path: str, run_id: str) -> Reported:
    """The dossier of one run of a case together with its events.

    Raises:
        RuncaseError: `unknown_run`, with the nearest ids.
    """
    case, facts, conclusions = open_case(path)
    chosen = the_run(conclusions, run_id, path)
    return next(iter(dossiers(facts, conclusions, case.raw, only=chosen)))


def dossier_of(case: Case, facts: Facts, conclusions: Conclusions, run_id: str) -> Dossier:
    """The dossier of a run that the case is known to have."""
    return next(r.dossier for r in dossiers(facts, conclusions, case.raw, only=run_id))


def the_run(conclusions: Conclusions, asked: str, path: str) -> str:
    """The one run of a case whose id is `asked`, begins with it, or holds it; the first of these that tells one.

    Raises:
        RuncaseError: `unknown_run`, with the nearest ids.
    """
    known: list[str] = conclusions.runs["run_id"].to_list()
    if asked in known:
        return asked
    matching = [r for r in known if r.startswith(asked)] or [r for r in known if asked in r]
    if len(matching) != 1:
        what = "has no run" if not matching else f"has {len(matching)} runs like"
        near = ", ".join((matching or known)[:5]) or "no run at all"
        raise RuncaseError("unknown_run", f"{path} {what} {asked!r}", f"it has: {near}")
    return matching[0]


def raw_evidence(path: str, text: str) -> RawEvidence:
    """What a ref resolves to.

    Raises:
        RuncaseError: `bad_ref`, `not_a_case`.
    """
    ref = Ref.parse(text)
    case = Case.open(Path(path))
    sources = case.facts().sources.filter(pl.col("source_id") == ref.source_id).collect()
    if sources.is_empty():
        raise RuncaseError("bad_ref", f"{path} has no source {ref.source_id}", "refs are printed in the dossiers")
    source = sources.row(0, named=True)
    known = f"{source['path']}, sha256 {source['sha256']}, {source['size_bytes']:,} bytes"
    return RawEvidence(str(ref), source["path"], case.raw(ref), known)
