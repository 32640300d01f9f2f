"""Temporal histories, in the layouts and spellings that exports have."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from tests.readers.reading import read_one

RUN = "0c1f6a2e-7b1d-4f0e-9d55-3a1b2c3d4e5f"


def payloads(*values: object, encoding: str = "json/plain") -> dict[str, object]:
    def b64(data: bytes) -> str:
        return base64.b64encode(data).decode()

    made = [{"metadata": {"encoding": b64(encoding.encode())}, "data": b64(json.dumps(v).encode())} for v in values]
    return {"payloads": made}


def event(number: int, name: str, /, **attributes: object) -> dict[str, Any]:
    """As the server's JSON mapping writes it: ids as strings, types spelled short."""
    key = name[0].lower() + name[1:] + "EventAttributes"
    return {
        "eventId": str(number),
        "eventTime": f"2026-03-14T08:00:{number:02d}.123456789Z",
        "eventType": name,
        "taskId": str(1048576 + number),
        key: attributes,
    }


def started(**attributes: object) -> dict[str, Any]:
    given: dict[str, Any] = {
        "workflowType": {"name": "Invoice"},
        "taskQueue": {"name": "billing", "kind": "Normal"},
        "originalExecutionRunId": RUN,
        "firstExecutionRunId": RUN,
        "workflowId": "invoice-7",
        "attempt": 1,
        "input": payloads({"order": 7}),
    }
    return event(1, "WorkflowExecutionStarted", **(given | attributes))


def failure(message: str, kind: str | None = None, cause: object = None, **info: object) -> dict[str, Any]:
    made: dict[str, Any] = {"message": message, "source": "GoSDK", "stackTrace": "at bill (worker.go:41)"}
    made |= {"applicationFailureInfo": {"type": kind, "nonRetryable": True}} if kind else info
    return made | ({"cause": cause} if cause else {})


TASK = [
    event(2, "WorkflowTaskScheduled", taskQueue={"name": "billing"}, startToCloseTimeout="10s", attempt=1),
    event(3, "WorkflowTaskStarted", scheduledEventId="2", identity="41@worker-a"),
    event(4, "WorkflowTaskCompleted", scheduledEventId="2", startedEventId="3", identity="41@worker-a"),
]
REFUSED = failure("card refused", "CardRefused")
CARD = failure(
    "activity error",
    None,
    REFUSED,
    activityFailureInfo={"scheduledEventId": "5", "startedEventId": "6", "activityType": {"name": "Charge"}},
)
FAILED = [
    started(),
    *TASK,
    event(5, "ActivityTaskScheduled", activityId="5", activityType={"name": "Charge"}, input=payloads(7)),
    event(6, "ActivityTaskStarted", scheduledEventId="5", identity="41@worker-a", attempt=3, lastFailure=CARD),
    event(7, "ActivityTaskFailed", scheduledEventId="5", startedEventId="6", failure=REFUSED),
    event(8, "WorkflowExecutionFailed", failure=CARD, retryState="RetryPolicyNotSet", workflowTaskCompletedEventId="7"),
]  # fmt: skip


def shout(event: dict[str, Any]) -> dict[str, Any]:
    """The same event with the full name of its type."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", event["eventType"]).upper()
    return event | {"eventType": f"EVENT_TYPE_{name}"}


def snake(value: Any) -> Any:
    """The same event with keys in snake case, as generated Python code prints them."""
    if isinstance(value, dict):
        return {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", k).lower(): snake(v) for k, v in value.items()}
    return [snake(v) for v in value] if isinstance(value, list) else value


def numbers(event: dict[str, Any]) -> dict[str, Any]:
    return event | {"eventType": 10, "eventId": int(event["eventId"])}


LAYOUTS: dict[str, str] = {
    "command line": json.dumps({"events": FAILED}, indent=2),
    "http": json.dumps({"history": {"events": FAILED}, "rawHistory": None, "nextPageToken": "", "archived": False}),
    "web, newest first": json.dumps(FAILED[::-1]),
    "full type names": json.dumps({"events": [shout(e) for e in FAILED]}),
    "snake case": json.dumps({"events": [snake(e) for e in FAILED]}),
    "types as numbers": json.dumps({"events": [numbers(e) for e in FAILED]}),
    "one event a line": "\n".join(json.dumps(e) for e in FAILED),
    "byte order mark": "\ufeff" + json.dumps({"events": FAILED}),
    "events told twice": json.dumps({"events": [*FAILED, *FAILED[-2:]]}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_one_history_gives_the_same_run(layout: str) -> None:
    seen = read_one(LAYOUTS[layout])
    assert seen.run["run_id"] == f"invoice-7/{RUN}"
    assert (seen.run["status"], seen.run["job"], seen.run["attempts"]) == ("failed", "Invoice", 1)
    assert seen.verdict["text"] == "Charge failed: CardRefused: card refused"
    assert "CardRefused" in seen.errors()


def test_an_activity_has_a_queue_and_a_work_span() -> None:
    spans = read_one(LAYOUTS["command line"]).spans
    assert spans.filter(kind="queue").select("name", "status").row(0) == ("Charge", "ok")
    work = spans.filter(kind="stage").row(0, named=True)
    assert (work["name"], work["status"], (work["end"] - work["start"]).seconds) == ("Charge", "error", 1)


def test_the_last_failure_of_a_retried_activity_is_in_the_record_of_its_start() -> None:
    events = read_one(LAYOUTS["command line"]).events
    assert (
        "previous attempt failed: activity error" in events.filter(stage="Charge", kind="stage.started")["message"][0]
    )


@pytest.mark.parametrize(
    ("name", "attributes", "status"),
    [
        ("WorkflowExecutionCompleted", {"result": payloads("done")}, "succeeded"),
        ("WorkflowExecutionTimedOut", {"retryState": "Timeout"}, "timed_out"),
        ("WorkflowExecutionCanceled", {"details": None}, "cancelled"),
        ("WorkflowExecutionTerminated", {"reason": "by hand", "identity": "ops"}, "cancelled"),
        ("WorkflowExecutionContinuedAsNew", {"newExecutionRunId": "b" * 8}, "succeeded"),
        ("WorkflowExecutionSignaled", {"signalName": "go", "input": payloads(1)}, "running"),
        ("SomethingOfNextYear", {}, "running"),
    ],
)
def test_the_last_event_tells_the_status_and_without_a_closing_one_the_run_goes_on(
    name: str, attributes: dict[str, object], status: str
) -> None:
    seen = read_one(json.dumps({"events": [started(), *TASK, event(5, name, **attributes)]}))
    assert seen.run["status"] == status
    assert (seen.run["finished_at"] is None) == (status == "running")


def test_a_history_that_is_cut_off_is_lost_and_the_place_is_named() -> None:
    text = json.dumps({"events": FAILED})
    seen = read_one(text[: text.index('"eventId": "7"') + 40])
    assert seen.run["status"] == "lost"
    problem = seen.problems.filter(code="json_truncated").row(0, named=True)
    assert text[problem["byte_start"] :].startswith('{"eventId": "7"')


def test_a_cloud_export_holds_many_runs() -> None:
    other = [started(originalExecutionRunId="f" * 36, workflowId="invoice-8"), *TASK]
    items = {"items": [{"history": {"events": FAILED}}, {"history": {"events": other}}]}
    assert read_one(json.dumps(items)).statuses == {f"invoice-7/{RUN}": "failed", f"invoice-8/{'f' * 36}": "running"}
    lines = "\n".join(json.dumps(i) for i in items["items"])
    assert set(read_one(lines).statuses.values()) == {"failed", "running"}
    assert set(read_one(json.dumps(items["items"])).statuses.values()) == {"failed", "running"}


def test_a_reset_run_has_the_id_that_the_reset_gave_it() -> None:
    reset = event(
        5, "WorkflowTaskFailed", cause="RESET_WORKFLOW", baseRunId=RUN, newRunId="new-run", scheduledEventId="2"
    )
    seen = read_one(json.dumps({"events": [started(), *TASK, shout(reset), event(6, "WorkflowExecutionCompleted")]}))
    assert seen.statuses == {"invoice-7/new-run": "succeeded"}
    assert seen.events.filter(level="error").is_empty()


def test_a_child_that_could_not_be_started_is_named_with_its_cause() -> None:
    refused = event(
        6, "StartChildWorkflowExecutionFailed", workflowId="child-1", workflowType={"name": "Ship"},
        cause="START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS", initiatedEventId="5",
    )  # fmt: skip
    end = event(7, "WorkflowExecutionFailed", failure=failure("already started", "ChildStart"))
    summaries = read_one(json.dumps({"events": [started(), *TASK, refused, end]})).events["summary"].to_list()
    assert "start child workflow execution failed Ship (child-1): WorkflowAlreadyExists" in summaries


def test_a_child_that_timed_out_names_its_kind_of_timeout() -> None:
    child = [
        event(5, "StartChildWorkflowExecutionInitiated", workflowId="c", workflowType={"name": "Ship"}),
        event(6, "ChildWorkflowExecutionStarted", initiatedEventId="5", workflowType={"name": "Ship"}),
        event(7, "ChildWorkflowExecutionTimedOut", initiatedEventId="5", startedEventId="6", retryState="Timeout"),
        event(
            8, "WorkflowExecutionFailed",
            failure=failure(
                "child failed", None, {"message": "late", "timeoutFailureInfo": {"timeoutType": "StartToClose"}},
                childWorkflowExecutionFailureInfo={"workflowType": {"name": "Ship"}},
            ),
        ),
    ]  # fmt: skip
    seen = read_one(json.dumps({"events": [started(), *TASK, *child]}))
    assert seen.spans.filter(name="Ship", kind="stage")["status"].to_list() == ["timeout"]
    assert "TimeoutError (StartToClose)" in seen.errors()
    assert seen.verdict["class"].startswith("timeout")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("LocalActivity", {"ActivityID": "1", "ActivityType": "Price", "Attempt": 2}),
        ("core_local_activity", {"activity_id": "1", "activity_type": "Price", "attempt": 2}),
    ],
)
def test_a_local_activity_is_a_tool_call_though_only_a_marker_tells_of_it(name: str, data: object) -> None:
    marker = event(5, "MarkerRecorded", markerName=name, details={"data": payloads(data), "result": payloads(3)})
    broken = event(
        6, "MarkerRecorded", markerName=name, details={"data": payloads(data)}, failure=failure("no", "Late")
    )
    events = read_one(json.dumps({"events": [started(), *TASK, marker, broken]})).events.filter(kind="tool.finished")
    assert events["summary"].to_list() == ["local activity Price completed", "local activity Price failed: Late: no"]


def test_a_workflow_task_that_breaks_again_and_again_is_an_error_and_no_end() -> None:
    broken = event(
        5, "WorkflowTaskFailed", scheduledEventId="2", cause="NonDeterministicError",
        failure=failure("[TMPRL1100] nondeterministic workflow", "NonDeterministic"),
    )  # fmt: skip
    seen = read_one(json.dumps({"events": [started(), *TASK, broken]}))
    assert seen.run["status"] == "running"
    assert "NonDeterministicError: NonDeterministic: [TMPRL1100]" in seen.events.filter(level="error")["summary"][0]


def test_payloads_are_readable_and_what_is_encrypted_is_named_with_its_size() -> None:
    secret = payloads("x" * 20, encoding="binary/encrypted")
    events = read_one(json.dumps({"events": [started(input=secret), event(5, "WorkflowExecutionCompleted")]})).events
    assert '"input":"<binary/encrypted, 22 bytes>"' in events["fields"][0]


def test_updates_that_are_refused_are_warnings() -> None:
    refused = event(
        5, "WorkflowExecutionUpdateRejected", protocolInstanceId="u1", failure=failure("too late", "Refused")
    )
    events = read_one(json.dumps({"events": [started(), *TASK, refused]})).events
    assert events.filter(level="warning")["summary"].to_list() == [
        "workflow execution update rejected: Refused: too late"
    ]


def test_a_type_that_is_flipped_costs_its_event_only() -> None:
    odd: list[Any] = [started(), 7, None, {"eventId": [], "eventType": {}, "eventTime": 1e400}, *TASK, FAILED[-1]]
    assert read_one(json.dumps({"events": odd}).replace("Infinity", "1e400")).run["status"] == "failed"
