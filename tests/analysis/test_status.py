"""How runs ended."""

from __future__ import annotations

import pytest
from tests.factory import Row, event, facts, source

from runcase.analysis.conclude import conclude


def status(events: list[Row], **of_source: object) -> tuple[str, str]:
    found = conclude(facts(events, [source("s1", "run.log", **of_source)]), ())
    return found.runs["status"].item(), found.runs["status_basis"].item()


@pytest.mark.parametrize(
    ("word", "expected"),
    [("SUCCESS", "succeeded"), ("Errored", "failed"), ("canceled", "cancelled"), ("TimedOut", "timed_out")],
)
def test_a_finish_event_says_how_in_the_words_of_its_producer(word: str, expected: str) -> None:
    events = [event("run.finished", "10:00:00", fields={"status": word})]
    assert status(events) == (expected, "status_event")


def test_a_non_zero_exit_fails_the_run() -> None:
    assert status([event("exit", "10:00:00", fields={"exit_code": 2})]) == ("failed", "exit")


def test_an_exit_of_zero_is_a_success() -> None:
    assert status([event("exit", "10:00:00", fields={"exit_code": 0})]) == ("succeeded", "exit_zero")


def test_the_last_exit_of_one_rule_counts_and_each_refined_exit_counts() -> None:
    plain = [event("exit", f"10:00:0{n}", fields={"exit_code": c}) for n, c in enumerate((1, 0))]
    assert status(plain)[0] == "succeeded"
    refined = [event("exit.command", f"10:00:0{n}", fields={"exit_code": c}) for n, c in enumerate((1, 0))]
    assert status(refined)[0] == "failed"


def test_a_command_that_went_well_says_nothing_of_the_rest_of_its_run() -> None:
    events = [event("exit.command", "10:00:00", fields={"exit_code": 0}), event("log", "10:00:01")]
    assert status(events) == ("lost", "no_terminal_evidence")


def test_an_error_at_the_end_of_the_log_is_a_failure_and_says_what_it_rests_on() -> None:
    assert status([event("log", "10:00:00"), event("error", "10:00:01")]) == ("failed", "error_at_end")


def test_an_error_in_the_middle_of_a_log_that_goes_on_proves_nothing() -> None:
    events = [event("error", "10:00:00"), *(event("log", "10:00:01") for _ in range(100))]
    assert status(events) == ("lost", "no_terminal_evidence")


def test_an_error_that_work_followed_is_no_end() -> None:
    events = [event("error", "10:00:00"), event("stage.finished", "10:00:01", stage="a")]
    assert status(events)[0] == "lost"


def test_a_log_without_terminal_evidence_is_lost() -> None:
    assert status([event("log", "10:00:00")]) == ("lost", "no_terminal_evidence")


def test_a_record_that_says_running_and_nothing_terminal_is_running() -> None:
    events = [event("log", "10:00:00", fields={"claimed_status": "running"})]
    assert status(events) == ("running", "claimed_running")


def test_a_claim_of_success_stands_until_the_log_ends_in_an_error() -> None:
    claim = event("log.run_record", "10:00:00", fields={"claimed_status": "succeeded"})
    assert status([claim]) == ("succeeded", "claimed")
    assert status([claim, event("error", "10:00:01")]) == ("failed", "error_at_end")


def test_a_cancellation_outweighs_the_exit_code_that_it_caused() -> None:
    events = [event("error.cancelled", "10:00:00"), event("exit", "10:00:01", fields={"exit_code": 143})]
    assert status(events) == ("cancelled", "cancellation")


def test_the_last_attempt_decides_and_a_retry_that_succeeded_is_shown() -> None:
    events = [
        event("exit", "10:00:00", run_id="r", attempt=1, fields={"exit_code": 1}),
        event("exit", "10:10:00", run_id="r", attempt=2, fields={"exit_code": 0}),
    ]
    found = conclude(facts(events), ())
    assert found.attempts["status"].to_list() == ["failed", "succeeded"]
    assert found.runs["status"].item() == "succeeded"
    assert "retry_succeeded" in found.signals["code"].to_list()


def test_an_attempt_that_another_one_followed_no_longer_runs() -> None:
    events = [
        event("log", "10:00:00", run_id="r", attempt=1, fields={"claimed_status": "running"}),
        event("exit", "10:10:00", run_id="r", attempt=2, fields={"exit_code": 0}),
    ]
    assert conclude(facts(events), ()).attempts["status"].to_list() == ["lost", "succeeded"]


def test_an_end_without_a_word_is_a_failure_only_if_something_failed_before() -> None:
    end = event("invocation.finished", "10:00:09")
    assert status([event("log", "10:00:00"), end])[0] == "succeeded"
    assert status([event("error", "10:00:00"), *(event("log") for _ in range(50)), end])[0] == "failed"


def test_a_run_that_ran_out_of_time_says_since_when_nothing_was_heard() -> None:
    events = [
        event("stage.started", "10:00:00", stage="a", summary="stage a began"),
        event(
            "run.finished",
            "10:20:00",
            level="error",
            summary="out of time",
            fields={"status": "timed_out", "error_name": "T", "failure": "timeout.run"},
        ),
    ]
    found = conclude(facts(events, [source("s1", "run.log")]), ()).diagnoses.row(0, named=True)
    assert found["text"] == "out of time; nothing was heard for its last 1200 s after `stage a began`"
    assert len(found["refs"]) == 2
