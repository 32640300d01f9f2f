"""Compressed files: one content, cut into parts (gzip members, bzip2 and xz streams, zstd and lz4 frames)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from datetime import datetime

from runcase.intake.containers.base import HEAD_BYTES, Container, Member
from runcase.intake.containers.damage import DamageError
from runcase.intake.containers.names import content_name
from runcase.intake.containers.tape import FILE_CHUNK_BYTES
from runcase.model.problems import Problem


class SingleStream(Container):
    """A container of one member, the concatenation of its parts.

    After damage, decoding goes on at the next part that begins as one must; the
    bytes between are quarantined and the content tells of the gap. What follows
    the last part is padding when it is zero, and quarantined otherwise.
    """

    magic: bytes
    """What a part that is worth looking for begins with."""

    @abstractmethod
    def part(self) -> Iterator[bytes]:
        """Decodes the part at the tape's position and leaves the tape behind it."""

    def begins_part(self) -> bool:
        """Whether a part begins at the tape's position."""
        return self.recognises(self.tape.peek(HEAD_BYTES), "")

    def surely_begins(self, head: bytes) -> bool:
        """Whether `head`, met in damaged surroundings, begins a part and is no accident."""
        return self.recognises(head, "")

    def recorded_at(self) -> datetime | None:
        """The time that the first part records."""
        return None

    def members(self) -> Iterator[Member]:
        """The one content."""
        member = Member(content_name(self.opening.name, self.format), recorded_at=self.recorded_at())
        member.data = self._content(member)
        yield member
        if member.damage is not None:
            self.tape.skip_all()
            lost = member.damage.verdict != "truncated"
            self.findings.harm(member.damage, self.tape.position if lost else None)

    def _content(self, member: Member) -> Iterator[bytes]:
        done = 0
        more = True
        while more:
            start = self.tape.position
            try:
                for piece in self.part():
                    done += len(piece)
                    yield piece
            except DamageError as damage:
                if damage.verdict != "corrupt" or not self._found_part(start):
                    raise
                self.findings.harm(damage, self.tape.position)
                member.problems.append(_gap(damage, done, self.tape.position))
                member.verdict = "corrupt"
                continue
            more = self.begins_part()
        self._check_tail()

    def _found_part(self, start: int) -> bool:
        """Moves to the next part after `start`; to the end when there is none."""
        tape = self.tape
        tape.skip(max(0, start + 1 - tape.position))
        while window := tape.peek(FILE_CHUNK_BYTES):
            at = window.find(self.magic)
            if at < 0:
                tape.skip(max(1, len(window) - len(self.magic) + 1))
                continue
            tape.skip(at)
            if self.surely_begins(tape.peek(HEAD_BYTES)):
                return True
            tape.skip(1)
        return False

    def _check_tail(self) -> None:
        """Zero padding is structure; anything else after the last part is quarantined."""
        start = self.tape.position
        dirty = any(piece.strip(b"\0") for piece in self.tape.rest())
        if dirty:
            message = (
                f"{self.tape.position - start:,} bytes after the end of the {self.format} data begin no further part"
            )
            self.findings.harm(DamageError("trailing_data", "corrupt", start, message), self.tape.position)


def _gap(damage: DamageError, at: int, resumed: int) -> Problem:
    message = f"damage before this place: {damage.message}; reading went on at byte {resumed:,} of the compressed file"
    return Problem("content_gap", "error", message, byte_start=at, byte_len=0)
