"""A run's events as columns that a page can carry: dictionary coded, compressed, drawn row by row by a script."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from runcase.model.text import present, present_line
from runcase.report.citations import parsed
from runcase.report.dossier import KeyEvent
from runcase.report.instants import micros

MAX_EVENTS = 100_000
"""Rows that a page carries: 2.2 MB, ready in 0.8 s (measured on 2 cores)."""

TEXT_CHARS = 240

GZIP_LEVEL = 4
"""A third of the time of the usual 6 for a twelfth more bytes (measured on pages of 40,000 events)."""

_ESCAPES = re.compile(r"\x1b\[[0-9;:<=>?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


@dataclass(frozen=True, slots=True)
class EventTable:
    """Events in order of time, then place; all columns have the same length, null for what is not evidenced.

    `ts` is microseconds since 1970; `source` indexes `sources`, pairs of source id and path. `total` counts
    all events of the run, also those that the table leaves out.
    """

    ts: Sequence[int | None]
    kind: Sequence[str]
    stage: Sequence[str | None]
    level: Sequence[str | None]
    source: Sequence[int]
    line: Sequence[int | None]
    byte_start: Sequence[int]
    byte_len: Sequence[int]
    text: Sequence[str]
    sources: tuple[tuple[str, str], ...]
    total: int

    def __len__(self) -> int:
        return len(self.text)

    def head(self, rows: int) -> EventTable:
        """The first `rows` events."""
        return replace(
            self,
            ts=self.ts[:rows],
            kind=self.kind[:rows],
            stage=self.stage[:rows],
            level=self.level[:rows],
            source=self.source[:rows],
            line=self.line[:rows],
            byte_start=self.byte_start[:rows],
            byte_len=self.byte_len[:rows],
            text=self.text[:rows],
        )


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
    plain = pl.col("kind").is_in(["log", "unknown", "heartbeat", "progress"]) & ~pl.col("level").is_in(
        ["error", "fatal"]
    ).fill_null(value=False)
    order = ("ts", "source_id", "byte_start")
    kept = events.select(
        "ts", "kind", "stage", "level", "source_id", "line", "byte_start", "byte_len", "text", plain=plain
    )
    if total > limit:
        kept = kept.sort("plain", *order, nulls_last=True).head(limit)
    frame = kept.sort(*order, nulls_last=True).collect(engine=engine)
    ids = frame["source_id"].unique().sort().to_list()
    at = {source: n for n, source in enumerate(ids)}
    return EventTable(
        ts=frame["ts"].dt.epoch("us").to_list(),
        kind=frame["kind"].to_list(),
        stage=frame["stage"].to_list(),
        level=frame["level"].to_list(),
        source=frame["source_id"].replace_strict(at, return_dtype=pl.Int64).to_list(),
        line=frame["line"].to_list(),
        byte_start=frame["byte_start"].to_list(),
        byte_len=frame["byte_len"].to_list(),
        text=_lines(frame["text"].fill_null("")),
        sources=tuple((s, present(paths.get(s, ""))) for s in ids),
        total=total,
    )


def of_key_events(events: Sequence[KeyEvent], total: int) -> EventTable:
    """The events that a dossier names, for a page without the ledger at hand."""
    placed = [(e, ref) for e in events if (ref := parsed(e.ref))]
    ids = sorted({ref.source_id for _, ref in placed})
    at = {source: n for n, source in enumerate(ids)}
    return EventTable(
        ts=[micros(e.ts) for e, _ in placed],
        kind=[e.kind for e, _ in placed],
        stage=[e.stage for e, _ in placed],
        level=[e.level for e, _ in placed],
        source=[at[ref.source_id] for _, ref in placed],
        line=[None] * len(placed),
        byte_start=[ref.byte_start for _, ref in placed],
        byte_len=[ref.byte_len for _, ref in placed],
        text=[present_line(e.summary, TEXT_CHARS) for e, _ in placed],
        sources=tuple((s, "") for s in ids),
        total=max(total, len(placed)),
    )


def _lines(texts: pl.Series) -> list[str]:
    """What each text shows on one line; most are short and harmless, and stay as they are."""
    shown: list[str] = texts.to_list()
    for n in (texts.str.contains("[^ -~]") | (texts.str.len_bytes() > TEXT_CHARS)).arg_true():
        shown[n] = present_line(_ESCAPES.sub("", shown[n]), TEXT_CHARS)
    return shown


def packed(table: EventTable) -> str:
    """Base64 of gzip of JSON; instants are differences to the one before, names are indexes into their lists."""
    kinds, kind = _coded(table.kind)
    stages, stage = _coded(table.stage)
    levels, level = _coded(table.level)
    value = {
        "ts": _steps(table.ts),
        "kinds": kinds, "kind": kind, "stages": stages, "stage": stage, "levels": levels, "level": level,
        "sources": [list(s) for s in table.sources], "source": list(table.source), "line": list(table.line),
        "start": _steps(table.byte_start), "len": list(table.byte_len), "text": list(table.text),
        "total": table.total,
    }  # fmt: skip
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return base64.b64encode(gzip.compress(data, GZIP_LEVEL, mtime=0)).decode()


def _coded(values: Iterable[str | None]) -> tuple[list[str], list[int]]:
    """Distinct values, drawn so that none can act, and the index of each; -1 for null."""
    found = list(values)
    names = sorted({v for v in found if v is not None})
    at: dict[str | None, int] = {v: n for n, v in enumerate(names)} | {None: -1}
    return [present(n) for n in names], [at[v] for v in found]


def _steps(values: Iterable[int | None]) -> list[int | None]:
    """Each value less the one before it."""
    found = pl.Series(values, dtype=pl.Int64)
    return (found - found.forward_fill().shift(1).fill_null(0)).to_list()
