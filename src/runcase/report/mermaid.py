"""The lineage, or failing that the stages, as a small Mermaid flowchart for hosts that draw one.

A label is spelled so that nothing in it is syntax: all but ASCII letters, digits and
spaces stand as `#code;` (mermaid.js.org, "Entity codes to escape characters"); a node's
id is a number of ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runcase.report.artifact_graph import BROKEN, Node, artifact_graph
from runcase.report.collapse import collapsed
from runcase.report.dossier import Dossier, Window
from runcase.report.fitting import cut_to
from runcase.report.timeline_rows import in_order
from runcase.report.words import micros_words

MAX_BOXES = 24
"""A ticket's column is narrow; the page has the larger picture."""

LABEL_CELLS = 40

_CLASSES = (
    "classDef broken stroke:#b3261e,stroke-width:2px",
    "classDef unsure stroke-dasharray:5 3",
)


def flowchart(d: Dossier) -> list[str]:
    """Lines of a flowchart; nothing where there are neither edges of lineage nor two stages."""
    return list(_lineage(d) or _stages(d))


def _lineage(d: Dossier) -> list[str]:
    graph = artifact_graph(d)
    if not graph.edges:
        return []
    small = collapsed(graph, MAX_BOXES)
    boxes = [_box(n, g.label, _note(g.node), g.node.state, g.node.sort == "stage") for n, g in enumerate(small.groups)]
    return ["flowchart TD", *boxes, *(f"n{a} --> n{b}" for a, b in small.edges), *_CLASSES]


def _note(node: Node) -> str:
    state = "" if node.state == "closed" else node.state
    return ", ".join(x for x in (state, "first broken" if node.frontier else "", "redo" * node.redo) if x)


def _stages(d: Dossier) -> list[str]:
    """Stages of the last attempt one after the other, in the order in which they began."""
    last = d.run.attempts[-1].attempt if d.run.attempts else None
    stages = in_order([w for w in d.stages if w.attempt in (None, last) and (w.start or w.end)])
    if len(stages) < 2:
        return []
    return ["flowchart LR", *_chain(stages), *_CLASSES]


def _chain(stages: Sequence[Window]) -> Iterator[str]:
    shown = stages if len(stages) <= MAX_BOXES else [*stages[: MAX_BOXES // 2], *stages[-MAX_BOXES // 2 :]]
    left = len(stages) - len(shown)
    for n, w in enumerate(shown):
        took = micros_words(w.duration_us) if w.state == "closed" else w.state
        yield _box(n, w.name, took, w.state, stage=True)
    for n in range(1, len(shown)):
        between = f"|{_spelled(f'{left} more')}|" if left and n == MAX_BOXES // 2 else ""
        yield f"n{n - 1} -->{between} n{n}"


def _box(number: int, label: str, note: str, state: str, stage: bool) -> str:
    """A node: rounded for a stage, square for an artifact, marked by its state."""
    text = "<br/>".join(_spelled(cut_to(x, LABEL_CELLS)) for x in (label, note) if x)
    left, right = ('(["', '"])') if stage else ('["', '"]')
    mark = ":::broken" if state in BROKEN else ":::unsure" if state in ("unlisted", "expired") else ""
    return f"n{number}{left}{text}{right}{mark}"


def _spelled(text: str) -> str:
    return "".join(c if (c.isascii() and c.isalnum()) or c == " " else f"#{ord(c)};" for c in text) or " "
