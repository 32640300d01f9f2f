"""Sources whose text another source of the case holds already."""

from __future__ import annotations

import polars as pl

from runcase.model.tables import SOURCES

BYTE_ORDER_MARK = 3
"""Bytes that a step file may have on top of its share of the job's file."""


def duplicate_sources(sources: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """`source_id, same_as`: sources to count once, sorted by `source_id`.

    Args:
        sources: SOURCES in the order of their key.
        named: `source_id, run_id, attempt` that records carry.
    """
    logs = sources.filter((pl.col("kind") == "file") & (pl.col("events") > 0))
    same = _same_text(logs, named)
    rest = logs.join(same, on="source_id", how="anti", maintain_order="left")
    return pl.concat([same, _steps_of_jobs(rest)]).unique("source_id", keep="first").sort("source_id")


def _same_text(logs: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """Later sources with the bytes of an earlier one.

    Only where the text has times (two runs may well print the same untimed words)
    and carries the same run and attempt, which may come from the path.
    """
    ids = (
        named.filter(pl.col("run_id").is_not_null() | pl.col("attempt").is_not_null())
        .select("source_id", _id=pl.format("{}#{}", pl.col("run_id").fill_null(""), pl.col("attempt").fill_null(0)))
        .group_by("source_id")
        .agg(pl.col("_id").unique().sort().str.join("|"))
    )
    timed = logs.filter(pl.col("first_ts").is_not_null() & pl.col("sha256").is_not_null())
    timed = timed.join(ids, on="source_id", how="left", maintain_order="left").sort(SOURCES.key)
    first = timed.with_columns(same_as=pl.col("source_id").first().over("sha256", "_id"))
    return first.filter(pl.col("same_as") != pl.col("source_id")).select("source_id", "same_as")


def _steps_of_jobs(logs: pl.DataFrame) -> pl.DataFrame:
    """`job/2_step.txt` beside `0_job.txt`, where all steps together are no longer than the job's file."""
    name = pl.col("path").str.extract(r"([^/]+)$")
    folder = pl.col("path").str.replace(r"[^/]+$", "")
    jobs = logs.filter(name.str.contains(r"^-?\d+_.+\.txt$")).select(
        same_as="source_id",
        _folder=folder + name.str.extract(r"^-?\d+_(.+)\.txt$") + "/",
        _job_bytes="size_bytes",
    )
    jobs = jobs.unique("_folder", keep="none")
    steps = logs.filter(name.str.contains(r"^-?\d+_.*\.txt$")).select("source_id", "size_bytes", _folder=folder)
    pairs = steps.join(jobs, on="_folder", how="inner", maintain_order="left")
    total = (pl.col("size_bytes") - BYTE_ORDER_MARK).sum().over("_folder")
    return pairs.filter(total <= pl.col("_job_bytes")).select("source_id", "same_as")
