"""`runcase sql`: a question to the tables of a case."""

from __future__ import annotations

import csv
import io
import json
import sys
from typing import TYPE_CHECKING

import click

from runcase.cli.look import CASE
from runcase.model.problems import RuncaseError
from runcase.model.text import json_quiet, present
from runcase.report.fitting import cells, cut_to

if TYPE_CHECKING:
    import polars as pl

MAX_ROWS = 1000
"""Rows that are printed as text; JSON and CSV are whole."""

MAX_CELL = 60
"""Width of a cell that is printed as text."""

_FORMULA = "=+-@\t\r"


@click.command()
@click.argument("query", required=False)
@CASE
@click.option(
    "--format", "face", type=click.Choice(["text", "json", "csv"]), default="text", help="How to print the answer."
)
def sql(query: str | None, case: str, face: str) -> None:
    """Answer a SQL QUERY over the tables of a case; without one, list the tables and their columns.

    \b
    runcase sql "SELECT kind, count(*) AS n FROM events GROUP BY kind ORDER BY n DESC" -c case
    """
    import polars as pl

    from runcase.ledger.opened import opened

    tables = opened(case).tables()
    if query is None:
        click.echo(_catalogue())
        return
    try:
        answer = pl.SQLContext(frames=tables, eager=True).execute(query)
    except pl.exceptions.PolarsError as e:
        hint = "runcase sql, without a query, lists the tables and their columns"
        raise RuncaseError("bad_query", f"the query cannot be answered: {e}", hint) from e
    if face == "json":
        sys.stdout.write(json_quiet(answer.write_json()) + "\n")
    elif face == "csv":
        table = _as_csv(answer)
        sys.stdout.write(present(table, keep="\n\t") if sys.stdout.isatty() else table)
    else:
        click.echo(_as_text(answer))


def _catalogue() -> str:
    """Every table of a case with its meaning and columns."""
    from runcase.model.tables import CONCLUSIONS, FACTS, RAW

    lines = []
    for table in (t for t in (*FACTS, *CONCLUSIONS) if t is not RAW):
        lines += [f"{table.name}: {table.meaning}"]
        lines += [f"  {c.name:<18} {_type(c.dtype):<14} {c.meaning}" for c in table.columns]
    return "\n".join(lines)


def _type(dtype: object) -> str:
    """A column's type without its parameters."""
    return str(dtype).split("(", 1)[0]


def _cell(value: object) -> object:
    """A value as a CSV cell: nested values as JSON, and no text that a spreadsheet takes for a formula."""
    if isinstance(value, list | dict):
        value = json.dumps(value, default=str, ensure_ascii=False)
    return f"'{value}" if isinstance(value, str) and value[:1] in _FORMULA else value


def _as_csv(answer: pl.DataFrame) -> str:
    """A header and one line a row."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        [answer.columns, *([_cell(v) for v in r] for r in answer.iter_rows())]
    )
    return out.getvalue()


def _as_text(answer: pl.DataFrame) -> str:
    """A plain table: one line a row; says when rows were left out."""
    rows = [["" if v is None else str(present(str(v))) for v in row] for row in answer.head(MAX_ROWS).iter_rows()]
    names = [str(present(n)) for n in answer.columns]
    widths = [min(MAX_CELL, max(cells(r[i]) for r in [names, *rows])) for i in range(len(names))]
    lines = ["  ".join(_padded(c, w) for c, w in zip(row, widths, strict=True)).rstrip() for row in [names, *rows]]
    if answer.height > MAX_ROWS:
        lines.append(f"({answer.height - MAX_ROWS:,} more rows; --format csv or json gives all)")
    return "\n".join(lines)


def _padded(text: str, width: int) -> str:
    shown = cut_to(text, width)
    return shown + " " * (width - cells(shown))
