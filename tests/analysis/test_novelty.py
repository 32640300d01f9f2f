"""A failed run held against the good runs of its job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factory import Row, event, facts, source

from runcase.analysis.compare import Side, counterpart
from runcase.analysis.conclude import conclude
from runcase.analysis.counterparts import good_runs_before
from runcase.model.tables import RUNS

USUAL = "Error: cannot find module fast-path 4711, using the slow one"
BROKE = "Error: cannot open cart.db"


def run(name: str, at: int, lines: list[str], code: int) -> list[Row]:
    """The events of one run of the job `nightly`, in a source of its own."""
    begun = event("stage.started", f"10:{at:02}:00", name, run_id=name, stage="make", fields={"job": "nightly"})
    said = [event("unknown", f"10:{at:02}:01", name, run_id=name, message=line) for line in lines]
    return [begun, *said, event("exit", f"10:{at:02}:09", name, run_id=name, fields={"exit_code": code})]


def why(*runs: list[Row]) -> Mapping[str, dict[str, Any]]:
    events = [e for r in runs for e in r]
    sources = [source(sid, f"{sid}.log") for sid in dict.fromkeys(str(e["source_id"]) for e in events)]
    found = conclude(facts(events, sources), ()).diagnoses.filter(pl.col("rank") == 0)
    return {r["run_id"]: r for r in found.iter_rows(named=True)}


BAD = run("bad", 9, [USUAL, BROKE], 1)


def test_what_good_runs_of_the_job_say_too_is_not_the_cause() -> None:
    goods = [run(f"good{n}", n, [USUAL.replace("4711", str(n))], 0) for n in (1, 2)]
    assert why(*goods, BAD)["bad"]["text"] == BROKE
    assert "2 good runs of this job do not have this line" in why(*goods, BAD)["bad"]["evidence"]


def test_a_run_without_a_good_one_beside_it_is_weighed_by_itself() -> None:
    assert why(BAD)["bad"]["text"] == USUAL
    assert "good run" not in why(BAD)["bad"]["evidence"]


def test_a_cause_that_good_runs_say_too_is_a_conjecture() -> None:
    found = why(run("good", 1, [USUAL], 0), run("bad", 9, [USUAL], 1))["bad"]
    assert found["confidence"] == "conjecture"
    assert "is in 1 of 1 good runs of this job too" in found["evidence"]


def test_the_short_comparison_and_the_command_take_the_same_good_run() -> None:
    runs = [run("early", 1, [USUAL], 0), run("near", 5, [USUAL], 0), BAD, run("late", 30, [USUAL], 0)]
    events = [e for r in runs for e in r]
    found = conclude(facts(events, [source(str(r[0]["source_id"]), f"{r[0]['source_id']}.log") for r in runs]), ())
    (told,) = found.signals.filter(run_id="bad", code="differs_from")["text"]
    assert "last good run near:" in told
    assert counterpart(found, Side("bad", 1)) == Side("near", 1)
    assert counterpart(found, Side("late", 1)) == Side("near", 1)
    assert counterpart(found, Side("early", 1)) is None


def test_good_runs_that_come_later_change_nothing() -> None:
    assert why(BAD, run("good", 30, [USUAL], 0))["bad"] == why(BAD)["bad"]


def test_a_number_that_makes_a_line_a_failure_is_no_hole() -> None:
    good = run("good", 1, ["server returned status 200"], 0)
    found = why(good, run("bad", 9, ["server returned status 502"], 1))["bad"]
    assert "1 good run of this job does not have this line" in found["evidence"]


RUN = st.tuples(st.sampled_from(["succeeded", "failed"]), st.sampled_from(["a", "b", None]), st.integers(0, 4))


@settings(max_examples=60, deadline=None)
@given(st.lists(RUN, max_size=12), st.integers(1, 4))
def test_a_run_is_held_against_the_good_ones_of_its_job_that_began_before_it(
    rows: list[tuple[str, str | None, int]], most: int
) -> None:
    runs = RUNS.fill(
        pl.DataFrame(
            [(f"r{n:02}", status, job, at) for n, (status, job, at) in enumerate(rows)],
            schema={"run_id": pl.String, "status": pl.String, "job": pl.String, "first_ts": pl.Int64},
            orient="row",
        )
    )
    good = [(at, f"r{n:02}", job) for n, (status, job, at) in enumerate(rows) if status == "succeeded"]
    expected = []
    for n, (status, job, at) in enumerate(rows):
        before = sorted(g for g in good if g[2] == job and g[0] < at)[::-1]
        if status == "failed" and job is not None:
            expected += [(f"r{n:02}", other, k) for k, (_, other, _) in enumerate(before[:most])]
    assert good_runs_before(runs, most).rows() == expected
