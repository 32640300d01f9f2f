"""CSV (RFC 4180) of a run's events; a cell that a spreadsheet would compute is kept from it by an apostrophe."""

from __future__ import annotations

import csv
import io

from runcase.report.build import Reported
from runcase.report.exports.base import Exported
from runcase.report.instants import iso_of

COLUMNS = ("ts", "kind", "stage", "level", "text", "source", "line", "ref")

_COMPUTED = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a cell a formula in Excel, LibreOffice or Sheets (OWASP, CSV injection)."""


def comma_separated(one: Reported) -> Exported:
    """One row an event, in order of time."""
    out = io.StringIO(newline="")
    write = csv.writer(out, lineterminator="\r\n").writerow
    write(COLUMNS)
    e = one.events
    for ts, kind, stage, level, number, line, start, size, text in e.rows.iter_rows():
        source, path = e.sources[number]
        texts = (kind, stage or "", level or "", text, path or source)
        write((iso_of(ts), *map(cell, texts), "" if line is None else line, f"{source}:{start}+{size}"))
    loss = ["only the first line of each event, and neither its fields nor its ids"]
    if e.total > len(e):
        loss.append(f"{e.total - len(e):,} of {e.total:,} events; `runcase sql` reads all")
    return Exported(out.getvalue().encode("utf-8", "backslashreplace"), tuple(loss))


def cell(text: str) -> str:
    """`text` as a cell that is never a formula."""
    return f"'{text}" if text.startswith(_COMPUTED) else text
