"""A layered layout of a small directed graph, top to bottom; the same picture for the same graph.

The four steps of Sugiyama, Tagawa and Toda (1981): break cycles, assign layers,
order each layer (`layer_order`), and place (`layer_places`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from runcase.report.layer_order import ordered
from runcase.report.layer_places import placed

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
    x = placed(order, up, down, widths)
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
    order, crossings = ordered(_levels(count, total, layer, chains), up, down)
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
