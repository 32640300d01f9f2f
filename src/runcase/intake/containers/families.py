"""Which family a container belongs to; a new one is one file and one entry here."""

from __future__ import annotations

from runcase.intake.containers.base import Container
from runcase.intake.containers.bzip2 import Bzip2
from runcase.intake.containers.gz import Gz
from runcase.intake.containers.lz4 import Lz4
from runcase.intake.containers.sevenzip import SevenZip
from runcase.intake.containers.tar import Tar
from runcase.intake.containers.xz import Xz
from runcase.intake.containers.zip import Zip
from runcase.intake.containers.zst import Zst

FAMILIES: tuple[type[Container], ...] = (Gz, Bzip2, Xz, Zst, Lz4, Zip, SevenZip, Tar)

_FOREIGN = (
    (b"Rar!\x1a\x07", "RAR"),
    (b"MSCF\0\0\0\0", "Microsoft cabinet"),
    (b"\x1f\x9d", "compress (.Z)"),
    (b"\x02\x21\x4c\x18", "lz4 of the legacy frame format"),
    (b"LZIP\x01", "lzip"),
    (b"\x89LZO\0\r\n\x1a\n", "lzop"),
    (b"!<arch>\n", "ar"),
    (b"070701", "cpio"),
    (b"070702", "cpio"),
    (b"070707", "cpio"),
    (b"\xc7\x71", "cpio"),
    (b"\xed\xab\xee\xdb", "RPM"),
)


def family_of(head: bytes, name: str) -> type[Container] | None:
    """The family that `head` begins a container of."""
    return next((f for f in FAMILIES if f.recognises(head, name)), None)


def foreign(head: bytes) -> str | None:
    """The name of a container format that is known by its magic and not read."""
    return next((what for magic, what in _FOREIGN if head.startswith(magic)), None)
