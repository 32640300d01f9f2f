"""gzip: RFC 1952 members one after the other, each with its checksum and length."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from runcase.intake.containers.base import instant
from runcase.intake.containers.decoders import corrupt, crc32, inflated, truncated
from runcase.intake.containers.single import SingleStream

_HEADER_CRC, _EXTRA, _NAME, _COMMENT, _RESERVED = 2, 4, 8, 16, 0xE0
_MAX_TEXT_BYTES = 64 * 1024


class Gz(SingleStream):
    """A `.gz` file."""

    format = "gz"
    magic = b"\x1f\x8b\x08"

    @classmethod
    def recognises(cls, head: bytes, name: str) -> bool:
        """By magic, method 8 and flags without reserved bits."""
        return head.startswith(b"\x1f\x8b\x08") and (len(head) < 4 or not head[3] & _RESERVED)

    def surely_begins(self, head: bytes) -> bool:
        """Extra flags 0, 2 or 4, and a known system: with the magic about 37 bits that chance would have to meet."""
        known = len(head) >= 10 and head[8] in (0, 2, 4) and (head[9] <= 13 or head[9] == 255)
        return known and self.recognises(head, "")

    def recorded_at(self) -> datetime | None:
        """MTIME of the first member."""
        return instant(int.from_bytes(self.tape.peek(8)[4:8], "little"))

    def part(self) -> Iterator[bytes]:
        """One gzip member; its CRC and length are compared with what came out."""
        self._skip_header()
        crc = size = 0
        for piece in inflated(self.tape, "gzip member", self.opening.access):
            crc = crc32(piece, crc)
            size += len(piece)
            yield piece
        at = self.tape.position
        trailer = self.tape.read(8)
        if len(trailer) < 8:
            raise truncated("gzip member", self.tape.position, "its checksum and length")
        expected = int.from_bytes(trailer[:4], "little")
        if expected != crc:
            raise corrupt("gzip member", at, f"checksum {crc:08x}, its trailer says {expected:08x}")
        length = int.from_bytes(trailer[4:], "little")
        if length != size & 0xFFFFFFFF:
            raise corrupt("gzip member", at, f"{size:,} bytes came out, its trailer says {length:,}")

    def _skip_header(self) -> None:
        tape = self.tape
        head = tape.read(10)
        if len(head) < 10:
            raise truncated("gzip header", tape.position, "ten bytes")
        flags = head[3]
        if flags & _EXTRA:
            length = tape.read(2)
            wanted = int.from_bytes(length, "little")
            if len(length) < 2 or tape.skip(wanted) < wanted:
                raise truncated("gzip header", tape.position, "its extra field")
        for flag in (_NAME, _COMMENT):
            if flags & flag:
                self._skip_text()
        if flags & _HEADER_CRC and len(tape.read(2)) < 2:
            raise truncated("gzip header", tape.position, "its checksum")

    def _skip_text(self) -> None:
        """A zero-terminated name or comment."""
        start = self.tape.position
        while piece := self.tape.some(1024):
            end = piece.find(b"\0")
            if end >= 0:
                self.tape.rewind(len(piece) - end - 1)
                return
            if self.tape.position - start > _MAX_TEXT_BYTES:
                raise corrupt("gzip header", start, "a name without end")
        raise truncated("gzip header", self.tape.position, "the end of a name")
