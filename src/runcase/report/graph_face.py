"""The lineage of one run as text, JSON and GraphML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import networkx as nx

from runcase.analysis.lineage import downstream, flow, upstream
from runcase.model.problems import RuncaseError
from runcase.report.dossier import Artifact, Dossier

MAX_NAMES = 6
"""Artifacts that a line names; the rest is a count, and JSON has all."""


def graph(d: Dossier) -> nx.DiGraph[str]:
    """The flow input -> stage -> output, with what is known of each node as attributes; sorted."""
    drawn: nx.DiGraph[str] = nx.DiGraph()
    rows = [(e.subject, e.relation, e.object) for e in d.edges]
    found = flow(rows)
    states = {f"artifact:{a.artifact_id}": a for a in d.artifacts}
    for node in sorted({*found.nodes, *states}):
        drawn.add_node(node, **_attributes(node, states.get(node)))
    for source, target in sorted(found.edges):
        drawn.add_edge(source, target)
    return drawn


def node_of(drawn: nx.DiGraph[str], name: str) -> str:
    """The node that `name` means: an artifact's or a stage's name, or a node as it is spelled.

    Raises:
        RuncaseError: `unknown_artifact`.
    """
    for node in (name, f"artifact:{name}", f"stage:{name}"):
        if node in drawn:
            return node
    near = ", ".join(n for n in list(drawn)[:5]) or "no artifact at all"
    raise RuncaseError("unknown_artifact", f"the run has no artifact or stage {name!r}", f"it has: {near}")


def as_text(d: Dossier, drawn: nx.DiGraph[str], node: str | None) -> str:
    """Stages in the order of the flow with what each read and made; or what lies above and below one node."""
    if node is not None:
        parts = [("comes from", upstream(drawn, node)), ("went into", downstream(drawn, node))]
        return "\n".join([node, *(f"  {word}: {_named(found)}" for word, found in parts)])
    lines = [f"{d.run.run_id} {d.run.status}"]
    for stage in _stages(drawn):
        before, after = sorted(drawn.predecessors(stage)), sorted(drawn.successors(stage))
        used, made = ([n for n in nodes if n.startswith("artifact:")] for nodes in (before, after))
        waited = [n.removeprefix("stage:") for n in before if n.startswith("stage:")]
        lines += [stage.removeprefix("stage:"), *([f"  after: {_named(waited)}"] if waited else [])]
        lines += [f"  read:  {_named(used)}", f"  wrote: {_named(made)}"]
    lines += [f"{a.artifact_id}: {a.state}, {a.state_text}" for a in d.artifacts if a.state not in _QUIET_STATES]
    lines += [s.text for s in d.signals if s.code == "not_made"]
    return "\n".join(lines if len(lines) > 1 else [*lines, "nothing tells what the run made and used"])


_QUIET_STATES = ("verified", "claimed")


def as_value(d: Dossier, drawn: nx.DiGraph[str], node: str | None) -> dict[str, Any]:
    """`runcase/graph/1`."""
    value: dict[str, Any] = {"schema": "runcase/graph/1", "run_id": d.run.run_id}
    value["nodes"] = [{"node": n, **data} for n, data in drawn.nodes(data=True)]
    value["edges"] = [asdict(e) for e in d.edges]
    if node is not None:
        value |= {"of": node, "upstream": upstream(drawn, node), "downstream": downstream(drawn, node)}
    return value


def as_graphml(drawn: nx.DiGraph[str]) -> str:
    """GraphML (http://graphml.graphdrawing.org); what is not known of a node is left out."""
    return "\n".join(nx.generate_graphml(drawn))


def _attributes(node: str, artifact: Artifact | None) -> dict[str, str | int]:
    if artifact is None:
        return {"sort": node.split(":", 1)[0]}
    known = {
        "sort": "artifact",
        "role": artifact.kind,
        "state": artifact.state,
        "path": artifact.path,
        "size_bytes": artifact.size_bytes,
        "checksum": artifact.checksum,
    }
    return {k: v for k, v in known.items() if v is not None}


def _stages(drawn: nx.DiGraph[str]) -> list[str]:
    """Stages so that makers come before readers; names break ties, and a cycle falls back to names."""
    order = list(drawn)
    if nx.is_directed_acyclic_graph(drawn):
        order = list(nx.lexicographical_topological_sort(drawn))
    return [n for n in order if n.startswith("stage:")]


def _named(nodes: Sequence[str]) -> str:
    names = [n.removeprefix("artifact:") for n in nodes]
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return (", ".join(names[:MAX_NAMES]) + more) or "nothing"
