"""Which source belongs to which run."""

from __future__ import annotations

import polars as pl
from tests.factory import Row, event, facts, source

from runcase.analysis.conclude import conclude
from runcase.analysis.naming import own_run_ids
from runcase.model.case import Conclusions


def runs_of(found: Conclusions) -> list[str]:
    return found.runs["run_id"].to_list()


def members_of(found: Conclusions) -> dict[str, str]:
    return dict(found.members.select("source_id", "run_id").iter_rows())


def nine_folders() -> tuple[list[Row], list[Row]]:
    sources, events = [], []
    for n in range(9):
        folder = f"ci/case-{n}"
        sources += [
            source(f"g{n}", f"{folder}/raw.log.gz", kind="container", role="container"),
            source(f"l{n}", f"{folder}/raw.log.gz!/raw.log", parent_id=f"g{n}"),
            source(f"c{n}", f"{folder}/case.json"),
            source(f"t{n}", f"{folder}/truth.json", role="document"),
        ]
        events += [event("error", f"10:00:0{n}", f"l{n}"), event("unknown", None, f"c{n}")]
    sources.append(source("lic", "ci/LICENSE"))
    events.append(event("unknown", None, "lic"))
    return sources, events


def test_nine_folders_of_a_log_and_documents_are_nine_runs() -> None:
    sources, events = nine_folders()
    found = conclude(facts(events, sources), ())
    assert runs_of(found) == [f"case-{n}/raw.log" for n in range(9)]


def test_documents_lie_beside_the_one_run_of_their_folder_and_a_licence_beside_none() -> None:
    sources, events = nine_folders()
    found = members_of(conclude(facts(events, sources), ()))
    assert found["c3"] == found["t3"] == found["l3"] == "case-3/raw.log"
    assert "lic" not in found


def test_a_single_file_is_a_run_even_when_nothing_in_it_has_a_name_or_a_time() -> None:
    found = conclude(facts([event("unknown")], [source("s1", "notes.json")]), ())
    assert runs_of(found) == ["notes.json"]


def test_a_source_in_which_one_run_id_occurs_belongs_to_that_run() -> None:
    events = [event("log", "10:00:00", run_id="r1"), event("log", "10:00:01")]
    found = conclude(facts(events), ())
    assert found.runs.select("run_id", "events").rows() == [("r1", 2)]


def test_records_without_an_id_stay_unassigned_where_several_runs_speak() -> None:
    events = [event(run_id="r1", ts="10:00:00"), event(run_id="r2", ts="10:00:01"), event(ts="10:00:02")]
    found = conclude(facts(events), ())
    assert found.runs.select("run_id", "events").rows() == [("r1", 1), ("r2", 1)]
    assert found.members["run_id"].to_list() == ["r1", "r2"]


def test_a_trace_id_joins_a_source_that_names_no_run() -> None:
    trace = "ab" * 16
    events = [
        event("run.created", "10:00:00", "q", run_id="r1", trace_id=trace),
        event("stage.started", "10:00:05", "w", trace_id=trace, stage="a"),
        event("log", "10:00:06", "w"),
    ]
    found = conclude(facts(events), ())
    assert found.runs.select("run_id", "events").rows() == [("r1", 3)]
    assert found.members.filter(pl.col("source_id") == "w")["basis"].to_list() == ["trace"]


def test_an_id_that_leads_to_two_runs_joins_nothing() -> None:
    events = [
        event("log", "10:00:00", "a", run_id="r1", workspace_id="ws"),
        event("log", "10:00:00", "b", run_id="r2", workspace_id="ws"),
        event("log", "10:00:00", "c", workspace_id="ws"),
    ]
    assert members_of(conclude(facts(events), ()))["c"] == "c.log"


def test_a_known_run_id_as_a_part_of_the_path_joins_a_log() -> None:
    sources = [source("q", "x/queue.log"), source("o", "x/run_742/attempt-2/stdout.log")]
    events = [event("run.created", "10:00:00", "q", run_id="run_742"), event("log", "10:00:01", "o")]
    found = conclude(facts(events, sources), ())
    assert found.members.select("source_id", "run_id", "attempt", "basis").rows()[0] == ("o", "run_742", 2, "path")


def test_the_same_timed_text_is_counted_once_and_said_so() -> None:
    twice = [source("a", "x.zip!/a.log", sha256="f" * 64), source("b", "x.zip!/b.log", sha256="f" * 64)]
    events = [event("exit", "10:00:00", s, fields={"exit_code": 1}) for s in ("a", "b")]
    found = conclude(facts(events, twice), ())
    assert found.runs.select("run_id", "events").rows() == [("a.log", 1)]
    assert "duplicate_source" in found.signals["code"].to_list()


def test_step_files_of_a_job_are_counted_once() -> None:
    sources = [
        source("job", "run.zip!/0_build.txt", size_bytes=1000),
        source("one", "run.zip!/build/1_Set up job.txt", size_bytes=400),
        source("two", "run.zip!/build/2_Run tests.txt", size_bytes=600),
    ]
    events = [event("log", "10:00:00", s) for s in ("job", "one", "two")]
    assert runs_of(conclude(facts(events, sources), ())) == ["0_build.txt"]


def test_equal_words_without_times_are_two_runs() -> None:
    sources = [source("a", "x/a/out.log", sha256="f" * 64), source("b", "x/b/out.log", sha256="f" * 64)]
    events = [event("error", None, s) for s in ("a", "b")]
    assert runs_of(conclude(facts(events, sources), ())) == ["a/out.log", "b/out.log"]


def test_names_of_runs_are_the_shortest_ends_of_paths_that_differ() -> None:
    paths = {
        "1": "in/a/raw.log.gz!/raw.log",
        "2": "in/b/raw.log.gz!/raw.log",
        "3": "in/c/other.log",
        "4": "z!/a/raw.log",
    }
    names = own_run_ids(paths, {"other.log"}, {})
    assert names["3"] == "other.log~2"
    assert len(set(names.values())) == 4
    assert names["2"] == "b/raw.log"


def test_a_run_of_one_numbered_attempt_gives_it_to_all_its_records() -> None:
    events = [event("log", "10:00:00", run_id="r1", attempt=3), event("log", "10:00:01", "t", run_id="r1")]
    assert conclude(facts(events), ()).attempts.select("attempt", "events").rows() == [(3, 2)]


def test_a_log_that_lies_beside_no_run_is_one_whatever_else_the_case_holds() -> None:
    plain = [source("p", "tf/apply.log"), source("q", "tf2/apply.log"), source("n", "notes/readme.txt")]
    said = [event("unknown", None, sid, message="Apply began") for sid in ("p", "q", "n")]
    assert runs_of(conclude(facts(said, plain), ())) == ["tf/apply.log", "tf2/apply.log"]
    timed = [source("a", "x/a.log"), source("b", "x/b.log")]
    events = [event("error", "10:00:00", "a"), event("error", "10:00:01", "b"), *said]
    found = conclude(facts(events, [*timed, *plain]), ())
    assert runs_of(found) == ["a.log", "b.log", "tf/apply.log", "tf2/apply.log"]
