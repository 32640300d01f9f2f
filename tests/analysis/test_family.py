"""Whole dossiers of a family of made-up runs, one file a dossier; to be read like prose when they change."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from tests.analysis.family import FAMILY
from tests.report.words import words
from tests.simulator.reading import seen

from runcase.report import html, json_face, markdown, terminal


class Page(SingleFileSnapshotExtension):
    """A Markdown page as a file of its own."""

    _write_mode = WriteMode.TEXT
    file_extension = "md"


class Document(SingleFileSnapshotExtension):
    """A JSON document as a file of its own."""

    _write_mode = WriteMode.TEXT
    file_extension = "json"


class Said(SingleFileSnapshotExtension):
    """What the page and the terminal say, as files of their own."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


SCREEN = terminal.Screen(color=False, width=80)


def settled(text: str) -> str:
    """The text without the digests of packs: a rule that no run cites changes them as well."""
    return re.sub(r"@[0-9a-f]{12}#", "@...#", text)


@pytest.mark.parametrize("name", FAMILY)
def test_the_dossier_reads_as_it_did(name: str, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    dossier = seen(FAMILY[name].files(), tmp_path).dossier(FAMILY[name].run)
    assert settled(markdown.render(dossier)) == snapshot(extension_class=Page)
    assert settled(json_face.to_json(dossier)) == snapshot(extension_class=Document)
    assert settled(terminal.first_screen(dossier, SCREEN)) + "\n" == snapshot(extension_class=Said, name="terminal")
    page = words(html.render(dossier), without=("events", "raw"))
    assert settled(page) == snapshot(extension_class=Said, name="page")
