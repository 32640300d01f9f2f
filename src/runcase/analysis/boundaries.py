"""Boundaries of windows: the first or last event of a kind in each attempt."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from runcase.analysis.selection import of_kind, value_of
from runcase.model.kinds import WORK_KINDS
from runcase.rules.comparison import compared
from runcase.rules.language import BoundaryRule, Pack

WRITEBACK_STAGE = "writeback"
"""Stage whose events are no work: it is what the write-back window is about."""


@dataclass(frozen=True, slots=True)
class WindowKind:
    """A window between two boundaries, each an expression over marks, and the codes of their absence."""

    name: str
    start: pl.Expr
    start_last: bool
    end: pl.Expr
    end_last: bool
    start_absent: str
    end_absent: str
    pack: str | None = None
    """Only runs of this pack have the window; None: every run."""


def is_work() -> pl.Expr:
    """True for work events; acts of the stage that writes results back are none.

    Needs the column `_writes_back`, see `with_writeback`.
    """
    return of_kind(pl.col("kind"), WORK_KINDS) & ~pl.col("_writes_back")


def with_writeback(marks: pl.DataFrame) -> pl.DataFrame:
    """Adds `_writes_back`: the event belongs to a stage in which an upload begins, or that is called `writeback`."""
    uploads = marks.filter(of_kind(pl.col("kind"), ["upload.started"]) & pl.col("stage").is_not_null())
    stages = uploads.select("run_id", "stage").unique().with_columns(_uploads=pl.lit(value=True))
    joined = marks.join(stages, on=["run_id", "stage"], how="left", maintain_order="left")
    back = pl.col("_uploads").fill_null(value=False) & (pl.col("stage").n_unique().over("run_id") > 1)
    named = (pl.col("stage").str.to_lowercase() == WRITEBACK_STAGE).fill_null(value=False)
    return joined.with_columns(_writes_back=back | named).drop("_uploads")


def default_windows() -> list[WindowKind]:
    """Queue, boot, active and write-back, as every run has them."""
    created = of_kind(pl.col("kind"), ["run.created", "invocation.queued"])
    claimed = of_kind(pl.col("kind"), ["attempt.claimed", "invocation.claimed"])
    finished = of_kind(pl.col("kind"), ["run.finished"])
    return [
        WindowKind("queue", created, False, claimed, False, "no_run_created", "no_claim"),
        WindowKind("boot", claimed, False, is_work(), False, "no_claim", "no_first_work_event"),
        WindowKind("active", is_work(), False, is_work(), True, "no_first_work_event", "no_first_work_event"),
        WindowKind("writeback", is_work(), True, finished, True, "no_first_work_event", "no_status_writeback"),
    ]


def pack_windows(packs: tuple[Pack, ...]) -> list[WindowKind]:
    """Windows that packs define; one with the name of a default window takes its place in runs of that pack."""
    return [
        WindowKind(
            w.name,
            _rule(w.start),
            w.start.pick == "last",
            _rule(w.end),
            w.end.pick == "last",
            w.start_absent,
            w.end_absent,
            pack.name,
        )
        for pack in packs
        for w in pack.windows
    ]


def _rule(rule: BoundaryRule) -> pl.Expr:
    parts = [of_kind(pl.col("kind"), rule.kinds), *(compared(value_of(k), v) for k, v in rule.where.items())]
    if rule.stage is not None:
        parts.append(pl.col("stage") == rule.stage)
    return pl.all_horizontal(parts).fill_null(value=False)


def boundary(marks: pl.DataFrame, which: pl.Expr, last: bool, name: str) -> pl.DataFrame:
    """The first (or last) timed event of each attempt that satisfies `which`.

    Returns:
        `run_id, attempt`, and `<name>`, `<name>_lo`, `<name>_hi`, `<name>_ref`.
    """
    rows = marks.filter(which.fill_null(value=False) & pl.col("ts").is_not_null()).sort("ts", "order")
    picked = rows.group_by("run_id", "in_attempt", maintain_order=True)
    chosen = picked.last() if last else picked.first()
    return chosen.select(
        "run_id",
        pl.col("in_attempt").alias("attempt"),
        pl.col("ts").alias(name),
        pl.col("ts_lo").fill_null(pl.col("ts")).alias(f"{name}_lo"),
        pl.col("ts_hi").fill_null(pl.col("ts")).alias(f"{name}_hi"),
        pl.col("ref").alias(f"{name}_ref"),
    )


def untimed(marks: pl.DataFrame, which: pl.Expr, name: str) -> pl.DataFrame:
    """`run_id, attempt, <name>_untimed`: attempts in which an event satisfies `which` that has no time."""
    rows = marks.filter(which.fill_null(value=False) & pl.col("ts").is_null())
    found = rows.select("run_id", attempt=pl.col("in_attempt")).unique()
    return found.with_columns(pl.lit(value=True).alias(f"{name}_untimed"))
