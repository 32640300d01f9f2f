"""LZMA2 without its surroundings: what is left of a 7z whose directory is gone.

A stream is a row of chunks that state their sizes (xz-file-format, and LzmaDec of
the 7-Zip sources); it can be read without a directory, and nothing but such a
stream passes for one: every chunk has to yield as many bytes as it states.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator

from runcase.intake.containers.tape import Tape

_HEAD_BYTES = 6
_PIECE_BYTES = 256 * 1024


def begins(tape: Tape) -> bool:
    """Whether a stream begins at the tape's position: its first chunk resets everything, and is no accident."""
    head = tape.peek(_HEAD_BYTES)
    sizes = _sizes(head)
    if sizes is None or not (head[0] == 1 or head[0] >= 0xE0):
        return False
    chunk = tape.peek(sizes[0])
    return len(chunk) < sizes[0] or len(_decoded(_decoder(1 << 22), chunk)) == sizes[1]


def stream(tape: Tape, memory_bytes: int) -> Iterator[bytes]:
    """The content of a stream up to its end mark, or to the first chunk that is not whole; the tape stays behind it."""
    decoder = _decoder(memory_bytes)
    while (head := tape.peek(_HEAD_BYTES)) and head[0]:
        sizes = _sizes(head)
        if sizes is None:
            return
        chunk = tape.peek(sizes[0])
        data = _decoded(decoder, chunk)
        if len(chunk) == sizes[0] and len(data) != sizes[1]:
            return
        tape.skip(len(chunk))
        for at in range(0, len(data), _PIECE_BYTES):
            yield data[at : at + _PIECE_BYTES]
    if head:
        tape.skip(1)


def _sizes(head: bytes) -> tuple[int, int] | None:
    """Bytes of a chunk with its head, and bytes that it yields; None where no chunk begins."""
    if len(head) < _HEAD_BYTES:
        return None
    control = head[0]
    if control in (1, 2):
        size = int.from_bytes(head[1:3], "big") + 1
        return 3 + size, size
    if control < 0x80:
        return None
    unpacked = ((control & 0x1F) << 16) + int.from_bytes(head[1:3], "big") + 1
    return (6 if control >= 0xC0 else 5) + int.from_bytes(head[3:5], "big") + 1, unpacked


def _decoder(memory_bytes: int) -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": memory_bytes}])


def _decoded(decoder: lzma.LZMADecompressor, chunk: bytes) -> bytes:
    try:
        return decoder.decompress(chunk)
    except lzma.LZMAError:
        return b""
