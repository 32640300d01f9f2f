"""A document of a version that its reader was not made for: said, with its place, and read all the same."""

from __future__ import annotations

import pytest
from tests.readers.reading import read
from tests.readers.samples import SAMPLES

from runcase.intake.readers.base import DocumentReader, Sniff
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
