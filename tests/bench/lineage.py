"""Times the lineage of a run with many artifacts: claims to states, edges, graph, and both ways through it.

    python tests/bench/lineage.py [--edges 50000]

The target is under 5 s for 50,000 edges.
"""

from __future__ import annotations

import argparse
import random
import time

import polars as pl

from runcase.analysis.artifacts import states
from runcase.analysis.claims import claims_of_runs
from runcase.analysis.lineage import declared_order, downstream, edges, graph_of, upstream
from runcase.model.tables import ARTIFACTS, EVENTS, MEMBERS, SOURCES

STAGES = 40


def claims(count: int, seed: int = 7) -> pl.DataFrame:
    """ARTIFACTS of one run in which each artifact is made by a stage out of two earlier ones."""
    r = random.Random(seed)
    made = count * 10 // 48
    rows = []
    for n in range(made):
        row = {"run_id": "run_1", "attempt": 1, "artifact_id": f"a{n}", "source_id": "0" * 12, "byte_start": n * 100}
        origins = [f"a{r.randrange(n)}" for _ in range(2)] if n > 1 else []
        stage = f"s{n * STAGES // made}"
        row |= {"batch": "b", "action": "written", "byte_len": 90, "stage": stage, "derived_from": origins}
        rows.append(row | {"path": f"out/{n % 50}/a{n}"})
    return ARTIFACTS.frame(rows)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    asked.add_argument("--edges", type=int, default=50_000)
    count = asked.parse_args().edges
    given = claims(count)
    begun = time.perf_counter()
    mine = claims_of_runs(given, SOURCES.empty())
    weighed = states(mine, SOURCES.empty(), MEMBERS.empty())
    found = edges(mine, declared_order(EVENTS.empty().lazy(), SOURCES.empty()))
    graph = graph_of(found, "run_1")
    middle = f"artifact:a{weighed.height // 10}"
    above, below = upstream(graph, middle), downstream(graph, middle)
    spent = time.perf_counter() - begun
    print(f"{found.height} edges, {weighed.height} artifacts, {len(above)} above and {len(below)} below: {spent:.2f} s")


if __name__ == "__main__":
    main()
