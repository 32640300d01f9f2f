"""A finished case as the laboratory looks at it: its events with their sources, and the packs that made them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from runcase.intake.remote import shown
from runcase.ledger import places
from runcase.model.case import Conclusions, Facts
from runcase.model.problems import RuncaseError
from runcase.rules.compile import applies
from runcase.rules.language import EventRule, Pack
from runcase.rules.pack import load_packs
from runcase.settings import DEFAULT_PACKS


@dataclass(frozen=True, slots=True)
class LabCase:
    """A case, its facts and conclusions, and the packs at hand, later ones stronger."""

    root: str
    facts: Facts
    conclusions: Conclusions
    packs: tuple[Pack, ...]
    notes: tuple[str, ...]
    """Packs that named its events and are not at hand in that version."""

    def events(self) -> pl.LazyFrame:
        """EVENTS with `path` and `reader` of their source."""
        sources = self.facts.sources.select("source_id", "path", "reader")
        return self.facts.events.join(sources, on="source_id", how="left")


def opened(path: str, rules: Sequence[str]) -> LabCase:
    """A case and the packs: those that every build uses, and `rules`.

    Raises:
        RuncaseError: `not_a_case`, `newer_case`, `unknown_pack`, `invalid_pack`.
    """
    case = places.opened(path)
    packs = load_packs((*DEFAULT_PACKS, *rules))
    at_hand = {p.name: p.digest for p in packs}
    used = case.provenance().get("packs", [])
    notes = []
    for entry in used if isinstance(used, list) else []:
        name, digest = str(entry.get("name")), str(entry.get("digest"))
        if name not in at_hand:
            notes.append(f"the case was built with pack {name}@{digest}, which is not at hand; name it with --rules")
        elif at_hand[name] != digest:
            notes.append(f"the case was built with {name}@{digest}; at hand is {name}@{at_hand[name]}")
    return LabCase(shown(path), case.facts(), case.conclusions(), packs, tuple(notes))


def rules_for(
    ordered: Sequence[tuple[EventRule, Pack]], path: str, reader: str | None
) -> list[tuple[int, EventRule, Pack]]:
    """Those of the rules, with their numbers, whose pack speaks of a source."""
    return [(n, rule, pack) for n, (rule, pack) in enumerate(ordered) if applies(pack, path, reader)]


def rule_named(name: str, ordered: Sequence[tuple[EventRule, Pack]]) -> int:
    """Number of the rule that `id`, `pack#id` or `pack@digest#id` names.

    Raises:
        RuncaseError: `unknown_rule`, with the nearest ids.
    """
    import difflib

    m = re.fullmatch(r"(?:(?P<pack>[^@#]+)(?:@[0-9a-f]+)?#)?(?P<id>.+)", name.strip())
    pack, rule_id = (m["pack"], m["id"]) if m else (None, name)
    for n, (rule, of) in enumerate(ordered):
        if rule.id == rule_id and pack in (None, of.name):
            return n
    near = difflib.get_close_matches(rule_id, [r.id for r, _ in ordered], 5)
    hint = f"near are: {', '.join(near)}" if near else "a rule of a pack of your own needs --rules PACK"
    raise RuncaseError("unknown_rule", f"no event rule {name!r}", hint)
