"""What is read: input files as units of work, and the groups of them that become batches.

Units that follow one another are a group, cut by size alone. An archive that is
a large part of all inputs is divided instead: every process that takes a portion
walks the archive, and reads the streams of its own portion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Portion:
    """Streams of an input that follow one another, counted as `open_input` yields them."""

    number: int = 0
    of: int = 1
    first: int = 0
    stop: int | None = None
    """The first stream after it; None for the last portion, which also tells of the container."""


WHOLE = Portion()


@dataclass(frozen=True, slots=True)
class Unit:
    """One input file, or a portion of it: where it is, its name in the case, and the digest and size of the file."""

    number: int
    path: Path
    name: str
    sha256: str
    size_bytes: int
    portion: Portion = WHOLE


@dataclass(frozen=True, slots=True)
class Group:
    """Units that are written as one batch."""

    batch: str
    units: tuple[Unit, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of its inputs."""
        return sum(u.size_bytes // u.portion.of for u in self.units)

    @property
    def is_portion(self) -> bool:
        """Whether other groups read the rest of its only unit."""
        return self.units[0].portion.of > 1


GROUP_BYTES = 8 << 20
GROUP_UNITS = 64
"""A group ends with the unit that reaches one of them: enough for full row groups, few enough to spread."""

DIVIDED_FROM = 1 << 20
"""Bytes of an input from which on it may be divided; it is then a group of its own."""

LARGE_PART = 4
"""Only inputs that are at least one in so many bytes of all: smaller ones leave no process without work."""

PORTION_BYTES = 16 << 20
SOURCE_BYTES = 128 << 10
"""A portion has so much text at least; a source costs as much as so much text, beside its own."""

MOST_PORTIONS = 4
"""Walking an archive takes a thirtieth of reading it, and each portion walks what is before it (measured 2026-11)."""


def grouped(units: Sequence[Unit]) -> Iterator[tuple[Unit, ...]]:
    """Units in groups, in order; where they are cut depends on the units alone."""
    waiting: list[Unit] = []
    size = 0
    least = divided_from(units)
    for unit in units:
        large = unit.size_bytes >= least
        if large and waiting:
            yield tuple(waiting)
            waiting, size = [], 0
        waiting.append(unit)
        size += unit.size_bytes
        if large or len(waiting) == GROUP_UNITS or size >= GROUP_BYTES:
            yield tuple(waiting)
            waiting, size = [], 0
    if waiting:
        yield tuple(waiting)


def divided_from(units: Sequence[Unit]) -> int:
    """Bytes from which on one of `units` may be divided."""
    return max(DIVIDED_FROM, -(-sum(u.size_bytes for u in units) // LARGE_PART))


def portions(sizes: Sequence[int]) -> list[Portion]:
    """An input in portions of about the same work; one for an input that is not worth more.

    Args:
        sizes: Bytes of its streams, in order.
    """
    work = list(accumulate(size + SOURCE_BYTES for size in sizes))
    of = max(1, min(MOST_PORTIONS, work[-1] // PORTION_BYTES)) if work else 1
    cuts = sorted({sum(w * of <= work[-1] * n for w in work) for n in range(1, of)} - {0, len(sizes)})
    begins, ends = [0, *cuts], [*cuts, None]
    return [Portion(n, len(begins), *cut) for n, cut in enumerate(zip(begins, ends, strict=True))]


def divided(group: Group, found: Sequence[Portion]) -> list[Group]:
    """The portions of the only unit of a group, each a group; their batches follow one another by name."""
    if len(found) == 1:
        return [group]
    (unit,) = group.units
    return [Group(portion_name(group.batch, p), (replace(unit, portion=p),)) for p in found]


def portion_name(batch: str, portion: Portion) -> str:
    """The name of the batch of a portion of what `batch` would hold."""
    return f"{batch}-{portion.number}"


def whole_name(batch: str) -> str:
    """The name that a batch would have if its input were not divided; siblings have the same."""
    return batch.partition("-")[0]


def largest_first(groups: Sequence[Group]) -> list[Group]:
    """The order to begin groups in, so that no large one is left for the end."""
    return sorted(groups, key=lambda g: (-g.size_bytes, g.batch))
