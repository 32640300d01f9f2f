"""What a finished case answers: its runs, a dossier, the bytes behind a statement. Nothing here reads an input."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import polars as pl

from runcase.analysis.renewal import of_runs
from runcase.intake.remote import shown
from runcase.ledger.places import opened
from runcase.ledger.store import Case
from runcase.model.case import Conclusions, Facts, with_overview
from runcase.model.problems import RuncaseError
from runcase.model.refs import Ref
from runcase.report import index, known_issues
from runcase.report.build import Reported, dossiers
from runcase.report.dossier import Dossier
from runcase.report.index_value import Index
from runcase.report.known_issues import KnownIssue
from runcase.report.raw_evidence import RawEvidence
from runcase.rules.language import Pack
from runcase.rules.pack import load_packs

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


def run_folders(run_ids: Sequence[str]) -> dict[str, str]:
    """A safe, readable, unique folder name a run id; never raw text from a log."""
    folders: dict[str, str] = {}
    for run_id in run_ids:
        readable = _UNSAFE.sub("-", run_id).strip(".-")[:60]
        if readable != run_id:
            mark = hashlib.sha256(run_id.encode("utf-8", "surrogateescape")).hexdigest()[:8]
            readable = f"{readable or 'run'}-{mark}"
        folders[run_id] = readable
    return folders


def case_index(path: str) -> Index:
    """Every run of a case.

    Raises:
        RuncaseError: `not_a_case`, `newer_case`.
    """
    case = opened(path)
    facts, conclusions = with_overview(case.facts([]), *case.overview()), case.conclusions()
    folders = run_folders(conclusions.runs["run_id"].to_list())
    return index.index(facts, conclusions, folders, issues_of(case), case.builds())


def issues_of(case: Case) -> tuple[KnownIssue, ...]:
    """The tickets for known failures that the case was last built with."""
    return known_issues.of_values(case.provenance().get("known_issues"))


def open_case(path: str) -> tuple[Case, Conclusions]:
    """An existing case with its conclusions.

    Raises:
        RuncaseError: `not_a_case`, `newer_case`.
    """
    case = opened(path)
    return case, case.conclusions()


def facts_of(case: Case, conclusions: Conclusions, runs: Sequence[str]) -> Facts:
    """The facts of the batches that hold evidence of some runs; no others are opened."""
    return case.facts(case.holding(of_runs(conclusions, set(runs)).members["source_id"]))


def one_dossier(path: str, run_id: str) -> Dossier:
    """The dossier of one run of a case, made anew from its ledger.

    Raises:
        RuncaseError: `unknown_run`, with the nearest ids.
    """
    case, conclusions = open_case(path)
    return dossier_of(case, conclusions, the_run(conclusions, run_id, path))


def folder_of(path: str, dossier: Dossier) -> str:
    """The folder under runs/ in which the pages of a run stand; empty when the case does not say."""
    folders = opened(path).provenance().get("runs")
    return str(folders.get(dossier.run.run_id, "")) if isinstance(folders, dict) else ""


def one_report(path: str, run_id: str) -> Reported:
    """The dossier of one run of a case together with its events.

    Raises:
        RuncaseError: `unknown_run`, with the nearest ids.
    """
    case, conclusions = open_case(path)
    return _reported(case, conclusions, the_run(conclusions, run_id, path))


def dossier_of(case: Case, conclusions: Conclusions, run_id: str) -> Dossier:
    """The dossier of a run that the case is known to have."""
    return _reported(case, conclusions, run_id).dossier


def _reported(case: Case, conclusions: Conclusions, run_id: str) -> Reported:
    facts = facts_of(case, conclusions, [run_id])
    return next(iter(dossiers(facts, conclusions, case.raw, run_id, issues_of(case))))


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
        raise RuncaseError("unknown_run", f"{shown(path)} {what} {asked!r}", f"it has: {near}")
    return matching[0]


def raw_evidence(path: str, text: str) -> RawEvidence:
    """What a ref resolves to.

    Raises:
        RuncaseError: `bad_ref`, `not_a_case`.
    """
    ref = Ref.parse(text)
    case = opened(path)
    facts = case.facts(case.holding(pl.Series([ref.source_id])))
    sources = facts.sources.filter(pl.col("source_id") == ref.source_id).collect()
    if sources.is_empty():
        raise RuncaseError(
            "bad_ref", f"{shown(path)} has no source {ref.source_id}", "refs are printed in the dossiers"
        )
    source = sources.row(0, named=True)
    known = f"{source['path']}, sha256 {source['sha256']}, {source['size_bytes']:,} bytes"
    stones = facts.tombstones.filter((pl.col("source_id") == ref.source_id) & (pl.col("class") != "events"))
    for stone in stones.sort("as_of", "class").collect().iter_rows(named=True):
        known += f"; {stone['size_bytes']:,} bytes expired as of {stone['as_of']}, sha256 {stone['sha256']}"
    return RawEvidence(str(ref), source["path"], case.raw(ref), known)


def case_packs(case: Case, rules: Sequence[str] = ()) -> tuple[Pack, ...]:
    """The packs that a case was built with; `rules` names those that are not shipped.

    Raises:
        RuncaseError: `pack_changed` when one is not what it was, `unknown_pack`.
    """
    told = case.provenance().get("packs")
    listed = {p["name"]: p["digest"] for p in told} if isinstance(told, list) else {}
    own = load_packs(rules) if rules else ()
    names = [n for n in listed if n not in {p.name for p in own}]
    packs = (*load_packs(names), *own)
    changed = [p.name for p in packs if p.name in listed and listed[p.name] != p.digest]
    if changed:
        what = f"rule packs have changed since the case was built: {', '.join(changed)}"
        raise RuncaseError("pack_changed", what, "build the case again: conclusions are recomputed from the ledger")
    return packs
