"""Unknown records to ranked templates: how many lines, how much time and how much failure each would explain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from runcase.lab.templates import Template, masked, open_end, template_of

GOOD = ("succeeded", "running")


@dataclass(frozen=True, slots=True)
class Mined:
    """A template of unknown records, what it would explain, and lines of it."""

    template: Template
    events: int
    lines: int
    bytes: int
    time_share: float
    """Of the time that unknown records take, each until the next record of its source."""
    failure_share: float
    """Of the unknown records of runs that did not succeed; error levels count tenfold."""
    level: str | None
    runs: int
    examples: tuple[str, ...]
    """First lines, at most three, the earliest of each length first."""

    @property
    def weight(self) -> float:
        """What ranks it."""
        return self.time_share + self.failure_share


def mined(events: pl.LazyFrame, runs: pl.DataFrame, members: pl.DataFrame) -> list[Mined]:
    """Templates of the unknown records, the most telling first.

    Args:
        events: EVENTS.
        runs: RUNS; tells which runs failed.
        members: MEMBERS; tells the run of a source.
    """
    rows = _unknown(events, _failed_sources(runs, members))
    if rows.is_empty():
        return []
    time, failure = int(rows["spent"].sum()), int(rows["failure"].sum())
    grouped = rows.group_by("masked", "open").agg(
        events=pl.len(),
        lines=pl.col("n_lines").sum(),
        bytes=pl.col("byte_len").sum(),
        spent=pl.col("spent").sum(),
        failure=pl.col("failure").sum(),
        level=pl.col("level").drop_nulls().mode().sort().first(),
        runs=pl.col("run").n_unique(),
        examples=pl.col("first").unique(maintain_order=True).head(3),
    )
    found = _united(grouped.sort("masked", "open").iter_rows(named=True), max(time, 1), max(failure, 1))
    return sorted(found, key=lambda m: (-round(m.weight, 9), -m.lines, m.template.id))


def _failed_sources(runs: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """`source_id, run, failed`; one row a source."""
    status = runs.select("run_id", failed=~pl.col("status").is_in(GOOD))
    joined = members.join(status, on="run_id", how="inner").sort("source_id", "run_id")
    return joined.group_by("source_id").agg(run=pl.col("run_id").first(), failed=pl.col("failed").any())


def _unknown(events: pl.LazyFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """Unknown records in the order of their places, with template, time spent and weight of failure."""
    step = (pl.col("ts").shift(-1).over("source_id") - pl.col("ts")).dt.total_microseconds()
    bad = pl.col("failed").fill_null(value=False).cast(pl.Int64)
    loud = pl.when(pl.col("level").is_in(["error", "fatal"])).then(10).otherwise(1)
    return (
        events.sort("source_id", "byte_start")
        .with_columns(spent=step.clip(lower_bound=0).fill_null(0))
        .filter((pl.col("kind") == "unknown") & (pl.col("message").str.strip_chars() != ""))
        .join(sources.lazy(), on="source_id", how="left", maintain_order="left")
        .select(
            *("n_lines", "byte_len", "spent", "level", "run"),
            failure=bad * loud,
            masked=masked(pl.col("message")),
            open=open_end(pl.col("message")),
            first=pl.col("message").str.extract(r"^\n*([^\n]*)"),
        )
        .collect()
    )


def _united(rows: Iterable[dict[str, Any]], time: int, failure: int) -> list[Mined]:
    """Masked texts whose templates are the same, once values of keys are holes, are one."""
    found: dict[Template, Mined] = {}
    for row in rows:
        one = Mined(
            template_of(row["masked"], row["open"]),
            row["events"],
            row["lines"],
            row["bytes"],
            row["spent"] / time,
            row["failure"] / failure,
            row["level"],
            row["runs"],
            tuple(row["examples"]),
        )
        found[one.template] = _sum(found[one.template], one) if one.template in found else one
    return list(found.values())


def _sum(a: Mined, b: Mined) -> Mined:
    return Mined(
        a.template,
        a.events + b.events,
        a.lines + b.lines,
        a.bytes + b.bytes,
        a.time_share + b.time_share,
        a.failure_share + b.failure_share,
        a.level or b.level,
        max(a.runs, b.runs),
        (*a.examples, *b.examples)[:3],
    )
