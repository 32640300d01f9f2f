"""The headers of zip: local ones, the central directory, data descriptors. APPNOTE 6.3.10, section 4."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from runcase.intake.containers.base import instant
from runcase.intake.containers.tape import RandomAccess

LOCAL, CENTRAL, END, DESCRIPTOR = b"PK\3\4", b"PK\1\2", b"PK\5\6", b"PK\7\x08"
END64, LOCATOR64, SIGNATURE = b"PK\6\6", b"PK\6\7", b"PK\5\5"
TAIL = (CENTRAL, END, END64, LOCATOR64, SIGNATURE)
ENCRYPTED, DESCRIBED, UTF8 = 0x1, 0x8, 0x800
MAX_DIRECTORY_BYTES = 64 * 1024 * 1024
_UNKNOWN = 0xFFFFFFFF
_UNIX, _MODE_TYPE, _MODE_LINK, _MODE_FOLDER = 3, 0o170000, 0o120000, 0o040000


@dataclass(frozen=True, slots=True)
class Entry:
    """One member as a header tells it; sizes are None where a descriptor after the data has them."""

    name: str
    flags: int
    method: int
    stored: int | None
    size: int | None
    crc: int | None
    recorded_at: datetime | None
    header_bytes: int
    mode: int = 0
    """Unix mode, 0 when none is recorded (local headers have none)."""

    @property
    def is_link(self) -> bool:
        """Whether the content is where a symbolic link points."""
        return self.mode & _MODE_TYPE == _MODE_LINK

    @property
    def is_folder(self) -> bool:
        """Whether it is a directory."""
        return self.name.endswith("/") or self.mode & _MODE_TYPE == _MODE_FOLDER


def local_entry(data: bytes) -> Entry | None:
    """The local header that `data` begins with; None when it is cut off."""
    if len(data) < 30:
        return None
    _, flags, method, time, date, crc, stored, size, name_len, extra_len = struct.unpack("<4xHHHHHIIIHH", data[:30])
    if len(data) < 30 + name_len + extra_len:
        return None
    name, extra = data[30 : 30 + name_len], data[30 + name_len : 30 + name_len + extra_len]
    fields = _extra_fields(extra)
    size, stored, _ = _zip64(fields, size, stored, 0)
    entry = Entry(
        _name(name, flags, fields),
        flags,
        method,
        stored,
        size,
        crc,
        _time(fields, date, time),
        30 + name_len + extra_len,
    )
    if flags & DESCRIBED and not (stored or size):
        return replace(entry, stored=None, size=None, crc=None)
    return entry


def directory(access: RandomAccess, members: int) -> dict[int, Entry]:
    """Offset of each local header -> what the central directory says of it; empty when there is no sound directory."""
    found = _directory_place(access)
    if found is None:
        return {}
    start, size, shift = found
    if size > MAX_DIRECTORY_BYTES:
        return {}
    data = access.read_at(start, size)
    entries: dict[int, Entry] = {}
    at = 0
    while data[at : at + 4] == CENTRAL and len(entries) < members:
        taken = _central_entry(data, at)
        if taken is None:
            break
        offset, entry = taken
        entries[offset + shift] = entry
        at += entry.header_bytes
    return entries


def _directory_place(access: RandomAccess) -> tuple[int, int, int] | None:
    """Offset and size of the central directory, and what to add to its offsets (bytes before the archive)."""
    tail_at = max(0, access.size - 65557)
    tail = access.read_at(tail_at, access.size - tail_at)
    at = tail.rfind(END)
    if at < 0 or len(tail) - at < 22:
        return None
    size, offset = struct.unpack("<12xII2x", tail[at : at + 22])
    end = tail_at + at
    if _UNKNOWN in (size, offset) or tail[at - 20 : at - 16] == LOCATOR64:
        locator = access.read_at(end - 20, 20)
        if locator[:4] == LOCATOR64:
            record = _record64(access, int.from_bytes(locator[8:16], "little"), end - 20)
            if record is not None:
                end, size, offset = record
    start = end - size
    return (start, size, start - offset) if start >= offset else None


def _record64(access: RandomAccess, stated: int, before: int) -> tuple[int, int, int] | None:
    """Place of the zip64 end record, and size and offset of the directory as it says."""
    for place in (stated, before - 56):
        record = access.read_at(place, 56)
        if record[:4] == END64 and len(record) == 56:
            size, offset = struct.unpack("<40xQQ", record)
            return place, size, offset
    return None


def _central_entry(data: bytes, at: int) -> tuple[int, Entry] | None:
    """Offset of the local header and the entry, from a directory record."""
    fixed = data[at : at + 46]
    if len(fixed) < 46:
        return None
    made_by, flags, method, time, date, crc, stored, size, name_len, extra_len, comment_len, attributes, offset = (
        struct.unpack("<4xHxxHHHHIIIHHHxxxxII", fixed)
    )
    end = at + 46 + name_len + extra_len
    name, extra = data[at + 46 : at + 46 + name_len], data[at + 46 + name_len : end]
    fields = _extra_fields(extra)
    size, stored, offset = _zip64(fields, size, stored, offset)
    mode = attributes >> 16 if made_by >> 8 == _UNIX else 0
    length = 46 + name_len + extra_len + comment_len
    when = _time(fields, date, time)
    return offset, Entry(_name(name, flags, fields), flags, method, stored, size, crc, when, length, mode)


def record_bytes(head: bytes) -> int | None:
    """Length of the directory record that `head` begins with; None when it cannot be told."""
    mark = head[:4]
    if mark == CENTRAL and len(head) >= 46:
        return 46 + sum(int.from_bytes(head[n : n + 2], "little") for n in (28, 30, 32))
    if mark == END and len(head) >= 22:
        return 22 + int.from_bytes(head[20:22], "little")
    if mark == END64 and len(head) >= 12:
        return 12 + int.from_bytes(head[4:12], "little")
    if mark == LOCATOR64:
        return 20
    if mark == SIGNATURE and len(head) >= 6:
        return 6 + int.from_bytes(head[4:6], "little")
    return None


def described(ahead: bytes, out: int, *, marked: bool = False) -> tuple[int, int] | None:
    """CRC and length of the data descriptor (4.3.9) at `ahead`, whose mark and width both vary.

    Args:
        ahead: At least 24 bytes, fewer at the end.
        out: Number of bytes that the member has; a descriptor that says otherwise is none.
        marked: Whether it must begin with its mark.
    """
    for mark in (DESCRIPTOR, b"") if not marked else (DESCRIPTOR,):
        body = ahead[len(mark) :] if ahead.startswith(mark) else b""
        for width in (4, 8):
            end = 4 + 2 * width
            if len(body) >= end and int.from_bytes(body[4 + width : end], "little") == out % (1 << 8 * width):
                return int.from_bytes(body[:4], "little"), len(mark) + end
    return None


def _extra_fields(extra: bytes) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    while len(extra) >= 4:
        tag, length = struct.unpack("<HH", extra[:4])
        fields.setdefault(tag, extra[4 : 4 + length])
        extra = extra[4 + length :]
    return fields


def _zip64(fields: dict[int, bytes], size: int, stored: int, offset: int) -> tuple[int, int, int]:
    """Numbers from the zip64 field (4.5.3): eight bytes for each that is all ones, in this order."""
    body = fields.get(1, b"")
    numbers = iter([int.from_bytes(body[n : n + 8], "little") for n in range(0, len(body) - 7, 8)])
    size, stored, offset = (next(numbers, n) if n == _UNKNOWN else n for n in (size, stored, offset))
    return size, stored, offset


def _name(name: bytes, flags: int, fields: dict[int, bytes]) -> str:
    """UTF-8 where the flag, the Unicode path field (4.6.9) or the bytes themselves say so, else code page 437."""
    path = fields.get(0x7075, b"")
    if len(path) > 5 and int.from_bytes(path[1:5], "little") == zlib.crc32(name):
        return path[5:].decode("utf-8", "surrogateescape")
    if flags & UTF8:
        return name.decode("utf-8", "surrogateescape")
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("cp437")


def _time(fields: dict[int, bytes], date: int, time: int) -> datetime | None:
    """The extended time field where there is one; else DOS time: two seconds exact, no zone, taken as UTC."""
    extended = fields.get(0x5455, b"")
    if len(extended) >= 5 and extended[0] & 1:
        return instant(int.from_bytes(extended[1:5], "little", signed=True))
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
