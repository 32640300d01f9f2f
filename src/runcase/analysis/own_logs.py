"""Which sources are logs, and which of them are runs of their own where nothing joins them to one."""

from __future__ import annotations

import polars as pl

from runcase.model.case import Facts
from runcase.model.tables import SOURCES

_LOG_NAME = r"(?i)(?:\.(?:log|out|err|txt|stdout|stderr)|/(?:stdout|stderr|console|output))(?:\.\d+)?$"

_OUTPUT_NAME = r"(?i)(?:\.(?:log|out|stdout)|/(?:stdout|console|output))(?:\.\d+)?$"
"""What somebody kept because a program said it, and nothing else; errors alone are half of it."""

_COMPRESSED = r"\.(?:gz|bz2|xz|zst)$"

DOCUMENT_SUFFIXES = (
    *(".json", ".yaml", ".yml", ".xml", ".toml", ".ini", ".cfg", ".md", ".rst", ".html", ".htm", ".css", ".csv"),
    *(".tsv", ".lock", ".svg", ".properties", ".sha256", ".md5", ".js", ".py", ".sh", ".rules", ".conf"),
)
"""Names of files that are written once and read whole; a log of such a name has times on most of its lines."""


def with_run(named: pl.DataFrame) -> pl.DataFrame:
    """`source_id` of sources with a record that names its run."""
    return named.filter(pl.col("run_id").is_not_null()).select("source_id").unique()


def runs_of_their_own(
    facts: Facts,
    sources: pl.DataFrame,
    named: pl.DataFrame,
    duplicates: pl.DataFrame,
    told: pl.DataFrame,
    led: pl.DataFrame,
) -> pl.DataFrame:
    """Sources that nothing joins to a run and that describe one."""
    leaves = sources.filter((pl.col("kind") == "file") & (pl.col("role") != "container"))
    leaves = leaves.join(duplicates, on="source_id", how="anti", maintain_order="left")
    leaves = leaves.join(_kinds(facts), on="source_id", how="left", maintain_order="left")
    free = leaves.join(pl.concat([with_run(named), led.select("source_id")]), on="source_id", how="anti")
    free = free.sort(SOURCES.key)
    logs = free.filter(_is_log() & ((pl.col("first_ts").is_not_null()) | (pl.col("_classified").fill_null(0) > 0)))
    top = free.filter(_is_top(leaves))
    only_documents = logs.is_empty() and told.is_empty() and led.is_empty()
    chosen = top if only_documents else top.filter(_is_log())
    return pl.concat([logs, chosen]).unique("source_id", maintain_order=True).sort(SOURCES.key)


def plain_logs(homeless: pl.DataFrame) -> pl.DataFrame:
    """Of sources that nothing places: logs by name, though no record of theirs has a time or is known."""
    by_name = pl.col("path").str.replace(_COMPRESSED, "").str.contains(_OUTPUT_NAME)
    return homeless.filter((pl.col("kind") == "file") & (pl.col("role") == "log") & (pl.col("events") > 0) & by_name)


def _kinds(facts: Facts) -> pl.DataFrame:
    """`source_id, _classified, _timed`: records that something names, and records that have a time of their own."""
    own_time = pl.col("ts").is_not_null() & (pl.col("ts_basis") != "inherited")
    named = (pl.col("kind") != "unknown").sum().cast(pl.Int64)
    counted = facts.events.group_by("source_id").agg(_classified=named, _timed=own_time.sum().cast(pl.Int64))
    return counted.collect(engine="streaming").sort("source_id")


def _is_log() -> pl.Expr:
    """True for logs; a generic text with the name of a document is one only if most of its records have times."""
    lower = pl.col("path").str.to_lowercase().str.replace(_COMPRESSED, "")
    by_name = pl.any_horizontal(lower.str.ends_with(s) for s in DOCUMENT_SUFFIXES)
    timed = pl.col("_timed").fill_null(0) * 2 >= pl.col("events")
    document = by_name & pl.col("reader").is_null() & ~(timed & (pl.col("events") > 0))
    return (pl.col("role") == "log") & ~document


def speaks() -> pl.Expr:
    """True for sources whose records belong to the run that they lie beside: a reader took them, or they are logs."""
    return pl.col("reader").is_not_null() | ((pl.col("role") == "log") & pl.col("path").str.contains(_LOG_NAME))


def _is_top(leaves: pl.DataFrame) -> pl.Expr:
    """True for an input that is a file by itself, compressed or not: the only thing that its input holds."""
    first = pl.col("path").str.split("!/").list.first()
    inputs = leaves.select(_input=first).group_by("_input").len()
    lonely = inputs.filter((pl.col("len") == 1) & ~pl.col("_input").str.contains("/", literal=True))["_input"]
    return first.is_in(lonely.to_list()) | pl.lit(leaves.height == 1)
