"""Pods, jobs and events as clusters export them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from tests.readers.reading import Read, read, read_one

Object = dict[str, Any]


def stamp(clock: str) -> str:
    return f"2026-03-14T{clock}Z"


def ended(reason: str, code: int, finished: str = "08:05:00", message: str | None = None) -> Object:
    made: Object = {"containerID": "containerd://1", "exitCode": code, "reason": reason, "startedAt": stamp("08:00:30")}
    return {"terminated": made | {"finishedAt": stamp(finished)} | ({"message": message} if message else {})}


def pod(name: str = "etl-7-x2x4p", job: str | None = "etl-7", state: Object | None = None, **status: object) -> Object:
    labels = {"batch.kubernetes.io/job-name": job, "job-name": job} if job else {}
    owners = [{"apiVersion": "batch/v1", "kind": "Job", "name": job, "controller": True}] if job else []
    container = {"name": "main", "image": "registry.local/etl:7", "restartCount": 0, "lastState": {}, "ready": False}
    conditions = [{"type": "PodScheduled", "status": "True", "lastTransitionTime": stamp("08:00:05")}]
    given: Object = {"phase": "Running", "conditions": conditions}
    if state is not None:
        given["containerStatuses"] = [container | state]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "creationTimestamp": stamp("08:00:00"), "labels": labels, "name": name, "namespace": "data",
            "ownerReferences": owners, "uid": "6c6f",
        },
        "spec": {"containers": [{"name": "main"}], "nodeName": "node-3"},
        "status": given | status,
    }  # fmt: skip


def job(condition: str | None = None, reason: str | None = None, **status: object) -> Object:
    conditions = []
    if condition:
        conditions = [{"type": condition, "status": "True", "reason": reason, "lastTransitionTime": stamp("08:06:00")}]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"creationTimestamp": stamp("08:00:00"), "name": "etl-7", "namespace": "data"},
        "spec": {"backoffLimit": 0},
        "status": {"startTime": stamp("08:00:00"), "conditions": conditions} | status,
    }


def event(
    reason: str, message: str, kind: str = "Pod", name: str = "etl-7-x2x4p", at: str = "08:01:00", **more: object
) -> Object:
    bad = not reason.startswith(("Scheduled", "Pull", "Started", "Created", "Successful", "Killing"))
    return {
        "apiVersion": "v1", "kind": "Event", "count": 3, "firstTimestamp": stamp("08:00:10"),
        "lastTimestamp": stamp(at), "involvedObject": {"kind": kind, "namespace": "data", "name": name},
        "message": message, "metadata": {"name": f"{name}.17", "namespace": "data"}, "reason": reason,
        "source": {"component": "kubelet"}, "type": "Warning" if bad else "Normal",
    }  # fmt: skip


def listed(*objects: Object) -> str:
    """As `kubectl get -o json` prints several objects."""
    return json.dumps({"apiVersion": "v1", "items": list(objects), "kind": "List", "metadata": {}}, indent=4)


FACES = {
    "list": lambda *o: listed(*o),
    "yaml list": lambda *o: yaml.safe_dump({"apiVersion": "v1", "items": list(o), "kind": "List"}),
    "yaml documents": lambda *o: "---\n" + "---\n".join(yaml.safe_dump(x, sort_keys=False) for x in o),
    "json lines": lambda *o: "\n".join(json.dumps(x) for x in o),
}


@pytest.mark.parametrize("face", FACES)
def test_a_pod_that_ran_out_of_memory_is_the_cause_of_its_jobs_failure(face: str) -> None:
    killed = pod(state={"state": ended("OOMKilled", 137)}, phase="Failed")
    seen = read_one(FACES[face](job("Failed", "BackoffLimitExceeded"), killed), "objects.txt")
    assert (seen.run["run_id"], seen.run["status"]) == ("data/etl-7", "failed")
    assert (seen.verdict["class"], seen.verdict["confidence"]) == ("resource.oom", "proven")
    assert seen.verdict["text"] == "container main terminated: OOMKilled, exit code 137"
    assert str(seen.run["claimed_at"]).startswith("2026-03-14 08:00:05")


def waiting(reason: str, message: str = "", **more: object) -> Object:
    return {"state": {"waiting": {"reason": reason, "message": message}}, **more}


NEVER_STARTED = {
    "dependency.registry": pod(state=waiting("ImagePullBackOff", "Back-off pulling image"), phase="Pending"),
    "config.invalid": pod(state=waiting("CreateContainerConfigError", "secret not found"), phase="Pending"),
    "pre_work.unschedulable": pod(
        phase="Pending",
        conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}],
    ),
}


@pytest.mark.parametrize("failure", NEVER_STARTED)
def test_what_keeps_a_pod_from_starting_is_named_and_the_run_is_not_ended(failure: str) -> None:
    seen = read_one(json.dumps(NEVER_STARTED[failure]))
    assert seen.verdict["class"] == failure
    assert (seen.run["status"], seen.run["finished_at"], seen.run["started_at"]) in [
        ("running", None, None),
        ("lost", None, None),
    ]


def test_a_container_that_falls_again_and_again_names_what_killed_it_last() -> None:
    loop = waiting("CrashLoopBackOff", "back-off 5m0s", lastState=ended("OOMKilled", 137), restartCount=7)
    seen = read_one(json.dumps(pod("web-0", None, loop)))
    assert seen.run["status"] == "running"
    assert seen.verdict["class"] == "resource.oom"
    assert "after 7 restarts; last time it terminated: OOMKilled, exit code 137" in seen.verdict["text"]


ENDS: dict[str, dict[str, Any]] = {
    "resource.evicted": {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."},
    "timeout.run": {"phase": "Failed", "reason": "DeadlineExceeded", "message": "Pod was active on the node longer"},
    "crash.node": {"phase": "Failed", "reason": "NodeLost"},
}


@pytest.mark.parametrize("failure", ENDS)
def test_a_pod_of_its_own_that_the_cluster_ended_says_why(failure: str) -> None:
    seen = read_one(json.dumps(pod("batch-1", None, **ENDS[failure])))
    assert seen.verdict["class"] == failure
    assert seen.run["status"] == ("timed_out" if failure == "timeout.run" else "failed")


EVENTS = {
    "pre_work.unschedulable": event("FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu."),
    "pre_work.mount": event("FailedMount", 'MountVolume.SetUp failed for volume "in" : secret "in" not found'),
    "dependency.registry": event("Failed", 'Failed to pull image "x": not found'),
    "pre_work.sandbox": event("FailedCreatePodSandBox", "Failed to create pod sandbox: rpc error"),
    "resource.evicted": event("Evicted", "The node was low on resource: ephemeral-storage."),
}


@pytest.mark.parametrize("failure", EVENTS)
def test_events_name_the_trouble_of_a_pod_that_never_ran(failure: str) -> None:
    pending = pod(phase="Pending")
    assert read_one(listed(job(active=1), pending, EVENTS[failure])).verdict["class"] == failure


def test_trouble_that_was_over_before_the_work_began_is_not_the_cause() -> None:
    seen = read_one(
        listed(
            job("Failed", "BackoffLimitExceeded"),
            pod(state={"state": ended("OOMKilled", 137)}, phase="Failed"),
            EVENTS["pre_work.unschedulable"],
            event("Scheduled", "Successfully assigned data/etl-7-x2x4p to node-3", at="08:01:30"),
            event("FailedMount", "timed out waiting for the condition", at="08:02:00"),
            event("Started", "Started container main", at="08:02:30"),
        )
    )
    assert seen.verdict["class"] == "resource.oom"
    assert seen.events.filter(kind="warning")["summary"].str.contains("nodes are available|timed out").all()


def test_a_deadline_that_ran_out_while_an_image_could_not_be_pulled_is_the_pulls_fault() -> None:
    seen = read_one(listed(job("Failed", "DeadlineExceeded"), NEVER_STARTED["dependency.registry"]))
    assert (seen.run["status"], seen.verdict["class"]) == ("timed_out", "dependency.registry")
    assert read_one(listed(job("Failed", "DeadlineExceeded"))).run["status"] == "timed_out"


def test_a_job_that_is_complete_succeeded_though_an_earlier_pod_failed() -> None:
    first = pod("etl-7-aaaaa", state={"state": ended("Error", 1)}, phase="Failed")
    second = pod("etl-7-bbbbb", state={"state": ended("Completed", 0)}, phase="Succeeded")
    second["metadata"]["creationTimestamp"] = stamp("08:05:30")
    seen = read_one(listed(job("Complete", "CompletionsReached"), first, second))
    assert seen.run["status"] == "succeeded"
    assert seen.conclusions.attempts["attempt"].to_list() == [1, 2]


def logs_of(text: str, path: str) -> Read:
    failed = pod(state={"state": ended("Error", 1)}, phase="Failed")
    return read({"bundle/pods.json": listed(job("Failed", "BackoffLimitExceeded"), failed), path: text})


@pytest.mark.parametrize(
    "path",
    [
        "bundle/namespaces/data/pods/etl-7-x2x4p/main/main/logs/current.log",
        "bundle/var/log/pods/data_etl-7-x2x4p_6c6f-11/main/0.log",
        "bundle/var/log/containers/etl-7-x2x4p_data_main-0123456789abcdef.log",
        "bundle/pods/logs/data/etl-7-x2x4p/main-previous.log",
    ],
)
def test_the_logs_of_a_pod_belong_to_the_run_of_its_job_and_say_why_it_failed(path: str) -> None:
    lines = [
        "loading",
        "Traceback (most recent call last):",
        '  File "etl.py", line 9, in run',
        "ValueError: bad row 7",
    ]
    text = "".join(f"2026-03-14T08:04:{n:02d}.123456789Z stderr F {line}\n" for n, line in enumerate(lines))
    seen = logs_of(text, path)
    assert list(seen.statuses) == ["data/etl-7"]
    assert "bad row 7" in seen.verdict["text"] + seen.verdict["evidence"]


def test_a_plain_log_of_a_pod_belongs_to_its_run_as_well() -> None:
    seen = logs_of("loading\nERROR cannot open /data\n", "bundle/pods/logs/data/etl-7-x2x4p/main.log")
    assert list(seen.statuses) == ["data/etl-7"]


def test_aliases_are_refused_and_said() -> None:
    seen = read_one("apiVersion: v1\nkind: Pod\nmetadata: &a\n  name: x\nspec: *a\n", "pod.yaml")
    assert seen.problems["code"].to_list() == ["yaml_refused"]


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("cut", [0.25, 0.5, 0.75, 0.95])
def test_an_export_that_is_cut_off_says_where(face: str, cut: float) -> None:
    text = FACES[face](pod(state={"state": ended("OOMKilled", 137)}, phase="Failed"), job())
    seen = read_one(text[: int(len(text) * cut)], "pods.txt")
    assert seen.problems.height or face.startswith("yaml")
    assert "succeeded" not in seen.statuses.values()


def test_objects_of_other_kinds_are_listed_and_make_no_run() -> None:
    quiet = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "error: none"}}
    seen = read(
        {"bundle/a.json": json.dumps(quiet), "bundle/pod.json": json.dumps(pod("p-0", None, phase="Succeeded"))}
    )
    assert seen.statuses == {"data/p-0": "succeeded"}
