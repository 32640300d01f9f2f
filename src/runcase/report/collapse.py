"""A lineage of thousands of nodes as a few dozen: nodes that play the same part become one.

Two nodes play the same part when they are of the same sort, kind, state and
template (their name with numbers masked) and their neighbours play the same
parts. That is the coarsest stable colouring, found by splitting groups until
no neighbour tells two members apart. What failed, and what is nearest to it,
keeps its own node.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runcase.report.artifact_graph import Graph, Node

MAX_NODES = 150
"""Nodes that a layered picture can hold and still be read."""

MAX_DISTINCT = 40
"""Nodes around the failure that are never merged."""

MAX_ROUNDS = 60

_NUMBER = re.compile(r"(?<![A-Za-z])[0-9a-f]{8,}(?![A-Za-z])|\d+")


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes drawn as one: `node` stands for them, `members` are their positions in the full graph."""

    node: Node
    label: str
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Collapsed:
    """The smaller graph; `exact` is False when groups had to be formed whose members' neighbours differ."""

    groups: tuple[Group, ...]
    edges: tuple[tuple[int, int], ...]
    exact: bool


Colour = tuple[object, ...]


def collapsed(graph: Graph, limit: int = MAX_NODES) -> Collapsed:
    """At most `limit` groups, each node in one of them; a graph without repetition stays as it is where it fits."""
    near = _near_failure(graph, min(MAX_DISTINCT, limit // 3))
    first: list[int] = [0] * len(graph.nodes)
    for parts in _COARSER:
        first = _numbered([(*parts(x), n if n in near else -1) for n, x in enumerate(graph.nodes)])
        if _count(first) <= limit:
            break
    else:
        first = _numbered([(0, "")] * len(graph.nodes))
    colours, stable = _refined(graph, first, limit)
    return _quotient(graph, colours, stable)


_COARSER: tuple[Callable[[Node], Colour], ...] = (
    lambda x: (x.sort, x.kind, x.state, x.redo, x.frontier, template(x.label)),
    lambda x: (x.sort, x.kind, x.state, x.redo, x.frontier, ""),
    lambda x: (x.sort, "", x.state, x.redo, x.frontier, ""),
)


def template(label: str) -> str:
    """The name with numbers and long hexadecimal digests masked."""
    return _NUMBER.sub("#", label)


def _near_failure(graph: Graph, most: int) -> set[int]:
    """The failure frontier and the nodes of its cone that are fewest steps away; ties by position."""
    start = [n for n, x in enumerate(graph.nodes) if x.frontier][:most]
    upstream = _nearest(start, graph.predecessors(), (most - len(start)) // 2)
    return {*start, *upstream, *_nearest(start, graph.successors(), most - len(start) - len(upstream))}


def _nearest(start: Sequence[int], neighbours: list[list[int]], most: int) -> set[int]:
    """At most `most` nodes that can be reached from `start`, breadth first."""
    found: set[int] = set()
    queue = deque(start)
    while queue and len(found) < most:
        for n in neighbours[queue.popleft()]:
            if n not in found and len(found) < most:
                found.add(n)
                queue.append(n)
    return found


def _numbered(colours: Sequence[Colour]) -> list[int]:
    """The same colouring in numbers; equal for equal graphs, whatever the hash seed."""
    order = {c: n for n, c in enumerate(sorted(set(colours), key=repr))}
    return [order[c] for c in colours]


def _count(colours: Sequence[int]) -> int:
    return len(set(colours))


def _refined(graph: Graph, colours: list[int], limit: int) -> tuple[list[int], bool]:
    """The finest colouring of at most `limit` groups on the way to the stable one, and whether it is stable."""
    before, after = graph.predecessors(), graph.successors()
    for _ in range(MAX_ROUNDS):
        seen: list[Colour] = [
            (colours[n], tuple(sorted({colours[p] for p in before[n]})), tuple(sorted({colours[s] for s in after[n]})))
            for n in range(len(colours))
        ]
        finer = _numbered(seen)
        if _count(finer) == _count(colours):
            return colours, True
        if _count(finer) > limit:
            return colours, False
        colours = finer
    return colours, False


def _quotient(graph: Graph, colours: list[int], exact: bool) -> Collapsed:
    members: dict[int, list[int]] = {}
    for n, colour in enumerate(colours):
        members.setdefault(colour, []).append(n)
    ordered = sorted(members.values())
    at = {n: g for g, group in enumerate(ordered) for n in group}
    edges = sorted({(at[a], at[b]) for a, b in graph.edges if at[a] != at[b]})
    groups = tuple(Group(graph.nodes[m[0]], _label([graph.nodes[n] for n in m]), tuple(m)) for m in ordered)
    return Collapsed(groups, tuple(edges), exact)


def _label(nodes: Sequence[Node]) -> str:
    if len(nodes) == 1:
        return nodes[0].label
    templates = {template(x.label) for x in nodes}
    name = templates.pop() if len(templates) == 1 else nodes[0].kind or f"{nodes[0].sort}s"
    return f"{name} ×{len(nodes):,}"
