"""Geometry of the artifact graph's picture: boxes, curves, the failure frontier and the replay cut, in pixels."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from runcase.report.artifact_graph import Graph
from runcase.report.collapse import Collapsed, Group, collapsed
from runcase.report.fitting import cut_to
from runcase.report.layered import layered

BOX, GAP, BEND = 148, 18, 22
"""Width of a box, distance between boxes, and what an edge takes when it passes a layer."""

HEIGHT, LAYER = 40, 78
"""Height of a box, and from the top of a layer to the top of the next."""

LABEL_CELLS = 21
MARGIN = 8


@dataclass(frozen=True, slots=True)
class Box:
    """A node or a group of nodes; `x`, `y` is the upper left corner."""

    x: float
    y: float
    sort: str
    label: str
    full: str
    note: str
    state: str
    frontier: bool
    redo: bool
    stacked: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """An edge. `cut` is the point at which a replay reuses what came before, or None."""

    path: str
    redo: bool
    cut: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class GraphRow:
    """One box in words."""

    label: str
    sort: str
    state: str
    note: str
    comes_from: tuple[str, ...]
    leads_to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LineageFigure:
    """The picture and the same in words."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    curves: tuple[Curve, ...]
    rows: tuple[GraphRow, ...]
    nodes: int
    edges: int
    exact: bool
    crossings: int

    @property
    def has_frontier(self) -> bool:
        """Whether a failure shows in the lineage."""
        return any(b.frontier for b in self.boxes)

    @property
    def has_cut(self) -> bool:
        """Whether the replay's start is a stage of the lineage."""
        return any(c.cut for c in self.curves)


def lineage_figure(graph: Graph) -> LineageFigure | None:
    """The picture of a run's lineage; None when there are no edges."""
    if not graph.edges:
        return None
    small = collapsed(graph)
    layout = layered(len(small.groups), small.edges, BOX + GAP, BEND)
    boxes = tuple(
        _box(group, x - BOX / 2, layer) for group, x, layer in zip(small.groups, layout.x, layout.layer, strict=True)
    )
    curves = tuple(
        _curve(route, small.groups[a], small.groups[b])
        for route, (a, b) in zip(layout.routes, small.edges, strict=True)
    )
    return LineageFigure(
        width=round(layout.width - GAP / 2 + 2 * MARGIN),
        height=(layout.layers - 1) * LAYER + HEIGHT + 2 * MARGIN + 6,
        boxes=boxes,
        curves=curves,
        rows=_rows(small),
        nodes=len(graph.nodes),
        edges=len(graph.edges),
        exact=small.exact,
        crossings=layout.crossings,
    )


def _box(group: Group, x: float, layer: int) -> Box:
    node = group.node
    return Box(
        x=round(x + MARGIN - GAP / 2, 1),
        y=layer * LAYER + MARGIN,
        sort=node.sort,
        label=cut_to(group.label, LABEL_CELLS),
        full=group.label,
        note=cut_to(_note(group), LABEL_CELLS),
        state=node.state,
        frontier=node.frontier,
        redo=node.redo,
        stacked=len(group.members) > 1,
    )


def _note(group: Group) -> str:
    """State, what a replay does, and kind, the most telling first."""
    node = group.node
    parts = [node.state, "redo" if node.redo else "", node.kind or (node.sort if node.sort == "stage" else "")]
    return " · ".join(p for p in parts if p)


def _curve(route: tuple[tuple[float, int], ...], source: Group, target: Group) -> Curve:
    points = [(round(x + MARGIN - GAP / 2, 1), layer * LAYER + MARGIN) for x, layer in route]
    downwards = points[0][1] < points[-1][1]
    first, last = (HEIGHT, 0) if downwards else (0, HEIGHT)
    places = [
        (x, y + (first if n == 0 else last if n == len(points) - 1 else HEIGHT / 2)) for n, (x, y) in enumerate(points)
    ]
    path = f"M{places[0][0]:g} {places[0][1]:g}"
    for (x0, y0), (x1, y1) in itertools.pairwise(places):
        middle = (y0 + y1) / 2
        path += f"C{x0:g} {middle:g} {x1:g} {middle:g} {x1:g} {y1:g}"
    cut = None
    if target.node.redo and not source.node.redo:
        (x0, y0), (x1, y1) = places[-2], places[-1]
        cut = (round((x0 + x1) / 2, 1), round((y0 + y1) / 2, 1))
    return Curve(path, source.node.redo and target.node.redo, cut)


def _rows(small: Collapsed) -> tuple[GraphRow, ...]:
    before: list[list[str]] = [[] for _ in small.groups]
    after: list[list[str]] = [[] for _ in small.groups]
    for a, b in small.edges:
        after[a].append(small.groups[b].label)
        before[b].append(small.groups[a].label)
    return tuple(
        GraphRow(
            g.label,
            g.node.sort,
            g.node.state,
            ", ".join(w for w, on in (("failure shows here first", g.node.frontier), ("redo", g.node.redo)) if on),
            tuple(before[n]),
            tuple(after[n]),
        )
        for n, g in enumerate(small.groups)
    )
