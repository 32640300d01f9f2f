"""The compiled way from a block of bytes to RECORDS, for sources of a plain layout.

`TextSource` and `formats.headers` are the definition. Here kernels read the
lines that are plain; the other ones go through `Layout.read`, one by one, so
that both ways say the same of every line. Texts are views into the block.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import polars as pl
import pyarrow as pa

from runcase.intake.formats import json_lines
from runcase.intake.formats.headers import Layout
from runcase.intake.formats.joining import states_end
from runcase.intake.formats.levels import IN_CAPITALS, LEVELS
from runcase.intake.formats.stamp_shapes import StampShape
from runcase.intake.kernels import bytes_, json_objects, stamped
from runcase.intake.limits import TextLimits
from runcase.intake.lines import bounds, line_table
from runcase.intake.records import cuts, last_sure
from runcase.model.tables import RECORDS, TIME

MOST_ODD = 0.5
"""With a greater share of lines for the reference, the whole block goes there."""

_KNOWN_FIELDS = [
    *("name", "shapes", "json", "joins_unstamped", "recorded_at", "first_year", "formats", "prefix", "interleaved"),
    *("first_day", "plain"),
]
_ISO = StampShape("iso", "tight")
_COLUMNS = ("byte_start", "byte_len", "line", "n_lines", "ts", "ts_basis", "level", "message", "fields", "stream")
_BASIS = pl.Series(bytes_.BASIS_NAMES, dtype=pl.String)
_LEVELS = pl.Series(bytes_.LEVEL_NAMES, dtype=pl.String)
_STREAMS = pl.Series(bytes_.STREAM_NAMES, dtype=pl.String)


def takes(layout: Layout, encoding: str) -> bool:
    """Whether the kernels know this layout; one with a property that they were not taught is left alone."""
    if [f.name for f in fields(layout)] != _KNOWN_FIELDS or encoding != "utf-8":
        return False
    if layout.formats or layout.prefix is not None:
        return False
    # objects have times of their own; the stamps of other lines are the reference's
    return (
        all(s.has_year for s in layout.shapes) if layout.json else layout.joins_unstamped and layout.shapes == (_ISO,)
    )


@dataclass(slots=True)
class Lines:
    """The lines of one block, as arrays of one length; texts lie in the block, or in `extra` where `place` is 1."""

    block: bytes
    starts: np.ndarray
    lengths: np.ndarray
    ts: np.ndarray
    basis: np.ndarray
    level: np.ndarray
    stream: np.ndarray
    partial: np.ndarray
    begin: np.ndarray
    size: np.ndarray
    place: np.ndarray
    doc: np.ndarray
    doc_size: np.ndarray
    doc_place: np.ndarray
    goes_on: np.ndarray
    extra: bytearray
    odd: pl.DataFrame | None = None
    """What the reference said of the lines that it read; `start` is that in the block."""


def lines_of(block: bytes, layout: Layout, limits: TextLimits) -> Lines | None:
    """The lines of a block that begins at a line's begin; None where the reference is the better way.

    That is where lines hang together in another way than that unstamped ones follow a stamped one.
    """
    data = np.frombuffer(block, dtype=np.uint8)
    starts, lengths = bounds(block)
    n = starts.size
    if n and lengths.max() > limits.line_bytes:
        return None
    odd, partial = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    ts, begin, size = (np.zeros(n, dtype=np.int64) for _ in range(3))
    basis, level, stream, place, doc_place = (np.zeros(n, dtype=np.uint8) for _ in range(5))
    doc, doc_size = np.zeros(n, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    read = (odd, ts, basis, level, stream, partial, begin, size)
    if layout.json:
        json_objects.read_objects(data, starts, lengths, *_JSON_KEYS, *_LEVEL_KEYS, *read, doc, doc_size)
    else:
        stamped.read_lines(data, starts, lengths, *_LEVEL_KEYS, *read)
    lines = Lines(block, starts, lengths, *read[1:], place, doc, doc_size, doc_place, basis == 0, bytearray())
    which = np.flatnonzero(odd)
    if which.size > MOST_ODD * n or (which.size and not _read_odd(lines, which, layout)):
        return None
    return None if partial.any() or (layout.interleaved and lines.goes_on.any()) else lines


def settled(lines: Lines, layout: Layout, offset: int, limits: TextLimits) -> int:
    """As `records.settled`."""
    if layout.interleaved:
        segment = (lines.starts + offset) // limits.segment_bytes
        return int((segment < segment[-1]).sum())
    return last_sure(cuts(~lines.goes_on, lines.starts, lines.lengths, limits))


def _strung(names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Names strung together, and where each ends."""
    ends = np.cumsum([len(n.encode()) for n in names], dtype=np.int64)
    return np.frombuffer("".join(names).encode(), dtype=np.uint8), ends


def _json_keys() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The wanted keys, where each ends, and its kind."""
    times = (*json_lines.TIME_KEYS, *json_lines.TIME_KEYS_MS)
    kinds = (times, json_lines.MESSAGE_KEYS, json_lines.LEVEL_KEYS, json_lines.OTHER_KEYS)
    numbers = [kind for kind, names in enumerate(kinds) for _ in names]
    return *_strung([n for names in kinds for n in names]), np.array(numbers, dtype=np.int64)


def _level_keys() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Level names, where each ends, the code of its level, and whether it counts in capitals."""
    codes = np.array([bytes_.LEVEL_NAMES.index(v) for v in LEVELS.values()], dtype=np.int64)
    return *_strung(list(LEVELS)), codes, np.array([n.upper() in IN_CAPITALS for n in LEVELS])


_JSON_KEYS = _json_keys()
_LEVEL_KEYS = _level_keys()


def _read_odd(lines: Lines, which: np.ndarray, layout: Layout) -> bool:
    """Reads the lines that are not plain by the reference; false when what they are depends on their neighbours."""
    read = layout.read(_odd_table(lines, which)).with_columns(start=pl.Series(lines.starts[which]))
    if layout.json and not read["stamped"].all():
        return False
    lines.odd = read
    lines.ts[which] = read["ts"].dt.timestamp("us").fill_null(bytes_.NO_TIME).to_numpy()
    goes_on = read.select(~pl.col("stamped") & ~states_end(pl.col("text"))).to_series()
    lines.partial[which], lines.goes_on[which] = read["partial"].to_numpy(), goes_on.to_numpy()
    for codes, column, names in (
        (lines.basis, "ts_basis", bytes_.BASIS_NAMES),
        (lines.level, "level", bytes_.LEVEL_NAMES),
        (lines.stream, "stream", bytes_.STREAM_NAMES),
    ):
        codes[which] = [names.index(v) for v in read[column].to_list()]
    lines.place[which] = lines.doc_place[which] = 1
    lines.begin[which], lines.size[which] = _put(lines.extra, read["message"].to_list())
    lines.doc[which], lines.doc_size[which] = _put(lines.extra, read["fields"].to_list())
    return True


def _odd_table(lines: Lines, which: np.ndarray) -> pl.DataFrame:
    """`line_table` of some lines of the block."""
    block = lines.block
    pairs = zip(lines.starts[which].tolist(), lines.lengths[which].tolist(), strict=True)
    return line_table(b"".join(block[s : s + n] for s, n in pairs), "utf-8")


def _put(extra: bytearray, texts: list[str | None]) -> tuple[np.ndarray, np.ndarray]:
    """Appends texts; where each begins, and its size (-1: null)."""
    begin, size = np.zeros(len(texts), dtype=np.int64), np.full(len(texts), -1, dtype=np.int64)
    for n, text in enumerate(texts):
        if text is not None:
            data = text.encode()
            begin[n], size[n] = len(extra), len(data)
            extra += data
    return begin, size


# --- records --------------------------------------------------------------------------------------


def records(lines: Lines, kept: int, offset: int, line: int, limits: TextLimits) -> pl.DataFrame:
    """RECORDS (without `source_id`) of the first `kept` lines.

    Args:
        lines: As `lines_of` yields them.
        kept: Lines that belong to complete records.
        offset: Where the block begins in its source.
        line: Number of lines before the block.
        limits: Where records and messages are cut.
    """
    if not kept:
        return RECORDS.empty()
    begins = cuts(~lines.goes_on[:kept], lines.starts[:kept], lines.lengths[:kept], limits)
    first = np.flatnonzero(begins)
    n_lines = np.diff(np.append(first, kept))
    ends = np.append(lines.starts[first[1:]], lines.starts[kept - 1] + lines.lengths[kept - 1])
    begin, size, place = lines.begin[first], lines.size[first], lines.place[first]
    _join(lines, first, n_lines, begin, size, place)
    _cut(lines, begin, size, place, limits.message_chars)
    ts = lines.ts[first]
    frame = pl.DataFrame(
        {
            "byte_start": lines.starts[first] + offset,
            "byte_len": ends - lines.starts[first],
            "line": first + (line + 1),
            "n_lines": n_lines,
            "ts": _times(ts),
            "ts_basis": _BASIS.gather(lines.basis[first]),
            "level": _LEVELS.gather(lines.level[first]),
            "message": _texts(lines, begin, size, place),
            "fields": _texts(lines, lines.doc[first], lines.doc_size[first], lines.doc_place[first]),
            "stream": _STREAMS.gather(lines.stream[first]),
        }
    )
    return frame.with_columns(*_ABSENT, ts_lo=pl.col("ts"), ts_hi=pl.col("ts")).select(RECORDS.names)


_ABSENT = [
    pl.lit([], dtype=c.dtype).alias(c.name) if c.name == "artifacts" else pl.lit(None, dtype=c.dtype).alias(c.name)
    for c in RECORDS.columns
    if c.name not in (*_COLUMNS, "ts_lo", "ts_hi")
]


def _times(ts: np.ndarray) -> pl.Series:
    array = pa.array(ts, type=pa.int64(), mask=ts == bytes_.NO_TIME)
    return pl.Series(pl.from_arrow(array)).cast(TIME)


def _texts(lines: Lines, begin: np.ndarray, size: np.ndarray, place: np.ndarray) -> pl.Series:
    """Slices of the block and of `extra` as strings, without copying; size -1 is null."""
    valid = size >= 0
    data, extra = np.frombuffer(lines.block, dtype=np.uint8), np.frombuffer(bytes(lines.extra) or b"\0", dtype=np.uint8)
    made = bytes_.views(data, begin, np.maximum(size, 0), place, extra)
    mask = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())
    buffers = [mask, pa.py_buffer(made), pa.py_buffer(lines.block), pa.py_buffer(extra)]
    return pl.Series(pl.from_arrow(pa.Array.from_buffers(pa.string_view(), begin.size, buffers)))


def _join(
    lines: Lines, first: np.ndarray, n_lines: np.ndarray, begin: np.ndarray, size: np.ndarray, place: np.ndarray
) -> None:
    """The texts of a record's lines as one: a slice where they stand so in the block, else put together."""
    several = np.flatnonzero(n_lines > 1)
    if not several.size:
        return
    own = lines.begin - lines.starts
    follows = np.ones(lines.starts.size, dtype=bool)
    # a line that is whole, plain, and ended by a bare newline of the line before
    follows[1:] = (own[1:] == 0) & (lines.place[1:] == 0) & (lines.begin[:-1] + lines.size[:-1] == lines.starts[1:] - 1)
    follows[1:] &= lines.place[:-1] == 0
    for r in several.tolist():
        a, b = int(first[r]), int(first[r] + n_lines[r])
        if follows[a + 1 : b].all():
            size[r] = lines.begin[b - 1] + lines.size[b - 1] - begin[r]
        else:
            texts = [_text(lines, i) for i in range(a, b)]
            begin[r], size[r], place[r] = len(lines.extra), sum(map(len, texts)) + len(texts) - 1, 1
            lines.extra += b"\n".join(texts)


def _text(lines: Lines, i: int) -> bytes:
    source = lines.extra if lines.place[i] else lines.block
    return bytes(source[int(lines.begin[i]) : int(lines.begin[i] + lines.size[i])])


def _cut(lines: Lines, begin: np.ndarray, size: np.ndarray, place: np.ndarray, most_chars: int) -> None:
    """Ends messages at `most_chars` characters."""
    for r in np.flatnonzero(size > most_chars).tolist():
        source = lines.extra if place[r] else lines.block
        text = bytes(source[int(begin[r]) : int(begin[r] + size[r])]).decode()
        size[r] = len(text[:most_chars].encode())
