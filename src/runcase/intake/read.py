"""One input file to the facts that it holds, source by source.

A source is text (lines to records), a document (a reader gets it whole), or
opaque (hashed, its bytes count as overhead). Which one is decided on its first
bytes. The law holds for each source row: size = event + quarantined + overhead
bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from itertools import chain
from typing import Any

import polars as pl

from runcase.intake import encoding
from runcase.intake.archive import Stream, open_input
from runcase.intake.open_text import OpenText
from runcase.intake.pieces import Piece, Place, Rest, SourceContext, Tally, closing
from runcase.intake.read_plan import HEAD_BYTES, Input, ReadPlan
from runcase.intake.readers import registry
from runcase.intake.readers.base import DocumentReader, Sniff
from runcase.intake.redaction.redactor import Redaction, Redactor
from runcase.intake.sources import read_document, read_opaque, read_text
from runcase.intake.text_source import finished
from runcase.model.refs import source_id

HELD_BYTES = 5 * 1024 * 1024
"""Of pieces that are handed on as one: three blocks of a long text, for which all that is done costs a fifth less than
one by one, and takes 20 MiB (measured 2026-11)."""


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


def _read_input(given: Input, plan: ReadPlan, passed: Callable[[int], None]) -> Iterator[Piece | OpenText]:
    for number, stream in enumerate(open_input(given.path, given.name, plan.budget, passed)):
        if number == given.stop:
            return
        if number < given.first:
            stream.close()
            continue
        sid = source_id(given.sha256, stream.path, stream.ordinal)
        parent_id = source_id(given.sha256, *stream.parent) if stream.parent else None
        stream.path = plan.clean(stream.path)
        stream.link_target = plan.clean(stream.link_target) if stream.link_target else None
        yield from _read_stream(stream, Place(sid, parent_id), plan)


def _gathered(items: Iterator[Piece | OpenText], plan: ReadPlan) -> Iterator[Piece]:
    """Pieces, in order: many small ones as one, since all that is done to a piece costs about the same for any size."""
    held: list[Piece | OpenText] = []
    size = 0
    for item in items:
        held.append(item)
        size += item.size
        if len(held) >= plan.at_once or size >= HELD_BYTES:
            yield _united(held, plan)
            held, size = [], 0
    if held:
        yield _united(held, plan)


def _united(items: Sequence[Piece | OpenText], plan: ReadPlan) -> Piece:
    """One piece of all that they hold; texts are finished here."""
    texts = [i for i in items if isinstance(i, OpenText)]
    ends = dict(zip(map(id, texts), finished([t.text for t in texts]), strict=True))
    pieces = [p for i in items for p in (i.end(ends[id(i)]) if isinstance(i, OpenText) else (i,))]
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
    place = Place(source["source_id"], source["parent_id"], redactor)
    head, rest = _peek(stream)
    reader = next((r for r in registry.READERS if r.name == source["reader"]), None)
    if isinstance(reader, DocumentReader):
        items = read_document(stream, place, reader, rest, plan)
    else:
        sniff = Sniff(stream.path, head[:HEAD_BYTES], len(head) < HEAD_BYTES)
        items = read_text(stream, place, reader, sniff, rest, plan)
    for item in items:
        yield from item.end(item.text.finish()) if isinstance(item, OpenText) else (item,)


def _clean_messages(problems: pl.DataFrame, plan: ReadPlan) -> pl.DataFrame:
    """PROBLEMS whose own words and paths repeat no secret."""
    if problems.is_empty() or plan.redact is None:
        return problems
    columns = {c: [plan.clean(t) for t in problems[c].to_list()] for c in ("message", "path")}
    return problems.with_columns(**{name: pl.Series(values) for name, values in columns.items()})


def _read_stream(stream: Stream, place: Place, plan: ReadPlan) -> Iterator[Piece | OpenText]:
    if stream.kind != "file":
        for _ in stream.chunks():
            pass
        yield closing(stream, SourceContext(place.sid, stream.path, None), place, Tally(), Rest())
        return
    head, chunks = _peek(stream)
    complete = len(head) < HEAD_BYTES
    sniff = Sniff(stream.path, head[:HEAD_BYTES], complete)
    choice = registry.choose(sniff) if head else None
    reader = choice[0] if choice else None
    written = encoding.decide(head[:HEAD_BYTES])
    if written is None and head and not isinstance(reader, DocumentReader):
        yield from read_opaque(stream, place, chunks)
        return
    redactor = plan.redactor(written or "utf-8")
    place = replace(place, redactor=redactor)
    if redactor is not None:
        chunks = redactor.chunks(chunks)
    if isinstance(reader, DocumentReader):
        yield from read_document(stream, place, reader, chunks, plan)
    else:
        yield from read_text(stream, place, reader, sniff, chunks, plan)


def _peek(stream: Stream) -> tuple[bytes, Iterator[bytes]]:
    """At least HEAD_BYTES of the stream (or all of it), and the stream from its begin."""
    head = b""
    chunks = stream.chunks()
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD_BYTES:
            break
    return head, chain([head], chunks)
