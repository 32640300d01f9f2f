"""Bytes to read: a forward reader with look-ahead, and random access for what can be seeked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Protocol

from runcase.intake.containers.damage import DamageError

FILE_CHUNK_BYTES = 1024 * 1024


class RandomAccess(Protocol):
    """Bytes of known size that can be read at any place."""

    size: int

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; shorter only where the bytes end."""


class FileAccess:
    """An open regular file; reads do not move a shared position."""

    def __init__(self, descriptor: int, passed: Callable[[int], None] = lambda _: None) -> None:
        self._descriptor = descriptor
        self._passed = passed
        self.size = os.fstat(descriptor).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; shorter only at the end of the file."""
        parts: list[bytes] = []
        while length > 0 and 0 <= offset < self.size:
            try:
                part = os.pread(self._descriptor, min(length, FILE_CHUNK_BYTES), offset)
            except OSError as error:
                why = f"the operating system stops reading here: {error.strerror}"
                raise DamageError("unreadable", "corrupt", offset, why) from None
            if not part:
                break
            parts.append(part)
            self._passed(len(part))
            offset += len(part)
            length -= len(part)
        return b"".join(parts)


class MemoryAccess:
    """Bytes that are held in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; shorter only at the end of the data."""
        return self._data[max(offset, 0) : max(offset, 0) + max(length, 0)]


class WindowAccess:
    """A stretch of other bytes, such as a stored member of an archive on disk."""

    def __init__(self, access: RandomAccess, start: int, size: int) -> None:
        self._access, self._start = access, start
        self.size = max(0, min(size, access.size - start))

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; shorter only at the end of the window."""
        return self._access.read_at(self._start + offset, min(length, self.size - offset))


def section(tape: Tape, length: int) -> Iterator[bytes]:
    """The next `length` bytes of the tape in pieces; fewer where it ends."""
    end = tape.position + length
    while tape.position < end and (piece := tape.some(min(FILE_CHUNK_BYTES, end - tape.position))):
        yield piece


def stretch(access: RandomAccess, start: int, end: int) -> Iterator[bytes]:
    """The bytes from `start` up to `end` in pieces of at most FILE_CHUNK_BYTES."""
    while start < end:
        piece = access.read_at(start, min(FILE_CHUNK_BYTES, end - start))
        if not piece:
            return
        yield piece
        start += len(piece)


class Tape:
    """Reads an iterator of pieces forward, with look-ahead.

    Args:
        pieces: The bytes; empty pieces are skipped.
        start: Offset of the first byte in the container that the tape belongs to.
    """

    def __init__(self, pieces: Iterator[bytes], start: int = 0) -> None:
        self._pieces = pieces
        self._buffer = b""
        self._at = 0
        self.position = start

    def peek(self, length: int) -> bytes:
        """The next `length` bytes without moving; shorter only at the end."""
        self._fill(length)
        return self._buffer[self._at : self._at + length]

    def read(self, length: int) -> bytes:
        """The next `length` bytes; shorter only at the end."""
        data = self.peek(length)
        self._advance(len(data))
        return data

    def some(self, limit: int) -> bytes:
        """Between 1 and `limit` bytes, whatever is at hand; empty only at the end. `rewind` can take them back."""
        self._fill(1)
        data = self._buffer[self._at : self._at + limit]
        self._advance(len(data))
        return data

    def rewind(self, length: int) -> None:
        """Takes back the last `length` bytes of the last `read` or `some`."""
        if length > self._at:
            raise ValueError(f"cannot take back {length} bytes, {self._at} are held")
        self._advance(-length)

    def skip(self, length: int) -> int:
        """Moves over up to `length` bytes and returns how many there were."""
        done = 0
        while done < length:
            piece = len(self.some(length - done))
            if piece == 0:
                break
            done += piece
        return done

    def skip_all(self) -> None:
        """Moves to the end."""
        while self.some(FILE_CHUNK_BYTES):
            pass

    def rest(self) -> Iterator[bytes]:
        """Everything that is left."""
        while piece := self.some(FILE_CHUNK_BYTES):
            yield piece

    def _advance(self, length: int) -> None:
        self._at += length
        self.position += length

    def _fill(self, length: int) -> None:
        held = len(self._buffer) - self._at
        if held >= length:
            return
        parts = [self._buffer[self._at :]] if held else []
        while held < length and (piece := next(self._pieces, None)) is not None:
            parts.append(piece)
            held += len(piece)
        # a single piece is kept as it is: joining would copy it
        self._buffer, self._at = parts[0] if len(parts) == 1 else b"".join(parts), 0
