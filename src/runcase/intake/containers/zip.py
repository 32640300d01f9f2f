"""zip, read forward by local headers; the central directory is held against what was found.

Reading forward takes each byte once, so that overlapping members (the trick of
zip bombs) cannot multiply, a truncated archive yields what it has, and a zip
inside another archive needs no seeking. Layout: APPNOTE 6.3.10, sections 4.3 to 4.5.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from runcase.intake.containers.compressed import ERRORS, Damage, Decoder, new_zstd, raw_deflate
from runcase.intake.streams import CHUNK_BYTES, Counted

LOCAL, CENTRAL, END, DESCRIPTOR = b"PK\3\4", b"PK\1\2", b"PK\5\6", b"PK\7\x08"
_TAIL = (CENTRAL, END, b"PK\6\6", b"PK\6\7", b"PK\5\5")
_ENCRYPTED, _DESCRIBED, _UTF8 = 0x1, 0x8, 0x800
_UNKNOWN = 0xFFFFFFFF


@dataclass(slots=True)
class Entry:
    """One member as its local header tells it; sizes are None where a descriptor follows the data."""

    name: str
    kind: str
    method: int
    offset: int
    stored: int | None
    size: int | None
    crc: int | None
    encrypted: bool
    recorded_at: datetime | None


@dataclass(slots=True)
class BadSpan:
    """Bytes that are neither a member nor the directory."""

    offset: int
    length: int
    why: str


@dataclass(slots=True)
class Directory:
    """The tail of the archive: number of members that it lists (None: it is missing), names of those not met."""

    offset: int
    listed: int | None
    ended: bool


class MemberData:
    """The decoded content of one member, pulled from the archive; `damage` says whether all was well."""

    def __init__(self, raw: Counted, entry: Entry) -> None:
        self._raw, self._entry = raw, entry
        self._left = entry.stored
        self._decoder = _decoder(entry.method)
        self._held = b""
        self._crc, self._out = 0, 0
        self._ended = False
        self.damage: Damage | None = None
        if entry.encrypted:
            self._refuse("encrypted", "the member is encrypted")
        elif self._decoder is None and entry.method != 0:
            self._refuse("unsupported", f"compression method {entry.method} is not supported")

    def read(self, n: int, /) -> bytes:
        """At most `n` bytes; empty at the end or at the first damage."""
        if self._ended:
            return b""
        try:
            data = self._stored(n) if self._decoder is None else self._inflated(self._decoder, n)
        except ERRORS as e:
            self._stop("corrupt", str(e) or type(e).__name__)
            return b""
        self._crc, self._out = zlib.crc32(data, self._crc), self._out + len(data)
        if not data:
            self._finish()
        return data

    def _inflated(self, decoder: Decoder, n: int) -> bytes:
        while not decoder.eof:
            if decoder.needs_input:
                self._held = self._pull(CHUNK_BYTES)
                if not self._held:
                    self._stop("truncated", "the archive ends inside this member")
                    return b""
                data = decoder.decompress(self._held, n)
            else:
                data = decoder.decompress(b"", n)
            if data:
                return data
        return b""

    def _pull(self, n: int) -> bytes:
        """Compressed bytes of this member; what a self-terminating stream leaves over is given back by `_finish`."""
        if self._left is None:
            return self._raw.lend(n)
        data = self._raw.read(min(n, self._left)) if self._left else b""
        self._left -= len(data)
        return data

    def _stored(self, n: int) -> bytes:
        if self._left is None:
            return self._raw.until(DESCRIPTOR, n)
        if self._left == 0:
            return b""
        data = self._raw.read(min(n, self._left))
        self._left -= len(data)
        if not data:
            self._stop("truncated", "the archive ends inside this member")
        return data

    def _finish(self) -> None:
        if self._ended:
            return
        self._ended = True
        if self._decoder is not None and self._left is None:
            self._raw.give_back(self._decoder.unused_data)
        elif self._left:
            self._raw.exactly(self._left)
        crc, size = self._entry.crc, self._entry.size
        if self._entry.stored is None:
            crc, size = _descriptor(self._raw, self._out)
        if crc is not None and crc != self._crc:
            self.damage = Damage("corrupt", self._raw.offset, 0, f"checksum {self._crc:08x}, stated is {crc:08x}")
        elif size is not None and size != self._out:
            self.damage = Damage("corrupt", self._raw.offset, 0, f"{self._out} bytes, stated are {size}")

    def _refuse(self, verdict: str, why: str) -> None:
        lost = self._entry.stored or 0
        at = self._raw.offset
        taken = len(self._raw.exactly(lost))
        self._ended = True
        self.damage = Damage(verdict, at, taken, why)

    def _stop(self, verdict: str, why: str) -> None:
        at = self._raw.offset
        lost = self._raw.skip(self._left) if self._left else 0
        self._ended = True
        self.damage = Damage(verdict, at, lost + (len(self._held) if verdict == "corrupt" else 0), why)


def entries(raw: Counted) -> Iterator[tuple[Entry, MemberData] | BadSpan | Directory]:
    """Members in the order of the file, then the directory. Each member must be read before the next is asked for."""
    while True:
        mark = raw.peek(4)
        if mark == LOCAL:
            entry = _local(raw)
            if entry is None:
                yield BadSpan(raw.offset, len(raw.exactly(4)), "a local header that is cut off")
                continue
            data = MemberData(raw, entry)
            yield entry, data
            while data.read(CHUNK_BYTES):
                pass
        elif mark in _TAIL:
            yield _directory(raw)
            return
        elif not mark:
            yield Directory(raw.offset, None, ended=False)
            return
        else:
            at = raw.offset
            length = raw.skip_to((LOCAL, CENTRAL))
            yield BadSpan(at, length, "no member header where one was expected")


def _local(raw: Counted) -> Entry | None:
    """The local header at the current place, or None when it is cut off; then nothing was taken."""
    at = raw.offset
    fixed = raw.peek(30)
    if len(fixed) < 30:
        return None
    _, flags, method, time, date, crc, stored, size, name_len, extra_len = struct.unpack("<4xHHHHHIIIHH", fixed)
    whole = raw.peek(30 + name_len + extra_len)
    if len(whole) < 30 + name_len + extra_len:
        return None
    raw.exactly(len(whole))
    name_bytes, extra = whole[30 : 30 + name_len], whole[30 + name_len :]
    name = _decoded(name_bytes, flags)
    if _UNKNOWN in (stored, size):
        size, stored = _zip64(extra, size, stored)
    described = bool(flags & _DESCRIBED) and stored == 0
    return Entry(
        name=name,
        kind="directory" if name.endswith("/") else "file",
        method=method,
        offset=at,
        stored=None if described else stored,
        size=None if described else size,
        crc=None if described else crc,
        encrypted=bool(flags & _ENCRYPTED),
        recorded_at=_dos_time(date, time),
    )


def _decoded(name: bytes, flags: int) -> str:
    if flags & _UTF8:
        return name.decode("utf-8", "surrogateescape")
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("cp437")


def _zip64(extra: bytes, size: int, stored: int) -> tuple[int, int]:
    """Sizes from the zip64 field (4.5.3): eight bytes for each of the two that is all ones, in this order."""
    while len(extra) >= 4:
        tag, length = struct.unpack("<HH", extra[:4])
        body = extra[4 : 4 + length]
        if tag == 1:
            numbers = [int.from_bytes(body[n : n + 8], "little") for n in range(0, len(body) - 7, 8)]
            if size == _UNKNOWN and numbers:
                size = numbers.pop(0)
            if stored == _UNKNOWN and numbers:
                stored = numbers.pop(0)
            break
        extra = extra[4 + length :]
    return size, stored


def _dos_time(date: int, time: int) -> datetime | None:
    """Two-second resolution, no zone: taken as UTC, which is all that can be known."""
    try:
        return datetime(
            1980 + (date >> 9),
            date >> 5 & 15,
            date & 31,
            time >> 11,
            time >> 5 & 63,
            min(59, (time & 31) * 2),
            tzinfo=UTC,
        )
    except ValueError:
        return None


class _Lzma:
    """lzma as zip stores it (5.8.8): two bytes version, two bytes length, properties, then raw data."""

    def __init__(self) -> None:
        self._inner: lzma.LZMADecompressor | None = None
        self._head = b""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        if self._inner is None:
            self._head += data
            if len(self._head) < 9:
                return b""
            properties, dictionary = self._head[4], int.from_bytes(self._head[5:9], "little")
            chain = {"id": lzma.FILTER_LZMA1, "lc": properties % 9, "lp": properties // 9 % 5, "pb": properties // 45}
            chain["dict_size"] = min(dictionary, 64 * 1024 * 1024)
            self._inner = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[chain])
            data = self._head[9:]
        return self._inner.decompress(data, max_length)

    @property
    def eof(self) -> bool:
        return self._inner is not None and self._inner.eof

    @property
    def needs_input(self) -> bool:
        return self._inner is None or self._inner.needs_input

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data if self._inner else b""


def _decoder(method: int) -> Decoder | None:
    if method == 8:
        return raw_deflate()
    if method == 12:
        return bz2.BZ2Decompressor()
    if method == 14:
        return _Lzma()
    if method == 93:
        return new_zstd()
    return None


def _descriptor(raw: Counted, out: int) -> tuple[int | None, int | None]:
    """CRC and size from the data descriptor (4.3.9), whose mark and width both vary."""
    ahead = raw.peek(24)
    body = ahead[4:] if ahead.startswith(DESCRIPTOR) else ahead
    marked = len(ahead) - len(body)
    for width in (4, 8):
        if len(body) >= 4 + 2 * width:
            size = int.from_bytes(body[4 + width : 4 + 2 * width], "little")
            if size == out % (1 << 8 * width):
                raw.exactly(marked + 4 + 2 * width)
                return int.from_bytes(body[:4], "little"), out
    return None, None


def _directory(raw: Counted) -> Directory:
    """Counts the directory's entries; a missing end record means that the file was cut."""
    at, listed, ended = raw.offset, 0, False
    while len(mark := raw.peek(4)) == 4:
        if mark == CENTRAL:
            fixed = raw.peek(46)
            if len(fixed) < 46:
                break
            name_len, extra_len, comment_len = struct.unpack("<28xHHH12x", fixed)
            raw.exactly(46 + name_len + extra_len + comment_len)
            listed += 1
        elif mark == END:
            ended = len(raw.exactly(22)) == 22
            break
        else:
            raw.exactly(1)
    raw.drain()
    return Directory(at, listed, ended)
