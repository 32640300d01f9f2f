"""`runcase readers`: what can be read, and which reader takes what."""

from __future__ import annotations

import json
from pathlib import Path

import click

from runcase.cli.look import FACE
from runcase.model.problems import RuncaseError
from runcase.model.text import json_quiet, present_line


@click.command()
@click.argument("path", required=False)
@FACE
def readers(path: str | None, face: str) -> None:
    """List the producers that are known, or say which reader takes each file in PATH, and why."""
    rows = _known() if path is None else _taken(Path(path))
    if face == "json":
        click.echo(json_quiet(json.dumps(rows, indent=2, ensure_ascii=False)))
    elif path is None:
        width = max(len(str(r["reader"])) for r in rows)
        click.echo("\n".join(f"{r['reader']!s:{width}}  {r['versions']}" for r in rows))
    else:
        click.echo("\n".join(line for r in rows for line in _lines(r)))


def _known() -> list[dict[str, object]]:
    from runcase.intake.readers.base import DocumentReader
    from runcase.intake.readers.registry import READERS

    return [
        {
            "reader": r.name,
            "versions": r.versions,
            "reads": "documents" if isinstance(r, DocumentReader) else "text",
            "describes_run": r.describes_run,
        }
        for r in sorted(READERS, key=lambda r: r.name)
    ]


def _taken(path: Path) -> list[dict[str, object]]:
    from runcase.intake.survey import survey

    if not path.exists():
        raise RuncaseError("missing_path", f"{path} does not exist")
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file() and not p.is_symlink())
    rows: list[dict[str, object]] = []
    for file in files:
        name = file.name if file == path else f"{path.name}/{file.relative_to(path).as_posix()}"
        for choice in survey(file, name):
            others = [{"reader": reader, "reason": reason} for reader, reason in choice.others]
            known = choice.reader.name if choice.reader else None
            rows.append({"path": choice.path, "reader": known, "reason": choice.reason, "also": others})
    return rows


def _lines(row: dict[str, object]) -> list[str]:
    also = row["also"] if isinstance(row["also"], list) else []
    head = [str(present_line(str(row["path"]))), f"  {row['reader'] or 'no reader'}: {row['reason']}"]
    return head + [f"  also {other['reader']}: {other['reason']}" for other in also]
