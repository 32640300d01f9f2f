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

_EXTRA = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u180b\u180c\u180d\u180f") | {
    chr(c) for c in (*range(0xFE00, 0xFE0F), *range(0xE0100, 0xE01F0))
}
"""Characters of other categories that draw nothing: fillers and variation selectors (Unicode 16, Default_Ignorable)."""

_SUSPECT = re.compile(r"[^\x20-\x7e]")


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
    return Shown(_SUSPECT.sub(lambda m: m[0] if m[0] in keep else _drawn(m[0]), text))


def present_line(text: str | bytes, limit: int = 400) -> Shown:
    """`present` for one line of at most `limit` characters; what is cut is counted."""
    shown = present(text)
    if len(shown) <= limit:
        return shown
    return Shown(f"{shown[:limit]} [... {len(shown) - limit} more]")


def _drawn(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if code < 0xA0 or char in _EXTRA or unicodedata.category(char) in _INVISIBLE:
        return f"⟨U+{code:04X}⟩"
    return char
