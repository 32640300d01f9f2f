"""Exports: what other tools' own parsers make of them, what they say they left out, and that no text changes them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from google.protobuf import json_format
from junitparser import JUnitXml
from openlineage.client import event_v2
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent
from rocrate.rocrate import ROCrate
from sarif_pydantic import Sarif
from tests.commands import Built, runcase
from tests.report import hostile
from tests.report.page_samples import at, bare_run, busy_run, failed_run, span, with_texts

from runcase.finished import one_report
from runcase.model.text import present_line
from runcase.report.build import Reported
from runcase.report.dossier import Dossier
from runcase.report.event_table import of_key_events
from runcase.report.exports import EXPORTS
from runcase.report.exports.base import Exported

SAMPLES: dict[str, Callable[[], Dossier]] = {
    "failed": failed_run,
    "bare": bare_run,
    "busy": lambda: busy_run(300),
    "hostile": lambda: shown(hostile_run(0)),
    "hostile-too": lambda: shown(hostile_run(3)),
}


def hostile_run(n: int) -> Dossier:
    """A failed run with a hostile string in every slot of free text."""
    strings = islice(hostile.strings(), n * 400, None)
    stays = re.compile(r"(_at|_ts|[.]ts|[.]start|[.]end|refs?|proof|decisive|event_id|status|state|kind|relation)$")
    return with_texts(failed_run(), lambda slot, text: text if stays.search(slot) else next(strings))


def shown(d: Dossier) -> Dossier:
    """The dossier as the build makes it: every text has passed `present_line`."""
    return with_texts(d, lambda _, text: present_line(text))


def report(d: Dossier) -> Reported:
    return Reported(d.run.run_id, d, of_key_events(d.events, d.coverage.events))


def exported(target: str, d: Dossier) -> Exported:
    return EXPORTS[target](report(d))


@pytest.fixture(params=[*SAMPLES, "story"])
def one(request: pytest.FixtureRequest) -> Reported:
    if request.param != "story":
        return report(SAMPLES[request.param]())
    story: Built = request.getfixturevalue("story")
    return one_report(str(story.root), "run_742")


# --- consumers ------------------------------------------------------------------------------------


def test_junitparser_reads_the_suites_and_their_counts_hold(one: Reported) -> None:
    read = JUnitXml.fromstring(EXPORTS["junit"](one).data)
    for suite in read:
        cases = list(suite)
        assert suite.tests == len(cases)
        assert suite.errors == sum(1 for c in cases for r in c.result if type(r).__name__ == "Error")
    assert [c.name for suite in read for c in suite].count("run") == 1


def test_the_sarif_object_model_reads_the_results(one: Reported) -> None:
    read = Sarif.model_validate_json(EXPORTS["sarif"](one).data)
    results = read.runs[0].results or []
    levels = [str(r.level.value if r.level else "") for r in results]
    assert levels.count("error") == (one.dossier.failure is not None)
    assert levels.count("warning") == len(one.dossier.contradictions)
    assert levels.count("note") == len(one.dossier.signals)


def test_the_protobuf_definitions_of_otlp_read_the_spans(one: Reported) -> None:
    read = json_format.Parse(EXPORTS["otlp"](one).data, TracesData())
    spans = [s for r in read.resource_spans for scope in r.scope_spans for s in scope.spans]
    ids = {s.span_id for s in spans}
    assert len(ids) == len(spans)
    assert all(len(json_format.MessageToDict(s)["traceId"]) > 0 for s in spans)
    assert [s for s in spans if s.parent_span_id and s.parent_span_id not in ids] == []
    assert all(s.start_time_unix_nano <= s.end_time_unix_nano for s in spans)
    assert bool(spans) == (one.dossier.run.first_ts is not None)


def test_the_protobuf_definitions_of_perfetto_read_the_trace_and_its_slices_nest(one: Reported) -> None:
    trace = Trace.FromString(EXPORTS["perfetto"](one).data)
    tracks = {p.track_descriptor.uuid for p in trace.packet if p.HasField("track_descriptor")}
    open_slices = dict.fromkeys(tracks, 0)
    last = 0
    for packet in trace.packet:
        assert packet.trusted_packet_sequence_id == 1
        if packet.HasField("track_event"):
            event = packet.track_event
            assert event.track_uuid in tracks
            assert packet.timestamp >= last
            last = packet.timestamp
            open_slices[event.track_uuid] += 1 if event.type == TrackEvent.TYPE_SLICE_BEGIN else -1
            assert open_slices[event.track_uuid] in (0, 1)


def test_the_openlineage_client_builds_its_events_from_each_line(one: Reported) -> None:
    for line in EXPORTS["openlineage"](one).data.decode().splitlines():
        e: dict[str, Any] = json.loads(line)
        made = event_v2.RunEvent(
            eventType=event_v2.RunState(e["eventType"]),
            eventTime=e["eventTime"],
            run=event_v2.Run(runId=e["run"]["runId"]),
            job=event_v2.Job(namespace=e["job"]["namespace"], name=e["job"]["name"]),
            producer=e["producer"],
            inputs=[event_v2.InputDataset(x["namespace"], x["name"]) for x in e["inputs"]],
            outputs=[event_v2.OutputDataset(x["namespace"], x["name"]) for x in e["outputs"]],
        )
        assert made.run.runId == e["run"]["runId"]
        assert {"schemaURL", "producer", "eventTime"} <= e.keys()


def test_openlineage_comes_back_through_our_own_reader(story: Built, tmp_path: Path) -> None:
    events = tmp_path / "lineage.ndjson"
    done = runcase("export", "run_742", "-c", story.root, "--to", "openlineage", "-o", events)
    assert done.code == 0
    back = runcase("build", events, "-o", tmp_path / "case", "--format", "json")
    assert json.loads(back.out)["quarantined_bytes"] == 0
    assert json.loads(back.out)["runs"].get("failed", 0) >= 1


def test_the_rocrate_library_reads_the_crate_and_its_actions(one: Reported, tmp_path: Path) -> None:
    (tmp_path / "ro-crate-metadata.json").write_bytes(EXPORTS["rocrate"](one).data)
    crate = ROCrate(str(tmp_path))
    actions = [e for e in crate.get_entities() if e.type == "CreateAction"]
    assert next(a.id for a in actions) == "#run"
    held = {e.id for e in crate.get_entities()}
    named = {x.id for a in actions for key in ("object", "result") for x in a.get(key, [])}
    assert named - held == set()


def test_csv_has_one_row_an_event_and_the_columns_hold(one: Reported) -> None:
    rows = list(csv.DictReader(io.StringIO(EXPORTS["csv"](one).data.decode(), newline="")))
    assert len(rows) == len(one.events)
    assert all(re.fullmatch(r"[0-9a-f]{12}:\d+\+\d+", r["ref"]) for r in rows)


# --- what is left out -----------------------------------------------------------------------------


@pytest.mark.parametrize("target", EXPORTS)
def test_an_export_says_what_it_left_out_and_is_the_same_bytes_again(target: str) -> None:
    made = exported(target, failed_run())
    assert made.loss
    assert made == exported(target, failed_run())


def test_a_window_without_an_end_gets_no_end_in_any_trace() -> None:
    open_one = failed_run(windows=(span("window", "writeback", 2, at(23, 30), None, reason="no_status_writeback"),))
    lost = exported("otlp", open_one)
    assert "window writeback of attempt 2 is open (no_status_writeback) and has no span" in lost.loss
    assert b'"name": "writeback open"' in lost.data
    trace = Trace.FromString(exported("perfetto", open_one).data)
    named = [p.track_descriptor.uuid for p in trace.packet if p.track_descriptor.name == "writeback, open"]
    begun = [
        p.track_event.type for p in trace.packet if p.HasField("track_event") and p.track_event.track_uuid in named
    ]
    assert begun == [TrackEvent.TYPE_SLICE_BEGIN] * len(named)
    assert named


@pytest.mark.parametrize(("detail", "junit", "otlp", "lineage"), [
    ("status ok", 0, 1, "COMPLETE"), (None, 0, 0, "COMPLETE"), ("timeout: no answer", 1, 2, "FAIL"),
    ("status failed", 1, 2, "FAIL"), ("error", 1, 2, "FAIL"), ("status cancelled", 0, 0, "ABORT"),
])  # fmt: skip
def test_a_stage_that_failed_is_no_success_in_any_export(
    detail: str | None, junit: int, otlp: int, lineage: str
) -> None:
    d = failed_run(stages=(span("stage", "rendering", 2, at(18), at(22), detail=detail),))
    cases = [c for suite in JUnitXml.fromstring(exported("junit", d).data) for c in suite if c.name == "rendering"]
    assert [sum(type(r).__name__ == "Failure" for r in c.result) for c in cases] == [junit]
    traces = json_format.Parse(exported("otlp", d).data, TracesData())
    codes = [
        s.status.code for r in traces.resource_spans for x in r.scope_spans for s in x.spans if s.name == "rendering"
    ]
    assert codes == [otlp]
    lines = [json.loads(x) for x in exported("openlineage", d).data.splitlines()]
    ended = [x["eventType"] for x in lines if x["job"]["name"].endswith(".rendering") and x["eventType"] != "START"]
    assert ended == [lineage]


def test_the_command_writes_the_file_and_says_the_loss_on_standard_error(story: Built, tmp_path: Path) -> None:
    done = runcase("export", "run_742", "-c", story.root, "--to", "junit")
    assert done.code == 0
    assert ElementTree.fromstring(done.out).tag == "testsuites"
    assert "left out: " in done.err
    assert runcase("export", "run_742", "-c", story.root, "--to", "pdf").code == 2


# --- hostile text ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n", range(8))
def test_no_text_changes_the_structure_of_an_export(n: int) -> None:
    d = hostile_run(n)
    suites, plain = (ElementTree.fromstring(exported("junit", x).data) for x in (d, failed_run()))
    assert [e.tag for e in suites.iter()] == [e.tag for e in plain.iter()]
    for target in ("sarif", "otlp", "rocrate"):
        json.loads(exported(target, d).data)
    assert len(exported("openlineage", d).data.splitlines()) == len(
        exported("openlineage", failed_run()).data.splitlines()
    )
    assert len(Trace.FromString(exported("perfetto", d).data).packet) == len(
        Trace.FromString(exported("perfetto", failed_run()).data).packet
    )


@pytest.mark.parametrize("n", range(8))
def test_no_cell_of_a_table_is_a_formula(n: int) -> None:
    d = hostile_run(n)
    formulas = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://h.invalid")')
    events = tuple(e for e in d.events for _ in formulas)
    with_formulas = with_texts(d, lambda slot, text: formulas[len(text) % 7] if slot.endswith("summary") else text)
    rows = list(csv.reader(io.StringIO(exported("csv", with_formulas).data.decode(), newline="")))
    assert events
    assert [c for row in rows for c in row if c.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    assert {len(row) for row in rows} == {8}
