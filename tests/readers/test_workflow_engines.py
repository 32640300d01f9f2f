"""Engines that run workflows: what their files say of a run, its tries, and why it failed."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from tests.readers.reading import read, read_one
from tests.readers.samples import SAMPLES

# --- Nextflow -------------------------------------------------------------------------------------

SESSION = "0c1f6a2e-7b1d-4f0e-9d55-3a1b2c3d4e5f"


def nextflow(*lines: str) -> str:
    head = [
        "[main] DEBUG nextflow.cli.Launcher - $> nextflow run rnaseq -profile test",
        f"[main] DEBUG nextflow.Session - Session UUID: {SESSION}",
        "[main] DEBUG nextflow.Session - Run name: mad_curie",
    ]
    return "".join(f"Mar-14 08:00:{n:02d}.123 {line}\n" for n, line in enumerate([*head, *lines]))


GOODBYE = "[main] DEBUG nextflow.script.ScriptRunner - > Execution complete -- Goodbye"
SUBMITTED = "[Task submitter] INFO  nextflow.Session - [ab/cdef12] Submitted process > FOO (1)"
DONE = (
    "[Task monitor] DEBUG n.processor.TaskPollingMonitor - Task completed > TaskHandler[id: 1; name: FOO (1); "
    "status: COMPLETED; exit: {}; error: -; workDir: /w/ab/cdef1234567890]"
)
ERROR = (
    "[Task monitor] ERROR nextflow.processor.TaskProcessor - Error executing process > 'FOO (1)'\n\nCaused by:\n"
    "  Process `FOO (1)` terminated with an error exit status (137)\n\nCommand error:\n  Killed"
)


def test_a_session_that_said_goodbye_without_an_error_succeeded() -> None:
    seen = read_one(nextflow(SUBMITTED, DONE.format(0), GOODBYE), ".nextflow.log")
    assert (seen.run["run_id"], seen.run["status"], seen.run["job"]) == (SESSION, "succeeded", "rnaseq")


def test_goodbye_after_an_error_of_a_process_is_a_failure_and_the_process_is_named() -> None:
    seen = read_one(nextflow(SUBMITTED, DONE.format(137), ERROR, GOODBYE), ".nextflow.log")
    assert seen.run["status"] == "failed"
    assert "FOO" in seen.verdict["text"]


def test_a_log_that_ends_without_goodbye_is_lost_or_failed_and_never_succeeded() -> None:
    assert read_one(nextflow(SUBMITTED), ".nextflow.log").run["status"] == "lost"


def test_a_task_that_failed_and_was_submitted_again_is_no_failure_of_the_session() -> None:
    retry = (
        "[Task monitor] INFO  nextflow.processor.TaskProcessor - [ab/cdef12] NOTE: Process `FOO (1)` terminated "
        "with an error exit status (1) -- Execution is retried (1)"
    )
    again = "[Task submitter] INFO  nextflow.Session - [cd/ef1234] Re-submitted process > FOO (1)"
    seen = read_one(nextflow(SUBMITTED, DONE.format(1), retry, again, DONE.format(0), GOODBYE), ".nextflow.log")
    assert seen.run["status"] == "succeeded"
    assert seen.events.filter(kind="retry").height == 2


def test_the_history_tells_of_launches_that_never_closed() -> None:
    seen = read_one(SAMPLES["nextflow_history"].data, "history")
    assert sorted(seen.statuses.values()) == ["running", "succeeded"]


def test_a_trace_gives_queue_and_work_of_each_task_and_retries_are_told_from_failures() -> None:
    header = "task_id\thash\tnative_id\tname\tstatus\texit\tsubmit\tstart\tcomplete\tduration\trealtime\n"
    first = "1\tab/cdef12\t77\tFOO (1)\tFAILED\t137\tD 08:00:00.000\tD 08:00:10.000\tD 08:00:20.000\t20s\t10s\n"
    second = "2\tcd/ef1234\t78\tFOO (1)\tCOMPLETED\t0\tD 08:00:21.000\tD 08:00:22.000\t-\t1m 2s\t1m 1.5s\n"
    spans = read_one((header + first + second).replace("D 08", "2026-03-14 08"), "trace.txt").spans
    assert spans.filter(kind="stage")["status"].to_list() == ["retried", "ok"]
    assert (spans["end"] - spans["start"]).dt.total_milliseconds().to_list() == [10_000, 10_000, 1_000, 61_500]


def test_the_files_of_a_task_belong_to_the_run_that_submitted_it() -> None:
    work = "work/ab/cdef1234567890abcdef1234567890"
    seen = read(
        {
            ".nextflow.log": nextflow(SUBMITTED, DONE.format(1), ERROR, GOODBYE),
            f"{work}/.command.log": "2026-03-14T08:00:01Z ERROR disk /data is full\n",
            f"{work}/.exitcode": "137",
        }
    )
    assert list(seen.statuses) == [SESSION]


# --- Snakemake ------------------------------------------------------------------------------------


def test_rules_of_snakemake_are_stages_with_what_they_read_and_make() -> None:
    seen = read_one(SAMPLES["snakemake"].data, "2026.snakemake.log")
    assert seen.run["status"] == "failed"
    assert ("artifact:a.txt", "used", "stage:map") in seen.edges
    assert "map" in seen.verdict["text"] + seen.verdict["evidence"]


def test_all_steps_done_is_a_success_and_a_log_that_stops_is_lost() -> None:
    begin = "Building DAG of jobs...\nJob stats:\n[Sat Mar 14 08:00:00 2026]\nrule a:\n    output: x\n"
    done = "[Sat Mar 14 08:00:09 2026]\nFinished job 0.\n1 of 1 steps (100%) done\n"
    assert read_one(begin + done, "x.log").run["status"] == "succeeded"
    assert read_one(begin, "x.log").run["status"] == "lost"


def test_metadata_records_say_which_inputs_an_output_came_from() -> None:
    sample = SAMPLES["snakemake_metadata"]
    assert ("artifact:results/a.txt", "derived", "artifact:a") in read({sample.path: sample.data}).edges


# --- Airflow --------------------------------------------------------------------------------------

TASK = "dag_id=etl/run_id=scheduled__2026-03-14T00:00:00+00:00/task_id=load/"


def airflow2(*lines: str) -> str:
    return "".join(f"[2026-03-14T08:00:{n:02d}.000+0000] {{x.py:{n}}} {line}\n" for n, line in enumerate(lines))


def test_tries_of_an_airflow_task_are_attempts_of_one_run() -> None:
    first = airflow2(
        "INFO - Dependencies all met for <x>",
        "ERROR - Task failed with exception\nTraceback (most recent call last):\nValueError: no",
        "INFO - Marking task as UP_FOR_RETRY. dag_id=etl",
        "INFO - Task exited with return code 1",
    )
    second = airflow2(
        "INFO - Dependencies all met for <x>",
        "INFO - Marking task as SUCCESS. dag_id=etl",
        "INFO - Task exited with return code 0",
    )
    seen = read({TASK + "attempt=1.log": first, TASK + "attempt=2.log": second})
    assert seen.run["run_id"] == "etl/scheduled__2026-03-14T00:00:00+00:00/load"
    assert (seen.run["status"], seen.run["attempts"], seen.run["job"]) == ("succeeded", 2, "etl.load")
    assert seen.conclusions.attempts["status"].to_list() == ["failed", "succeeded"]


def test_airflow_3_writes_json_lines_and_the_error_stands_in_its_details() -> None:
    rows: list[dict[str, Any]] = [
        {
            "timestamp": "2026-03-14T08:00:00.1Z",
            "level": "info",
            "event": "DAG bundles loaded",
            "logger": "airflow.dag_processing",
        },
        {
            "timestamp": "2026-03-14T08:00:01.1Z",
            "level": "info",
            "event": "Task instance is in running state",
            "chan": "stdout",
            "logger": "task",
        },
        {
            "timestamp": "2026-03-14T08:00:02.1Z",
            "level": "error",
            "event": "Task failed with exception",
            "logger": "task",
            "error_detail": [{"exc_type": "ValueError", "exc_value": "bad row 7", "frames": []}],
        },
        {
            "timestamp": "2026-03-14T08:00:03.1Z",
            "level": "info",
            "event": "Task instance in failure state",
            "chan": "stdout",
            "logger": "task",
        },
    ]
    text = "".join(json.dumps(r, separators=(",", ":")) + "\n" for r in rows)
    seen = read({TASK + "map_index=3/attempt=1.log": text})
    assert seen.run["run_id"].endswith("/load/3")
    assert seen.run["status"] == "failed"
    assert "ValueError: bad row 7" in seen.verdict["text"]


_SHOWN = """*** Found local files:
***   * /opt/airflow/logs/dag_id=etl/run_id=manual__1/task_id=load/attempt=2.log
[2023-01-12, 03:26:33 UTC] {taskinstance.py:1083} INFO - Dependencies all met for <TaskInstance: etl.load [queued]>
[2023-01-12, 03:26:34 UTC] {taskinstance.py:1851} ERROR - Task failed with exception
Traceback (most recent call last):
ValueError: bad row
[2023-01-12, 03:26:35 UTC] {taskinstance.py:1401} INFO - Marking task as FAILED. dag_id=etl, task_id=load
[2023-01-12, 03:26:36 UTC] {local_task_job.py:159} INFO - Task exited with return code 1
"""
_SHOWN_3 = """::group::Log message source details: sources=["/x/dag_id=etl/run_id=manual__1/task_id=load/attempt=2.log"]
::endgroup::
[2026-03-14, 08:00:00] INFO - DAG bundles loaded: dags-folder: source="airflow.dag_processing.bundles.manager"
[2026-03-14, 08:00:02] ERROR - Task failed with exception: source="task"
ValueError: bad row
"""


@pytest.mark.parametrize("text", [_SHOWN, _SHOWN_3], ids=["2", "3"])
def test_a_log_from_the_web_page_of_airflow_names_its_task_and_try_itself(text: str) -> None:
    seen = read({"load.txt": text})
    assert seen.readers == {"load.txt": "airflow"}
    assert seen.statuses == {"etl/manual__1/load": "failed"}
    assert seen.conclusions.attempts["attempt"].to_list() == [2]


def test_the_stamps_of_airflow_1_are_read_as_well() -> None:
    lines = ("INFO - Dependencies all met for <x>", "INFO - Marking task as SUCCESS. dag_id=etl")
    text = "".join(f"[2020-05-05 10:11:1{n},123] {{x.py:{n}}} {line}\n" for n, line in enumerate(lines))
    seen = read({TASK + "attempt=1.log": text})
    assert (list(seen.readers.values()), seen.run["status"]) == (["airflow"], "succeeded")


@pytest.mark.parametrize(
    "pause",
    [
        ("INFO - Pausing task as DEFERRED. dag_id=etl", "INFO - Task exited with return code 0"),
        ("INFO - Pausing task as DEFERRED. dag_id=etl", "INFO - Task exited with return code 100 (task deferral)"),
        ("INFO - Rescheduling task, marking task as UP_FOR_RESCHEDULE", "INFO - Task exited with return code 0"),
    ],
)
def test_a_task_that_waits_exits_and_is_not_over(pause: tuple[str, str]) -> None:
    begun = ("INFO - Dependencies all met for <x>", "INFO - Executing <Task(Sensor): load>")
    assert read({TASK + "attempt=1.log": airflow2(*begun, *pause)}).run["status"] == "running"
    over = ("INFO - Marking task as SUCCESS. dag_id=etl", "INFO - Task exited with return code 0")
    whole = airflow2(*begun, *pause, *begun, *over)
    assert read({TASK + "attempt=1.log": whole}).run["status"] == "succeeded"


def test_json_lines_of_a_logger_that_is_called_task_are_not_those_of_airflow() -> None:
    line = '{"timestamp":"2026-03-14T08:00:00Z","level":"info","logger":"task","message":"offset committed"}\n'
    assert read({"app.json": line * 3}).readers == {"app.json": None}


@pytest.mark.parametrize(
    ("state", "status"),
    [("success", "succeeded"), ("skipped", "succeeded"), ("up_for_retry", "failed"), ("deferred", "lost")],
)
def test_the_supervisor_of_airflow_3_says_how_a_task_finished(state: str, status: str) -> None:
    rows = [
        {"timestamp": "2026-03-14T08:00:00Z", "level": "info", "event": "x", "logger": "airflow.models.dagbag"},
        {"timestamp": "2026-03-14T08:00:01Z", "level": "info", "event": "Task finished", "logger": "supervisor"},
    ]
    rows[1] |= {"exit_code": 0, "duration": 3.1, "final_state": state}  # type: ignore[dict-item]
    text = "".join(json.dumps(r, separators=(",", ":")) + "\n" for r in rows)
    assert read({TASK + "attempt=1.log": text}).run["status"] == status


# --- Pegasus, Slurm -------------------------------------------------------------------------------


def test_the_files_of_a_submit_directory_are_one_run_with_tries_and_edges() -> None:
    states = [
        "1773475200 INTERNAL *** DAGMAN_STARTED 1.0 ***",
        "1773475201 a SUBMIT 2.0 local - 1",
        "1773475202 a EXECUTE 2.0 local - 1",
        "1773475203 a JOB_TERMINATED 2.0 local - 1",
        "1773475203 a JOB_FAILURE 1 local - 1",
        "1773475204 a SUBMIT 3.0 local - 2",
        "1773475205 a EXECUTE 3.0 local - 2",
        "1773475206 a JOB_TERMINATED 3.0 local - 2",
        "1773475206 a JOB_SUCCESS 0 local - 2",
        "1773475210 INTERNAL *** DAGMAN_FINISHED 0 ***",
    ]
    seen = read(
        {
            "run0001/jobstate.log": "\n".join(states) + "\n",
            "run0001/braindump.yml": SAMPLES["pegasus_braindump"].data,
            "run0001/p-0.dag": SAMPLES["dagman_dag"].data,
            "run0001/00/00/a.out.000": SAMPLES["pegasus_kickstart"].data,
            "run0001/monitord.done": SAMPLES["pegasus_notes"].data,
            "run0001/p-0.static.bp": "ts=1970-02-06T22:59:29.144084Z event=task.info xwf.id=a-b task.id=1\n",
            "run0001/00/00/a.err.000": "2026-03-14T00:00:03 ERROR disk is nearly full\n",
            "run0001/p-0.dag.dagman.out": SAMPLES["dagman_log"].data,
        }
    )
    assert (seen.statuses, seen.run["job"]) == ({"a-b": "succeeded"}, "p")
    assert seen.run["first_ts"].year == 2026
    assert ("stage:b", "followed", "stage:a") in seen.edges
    assert seen.spans.filter(kind="stage")["status"].to_list() == ["retried", "ok"]
    edge = seen.events.filter(kind="log.dag_edge")["fields"][0]
    assert json.loads(edge) == {"parents": ["a"], "children": ["b"]}


def test_a_dagman_that_never_finished_leaves_its_run_open() -> None:
    assert (
        read_one(SAMPLES["pegasus_jobstate"].data.rsplit(b"\n", 2)[0] + b"\n", "jobstate.log").run["status"]
        == "running"
    )


def test_a_slurm_job_that_ran_out_of_memory_says_so() -> None:
    seen = read_one(SAMPLES["slurm_sacct"].data, "sacct.txt")
    assert (seen.statuses, seen.verdict["class"]) == ({"7": "failed"}, "resource.oom")


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("COMPLETED", "succeeded"),
        ("TIMEOUT", "timed_out"),
        ("CANCELLED by 1000", "cancelled"),
        ("RUNNING", "running"),
        ("NODE_FAIL", "failed"),
    ],
)
def test_states_of_slurm_are_statuses(state: str, status: str) -> None:
    end = "Unknown" if state == "RUNNING" else "2026-03-14T08:01:00"
    text = f"JobID|JobName|State|ExitCode|Start|End\n7|etl|{state}|0:0|2026-03-14T08:00:00|{end}\n"
    assert read_one(text, "sacct.txt").run["status"] == status


_PLAIN_SACCT = """JobID           JobName  Partition    Account  AllocCPUS      State ExitCode
------------ ---------- ---------- ---------- ---------- ---------- --------
4711              train        gpu       acct          4    TIMEOUT      0:0
4711.batch        batch                  acct          4  CANCELLED     0:15
4712         a long na+        gpu       acct          4 OUT_OF_ME+    0:125
4713_7            array        gpu       acct          4     FAILED      0:9
4714              train        gpu       acct          4 CANCELLED+      0:0
4715              train        gpu       acct          4    RUNNING      0:0
"""


def test_accounting_in_columns_is_read_as_well_and_states_that_were_cut_are_whole_again() -> None:
    seen = read_one(_PLAIN_SACCT, "sacct.txt")
    assert seen.readers == {"sacct.txt": "slurm_sacct"}
    assert seen.statuses == {
        "4711": "timed_out",
        "4712": "failed",
        "4713_7": "failed",
        "4714": "cancelled",
        "4715": "running",
    }
    assert seen.conclusions.diagnoses.filter(run_id="4712", rank=0)["class"].item() == "resource.oom"


def test_a_job_that_a_signal_ended_has_no_exit_code_of_zero() -> None:
    seen = read_one(_PLAIN_SACCT, "sacct.txt")
    assert seen.conclusions.attempts.filter(run_id="4713_7")["exit_code"].to_list() == [None]


def test_each_time_that_a_requeued_job_ran_is_an_attempt_with_its_own_steps() -> None:
    seen = read_one(
        "JobID|State|ExitCode|Submit|Start|End\n"
        "7|NODE_FAIL|0:0|2026-03-14T08:00:00|2026-03-14T08:00:05|2026-03-14T08:01:00\n"
        "7.batch|CANCELLED|0:15|2026-03-14T08:00:05|2026-03-14T08:00:05|2026-03-14T08:01:00\n"
        "7|COMPLETED|0:0|2026-03-14T08:01:00|2026-03-14T08:02:00|2026-03-14T08:03:00\n"
        "7.batch|COMPLETED|0:0|2026-03-14T08:02:00|2026-03-14T08:02:00|2026-03-14T08:03:00\n",
        "sacct.txt",
    )
    assert seen.conclusions.attempts["status"].to_list() == ["failed", "succeeded"]
    steps = seen.conclusions.windows.filter(kind="stage").sort("attempt").select("attempt", "state").rows()
    assert steps == [(1, "closed"), (2, "closed")]


@pytest.mark.parametrize(
    ("end", "status", "failure"),
    [
        ("DUE TO TIME LIMIT ***", "timed_out", "timeout.run"),
        ("***", "cancelled", "cancelled"),
        ("DUE TO NODE FAILURE, SEE SLURMCTLD LOG FOR DETAILS ***", "failed", "crash.node"),
    ],
)
def test_what_a_job_printed_ends_as_slurm_says_and_belongs_to_the_job(end: str, status: str, failure: str) -> None:
    said = f"slurmstepd: error: *** JOB 4711 ON node7 CANCELLED AT 2024-05-02T10:00:00 {end}\n"
    output = "".join(f"epoch {n} went well\n" for n in range(20)) + said
    seen = read({"slurm-4711.out": output})
    assert seen.statuses == {"4711": status}
    assert seen.verdict["class"] == failure
    beside = read({"slurm-4711.out": output, "sacct.txt": "JobID|JobName|State\n4711|train|PREEMPTED\n"})
    assert beside.statuses == {"4711": "cancelled"}


# --- HTCondor -------------------------------------------------------------------------------------


def condor(*events: tuple[int, str, str]) -> str:
    """Events of one job, ten seconds apart: number, what, and the line below."""
    blocks = (
        f"{number:03} (4711.003.000) 2026-03-14 08:0{n // 6}:{n % 6}0 {what}\n"
        + (f"\t{more}\n" if more else "")
        + "...\n"
        for n, (number, what, more) in enumerate(events)
    )
    return "".join(blocks)


_QUEUED = (0, "Job submitted from host: <10.0.0.1:9618>", "DAG Node: a")
_EXECUTING = (1, "Job executing on host: <10.0.0.7:9618?addrs=x>", "SlotName: slot1_1@node7")
_GOOD_END = (5, "Job terminated.", "(1) Normal termination (return value 0)")


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (_GOOD_END, "succeeded"),
        ((5, "Job terminated.", "(1) Normal termination (return value 2)"), "failed"),
        ((5, "Job terminated.", "(0) Abnormal termination (signal 9)"), "failed"),
        ((9, "Job was aborted.", "via condor_rm (by user x)"), "cancelled"),
        ((6, "Image size of job updated: 12", "1  -  MemoryUsage of job (MB)"), "running"),
        ((4, "Job was evicted.", "(0) CPU was not checkpointed."), "running"),
    ],
)
def test_a_condor_job_ends_as_its_events_say(end: tuple[int, str, str], status: str) -> None:
    seen = read_one(condor(_QUEUED, _EXECUTING, end), "job.log")
    assert seen.readers == {"job.log": "condor_events"}
    assert seen.run["run_id"] == "4711.3"
    assert seen.run["status"] in ((status, "lost") if status == "running" else (status,))
    queue = seen.conclusions.windows.filter(name="queue").row(0, named=True)
    assert (queue["state"], queue["duration_us"]) == ("closed", 10_000_000)
    assert seen.conclusions.attempts["host"].to_list() == ["node7"]


def test_a_condor_job_that_is_held_is_not_over_and_says_why() -> None:
    held = (
        12,
        "Job was held.",
        "Error from slot1_1@node7: memory usage exceeded request_memory\n\tCode 34 Subcode 102",
    )
    seen = read_one(condor(_QUEUED, _EXECUTING, held), "job.log")
    assert (seen.run["status"], seen.verdict["class"]) == ("running", "resource.oom")
    assert "memory usage exceeded" in seen.verdict["text"]
    released = read_one(
        condor(_QUEUED, _EXECUTING, held, (13, "Job was released.", ""), _EXECUTING, _GOOD_END), "job.log"
    )
    assert released.run["status"] == "succeeded"
    assert released.conclusions.attempts["attempt"].to_list() == [1, 2]
    runs = released.conclusions.windows.filter(name="execution").sort("attempt").select("attempt", "state", "detail")
    assert runs.rows() == [(1, "closed", "error"), (2, "closed", None)]


def test_each_process_of_a_cluster_is_a_run_and_stamps_without_a_year_are_no_times() -> None:
    text = condor(_QUEUED, _GOOD_END) + condor(_QUEUED, _EXECUTING).replace("4711.003", "4711.004")
    seen = read_one(text, "job.log")
    assert seen.statuses["4711.3"] == "succeeded"
    assert seen.statuses["4711.4"] in ("running", "lost")
    old = read_one(condor(_QUEUED, _EXECUTING, _GOOD_END).replace("2026-03-14 ", "03/14 "), "job.log")
    assert old.run["status"] == "succeeded"


# --- Bazel ----------------------------------------------------------------------------------------


def bazel(*middle: dict[str, Any], exit_name: str | None = "BUILD_FAILURE") -> str:
    started = {
        "id": {"started": {}},
        "children": [{"buildFinished": {}}],
        "started": {
            "uuid": "u-1",
            "startTime": "2026-03-14T08:00:00Z",
            "buildToolVersion": "7.1.0",
            "command": "build",
        },
    }
    rows = [started, *middle]
    if exit_name:
        done = {"exitCode": {"name": exit_name, "code": 1}, "finishTime": "2026-03-14T08:01:00Z"}
        rows.append({"id": {"buildFinished": {}}, "finished": done, "lastMessage": True})
    return "".join(json.dumps(r) + "\n" for r in rows)


ACTION = {
    "id": {"actionCompleted": {"label": "//a:b", "primaryOutput": "b.o"}},
    "action": {
        "exitCode": 1,
        "type": "CppCompile",
        "stderr": {"name": "stderr"},
        "failureDetail": {"message": "error executing CppCompile"},
    },
}
TARGET = {
    "id": {"targetCompleted": {"label": "//a:b"}},
    "aborted": {"reason": "ANALYSIS_FAILURE", "description": "no such package"},
}


def test_the_action_that_failed_is_the_cause_and_the_exit_is_named() -> None:
    seen = read_one(bazel(ACTION), "bep.json")
    assert (seen.run["run_id"], seen.run["status"], seen.verdict["class"]) == ("u-1", "failed", "build.action")
    assert '"exit_name":"BUILD_FAILURE"' in seen.events.filter(kind="run.finished")["fields"][0]


def test_test_targets_of_bazel_are_tests_of_the_run() -> None:
    verdicts = {"//a:good": "PASSED", "//a:bad": "FAILED", "//a:late": "TIMEOUT"}
    rows = [
        {"id": {"testSummary": {"label": label}}, "testSummary": {"overallStatus": verdict, "totalRunCount": 1}}
        for label, verdict in verdicts.items()
    ]
    tests = read_one(bazel(*rows, exit_name="TESTS_FAILED"), "bep.json").conclusions.tests.row(0, named=True)
    assert (tests["tool"], tests["run"], tests["passed"], tests["failed"]) == ("bazel", 3, 1, 2)
    assert tests["failed_names"] == ["//a:bad", "//a:late"]


def test_a_target_that_was_aborted_is_named() -> None:
    assert "//a:b aborted: ANALYSIS_FAILURE" in read_one(bazel(TARGET), "bep.json").events["summary"].to_list()


def test_a_test_whose_result_is_cached_takes_no_time_of_the_build_that_cites_it() -> None:
    result = {"status": "PASSED", "testAttemptStart": "2026-03-10T07:00:00Z", "testAttemptDuration": "40s"}
    cached = {"id": {"testResult": {"label": "//a:t", "attempt": 1}}, "testResult": {**result, "cachedLocally": True}}
    seen = read_one(bazel(cached, exit_name="SUCCESS"), "bep.json")
    assert seen.run["first_ts"].isoformat() == "2026-03-14T08:00:00+00:00"
    assert "//a:t attempt 1: PASSED (cached, of an earlier build)" in seen.events["summary"].to_list()


@pytest.mark.parametrize(
    ("name", "status"),
    [("SUCCESS", "succeeded"), ("INTERRUPTED", "cancelled"), ("TESTS_FAILED", "failed"), (None, "running")],
)
def test_the_exit_of_bazel_is_the_status_and_without_one_the_build_is_open(name: str | None, status: str) -> None:
    seen = read_one(bazel(exit_name=name), "bep.json")
    assert seen.run["status"] == status
    assert ("bep_truncated" in seen.problems["code"].to_list()) == (name is None)


# --- Argo, Dagster, Spark -------------------------------------------------------------------------


def argo(phase: str, *nodes: dict[str, Any], message: str | None = None) -> str:
    keyed = {n["id"]: n for n in nodes}
    return json.dumps(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {
                "name": "etl-abc",
                "namespace": "n",
                "generateName": "etl-",
                "creationTimestamp": "2026-03-14T08:00:00Z",
            },
            "spec": {"entrypoint": "main"},
            "status": {
                "phase": phase,
                "startedAt": "2026-03-14T08:00:00Z",
                "finishedAt": "2026-03-14T08:09:00Z",
                "message": message,
                "nodes": keyed,
            },
        }
    )


def node(key: str, phase: str, kind: str = "Pod", **more: object) -> dict[str, Any]:
    return {
        "id": key,
        "name": f"etl-abc.{key}",
        "displayName": key,
        "type": kind,
        "phase": phase,
        "startedAt": "2026-03-14T08:00:10Z",
        "finishedAt": "2026-03-14T08:01:10Z",
        **more,
    }


def test_the_pod_that_failed_a_workflow_is_its_cause() -> None:
    bad = node("load", "Failed", message="OOMKilled (exit code 137)", outputs={"exitCode": "137"})
    good = node("read", "Succeeded", outputs={"artifacts": [{"name": "rows", "s3": {"key": "k/rows.tgz"}}]})
    text = argo("Failed", node("etl-abc", "Failed", "Steps", message="child failed"), good, bad, message="child failed")
    seen = read_one(text)
    assert (seen.statuses, seen.verdict["class"]) == ({"n/etl-abc": "failed"}, "resource.oom")
    assert ("artifact:k/rows.tgz", "generated", "stage:read") in seen.edges


def test_a_try_that_was_retried_is_a_warning() -> None:
    tries = node("load", "Succeeded", "Retry", children=["load(0)", "load(1)"])
    text = argo("Succeeded", tries, node("load(0)", "Failed", message="exit 1"), node("load(1)", "Succeeded"))
    seen = read_one(text)
    assert seen.run["status"] == "succeeded"
    assert seen.spans.filter(name="load(0)")["status"].to_list() == ["retried"]


def test_a_workflow_that_runs_is_open() -> None:
    text = argo("Running", node("load", "Running", finishedAt=None)).replace(
        '"finishedAt": "2026-03-14T08:09:00Z"', '"finishedAt": null'
    )
    assert read_one(text).run["status"] == "running"


def dagster(kind: str, step: str | None = None, **data: object) -> dict[str, Any]:
    return {
        "__class__": "EventLogEntry",
        "run_id": "d-1",
        "job_name": "nightly",
        "step_key": step,
        "level": 10,
        "error_info": None,
        "user_message": "",
        "timestamp": 1773475200.5,
        "dagster_event": {
            "__class__": "DagsterEvent",
            "event_type_value": kind,
            "job_name": "nightly",
            "step_key": step,
            "message": f"{kind} said",
            "event_specific_data": data or None,
        },
    }


ERROR_INFO = {
    "__class__": "SerializableErrorInfo",
    "message": "dagster._core.errors.DagsterExecutionStepExecutionError: in op\n",
    "cls_name": "DagsterExecutionStepExecutionError",
    "stack": ["  File x\n"],
    "cause": {"message": "ValueError: bad row\n", "cls_name": "ValueError", "stack": [], "cause": None},
}
DAGSTER = [
    dagster("RUN_START"),
    dagster("STEP_START", "load"),
    dagster("ASSET_MATERIALIZATION", "load", materialization={"asset_key": {"path": ["db", "rows"]}}),
    dagster("STEP_FAILURE", "load", error=ERROR_INFO),
    dagster("RUN_FAILURE"),
]


@pytest.mark.parametrize("layout", ["lines", "debug", "array"])
def test_dagster_names_the_innermost_error_of_the_step(layout: str) -> None:
    debug = {
        "__class__": "DebugRunPayload",
        "version": "1.8.0",
        "dagster_run": {"run_id": "d-1"},
        "event_list": DAGSTER,
    }
    text = {"lines": "\n".join(map(json.dumps, DAGSTER)), "debug": json.dumps(debug), "array": json.dumps(DAGSTER)}[
        layout
    ]
    seen = read_one(text)
    assert (seen.statuses, seen.run["job"]) == ({"d-1": "failed"}, "nightly")
    assert seen.verdict["text"] == "step failure: STEP_FAILURE said: ValueError: bad row"
    assert ("artifact:db/rows", "generated", "stage:load") in seen.edges
    assert seen.spans["status"].to_list() == ["error"]


SPARK = SAMPLES["spark_eventlog"]


@pytest.mark.parametrize("name", ["application_1773475200000_0007_1", "application_1773475200000_0007_1.gz"])
def test_a_spark_log_names_the_job_that_failed_and_its_task(name: str) -> None:
    seen = read({name: gzip.compress(SPARK.data, mtime=0) if name.endswith("gz") else SPARK.data})
    assert (seen.run["run_id"], seen.run["status"]) == ("application_1773475200000_0007", "failed")
    assert "java.lang.OutOfMemoryError" in seen.errors()
    assert seen.spans.filter(name="count at x")["status"].to_list() == ["open"]


def test_a_spark_log_without_its_end_is_open_and_one_that_is_cut_off_is_lost() -> None:
    lines = SPARK.data.splitlines(keepends=True)
    assert read_one(b"".join(lines[:-1]), "eventlog").run["status"] == "running"
    assert read_one(b"".join(lines[:-1])[:-20], "eventlog").run["status"] == "lost"


def spark_jobs(*jobs: tuple[str, bool]) -> str:
    """An application whose jobs, each for a call, succeeded or failed one after the other."""
    events: list[dict[str, Any]] = [json.loads(line) for line in SPARK.data.splitlines()[:2]]
    for n, (call, good) in enumerate(jobs):
        at = 1773475201000 + n * 10_000
        stages = [{"Stage ID": 2 * n, "Stage Name": "map"}, {"Stage ID": 2 * n + 1, "Stage Name": call}]
        events.append({"Event": "SparkListenerJobStart", "Job ID": n, "Submission Time": at, "Stage Infos": stages})
        result = {"Result": "JobSucceeded" if good else "JobFailed"}
        events.append({"Event": "SparkListenerJobEnd", "Job ID": n, "Completion Time": at + 9000, "Job Result": result})
    events.append({"Event": "SparkListenerApplicationEnd", "Timestamp": 1773475300000})
    return "".join(json.dumps(e) + "\n" for e in events)


@pytest.mark.parametrize(
    ("jobs", "status"),
    [
        ([("count at A.scala:1", False), ("count at A.scala:1", True)], "succeeded"),
        ([("count at A.scala:1", False), ("save at A.scala:9", True)], "failed"),
        ([("count at A.scala:1", True), ("count at A.scala:1", False)], "failed"),
    ],
)
def test_a_spark_job_that_was_tried_again_with_success_fails_no_application(
    jobs: list[tuple[str, bool]], status: str
) -> None:
    assert read_one(spark_jobs(*jobs), "eventlog").run["status"] == status


def test_a_workflow_that_was_stopped_is_cancelled() -> None:
    text = argo("Failed", node("load", "Failed"), message="Stopped with strategy 'Terminate'")
    assert read_one(text, "wf.json").run["status"] == "cancelled"


def test_why_a_workflow_was_stopped_is_what_its_message_says() -> None:
    text = argo("Failed", node("load", "Succeeded"), message="Stopped with strategy 'Terminate'")
    why = read_one(text, "wf.json").conclusions.diagnoses.row(0, named=True)
    assert (why["class"], why["text"]) == ("cancelled", "workflow n/etl-abc failed: Stopped with strategy 'Terminate'")


def test_prose_about_jobs_is_no_dag_file() -> None:
    text = "Job defined at: acme/shop/.github/workflows/ci.yml@main\nJob is waiting for a runner\nall went well\n"
    assert read_one(text, "log.txt").readers == {"log.txt": None}


@pytest.mark.parametrize(
    "text",
    [
        "# Rescue DAG file, created after running\n#   the x.dag DAG file\n\nDONE a\nJOB b b.sub\n  PARENT a CHILD b\n",
        'job a a.sub DIR work NOOP\njob b b.sub\nvars a x="1"\nparent a child b\nset_job_attr x = 1\n',
    ],
)
def test_a_dag_file_is_one_in_any_case_of_its_commands(text: str) -> None:
    assert read_one(text, "x.dag").readers == {"x.dag": "dagman_dag"}
