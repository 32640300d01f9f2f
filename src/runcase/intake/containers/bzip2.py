"""bzip2: streams one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from runcase.intake.containers.decoders import bunzipped
from runcase.intake.containers.single import SingleStream

_BLOCK = bytes.fromhex("314159265359")
_END = bytes.fromhex("177245385090")


class Bzip2(SingleStream):
    """A `.bz2` file. A block (up to 900 kB) comes out whole or not at all."""

    format = "bz2"
    magic = b"BZh"

    @classmethod
    def recognises(cls, head: bytes, name: str) -> bool:
        """By `BZh`, a level, and the magic of a block or of the end mark."""
        mark = head[4:10]
        return head[:3] == b"BZh" and head[3:4] in b"123456789" and len(head) > 3 and _starts(mark)

    def part(self) -> Iterator[bytes]:
        """One stream."""
        return bunzipped(self.tape)


def _starts(mark: bytes) -> bool:
    """Whether `mark`, possibly cut short, is a block or an end mark."""
    return _BLOCK.startswith(mark) or _END.startswith(mark)
