"""One pass over lines that are JSON objects: valid plain ones are read, the others are named for the reference.

Every byte is checked against RFC 8259, so that a line which a JSON parser would
refuse never passes; what a parser would have to rewrite (escapes in wanted
values, numbers out of range) goes to the reference as well.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from runcase.intake.kernels.bytes_ import NO_TIME, is_word, iso_instant, named
from runcase.intake.kernels.loading import kernel
from runcase.intake.kernels.stamped import _stream, bare_end, is_plain, message_level

DEPTH = 48


@njit(cache=True)
def _string(data: np.ndarray, p: int, end: int) -> tuple[int, bool]:
    """Behind the closing quote of a string whose opening one is before `p` (-1: none), and whether it has escapes."""
    escaped = False
    while p < end:
        c = data[p]
        if c == 34:
            return p + 1, escaped
        if c == 9:
            return -1, True
        if c == 92:
            escaped = True
            if p + 1 >= end:
                return -1, True
            d = data[p + 1]
            # \u needs a look at surrogates: left to the reference
            if not (d == 34 or d == 92 or d == 47 or d == 98 or d == 102 or d == 110 or d == 114 or d == 116):
                return -1, True
            p += 2
        else:
            p += 1
    return -1, escaped


@njit(cache=True)
def _number(data: np.ndarray, p: int, end: int) -> int:
    """Behind a number without exponent and of at most 15 digits; -1 for others."""
    first = p
    if data[p] == 45:
        p += 1
    if p >= end or not 48 <= data[p] <= 57:
        return -1
    if data[p] == 48 and p + 1 < end and 48 <= data[p + 1] <= 57:
        return -1
    while p < end and 48 <= data[p] <= 57:
        p += 1
    if p < end and data[p] == 46:
        p += 1
        if p >= end or not 48 <= data[p] <= 57:
            return -1
        while p < end and 48 <= data[p] <= 57:
            p += 1
    if p - first > 15 or (p < end and (is_word(data[p]) or data[p] == 43 or data[p] == 46)):
        return -1
    return p


@njit(cache=True)
def _word(data: np.ndarray, p: int, end: int) -> int:
    """Behind `true`, `false` or `null`; -1 for anything else."""
    if p + 4 <= end and data[p] == 116 and data[p + 1] == 114 and data[p + 2] == 117 and data[p + 3] == 101:
        return p + 4
    if p + 4 <= end and data[p] == 110 and data[p + 1] == 117 and data[p + 2] == 108 and data[p + 3] == 108:
        return p + 4
    if p + 5 <= end and data[p] == 102 and data[p + 1] == 97 and data[p + 2] == 108 and data[p + 3] == 115:
        return p + 5 if data[p + 4] == 101 else -1
    return -1


@njit(cache=True, inline="always")
def _skip(data: np.ndarray, p: int, end: int) -> int:
    while p < end and data[p] == 32:
        p += 1
    return p


@njit(cache=True)
def _nested(data: np.ndarray, p: int, end: int, stack: np.ndarray) -> int:
    """Behind the object or array that begins at `p`; -1 when it is not valid, or too deep."""
    depth = 0
    stack[0] = data[p]
    p = _skip(data, p + 1, end)
    fresh = True
    while p < end:
        inside = stack[depth]
        c = data[p]
        if fresh and ((inside == 123 and c == 125) or (inside == 91 and c == 93)):
            p, fresh = p + 1, False
        else:
            if inside == 123:
                if c != 34:
                    return -1
                p, _ = _string(data, p + 1, end)
                if p < 0:
                    return -1
                p = _skip(data, p, end)
                if p >= end or data[p] != 58:
                    return -1
                p = _skip(data, p + 1, end)
                if p >= end:
                    return -1
                c = data[p]
            if c == 123 or c == 91:
                depth += 1
                if depth >= stack.size:
                    return -1
                stack[depth] = c
                p, fresh = _skip(data, p + 1, end), True
                continue
            p = _scalar(data, p, end)
            if p < 0:
                return -1
            p = _skip(data, p, end)
            if p < end and data[p] == 44:
                p, fresh = _skip(data, p + 1, end), False
                continue
            if p >= end or not ((inside == 123 and data[p] == 125) or (inside == 91 and data[p] == 93)):
                return -1
            p += 1
        # a value has closed at this depth
        while True:
            if depth == 0:
                return p
            depth -= 1
            p = _skip(data, p, end)
            if p >= end:
                return -1
            inside = stack[depth]
            if data[p] == 44:
                p, fresh = _skip(data, p + 1, end), False
                break
            if not ((inside == 123 and data[p] == 125) or (inside == 91 and data[p] == 93)):
                return -1
            p += 1
    return -1


@njit(cache=True)
def _scalar(data: np.ndarray, p: int, end: int) -> int:
    c = data[p]
    if c == 34:
        after, _ = _string(data, p + 1, end)
        return after
    if c == 45 or 48 <= c <= 57:
        return _number(data, p, end)
    return _word(data, p, end)


@kernel
def read_objects(
    data: np.ndarray,
    starts: np.ndarray,
    lengths: np.ndarray,
    keys: np.ndarray,
    ends: np.ndarray,
    kinds: np.ndarray,
    names: np.ndarray,
    name_ends: np.ndarray,
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
    doc: np.ndarray,
    doc_size: np.ndarray,
) -> None:
    """Fills the columns of all plain objects; `odd` is set where the reference must read.

    Args:
        data: The block.
        starts: Where each line begins.
        lengths: Bytes of each line, its end included.
        keys: The wanted keys, strung together, in the order of their precedence within a kind.
        ends: Where each key ends in `keys`.
        kinds: Of each key: 0 time, 1 message, 2 level, 3 the reference must read the line.
        names: Level names, as `message_level` takes them, and the next three likewise.
        name_ends: Where each ends.
        codes: What each means.
        upper: Whether it is known in capitals.
        odd: Out: lines that are no plain objects.
        ts: Out: microseconds.
        basis: Out: index into BASIS_NAMES.
        level: Out: index into LEVEL_NAMES.
        stream: Out: index into STREAM_NAMES.
        partial: Out: whether the next line goes on with this one.
        begin: Out: where the message begins.
        size: Out: bytes of the message.
        doc: Out: where the object begins.
        doc_size: Out: bytes of the object.
    """
    stack = np.zeros(DEPTH, dtype=np.uint8)
    found = np.zeros((ends.size, 2), dtype=np.int64)
    for i in range(starts.size):
        at = starts[i]
        end = bare_end(data, at, at + lengths[i])
        ts[i] = NO_TIME
        while at < end and data[at] == 32:
            at += 1
        while end > at and data[end - 1] == 32:
            end -= 1
        odd[i] = True
        if not is_plain(data, at, end) or not _members(data, at, end, keys, ends, kinds, found, stack):
            continue
        best = _best(found, kinds)
        if best[0] < 0 or best[1] < 0:
            continue
        t, m, word = best[0], best[1], best[2]
        micros, how, after = iso_instant(data, found[t, 0], found[t, 0] + found[t, 1])
        if after != found[t, 0] + found[t, 1]:
            continue
        code = 0
        if word >= 0:
            k = named(data, found[word, 0], found[word, 1], names, name_ends, True)
            if k < 0:
                continue
            code = codes[k]
        stop = found[m, 0] + found[m, 1]
        p, stream[i], partial[i] = _stream(data, found[m, 0], stop)
        if word < 0:
            code = message_level(data, p, stop, names, name_ends, codes, upper)
            if code < 0:
                continue
        odd[i] = False
        ts[i], basis[i], level[i] = micros, how, code
        begin[i], size[i] = p, stop - p
        doc[i], doc_size[i] = at, end - at


@njit(cache=True)
def _best(found: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """The first key of each kind that occurs, -1 where none does."""
    best = np.full(3, -1, dtype=np.int64)
    for k in range(kinds.size):
        if found[k, 0] >= 0 and kinds[k] < 3 and best[kinds[k]] < 0:
            best[kinds[k]] = k
    return best


@njit(cache=True)
def _members(
    data: np.ndarray,
    at: int,
    end: int,
    keys: np.ndarray,
    ends: np.ndarray,
    kinds: np.ndarray,
    found: np.ndarray,
    stack: np.ndarray,
) -> bool:
    """Whether `at..end` is one valid object whose wanted members are plain strings; `found` gets where they are."""
    found[:, 0] = -1
    if at >= end or data[at] != 123:
        return False
    p = _skip(data, at + 1, end)
    if p < end and data[p] == 125:
        return False
    while p < end and data[p] == 34:
        name = p + 1
        p, escaped = _string(data, name, end)
        if p < 0 or escaped:
            return False
        k = named(data, name, p - 1 - name, keys, ends, False)
        p = _skip(data, p, end)
        if p >= end or data[p] != 58:
            return False
        p = _skip(data, p + 1, end)
        if p >= end:
            return False
        if k >= 0:
            if kinds[k] == 3 or found[k, 0] >= 0 or data[p] != 34:
                return False
            value = p + 1
            p, escaped = _string(data, value, end)
            if p < 0 or escaped:
                return False
            found[k, 0], found[k, 1] = value, p - 1 - value
        elif data[p] == 123 or data[p] == 91:
            p = _nested(data, p, end, stack)
        else:
            p = _scalar(data, p, end)
        if p < 0:
            return False
        p = _skip(data, p, end)
        if p < end and data[p] == 125:
            return p + 1 == end
        if p >= end or data[p] != 44:
            return False
        p = _skip(data, p + 1, end)
    return False
