"""Artifacts of each run: claims weighed against the files in the archive and against each other."""

from __future__ import annotations

import polars as pl

from runcase.analysis.presence import covered_folders, folder_of, present_files
from runcase.model.tables import STATES

MAX_REFS = 8

NEVER_MADE = "it was announced and never made"
"""`state_text` of an artifact that is missing because nothing but an announcement speaks of it."""

KEY = ["run_id", "artifact_id"]


def states(claims: pl.DataFrame, sources: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """STATES: one row an artifact of a run; later attempts' claims outweigh earlier ones'.

    Args:
        claims: As `claims.claims_of_runs` yields them.
        sources: SOURCES.
        members: MEMBERS.
    """
    present = present_files(claims, sources, members)
    said = _said(claims)
    rows = said.join(present.drop("attempt"), on=KEY, how="left", maintain_order="left")
    rows = rows.join(_consumers(claims), on=KEY, how="left", maintain_order="left")
    rows = rows.join(_listing_attempts(claims), on="run_id", how="left", maintain_order="left")
    folders = covered_folders(claims, present).with_columns(_folder_there=pl.lit(value=True))
    rows = rows.with_columns(folder=folder_of(pl.col("path"))).join(
        folders, on=["run_id", "attempt", "folder"], how="left", maintain_order="left", nulls_equal=True
    )
    weighed = rows.with_columns(state=_state(), state_text=_text())
    refs = pl.concat_list("refs", pl.concat_list("file_ref").list.drop_nulls()).list.unique(maintain_order=True)
    whole = weighed.with_columns(
        refs=refs,
        size_bytes=pl.coalesce("size_bytes", "file_size"),
        consumers=pl.col("consumers").fill_null([]),
    )
    return STATES.fill(whole).sort(STATES.key)


def without_payloads(found: pl.DataFrame, sources: pl.DataFrame, tombstones: pl.DataFrame) -> pl.DataFrame:
    """STATES in which an artifact whose file a retention policy deleted has expired; its digest remains.

    What was wrong with a file stays wrong with it.

    Args:
        found: STATES.
        sources: SOURCES.
        tombstones: TOMBSTONES.
    """
    gone = tombstones.filter(pl.col("class") == "payloads").select("source_id", "as_of")
    files = sources.join(gone, on="source_id", how="inner").select(
        "as_of", refs=pl.format("{}:0+{}", "source_id", "size_bytes")
    )
    cited = found.select(*KEY, "refs").explode("refs").join(files, on="refs", how="inner")
    days = cited.group_by(KEY).agg(pl.col("as_of").min())
    rows = found.join(days, on=KEY, how="left", maintain_order="left")
    expired = pl.col("as_of").is_not_null() & pl.col("state").is_in(["verified", "unlisted", "claimed"])
    text = pl.format("a retention policy deleted the file as of {}; its digest remains", pl.col("as_of"))
    return rows.with_columns(
        state=pl.when(expired).then(pl.lit("expired")).otherwise("state"),
        state_text=pl.when(expired).then(text).otherwise("state_text"),
    ).select(found.columns)


def _said(claims: pl.DataFrame) -> pl.DataFrame:
    """What the claims on each artifact say; the manifest knows its role best, its last writer the rest."""
    tried = claims.with_columns(_try=pl.col("attempt").fill_null(0))
    rows = tried.sort(*KEY, "_try", "ts", nulls_last=False, maintain_order=True)
    written, listed = pl.col("action") == "written", pl.col("action") == "listed"
    made = written | listed
    last = pl.col("_try") == pl.col("_try").filter(made).max()
    digests = pl.col("checksum").filter(made & last).drop_nulls().unique(maintain_order=True)
    grouped = rows.group_by(KEY, maintain_order=True)
    return grouped.agg(
        kind=pl.coalesce(
            pl.col("role").filter(pl.col("role") == "final").first(),
            pl.col("role").filter(listed).drop_nulls().last(),
            pl.col("role").drop_nulls().last(),
        ),
        path=pl.col("path").drop_nulls().last(),
        size_bytes=pl.coalesce(
            pl.col("size_bytes").filter(made).drop_nulls().last(), pl.col("size_bytes").drop_nulls().last()
        ),
        checksum=pl.coalesce(digests.last(), pl.col("checksum").drop_nulls().last()),
        producer=pl.coalesce(
            pl.col("stage").filter(written).drop_nulls().last(), pl.col("stage").filter(listed).last()
        ),
        attempt=pl.col("attempt").filter(made).drop_nulls().last(),
        written_at=pl.col("ts").filter(written).last(),
        refs=pl.concat_list(
            _in_time(pl.col("ref"), made).unique(maintain_order=True).tail(MAX_REFS - 2).implode(),
            pl.col("ref").filter(~made).unique(maintain_order=True).head(2).implode(),
        ).first(),
        _written=written.any(),
        _listed=listed.any(),
        _made=made.any(),
        _expected_only=(pl.col("action") == "expected").all(),
        _expired=(pl.col("action") == "expired").any(),
        _digests=digests.len(),
    )


def _in_time(ref: pl.Expr, which: pl.Expr) -> pl.Expr:
    """Refs of claims in the order of time, those that state none after them."""
    return ref.filter(which).sort_by(pl.col("ts").filter(which), nulls_last=True, maintain_order=True)


def _consumers(claims: pl.DataFrame) -> pl.DataFrame:
    """`run_id, artifact_id, consumers`: stages that read each artifact, or made something out of it."""
    staged = claims.filter(pl.col("stage").is_not_null())
    read = staged.filter(pl.col("action") == "read").select(*KEY, "stage")
    origins = staged.explode("derived_from").filter(pl.col("derived_from").is_not_null())
    both = pl.concat([read, origins.select("run_id", pl.col("derived_from").alias("artifact_id"), "stage")])
    return both.group_by(KEY).agg(consumers=pl.col("stage").unique().sort())


def _listing_attempts(claims: pl.DataFrame) -> pl.DataFrame:
    """`run_id, _manifest`: attempts that a manifest covers; 0 for a manifest of the run as a whole."""
    listed = claims.filter(pl.col("action") == "listed")
    return listed.group_by("run_id").agg(_manifest=pl.col("attempt").fill_null(0).unique().sort())


def _mismatch() -> pl.Expr:
    by_digest = pl.col("checksum").str.starts_with("sha256:") & (
        pl.col("checksum") != pl.concat_str(pl.lit("sha256:"), "file_sha256")
    )
    by_size = pl.col("checksum").is_null() & (pl.col("size_bytes") != pl.col("file_size"))
    whole = pl.col("file_verdict").is_in(["ok", "binary", "empty"])
    among_claims = pl.col("file_ref").is_null() & (pl.col("_digests") > 1)
    return (whole & (by_digest | by_size)).fill_null(value=False) | among_claims


def _unlisted() -> pl.Expr:
    """Written in an attempt that a manifest covers, and not in it."""
    covered = pl.col("_manifest").list.contains(pl.col("attempt").fill_null(0)) | pl.col("_manifest").list.contains(0)
    return (pl.col("_written") & ~pl.col("_listed") & covered).fill_null(value=False)


def _missing() -> pl.Expr:
    """No file, although the archive holds others of its folder; or announced and never made."""
    gone = pl.col("file_ref").is_null() & pl.col("_made") & pl.col("_folder_there").fill_null(value=False)
    return gone | pl.col("_expected_only")


def _deleted() -> pl.Expr:
    """Some record says that it was deleted, and no file contradicts that."""
    return pl.col("_expired") & pl.col("file_ref").is_null()


def _damaged() -> pl.Expr:
    return pl.col("file_ref").is_not_null() & ~pl.col("file_verdict").is_in(["ok", "binary", "empty"])


def _state() -> pl.Expr:
    return (
        pl.when(_deleted())
        .then(pl.lit("expired"))
        .when(_mismatch())
        .then(pl.lit("mismatch"))
        .when(_missing())
        .then(pl.lit("missing"))
        .when(_unlisted())
        .then(pl.lit("unlisted"))
        .when(pl.col("file_ref").is_not_null() & ~_damaged())
        .then(pl.lit("verified"))
        .otherwise(pl.lit("claimed"))
    )


def _text() -> pl.Expr:
    """One sentence: what the state rests on."""
    digest = pl.col("checksum").str.starts_with("sha256:").fill_null(value=False)
    there = pl.col("file_ref").is_not_null()
    return (
        pl.when(_deleted())
        .then(pl.lit("a record says that it was deleted, and the archive does not hold it"))
        .when(_mismatch() & ~there)
        .then(pl.lit("two claims of the same attempt state different checksums"))
        .when(_mismatch() & digest)
        .then(pl.format("the file in the archive has sha256 {}, the claim says otherwise", "file_sha256"))
        .when(_mismatch())
        .then(pl.format("the file in the archive has {} bytes, the claim says {}", "file_size", "size_bytes"))
        .when(pl.col("_expected_only"))
        .then(pl.lit(NEVER_MADE))
        .when(_missing())
        .then(pl.lit("the archive holds other files of its folder, but not this one"))
        .when(_unlisted() & there)
        .then(pl.lit("the file is in the archive and was written, but the manifest has no row for it"))
        .when(_unlisted())
        .then(pl.lit("it was written, but the manifest has no row for it"))
        .when(_damaged())
        .then(pl.lit("the file in the archive is damaged and proves nothing"))
        .when(there & digest)
        .then(pl.lit("the file in the archive has the checksum that is claimed"))
        .when(there)
        .then(pl.lit("the file is in the archive; no checksum is claimed"))
        .when(pl.col("path").is_null())
        .then(pl.lit("it is claimed; no path is stated"))
        .otherwise(pl.lit("it is claimed; the archive does not hold its folder"))
    )
