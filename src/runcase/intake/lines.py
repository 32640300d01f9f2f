"""Blocks of bytes to lines: offsets, and text without terminal control.

A line belongs to its offset; its end (`\\n`, with a `\\r` before it) belongs to it.
Carriage returns inside a line, backspaces and erase sequences are replayed as a
terminal would, so that a progress bar reads as its last state.
"""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pyarrow as pa

_ESCAPES = (
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC, ended by BEL or ST
    r"|\x1b_[^\x07\x1b]*(?:\x07|\x1b\\)"  # APC, as Buildkite writes it
    r"|\x1b\[[0-9;:<=>?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[PX^][^\x1b]*\x1b\\"  # DCS, SOS, PM
    r"|\x1b[ -/]*[0-~]"  # two-character escapes
)
_ERASE = re.compile("\x1b\\[[0-2]?K")
_ESCAPE = re.compile(_ESCAPES)


def line_table(block: bytes, encoding: str, marks: str | None = None) -> pl.DataFrame:
    """Lines of a block: `start`, `length` (bytes, relative to the block), `text` and `marks`.

    The block begins at a line's begin; its last line may lack an end. `marks` holds
    what the pattern of that name finds in a line before terminal control is
    replayed, joined by blanks; null where it finds nothing.
    """
    if encoding.startswith("utf-16"):
        frame = _wide_lines(block, encoding)
    else:
        starts, lengths = _bounds(block)
        frame = pl.DataFrame({"start": starts, "length": lengths, "text": _texts(block, starts, lengths, encoding)})
    found = frame["text"].str.extract_all(marks).list.join(" ").replace("", None) if marks else None
    return frame.with_columns(text=_cleaned(frame["text"]), marks=pl.lit(found, dtype=pl.String))


def _bounds(block: bytes) -> tuple[np.ndarray, np.ndarray]:
    ends = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == 10).astype(np.int64) + 1
    if len(block) and (ends.size == 0 or ends[-1] != len(block)):
        ends = np.append(ends, len(block))
    starts = np.concatenate((np.zeros(1, dtype=np.int64), ends[:-1])) if ends.size else ends
    return starts, ends - starts


def _texts(block: bytes, starts: np.ndarray, lengths: np.ndarray, encoding: str) -> pl.Series:
    """Text of each line without its end. Views into the block where it is valid UTF-8."""
    if encoding != "utf-8" or not _valid(block):
        lines = (block[s : s + n] for s, n in zip(starts.tolist(), lengths.tolist(), strict=True))
        return pl.Series([_decoded(line, encoding) for line in lines], dtype=pl.String)
    offsets = np.append(starts, starts[-1] + lengths[-1]) if starts.size else np.zeros(1, dtype=np.int64)
    array = pa.LargeStringArray.from_buffers(len(starts), pa.py_buffer(offsets.tobytes()), pa.py_buffer(block))
    return pl.Series(pl.from_arrow(array)).str.strip_suffix("\n").str.strip_suffix("\r")


def _valid(block: bytes) -> bool:
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _decoded(line: bytes, encoding: str) -> str:
    text = line.decode(encoding, "backslashreplace")
    return text.removesuffix("\n").removesuffix("\r")


def _cleaned(texts: pl.Series) -> pl.Series:
    """Terminal control removed; only lines that have any are touched."""
    dirty = texts.str.contains("[\x1b\r\b\x00]")
    if not dirty.any():
        return texts
    busy = texts.str.contains("[\r\b]") | texts.str.contains("\x1b\\[[0-2]?K")
    plain = texts.str.replace_all("\x00", "", literal=True).str.replace_all(_ESCAPES, "")
    place = (busy & dirty).arg_true()
    if not place.len():
        return plain
    return plain.scatter(place, pl.Series([replayed(t) for t in texts.gather(place).to_list()], dtype=pl.String))


def replayed(text: str) -> str:
    """What a terminal shows after printing `text`; an erase clears what stands right of the cursor."""
    shown: list[str] = []
    at = 0
    parts = re.split(r"([\r\b]|\x1b\[[0-2]?K)", text.replace("\0", ""))
    for part in parts:
        if part == "\r":
            at = 0
        elif part == "\b":
            at = max(0, at - 1)
        elif _ERASE.fullmatch(part):
            del shown[at:]
        else:
            plain = _ESCAPE.sub("", part)
            shown[at : at + len(plain)] = plain
            at += len(plain)
    return "".join(shown)


def _wide_lines(block: bytes, encoding: str) -> pl.DataFrame:
    """Lines of UTF-16, two bytes a unit."""
    end = "\n".encode(encoding)
    starts, lengths, texts, at = [], [], [], 0
    while at < len(block):
        stop = block.find(end, at)
        while stop >= 0 and (stop - at) % 2:
            stop = block.find(end, stop + 1)
        stop = len(block) if stop < 0 else stop + 2
        starts.append(at)
        lengths.append(stop - at)
        texts.append(_decoded(block[at:stop], encoding))
        at = stop
    schema = {"start": pl.Int64, "length": pl.Int64, "text": pl.String}
    return pl.DataFrame({"start": starts, "length": lengths, "text": texts}, schema=schema)


def ends_with_cr(head: bytes) -> bool:
    """Whether a source ends its lines with a lone carriage return.

    A progress bar has many of them too, but says the same again and again: the
    pieces must differ in more than numbers and bars.
    """
    lone = len(re.findall(rb"\r(?![\n\x1b])", head))
    if lone < 20 or lone < 3 * head.count(b"\n"):
        return False
    pieces = [re.sub(rb"[^A-Za-z]+", b"", p)[:60] for p in head.split(b"\r")]
    said = [p for p in pieces if len(p) > 3]
    return bool(said) and len(set(said)) > 0.5 * len(said)


def last_end(data: bytes, encoding: str) -> int:
    """Offset after the last line end in `data`, 0 if there is none."""
    if not encoding.startswith("utf-16"):
        return data.rfind(b"\n") + 1
    end = "\n".encode(encoding)
    at = data.rfind(end)
    while at >= 0 and at % 2:
        at = data.rfind(end, 0, at)
    return at + 2 if at >= 0 else 0
