"""Rotated logs: which files are pieces of one, and what goes on from one to the next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from tests.factory import event, facts, source

from runcase.analysis.conclude import conclude
from runcase.analysis.rotation import carried_over, rotated
from runcase.model.case import Facts
from runcase.model.tables import EVENTS, SOURCES

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def logs(*names: str, gap: int = 60) -> pl.DataFrame:
    """Sources of these paths, each an hour long and after the one before it."""
    rows = []
    for n, name in enumerate(names):
        first = NOON + timedelta(minutes=gap * n)
        rows.append(
            {"source_id": f"s{n}", "path": name, "ordinal": 0, "kind": "file", "role": "log"}
            | {"first_ts": first, "last_ts": first + timedelta(minutes=60)}
        )
    return SOURCES.frame(rows)


def order(sources: pl.DataFrame) -> list[str]:
    pieces = rotated(sources).join(sources.select("source_id", "path"), on="source_id").sort("newest_id", "place")
    return pieces["path"].to_list()


@pytest.mark.parametrize(
    "names",
    [
        ["app.log.10", "app.log.2", "app.log.1", "app.log"],
        ["d/app.log.2.gz!/app.log.2", "d/app.log.1", "d/app.log"],
        ["a.tar!/v/app.log.2.gz!/app.log.2", "a.tar!/v/app.log.1.zst!/app.log.1", "a.tar!/v/app.log"],
        ["app.log-20251231", "app.log-20260101", "app.log"],
        ["app.log-20260101-1767225600", "app.log-20260101-1767229200", "app.log"],
        ["app.log.2025-12-31", "app.log.2026-01-01", "app.log"],
        ["app-2025-12-31.0.log", "app-2025-12-31.1.log", "app-2026-01-01.0.log"],
        ["app-1.log", "app-2.log", "app.log"],
        ["app.2.log", "app.1.log", "app.log"],
    ],
)
def test_pieces_of_one_log_are_found_oldest_first(names: list[str]) -> None:
    assert order(logs(*names)) == names


@pytest.mark.parametrize(
    "names",
    [
        ["task.1", "task.2", "task.3"],
        ["a/app.log", "b/app.log.1"],
        ["app.log-20261399", "app.log"],
        ["worker.log", "server.log"],
        ["attempt-1.log", "attempt-2.log"],
        ["v1.2", "v1.3"],
    ],
)
def test_files_that_only_look_like_pieces_stay_apart(names: list[str]) -> None:
    assert order(logs(*names)) == []


def test_pieces_whose_times_overlap_are_no_pieces() -> None:
    assert order(logs("app.log.1", "app.log", gap=59)) == []


def test_lines_before_the_first_time_of_a_piece_go_on_with_the_piece_before_it() -> None:
    sources = logs("app.log.1", "app.log")
    late = NOON + timedelta(minutes=90)
    events = [event("log", None, "s0"), event("log", NOON, "s0")]
    events += [event("log", None, "s1"), event("log", late, "s1"), event("log", None, "s1")]
    got = carried_over(facts(events).events, rotated(sources), sources).sort(EVENTS.key).collect()
    assert got["ts"].to_list() == [None, NOON, NOON + timedelta(minutes=60), late, None]
    assert got["ts_basis"].to_list() == ["none", "explicit_zone", "inherited", "explicit_zone", "none"]


def rotated_facts(**first: object) -> Facts:
    """An old piece and the log itself, whose first line goes on with the old one's last."""
    events = [
        event("log", "10:00:00", "old", **first),
        event("error", "10:59:00", "old"),
        event("unknown", None, "new"),
        event("log", "11:00:00", "new"),
    ]
    return facts(events, [source("old", "logs/app.log.1"), source("new", "logs/app.log")])


def test_the_pieces_of_a_log_without_a_run_id_are_one_run_named_after_the_log() -> None:
    found = conclude(rotated_facts(), ())
    assert found.runs.select("run_id", "events").rows() == [("app.log", 4)]


def test_a_piece_that_names_no_run_belongs_to_the_run_of_the_others() -> None:
    found = conclude(rotated_facts(run_id="r1"), ())
    assert found.runs["run_id"].to_list() == ["r1"]
    assert dict(found.members.select("source_id", "basis").iter_rows())["new"] == "sibling"
