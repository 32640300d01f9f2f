"""JSON that needs no inner places: whole small documents, and one value a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from runcase.model.problems import Problem


@dataclass(frozen=True, slots=True)
class Element:
    """One value and the line that holds it, bytes."""

    start: int
    length: int
    value: object


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that is no JSON."""

    start: int
    length: int
    why: str

    def problem(self, path: str) -> Problem:
        """As a row of the ledger; the line is set aside."""
        message = f"not JSON: {self.why}"
        return Problem("malformed_json", "error", message, path, None, self.start, self.length, None, self.length)


def lines(data: bytes) -> Iterator[Element | Broken]:
    """Every line that is not blank, in order."""
    at = 0
    for line in data.splitlines(keepends=True):
        if line.strip():
            try:
                yield Element(at, len(line), _value(line))
            except ValueError as e:
                yield Broken(at, len(line), str(e))
        at += len(line)


def whole(data: bytes) -> object | None:
    """The document as one value, or None when it is none."""
    try:
        return _value(data)
    except ValueError:
        return None


def _value(data: bytes) -> object:
    try:
        return json.loads(data.decode("utf-8-sig", "surrogateescape"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
