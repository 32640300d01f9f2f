"""Claims about artifacts as the analysis reads them: spelled alike, with the runs that they belong to."""

from __future__ import annotations

import re

import polars as pl

from runcase.model.naming_order import numbered
from runcase.model.refs import ref_of

MAX_RANGE = 10_000
"""Artifacts that one `first..last` may name."""

_RANGE = re.compile(r"(.*?)(\d+)\.\.(.*?)(\d+)")


def claims_of_runs(artifacts: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """ARTIFACTS of runs with `ref`; paths and checksums spelled alike, `first..last` in `derived_from` spelled out.

    What was claimed at one instant stands in the order of SOURCES.
    """
    rows = artifacts.filter(pl.col("run_id").is_not_null())
    spelled = rows.with_columns(
        ref=ref_of(),
        path=_plain_path(pl.col("path")),
        checksum=_plain_checksum(pl.col("checksum")),
        derived_from=_spelled_out(rows["derived_from"]),
    ).join(numbered(sources), on="source_id", how="left", maintain_order="left")
    key = ("run_id", "artifact_id", "ts", "_source", "source_id", "byte_start", "action")
    return spelled.sort(*key, nulls_last=False).drop("_source")


def _plain_path(path: pl.Expr) -> pl.Expr:
    """Without a leading `./` or `file://`, with `/` between parts."""
    return path.str.replace_all("\\", "/", literal=True).str.replace(r"^(?:file://)?(?:\./)+", "")


def _plain_checksum(checksum: pl.Expr) -> pl.Expr:
    """`sha256:<hex>` in lower case; 64 bare hex digits are SHA-256."""
    lower = checksum.str.strip_chars().str.to_lowercase().str.replace(r"^sha-?256[:=\-]", "sha256:")
    bare = lower.str.contains(r"^[0-9a-f]{64}$")
    return pl.when(bare).then(pl.concat_str(pl.lit("sha256:"), lower)).otherwise(lower)


def _spelled_out(lists: pl.Series) -> pl.Series:
    """Each distinct range is expanded once."""
    distinct = lists.explode().drop_nulls().unique()
    spelled = {d: members for d in distinct.to_list() if len(members := _members(d)) != 1 or members[0] != d}
    if not spelled:
        return lists
    known = pl.DataFrame({"one": list(spelled), "all": list(spelled.values())})
    rows = pl.DataFrame({"one": lists}).with_row_index("n")
    flat = rows.explode("one").filter(pl.col("one").is_not_null())
    joined = flat.join(known, on="one", how="left", maintain_order="left")
    many = pl.when(pl.col("all").is_not_null()).then("all").otherwise(pl.concat_list("one"))
    grouped = joined.with_columns(many).explode("all").group_by("n", maintain_order=True).agg("all")
    return rows.select("n").join(grouped, on="n", how="left", maintain_order="left")["all"].fill_null([])


def _members(text: str) -> list[str]:
    """`a_03..a_05` is a_03, a_04, a_05; `a, b` is a and b; anything else is itself."""
    found: list[str] = []
    for part in (p.strip() for p in text.split(",")):
        m = _RANGE.fullmatch(part)
        if m and m[1] == m[3] and 0 <= int(m[4]) - int(m[2]) < MAX_RANGE:
            found += [f"{m[1]}{n:0{len(m[2])}d}" for n in range(int(m[2]), int(m[4]) + 1)]
        elif part:
            found.append(part)
    return found
