"""GNU sparse members: stored pieces at their places, holes as zeros."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runcase.intake.streams import CHUNK_BYTES, ByteSource

_ZEROS = bytes(CHUNK_BYTES)


class Holes:
    """The expanded content of a sparse member; nothing is materialised beyond what is read."""

    def __init__(self, stored: ByteSource, pieces: Sequence[tuple[int, int]], size: int) -> None:
        self._parts = self._expanded(stored, sorted(pieces), size)
        self._held = b""

    def read(self, n: int, /) -> bytes:
        """At most `n` bytes; empty at the end."""
        if not self._held:
            self._held = next(self._parts, b"")
        data, self._held = self._held[:n], self._held[n:]
        return data

    def _expanded(self, stored: ByteSource, pieces: list[tuple[int, int]], size: int) -> Iterator[bytes]:
        at = 0
        for offset, length in [*pieces, (size, 0)]:
            while at < offset:
                yield _ZEROS[: min(CHUNK_BYTES, offset - at)]
                at += min(CHUNK_BYTES, offset - at)
            while length and (data := stored.read(min(length, CHUNK_BYTES))):
                yield data
                at += len(data)
                length -= len(data)
