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
    for n in range(len(e)):
        source, path = e.sources[e.source[n]]
        line = "" if e.line[n] is None else e.line[n]
        texts = (e.kind[n], e.stage[n] or "", e.level[n] or "", e.text[n], path or source)
        ref = f"{source}:{e.byte_start[n]}+{e.byte_len[n]}"
        write((iso_of(e.ts[n]), *map(cell, texts), line, ref))
    loss = ["only the first line of each event, and neither its fields nor its ids"]
    if e.total > len(e):
        loss.append(f"{e.total - len(e):,} of {e.total:,} events; `runcase sql` reads all")
    return Exported(out.getvalue().encode("utf-8", "backslashreplace"), tuple(loss))


def cell(text: str) -> str:
    """`text` as a cell that is never a formula."""
    return f"'{text}" if text.startswith(_COMPUTED) else text
