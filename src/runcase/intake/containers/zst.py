"""Zstandard: frames, skippable frames, several of them in a row.

Blocks are cut out of the frame here and decoded one by one, so that damage
costs one block (at most 128 KiB) and its offset is known. RFC 8878.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from runcase.intake.containers.damage import DamageError
from runcase.intake.containers.decoders import OUTPUT_BYTES, corrupt, too_large, truncated
from runcase.intake.containers.single import SingleStream
from runcase.intake.containers.tape import Tape

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAGIC = b"\x28\xb5\x2f\xfd"
_RLE, _RESERVED = 1, 3
_WINDOW_LOG_MIN = 10
_MAX_BLOCK_BYTES = 128 * 1024


def is_skippable(head: bytes) -> bool:
    """Whether a skippable frame begins here: 0x184D2A50 to 0x184D2A5F."""
    return len(head) >= 4 and head[0] & 0xF0 == 0x50 and head[1:4] == b"\x2a\x4d\x18"


def unzstded(tape: Tape, memory_bytes: int) -> Iterator[bytes]:
    """One zstd frame with its optional content checksum."""
    start = tape.position
    header, has_checksum = _frame_header(tape)
    log = max(_WINDOW_LOG_MIN, memory_bytes.bit_length() - 1)
    engine = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: min(log, 31)})
    yield from _decoded(engine, header, start)
    last = False
    while not last:
        at = tape.position
        block, last = _block(tape)
        yield from _decoded(engine, block, at)
    if has_checksum:
        at = tape.position
        checksum = tape.read(4)
        if len(checksum) < 4:
            raise truncated("zstd frame", tape.position, "its checksum")
        yield from _decoded(engine, checksum, at)
    if not engine.eof:
        raise corrupt("zstd frame", tape.position, "its content is shorter than it declares")


def _frame_header(tape: Tape) -> tuple[bytes, bool]:
    """The frame header's bytes, and whether a checksum follows the last block."""
    length = _header_length(tape.peek(5))
    header = tape.read(length or 5)
    if length is None or len(header) < length:
        raise truncated("zstd frame", tape.position, "its header")
    return header, bool(header[4] & 4)


def _header_length(head: bytes) -> int | None:
    """Bytes of magic and frame header; None when the descriptor is cut off."""
    if len(head) < 5:
        return None
    flags = head[4]
    single = bool(flags & 0x20)
    content_size = (1 if single else 0, 2, 4, 8)[flags >> 6]
    return 5 + (0 if single else 1) + (0, 1, 2, 4)[flags & 3] + content_size


def _possible(kind: int, size: int) -> bool:
    """Whether a block of this type may have this size: at most 128 KiB, except where it repeats one byte."""
    return kind != _RESERVED and (size <= _MAX_BLOCK_BYTES or kind == _RLE)


def _block(tape: Tape) -> tuple[bytes, bool]:
    """The next block with its 3-byte header, and whether it is the last."""
    at = tape.position
    head = tape.peek(3)
    if len(head) < 3:
        raise truncated("zstd frame", at + tape.skip(3), "a block header")
    word = int.from_bytes(head, "little")
    kind, size = word >> 1 & 3, word >> 3
    if not _possible(kind, size):
        raise corrupt("zstd frame", at, "impossible block header")
    length = 3 + (1 if kind == _RLE else size)
    block = tape.read(length)
    if len(block) < length:
        raise truncated("zstd frame", tape.position, f"{length - len(block):,} more bytes of a block")
    return block, bool(word & 1)


def _decoded(engine: zstd.ZstdDecompressor, data: bytes, at: int) -> Iterator[bytes]:
    while data or not (engine.needs_input or engine.eof):
        try:
            out = engine.decompress(data, OUTPUT_BYTES)
        except zstd.ZstdError as error:
            raise _located(error, at) from None
        except EOFError:
            raise corrupt("zstd frame", at, "data after its declared end") from None
        data = b""
        if out:
            yield out


def _located(error: Exception, at: int) -> DamageError:
    text = str(error)
    if "window" in text.lower() or "memory" in text.lower():
        return too_large("zstd frame", at)
    return corrupt("zstd frame", at, text.rpartition(": ")[2])


class Zst(SingleStream):
    """A `.zst` file: frames one after the other, skippable ones passed over."""

    format = "zst"
    magic = MAGIC

    @classmethod
    def recognises(cls, head: bytes, name: str) -> bool:
        """By the magic number of a frame, or of a skippable frame."""
        return head.startswith(MAGIC) or is_skippable(head)

    def surely_begins(self, head: bytes) -> bool:
        """No reserved bit, and a first block that can be."""
        length = _header_length(head)
        if length is None or head[4] & 8 or len(head) < length + 3:
            return False
        word = int.from_bytes(head[length : length + 3], "little")
        return _possible(word >> 1 & 3, word >> 3)

    def part(self) -> Iterator[bytes]:
        """One frame."""
        if is_skippable(self.tape.peek(4)):
            return self._skipped()
        return unzstded(self.tape, self.opening.memory_bytes)

    def _skipped(self) -> Iterator[bytes]:
        head = self.tape.read(8)
        length = int.from_bytes(head[4:], "little")
        if len(head) < 8 or self.tape.skip(length) < length:
            raise truncated("zstd skippable frame", self.tape.position, "more bytes")
        return
        yield b""
