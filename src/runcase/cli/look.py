"""`runcase show` and `runcase raw`: a finished case in the terminal."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

from runcase.model.text import json_quiet

CASE = click.option("-c", "--case", default="case", metavar="CASE", help="Folder of the case (default: case).")
FACE = click.option("--format", "face", type=click.Choice(["text", "json"]), default="text", help="How to print.")


DIALECTS = ("github", "gitlab", "jira", "azure", "slack", "plain")
STEP_SUMMARY_BYTES = 1_048_576
"""What GitHub takes as the summary of a step."""


@click.command()
@click.argument("run", required=False)
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
    from runcase import pipeline
    from runcase.report import terminal
    from runcase.report.json_face import index_json, to_json

    if run is None:
        index = pipeline.case_index(case)
        return json_quiet(index_json(index)) if face == "json" else terminal.run_list(index, *_terminal())
    dossier = pipeline.one_dossier(case, run)
    return json_quiet(to_json(dossier)) if face == "json" else terminal.first_screen(dossier, *_terminal())


def _ticket(case: str, run: str | None, dialect: str, limit: int | None) -> str:
    from runcase import pipeline
    from runcase.report import dialects, index_markdown, markdown

    if run is None:
        return index_markdown.render_index(pipeline.case_index(case))
    return markdown.ticket(pipeline.one_dossier(case, run), dialects.dialect(dialect), limit)


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
    from runcase import pipeline
    from runcase.report import terminal
    from runcase.report.json_face import raw_json

    found = pipeline.raw_evidence(case, ref)
    if face == "json":
        click.echo(json_quiet(raw_json(found)))
    elif found.data is not None and (verbatim or not sys.stdout.isatty()):
        sys.stdout.buffer.write(found.data)
    else:
        click.echo(terminal.raw_view(found))


def _terminal() -> tuple[bool, int]:
    """Whether to colour, and how wide to write: a terminal that allows it, else plain text of 100 columns."""
    if not sys.stdout.isatty():
        return False, 100
    return "NO_COLOR" not in os.environ, max(40, shutil.get_terminal_size().columns)
