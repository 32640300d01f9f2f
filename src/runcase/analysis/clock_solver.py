"""Difference constraints between clocks: how far each must be moved at least and may be moved at most.

Nodes are clocks; an edge `early -> late` with `bound` says that `late` must be moved by at least `bound` more than
`early` (https://en.wikipedia.org/wiki/Shortest_path_problem, linear programming with difference constraints). The
longest path from the reference is a clock's lower bound, the longest path to it the upper one; a cycle whose bounds
add up to more than nothing has no solution.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

NOWHERE = -(1 << 62)
"""No path: the clock is not bounded from this side."""

CANDIDATES = 24
"""Clocks of one component that are tried as its reference; larger components take the one with most neighbours."""

CYCLE_LOOKS = 16
"""Rounds of relaxation after which cycles are looked for again."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One constraint, with its proof."""

    early: str
    late: str
    bound: int
    refs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Offset:
    """A clock that must be moved against its reference: by how much, and within which bounds (None: unbounded)."""

    clock: str
    reference: str
    by_us: int
    lo_us: int | None
    hi_us: int | None
    refs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Impossible:
    """Clocks that no offsets can reconcile, and the instants that exclude each other."""

    clocks: tuple[str, ...]
    refs: tuple[str, ...]


class _Graph:
    """Edges of one component as arrays."""

    def __init__(self, edges: Sequence[Edge]) -> None:
        self.names = sorted({n for e in edges for n in (e.early, e.late)})
        self.number = {name: n for n, name in enumerate(self.names)}
        self.edges = sorted(edges, key=lambda e: (e.early, e.late, -e.bound, e.refs))
        self.early = np.array([self.number[e.early] for e in self.edges], dtype=np.int64)
        self.late = np.array([self.number[e.late] for e in self.edges], dtype=np.int64)
        self.bound = np.array([e.bound for e in self.edges], dtype=np.int64)

    def neighbours(self, among: Sequence[int]) -> Ints:
        """How many others of some clocks each of them is bound to."""
        known = set(among)
        pairs = {(min(a, b), max(a, b)) for a, b in zip(self.early.tolist(), self.late.tolist(), strict=True)}
        bound = [n for pair in pairs if known.issuperset(pair) for n in pair]
        return np.bincount(np.array(bound, dtype=np.int64), minlength=len(self.names))


@dataclass(frozen=True, slots=True)
class Hints:
    """What decides between solutions.

    `wished`: (reference, clock) -> an offset that is taken where it lies within the bounds.
    `places`: witness -> where it was found; a witness notes steps of attempts, not their output alone. The reference
    is a witness, and when it is asked how many clocks would have to be wrong, witnesses of one place count once.
    """

    wished: Mapping[tuple[str, str], int]
    places: Mapping[str, str]


def solve(edges: Sequence[Edge], hints: Hints) -> tuple[list[Offset], list[Impossible]]:
    """The least offsets that satisfy all constraints, and the sets that cannot be satisfied.

    Args:
        edges: At most one for each ordered pair of clocks.
        hints: What decides between solutions.
    """
    offsets: list[Offset] = []
    impossible: list[Impossible] = []
    for component in _components(edges):
        if any(e.bound > 0 for e in component):
            _solve_one(component, hints, offsets, impossible)
    return offsets, impossible


def _solve_one(edges: Sequence[Edge], hints: Hints, offsets: list[Offset], impossible: list[Impossible]) -> None:
    stuck: set[str] = set()
    while cycle := _cycle(_Graph(edges)):
        clocks = sorted({e.early for e in cycle})
        impossible.append(Impossible(tuple(clocks), tuple(dict.fromkeys(r for e in cycle for r in e.refs))))
        stuck |= set(clocks)
        edges = [e for e in edges if not (e.early in clocks and e.late in clocks)]
        if not edges:
            return
    for rest in _components(edges):
        found = _offsets(_Graph(rest), hints)
        offsets += [o for o in found if o.clock not in stuck]


def _components(edges: Sequence[Edge]) -> Iterator[list[Edge]]:
    """Edges of clocks that hang together; components by their first clock."""
    root: dict[str, str] = {}

    def find(name: str) -> str:
        while root.setdefault(name, name) != name:
            root[name] = root[root[name]]
            name = root[name]
        return name

    for e in edges:
        a, b = find(e.early), find(e.late)
        root[max(a, b)] = min(a, b)
    groups: dict[str, list[Edge]] = {}
    for e in edges:
        groups.setdefault(find(e.early), []).append(e)
    for name in sorted(groups):
        yield groups[name]


# --- one component --------------------------------------------------------------------------------


def _relaxed(g: _Graph, start: Ints) -> tuple[Ints, Ints]:
    """Positions pushed up until every constraint holds, and the edge that last pushed each (-1: none).

    Stops early when the edges that pushed form a cycle, which then has no solution.
    """
    at, pushed = start.copy(), np.full(len(start), -1, dtype=np.int64)
    for turn in range(1, len(start) + 2):
        reach = np.where(at[g.early] == NOWHERE, NOWHERE, at[g.early] + g.bound)
        best = at.copy()
        np.maximum.at(best, g.late, reach)
        better = best > at
        if not better.any():
            break
        by = np.flatnonzero(better[g.late] & (reach == best[g.late]))
        pushed[g.late[by[::-1]]] = by[::-1]
        at = best
        if turn % CYCLE_LOOKS == 0 and _pushing_cycle(g, pushed):
            break
    return at, pushed


def _pushing_cycle(g: _Graph, pushed: Ints) -> list[int]:
    """Edges of a cycle among those that pushed; empty if there is none."""
    state = [0] * len(pushed)
    for first in range(len(pushed)):
        path, node = [], first
        while state[node] == 0 and pushed[node] >= 0:
            state[node] = 1
            path.append(node)
            node = int(g.early[pushed[node]])
        if state[node] == 1 and node in path:
            return [int(pushed[n]) for n in path[path.index(node) :]]
        for n in path:
            state[n] = 2
    return []


def _cycle(g: _Graph) -> list[Edge]:
    """Constraints that exclude each other, from one to the next; empty if all can be satisfied."""
    _, pushed = _relaxed(g, np.zeros(len(g.names), dtype=np.int64))
    return [g.edges[n] for n in reversed(_pushing_cycle(g, pushed))]


def _bounds(g: _Graph, reference: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Lowest and highest offset of each clock against the reference, and the edge that proves each."""
    start = np.full(len(g.names), NOWHERE, dtype=np.int64)
    start[reference] = 0
    low, low_by = _relaxed(g, start)
    turned = _Graph.__new__(_Graph)
    turned.names, turned.number, turned.edges = g.names, g.number, g.edges
    turned.early, turned.late, turned.bound = g.late, g.early, g.bound
    high, high_by = _relaxed(turned, start)
    return low, np.where(high == NOWHERE, -NOWHERE, -high), low_by, high_by


def _least(g: _Graph, low: Ints, high: Ints) -> Ints:
    """The offset of each clock that is closest to none; all constraints hold.

    Each clock alone takes what is closest to none; where two of these exclude each other the later one is pushed up,
    which never leaves its bounds.
    """
    return _relaxed(g, np.clip(np.zeros_like(low), low, high))[0]


def _reference(g: _Graph, places: Mapping[str, str]) -> int:
    """The clock against which those of the fewest places are off; among equals the one with most neighbours.

    Only clocks that note steps count as neighbours: an output goes with the process that prints, and would speak for
    its host whether that is right or wrong.
    """
    witnesses = [n for n, name in enumerate(g.names) if name in places] or list(range(len(g.names)))
    near = g.neighbours(witnesses)
    outgoing = np.bincount(g.early, minlength=len(g.names))
    ranked = sorted(witnesses, key=lambda n: (-int(near[n]), -int(outgoing[n]), g.names[n]))
    if not 1 < len(ranked) <= CANDIDATES:
        return ranked[0]

    def wrong(n: int) -> int:
        low, high, _, _ = _bounds(g, n)
        moved = [g.names[m] for m in np.flatnonzero(_least(g, low, high))]
        return len({places[name] for name in moved if name in places})

    return min(ranked, key=wrong)


def _offsets(g: _Graph, hints: Hints) -> Iterator[Offset]:
    """Clocks that must be moved."""
    reference = _reference(g, hints.places)
    low, high, low_by, high_by = _bounds(g, reference)
    first = np.clip(np.zeros_like(low), low, high)
    for n in np.flatnonzero(first):
        wish = hints.wished.get((g.names[reference], g.names[n]))
        if wish is not None:
            first[n] = min(max(wish, int(low[n])), int(high[n]))
    by = _relaxed(g, first)[0]
    for n in np.flatnonzero(by):
        proofs = [low_by[n] if low[n] > 0 else -1, high_by[n] if high[n] < 0 else -1]
        yield Offset(
            clock=g.names[n],
            reference=g.names[reference],
            by_us=int(by[n]),
            lo_us=int(low[n]) if low[n] != NOWHERE else None,
            hi_us=int(high[n]) if high[n] != -NOWHERE else None,
            refs=tuple(dict.fromkeys(r for p in proofs if p >= 0 for r in g.edges[p].refs)),
        )
