"""What a rule means, spelled as plainly as possible: one record, one rule, one condition at a time.

Only the regular expressions are the engine's own; everything else is Python.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import polars as pl

from runcase.rules.language import EventRule, Match

Record = Mapping[str, Any]


@cache
def found(pattern: str, text: str) -> bool:
    return bool(pl.Series([text]).str.contains(pattern)[0])


@cache
def groups(pattern: str, text: str) -> dict[str, str | None]:
    return dict(pl.Series([text]).str.extract_groups(pattern)[0])


def text_of(record: Record, on: str) -> str | None:
    if on.startswith("fields."):
        value = json.loads(record["fields"] or "{}").get(on.removeprefix("fields."))
        return None if value is None else str(value)
    value = record[on]
    return None if value is None else str(value)


def glob(wanted: str, text: str | None) -> bool:
    if text is None:
        return False
    spelled = "".join(
        "[^/]+" if p.startswith("{") else ".*" if p == "*" else "." if p == "?" else re.escape(p)
        for p in re.findall(r"\{\w+\}|.", wanted)
    )
    return re.fullmatch(spelled, text, re.DOTALL) is not None


def compared(value: str | None, wanted: str) -> bool:
    if wanted == "exists":
        return value is not None
    if wanted == "absent":
        return value is None
    if value is None:
        return False
    if wanted.startswith("~"):
        return found(wanted[1:].strip(), value)
    if wanted.startswith("in("):
        return value in [v.strip() for v in wanted[3:-1].split(",")]
    m = re.fullmatch(r"(>=|<)(\d+)", wanted)
    if m is None:
        return value == wanted
    try:
        number = float(value)
    except ValueError:
        return False
    return number >= float(m[2]) if m[1] == ">=" else number < float(m[2])


def lower(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


def holds(match: Match, record: Record) -> bool:
    text = text_of(record, match.on)
    return (
        (match.pattern is None or (text is not None and found(match.pattern, text)))
        and (not match.contains or (text is not None and any(lower(c) in lower(text) for c in match.contains)))
        and (not match.level or record["level"] in match.level)
        and (match.stream is None or glob(match.stream, record["stream"]))
        and (match.source is None or glob(match.source, record["path"]))
        and (match.stage is None or glob(match.stage, record["stage"]))
        and all(compared(text_of(record, f"fields.{k}"), v) for k, v in match.fields.items())
        and all(holds(m, record) for m in match.all_of)
        and (not match.any_of or any(holds(m, record) for m in match.any_of))
        and not any(holds(m, record) for m in match.none_of)
    )


def captured(match: Match, record: Record) -> dict[str, str]:
    """Captures of the patterns in their order; the first that is not empty counts."""
    told: dict[str, str] = {}
    if match.pattern is not None and (text := text_of(record, match.on)) is not None:
        told |= {k: v for k, v in groups(match.pattern, text).items() if v and not k.isdigit()}
    for part in (*match.all_of, *match.any_of):
        told = captured(part, record) | told
    return told


def named(rules: Sequence[EventRule], record: Record) -> EventRule | None:
    """The first rule that matches: by descending priority, then in order."""
    ordered = sorted(rules, key=lambda r: -r.priority)
    return next((r for r in ordered if holds(r.match, record)), None)
