"""Whole dossiers of a family of made-up runs, one file a dossier; to be read like prose when they change."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from tests.analysis.family import FAMILY
from tests.simulator.reading import seen

from runcase.report import json_face, markdown


class Page(SingleFileSnapshotExtension):
    """A Markdown page as a file of its own."""

    _write_mode = WriteMode.TEXT
    file_extension = "md"


class Document(SingleFileSnapshotExtension):
    """A JSON document as a file of its own."""

    _write_mode = WriteMode.TEXT
    file_extension = "json"


@pytest.mark.parametrize("name", FAMILY)
def test_the_dossier_reads_as_it_did(name: str, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    dossier = seen(FAMILY[name].files(), tmp_path).dossier(FAMILY[name].run)
    assert markdown.render(dossier) == snapshot(extension_class=Page)
    assert json_face.to_json(dossier) == snapshot(extension_class=Document)
