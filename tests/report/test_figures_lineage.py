"""The artifact graph: what is merged, what stays distinct, what other tools can read."""

from __future__ import annotations

from io import BytesIO

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.report import hostile
from tests.report.page_samples import at, edges, failed_run, span, wide_lineage

from runcase.model.text import present_line
from runcase.report import graph_face
from runcase.report.artifact_graph import Graph, Node, artifact_graph
from runcase.report.collapse import MAX_NODES, collapsed
from runcase.report.dossier import Edge
from runcase.report.lineage_figure import lineage_figure

graphs = st.integers(1, 60).flatmap(
    lambda n: st.tuples(
        st.lists(st.sampled_from(["verified", "missing", ""]), min_size=n, max_size=n),
        st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=90),
    )
)


def graph_of(states: list[str], links: list[tuple[int, int]]) -> Graph:
    nodes = tuple(Node(f"artifact:x{n}", "artifact", f"x{n}", "", s, s == "missing") for n, s in enumerate(states))
    return Graph(nodes, tuple(sorted({e for e in links if e[0] != e[1]})))


def test_five_thousand_nodes_become_a_few_dozen_and_the_failed_branch_stays_apart() -> None:
    graph = artifact_graph(wide_lineage(1664))
    small = collapsed(graph)
    labels = [g.label for g in small.groups]
    assert len(graph.nodes) == 4995
    assert len(labels) <= 12
    assert small.exact
    assert "out_7.bam" in labels
    assert "align[7]" in labels
    assert "align[#] ×1,663" in labels


@settings(max_examples=60, derandomize=True, deadline=None)
@given(graphs, st.integers(3, 150))
def test_every_node_is_in_one_group_and_every_edge_is_kept(
    graph: tuple[list[str], list[tuple[int, int]]], limit: int
) -> None:
    whole = graph_of(*graph)
    small = collapsed(whole, limit)
    assert sorted(n for g in small.groups for n in g.members) == list(range(len(whole.nodes)))
    at = {n: i for i, g in enumerate(small.groups) for n in g.members}
    assert set(small.edges) == {(at[a], at[b]) for a, b in whole.edges if at[a] != at[b]}
    assert len(small.groups) <= limit


def test_a_lineage_without_repetition_is_still_cut_to_what_can_be_read() -> None:
    words = [a + b + c for a in "abcdefgh" for b in "ijklmnop" for c in "qrstuvwx"]
    flow = tuple(Edge(f"artifact:{words[n]}", "used", f"stage:{words[n + 1]}", ()) for n in range(0, 500, 2))
    small = collapsed(artifact_graph(failed_run(edges=flow, replay=None)))
    assert len(small.groups) <= MAX_NODES


def test_the_failure_shows_first_where_nothing_before_it_is_broken() -> None:
    figure = lineage_figure(artifact_graph(failed_run()))
    assert figure
    assert [b.label for b in figure.boxes if b.frontier] == ["report.pdf"]
    assert figure.has_frontier


def test_the_replay_cut_lies_on_the_edges_into_what_is_redone() -> None:
    figure = lineage_figure(artifact_graph(failed_run()))
    assert figure
    assert sorted(b.label for b in figure.boxes if b.redo) == ["status.json", "writeback"]
    assert sum(c.cut is not None for c in figure.curves) == 1


def test_a_lineage_with_a_cycle_is_drawn() -> None:
    loop = (Edge("artifact:a", "used", "stage:s", ()), Edge("artifact:a", "generated", "stage:s", ()))
    figure = lineage_figure(artifact_graph(failed_run(edges=loop)))
    assert figure
    assert len(figure.curves) == 2


def test_a_derived_artifact_comes_after_its_origin() -> None:
    graph = artifact_graph(failed_run(edges=(Edge("artifact:b", "derived", "artifact:a", ()),)))
    assert [(graph.nodes[a].label, graph.nodes[b].label) for a, b in graph.edges] == [("a", "b")]


def test_without_edges_there_is_no_picture() -> None:
    assert lineage_figure(artifact_graph(failed_run(edges=()))) is None


def test_a_stage_is_in_the_state_of_its_last_attempt() -> None:
    stages = (span("stage", "rendering", 1, "2026-03-02T10:00:00Z", None), span("stage", "rendering", 2,
              "2026-03-02T10:01:00Z", "2026-03-02T10:02:00Z"))  # fmt: skip
    graph = artifact_graph(failed_run(stages=stages, edges=edges()))
    assert {n.label: n.state for n in graph.nodes if n.sort == "stage"}["rendering"] == "closed"


def test_a_stage_without_any_time_is_not_where_a_failure_shows_and_one_that_ended_badly_is() -> None:
    stages = (span("stage", "preprocessing", 2, None, None),
              span("stage", "extraction", 2, at(13), at(14), detail="status failed"))  # fmt: skip
    graph = artifact_graph(failed_run(stages=stages, edges=edges(), artifacts=()))
    assert [n.label for n in graph.nodes if n.frontier] == ["extraction"]
    assert {n.label: n.state for n in graph.nodes if n.sort == "stage"}["preprocessing"] == ""


def test_graphml_and_json_hold_the_full_graph() -> None:
    dossier = wide_lineage(20)
    drawn = graph_face.graph(dossier)
    read = nx.read_graphml(BytesIO(graph_face.as_graphml(drawn).encode()))
    value = graph_face.as_value(dossier, drawn, None)
    whole = artifact_graph(dossier)
    assert (read.number_of_nodes(), read.number_of_edges()) == (len(whole.nodes), len(whole.edges))
    assert (len(value["nodes"]), len(value["edges"])) == (len(whole.nodes), len(dossier.edges))
    assert {d.get("state") for _, d in read.nodes(data=True)} >= {"verified", "missing"}


def test_graphml_survives_every_hostile_name() -> None:
    names = list(dict.fromkeys(present_line(text) for text in hostile.ALL))
    links = tuple(Edge(f"artifact:{name}", "used", "stage:s", ()) for name in names)
    read = nx.read_graphml(BytesIO(graph_face.as_graphml(graph_face.graph(failed_run(edges=links))).encode()))
    assert {f"artifact:{name}" for name in names} <= set(read)
