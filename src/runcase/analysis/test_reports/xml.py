"""Test results from report files that lie in or beside a run: a span of kind `test` a case."""

from __future__ import annotations

import polars as pl

from runcase.model.refs import ref_of
from runcase.model.tables import TESTS

MAX_REFS = 20
TOOLS = {"bazel_bep": "bazel"}
"""Readers of other report files than JUnit's."""


def reported(spans: pl.DataFrame, members: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """TESTS of the runs to which report files belong; a case that passed in the end is no failure.

    Args:
        spans: SPANS with runs assigned.
        members: MEMBERS, which say to which run a file belongs that names none itself.
        sources: SOURCES, whose readers name the tool.
    """
    owner = members.group_by("source_id", maintain_order=True).agg(_run=pl.col("run_id").unique())
    owner = owner.filter(pl.col("_run").list.len() == 1).with_columns(pl.col("_run").list.first())
    cases = spans.filter(pl.col("kind") == "test").join(owner, on="source_id", how="left", maintain_order="left")
    tools = sources.select("source_id", tool=pl.col("reader").replace_strict(TOOLS, default="junit xml"))
    cases = cases.join(tools, on="source_id", how="left", maintain_order="left")
    cases = cases.with_columns(run_id=pl.coalesce("run_id", "_run"), ref=ref_of())
    cases = cases.filter(pl.col("run_id").is_not_null()).sort("source_id", "byte_start", "span_id")
    failed, skipped = pl.col("status").is_in(["error", "timeout"]), pl.col("status") == "skipped"
    found = cases.group_by("run_id", maintain_order=True).agg(
        tool=pl.col("tool").unique(maintain_order=True).str.join("+"),
        run=(~skipped).sum(),
        passed=(~skipped & ~failed).sum(),
        failed=failed.sum(),
        skipped=skipped.sum(),
        failed_names=pl.col("name").filter(failed).unique(maintain_order=True),
        earlier_tries=pl.lit(0, pl.Int64),
        refs=pl.concat([pl.col("ref").filter(failed), pl.col("ref")]).unique(maintain_order=True).head(MAX_REFS),
    )
    return TESTS.fill(found)


def fuller(console: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    """One row a run: the files' results, unless the console counts more tests than the files hold."""
    both = pl.concat([files.with_columns(_order=0), console.with_columns(_order=1)])
    total = pl.col("run") + pl.col("skipped")
    ranked = both.with_columns(_total=total).sort("run_id", "_total", "_order", descending=[False, True, False])
    return ranked.group_by("run_id", maintain_order=True).first().select(TESTS.names).sort(TESTS.key)
