"""The order of nodes within layers in which few edges cross: medians, neighbour swaps, then single moves."""

from __future__ import annotations

from bisect import bisect_left, insort
from itertools import pairwise

SWEEPS = 24
SIFTS = 20


def ordered(level: list[list[int]], up: list[list[int]], down: list[list[int]]) -> tuple[list[list[int]], int]:
    """The order with the fewest crossings of all sweeps and starting orders."""
    best, fewest = level, _crossings(level, down)
    for start in (_searched(level, down), _searched(level, up), level):
        order = [list(row) for row in start]
        for sweep in range(SWEEPS):
            if not fewest:
                return best, 0
            downwards = sweep % 2 == 0
            for depth in range(1, len(order)) if downwards else range(len(order) - 2, -1, -1):
                fixed = order[depth - 1] if downwards else order[depth + 1]
                order[depth] = _by_neighbours(order[depth], fixed, up if downwards else down, sweep)
            _swap(order, up, down, ties=sweep % 4 > 1)
            now = _crossings(order, down)
            if now < fewest:
                best, fewest = [list(row) for row in order], now
    _sift(best, up, down)
    return best, _crossings(best, down)


def _sift(order: list[list[int]], up: list[list[int]], down: list[list[int]]) -> None:
    """Moves single nodes to the place in their layer with the fewest crossings, while that saves any."""
    place = {n: i for row in order for i, n in enumerate(row)}
    for _ in range(SIFTS):
        saved = 0
        for row in order:
            for n in list(row):
                saved += _moved(n, row, up, down, place)
        if not saved:
            return


def _moved(n: int, row: list[int], up: list[list[int]], down: list[list[int]], place: dict[int, int]) -> int:
    """Moves `n` within `row`; returns the crossings that this saves."""
    here = row.index(n)
    others = row[:here] + row[here + 1 :]
    change, best, at = 0, 0, here
    changes = [0] * len(row)
    for i in range(here - 1, -1, -1):
        change += _pair(n, others[i], up, down, place) - _pair(others[i], n, up, down, place)
        changes[i] = change
    change = 0
    for i in range(here, len(others)):
        change += _pair(others[i], n, up, down, place) - _pair(n, others[i], up, down, place)
        changes[i + 1] = change
    for i, value in enumerate(changes):
        if value < best:
            best, at = value, i
    if best:
        row[:] = [*others[:at], n, *others[at:]]
        place.update({m: i for i, m in enumerate(row)})
    return -best


def _searched(level: list[list[int]], down: list[list[int]]) -> list[list[int]]:
    """Each layer in the order in which a depth-first search from the first one meets its nodes."""
    met: dict[int, int] = {}
    stack = [n for row in reversed(level) for n in reversed(row)]
    while stack:
        n = stack.pop()
        if n not in met:
            met[n] = len(met)
            stack.extend(reversed(down[n]))
    return [sorted(row, key=lambda n: met[n]) for row in level]


def _by_neighbours(row: list[int], fixed: list[int], neighbours: list[list[int]], sweep: int) -> list[int]:
    """The row sorted by the median (or, in every third pair of sweeps, the mean) place of its neighbours."""
    place = {n: i for i, n in enumerate(fixed)}
    mean = sweep // 2 % 3 == 2
    wanted: dict[int, float] = {}
    for n in row:
        at = sorted(place[m] for m in neighbours[n])
        if at:
            middle = len(at) // 2
            wanted[n] = sum(at) / len(at) if mean else (at[middle] + at[(len(at) - 1) // 2]) / 2
    movable = iter(sorted(wanted, key=lambda n: (wanted[n], row.index(n))))
    return [next(movable) if n in wanted else n for n in row]


def _swap(order: list[list[int]], up: list[list[int]], down: list[list[int]], ties: bool) -> None:
    """Swaps neighbours in place while that saves crossings; with `ties`, once also where it costs none."""
    place = {n: i for row in order for i, n in enumerate(row)}
    for turn in range(8):
        better = False
        for row in order:
            for i in range(len(row) - 1):
                a, b = row[i], row[i + 1]
                if _pair(a, b, up, down, place) + (ties and not turn) > _pair(b, a, up, down, place):
                    row[i], row[i + 1] = b, a
                    place[a], place[b] = i + 1, i
                    better = True
        if not better:
            return


def _pair(a: int, b: int, up: list[list[int]], down: list[list[int]], place: dict[int, int]) -> int:
    """Crossings between the edges of `a` and of `b` when `a` stands left of `b`."""
    crossings = 0
    for neighbours in (up, down):
        right = sorted(place[n] for n in neighbours[b])
        crossings += sum(bisect_left(right, place[n]) for n in neighbours[a])
    return crossings


def _crossings(order: list[list[int]], down: list[list[int]]) -> int:
    total = 0
    for row, below in pairwise(order):
        place = {n: i for i, n in enumerate(below)}
        seen: list[int] = []
        for n in row:
            ends = sorted(place[m] for m in down[n])
            total += sum(len(seen) - bisect_left(seen, end + 1) for end in ends)
            for end in ends:
                insort(seen, end)
    return total
