"""One input file to the streams of its sources, through nested containers, without extracting anything.

What a container is, is decided by structure and not by name. Everything is read
forward, once, in bounded memory; budgets count bytes and members, so that a
rerun cuts at the same place.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runcase.intake.containers.base import HEAD_BYTES, Container, Member, Opening, instant
from runcase.intake.containers.damage import DamageError, Verdict, worse
from runcase.intake.containers.families import family_of, foreign
from runcase.intake.containers.names import last_part, promises_container, visible_name
from runcase.intake.containers.tape import FileAccess, MemoryAccess, RandomAccess, Tape, stretch
from runcase.intake.streams import Stream
from runcase.model.problems import Problem

__all__ = ["Budget", "Stream", "open_input"]

CHUNK_BYTES = 256 * 1024
"""Smaller pieces are gathered up to this size before they are handed on."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How far an input is read. The defaults let real archives pass and stop bombs within seconds."""

    out_bytes: int = 64 << 30
    """Decoded bytes of one input, all levels together."""
    ratio: int = 1100
    """Decoded bytes per input byte, once `ratio_from` bytes are out; deflate cannot exceed 1032."""
    ratio_from: int = 64 << 20
    members: int = 200_000
    members_from: int = 20_000
    """Beyond this number, at most one member per input byte: no honest archive is denser."""
    depth: int = 8
    window_bytes: int = 128 << 20
    """What a decoder may hold; zstd's largest ordinary window."""
    hole_bytes: int = 16 << 20
    """Zero bytes that a sparse member may declare before its holes are left out."""
    held_bytes: int = 16 << 20
    """A nested zip or 7z up to this size is held in memory, so that its directory is read too."""
    cpu_seconds: int = 120
    """Processor time from one MiB that is read, or block of records that is made, to the next: a guard against a
    decoder that hangs. An honest step takes two at most; a large document, or kernels that are compiled, thirty."""


def open_input(
    path: Path, name: str, budget: Budget, passed: Callable[[int], None] = lambda _: None
) -> Iterator[Stream]:
    """The sources of one input, in the order of its bytes; a container's row follows its members.

    Args:
        path: The file to read; a link or a device is told of and not opened.
        name: What it is called in the case.
        budget: How far to go.
        passed: Is told of bytes as they are read.

    Yields:
        Streams. Take `chunks()` before asking for the next; what is left is drained.
    """
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            target = visible_name(os.readlink(os.fsencode(path)))
            yield Stream(name, "link", link_target=target)
            return
        if not stat.S_ISREG(mode):
            yield Stream(name, "directory" if stat.S_ISDIR(mode) else "device")
            return
        file = path.open("rb", buffering=0)
    except OSError as error:
        yield _unreadable(name, error)
        return
    with file:
        access = FileAccess(file.fileno(), passed)
        member = Member(name, data=stretch(access, 0, access.size), expands=False, access=access)
        walk = _Walk(budget, access.size)
        whole = walk.opened(member, name, None)
        whole.dated_at = instant(int(os.fstat(file.fileno()).st_mtime))
        yield from walk.streams(member, whole, depth=0)


def stream_sizes(path: Path, name: str, budget: Budget, passed: Callable[[int], None] = lambda _: None) -> list[int]:
    """Bytes of each stream that `open_input` yields of an archive; 0 for a container. Empty for what is no archive."""
    sizes: list[int] = []
    for stream in open_input(path, name, budget, passed):
        if stream.path == name and stream.kind != "container":
            return []
        stream.close()
        sizes.append(0 if stream.kind == "container" else stream.size_bytes)
    return sizes


def _unreadable(name: str, error: OSError) -> Stream:
    stream = Stream(name)
    why = f"the operating system does not let it be read: {error.strerror}"
    stream.damaged("unsupported", Problem("unreadable", "error", why))
    return stream


class _Walk:
    """One input being read: what it has used of its budget, and the names that were met."""

    def __init__(self, budget: Budget, input_bytes: int) -> None:
        self.budget = budget
        self.room = min(budget.out_bytes, max(budget.ratio_from, input_bytes * budget.ratio))
        self._ceiling = self.room
        self._members_left = min(budget.members, max(budget.members_from, input_bytes))
        self._names: Counter[str] = Counter()
        self.spent: tuple[str, str] | None = None

    def opened(self, member: Member, path: str, holder: Stream | None) -> Stream:
        """The stream of a member, without its content yet."""
        stream = Stream(path, member.kind, self._names[path], recorded_at=member.recorded_at)
        self._names[path] += 1
        if holder is not None:
            stream.parent = (holder.path, holder.ordinal)
            stream.dated_at = member.recorded_at or holder.dated_at
        if member.link_target is not None:
            stream.link_target = visible_name(member.link_target)
        return stream

    def streams(self, member: Member, stream: Stream, depth: int) -> Iterator[Stream]:
        """`stream` itself when it is no container, else its members and then its row as a container."""
        if member.kind != "file":
            yield stream
            return
        feed = _Feed(member, self)
        tape = Tape(feed.pieces())
        head = tape.peek(HEAD_BYTES)
        family = family_of(head, last_part(stream.path))
        if family is not None and depth < self.budget.depth:
            yield from self._container(family, member, stream, feed, tape, depth)
            return
        if family is not None:
            why = f"nested deeper than {self.budget.depth} containers; kept unopened"
            stream.damaged("over_budget", Problem("too_deep", "error", why))
        elif (what := foreign(head)) is not None:
            stream.damaged("unsupported", Problem("unsupported_container", "error", f"{what} is not read"))
        elif head and promises_container(stream.path):
            why = "named like an archive, but its bytes do not begin one; read as it is"
            stream.damaged("ok", Problem("misnamed", "warning", why))
        stream.content = tape.rest()
        stream.settle = lambda: feed.settle(stream)
        yield stream
        stream.close()

    def _container(
        self, family: type[Container], member: Member, stream: Stream, feed: _Feed, tape: Tape, depth: int
    ) -> Iterator[Stream]:
        stream.kind, stream.format = "container", family.format
        container = family(self._opening(family, member, stream, tape))
        try:
            yield from self._members(container, stream, depth)
        except DamageError as damage:
            container.findings.harm(damage, tape.position)
        reached = tape.position
        tape.skip_all()
        findings = container.findings
        if self.spent is not None:
            code, why = self.spent
            findings.harm(DamageError(code, "over_budget", reached, why), tape.position)
        stream.problems += findings.problems
        stream.verdict = worse(stream.verdict, findings.verdict)
        feed.settle(stream)
        stream.quarantined_bytes = findings.quarantined_bytes
        stream.overhead_bytes = stream.size_bytes - stream.quarantined_bytes
        yield stream

    def _members(self, container: Container, stream: Stream, depth: int) -> Iterator[Stream]:
        for child in container.members():
            if self._members_left == 0:
                self.spent = "too_many_members", "the budget of members for this input is used up"
                return
            self._members_left -= 1
            path = f"{stream.path}!/{visible_name(child.name).lstrip('/')}"
            yield from self.streams(child, self.opened(child, path, stream), depth + 1)
            if self.spent is not None:
                return

    def _opening(self, family: type[Container], member: Member, stream: Stream, tape: Tape) -> Opening:
        budget = self.budget
        access: RandomAccess | None = member.access
        if access is None and family.seeks:
            held = tape.peek(budget.held_bytes + 1)
            access = MemoryAccess(held) if len(held) <= budget.held_bytes else None
        name = last_part(stream.path)
        return Opening(name, tape, access, budget.window_bytes, budget.hole_bytes, self._members_left)

    def cut(self) -> DamageError:
        """The end of the budget of bytes."""
        why = f"the budget of {self._ceiling:,} decoded bytes for this input is used up"
        self.spent = "over_budget", why
        return DamageError("over_budget", "over_budget", 0, why)


class _Feed:
    """The bytes of one member: gathered to good sizes, counted, digested, held against the budget."""

    def __init__(self, member: Member, walk: _Walk) -> None:
        self._member, self._walk = member, walk
        self._digest = hashlib.sha256()
        self._size = 0

    def pieces(self) -> Iterator[bytes]:
        """The bytes as far as they are good and within the budget; damage is left with the member."""
        waiting: list[bytes] = []
        held = 0
        for piece in self._good():
            waiting.append(piece)
            held += len(piece)
            if held >= CHUNK_BYTES:
                yield self._passed(waiting)
                waiting, held = [], 0
        if held:
            yield self._passed(waiting)

    def _passed(self, waiting: list[bytes]) -> bytes:
        data = waiting[0] if len(waiting) == 1 else b"".join(waiting)
        self._digest.update(data)
        self._size += len(data)
        return data

    def _good(self) -> Iterator[bytes]:
        member, walk = self._member, self._walk
        try:
            for piece in member.data:
                if not member.expands:
                    yield piece
                    continue
                if len(piece) > walk.room:
                    yield piece[: walk.room]
                    walk.room = 0
                    raise walk.cut()
                walk.room -= len(piece)
                yield piece
        except DamageError as damage:
            member.damage = damage

    def settle(self, stream: Stream) -> None:
        """Completes the account of a stream whose bytes are through."""
        member = self._member
        stream.size_bytes, stream.sha256 = self._size, self._digest.hexdigest()
        for problem in member.problems:
            stream.damaged(member.verdict, problem)
        if (damage := member.damage) is not None:
            problem = Problem(damage.code, "error", damage.message, byte_start=self._size, byte_len=0)
            stream.damaged(damage.verdict, problem)
        if self._size == 0:
            stream.verdict = _verdict_of_nothing(stream.verdict)


def _verdict_of_nothing(verdict: Verdict) -> Verdict:
    return "empty" if verdict == "ok" else verdict
