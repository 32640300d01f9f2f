"""What every export gives, and how instants, ids and times of a dossier are spelled for others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from runcase.report.dossier import Attempt, Dossier, Window
from runcase.report.instants import micros

PRODUCER = "runcase"
HOME = "https://runcase.invalid/"
"""Stands where a format demands an address of the producer; the name is reserved (RFC 2606), so nothing answers."""


@dataclass(frozen=True, slots=True)
class Exported:
    """The bytes of a file, and one sentence for each thing that the format could not carry."""

    data: bytes
    loss: tuple[str, ...]
    binary: bool = False


def as_json(value: Any, loss: list[str]) -> Exported:
    """One JSON document in UTF-8."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    return Exported((text + "\n").encode("utf-8", "backslashreplace"), tuple(loss))


@dataclass(frozen=True, slots=True)
class Timed:
    """A span that both boundaries are known of."""

    window: Window
    start: int
    end: int


def timed(d: Dossier) -> list[Timed]:
    """Windows, stages and tool calls that are closed, in order of time."""
    found = []
    for w in (*d.windows, *d.stages, *d.tools):
        start, end = micros(w.start), micros(w.end)
        if w.state == "closed" and start is not None and end is not None and end >= start:
            found.append(Timed(w, start, end))
    return sorted(found, key=lambda t: (t.start, -t.end, t.window.kind, t.window.name, t.window.attempt or 0))


def unended(d: Dossier) -> list[Window]:
    """Windows, stages and tool calls of which a boundary is missing."""
    held = {id(t.window) for t in timed(d)}
    return [w for w in (*d.windows, *d.stages, *d.tools) if w.kind != "residual" and id(w) not in held]


def run_bounds(d: Dossier) -> tuple[int, int] | None:
    """First and last instant of the run; None when the evidence holds no time."""
    starts = [m for m in map(micros, (d.run.created_at, d.run.first_ts)) if m is not None]
    ends = [m for m in map(micros, (d.run.finished_at, d.run.last_ts)) if m is not None]
    return (min(starts), max(max(ends), min(starts))) if starts and ends else None


def attempt_bounds(a: Attempt) -> tuple[int, int] | None:
    """First and last instant of an attempt, when both were seen."""
    starts = [m for m in map(micros, (a.created_at, a.claimed_at, a.started_at)) if m is not None]
    end = micros(a.finished_at)
    return (min(starts), end) if starts and end is not None and end >= min(starts) else None


def digest(*parts: object, chars: int) -> str:
    """Hex digits that are equal for equal parts on every machine."""
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "backslashreplace")).hexdigest()[:chars]


def unended_words(d: Dossier) -> Iterator[str]:
    """The loss of a format in which every span ends."""
    for w in unended(d)[:20]:
        where = f" of attempt {w.attempt}" if w.attempt is not None else ""
        yield f"{w.kind} {w.name}{where} is {w.state} ({w.reason or 'no reason known'}) and has no span"
    if len(unended(d)) > 20:
        yield f"{len(unended(d)) - 20} more spans without an end are left out"
