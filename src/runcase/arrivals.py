"""What a build is asked to read: which of its inputs are new to the case, and which batches must be read again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import polars as pl

from runcase.intake import inputs
from runcase.intake.remote import remote_files
from runcase.ledger.ingest import surveyed
from runcase.ledger.store import Case
from runcase.ledger.units import Group, Unit, whole_name
from runcase.ledger.workers import Crew
from runcase.model.naming_order import counted
from runcase.model.refs import source_id
from runcase.rules.language import FormatRule, Pack
from runcase.rules.precedence import overridden
from runcase.settings import Settings


def new_units(case: Case, settings: Settings, spool: Path) -> tuple[list[Unit], list[Unit]]:
    """Inputs that the case does not hold yet, in the order of their names, and those that it holds."""
    told, _ = case.overview()
    pending = sorted(set(case.batches()) - set(case.rested_on()))
    known = {*told["source_id"], *case.facts(pending).sources.select("source_id").collect()["source_id"]}
    units = all_units(settings, spool, case.root)
    new = [u for u in units if source_id(u.sha256, u.name, 0) not in known]
    return new, [u for u in units if source_id(u.sha256, u.name, 0) in known]


def not_published(case: Case, held: Sequence[Unit]) -> list[Unit]:
    """Of inputs that the case holds, those that only a build has read that was killed before it published them."""
    told, _ = case.overview()
    published = {*told.filter(pl.col("batch").is_in(case.concluded()))["source_id"]}
    return [u for u in held if source_id(u.sha256, u.name, 0) not in published]


def damaged_groups(
    case: Case, held: Sequence[Unit], packs: Sequence[Pack], settings: Settings, crew: Crew
) -> list[Group]:
    """Batches that cannot be read and whose inputs are all at hand again."""
    told, _ = case.overview()
    batch_of = dict(told.select("source_id", "batch").iter_rows())
    by_batch: dict[str, list[Unit]] = {}
    for unit in held:
        by_batch.setdefault(batch_of.get(source_id(unit.sha256, unit.name, 0), ""), []).append(unit)
    siblings: dict[str, list[str]] = {}
    for batch in case.batches():
        siblings.setdefault(whole_name(batch), []).append(batch)
    found: list[Group] = []
    for batch, units in sorted(by_batch.items()):
        whole = Group(whole_name(batch), tuple(units))
        broken = [b for b in siblings.get(whole.batch, ()) if case.ledger_problems([b])]
        if broken and whole.batch == batch_name(units, packs, settings):
            parts = [whole] if batch == whole.batch else surveyed([whole], crew)[whole.batch]
            found += [g for g in parts if g.batch in broken]
    return found


def all_units(settings: Settings, spool: Path, own: Path) -> list[Unit]:
    """Every input in the order of the names but for what lies in `own`; the same bytes under one name count once."""
    local = inputs.input_files(settings.inputs, own, spool)
    files = chain(local, remote_files(settings.remote, spool, str(settings.case)))
    told = ((name, *inputs.fingerprint(path), path) for path, name in files)
    found = {(name, sha256): (path, size) for name, sha256, size, path in sorted(told)}
    ordered = sorted(found.items(), key=lambda f: (counted(f[0][0]), f[0][1]))
    return [Unit(n, path, name, sha256, size) for n, ((name, sha256), (path, size)) in enumerate(ordered)]


def batch_name(units: Sequence[Unit], packs: Sequence[Pack], settings: Settings) -> str:
    """16 hex digits over what goes in: names and digests of the inputs, the packs, and what is kept of the bytes."""
    parts = sorted(f"{u.sha256} {u.name}" for u in units) + sorted(f"{p.name}@{p.digest}" for p in packs)
    parts.append(f"keep_raw={settings.keep_raw} redact={settings.redact}")
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def formats_of(packs: Sequence[Pack]) -> tuple[FormatRule, ...]:
    """Line formats that the packs declare, without those that a stronger pack overrides."""
    return tuple(f for p in overridden(packs) for f in p.formats)
