"""YAML as located nodes, checked before anything is built from it.

Duplicate keys, anchors, aliases, merge keys and tags are errors; size and depth
are bounded at event level, because composing a hostile document can crash or
hang. Every node knows its line and column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar
from unicodedata import east_asian_width

import yaml

from runcase.model.problems import RuncaseError
from runcase.rules.language import Place

T = TypeVar("T")

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 24
MAX_NODES = 30_000
MAX_DEFECTS = 100
"""Defects of one file that are listed; the rest is counted."""

_DIRECTIVE = re.compile(r"^%", re.MULTILINE)
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""Line breaks as YAML 1.1 counts them."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where it is there: a megabyte of hostile text ends well within a second."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One error of a pack: what, where, and the text of the line."""

    place: Place
    message: str
    line_text: str = ""
    severity: str = "error"
    """error | warning: warnings are told and fail nothing."""

    def framed(self) -> str:
        """`file:line:column: message`, the line, and a caret under the column."""
        mark = "" if self.severity == "error" else f"{self.severity}: "
        head = f"{self.place}: {mark}{self.message}"
        if not self.line_text:
            return head
        cut = max(0, self.place.column - 100)
        shown, before = self.line_text[cut : cut + 160], self.line_text[cut : self.place.column - 1]
        number = str(self.place.line)
        return f"{head}\n  {number} | {shown}\n  {' ' * len(number)} | {''.join(_space(c) for c in before)}^"


def _space(char: str) -> str:
    """A blank as wide as the character."""
    return "\t" if char == "\t" else "  " if east_asian_width(char) in "WF" else " "


class Mark(Protocol):
    """A place as PyYAML tells it, from 0."""

    line: int
    column: int


class Document:
    """One YAML file: its root node, and the defects found on the way."""

    def __init__(self, file: str, data: bytes) -> None:
        self.file = file
        self.defects: list[Defect] = []
        self.root: yaml.Node | None = None
        self._lines: list[str] = []
        text = self._decoded(data)
        if text is not None and self._bounded(text):
            self._compose(text)

    def place(self, mark: Mark | None) -> Place:
        """Line and column from 1."""
        return Place(self.file, mark.line + 1, mark.column + 1) if mark else Place(self.file, 1, 1)

    def complain(self, node: yaml.Node | None, message: str) -> None:
        """Adds a defect at the place of `node`."""
        self._add(self.place(node.start_mark if node is not None else None), message)

    def defect(self, place: Place, message: str, severity: str = "error") -> Defect:
        """A defect at `place`, with the text of its line."""
        line = self._lines[place.line - 1][:2000] if place.line <= len(self._lines) else ""
        return Defect(place, message, line, severity)

    def _add(self, place: Place, message: str) -> None:
        if len(self.defects) < MAX_DEFECTS:
            self.defects.append(self.defect(place, message))
        elif len(self.defects) == MAX_DEFECTS:
            self.defects.append(Defect(place, f"more than {MAX_DEFECTS} problems; the rest of the file is not listed"))

    def _decoded(self, data: bytes) -> str | None:
        if len(data) > MAX_BYTES:
            self.complain(None, f"the file has {len(data):,} bytes; a rule file has at most {MAX_BYTES:,}")
            return None
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as e:
            self.complain(None, f"not UTF-8 at byte {e.start}")
            return None
        self._lines = _BREAK.split(text)
        if m := _DIRECTIVE.search(text):
            at = Place(self.file, text.count("\n", 0, m.start()) + 1, 1)
            self._add(at, "directives (lines that begin with %) are not allowed")
            return None
        return text

    def _bounded(self, text: str) -> bool:
        """Walks the events first: depth, number, anchors, aliases and tags."""
        depth = count = 0
        before = len(self.defects)
        try:
            for event in _events(text):
                count += isinstance(event, yaml.NodeEvent)
                if isinstance(event, yaml.DocumentStartEvent) and count:
                    self._add(self.place(event.start_mark), "a second document; a rule file is one document")
                    return False
                if isinstance(event, yaml.CollectionStartEvent):
                    depth += 1
                elif isinstance(event, yaml.CollectionEndEvent):
                    depth -= 1
                if depth > MAX_DEPTH or count > MAX_NODES:
                    what = f"nested deeper than {MAX_DEPTH}" if depth > MAX_DEPTH else f"more than {MAX_NODES:,} nodes"
                    self._add(self.place(event.start_mark), what)
                    return False
                self._plain(event)
                if len(self.defects) > MAX_DEFECTS:
                    return False
        except yaml.MarkedYAMLError as e:
            message = " ".join(x for x in (e.problem, e.context) if x)
            self._add(self.place(e.problem_mark or e.context_mark), f"not YAML: {message}")
            return False
        except yaml.YAMLError as e:
            self.complain(None, f"not YAML: {e}")
            return False
        return len(self.defects) == before

    def _plain(self, event: yaml.Event) -> None:
        place = self.place(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            self._add(place, "aliases are not allowed; write the value out")
        elif isinstance(event, yaml.NodeEvent) and event.anchor:
            self._add(place, "anchors are not allowed; write the value out")
        elif isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)) and event.tag:
            self._add(place, f"tags are not allowed: {event.tag}")

    def _compose(self, text: str) -> None:
        self.root = yaml.compose(text, Loader=_LOADER)
        for node in _mappings(self.root):
            if len(self.defects) > MAX_DEFECTS:
                return
            seen: dict[str, yaml.Node] = {}
            for key, _ in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    self.complain(key, "a key must be plain text")
                elif key.value == "<<":
                    self.complain(key, "merge keys are not allowed; write the values out")
                elif key.value in seen:
                    first = self.place(seen[key.value].start_mark).line
                    self.complain(key, f"duplicate key {key.value!r}; it stands at line {first} already")
                else:
                    seen[key.value] = key


def _events(text: str) -> Iterator[yaml.Event]:
    yield from yaml.parse(text, Loader=_LOADER)


def _mappings(node: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    waiting = [node] if node is not None else []
    while waiting:
        current = waiting.pop()
        if isinstance(current, yaml.MappingNode):
            yield current
            waiting += [n for pair in current.value for n in pair]
        elif isinstance(current, yaml.SequenceNode):
            waiting += current.value


def settled(path: Path, code: str, read: Callable[[Document], T]) -> T:
    """What `read` makes of a YAML file.

    Raises:
        RuncaseError: `missing_path`, or `code` with every defect and its place.
    """
    try:
        document = Document(path.name, path.read_bytes())
    except OSError as e:
        raise RuncaseError("missing_path", f"cannot read {path}: {e.strerror}") from e
    found = read(document)
    if document.defects:
        raise RuncaseError(code, "\n".join(d.framed() for d in document.defects))
    return found
