"""What is read: input files as units of work, and the groups of them that become batches.

Units that follow one another are a group, cut by size alone. An archive that is
a large part of all inputs is divided instead: every process that takes a portion
walks the archive, and reads the streams of its own portion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, pairwise
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
"""Small units are cut into as few groups as have no more of either on average, all of about the same work: enough for
full row groups, few enough to spread."""

DIVIDED_FROM = 1 << 20
"""Bytes of an input from which on it may be divided; it is then a group of its own."""

LARGE_PART = 4
"""Only inputs that are at least one in so many bytes of all: smaller ones leave no process without work."""

PORTION_BYTES = 16 << 20
"""Of text, which a portion has at least."""

SOURCE_BYTES = 128 << 10
"""A source costs as much as so much text, beside its own."""

MOST_PORTIONS = 4
"""Walking an archive takes a thirtieth of reading it, and each portion walks what is before it (measured 2026-11)."""


def grouped(units: Sequence[Unit]) -> Iterator[tuple[Unit, ...]]:
    """Units in groups, in order; where they are cut depends on the units alone."""
    least = divided_from(units)
    for large, following in groupby(units, lambda u: u.size_bytes >= least):
        alike = tuple(following)
        if large:
            yield from ((u,) for u in alike)
            continue
        sizes = [u.size_bytes for u in alike]
        cuts = _cuts(sizes, max(-(-len(sizes) // GROUP_UNITS), -(-sum(sizes) // GROUP_BYTES)))
        yield from (alike[begin:end] for begin, end in pairwise([0, *cuts, len(alike)]))


def divided_from(units: Sequence[Unit]) -> int:
    """Bytes from which on one of `units` may be divided."""
    return max(DIVIDED_FROM, -(-sum(u.size_bytes for u in units) // LARGE_PART))


def portions(sizes: Sequence[int]) -> list[Portion]:
    """An input in portions of about the same work; one for an input that is not worth more.

    Args:
        sizes: Bytes of its streams, in order.
    """
    cuts = _cuts(sizes, min(MOST_PORTIONS, sum(size + SOURCE_BYTES for size in sizes) // PORTION_BYTES))
    begins, ends = [0, *cuts], [*cuts, None]
    return [Portion(n, len(begins), *cut) for n, cut in enumerate(zip(begins, ends, strict=True))]


def _cuts(sizes: Sequence[int], of: int) -> list[int]:
    """Where sources of so many bytes are cut into up to `of` parts of about the same work."""
    work = list(accumulate(size + SOURCE_BYTES for size in sizes))
    return sorted({sum(w * of <= work[-1] * n for w in work) for n in range(1, of)} - {0, len(sizes)})


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
