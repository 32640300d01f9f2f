"""Lineage records, traces and telemetry logs; the three ids that join them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from tests.readers.reading import read, read_one
from tests.readers.samples import SAMPLES

_T = "2026-03-14T08:00:00Z"
TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"

# --- OpenLineage ----------------------------------------------------------------------------------


def lineage(kind: str, run: str = "r-1", **more: Any) -> dict[str, Any]:
    return {
        "eventType": kind,
        "eventTime": f"2026-03-14T08:00:{len(kind):02d}.000Z",
        "producer": "https://x/spark",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": run, "facets": more.pop("facets", {})},
        "job": {"namespace": "n", "name": "job"},
        "inputs": [{"namespace": "s3://b", "name": "in"}],
        "outputs": [{"namespace": "s3://b", "name": "out"}],
    } | more


FAILURE = {"errorMessage": {"message": "table is gone\nat line 7", "programmingLanguage": "SQL", "stackTrace": "at q"}}
LAYOUTS = {
    "lines": "\n".join(map(json.dumps, [lineage("START"), lineage("FAIL", facets=FAILURE)])),
    "array": json.dumps([lineage("START"), lineage("FAIL", facets=FAILURE)]),
    "pretty, one after the other": json.dumps(lineage("START"), indent=2)
    + "\n"
    + json.dumps(lineage("FAIL", facets=FAILURE), indent=2),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_run_events_give_status_cause_and_links(layout: str) -> None:
    seen = read_one(LAYOUTS[layout])
    assert (seen.statuses, seen.run["job"]) == ({"r-1": "failed"}, "job")
    assert seen.edges == [
        ("artifact:s3://b/in", "used", "stage:job"),
        ("artifact:s3://b/out", "generated", "stage:job"),
    ]
    assert "table is gone" in seen.verdict["text"]


@pytest.mark.parametrize(
    ("kind", "status"), [("COMPLETE", "succeeded"), ("ABORT", "cancelled"), ("RUNNING", "lost"), ("OTHER", "lost")]
)
def test_a_run_without_a_closing_event_is_not_ended(kind: str, status: str) -> None:
    seen = read_one(json.dumps([lineage("START"), lineage(kind)]))
    assert seen.run["status"] == status
    assert (seen.run["finished_at"] is None) == (status == "lost")


def test_the_parent_facet_joins_runs_and_each_keeps_its_own_status() -> None:
    parent = {"parent": {"run": {"runId": "p-1"}, "job": {"namespace": "n", "name": "dag"}}}
    seen = read_one(
        json.dumps([lineage("START", "p-1"), lineage("START", facets=parent), lineage("COMPLETE", facets=parent)])
    )
    parents = dict(seen.conclusions.runs.select("run_id", "parent_run_id").rows())
    assert parents == {"p-1": None, "r-1": "p-1"}


# --- provenance -----------------------------------------------------------------------------------


def test_a_run_crate_gives_the_run_what_it_used_and_why_it_failed() -> None:
    seen = read_one(SAMPLES["rocrate"].data, "ro-crate-metadata.json")
    assert (seen.statuses, seen.run["job"]) == ({"#run": "failed"}, "wf")
    assert seen.edges == [("artifact:in", "used", "stage:wf"), ("artifact:out", "generated", "stage:wf")]
    assert seen.facts.artifacts.collect().filter(artifact_id="in")["checksum"][0] == f"sha256:{'a' * 64}"


def test_the_steps_of_a_provenance_crate_are_stages_of_the_run() -> None:
    graph = json.loads(SAMPLES["rocrate"].data)
    step = {
        "@id": "#s1",
        "@type": "CreateAction",
        "instrument": {"@id": "tool"},
        "object": {"@id": "in"},
        "result": [{"@id": "mid"}],
        "startTime": "2026-03-14T08:00:00Z",
        "endTime": "2026-03-14T08:00:09Z",
    }
    control = {"@id": "#c1", "@type": "ControlAction", "instrument": {"@id": "wf#s"}, "object": {"@id": "#s1"}}
    graph["@graph"] += [step, control, {"@id": "tool", "@type": "SoftwareApplication", "name": "sort"}]
    seen = read_one(json.dumps(graph))
    assert seen.spans.filter(kind="stage").select("name", "status").rows() == [("sort", "ok")]
    assert ("artifact:mid", "generated", "stage:sort") in seen.edges


def test_cwlprov_ties_data_to_steps_by_their_digests() -> None:
    seen = read_one(SAMPLES["cwlprov"].data, "primary.cwlprov.json")
    assert seen.run["run_id"] == "id:run"
    assert (f"artifact:data:{'a' * 40}", "used", "stage:id:s") in seen.edges
    assert seen.facts.artifacts.collect()["checksum"].to_list()[0] == f"sha1:{'a' * 40}"


def cwl(made_by: str) -> bytes:
    """A run and a step as cwltool 3 writes them, relations before activities."""
    label = "Run of workflow/packed.cwl#main"
    ends = {f"_:{own}": {"prov:activity": f"id:{own}", "prov:time": _T} for own in ("run", "s")}
    document = {
        "prefix": {"cwlprov": "https://w3id.org/cwl/prov#", "prov": "http://www.w3.org/ns/prov#"},
        "wasStartedBy": {"_:1": {"prov:activity": "id:s", "prov:starter": "id:run", "prov:time": _T}},
        "activity": {
            "id:run": {"prov:type": {"$": "wfprov:WorkflowRun"}, "prov:label": label, "prov:startTime": _T},
            "id:s": {"prov:label": f"{label}/a"},
        },
        "wasGeneratedBy": {"_:2": {"prov:activity": made_by, "prov:entity": "data:" + "b" * 40}},
        "wasEndedBy": ends,
    }
    return json.dumps(document).encode()


@pytest.mark.parametrize(("made_by", "status"), [("id:run", "succeeded"), ("id:s", "lost")])
def test_provenance_of_a_run_that_ended_and_made_nothing_is_no_success(made_by: str, status: str) -> None:
    seen = read_one(cwl(made_by), "primary.cwlprov.json")
    assert seen.run["status"] == status
    (step,) = seen.spans.filter(kind="stage").to_dicts()
    assert (step["name"], step["start"] is not None, step["end"] is not None) == ("a", True, True)


def test_the_log_of_the_engine_says_how_a_research_object_ended() -> None:
    seen = read(
        {
            "ro/metadata/provenance/primary.cwlprov.json": cwl("id:run"),
            "ro/metadata/logs/engine.1.txt": SAMPLES["cwltool"].data,
            "ro/bagit.txt": "BagIt-Version: 0.97\n",
        }
    )
    assert seen.statuses == {"id:run": "failed"}
    assert seen.events.filter(kind="stage.started")["ts"].dt.microsecond().to_list() == [59_000]


def test_a_step_that_the_engine_and_its_provenance_tell_of_is_one_window() -> None:
    lines = ("[cwltool] /usr/bin/cwltool a.cwl", "[step a] start", "[step a] completed success", "[step b] start")
    log = "".join(f"[2026-03-14T08:00:0{n},59.000000Z] {line}\n" for n, line in enumerate(lines))
    document = json.loads(cwl("id:run"))
    document["wasEndedBy"]["_:s"]["prov:time"] = "2026-03-14T08:00:02.500Z"
    files = {"primary.cwlprov.json": json.dumps(document), "../logs/engine.1.txt": log}
    seen = read({f"ro/metadata/provenance/{name}".replace("provenance/../", ""): text for name, text in files.items()})
    steps = seen.conclusions.windows.filter(kind="stage").sort("name").select("name", "state").rows()
    assert steps == [("a", "closed"), ("b", "open")]


@pytest.mark.parametrize(("word", "status"), [("success", "succeeded"), ("temporaryFail", "failed")])
def test_the_console_of_cwltool_ends_with_its_final_status(word: str, status: str) -> None:
    lines = ["INFO [cwltool] /usr/bin/cwltool a.cwl", "INFO [job a] completed success"]
    seen = read_one("\n".join([*lines, f"\x1b[1;30mINFO\x1b[0m Final process status is {word}"]) + "\n", "cwl.log")
    assert seen.run["status"] == status


def test_nextflow_lineage_records_of_one_run_are_joined_by_its_id() -> None:
    run, task = "b" * 32, "a" * 32
    output = {
        "version": "lineage/v1beta1",
        "kind": "FileOutput",
        "spec": {
            "path": "/out/x.bam",
            "checksum": {"value": "77", "algorithm": "nextflow"},
            "source": f"lid://{task}",
            "workflowRun": f"lid://{run}",
            "taskRun": f"lid://{task}",
            "size": 9,
        },
    }
    flow = {
        "version": "lineage/v1beta1",
        "kind": "WorkflowRun",
        "spec": {"sessionId": "s-1", "name": "mad_curie", "params": []},
    }
    seen = read(
        {
            f".lineage/{run}/.data.json": json.dumps(flow),
            f".lineage/{task}/.data.json": SAMPLES["nextflow_lineage"].data,
            f".lineage/{task}/x.bam/.data.json": json.dumps(output),
        }
    )
    assert list(seen.statuses) == ["s-1"]
    assert ("artifact:/in", "used", "stage:FOO (1)") in seen.edges
    assert any(e[0] == "artifact:/out/x.bam" and e[1] == "generated" for e in seen.edges)


# --- traces ---------------------------------------------------------------------------------------


def b64(text: str) -> str:
    return base64.b64encode(bytes.fromhex(text)).decode()


def otlp(trace: str = TRACE, span: str = SPAN, parent: str = "", **more: Any) -> dict[str, Any]:
    one = {
        "traceId": trace,
        "spanId": span,
        "parentSpanId": parent,
        "name": "load",
        "kind": "SPAN_KIND_CLIENT",
        "startTimeUnixNano": "1773475200000000000",
        "endTimeUnixNano": "1773475201500000000",
        "attributes": [{"key": "cicd.pipeline.run.id", "value": {"stringValue": "r-7"}}],
        "status": {},
    } | more
    return {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"scope": {}, "spans": [one]}]}]}


@pytest.mark.parametrize(
    ("trace", "span"),
    [(TRACE, SPAN), (TRACE.upper(), SPAN.upper()), (b64(TRACE), b64(SPAN))],
    ids=["hex", "upper", "base64"],
)
def test_ids_of_spans_are_hex_however_an_exporter_writes_them(trace: str, span: str) -> None:
    seen = read_one(json.dumps(otlp(trace, span)))
    assert seen.spans.select("trace_id", "span_id", "run_id").row(0) == (TRACE, SPAN, "r-7")
    assert seen.run["status"] == "succeeded"
    assert (seen.spans["end"][0] - seen.spans["start"][0]).total_seconds() == 1.5


def test_a_span_that_never_ended_is_open_and_an_error_is_named() -> None:
    assert read_one(json.dumps(otlp(endTimeUnixNano="0"))).run["status"] == "running"
    seen = read_one(json.dumps(otlp(status={"code": "STATUS_CODE_ERROR", "message": "disk full"})))
    assert (seen.run["status"], seen.spans["error"][0]) == ("failed", "disk full")


def test_the_run_of_a_trace_is_over_when_its_root_span_is_and_the_innermost_failure_is_its_cause() -> None:
    raised = {"name": "exception", "attributes": [{"key": "exception.type", "value": {"stringValue": "OSError"}}]}
    failed = {"code": 2}
    root = otlp(attributes=[], status=failed)
    child = otlp(span="a" * 16, parent=SPAN, attributes=[], name="upload", events=[raised], status=failed)
    seen = read_one("\n".join(map(json.dumps, [root, child])))
    assert (seen.run["status"], seen.run["status_basis"]) == ("failed", "spans")
    assert seen.verdict["text"].startswith("upload")
    assert seen.errors() == ["OSError"]
    assert read_one(json.dumps(child)).run["status"] == "lost"


def test_logs_of_a_trace_belong_to_the_run_in_whose_file_its_root_span_is() -> None:
    line = f"2024-05-02T10:00:00Z INFO begin traceparent=00-{TRACE}-{SPAN}-01\n"
    seen = read({"spans.json": json.dumps(otlp(attributes=[])), "app.log": line})
    assert list(seen.statuses.values()) == ["succeeded"]
    other = read({"spans.json": json.dumps(otlp(trace="c" * 32, attributes=[])), "app.log": line})
    assert sorted(other.statuses.values()) == ["lost", "succeeded"]


def test_older_names_and_many_requests_in_one_file_are_read() -> None:
    old = json.loads(json.dumps(otlp(span="a" * 16)).replace("scopeSpans", "instrumentationLibrarySpans"))
    seen = read_one("\n".join(map(json.dumps, [otlp(), old])))
    assert seen.spans.height == 2


def test_a_log_record_carries_trace_span_level_and_body() -> None:
    record = {
        "timeUnixNano": "1773475200000000000",
        "severityNumber": 17,
        "severityText": "ERROR",
        "traceId": TRACE,
        "spanId": SPAN,
        "body": {"stringValue": "cannot write"},
        "attributes": [{"key": "run_id", "value": {"stringValue": "r-7"}}],
    }
    text = json.dumps({"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": [record]}]}]})
    event = read_one(text).events.row(0, named=True)
    assert (event["trace_id"], event["span_id"], event["level"], event["run_id"]) == (TRACE, SPAN, "error", "r-7")


def test_trace_run_and_artifact_stand_on_one_event_and_join_a_trace_to_the_run() -> None:
    line = {
        "ts": "2026-03-14T08:00:00Z",
        "level": "info",
        "msg": f"wrote out.pdf traceparent=00-{TRACE}-{SPAN}-01",
        "run_id": "r-7",
    }
    spans = otlp()
    spans["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] = []
    seen = read(
        {
            "app.jsonl": json.dumps(line) + "\n" + json.dumps(line | {"level": "warn"}) + "\n",
            "trace.json": json.dumps(spans),
        }
    )
    event = seen.events.filter(run_id="r-7").row(0, named=True)
    assert (event["trace_id"], event["span_id"]) == (TRACE, SPAN)
    assert list(seen.statuses) == ["r-7"]


def test_jaeger_and_zipkin_spans_have_times_parents_and_errors() -> None:
    jaeger = read_one(SAMPLES["jaeger"].data)
    assert jaeger.spans.select("trace_id", "parent_span_id", "status").row(0) == (
        "0" * 16 + "5b8efff798038103",
        "bb",
        "error",
    )
    zipkin = read_one(SAMPLES["zipkin"].data)
    assert zipkin.spans.select("name", "kind", "status", "error").row(0) == ("op", "tool", "error", "no")
    assert (zipkin.spans["end"][0] - zipkin.spans["start"][0]).microseconds == 9


# --- the journal ----------------------------------------------------------------------------------

ENTRY = (
    b"__CURSOR=s=1;i=1\n__REALTIME_TIMESTAMP=1773475200000123\n_HOSTNAME=node-3\nPRIORITY=3\n_SYSTEMD_UNIT=etl.service\n"
    b"_SYSTEMD_INVOCATION_ID=0123456789abcdef0123456789abcdef\nMESSAGE=cannot open /data\n"
)
BINARY = ENTRY.replace(
    b"MESSAGE=cannot open /data\n", b"MESSAGE\n" + (11).to_bytes(8, "little") + b"one\ntwo\n\xffyz\n"
)


def test_entries_of_the_export_format_have_times_levels_and_binary_messages() -> None:
    seen = read_one(ENTRY + b"\n" + BINARY + b"\n", "journal.export")
    assert seen.readers == {"journal.export": "journald"}
    assert seen.events["level"].to_list() == ["error", "error"]
    assert seen.events["ts"].dt.microsecond().to_list() == [123, 123]
    assert seen.events["message"].to_list() == ["cannot open /data", "one\ntwo\n\\xffyz"]
    assert seen.events["invocation_id"][0] == "0123456789abcdef0123456789abcdef"


def test_an_export_that_is_cut_inside_a_binary_value_says_so() -> None:
    seen = read_one(ENTRY + b"\n" + BINARY[:-8], "journal.export")
    assert seen.events.height == 2
    assert seen.problems["code"].to_list() == ["entry_truncated"]


JSON_ENTRY = {
    "__REALTIME_TIMESTAMP": "1773475200000123",
    "PRIORITY": "4",
    "_SYSTEMD_UNIT": ["a.service", "etl.service"],
}


@pytest.mark.parametrize(
    ("message", "said"), [("plain", "plain"), (list(b"by\xfftes"), "by\\xfftes"), (None, "entry without a message")]
)
def test_messages_of_the_json_form_may_be_text_bytes_or_too_large(message: object, said: str) -> None:
    row = json.dumps(JSON_ENTRY | {"MESSAGE": message})
    for text in (row + "\n" + row + "\n", "\x1e" + row + "\n", json.dumps(JSON_ENTRY | {"MESSAGE": message}, indent=8)):
        seen = read_one(text, "journal.json")
        assert set(seen.events["message"]) == {said}
        assert set(seen.events["level"]) == {"warning"}
