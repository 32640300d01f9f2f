"""Refs to bytes: an index over the raw chunks of all batches, so that a ref costs one row group and no search."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from runcase.model.refs import Ref

KEPT_GROUPS = 8
"""Row groups held decoded, of all batches together: neighbouring refs ask for the same one."""

Decoded = Callable[[pq.ParquetFile, int], list[bytes]]
"""The chunks of a row group of a file."""


def decoded() -> Decoded:
    """Reads row groups, and holds those that were asked for last."""
    return lru_cache(KEPT_GROUPS)(_read)


def _read(file: pq.ParquetFile, group: int) -> list[bytes]:
    data: list[bytes] = file.read_row_group(group, columns=["data"]).column("data").to_pylist()
    return data


class RawChunks:
    """The raw tables of a case: where each chunk begins is read once, its bytes when a ref asks for them."""

    def __init__(self, paths: Sequence[Path], redactions: pl.DataFrame, decoded: Decoded) -> None:
        self._redactions = redactions.partition_by("source_id", as_dict=True)
        self._files = [pq.ParquetFile(path) for path in paths]
        self._index: dict[str, list[tuple[int, int, int, int]]] = {}
        """Source -> its chunks by offset: offset, file, row group, row in it."""
        for number, file in enumerate(self._files):
            for group in range(file.num_row_groups):
                self._note(number, group)
        for chunks in self._index.values():
            chunks.sort()
        self._decoded = decoded

    def _note(self, file: int, group: int) -> None:
        rows = self._files[file].read_row_group(group, columns=["source_id", "byte_start"])
        places = zip(rows.column("source_id").to_pylist(), rows.column("byte_start").to_pylist(), strict=True)
        for row, (source_id, start) in enumerate(places):
            self._index.setdefault(source_id, []).append((start, file, group, row))

    def bytes_of(self, ref: Ref) -> bytes | None:
        """The bytes that `ref` names, with marks for secrets; None when they are not all there."""
        end = ref.byte_start + ref.byte_len
        marks = self._marks_of(ref.source_id)
        parts, covered = [], 0
        for start, chunk in self._chunks(ref.source_id, ref.byte_start, end):
            part, length = slice_of(start, chunk, marks, ref.byte_start, end)
            parts.append(part)
            covered += length
        return b"".join(parts) if covered == ref.byte_len else None

    def _marks_of(self, source_id: str) -> list[Mark]:
        rows = self._redactions.get((source_id,))
        return (
            list(rows.sort("byte_start").select("byte_start", "byte_len", "mark_bytes").iter_rows())
            if rows is not None
            else []
        )

    def _chunks(self, source_id: str, begin: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Chunks of a source from the one that holds `begin` on; each offset once."""
        chunks = self._index.get(source_id, [])
        first = bisect_right(chunks, begin, key=lambda c: c[0]) - 1
        seen = -1
        for start, file, group, row in chunks[max(0, first) :]:
            if start >= end and start > begin:
                break
            if start > seen:
                yield start, self._decoded(self._files[file], group)[row]
            seen = start


Mark = tuple[int, int, int]
"""A secret: its offset and length in the evidence, and the bytes of the mark that is stored for it."""


def slice_of(start: int, chunk: bytes, marks: Sequence[Mark], begin: int, end: int) -> tuple[bytes, int]:
    """What a stored chunk holds of a range of the evidence, and how many bytes of the range that covers.

    Args:
        start: Where the chunk begins in the evidence.
        chunk: The stored bytes: the evidence with marks for secrets, none of them cut.
        marks: Secrets of the source by offset.
        begin: The range, in offsets of the evidence. A mark that the range touches comes whole.
        end: Its end.
    """
    own = []
    stop = start + len(chunk)
    for at, length, stored in marks[bisect_left(marks, (start, 0, 0)) :]:
        if at >= stop:
            break
        own.append((at, length, stored))
        stop += length - stored
    low, high = max(begin, start), min(end, stop)
    if low >= high:
        return b"", 0
    return chunk[_stored(low, start, own, False) : _stored(high, start, own, True)], high - low


def _stored(place: int, start: int, marks: Sequence[Mark], is_end: bool) -> int:
    """Where a place of the evidence lies in the stored chunk; inside a secret: its mark's begin or end."""
    moved = place - start
    for at, length, stored in marks:
        if at >= place:
            break
        if at + length > place:
            return moved - (place - at) + (stored if is_end else 0)
        moved += stored - length
    return moved
