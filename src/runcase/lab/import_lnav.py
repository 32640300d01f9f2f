"""lnav format files (https://docs.lnav.org/en/latest/formats.html) to line formats of a pack."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from runcase.lab.imported import NAMES, Format, Imported, slug
from runcase.model.problems import RuncaseError
from runcase.rules.patterns import checked_pattern

_TIME_LETTERS = {"%L": "%3f", "%f": "%6f", "%N": "%9f", "%i": "%s"}
"""What lnav's time formats spell otherwise than ours: milliseconds, microseconds, nanoseconds, seconds of the epoch."""


def imported(data: bytes) -> Imported:
    """The formats of one file.

    Raises:
        RuncaseError: `bad_value` when it is no lnav format file.
    """
    try:
        told = json.loads(data)
    except (ValueError, RecursionError) as e:
        raise RuncaseError("bad_value", f"no lnav format file: {e}", "it is JSON, one object a format") from None
    formats = {k: v for k, v in told.items() if isinstance(v, dict)} if isinstance(told, dict) else {}
    if not formats:
        raise RuncaseError("bad_value", "no lnav format file: it has no format", "it is JSON, one object a format")
    made: list[Format] = []
    left: list[str] = []
    for name, spec in formats.items():
        for found in _formats(name, spec):
            if isinstance(found, Format):
                made.append(found)
            else:
                left.append(found)
    first_name, first = next(iter(formats.items()))
    text = str(first.get("description") or first.get("title") or first_name)
    return Imported(slug(first_name), " ".join(text.split()), tuple(made), (), tuple(left))


def _formats(name: str, spec: Mapping[str, Any]) -> Iterator[Format | str]:
    """A format for each of its patterns, or why there is none."""
    if spec.get("json") or spec.get("file-type") == "json":
        yield f"{name}: JSON lines are read without a declared format"
        return
    patterns = spec.get("regex")
    for key, one in patterns.items() if isinstance(patterns, dict) else ():
        pattern = one.get("pattern") if isinstance(one, dict) else None
        if isinstance(pattern, str):
            yield _format(name, key, pattern, spec)


def _format(name: str, key: str, pattern: str, spec: Mapping[str, Any]) -> Format | str:
    renamed = _renamed(pattern, spec)
    try:
        checked_pattern(renamed)
    except ValueError as e:
        return f"{name}.{key}: {e}"
    if "(?P<ts>" not in renamed and "(?P<message>" not in renamed:
        return f"{name}.{key}: it captures neither a time nor a body"
    samples = tuple(s for s in _samples(spec) if pl.Series([s]).str.contains(renamed)[0])
    return Format(slug(f"{name}-{key}"), renamed, samples[:5], _ts_format(spec))


def _renamed(pattern: str, spec: Mapping[str, Any]) -> str:
    """The pattern with our names of captures."""
    own = {
        str(spec.get("timestamp-field", "timestamp")): "ts",
        str(spec.get("level-field", "level")): "level",
        str(spec.get("body-field", "body")): "message",
    }
    taken: set[str] = set()

    def name(m: re.Match[str]) -> str:
        wanted = own.get(m[1]) or NAMES.get(m[1], m[1])
        wanted = m[1] if wanted in taken else wanted
        taken.add(wanted)
        return f"(?P<{wanted}>"

    return re.sub(r"\(\?P?<([A-Za-z_]\w*)>", name, pattern)


def _samples(spec: Mapping[str, Any]) -> Iterator[str]:
    listed = spec.get("sample")
    for one in listed if isinstance(listed, list) else ():
        line = one.get("line") if isinstance(one, dict) else None
        if isinstance(line, str) and line:
            yield line.split("\n", 1)[0]


def _ts_format(spec: Mapping[str, Any]) -> str | None:
    """The time format, where there is exactly one; with several, times are detected."""
    listed = spec.get("timestamp-format")
    if not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], str):
        return None
    return re.sub(r"%[LfNi]", lambda m: _TIME_LETTERS[m[0]], listed[0])
