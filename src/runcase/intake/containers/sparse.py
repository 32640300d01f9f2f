"""GNU sparse members: stored pieces at their places, holes as zeros.

Four layouts of the map: old GNU (in the header and continuation blocks), pax 0.0
(repeated records), 0.1 (one record), and 1.0 (text before the data). GNU tar
manual, "Storing Sparse Files".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runcase.intake.containers.damage import DamageError
from runcase.intake.containers.tape import FILE_CHUNK_BYTES, Tape, section
from runcase.intake.containers.tar_header import BLOCK, MAX_SIZE, Pax, decimal, size_of

MAX_PIECES = 100_000
_ZEROS = bytes(FILE_CHUNK_BYTES)

Pieces = list[tuple[int, int]]
"""Offset and length of each stored piece."""


def old_map(tape: Tape, block: bytes) -> Pieces | None:
    """The map of an old GNU sparse header; continuation blocks follow it on the tape. None when it is damaged."""
    found = _entries(block[386:482])
    more = block[482:483] == b"\1"
    while more and found is not None:
        extra = tape.read(BLOCK)
        further = _entries(extra[:504]) if len(extra) == BLOCK else None
        found = found + further if further is not None and len(found) < MAX_PIECES else None
        more = extra[504:505] == b"\1"
    return found


def _entries(data: bytes) -> Pieces | None:
    pieces: Pieces = []
    for n in range(0, len(data) - 23, 24):
        offset, length = size_of(data, n, n + 12), size_of(data, n + 12, n + 24)
        if offset is None or length is None:
            return None
        if length:
            pieces.append((offset, length))
    return pieces


def pax_map(records: Pax) -> Pieces | None:
    """The map of pax sparse 0.0 or 0.1; None when there is none or it is damaged."""
    whole = dict(records).get("GNU.sparse.map")
    if whole is not None:
        return _paired([decimal(t) for t in whole.split(",")])
    keys = ("GNU.sparse.offset", "GNU.sparse.numbytes")
    return _paired([decimal(value) for key, value in records if key in keys])


def text_map(tape: Tape, stored: int) -> tuple[Pieces | None, int]:
    """The map of pax sparse 1.0 at the begin of the data, and the bytes that it took; None when it is damaged."""
    taken = 0
    text = b""
    wanted = 1
    while text.count(b"\n") < wanted:
        block = tape.read(BLOCK) if taken + BLOCK <= stored else b""
        taken += len(block)
        text += block
        first = decimal(text.partition(b"\n")[0].decode("ascii", "replace")) if b"\n" in text else 0
        if len(block) < BLOCK or first is None or first > MAX_PIECES:
            return None, taken
        wanted = 1 + 2 * first
    numbers = [decimal(t.decode("ascii", "replace")) for t in text.split(b"\n")[1:wanted]]
    return _paired(numbers), taken


def _paired(numbers: list[int | None]) -> Pieces | None:
    known = [n for n in numbers if n is not None]
    if len(known) < len(numbers) or len(known) % 2 or not known:
        return None
    return [(o, n) for o, n in zip(known[::2], known[1::2], strict=True) if n]


def is_sound(pieces: Sequence[tuple[int, int]], size: int, stored: int) -> bool:
    """Whether the pieces come in order, do not overlap, lie within `size`, and add up to `stored`."""
    at = 0
    for offset, length in pieces:
        if offset < at:
            return False
        at = offset + length
    return at <= size < MAX_SIZE and sum(n for _, n in pieces) == stored


def expanded(tape: Tape, pieces: Sequence[tuple[int, int]], size: int, what: str) -> Iterator[bytes]:
    """The content with its holes as zeros, piece by piece.

    Raises:
        DamageError: When the archive ends inside a stored piece.
    """
    at = 0
    for offset, length in [*pieces, (size, 0)]:
        while at < offset:
            hole = min(FILE_CHUNK_BYTES, offset - at)
            yield _ZEROS[:hole]
            at += hole
        yield from stored_bytes(tape, length, what)
        at += length


def stored_bytes(tape: Tape, length: int, what: str) -> Iterator[bytes]:
    """The next `length` bytes of the container.

    Raises:
        DamageError: When the container ends before.
    """
    end = tape.position + length
    yield from section(tape, length)
    if tape.position < end:
        message = f"{what} ends {end - tape.position:,} bytes before its stated size"
        raise DamageError("member_truncated", "truncated", tape.position, message)
