"""The layered layout: its laws, and its crossings against graphviz."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from itertools import combinations, pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runcase.report.layered import Layout, layered

Edges = list[tuple[int, int]]

graphs = st.integers(1, 24).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.lists(
            st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] != e[1]),
            max_size=40,
            unique=True,
        ),
    )
)


def random_lineage(count: int, inputs: tuple[int, ...], seed: int) -> Edges:
    """A graph as lineages are: each node but the first six comes from a few of those just before it."""
    rng = Random(seed)
    found = {(max(0, b - rng.randint(1, 18)), b) for b in range(6, count) for _ in range(rng.choice(inputs))}
    return sorted(e for e in found if e[0] != e[1])


@settings(max_examples=60, derandomize=True, deadline=None)
@given(graphs)
def test_boxes_of_a_layer_keep_their_distance_and_routes_join_their_ends(graph: tuple[int, Edges]) -> None:
    count, edges = graph
    found = layered(count, edges, 166, 22)
    for a, b in combinations(range(count), 2):
        assert found.layer[a] != found.layer[b] or abs(found.x[a] - found.x[b]) >= 165.9
    for (a, b), route in zip(edges, found.routes, strict=True):
        assert route[0] == (found.x[a], found.layer[a])
        assert route[-1] == (found.x[b], found.layer[b])
        assert all(abs(p[1] - q[1]) == 1 for p, q in pairwise(route))
    assert all(0 <= x <= found.width for x in found.x)


@settings(max_examples=30, derandomize=True, deadline=None)
@given(graphs)
def test_without_a_cycle_every_edge_leads_down(graph: tuple[int, Edges]) -> None:
    count, edges = graph
    down = sorted({(min(e), max(e)) for e in edges})
    found = layered(count, down, 166, 22)
    assert all(found.layer[a] < found.layer[b] for a, b in down)


def test_a_chain_is_a_straight_line_without_crossings() -> None:
    found = layered(5, [(n, n + 1) for n in range(4)], 166, 22)
    assert (len(set(found.x)), found.layer, found.crossings) == (1, (0, 1, 2, 3, 4), 0)


def test_the_layout_does_not_depend_on_the_hash_seed() -> None:
    code = (
        "from tests.report.test_figures_layout import random_lineage; from runcase.report.layered import layered;"
        "print(layered(60, random_lineage(60, (1, 2), 2), 166, 22))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


def dot_crossings(count: int, edges: Edges) -> int:
    """The crossings that graphviz is left with."""
    if not shutil.which("dot"):
        pytest.fail("graphviz is not installed; dev/test installs it")
    lines = [f"{n};" for n in range(count)] + [f"{a}->{b};" for a, b in edges]
    source = "digraph {node[shape=box,width=2,height=.5,fixedsize=true];" + "".join(lines) + "}"
    told = subprocess.run(["dot", "-v", "-Tplain"], input=source, capture_output=True, text=True, check=True).stderr
    return int(re.findall(r"mincross \S+ (\d+) crossings", told)[-1])


def test_crossings_are_within_a_tenth_of_graphviz() -> None:
    ours = theirs = 0
    for count, inputs, seed in (
        (30, (1, 2), 1),
        (60, (1, 2), 2),
        (100, (1, 1, 2), 3),
        (143, (1, 1, 2), 4),
        (143, (1, 2), 5),
    ):
        edges = random_lineage(count, inputs, seed)
        found: Layout = layered(count, edges, 166, 22)
        ours += found.crossings
        theirs += dot_crossings(count, edges)
    assert ours <= 1.1 * theirs
