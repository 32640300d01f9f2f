"""`runcase export`: a run in the formats of other tools."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from runcase.cli.complete import run_ids
from runcase.cli.look import CASE
from runcase.model.text import present

FORMATS = ("junit", "sarif", "otlp", "perfetto", "openlineage", "rocrate", "csv")


@click.command()
@click.argument("run", shell_complete=run_ids)
@CASE
@click.option("--to", "target", type=click.Choice(FORMATS), required=True, help="The format.")
@click.option("-o", "--output", metavar="FILE", help="Write here instead of to standard output.")
def export(run: str, case: str, target: str, output: str | None) -> None:
    """Write RUN in a format that another tool reads; what that format cannot carry is said on standard error."""
    from runcase import finished
    from runcase.report.exports import EXPORTS

    made = EXPORTS[target](finished.one_report(case, run))
    if output is not None:
        Path(output).write_bytes(made.data)
    elif made.binary and sys.stdout.isatty():
        raise click.UsageError(f"{target} is a binary format: name a file with -o")
    elif sys.stdout.isatty():
        click.echo(present(made.data, keep="\n\t"), nl=False)
    else:
        sys.stdout.buffer.write(made.data)
    for sentence in made.loss:
        click.echo(present(f"left out: {sentence}"), err=True)
