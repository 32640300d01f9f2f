"""A pack as it was read: apart from what reads it, so that a pack that is known costs none of that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runcase.rules.language import Pack, Place

if TYPE_CHECKING:
    from runcase.rules.yaml_source import Defect, Document

Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ReadPack:
    """A pack as it was read: the value (None without a usable head), the defects, and where everything stands."""

    pack: Pack | None
    defects: list[Defect]
    documents: dict[str, Document] = field(default_factory=dict)
    places: dict[str, dict[Keys, Place]] = field(default_factory=dict)
    """File -> path of keys -> place."""

    def at(self, place: Place, *keys: str | int) -> Place:
        """The place of a member of the declaration that stands at `place`; `place` itself when it has none."""
        known = self.places.get(place.file, {})
        for path, where in known.items():
            if where == place and len(path) == 2:
                return known.get((*path, *keys), place)
        return place

    def defect(self, place: Place, message: str, severity: str = "error") -> Defect:
        """A defect with the text of its line."""
        from runcase.rules.yaml_source import Defect

        document = self.documents.get(place.file)
        return document.defect(place, message, severity) if document else Defect(place, message, severity=severity)
