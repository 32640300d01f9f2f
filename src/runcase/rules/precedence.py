"""Who overrides whom: a later pack's rule takes the place of an earlier pack's rule of the same id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runcase.rules.language import Pack, Place

OVERRIDABLE = ("formats", "events", "identity", "expect", "failures", "replay", "redact")
"""Sections in which a later pack's rule takes the place of an earlier pack's rule of the same id."""


@dataclass(frozen=True, slots=True)
class Override:
    """A rule that takes the place of another pack's rule of the same id."""

    section: str
    id: str
    pack: str
    place: Place
    replaced_pack: str
    replaced_place: Place

    def __str__(self) -> str:
        return (
            f"{self.place}: {self.section} {self.id!r} overrides that of {self.replaced_pack} ({self.replaced_place})"
        )


def overridden(packs: Sequence[Pack]) -> tuple[Pack, ...]:
    """Packs in which a rule that a later pack overrides (same section, same id) is left out of the earlier one.

    A user's pack overrides every pack before it; a shipped one only those that
    it extends, so that packs of different producers may share an id.
    """
    gone = {(o.replaced_pack, o.section, o.id) for o in overrides(packs)}
    result: list[Pack] = []
    for pack in packs:
        kept: dict[str, Any] = {
            section: tuple(r for r in getattr(pack, section) if (pack.name, section, r.id) not in gone)
            for section in OVERRIDABLE
        }
        result.append(replace(pack, **kept))
    return tuple(result)


def overrides(packs: Sequence[Pack]) -> Iterator[Override]:
    """What `overridden` leaves out, and what takes its place."""
    extended = _extended(packs)
    for section in OVERRIDABLE:
        for n, pack in enumerate(packs):
            for weaker in packs[:n]:
                if pack.shipped and weaker.name not in extended[pack.name]:
                    continue
                own = {r.id: r for r in getattr(pack, section)}
                for rule in getattr(weaker, section):
                    if rule.id in own:
                        yield Override(section, rule.id, pack.name, own[rule.id].place, weaker.name, rule.place)


def _extended(packs: Sequence[Pack]) -> dict[str, set[str]]:
    """Pack -> names of all packs that it extends, through others too; a pack stands after those that it extends."""
    found: dict[str, set[str]] = {}
    for pack in packs:
        found[pack.name] = set(pack.extends).union(*(found.get(name, set()) for name in pack.extends))
    return found
