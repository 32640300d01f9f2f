"""`runcase completion`, and what a shell is offered for a RUN."""

from __future__ import annotations

import json
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from runcase.model.text import present

MAX_OFFERED = 200


def run_ids(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Run ids of the case that begin with what was typed; a case that cannot be read offers none."""
    try:
        known = json.loads((Path(context.params.get("case") or "case") / "case.json").read_bytes())["runs"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    found = sorted(r for r in known if r.startswith(incomplete) and present(r) == r and ":" not in r)
    return [CompletionItem(r) for r in found[:MAX_OFFERED]]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes SHELL complete runcase: eval "$(runcase completion bash)" in its start file."""
    made = get_completion_class(shell)
    if made is not None:
        click.echo(made(context.find_root().command, {}, "runcase", "_RUNCASE_COMPLETE").source())
