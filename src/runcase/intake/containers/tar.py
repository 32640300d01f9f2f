"""tar, read forward: ustar, pax and GNU (long names, sparse), with resynchronisation after a bad header.

`tarfile` stops silently at a bad header and can hang on a negative size, so the
512-byte headers are read here (POSIX.1-2017 pax, ustar; GNU tar manual, "Basic
Tar Format").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from runcase.intake.streams import Counted

BLOCK = 512
_KINDS = {b"0": "file", b"\0": "file", b"7": "file", b"S": "file", b"1": "link", b"2": "link"}
_KINDS |= {b"3": "device", b"4": "device", b"6": "device", b"5": "directory"}
_META = {b"x", b"g", b"L", b"K"}
_MAX_META = 1024 * 1024
"""A pax or long-name record beyond this is hostile: names are at most some kilobytes."""


@dataclass(slots=True)
class Entry:
    """One member: its header, resolved; `stored` bytes follow in the archive."""

    name: str
    kind: str
    stored: int
    size: int
    offset: int
    recorded_at: datetime | None = None
    link_target: str | None = None
    sparse: list[tuple[int, int]] = field(default_factory=list)


@dataclass(slots=True)
class BadBlock:
    """Bytes between members that are no header."""

    offset: int
    length: int
    why: str


@dataclass(slots=True)
class End:
    """How the archive ended: with its marker of two zero blocks, or without."""

    offset: int
    marked: bool


def is_header(block: bytes) -> bool:
    """True for 512 bytes whose checksum holds (unsigned or, as old tars wrote it, signed)."""
    if len(block) < BLOCK or not block[0]:
        return False
    try:
        stated = _number(block[148:156])
    except ValueError:
        return False
    blank = block[:148] + b" " * 8 + block[156:]
    unsigned = sum(blank)
    return stated in (unsigned, unsigned - 256 * sum(b > 127 for b in blank))


def is_empty(head: bytes) -> bool:
    """True for the two zero blocks that an archive without members consists of."""
    return len(head) == 2 * BLOCK and not any(head)


def entries(raw: Counted) -> Iterator[Entry | BadBlock | End]:
    """Members in order. The consumer takes at most `stored` bytes after each; the rest is skipped here."""
    extended: dict[str, str] = {}
    common: dict[str, str] = {}
    while True:
        at = raw.offset
        block = raw.exactly(BLOCK)
        if len(block) < BLOCK or not any(block):
            yield from _ending(raw, at, block)
            return
        if not is_header(block):
            yield _resynchronised(raw, at)
            extended = {}
            continue
        kind, size = block[156:157], _size(block)
        if size is None:
            yield BadBlock(at, BLOCK, "a header with an impossible size")
            continue
        if kind in _META:
            extended |= _meta(raw, kind, size, common)
            continue
        entry = _entry(raw, block, at, size, common | extended)
        extended = {}
        start = raw.offset
        yield entry
        _skip(raw, start + entry.stored + -entry.stored % BLOCK - raw.offset)


def _ending(raw: Counted, at: int, block: bytes) -> Iterator[BadBlock | End]:
    if block and len(block) < BLOCK:
        yield BadBlock(at, len(block), "the archive ends inside a header")
        yield End(at, marked=False)
        return
    second = raw.exactly(BLOCK)
    rest = second
    while rest and not any(rest):
        rest = raw.read(64 * 1024)
    if rest:
        start = raw.offset - len(rest)
        raw.drain()
        yield BadBlock(start, raw.offset - start, "data after the end marker")
    yield End(at, marked=bool(block) and len(second) == BLOCK)


def _resynchronised(raw: Counted, at: int) -> BadBlock:
    """Skips to the next block that is a header."""
    while True:
        ahead = raw.peek(BLOCK)
        if len(ahead) < BLOCK:
            raw.exactly(len(ahead))
            break
        if is_header(ahead):
            break
        raw.exactly(BLOCK)
    return BadBlock(at, raw.offset - at, "no tar header where one was expected")


def _skip(raw: Counted, n: int) -> None:
    while n > 0 and (data := raw.read(min(n, 1024 * 1024))):
        n -= len(data)


def _entry(raw: Counted, block: bytes, at: int, size: int, pax: dict[str, str]) -> Entry:
    kind = block[156:157]
    name = pax.get("path") or _name(block)
    stored = int(pax["size"]) if pax.get("size", "").isdigit() else size
    links = kind in (b"1", b"2")
    entry = Entry(
        name=pax.get("GNU.sparse.name") or name,
        kind="directory" if kind in (b"0", b"\0") and name.endswith("/") else _KINDS.get(kind, "file"),
        stored=0 if links or kind in (b"3", b"4", b"5", b"6") else stored,
        size=stored,
        offset=at,
        recorded_at=_time(block[136:148]),
        link_target=(pax.get("linkpath") or _text(block[157:257])) if links else None,
    )
    if kind == b"S":
        entry.sparse, entry.size = _sparse(raw, block)
    return entry


def _sparse(raw: Counted, block: bytes) -> tuple[list[tuple[int, int]], int]:
    """The old GNU sparse map (offset, length) and the real size; continuation blocks follow the header."""
    found = _map(block[386:482])
    real = _size(block, 483, 495) or 0
    more = block[482:483] == b"\1"
    while more:
        extra = raw.exactly(BLOCK)
        found += _map(extra[:504])
        more = extra[504:505] == b"\1" and len(found) < 100_000
    return found, real


def _map(data: bytes) -> list[tuple[int, int]]:
    pairs = []
    for n in range(0, len(data) - 23, 24):
        offset, length = _size(data, n, n + 12), _size(data, n + 12, n + 24)
        if offset is not None and length:
            pairs.append((offset, length))
    return pairs


def _meta(raw: Counted, kind: bytes, size: int, common: dict[str, str]) -> dict[str, str]:
    """What an extension header says of the next member; a global one goes into `common`."""
    data = raw.exactly(min(size, _MAX_META))
    _skip(raw, size + -size % BLOCK - len(data))
    if kind == b"L":
        return {"path": _text(data)}
    if kind == b"K":
        return {"linkpath": _text(data)}
    records = _pax_records(data)
    if kind == b"g":
        common.update(records)
        return {}
    return records


def _pax_records(data: bytes) -> dict[str, str]:
    records = {}
    while data:
        length, _, _ = data.partition(b" ")
        if not length.isdigit() or not 4 < int(length) <= len(data):
            break
        key, _, value = data[len(length) + 1 : int(length) - 1].partition(b"=")
        records[_text(key)] = value.decode("utf-8", "surrogateescape")
        data = data[int(length) :]
    return records


def _name(block: bytes) -> str:
    name, prefix = _text(block[:100]), _text(block[345:500])
    ustar = block[257:263] == b"ustar\0"
    return f"{prefix}/{name}" if ustar and prefix else name


def _text(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _number(data: bytes) -> int:
    if data[:1] in (b"\x80", b"\xff"):
        return int.from_bytes(data[1:], "big") if data[0] == 0x80 else -1
    text = data.strip(b" \0")
    if b"_" in text:
        raise ValueError("underscore")
    return int(text, 8) if text else 0


def _size(block: bytes, start: int = 124, stop: int = 136) -> int | None:
    """A size field; None when it is negative or no number."""
    try:
        size = _number(block[start:stop])
    except ValueError:
        return None
    return size if 0 <= size < 1 << 62 else None


def _time(data: bytes) -> datetime | None:
    try:
        seconds = _number(data)
    except ValueError:
        return None
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < 1 << 33 else None
