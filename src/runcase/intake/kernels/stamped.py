"""One pass over the lines of a block: the plain ones are read, the others are named for the reference to read.

A line is plain when it is printable ASCII and blanks. The columns are those of
`formats.headers.Layout.read`, which stays the definition: a test holds this
kernel to it on random lines.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from runcase.intake.kernels.bytes_ import NO_TIME, is_blank, is_word, iso_instant, named, says
from runcase.intake.kernels.loading import kernel

HEAD = 120
"""Of a message in which a level may stand, characters (as in `levels`)."""

MARKS = 6
"""How many may stand before a stamp (as in `stamp_shapes`)."""


@njit(cache=True)
def bare_end(data: np.ndarray, start: int, end: int) -> int:
    """The end of a line without its `\\n` and one `\\r` before it."""
    if end > start and data[end - 1] == 10:
        end -= 1
    if end > start and data[end - 1] == 13:
        end -= 1
    return end


@njit(cache=True)
def is_plain(data: np.ndarray, start: int, end: int) -> bool:
    """Whether a line is printable ASCII and tabs only."""
    odd = 0
    for p in range(start, end):
        c = data[p]
        odd += (c >= 127) | ((c < 32) & (c != 9))
    return odd == 0


@kernel
def read_lines(
    data: np.ndarray,
    starts: np.ndarray,
    lengths: np.ndarray,
    names: np.ndarray,
    ends: np.ndarray,
    codes: np.ndarray,
    upper: np.ndarray,
    odd: np.ndarray,
    ts: np.ndarray,
    basis: np.ndarray,
    level: np.ndarray,
    stream: np.ndarray,
    partial: np.ndarray,
    begin: np.ndarray,
    size: np.ndarray,
) -> None:
    """Fills the columns of all plain lines of a source whose lines open with ISO stamps.

    Args:
        data: The block.
        starts: Where each line begins.
        lengths: Bytes of each line, its end included.
        names: Level names, as `message_level` takes them, and the next three likewise.
        ends: Where each ends.
        codes: What each means.
        upper: Whether it is known in capitals.
        odd: Out: lines that are not plain, or whose stamp is no plain one.
        ts: Out: microseconds, or NO_TIME.
        basis: Out: index into BASIS_NAMES.
        level: Out: index into LEVEL_NAMES.
        stream: Out: index into STREAM_NAMES.
        partial: Out: whether the next line goes on with this one.
        begin: Out: where the message begins.
        size: Out: bytes of the message.
    """
    for i in range(starts.size):
        at = starts[i]
        end = bare_end(data, at, at + lengths[i])
        ts[i], basis[i] = NO_TIME, 0
        if not is_plain(data, at, end):
            odd[i] = True
            continue
        p = at
        micros, how, after = _stamp(data, at, end)
        if after < 0:
            odd[i] = True
            continue
        if after > 0:
            ts[i], basis[i] = micros, how
            p = _rest(data, after, end)
        stamped = basis[i] != 0
        if stamped:
            p, stream[i], partial[i] = _stream(data, p, end)
        code = message_level(data, p, end, names, ends, codes, upper) if stamped else _bare_level(data, p, end)
        if code < 0:
            odd[i] = True
            continue
        level[i], begin[i], size[i] = code, p, end - p


@njit(cache=True)
def _stamp(data: np.ndarray, at: int, end: int) -> tuple[int, int, int]:
    """An ISO stamp behind at most six marks; end 0 when there is none, -1 when the reference must decide."""
    p = at
    while p < end and p - at <= MARKS and _opens(data[p]):
        p += 1
    if p >= end or not 48 <= data[p] <= 57:
        return NO_TIME, 0, 0
    if data[at] == 60 and p == at + 1:
        return NO_TIME, 0, -1
    if p - at > MARKS or p + 6 > end or not _numeral(data, p):
        return NO_TIME, 0, 0
    if (data[p + 4] != 45 and data[p + 4] != 47 and data[p + 4] != 46) or not 48 <= data[p + 5] <= 57:
        return NO_TIME, 0, 0
    return iso_instant(data, p, end)


@njit(cache=True, inline="always")
def _numeral(data: np.ndarray, p: int) -> bool:
    """Whether four digits stand at a place."""
    return bool(48 <= data[p + 1] <= 57 and 48 <= data[p + 2] <= 57 and 48 <= data[p + 3] <= 57)


@njit(cache=True, inline="always")
def _opens(c: int) -> bool:
    """Marks that may stand before a stamp."""
    if c == 32 or c == 9 or c == 91 or c == 40 or c == 60 or c == 123 or c == 124 or c == 34 or c == 39 or c == 42:
        return True
    return c == 35 or c == 58 or c == 43 or c == 61 or c == 62 or c == 126 or c == 59 or c == 45


@njit(cache=True)
def _rest(data: np.ndarray, p: int, end: int) -> int:
    """Behind a stamp: closing marks and one blank are taken."""
    while p < end:
        c = data[p]
        if not (c == 93 or c == 41 or c == 62 or c == 34 or c == 39 or c == 124 or c == 44 or c == 58 or c == 59):
            break
        p += 1
    return p + 1 if p < end and is_blank(data[p]) else p


@njit(cache=True)
def _stream(data: np.ndarray, p: int, end: int) -> tuple[int, int, bool]:
    """`stdout F ` and the like: where the text goes on, the stream, and whether the line is a part."""
    if p + 8 > end or data[p] != 115 or not (says(data, p, end, b"stdout ") or says(data, p, end, b"stderr ")):
        return p, 0, False
    if (data[p + 7] != 70 and data[p + 7] != 80) or (p + 8 < end and data[p + 8] != 32):
        return p, 0, False
    return min(p + 9, end), 1 if data[p + 3] == 111 else 2, data[p + 7] == 80


@njit(cache=True)
def message_level(
    data: np.ndarray, at: int, end: int, names: np.ndarray, ends: np.ndarray, codes: np.ndarray, upper: np.ndarray
) -> int:
    """The level that a stamped message names in capitals among its first words; -1 for the reference to decide.

    Args:
        data: The block.
        at: Begin of the message.
        end: Its end.
        names: `levels.LEVELS` strung together.
        ends: Where each name ends.
        codes: The level of each, an index into LEVEL_NAMES.
        upper: Whether the pattern for names in capitals knows each.
    """
    whole, end = end, min(end, at + HEAD)
    p = at
    first = _word_end(data, p, end)
    if first > p and first < end and (data[first] == 9 or data[first] == 124):
        return -1
    for word in range(6):
        q = p
        while q < end and (data[q] == 91 or data[q] == 40 or data[q] == 60 or data[q] == 124):
            q += 1
        r = _capitals_end(data, q, end)
        if r - q >= 3:
            k = named(data, q, r - q, names, ends, True)
            if k >= 0 and _closed(data, r, end):
                if upper[k]:
                    return int(codes[k])
                return -1
        if p >= end or is_blank(data[p]):
            break
        while p < end and not is_blank(data[p]):
            p += 1
        while p < end and is_blank(data[p]):
            p += 1
        if word < 5 and p >= end:
            break
    return -1 if _hinted(data, at, end, whole, names, ends) else 0


@njit(cache=True, inline="always")
def _word_end(data: np.ndarray, p: int, end: int) -> int:
    while p < end and is_word(data[p]):
        p += 1
    return p


@njit(cache=True, inline="always")
def _capitals_end(data: np.ndarray, p: int, end: int) -> int:
    """Behind capital letters, and one digit (`DEBUG1`)."""
    begin = p
    while p < end and 65 <= data[p] <= 90:
        p += 1
    if p - begin == 5 and p < end and 49 <= data[p] <= 53 and data[begin] == 68:
        p += 1
    return p


@njit(cache=True)
def _closed(data: np.ndarray, r: int, end: int) -> bool:
    """`[\\])>|]*(?:[\\s:|,/]|$)` at a place."""
    while r < end and (data[r] == 93 or data[r] == 41 or data[r] == 62 or data[r] == 124):
        if data[r] == 124:
            return True
        r += 1
    return bool(r >= end or is_blank(data[r]) or data[r] == 58 or data[r] == 44 or data[r] == 47)


@njit(cache=True)
def _hinted(data: np.ndarray, at: int, end: int, whole: int, names: np.ndarray, ends: np.ndarray) -> bool:
    """Whether a level may stand in another way than in capitals among the first words."""
    p = at
    while p < end and is_blank(data[p]):
        p += 1
    if p < end and 48 <= data[p] <= 57 and _logcat(data, p, end):
        return True
    first = _word_end(data, at, end)
    if first > at and _labels(data, first, end) and named(data, at, first - at, names, ends, True) >= 0:
        return True
    for q in range(at, end):
        c = data[q]
        if (c == 93 or c == 41 or c == 62) and _bracketed(data, at, q, names, ends):
            return True
    q = at + 3
    stop = min(whole, at + 400)
    while q < stop and not ((data[q] == 61 or data[q] == 58) and _keyed(data, q)):
        q += 1
    return q < stop


@njit(cache=True)
def _labels(data: np.ndarray, p: int, end: int) -> bool:
    """Whether the word that ends at a place labels what follows: a colon, or a word in brackets or with one."""
    if p >= end or data[p] == 58:
        return bool(p < end)
    q = p
    while q < end and data[q] == 32:
        q += 1
    if q == p or q - p > 8:
        return False
    while q < end and (is_word(data[q]) or data[q] == 91 or data[q] == 40):
        q += 1
    return bool(q < end and (data[q] == 93 or data[q] == 41 or data[q] == 58))


@njit(cache=True)
def _logcat(data: np.ndarray, p: int, end: int) -> bool:
    """Two numbers and a letter, as logcat writes them."""
    for _ in range(2):
        first = p
        while p < end and 48 <= data[p] <= 57:
            p += 1
        if p == first or p >= end or not is_blank(data[p]):
            return False
        while p < end and is_blank(data[p]):
            p += 1
    return bool(p + 1 < end and 65 <= data[p] <= 90 and data[p + 1] == 32)


@njit(cache=True)
def _bracketed(data: np.ndarray, at: int, close: int, names: np.ndarray, ends: np.ndarray) -> bool:
    """Whether a bracket that opens a word closes behind a level, with or without words before it."""
    p = close
    while p > at and is_word(data[p - 1]):
        p -= 1
    q = p
    while q > at and (is_word(data[q - 1]) or data[q - 1] == 46 or data[q - 1] == 58):
        q -= 1
    if q == at or p == close or not (q - 1 == at or is_blank(data[q - 2])):
        return False
    opens = data[q - 1] == 91 or data[q - 1] == 40 or data[q - 1] == 60
    return opens and named(data, p, close - p, names, ends, True) >= 0


@njit(cache=True)
def _keyed(data: np.ndarray, p: int) -> bool:
    """Whether `level`, `lvl` or `severity` may stand before a place, a quote between."""
    q = p - 1 if data[p - 1] == 34 else p
    a, b = data[q - 1] | 32, data[q - 2] | 32
    return bool((a == 108 and (b == 101 or b == 118)) or (a == 121 and b == 116))


@njit(cache=True)
def _bare_level(data: np.ndarray, at: int, end: int) -> int:
    """The level that opens a line without stamp; -1 for the reference to decide."""
    end = min(end, at + HEAD)
    p = at
    while p < end and is_blank(data[p]):
        p += 1
    if p < end and data[p] == 91:
        p += 1
    q = _capitals_end(data, p, end)
    if q - p < 4 or q - p > 8:
        return 0
    r = q + 1 if q < end and data[q] == 93 else q
    return -1 if r < end and (is_blank(data[r]) or data[r] == 58) else 0
