"""The rows of unsuccessful runs that say that something failed, or that something ended, in bounded memory.

What is held grows with the runs and not with their events.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import polars as pl

from runcase.analysis.decisive.naming import could_say, families
from runcase.analysis.decisive.novelty import masked_of
from runcase.analysis.decisive.parts import part_of
from runcase.analysis.decisive.rows import PLACE, TEXT_CHARS, placed, said
from runcase.analysis.stretches import Stretch, apart
from runcase.model.refs import ref_of

MOST_OF_A_KIND = 200
"""Rows of one family, and ends of one kind, that are kept of a run from its begin, and as many from its end."""

LOOKED_AT = 1000
"""Rows that may say something which are looked at from a run's begin, of its errors and ends as many from either end,
and three times as many from its end: what a run costs is bounded."""

FEW_ALIKE = 5
"""Rows that differ in numbers alone of which the first are looked at wherever they stand."""

BAD = ("failed", "timed_out", "cancelled")
"""What is stated of an end that was none."""

_ENDS = "^(?:exit|run[.]finished|stage[.]started|tool[.]started)"
_ERROR_MEMBER = r'"(?:error|err|exception|cause)": ?"((?:[^"\\]|\\.)+)"'


class Speaking(NamedTuple):
    """A row that a family names, or an end; what does not apply is null."""

    place: int
    text: str
    what: str
    """The text with numbers as holes."""
    family: str | None
    kind: str
    code: str | None
    ended: str | None
    """The status that an end states."""
    afterwards: str | None
    """Where a job begins to clean up: why it does."""
    part: str | None
    ref: str


def speaking(rows: pl.LazyFrame, parted: Iterable[Stretch], spans: pl.DataFrame) -> pl.DataFrame:
    """Rows that a family names, and ends; at most twice `MOST_OF_A_KIND` of a family and run.

    Args:
        rows: EVENTS.
        parted: Their stretches.
        spans: `run_id, total`: how many rows each run has.

    Returns:
        `run_id` and the members of `Speaking`; sorted by `run_id, place`.
    """
    looked_at = rows.select("run_id", *PLACE, "byte_len", "kind", "fields", "level", "message")
    parts = pl.DataFrame(schema={"run_id": pl.String(), "part": pl.String()})
    kept = _empty()
    waiting: pl.DataFrame | None = None
    for batch, passed in placed(looked_at, parted, _sifted):
        batch, parts = _in_parts(batch, parts)
        fresh = batch.filter("_sifted")
        held = _within_reach(fresh if waiting is None else pl.concat([waiting, fresh]))
        through = spans.join(passed, left_on=["run_id", "total"], right_on=["run_id", "passed"], how="semi")["run_id"]
        over = held["run_id"].is_in(through.implode())
        kept = _first_and_last(pl.concat([kept, _named(held.filter(over))]))
        waiting = apart(held.filter(~over))
    return _first_and_last(pl.concat([kept, _named(waiting)]) if waiting is not None else kept).sort("run_id", "place")


def _sifted(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds `_ends`, `_begun`, and `_sifted`: whether a row may say something. No other has `fields` and `text`."""
    texts = said(rows["message"])
    coded = pl.col("fields").str.contains('"exit_code"|"afterwards"') | _failed_itself()
    ends = (pl.col("kind").str.contains(_ENDS) | coded).fill_null(value=False)
    told = rows.drop("message").with_columns(text=texts, _ends=ends)
    sifted = told.with_columns(_begun=_begun(), _sifted=pl.col("_ends") | pl.lit(could_say(texts)))
    return sifted.with_columns(pl.when("_sifted").then(pl.col("fields", "text")))


def _begun() -> pl.Expr:
    """The part of a build that begins with a row; empty where one ends."""
    step = (pl.col("kind") == "stage.started").fill_null(value=False)
    return pl.when(step).then(pl.lit("")).otherwise(part_of(pl.col("text")))


def _in_parts(batch: pl.DataFrame, before: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Adds `part`, the part of a build that each row belongs to; and `run_id, part` of each run's last row so far."""
    known = batch.join(before, on="run_id", how="left", maintain_order="left")
    filled = known.with_columns(part=pl.coalesce(pl.col("_begun").forward_fill().over("run_id"), "part"))
    last = filled.group_by("run_id").agg(pl.col("part").last())
    return filled, pl.concat([last, before.join(last, on="run_id", how="anti")])


def by_run(told: pl.DataFrame) -> dict[str, list[Speaking]]:
    """Run -> its rows in order.

    Args:
        told: As `speaking` yields them.
    """
    found: dict[str, list[Speaking]] = {}
    for run_id, *members in told.select(_schema().names()).iter_rows():
        found.setdefault(run_id, []).append(Speaking(*members))
    return found


def _within_reach(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of each run that are looked at: near its begin and end, its ends and errors, what is rare."""
    if rows.height <= LOOKED_AT:
        return rows
    loud = pl.col("_ends") | pl.col("level").is_in(["error", "fatal"]).fill_null(value=False)
    what = masked_of(pl.col("text")).hash()
    told = rows.select(pl.col("run_id").rank("dense"), loud.alias("loud"), what.alias("what"))
    run_of, louds, whats = (told[c].to_numpy() for c in told.columns)
    by_run = np.argsort(run_of, kind="stable")
    kept = np.zeros(rows.height, dtype=np.bool_)
    for mine in np.split(by_run, np.flatnonzero(np.diff(run_of[by_run])) + 1):
        kept[mine] = _reached_by(whats[mine], louds[mine])
    return rows.filter(pl.Series(kept))


def _reached_by(whats: np.ndarray, louds: np.ndarray) -> np.ndarray:
    """Which rows of one run are looked at; `whats` are equal where rows differ in numbers alone."""
    size = whats.size
    alike = np.argsort(whats, kind="stable")
    begins = np.flatnonzero(np.append(True, np.diff(whats[alike]) != 0))
    nth = np.empty(size, dtype=np.int64)
    nth[alike] = np.arange(size) - np.repeat(begins, np.diff(np.append(begins, size)))
    fresh = nth < FEW_ALIKE
    rare = fresh & (np.cumsum(fresh) <= 3 * LOOKED_AT)
    from_begin, before = np.arange(size), np.cumsum(louds)
    near = (from_begin < LOOKED_AT) | (size - from_begin <= 3 * LOOKED_AT)
    kept: np.ndarray = near | rare | (louds & ((before <= LOOKED_AT) | (before[-1] - before < LOOKED_AT)))
    return kept


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that a family names, and ends."""
    rows = rows.with_columns(text=_with_error())
    named = rows.with_columns(family=families(rows["text"])).with_columns(
        family=pl.when(~_aside()).then(pl.col("family"))
    )
    named = named.filter(pl.col("_ends") | pl.col("family").is_not_null()).with_columns(
        ref=ref_of(),
        code=pl.col("fields").str.json_path_match("$.exit_code"),
        ended=pl.col("fields").str.json_path_match("$.status"),
        afterwards=pl.col("fields").str.json_path_match("$.afterwards"),
    )
    return named.with_columns(what=masked_of(pl.col("text"))).select(_schema().names())


def _with_error() -> pl.Expr:
    """What loggers of objects say of an error beside their message: `failed to load: open x: no such file`."""
    loud = pl.col("level").is_in(["error", "fatal"]).fill_null(value=False)
    error = pl.col("fields").str.extract(_ERROR_MEMBER).str.slice(0, TEXT_CHARS)
    said = loud & error.is_not_null() & ~pl.col("text").str.contains(error, literal=True).fill_null(value=True)
    return pl.when(said).then(pl.concat_str("text", error, separator=": ")).otherwise("text")


def _empty() -> pl.DataFrame:
    return pl.DataFrame(schema=_schema())


def _schema() -> pl.Schema:
    columns = ("run_id", *Speaking._fields)
    return pl.Schema({c: pl.UInt32() if c == "place" else pl.String() for c in columns})


def _first_and_last(kept: pl.DataFrame) -> pl.DataFrame:
    kind = pl.coalesce("family", "kind")
    from_begin = pl.int_range(pl.len()).over("run_id", kind)
    from_end = pl.len().over("run_id", kind) - from_begin
    return kept.filter((from_begin < MOST_OF_A_KIND) | (from_end <= MOST_OF_A_KIND))


def _failed_itself() -> pl.Expr:
    """An error of which the reader says that it ended a step: it stands for the exit that is not there."""
    status = pl.col("fields").str.json_path_match("$.status")
    return pl.col("kind").str.starts_with("error") & status.is_in(BAD)


def _aside() -> pl.Expr:
    """Records that a reader knows to be no output: marks, the text of a script."""
    loud = pl.col("level").is_in(["error", "fatal"]).fill_null(value=False)
    return (pl.col("kind") == "log").fill_null(value=False) & ~loud
