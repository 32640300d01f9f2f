"""How the runs of a case follow one another: builds in the order of their evidence, strips of jobs, what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median

import polars as pl

from runcase.model.kinds import FAILED
from runcase.report.index_value import Changes, Group, JobStrip, RunLine, StripRun
from runcase.report.words import micros_words

STRIP_RUNS = 40
LISTED_RUNS = 2000
"""Runs that one page lists: a page of a year's runs would take as long to write as the night to read."""
MAX_JOBS = 100


def builds_of_runs(
    sources: pl.DataFrame, members: pl.DataFrame, builds: Sequence[Sequence[str]]
) -> tuple[Mapping[str, int], int]:
    """The build that each run came with last, as a position from 0, and the number of builds.

    A case has no clock, so builds stand in the order of the latest instant of
    their evidence, then of their names. A batch that no build names is one of its own.
    """
    build_of = {batch: min(build) for build in builds for batch in build}
    told = sources.with_columns(build=pl.col("batch").replace(build_of))
    order = told.group_by("build").agg(pl.col("last_ts").max()).sort("last_ts", "build", nulls_last=False)
    at = order.with_row_index("position").select("build", pl.col("position").cast(pl.Int64))
    of_run = (
        members.join(told.select("source_id", "build").join(at, on="build"), on="source_id")
        .group_by("run_id")
        .agg(pl.col("position").max())
    )
    return dict(zip(of_run["run_id"].to_list(), of_run["position"].to_list(), strict=True)), order.height


def job_strips(lines: Sequence[RunLine]) -> tuple[JobStrip, ...]:
    """A strip for each job that is named; jobs whose latest run failed come first."""
    by_job: dict[str, list[RunLine]] = {}
    for line in sorted(lines, key=_when):
        if line.job:
            by_job.setdefault(line.job, []).append(line)
    strips = [_strip(job, runs) for job, runs in by_job.items()]
    return tuple(sorted(strips, key=lambda s: (s.last_status not in FAILED, -s.failed, s.job))[:MAX_JOBS])


def _when(line: RunLine) -> tuple[str, str]:
    return (line.first_ts or "", line.run_id)


def _strip(job: str, runs: Sequence[RunLine]) -> JobStrip:
    shown = runs[-STRIP_RUNS:]
    longest = max((r.took_us for r in shown if r.took_us), default=0)
    spent = [r.took_us for r in runs if r.took_us is not None]
    return JobStrip(
        job=job,
        runs=tuple(
            StripRun(r.run_id, r.status, r.took, round((r.took_us or 0) / longest, 3) if longest else 0.0)
            for r in shown
        ),
        total=len(runs),
        failed=sum(r.status in FAILED for r in runs),
        last_status=runs[-1].status,
        median=micros_words(round(median(spent))) if spent else None,
    )


def changes(lines: Sequence[RunLine], groups: Sequence[Group], builds: int) -> Changes | None:
    """What the latest build brought; None for a case of one build."""
    if builds < 2:
        return None
    latest = [line for line in lines if line.build == builds - 1]
    before, after = _outcomes(lines, builds, latest=False), _outcomes(lines, builds, latest=True)
    both = sorted(before.keys() & after.keys())
    return Changes(
        counts=dict(sorted(Counter(line.status for line in latest).items(), key=lambda x: (x[0] not in FAILED, x[0]))),
        new=tuple(g.signature for g in groups if g.known == "new"),
        again=tuple(g.signature for g in groups if g.known == "known" and g.in_last_build),
        not_seen=tuple(g.signature for g in groups if not g.in_last_build),
        broke=tuple(j for j in both if before[j] not in FAILED and after[j] in FAILED),
        recovered=tuple(j for j in both if before[j] in FAILED and after[j] == "succeeded"),
    )


def _outcomes(lines: Sequence[RunLine], builds: int, latest: bool) -> dict[str, str]:
    """The status of each job's last run, in the latest build or before it."""
    mine = [line for line in lines if line.job and (line.build == builds - 1) == latest]
    return {line.job: line.status for line in sorted(mine, key=_when) if line.job}


def newest(lines: Sequence[RunLine]) -> tuple[RunLine, ...]:
    """The latest runs that one page lists, in the order of `lines`."""
    listed = {line.run_id for line in sorted(lines, key=_when)[-LISTED_RUNS:]}
    return tuple(line for line in lines if line.run_id in listed)


def older_months(lines: Sequence[RunLine]) -> tuple[str, ...]:
    """Months of which one page does not list all runs, the latest first."""
    return tuple(sorted({month_of(line) for line in sorted(lines, key=_when)[:-LISTED_RUNS]}, reverse=True))


def month_of(line: RunLine) -> str:
    """The month of a run's first event, or `undated`."""
    return line.first_ts[:7] if line.first_ts else "undated"
