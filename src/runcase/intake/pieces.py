"""The facts of sources on their way to the ledger: pieces, where they belong, and the account that closes a source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import polars as pl

from runcase.intake.archive import Stream
from runcase.intake.redaction.redactor import Redactor
from runcase.model.problems import Problem
from runcase.model.tables import ARTIFACTS, PROBLEMS, RAW, RECORDS, REDACTIONS, SOURCES, SPANS, problem_frame

RAW_CHUNK_BYTES = 256 * 1024
"""Size of a stored raw chunk: a ref costs at most this much decompression."""


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What is known of a source before its records come."""

    source_id: str
    path: str
    reader: str | None


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
class Place:
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
        rows = problem_rows(problems, path, self.sid)
        if rows.is_empty():
            return rows
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
class Tally:
    """Running account of one source."""

    event_bytes: int = 0
    events: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def add(self, records: pl.DataFrame) -> None:
        """Counts some records."""
        if records.is_empty():
            return
        self.events += records.height
        self.event_bytes += int(records["byte_len"].sum())
        low, high = records["ts"].min(), records["ts"].max()
        if isinstance(low, datetime) and isinstance(high, datetime):
            self.first = min(low, self.first or low)
            self.last = max(high, self.last or high)


@dataclass(frozen=True, slots=True)
class Rest:
    """What remains to be said of a source when its bytes are through."""

    encoding: str | None = None
    format: str | None = None
    lines: int = 0
    quarantined_bytes: int = 0
    overhead_bytes: int = 0
    problems: pl.DataFrame = field(default_factory=PROBLEMS.empty)
    role: str = "container"
    opaque: bool = False


class RawChunks:
    """Cuts the bytes of a source into stored chunks of one size."""

    def __init__(self, place: Place, keep: bool) -> None:
        self._place, self._keep = place, keep
        self._waiting = bytearray()
        self._start = 0

    def add(self, data: bytes) -> None:
        """The next bytes of the source."""
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


def closing(
    stream: Stream,
    context: SourceContext,
    place: Place,
    tally: Tally,
    rest: Rest,
    raw: RawChunks | None = None,
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
    problems = pl.concat([problem_rows(stream.problems, stream.path, context.source_id), rest.problems])
    return Piece(
        (context,),
        problems=problems,
        raw=raw.ready(last=True) if raw else RAW.empty(),
        redactions=place.redactions(),
        source=SOURCES.frame([row]),
    )


def problem_rows(problems: Sequence[Problem], path: str, sid: str) -> pl.DataFrame:
    """PROBLEMS; a problem that names no source is about this one."""
    return problem_frame([replace(p, path=p.path or path, source_id=p.source_id or sid) for p in problems])
