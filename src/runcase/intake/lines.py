"""Blocks of bytes to lines: offsets, and text without terminal control.

A line belongs to its offset; its end (`\\n`, with a `\\r` before it) belongs to it.
A longer line than the limit is cut into fragments, at the same places however
the bytes arrive.
"""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pyarrow as pa

from runcase.intake.limits import DEFAULT
from runcase.intake.terminal import cleaned


def line_table(block: bytes, encoding: str, marks: str | None = None, most: int = DEFAULT.line_bytes) -> pl.DataFrame:
    """Lines of a block: `start`, `length` (bytes, relative to the block), `fresh`, `text` and `marks`.

    The block begins at a line's begin or at a fragment's; its last line may lack an
    end. `fresh` is false for a fragment that is not its line's first. `marks` holds
    what the pattern of that name finds in a line before terminal control is
    replayed, joined by blanks; null where it finds nothing.
    """
    starts, lengths = _wide_bounds(block, encoding) if encoding.startswith("utf-16") else bounds(block)
    fresh = np.ones(starts.size, dtype=bool)
    if (lengths > most).any():
        starts, lengths, fresh = _fragments(block, starts, lengths, encoding, most)
    texts = _texts(block, starts, lengths, encoding)
    found = texts.str.extract_all(marks).list.join(" ").replace("", None) if marks else None
    frame = pl.DataFrame({"start": starts, "length": lengths, "fresh": fresh, "text": cleaned(texts)})
    return frame.with_columns(marks=pl.lit(found, dtype=pl.String))


def bounds(block: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Begin and length of each line, its end included; the last line may lack an end."""
    ends = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == 10).astype(np.int64) + 1
    return _between(ends, len(block))


def _between(ends: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    if size and (ends.size == 0 or ends[-1] != size):
        ends = np.append(ends, size)
    starts = np.concatenate((np.zeros(1, dtype=np.int64), ends[:-1])) if ends.size else ends
    return starts, ends - starts


def _wide_bounds(block: bytes, encoding: str) -> tuple[np.ndarray, np.ndarray]:
    """As `bounds`, for two bytes a unit."""
    units = np.frombuffer(block[: len(block) // 2 * 2], dtype="<u2" if encoding.endswith("le") else ">u2")
    return _between((np.flatnonzero(units == 10).astype(np.int64) + 1) * 2, len(block))


def _fragments(
    block: bytes, starts: np.ndarray, lengths: np.ndarray, encoding: str, most: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Begin, length and freshness with long lines cut."""
    made: list[tuple[int, int, bool]] = []
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        at, end = start, start + length
        while end - at > most:
            cut = at + fragment_length(block, at, encoding, most)
            made.append((at, cut - at, at == start))
            at = cut
        made.append((at, end - at, at == start))
    columns = np.array(made, dtype=np.int64).reshape(-1, 3)
    return columns[:, 0], columns[:, 1], columns[:, 2].astype(bool)


def fragment_length(data: bytes, at: int, encoding: str, most: int) -> int:
    """Bytes of the fragment that begins at `at`: `most`, less what would cut a character."""
    end = at + most
    if encoding == "utf-8":
        back = next((n for n in range(4) if data[end - n] & 0xC0 != 0x80), 0)
        return most - back
    if encoding.startswith("utf-16"):
        low = data[end + 1 if encoding.endswith("le") else end]
        return most - (2 if 0xDC <= low < 0xE0 else 0)
    return most


def _texts(block: bytes, starts: np.ndarray, lengths: np.ndarray, encoding: str) -> pl.Series:
    """Text of each line without its end. Views into the block where it is valid UTF-8; broken bytes become `\\xNN`."""
    if encoding == "utf-8" and _valid(block):
        offsets = np.append(starts, starts[-1] + lengths[-1]) if starts.size else np.zeros(1, dtype=np.int64)
        array = pa.LargeStringArray.from_buffers(len(starts), pa.py_buffer(offsets.tobytes()), pa.py_buffer(block))
        texts = pl.Series(pl.from_arrow(array))
    else:
        pieces = (block[s : s + n] for s, n in zip(starts.tolist(), lengths.tolist(), strict=True))
        texts = pl.Series([visible(p, encoding) for p in pieces], dtype=pl.String)
    return texts.str.strip_suffix("\n").str.strip_suffix("\r")


def _valid(block: bytes) -> bool:
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def visible(data: bytes, encoding: str) -> str:
    r"""The text of some bytes; those that stand for no character become `\xNN`."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode(encoding, "backslashreplace")


def ends_with_cr(head: bytes) -> bool:
    """Whether a source ends its lines with a lone carriage return.

    A progress bar has many of them too, but says the same again and again: the
    pieces must differ in more than numbers and bars.
    """
    lone = len(re.findall(rb"\r(?![\n\x1b])", head))
    if lone < (20 if b"\n" in head else 2) or lone < 3 * head.count(b"\n"):
        return False
    pieces = [re.sub(rb"[^A-Za-z]+", b"", p)[:60] for p in head.split(b"\r")]
    said = [p for p in pieces if len(p) > 3]
    return len(said) > 2 and len(set(said)) > 0.5 * len(said)


def last_end(data: bytes, encoding: str) -> int:
    """Offset after the last line end in `data`, 0 if there is none."""
    if not encoding.startswith("utf-16"):
        return data.rfind(b"\n") + 1
    end = "\n".encode(encoding)
    at = data.rfind(end)
    while at >= 0 and at % 2:
        at = data.rfind(end, 0, at + 1)
    return at + 2 if at >= 0 else 0
