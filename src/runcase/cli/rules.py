"""`runcase rules ...`: the rule laboratory."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runcase.cli.look import FACE
from runcase.cli.rules_case import coverage, suggest, why_not, write_new
from runcase.model.text import present

if TYPE_CHECKING:
    from runcase.lab.checking import Checked
    from runcase.lab.testing import Verdict
    from runcase.rules.yaml_source import Defect

EXIT_INVALID = 2
MAX_IMPORT_BYTES = 8 * 1024 * 1024
PACKS = click.argument("packs", nargs=-1, metavar="[PACK]...")
_LAYOUT = "\n\t"


@click.group()
def rules() -> None:
    """Check, test, explain, measure, suggest and import rule packs.

    PACK is the name of a shipped pack or a folder with a pack.yaml; without any, all shipped packs are meant.
    """


@rules.command()
@PACKS
@FACE
def check(packs: tuple[str, ...], face: str) -> None:
    """Find every problem of rule packs at once, each with file, line, column and a code frame."""
    from runcase.lab.checking import check as checked

    found = checked(_named(packs))
    click.echo(_print(_check_value(found)) if face == "json" else _check_text(found))
    if not found.ok:
        sys.exit(EXIT_INVALID)


@rules.command()
@PACKS
@click.option("--junit", "report", metavar="FILE", help="Write a JUnit report to this file.")
@click.option("-v", "--verbose", is_flag=True, help="List the tests that passed, too.")
@FACE
def test(packs: tuple[str, ...], report: str | None, verbose: bool, face: str) -> None:
    """Try every rule on its examples, and every pack on its scenarios."""
    from runcase.lab.running import run_tests

    verdicts = run_tests(_named(packs))
    if report is not None:
        from runcase.lab.junit import junit

        Path(report).write_text(junit(verdicts), encoding="utf-8")
    click.echo(_print(_test_value(verdicts)) if face == "json" else _test_text(verdicts, verbose))
    if not all(v.passed for v in verdicts):
        sys.exit(EXIT_INVALID)


@rules.command()
@click.argument("which", type=click.Choice(["pack", "rules", "scenario"]), default="pack")
def schema(which: str) -> None:
    """Print the JSON Schema of pack.yaml, of other rule files, or of scenario files, for editors."""
    from typing import cast

    from runcase.lab.schema import Which
    from runcase.lab.schema import schema as made

    click.echo(made(cast(Which, which)), nl=False)


@rules.command()
@PACKS
@click.option("--all", "every", is_flag=True, help="List the changes that were noticed, too.")
@FACE
def mutate(packs: tuple[str, ...], every: bool, face: str) -> None:
    """Change each rule in small ways, and tell which changes its examples do not notice."""
    from dataclasses import asdict

    from runcase.lab.mutating import mutated
    from runcase.rules.pack import load_packs

    found = [m for name in _named(packs) for m in mutated(load_packs([name])[-1])]
    survivors = [m for m in found if m.survived]
    if face == "json":
        rows = [asdict(m) for m in (found if every else survivors)]
        click.echo(_print({"changes": len(found), "survived": len(survivors), "mutants": rows}))
        return
    for m in found if every else survivors:
        state = "survives" if m.survived else "noticed "
        click.echo(_shown(f"{state}  {m.place}: {m.pack} {m.rule}: {m.change}"))
    noticed = len(found) - len(survivors)
    click.echo(f"{len(found)} changes, {noticed} noticed by the examples, {len(survivors)} survive")


@rules.command("import")
@click.argument("kind", type=click.Choice(["lnav", "grok"]))
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("-o", "--output", metavar="FOLDER", help="Write the pack into this new folder.")
def import_(kind: str, file: str, output: str | None) -> None:
    """Turn an lnav format file or a grok pattern file into a pack; what cannot be taken is said."""
    from runcase.lab import import_grok, import_lnav
    from runcase.lab.imported import as_pack

    with open(file, "rb") as f:
        data = f.read(MAX_IMPORT_BYTES)
    found = import_lnav.imported(data) if kind == "lnav" else import_grok.imported(data, Path(file).stem)
    files = as_pack(found)
    if output is None:
        click.echo(_shown(files["pack.yaml"]), nl=False)
        return
    write_new(Path(output), files)
    for note in found.left_out:
        click.echo(_shown(f"left out: {note}"), err=True)
    click.echo(f"{len(found.formats)} formats, {len(found.rules)} rules; try: runcase rules test {output}")


for _command in (why_not, coverage, suggest):
    rules.add_command(_command)


def _named(packs: tuple[str, ...]) -> tuple[str, ...]:
    from runcase.rules.pack import shipped_names

    return packs or tuple(shipped_names())


def _print(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=True)


def _shown(text: str) -> str:
    return present(text, keep=_LAYOUT)


# --- check ----------------------------------------------------------------------------------------


def _check_text(found: Checked) -> str:
    errors = sum(d.severity == "error" for d in found.defects)
    lines = [d.framed() for d in found.defects]
    lines += [f"note: {o}" for o in found.overrides]
    names = ", ".join(f"{p.name}@{p.digest} ({len(p.events)} event rules)" for p in found.packs)
    warnings = len(found.defects) - errors
    tail = f", {warnings} warning{'s' if warnings != 1 else ''}" if warnings else ""
    noun = "problem" if errors == 1 else "problems"
    lines.append(f"{errors} {noun}{tail}{': ' if names else ''}{names}" if errors or tail else f"no problems: {names}")
    return _shown("\n".join(lines))


def _check_value(found: Checked) -> dict[str, Any]:
    return {
        "ok": found.ok,
        "packs": [{"name": p.name, "version": p.version, "digest": p.digest} for p in found.packs],
        "problems": [_defect_value(d) for d in found.defects],
        "overrides": [
            {"section": o.section, "id": o.id, "pack": o.pack, "at": str(o.place)}
            | {"replaces": {"pack": o.replaced_pack, "at": str(o.replaced_place)}}
            for o in found.overrides
        ],
    }


def _defect_value(defect: Defect) -> dict[str, Any]:
    place = {"file": defect.place.file, "line": defect.place.line, "column": defect.place.column}
    return {**place, "severity": defect.severity, "message": defect.message}


# --- test -----------------------------------------------------------------------------------------


def _test_text(verdicts: list[Verdict], verbose: bool) -> str:
    failed = [v for v in verdicts if not v.passed]
    lines = [f"ok    {v.pack} {v.subject}: {v.title}" for v in verdicts if verbose and v.passed]
    for v in failed:
        lines += [f"FAIL  {v.place}: {v.pack} {v.subject}: {v.title}"]
        lines += [f"      {line}" for line in v.failure.splitlines()]
    packs = len({v.pack for v in verdicts})
    lines.append(f"{len(verdicts) - len(failed)} passed, {len(failed)} failed, {packs} pack{'s' if packs != 1 else ''}")
    return _shown("\n".join(lines))


def _test_value(verdicts: list[Verdict]) -> dict[str, Any]:
    rows = [
        {"pack": v.pack, "rule": v.subject, "test": v.title, "at": v.place, "passed": v.passed, "failure": v.failure}
        for v in verdicts
    ]
    failed = sum(not v.passed for v in verdicts)
    return {"passed": len(verdicts) - failed, "failed": failed, "tests": rows}
