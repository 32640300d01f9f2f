"""`runcase windows`, `graph`, `replay` and `compare`: questions to a finished case."""

from __future__ import annotations

import json
from typing import Any

import click

from runcase.cli.complete import run_ids
from runcase.cli.look import CASE, FACE
from runcase.model.text import json_quiet, present_line


@click.command()
@click.argument("run", shell_complete=run_ids)
@CASE
@click.option("--attempt", type=int, help="Only this attempt.")
@FACE
def windows(run: str, case: str, attempt: int | None, face: str) -> None:
    """Show where the time of RUN went: windows, stages, tool calls, gaps, the residual, the critical path."""
    from runcase import inquiry
    from runcase.report import answers
    from runcase.report.json_face import as_contract

    found = inquiry.times(case, run)
    if face == "text":
        click.echo(answers.windows_text(found.dossier, found.chain, attempt))
        return
    spelled = as_contract(found.dossier)
    rows = [w for part in ("windows", "stages", "tools", "gaps") for w in spelled[part]]
    mine = [w for w in rows if attempt in (None, w["attempt"])]
    _print(answers.windows_value(found.dossier, found.chain, mine))


@click.command()
@click.argument("run", shell_complete=run_ids)
@CASE
@click.option("--of", "name", metavar="NAME", help="Only what lies upstream and downstream of this artifact or stage.")
@click.option("--format", "face", type=click.Choice(["text", "json", "graphml"]), default="text", help="How to print.")
def graph(run: str, case: str, name: str | None, face: str) -> None:
    """Show what the stages of RUN read and made, and what of it is verified."""
    from runcase import finished
    from runcase.report import graph_face

    dossier = finished.one_dossier(case, run)
    drawn = graph_face.graph(dossier)
    node = graph_face.node_of(drawn, name) if name is not None else None
    if face == "json":
        _print(graph_face.as_value(dossier, drawn, node))
    elif face == "graphml":
        click.echo(graph_face.as_graphml(drawn))
    else:
        click.echo(graph_face.as_text(dossier, drawn, node))


@click.command()
@click.argument("run", shell_complete=run_ids)
@CASE
@click.option("--workspace", metavar="DIR", help="Check the claimed files against this folder as it is today.")
@click.option("--rules", multiple=True, metavar="PACK", help="Packs of the build that are not shipped; with DIR.")
@FACE
def replay(run: str, case: str, workspace: str | None, rules: tuple[str, ...], face: str) -> None:
    """Show from where RUN can safely be rerun. Nothing is run."""
    from dataclasses import asdict

    from runcase import inquiry
    from runcase.report import answers

    found = inquiry.replay(case, run, workspace, rules)
    if face == "json":
        value = asdict(found) | {"run_id": present_line(found.run_id)}
        _print({"schema": "runcase/replay/1", **value})
        return
    c = found.checked
    checked = answers.checked_text(c.looked_for, c.found, c.missing, c.mismatch) if c else ""
    click.echo(answers.replay_text(found.run_id, found.status, found.plan, found.why_none, checked))


@click.command()
@click.argument("a")
@click.argument("b", required=False)
@CASE
@FACE
def compare(a: str, b: str | None, case: str, face: str) -> None:
    """Show what tells two attempts apart; A and B are RUN or RUN@ATTEMPT.

    Without B: the last good run of the same job, or else the attempt before.
    """
    from runcase import inquiry
    from runcase.report import answers

    found = inquiry.comparison(case, a, b)
    if face == "json":
        _print(answers.comparison_value(found))
    else:
        click.echo(answers.comparison_text(found))


def _print(value: dict[str, Any]) -> None:
    click.echo(json_quiet(json.dumps(value, indent=1, ensure_ascii=False)))
