"""JSON with the byte offset of each value, read as far as it goes.

A walk opens the containers that its caller names and yields every other value
as a leaf: decoded, with its exact place. What stands behind a truncated,
malformed or too deeply nested value is out of reach and becomes one problem;
in JSON lines only the broken line is lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import NoReturn

from runcase.model.problems import Problem

Path = tuple[str | int, ...]
"""Keys and indexes from the root to a value; `()` is the root itself."""

Opens = Callable[[Path], bool]
"""Whether a walk goes into the container at a path instead of decoding it whole."""

_SPACE = " \t\n\r"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A decoded value at its place; `start` and `length` count bytes of the document."""

    path: Path
    value: object
    start: int
    length: int

    @property
    def members(self) -> dict[str, object]:
        """The value when it is an object, else no members at all."""
        return self.value if isinstance(self.value, dict) else {}


class _StopError(Exception):
    """The walk can go no further; the problem is recorded."""


class JsonText:
    """The text of one JSON document, JSON lines, or several documents one after the other."""

    def __init__(self, data: bytes, path: str) -> None:
        self.problems: list[Problem] = []
        self._path = path
        self._size = len(data)
        mark = 3 if data.startswith(b"\xef\xbb\xbf") else 0
        self._text = data[mark:].decode("utf-8", "surrogateescape")
        self._ascii = len(self._text) == len(data) - mark
        self._known = (0, mark)
        self._mark = mark
        self.roots = 0
        self._repeated = 0
        self._decoder = json.JSONDecoder(object_pairs_hook=self._object, parse_constant=lambda _: None)

    def walk(self, opens: Opens) -> Iterator[Leaf]:
        """The leaves in document order; a further root value follows the first, `roots` counts them as they begin."""
        at = self._skip(0)
        try:
            while at < len(self._text):
                self.roots += 1
                at = self._skip((yield from self._value(at, (), opens)))
        except _StopError:
            return
        finally:
            self._note_repeated()

    def items(self) -> Iterator[Leaf]:
        """The elements of a root array; else the lines, if the first one is a whole value; else each root value."""
        begin = self._skip(0)
        if self._text[begin : begin + 1] == "[":
            yield from self.walk(opens_only(()))
            return
        first = self._text[begin : self._text.find("\n", begin) + 1 or len(self._text)]
        try:
            self._decoder.raw_decode(first)
        except (ValueError, RecursionError):
            yield from self.walk(lambda _: False)
        else:
            yield from self.lines()

    def lines(self) -> Iterator[Leaf]:
        """One leaf a line, its line end included; path is the line's index. Blank lines yield nothing."""
        at, number = 0, 0
        while at < len(self._text):
            end = self._text.find("\n", at) + 1 or len(self._text)
            if self._text[at:end].strip(_SPACE):
                yield from self._line(at, end, number)
            at, number = end, number + 1
        self._note_repeated()

    # --- one value ------------------------------------------------------------------------------

    def _line(self, at: int, end: int, number: int) -> Iterator[Leaf]:
        start = self._byte(at)
        length = self._byte(end) - start
        try:
            value, stop = self._decoder.raw_decode(self._text, self._skip(at))
            if self._text[stop:end].strip(_SPACE):
                raise json.JSONDecodeError("text follows the value", self._text, stop)
        except (ValueError, RecursionError) as error:
            code, why = _reason(error, cut=end == len(self._text) and not self._text.endswith("\n"))
            self._problem(code, f"line {number + 1} {why}", start, length, number + 1)
            return
        yield Leaf((number,), value, start, length)

    def _value(self, at: int, path: Path, opens: Opens) -> Generator[Leaf, None, int]:
        """Yields the leaves of the value at `at`; returns where it ends."""
        char = self._text[at : at + 1]
        if char in ("[", "{") and opens(path):
            return (yield from self._opened(at, path, opens, char == "{"))
        try:
            value, end = self._decoder.raw_decode(self._text, at)
        except (ValueError, RecursionError) as error:
            self._fail(at, path, error)
        start = self._byte(at)
        yield Leaf(path, value, start, self._byte(end) - start)
        return end

    def _opened(self, at: int, path: Path, opens: Opens, keyed: bool) -> Generator[Leaf, None, int]:
        """The members of an object or the elements of an array; returns where the container ends."""
        close = "}" if keyed else "]"
        at = self._skip(at + 1)
        index = 0
        while self._text[at : at + 1] != close:
            key: str | int = index
            if keyed:
                key, at = self._key(at, path)
            at = self._skip((yield from self._value(at, (*path, key), opens)))
            following = self._text[at : at + 1]
            if following == ",":
                at = self._skip(at + 1)
            elif following != close:
                self._fail(at, path, json.JSONDecodeError(f"no `,` or `{close}` after a value", self._text, at))
            index += 1
        return at + 1

    def _key(self, at: int, path: Path) -> tuple[str, int]:
        try:
            key, end = self._decoder.raw_decode(self._text, at)
            end = self._skip(end)
            if not isinstance(key, str) or self._text[end : end + 1] != ":":
                raise json.JSONDecodeError('no `"key":` where one is due', self._text, at)
        except (ValueError, RecursionError) as error:
            self._fail(at, path, error)
        return key, self._skip(end + 1)

    def _skip(self, at: int) -> int:
        text = self._text
        while at < len(text) and text[at] in _SPACE:
            at += 1
        return at

    def _object(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        """The last of equal keys wins, as in most parsers; that it happened is counted."""
        members = dict(pairs)
        self._repeated += len(members) < len(pairs)
        return members

    # --- places and problems ----------------------------------------------------------------------

    def _byte(self, at: int) -> int:
        """Byte offset of a character; cheap when asked in ascending order."""
        if self._ascii:
            return at + self._mark
        char, byte = self._known
        if at < char:
            char, byte = 0, self._mark
        byte += len(self._text[char:at].encode("utf-8", "surrogateescape"))
        self._known = (at, byte)
        return byte

    def _fail(self, at: int, path: Path, error: Exception) -> NoReturn:
        cut = not isinstance(error, RecursionError) and getattr(error, "pos", at) >= len(self._text.rstrip(_SPACE)) - 1
        code, why = _reason(error, cut or "Unterminated string" in str(error))
        start = self._byte(at)
        line = self._text.count("\n", 0, at) + 1
        self._problem(code, f"at {_shown(path)}: {why}; the rest is not read", start, self._size - start, line)
        raise _StopError

    def _problem(self, code: str, message: str, start: int, length: int, line: int) -> None:
        self.problems.append(
            Problem(
                code, "warning", message, self._path, byte_start=start, byte_len=length, line=line,
                quarantined_bytes=length,
            )
        )  # fmt: skip

    def _note_repeated(self) -> None:
        if self._repeated:
            message = f"{self._repeated} objects repeat a key; the last value of each was read"
            self.problems.append(Problem("json_repeated_key", "warning", message, self._path))
            self._repeated = 0


def _reason(error: Exception, cut: bool) -> tuple[str, str]:
    """Problem code and words for why a value cannot be read."""
    if isinstance(error, RecursionError):
        return "json_too_deep", "is nested too deeply to be read"
    if cut:
        return "json_truncated", "ends before its value does"
    return "json_malformed", f"is no JSON ({error.msg if isinstance(error, json.JSONDecodeError) else error})"


def _shown(path: Path) -> str:
    return "/" + "/".join(str(part) for part in path)


def opens_only(*paths: Path) -> Opens:
    """Opens the containers at the given paths; `-1` in a path stands for every index."""
    wanted = set(paths)
    return lambda path: tuple(-1 if isinstance(part, int) else part for part in path) in wanted
