"""Files in the archive that are artifacts which a run claims."""

from __future__ import annotations

import polars as pl


def present_files(claims: pl.DataFrame, sources: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """The file of each artifact whose claimed path some source of its run ends with.

    Args:
        claims: As `claims.claims_of_runs` yields them.
        sources: SOURCES.
        members: MEMBERS.

    Returns:
        `run_id, artifact_id, attempt, file_sha256, file_size, file_verdict, file_ref`: one row an artifact, the file of
        the attempt that claims it last, and among several the one with the claimed digest.
    """
    wanted = claims.filter(pl.col("path").is_not_null()).sort("run_id", "artifact_id", "attempt", nulls_last=False)
    wanted = wanted.select("run_id", "artifact_id", "path", "attempt", "checksum").unique(maintain_order=True)
    files = _files(sources, members)
    depth = wanted["path"].str.count_matches("/", literal=True).unique().to_list()
    ends = [files.with_columns(path=_end(n + 1)).filter(pl.col("path").is_not_null()) for n in sorted(depth)]
    if not ends:
        return wanted.clear().select("run_id", "artifact_id", "attempt").with_columns(**_NONE)
    found = wanted.join(pl.concat(ends), on=["run_id", "path"], how="inner", maintain_order="left", suffix="_file")
    same_attempt = pl.col("attempt").is_null() | pl.col("attempt_file").is_null()
    found = found.filter(same_attempt | (pl.col("attempt") == pl.col("attempt_file")))
    agrees = (pl.col("checksum") == pl.concat_str(pl.lit("sha256:"), "file_sha256")).fill_null(value=False)
    ranked = found.with_columns(_agrees=agrees).sort("run_id", "artifact_id", "attempt", "_agrees", "file_ref")
    picked = ranked.group_by("run_id", "artifact_id", maintain_order=True).last()
    return picked.select("run_id", "artifact_id", "attempt", *_NONE)


_NONE = {
    "file_sha256": pl.lit(None, dtype=pl.String),
    "file_size": pl.lit(None, dtype=pl.Int64),
    "file_verdict": pl.lit(None, dtype=pl.String),
    "file_ref": pl.lit(None, dtype=pl.String),
}


def _files(sources: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Files of runs: `run_id, attempt`, what they are, and the parts of their path."""
    files = sources.filter((pl.col("kind") == "file") & pl.col("sha256").is_not_null())
    joined = members.select("source_id", "run_id", "attempt").join(files, on="source_id", how="inner")
    return joined.select(
        "run_id",
        "attempt",
        file_sha256="sha256",
        file_size="size_bytes",
        file_verdict="verdict",
        file_ref=pl.format("{}:0+{}", "source_id", "size_bytes"),
        _parts=pl.col("path").str.replace_all("!/", "/", literal=True).str.split("/"),
    )


def _end(parts: int) -> pl.Expr:
    """The last `parts` parts of a path; null for a shorter path."""
    enough = pl.col("_parts").list.len() >= parts
    return pl.when(enough).then(pl.col("_parts").list.tail(parts).list.join("/"))


def covered_folders(claims: pl.DataFrame, present: pl.DataFrame) -> pl.DataFrame:
    """`run_id, attempt, folder`: folders of an attempt of which the archive holds at least one claimed artifact."""
    there = claims.join(present.select("run_id", "artifact_id", "attempt"), on=["run_id", "artifact_id"], how="inner")
    own = pl.col("attempt_right").is_null() | pl.col("attempt").eq_missing(pl.col("attempt_right"))
    rows = there.filter(own).select("run_id", "attempt", folder=folder_of(pl.col("path")))
    return rows.filter(pl.col("folder").is_not_null()).unique()


def folder_of(path: pl.Expr) -> pl.Expr:
    """The folder of a path; null for a path without one."""
    return path.str.extract(r"^(.+)/[^/]+$")
