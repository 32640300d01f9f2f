"""The lines that decide, in the order in which the verdict rests on them."""

from __future__ import annotations

from dataclasses import dataclass

from runcase.model.refs import Ref
from runcase.report.citations import parsed
from runcase.report.dossier import Dossier


@dataclass(frozen=True, slots=True)
class Place:
    """A line of an excerpt: which excerpt, which of its lines, and the number of the line in the file at `path`."""

    excerpt: int
    position: int
    path: str
    number: int
    text: str
    ts: str | None


def decisive_lines(d: Dossier, room: int) -> list[str]:
    """Lines that decide, in the order of the verdict, at most `room`, with a mark where lines are left out."""
    shown: list[str] = []
    before: Place | None = None
    for place in decisive_places(d):
        gap = _gap(before, place) if before else []
        if len(shown) + len(gap) + 1 > room:
            break
        shown += [*gap, place.text]
        before = place
    return shown


def decisive_places(d: Dossier) -> list[Place]:
    """Every line that decides, in the order of the verdict; lines of one record in reading order."""
    order = [ref for ref in map(parsed, d.failure.decisive if d.failure else ()) if ref]
    found = []
    for n, excerpt in enumerate(d.excerpts):
        for position, line in enumerate(excerpt.lines):
            if line.decisive:
                rank = next((r for r, ref in enumerate(order) if _covers(ref, line.ref)), len(order))
                found.append((rank, Place(n, position, excerpt.path, line.line, line.text, line.ts)))
    return [place for _, place in sorted(found, key=lambda x: (x[0], x[1].excerpt, x[1].position))]


def _covers(ref: Ref, line: str) -> bool:
    at = parsed(line)
    return at is not None and at.source_id == ref.source_id and 0 <= at.byte_start - ref.byte_start < ref.byte_len


def _gap(before: Place, now: Place) -> list[str]:
    if before.excerpt == now.excerpt and now.position == before.position + 1:
        return []
    missing = now.number - before.number - 1 if now.path == before.path else 0
    return [f"[... {missing} line{'' if missing == 1 else 's'}]" if missing > 0 else "[...]"]
