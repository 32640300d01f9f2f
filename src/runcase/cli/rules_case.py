"""`runcase rules` on a finished case: why-not, coverage, suggest."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runcase.cli.look import CASE, FACE
from runcase.model.problems import RuncaseError
from runcase.model.text import present

if TYPE_CHECKING:
    from runcase.lab.coverage import Coverage, RuleUse, Share
    from runcase.lab.suggest import Suggestion

RULES = click.option("--rules", "packs", multiple=True, metavar="PACK", help="A further pack: a name or a folder.")
_LAYOUT = "\n\t"


@click.command("why-not")
@click.argument("ref")
@click.argument("rule")
@CASE
@RULES
@FACE
def why_not(ref: str, rule: str, case: str, packs: tuple[str, ...], face: str) -> None:
    """Say why RULE does not name the record at REF: the first condition that failed, and on which text."""
    from runcase.lab.why_not import why_not as asked

    found = asked(case, ref, rule, packs)
    if face == "json":
        click.echo(json.dumps(asdict(found), indent=2))
        return
    click.echo(present(f"{found.rule} and {found.ref}\n{found.text}", keep=_LAYOUT))


@click.command()
@click.argument("case")
@RULES
@click.option("--all", "every", is_flag=True, help="List every rule, not only dead and overlapping ones.")
@FACE
def coverage(case: str, packs: tuple[str, ...], every: bool, face: str) -> None:
    """Say how much of CASE is explained: lines, bytes, wall time; dead rules; overlaps.

    Wall time counts from each record to the next of its source.
    """
    from runcase.lab.coverage import coverage as counted

    found = counted(case, packs)
    click.echo(json.dumps(_value(found), indent=2) if face == "json" else present(_text(found, every), keep=_LAYOUT))


@click.command()
@click.argument("case")
@RULES
@click.option("--limit", type=click.IntRange(1, 500), default=20, help="How many rules at most (default: 20).")
@click.option("-o", "--output", metavar="FOLDER", help="Write a whole pack into this new folder.")
@FACE
def suggest(case: str, packs: tuple[str, ...], limit: int, output: str | None, face: str) -> None:
    """Suggest rules for the unknown records of CASE, those first that explain most time and failure."""
    from runcase.lab.suggest import as_pack, as_yaml, suggestions

    found = suggestions(case, packs, limit)
    if output is not None:
        write_new(Path(output), as_pack(found, pack_name(output)))
        click.echo(f"{len(found)} rules written; try: runcase rules test {output}")
    elif face == "json":
        click.echo(json.dumps([_suggestion(s) for s in found], indent=2))
    else:
        click.echo(present(as_yaml(found), keep=_LAYOUT), nl=False)


def pack_name(folder: str) -> str:
    """A pack's name from that of its folder."""
    name = re.sub(r"[^a-z0-9._-]+", "-", Path(folder).name.lower()).strip(".-_")
    return name[:60] or "mine"


def write_new(folder: Path, files: dict[str, str]) -> None:
    """Writes files into a folder that is new or empty.

    Raises:
        RuncaseError: `bad_value` when it holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RuncaseError("bad_value", f"{folder} is not empty", "name a new folder with -o")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def _suggestion(s: Suggestion) -> dict[str, Any]:
    m = s.mined
    counts = {"records": m.events, "lines": m.lines, "bytes": m.bytes, "runs": m.runs}
    shares = {"time_share": round(m.time_share, 6), "failure_share": round(m.failure_share, 6)}
    rule = {"id": s.rule_id, "kind": s.kind, "match": s.pattern}
    texts = {"template": m.template.shown, "template_id": m.template.id, "examples": list(m.examples)}
    return {**rule, **texts, "no_match": [s.no_match], **counts, **shares}


def _value(found: Coverage) -> dict[str, Any]:
    shares = {
        name: asdict(share) | {"explained": round(share.explained, 6)}
        for name, share in (("lines", found.lines), ("bytes", found.bytes), ("time_us", found.time_us))
    }
    overlaps = [{"named_by": w, "also_matched": o, "events": n} for w, o, n in found.overlaps]
    rules = [asdict(r) | {"beaten_by": dict(r.beaten_by)} for r in found.rules]
    return {
        **shares,
        "events": found.events,
        "sampled": found.sampled,
        "rules": rules,
        "dead": [r.rule for r in found.dead],
        "overlaps": overlaps,
        "notes": list(found.notes),
    }


def _text(found: Coverage, every: bool) -> str:
    lines = [f"note: {n}" for n in found.notes]
    lines += [_share("lines", found.lines), _share("bytes", found.bytes), _share("wall time", found.time_us, 1e6)]
    if every:
        lines += ["", "rules, by events named:"]
        ranked = sorted(found.rules, key=lambda r: (-r.named, r.rule))
        lines += [f"  {r.named:>9,}  {r.rule}  {r.place}" for r in ranked if r.named]
    lines += ["", f"dead rules, which name nothing here: {len(found.dead)}"]
    lines += [f"  {r.rule}  {_dead(r)}" for r in found.dead if every or r.matched]
    shown = found.overlaps if every else found.overlaps[:20]
    scope = "" if found.sampled == found.events else f", counted on {found.sampled:,} of {found.events:,} events"
    lines += ["", f"overlaps, where a further rule matched too: {len(found.overlaps)}{scope}"]
    lines += [f"  {n:>9,}  {winner} named, {other} matched too" for winner, other, n in shown]
    return "\n".join(lines)


def _share(name: str, share: Share, unit: float = 1) -> str:
    shown = f"{share.total / unit:,.0f}{' s' if unit != 1 else ''}"
    parts = f"rules {_percent(share.rules, share.total)}, readers {_percent(share.readers, share.total)}"
    return f"{name:<10} {share.explained:7.1%} of {shown} explained ({parts})"


def _percent(part: int, total: int) -> str:
    return f"{part / total:.1%}" if total else "-"


def _dead(use: RuleUse) -> str:
    if not use.matched:
        return "matches nothing"
    return f"matches {use.matched:,}, always named by {use.beaten_by[0][0] if use.beaten_by else 'a reader'}"
