"""What a reader is: it recognises its producer by structure and says what the records mean.

Two shapes. A `TextReader` works on line-oriented text: lines, joining and times
are done for it, it adds what it knows (kind, stage, ids, fields) block by block.
A `DocumentReader` gets a whole document and yields facts with byte offsets.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from runcase.intake.readers.stated_version import StatedVersion
from runcase.model.problems import Problem
from runcase.model.tables import ARTIFACTS, RECORDS, SPANS


@dataclass(frozen=True, slots=True)
class Sniff:
    """What a reader may look at before it takes a source."""

    path: str
    """Input name and path through nested archives."""
    head: bytes
    """The first bytes of the decoded source, at most 64 KiB."""
    complete: bool
    """True when `head` is the whole source."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A reader's claim on a source."""

    reason: str
    """What was seen, for `runcase readers PATH`."""
    score: int = 50
    """0 to 100; the highest wins, ties by reader name."""


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What a document says. Offsets count bytes of the document; `source_id` is filled in by the caller.

    `records` must not overlap. Bytes in no record and in no problem's quarantine
    are the document's punctuation and count as overhead.
    """

    records: pl.DataFrame = field(default_factory=RECORDS.empty)
    spans: pl.DataFrame = field(default_factory=SPANS.empty)
    artifacts: pl.DataFrame = field(default_factory=ARTIFACTS.empty)
    problems: Sequence[Problem] = ()


class Reader(ABC):
    """Common part: a name, the versions it was made for, and recognition."""

    name: str
    versions: str
    """Format versions that it was made for, as a person would write them."""
    stated_version: StatedVersion | None = None
    """Where a source states the version of its format or producer; None when nothing has a place for it."""
    describes_run: bool = True
    """False when a source of this kind never makes a run of its own (a manifest, a test report)."""

    @abstractmethod
    def recognises(self, sniff: Sniff) -> Taken | None:
        """The claim on this source, or None. By structure, never by file name alone; must be cheap and never raise."""


class TextReader(Reader):
    """Line-oriented text of a known producer."""

    format: str | None = None
    """Name of the line format in `intake/formats`, or None to detect it."""
    joins: bool = True
    """False when a line without stamp is a record of its own although others are stamped."""
    marks: str | None = None
    """Pattern of marks that a terminal would hide (erased, or inside escapes): what it finds in the raw text of a
    record comes to the annotator as `fields` of the form `{"marks": "..."}`, several joined by blanks."""

    @abstractmethod
    def annotator(self, path: str) -> Annotator:
        """A fresh annotator for one source; it may keep state from block to block."""


class Annotator(ABC):
    """Adds what the producer's structure says to records, block by block, in order."""

    @abstractmethod
    def annotate(self, records: pl.DataFrame) -> pl.DataFrame:
        """RECORDS in, RECORDS out: same rows, same order; may fill kind, stage, ids, fields, summary."""

    def spans(self) -> pl.DataFrame:
        """SPANS seen so far and not handed out yet; called after each block and at the end."""
        return SPANS.empty()

    def open_spans(self) -> pl.DataFrame:
        """SPANS that began and never ended; called once, after the last block."""
        return SPANS.empty()

    def artifacts(self) -> pl.DataFrame:
        """ARTIFACTS claims seen so far and not handed out yet; called after each block and at the end."""
        return ARTIFACTS.empty()


class DocumentReader(Reader):
    """A whole document: JSON, NDJSON with cross-references, XML, TSV."""

    max_bytes: int = 64 * 1024 * 1024
    """Larger documents are read as plain text, with a problem that says so."""
    ends_lines: bool = False
    """Whether the producer ends every line: a document whose last line has no end was cut off."""

    @abstractmethod
    def read(self, data: bytes, path: str) -> DocumentFacts:
        """What the document says. Malformed parts become problems with offsets; never raises on input."""
