"""The 512-byte header of tar, and the extension records before it.

POSIX.1-2017 pax and ustar; GNU tar manual, "Basic Tar Format". `tarfile` stops
silently at a bad header and can hang on a negative size, hence this reader.
"""

from __future__ import annotations

from datetime import datetime

from runcase.intake.containers.base import instant

BLOCK = 512
MAX_SIZE = 1 << 62
Pax = list[tuple[str, str]]
"""Records in their order; keys of sparse maps repeat."""


def is_header(block: bytes) -> bool:
    """True for 512 bytes whose checksum holds (unsigned or, as old tars wrote it, signed)."""
    if len(block) < BLOCK or not block[0]:
        return False
    stated = number(block[148:156])
    if not stated:
        return False
    unsigned = sum(block) - sum(block[148:156]) + 8 * 32
    if stated == unsigned:
        return True
    rest = block[:148] + block[156:]
    return stated == unsigned - 256 * sum(b > 127 for b in rest)


def number(data: bytes) -> int | None:
    """An octal or base-256 field; None when it is none, or negative."""
    if data[:1] == b"\x80":
        return int.from_bytes(data[1:], "big")
    text = data.strip(b" \0")
    if not text:
        return 0
    if text.strip(b"01234567"):
        return None
    return int(text, 8)


def size_of(block: bytes, start: int = 124, stop: int = 136) -> int | None:
    """A size field; None when it is negative, no number, or beyond any file system."""
    size = number(block[start:stop])
    return size if size is not None and size < MAX_SIZE else None


def name_of(block: bytes) -> str:
    """The name, with the ustar prefix where there is one."""
    name, prefix = text_of(block[:100]), text_of(block[345:500])
    ustar = block[257:263] == b"ustar\0"
    return f"{prefix}/{name}" if ustar and prefix else name


def text_of(data: bytes) -> str:
    """A zero-terminated field; undecodable bytes survive as surrogates."""
    return data.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def time_of(data: bytes) -> datetime | None:
    """A time field."""
    seconds = number(data)
    return instant(seconds) if seconds is not None else None


def pax_records(data: bytes) -> tuple[Pax, bool]:
    """The records of a pax header in their order, and whether all of them could be read."""
    records: Pax = []
    at = 0
    while at < len(data) and data[at : at + 1] != b"\0":
        end = data.find(b" ", at, at + 20)
        digits = data[at:end] if end > 0 else b""
        length = int(digits) if digits.isdigit() else 0
        if length < 5 or at + length > len(data):
            return records, False
        key, _, value = data[end + 1 : at + length - 1].partition(b"=")
        records.append((text_of(key), value.decode("utf-8", "surrogateescape")))
        at += length
    return records, True


def decimal(text: str | None) -> int | None:
    """A pax number; None when it is none, negative, or beyond any file system."""
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 19:
        return None
    return int(text) if int(text) < MAX_SIZE else None


def pax_time(text: str | None) -> datetime | None:
    """`mtime` of a pax header, seconds with a fraction."""
    whole = decimal((text or "").split(".", 1)[0])
    return instant(whole) if whole is not None else None
