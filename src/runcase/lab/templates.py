"""Lines to templates: what varies becomes a typed hole, what stays is the text.

A template follows from its line alone, never from other lines, so its id never
changes as more lines come.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

MAX_CHARS = 300
"""Of a line that a template looks at; what follows is open."""

_OPEN, _CLOSE = "\x02", "\x03"
"""What stands around a hole while a line is masked; no line that was read has them."""

HOLES: tuple[tuple[str, str, str], ...] = (
    # name, what it looks like in a line, what a rule writes for it
    ("url", r"\b[a-z][a-z0-9+.-]{1,15}://[^\s\"'<>)\]},]+", r"[a-z][a-z0-9+.-]*://\S+?"),
    ("time", r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d\b)?", r"\S+(?: \d\d:\S+)?"),
    ("uuid", r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b", r"[0-9a-fA-F-]{36}"),
    ("email", r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b", r"[^\s@]+@[^\s@]+"),
    ("quoted", r"\"(?:[^\"\\]|\\.){0,200}\"", r"\"[^\"]*\""),
    ("quoted", r"(?:^|([ =(\[,:]))'[^']{0,200}'", r"'[^']*'"),
    ("quoted", r"`[^`]{0,200}`", r"`[^`]*`"),
    ("ip", r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b", r"\d+(?:\.\d+){3}(?::\d+)?"),
    ("path", r"(?:\b[A-Za-z]:\\|\\\\)[^\s\"'<>|:,;]+", r"[^\s,;:]+(?::[^\s,;:]+)?"),
    ("path", r"(?:\.{0,2}/|~/)?[\w.@+-]+(?:/[\w.@+=-]+){2,}/?", r"[^\s,;:]+"),
    ("path", r"(^|[ =(\[,:<>|])(?:\.{1,2}|~)?/[\w.@+-]+(?:/[\w.@+=-]*)*", r"[^\s,;:]+"),
    ("hash", r"\b(?:0x[0-9a-fA-F]+|(?:sha\d+:)?[0-9a-f]{16,128})\b", r"[\w:]+"),
    ("hash", r"\b(?:[0-9]+[a-f][0-9a-f]{5,}|[a-f]+[0-9][0-9a-f]{5,})\b", r"[0-9a-f]+"),
    ("clock", r"\b\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?\b", r"[\d:.,]+"),
    ("took", r"\b\d+(?:\.\d+)? ?(?:ms|us|µs|ns|s|sec|secs|seconds?|min|mins|minutes?|m|h|hours?)\b", r"[\d.]+ ?\w+"),
    ("size", r"\b\d+(?:\.\d+)? ?(?:[KMGT]i?B|[kKMGT]B|bytes?)\b", r"[\d.]+ ?\w+"),
    ("percent", r"\b\d+(?:\.\d+)? ?%", r"[\d.]+ ?%"),
    ("n", r"\d+(?:[.,]\d+)*", r"\d+(?:[.,]\d+)*"),
)
"""The kinds of holes, in the order in which they are looked for; a group is what stays before one."""

_WRITTEN = {name: written for name, _, written in reversed(HOLES)} | {
    "quoted": r"(?:\"[^\"]*\"|'[^']*'|`[^`]*`)",
    "path": r"[^\s,;]+",
}
_VALUE = r"[^\s,;()\[\]\"']*"
_KEYED = re.compile(rf"(\b[A-Za-z_][\w.]{{0,40}})=((?:{_OPEN}\w+{_CLOSE}|{_VALUE})+)")
_HOLE = re.compile(rf"(?:([A-Za-z_][\w.]{{0,40}})=)?{_OPEN}(\w+){_CLOSE}")
_KEEP = frozenset({"level", "lvl", "severity", "status", "state", "event", "msg", "action", "method", "type", "kind"})
"""Keys whose plain values tell what happened; they stay text."""


@dataclass(frozen=True, slots=True)
class Template:
    """The masked text of lines that say the same."""

    masked: str
    open_end: bool
    """Whether lines go on after what the template looks at."""

    @property
    def id(self) -> str:
        """12 hex digits of SHA-256 over the masked text."""
        return hashlib.sha256(f"{self.masked}\0{self.open_end}".encode()).hexdigest()[:12]

    @property
    def shown(self) -> str:
        """The text with `<kind>` for each hole."""
        return self.masked.replace(_OPEN, "<").replace(_CLOSE, ">")

    @property
    def words(self) -> list[str]:
        """Words of the fixed text, lower case, in order."""
        return re.findall(r"[a-z][a-z]+", re.sub(rf"{_OPEN}\w+{_CLOSE}", " ", self.masked).lower())

    def holes(self) -> list[tuple[str, str]]:
        """(capture name, kind) of each hole, in order; names are unique."""
        return [(name, kind) for name, kind, _, _ in self._parts()]

    def pattern(self) -> str:
        """A pattern of the rule language that matches what the template stands for, holes captured."""
        pieces, at = ["^"], 0
        for name, kind, start, end in self._parts():
            pieces.append(_literal(self.masked[at:start]))
            pieces.append(f"(?P<{name}>{_VALUE[:-1] + '+' if kind == 'value' else _WRITTEN[kind]})")
            at = end
        pieces.append(_literal(self.masked[at:]))
        return "".join(pieces) + ("" if self.open_end else r"\s*(?:\n|$)")

    def _parts(self) -> Iterator[tuple[str, str, int, int]]:
        """Name, kind, begin and end of each hole."""
        taken: dict[str, int] = {}
        for hole in _HOLE.finditer(self.masked):
            base = re.sub(r"\W", "_", hole[1] or hole[2])[:30]
            taken[base] = taken.get(base, 0) + 1
            name = base if taken[base] == 1 else f"{base}_{taken[base]}"
            start = hole.end() - len(hole[2]) - 2
            yield name, hole[2], start, hole.end()


def _literal(text: str) -> str:
    """Fixed text as a pattern; runs of blanks vary."""
    return r"\s+".join(re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", part) for part in re.split(r"[ \t]+", text))


def masked(message: pl.Expr) -> pl.Expr:
    """The masked first line of each message, at most `MAX_CHARS` of it."""
    text = message.str.extract(r"^\n*([^\n]*)").str.slice(0, MAX_CHARS)
    text = text.str.replace_all(rf"[\s{_OPEN}{_CLOSE}]+", " ").str.strip_chars_end()
    for name, looks, _ in HOLES:
        keep = "${1}" if re.compile(looks).groups else ""
        text = text.str.replace_all(looks, f"{keep}{_OPEN}{name}{_CLOSE}")
    return text


def open_end(message: pl.Expr) -> pl.Expr:
    """Whether the first line is longer than what a template looks at."""
    return message.str.extract(r"^\n*([^\n]*)").str.len_chars() > MAX_CHARS


def template_of(text: str, is_open: bool) -> Template:
    """The template of a masked text; values of keys become holes named after them."""
    return Template(_KEYED.sub(_value, text), is_open)


def _value(m: re.Match[str]) -> str:
    key, value = m[1], m[2]
    if not value or re.fullmatch(rf"{_OPEN}\w+{_CLOSE}", value):
        return m[0]
    if key.lower() in _KEEP and _OPEN not in value:
        return m[0]
    return f"{key}={_OPEN}value{_CLOSE}"
