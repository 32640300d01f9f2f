"""What could have been seen: which sources are able to carry which kind of event, and how long they reach."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from runcase.analysis.selection import of_kind
from runcase.analysis.view import CaseView
from runcase.model.case import Facts
from runcase.model.kinds import WORK_KINDS

FAMILIES: dict[str, tuple[str, ...]] = {
    "queue": ("run.created", "attempt.claimed", "invocation"),
    "worker": (*WORK_KINDS, "attempt.started", "workspace.ready", "upload", "exit", "retry"),
    "artifact": ("artifact",),
    "status": ("run.finished", *WORK_KINDS, "attempt.started", "workspace.ready", "upload", "exit"),
}
"""Kinds that come from the same writer: a source that carries one of them is able to carry the others."""

_LEAF = pl.col("path").str.extract(r"([^/]+)$")

DAMAGED = ("truncated", "corrupt", "encrypted", "over_budget", "unsupported")
"""Verdicts of sources that prove no absence."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Sources of each run with what they are able to carry.

    `rows`: `run_id, attempt` (null: all of the run), `source_id, leaf, first_ts, last_ts, damaged`, and one boolean a
    family of `FAMILIES`.
    """

    rows: pl.DataFrame

    def verdicts(self, wanted: pl.DataFrame, family: str) -> pl.DataFrame:
        """Adds `verdict` and `searched` to absences.

        Args:
            wanted: One row an absence: `run_id, attempt, since` (the event was due after it; null: at any time).
            family: What would have carried the event.
        """
        rows = wanted.with_row_index("_n")
        able = self.rows.filter(pl.col(family)).select(
            "run_id", "leaf", "damaged", _reach="last_ts", _attempt="attempt"
        )
        joined = rows.join(able, on="run_id", how="left", maintain_order="left")
        own = pl.col("_attempt").is_null() | pl.col("attempt").is_null() | (pl.col("_attempt") == pl.col("attempt"))
        joined = joined.filter(own.fill_null(value=True))
        reaches = pl.col("since").is_null() | (pl.col("_reach") >= pl.col("since"))
        covers = pl.col("leaf").is_not_null() & ~pl.col("damaged") & reaches
        found = joined.group_by("_n", maintain_order=True).agg(
            _proven=covers.fill_null(value=False).any(),
            _searched=pl.col("leaf").drop_nulls().unique().sort().str.join(", "),
            _damaged=pl.col("damaged").any(),
        )
        rows = rows.join(found, on="_n", how="left", maintain_order="left")
        return rows.with_columns(verdict=_verdict(), searched=_searched_text()).drop(
            "_n", "_proven", "_searched", "_damaged"
        )


WINDOW_FAMILIES: dict[str, str] = {
    "no_run_created": "queue",
    "no_claim": "queue",
    "no_workspace_ready": "worker",
    "no_first_work_event": "worker",
    "no_final_artifact": "artifact",
    "no_status_writeback": "status",
}
"""Why a boundary is absent -> what would have carried it; other codes are searched among the worker's sources."""


def with_searched(windows: pl.DataFrame, able: Reach) -> pl.DataFrame:
    """WINDOWS in which each absent boundary says which sources were searched."""
    family = pl.col("reason").replace_strict(WINDOW_FAMILIES, default="worker", return_dtype=pl.String)
    absent = (pl.col("kind") == "window") & pl.col("state").is_in(["open", "absent"])
    rows = windows.with_row_index("_w").with_columns(since=pl.col("start"), _family=pl.when(absent).then(family))
    told = [
        able.verdicts(rows.filter(pl.col("_family") == name).drop("searched"), name).select("_w", _said="searched")
        for name in sorted(set(WINDOW_FAMILIES.values()))
    ]
    joined = rows.join(pl.concat(told), on="_w", how="left", maintain_order="left")
    return joined.with_columns(searched=pl.coalesce("searched", "_said")).select(windows.columns)


def _verdict() -> pl.Expr:
    proven = pl.col("_proven").fill_null(value=False)
    return pl.when(proven).then(pl.lit("absent_proven")).otherwise(pl.lit("not_observable"))


def _searched_text() -> pl.Expr:
    """The sources that were searched, and why they prove nothing where they do not."""
    nothing = pl.col("_searched").is_null() | (pl.col("_searched") == "")
    why = (
        pl.when(pl.col("_proven").fill_null(value=False))
        .then(pl.lit(""))
        .when(pl.col("_damaged").fill_null(value=False))
        .then(pl.lit(", which is incomplete"))
        .otherwise(pl.lit(", which does not reach beyond that instant"))
    )
    return (
        pl.when(nothing)
        .then(pl.lit("no source of the run carries such events"))
        .otherwise(pl.concat_str(pl.lit("searched "), "_searched", why))
    )


def carriers(facts: Facts) -> pl.DataFrame:
    """`leaf` and one boolean a family of `FAMILIES`: file names of a case of which some source carries it.

    Other names carry none.
    """
    kinds = facts.events.select("source_id", "kind").unique().collect(engine="streaming")
    carries = {name: of_kind(pl.col("kind"), kinds) for name, kinds in FAMILIES.items()}
    claims = facts.artifacts.select("source_id").unique().collect()
    carries["artifact"] |= pl.col("source_id").is_in(claims["source_id"].implode())
    sources = facts.sources.select("source_id", leaf=_LEAF).collect()
    named = sources.join(kinds, on="source_id", how="left").with_columns(pl.col("kind").fill_null(""))
    by_leaf = named.group_by("leaf").agg(carries[name].any().alias(name) for name in FAMILIES)
    return by_leaf.filter(pl.any_horizontal(*FAMILIES)).sort("leaf")


def reach(view: CaseView, carriers: pl.DataFrame) -> Reach:
    """What the sources of each run are able to carry.

    A source is able to carry a family when it does so, or when a source of the
    same file name does so elsewhere in the case (the log of another attempt).

    Args:
        view: Some runs of a case.
        carriers: As `carriers` yields it, of the whole case.
    """
    sources = view.sources.select(
        "source_id", "first_ts", "last_ts", leaf=_LEAF, damaged=pl.col("verdict").is_in(DAMAGED)
    )
    rows = view.members.filter(pl.col("basis") != "sibling").select("run_id", "attempt", "source_id")
    rows = rows.join(sources, on="source_id", how="left", maintain_order="left")
    rows = rows.join(carriers, on="leaf", how="left", maintain_order="left")
    return Reach(rows.with_columns(pl.col(name).fill_null(value=False) for name in FAMILIES))
