"""Where the time of each attempt went: windows between two boundaries, and what none of them explains."""

from __future__ import annotations

import polars as pl

from runcase.analysis.boundaries import (
    WindowKind,
    boundary,
    default_windows,
    pack_windows,
    untimed,
    with_writeback,
)
from runcase.analysis.clocks import DOUBTS, doubted
from runcase.model.refs import ref_of
from runcase.model.tables import WINDOWS
from runcase.rules.language import Pack

PAIR = ["run_id", "attempt"]


def windows(
    marks: pl.DataFrame,
    spans: pl.DataFrame,
    attempts: pl.DataFrame,
    run_pack: pl.DataFrame,
    packs: tuple[Pack, ...],
    doubt: pl.DataFrame,
) -> pl.DataFrame:
    """WINDOWS of kind `window`: the default four of each attempt, and those that its pack defines.

    Args:
        marks: As `marks.marks` yields them.
        spans: SPANS with runs assigned; begin and end of a stage or a tool call are work too.
        attempts: ATTEMPTS.
        run_pack: `run_id, pack`: the pack that speaks for a run.
        packs: All packs.
        doubt: As `clocks.Clocks.doubt` yields it.
    """
    rows = with_writeback(marks)
    worked = pl.concat([rows, with_writeback(work_of_spans(spans, attempts))], how="diagonal_relaxed")
    pairs = attempts.select(PAIR).join(run_pack, on="run_id", how="left", maintain_order="left")
    defined = pack_windows(packs)
    taken = [(w.pack, w.name) for w in defined]
    frames = []
    for kind in [*default_windows(), *defined]:
        where = pairs.filter(_concerned(kind, taken))
        if not where.is_empty():
            frames.append(_window(worked if kind.pack is None else rows, where.select(PAIR), kind, doubt))
    return pl.concat(frames) if frames else WINDOWS.empty()


def work_of_spans(spans: pl.DataFrame, attempts: pl.DataFrame) -> pl.DataFrame:
    """Begins and ends of stages and tool calls that spans state, as far as `boundary` needs marks.

    A span of no single attempt counts where the run has but one.
    """
    only = attempts.group_by("run_id").agg(_only=pl.when(pl.len() == 1).then(pl.col("attempt").first()))
    rows = spans.filter(pl.col("run_id").is_not_null() & pl.col("kind").is_in(["stage", "tool"]))
    rows = rows.join(only, on="run_id", how="left", maintain_order="left")
    told = rows.select(
        "run_id", "start", "end", stage="name", in_attempt=pl.coalesce("attempt", "_only"), ref=ref_of(), sort="kind"
    )
    sides = [
        told.with_columns(ts=side, kind=pl.format("{}.{}", "sort", pl.lit(word)))
        for side, word in (("start", "started"), ("end", "finished"))
    ]
    timed = pl.concat(sides).filter(pl.col("ts").is_not_null() & pl.col("in_attempt").is_not_null())
    # beside an event at the same instant, the event is cited
    ordered = timed.sort("ts", "ref").with_columns(order=-pl.int_range(pl.len(), 0, -1, dtype=pl.Int64))
    return ordered.select("run_id", "in_attempt", "kind", "stage", "ref", "order", "ts", ts_lo="ts", ts_hi="ts")


def _concerned(kind: WindowKind, taken: list[tuple[str | None, str]]) -> pl.Expr:
    if kind.pack is not None:
        return pl.col("pack").eq_missing(pl.lit(kind.pack))
    replaced = [pack for pack, name in taken if name == kind.name]
    return ~pl.col("pack").is_in(replaced).fill_null(value=False)


def _window(marks: pl.DataFrame, pairs: pl.DataFrame, kind: WindowKind, doubt: pl.DataFrame) -> pl.DataFrame:
    starts = boundary(marks, kind.start, kind.start_last, "start")
    ends = boundary(marks, kind.end, kind.end_last, "end")
    joined = pairs.join(starts, on=PAIR, how="left", maintain_order="left")
    joined = joined.join(ends, on=PAIR, how="left", maintain_order="left")
    for side, which in (("start", kind.start), ("end", kind.end)):
        joined = joined.join(untimed(marks, which, side), on=PAIR, how="left", maintain_order="left")
    return measured(
        joined.with_columns(
            kind=pl.lit("window"),
            name=pl.lit(kind.name),
            _start_absent=_why_absent("start", kind.start_absent),
            _end_absent=_why_absent("end", kind.end_absent),
        ),
        doubt,
    )


def _why_absent(side: str, code: str) -> pl.Expr:
    """The code of an absent boundary; an event that was seen and has no time is no absence of the event."""
    return pl.when(f"{side}_untimed").then(pl.lit("not_timed")).otherwise(pl.lit(code))


def measured(spans: pl.DataFrame, doubt: pl.DataFrame) -> pl.DataFrame:
    """WINDOWS of rows with two boundaries; between two clocks, what is in doubt of them counts.

    Args:
        spans: `run_id, attempt, kind, name`, `start` and `end` with `_lo`, `_hi` and `_ref`, and the codes
            `_start_absent` and `_end_absent`.
        doubt: As `clocks.Clocks.doubt` yields it.
    """
    both = pl.col("start").is_not_null() & pl.col("end").is_not_null()
    rows = doubted(spans, doubt)
    earliest = pl.col("start_lo") - pl.duration(microseconds="_start_early")
    latest = pl.col("end_hi") + pl.duration(microseconds="_end_late")
    backwards = both & (latest < earliest).fill_null(value=False)
    state = (
        pl.when(backwards)
        .then(pl.lit("contradictory"))
        .when(both)
        .then(pl.lit("closed"))
        .when(pl.col("start").is_not_null())
        .then(pl.lit("open"))
        .otherwise(pl.lit("absent"))
    )
    reason = (
        pl.when(backwards)
        .then(pl.lit("negative_duration"))
        .when(pl.col("start").is_null())
        .then(pl.col("_start_absent"))
        .when(pl.col("end").is_null())
        .then(pl.col("_end_absent"))
    )
    spent = pl.max_horizontal((pl.col("end") - pl.col("start")).dt.total_microseconds(), pl.lit(0))
    width = (pl.col("start_hi") - pl.col("start_lo")) + (pl.col("end_hi") - pl.col("end_lo"))
    closed = both & ~backwards
    unsure = sum((pl.col(c) for c in DOUBTS), width.dt.total_microseconds())
    return WINDOWS.fill(
        rows.with_columns(
            state=state,
            reason=reason,
            duration_us=pl.when(closed).then(spent),
            uncertainty_us=pl.when(closed).then(unsure),
        )
    )


def residuals(found: pl.DataFrame, attempts: pl.DataFrame) -> pl.DataFrame:
    """WINDOWS of kind `residual`: one row an attempt with any time, the part of it that no closed window covers.

    The total reaches from the first to the last instant of the attempt, its
    boundaries included: windows - overlaps + residual = total.
    """
    closed = found.filter((pl.col("kind") == "window") & (pl.col("state") == "closed"))
    reach = closed.group_by(PAIR).agg(_lo=pl.col("start").min(), _hi=pl.col("end").max())
    total = attempts.select(*PAIR, "first_ts", "last_ts").join(reach, on=PAIR, how="left", maintain_order="left")
    total = total.with_columns(
        start=pl.min_horizontal("first_ts", "_lo"), end=pl.max_horizontal("last_ts", "_hi")
    ).filter(pl.col("start").is_not_null())
    covered = _union(closed).group_by(PAIR).agg(_covered=pl.col("us").sum())
    summed = closed.group_by(PAIR).agg(_summed=pl.col("duration_us").sum())
    rows = total.join(covered, on=PAIR, how="left", maintain_order="left")
    rows = rows.join(summed, on=PAIR, how="left", maintain_order="left")
    rows = rows.with_columns(pl.col("_covered", "_summed").fill_null(0))
    whole = (pl.col("end") - pl.col("start")).dt.total_microseconds()
    rows = rows.with_columns(duration_us=whole - pl.col("_covered"), _total=whole)
    overlap = pl.col("_summed") - pl.col("_covered")
    detail = pl.format(
        "{} s in all = {} s in windows - {} s of overlap + {} s that no window explains",
        *(_seconds(e) for e in (pl.col("_total"), pl.col("_summed"), overlap, pl.col("duration_us"))),
    )
    return WINDOWS.fill(
        rows.with_columns(
            kind=pl.lit("residual"), name=pl.lit("residual"), state=pl.lit("closed"), uncertainty_us=0, detail=detail
        )
    )


def _seconds(us: pl.Expr) -> pl.Expr:
    return (us / 1_000_000).round(3).cast(pl.String).str.replace(r"\.0$", "")


def _union(spans: pl.DataFrame) -> pl.DataFrame:
    """`run_id, attempt, us`: lengths of the stretches that intervals cover, each instant once."""
    rows = spans.select(*PAIR, "start", "end").sort(*PAIR, "start", "end")
    before = pl.col("end").cum_max().shift(1).over(PAIR)
    fresh = pl.when(before.is_null() | (before < pl.col("start"))).then(pl.col("start")).otherwise(before)
    length = pl.max_horizontal((pl.col("end") - fresh).dt.total_microseconds(), pl.lit(0))
    return rows.with_columns(us=length)
