"""The bytes of one text source to RECORDS: lines, times, levels, joined where several lines are one record.

Works block by block in bounded memory. Every byte lies in exactly one record or
in the byte order mark, which counts as overhead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from runcase.intake.encoding import decide, mark_of
from runcase.intake.formats import headers
from runcase.intake.formats.stamp_times import FIRST_YEAR, LAST_YEAR, Carry
from runcase.intake.lines import ends_with_cr, last_end, line_table
from runcase.model.problems import Problem
from runcase.model.tables import RECORDS
from runcase.model.text import present_line
from runcase.rules.language import FormatRule

BLOCK_BYTES = 1024 * 1024
"""How much is worked on at once."""

HEAD_BYTES = 64 * 1024
"""A shorter head is the whole source."""

SAMPLE_LINES = 2000
"""How many lines of the head the layout is detected on."""

MAX_LINE_BYTES = 1024 * 1024
"""A longer line is cut into fragments of this size, so that memory stays flat."""

MAX_MESSAGE_CHARS = 64 * 1024
"""Longer messages are cut; their bytes stay referenced."""

_LONE_CR = re.compile(rb"\r(?!\n)")

MAX_JOINED_LINES = 5000
"""A record of more lines is ended, so that a source that never stamps again cannot grow one without bound."""


@dataclass(slots=True)
class TextAccount:
    """What is known of a text when its bytes are through."""

    encoding: str = "utf-8"
    format: str | None = None
    lines: int = 0
    overhead_bytes: int = 0
    quarantined_bytes: int = 0
    problems: list[Problem] = field(default_factory=list)


class TextSource:
    """One text, fed in order; each call returns the records that are complete."""

    def __init__(
        self,
        path: str,
        recorded_at: datetime | None,
        head: bytes,
        format_name: str | None = None,
        formats: Sequence[FormatRule] = (),
        marks: str | None = None,
    ) -> None:
        self.account = TextAccount(encoding=decide(head) or "utf-8")
        self._mark = mark_of(head)[0]
        self._cr_ends = ends_with_cr(head) if not self.account.encoding.startswith("utf-16") else False
        sample = line_table(self._lines_of(head[self._mark :]), self.account.encoding)["text"].head(SAMPLE_LINES)
        complete = len(head) < HEAD_BYTES and sample.len() < SAMPLE_LINES
        self._layout = headers.detect(sample, recorded_at, format_name, formats, complete)
        self._carry = Carry()
        self.account.format = self._layout.name
        self._marks = marks
        self._path = path
        self._waiting = b""
        self._offset = 0

    def _lines_of(self, data: bytes) -> bytes:
        """The bytes with lone carriage returns as line ends, where this source ends its lines so; same length."""
        return _LONE_CR.sub(b"\n", data) if self._cr_ends else data

    def feed(self, chunk: bytes) -> pl.DataFrame:
        """Records that end in what has been fed so far (RECORDS without `source_id`)."""
        if self._mark:
            taken = min(self._mark, len(chunk))
            chunk, self._mark = chunk[taken:], self._mark - taken
            self._offset += taken
            self.account.overhead_bytes += taken
        self._waiting += self._lines_of(chunk)
        if len(self._waiting) < BLOCK_BYTES:
            return RECORDS.empty()
        cut = last_end(self._waiting, self.account.encoding)
        if cut == 0:
            return self._fragment() if len(self._waiting) >= MAX_LINE_BYTES else RECORDS.empty()
        return self._take(cut, last=False)

    def finish(self) -> pl.DataFrame:
        """The records that are left."""
        return self._take(len(self._waiting), last=True) if self._waiting else RECORDS.empty()

    def _fragment(self) -> pl.DataFrame:
        """A line without end: what is there becomes records of their own."""
        if not any(p.code == "line_too_long" for p in self.account.problems):
            message = f"a line is longer than {MAX_LINE_BYTES:,} bytes; it is kept in fragments"
            self.account.problems.append(
                Problem("line_too_long", "warning", message, self._path, None, self._offset, MAX_LINE_BYTES)
            )
        return self._take(len(self._waiting) // 2 * 2, last=True)

    def _take(self, size: int, last: bool) -> pl.DataFrame:
        block, rest = self._waiting[:size], self._waiting[size:]
        lines = line_table(block, self.account.encoding, self._marks)
        parsed = self._layout.parse(lines, self._carry)
        kept = parsed.height if last else _complete(parsed)
        if kept < parsed.height:
            at = int(parsed["start"][kept])
            rest, parsed = block[at:] + rest, parsed.head(kept)
        records = self._joined(parsed)
        self._note_impossible(parsed)
        self._carry = headers.carried(parsed, self._carry)
        self.account.lines += parsed.height
        self._offset += len(self._waiting) - len(rest)
        self._waiting = rest
        return records

    def _note_impossible(self, parsed: pl.DataFrame) -> None:
        """The first stamp that is no time, once a source; the line keeps its text and has no time."""
        wrong = parsed.filter("impossible")
        if wrong.is_empty() or any(p.code == "impossible_time" for p in self.account.problems):
            return
        first = wrong.row(0, named=True)
        shown = present_line(str(first["text"]), 80)
        self.account.problems.append(
            Problem(
                "impossible_time",
                "warning",
                f"a stamp is no time (a date that does not exist, a year outside {FIRST_YEAR} to {LAST_YEAR}, or later"
                f" than its file); such records have none: {shown}",
                self._path,
                None,
                self._offset + int(first["start"]),
                int(first["length"]),
            )
        )

    def _joined(self, parsed: pl.DataFrame) -> pl.DataFrame:
        """One row a record: the first line's header, all lines' bytes, the texts joined by newlines."""
        if parsed.is_empty():
            return RECORDS.empty()
        group = parsed.with_columns(
            record=(pl.col("begins") | (pl.int_range(pl.len()) == 0)).cum_sum(), number=pl.int_range(pl.len())
        )
        firsts = group.filter(pl.col("record").is_first_distinct())
        sums = group.group_by("record", maintain_order=True).agg(
            byte_len=pl.col("length").sum(),
            n_lines=pl.len(),
            joined=pl.col("message").str.join("\n"),
            marks=pl.col("marks").drop_nulls().str.join(" ").replace("", None),
        )
        records = firsts.select(pl.exclude("message", "marks")).hstack(sums.drop("record"))
        return RECORDS.fill(
            records.with_columns(
                message=pl.col("joined").str.slice(0, MAX_MESSAGE_CHARS),
                fields=pl.coalesce("fields", _marked()) if self._marks else pl.col("fields"),
                byte_start=pl.col("start") + self._offset,
                line=pl.col("number") + self.account.lines + 1,
                artifacts=pl.lit([], dtype=pl.List(pl.String)),
            )
        )


def _marked() -> pl.Expr:
    """`{"marks": ...}` where a line has any: what a reader's marks say before the terminal hides them."""
    return pl.when(pl.col("marks").is_not_null()).then(pl.struct("marks").struct.json_encode())


def _complete(parsed: pl.DataFrame) -> int:
    """Lines that surely belong to complete records: all before the last record's begin, unless it grew too long."""
    begins = parsed["begins"].arg_true()
    last = int(begins[-1]) if begins.len() else 0
    return last if last > 0 and parsed.height - last < MAX_JOINED_LINES else parsed.height
