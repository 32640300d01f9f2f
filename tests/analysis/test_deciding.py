"""What decides a run does not depend on who looks for it."""

from __future__ import annotations

import os
import signal

import polars as pl

from runcase import deciding
from runcase.analysis.decisive.statements import Asked, decided
from runcase.ledger.workers import Crew, Stage, Tell
from runcase.model.tables import EVENTS

RUNS = 7


def asked() -> Asked:
    """Some failed runs, of which the last is held against a good one that says the same."""
    texts = ["start", "warning: careful", "src/a.c:3:4: error: no {run}", "make: *** [all] Error 1", "exit status 2"]
    rows = [
        {
            "run_id": f"r{run}",
            "source_id": f"s{run}",
            "byte_start": 10 * n,
            "byte_len": 10,
            "kind": "log",
            "level": level,
        }
        | {"message": text.format(run=run % 6)}
        for run in range(RUNS + 1)
        for n, text in enumerate(texts)
        for level in ("error" if "error" in text else None,)
    ]
    numbers = pl.DataFrame({"n": range(RUNS + 1)})
    members = numbers.select(run_id=pl.format("r{}", "n"), source_id=pl.format("s{}", "n"))
    runs = members.head(RUNS).select("run_id", events=pl.lit(len(texts), dtype=pl.Int64))
    goods = pl.DataFrame({"run_id": ["r1"], "other": [f"r{RUNS}"]})
    return Asked(EVENTS.fill(pl.DataFrame(rows)).lazy(), members, runs, goods)


def test_several_processes_decide_what_one_decides() -> None:
    alone = decided(asked())
    with Crew(2) as crew:
        shared = deciding.by(crew, worth_events=1)(asked())
    assert shared == alone
    assert set(alone) == {f"r{n}" for n in range(RUNS)}
    assert alone["r1"].good_runs == 1


def pid(ready: int, item: int, tell: Tell) -> int:
    return os.getpid()


def test_what_a_process_leaves_undone_that_the_system_took_away_is_decided_here() -> None:
    with Crew(2) as crew:
        for outcome in crew.each(Stage(int, (1,), pid), [1, 2]):
            assert outcome.value
            os.kill(outcome.value, signal.SIGKILL)
        assert deciding.by(crew, worth_events=1)(asked()) == decided(asked())
