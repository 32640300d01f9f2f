"""zip, read forward by local headers, with the central directory as a witness where it can be reached.

Reading forward takes each byte once, so that overlapping members (the trick of
zip bombs) cannot multiply, a truncated archive yields what it has, and a zip
inside another archive needs no seeking. The directory adds what local headers
lack: sizes before the data, and which members are links.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from runcase.intake.containers import decoders, zip_headers
from runcase.intake.containers.base import Container, Member, Opening
from runcase.intake.containers.damage import DamageError, Verdict
from runcase.intake.containers.sparse import stored_bytes
from runcase.intake.containers.tape import FILE_CHUNK_BYTES, Tape, WindowAccess, section
from runcase.intake.containers.zip_headers import CENTRAL, DESCRIPTOR, END, LOCAL, TAIL, Entry
from runcase.intake.containers.zst import unzstded

_SPANNED = (b"PK00", b"PK\7\x08")
_MAX_TARGET_BYTES = 4096
_LZMA, _AES = 14, 99
Decode = Callable[[Tape, Entry, Opening], Iterator[bytes]]
"""Tape at the data of an entry -> content."""

_METHODS: dict[int, Decode] = {
    8: lambda tape, entry, opening: decoders.inflated(tape, access=opening.access, stored=entry.stored),
    12: lambda tape, entry, opening: decoders.bunzipped(tape),
    _LZMA: lambda tape, entry, opening: decoders.unlzmaed(tape, entry.size, opening.memory_bytes),
    20: lambda tape, entry, opening: unzstded(tape, opening.memory_bytes),
    93: lambda tape, entry, opening: unzstded(tape, opening.memory_bytes),
    95: lambda tape, entry, opening: decoders.unxzed(tape, opening.memory_bytes),
}


_UNREAD = {1: " (shrunk)", 6: " (imploded)", 9: " (Deflate64)", 96: " (JPEG)", 97: " (WavPack)", 98: " (PPMd)"}
"""Methods that no library here reads, by the numbers of APPNOTE.TXT 4.4.5."""


class Zip(Container):
    """A zip archive."""

    format = "zip"
    seeks = True

    def __init__(self, opening: Opening) -> None:
        super().__init__(opening)
        self._listed: dict[int, Entry] = {}
        self._found = self._recorded = 0

    @classmethod
    def recognises(cls, head: bytes, name: str) -> bool:
        """By a local header or the end record of an empty archive; for a name in `.zip` also by a later header."""
        first = head[4:] if head.startswith(_SPANNED) else head
        if first.startswith((LOCAL, END)):
            return True
        return name.lower().endswith(".zip") and (LOCAL in head or END in head)

    def members(self) -> Iterator[Member]:
        """Members in the order of the file; then the directory is held against what was found."""
        tape = self.tape
        if self.opening.access is not None:
            self._listed = zip_headers.directory(self.opening.access, self.opening.members)
        if tape.peek(4) in _SPANNED:
            tape.skip(4)
        ended = False
        while mark := tape.peek(4):
            if mark == LOCAL and (entry := self._header()) is not None:
                self._found += 1
                yield from self._member(entry)
            elif mark in TAIL and (length := zip_headers.record_bytes(tape.peek(46))) is not None:
                self._recorded += mark == CENTRAL
                tape.skip(length)
                ended = mark == END or (ended and mark != CENTRAL)
            else:
                self._skip_to_mark(ended)
        self._check_directory(ended)

    def _header(self) -> Entry | None:
        """The local header at the tape's position, completed by the directory; None when it is cut off."""
        tape = self.tape
        at = tape.position
        fixed = tape.peek(30)
        length = 30 + int.from_bytes(fixed[26:28], "little") + int.from_bytes(fixed[28:30], "little")
        entry = zip_headers.local_entry(tape.peek(length))
        if entry is None:
            return None
        tape.skip(length)
        listed = self._listed.get(at)
        if listed is None:
            return entry
        if listed.name != entry.name or listed.method != entry.method:
            message = f"its own header says {entry.name!r}, method {entry.method}; "
            message += f"the directory says {listed.name!r}, method {listed.method}"
            self.findings.note("zip_headers_differ", at, message)
            listed = replace(listed, name=entry.name, method=entry.method)
        if entry.stored is not None and entry.stored != listed.stored:
            message = f"{entry.name!r}: its header states {entry.stored} stored bytes, the directory {listed.stored}"
            self.findings.note("zip_headers_differ", at, message)
            return entry
        return listed

    # --- a member ---------------------------------------------------------------------------------

    def _member(self, entry: Entry) -> Iterator[Member]:
        tape, start = self.tape, self.tape.position
        member = Member(entry.name, "directory" if entry.is_folder else "file", recorded_at=entry.recorded_at)
        end = None if entry.stored is None else start + entry.stored
        if entry.is_link and not entry.flags & zip_headers.ENCRYPTED:
            member.kind = "link"
            member.link_target = self._target(entry)
        elif member.kind == "file":
            member.data = self._content(member, entry)
        yield member
        if member.damage is not None:
            self._settle(member.damage, end)
        elif end is not None and tape.position < end:
            tape.skip(end - tape.position)
        if entry.flags & zip_headers.DESCRIBED and end is not None:
            found = zip_headers.described(tape.peek(24), entry.size or 0)
            tape.skip(found[1] if found else 0)

    def _settle(self, damage: DamageError, end: int | None) -> None:
        """Skips what a damaged member still has, and sets it aside."""
        tape = self.tape
        if end is not None:
            tape.skip(end - tape.position)
        elif damage.verdict not in ("truncated", "ok"):
            self._find((LOCAL, CENTRAL))
        lost = damage.verdict != "truncated"
        self.findings.harm(damage, tape.position if lost else None)

    def _target(self, entry: Entry) -> str:
        """Where a link points: its content, as far as any system takes one."""
        member = Member(entry.name)
        data = b""
        try:
            for piece in self._content(member, entry):
                data += piece
                if len(data) > _MAX_TARGET_BYTES:
                    break
        except DamageError as damage:
            self.findings.note(damage.code, damage.at, f"the target of a link: {damage.message}")
        return data[:_MAX_TARGET_BYTES].decode("utf-8", "surrogateescape")

    def _content(self, member: Member, entry: Entry) -> Iterator[bytes]:
        at = self.tape.position
        if entry.flags & zip_headers.ENCRYPTED or entry.method == _AES:
            return _refused("member_encrypted", "encrypted", at, f"{entry.name!r} is encrypted")
        if entry.method == 0 and entry.stored is None:
            return self._until_descriptor()
        if entry.method == 0:
            member.expands = False
            if self.opening.access is not None:
                member.access = WindowAccess(self.opening.access, at, entry.stored or 0)
            return self._checked(stored_bytes(self.tape, entry.stored or 0, "the member"), entry)
        decode = _METHODS.get(entry.method)
        if decode is None:
            why = f"compression method {entry.method}{_UNREAD.get(entry.method, '')} of {entry.name!r} is not read"
            return _refused("member_unsupported", "unsupported", at, why)
        return self._checked(self._decoded(decode, entry), entry)

    def _decoded(self, decode: Decode, entry: Entry) -> Iterator[bytes]:
        """The decompressed content; the container's tape is left where the compressed data ended."""
        tape = self.tape
        if entry.stored is None:
            yield from decode(tape, entry, self.opening)
            return
        own = Tape(section(tape, entry.stored), tape.position)
        yield from decode(own, entry, self.opening)
        if own.peek(1) and entry.method != _LZMA:
            at = own.position
            own.skip_all()
            message = f"{own.position - at:,} bytes after the end of a member's compressed data"
            self.findings.harm(DamageError("trailing_data", "ok", at, message), own.position)

    def _checked(self, data: Iterator[bytes], entry: Entry) -> Iterator[bytes]:
        """`data`, whose checksum and size are compared with what headers or a descriptor state."""
        crc = out = 0
        for piece in data:
            crc, out = decoders.crc32(piece, crc), out + len(piece)
            yield piece
        at = self.tape.position
        stated, size = entry.crc, entry.size
        if entry.stored is None:
            found = zip_headers.described(self.tape.peek(24), out)
            if found is None:
                raise DamageError("zip_no_descriptor", "corrupt", at, "no data descriptor follows the member's data")
            stated, size = found[0], out
            self.tape.skip(found[1])
        if stated != crc:
            message = f"checksum {crc:08x}, stated is {stated or 0:08x}"
            raise DamageError("checksum_differs", "corrupt", at, message)
        if size != out:
            raise DamageError("size_differs", "corrupt", at, f"{out:,} bytes came out, stated are {size:,}")

    def _until_descriptor(self) -> Iterator[bytes]:
        """A stored member of unknown size: up to a descriptor whose size and checksum fit what came before."""
        tape = self.tape
        crc = out = 0
        while ahead := tape.peek(FILE_CHUNK_BYTES):
            at = ahead.find(DESCRIPTOR)
            piece = tape.read(at if at >= 0 else max(1, len(ahead) - 3) if len(ahead) > 3 else len(ahead))
            crc, out = decoders.crc32(piece, crc), out + len(piece)
            if piece:
                yield piece
            if at < 0:
                continue
            found = zip_headers.described(tape.peek(24), out, marked=True)
            if found is not None and found[0] == crc:
                tape.skip(found[1])
                return
            mark = tape.read(4)
            crc, out = decoders.crc32(mark, crc), out + 4
            yield mark
        message = "the archive ends inside a stored member: no data descriptor fits it"
        raise DamageError("member_truncated", "truncated", tape.position, message)

    # --- between members --------------------------------------------------------------------------

    def _skip_to_mark(self, ended: bool) -> None:
        tape = self.tape
        at, known = tape.position, tape.peek(4) in (LOCAL, *TAIL)
        tape.skip(1)
        self._find((LOCAL, CENTRAL, END))
        why, code = "no member header where one was expected", "zip_bad_span"
        verdict: Verdict = "corrupt"
        if ended:
            why, code = "bytes after the end record", "trailing_data"
        elif known and not tape.peek(1):
            why, verdict = "the archive ends inside a header", "truncated"
        self.findings.harm(DamageError(code, verdict, at, why), tape.position)

    def _find(self, marks: tuple[bytes, ...]) -> None:
        """Moves to the next of `marks`, or to the end."""
        tape = self.tape
        while ahead := tape.peek(FILE_CHUNK_BYTES):
            places = [p for m in marks if (p := ahead.find(m)) >= 0]
            if places:
                tape.skip(min(places))
                return
            tape.skip(len(ahead) - 3 if len(ahead) == FILE_CHUNK_BYTES else len(ahead))

    def _check_directory(self, ended: bool) -> None:
        at = self.tape.position
        if not ended:
            why = "the central directory is missing or cut off; members were found by their local headers"
            self.findings.harm(DamageError("zip_no_directory", "truncated", at, why))
        elif self._recorded != self._found:
            why = f"the central directory lists {self._recorded:,} members, {self._found:,} were found"
            self.findings.harm(DamageError("zip_directory_differs", "corrupt", at, why))


def _refused(code: str, verdict: Verdict, at: int, why: str) -> Iterator[bytes]:
    raise DamageError(code, verdict, at, why)
    yield b""
