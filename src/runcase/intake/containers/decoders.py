"""Decoders of one compressed stream each: bytes come out as far as they are good, then DamageError.

Python's decompressors drop the output of the call that finds an error, so each
call is kept small (or, for deflate, repeated byte by byte from a copy of the
state): what precedes the damage is not lost with it.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Protocol

from runcase.intake.containers.damage import DamageError
from runcase.intake.containers.tape import RandomAccess, Tape, stretch

igzip_lib: ModuleType | None
crc32: Callable[[bytes, int], int]
try:
    from isal import igzip_lib, isal_zlib
except ModuleNotFoundError:  # no wheel for this machine
    igzip_lib, crc32 = None, zlib.crc32
else:
    crc32 = isal_zlib.crc32

INPUT_BYTES = 64 * 1024
OUTPUT_BYTES = 512 * 1024
FAST_INPUT_BYTES = 256 * 1024
FAST_OUTPUT_BYTES = 1024 * 1024
CAREFUL_INPUT_BYTES = 512
CAREFUL_OUTPUT_BYTES = 64 * 1024
"""An error in a bzip2, xz or lz4 stream costs at most this much good output."""


class Engine(Protocol):
    """The common shape of bz2, lzma and zstd decompressors."""

    @property
    def eof(self) -> bool:
        """Whether the end mark was decoded."""

    @property
    def needs_input(self) -> bool:
        """Whether no output is held back."""

    @property
    def unused_data(self) -> bytes | None:
        """Input after the end mark; lz4 says None where there is none."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Decodes more."""


def truncated(what: str, at: int, expected: str) -> DamageError:
    """The stream ends before its end mark."""
    return DamageError("stream_truncated", "truncated", at, f"{what} ends at byte {at:,} where {expected} was expected")


def corrupt(what: str, at: int, found: str) -> DamageError:
    """The stream cannot be decoded from here."""
    return DamageError("stream_corrupt", "corrupt", at, f"{what} is damaged near byte {at:,}: {found}")


def inflated(
    tape: Tape, what: str = "deflate stream", access: RandomAccess | None = None, stored: int | None = None
) -> Iterator[bytes]:
    """Raw deflate up to and including the final block.

    Args:
        tape: Where the stream begins.
        what: What it is called when it is damaged.
        access: The bytes of `tape`, where they can be seeked. A fast decoder reads the stream then;
            whatever it does not like, zlib reads again from the begin, and carefully.
        stored: How many bytes the stream has at most; None: up to the end.
    """
    if igzip_lib is None or access is None:
        yield from _inflated_with_care(tape, what)
        return
    start, done, taken = tape.position, 0, 0
    end = access.size if stored is None else start + stored
    engine = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_DEFLATE)
    while not engine.eof:
        piece = b""
        if engine.needs_input:
            piece = tape.some(FAST_INPUT_BYTES)
            taken = len(piece)
            if not piece:
                yield from _again(tape, stretch(access, start, end), what, start, done)
                return
        try:
            out = engine.decompress(piece, FAST_OUTPUT_BYTES)
        except igzip_lib.IsalError:
            tape.rewind(taken)
            yield from _again(tape, stretch(access, start, end), what, start, done)
            return
        done += len(out)
        if out:
            yield out
    tape.rewind(len(engine.unused_data))


def _again(tape: Tape, stream: Iterator[bytes], what: str, start: int, done: int) -> Iterator[bytes]:
    """The stream from `start` without its first `done` bytes; the tape moves to where it ends or breaks."""
    own = Tape(stream, start)
    try:
        for piece in _inflated_with_care(own, what):
            if len(piece) > done:
                yield piece[done:]
            done = max(0, done - len(piece))
    finally:
        tape.skip(own.position - tape.position)


def _inflated_with_care(tape: Tape, what: str) -> Iterator[bytes]:
    """As `inflated`, with zlib, whose state can be copied: an error costs no byte before it."""
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    while not engine.eof:
        pending = tape.some(INPUT_BYTES)
        if not pending:
            raise truncated(what, tape.position, "more compressed data")
        while True:
            before = engine.copy()
            try:
                out = engine.decompress(pending, OUTPUT_BYTES)
            except zlib.error as error:
                good, used = _good_part(before, pending)
                tape.rewind(len(pending) - used)
                if good:
                    yield good
                raise corrupt(what, tape.position, _reason(error)) from None
            pending = engine.unconsumed_tail
            if out:
                yield out
            if engine.eof or (not pending and len(out) < OUTPUT_BYTES):
                break
    tape.rewind(len(engine.unused_data))


def _good_part(engine: zlib._Decompress, data: bytes) -> tuple[bytes, int]:
    """Output before the first byte that cannot be decoded, and the number of bytes before that one."""
    parts: list[bytes] = []
    for at in range(len(data)):
        try:
            parts.append(engine.decompress(data[at : at + 1]))
        except zlib.error:
            return b"".join(parts), at
    return b"".join(parts), len(data)


def _reason(error: Exception) -> str:
    return str(error).rpartition(": ")[2] or "undecodable data"


def pumped(engine: Engine, tape: Tape, what: str) -> Iterator[bytes]:
    """What `engine` makes of the tape, in careful steps, up to its end mark."""
    while not engine.eof:
        piece = tape.some(CAREFUL_INPUT_BYTES) if engine.needs_input else b""
        if engine.needs_input and not piece:
            raise truncated(what, tape.position, "its end mark")
        try:
            out = engine.decompress(piece, CAREFUL_OUTPUT_BYTES)
        except (OSError, lzma.LZMAError, ValueError, EOFError, RuntimeError) as error:
            tape.rewind(len(piece))
            if "emory" in str(error):
                raise too_large(what, tape.position) from None
            raise corrupt(what, tape.position, _reason(error)) from None
        if out:
            yield out
    tape.rewind(len(engine.unused_data or b""))


def too_large(what: str, at: int) -> DamageError:
    """The stream wants a larger window than the memory budget has."""
    return DamageError(
        "window_too_large", "over_budget", at, f"{what} wants a larger window than the memory budget allows"
    )


def bunzipped(tape: Tape) -> Iterator[bytes]:
    """One bzip2 stream; its block checksums and its end checksum are checked by the engine."""
    return pumped(bz2.BZ2Decompressor(), tape, "bzip2 stream")


def unxzed(tape: Tape, memory_bytes: int) -> Iterator[bytes]:
    """One xz stream; block checks, index and footer are checked by the engine."""
    return pumped(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=memory_bytes), tape, "xz stream")


def unlzmaed(tape: Tape, size: int | None, memory_bytes: int) -> Iterator[bytes]:
    """An LZMA member of a zip (method 14): 4 bytes of version and property size, 5 of properties, raw LZMA.

    Args:
        tape: Where it stands.
        size: Number of bytes to decode where the stream may lack an end mark; None when it has one.
        memory_bytes: Largest dictionary.
    """
    head = tape.read(9)
    if len(head) < 9:
        raise truncated("LZMA stream", tape.position, "its properties")
    bits, window = head[4], int.from_bytes(head[5:9], "little")
    if bits >= 9 * 5 * 5 or head[2:4] != b"\x05\x00":
        raise corrupt("LZMA stream", tape.position - 9, "impossible properties")
    if window > memory_bytes:
        raise too_large("LZMA stream", tape.position - 9)
    properties = {"lc": bits % 9, "lp": bits // 9 % 5, "pb": bits // 45, "dict_size": max(window, 4096)}
    try:
        engine = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA1, **properties}])
    except (lzma.LZMAError, ValueError) as error:
        raise corrupt("LZMA stream", tape.position - 9, str(error)) from None
    done = 0
    for piece in pumped(engine, tape, "LZMA stream"):
        done += len(piece)
        yield piece
        if size is not None and done >= size:
            return
