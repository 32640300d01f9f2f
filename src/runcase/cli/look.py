"""`runcase show` and `runcase raw`: a finished case in the terminal."""

from __future__ import annotations

import os
import shutil
import sys

import click

CASE = click.option("-c", "--case", default="case", metavar="CASE", help="Folder of the case (default: case).")
FACE = click.option("--format", "face", type=click.Choice(["text", "json"]), default="text", help="How to print.")


@click.command()
@click.argument("run", required=False)
@CASE
@FACE
def show(run: str | None, case: str, face: str) -> None:
    """List the runs of a case, or show the first screen of one RUN."""
    from runcase import pipeline
    from runcase.report import terminal
    from runcase.report.json_face import index_json, to_json

    if run is None:
        index = pipeline.case_index(case)
        click.echo(index_json(index) if face == "json" else terminal.run_list(index, *_terminal()))
    else:
        dossier = pipeline.one_dossier(case, run)
        click.echo(to_json(dossier) if face == "json" else terminal.first_screen(dossier, *_terminal()))


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
        click.echo(raw_json(found))
    elif found.data is not None and (verbatim or not sys.stdout.isatty()):
        sys.stdout.buffer.write(found.data)
    else:
        click.echo(terminal.raw_view(found))


def _terminal() -> tuple[bool, int]:
    """Whether to colour, and how wide to write: a terminal that allows it, else plain text of 100 columns."""
    if not sys.stdout.isatty():
        return False, 100
    return "NO_COLOR" not in os.environ, max(40, shutil.get_terminal_size().columns)
