"""One small document of each producer, of our own making: what it looks like when all is well, and often when not."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

_B64_PATH = base64.urlsafe_b64encode(b"results/a.txt").decode()


@dataclass(frozen=True, slots=True)
class Sample:
    """A document and the path that it has in the wild."""

    path: str
    data: bytes


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1).encode()


def _lines(*values: object) -> bytes:
    return b"".join(json.dumps(v).encode() + b"\n" for v in values)


def _text(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


_T = "2026-03-14T08:00:00.000Z"
_SPAN = {
    "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "parentSpanId": "eee19b7ec3c1b173",
    "name": "load", "kind": 3, "startTimeUnixNano": "1773475200000000000", "endTimeUnixNano": "1773475201000000000",
    "attributes": [{"key": "run.id", "value": {"stringValue": "r-7"}}, {"key": "n", "value": {"intValue": "3"}}],
    "events": [{"name": "exception", "timeUnixNano": "1773475200500000000",
                "attributes": [{"key": "exception.type", "value": {"stringValue": "IOError"}}]}],
    "status": {"code": 2, "message": "disk"},
}  # fmt: skip
_K8S = {
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": "p-1", "namespace": "n", "creationTimestamp": "2026-03-14T08:00:00Z"},
    "spec": {"nodeName": "node-1"},
    "status": {
        "phase": "Failed",
        "conditions": [{"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-03-14T08:00:01Z"}],
        "containerStatuses": [
            {"name": "main", "restartCount": 2, "lastState": {}, "state": {"terminated": {
                "exitCode": 137, "reason": "OOMKilled", "startedAt": "2026-03-14T08:00:02Z",
                "finishedAt": "2026-03-14T08:01:00Z"}}}],
    },
}  # fmt: skip

SAMPLES: dict[str, Sample] = {
    "temporal": Sample(
        "history.json",
        _json({"events": [
            {"eventId": "1", "eventTime": _T, "eventType": "WorkflowExecutionStarted",
             "workflowExecutionStartedEventAttributes": {"workflowType": {"name": "W"}, "originalExecutionRunId": "r"}},
            {"eventId": "2", "eventTime": _T, "eventType": "ActivityTaskScheduled",
             "activityTaskScheduledEventAttributes": {"activityType": {"name": "A"}, "input": {"payloads": [
                 {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "Nw=="}]}}},
            {"eventId": "3", "eventTime": _T, "eventType": "ActivityTaskFailed",
             "activityTaskFailedEventAttributes": {"scheduledEventId": "2", "failure": {"message": "no",
                 "applicationFailureInfo": {"type": "E"}, "cause": {"message": "why"}}}},
            {"eventId": "4", "eventTime": _T, "eventType": "MarkerRecorded", "markerRecordedEventAttributes": {
                "markerName": "LocalActivity", "details": {"data": {"payloads": [{"data": "e30="}]}}}},
            {"eventId": "5", "eventTime": _T, "eventType": "WorkflowExecutionFailed",
             "workflowExecutionFailedEventAttributes": {"failure": {"message": "no"}}}]}),
    ),
    "stepfunctions": Sample(
        "execution.json",
        _json({"events": [
            {"id": 1, "previousEventId": 0, "timestamp": _T, "type": "ExecutionStarted",
             "executionStartedEventDetails": {"input": "{}"}},
            {"id": 2, "previousEventId": 0, "timestamp": _T, "type": "MapStateEntered",
             "stateEnteredEventDetails": {"name": "M"}},
            {"id": 3, "previousEventId": 2, "timestamp": _T, "type": "MapStateStarted",
             "mapStateStartedEventDetails": {"length": 1}},
            {"id": 4, "previousEventId": 3, "timestamp": _T, "type": "MapIterationStarted",
             "mapIterationStartedEventDetails": {"name": "M", "index": 0}},
            {"id": 5, "previousEventId": 4, "timestamp": _T, "type": "TaskStateEntered",
             "stateEnteredEventDetails": {"name": "T"}},
            {"id": 6, "previousEventId": 5, "timestamp": _T, "type": "TaskScheduled",
             "taskScheduledEventDetails": {"resource": "invoke", "resourceType": "lambda"}},
            {"id": 7, "previousEventId": 6, "timestamp": _T, "type": "TaskFailed",
             "taskFailedEventDetails": {"error": "E", "cause": "{\"errorMessage\": \"no\"}"}},
            {"id": 8, "previousEventId": 7, "timestamp": _T, "type": "ExecutionFailed",
             "executionFailedEventDetails": {"error": "E"}}]}),
    ),
    "bazel_bep": Sample(
        "build.bep.json",
        _lines(
            {"id": {"started": {}}, "children": [{"progress": {}}, {"buildFinished": {}}],
             "started": {"uuid": "u-1", "startTime": _T, "buildToolVersion": "7.1.0", "command": "test",
                         "optionsDescription": "--x"}},
            {"id": {"progress": {}}, "progress": {"stderr": "ERROR: no such target\n"}},
            {"id": {"targetConfigured": {"label": "//a:t"}}, "configured": {"targetKind": "sh_test rule"}},
            {"id": {"targetCompleted": {"label": "//a:t"}}, "completed": {"success": True, "importantOutput": [
                {"name": "a/t", "length": "7", "digest": "00"}]}},
            {"id": {"testResult": {"label": "//a:t", "run": 1, "shard": 1, "attempt": 1}}, "testResult": {
                "status": "FAILED", "testAttemptStart": _T, "testAttemptDuration": "1.5s"}},
            {"id": {"testSummary": {"label": "//a:t"}}, "testSummary": {"overallStatus": "FAILED"}},
            {"id": {"buildFinished": {}}, "lastMessage": True, "finished": {
                "exitCode": {"name": "TESTS_FAILED", "code": 3}, "finishTime": _T}},
        ),
    ),
    "pegasus_braindump": Sample(
        "braindump.yml",
        _text('user: "u"', 'submit_dir: "/w/run0001"', 'wf_uuid: "a-b"', 'root_wf_uuid: "a-b"', 'dax_label: "p"'),
    ),
    "dagman_dag": Sample(
        "p-0.dag", _text("JOB a 00/a.sub", "RETRY a 3", "JOB b 00/b.sub", "PARENT a CHILD b", "DONE a")
    ),
    "pegasus_jobstate": Sample(
        "jobstate.log",
        _text(
            "1773475200 INTERNAL *** DAGMAN_STARTED 1.0 ***", "1773475201 a SUBMIT 2.0 local - 1",
            "1773475202 a EXECUTE 2.0 local - 1", "1773475203 a JOB_TERMINATED 2.0 local - 1",
            "1773475203 a JOB_FAILURE 1 local - 1", "1773475210 INTERNAL *** DAGMAN_FINISHED 1 ***",
        ),
    ),
    "pegasus_kickstart": Sample(
        "run0001/00/00/a.out.000",
        _text(
            "- invocation: True", "  version: 3.0", "  start: 2026-03-14T00:00:00.615-08:00", "  duration: 0.099",
            '  transformation: "ls"', '  derivation: "ID1"', "  hostname: h", "  mainjob:",
            "    start: 2026-03-14T00:00:00.709-08:00", "    duration: 0.005", "    status:", "      raw: 256",
            "      regular_exitcode: 1", "    executable:", "      file_name: /usr/bin/ls",
        ),
    ),
    "pegasus_notes": Sample("run0001/monitord.done", b"2026-03-14T00:05:01-0800 76.000\n"),
    "dagman_log": Sample(
        "p-0.dag.dagman.out",
        _text(
            "03/14/26 08:00:00 ** condor_scheduniv_exec.1.0 (CONDOR_DAGMAN) STARTING UP",
            "03/14/26 08:00:05 Node a job proc (2.0.0) failed with status 1.",
            "03/14/26 08:00:09 **** condor_scheduniv_exec.1.0 (condor_DAGMAN) pid 7 EXITING WITH STATUS 1",
        ),
    ),
    "openlineage": Sample(
        "events.ndjson",
        _lines(
            {"eventType": "START", "eventTime": _T, "run": {"runId": "ol-1"}, "job": {"namespace": "n", "name": "j"},
             "inputs": [{"namespace": "s3://b", "name": "in"}], "outputs": [], "producer": "p"},
            {"eventType": "FAIL", "eventTime": _T, "run": {"runId": "ol-1", "facets": {"errorMessage": {
                "message": "no", "stackTrace": "at x"}}}, "job": {"namespace": "n", "name": "j"},
             "inputs": [], "outputs": [{"namespace": "s3://b", "name": "out"}], "producer": "p"},
        ),
    ),
    "otlp": Sample(
        "traces.json",
        _json({"resourceSpans": [{"resource": {"attributes": [
            {"key": "service.name", "value": {"stringValue": "s"}}]}, "scopeSpans": [{"spans": [_SPAN]}]}]}),
    ),
    "nextflow_history": Sample(
        ".nextflow/history",
        b"2026-03-14 08:00:00\t1m 2s\tmad_curie\tOK\tabc\t0c1f6a2e-7b1d-4f0e-9d55-3a1b2c3d4e5f\tnextflow run x\n"
        b"2026-03-14 09:00:00\t-\tsad_bose\t-\tabc\t0c1f6a2e-7b1d-4f0e-9d55-3a1b2c3d4e60\tnextflow run x\n",
    ),
    "nextflow_log": Sample(
        ".nextflow.log",
        _text(
            "Mar-14 08:00:00.123 [main] DEBUG nextflow.cli.Launcher - $> nextflow run x",
            "Mar-14 08:00:01.123 [main] DEBUG nextflow.Session - Session UUID: 0c1f6a2e-7b1d-4f0e-9d55-3a1b2c3d4e5f",
            "Mar-14 08:00:02.123 [Task submitter] INFO  nextflow.Session - [ab/cdef12] Submitted process > FOO (1)",
            "Mar-14 08:00:03.123 [Task monitor] ERROR nextflow.processor.TaskRun - Error executing process > 'FOO (1)'",
            "", "Caused by:", "  Process `FOO (1)` terminated with an error exit status (1)",
            "Mar-14 08:00:04.123 [main] DEBUG nextflow.script.ScriptRunner - > Execution complete -- Goodbye",
        ),
    ),
    "nextflow_trace": Sample(
        "trace.txt",
        b"task_id\thash\tnative_id\tname\tstatus\texit\tsubmit\tduration\trealtime\n"
        b"1\tab/cdef12\t77\tFOO (1)\tFAILED\t1\t2026-03-14 08:00:00.000\t5s\t3.1s\n",
    ),
    "snakemake": Sample(
        ".snakemake/log/2026.snakemake.log",
        _text(
            "Building DAG of jobs...", "Job stats:", "", "[Sat Mar 14 08:00:00 2026]", "rule map:",
            "    input: a.txt, b.txt", "    output: c.txt", "    jobid: 1", "",
            "[Sat Mar 14 08:00:09 2026]", "Error in rule map:", "    jobid: 1", "",
            "Exiting because a job execution failed. Look above for error message",
        ),
    ),
    "airflow": Sample(
        "dag_id=etl/run_id=manual__1/task_id=load/attempt=2.log",
        _text(
            "[2026-03-14T08:00:00.000+0000] {taskinstance.py:1103} INFO - Dependencies all met for <TaskInstance>",
            "[2026-03-14T08:00:01.000+0000] {standard_task_runner.py:52} INFO - Started process 7 to run task",
            "[2026-03-14T08:00:02.000+0000] {taskinstance.py:1824} ERROR - Task failed with exception",
            "Traceback (most recent call last):", "ValueError: no",
            "[2026-03-14T08:00:03.000+0000] {taskinstance.py:1345} INFO - Marking task as FAILED. dag_id=etl",
        ),
    ),
    "slurm_sacct": Sample(
        "sacct.txt",
        b"JobID|JobName|State|ExitCode|Submit|Start|End|NodeList|\n"
        b"7|etl|OUT_OF_MEMORY|0:125|2026-03-14T08:00:00|2026-03-14T08:00:05|2026-03-14T08:01:00|n1|\n"
        b"7.batch|batch|OUT_OF_MEMORY|0:125|2026-03-14T08:00:05|2026-03-14T08:00:05|2026-03-14T08:01:00|n1|\n",
    ),
    "jaeger": Sample(
        "trace.json",
        _json({"data": [{"traceID": "5b8efff798038103", "spans": [
            {"traceID": "5b8efff798038103", "spanID": "aa", "operationName": "op", "startTime": 1773475200000000,
             "duration": 7, "processID": "p1", "tags": [{"key": "error", "type": "bool", "value": True}],
             "references": [{"refType": "CHILD_OF", "traceID": "5b8efff798038103", "spanID": "bb"}]}],
            "processes": {"p1": {"serviceName": "s"}}}]}),
    ),
    "zipkin": Sample(
        "zipkin.json",
        _json([{"traceId": "5b8efff798038103", "id": "aaaaaaaaaaaaaaaa", "parentId": "bbbbbbbbbbbbbbbb", "name": "op",
                "kind": "CLIENT", "timestamp": 1773475200000000, "duration": 9, "tags": {"error": "no"},
                "localEndpoint": {"serviceName": "s"}}]),
    ),
    "kubernetes": Sample("pod.json", _json({"apiVersion": "v1", "items": [_K8S], "kind": "List", "metadata": {}})),
    "argo_workflows": Sample(
        "wf.json",
        _json({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
               "metadata": {"name": "w-1", "namespace": "n", "creationTimestamp": _T}, "spec": {},
               "status": {"phase": "Failed", "startedAt": _T, "finishedAt": _T, "nodes": {
                   "w-1": {"id": "w-1", "displayName": "load", "type": "Pod", "phase": "Failed", "startedAt": _T}}}}),
    ),
    "kubernetes_log": Sample(
        "var/log/pods/n_p-1_0c1f6a2e/main/0.log",
        _text("2026-03-14T08:00:00.123456789Z stdout P half ", "2026-03-14T08:00:00.123456790Z stdout F line"),
    ),
    "cwlprov": Sample(
        "primary.cwlprov.json",
        _json({"prefix": {"cwlprov": "https://w3id.org/cwl/prov#", "prov": "http://www.w3.org/ns/prov#"},
               "activity": {"id:run": {"prov:type": {"$": "wfprov:WorkflowRun"}, "prov:label": "main"}, "id:s": {}},
               "wasStartedBy": {"_:1": {"prov:activity": "id:s", "prov:starter": "id:run", "prov:time": _T}},
               "used": {"_:2": {"prov:activity": "id:s", "prov:entity": "data:" + "a" * 40, "prov:time": _T}},
               "wasGeneratedBy": {"_:3": {"prov:activity": "id:s", "prov:entity": "data:" + "b" * 40}},
               "wasEndedBy": {"_:4": {"prov:activity": "id:run", "prov:time": _T}}}),
    ),
    "condor_events": Sample(
        "job.log",
        _text(
            "000 (4711.000.000) 2026-03-14 08:00:00 Job submitted from host: <10.0.0.1:9618?addrs=10.0.0.1>", "...",
            "001 (4711.000.000) 2026-03-14 08:00:09 Job executing on host: <10.0.0.7:9618?addrs=10.0.0.7>",
            "\tSlotName: slot1_1@node7", "...",
            "005 (4711.000.000) 2026-03-14 08:01:00 Job terminated.", "\t(1) Normal termination (return value 3)",
            "\t\tUsr 0 00:00:01, Sys 0 00:00:00  -  Run Remote Usage", "...",
        ),
    ),
    "cwltool": Sample(
        "engine.txt",
        b"[2026-03-14T08:00:00,106.000000Z] [cwltool] /usr/bin/cwltool wf.cwl\n"
        b"[2026-03-14T08:00:01,59.000000Z] [workflow ] start\n"
        b"[2026-03-14T08:00:01,59.000000Z] [step a] start\n"
        b"[2026-03-14T08:00:02,84.000000Z] [job a] exited with status: 3\n"
        b"[2026-03-14T08:00:02,85.000000Z] [job a] completed permanentFail\n"
        b"[2026-03-14T08:00:02,85.000000Z] [step a] completed permanentFail\n"
        b"[2026-03-14T08:00:03,208.000000Z] Final process status is permanentFail\n",
    ),
    "dagster": Sample(
        "events.jsonl",
        _lines(
            {"__class__": "EventLogEntry", "run_id": "d-1", "job_name": "j", "step_key": "s", "timestamp": 1773475200.5,
             "level": 10, "dagster_event": {"__class__": "DagsterEvent", "event_type_value": "STEP_START"}},
            {"__class__": "EventLogEntry", "run_id": "d-1", "job_name": "j", "step_key": "s", "timestamp": 1773475201.5,
             "level": 40, "dagster_event": {"event_type_value": "STEP_FAILURE", "event_specific_data": {
                 "error": {"message": "E: no", "cls_name": "E", "stack": ["x"], "cause": {"message": "F: why"}}}}},
        ),
    ),
    "nextflow_lineage": Sample(
        f".lineage/{'a' * 32}/.data.json",
        _json({"version": "lineage/v1beta1", "kind": "TaskRun", "spec": {
            "sessionId": "s-1", "name": "FOO (1)", "workflowRun": f"lid://{'b' * 32}",
            "input": [{"type": "path", "name": "x", "value": [{"path": "/in", "checksum": {"value": "1"}}]}]}}),
    ),
    "rocrate": Sample(
        "ro-crate-metadata.json",
        _json({"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": [
            {"@id": "./", "@type": "Dataset", "mainEntity": {"@id": "wf"}, "mentions": [{"@id": "#run"}]},
            {"@id": "wf", "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"], "name": "wf"},
            {"@id": "in", "@type": "File", "contentSize": "7", "sha256": "a" * 64},
            {"@id": "#run", "@type": "CreateAction", "instrument": {"@id": "wf"}, "object": [{"@id": "in"}],
             "result": {"@id": "out"}, "startTime": _T, "endTime": _T, "error": "no",
             "actionStatus": "http://schema.org/FailedActionStatus"}]}),
    ),
    "snakemake_metadata": Sample(
        f".snakemake/metadata/{_B64_PATH}",
        _json({"version": 6, "code": "x", "rule": "map", "input": ["a"], "log": [], "params": [], "shellcmd": "cp",
               "incomplete": False, "starttime": 1773475200.1, "endtime": 1773475209.1, "job_hash": 1}),
    ),
    "spark_eventlog": Sample(
        "application_1773475200000_0007_1",
        _lines(
            {"Event": "SparkListenerLogStart", "Spark Version": "3.5.1"},
            {"Event": "SparkListenerApplicationStart", "App Name": "a", "App ID": "application_1773475200000_0007",
             "Timestamp": 1773475200000, "User": "u", "App Attempt ID": "1"},
            {"Event": "SparkListenerJobStart", "Job ID": 0, "Submission Time": 1773475201000, "Stage IDs": [0]},
            {"Event": "SparkListenerStageSubmitted", "Stage Info": {"Stage ID": 0, "Stage Attempt ID": 0,
             "Stage Name": "count at x", "Submission Time": 1773475201000}},
            {"Event": "SparkListenerTaskEnd", "Stage ID": 0, "Task Info": {"Index": 1, "Attempt": 0, "Host": "h",
             "Launch Time": 1773475201000, "Finish Time": 1773475202000}, "Task End Reason": {
                 "Reason": "ExceptionFailure", "Class Name": "java.lang.OutOfMemoryError", "Description": "heap"}},
            {"Event": "SparkListenerJobEnd", "Job ID": 0, "Completion Time": 1773475203000, "Job Result": {
                "Result": "JobFailed", "Exception": {"Message": "Job aborted", "Stack Trace": [{}]}}},
            {"Event": "SparkListenerApplicationEnd", "Timestamp": 1773475204000},
        ),
    ),
    "run_record": Sample("run.json", _json({"run_id": "r-1", "status": "failed", "created_at": _T, "attempt": 2})),
    "journald": Sample(
        "journal.export",
        b"__CURSOR=s=1;i=1\n__REALTIME_TIMESTAMP=1773475200000123\nPRIORITY=3\nMESSAGE=no\n\n"
        b"__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1773475200000124\nMESSAGE\n\x05\0\0\0\0\0\0\0a\nb\xffc\n\n",
    ),
    "manifest": Sample("manifest.jsonl", _lines({"artifact_id": "a", "path": "a.txt", "size": 7, "sha256": "a" * 64})),
    "junit": Sample(
        "junit.xml",
        b'<?xml version="1.0"?><testsuites><testsuite name="s" tests="2" failures="1">'
        b'<testcase classname="c" name="a"><failure message="no">x</failure></testcase>'
        b'<testcase classname="c" name="b"/></testsuite></testsuites>',
    ),
    "travis": Sample(
        "travis.log",
        b"travis_fold:start:worker_info\r\x1b[0K\x1b[33;1mWorker information\x1b[0m\n$ make\n"
        b'The command "make" exited with 2.\nDone. Your build exited with 1.\n',
    ),
    "github_actions": Sample(
        "1_build.txt",
        b"\xef\xbb\xbf2026-03-14T08:00:00.1234567Z ##[group]Run make\n2026-03-14T08:00:01.1234567Z ##[endgroup]\n"
        b"2026-03-14T08:00:02.1234567Z ##[error]Process completed with exit code 2.\n",
    ),
    "github_cli": Sample(
        "gh.log",
        b"build\tSet up job\t\xef\xbb\xbf2026-03-14T08:00:00.1234567Z Current runner version: '2.316.1'\n"
        b"build\tRun make\t2026-03-14T08:00:01.1234567Z ##[group]Run make\n"
        b"build\tRun make\t2026-03-14T08:00:02.1234567Z ##[error]Process completed with exit code 2.\n",
    ),
    "github_api": Sample(
        "jobs.json",
        _json(
            {
                "total_count": 1,
                "jobs": [
                    {
                        "id": 1,
                        "run_id": 42,
                        "name": "build",
                        "run_attempt": 1,
                        "status": "completed",
                        "conclusion": "failure",
                        "created_at": "2026-03-14T08:00:00Z",
                        "started_at": "2026-03-14T08:00:09Z",
                        "completed_at": "2026-03-14T08:01:00Z",
                        "runner_name": "r1",
                        "steps": [
                            {
                                "name": "Run make",
                                "status": "completed",
                                "conclusion": "failure",
                                "number": 1,
                                "started_at": "2026-03-14T08:00:10Z",
                                "completed_at": "2026-03-14T08:00:59Z",
                            }
                        ],
                    }
                ],
            }
        ),
    ),
    "gitlab": Sample(
        "trace.log",
        b"Running with gitlab-runner 17.0.0\nsection_start:1773475200:build\r\x1b[0K$ make\n"
        b"section_end:1773475209:build\r\x1b[0K\nERROR: Job failed: exit code 1\n",
    ),
    "jenkins": Sample(
        "consoleText",
        b"Started by user x\n[Pipeline] Start of Pipeline\n[Pipeline] { (Build)\n+ make\nFinished: FAILURE\n",
    ),
    "teamcity": Sample(
        "build.log",
        b"Build 'Shop' #7\nStarted 2026-03-14 08:00:01 on agent 'a7'\n[08:00:01]i: TeamCity server version is 2023.11\n"
        b"[08:00:02] : Step 1/1: make\n[08:00:03]W:\t [Step 1/1] make: *** [all] Error 2\n"
        b"[08:00:04]E:\t [Step 1/1] Process exited with code 2\n",
    ),
    "codebuild": Sample(
        "build.log",
        b"[Container] 2026/03/14 08:00:01.101 Running on CodeBuild On-demand\n"
        b"[Container] 2026/03/14 08:00:02.202 Entering phase BUILD\n"
        b"[Container] 2026/03/14 08:00:03.303 Phase complete: BUILD State: FAILED\n",
    ),
    "buildkite": Sample(
        "bk.log", b"\x1b_bk;t=1773475200123\x07~~~ Running commands\n\x1b_bk;t=1773475201123\x07+++ make\n^^^ +++\n"
    ),
    "prow": Sample("finished.json", _json({"timestamp": 1773475200, "passed": False, "result": "FAILURE"})),
    "zuul": Sample(
        "job-output.txt",
        _text(
            "2026-03-14 08:00:00.123456 | PRE-RUN START: [trusted : x/playbooks/pre.yaml@main]",
            "2026-03-14 08:00:01.123456 | TASK [make : run]",
            "2026-03-14 08:00:02.123456 | RUN END RESULT_NORMAL: [untrusted : x/playbooks/run.yaml@main]",
        ),
    ),
    "zuul_json": Sample(
        "logs/0a1b2c3/job-output.json",
        _json([{"branch": "main", "index": "0", "phase": "run", "playbook": "playbooks/run.yaml", "trusted": False,
                "plays": [{"play": {"duration": {"start": _T, "end": "2026-03-14T08:02:00Z"}, "id": "p", "name": "all"},
                           "tasks": [{"hosts": {"jammy": {"failed": True, "rc": 2, "action": "command", "msg": "no",
                                                          "stdout_lines": ["make: *** [all] Error 2"]}},
                                      "task": {"duration": {"start": _T, "end": _T}, "id": "t", "name": "make"}}]}],
                "stats": {"jammy": {"ok": 1, "failures": 1, "unreachable": 0, "skipped": 0}}},
               {"phase": "post", "playbook": "playbooks/post.yaml", "plays": [], "trusted": True,
                "stats": {"jammy": {"ok": 1, "failures": 0, "unreachable": 0}}}]),
    ),
    "zuul_manifest": Sample(
        "logs/0a1b2c3/zuul-manifest.json",
        _json({"tree": [{"name": "job-output.txt", "mimetype": "text/plain", "encoding": None, "size": 7,
                         "last_modified": 1773475200},
                        {"name": "logs", "mimetype": "application/directory", "encoding": None, "children": [
                            {"name": "a.log", "mimetype": "text/plain", "encoding": None, "size": 9,
                             "last_modified": 1773475200}]}]}),
    ),
    "sosreport_log": Sample(
        "sosreport-web1-2026-03-14-abcdefg/var/log/messages",
        _text("Mar 14 08:00:00 web1 kernel: Out of memory: Killed process 7", "Mar 14 08:00:01 web1 cron: x"),
    ),
    "sosreport_manifest": Sample(
        "sosreport-web1-2026-03-14-abcdefg/sos_reports/manifest.json",
        _json({"version": "4.7.1", "cmdline": "sos report --batch", "start_time": "2026-03-14T08:00:00.000000",
               "end_time": "2026-03-14T08:03:00.000000", "run_time": 180.0, "compression": "xz", "policy": "RHEL",
               "components": {"report": {"plugins": {
                   "networking": {"timeout_hit": True, "start_time": "2026-03-14T08:00:01.000000",
                                  "end_time": "2026-03-14T08:02:00.000000", "run_time": 119.0, "commands": []}}}}}),
    ),
    "azure_pipelines": Sample(
        "azure.log",
        b"2026-03-14T08:00:00.1234567Z ##[section]Starting: Build\n2026-03-14T08:00:01.1234567Z ##[error]Bash exited "
        b"with code '1'.\n2026-03-14T08:00:02.1234567Z ##[section]Finishing: Build\n",
    ),
}  # fmt: skip
