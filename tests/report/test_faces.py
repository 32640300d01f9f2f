"""Every face of one hand-made run and one index as a person reads them, and the first screens of the samples."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from tests.commands import Built
from tests.report.page_samples import failed_run, index
from tests.report.words import words

from runcase.report import html, index_markdown, markdown, terminal
from runcase.report.build import Reported
from runcase.report.dialects import DIALECTS
from runcase.report.event_table import of_key_events
from runcase.report.exports import EXPORTS
from runcase.report.json_face import to_json

SCREEN = terminal.Screen(color=False, width=80)


class Page(SingleFileSnapshotExtension):
    """One readable file a face."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.fixture
def page(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Page)


def report() -> Reported:
    d = failed_run()
    return Reported(d.run.run_id, d, of_key_events(d.events, d.coverage.events))


def ticket(name: str) -> Callable[[], str]:
    return lambda: markdown.ticket(failed_run(), DIALECTS[name])


def export(name: str) -> Callable[[], str]:
    return lambda: EXPORTS[name](report()).data.decode().replace("\r\n", "\n")


FACES: dict[str, Callable[[], str]] = {
    "page": lambda: words(html.render(failed_run())),
    "index-page": lambda: words(html.render_index(index())),
    "markdown": lambda: markdown.render(failed_run()),
    "index-markdown": lambda: index_markdown.render_index(index()),
    "json": lambda: to_json(failed_run()),
    "terminal": lambda: terminal.first_screen(failed_run(), SCREEN),
    "terminal-list": lambda: terminal.run_list(index(), SCREEN),
    **{f"ticket-{name}": ticket(name) for name in ("jira", "slack", "plain")},
    **{f"export-{name}": export(name) for name in EXPORTS if name not in ("perfetto", "otlp")},
}


@pytest.mark.parametrize("name", FACES)
def test_a_face_reads_like_this(name: str, page: SnapshotAssertion) -> None:
    assert FACES[name]() == page


def first_page(built: Built, run: str) -> str:
    return "\n".join(built.markdown(run).split("\n")[:60]).rstrip() + "\n"


def test_the_first_screen_of_the_story_reads_like_this(story: Built, page: SnapshotAssertion) -> None:
    assert first_page(story, "run_742") == page


def test_the_first_screen_of_the_ci_run_reads_like_this(ci_run: Built, page: SnapshotAssertion) -> None:
    assert first_page(ci_run, "ci-run/test (3.12, ubuntu-24.04)") == page
