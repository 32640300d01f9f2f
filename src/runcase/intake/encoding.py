"""Which characters the bytes of a source stand for: decided once, on its first bytes, and recorded."""

from __future__ import annotations

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\v\b\a\x1b\x00")
_CHAT_CONTROLS = frozenset(b"\x02\x03\x0f\x11\x16\x1d\x1e\x1f")
"""Bold, colour and the like of IRC clients (modern.ircdocs.horse/formatting)."""

_MAX_CONTROL_SHARE = 0.02
_MAX_CHAT_SHARE = 0.15
_MAX_HIGH_SHARE = 0.9
_MAX_ODD_SHARE = 0.2
_MIN_PLAUSIBILITY = 0.2
_FEW_HIGH = 4
"""Fewer bytes above 127 cannot tell scripts apart."""

_SAMPLE_BYTES = 16 * 1024

_QUOTES = "«»“”„‘’‹›–—…"

_SINGLE_BYTE = ("cp1252", "cp850", "cp1251", "koi8-r", "cp866", "cp1250", "iso8859-2", "mac-roman", "iso8859-7")
"""What a text that is no UTF-8 may be, the most usual first; of equals the first wins."""


def mark_of(head: bytes) -> tuple[int, str | None]:
    """Length of the byte order mark, and the encoding that it tells."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return len(mark), name
    return 0, None


def decide(head: bytes) -> str | None:
    """The encoding of a text that begins with `head`, or None when it is no text.

    A byte order mark decides; then UTF-16 by its NULs; then UTF-8 when all is valid
    or most of it is (broken bytes are then marked one by one); then the single-byte
    encoding under which the bytes above 127 read most like letters within words.
    """
    _, marked = mark_of(head)
    if marked:
        return marked
    wide = _wide(head)
    if wide:
        return wide
    broken = _broken_utf8(head)
    if not _is_text(head, broken):
        return None
    high = _high(head)
    if broken == 0 or broken < 0.3 * high:
        return "utf-8"
    if broken >= 0.5 * high and high < _MAX_HIGH_SHARE * len(head):
        return _single_byte(head)
    return "utf-8" if high < 0.05 * len(head) else None


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


def _is_text(head: bytes, broken: int) -> bool:
    """Whether controls are as few as in a text; those of chat clients may be more when all else is sound."""
    nul = head.count(0)
    odd = len(head) - len(head.translate(None, bytes(c for c in range(32) if c not in _TEXT_CONTROLS)))
    chat = len(head) - len(head.translate(None, bytes(_CHAT_CONTROLS)))
    strange = odd + (nul if nul > 0.1 * len(head) else 0)
    if strange <= _MAX_CONTROL_SHARE * len(head):
        return True
    return not broken and not nul and odd == chat and chat <= _MAX_CHAT_SHARE * len(head)


def _high(head: bytes) -> int:
    return len(head) - len(head.translate(None, bytes(range(128, 256))))


def _broken_utf8(head: bytes) -> int:
    """Bytes that are not valid UTF-8; a character that the end cuts does not count."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    text = decoder.decode(head, final=False)
    return 0 if text.isascii() else len(re.findall("[\udc80-\udcff]", text))


def _single_byte(head: bytes) -> str | None:
    """The encoding under which the bytes above 127 are most plausible; Latin-1 where nothing tells it from cp1252.

    None when there are many such bytes and they make words under none.
    """
    sample = head[:_SAMPLE_BYTES]
    few = _high(sample) < _FEW_HIGH
    best = max(_SINGLE_BYTE[: 2 if few else None], key=lambda name: _plausibility(sample, name))
    if _high(sample) > _MAX_ODD_SHARE * len(sample) and _plausibility(sample, best) < _MIN_PLAUSIBILITY:
        return None
    if best == "cp1252" and not re.search(rb"[\x80-\x9f]", head):
        return "latin-1"
    return best


def _plausibility(sample: bytes, name: str) -> float:
    """Mean over the words that hold bytes above 127: one when the word is of one script and of sane case."""
    text = sample.decode(name, "replace")
    words = re.findall(r"(?:\w|[^\x00-\x7f])*[^\x00-\x7f](?:\w|[^\x00-\x7f])*", text)
    return sum(_word(w) for w in words) / len(words) if words else 0.0


def _word(word: str) -> float:
    if "\ufffd" in word or any("\x80" <= c < "\xa0" for c in word):
        return -2.0
    word = word.strip(_QUOTES) or word
    letters = [c for c in word if c.isalpha()]
    if len(letters) < len(word) or len(word) == 1:
        return 0.3 if word in "°©®§€£µ·×•" + _QUOTES else -0.5
    own = [not c.isascii() for c in letters]
    foreign = any(c > "\u0370" for c in letters)
    mixed = foreign and not all(own)
    cased = word.islower() or word.isupper() or word.istitle()
    odd_letters = sum(c in "¼½¾ªºÐðÞþýÝŁłˇ" for c in word)
    sane = (1.0 if cased else 0.0) - (1.0 if mixed else 0.0) - odd_letters
    return sane if foreign or not all(own) or len(word) == 1 else sane - 0.7
