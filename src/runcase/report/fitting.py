"""How much room text takes in a figure, without a font at hand."""

from __future__ import annotations

import unicodedata


def cells(text: str) -> int:
    """Width of `text` in narrow characters; wide and unassigned scripts count double."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" or ord(c) > 0x2FFF else 1 for c in text)


def cut_to(text: str, room: int) -> str:
    """`text` in at most `room` narrow characters, with an ellipsis where it was cut."""
    if cells(text) <= room:
        return text
    kept = ""
    used = 1
    for char in text:
        used += cells(char)
        if used > room:
            break
        kept += char
    return kept.rstrip() + "…"
