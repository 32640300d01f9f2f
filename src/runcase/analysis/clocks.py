"""How far the clocks of sources stand apart, by what must have come before what."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from runcase.analysis.clock_order import CONSTRAINTS, SHARED_SLACK_US, STEPS, constraints
from runcase.analysis.clock_solver import Edge, Hints, Impossible, Offset, solve
from runcase.analysis.selection import of_kind
from runcase.model.refs import ref_of

_SKEWS = pl.Schema(
    {
        "source_id": pl.String(),
        "clock": pl.String(),
        "reference_id": pl.String(),
        "offset_us": pl.Int64(),
        "lo_us": pl.Int64(),
        "hi_us": pl.Int64(),
        "refs": pl.List(pl.String()),
    }
)
_IMPOSSIBLE = pl.Schema({"clocks": pl.List(pl.String()), "refs": pl.List(pl.String())})


@dataclass(frozen=True, slots=True)
class Clocks:
    """Corrections and impossibilities.

    `skews`: `source_id, clock, reference_id, offset_us` (to add), `lo_us, hi_us` (its bounds; null: unbounded), `refs`.
    `impossible`: `clocks, refs`: clocks that no offsets reconcile; they are left as they are.
    `bounds`: the strictest `clock_order.CONSTRAINTS` between two clocks.
    `groups`: `source_id, clock` of each source.
    """

    skews: pl.DataFrame
    impossible: pl.DataFrame
    bounds: pl.DataFrame
    groups: pl.DataFrame

    @property
    def doubt(self) -> pl.DataFrame:
        """`source_id, clock, early_us, late_us`: how much before and after its corrected time an event may have been.

        Only sources whose clock was corrected; null: not bounded. Within one clock nothing is in doubt.
        """
        return self.skews.select(
            "source_id",
            "clock",
            early_us=pl.col("offset_us") - pl.col("lo_us"),
            late_us=pl.col("hi_us") - pl.col("offset_us"),
        )

    def corrected(self, rows: pl.LazyFrame, *columns: str) -> pl.LazyFrame:
        """Rows with the instants of `columns` shifted by the offset of their source's clock."""
        if self.skews.is_empty():
            return rows
        names = rows.collect_schema().names()
        offsets = self.skews.lazy().select("source_id", "offset_us")
        joined = rows.join(offsets, on="source_id", how="left", maintain_order="left")
        shift = pl.duration(microseconds=pl.col("offset_us").fill_null(0))
        shifted = [(pl.col(c) + shift).alias(c) for c in columns]
        if "ts_basis" in names:
            moved = pl.col("offset_us").is_not_null() & pl.col("ts").is_not_null()
            shifted.append(pl.when(moved).then(pl.lit("skew_corrected")).otherwise("ts_basis").alias("ts_basis"))
        return joined.with_columns(shifted).select(names)


DOUBTS = ("_start_early", "_start_late", "_end_early", "_end_late")


def doubted(spans: pl.DataFrame, doubt: pl.DataFrame) -> pl.DataFrame:
    """Adds `DOUBTS` to rows with `start_ref` and `end_ref`: how far corrections may move either, microseconds.

    Null: not bounded. All 0 where both are on one clock, for it cannot be off against itself.
    """
    rows = spans
    for side in ("start", "end"):
        rows = rows.with_columns(_source=pl.col(f"{side}_ref").str.split(":").list.first())
        known = doubt.select(
            _source="source_id",
            **{f"_{side}_clock": "clock", f"_{side}_early": "early_us", f"_{side}_late": "late_us"},
        )
        rows = rows.join(known, on="_source", how="left", maintain_order="left")
    apart = pl.col("_start_clock").ne_missing(pl.col("_end_clock"))
    counts = {c: pl.col(c[: c.rindex("_")] + "_clock").is_not_null() & apart for c in DOUBTS}
    return rows.with_columns(pl.when(counts[c]).then(pl.col(c)).otherwise(0).alias(c) for c in DOUBTS)


def _groups(sources: pl.DataFrame, pieces: pl.DataFrame) -> pl.DataFrame:
    """`source_id, clock`: pieces of one rotated log were stamped by one clock; any other source has its own."""
    newest = pieces.select("source_id", clock="newest_id")
    joined = sources.select("source_id").join(newest, on="source_id", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("clock", "source_id").alias("clock"))


def clocks(
    marks: pl.DataFrame,
    signs: pl.DataFrame,
    claims: pl.DataFrame,
    spans: pl.DataFrame,
    sources: pl.DataFrame,
    pieces: pl.DataFrame,
) -> Clocks:
    """Skews between clocks that causal constraints prove; nothing is corrected that need not be.

    Args:
        marks: As `marks.marks` yields them.
        signs: As `signs.signs` yields them.
        claims: ARTIFACTS with runs assigned; written before read.
        spans: SPANS; a cause begins before what it causes.
        sources: SOURCES.
        pieces: `rotation.PIECES`: parts of one rotated log have one clock.
    """
    groups = _groups(sources, pieces)
    bounds, shared = constraints(*(_by_clock(rows, groups) for rows in (marks, signs, claims, spans)))
    if bounds.filter(pl.col("bound") > 0).is_empty():
        return Clocks(pl.DataFrame(schema=_SKEWS), pl.DataFrame(schema=_IMPOSSIBLE), bounds, groups)
    edges = [Edge(a, b, n, tuple(refs)) for a, b, n, refs in bounds.select(CONSTRAINTS.names()).iter_rows()]
    offsets, impossible = solve(edges, Hints(_wished(shared), _places(marks, sources, groups)))
    skews = pl.DataFrame([_skew(o) for o in offsets], schema={n: t for n, t in _SKEWS.items() if n != "source_id"})
    spread = skews.join(groups, on="clock", how="inner", maintain_order="left")
    return Clocks(spread.select(_SKEWS.names()), _frame(impossible), bounds, groups)


def _places(marks: pl.DataFrame, sources: pl.DataFrame, groups: pl.DataFrame) -> dict[str, str]:
    """Clock -> folder, of sources that note steps of attempts."""
    steps = marks.filter(of_kind(pl.col("kind"), [k for kinds in STEPS for k in kinds]))
    folder = pl.coalesce(pl.col("path").str.extract(r"^(.*)[/!]"), "path")
    found = sources.join(steps, on="source_id", how="semi").select("source_id", folder=folder)
    return dict(found.join(groups, on="source_id").select("clock", "folder").sort("clock", "folder").iter_rows())


def _by_clock(rows: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Rows that name the clock in place of their source, with the place that they really have as `ref`."""
    placed = rows.with_columns(ref=ref_of())
    joined = placed.join(groups, on="source_id", how="left", maintain_order="left")
    return joined.with_columns(source_id=pl.coalesce("clock", "source_id")).drop("clock")


def _wished(shared: pl.DataFrame) -> dict[tuple[str, str], int]:
    """(early, late) -> the median by which `late` notes the same instants before `early`, microseconds."""
    median = (pl.col("bound") + SHARED_SLACK_US).median().round(0).cast(pl.Int64)
    rows = shared.group_by("early", "late").agg(median.alias("median")).sort("early", "late")
    return {(early, late): by for early, late, by in rows.iter_rows()}


def _skew(found: Offset) -> dict[str, object]:
    return {
        "clock": found.clock,
        "reference_id": found.reference,
        "offset_us": found.by_us,
        "lo_us": found.lo_us,
        "hi_us": found.hi_us,
        "refs": list(found.refs),
    }


def _frame(impossible: list[Impossible]) -> pl.DataFrame:
    rows = [{"clocks": list(i.clocks), "refs": list(i.refs)} for i in impossible]
    return pl.DataFrame(rows, schema=_IMPOSSIBLE)
