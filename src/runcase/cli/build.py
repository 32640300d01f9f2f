"""`runcase build`: the main job."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import click

from runcase.model.kinds import FAILED
from runcase.model.text import present

if TYPE_CHECKING:
    import polars as pl

    from runcase.ledger.workers import Crew
    from runcase.pipeline import Built, Progress
    from runcase.settings import Settings

EXIT_FAILED_RUNS = 1
EXIT_QUARANTINED = 3

EARLY_WORKERS = 2
"""Processes that are started before it is known how many there is work for."""


@click.command()
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@click.option(
    "-o", "--output", "case", metavar="CASE", required=True, help="Folder or URL of the case; made if missing."
)
@click.option("--rules", multiple=True, metavar="PACK", help="A further rule pack: a shipped name or a folder.")
@click.option("--jobs", type=int, metavar="N", help="Worker processes (default: one a core).")
@click.option("--scheduler", metavar="ADDRESS", help="Read on the workers of a Dask cluster, tcp://host:port.")
@click.option("--keep-raw/--no-keep-raw", default=True, help="Keep the raw bytes in the ledger (default: keep).")
@click.option("--redact/--no-redact", default=True, help="Replace secrets before anything is written (default: do).")
@click.option("--max-size", metavar="SIZE", help="Size budget of a dossier's page, such as 400kB (default: 5MB).")
@click.option("--known-issues", metavar="FILE", help="YAML that links failures to tickets; the index shows them.")
@click.option("--reclassify", "again", is_flag=True, help="Apply the rules anew to the kept bytes of CASE; no INPUT.")
@click.option(
    "--fail-on",
    type=click.Choice(["failed"]),
    help="Exit with 1 when runs failed or were lost that new inputs tell of (or, where none is new, any INPUT).",
)
@click.option("--strict", is_flag=True, help="Exit with 3 when some evidence was quarantined.")
@click.option("--format", "face", type=click.Choice(["text", "json"]), default="text", help="What to print at the end.")
def build(
    inputs: tuple[str, ...],
    case: str,
    rules: tuple[str, ...],
    jobs: int | None,
    scheduler: str | None,
    keep_raw: bool,
    redact: bool,
    max_size: str | None,
    known_issues: str | None,
    again: bool,
    fail_on: str | None,
    strict: bool,
    face: str,
) -> None:
    """Read archives, folders and files of logs; write the ledger and a dossier for every run.

    INPUT is an archive (tar, zip, gz, bz2, xz, zst, lz4, 7z, nested), a folder, a
    file, a URL (s3://, https://, ...), or - for standard input; archives are read in
    place and never extracted.
    """
    from runcase import settings

    if again and inputs:
        raise click.UsageError("--reclassify takes no INPUT: it reads the kept bytes of the case")
    resolved = settings.resolve(
        (case,) if again else inputs,
        case,
        rules,
        jobs=jobs or os.cpu_count(),
        keep_raw=keep_raw,
        redact=redact,
        max_size=max_size,
        known_issues=known_issues,
        scheduler=scheduler,
    )
    if again:
        from runcase.cli.reclassified import told

        click.echo(told(resolved, face, _bar))
        return
    with started(resolved) as crew, _bar() as report:
        from runcase.ledger.serving import one_thread

        one_thread()
        from runcase import pipeline

        built = pipeline.build(resolved, report, crew)
    click.echo(_as_json(built) if face == "json" else _as_text(built))
    if strict and built.quarantined_bytes:
        sys.exit(EXIT_QUARANTINED)
    if fail_on and not _failed(built).is_empty():
        sys.exit(EXIT_FAILED_RUNS)


def started(settings: Settings) -> Crew:
    """The processes of a build, which load their libraries while this one loads its own."""
    from runcase.ledger.workers import Crew

    crew = Crew(settings.jobs, ("runcase.ledger.ingest",))
    alone = len(settings.inputs) == 1 and settings.inputs[0].is_file()
    if settings.scheduler is None:
        crew.start(1 if alone else EARLY_WORKERS)
    return crew


def _bar() -> AbstractContextManager[Callable[[Progress], None]]:
    """A progress bar on a terminal's stderr; silence elsewhere."""
    if not sys.stderr.isatty():
        return nullcontext(lambda _: None)
    from runcase.report.progress import bar

    return bar()


def _counts(built: Built) -> dict[str, int]:
    found = built.runs["status"].value_counts(sort=True).sort("count", "status", descending=[True, False])
    return dict(zip(found["status"].to_list(), found["count"].to_list(), strict=True))


def _failed(built: Built) -> pl.DataFrame:
    """RUNS that this build was asked about and that failed or were lost."""
    return built.runs.filter(built.runs["status"].is_in(FAILED) & built.runs["run_id"].is_in(sorted(built.asked)))


def _as_json(built: Built) -> str:
    import json

    body = {"case": str(built.case), "new_inputs": built.new_inputs, "known_inputs": built.known_inputs}
    body |= {
        "runs": _counts(built),
        "older_runs": built.older_runs,
        "failed_runs": sorted(_failed(built)["run_id"]),
        "quarantined_bytes": built.quarantined_bytes,
        "noticed": built.noticed.to_dicts(),
    }
    return json.dumps(body, indent=2)


def _as_text(built: Built) -> str:
    """The outcome first, then what was noticed of the evidence, then where to look."""
    runs = ", ".join(f"{n} {status}" for status, n in _counts(built).items())
    lines = [f"runs: {runs or _without_runs(built.events)}"]
    if built.older_runs:
        lines.append(f"{built.older_runs} of them {'was' if built.older_runs == 1 else 'were'} in the case before")
    if built.known_inputs:
        lines.append(f"{built.known_inputs} input(s) were in the case already and were not read again")
    if built.damage:
        lines.append(f"evidence is incomplete: {built.damage} problem(s), {built.quarantined_bytes:,} bytes set aside")
    lines += [f"  {present(f'{path}: {message}')} [{code}]" for _, code, path, message in built.noticed.iter_rows()]
    failed = _failed(built)
    if failed.height == 1:
        lines.append(f"dossier: {built.case}/runs/{built.folders[failed['run_id'][0]]}/dossier.html")
    lines.append(f"index:   {built.case}/index.html")
    return "\n".join(lines)


def _without_runs(events: int) -> str:
    if not events:
        return "none; no input holds a log record"
    told = "1 record belongs" if events == 1 else f"{events:,} records belong"
    return f"none; {told} to no run; the index lists their sources"
