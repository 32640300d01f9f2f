"""The lineage of one run as a graph: what failed first, what depends on it, and what a replay redoes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runcase.report.dossier import Dossier
from runcase.report.outcomes import outcome

BROKEN = frozenset({"missing", "mismatch", "open", "failed", "contradictory"})
"""States of artifacts and stages in which a failure shows."""


@dataclass(frozen=True, slots=True)
class Node:
    """An artifact or a stage. `state` is empty where the evidence says none."""

    key: str
    sort: str
    label: str
    kind: str
    state: str
    frontier: bool = False
    """Broken, and nothing that it came from is."""
    redo: bool = False
    """A replay makes it again."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in the order of their keys; edges are pairs of positions in the direction of the flow, sorted, no loops."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]

    def successors(self) -> list[list[int]]:
        """For each node the nodes that come from it."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for a, b in self.edges:
            found[a].append(b)
        return found

    def predecessors(self) -> list[list[int]]:
        """For each node the nodes that it comes from."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for a, b in self.edges:
            found[b].append(a)
        return found


def artifact_graph(d: Dossier) -> Graph:
    """The whole lineage of a run; artifacts and stages without an edge are left out."""
    flow = {flow_of(e.subject, e.relation, e.object) for e in d.edges}
    keys = sorted({key for edge in flow for key in edge})
    at = {key: n for n, key in enumerate(keys)}
    edges = tuple(sorted((at[a], at[b]) for a, b in flow if a != b))
    plain = Graph(tuple(_node(key, _artifacts(d), _stages(d)) for key in keys), edges)
    redo = _redone(plain, d.replay.start if d.replay else None)
    broken = {n for n, node in enumerate(plain.nodes) if node.state in BROKEN}
    fed_by_broken = {b for a, b in edges if a in broken}
    nodes = (
        Node(x.key, x.sort, x.label, x.kind, x.state, n in broken and n not in fed_by_broken, n in redo)
        for n, x in enumerate(plain.nodes)
    )
    return Graph(tuple(nodes), edges)


def flow_of(subject: str, relation: str, target: str) -> tuple[str, str]:
    """An edge from what was used to what came of it."""
    reversed_ = relation in ("derived", "followed") or (relation == "generated" and not subject.startswith("stage:"))
    return (target, subject) if reversed_ else (subject, target)


def _artifacts(d: Dossier) -> dict[str, tuple[str, str]]:
    return {a.artifact_id: (a.kind or "", a.state) for a in d.artifacts}


def _stages(d: Dossier) -> dict[str, str]:
    """State of each stage in its last attempt; none for a stage of which nothing tells how it went."""
    ordered = sorted(d.stages, key=lambda w: (w.attempt or 0, w.start or ""))
    return {w.name: "failed" if outcome(w) == "failed" else "" if w.state == "absent" else w.state for w in ordered}


def _node(key: str, artifacts: dict[str, tuple[str, str]], stages: dict[str, str]) -> Node:
    sort, _, label = key.partition(":")
    if sort == "artifact":
        kind, state = artifacts.get(label, ("", ""))
        return Node(key, sort, label, kind, state)
    if sort == "stage":
        return Node(key, sort, label, "", stages.get(label, ""))
    return Node(key, "other", key, "", "")


def _redone(graph: Graph, start: str | None) -> set[int]:
    first = {n for n, node in enumerate(graph.nodes) if start is not None and node.key == f"stage:{start}"}
    return first | reached(first, graph.successors())


def reached(start: Iterable[int], neighbours: list[list[int]]) -> set[int]:
    """Every node that can be reached from `start` in one step or more."""
    found: set[int] = set()
    todo = list(start)
    while todo:
        for n in neighbours[todo.pop()]:
            if n not in found:
                found.add(n)
                todo.append(n)
    return found
