"""xz: streams one after the other, with zero padding of a multiple of four bytes between them."""

from __future__ import annotations

from collections.abc import Iterator

from runcase.intake.containers.decoders import unxzed
from runcase.intake.containers.single import SingleStream

MAGIC = b"\xfd7zXZ\0"


class Xz(SingleStream):
    """A `.xz` file."""

    format = "xz"
    magic = MAGIC

    @classmethod
    def recognises(cls, head: bytes, name: str) -> bool:
        """By the stream header's magic."""
        return head.startswith(MAGIC)

    def begins_part(self) -> bool:
        """Whether a stream begins after padding, which is skipped."""
        while self.tape.peek(4) == bytes(4):
            self.tape.skip(4)
        return super().begins_part()

    def part(self) -> Iterator[bytes]:
        """One stream."""
        return unxzed(self.tape, self.opening.memory_bytes)
