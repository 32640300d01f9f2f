"""What tools say wherever they say it: one pass over all texts for those that test and those that build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import polars as pl

from runcase.analysis.builders import VERDICT_LITERALS, is_verdict
from runcase.analysis.stretches import Stretch, apart, in_batches
from runcase.analysis.test_reports.results import SIGN_LITERALS, is_sign

_LITERALS = sorted({*SIGN_LITERALS, *VERDICT_LITERALS})
_COLUMNS = ("run_id", "source_id", "byte_start", "byte_len", "line", "ts", "message")


@dataclass(frozen=True, slots=True)
class Heard:
    """Where tools speak."""

    reporting: frozenset[str]
    """Runs that may hold a report of a test tool."""
    verdicts: pl.DataFrame
    """Records with a verdict of a build tool, in their order: `source_id, byte_start, byte_len, line, ts, message`."""


def heard(events: pl.LazyFrame, parted: Sequence[Stretch], logs: pl.Series) -> Heard:
    """What is worth a closer look.

    Args:
        events: EVENTS with runs assigned, in the order of the sources.
        parted: Their stretches.
        logs: `source_id` of those in which verdicts of build tools count.
    """
    lines = events.filter(pl.col("run_id").is_not_null()).select(_COLUMNS)
    told = partial(_telling, logs=logs)
    kept = pl.concat([_telling(lines.clear().collect(), logs), *map(apart, in_batches(lines, parted, told))])
    reporting = frozenset(kept.filter("sign")["run_id"])
    return Heard(reporting, kept.filter("verdict").drop("run_id", "sign", "verdict"))


def _telling(rows: pl.DataFrame, logs: pl.Series) -> pl.DataFrame:
    """Records with a verdict, and of each run one with a sign; `sign` and `verdict` say which is which."""
    near = rows.filter(rows["message"].str.contains_any(_LITERALS, ascii_case_insensitive=True))
    among = pl.col("source_id").is_in(logs.implode())
    told = near.with_columns(
        sign=is_sign().fill_null(value=False), verdict=(among & is_verdict()).fill_null(value=False)
    )
    return told.filter(pl.col("verdict") | (pl.col("sign") & pl.struct("run_id", "sign").is_first_distinct()))
