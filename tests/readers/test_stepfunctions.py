"""Step Functions histories and Express logs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.readers.reading import read_one

ARN = "arn:aws:states:eu-west-1:111122223333:execution:orders:0c1f6a2e"


def event(number: int, kind: str, previous: int | None = None, /, **details: object) -> dict[str, Any]:
    """As `aws stepfunctions get-execution-history` prints it."""
    made = {
        "timestamp": f"2026-03-14T08:{number // 60:02d}:{number % 60:02d}.125000+01:00",
        "type": kind,
        "id": number,
        "previousEventId": number - 1 if previous is None else previous,
    }
    key = (
        "stateEnteredEventDetails" if kind.endswith("Entered")
        else "stateExitedEventDetails" if kind.endswith("Exited")
        else kind[0].lower() + kind[1:] + "EventDetails"
    )  # fmt: skip
    return made | ({key: details} if details else {})


def task(number: int, *rest: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        event(1, "ExecutionStarted", 0, input="{}", inputDetails={"truncated": False}, roleArn="arn:aws:iam::1:role/r"),
        event(2, "TaskStateEntered", 0, name="Charge", input="{}"),
        event(3, "TaskScheduled", resourceType="lambda", resource="invoke", region="eu-west-1", parameters="{}"),
        event(4, "TaskStarted", resourceType="lambda", resource="invoke"),
        *rest,
    ][:number]


CAUSE = json.dumps({"errorMessage": "card refused", "errorType": "CardError", "stackTrace": ["  File ..."]})
FAILED = task(
    6,
    event(5, "TaskFailed", resourceType="lambda", resource="invoke", error="CardError", cause=CAUSE),
    event(6, "ExecutionFailed", error="CardError", cause=CAUSE),
)
LAYOUTS = {
    "in order": json.dumps({"events": FAILED}),
    "reversed": json.dumps({"events": FAILED[::-1]}),
    "two pages": json.dumps({"events": FAILED[:3], "nextToken": "AAA"}) + "\n" + json.dumps({"events": FAILED[3:]}),
    "array of pages": json.dumps([{"events": FAILED[:3], "nextToken": "AAA"}, {"events": FAILED[3:]}]),
    "bare array": json.dumps(FAILED),
    "pages overlap": json.dumps({"events": FAILED[:4]}) + json.dumps({"events": FAILED[3:]}),
    "sorted keys": json.dumps({"events": FAILED}, sort_keys=True, indent=4),
    "epoch seconds": json.dumps({"events": [e | {"timestamp": 1773475200.5 + e["id"]} for e in FAILED]}),
    "first event fills the head": json.dumps(
        {"events": [FAILED[0] | {"executionStartedEventDetails": {"input": "x" * 90_000}}, *FAILED[1:]]}, sort_keys=True
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_one_history_gives_the_same_run(layout: str) -> None:
    seen = read_one(LAYOUTS[layout])
    assert seen.run["status"] == "failed"
    assert seen.verdict["text"] == "lambda:invoke failed: CardError: CardError: card refused"
    assert [s for s in seen.spans["status"] if s != "open"] == ["error", "error"]


def log_line(e: dict[str, Any]) -> dict[str, Any]:
    """The event as an Express workflow logs it."""
    details: dict[str, Any] = next((v for k, v in e.items() if k.endswith("Details")), {})
    return {
        "id": str(e["id"]), "type": e["type"], "details": details, "previous_event_id": str(e["previousEventId"]),
        "event_timestamp": str(1773475200000 + e["id"]), "execution_arn": ARN.replace("execution", "express"),
        "redrive_count": "0",
    }  # fmt: skip


def test_express_logs_are_read_bare_and_inside_a_cloudwatch_export() -> None:
    lines = "\n".join(json.dumps(log_line(e)) for e in FAILED)
    inside = {
        "events": [{"timestamp": 1773475200000, "message": json.dumps(log_line(e)), "eventId": "3"} for e in FAILED]
    }
    for text in (lines, json.dumps(inside, indent=1)):
        seen = read_one(text)
        assert (seen.run["status"], seen.verdict["class"]) == ("failed", "crash.exception")
        assert "card refused" in seen.verdict["text"]


def test_express_logs_of_several_executions_are_several_runs() -> None:
    other = [log_line(e) | {"execution_arn": "arn:aws:states:eu-west-1:1:express:orders:b:c"} for e in task(4)]
    seen = read_one("\n".join(json.dumps(e) for e in [*map(log_line, FAILED), *other]))
    assert sorted(seen.statuses.values()) == ["failed", "running"]
    assert seen.conclusions.runs["job"].to_list() == ["orders", "orders"]


def test_histories_one_after_the_other_are_told_apart_by_their_clashing_numbers() -> None:
    other = [e | {"timestamp": "2026-03-15T00:00:00Z"} for e in task(5, event(5, "ExecutionSucceeded", output="1"))]
    text = (
        json.dumps({"executionArn": ARN, "events": FAILED}) + "\n" + json.dumps({"executionArn": "b", "events": other})
    )
    assert read_one(text).statuses == {ARN: "failed", "b": "succeeded"}


@pytest.mark.parametrize(
    ("name", "details", "status"),
    [
        ("ExecutionSucceeded", {"output": "{}"}, "succeeded"),
        ("ExecutionAborted", {"error": "ByHand", "cause": "maintenance"}, "cancelled"),
        ("ExecutionTimedOut", {}, "timed_out"),
        ("SomethingOfNextYear", {}, "running"),
    ],
)
def test_the_last_event_tells_the_status(name: str, details: dict[str, object], status: str) -> None:
    seen = read_one(json.dumps({"events": task(5, event(5, name, **details))}))
    assert seen.run["status"] == status
    assert (seen.run["finished_at"] is None) == (status == "running")


def test_a_history_whose_last_page_names_a_next_one_is_lost_and_not_running() -> None:
    seen = read_one(json.dumps({"events": task(4), "nextToken": "AAAA"}))
    assert seen.run["status"] == "lost"
    assert "history_incomplete" in seen.problems["code"].to_list()


def test_a_failure_that_was_retried_is_a_warning_and_the_last_one_is_the_cause() -> None:
    again = [
        event(5, "TaskFailed", resourceType="lambda", resource="invoke", error="Busy", cause="later"),
        event(6, "TaskScheduled", resourceType="lambda", resource="invoke"),
        event(7, "TaskStarted", resourceType="lambda", resource="invoke"),
        event(8, "TaskTimedOut", resourceType="lambda", resource="invoke", error="States.Timeout"),
        event(9, "ExecutionFailed", error="States.Timeout"),
    ]
    seen = read_one(json.dumps({"events": task(9, *again)}))
    ended = seen.events.filter(kind="tool.finished")
    assert ended["level"].to_list() == ["warning", "error"]
    assert seen.verdict["class"] == "timeout.task"
    assert seen.events.filter(kind="retry")["summary"].to_list() == ["lambda:invoke scheduled again (attempt 2)"]


def test_a_failure_that_a_catcher_took_is_not_the_cause_of_a_later_one() -> None:
    caught = [
        event(5, "TaskFailed", resourceType="lambda", resource="invoke", error="States.Permissions", cause="caught"),
        event(6, "TaskStateExited", name="Charge", output="{}"),
        event(7, "FailStateEntered", name="Refuse", input="{}"),
        event(8, "ExecutionFailed", error="NoMoney", cause="the account is empty"),
    ]
    seen = read_one(json.dumps({"events": task(8, *caught)}))
    assert seen.verdict["text"] == "execution failed: NoMoney: the account is empty"
    assert seen.events.filter(level="error")["summary"].to_list() == ["execution failed: NoMoney: the account is empty"]


def test_a_map_has_iterations_with_spans_of_their_own_states() -> None:
    events = [
        event(1, "ExecutionStarted", 0, input="[1,2]"),
        event(2, "MapStateEntered", 0, name="Each", input="[1,2]"),
        event(3, "MapStateStarted", 2, length=2),
        event(4, "MapIterationStarted", 3, name="Each", index=0),
        event(5, "PassStateEntered", 4, name="P", input="1"),
        event(6, "MapIterationStarted", 3, name="Each", index=1),
        event(7, "PassStateEntered", 6, name="P", input="2"),
        event(8, "PassStateExited", 5, name="P", output="1"),
        event(9, "MapIterationSucceeded", 8, name="Each", index=0),
        event(10, "EvaluationFailed", 7, error="States.QueryEvaluationError", cause="no field x", location="Output",
              state="P"),
        event(11, "MapIterationFailed", 10, name="Each", index=1),
        event(12, "MapStateFailed", 11, error="States.QueryEvaluationError", cause="no field x"),
        event(13, "ExecutionFailed", 12, error="States.QueryEvaluationError", cause="no field x"),
    ]  # fmt: skip
    seen = read_one(json.dumps({"events": events}))
    tools = seen.spans.filter(kind="tool")
    assert tools["name"].to_list() == ["Each [0]", "Each [1]", "Each"]
    assert tools["status"].to_list() == ["ok", "error", "error"]
    assert tools["start"].is_not_null().all()
    assert seen.verdict["class"] == "input.query"
    assert "Each failed: States.QueryEvaluationError" in seen.verdict["text"]


def test_a_nested_execution_names_the_error_inside() -> None:
    inner = {"ExecutionArn": ARN, "Status": "FAILED", "Error": "Lambda.Unknown", "Cause": CAUSE}
    ends = [
        event(5, "TaskSubmitted", resourceType="states", resource="startExecution.sync:2", output="{}"),
        event(6, "TaskFailed", resourceType="states", resource="startExecution.sync:2", error="States.TaskFailed",
              cause=json.dumps({"Error": "States.TaskFailed", "Cause": json.dumps(inner)})),
        event(7, "ExecutionFailed", error="States.TaskFailed", cause=json.dumps(inner)),
    ]  # fmt: skip
    text = read_one(json.dumps({"events": task(7, *ends)})).verdict["text"]
    assert text.startswith("states:startExecution.sync:2 failed: States.TaskFailed: ")
    assert "card refused" in text or "Lambda.Unknown" in text


def test_an_ecs_task_that_ran_out_of_memory_says_so() -> None:
    cause = {
        "StoppedReason": "Essential container exited",
        "Containers": [{"ExitCode": 137, "Reason": "OutOfMemoryError"}],
    }
    end = event(
        5, "TaskFailed", resourceType="ecs", resource="runTask.sync", error="States.TaskFailed", cause=json.dumps(cause)
    )
    summaries = read_one(json.dumps({"events": task(5, end)})).events["summary"].to_list()
    assert "Essential container exited: OutOfMemoryError: exit code 137" in summaries[-1]


def test_a_redrive_is_a_second_attempt() -> None:
    events = [*FAILED, event(7, "ExecutionRedriven", 6, redriveCount=1), event(8, "ExecutionSucceeded", 7, output="{}")]
    seen = read_one(json.dumps({"executionArn": ARN, "events": events}))
    assert seen.conclusions.attempts["status"].to_list() == ["failed", "succeeded"]
    assert seen.run["status"] == "succeeded"


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
def test_a_file_that_is_cut_off_gives_what_is_whole_and_says_where_it_ends(cut: float) -> None:
    text = json.dumps({"events": task(4)})
    seen = read_one(text[: int(len(text) * cut)])
    assert seen.run["status"] == "lost"
    assert seen.problems["code"].to_list() == ["json_truncated"]
    assert seen.problems["byte_start"][0] is not None


def test_numbers_and_members_of_the_wrong_type_cost_nothing_else() -> None:
    odd: list[Any] = [event(1, "ExecutionStarted", 0), {"id": "x", "type": 7, "previousEventId": []}, 3, None]
    seen = read_one(json.dumps({"events": [*odd, event(2, "ExecutionFailed", 1, error={"a": 1}, cause=["b"])]}))
    assert seen.run["status"] == "failed"


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        ("Lambda.TooManyRequestsException", "rate_limit"),
        ("DynamoDb.ProvisionedThroughputExceededException", "rate_limit"),
        ("S3.NoSuchKeyException", "input.missing"),
        ("Sandbox.Timedout", "timeout.operation"),
        ("Runtime.ImportModuleError", "dependency.module"),
        ("java.net.UnknownHostException", "dependency.dns"),
        ("CardError", "crash.exception"),
        ("MadeUpByTheProgram", "unknown_failure"),
    ],
)
def test_names_of_errors_tell_a_class_where_they_can(error: str, failure: str) -> None:
    seen = read_one(json.dumps({"events": task(5, event(5, "ExecutionFailed", error=error, cause="no"))}))
    assert seen.verdict["class"] == failure
