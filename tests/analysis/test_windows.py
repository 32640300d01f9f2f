"""Where the time went."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factory import DAY, Row, event, facts, source, span

from runcase.analysis.conclude import conclude
from runcase.analysis.critical import Operation, critical_path
from runcase.model.case import Conclusions
from runcase.rules.language import BoundaryRule, EventRule, Match, Pack, Place, WindowRule

R: Row = {"run_id": "r1", "attempt": 1}
HERE = Place("pack.yaml", 1, 1)


def row(found: Conclusions, name: str) -> dict[str, object]:
    return found.windows.filter(pl.col("name") == name).row(0, named=True)


def story() -> list[Row]:
    return [
        event("run.created", "13:03:11", "queue", **R),
        event("attempt.claimed", "13:04:02", "queue", **R),
        event("workspace.ready", "13:04:19", "worker", **R),
        event("stage.started", "13:04:19", "worker", **R, stage="validation"),
        event("artifact.written", "13:15:47", "worker", **R, stage="validation"),
        event("stage.started", "13:15:47.2", "worker", **R, stage="writeback"),
        event("upload.started", "13:15:47.3", "worker", **R, stage="writeback", summary="upload of artifact_087"),
        event("heartbeat", "13:16:02", "queue", **R),
        event("error.timeout.upload", "13:16:44", "worker", **R, stage="writeback", level="error"),
    ]


def test_the_story_waits_51_s_boots_17_s_and_leaves_its_writeback_open() -> None:
    found = conclude(facts(story()), ())
    assert row(found, "queue")["duration_us"] == 51_000_000
    assert row(found, "boot")["duration_us"] == 17_000_000
    back = found.windows.filter((pl.col("name") == "writeback") & (pl.col("kind") == "window")).row(0, named=True)
    assert (back["state"], back["reason"], back["duration_us"]) == ("open", "no_status_writeback", None)


def test_the_longest_silence_tells_who_fell_silent_after_what_and_who_stayed_alive() -> None:
    found = conclude(facts(story()), ())
    gaps = found.windows.filter((pl.col("kind") == "gap") & (pl.col("end") == story()[-1]["ts"]))
    assert gaps["detail"].item() == (
        "worker.log fell silent after `upload of artifact_087`; queue.log (1 events) stayed alive"
    )


def test_a_gap_tells_the_pace_of_the_work_before_it() -> None:
    steps = [
        event("progress", DAY + timedelta(seconds=2 * n), **R, stage="a", fields={"done": n, "total": 42})
        for n in range(1, 18)
    ]
    found = conclude(facts([*steps, event("error", DAY + timedelta(minutes=5), **R)]), ())
    gap = found.windows.filter(pl.col("kind") == "gap")["detail"].item()
    assert "at 2.0 s a step the 25 left would have taken 50 s" in gap


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["run.created", "attempt.claimed", "stage.started", "run.finished", "log", "heartbeat"]),
            st.integers(0, 5000),
        ),
        min_size=1,
        max_size=12,
    ),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 900)), max_size=3),
)
def test_windows_less_overlaps_plus_residual_are_the_total(
    steps: list[tuple[str, int]], works: list[tuple[int, int]]
) -> None:
    events = [event(k, DAY + timedelta(seconds=s), **R, stage="a") for k, s in steps]
    spans = [
        span(f"w{n}", DAY + timedelta(seconds=b), DAY + timedelta(seconds=b + d), kind="stage", **R)
        for n, (b, d) in enumerate(works)
    ]
    found = conclude(facts(events, spans=spans), ()).windows
    residual = found.filter(pl.col("kind") == "residual").row(0, named=True)
    closed = found.filter((pl.col("kind") == "window") & (pl.col("state") == "closed"))
    seconds: set[int] = set()
    for begin, end in closed.select("start", "end").iter_rows():
        seconds |= set(range((begin - DAY) // timedelta(seconds=1), (end - DAY) // timedelta(seconds=1)))
    summed = sum(closed["duration_us"].to_list()) // 1_000_000
    overlap = summed - len(seconds)
    total = (residual["end"] - residual["start"]) // timedelta(seconds=1)
    assert summed - overlap + residual["duration_us"] // 1_000_000 == total
    assert residual["duration_us"] >= 0


def test_the_end_of_a_stage_that_only_a_span_tells_is_the_last_work() -> None:
    begins = [event("attempt.claimed", "10:00:00", **R), event("stage.started", "10:00:05", **R, stage="build")]
    ends = [event("run.finished", "10:09:00", **R, fields={"status": "failed"})]
    build = span("build", "10:00:05", "10:08:30", kind="stage", **R)
    waits = span("lease", "10:00:00", "10:08:59", kind="queue", **R)
    found = conclude(facts([*begins, *ends], spans=[build, waits]), ())
    assert row(found, "active")["duration_us"] == 505_000_000
    back = found.windows.filter((pl.col("name") == "writeback") & (pl.col("kind") == "window"))
    assert back["duration_us"].to_list() == [30_000_000]


def test_stages_pair_begin_and_end_and_an_end_alone_takes_its_begin_from_the_duration() -> None:
    events = [
        event("stage.started", "10:00:00", **R, stage="a"),
        event("stage.finished", "10:01:00", **R, stage="a"),
        event("stage.started", "10:02:00", **R, stage="a"),
        event("stage.finished", "10:05:00", **R, stage="b", duration_us=60_000_000),
    ]
    found = conclude(facts(events), ()).windows.filter(pl.col("kind") == "stage")
    assert found.select("name", "state", "duration_us").rows() == [
        ("a", "closed", 60_000_000),
        ("a", "open", None),
        ("b", "closed", 60_000_000),
    ]


def test_a_tool_that_failed_is_closed_by_its_error() -> None:
    events = [
        event("tool.started", "10:00:00", **R, tool_call_id="c1", fields={"tool": "textract"}),
        event("error.tool", "10:00:09", **R, tool_call_id="c1", level="error", fields={"exit_code": "137"}),
    ]
    tool = conclude(facts(events), ()).windows.filter(pl.col("kind") == "tool").row(0, named=True)
    assert (tool["name"], tool["state"], tool["duration_us"], tool["detail"]) == (
        "textract",
        "closed",
        9_000_000,
        "exit 137",
    )


def test_spans_are_windows_unless_events_tell_the_same() -> None:
    spans = [
        span("fetch", "10:00:00", "10:00:30", kind="stage", **R),
        span("pack", "10:01:00", None, kind="stage", status="open", byte_start=50, **R),
    ]
    events = [
        event("stage.started", "10:00:00", **R, stage="fetch"),
        event("stage.finished", "10:00:31", **R, stage="fetch"),
    ]
    found = conclude(facts(events, [], [], spans), ()).windows.filter(pl.col("kind") == "stage")
    assert found.select("name", "state", "duration_us").rows() == [
        ("fetch", "closed", 31_000_000),
        ("pack", "open", None),
    ]


def test_a_pack_defines_windows_and_replaces_default_ones_in_its_own_runs_only() -> None:
    boot = WindowRule(
        "boot",
        BoundaryRule("first", ("attempt.claimed",)),
        BoundaryRule("first", ("workspace.ready",)),
        "no_claim",
        "no_workspace_ready",
        HERE,
    )
    rule = EventRule("claim", "attempt.claimed", Match(pattern="x"), HERE)
    pack = Pack("mine", "1", "d" * 12, events=(rule,), windows=(boot,))
    events = [
        event("attempt.claimed", "10:00:00", "s1", run_id="r1", rule=pack.cite("claim")),
        event("attempt.claimed", "10:00:00", "s2", run_id="r2"),
        event("stage.started", "10:00:07", "s2", run_id="r2", stage="a"),
    ]
    boots = conclude(facts(events), (pack,)).windows.filter(pl.col("name") == "boot")
    assert boots.select("run_id", "state", "reason").rows() == [
        ("r1", "open", "no_workspace_ready"),
        ("r2", "closed", None),
    ]


def test_the_critical_path_goes_through_the_longest_chain() -> None:
    parallel = [
        Operation("fetch", 0, 10),
        Operation("slow", 10, 100),
        Operation("fast", 10, 30),
        Operation("join", 100, 120),
    ]
    path = critical_path(parallel, 120)
    assert [s.name for s in path] == ["fetch", "slow", "join"]
    assert [s.run_without_us for s in path] == [110, 50, 100]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), min_size=1, max_size=12))
def test_no_step_can_save_more_than_it_took(spans: list[tuple[int, int]]) -> None:
    operations = [Operation(str(n), s, s + d) for n, (s, d) in enumerate(spans)]
    total = max(o.end_us for o in operations) - min(o.start_us for o in operations)
    for step in critical_path(operations, total):
        assert 0 <= total - step.run_without_us <= step.duration_us


def test_the_clock_of_one_host_seven_minutes_off_changes_no_conclusion_and_is_reported() -> None:
    def shifted(by: timedelta) -> Conclusions:
        moved = [
            e | {"ts": e["ts"] + by} if e["source_id"] == "worker" else e
            for e in [*story(), event("attempt.claimed", "13:04:02.4", "worker", **R)]
        ]
        return conclude(facts(moved, [source("queue", "queue.log"), source("worker", "worker.log")]), ())

    straight = shifted(timedelta())
    assert "clock_skew" not in straight.signals["code"].to_list()
    for minutes in (7, -7):
        found = shifted(timedelta(minutes=minutes))
        kept = ("name", "state", "reason")
        windows = pl.col("kind") == "window"
        assert (
            found.windows.filter(windows)
            .select(kept)
            .sort(kept)
            .equals(straight.windows.filter(windows).select(kept).sort(kept))
        )
        assert found.runs["status"].item() == straight.runs["status"].item()
        text = found.signals.filter(pl.col("code") == "clock_skew")["text"].item()
        assert ("ahead of" if minutes > 0 else "behind") in text


def test_clocks_that_no_skew_can_mend_are_a_contradiction_and_stay_as_they_are() -> None:
    events = [
        event("run.created", "10:00:00", "q", run_id="r1", attempt=1),
        event("attempt.claimed", "09:00:00", "w", run_id="r1", attempt=1),
        event("run.created", "11:00:00", "w", run_id="r1", attempt=2),
        event("attempt.claimed", "10:30:00", "q", run_id="r1", attempt=2),
    ]
    found = conclude(facts(events), ())
    assert "impossible_clocks" in found.signals["code"].to_list()
    assert found.attempts["claimed_at"].to_list() == [e["ts"] for e in (events[1], events[3])]
