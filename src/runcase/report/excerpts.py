"""Raw lines around the decisive ones, cut out of the kept bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from runcase.analysis.decisive.records import told_lines
from runcase.intake.redaction.marks import MARK
from runcase.model.refs import Ref
from runcase.model.text import present
from runcase.report.dossier import Excerpt, ExcerptLine

Raw = Callable[[Ref], bytes | None]
"""Bytes of a ref, or None when they were not kept."""

MAX_LINE_CHARS = 400
"""A longer line is cut, and says by how much."""

MAX_RECORD_LINES = 16
"""So many lines of a document are looked at; the whole is at its ref."""

AROUND_STATUS = 4
"""A JSON record of more lines is cut down to the member that states its status, and its neighbours."""

_STATUS = re.compile(rb"\s*\"(?:status|state)\"\s*:")
_STAMP = re.compile(
    r"^\ufeff?[\[(]?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d))?[\])]?"
    r"(?: \d\d[OE][ +])? ?"
)
_ESCAPES = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b_[^\x07]*\x07|\x1b\[[0-9;:<=>?]*[ -/]*[@-~]|\x1b[@-_]")


@dataclass(frozen=True, slots=True)
class Placed:
    """A record that an excerpt shows: its ref, the number of its first line, its time and level."""

    ref: Ref
    line: int
    path: str
    decisive: bool
    ts: str | None = None
    level: str | None = None


def excerpts(records: Iterable[Placed], raw: Raw) -> tuple[Excerpt, ...]:
    """Stretches of neighbouring records, in the order given; a stretch ends where lines are left out."""
    stretches: list[list[Placed]] = []
    for record in records:
        last = stretches[-1][-1].ref if stretches else None
        if last and last.source_id == record.ref.source_id and last.byte_start + last.byte_len == record.ref.byte_start:
            stretches[-1].append(record)
        else:
            stretches.append([record])
    return tuple(_excerpt(s, raw) for s in stretches)


def _excerpt(stretch: list[Placed], raw: Raw) -> Excerpt:
    first, last = stretch[0].ref, stretch[-1].ref
    whole = Ref(first.source_id, first.byte_start, last.byte_start + last.byte_len - first.byte_start)
    lines = [line for record in stretch for line in _lines(record, raw(record.ref))]
    return Excerpt(str(whole), present(stretch[0].path), tuple(lines))


def _lines(record: Placed, data: bytes | None) -> list[ExcerptLine]:
    if data is None:
        text = "[raw payload expired or not kept]"
        return [ExcerptLine(str(record.ref), record.line, text, record.decisive, record.ts, record.level)]
    found = []
    at = record.ref.byte_start
    redacted = (
        MARK.search(data.decode("latin-1")) is not None
    )  # a mark is not as long as its secret: only the record's own ref is exact
    wanted = _told_lines(data)
    for number, piece in enumerate(data.splitlines(keepends=True)[: max(wanted, default=-1) + 1]):
        ref = record.ref if redacted else Ref(record.ref.source_id, at, len(piece))
        at += len(piece)
        text = shown(piece)
        if number in wanted and (text or not number):
            found.append(
                ExcerptLine(
                    str(ref),
                    record.line + number,
                    text,
                    record.decisive,
                    record.ts if not number else None,
                    record.level,
                )
            )
    return found


def _told_lines(data: bytes) -> set[int]:
    """Lines of a record to show: those that tell; of a run record in JSON the status that it states, in context."""
    lines = data.splitlines()
    stated = [n for n, line in enumerate(lines[:MAX_RECORD_LINES]) if _STATUS.match(line)]
    if len(lines) > AROUND_STATUS and data.lstrip().startswith(b"{") and stated:
        return set(range(max(0, stated[0] - 1), min(len(lines), stated[0] + 2)))
    return set(told_lines([shown(line) for line in lines]))


def shown(line: bytes) -> str:
    """One raw line for the eye: without its stamp and terminal control, hostile characters drawn, cut if long."""
    text = _ESCAPES.sub("", line.decode("utf-8", "backslashreplace")).rstrip("\r\n")
    text = _STAMP.sub("", text.rsplit("\r", 1)[-1] if "\r" in text else text)
    text = present(text.replace("\t", "    "))
    if len(text) > MAX_LINE_CHARS:
        return f"{text[:MAX_LINE_CHARS]} [... {len(text) - MAX_LINE_CHARS} more]"
    return text
