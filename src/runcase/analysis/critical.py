"""The chain of operations that decided how long a run took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import networkx as nx

MAX_OPERATIONS = 1500
"""Operations that are looked at: the longest ones. The graph grows with their square."""


@dataclass(frozen=True, slots=True)
class Step:
    """An operation on the critical path; if it had taken no time, the run would have taken `run_without_us`.

    `needed` names artifacts that it read and the step before it made; empty: it only came after it.
    """

    name: str
    start_us: int
    end_us: int
    run_without_us: int
    needed: tuple[str, ...] = ()

    @property
    def duration_us(self) -> int:
        """How long it took."""
        return self.end_us - self.start_us


@dataclass(frozen=True, slots=True)
class Operation:
    """A closed stage or tool call of an attempt, in microseconds since any epoch."""

    name: str
    start_us: int
    end_us: int


def closed_operations(windows: pl.DataFrame) -> list[Operation]:
    """Rows of WINDOWS as operations in the order of their begin; rows that are not closed are left out."""
    rows = windows.filter(pl.col("state") == "closed").sort("start", "end", "name", "start_ref")
    instants = rows.select("name", pl.col("start").dt.epoch("us"), pl.col("end").dt.epoch("us"))
    return [Operation(name, start, end) for name, start, end in instants.iter_rows()]


Handed = Mapping[tuple[str, str], tuple[str, ...]]
"""(maker, reader) -> artifacts that the one stage made and the other read."""


def handed_over(edges: pl.DataFrame, run_id: str) -> Handed:
    """What the stages of a run hand to each other, by its EDGES."""
    own = edges.filter((pl.col("run_id") == run_id) & pl.col("object").str.starts_with("stage:"))
    made, used = (own.filter(pl.col("relation") == r) for r in ("generated", "used"))
    pairs = made.join(used, on="subject", how="inner", suffix="_by").filter(pl.col("object") != pl.col("object_by"))
    grouped = pairs.sort("object", "object_by", "subject").group_by("object", "object_by", maintain_order=True)
    rows = grouped.agg(pl.col("subject").str.strip_prefix("artifact:")).iter_rows()
    return {(a.removeprefix("stage:"), b.removeprefix("stage:")): tuple(names) for a, b, names in rows}


def schedule(operations: Sequence[Operation], handed: Handed | None = None) -> nx.DiGraph[int]:
    """Which operation waited for which: each for those that ended last before it began, and for makers of its inputs.

    Nodes are positions in `operations`; only the nearest predecessors are joined,
    longer waits follow through them.
    """
    import networkx as nx

    handed = handed or {}
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(operations)))
    by_end = sorted(range(len(operations)), key=lambda n: (operations[n].end_us, n))
    for n, later in enumerate(operations):
        ended = [m for m in by_end if m != n and operations[m].end_us <= later.start_us]
        before = [m for m in ended if _precedes(operations, m, n)]
        newest_start = max((operations[m].start_us for m in before), default=0)
        graph.add_edges_from((m, n) for m in before if operations[m].end_us > newest_start or m == before[-1])
        graph.add_edges_from((m, n) for m in before if (operations[m].name, later.name) in handed)
    return graph


def _precedes(operations: Sequence[Operation], m: int, n: int) -> bool:
    """Breaks ties of operations without any length, so that the graph has no cycle."""
    return (operations[m].start_us, operations[m].end_us, m) < (operations[n].start_us, operations[n].end_us, n)


def critical_path(operations: Sequence[Operation], total_us: int, handed: Handed | None = None) -> list[Step]:
    """The chain of operations with the greatest sum of durations, in order.

    Args:
        operations: Closed operations of one attempt.
        total_us: How long the attempt took, microseconds.
        handed: Artifacts that they hand to each other.

    Returns:
        One step an operation of the chain. Waits between operations are kept as
        they were; a step that took no time lets the next longest chain decide.
    """
    if not operations:
        return []
    operations = _looked_at(operations)
    graph = schedule(operations, handed)
    length, chain = _longest(operations, graph, None)
    before = [None, *(operations[n].name for n in chain)]
    return [
        Step(
            operations[n].name,
            operations[n].start_us,
            operations[n].end_us,
            total_us - (length - _longest(operations, graph, n)[0]),
            (handed or {}).get((maker, operations[n].name), ()) if maker is not None else (),
        )
        for n, maker in zip(chain, before, strict=False)
    ]


def _looked_at(operations: Sequence[Operation]) -> list[Operation]:
    """The longest ones, in the order of their begin."""
    longest = sorted(operations, key=lambda o: (o.start_us - o.end_us, o.start_us, o.name))[:MAX_OPERATIONS]
    return sorted(longest, key=lambda o: (o.start_us, o.end_us, o.name))


def slacks(operations: Sequence[Operation], handed: Handed | None = None) -> list[tuple[Operation, int]]:
    """How much longer each operation could take before the longest chain does, microseconds; 0 on the critical path.

    The longest chain into each operation and the one out of it, computed both ways.
    """
    operations = _looked_at(operations)
    graph = schedule(operations, handed)
    into, out_of = _reaches(operations, graph), _reaches(operations, graph.reverse(copy=False))
    length = max(into.values(), default=0)
    return [(o, length - (into[n] + out_of[n] - (o.end_us - o.start_us))) for n, o in enumerate(operations)]


def _reaches(operations: Sequence[Operation], graph: nx.DiGraph[int]) -> dict[int, int]:
    """Length of the longest chain that ends with each operation."""
    import networkx as nx

    best: dict[int, int] = {}
    for n in nx.lexicographical_topological_sort(graph):
        own = operations[n].end_us - operations[n].start_us
        best[n] = own + max((best[m] for m in graph.predecessors(n)), default=0)
    return best


def _longest(operations: Sequence[Operation], graph: nx.DiGraph[int], free: int | None) -> tuple[int, list[int]]:
    """Length and nodes of the longest chain; the operation `free` takes no time."""
    import networkx as nx

    best: dict[int, tuple[int, int | None]] = {}
    for n in nx.lexicographical_topological_sort(graph):
        own = 0 if n == free else operations[n].end_us - operations[n].start_us
        behind = max(((best[m][0], -m) for m in graph.predecessors(n)), default=None)
        best[n] = (own + (behind[0] if behind else 0), -behind[1] if behind else None)
    end = max(best, key=lambda n: (best[n][0], -n))
    chain: list[int] = []
    at: int | None = end
    while at is not None:
        chain.append(at)
        at = best[at][1]
    return best[end][0], chain[::-1]


@dataclass(frozen=True, slots=True)
class Chain:
    """What decided how long an attempt took, and how much time the other operations had to spare."""

    attempt: int
    total_us: int
    steps: tuple[Step, ...] = ()
    spare: tuple[tuple[str, int], ...] = ()


def chain_of(
    windows: pl.DataFrame, attempts: pl.DataFrame, edges: pl.DataFrame, run_id: str, attempt: int
) -> Chain | None:
    """The critical path over the stages of one attempt, or over its tool calls where it has no stages."""
    frame = attempts.filter((pl.col("run_id") == run_id) & (pl.col("attempt") == attempt))
    ends = frame.select(pl.col("first_ts").dt.epoch("us"), pl.col("last_ts").dt.epoch("us"))
    if ends.is_empty() or None in ends.row(0):
        return None
    own = windows.filter((pl.col("run_id") == run_id) & (pl.col("attempt") == attempt))
    stages, tools = (closed_operations(own.filter(pl.col("kind") == k)) for k in ("stage", "tool"))
    handed = handed_over(edges, run_id)
    total = ends.row(0)[1] - ends.row(0)[0]
    steps = tuple(critical_path(stages or tools, total, handed))
    spare = tuple((o.name, s) for o, s in slacks(stages or tools, handed) if s > 0)
    return Chain(attempt, total, steps, spare)
