"""What the analysis holds of a log that repeats itself."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
from tests.factory import DAY, Row, event, facts, source

from runcase.analysis.conclude import conclude
from runcase.analysis.marks import MOST_OF_A_KIND, marks
from runcase.model.case import Conclusions

R = {"run_id": "r1", "attempt": 1}
MANY = 2 * MOST_OF_A_KIND + 200
MIDDLE = MANY // 2


def at(n: int) -> datetime:
    return DAY + timedelta(seconds=n)


def loud(run_id: str = "r1", said: dict[int, str] | None = None) -> list[Row]:
    """A log that says the same far more often than counts; `said` replaces what it says at some places."""
    words = said or {}
    text = "connection refused: retry {}"
    return [
        event("warning", at(n), run_id, run_id=run_id, attempt=1, level="warning", message=words.get(n, text.format(n)))
        for n in range(MANY)
    ]


def held(events: list[Row]) -> pl.DataFrame:
    given = facts(events, [source("r1", "run.log")])
    tries = pl.DataFrame({"run_id": ["r1"], "attempt": [1], "first_ts": [DAY]}).cast(
        {"attempt": pl.Int64, "first_ts": pl.Datetime("us", "UTC")}
    )
    return marks(given.events, given.sources.collect(), tries)


def concluded(events: list[Row]) -> Conclusions:
    return conclude(facts(events, [source("r1", "run.log")]), ())


def test_of_a_warning_that_is_repeated_without_end_the_first_and_last_are_held() -> None:
    kept = held(loud())["byte_start"].to_list()
    assert kept == [100 * n for n in range(MANY) if n < MOST_OF_A_KIND or n >= MANY - MOST_OF_A_KIND]


def test_other_kinds_and_what_a_record_claims_are_all_held() -> None:
    rows = loud()
    rows[MIDDLE] |= {"kind": "error.timeout"}
    rows[MIDDLE + 1] |= {"fields": '{"claimed_status": "running"}'}
    assert {100 * MIDDLE, 100 * (MIDDLE + 1)} <= set(held(rows)["byte_start"])


def test_a_kill_for_memory_amid_them_is_still_seen() -> None:
    rows = loud(said={MIDDLE: "Out of memory: Killed process 4711"})
    found = concluded([*rows, event("exit", at(MANY), "r1", **R, fields={"exit_code": 0})])
    oom = found.signals.filter(pl.col("code") == "exit_zero_after_oom").row(0, named=True)
    assert oom["refs"][0] == f"r1:{100 * MIDDLE}+10"


def test_runs_of_which_some_marks_are_left_out_are_not_compared_step_by_step() -> None:
    job = {"job": "nightly"}
    good = [*loud("r0"), event("exit", at(MANY), "r0", run_id="r0", attempt=1, fields={"exit_code": 0} | job)]
    bad = [*loud("r1"), event("exit", at(MANY), "r1", **R, fields={"exit_code": 1} | job)]
    later = [r | {"ts": r["ts"] + timedelta(days=1)} for r in bad]
    found = conclude(facts([*good, *later], [source("r0", "a.log"), source("r1", "b.log")]), ())
    assert found.runs["status"].to_list() == ["succeeded", "failed"]
    said = found.signals.filter(pl.col("code") == "differs_from")["text"].to_list()
    assert not any("parts at" in t or "ends where" in t or "goes on" in t for t in said)
