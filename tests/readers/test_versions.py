"""A source of a version that its reader was not made for: said, with its place, and read all the same."""

from __future__ import annotations

import pytest
from tests.readers.reading import read
from tests.readers.samples import SAMPLES

from runcase.intake.readers.base import DocumentReader, Sniff, TextReader
from runcase.intake.readers.registry import READERS, choose

OTHER: dict[str, tuple[bytes, bytes]] = {
    "argo_workflows": (b"argoproj.io/v1alpha1", b"argoproj.io/v1alpha9"),
    "bazel_bep": (b'"buildToolVersion": "7.1.0"', b'"buildToolVersion": "3.7.2"'),
    "dagster": (
        b'{"__class__": "EventLogEntry", "run_id"',
        b'{"__class__": "DebugRunPayload", "version": "7.0.1"}\n{"__class__": "EventLogEntry", "run_id"',
    ),
    "kubernetes": (b'"apiVersion": "v1"', b'"apiVersion": "v3"'),
    "nextflow_lineage": (b"lineage/v1beta1", b"lineage/v9"),
    "openlineage": (
        b'"producer": "p"',
        b'"producer": "p", "schemaURL": "https://openlineage.io/spec/7-0-1/OpenLineage.json#/$defs/RunEvent"',
    ),
    "pegasus_braindump": (b'dax_label: "p"', b'dax_label: "p"\nplanner_version: "9.0.1"'),
    "pegasus_kickstart": (b"  version: 3.0", b"  version: 7.0"),
    "rocrate": (b"ro/crate/1.1/context", b"ro/crate/2.0/context"),
    "snakemake_metadata": (b'"version": 6', b'"version": 61'),
    "spark_eventlog": (b'"Spark Version": "3.5.1"', b'"Spark Version": "9.0.0"'),
}
"""Reader -> what its sample says, and what it would say in another version."""

STATING = {r.name: r for r in READERS if isinstance(r, DocumentReader) and r.stated_version}


def test_every_reader_that_knows_where_the_version_stands_is_tried() -> None:
    assert OTHER.keys() == STATING.keys()


@pytest.mark.parametrize("name", sorted(OTHER))
def test_a_version_that_the_reader_was_made_for_is_no_problem(name: str) -> None:
    reader = STATING[name]
    assert reader.stated_version is not None
    assert reader.stated_version.misfits(SAMPLES[name].data, reader.versions) == []


@pytest.mark.parametrize("name", sorted(OTHER))
def test_another_version_is_a_located_problem_and_the_document_is_read(name: str) -> None:
    sample, (said, other) = SAMPLES[name], OTHER[name]
    assert said in sample.data
    data = sample.data.replace(said, other, 1)
    choice = choose(Sniff(sample.path, data, True))
    assert choice is not None
    assert choice[0].name == name
    facts = read({sample.path: data}).facts
    found = facts.problems.collect().filter(code="version_not_known")
    assert found.height == 1
    start, length, text = found.select("byte_start", "byte_len", "message").row(0)
    assert f"version {data[start : start + length].decode()};" in text
    assert STATING[name].versions in text
    same = read({sample.path: sample.data}).facts
    assert facts.events.collect().height >= same.events.collect().height


TEXTS: dict[str, tuple[str, str]] = {
    "azure_pipelines": ("Current agent version: '3.232.1'", "Current agent version: '7.0.0'"),
    "cwltool": ("INFO /usr/bin/cwltool 3.1.20240112164112", "INFO /usr/bin/cwltool 9.0.20300101000000"),
    "dagman_log": ("$CondorVersion: 23.4.0 2024-02-08 BuildID: 1 $", "$CondorVersion: 31.0.1 2031-02-08 BuildID: 1 $"),
    "github_actions": ("Current runner version: '2.316.1'", "Current runner version: '3.0.0'"),
    "github_cli": ("Current runner version: '2.316.1'", "Current runner version: '3.0.0'"),
    "gitlab": ("Running with gitlab-runner 18.1.0 (abc)", "Running with gitlab-runner 27.0.0 (abc)"),
    "nextflow_log": ("N E X T F L O W  ~  version 24.10.0", "N E X T F L O W  ~  version 31.04.0"),
}
"""Reader of text -> how its producer names itself in a version that it was made for, and in another."""


def test_every_reader_of_text_that_knows_where_the_version_stands_is_tried() -> None:
    assert {r.name for r in READERS if isinstance(r, TextReader) and r.stated_version} == TEXTS.keys()


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_producer_of_another_version_is_a_located_problem_and_its_log_is_read(name: str) -> None:
    sample, reader = SAMPLES[name], next(r for r in READERS if r.name == name)
    texts = [sample.data + f"{line}\n".encode() for line in TEXTS[name]]
    good, other = (read({sample.path: text}) for text in texts)
    assert list(good.readers.values()) == list(other.readers.values()) == [name]
    assert good.problems.filter(code="version_not_known").is_empty()
    [problem] = other.problems.filter(code="version_not_known").to_dicts()
    assert (problem["severity"], problem["line"]) == ("warning", sample.data.count(b"\n") + 1)
    assert texts[1][problem["byte_start"] :].startswith(problem["message"].split("version ")[1].split(";")[0].encode())
    assert reader.versions in problem["message"]
    assert other.events.height == good.events.height


def test_words_that_are_no_version_are_no_problem() -> None:
    text = SAMPLES["gitlab"].data.replace(b"gitlab-runner 17.0.0", b"gitlab-runner development version (HEAD)")
    assert read({"trace.log": text}).problems.is_empty()
