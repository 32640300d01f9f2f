"""How much room text takes in a figure, without a font at hand."""

from __future__ import annotations

import unicodedata


def cells(text: str) -> int:
    """Width of `text` in narrow characters; wide and unassigned scripts count double."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" or ord(c) > 0x2FFF else 1 for c in text)


def cut_inside(text: str, room: int) -> str:
    """`text` in at most `room` narrow characters, with an ellipsis for a part before its last two thirds."""
    if cells(text) <= room:
        return text
    head = cut_to(text, room // 3)
    tail = cut_to(text[::-1], room - cells(head) + 1)[:-1][::-1]
    return head + tail.lstrip()


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
