"""Where on a page each ref leads: every citation has a target, and no anchor is given twice."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runcase.model.refs import Ref
from runcase.report.dossier import Dossier, Excerpt

_REF = re.compile(r"([0-9a-f]{12}):([0-9]{1,18})\+([0-9]{1,18})")
_EVENT = re.compile(r"evt_[0-9a-f]{12}_[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Citation:
    """A ref as a reader sees it; `href` is None for text that is no ref."""

    ref: str
    href: str | None
    label: str


@dataclass(frozen=True, slots=True)
class CitedBytes:
    """A cited ref that no excerpt on the page covers."""

    ref: str
    anchor: str
    place: str
    """Path and line, as far as they are known."""
    text: str | None
    """First line of what stands there; None when no event begins there."""
    byte_len: int


class Citations:
    """The refs of one dossier and their targets: a line of an excerpt if one covers them, else a row of the list."""

    def __init__(self, dossier: Dossier, excerpts: Sequence[Excerpt], limit: int) -> None:
        """Targets for the refs of `dossier` on a page that shows `excerpts` and lists at most `limit` further refs."""
        self._lines: dict[str, list[tuple[int, int, str, str]]] = {}
        self._anchored: set[str] = set()
        self._placed: set[str] = set()
        self._paths = {s.source_id: s.path for s in dossier.sources}
        self._known = {c.ref: c for c in dossier.cited}
        for excerpt in excerpts:
            for line in excerpt.lines:
                self._add_line(line.ref, f"{_base(excerpt.path)}:{line.line}")
        for found in self._lines.values():
            found.sort()
        uncovered = list(self._uncovered(dossier))
        self.elsewhere = tuple(uncovered[:limit])
        self.left = len(uncovered) - len(self.elsewhere)
        self._anchored |= {c.anchor for c in self.elsewhere}

    def _add_line(self, text: str, label: str) -> None:
        ref = parsed(text)
        if ref and (anchor := anchor_of(ref)) not in self._anchored:
            self._anchored.add(anchor)
            known = self._lines.setdefault(ref.source_id, [])
            known.append((ref.byte_start, ref.byte_start + ref.byte_len, anchor, label))

    def _uncovered(self, dossier: Dossier) -> Iterator[CitedBytes]:
        refs = {ref for ref in map(parsed, cited(dossier)) if ref and not self._covering(ref)}
        for ref in sorted(refs):
            known = self._known.get(str(ref))
            yield CitedBytes(str(ref), anchor_of(ref), self._place(ref), known.text if known else None, ref.byte_len)

    def _place(self, ref: Ref) -> str:
        known = self._known.get(str(ref))
        path = (known.path if known else None) or self._paths.get(ref.source_id) or ref.source_id
        return f"{path}:{known.line}" if known and known.line is not None else path

    def _covering(self, ref: Ref) -> tuple[str, str] | None:
        """Anchor and label of the excerpt line in which `ref` begins."""
        lines = self._lines.get(ref.source_id, [])
        at = bisect_right(lines, (ref.byte_start, 1 << 62, "", "")) - 1
        if at < 0 or not lines[at][0] <= ref.byte_start < max(lines[at][1], lines[at][0] + 1):
            return None
        return lines[at][2], lines[at][3]

    def of(self, text: str) -> Citation:
        """How to show `text`, a ref."""
        ref = parsed(text)
        if ref is None:
            return Citation(text, None, text)
        if found := self._covering(ref):
            return Citation(str(ref), f"#{found[0]}", found[1])
        anchor = anchor_of(ref)
        label = _base(self._place(ref))
        known = str(ref) in self._known or ref.source_id in self._paths
        return Citation(
            str(ref),
            f"#{anchor}" if anchor in self._anchored else None,
            label if known else f"{ref.source_id[:6]}:{ref.byte_start}",
        )

    def line_anchor(self, text: str) -> str | None:
        """The anchor of an excerpt line, for its first showing only; None when it is no ref."""
        ref = parsed(text)
        anchor = anchor_of(ref) if ref else None
        if anchor is None or anchor in self._placed:
            return None
        self._placed.add(anchor)
        return anchor

    def event_anchor(self, event_id: str) -> str | None:
        """The element id of an event's row, for its first showing only; None for text that is no event id."""
        if not _EVENT.fullmatch(event_id) or event_id in self._placed:
            return None
        self._placed.add(event_id)
        return event_id


def parsed(text: str) -> Ref | None:
    """The ref that `text` spells, or None."""
    m = _REF.fullmatch(text)
    return Ref(m[1], int(m[2]), int(m[3])) if m else None


def anchor_of(ref: Ref) -> str:
    """Element id of a ref."""
    return f"raw-{ref.source_id}-{ref.byte_start}-{ref.byte_len}"


def cited(d: Dossier) -> Iterator[str]:
    """Every ref that a statement of the dossier rests on; events are left to the ledger view."""
    yield from d.run.status_refs
    if d.failure:
        yield from d.failure.blocker.refs
        yield from d.failure.decisive
        for statement in d.failure.evidence:
            yield from statement.refs
    for w in (*d.windows, *d.stages, *d.gaps, *d.tools):
        yield from w.proof
    for group in (d.signals, d.contradictions, d.artifacts, d.edges, d.replay.blockers if d.replay else ()):
        for item in group:
            yield from item.refs
    yield from (x.ref for x in d.evidence_damage if x.ref)


def _base(path: str) -> str:
    return re.split(r"[/\\]|!", path)[-1] or path
