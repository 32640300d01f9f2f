"""What the kernels share: classes of bytes, digits, dates, levels, and views of strings."""

from __future__ import annotations

import numpy as np
from numba import njit

from runcase.intake.kernels.loading import kernel

NO_TIME = -(2**63)
"""In place of an instant where there is none."""

LEVEL_NAMES = (None, "trace", "debug", "info", "warning", "error", "fatal")
"""Code of a level -> its name."""

BASIS_NAMES = ("none", "explicit_zone", "assumed_zone", "inferred_year", "inherited")
STREAM_NAMES = (None, "stdout", "stderr")


@njit(cache=True, inline="always")
def digit(data: np.ndarray, at: int) -> int:
    """The digit at a place, or -100, so that sums of a few stay negative when one is none."""
    c = int(data[at]) - 48
    return c if 0 <= c <= 9 else -10000


@njit(cache=True, inline="always")
def two(data: np.ndarray, at: int) -> int:
    """A number of two digits; negative when it is none."""
    return digit(data, at) * 10 + digit(data, at + 1)


@njit(cache=True, inline="always")
def is_word(c: int) -> bool:
    """`\\w` of ASCII."""
    return 48 <= c <= 57 or 65 <= c <= 90 or 97 <= c <= 122 or c == 95


@njit(cache=True, inline="always")
def is_blank(c: int) -> bool:
    """`\\s` of the bytes that a plain line can hold."""
    return c == 32 or c == 9


@njit(cache=True)
def says(data: np.ndarray, at: int, end: int, word: bytes) -> bool:
    """Whether `word` stands at a place."""
    n = 0
    if at + len(word) <= end:
        while n < len(word) and data[at + n] == word[n]:
            n += 1
    return n == len(word)


@njit(cache=True)
def days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01; -1 for a date that does not exist (H. Hinnant, days_from_civil)."""
    if month < 1 or month > 12 or day < 1:
        return -1
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    last = 31
    if month == 2:
        last = 29 if leap else 28
    elif month == 4 or month == 6 or month == 9 or month == 11:
        last = 30
    if day > last:
        return -1
    y = year - 1 if month <= 2 else year
    era = y // 400
    of_era = y - era * 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


@njit(cache=True)
def iso_instant(data: np.ndarray, at: int, end: int) -> tuple[int, int, int]:
    """`YYYY-MM-DD[T ]HH:MM:SS[.,f][zone]` at a place: microseconds, basis, and where it ends.

    Knows the plain forms only. The end is 0 when this is no such stamp, and -1 when the reference must decide.
    """
    if at + 19 > end or data[at + 4] != 45 or data[at + 7] != 45 or data[at + 13] != 58 or data[at + 16] != 58:
        return NO_TIME, 0, -1
    if data[at + 10] != 84 and data[at + 10] != 32:
        return NO_TIME, 0, -1
    year = two(data, at) * 100 + two(data, at + 2)
    day = days(year, two(data, at + 5), two(data, at + 8))
    hour, minute, second = two(data, at + 11), two(data, at + 14), two(data, at + 17)
    if year < 1970 or year > 2199 or day < 0 or not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        return NO_TIME, 0, -1
    micros = ((day * 24 + hour) * 60 + minute) * 60 + second
    micros *= 1_000_000
    p = at + 19
    if p < end and (data[p] == 46 or data[p] == 44) and p + 1 < end and 48 <= data[p + 1] <= 57:
        p += 1
        scale, count = 100_000, 0
        while p < end and 48 <= data[p] <= 57:
            micros += (int(data[p]) - 48) * scale
            scale //= 10
            count += 1
            p += 1
        if count > 9:
            return NO_TIME, 0, -1
    return _zoned(data, p, end, micros)


@njit(cache=True)
def _zoned(data: np.ndarray, p: int, end: int, micros: int) -> tuple[int, int, int]:
    """A zone directly behind the clock, if one is there; other zones and halves of the day are the reference's."""
    if p >= end:
        return micros, 2, p
    c = data[p]
    if c == 90:
        if p + 1 < end and is_word(data[p + 1]):
            return NO_TIME, 0, -1
        return micros, 1, p + 1
    if c == 43 or c == 45:
        if p + 1 < end and not 48 <= data[p + 1] <= 57:
            return micros, 2, p
        return _offset(data, p, end, micros)
    if c == 32 and p + 1 < end and _may_be_zone(data, p + 1, end):
        return NO_TIME, 0, -1
    if is_word(c) or (c == 58 and p + 1 < end and 48 <= data[p + 1] <= 57):
        return NO_TIME, 0, -1
    return micros, 2, p


@njit(cache=True)
def _may_be_zone(data: np.ndarray, p: int, end: int) -> bool:
    """Whether what stands behind a clock and a blank could be a zone, or AM or PM."""
    c = data[p]
    if c == 43 or c == 45:
        return bool(p + 1 < end and 48 <= data[p + 1] <= 57)
    if (c | 32) == 97 or (c | 32) == 112:
        d = data[p + 1] if p + 1 < end else 0
        if d == 46 or (d | 32) == 109:
            return True
    q = p
    while q < end and q - p <= 5 and 65 <= data[q] <= 90:
        q += 1
    n = q - p
    if c == 122:
        q, n = p + 1, 1
    if n == 0 or n > 4 or (q < end and is_word(data[q])):
        return False
    # names that end like those of zones: Z, z, UTC, GMT, WET, CEST, MSK, CST
    last = data[q - 1]
    return bool(n == 1 or last == 84 or last == 67 or last == 75) and (c == 90 or c == 122 or n >= 3)


@njit(cache=True)
def _offset(data: np.ndarray, p: int, end: int, micros: int) -> tuple[int, int, int]:
    """`+hh:mm` or `+hhmm`."""
    q = p + 3
    if p + 5 > end:
        return NO_TIME, 0, -1
    if data[q] == 58:
        q += 1
    if q + 2 > end:
        return NO_TIME, 0, -1
    hours, minutes = two(data, p + 1), two(data, q)
    if hours < 0 or minutes < 0 or hours > 14 or (q + 2 < end and is_word(data[q + 2])):
        return NO_TIME, 0, -1
    shift = (hours * 60 + minutes) * 60_000_000
    return micros + (shift if data[p] == 45 else -shift), 1, q + 2


@njit(cache=True)
def named(data: np.ndarray, at: int, size: int, names: np.ndarray, ends: np.ndarray, fold: bool) -> int:
    """The number of the name at a place, -1 when it is none; `fold`: names are lower case and the text need not be."""
    begin = 0
    for k in range(ends.size):
        if ends[k] - begin == size:
            n = 0
            while n < size:
                c = data[at + n]
                if fold and 65 <= c <= 90:
                    c |= 32
                if c != names[begin + n]:
                    break
                n += 1
            if n == size:
                return k
        begin = ends[k]
    return -1


@kernel
def views(
    data: np.ndarray, starts: np.ndarray, lengths: np.ndarray, buffers: np.ndarray, extra: np.ndarray
) -> np.ndarray:
    """Arrow string views of slices; `buffers` tells which of two buffers (the block, `extra`) each lies in."""
    made = np.zeros((starts.size, 16), dtype=np.uint8)
    for i in range(starts.size):
        n, at = lengths[i], starts[i]
        for b in range(4):
            made[i, b] = (n >> (8 * b)) & 255
        if n <= 12:
            for b in range(n):
                made[i, 4 + b] = data[at + b] if buffers[i] == 0 else extra[at + b]
        else:
            for b in range(4):
                made[i, 4 + b] = data[at + b] if buffers[i] == 0 else extra[at + b]
                made[i, 12 + b] = (at >> (8 * b)) & 255
            made[i, 8] = buffers[i]
    return made
