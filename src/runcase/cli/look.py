"""`runcase show` and `runcase raw`: a finished case in the terminal."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runcase.cli.complete import run_ids
from runcase.model.text import json_quiet

if TYPE_CHECKING:
    from runcase.report.terminal import Screen

CASE = click.option("-c", "--case", default="case", metavar="CASE", help="Folder or URL of the case (default: case).")
FACE = click.option("--format", "face", type=click.Choice(["text", "json"]), default="text", help="How to print.")


DIALECTS = ("github", "gitlab", "jira", "azure", "slack", "plain")
STEP_SUMMARY_BYTES = 1_048_576
"""What GitHub takes as the summary of a step."""


@click.command()
@click.argument("run", required=False, shell_complete=run_ids)
@CASE
@click.option("--format", "face", type=click.Choice(["text", "json", "markdown"]), default="text", help="How to print.")
@click.option("--dialect", type=click.Choice(DIALECTS), default="github", help="Whose markup and limit; with markdown.")
@click.option("--max-chars", type=click.IntRange(min=400), metavar="N", help="A limit other than that of the dialect.")
@click.option("--summary", is_flag=True, help="Append Markdown to the file that GITHUB_STEP_SUMMARY names.")
def show(run: str | None, case: str, face: str, dialect: str, max_chars: int | None, summary: bool) -> None:
    """List the runs of a case, or show the first screen of one RUN.

    --format markdown prints the dossier of RUN as a ticket takes it: what does not
    fit the limit of the host is left out by whole sections, and that is said.
    """
    if summary:
        _append_summary(case, run)
    elif face == "markdown":
        click.echo(_ticket(case, run, dialect, max_chars), nl=False)
    else:
        click.echo(_shown(case, run, face))


def _shown(case: str, run: str | None, face: str) -> str:
    from runcase import finished
    from runcase.report import terminal
    from runcase.report.json_face import index_json, to_json

    if run is None:
        index = finished.case_index(case)
        return json_quiet(index_json(index)) if face == "json" else terminal.run_list(index, _screen(case))
    dossier = finished.one_dossier(case, run)
    if face == "json":
        return json_quiet(to_json(dossier))
    screen = _screen(case)
    return terminal.first_screen(dossier, screen, finished.folder_of(case, dossier) if screen.base else "")


def _ticket(case: str, run: str | None, dialect: str, limit: int | None) -> str:
    from runcase import finished
    from runcase.report import dialects, index_markdown, markdown

    if run is None:
        return index_markdown.render_index(finished.case_index(case))
    return markdown.ticket(finished.one_dossier(case, run), dialects.dialect(dialect), limit)


def _append_summary(case: str, run: str | None) -> None:
    """Appends what still fits into the summary; a UTF-16 unit takes at most three bytes."""
    name = os.environ.get("GITHUB_STEP_SUMMARY")
    if not name:
        raise click.UsageError("--summary needs the variable GITHUB_STEP_SUMMARY, which a step of GitHub Actions has")
    path = Path(name)
    room = STEP_SUMMARY_BYTES - (path.stat().st_size if path.exists() else 0)
    data = b""
    for units in (room, room // 3):
        data = _ticket(case, run, "github", max(400, units)).encode("utf-8", "backslashreplace")
        if len(data) <= room:
            break
    if len(data) > room:
        raise click.UsageError(f"{name} holds {STEP_SUMMARY_BYTES - room:,} bytes already; nothing more fits")
    with path.open("ab") as out:
        out.write(data)


@click.command()
@click.argument("ref")
@CASE
@click.option("--bytes", "verbatim", is_flag=True, help="Write the bytes as they are, even to a terminal.")
@FACE
def raw(ref: str, case: str, verbatim: bool, face: str) -> None:
    """Print the bytes that REF (source_id:byte_start+byte_len) names, or say what remains known."""
    from runcase import finished
    from runcase.report import terminal
    from runcase.report.json_face import raw_json

    found = finished.raw_evidence(case, ref)
    if face == "json":
        click.echo(json_quiet(raw_json(found)))
    elif found.data is not None and (verbatim or not sys.stdout.isatty()):
        sys.stdout.buffer.write(found.data)
    else:
        click.echo(terminal.raw_view(found))


_NO_LINKS = ("dumb", "linux", "")


def _screen(case: str) -> Screen:
    """A terminal as it is, with colours and hyperlinks if it takes them; else plain text of 100 columns."""
    from runcase.report.terminal import Screen

    if not sys.stdout.isatty():
        return Screen(color=False, width=100)
    color = "NO_COLOR" not in os.environ
    linked = color and os.environ.get("TERM", "") not in _NO_LINKS
    width = max(40, shutil.get_terminal_size().columns)
    return Screen(color, width, _linked(case) if linked else None)


def _linked(case: str) -> str | None:
    """The address of the pages of a case; of one at a URL, only where a browser opens it."""
    from runcase.intake.remote import is_url, shown

    if is_url(case):
        return shown(case) if case.startswith("https://") else None
    return Path(case).resolve().as_uri()
