"""One input file to the streams of its sources, through nested containers, without extracting anything.

What a container is, is decided by structure and not by name. Everything is read
forward, once, in bounded memory; budgets count bytes and members, so that a
rerun cuts at the same place.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from runcase.intake.containers import compressed, tar
from runcase.intake.containers import zip as zip_
from runcase.intake.containers.sparse import Holes
from runcase.intake.streams import ByteSource, Counted, Stream
from runcase.model.problems import Problem

__all__ = ["Budget", "Stream", "digest", "open_input"]

_ARCHIVE_SUFFIXES = (".tar", ".zip", *(s for f in compressed.FAMILIES for s in (*f.suffixes, *f.tar_suffixes)))


@dataclass(frozen=True, slots=True)
class Budget:
    """How far an input is read. The defaults let real archives pass and stop bombs within seconds."""

    out_bytes: int = 64 << 30
    """Decoded bytes of one input, all levels together."""
    ratio: int = 1100
    """Decoded bytes per input byte, once `ratio_from` bytes are out; deflate cannot exceed 1032."""
    ratio_from: int = 64 << 20
    members: int = 200_000
    depth: int = 8


class _SpentError(Exception):
    """A budget is used up; carries the code and the sentence."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code, self.why = code, why


@dataclass(slots=True)
class _Account:
    """What one input has used of its budget."""

    budget: Budget
    input_bytes: int
    out: int = 0
    members: int = 0
    names: Counter[str] = field(default_factory=Counter)

    def named(self, path: str) -> int:
        """The ordinal of this member among those of the same path."""
        self.members += 1
        if self.members > self.budget.members:
            raise _SpentError("too_many_members", f"more than {self.budget.members:,} members")
        self.names[path] += 1
        return self.names[path] - 1


class _Metered:
    """Decoded bytes that count against the budget; at the limit the source ends."""

    def __init__(self, source: ByteSource, account: _Account) -> None:
        self._source, self._account = source, account
        self.cut: str | None = None

    def read(self, n: int, /) -> bytes:
        """At most `n` bytes; empty at the end or when the budget is spent."""
        if self.cut:
            return b""
        account, budget = self._account, self._account.budget
        ceiling = min(budget.out_bytes, max(budget.ratio_from, account.input_bytes * budget.ratio))
        data = self._source.read(min(n, ceiling - account.out)) if account.out < ceiling else b""
        account.out += len(data)
        if account.out >= ceiling and (data or self._source.read(1)):
            self.cut = f"the budget of {ceiling:,} decoded bytes for this input is used up"
        return data


Walker = Callable[[Stream, Counted, _Account, int], Iterator[Stream]]
"""Yields what a container holds."""


def digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def open_input(path: Path, name: str, budget: Budget) -> Iterator[Stream]:
    """The sources of one regular file, in the order of its bytes; a container's row follows its members.

    Args:
        path: The file to read.
        name: What it is called in the case.
        budget: How far to go.

    Yields:
        Streams. Take `chunks()` before asking for the next; what is left is drained.
    """
    with path.open("rb") as file:
        told = path.stat()
        account = _Account(budget, told.st_size)
        # the file system's own time is used for years that a text does not write, and never recorded
        whole = Stream(name, content=Counted(file), recorded_at=datetime.fromtimestamp(int(told.st_mtime), UTC))
        account.named(name)
        yield from _walk(whole, account, depth=0)


def _walk(stream: Stream, account: _Account, depth: int) -> Iterator[Stream]:
    """`stream` itself when it is a file, else its members and then its row as a container."""
    raw = stream.content
    assert raw is not None
    head = raw.peek(tar.BLOCK)
    family = compressed.family_of(head)
    walker: Walker | None = None
    if family is not None:
        walker, stream.format = _compressed, family.name
    elif tar.is_header(head) or tar.is_empty(raw.peek(2 * tar.BLOCK)):
        walker, stream.format = _tar, "tar"
    elif head[:4] in (zip_.LOCAL, zip_.END):
        walker, stream.format = _zip, "zip"
    if walker is not None and depth >= account.budget.depth:
        _note(stream, "over_budget", "too_deep", f"nested deeper than {account.budget.depth} containers")
        walker = None
    if walker is None:
        if stream.path.lower().endswith(_ARCHIVE_SUFFIXES) and head and depth == 0:
            _note(stream, "ok", "misnamed", "named like an archive, but its bytes are not one; read as it is")
        yield stream
        stream.close()
        return
    yield from _container(stream, raw, walker, account, depth)


def _container(stream: Stream, raw: Counted, walker: Walker, account: _Account, depth: int) -> Iterator[Stream]:
    stream.kind = "container"
    try:
        yield from walker(stream, raw, account, depth)
    except _SpentError as e:
        _note(stream, "over_budget", e.code, e.why, raw.offset)
    stream.close()
    stream.quarantined_bytes = min(stream.size_bytes, sum(p.quarantined_bytes for p in stream.problems))
    stream.overhead_bytes = stream.size_bytes - stream.quarantined_bytes
    yield stream


def _compressed(stream: Stream, raw: Counted, account: _Account, depth: int) -> Iterator[Stream]:
    family = compressed.family_of(raw.peek(8))
    assert family is not None
    try:
        decoded = compressed.Decoded(raw, family.decoder, family.magic)
    except ModuleNotFoundError:
        _note(stream, "unsupported", "unsupported_container", f"reading {family.name} needs: pip install runcase[lz4]")
        return
    own = stream.path.rsplit("/", 1)[-1].rsplit("!", 1)[-1]
    path = f"{stream.path}!/{compressed.inner_name(own, family)}"
    metered = _Metered(decoded, account)
    inner = Stream(path, parent=(stream.path, stream.ordinal), recorded_at=stream.recorded_at, content=Counted(metered))
    inner.ordinal = account.named(path)
    yield from _closing(_walk(inner, account, depth + 1), inner, stream, metered, decoded)


def _tar(stream: Stream, raw: Counted, account: _Account, depth: int) -> Iterator[Stream]:
    for entry in tar.entries(raw):
        if isinstance(entry, tar.BadBlock):
            _note(stream, "corrupt", "tar_bad_block", entry.why, entry.offset, entry.length, entry.length)
        elif isinstance(entry, tar.End):
            if not entry.marked:
                _note(stream, "truncated", "tar_no_end", "no end marker (two zero blocks) was found", entry.offset)
        else:
            yield from _tar_member(entry, stream, raw, account, depth)


def _tar_member(entry: tar.Entry, holder: Stream, raw: Counted, account: _Account, depth: int) -> Iterator[Stream]:
    path = _inside(holder, entry.name)
    inner = Stream(path, entry.kind, account.named(path), (holder.path, holder.ordinal), entry.recorded_at)
    inner.link_target = _visible(entry.link_target) if entry.link_target else None
    if entry.kind != "file":
        yield inner
        return
    section = _Section(raw, entry.stored)
    source: ByteSource = Holes(section, entry.sparse, entry.size) if entry.sparse else section
    metered = _Metered(source, account)
    inner.content = Counted(metered if entry.sparse else section)
    yield from _closing(_walk(inner, account, depth + 1), inner, holder, metered, None)
    if section.left:
        _note(
            holder, "truncated", "member_truncated", f"{path} ends {section.left:,} bytes before its size", raw.offset
        )


def _zip(stream: Stream, raw: Counted, account: _Account, depth: int) -> Iterator[Stream]:
    found = 0
    for item in zip_.entries(raw):
        if isinstance(item, zip_.BadSpan):
            _note(stream, "corrupt", "zip_bad_span", item.why, item.offset, item.length, item.length)
        elif isinstance(item, zip_.Directory):
            _zip_end(stream, item, found)
        else:
            found += 1
            yield from _zip_member(*item, stream, account, depth)


def _zip_end(stream: Stream, directory: zip_.Directory, found: int) -> None:
    if directory.listed is None or not directory.ended:
        why = "the central directory is missing or cut off; members were found by their local headers"
        _note(stream, "truncated", "zip_no_directory", why, directory.offset)
    elif directory.listed != found:
        why = f"the central directory lists {directory.listed} members, {found} were found"
        _note(stream, "corrupt", "zip_directory_differs", why, directory.offset)


def _zip_member(
    entry: zip_.Entry, data: zip_.MemberData, holder: Stream, account: _Account, depth: int
) -> Iterator[Stream]:
    path = _inside(holder, entry.name)
    inner = Stream(path, entry.kind, account.named(path), (holder.path, holder.ordinal), entry.recorded_at)
    if entry.kind != "file":
        yield inner
        return
    metered = _Metered(data, account)
    inner.content = Counted(metered)
    yield from _closing(_walk(inner, account, depth + 1), inner, holder, metered, data)


class _Section:
    """The next `left` bytes of a container."""

    def __init__(self, raw: Counted, left: int) -> None:
        self._raw, self.left = raw, left

    def read(self, n: int, /) -> bytes:
        """At most `n` bytes; empty at the end of the section."""
        data = self._raw.read(min(n, self.left)) if self.left else b""
        self.left -= len(data)
        return data


def _closing(
    streams: Iterator[Stream],
    inner: Stream,
    holder: Stream,
    metered: _Metered,
    decoded: compressed.Decoded | zip_.MemberData | None,
) -> Iterator[Stream]:
    """Hands `streams` on; damage that shows when `inner` is through is noted before its consumer sees the end."""

    def settle() -> None:
        damage = decoded.damage if decoded is not None else None
        if damage is not None:
            code = f"{damage.verdict}_stream"
            inner.damaged(damage.verdict, Problem(code, "error", damage.why, inner.path, None, inner.size_bytes, 0))
            why = f"{damage.why}; {inner.size_bytes:,} bytes came before it"
            _note(holder, damage.verdict, code, why, damage.offset, damage.lost, damage.lost)
        if metered.cut:
            _note(inner, "over_budget", "over_budget", metered.cut)
            raise _SpentError("over_budget", metered.cut)

    inner.on_end = settle
    yield from streams


def _inside(holder: Stream, name: str) -> str:
    return f"{holder.path}!/{_visible(name).lstrip('/')}"


def _visible(name: str) -> str:
    """A name from an archive as valid Unicode; bytes that are none become `\\xNN`."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _note(
    stream: Stream,
    verdict: str,
    code: str,
    why: str,
    offset: int | None = None,
    length: int | None = None,
    quarantined: int = 0,
) -> None:
    severity = "warning" if verdict == "ok" else "error"
    where = Problem(code, severity, why, stream.path, None, offset, length, None, quarantined)  # type: ignore[arg-type]
    stream.damaged(verdict, where)
