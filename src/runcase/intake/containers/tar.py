"""tar, read forward: ustar, pax and GNU (long names, sparse), with resynchronisation after a bad header."""

from __future__ import annotations

from collections.abc import Iterator

from runcase.intake.containers import sparse
from runcase.intake.containers.base import Container, Kind, Member
from runcase.intake.containers.damage import DamageError
from runcase.intake.containers.tape import FILE_CHUNK_BYTES, WindowAccess
from runcase.intake.containers.tar_header import (
    BLOCK,
    Pax,
    decimal,
    is_header,
    name_of,
    pax_records,
    pax_time,
    size_of,
    text_of,
    time_of,
)

_KINDS: dict[bytes, Kind] = {b"1": "link", b"2": "link", b"3": "device", b"4": "device", b"6": "device"}
_KINDS |= {b"5": "directory", b"D": "directory"}
_META = {b"x", b"X", b"g", b"L", b"K"}
_LABEL = b"V"
_NO_DATA = {b"1", b"2", b"3", b"4", b"5", b"6", _LABEL}
_MAX_RECORDS = 4 * sparse.MAX_PIECES
_MAX_META_BYTES = 1024 * 1024
"""A pax or long-name record beyond this is hostile: names are at most some kilobytes."""


class _Said:
    """What extension headers say: of the next member, and of all that follow."""

    def __init__(self) -> None:
        self._common: dict[str, str] = {}
        self._own: Pax = []

    def add(self, records: Pax, *, common: bool) -> bool:
        """Takes records in; False when there are more than any honest archive has."""
        if len(self._common) + len(self._own) + len(records) > _MAX_RECORDS:
            return False
        if common:
            self._common |= dict(records)
        else:
            self._own += records
        return True

    def take(self) -> Pax:
        """Records for the next member, its own last; they are used up."""
        records, self._own = [*self._common.items(), *self._own], []
        return records


class Tar(Container):
    """A tar archive. Hard links are links here: their content stands at the member that they name."""

    format = "tar"

    @classmethod
    def recognises(cls, head: bytes, name: str) -> bool:
        """By the checksum of the first header; for a name in `.tar` also by a later one, or by zeros alone."""
        if is_header(head[:BLOCK]):
            return True
        if not name.lower().endswith(".tar") or len(head) < BLOCK:
            return False
        return not any(head) or any(is_header(head[at : at + BLOCK]) for at in range(BLOCK, len(head), BLOCK))

    def members(self) -> Iterator[Member]:
        """Members in order; the end is noted when its marker is missing."""
        tape, said = self.tape, _Said()
        while True:
            at = tape.position
            block = tape.read(BLOCK)
            if len(block) < BLOCK:
                self._cut_off(at, block)
                return
            if not any(block):
                if self._ended(at):
                    return
            elif not is_header(block) or size_of(block) is None:
                self._resynchronise(at, is_header(block))
                said.take()
            elif block[156:157] in _META:
                self._extend(said, block, at)
            else:
                yield from self._member(block, at, said.take())

    # --- between members --------------------------------------------------------------------------

    def _cut_off(self, at: int, block: bytes) -> None:
        if block:
            message = f"the archive ends inside a header: {len(block)} of {BLOCK} bytes"
            self.findings.harm(DamageError("tar_bad_block", "truncated", at, message), at + len(block))
        message = "the archive ends without its end marker (two zero blocks)"
        self.findings.harm(DamageError("tar_no_end", "truncated", self.tape.position, message))

    def _ended(self, at: int) -> bool:
        """Whether the archive is through after a zero block; another archive may follow the zeros."""
        tape = self.tape
        zeros = BLOCK
        while (ahead := tape.peek(BLOCK)) and not any(ahead):
            zeros += tape.skip(len(ahead))
        if not ahead:
            if zeros < 2 * BLOCK:
                message = "the archive ends inside its end marker: one zero block of two"
                self.findings.harm(DamageError("tar_no_end", "truncated", at, message))
            return True
        if not is_header(ahead):
            self._resynchronise(tape.position, False, "no tar header after the end marker")
            if not tape.peek(1):
                return True
        self.findings.note("tar_goes_on", at, "members follow the end marker; they were read too", severity="info")
        return False

    def _resynchronise(self, at: int, checked: bool, found: str = "no tar header where one was expected") -> None:
        """Skips to the next block that is a header."""
        why = "a header with an impossible size" if checked else found
        tape = self.tape
        while window := tape.peek(FILE_CHUNK_BYTES):
            blocks = range(0, len(window), BLOCK)
            place = next((b for b in blocks if _may_begin(window, b) and is_header(window[b : b + BLOCK])), None)
            tape.skip(len(window) if place is None else place)
            if place is not None:
                break
        self.findings.harm(DamageError("tar_bad_block", "corrupt", at, why), tape.position)

    def _extend(self, said: _Said, block: bytes, at: int) -> None:
        """Takes an extension header and what it says of the members after it."""
        size = size_of(block) or 0
        kept = min(size, _MAX_META_BYTES)
        data = self.tape.read(kept)
        padded = size + -size % BLOCK
        taken = len(data) + self.tape.skip(padded - len(data))
        if taken < padded:
            message = f"an extension header ends {padded - taken:,} bytes before its stated size"
            self.findings.harm(DamageError("member_truncated", "truncated", at, message), self.tape.position)
            return
        if kept < size:
            message = f"an extension header of {size:,} bytes; the first {kept:,} were read"
            self.findings.note("tar_header_too_large", at, message)
        if block[156:157] in (b"L", b"K"):
            records = [("path" if block[156:157] == b"L" else "linkpath", text_of(data))]
        else:
            records, whole = pax_records(data)
            if not whole and kept == size:
                self.findings.note("tar_bad_pax", at, "an extension header with a record that cannot be read")
        if not said.add(records, common=block[156:157] == b"g"):
            self.findings.note("tar_header_too_large", at, "more extension records than an archive can need; left out")

    # --- a member ---------------------------------------------------------------------------------

    def _member(self, block: bytes, at: int, records: Pax) -> Iterator[Member]:
        tape, pax, kind = self.tape, dict(records), block[156:157]
        told = decimal(pax.get("size"))
        stored = 0 if kind in _NO_DATA else (size_of(block) or 0) if told is None else told
        name = pax.get("GNU.sparse.name") or pax.get("path") or name_of(block)
        member = Member(name, _kind(kind, name), expands=False)
        member.recorded_at = pax_time(pax.get("mtime")) or time_of(block[136:148])
        if member.kind == "link":
            member.link_target = pax.get("linkpath") or text_of(block[157:257])
        pieces = sparse.old_map(tape, block) if kind == b"S" else None
        start = tape.position
        if kind == b"S":
            self._sparse(member, pieces, size_of(block, 483, 495) or 0, stored)
        elif any(key.startswith("GNU.sparse.") for key in pax):
            self._pax_sparse(member, records, stored)
        elif member.kind == "file":
            member.data = sparse.stored_bytes(tape, stored, "the member")
            if self.opening.access is not None:
                member.access = WindowAccess(self.opening.access, start, stored)
        if kind != _LABEL:
            yield member
        if member.damage is not None:
            self.findings.harm(member.damage)
        tape.skip(start + stored + -stored % BLOCK - tape.position)

    def _pax_sparse(self, member: Member, records: Pax, stored: int) -> None:
        pax = dict(records)
        size = decimal(pax.get("GNU.sparse.realsize") or pax.get("GNU.sparse.size")) or 0
        if pax.get("GNU.sparse.major") == "1":
            pieces, taken = sparse.text_map(self.tape, stored)
            self._sparse(member, pieces, size, stored - taken)
        else:
            self._sparse(member, sparse.pax_map(records), size, stored)

    def _sparse(self, member: Member, pieces: sparse.Pieces | None, size: int, stored: int) -> None:
        """The tape stands at the `stored` bytes of a member of `size`."""
        what = "a sparse member is read without its holes"
        at = self.tape.position
        if pieces is None or not sparse.is_sound(pieces, size, stored):
            damage = DamageError("sparse_map_bad", "corrupt", at, f"{what}: its map of them contradicts itself")
        elif size - stored > self.opening.hole_bytes:
            why = f"it declares {size:,} bytes, of which {stored:,} are stored"
            damage = DamageError("sparse_holes_omitted", "over_budget", at, f"{what}: {why}")
        else:
            member.data, member.expands = sparse.expanded(self.tape, pieces, size, "the member"), True
            return
        member.data = _and_then(sparse.stored_bytes(self.tape, stored, "the member"), damage)


def _and_then(data: Iterator[bytes], damage: DamageError) -> Iterator[bytes]:
    yield from data
    raise damage


def _kind(kind: bytes, name: str) -> Kind:
    if kind in (b"0", b"\0") and name.endswith("/"):
        return "directory"
    return _KINDS.get(kind, "file")


def _may_begin(window: bytes, at: int) -> bool:
    """A cheap look at the checksum field, which spares most blocks the sum."""
    return window[at : at + 1] != b"\0" and not window[at + 148 : at + 156].strip(b" 01234567\0")
