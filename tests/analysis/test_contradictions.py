"""Claims against evidence."""

from __future__ import annotations

import polars as pl
from tests.factory import Row, artifact, event, facts, source

from runcase.analysis.conclude import conclude

R: Row = {"run_id": "r1", "attempt": 1}


def codes(events: list[Row], artifacts: list[Row] | None = None) -> list[str]:
    found = conclude(facts(events, [], artifacts or []), ())
    return found.signals.filter(pl.col("family") == "contradiction")["code"].to_list()


def test_green_but_failed() -> None:
    events = [
        event("exit", "10:00:00", **R, fields={"exit_code": 3}),
        event("run.finished", "10:00:01", **R, fields={"status": "success"}),
    ]
    assert codes(events) == ["green_but_failed"]


def test_exit_code_zero_after_the_memory_ran_out() -> None:
    events = [
        event("error", "10:00:00", **R, level="error", message="textract: Killed process 17 (out of memory)"),
        event("exit", "10:00:01", **R, fields={"exit_code": 0}),
    ]
    assert "exit_zero_after_oom" in codes(events)


def test_two_attempts_alive_at_once() -> None:
    events = [
        event("attempt.claimed", "10:00:00", "q", run_id="r1", attempt=1),
        event("attempt.claimed", "10:05:00", "q", run_id="r1", attempt=2),
        event("stage.started", "10:06:00", "w", run_id="r1", attempt=1, stage="a"),
        event("stage.started", "10:06:00", "v", run_id="r1", attempt=2, stage="a"),
    ]
    assert codes(events) == ["two_attempts_alive"]


def test_a_window_that_ends_before_it_begins_is_contradictory_and_has_no_duration() -> None:
    events = [event("attempt.claimed", "10:00:00", **R), event("run.created", "10:01:00", **R)]
    found = conclude(facts(events), ())
    queue = found.windows.filter(pl.col("name") == "queue").row(0, named=True)
    assert (queue["state"], queue["duration_us"], queue["reason"]) == ("contradictory", None, "negative_duration")
    assert "negative_duration" in found.signals["code"].to_list()


def test_boundaries_whose_intervals_overlap_claim_no_order() -> None:
    lo, hi = "10:00:00", "10:02:00"
    rough = event("run.created", "10:01:00", **R)
    made = facts([event("attempt.claimed", "10:00:30", **R), rough])
    wide = made.events.with_columns(
        ts_lo=pl.when(pl.col("kind") == "run.created").then(pl.lit(event("x", lo)["ts"])).otherwise("ts_lo"),
        ts_hi=pl.when(pl.col("kind") == "run.created").then(pl.lit(event("x", hi)["ts"])).otherwise("ts_hi"),
    )
    found = conclude(type(made)(made.sources, wide, made.artifacts, made.spans, made.problems), ())
    queue = found.windows.filter(pl.col("name") == "queue").row(0, named=True)
    assert (queue["state"], queue["duration_us"], queue["uncertainty_us"]) == ("closed", 0, 120_000_000)


def test_a_stated_duration_that_is_not_what_lies_between() -> None:
    events = [
        event("stage.started", "10:00:00", **R, stage="a"),
        event("stage.finished", "10:10:00", **R, stage="a", duration_us=60_000_000),
    ]
    assert codes(events) == ["stated_duration_differs"]


def test_a_file_with_other_bytes_than_claimed_is_a_mismatch() -> None:
    claim = artifact("a1", "written", "w", path="out/a1.pdf", checksum=f"sha256:{'a' * 64}", **R)
    sources = [
        source("w", "r/worker.log"),
        source("f", "r/out/a1.pdf", role="other", sha256="b" * 64, verdict="binary"),
    ]
    found = conclude(facts([event("log", "10:00:00", "w", **R)], sources, [claim]), ())
    assert found.states["state"].to_list() == ["mismatch"]
    assert "checksum_differs" in found.signals["code"].to_list()


def test_a_bundle_that_changed_between_attempts_is_drift() -> None:
    events = [
        event("run.created", f"1{n}:00:00", run_id="r1", attempt=n, fields={"bundle": "b", "bundle_sha256": str(n)})
        for n in (1, 2)
    ]
    assert codes(events) == ["input_drifted"]
