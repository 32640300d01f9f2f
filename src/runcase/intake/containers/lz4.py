"""lz4: frames one after the other. The library comes with the extra `lz4`."""

from __future__ import annotations

from collections.abc import Iterator

from runcase.intake.containers.damage import DamageError
from runcase.intake.containers.decoders import pumped
from runcase.intake.containers.single import SingleStream

MAGIC = b"\x04\x22\x4d\x18"


class Lz4(SingleStream):
    """A `.lz4` file. A block (up to 4 MiB) comes out whole or not at all."""

    format = "lz4"
    magic = MAGIC

    @classmethod
    def recognises(cls, head: bytes, name: str) -> bool:
        """By the magic number and version bits 01 of the frame descriptor."""
        return head.startswith(MAGIC) and (len(head) < 5 or head[4] >> 6 == 1)

    def part(self) -> Iterator[bytes]:
        """One frame.

        Raises:
            DamageError: `unsupported_container` when the library is not installed.
        """
        try:
            from lz4.frame import LZ4FrameDecompressor
        except ModuleNotFoundError:
            message = "reading lz4 needs: pip install runcase[lz4]"
            raise DamageError("unsupported_container", "unsupported", self.tape.position, message) from None
        return pumped(LZ4FrameDecompressor(), self.tape, "lz4 frame")
