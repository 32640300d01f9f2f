"""7z, by its directory at the end; needs random access and the extra `sevenzip` (py7zr).

py7zr reads the directory and builds the decoders; the members are pulled here in
the order of their folders, so that nothing is extracted and memory stays flat.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from runcase.intake.containers import lzma2
from runcase.intake.containers.base import Container, Member, Opening
from runcase.intake.containers.damage import DamageError
from runcase.intake.containers.tape import RandomAccess

MAGIC = b"7z\xbc\xaf\x27\x1c"
_MAX_HEADER_BYTES = 64 * 1024 * 1024
_MAX_TARGET_BYTES = 4096
_START_BYTES = 32
"""The signature and where the directory is; the packed content follows."""

_PIECE_BYTES = 256 * 1024
_LZMA, _LZMA2, _PPMD = b"\x03\x01\x01", b"\x21", b"\x03\x04\x01"


class SevenZip(Container):
    """A 7z archive."""

    format = "7z"
    seeks = True

    @classmethod
    def recognises(cls, head: bytes, name: str) -> bool:
        """By its six-byte signature."""
        return head.startswith(MAGIC)

    def members(self) -> Iterator[Member]:
        """Members in the order of the directory."""
        try:
            archive = _opened(self.opening)
        except DamageError as damage:
            yield from self._without_directory(damage)
            return
        positions = archive.header.main_streams.packinfo.packpositions if _has_streams(archive) else []
        number = -1
        for folder, files in groupby(archive.files, key=lambda f: f.folder):
            if folder is None:
                yield from (self._empty(f) for f in files)
                continue
            number += 1
            yield from self._folder(archive, folder, list(files), number, positions)
        self.tape.skip_all()

    def _without_directory(self, damage: DamageError) -> Iterator[Member]:
        """What LZMA2, the usual method, lets be read of the packed content: one member a stream, names unknown."""
        tape = self.tape
        if damage.verdict in ("truncated", "corrupt"):
            tape.skip(_START_BYTES)
            while lzma2.begins(tape):
                yield Member(f"content at byte {tape.position}", data=lzma2.stream(tape, self.opening.memory_bytes))
            start = tape.position
            read = "its content was read without names and ends of members, and program filters were not undone"
            why = read if start > _START_BYTES else "its content is packed in no way that can be read without it"
            damage = DamageError(damage.code, damage.verdict, start, f"{damage.message}; {why}")
        tape.skip_all()
        self.findings.harm(damage, tape.position)

    def _empty(self, file: Any) -> Member:
        return Member(file.filename, "directory" if file.is_directory else "file", recorded_at=_time(file))

    def _folder(
        self, archive: Any, folder: Any, files: list[Any], number: int, positions: list[int]
    ) -> Iterator[Member]:
        start = archive.afterheader + positions[number]
        length = positions[number + 1] - positions[number]
        content = _Solid(self.opening, archive.fp, folder, start, length)
        for file in files:
            member = Member(file.filename, recorded_at=_time(file))
            member.data = content.take(file.uncompressed, file.crc32)
            if file.is_symlink:
                member.kind, member.link_target = "link", content.text(member.data)
            yield member
            content.pass_over(member)
            if member.damage is not None:
                broken = content.broken is member.damage
                self.findings.harm(member.damage, start + length if broken else None)


class _Solid:
    """The content of one folder of the archive: its members one after the other."""

    def __init__(self, opening: Opening, file: Any, folder: Any, start: int, length: int) -> None:
        self._file, self._folder, self._start, self._length = file, folder, start, length
        self._memory = opening.memory_bytes
        self._decoder: Any = None
        self.broken: DamageError | None = None

    def take(self, size: int, checksum: int | None) -> Iterator[bytes]:
        """The next `size` bytes.

        Raises:
            DamageError: From the first byte on that cannot be decoded, for this member and those after it.
        """
        if (broken := self.broken) is not None:
            code = "member_unreachable" if broken.verdict in ("corrupt", "truncated") else broken.code
            raise DamageError(code, broken.verdict, broken.at, f"as a member before it: {broken.message}")
        crc, left = 0, size
        while left:
            data = self._step(min(left, _PIECE_BYTES))
            crc, left = zlib.crc32(data, crc), left - len(data)
            yield data
        if checksum is not None and checksum != crc:
            at = self._file.tell()
            raise DamageError("checksum_differs", "corrupt", at, f"checksum {crc:08x}, stated is {checksum:08x}")

    def text(self, data: Iterator[bytes]) -> str:
        """Where a link points."""
        try:
            return b"".join(data)[:_MAX_TARGET_BYTES].decode("utf-8", "surrogateescape")
        except DamageError:
            return ""

    def pass_over(self, member: Member) -> None:
        """Takes what nobody pulled of a member, so that the next one begins where it does."""
        try:
            for _ in member.data:
                pass
        except DamageError as damage:
            member.damage = member.damage or damage

    def _step(self, wanted: int) -> bytes:
        at = self._start
        try:
            if self._decoder is None:
                _check_window(self._folder, self._memory, self._start)
                self._file.seek(self._start)
                self._decoder = self._folder.get_decompressor(self._length)
            while True:
                at = self._file.tell()
                data = bytes(self._decoder.decompress(self._file, wanted))
                if data:
                    return data
                if self._file.tell() == at:
                    raise DamageError("stream_truncated", "truncated", at, "the packed data ends before its members do")
        except DamageError as damage:
            self.broken = damage
        except Exception as error:  # py7zr lets through whatever its decoders raise: lzma, bz2, ppmd, its own
            self.broken = _told(error, at)
        raise self.broken


def _opened(opening: Opening) -> Any:
    """The archive with its directory read.

    Raises:
        DamageError: When the library is missing, or the directory cannot be read.
    """
    try:
        import py7zr
    except ModuleNotFoundError:
        why = "reading 7z needs: pip install runcase[sevenzip]"
        raise DamageError("unsupported_container", "unsupported", 0, why) from None
    if opening.access is None:
        why = "a compressed 7z inside another archive is read up to a size that this one exceeds"
        raise DamageError("unsupported_container", "unsupported", 0, why)
    try:
        _check_header(opening.access)
        return py7zr.SevenZipFile(_File(opening.access))  # type: ignore[arg-type]
    except DamageError:
        raise
    except Exception as error:  # a damaged directory makes py7zr raise almost anything
        raise _told(error, 0) from None


def _told(error: Exception, at: int) -> DamageError:
    kind = type(error).__name__
    if kind == "PasswordRequired":
        return DamageError("member_encrypted", "encrypted", at, "encrypted; a password would be needed")
    if kind == "UnsupportedCompressionMethodError":
        return DamageError("member_unsupported", "unsupported", at, "packed with a method that is not read")
    return DamageError("stream_corrupt", "corrupt", at, f"7z data is damaged near byte {at:,}: {kind} {error}".rstrip())


def _check_header(access: RandomAccess) -> None:
    """A packed directory must not unpack to more than one can need."""
    from py7zr.archiveinfo import HeaderStreamsInfo

    start = access.read_at(0, 32)
    offset, size = int.from_bytes(start[12:20], "little"), int.from_bytes(start[20:28], "little")
    if 32 + offset + size > access.size:
        why = f"the directory should stand at byte {32 + offset:,}; the archive ends at byte {access.size:,}"
        raise DamageError("sevenzip_no_directory", "truncated", access.size, why)
    header = access.read_at(32 + offset, min(size, _MAX_HEADER_BYTES + 1))
    unpacked = len(header)
    if header[:1] == b"\x17":
        folders = HeaderStreamsInfo.retrieve(io.BytesIO(header[1:])).unpackinfo.folders
        unpacked = max([unpacked, *(n for f in folders for n in f.unpacksizes)])
    if unpacked > _MAX_HEADER_BYTES:
        why = f"a directory of {unpacked:,} bytes"
        raise DamageError("window_too_large", "over_budget", 32 + offset, why)


def _check_window(folder: Any, memory_bytes: int, at: int) -> None:
    for coder in folder.coders:
        method, properties = coder["method"], coder.get("properties") or b""
        wanted = 0
        if method in (_LZMA, _PPMD):
            wanted = int.from_bytes(properties[1:5], "little")
        elif method == _LZMA2 and properties:
            wanted = (2 | properties[0] & 1) << (properties[0] // 2 + 11)
        if wanted > memory_bytes:
            why = f"a dictionary of {wanted:,} bytes is more than the memory budget allows"
            raise DamageError("window_too_large", "over_budget", at, why)


def _has_streams(archive: Any) -> bool:
    return getattr(archive.header, "main_streams", None) is not None


def _time(file: Any) -> Any:
    try:
        return file.lastwritetime.as_datetime().replace(microsecond=0) if file.lastwritetime else None
    except (OverflowError, ValueError):
        return None


class _File(io.RawIOBase):
    """Random access with the interface of a file."""

    def __init__(self, access: RandomAccess) -> None:
        self._access, self._at = access, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = (0, self._at, self._access.size)[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._access.size - self._at)
        data = self._access.read_at(self._at, left if size < 0 else min(size, left))
        self._at += len(data)
        return data
