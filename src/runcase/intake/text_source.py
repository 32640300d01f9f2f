"""The bytes of one text source to RECORDS: lines, times, levels, joined where several lines are one record.

Works block by block in bounded memory. Every byte lies in exactly one record or
in the byte order mark, which counts as overhead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate, pairwise

import numpy as np
import polars as pl

from runcase.intake import records
from runcase.intake.encoding import decide, mark_of
from runcase.intake.formats import headers
from runcase.intake.formats.stamp_times import FIRST_YEAR, LAST_YEAR, Carry
from runcase.intake.limits import DEFAULT, TextLimits
from runcase.intake.lines import ends_with_cr, fragment_length, last_end, line_table
from runcase.model.problems import Problem
from runcase.model.tables import RECORDS
from runcase.model.text import present_line
from runcase.rules.language import FormatRule

HEAD_BYTES = 64 * 1024
"""A shorter head is the whole source."""

SAMPLE_LINES = 2000
"""How many lines of the head the layout is detected on."""

_NOTHING = RECORDS.empty()
_NOT_SAMPLED = (b"", pl.DataFrame())
_LONE_CR = re.compile(rb"\r(?!\n)")


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
        joins: bool = True,
        limits: TextLimits = DEFAULT,
        compiled: bool = False,
    ) -> None:
        self._limits = limits
        self.account = TextAccount(encoding=decide(head) or "utf-8")
        self._mark = mark_of(head)[0]
        self._cr_ends = ends_with_cr(head) if not self.account.encoding.startswith("utf-16") else False
        shown = head if len(head) < HEAD_BYTES else head[: last_end(head, self.account.encoding) or len(head)]
        self._held = b""
        looked_at = self._lines_of(shown[self._mark :], last=True)
        table = line_table(looked_at, self.account.encoding)
        self._sampled = (looked_at, table)
        sample = table["text"].head(SAMPLE_LINES)
        complete = len(head) < HEAD_BYTES and sample.len() < SAMPLE_LINES
        if marks:  # times within marks whose escapes were stripped are no stamps of lines
            sample = sample.filter(~sample.str.contains(r"^[a-z_]+:1\d{9}:"))
        self._layout = headers.detect(sample, recorded_at, format_name, formats, complete)
        if not joins:
            self._layout = replace(self._layout, joins_unstamped=False)
        self._carry = Carry(self._layout.first_day)
        self.account.format = self._layout.name
        self._marks = marks
        self._path = path
        self._waiting = b""
        self._within_line = False
        self._work_at = limits.block_bytes
        self._offset = 0
        self._compiled = compiled and marks is None and not self._cr_ends and self._known_layout()

    def _known_layout(self) -> bool:
        """Whether the compiled way takes this source; numba is loaded only to answer that."""
        from runcase.intake import compiled

        return compiled.takes(self._layout, self.account.encoding)

    def _lines_of(self, data: bytes, last: bool = False) -> bytes:
        """The bytes with lone carriage returns as line ends, where this source ends its lines so; as many in all."""
        if not self._cr_ends:
            return data
        data, self._held = self._held + data, b""
        if data.endswith(b"\r") and not last:
            data, self._held = data[:-1], b"\r"
        return _LONE_CR.sub(b"\n", data)

    def feed(self, chunk: bytes) -> pl.DataFrame:
        """Records that end in what has been fed so far (RECORDS without `source_id`)."""
        if self._mark:
            taken = min(self._mark, len(chunk))
            chunk, self._mark = chunk[taken:], self._mark - taken
            self._offset += taken
            self.account.overhead_bytes += taken
        self._waiting += self._lines_of(chunk)
        if len(self._waiting) < self._work_at:
            return _NOTHING
        size = self._whole_lines()
        return self._take(size, last=False) if size else _NOTHING

    @property
    def waiting_bytes(self) -> int:
        """Bytes that were fed and are in no record yet."""
        return len(self._waiting)

    def finish(self) -> pl.DataFrame:
        """The records that are left."""
        self._release_held()
        made = self._take(len(self._waiting), last=True) if self._waiting else _NOTHING
        self._sort_problems()
        return made

    def _release_held(self) -> None:
        """No byte follows: a carriage return that waited for one is a line's end."""
        self._waiting += self._lines_of(b"", last=True)

    @property
    def alike(self) -> tuple[object, ...] | None:
        """Texts of which this is equal are finished in one pass; None for one that is finished alone."""
        begun = self.account.lines or self._within_line
        several = self._layout.interleaved and self._offset + len(self._waiting) > self._limits.segment_bytes
        layout = None if begun or several or self._compiled or not self._waiting else self._layout.alike
        return None if layout is None else (*layout, self._limits)

    def _whole_lines(self) -> int:
        """Bytes of the lines that are complete; where one line fills all, of its complete fragments."""
        encoding, most = self.account.encoding, self._limits.line_bytes
        cut = last_end(self._waiting, encoding)
        while cut + most + 4 < len(self._waiting):
            cut += fragment_length(self._waiting, cut, encoding, most)
        return cut

    def _take(self, size: int, last: bool) -> pl.DataFrame:
        quick = self._take_compiled(size, last) if self._compiled and not self._within_line else None
        return self._take_any(size, last) if quick is None else quick

    def _take_compiled(self, size: int, last: bool) -> pl.DataFrame | None:
        """As `_take_any`, by the kernels; None where it is the better way."""
        from runcase.intake import compiled

        lines = compiled.lines_of(self._waiting[:size], self._layout, self._limits)
        if lines is None:
            return None
        kept = lines.starts.size if last else compiled.settled(lines, self._layout, self._offset, self._limits)
        made = compiled.records(lines, kept, self._offset, self.account.lines, self._limits)
        taken = size if kept == lines.starts.size else int(lines.starts[kept])
        if lines.odd is not None:
            self._note_impossible(lines.odd.filter(pl.col("start") < taken))
        self.account.lines += kept
        self._move(taken)
        return made

    def _move(self, taken: int) -> None:
        """Bytes whose records were made."""
        self._offset += taken
        self._waiting = self._waiting[taken:]
        self._work_at = max(self._limits.block_bytes, len(self._waiting) + self._limits.block_bytes // 2)

    def _take_any(self, size: int, last: bool) -> pl.DataFrame:
        lines = self._numbered(self._lines(size))
        parsed = records.bounded(self._layout.parse(lines, self._carry), self._layout.interleaved, self._limits)
        kept = parsed.height if last else records.settled(parsed, self._layout.interleaved)
        taken = len(self._waiting) if last else int(parsed["start"][kept]) if kept else 0
        if kept:
            self._within_line = kept < parsed.height and not parsed["fresh"][kept]
        parsed = parsed.head(kept)
        made = self._records(parsed)
        self._carry = headers.carried(parsed, self._carry)
        self._account_for(parsed)
        self._move(taken)
        return made

    def _account_for(self, parsed: pl.DataFrame) -> None:
        """Counts settled lines, and notes what is wrong with them."""
        self._note_impossible(parsed)
        self._note_fragments(parsed)
        self.account.lines += int(parsed["fresh"].sum())

    def _close(self, parsed: pl.DataFrame) -> None:
        """All lines were parsed elsewhere."""
        self._account_for(parsed)
        self._move(len(self._waiting))
        self._sort_problems()

    def _sort_problems(self) -> None:
        self.account.problems.sort(key=lambda p: (p.byte_start or 0, p.code))

    def _lines(self, size: int) -> pl.DataFrame:
        """The line table of the first bytes that wait; for a short text, that which its layout was seen in."""
        block, (looked_at, table) = self._waiting[:size], self._sampled
        self._sampled = _NOT_SAMPLED
        if self._marks is None and self._limits == DEFAULT and looked_at == block:
            return table
        return line_table(block, self.account.encoding, self._marks, self._limits.line_bytes)

    def _numbered(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Lines with their `number` in the source, and the `segment` of it that they begin in."""
        first = pl.int_range(pl.len()) == 0
        fresh = pl.when(first).then(pl.lit(not self._within_line)).otherwise("fresh")
        return lines.with_columns(fresh=fresh).with_columns(
            number=pl.col("fresh").cast(pl.Int64).cum_sum() + self.account.lines,
            segment=(pl.col("start") + self._offset) // self._limits.segment_bytes,
        )

    def _note_fragments(self, parsed: pl.DataFrame) -> None:
        """The first line that was cut, once a source."""
        if parsed["fresh"].all() or any(p.code == "line_too_long" for p in self.account.problems):
            return
        cut = parsed.filter(~pl.col("fresh"))
        message = f"a line is longer than {self._limits.line_bytes:,} bytes; it is kept in fragments"
        at, line = self._offset + int(cut["start"][0]), int(cut["number"][0])
        self.account.problems.append(
            Problem("line_too_long", "warning", message, self._path, None, at, int(cut["length"][0]), line)
        )

    def _note_impossible(self, parsed: pl.DataFrame) -> None:
        """The first stamp that is no time, once a source; the line keeps its text and has no time."""
        if not parsed["impossible"].any() or any(p.code == "impossible_time" for p in self.account.problems):
            return
        first = parsed.filter("impossible").row(0, named=True)
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

    def _records(self, parsed: pl.DataFrame) -> pl.DataFrame:
        """RECORDS of settled lines."""
        if parsed.is_empty():
            return _NOTHING
        joined = records.joined(parsed, self._layout.interleaved, self._limits)
        return _filled(joined.with_columns(byte_start=pl.col("start") + self._offset))


def _filled(joined: pl.DataFrame) -> pl.DataFrame:
    """RECORDS of joined lines; `{"marks": ...}` is what a reader's marks say before the terminal hides them."""
    marked = pl.when(pl.col("marks").is_not_null()).then(pl.struct("marks").struct.json_encode())
    return RECORDS.fill(
        joined.with_columns(
            fields=pl.coalesce("fields", marked),
            line="number",
            artifacts=pl.lit([], dtype=pl.List(pl.String)),
        )
    )


# --- many small texts -----------------------------------------------------------------------------


def finished(texts: Sequence[TextSource]) -> list[pl.DataFrame]:
    """`finish()` of each text; those that are alike are parsed in one pass, which costs as much as one of them."""
    groups: dict[tuple[object, ...], list[int]] = {}
    made: dict[int, pl.DataFrame] = {}
    for n, text in enumerate(texts):
        text._release_held()
        if text.alike is None:
            made[n] = text.finish()
        else:
            groups.setdefault(text.alike, []).append(n)
    for members in groups.values():
        made |= zip(members, _together([texts[n] for n in members]), strict=True)
    return [made[n] for n in range(len(texts))]


def _together(texts: Sequence[TextSource]) -> Iterator[pl.DataFrame]:
    """RECORDS of each of some texts that are alike; their lines stand in one table, offsets in a row."""
    tables = [t._lines(len(t._waiting)) for t in texts]
    bases = [0, *accumulate(len(t._waiting) for t in texts)]
    lines = pl.concat(
        table.with_columns(start=pl.col("start") + base, text_number=pl.lit(n, dtype=pl.UInt32))
        for n, (table, base) in enumerate(zip(tables, bases, strict=False))
    ).with_columns(number=pl.col("fresh").cast(pl.Int64).cum_sum().over("text_number"), segment="text_number")
    limits, interleaved = texts[0]._limits, texts[0]._layout.interleaved
    parsed = records.bounded(headers.together([t._layout for t in texts], lines), interleaved, limits)
    joined = records.joined(parsed, interleaved, limits)
    made = _filled(joined.with_columns(byte_start=pl.col("start")))
    for text, base, own, mine in zip(texts, bases, _stretches(parsed), _stretches(joined), strict=False):
        yield made[mine].with_columns(pl.col("byte_start") - base + text._offset)
        text._close(parsed[own].with_columns(pl.col("start") - base))


def _stretches(frame: pl.DataFrame) -> list[slice]:
    """Where the rows of each text stand."""
    numbers = frame["text_number"].to_numpy()
    ends = [*(np.flatnonzero(np.diff(numbers)) + 1).tolist(), numbers.size]
    return [slice(begin, end) for begin, end in pairwise([0, *ends])]
