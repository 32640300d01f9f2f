"""Which characters the bytes of a source stand for: decided once, on its first bytes, and recorded."""

from __future__ import annotations

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\v\b\a\x1b\x00")
_MAX_CONTROL_SHARE = 0.02
_MAX_INVALID_SHARE = 0.3


def mark_of(head: bytes) -> tuple[int, str | None]:
    """Length of the byte order mark, and the encoding that it tells."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return len(mark), name
    return 0, None


def decide(head: bytes) -> str | None:
    """The encoding of a text that begins with `head`, or None when it is no text.

    UTF-8 wins when all is valid, and when most of it is (broken bytes are then
    marked one by one); else UTF-16 by its NULs; else Latin-1 when the bytes above
    127 look like letters in words.
    """
    _, marked = mark_of(head)
    if marked:
        return marked
    wide = _wide(head)
    if wide:
        return wide
    if _controls(head) > _MAX_CONTROL_SHARE * len(head):
        return None
    broken = _broken_utf8(head)
    if broken == 0:
        return "utf-8"
    high = sum(b > 127 for b in head)
    if high == broken and high < _MAX_INVALID_SHARE * len(head) and not any(0x80 <= b < 0xA0 for b in head):
        return "latin-1"
    if high == broken and high < _MAX_INVALID_SHARE * len(head):
        return "cp1252" if not set(head) & {0x81, 0x8D, 0x8F, 0x90, 0x9D} else "utf-8"
    return "utf-8" if broken < _MAX_INVALID_SHARE * max(1, high) or high < 0.05 * len(head) else None


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of most ASCII text is NUL."""
    sample = head[:4096]
    half = len(sample) // 2
    if half < 4:
        return None
    even, odd = sample[0 : 2 * half : 2].count(0), sample[1 : 2 * half : 2].count(0)
    if odd > 0.7 * half and even < 0.1 * half:
        return "utf-16-le"
    if even > 0.7 * half and odd < 0.1 * half:
        return "utf-16-be"
    return None


def _controls(head: bytes) -> int:
    nul = head.count(0)
    rest = sum(head.count(b) for b in range(32) if b not in _TEXT_CONTROLS)
    return rest + (nul if nul > 0.1 * len(head) else 0)


def _broken_utf8(head: bytes) -> int:
    """Bytes that are not valid UTF-8; a character that the end cuts does not count."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    return sum("\udc80" <= ch <= "\udcff" for ch in decoder.decode(head, final=False))
