"""Log rotation: files that are pieces of one log, and in which order.

`app.log.2.gz`, `app.log.1`, `app.log` are one log, oldest first. Names alone
prove nothing (`task.1` and `task.2` may be two tasks), so the order that the
names tell must be the order of the times inside, without overlap.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from itertools import pairwise

import polars as pl

from runcase.analysis.naming import all_parts
from runcase.model.tables import SOURCES

PIECES = {"source_id": pl.String(), "previous_id": pl.String(), "newest_id": pl.String(), "place": pl.Int64()}
"""A piece of a rotated log: the piece before it (null: none), the newest one, and its number from the oldest."""

_ENDING = r"(?P<end>\.(?:log|txt|out|err|jsonl?))"
_NUMBERED = re.compile(r"(?P<log>.*[A-Za-z].*?)\.(?P<n>\d{1,4})")
_NUMBERED_BEFORE = re.compile(rf"(?P<log>.*[A-Za-z].*?)[-.](?P<n>\d{{1,4}}){_ENDING}")
_DAY = r"(?P<y>(?:19|20)\d\d)-?(?P<m>\d\d)-?(?P<d>\d\d)(?P<more>(?:[-_.T]?\d{1,10})*)"
_DATED = re.compile(rf"(?P<log>.*[A-Za-z].*?)[-._]{_DAY}")
_DATED_BEFORE = re.compile(rf"(?P<log>.*[A-Za-z].*?)[-._]{_DAY}{_ENDING}")
_NEWEST = (1 << 62,)

_Piece = tuple[tuple[int, ...], str, datetime, datetime]
"""How new it is, `source_id`, first and last time."""

Reading = tuple[tuple[str, ...], tuple[int, ...]]
"""The log that a name belongs to (with the sense of its numbers), and how new the piece is: larger is newer."""


def rotated(sources: pl.DataFrame) -> pl.DataFrame:
    """The pieces of rotated logs among SOURCES (`PIECES`); sorted by `source_id`.

    A set counts when at least two pieces have times, and each begins when the one
    before it has ended or later. Numbers before the ending (`app-1.log`) count only
    beside the log itself: `attempt-1.log` and `attempt-2.log` are two.
    """
    logs = sources.filter((pl.col("kind") == "file") & (pl.col("role") == "log") & pl.col("first_ts").is_not_null())
    sets: dict[tuple[str, ...], list[_Piece]] = defaultdict(list)
    rows = logs.sort(SOURCES.key).select("source_id", "path", "reader", "first_ts", "last_ts")
    for sid, path, reader, first, last in rows.iter_rows():
        for log, newness in readings(path):
            sets[(*log, reader or "")].append((newness, sid, first, last))
    taken: set[str] = set()
    found: list[dict[str, object]] = []
    for log, pieces in sorted(sets.items(), key=lambda x: (-len(x[1]), x[0])):
        pieces.sort()
        ids = [sid for _, sid, _, _ in pieces]
        if len(ids) > 1 and _is_one_log(log, pieces) and taken.isdisjoint(ids):
            taken.update(ids)
            before = [None, *ids[:-1]]
            found += [
                {"source_id": sid, "previous_id": prior, "newest_id": ids[-1], "place": n}
                for n, (sid, prior) in enumerate(zip(ids, before, strict=True))
            ]
    return pl.DataFrame(found, schema=PIECES).sort("source_id")


def _is_one_log(log: tuple[str, ...], pieces: list[_Piece]) -> bool:
    """Whether no two pieces claim the same place and none begins before the one before it ends."""
    whole = log[-2] == "" or pieces[-1][0] == _NEWEST
    return whole and all(a[0] != b[0] and a[3] <= b[2] for a, b in pairwise(pieces))


def readings(path: str) -> Iterator[Reading]:
    """Every way to read a path as a piece of a rotated log."""
    *folder, name = all_parts(path)
    for sense in ("", "up", "down"):
        yield (*folder, name, sense), _NEWEST
    if m := _NUMBERED.fullmatch(name):
        yield (*folder, m["log"], ""), (-int(m["n"]),)
    if m := _NUMBERED_BEFORE.fullmatch(name):
        for sense, sign in (("up", 1), ("down", -1)):
            yield (*folder, m["log"] + m["end"], sense), (sign * int(m["n"]),)
    if (m := _DATED.fullmatch(name)) and (day := _day(m)):
        yield (*folder, m["log"], ""), day
    if (m := _DATED_BEFORE.fullmatch(name)) and (day := _day(m)):
        yield (*folder, m["log"] + m["end"], ""), day


def _day(m: re.Match[str]) -> tuple[int, ...] | None:
    try:
        day = date(int(m["y"]), int(m["m"]), int(m["d"]))
    except ValueError:
        return None
    return (day.toordinal(), *(int(n) for n in re.findall(r"\d+", m["more"])))


def carried_over(events: pl.LazyFrame, pieces: pl.DataFrame, sources: pl.DataFrame) -> pl.LazyFrame:
    """EVENTS in which a piece begins where the one before it ended.

    Lines that stand before the first time of a piece go on with what the piece
    before it said last; they inherit its last time.
    """
    later = pieces.filter(pl.col("previous_id").is_not_null())
    if later.is_empty():
        return events
    ended = sources.select(previous_id="source_id", _ended="last_ts")
    later = later.join(ended, on="previous_id", how="left", maintain_order="left").select("source_id", "_ended")
    timed = events.filter(pl.col("ts").is_not_null()).join(later.lazy(), on="source_id", how="semi")
    firsts = timed.group_by("source_id").agg(_first=pl.col("byte_start").min())
    known = later.lazy().join(firsts, on="source_id", how="left", maintain_order="left")
    inherits = pl.col("ts").is_null() & (pl.col("byte_start") < pl.col("_first")).fill_null(value=False)
    columns = events.collect_schema().names()
    return (
        events.join(known, on="source_id", how="left", maintain_order="left")
        .with_columns(
            ts_basis=pl.when(inherits).then(pl.lit("inherited")).otherwise("ts_basis"),
            **{c: pl.when(inherits).then("_ended").otherwise(c) for c in ("ts", "ts_lo", "ts_hi")},
        )
        .select(columns)
    )
