"""The lines that decide, worked out by several processes where many runs ask: no run's depend on another's."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from runcase.analysis.decisive.statements import Asked, Decide, Told, decided
from runcase.ledger.workers import Crew, Stage, Tell

WORTH_EVENTS = 100_000
"""Events of all runs that ask, from which on processes repay what they load."""

EVENTS_AT_MOST = 10_000
"""Of a run about so many are weighed, however many it has."""


def by(crew: Crew | None, worth_events: int = WORTH_EVENTS) -> Decide:
    """Decisions by the processes of a build, in shares of about the same work."""

    def decide(asked: Asked) -> dict[str, Told]:
        events = int(asked.runs["events"].sum() or 0)
        if crew is None or crew.jobs < 2 or asked.runs.height < 2 or events < worth_events:
            return decided(asked)
        told: dict[str, Told] = {}
        shares = list(_shares(asked.runs, 2 * crew.jobs))
        for outcome in crew.each(Stage(_same, (asked,), _decide), shares):
            # a process that the system took away leaves its share to this one
            told |= decided(asked.of(shares[outcome.number])) if outcome.value is None else outcome.value
        return told

    return decide


def _shares(runs: pl.DataFrame, parts: int) -> Iterator[pl.DataFrame]:
    """Runs in about so many parts; neighbours stay together, as their sources do on disk."""
    work = pl.col("events").clip(upper_bound=EVENTS_AT_MOST) + 1
    part = ((work.cum_sum() - work) * parts // work.sum()).alias("_part")
    yield from runs.sort("run_id").with_columns(part).partition_by("_part", include_key=False, maintain_order=True)


def _same(asked: Asked) -> Asked:
    """Nothing is made ready."""
    return asked


def _decide(asked: Asked, runs: pl.DataFrame, tell: Tell) -> dict[str, Told]:
    return decided(asked.of(runs))
