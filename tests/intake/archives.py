"""Archives made in memory, whole and hostile, and what the walker makes of them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import sys
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from runcase.intake.archive import Budget, open_input
from runcase.intake.streams import Stream

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LINE = b"2026-03-14T13:40:01Z INFO step %d is done, nothing to see here\n"
TEXT = b"".join(LINE % n for n in range(2000))


@dataclass(frozen=True, slots=True)
class Walked:
    """The sources of one input in the order in which they came, each with its content."""

    streams: tuple[Stream, ...]
    contents: tuple[bytes, ...]

    def content(self, path: str) -> bytes:
        """The content of the first source whose path ends so."""
        return next(c for s, c in zip(self.streams, self.contents, strict=True) if s.path.endswith(path))

    def stream(self, path: str) -> Stream:
        """The first source whose path ends so."""
        return next(s for s in self.streams if s.path.endswith(path))

    @property
    def whole(self) -> Stream:
        """The row of the input itself, which comes last."""
        return self.streams[-1]

    @property
    def codes(self) -> set[str]:
        """Codes of all problems."""
        return {p.code for s in self.streams for p in s.problems}


def walk(folder: Path, data: bytes, name: str = "input", budget: Budget | None = None) -> Walked:
    """Reads an input; every source is held against the law on its own level."""
    (folder / name).write_bytes(data)
    streams, contents = [], []
    for stream in open_input(folder / name, name, budget or Budget()):
        contents.append(b"".join(stream.chunks()))
        streams.append(stream)
    for stream, content in zip(streams, contents, strict=True):
        if stream.kind == "file":
            assert stream.size_bytes == len(content)
        if stream.kind == "container":
            assert stream.size_bytes == stream.quarantined_bytes + stream.overhead_bytes
            assert 0 <= stream.quarantined_bytes <= stream.size_bytes
    assert streams[-1].path == name
    assert streams[-1].size_bytes == len(data)
    return Walked(tuple(streams), tuple(contents))


# --- healthy ones ---------------------------------------------------------------------------------


def gz(data: bytes) -> bytes:
    return gzip.compress(data, 6, mtime=0)


def xz(data: bytes) -> bytes:
    return lzma.compress(data)


def zst(data: bytes) -> bytes:
    return zstd.compress(data)


def lz4(data: bytes) -> bytes:
    from lz4.frame import compress

    return bytes(compress(data))


COMPRESSIONS = {"gz": gz, "bz2": bz2.compress, "xz": xz, "zst": zst, "lz4": lz4}


def tar(members: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, encoding="utf-8") as t:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1_773_496_800
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, data in members.items():
            z.writestr(zipfile.ZipInfo(name, (2026, 3, 14, 14, 0, 0)), data, method)
    return out.getvalue()


class Pipe(io.RawIOBase):
    """A sink that cannot seek, so that zipfile writes data descriptors."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.data += bytes(data)  # type: ignore[call-overload]
        return len(bytes(data))  # type: ignore[call-overload]


def streamed_zip(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip as one that was written to a pipe: sizes follow the data."""
    out = Pipe()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, data in members.items():
            z.writestr(zipfile.ZipInfo(name, (2026, 3, 14, 14, 0, 0)), data, method)
    return bytes(out.data)


def sevenz(members: dict[str, bytes], password: str | None = None) -> bytes:
    import py7zr

    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", password=password) as z:
        for name, data in members.items():
            z.writestr(data, name)
    return out.getvalue()


def header(name: bytes, size: int | bytes, kind: bytes = b"0", **fields: bytes) -> bytes:
    """One tar header with a right checksum; `size` as bytes is written as it is."""
    block = bytearray(512)
    block[: len(name)] = name
    block[100:108], block[108:116], block[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    block[124:136] = size if isinstance(size, bytes) else b"%011o\0" % size
    block[136:148] = b"%011o\0" % 1_773_496_800
    block[156:157] = kind
    block[257:265] = b"ustar\x0000"
    for place, data in fields.items():
        at = int(place[2:])
        block[at : at + len(data)] = data
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def pax(**records: str) -> bytes:
    """A pax header for the next member; `__` stands for a dot."""
    body = b""
    for key, value in records.items():
        text = f" {key.replace('__', '.')}={value}\n".encode("utf-8", "surrogateescape")
        length = len(text) + 1
        while len(str(length)) + len(text) != length:
            length += 1
        body += str(length).encode() + text
    return header(b"PaxHeader", len(body), b"x") + padded(body)


END = bytes(1024)


# --- hostile ones ---------------------------------------------------------------------------------


def overlapping_zip(members: int, content: bytes) -> bytes:
    """A zip whose directory lists the same bytes again and again."""
    whole = zipped({"a.log": content})
    at = whole.index(b"PK\1\2")
    entry = whole[at : whole.index(b"PK\5\6")]
    directory = entry * members
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, members, members, len(directory), at, 0)
    return whole[:at] + directory + end


def quine_gz() -> bytes:
    """A gzip that begins again and again: a stored block followed by itself, many times over."""
    return gz(gz(gz(b"again\n" * 10) * 50) * 50)


def nested(data: bytes, times: int, name: str = "a.log") -> bytes:
    """`data` in a zip in a zip in a zip."""
    for n in range(times):
        data = zipped({name if n == 0 else f"level-{n}.zip": data})
    return data


def bush(fan: int, depth: int, content: bytes) -> bytes:
    """A zip of `fan` zips of `fan` zips ..., small for what it unfolds to."""
    data = content
    for level in range(depth):
        data = zipped({f"{level}-{n}.{'zip' if level else 'log'}": data for n in range(fan)})
    return data


def zeros_gz(size: int) -> bytes:
    """A gzip of `size` zero bytes, made without holding them."""
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    return b"".join([*(z.compress(block) for _ in range(size >> 20)), z.flush()])
