"""`rules check`: every problem of every pack at once, and what overrides what."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runcase.intake.readers.registry import READERS
from runcase.lab.trial import hits, in_precedence, records
from runcase.rules.language import Pack
from runcase.rules.lint import lint
from runcase.rules.pack import in_order, read_packs
from runcase.rules.precedence import Override, overrides
from runcase.rules.read import ReadPack
from runcase.rules.yaml_source import Defect


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found."""

    packs: tuple[Pack, ...]
    defects: tuple[Defect, ...]
    overrides: tuple[Override, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no error; warnings do not count."""
        return not any(d.severity == "error" for d in self.defects)


def check(names: Sequence[str]) -> Checked:
    """Every defect of the packs of these names or paths, and of those that they extend.

    Raises:
        RuncaseError: `unknown_pack`, or `invalid_pack` when packs extend each other in a circle.
    """
    read = read_packs(names)
    defects = [d for r in read for d in r.defects]
    packs = tuple(r.pack for r in read if r.pack is not None)
    for n, one in enumerate(read):
        weaker = [r.pack for r in read[:n] if r.pack is not None]
        defects += [*lint(one, weaker), *_readers(one), *_examples_named_by_others(one)]
    return Checked(packs, tuple(in_order(defects)), tuple(overrides(packs)))


def _readers(read: ReadPack) -> Iterator[Defect]:
    """Readers that a pack names and that do not exist."""
    known = sorted(r.name for r in READERS)
    for document in read.documents.values():
        head = read.places.get(document.file, {})
        for keys, place in head.items():
            if read.pack is None or len(keys) != 2 or keys[0] != "readers" or not isinstance(keys[1], int):
                continue
            name = read.pack.readers[keys[1]] if keys[1] < len(read.pack.readers) else ""
            if name and name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"readers are {', '.join(known)}"
                yield read.defect(place, f"there is no reader {name!r}; {hint}")


def _examples_named_by_others(read: ReadPack) -> Iterator[Defect]:
    """Rules of which every example is named by an earlier rule of the same pack."""
    if read.pack is None or read.defects:
        return
    rules = in_precedence([read.pack])
    examples = [(n, e) for n, (rule, _) in enumerate(rules) for e in rule.examples]
    found = hits(rules, records([e for _, e in examples], read.pack))
    first = {n: _first(found.row(at)) for at, (n, _) in enumerate(examples)}
    for at, (n, _) in enumerate(examples):
        first[n] = max(first[n], _first(found.row(at)))
    for n, winner in first.items():
        if -1 < winner < n:
            rule, other = rules[n][0], rules[winner][0]
            where = read.at(rule.place, "id")
            yield read.defect(
                where, f"rule {rule.id!r} is shadowed: earlier rules, such as {other.id!r}, name all of its examples"
            )


def _first(row: tuple[object, ...]) -> int:
    """Index of the first rule that matches; -1 for none."""
    return next((n for n, hit in enumerate(row) if hit), -1)
