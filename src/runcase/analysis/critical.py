"""The chain of operations that decided how long a run took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import networkx as nx
import polars as pl

MAX_OPERATIONS = 1500
"""Operations that are looked at: the longest ones. The graph grows with their square."""


@dataclass(frozen=True, slots=True)
class Step:
    """An operation on the critical path; if it had taken no time, the run would have taken `run_without_us`."""

    name: str
    start_us: int
    end_us: int
    run_without_us: int

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


def schedule(operations: Sequence[Operation]) -> nx.DiGraph[int]:
    """Which operation waited for which: each for those that ended last before it began.

    Nodes are positions in `operations`; only the nearest predecessors are joined,
    longer waits follow through them.
    """
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(operations)))
    by_end = sorted(range(len(operations)), key=lambda n: (operations[n].end_us, n))
    for n, later in enumerate(operations):
        ended = [m for m in by_end if m != n and operations[m].end_us <= later.start_us]
        before = [m for m in ended if _precedes(operations, m, n)]
        newest_start = max((operations[m].start_us for m in before), default=0)
        graph.add_edges_from((m, n) for m in before if operations[m].end_us > newest_start or m == before[-1])
    return graph


def _precedes(operations: Sequence[Operation], m: int, n: int) -> bool:
    """Breaks ties of operations without any length, so that the graph has no cycle."""
    return (operations[m].start_us, operations[m].end_us, m) < (operations[n].start_us, operations[n].end_us, n)


def critical_path(operations: Sequence[Operation], total_us: int) -> list[Step]:
    """The chain of operations with the greatest sum of durations, in order.

    Args:
        operations: Closed operations of one attempt.
        total_us: How long the attempt took, microseconds.

    Returns:
        One step an operation of the chain. Waits between operations are kept as
        they were; a step that took no time lets the next longest chain decide.
    """
    if not operations:
        return []
    longest = sorted(operations, key=lambda o: (o.start_us - o.end_us, o.start_us, o.name))[:MAX_OPERATIONS]
    operations = sorted(longest, key=lambda o: (o.start_us, o.end_us, o.name))
    graph = schedule(operations)
    length, chain = _longest(operations, graph, None)
    return [
        Step(
            operations[n].name,
            operations[n].start_us,
            operations[n].end_us,
            total_us - (length - _longest(operations, graph, n)[0]),
        )
        for n in chain
    ]


def _longest(operations: Sequence[Operation], graph: nx.DiGraph[int], free: int | None) -> tuple[int, list[int]]:
    """Length and nodes of the longest chain; the operation `free` takes no time."""
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


def critical_path_of(windows: pl.DataFrame, attempts: pl.DataFrame, run_id: str, attempt: int) -> list[Step]:
    """The critical path over the stages of one attempt, or over its tool calls where it has no stages."""
    frame = attempts.filter((pl.col("run_id") == run_id) & (pl.col("attempt") == attempt))
    first, last = frame.select(pl.col("first_ts").dt.epoch("us"), pl.col("last_ts").dt.epoch("us")).row(0)
    if first is None or last is None:
        return []
    own = windows.filter((pl.col("run_id") == run_id) & (pl.col("attempt") == attempt))
    stages, tools = (closed_operations(own.filter(pl.col("kind") == k)) for k in ("stage", "tool"))
    return critical_path(stages or tools, last - first)
