"""`runcase init`: a starter pack."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from runcase.cli.rules_case import pack_name, write_new
from runcase.model.text import present


@click.command()
@click.argument("samples", nargs=-1, required=True, metavar="SAMPLE...")
@click.option("-o", "--output", metavar="FOLDER", required=True, help="Folder of the new pack.")
@click.option("--rules", multiple=True, metavar="PACK", help="A pack whose rules are known already.")
def init(samples: tuple[str, ...], output: str, rules: tuple[str, ...]) -> None:
    """Write a commented starter pack from a SAMPLE of your logs (files, folders, archives)."""
    from runcase import arrivals
    from runcase.intake.inputs import spooling
    from runcase.lab.schema import schema
    from runcase.lab.starter import starter
    from runcase.rules.pack import load_packs
    from runcase.settings import resolve

    settings = resolve(samples, output, rules)
    with tempfile.TemporaryDirectory() as folder, spooling(Path(folder) / "spool") as spool:
        made = starter(arrivals.all_units(settings, spool, Path(output)), load_packs(settings.packs), pack_name(output))
    write_new(Path(output), {**made.files, "pack.schema.json": schema("pack")})
    ids = f", ids found: {', '.join(made.ids)}" if made.ids else ""
    click.echo(f"{made.records:,} records, {made.unknown:,} of them unknown; {made.rules} rules written{ids}")
    click.echo(present(f"next: runcase rules test {output}; then runcase build ... --rules {output}"))
