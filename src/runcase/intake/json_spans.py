"""JSON with places: the elements of an array, or the lines of NDJSON, each with its offset and length in bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from runcase.model.problems import Problem

MAX_DEPTH = 200
"""Deeper nesting than any producer writes; the decoder recurses, so the depth is checked first."""

_SPACE = re.compile(r"[\s,]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Element:
    """One value and where it stands, bytes."""

    start: int
    length: int
    value: object


@dataclass(frozen=True, slots=True)
class Broken:
    """Where a value could not be read; the rest of the document is set aside."""

    start: int
    length: int
    why: str

    def problem(self, path: str) -> Problem:
        """As a row of the ledger."""
        message = f"not JSON: {self.why}; the rest is set aside"
        return Problem("malformed_json", "error", message, path, None, self.start, self.length, None, self.length)


def array_elements(data: bytes, key: str | None) -> Iterator[Element | Broken]:
    """Elements of the array under `key` (the first one in the document), or of the document itself if it is one."""
    text = data.decode("utf-8", "surrogateescape")
    begin = re.match(r"\ufeff?\s*\[", text)
    if begin is None and key is not None:
        begin = re.search(rf'"{re.escape(key)}"\s*:\s*\[', text)
    if begin is None:
        return
    yield from _elements(text, begin.end(), data)


def lines(data: bytes) -> Iterator[Element | Broken]:
    """NDJSON: one value a line. A broken line is one `Broken` of its own."""
    at = 0
    for line in data.splitlines(keepends=True):
        body = line.strip()
        if body:
            try:
                yield Element(at, len(line), _decoded(body.decode("utf-8", "surrogateescape"), 0)[0])
            except ValueError as e:
                yield Broken(at, len(line), str(e))
        at += len(line)


def whole(data: bytes) -> object | None:
    """The document as one value, or None when it is none."""
    try:
        return _decoded(data.decode("utf-8-sig", "surrogateescape").strip(), 0)[0]
    except ValueError:
        return None


def _elements(text: str, at: int, data: bytes) -> Iterator[Element | Broken]:
    place = _Places(text, len(data))
    while True:
        found = _SPACE.match(text, at)
        at = found.end() if found else at
        if at < len(text) and text[at] == "]":
            return
        start = place.byte(at)
        if at >= len(text):
            yield Broken(start, 0, "the array is not closed")
            return
        try:
            value, end = _decoded(text, at)
        except ValueError as e:
            yield Broken(start, len(data) - start, str(e))
            return
        yield Element(start, place.byte(end) - start, value)
        at = end


def _decoded(text: str, at: int) -> tuple[object, int]:
    """The value at `at` and its end.

    Raises:
        ValueError: Malformed, or nested too deeply.
    """
    try:
        return _DECODER.raw_decode(text, at)
    except RecursionError:
        raise ValueError("nested too deeply") from None


class _Places:
    """Character to byte offsets, asked for in ascending order."""

    def __init__(self, text: str, size: int) -> None:
        self._text = text
        self._plain = len(text) == size
        self._char = self._byte = 0

    def byte(self, char: int) -> int:
        """Bytes before the character at `char`."""
        if self._plain:
            return char
        self._byte += len(self._text[self._char : char].encode("utf-8", "surrogateescape"))
        self._char = char
        return self._byte
