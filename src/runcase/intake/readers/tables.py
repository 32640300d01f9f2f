"""Delimited text with a header: rows with their places."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runcase.intake.readers.draft import Draft, Place
from runcase.model.problems import Problem


def rows_of(
    data: bytes, separator: str, draft: Draft, path: str, header: str | None = None
) -> Iterator[tuple[Place, dict[str, str]]]:
    """Each row as a mapping of its cells by column.

    Args:
        data: The document.
        separator: What stands between cells; cells are not quoted.
        draft: Takes a problem for each row with more or fewer cells than columns; such a row is given in part.
        path: Path of the document, for problems.
        header: The first line, where the document has none.
    """
    columns = header.strip("\n").split(separator) if header else None
    at = 0
    for number, raw in enumerate(data.splitlines(keepends=True), 1):
        place = Place(at, len(raw))
        at += len(raw)
        cells = raw.decode("utf-8", "backslashreplace").strip("\r\n\ufeff").split(separator)
        if cells == [""]:
            continue
        if columns is None:
            columns = [c.strip() for c in cells]
            continue
        if len(cells) != len(columns):
            why = f"line {number}: {len(cells)} cells under {len(columns)} columns"
            draft.problems.append(Problem("line_malformed", "info", why, path, None, place.start, place.length, number))
        yield place, dict(zip(columns, (c.strip() for c in cells), strict=False))


def aligned_rows_of(data: bytes) -> Iterator[tuple[Place, dict[str, str]]]:
    """Rows of a table whose second line has dashes as wide as each column; cells by column, as `rows_of`."""
    at, names, columns = 0, "", []
    for number, raw in enumerate(data.splitlines(keepends=True), 1):
        place = Place(at, len(raw))
        at += len(raw)
        text = raw.decode("utf-8", "backslashreplace").rstrip("\r\n")
        if number == 1:
            names = text
        elif number == 2:
            columns = [(m.start(), m.end()) for m in re.finditer(r"-+", text)]
        elif text.strip():
            yield place, {names[a:b].strip(): text[a:b].strip() for a, b in columns}
