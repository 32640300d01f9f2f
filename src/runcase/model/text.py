"""Hostile text made displayable: the one way from evidence to any face.

Controls, bidirectional overrides, zero-width and tag characters are not dropped
but drawn, so that a reader sees that they were there and no terminal, browser
or Markdown renderer acts on them.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NewType

Shown = NewType("Shown", str)
"""Text that `present` returned. Faces still escape it for their own syntax."""

_INVISIBLE = frozenset({"Cf", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories drawn by code point: format, private use, lone surrogates, line and paragraph separators."""

_EXTRA = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u180b\u180c\u180d\u180f\u2800\U0001d159") | {
    chr(c)
    for c in (
        *range(0xFE00, 0xFE0F),
        *range(0xE0000, 0xE1000),
        *range(0xFDD0, 0xFDF0),
        *(plane + low for plane in range(0, 0x110000, 0x10000) for low in (0xFFFE, 0xFFFF)),
    )
}
"""Characters of other categories that draw nothing: fillers, variation selectors, tags, noncharacters (Unicode 16)."""

_SUSPECT = re.compile(r"[^\x20-\x7e]")
_MAX_ACCENTS = 4
"""On one letter; languages need up to three, and more are stacked over the lines around."""

_HEAP = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
    f"\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{{{_MAX_ACCENTS + 1},}}"
)


def present(text: str | bytes, keep: str = "") -> Shown:
    r"""`text` with every character that could act or hide drawn as a visible mark.

    Args:
        text: Anything from the evidence; bytes are read as UTF-8, invalid ones become `\xNN`.
        keep: Characters to leave alone, such as a newline and a tab in a block of lines.

    Returns:
        C0 and DEL as control pictures (U+2400 ff.), C1 as `⟨U+0085⟩`, and likewise
        everything that is invisible or changes the direction of text.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    if text.isascii() and text.isprintable():
        return Shown(text)
    return Shown(_SUSPECT.sub(lambda m: m[0] if m[0] in keep else _drawn(m[0]), _HEAP.sub(_unstacked, text)))


def json_quiet(document: str) -> str:
    r"""A JSON document whose strings hold what would act or hide as `\uNNNN`: the same value, safe to print."""
    if document.isascii() and "\x7f" not in document:
        return document
    return _SUSPECT.sub(lambda m: m[0] if m[0] in "\n\t" or _drawn(m[0]) == m[0] else _escaped(m[0]), document)


def _escaped(char: str) -> str:
    """A character as JSON's escapes, which count in UTF-16."""
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


def present_line(text: str | bytes, limit: int = 400) -> Shown:
    """`present` for one line of at most `limit` characters; what is cut is counted."""
    shown = present(text)
    if len(shown) <= limit:
        return shown
    return Shown(f"{shown[:limit]} [... {len(shown) - limit} more]")


def _unstacked(heap: re.Match[str]) -> str:
    """Accents beyond the fourth are drawn by code point."""
    return heap[0][:_MAX_ACCENTS] + "".join(f"⟨U+{ord(c):04X}⟩" for c in heap[0][_MAX_ACCENTS:])


def _drawn(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if code < 0xA0 or char in _EXTRA or unicodedata.category(char) in _INVISIBLE:
        return f"⟨U+{code:04X}⟩"
    return char
