"""The three kinds of source to pieces: text in lines, documents that a reader gets whole, bytes that are no text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from runcase.intake.archive import Stream
from runcase.intake.open_text import OpenText
from runcase.intake.pieces import Piece, Place, RawChunks, Rest, SourceContext, Tally, closing
from runcase.intake.read_plan import HEAD_BYTES, ReadPlan
from runcase.intake.readers.base import DocumentReader, Reader, Sniff, TextReader
from runcase.intake.text_source import TextSource
from runcase.model.problems import Problem


def read_text(
    stream: Stream,
    place: Place,
    reader: Reader | None,
    sniff: Sniff,
    chunks: Iterator[bytes],
    plan: ReadPlan,
) -> Iterator[Piece | OpenText]:
    """Lines to records, block by block; the last block is left to what follows."""
    known = reader if isinstance(reader, TextReader) else None
    text = TextSource(
        stream.path,
        stream.dated_at,
        sniff.head,
        format_name=known.format if known else None,
        formats=plan.formats,
        marks=known.marks if known else None,
        joins=known.joins if known else True,
        compiled=plan.compiled,
    )
    if known and known.stated_version:
        text.account.problems += known.stated_version.misfits(sniff.head, known.versions)
    one = OpenText(
        stream,
        place,
        SourceContext(place.sid, stream.path, known.name if known else None),
        text,
        known.annotator(stream.path) if known else None,
        "log" if known is None or known.describes_run else "document",
        RawChunks(place, plan.keep_raw),
        Tally(),
    )
    for chunk in chunks:
        one.raw.add(chunk)
        records = text.feed(chunk)
        if records.height:
            yield one.piece(records)
    yield one


def read_document(
    stream: Stream,
    place: Place,
    reader: DocumentReader,
    chunks: Iterator[bytes],
    plan: ReadPlan,
) -> Iterator[Piece | OpenText]:
    """A whole document at once; what no record covers is its punctuation."""
    pieces: list[bytes] = []
    size = 0
    for chunk in chunks:
        pieces.append(chunk)
        size += len(chunk)
        if size > reader.max_bytes:
            yield from _read_large_document(stream, place, reader, chain(pieces, chunks), plan)
            return
    data = b"".join(pieces)
    facts = reader.read(data, stream.path)
    misfits = reader.stated_version.misfits(data, reader.versions) if reader.stated_version else []
    misfits += _open_line(data) if reader.ends_lines else []
    context = SourceContext(place.sid, stream.path, reader.name)
    tally, raw = Tally(), RawChunks(place, plan.keep_raw)
    raw.add(data)
    records = place.of(facts.records)
    tally.add(records)
    yield Piece(
        (context,),
        records=records,
        spans=place.of(facts.spans),
        artifacts=place.of(facts.artifacts),
        raw=raw.ready(),
    )
    problems = place.problems([*facts.problems, *misfits], stream.path)
    quarantined = int(problems["quarantined_bytes"].sum())
    rest = Rest(
        encoding="utf-8",
        format=reader.name,
        lines=data.count(b"\n"),
        quarantined_bytes=quarantined,
        overhead_bytes=place.origin(size) - tally.event_bytes - quarantined,
        problems=problems,
        role="log" if reader.describes_run else "document",
    )
    yield closing(stream, context, place, tally, rest, raw)


def _open_line(data: bytes) -> list[Problem]:
    """The last line where nothing ends it."""
    start = data.rfind(b"\n") + 1
    if start == len(data):
        return []
    return [
        Problem(
            "last_line_open",
            "info",
            "the last line has no end: the file was cut off there, or copied without it",
            byte_start=start,
            byte_len=len(data) - start,
            line=data.count(b"\n") + 1,
        )
    ]


def _read_large_document(
    stream: Stream,
    place: Place,
    reader: DocumentReader,
    chunks: Iterator[bytes],
    plan: ReadPlan,
) -> Iterator[Piece | OpenText]:
    """A document over its reader's limit is kept as plain text, and says so."""
    problem = Problem(
        "document_too_large",
        "warning",
        f"larger than {reader.max_bytes:,} bytes, which is what the {reader.name} reader takes; read as plain text",
        path=stream.path,
        source_id=place.sid,
    )
    stream.problems.append(problem)
    first = next(chunks, b"")
    sniff = Sniff(stream.path, first[:HEAD_BYTES], False)
    yield from read_text(stream, place, None, sniff, chain([first], chunks), plan)


def read_opaque(stream: Stream, place: Place, chunks: Iterator[bytes]) -> Iterator[Piece]:
    """Bytes that are no text: hashed, so that claims can be checked against them, and counted as overhead."""
    size = sum(len(chunk) for chunk in chunks)
    context = SourceContext(place.sid, stream.path, None)
    yield closing(stream, context, place, Tally(), Rest(overhead_bytes=size, role="other", opaque=True))
