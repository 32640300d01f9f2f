"""A run's events as columns that a page can carry: dictionary coded, compressed, drawn row by row by a script."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal

import polars as pl

from runcase.model.text import present, present_line
from runcase.report.citations import parsed
from runcase.report.dossier import KeyEvent
from runcase.report.instants import micros

MAX_EVENTS = 100_000
"""Rows that a page carries: 2.2 MB, ready in 0.8 s (measured on 2 cores)."""

TEXT_CHARS = 240

_ORDER = ("ts", "source_id", "byte_start")

GZIP_LEVEL = 2
"""Two thirds of the time of 4 for a twelfth more bytes (measured on pages of 40,000 events)."""

_ROWS_AT_ONCE = 8192

_AS_GZIP = 31
"""What zlib calls its own format with a header and an end of gzip, without a time."""

_ESCAPES = re.compile(r"\x1b\[[0-9;:<=>?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")

_ROWS = pl.Schema(
    {"ts": pl.Int64(), "kind": pl.String(), "stage": pl.String(), "level": pl.String(), "source": pl.Int64()}
    | {"line": pl.Int64(), "byte_start": pl.Int64(), "byte_len": pl.Int64(), "text": pl.String()}
)


@dataclass(frozen=True, slots=True, eq=False)
class EventTable:
    """Events in order of time, then place: `ts, kind, stage, level, source, line, byte_start, byte_len, text`.

    Null stands for what is not evidenced. `ts` is microseconds since 1970; `source` indexes `sources`, pairs of
    source id and path; `text` can be shown. `total` counts all events of the run, also those that the table leaves out.
    """

    rows: pl.DataFrame
    sources: tuple[tuple[str, str], ...]
    total: int

    def __len__(self) -> int:
        return self.rows.height

    def head(self, rows: int) -> EventTable:
        """The first `rows` events."""
        return replace(self, rows=self.rows.head(rows))


Engine = Literal["streaming", "in-memory"]
"""How polars answers: what does not fit into memory is streamed."""


def of_frame(
    events: pl.LazyFrame, paths: Mapping[str, str], limit: int = MAX_EVENTS, engine: Engine = "streaming"
) -> EventTable:
    """The events of one run, at most `limit`: those with a name or an error first, then the earliest others.

    Args:
        events: Events of one run with `text`, the first line of what each says.
        paths: Path of each source.
        limit: Rows to keep.
        engine: How to ask `events`.
    """
    total = int(events.select(pl.len()).collect(engine=engine).item())
    kept = events if total <= limit else _first(events, limit, engine)
    columns = ("ts", "kind", "stage", "level", "source_id", "line", "byte_start", "byte_len", "text")
    frame = kept.select(columns).collect(engine=engine).sort(*_ORDER, nulls_last=True)
    ids = frame["source_id"].unique().sort().to_list()
    at = {source: n for n, source in enumerate(ids)}
    rows = frame.with_columns(
        pl.col("ts").dt.epoch("us"),
        source=pl.col("source_id").replace_strict(at, return_dtype=pl.Int64),
        text=_lines(frame["text"].fill_null("")),
    )
    return EventTable(_declared(rows), tuple((s, present(paths.get(s, ""))) for s in ids), total)


def _first(events: pl.LazyFrame, limit: int, engine: Engine) -> pl.LazyFrame:
    """Those with a name or an error first, then the earliest others. Only their places are sorted: texts are long."""
    loud = pl.col("level").is_in(["error", "fatal"]).fill_null(value=False)
    plain = pl.col("kind").is_in(["log", "unknown", "heartbeat", "progress"]) & ~loud
    chosen = events.select(*_ORDER, plain=plain).sort("plain", *_ORDER, nulls_last=True).head(limit)
    places = chosen.select("source_id", "byte_start").collect(engine=engine)
    near = [pl.col(c).is_in(places[c].unique().implode()) for c in places.columns]
    return events.filter(*near).join(places.lazy(), on=places.columns, how="semi")


def of_key_events(events: Sequence[KeyEvent], total: int) -> EventTable:
    """The events that a dossier names, for a page without the ledger at hand."""
    placed = [(e, ref) for e in events if (ref := parsed(e.ref))]
    ids = sorted({ref.source_id for _, ref in placed})
    at = {source: n for n, source in enumerate(ids)}
    rows = pl.DataFrame(
        {
            "ts": [micros(e.ts) for e, _ in placed],
            "kind": [e.kind for e, _ in placed],
            "stage": [e.stage for e, _ in placed],
            "level": [e.level for e, _ in placed],
            "source": [at[ref.source_id] for _, ref in placed],
            "line": [None] * len(placed),
            "byte_start": [ref.byte_start for _, ref in placed],
            "byte_len": [ref.byte_len for _, ref in placed],
            "text": [present_line(e.summary, TEXT_CHARS) for e, _ in placed],
        },
        schema=_ROWS,
    )
    return EventTable(rows, tuple((s, "") for s in ids), max(total, len(placed)))


def _declared(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(pl.col(name).cast(dtype) for name, dtype in _ROWS.items())


def _lines(texts: pl.Series) -> pl.Series:
    """What each text shows on one line; most are short and harmless, and stay as they are."""
    odd = (texts.str.contains("[^ -~]") | (texts.str.len_bytes() > TEXT_CHARS)).arg_true()
    shown = [present_line(_ESCAPES.sub("", t), TEXT_CHARS) for t in texts.gather(odd)]
    return texts.scatter(odd, shown) if shown else texts


def packed(table: EventTable) -> str:
    """Base64 of gzip of JSON, for `unpacked` in page.js.

    Names are indexes into their lists, instants and lines differences to the one before, starts to the end of the
    one before; a column of them that says the same everywhere says it once.
    """
    rows = table.rows
    listed = pl.col("kind", "stage", "level").unique().sort().drop_nulls().implode()
    names = rows.select(listed).row(0, named=True)
    columns = rows.select(
        *(pl.col(n).cast(pl.Enum(known)).to_physical().cast(pl.Int64).fill_null(-1) for n, known in names.items()),
        "source",
        ts=_steps("ts"),
        line=_steps("line"),
        start=pl.col("byte_start") - (pl.col("byte_start") + pl.col("byte_len")).shift(1).fill_null(0),
        len="byte_len",
    )
    rest: dict[str, object] = {f"{n}s": [present(one) for one in known] for n, known in names.items()}
    rest |= {"sources": [list(s) for s in table.sources], "rows": len(table), "total": table.total}
    head = json.dumps(rest, ensure_ascii=False, separators=(",", ":"))[:-1].encode("utf-8", "backslashreplace")
    values = columns.select(pl.all().n_unique()).row(0)
    once = [pl.col(n).head(1) if v == 1 else pl.col(n) for n, v in zip(columns.columns, values, strict=True)]
    squeezed = zlib.compressobj(GZIP_LEVEL, wbits=_AS_GZIP)
    parts = chain((head, b","), (_members(columns.select(c.implode() for c in once)), b","), _texts(rows))
    return base64.b64encode(b"".join([*map(squeezed.compress, parts), squeezed.flush()])).decode()


def _texts(rows: pl.DataFrame) -> Iterator[bytes]:
    """The last member and the end of the object; part by part, because the texts of a page are many megabytes."""
    yield b'"text":['
    for n, part in enumerate(rows.iter_slices(_ROWS_AT_ONCE)):
        listed = _members(part.select(pl.col("text").implode()))
        yield (b"," if n else b"") + listed[len('"text":[') : -1]
    yield b"]}"


def _members(lists: pl.DataFrame) -> bytes:
    """One row of lists as members of a JSON object."""
    return lists.write_ndjson().strip()[1:-1].encode()


def _steps(column: str) -> pl.Expr:
    """Each value less the one before it."""
    return pl.col(column) - pl.col(column).forward_fill().shift(1).fill_null(0)
