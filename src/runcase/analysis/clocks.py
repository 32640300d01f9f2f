"""How far the clocks of sources stand apart, by what must have come before what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from runcase.analysis.selection import of_kind
from runcase.model.kinds import WORK_KINDS

STEPS: tuple[tuple[str, ...], ...] = (
    ("run.created", "invocation.queued"),
    ("attempt.claimed", "invocation.claimed"),
    ("attempt.started",),
    ("workspace.ready",),
    WORK_KINDS,
)
"""Steps of an attempt in the only order that is possible; the first event of each counts."""

SHARED = ("run.created", "attempt.claimed", "attempt.started", "workspace.ready", "run.finished")
"""Kinds that happen once an attempt: two sources that report one speak of the same instant."""

SHARED_SLACK_US = 10_000_000
"""How far apart two sources may note the same instant without a clock being wrong."""

UNBOUNDED = 1 << 62

_PAIR = ("run_id", "attempt")


@dataclass(frozen=True, slots=True)
class Clocks:
    """Corrections and impossibilities.

    `skews`: `source_id, reference_id, offset_us` (to add), `lo_us, hi_us` (its bounds; null: unbounded), `refs`.
    `impossible`: `source_id, reference_id, refs`: no offset satisfies all constraints; the source is left as it is.
    """

    skews: pl.DataFrame
    impossible: pl.DataFrame

    def corrected(self, rows: pl.LazyFrame, *columns: str) -> pl.LazyFrame:
        """Rows with the instants of `columns` shifted; `ts_lo` and `ts_hi` widen where both bounds are known."""
        if self.skews.is_empty():
            return rows
        names = rows.collect_schema().names()
        offsets = self.skews.lazy().select("source_id", "offset_us", "lo_us", "hi_us")
        joined = rows.join(offsets, on="source_id", how="left", maintain_order="left")
        by = {
            "ts_lo": pl.when(pl.col("hi_us").is_not_null()).then("lo_us").otherwise("offset_us"),
            "ts_hi": pl.when(pl.col("hi_us").is_not_null()).then("hi_us").otherwise("offset_us"),
        }
        shifted = [
            (pl.col(c) + pl.duration(microseconds=by.get(c, pl.col("offset_us")).fill_null(0))).alias(c)
            for c in columns
        ]
        if "ts_basis" in names:
            moved = pl.col("offset_us").is_not_null() & pl.col("ts").is_not_null()
            shifted.append(pl.when(moved).then(pl.lit("skew_corrected")).otherwise("ts_basis").alias("ts_basis"))
        return joined.with_columns(shifted).select(names)


_SKEWS = pl.Schema(
    {
        "source_id": pl.String(),
        "reference_id": pl.String(),
        "offset_us": pl.Int64(),
        "lo_us": pl.Int64(),
        "hi_us": pl.Int64(),
        "refs": pl.List(pl.String()),
    }
)


def clock_groups(sources: pl.DataFrame, pieces: pl.DataFrame) -> pl.DataFrame:
    """`source_id, clock`: pieces of one rotated log were stamped by one clock; any other source has its own."""
    newest = pieces.select("source_id", clock="newest_id")
    joined = sources.select("source_id").join(newest, on="source_id", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("clock", "source_id").alias("clock"))


def clocks(marks: pl.DataFrame, claims: pl.DataFrame, sources: pl.DataFrame, pieces: pl.DataFrame) -> Clocks:
    """As `solved`, with one clock for all `pieces` of a log (`rotation.PIECES`)."""
    groups = clock_groups(sources, pieces)
    found = solved(*(_by_clock(rows, groups) for rows in (marks, claims)))
    if found.skews.is_empty():
        return found
    members = groups.rename({"source_id": "_member", "clock": "source_id"})
    spread = found.skews.join(members, on="source_id", how="inner", maintain_order="left")
    return Clocks(spread.with_columns(source_id="_member").select(_SKEWS.names()), found.impossible)


def _by_clock(rows: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Rows that name the clock in place of their source, with the place that they really have as `ref`."""
    placed = rows.with_columns(ref=pl.format("{}:{}+{}", "source_id", "byte_start", "byte_len"))
    joined = placed.join(groups, on="source_id", how="left", maintain_order="left")
    return joined.with_columns(source_id=pl.coalesce("clock", "source_id")).drop("clock")


def solved(marks: pl.DataFrame, claims: pl.DataFrame) -> Clocks:
    """Skews between sources that causal constraints prove; nothing is corrected that need not be.

    Args:
        marks: As `marks.marks` yields them, `source_id` naming a clock.
        claims: ARTIFACTS with runs assigned and `ref`; written before read.
    """
    shared = _shared(marks)
    bounds = _bounds(pl.concat([_steps(marks), shared, _written_before_read(claims)]))
    if bounds.filter(pl.col("bound") > 0).is_empty():
        return Clocks(pl.DataFrame(schema=_SKEWS), pl.DataFrame(schema=_SKEWS))
    noted = _noted(shared)
    edges: dict[str, dict[str, tuple[int, list[str]]]] = {}
    for early, late, bound, refs in bounds.select("early", "late", "bound", "refs").iter_rows():
        edges.setdefault(early, {})[late] = (bound, refs)
    skews: list[dict[str, object]] = []
    impossible: list[dict[str, object]] = []
    for reference, nodes in _components(edges):
        low, high = _longest(edges, reference), _longest(_reversed(edges), reference)
        for node in sorted(nodes - {reference}):
            row = _offset(node, reference, low.get(node), high.get(node), noted.get((reference, node)))
            if row is not None:
                (impossible if row["offset_us"] is None else skews).append(row)
    return Clocks(pl.DataFrame(skews, schema=_SKEWS), pl.DataFrame(impossible, schema=_SKEWS))


# --- constraints ----------------------------------------------------------------------------------


def _steps(marks: pl.DataFrame) -> pl.DataFrame:
    """Of each attempt, each step of a source against each later step of another source."""
    timed = marks.filter(pl.col("own_attempt").is_not_null() & pl.col("ts_lo").is_not_null())
    firsts = []
    for rank, kinds in enumerate(STEPS):
        rows = timed.filter(of_kind(pl.col("kind"), kinds)).sort("ts_lo", "order")
        first = rows.group_by("run_id", "own_attempt", "source_id", maintain_order=True).first()
        firsts.append(first.select("run_id", "own_attempt", "source_id", "ts_lo", "ts_hi", "ref", rank=pl.lit(rank)))
    steps = pl.concat(firsts)
    earliest = steps.sort("rank", "ts_lo").unique(["run_id", "own_attempt", "source_id", "rank"], keep="first")
    pairs = earliest.join(earliest, on=["run_id", "own_attempt"], how="inner", suffix="_b")
    ordered = pairs.filter((pl.col("rank") < pl.col("rank_b")) & (pl.col("source_id") != pl.col("source_id_b")))
    return _constraint(ordered, 0)


def _shared(marks: pl.DataFrame) -> pl.DataFrame:
    """Two sources that note the same single event, each bounding the other."""
    once = marks.filter(
        of_kind(pl.col("kind"), SHARED) & pl.col("own_attempt").is_not_null() & pl.col("ts_lo").is_not_null()
    )
    first = once.group_by("run_id", "own_attempt", "kind", "source_id", maintain_order=True).first()
    keys = ["run_id", "own_attempt", "kind"]
    rows = first.select(*keys, "source_id", "ts_lo", "ts_hi", "ref")
    pairs = rows.join(rows, on=keys, how="inner", suffix="_b").filter(pl.col("source_id") != pl.col("source_id_b"))
    return _constraint(pairs, SHARED_SLACK_US)


def _written_before_read(claims: pl.DataFrame) -> pl.DataFrame:
    timed = claims.filter(pl.col("ts").is_not_null() & pl.col("run_id").is_not_null()).sort("ts")
    rows = timed.select(*_PAIR, "artifact_id", "action", "source_id", "ref", ts_lo="ts", ts_hi="ts")
    keys = [*_PAIR, "artifact_id"]
    written = rows.filter(pl.col("action") == "written").unique(keys, keep="first", maintain_order=True)
    read = rows.filter(pl.col("action") == "read")
    pairs = written.join(read, on=keys, how="inner", suffix="_b", nulls_equal=True)
    return _constraint(pairs.filter(pl.col("source_id") != pl.col("source_id_b")), 0)


def _constraint(pairs: pl.DataFrame, slack_us: int) -> pl.DataFrame:
    """`early, late, bound, refs`: `late`'s clock must be moved against `early`'s by at least `bound` microseconds."""
    bound = (pl.col("ts_lo") - pl.col("ts_hi_b")).dt.total_microseconds() - slack_us
    return pairs.select(
        early="source_id", late="source_id_b", bound=bound.cast(pl.Int64), refs=pl.concat_list("ref", "ref_b")
    )


def _bounds(constraints: pl.DataFrame) -> pl.DataFrame:
    """The strictest constraint of each pair of sources."""
    proof = pl.col("refs").list.first()
    ordered = constraints.sort("early", "late", -pl.col("bound"), proof)
    return ordered.unique(["early", "late"], keep="first", maintain_order=True)


# --- solving --------------------------------------------------------------------------------------


def _components(edges: Mapping[str, Mapping[str, tuple[int, list[str]]]]) -> list[tuple[str, set[str]]]:
    """Connected sources, each with its reference: the one with most neighbours, which most others are seen against."""
    near: dict[str, set[str]] = {}
    for early, lates in edges.items():
        for late in lates:
            near.setdefault(early, set()).add(late)
            near.setdefault(late, set()).add(early)
    found, seen = [], set[str]()
    for start in sorted(near):
        if start in seen:
            continue
        nodes, waiting = {start}, [start]
        while waiting:
            fresh = near[waiting.pop()] - nodes
            nodes |= fresh
            waiting += fresh
        seen |= nodes
        violated = any(edges.get(a, {}).get(b, (0, []))[0] > 0 for a in nodes for b in near[a])
        if violated:
            found.append((_reference(nodes, near, edges), nodes))
    return found


def _reference(
    nodes: set[str], near: Mapping[str, set[str]], edges: Mapping[str, Mapping[str, tuple[int, list[str]]]]
) -> str:
    """The source with most neighbours; among equals the one that comes first in the order of steps."""
    return min(nodes, key=lambda n: (-len(near[n]), -len(edges.get(n, {})), n))


def _reversed(
    edges: Mapping[str, Mapping[str, tuple[int, list[str]]]],
) -> dict[str, dict[str, tuple[int, list[str]]]]:
    turned: dict[str, dict[str, tuple[int, list[str]]]] = {}
    for early, lates in edges.items():
        for late, edge in lates.items():
            turned.setdefault(late, {})[early] = edge
    return turned


def _longest(edges: Mapping[str, Mapping[str, tuple[int, list[str]]]], start: str) -> dict[str, tuple[int, list[str]]]:
    """The strictest bound of every source against `start`, along chains of constraints, with the last proof.

    A cycle of constraints that demands ever more ends after as many rounds as
    there are sources; the bounds it leaves exclude each other.
    """
    best: dict[str, tuple[int, list[str]]] = {start: (0, [])}
    waiting = [start]
    rounds: dict[str, int] = {}
    limit = len(edges) + 2
    while waiting:
        node = waiting.pop(0)
        for other in sorted(edges.get(node, {})):
            bound, refs = edges[node][other]
            reached = best[node][0] + bound
            if (other not in best or reached > best[other][0]) and rounds.get(other, 0) < limit and other != start:
                best[other] = (reached, refs)
                rounds[other] = rounds.get(other, 0) + 1
                waiting.append(other)
    return best


def _noted(shared: pl.DataFrame) -> dict[tuple[str, str], int]:
    """(early, late) -> the median by which `late` notes the same instants before `early`, microseconds."""
    median = (pl.col("bound") + SHARED_SLACK_US).median().round(0).cast(pl.Int64)
    rows = shared.group_by("early", "late").agg(median.alias("median")).sort("early", "late")
    return {(early, late): by for early, late, by in rows.iter_rows()}


def _offset(
    node: str,
    reference: str,
    low: tuple[int, list[str]] | None,
    high: tuple[int, list[str]] | None,
    noted: int | None,
) -> dict[str, object] | None:
    """The correction within the bounds that shared instants suggest, else the least one.

    None when none is needed; a null offset when the bounds exclude each other.
    """
    lo = low[0] if low else -UNBOUNDED
    hi = -high[0] if high else UNBOUNDED
    if lo <= 0 <= hi:
        return None
    refs = [*(low[1] if low and lo > 0 else []), *(high[1] if high and hi < 0 else [])]
    row: dict[str, object] = {"source_id": node, "reference_id": reference, "refs": refs}
    row |= {"lo_us": lo if low else None, "hi_us": hi if high else None}
    least = lo if lo > 0 else hi
    return row | {"offset_us": None if lo > hi else least if noted is None else min(max(noted, lo), hi)}
