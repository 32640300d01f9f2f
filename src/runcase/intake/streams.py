"""Bytes that are pulled: a reader that counts and digests, and the stream of one source."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from runcase.model.problems import Problem

CHUNK_BYTES = 256 * 1024
"""How much is pulled at once: larger one-shot buffers were slower, smaller ones cost calls."""


class ByteSource(Protocol):
    """Anything that yields bytes in order: `read(n)` gives at most n bytes, and none only at the end."""

    def read(self, n: int, /) -> bytes:
        """At most `n` bytes; empty at the end."""


class Counted:
    """A byte source that counts and digests what passes, and can look ahead."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._ahead = b""
        self._digest = hashlib.sha256()
        self._lent = b""
        self.offset = 0

    def peek(self, n: int) -> bytes:
        """The next `n` bytes (fewer at the end) without taking them."""
        self._settle()
        while len(self._ahead) < n:
            more = self._source.read(max(n - len(self._ahead), CHUNK_BYTES))
            if not more:
                break
            self._ahead += more
        return self._ahead[:n]

    def read(self, n: int, /) -> bytes:
        """At most `n` bytes; empty at the end."""
        self._settle()
        if self._ahead:
            data, self._ahead = self._ahead[:n], self._ahead[n:]
        else:
            data = self._source.read(n)
        self.offset += len(data)
        self._digest.update(data)
        return data

    def lend(self, n: int) -> bytes:
        """At most `n` bytes that may be handed back with `give_back` before the next call; they count at once."""
        self._settle()
        self._lent = self._ahead[:n] if self._ahead else self._source.read(n)
        self._ahead = self._ahead[len(self._lent) :]
        self.offset += len(self._lent)
        return self._lent

    def give_back(self, rest: bytes) -> None:
        """Takes back the end of what was lent last."""
        used = len(self._lent) - len(rest)
        self._ahead = self._lent[used:] + self._ahead
        self.offset -= len(rest)
        self._lent = self._lent[:used]
        self._settle()

    def _settle(self) -> None:
        self._digest.update(self._lent)
        self._lent = b""

    def exactly(self, n: int) -> bytes:
        """`n` bytes, or fewer when the source ends."""
        pieces = []
        while n > 0:
            data = self.read(min(n, CHUNK_BYTES))
            if not data:
                break
            pieces.append(data)
            n -= len(data)
        return b"".join(pieces)

    def skip(self, n: int) -> int:
        """Takes `n` bytes without keeping them; returns how many there were."""
        start = self.offset
        while (left := n - (self.offset - start)) > 0 and self.read(min(left, CHUNK_BYTES)):
            pass
        return self.offset - start

    def until(self, mark: bytes, n: int) -> bytes:
        """At most `n` bytes that end before `mark`; empty when it is next, or at the end."""
        ahead = self.peek(max(n, len(mark)))
        found = ahead.find(mark)
        if found >= 0:
            return self.exactly(found)
        return self.exactly(max(0, len(ahead) - len(mark) + 1) if len(ahead) >= len(mark) else len(ahead))

    def skip_to(self, marks: tuple[bytes, ...]) -> int:
        """Takes bytes up to the next of `marks` (or the end), at least one; returns how many."""
        taken = len(self.exactly(1))
        while ahead := self.peek(CHUNK_BYTES):
            places = [p for m in marks if (p := ahead.find(m)) >= 0]
            if places:
                return taken + len(self.exactly(min(places)))
            longest = max(len(m) for m in marks)
            taken += len(self.exactly(len(ahead) if len(ahead) < CHUNK_BYTES else len(ahead) - longest + 1))
        return taken

    def drain(self) -> None:
        """Takes everything that is left."""
        while self.read(CHUNK_BYTES):
            pass

    @property
    def sha256(self) -> str:
        """Digest of what has passed so far."""
        self._settle()
        return self._digest.hexdigest()


@dataclass(slots=True)
class Stream:
    """One source of an input: a file, a container, a link.

    Its content is pulled through `chunks()`, once; the account (from `sha256` on)
    is complete after the last chunk. For a container there is nothing to pull: its
    row comes after its members, with all its bytes as overhead or quarantine.
    What could not be decoded of a member does not exist at the member's level; it
    is quarantined at the level of the container that holds it.
    """

    path: str
    kind: str = "file"
    ordinal: int = 0
    parent: tuple[str, int] | None = None
    recorded_at: datetime | None = None
    link_target: str | None = None
    format: str | None = None
    content: Counted | None = None
    sha256: str | None = None
    size_bytes: int = 0
    quarantined_bytes: int = 0
    overhead_bytes: int = 0
    verdict: str = "ok"
    problems: list[Problem] = field(default_factory=list)
    on_end: Callable[[], None] | None = None

    def chunks(self) -> Iterator[bytes]:
        """The content in order; nothing for links, folders and containers."""
        while self.content is not None and (data := self.content.read(CHUNK_BYTES)):
            yield data
        self.close()

    def close(self) -> None:
        """Drains what was not pulled and completes the account."""
        if self.content is None:
            return
        self.content.drain()
        self.sha256, self.size_bytes = self.content.sha256, self.content.offset
        self.content = None
        if self.on_end is not None:
            self.on_end()
        if self.size_bytes == 0 and self.verdict == "ok":
            self.verdict = "empty"

    def damaged(self, verdict: str, problem: Problem) -> None:
        """Notes a defect; the worst verdict is the first one that is not ok."""
        self.problems.append(problem)
        if self.verdict == "ok":
            self.verdict = verdict
