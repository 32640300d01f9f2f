"""One input file to the facts that it holds, source by source.

A source is text (lines to records), a document (a reader gets it whole), or
opaque (hashed, its bytes count as overhead). Which one is decided on its first
bytes. The law holds for each source row: size = event + quarantined + overhead
bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path

import polars as pl

from runcase.intake import encoding
from runcase.intake.archive import Budget, Stream, open_input
from runcase.intake.readers import registry
from runcase.intake.readers.base import DocumentReader, Reader, Sniff, TextReader
from runcase.intake.text_source import TextSource
from runcase.model.problems import Problem
from runcase.model.refs import source_id
from runcase.model.tables import ARTIFACTS, PROBLEMS, RAW, RECORDS, SOURCES, SPANS
from runcase.rules.language import FormatRule

HEAD_BYTES = 64 * 1024
"""What readers and detection may look at before a source is read."""

RAW_CHUNK_BYTES = 256 * 1024
"""Size of a stored raw chunk: a ref costs at most this much decompression."""


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """How inputs are read: limits, user formats, and whether raw bytes are handed out."""

    budget: Budget = field(default_factory=Budget)
    formats: tuple[FormatRule, ...] = ()
    keep_raw: bool = True


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What is known of a source before its records come."""

    source_id: str
    path: str
    reader: str | None
    format: str | None


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one source's facts; frames have the declared columns, `source_id` filled in."""

    context: SourceContext
    records: pl.DataFrame = field(default_factory=RECORDS.empty)
    spans: pl.DataFrame = field(default_factory=SPANS.empty)
    artifacts: pl.DataFrame = field(default_factory=ARTIFACTS.empty)
    problems: pl.DataFrame = field(default_factory=PROBLEMS.empty)
    raw: pl.DataFrame = field(default_factory=RAW.empty)
    source: pl.DataFrame = field(default_factory=SOURCES.empty)


@dataclass(slots=True)
class _Tally:
    """Running account of one source."""

    event_bytes: int = 0
    events: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def add(self, records: pl.DataFrame) -> None:
        if records.is_empty():
            return
        self.events += records.height
        self.event_bytes += int(records["byte_len"].sum())
        low, high = records["ts"].min(), records["ts"].max()
        if isinstance(low, datetime) and isinstance(high, datetime):
            self.first = min(low, self.first or low)
            self.last = max(high, self.last or high)


def read_input(path: Path, name: str, sha256: str, plan: ReadPlan) -> Iterator[Piece]:
    """The facts of one input file.

    Args:
        path: The file to open.
        name: Its name in the case; no absolute path.
        sha256: Digest of the file, which the ids of its sources derive from.
        plan: Limits and formats.

    Yields:
        Pieces in archive order; the last piece of each source carries its SOURCES row.
    """
    ids: dict[str, str] = {}
    for stream in open_input(path, name, plan.budget):
        sid = source_id(sha256, stream.path, stream.ordinal)
        ids[stream.path] = sid
        yield from _read_stream(stream, sid, ids.get(stream.parent or ""), plan)


def _read_stream(stream: Stream, sid: str, parent_id: str | None, plan: ReadPlan) -> Iterator[Piece]:
    if stream.kind != "file":
        for _ in stream.chunks():
            pass
        yield _closing(stream, SourceContext(sid, stream.path, None, stream.format), parent_id, _Tally(), _Rest())
        return
    head, chunks = _peek(stream)
    complete = len(head) < HEAD_BYTES
    sniff = Sniff(stream.path, head[:HEAD_BYTES], complete)
    choice = registry.choose(sniff) if head else None
    reader = choice[0] if choice else None
    if isinstance(reader, DocumentReader):
        yield from _read_document(stream, sid, parent_id, reader, chunks, plan)
    elif head and encoding.decide(head[:HEAD_BYTES]) is None:
        yield from _read_opaque(stream, sid, parent_id, chunks)
    else:
        yield from _read_text(stream, sid, parent_id, reader, sniff, chunks, plan)
