"""A text source that is being read: its records to pieces, and its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from runcase.intake.archive import Stream
from runcase.intake.pieces import Piece, Place, RawChunks, Rest, SourceContext, Tally, closing
from runcase.intake.readers.base import Annotator
from runcase.intake.text_source import TextSource
from runcase.model.tables import ARTIFACTS, SPANS


@dataclass(slots=True)
class OpenText:
    """A text whose bytes are through; what it holds still is read together with others."""

    stream: Stream
    place: Place
    context: SourceContext
    text: TextSource
    annotator: Annotator | None
    role: str
    raw: RawChunks
    tally: Tally

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
        rest = Rest(
            encoding=account.encoding,
            format=account.format,
            lines=account.lines,
            quarantined_bytes=account.quarantined_bytes,
            overhead_bytes=account.overhead_bytes,
            problems=self.place.problems(account.problems, self.stream.path),
            role=self.role,
        )
        yield closing(self.stream, self.context, self.place, self.tally, rest, self.raw)
