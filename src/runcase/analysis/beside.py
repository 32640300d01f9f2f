"""Sources that say of no run that they belong to it, and lie in its folder or workspace."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import polars as pl

from runcase.analysis.naming import leaf_folder

COLUMNS = ("source_id", "run_id", "attempt", "basis")

_SLASH = re.compile("/")


def housed(
    sources: pl.DataFrame, placed: Collection[str], by_id: Mapping[str, pl.DataFrame], schema: pl.Schema
) -> pl.DataFrame:
    """Sources in no other way placed, in a folder that is the workspace of a run; columns as `schema`."""
    runs = dict(by_id["workspace_id"].select("workspace_id", "run_id").iter_rows()) if "workspace_id" in by_id else {}
    rows: list[dict[str, object]] = []
    files = sources.filter((pl.col("kind") == "file") & (pl.col("role") != "container")) if runs else sources.clear()
    known = set(placed)
    for sid, path in files.select("source_id", "path").iter_rows():
        homes = (path[: m.start()] for m in reversed(list(_SLASH.finditer(path)))) if sid not in known else ()
        run = next((runs[home] for home in homes if home in runs), None)
        if run is not None:
            rows.append({"source_id": sid, "run_id": run, "attempt": None, "basis": "path"})
    return pl.DataFrame(rows, schema=schema)


def lying_beside(
    sources: pl.DataFrame, named: pl.DataFrame, joined: pl.DataFrame, duplicates: pl.DataFrame
) -> pl.DataFrame:
    """Sources that name no run and are none, in the nearest folder under which exactly one run has sources."""
    members = joined.select("source_id", "run_id", "attempt")
    rest = named.filter(pl.col("run_id").is_not_null()).select("source_id", "run_id", "attempt").unique()
    folders = _folders(sources, pl.concat([members, rest]).unique().sort("source_id", "run_id", "attempt"))
    placed = {*members["source_id"], *rest["source_id"], *duplicates["source_id"]}
    rows: list[dict[str, object]] = []
    for s in sources.filter((pl.col("kind") == "file") & (pl.col("role") != "container")).iter_rows(named=True):
        if s["source_id"] in placed:
            continue
        run, attempt = _nearest(leaf_folder(s["path"]), folders)
        if run is not None:
            rows.append({"source_id": s["source_id"], "run_id": run, "attempt": attempt, "basis": "sibling"})
    return pl.DataFrame(rows, schema={c: joined.schema[c] for c in COLUMNS})


def _folders(sources: pl.DataFrame, members: pl.DataFrame) -> dict[tuple[str, ...], dict[str, set[int | None]]]:
    """Folder -> runs that have sources anywhere under it -> their attempts there."""
    paths = dict(zip(sources["source_id"], sources["path"], strict=True))
    folders: dict[tuple[str, ...], dict[str, set[int | None]]] = {}
    for sid, run, attempt in members.iter_rows():
        folder = leaf_folder(paths[sid])
        for n in range(len(folder) + 1):
            folders.setdefault(folder[:n], {}).setdefault(run, set()).add(attempt)
    return folders


def _nearest(
    folder: tuple[str, ...], folders: dict[tuple[str, ...], dict[str, set[int | None]]]
) -> tuple[str | None, int | None]:
    """The one run of the nearest folder that has any, and its attempt there if there is one."""
    for n in range(len(folder), -1, -1):
        runs = folders.get(folder[:n])
        if runs:
            if len(runs) != 1:
                return None, None
            run, attempts = next(iter(runs.items()))
            return run, next(iter(attempts)) if len(attempts) == 1 else None
    return None, None
