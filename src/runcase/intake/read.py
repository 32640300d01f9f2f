"""One input file to the facts that it holds, source by source.

A source is text (lines to records), a document (a reader gets it whole), or
opaque (hashed, its bytes count as overhead). Which one is decided on its first
bytes. The law holds for each source row: size = event + quarantined + overhead
bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl

from runcase.intake import encoding
from runcase.intake.archive import Budget, Stream, open_input
from runcase.intake.readers import registry
from runcase.intake.readers.base import Annotator, DocumentReader, Reader, Sniff, TextReader
from runcase.intake.redaction.redactor import Redaction, Redactor, redacted_text
from runcase.intake.text_source import TextSource, finished
from runcase.model.problems import Problem
from runcase.model.refs import source_id
from runcase.model.tables import ARTIFACTS, PROBLEMS, RAW, RECORDS, REDACTIONS, SOURCES, SPANS
from runcase.rules.language import FormatRule, RedactRule

HEAD_BYTES = 64 * 1024
"""What readers and detection may look at before a source is read."""

RAW_CHUNK_BYTES = 256 * 1024
"""Size of a stored raw chunk: a ref costs at most this much decompression."""

HELD_BYTES = 1024 * 1024
"""Of small sources that wait to be read in one pass."""


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """How inputs are read: limits, user formats, and whether raw bytes are handed out."""

    budget: Budget = field(default_factory=Budget)
    formats: tuple[FormatRule, ...] = ()
    keep_raw: bool = True
    at_once: int = 64
    """Small sources that are read in one pass."""
    compiled: bool = False
    """Whether the kernels may be loaded: they say the same, and repay their start for many megabytes only."""
    redact: tuple[RedactRule, ...] | None = ()
    """Patterns of packs, beside the shipped kinds of secrets; None leaves secrets as they are."""

    def redactor(self, encoding: str) -> Redactor | None:
        """What takes the secrets out of one source."""
        return None if self.redact is None else Redactor(self.redact, encoding)

    def clean(self, text: str) -> str:
        """A name or a message without secrets."""
        return text if self.redact is None else redacted_text(text, self.redact)


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What is known of a source before its records come."""

    source_id: str
    path: str
    reader: str | None
    format: str | None


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one source's facts, or those of several small sources; frames have the declared columns."""

    contexts: tuple[SourceContext, ...]
    records: pl.DataFrame = field(default_factory=RECORDS.empty)
    spans: pl.DataFrame = field(default_factory=SPANS.empty)
    artifacts: pl.DataFrame = field(default_factory=ARTIFACTS.empty)
    problems: pl.DataFrame = field(default_factory=PROBLEMS.empty)
    raw: pl.DataFrame = field(default_factory=RAW.empty)
    redactions: pl.DataFrame = field(default_factory=REDACTIONS.empty)
    source: pl.DataFrame = field(default_factory=SOURCES.empty)

    @property
    def size(self) -> int:
        """Bytes that it holds, about."""
        return int(self.records.estimated_size() + self.raw.estimated_size())


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the facts of a source belong, and how their offsets become those of the evidence."""

    sid: str
    parent_id: str | None
    redactor: Redactor | None = None

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """`frame` with the source filled in and offsets of the bytes before secrets were taken out."""
        placed = frame.with_columns(source_id=pl.lit(self.sid))
        return self.redactor.restored(placed) if self.redactor else placed

    def origin(self, offset: int) -> int:
        """An offset between marks, or the end of the redacted bytes, as one of the evidence."""
        return self.redactor.origin(offset) if self.redactor else offset

    def cut(self, start: int, size: int) -> int:
        """At most `size` bytes from `start` on, so that no mark is cut."""
        return self.redactor.outside(start + size) - start if self.redactor else size

    def problems(self, problems: Sequence[Problem], path: str) -> pl.DataFrame:
        """PROBLEMS of the source's own parse; what one quarantines is counted in bytes of the evidence."""
        rows = _problem_rows(problems, path, self.sid)
        placed = self.of(rows)
        whole = pl.col("quarantined_bytes") == rows["byte_len"]
        return placed.with_columns(
            pl.when(whole).then("byte_len").otherwise("quarantined_bytes").alias("quarantined_bytes")
        )

    def redactions(self) -> pl.DataFrame:
        """REDACTIONS of the source."""
        if self.redactor is None or not self.redactor.redactions:
            return REDACTIONS.empty()
        found = pl.DataFrame(self.redactor.redactions).rename({"start": "byte_start", "length": "byte_len"})
        return REDACTIONS.fill(found.with_columns(source_id=pl.lit(self.sid)))


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


@dataclass(frozen=True, slots=True)
class Input:
    """A file to open, its name in the case, and its digest, which the ids of its sources derive from."""

    path: Path
    name: str
    sha256: str


def read_inputs(
    inputs: Iterable[Input], plan: ReadPlan, passed: Callable[[int], None] = lambda _: None
) -> Iterator[Piece]:
    """The facts of input files, in order.

    Args:
        inputs: The files.
        plan: Limits and formats.
        passed: Is told of bytes as they are read; of some twice, where a container is searched first.

    Yields:
        Pieces in the order of the inputs and of their archives; the last piece of each source carries its SOURCES row.
    """
    return _gathered(chain.from_iterable(_read_input(i, plan, passed) for i in inputs), plan)


def _read_input(given: Input, plan: ReadPlan, passed: Callable[[int], None]) -> Iterator[Piece | _Text]:
    for stream in open_input(given.path, given.name, plan.budget, passed):
        sid = source_id(given.sha256, stream.path, stream.ordinal)
        parent_id = source_id(given.sha256, *stream.parent) if stream.parent else None
        stream.path = plan.clean(stream.path)
        stream.link_target = plan.clean(stream.link_target) if stream.link_target else None
        yield from _read_stream(stream, _Place(sid, parent_id), plan)


def _gathered(items: Iterator[Piece | _Text], plan: ReadPlan) -> Iterator[Piece]:
    """Pieces, in order: many small ones as one, since all that is done to a piece costs about the same for any size."""
    held: list[Piece | _Text] = []
    size = 0
    for item in items:
        held.append(item)
        size += item.size
        if len(held) >= plan.at_once or size >= HELD_BYTES:
            yield _united(held, plan)
            held, size = [], 0
    if held:
        yield _united(held, plan)


def _united(items: Sequence[Piece | _Text], plan: ReadPlan) -> Piece:
    """One piece of all that they hold; texts are finished here."""
    texts = [i for i in items if isinstance(i, _Text)]
    ends = dict(zip(map(id, texts), finished([t.text for t in texts]), strict=True))
    pieces = [p for i in items for p in (i.end(ends[id(i)]) if isinstance(i, _Text) else (i,))]
    contexts = tuple(dict.fromkeys(c for p in pieces for c in p.contexts))
    columns = (f.name for f in fields(Piece) if f.name != "contexts")
    frames = {name: [f for p in pieces if (f := getattr(p, name)).height] for name in columns}
    united = Piece(contexts, **{name: pl.concat(found) for name, found in frames.items() if found})
    return replace(united, problems=_clean_messages(united.problems, plan))


def read_kept(
    source: Mapping[str, Any], chunks: Iterator[bytes], redactions: Sequence[Redaction], plan: ReadPlan
) -> Iterator[Piece]:
    """The facts of one source, read again from the bytes that a case keeps.

    Args:
        source: Its SOURCES row; the reader that took it takes it again.
        chunks: Its stored bytes, in order, secrets replaced.
        redactions: The secrets that were replaced, in order, so that offsets are those of the evidence.
        plan: Formats; secrets are not looked for again.
    """
    recorded = source["recorded_at"]
    stream = Stream(
        source["path"],
        ordinal=source["ordinal"],
        recorded_at=recorded,
        # The time of a file outside archives is not kept: its last stamp tells the year of those that write none.
        dated_at=recorded or source["last_ts"],
        format=source["format"],
        content=chunks,
        sha256=source["sha256"],
        size_bytes=source["size_bytes"],
        verdict=source["verdict"],
    )
    redactor = None
    if redactions:
        redactor = Redactor((), source["encoding"] or "utf-8")
        redactor.redactions = list(redactions)
    place = _Place(source["source_id"], source["parent_id"], redactor)
    head, rest = _peek(stream)
    reader = next((r for r in registry.READERS if r.name == source["reader"]), None)
    if isinstance(reader, DocumentReader):
        items = _read_document(stream, place, reader, rest, plan)
    else:
        sniff = Sniff(stream.path, head[:HEAD_BYTES], len(head) < HEAD_BYTES)
        items = _read_text(stream, place, reader, sniff, rest, plan)
    for item in items:
        yield from item.end(item.text.finish()) if isinstance(item, _Text) else (item,)


def _clean_messages(problems: pl.DataFrame, plan: ReadPlan) -> pl.DataFrame:
    """PROBLEMS whose own words and paths repeat no secret."""
    if problems.is_empty() or plan.redact is None:
        return problems
    columns = {c: [plan.clean(t) for t in problems[c].to_list()] for c in ("message", "path")}
    return problems.with_columns(**{name: pl.Series(values) for name, values in columns.items()})


def _read_stream(stream: Stream, place: _Place, plan: ReadPlan) -> Iterator[Piece | _Text]:
    if stream.kind != "file":
        for _ in stream.chunks():
            pass
        yield _closing(stream, SourceContext(place.sid, stream.path, None, stream.format), place, _Tally(), _Rest())
        return
    head, chunks = _peek(stream)
    complete = len(head) < HEAD_BYTES
    sniff = Sniff(stream.path, head[:HEAD_BYTES], complete)
    choice = registry.choose(sniff) if head else None
    reader = choice[0] if choice else None
    written = encoding.decide(head[:HEAD_BYTES])
    if written is None and head and not isinstance(reader, DocumentReader):
        yield from _read_opaque(stream, place, chunks)
        return
    redactor = plan.redactor(written or "utf-8")
    place = replace(place, redactor=redactor)
    if redactor is not None:
        chunks = redactor.chunks(chunks)
    if isinstance(reader, DocumentReader):
        yield from _read_document(stream, place, reader, chunks, plan)
    else:
        yield from _read_text(stream, place, reader, sniff, chunks, plan)


# --- the three kinds of source --------------------------------------------------------------------


@dataclass(slots=True)
class _Text:
    """A text whose bytes are through; what it holds still is read together with others."""

    stream: Stream
    place: _Place
    context: SourceContext
    text: TextSource
    annotator: Annotator | None
    role: str
    raw: _RawChunks
    tally: _Tally

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return self.text.waiting_bytes

    def piece(self, records: pl.DataFrame) -> Piece:
        """What some records tell; a text reader annotates them."""
        annotator, place = self.annotator, self.place
        if annotator is not None:
            records = annotator.annotate(records)
        records = place.of(records)
        self.tally.add(records)
        spans = place.of(annotator.spans()) if annotator else SPANS.empty()
        claims = place.of(annotator.artifacts()) if annotator else ARTIFACTS.empty()
        return Piece((self.context,), records=records, spans=spans, artifacts=claims, raw=self.raw.ready())

    def end(self, records: pl.DataFrame) -> Iterator[Piece]:
        """The last records, and the account of the source."""
        yield self.piece(records)
        if self.annotator is not None:
            yield Piece((self.context,), spans=self.place.of(self.annotator.open_spans()))
        account = self.text.account
        rest = _Rest(
            encoding=account.encoding,
            format=account.format,
            lines=account.lines,
            quarantined_bytes=account.quarantined_bytes,
            overhead_bytes=account.overhead_bytes,
            problems=self.place.problems(account.problems, self.stream.path),
            role=self.role,
        )
        yield _closing(self.stream, self.context, self.place, self.tally, rest, self.raw)


def _read_text(
    stream: Stream,
    place: _Place,
    reader: Reader | None,
    sniff: Sniff,
    chunks: Iterator[bytes],
    plan: ReadPlan,
) -> Iterator[Piece | _Text]:
    """Lines to records, block by block; the last block is left to what follows."""
    known = reader if isinstance(reader, TextReader) else None
    text = TextSource(
        stream.path,
        stream.dated_at,
        sniff.head,
        format_name=known.format if known else None,
        formats=plan.formats,
        marks=known.marks if known else None,
        compiled=plan.compiled,
    )
    one = _Text(
        stream,
        place,
        SourceContext(place.sid, stream.path, known.name if known else None, None),
        text,
        known.annotator(stream.path) if known else None,
        "log" if known is None or known.describes_run else "document",
        _RawChunks(place, plan.keep_raw),
        _Tally(),
    )
    for chunk in chunks:
        one.raw.add(chunk)
        records = text.feed(chunk)
        if records.height:
            yield one.piece(records)
    yield one


def _read_document(
    stream: Stream,
    place: _Place,
    reader: DocumentReader,
    chunks: Iterator[bytes],
    plan: ReadPlan,
) -> Iterator[Piece | _Text]:
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
    context = SourceContext(place.sid, stream.path, reader.name, reader.name)
    tally, raw = _Tally(), _RawChunks(place, plan.keep_raw)
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
    rest = _Rest(
        encoding="utf-8",
        format=reader.name,
        lines=data.count(b"\n"),
        quarantined_bytes=quarantined,
        overhead_bytes=place.origin(size) - tally.event_bytes - quarantined,
        problems=problems,
        role="log" if reader.describes_run else "document",
    )
    yield _closing(stream, context, place, tally, rest, raw)


def _read_large_document(
    stream: Stream,
    place: _Place,
    reader: DocumentReader,
    chunks: Iterator[bytes],
    plan: ReadPlan,
) -> Iterator[Piece | _Text]:
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
    yield from _read_text(stream, place, None, sniff, chain([first], chunks), plan)


def _read_opaque(stream: Stream, place: _Place, chunks: Iterator[bytes]) -> Iterator[Piece]:
    """Bytes that are no text: hashed, so that claims can be checked against them, and counted as overhead."""
    size = sum(len(chunk) for chunk in chunks)
    context = SourceContext(place.sid, stream.path, None, None)
    yield _closing(stream, context, place, _Tally(), _Rest(overhead_bytes=size, role="other", opaque=True))


# --- closing a source -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rest:
    """What remains to be said of a source when its bytes are through."""

    encoding: str | None = None
    format: str | None = None
    lines: int = 0
    quarantined_bytes: int = 0
    overhead_bytes: int = 0
    problems: pl.DataFrame = field(default_factory=PROBLEMS.empty)
    role: str = "container"
    opaque: bool = False


class _RawChunks:
    """Cuts the bytes of a source into stored chunks of one size."""

    def __init__(self, place: _Place, keep: bool) -> None:
        self._place, self._keep = place, keep
        self._waiting = bytearray()
        self._start = 0

    def add(self, data: bytes) -> None:
        if self._keep:
            self._waiting += data

    def ready(self, last: bool = False) -> pl.DataFrame:
        """Whole chunks so far; the rest as well when it is the last call."""
        rows: list[dict[str, object]] = []
        while len(self._waiting) >= RAW_CHUNK_BYTES or (last and self._waiting):
            data = bytes(self._waiting[: self._place.cut(self._start, RAW_CHUNK_BYTES)])
            del self._waiting[: len(data)]
            start = self._place.origin(self._start)
            rows.append({"source_id": self._place.sid, "byte_start": start, "data": data})
            self._start += len(data)
        return RAW.frame(rows)


def _peek(stream: Stream) -> tuple[bytes, Iterator[bytes]]:
    """At least HEAD_BYTES of the stream (or all of it), and the stream from its begin."""
    head = b""
    chunks = stream.chunks()
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD_BYTES:
            break
    return head, chain([head], chunks)


def _closing(
    stream: Stream,
    context: SourceContext,
    place: _Place,
    tally: _Tally,
    rest: _Rest,
    raw: _RawChunks | None = None,
) -> Piece:
    """The SOURCES row, the problems, and the last raw chunk."""
    row = {
        "source_id": context.source_id,
        "path": stream.path,
        "ordinal": stream.ordinal,
        "parent_id": place.parent_id,
        "kind": stream.kind,
        "sha256": stream.sha256,
        "size_bytes": stream.size_bytes,
        "event_bytes": tally.event_bytes,
        "quarantined_bytes": rest.quarantined_bytes + stream.quarantined_bytes,
        "overhead_bytes": rest.overhead_bytes + stream.overhead_bytes,
        "encoding": rest.encoding,
        "verdict": "binary" if rest.opaque and stream.verdict == "ok" else stream.verdict,
        "format": rest.format or stream.format,
        "reader": context.reader,
        "role": rest.role,
        "recorded_at": stream.recorded_at,
        "lines": rest.lines,
        "events": tally.events,
        "first_ts": tally.first,
        "last_ts": tally.last,
        "link_target": stream.link_target,
    }
    problems = pl.concat([_problem_rows(stream.problems, stream.path, context.source_id), rest.problems])
    return Piece(
        (context,),
        problems=problems,
        raw=raw.ready(last=True) if raw else RAW.empty(),
        redactions=place.redactions(),
        source=SOURCES.frame([row]),
    )


def _problem_rows(problems: Sequence[Problem], path: str, sid: str) -> pl.DataFrame:
    """PROBLEMS; a problem that names no source is about this one."""
    rows = [{n: getattr(p, n, None) for n in PROBLEMS.names} for p in problems]
    return PROBLEMS.frame([r | {"path": r["path"] or path, "source_id": r["source_id"] or sid} for r in rows])
