"""Which lines that speak of failure good runs of the same job have too: those are not what made this one fail."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from runcase.analysis.decisive.naming import could_say, families
from runcase.analysis.stretches import in_batches, stretches

_HOLES = r"0x[0-9a-f]+|\b[0-9a-f]{7,64}\b|\d+(?:\.\d+)*|\x1b\[[0-9;]*m"
_MASK = re.compile(_HOLES)
MASKED_CHARS = 200

_LINE = ("what", "family")
"""Lines are the same that differ in numbers alone and speak of the same kind of failure."""


def masked(text: str) -> str:
    """The text with numbers, digests and addresses as holes."""
    return _MASK.sub("#", text.strip()[:MASKED_CHARS])


def masked_of(text: pl.Expr) -> pl.Expr:
    """As `masked`, for a column."""
    return text.str.strip_chars().str.slice(0, MASKED_CHARS).str.replace_all(_HOLES, "#")


@dataclass(frozen=True, slots=True)
class Shared:
    """How many good runs of the job were looked at, and how many of them have a line (masked text, family)."""

    runs: int = 0
    having: Mapping[tuple[str, str], int] = field(default_factory=dict)


NOTHING = Shared()
"""Of a run that no good run stands beside."""


def shared(
    marked: pl.DataFrame, rows: pl.LazyFrame, goods: pl.DataFrame, looked_at: Callable[[pl.Series], pl.Series]
) -> dict[str, Shared]:
    """What of the lines of failed runs their good runs have too; runs without a good run are left out.

    One pass over all good runs. It holds what failed runs say, which is bounded, and nothing else of good ones.

    Args:
        marked: `run_id, what, family` of the lines of failed runs; rows without a family are ends.
        rows: EVENTS of the good runs.
        goods: `run_id, other`: the good runs that a failed run is held against.
        looked_at: What of messages.
    """
    if goods.is_empty():
        return {}
    said = marked.filter(pl.col("family").is_not_null()).select("run_id", *_LINE)
    asked = goods.join(said.unique(), on="run_id", how="inner").select("run_id", "other", *_LINE)
    seen = _seen(rows, looked_at, asked.select(pl.col("other").alias("run_id"), *_LINE).unique())
    found = asked.join(seen.rename({"run_id": "other"}), on=["other", *_LINE], how="semi")
    counted = found.group_by("run_id", *_LINE).agg(n=pl.len())
    having: dict[str, dict[tuple[str, str], int]] = {}
    for run_id, what, family, n in counted.select("run_id", *_LINE, "n").iter_rows():
        having.setdefault(run_id, {})[what, family] = n
    counts = goods.group_by("run_id").agg(n=pl.len()).iter_rows()
    return {run_id: Shared(n, having.get(run_id, {})) for run_id, n in counts}


def _seen(rows: pl.LazyFrame, looked_at: Callable[[pl.Series], pl.Series], asked: pl.DataFrame) -> pl.DataFrame:
    """The rows of `asked` (`run_id, what, family`) that occur."""
    keys = ["run_id", "what"]

    def alike(stretch: pl.DataFrame) -> pl.DataFrame:
        near = stretch.select("run_id", looked_at(stretch["message"]).alias("text"))
        near = near.filter(could_say(near["text"])).with_columns(what=masked_of(pl.col("text")))
        return near.join(asked.select(keys), on=keys, how="semi")

    found = asked.clear()
    for batch in in_batches(rows.select("run_id", "message", "source_id", "byte_start"), stretches(rows), alike):
        told = batch.with_columns(family=families(batch["text"])).select(asked.columns)
        found = pl.concat([found, told.filter(pl.col("family").is_not_null())]).unique()
    return found
