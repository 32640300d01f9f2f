"""A layered layout of a small directed graph, top to bottom; the same picture for the same graph.

The four steps of Sugiyama, Tagawa and Toda (1981): break cycles, assign layers,
order each layer by medians with neighbour swaps, and place. Placing solves, for
one layer at a time, the least squares problem of staying near the neighbours
while keeping distance (isotonic regression by pooling).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 24
SIFTS = 20
PLACING_SWEEPS = 25
"""Odd, so that the last one goes down and puts every node below what it comes from."""

Edge = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of nodes (centres) and, per edge in the given order, the points that it passes from first to last node."""

    x: tuple[float, ...]
    layer: tuple[int, ...]
    routes: tuple[tuple[tuple[float, int], ...], ...]
    """Points as (x, layer)."""
    width: float
    layers: int
    crossings: int


def layered(count: int, edges: Sequence[Edge], node_width: float, bend_width: float) -> Layout:
    """Lays out nodes 0 .. count-1; `node_width` and `bend_width` include the distance to the neighbour.

    Args:
        count: Nodes.
        edges: Without loops; cycles are drawn with their last edge upwards.
        node_width: What a node takes in its layer.
        bend_width: What an edge takes in a layer that it crosses.
    """
    forward = _acyclic(count, edges)
    shortest = _layers(count, forward)
    tries = [_arranged(count, forward, layer) for layer in (shortest, _balanced(shortest, forward))]
    best = min(tries, key=lambda t: t.crossings)
    order, up, down, total = best.order, best.up, best.down, best.total
    widths = [node_width] * count + [bend_width] * (total - count)
    x = _placed(order, up, down, widths)
    routes = []
    at_layer = {n: depth for depth, row in enumerate(order) for n in row}
    for (a, _), chain in zip(edges, best.chains, strict=True):
        points = [(x[n], at_layer[n]) for n in chain]
        routes.append(tuple(points if chain[0] == a else points[::-1]))
    width = max((x[n] + widths[n] / 2 for n in range(total)), default=0.0)
    return Layout(
        tuple(x[:count]), tuple(at_layer[n] for n in range(count)), tuple(routes), width, len(order), best.crossings
    )


@dataclass(frozen=True, slots=True)
class _Arranged:
    """Nodes and bends in layers, ordered; `chains` are the edges as paths over them."""

    order: list[list[int]]
    chains: list[list[int]]
    up: list[list[int]]
    down: list[list[int]]
    total: int
    crossings: int


def _arranged(count: int, edges: Sequence[Edge], layer: Sequence[int]) -> _Arranged:
    chains, total = _chains(count, edges, layer)
    up, down = _neighbours(total, [pair for chain in chains for pair in pairwise(chain)])
    order, crossings = _ordered(_levels(count, total, layer, chains), up, down)
    return _Arranged(order, chains, up, down, total, crossings)


def _acyclic(count: int, edges: Sequence[Edge]) -> list[Edge]:
    """The edges with those that close a cycle turned round, in the order of a depth-first search from node 0."""
    after: list[list[int]] = [[] for _ in range(count)]
    for a, b in edges:
        after[a].append(b)
    state = [0] * count
    closing: set[Edge] = set()
    entered = {b for _, b in edges}
    for root in [n for n in range(count) if n not in entered] + list(range(count)):
        stack = [(root, 0)] if not state[root] else []
        while stack:
            n, at = stack.pop()
            state[n] = 1
            if at == len(after[n]):
                state[n] = 2
                continue
            stack.append((n, at + 1))
            following = after[n][at]
            if state[following] == 1:
                closing.add((n, following))
            elif not state[following]:
                stack.append((following, 0))
    return [(b, a) if (a, b) in closing else (a, b) for a, b in edges]


def _layers(count: int, edges: Sequence[Edge]) -> list[int]:
    """Layers, from 0, with the least total length of edges (Gansner et al. 1993, section 2).

    The dual of that problem is a flow of least cost; layers are then the longest
    paths where an edge that carries flow may not stretch.
    """
    import networkx as nx

    flow = nx.DiGraph()
    flow.add_nodes_from(range(count), demand=0)
    for a, b in sorted(set(edges)):
        flow.add_edge(a, b, weight=-1)
        flow.nodes[a]["demand"] -= 1
        flow.nodes[b]["demand"] += 1
    carried = nx.network_simplex(flow)[1]
    layer = [0] * count
    moved = True
    while moved:
        moved = False
        for a, b in flow.edges:
            if layer[b] < layer[a] + 1:
                layer[b], moved = layer[a] + 1, True
            elif carried[a][b] and layer[a] < layer[b] - 1:
                layer[a], moved = layer[b] - 1, True
    return layer


def _balanced(layer: Sequence[int], edges: Sequence[Edge]) -> list[int]:
    """Layers of the same total length in which nodes that are free to move stand where the fewest others do."""
    found = list(layer)
    crowd = Counter(found)
    before: list[list[int]] = [[] for _ in layer]
    after: list[list[int]] = [[] for _ in layer]
    for a, b in edges:
        before[b].append(a)
        after[a].append(b)
    for n in range(len(found)):
        if before[n] and len(before[n]) == len(after[n]):
            free = range(max(found[a] for a in before[n]) + 1, min(found[b] for b in after[n]))
            crowd[found[n]] -= 1
            found[n] = min(free, key=lambda at: (crowd[at], at))
            crowd[found[n]] += 1
    return found


def _chains(count: int, edges: Sequence[Edge], layer: Sequence[int]) -> tuple[list[list[int]], int]:
    """Each edge as nodes of neighbouring layers, with bends from `count` on; and the number of all nodes."""
    total = count
    chains = []
    for a, b in edges:
        bends = layer[b] - layer[a] - 1
        chains.append([a, *range(total, total + bends), b])
        total += bends
    return chains, total


def _levels(count: int, total: int, layer: Sequence[int], chains: Sequence[Sequence[int]]) -> list[list[int]]:
    depth = list(layer) + [0] * (total - count)
    for chain in chains:
        for step, n in enumerate(chain[1:-1], 1):
            depth[n] = layer[chain[0]] + step
    level: list[list[int]] = [[] for _ in range(max(depth, default=-1) + 1)]
    for n, at in enumerate(depth):
        level[at].append(n)
    return level


def _neighbours(total: int, links: Sequence[Edge]) -> tuple[list[list[int]], list[list[int]]]:
    up: list[list[int]] = [[] for _ in range(total)]
    down: list[list[int]] = [[] for _ in range(total)]
    for a, b in links:
        up[b].append(a)
        down[a].append(b)
    return up, down


# --- order ----------------------------------------------------------------------------------------


def _ordered(level: list[list[int]], up: list[list[int]], down: list[list[int]]) -> tuple[list[list[int]], int]:
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


# --- places ---------------------------------------------------------------------------------------


def _placed(order: list[list[int]], up: list[list[int]], down: list[list[int]], widths: Sequence[float]) -> list[float]:
    """Centres, the leftmost node beginning at 0."""
    x = [0.0] * len(widths)
    for row in order:
        at = 0.0
        for n in row:
            x[n] = at + widths[n] / 2
            at += widths[n]
    for sweep in range(PLACING_SWEEPS):
        for row in order if sweep % 2 == 0 else order[::-1]:
            sides = up if sweep % 2 == 0 else down
            wanted = []
            for n in row:
                near = sides[n] or up[n] + down[n]
                wanted.append(sum(x[m] for m in near) / len(near) if near else x[n])
            for n, at in zip(row, _apart(wanted, [widths[n] for n in row]), strict=True):
                x[n] = at
    left = min((x[n] - widths[n] / 2 for n in range(len(widths))), default=0.0)
    return [round(at - left, 2) for at in x]


def _apart(wanted: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Places nearest to `wanted` (least squares) in the same order with no overlap."""
    offsets, at = [], 0.0
    for i, width in enumerate(widths):
        at += (widths[i - 1] + width) / 2 if i else 0.0
        offsets.append(at)
    blocks: list[tuple[float, int]] = []
    for target, offset in zip(wanted, offsets, strict=True):
        total, size = target - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / size:
            before, members = blocks.pop()
            total, size = total + before, size + members
        blocks.append((total, size))
    levels = [total / size for total, size in blocks for _ in range(size)]
    return [level + offset for level, offset in zip(levels, offsets, strict=True)]
