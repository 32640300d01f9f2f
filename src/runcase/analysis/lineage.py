"""Lineage: what was used, made, derived and waited for, as edges and as a graph in the direction of the flow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import polars as pl

from runcase.model.refs import ref_of
from runcase.model.tables import EDGES

if TYPE_CHECKING:
    import networkx as nx

MAX_REFS = 8
GRAPHS = ("dagman_dag",)
"""Readers of files that declare which stage waits for which."""

_ORDER = pl.Struct({"parents": pl.List(pl.String()), "children": pl.List(pl.String())})


def edges(claims: pl.DataFrame, declared: pl.DataFrame) -> pl.DataFrame:
    """EDGES of all runs.

    Args:
        declared: As `declared_order` yields it.
        claims: As `claims.claims_of_runs` yields them. An artifact that a stage made out of another one was used
            by that stage, whether or not an event says so.
    """
    staged = claims.filter(pl.col("stage").is_not_null())
    derived = claims.explode("derived_from").filter(pl.col("derived_from").is_not_null())
    artifact, stage = _node("artifact", "artifact_id"), _node("stage", "stage")
    origin = _node("artifact", "derived_from")
    parts = [
        _edges(staged.filter(pl.col("action") == "read"), artifact, "used", stage),
        _edges(staged.filter(pl.col("action").is_in(["written", "listed"])), artifact, "generated", stage),
        _edges(derived, artifact, "derived", origin),
        _edges(derived.filter(pl.col("stage").is_not_null()), origin, "used", stage),
        _edges(declared, _node("stage", "child"), "followed", _node("stage", "parent")),
    ]
    rows = pl.concat(parts).group_by("run_id", "subject", "relation", "object", maintain_order=True)
    merged = rows.agg(refs=pl.col("ref").unique(maintain_order=True).head(MAX_REFS))
    return EDGES.fill(merged).sort(EDGES.key)


def declared_order(events: pl.LazyFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """`run_id, parent, child, ref`: which stage a graph of the engine lets another one wait for.

    Args:
        events: EVENTS with runs assigned.
        sources: SOURCES, which say whether there is such a graph at all.
    """
    graphs = sources.filter(pl.col("reader").is_in(GRAPHS))["source_id"].unique()
    rows = events.filter(pl.col("source_id").is_in(graphs.implode()) & (pl.col("kind") == "log.dag_edge"))
    names = pl.col("fields").str.json_decode(_ORDER)
    read = rows.select("run_id", ref=ref_of(), _names=names).filter(pl.col("run_id").is_not_null())
    pairs = read.select("run_id", "ref", parent=_member("parents"), child=_member("children"))
    return pairs.collect().explode("parent").explode("child").drop_nulls().sort("run_id", "parent", "child", "ref")


def _member(name: str) -> pl.Expr:
    return pl.col("_names").struct.field(name)


def _node(sort: str, column: str) -> pl.Expr:
    return pl.concat_str(pl.lit(f"{sort}:"), pl.col(column))


def _edges(rows: pl.DataFrame, subject: pl.Expr, relation: str, target: pl.Expr) -> pl.DataFrame:
    return rows.select(
        "run_id", subject.alias("subject"), pl.lit(relation).alias("relation"), target.alias("object"), "ref"
    )


def flow(rows: Iterable[tuple[str, str, str]]) -> nx.DiGraph[str]:
    """The graph of one run in the direction of the flow: input -> stage -> output.

    Args:
        rows: `subject, relation, object` of EDGES.
    """
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    for subject, relation, target in rows:
        if relation == "used":
            graph.add_edge(subject, target)
        else:
            graph.add_edge(target, subject)
    return graph


def graph_of(found: pl.DataFrame, run_id: str) -> nx.DiGraph[str]:
    """The flow of one run of EDGES."""
    return flow(found.filter(pl.col("run_id") == run_id).select("subject", "relation", "object").iter_rows())


def upstream(graph: nx.DiGraph[str], node: str) -> list[str]:
    """Everything that `node` came from, sorted; empty for a node that the graph does not have."""
    import networkx as nx

    return sorted(nx.ancestors(graph, node)) if node in graph else []


def downstream(graph: nx.DiGraph[str], node: str) -> list[str]:
    """Everything that came from `node`, sorted; empty for a node that the graph does not have."""
    import networkx as nx

    return sorted(nx.descendants(graph, node)) if node in graph else []
