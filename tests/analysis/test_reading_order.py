"""In which order the lines of a run are read that lie in several files."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import polars as pl
import pytest
from tests.commands import Built, build
from tests.factory import row

from runcase.analysis.reading_order import MOST_PASSES, in_reading_order
from runcase.analysis.rotation import PIECES
from runcase.model.tables import EVENTS, MEMBERS, SOURCES

BROKE = "2026-03-14T{hour}:10:00Z ERROR FileNotFoundError: no such file: part-{hour}.csv\n"


def read(paths: list[str], runs: dict[str, list[str]], oldest_first: list[str] | None = None) -> list[str]:
    """Paths in the order in which they are read; `paths` is the order of the ledger."""
    stored = SOURCES.frame([row(SOURCES, source_id=p, path=p) for p in paths])
    members = MEMBERS.frame([row(MEMBERS, source_id=p, run_id=r) for r, own in runs.items() for p in own])
    names = oldest_first or []
    rows = [{"source_id": p, "previous_id": None, "newest_id": names[-1], "place": n} for n, p in enumerate(names)]
    events = EVENTS.frame([row(EVENTS, source_id=p, byte_start=0) for p in paths])
    ordered = in_reading_order(events.lazy(), stored, members, pl.DataFrame(rows, schema=PIECES))
    return ordered.collect()["source_id"].to_list()


def test_a_rotated_log_is_read_oldest_piece_first_where_the_log_stands() -> None:
    paths = ["a.log", "app.log", "app.log.1", "app.log.2.gz!/app.log.2", "b.log"]
    order = read(paths, {"r": paths}, [paths[3], paths[2], paths[1]])
    assert order == [paths[0], paths[3], paths[2], paths[1], paths[4]]


@pytest.mark.parametrize("paths", list(permutations(["2-a.log", "10-b.log", "11-c.log"])))
def test_the_sources_of_a_run_are_read_by_name_in_whichever_batches_they_lie(paths: tuple[str, ...]) -> None:
    assert read(list(paths), {"r": list(paths)}) == ["2-a.log", "10-b.log", "11-c.log"]


def test_a_source_of_several_runs_is_read_in_the_order_of_each() -> None:
    order = read(["d", "c", "b", "a"], {"r": ["a", "d"], "s": ["c", "d"], "t": ["b"]})
    assert order.index("a") < order.index("d")
    assert order.index("c") < order.index("d")


def test_sources_of_other_runs_ask_for_no_further_pass() -> None:
    assert read(["b", "a"], {"r": ["a"], "s": ["b"]}) == ["b", "a"]


def test_what_an_archive_holds_is_read_as_the_archive_has_it() -> None:
    paths = ["x.tar!/2.log", "x.tar!/1.log"]
    assert read(paths, {"r": paths}) == paths


def test_no_source_is_lost_where_more_passes_would_be_needed_than_there_may_be() -> None:
    paths = [f"{n}.log" for n in range(2 * MOST_PASSES, 0, -1)]
    assert sorted(read(paths, {"r": paths})) == sorted(paths)


def test_of_causes_alike_in_a_rotated_log_the_oldest_is_told(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    for name, hour in (("app.log.2", "10"), ("app.log.1", "11"), ("app.log", "12")):
        begin = f"2026-03-14T{hour}:00:00Z INFO the hour begins\n"
        (logs / name).write_text(begin + BROKE.format(hour=hour))
    with (logs / "app.log").open("a") as f:
        f.write("2026-03-14T12:20:00Z INFO Process exited with code 1\n")
    (dossier,) = build(tmp_path / "case", logs).dossiers().values()
    assert "part-10.csv" in dossier["failure"]["blocker"]["text"]


def test_nights_that_interleave_are_told_as_if_they_had_come_at_once(tmp_path: Path) -> None:
    logs = [tmp_path / f"{n}.jsonl" for n in (1, 2, 3)]
    for path in logs:
        said = {"ts": "2026-03-14T10:00:00Z", "run_id": "r-7", "level": "error"}
        path.write_text(json.dumps(said | {"msg": f"FileNotFoundError: {path.name}"}) + "\n")
    at_once = build(tmp_path / "at-once", *logs)
    for night in (logs[::2], logs[1:2]):
        build(tmp_path / "by-night", *night)
    at_last = Built(tmp_path / "by-night")
    assert at_last.dossiers()["r-7"]["failure"] == at_once.dossiers()["r-7"]["failure"]


def test_events_of_one_instant_are_told_in_the_order_of_the_names_of_their_files(tmp_path: Path) -> None:
    for n in range(1, 13):
        said = {"ts": "2026-03-14T10:00:00Z", "run_id": "r-7", "level": "error", "msg": f"part {n} broke"}
        (tmp_path / f"part-{n}.jsonl").write_text(json.dumps(said) + "\n")
    case = build(tmp_path / "case", *tmp_path.glob("part-*.jsonl"))
    told = [e["summary"] for e in case.dossiers()["r-7"]["events"]]
    assert told == [f"part {n} broke" for n in range(1, 13)]
