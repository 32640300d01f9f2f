"""What an import of somebody else's format yields: formats and event rules of a pack, and what could not be taken."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from runcase.lab.suggest import scalar

NAMES = {
    "timestamp": "ts",
    "@timestamp": "ts",
    "time": "ts",
    "datetime": "ts",
    "date": "ts",
    "loglevel": "level",
    "log_level": "level",
    "severity": "level",
    "body": "message",
    "msg": "message",
    "class": "logger",
    "module": "logger",
    "logger_name": "logger",
}
"""Names of captures elsewhere -> what a line format calls them."""


@dataclass(frozen=True, slots=True)
class Format:
    """A line format: how a line tells its time, level and message."""

    id: str
    pattern: str
    samples: tuple[str, ...] = ()
    ts_format: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """An event rule with one line that it matches."""

    id: str
    pattern: str
    example: str


@dataclass(frozen=True, slots=True)
class Imported:
    """A pack in the making, and what was left out with the reason."""

    name: str
    description: str
    formats: tuple[Format, ...]
    rules: tuple[Rule, ...]
    left_out: tuple[str, ...]


def slug(text: str) -> str:
    """An id from a name."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip(".-_")[:70] or "imported"


def as_pack(found: Imported) -> dict[str, str]:
    """File name -> text of the pack."""
    head = [f"name: {slug(found.name)}", 'version: "1"', f"description: {scalar(found.description)}"]
    body = [*_formats(found.formats), *_rules(found.rules)]
    notes = [f"# left out: {note}" for note in found.left_out]
    return {"pack.yaml": "\n".join([*head, "", *notes, *body]) + "\n"}


def _formats(formats: Sequence[Format]) -> list[str]:
    if not formats:
        return []
    lines = ["formats:"]
    for one in formats:
        lines += [f"  - id: {one.id}", f"    pattern: {scalar(one.pattern)}"]
        lines += [f"    ts_format: {scalar(one.ts_format)}"] if one.ts_format else []
        lines += ["    samples:", *(f"      - {scalar(s)}" for s in one.samples)] if one.samples else []
    return lines


def _rules(rules: Sequence[Rule]) -> list[str]:
    if not rules:
        return []
    lines = ["events:"]
    for one in rules:
        lines += [
            f"  - id: {one.id}",
            "    kind: log",
            f"    match: {scalar(one.pattern)}",
            "    examples:",
            "      match:  # made from the pattern; put a line of yours here",
            f"        - {scalar(one.example)}",
            "      no_match: ['']",
        ]
    return lines
