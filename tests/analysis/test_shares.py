"""What is concluded in shares is what is concluded at once."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factory import Row, event, facts, source, span
from tests.simulator.damage import exported
from tests.simulator.knobs import drawn
from tests.simulator.reading import PACKS, seen
from tests.simulator.world import simulated

from runcase.analysis.conclude import conclude, concluded
from runcase.analysis.identity import assignment
from runcase.analysis.observability import carriers
from runcase.analysis.renewal import of_sources, together
from runcase.analysis.shares import shares
from runcase.model.case import Conclusions, Facts
from runcase.rules.language import Pack

SMALLEST = 1
"""Events of a share: no two sets of runs are in one."""


def in_shares(whole: Facts, packs: tuple[Pack, ...] = (), most: int = SMALLEST) -> tuple[Conclusions, list[list[str]]]:
    """The conclusions of all shares, and the sources of each."""
    joins = assignment(whole)
    parts = shares(whole, joins, most)
    each = [concluded(of_sources(whole, p.sources), packs, p.joins, carriers(whole)) for p in parts]
    return together(each), [p.sources.to_list() for p in parts]


def apart(events: list[Row], sources: list[Row] | None = None, spans: list[Row] | None = None) -> list[list[str]]:
    """The sources of each share, when what follows from them is what follows from all at once."""
    whole = facts(events, sources or [], spans=spans or [])
    found, parts = in_shares(whole)
    assert same(found, conclude(whole, ()))
    return parts


def same(a: Conclusions, b: Conclusions) -> bool:
    return all(getattr(a, f.name).equals(getattr(b, f.name)) for f in fields(a))


def log(name: str, run_id: str | None = None, minute: int = 0, **more: object) -> list[Row]:
    """A log that fails; it names a run when `run_id` says which."""
    begun = event("stage.started", f"10:{minute:02}:00", name, run_id=run_id, stage="make", **more)
    return [
        begun,
        event("error", f"10:{minute:02}:01", name, run_id=run_id, level="error", message="cannot open cart.db"),
        event("exit", f"10:{minute:02}:02", name, run_id=run_id, fields={"exit_code": 1}),
    ]


def test_logs_that_are_runs_of_their_own_are_concluded_apart() -> None:
    assert apart([*log("a"), *log("b"), *log("c")]) == [["a"], ["b"], ["c"]]


def test_sources_of_one_run_stay_together() -> None:
    assert apart([*log("a", "r1"), *log("b", "r2"), *log("c", "r1")]) == [["a", "c"], ["b"]]


def test_runs_of_one_job_stay_together_for_they_are_held_against_each_other() -> None:
    good = [e | {"fields": '{"exit_code": 0}'} if e["kind"] == "exit" else e for e in log("a", "r1")]
    good = [e for e in good if e["kind"] != "error"]
    job = {"fields": {"job": "nightly"}}
    events = [good[0] | {"fields": '{"job": "nightly"}'}, *good[1:], *log("b", "r2", 5, **job), *log("c", "r3", 6)]
    assert apart(events) == [["a", "b"], ["c"]]
    differs = conclude(facts(events), ()).signals.filter(pl.col("code") == "differs_from")["run_id"]
    assert differs.to_list() == ["r2"]


@pytest.mark.parametrize("naming", [{"parent_run_id": "r1"}, {"child": "r1"}])
def test_a_run_stays_with_the_one_that_started_it(naming: dict[str, str]) -> None:
    assert apart([*log("a", "r1"), *log("b", "r2", 5, fields=naming), *log("c", "r3")]) == [["a", "b"], ["c"]]


def test_pieces_of_one_rotated_log_stay_together() -> None:
    sources = [source("a", "app.log.1"), source("b", "app.log"), source("c", "other.log")]
    assert apart([*log("a", minute=1), *log("b", minute=5), *log("c")], sources) == [["a", "b"], ["c"]]


def test_a_text_that_is_counted_once_stays_with_its_copy() -> None:
    sources = [source("a", "x/run.log", sha256="7" * 64), source("b", "y/run.log", sha256="7" * 64)]
    assert apart([*log("a"), *log("b"), *log("c")], sources) == [["a", "b"], ["c"]]


def test_records_that_name_a_trace_stay_with_all_spans_of_traces() -> None:
    spans = [span("call", "10:00:00", "10:00:01", "b", trace_id="t1"), span("test", "10:00:00", "10:00:01", "c")]
    assert apart([*log("a", "r1", trace_id="t2"), *log("d", "r2")], spans=spans) == [["a", "b"], ["c"], ["d"]]


def test_what_a_log_of_the_same_name_carries_elsewhere_is_known_in_every_share() -> None:
    sources = [source("a", "x/worker.log"), source("b", "y/worker.log")]
    quiet = [event("run.created", "10:00:00", "b", run_id="r2"), event("log", "10:09:00", "b", run_id="r2")]
    assert apart([*log("a", "r1"), *quiet], sources) == [["a"], ["b"]]


def test_a_container_is_in_the_share_of_each_of_its_sources() -> None:
    box = source("box", "all.zip", kind="container", role="container", verdict="truncated")
    sources = [box, source("a", "all.zip!/a.log", parent_id="box"), source("b", "all.zip!/b.log", parent_id="box")]
    assert [p for p in apart([*log("a"), *log("b")], sources) if p != ["box"]] == [["a", "box"], ["b", "box"]]


def test_a_batch_that_is_no_larger_than_a_share_is_not_parted() -> None:
    sources = [source(s, f"{s}.log", batch=batch) for s, batch in (("a", "b1"), ("b", "b2"), ("c", "b1"), ("d", "b2"))]
    whole = facts([*log("a"), *log("b"), *log("c"), *log("d")], sources)
    assert [p.batches for p in shares(whole, assignment(whole), 6)] == [("b1",), ("b2",)]
    assert len(shares(whole, assignment(whole), 5)) > 2


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), st.integers(1, 60))
def test_every_source_is_in_one_share_and_shares_are_about_as_large_as_asked(sizes: list[int], most: int) -> None:
    events = [event("error", "10:00:00", f"s{n:02}", message="x") for n, size in enumerate(sizes) for _ in range(size)]
    whole = facts(events, [source(f"s{n:02}", f"{n}.log") for n in range(len(sizes))])
    parts = shares(whole, assignment(whole), most)
    assert sorted(s for p in parts for s in p.sources) == [f"s{n:02}" for n in range(len(sizes))]
    held = [sum(sizes[int(s[1:])] for s in p.sources) for p in parts]
    assert all(n <= most + max(sizes) + 1 for n in held)


@pytest.mark.parametrize("first", [0, 10, 20])
def test_simulated_runs_of_one_case_are_concluded_apart_as_together(first: int, tmp_path: Path) -> None:
    files: dict[str, bytes] = {}
    for seed in range(first, first + 5):
        files |= exported(simulated(drawn(seed), f"run_{seed}"), seed).files
    made = seen(files, tmp_path)
    found, parts = in_shares(made.facts, PACKS)
    assert len(parts) > 1
    assert same(found, made.found)
