"""Single compressed streams: gzip, bzip2, xz, zstandard, lz4; several concatenated ones count as one.

The libraries end a truncated stream without an error or raise in mid-stream, so
the end marker of each frame is checked here, and what came before is kept.
"""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from runcase.intake.streams import CHUNK_BYTES, Counted

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


class Decoder(Protocol):
    """The interface of bz2, lzma and zstd decompressors."""

    @property
    def eof(self) -> bool:
        """Whether the end marker was met."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out without further input."""

    @property
    def unused_data(self) -> bytes:
        """What follows the end marker."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """At most `max_length` bytes."""


class _Zlib:
    """zlib with the interface of the other decompressors."""

    def __init__(self, wbits: int) -> None:
        self._z = zlib.decompressobj(wbits)

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._z.decompress(self._z.unconsumed_tail + data, max(0, max_length))

    @property
    def eof(self) -> bool:
        return self._z.eof

    @property
    def needs_input(self) -> bool:
        return not self._z.eof and not self._z.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._z.unused_data


def _lz4() -> Decoder:
    from lz4.frame import LZ4FrameDecompressor

    return LZ4FrameDecompressor()  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Family:
    """A compression format: how it begins, what it is called, and its decoder."""

    name: str
    magic: bytes
    suffixes: tuple[str, ...]
    decoder: Callable[[], Decoder]
    tar_suffixes: tuple[str, ...] = ()


def new_zstd() -> Decoder:
    """A decoder for one zstandard frame."""
    return zstd.ZstdDecompressor()


def raw_deflate() -> Decoder:
    """A decoder for the bare deflate streams inside zip members."""
    return _Zlib(-zlib.MAX_WBITS)


FAMILIES = (
    # RFC 1952; zlib checks CRC and ISIZE of each member
    Family("gzip", b"\x1f\x8b\x08", (".gz", ".gzip"), lambda: _Zlib(31), (".tgz", ".taz")),
    Family("bzip2", b"BZh", (".bz2", ".bz"), bz2.BZ2Decompressor, (".tbz2", ".tbz")),
    Family("xz", b"\xfd7zXZ\x00", (".xz",), lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ), (".txz",)),
    # RFC 8878
    Family("zstd", b"\x28\xb5\x2f\xfd", (".zst", ".zstd"), new_zstd, (".tzst",)),
    Family("lz4", b"\x04\x22\x4d\x18", (".lz4",), _lz4),
)

ERRORS: tuple[type[Exception], ...] = (zlib.error, OSError, EOFError, lzma.LZMAError, zstd.ZstdError, RuntimeError)
"""What decoders raise on damaged input; lz4 raises RuntimeError."""


def family_of(head: bytes) -> Family | None:
    """The compression format that `head` begins with."""
    return next((f for f in FAMILIES if head.startswith(f.magic)), None)


def inner_name(name: str, family: Family) -> str:
    """The name of what is inside: `a.log.gz` holds `a.log`, `a.tgz` holds `a.tar`."""
    lower = name.lower()
    for suffix in family.suffixes:
        if lower.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    for suffix in family.tar_suffixes:
        if lower.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)] + ".tar"
    return name


@dataclass(slots=True)
class Damage:
    """Where decoding stopped: offset in the compressed source, bytes given up, and why."""

    verdict: str
    offset: int
    lost: int
    why: str


class Decoded:
    """The decoded bytes of a compressed source; after the last read, `damage` says whether all was well."""

    def __init__(self, raw: Counted, decoder: Callable[[], Decoder], magic: bytes = b"") -> None:
        self._raw, self._new, self._magic = raw, decoder, magic
        self._decoder: Decoder | None = decoder()
        self._held = b""
        self._good = raw.offset
        self.damage: Damage | None = None

    def read(self, n: int, /) -> bytes:
        """At most `n` decoded bytes; empty at the end or at the first damage."""
        while self._decoder is not None:
            if self._decoder.eof:
                self._next_frame()
                continue
            try:
                data = self._step(n)
            except ERRORS as e:
                self._stop("corrupt", str(e) or type(e).__name__)
                return b""
            if data:
                return data
        return b""

    def _step(self, n: int) -> bytes:
        decoder = self._decoder
        assert decoder is not None
        if not decoder.needs_input:
            return decoder.decompress(b"", n)
        held, self._held = self._held, b""
        held = held or self._raw.read(CHUNK_BYTES)
        if not held:
            self._stop("truncated", "the stream ends before its end marker")
            return b""
        return decoder.decompress(held, n)

    def _next_frame(self) -> None:
        assert self._decoder is not None
        self._held = self._decoder.unused_data
        self._good = self._raw.offset - len(self._held)
        if not self._held:
            self._held = self._raw.read(CHUNK_BYTES)
        if not self._held:
            self._decoder = None
        elif self._magic and not self._held.startswith(self._magic):
            self._trailing()
        else:
            self._decoder = self._new()

    def _trailing(self) -> None:
        """Zero padding after the last frame is usual; anything else is not part of the stream."""
        rest = self._held
        while not rest.strip(b"\0") and (more := self._raw.read(CHUNK_BYTES)):
            rest = more
        if rest.strip(b"\0"):
            self._stop("corrupt", "bytes after the last frame that begin no further one")
        self._decoder = None

    def _stop(self, verdict: str, why: str) -> None:
        at = self._raw.offset
        self._raw.drain()
        self._decoder = None
        self.damage = Damage(verdict, at, self._raw.offset - self._good if verdict == "corrupt" else 0, why)
