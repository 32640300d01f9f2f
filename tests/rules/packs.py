"""Packs for tests: a folder with the text that a test is about."""

from __future__ import annotations

from pathlib import Path

from runcase.lab.checking import check
from runcase.rules.language import Pack
from runcase.rules.pack import load_packs

EXAMPLES = "    examples: {match: [boom], no_match: [calm]}\n"


def written(folder: Path, body: str, name: str = "mine", **files: str) -> Path:
    """A pack folder of this name; `body` follows the head of pack.yaml, `files` are further rule files."""
    pack = folder / name
    pack.mkdir(parents=True, exist_ok=True)
    (pack / "pack.yaml").write_text(f'name: {name}\nversion: "1"\n{body}')
    for stem, text in files.items():
        (pack / f"{stem}.yaml").write_text(text)
    return pack


def loaded(folder: Path, body: str, name: str = "mine") -> Pack:
    """The pack of this text, which must be sound."""
    return load_packs([str(written(folder, body, name))])[-1]


def problems(folder: Path, body: str) -> list[str]:
    """`file:line:column: message` of everything that a check finds."""
    return [f"{d.place}: {d.message}" for d in check([str(written(folder, body))]).defects]


def event(match: str, rule_id: str = "a", more: str = "", examples: str = EXAMPLES) -> str:
    """One event rule as YAML, without the `events:` line."""
    return f"  - id: {rule_id}\n    kind: error\n    match: {match}\n{more}{examples}"
