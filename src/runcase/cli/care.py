"""`runcase verify` and `runcase retain`: whether a case is still what was written, and what of it expires."""

from __future__ import annotations

import sys
from datetime import datetime

import click

from runcase.cli.look import CASE, FACE
from runcase.model.text import present

EXIT_DAMAGED = 3


@click.command()
@CASE
@FACE
def verify(case: str, face: str) -> None:
    """Hash every file of a case again, and say what is not as it was written.

    Ends with 3 when something is missing, changed or was not there before.
    """
    import json
    from dataclasses import asdict

    from runcase.ledger import places
    from runcase.ledger.sums import read_sums
    from runcase.ledger.sums import verify as verified

    opened = places.opened(case)
    found = verified(opened)
    files = len(read_sums(opened))
    if face == "json":
        click.echo(json.dumps({"files": files, "findings": [asdict(f) for f in found]}, indent=2))
    else:
        for f in found:
            click.echo(present(f"{f.path}: {f.message} [{f.code}]"))
        click.echo(f"{files:,} files checked: {f'{len(found):,} finding(s)' if found else 'all as they were written'}")
    if found:
        sys.exit(EXIT_DAMAGED)


@click.command()
@CASE
@click.option(
    "--policy", required=True, metavar="FILE", help="YAML: `raw`, `payloads`, `events`, each an age like 30d."
)
@click.option("--as-of", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Day from which ages count back.")
@click.option("--dry-run", is_flag=True, help="Only say what would expire.")
@FACE
def retain(case: str, policy: str, as_of: datetime, dry_run: bool, face: str) -> None:
    """Expire the raw bytes and the event detail that a policy no longer keeps.

    Run records, windows, manifests, cited events and dossiers stay; a tombstone with digest and size
    stands for what is gone, and `runcase raw` says so.
    """
    import json

    from runcase import upkeep

    gone = upkeep.retain(case, policy, as_of.date(), dry_run)
    figures = {"sources": gone.sources, "raw_bytes": gone.raw_bytes, "events": gone.events, "runs": len(gone.runs)}
    if face == "json":
        click.echo(json.dumps({**figures, "ageless_sources": gone.ageless, "dry_run": dry_run}, indent=2))
        return
    verb = "would expire" if dry_run else "expired"
    click.echo(f"{verb}: {gone.raw_bytes:,} raw bytes and {gone.events:,} events of {gone.sources:,} sources")
    click.echo(f"dossiers that say so: {len(gone.runs):,}")
    if gone.ageless:
        click.echo(f"{gone.ageless:,} sources have no time and never expire")
