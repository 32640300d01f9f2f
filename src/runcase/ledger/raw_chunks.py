"""Refs to bytes: an index over the raw chunks of all batches, so that a ref costs one row group and no search."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import pyarrow.parquet as pq

from runcase.model.refs import Ref

KEPT_GROUPS = 8
"""Row groups held decoded: neighbouring refs ask for the same one."""


class RawChunks:
    """The raw tables of a case: where each chunk begins is read once, its bytes when a ref asks for them."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files = [pq.ParquetFile(path) for path in paths]
        self._index: dict[str, list[tuple[int, int, int, int]]] = {}
        """Source -> its chunks by offset: offset, file, row group, row in it."""
        for number, file in enumerate(self._files):
            for group in range(file.num_row_groups):
                self._note(number, group)
        for chunks in self._index.values():
            chunks.sort()
        self._group = lru_cache(KEPT_GROUPS)(self._read)

    def _note(self, file: int, group: int) -> None:
        rows = self._files[file].read_row_group(group, columns=["source_id", "byte_start"])
        places = zip(rows.column("source_id").to_pylist(), rows.column("byte_start").to_pylist(), strict=True)
        for row, (source_id, start) in enumerate(places):
            self._index.setdefault(source_id, []).append((start, file, group, row))

    def _read(self, file: int, group: int) -> list[bytes]:
        data: list[bytes] = self._files[file].read_row_group(group, columns=["data"]).column("data").to_pylist()
        return data

    def bytes_of(self, ref: Ref) -> bytes | None:
        """The bytes that `ref` names; None when they are not all there."""
        end = ref.byte_start + ref.byte_len
        data = b"".join(
            chunk[max(0, ref.byte_start - start) : max(0, end - start)]
            for start, chunk in self._chunks(ref.source_id, ref.byte_start, end)
        )
        return data if len(data) == ref.byte_len else None

    def _chunks(self, source_id: str, begin: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Chunks of a source from the one that holds `begin` on; each offset once."""
        chunks = self._index.get(source_id, [])
        first = bisect_right(chunks, begin, key=lambda c: c[0]) - 1
        seen = -1
        for start, file, group, row in chunks[max(0, first) :]:
            if start >= end and start > begin:
                break
            if start > seen:
                yield start, self._group(file, group)[row]
            seen = start
