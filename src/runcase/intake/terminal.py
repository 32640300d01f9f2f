"""What a terminal would show of a line: control sequences removed, overwriting replayed.

A progress bar that redraws itself with carriage returns, backspaces or erase
sequences reads as its last state; its bytes stay referenced by the line.
"""

from __future__ import annotations

import re

import polars as pl

_ESCAPES = (
    r"\x1b\[8mha:[^\x1b]*\x1b\[0m"  # a console note of Jenkins, which is concealed
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC, ended by BEL or ST
    r"|\x1b_[^\x07\x1b]*(?:\x07|\x1b\\)"  # APC, as Buildkite writes it
    r"|(?:\x1b\[|\x{9b})[0-9;:<=>?]*[ -/]*[@-~]"  # CSI
    r"|(?:\x1b\[|\x{9b})[0-9;:<=>?]*$"  # CSI that the end of the line cuts
    r"|\x1b[PX^][^\x1b]*\x1b\\"  # DCS, SOS, PM
    r"|\x1b[ -/]*[0-~]"  # two-character escapes
)
_CURSOR = r"\x1b\[[0-9]*[KGDC]"
"""Erase in line, cursor to column, cursor left and right (ECMA-48)."""

_ESCAPE = re.compile(_ESCAPES.replace(r"\x{9b}", r"\x9b"))
_MOVE = re.compile(rf"([\r\b]|{_CURSOR})")
_HOST_STAMP = re.compile(
    r"(?:\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?|\d\d:\d\d:\d\d(?:\.\d+)?)"
    r"(?: [0-9a-f]{2}[OE][ +]| \| | +)"
)
"""What a CI host writes before what the program printed."""

_MAX_COLUMN = 4096
"""A cursor is not moved further by a sequence than any terminal is wide."""


def cleaned(texts: pl.Series) -> pl.Series:
    """Each line as a terminal shows it; only lines that have control in them are touched."""
    dirty = texts.str.contains("[\x1b\r\b\x00\u009b]")
    if not dirty.any():
        return texts
    busy = (texts.str.contains("[\r\b]") | texts.str.contains(_CURSOR)) & dirty
    plain = texts.str.replace_all("\x00", "", literal=True).str.replace_all(_ESCAPES, "")
    place = busy.arg_true()
    if not place.len():
        return plain
    return plain.scatter(place, pl.Series([replayed(t) for t in texts.gather(place).to_list()], dtype=pl.String))


def replayed(text: str) -> str:
    """What a terminal shows after printing `text` on one line.

    A stamp that a host wrote before it is no part of what the program redraws, unless the program writes stamps itself.
    """
    text = text.replace("\0", "")
    stamp = _HOST_STAMP.match(text)
    if stamp and not any(_HOST_STAMP.match(p) for p in _MOVE.split(text[stamp.end() :])[1:]):
        return stamp[0] + _redrawn(text[stamp.end() :])
    return _redrawn(text)


def _redrawn(text: str) -> str:
    shown: list[str] = []
    at = 0
    for part in _MOVE.split(text):
        if part == "\r":
            at = 0
        elif part == "\b":
            at = max(0, at - 1)
        elif part.startswith("\x1b[") and _MOVE.fullmatch(part):
            at = _moved(shown, at, part[-1], part[2:-1])
        else:
            plain = _ESCAPE.sub("", part)
            shown.extend(" " * (at - len(shown)))
            shown[at : at + len(plain)] = plain
            at += len(plain)
    return "".join(shown)


def _moved(shown: list[str], at: int, act: str, argument: str) -> int:
    """The cursor after one sequence; an erase changes what is shown."""
    count = min(int(argument[:5] or 0), _MAX_COLUMN)
    if act == "K":
        if count in (0, 2):
            del shown[at if count == 0 else 0 :]
        else:
            shown[: at + 1] = " " * min(at + 1, len(shown))
        return at
    if act == "G":
        return max(0, count - 1)
    step = max(1, count)
    return at + step if act == "C" else max(0, at - step)
