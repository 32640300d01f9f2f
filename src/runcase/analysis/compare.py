"""Two attempts side by side: where they part, what is new or gone, and what changed in timing and inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from runcase.analysis.clock_order import FARTHEST_US
from runcase.analysis.counterparts import counterparts
from runcase.analysis.marks import QUIET_KINDS
from runcase.analysis.selection import in_order, of_kind
from runcase.model.case import Conclusions
from runcase.model.naming_order import in_order_of_names
from runcase.model.refs import ref_of

SHOWN = 20
"""Rows of each list that a comparison holds."""

FEW_MARKS = 3
"""A side with fewer events that mark something is a plain log, whose lines are all compared."""


@dataclass(frozen=True, slots=True)
class Side:
    """One attempt of a run."""

    run_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first event at which two attempts part; null where one of them had ended."""

    position: int
    text_a: str | None
    ref_a: str | None
    text_b: str | None
    ref_b: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """A value that differs: of a window, an artifact's digest, or a column of the frame; null: not there."""

    name: str
    a: str | None
    b: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of record that only one side has, how often, and one of them."""

    text: str
    count: int
    ref: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What tells two attempts apart; short lists, the most telling first."""

    a: Side
    b: Side
    divergence: Divergence | None
    only_a: tuple[Template, ...]
    only_b: tuple[Template, ...]
    windows: tuple[Change, ...]
    artifacts: tuple[Change, ...]
    frame: tuple[Change, ...]


FRAME = ("status", "bundle", "host", "workspace_id", "exit_code")


def counterpart(found: Conclusions, side: Side) -> Side | None:
    """What to compare an attempt with: the last good run of its job before it, else the attempt before."""
    later = (pl.col("run_id") == side.run_id) & (pl.col("attempt") > side.attempt)
    paired = counterparts(found.runs, found.attempts.filter(~later), pl.Series([side.run_id]))
    return next((Side(other, attempt) for other, attempt in paired.select("other", "other_attempt").iter_rows()), None)


def compare(
    events: pl.LazyFrame, claims: pl.LazyFrame, sources: pl.DataFrame, found: Conclusions, a: Side, b: Side
) -> Comparison:
    """Two attempts of a case.

    Args:
        events: EVENTS with runs assigned, as `assigned` yields them.
        claims: ARTIFACTS, likewise.
        sources: SOURCES.
        found: Conclusions of the case.
        a: One side.
        b: The other side.
    """
    named = in_order_of_names(sources)
    rows_a, rows_b = _rows(events, named, a), _rows(events, named, b)
    return Comparison(
        a,
        b,
        divergence(_marking(rows_a, rows_b), _marking(rows_b, rows_a)),
        _only(rows_a, rows_b),
        _only(rows_b, rows_a),
        window_changes(found.windows, a, b),
        _artifact_changes(claims, a, b),
        frame_changes(found.attempts, a, b),
    )


def assigned(rows: pl.LazyFrame, found: Conclusions) -> pl.LazyFrame:
    """EVENTS or ARTIFACTS with the runs that the conclusions' members give to sources; what names its run keeps it."""
    one = pl.col("run_id").len().over("source_id") == 1
    sources = found.members.filter(one).select("source_id", _run="run_id", _attempt="attempt")
    joined = rows.join(sources.lazy(), on="source_id", how="left", maintain_order="left")
    single = found.runs.filter(pl.col("attempts") == 1).select("run_id", _only=pl.lit(1, dtype=pl.Int64))
    named = joined.with_columns(run_id=pl.coalesce("run_id", "_run"), attempt=pl.coalesce("attempt", "_attempt"))
    return named.join(single.lazy(), on="run_id", how="left", maintain_order="left").with_columns(
        attempt=pl.coalesce("attempt", "_only")
    )


def _rows(events: pl.LazyFrame, sources: pl.DataFrame, side: Side) -> pl.DataFrame:
    """Events of one attempt in order: `shape` (what stays of a text without its values), `text`, `ref`."""
    first = pl.col("message").str.split("\n").list.first().str.slice(0, 300)
    text = pl.coalesce("summary", first)
    mine = events.filter((pl.col("run_id") == side.run_id) & (pl.col("attempt") == side.attempt))
    rows = mine.select("source_id", "byte_start", "ts", "kind", text=text, ref=ref_of()).collect()
    return in_order(rows, sources).with_columns(shape=pl.format("{} {}", "kind", shape_of(pl.col("text"))))


def _marking(rows: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Rows that mark something, where both sides have such; of plain logs all rows."""
    marks = ~of_kind(pl.col("kind"), QUIET_KINDS)
    few = min(r.filter(marks).height for r in (rows, other)) < FEW_MARKS
    return rows if few else rows.filter(marks)


def shape_of(text: pl.Expr) -> pl.Expr:
    """Digits, hex and quoted values masked, as template ids do it for whole messages."""
    masked = text.str.replace_all(r"\b0x[0-9a-fA-F]+\b|\b[0-9a-f]{8,}\b", "<x>")
    return masked.str.replace_all(r"\d+", "<n>").str.replace_all(r"'[^']*'|\"[^\"]*\"", "<s>")


def divergence(a: pl.DataFrame, b: pl.DataFrame) -> Divergence | None:
    """The first position at which the shapes differ, repeats of one shape counted once."""
    left, right = _folded(a), _folded(b)
    shared = min(left.height, right.height)
    differ = (left["shape"].head(shared) != right["shape"].head(shared)).arg_true()
    if differ.len() == 0 and left.height == right.height:
        return None
    at = int(differ[0]) if differ.len() else shared
    texts = [(f["text"][at], f["ref"][at]) if at < f.height else (None, None) for f in (left, right)]
    return Divergence(at, texts[0][0], texts[0][1], texts[1][0], texts[1][1])


def _folded(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter((pl.col("shape") != pl.col("shape").shift(1)).fill_null(value=True))


def _only(mine: pl.DataFrame, other: pl.DataFrame) -> tuple[Template, ...]:
    """Shapes that only `mine` has; failures first, then the rarer ones."""
    fresh = mine.join(other.select("shape").unique(), on="shape", how="anti", maintain_order="left")
    grouped = fresh.group_by("shape", maintain_order=True).agg(
        pl.len(), pl.col("text", "ref", "order").first(), _failed=pl.col("kind").first().str.starts_with("error")
    )
    ranked = grouped.sort("_failed", "len", "order", descending=[True, False, False]).head(SHOWN)
    return tuple(Template(t or "", n, r) for t, n, r in ranked.select("text", "len", "ref").iter_rows())


def window_changes(windows: pl.DataFrame, a: Side, b: Side) -> tuple[Change, ...]:
    """Windows and stages by name, those with the greatest difference in time first."""
    parts = []
    for side in (a, b):
        own = windows.filter(
            (pl.col("run_id") == side.run_id)
            & (pl.col("attempt") == side.attempt)
            & pl.col("kind").is_in(["window", "stage"])
        )
        said = pl.when(pl.col("duration_us").is_not_null()).then(
            pl.format("{} s", (pl.col("duration_us") / 1e6).round(1))
        )
        own = own.select("kind", "name", us="duration_us", unsure=_unsure(), said=said.otherwise("state"))
        grouped = own.group_by("kind", "name", maintain_order=True)
        parts.append(grouped.agg(pl.col("us", "unsure").sum(), pl.col("said").first()))
    both = parts[0].join(parts[1], on=["kind", "name"], how="full", coalesce=True, suffix="_b")
    off = (pl.col("us").fill_null(0) - pl.col("us_b").fill_null(0)).abs()
    alike = (off <= pl.col("unsure") + pl.col("unsure_b")) & (pl.col("us") > 0) & (pl.col("us_b") > 0)
    differs = pl.col("said").ne_missing(pl.col("said_b")) & ~alike.fill_null(value=False)
    changed = both.filter(differs).with_columns(_off=off)
    ranked = changed.sort("_off", "kind", "name", descending=[True, False, False]).head(SHOWN)
    return _changes(ranked.select(pl.format("{} {}", "kind", "name"), "said", "said_b"))


def _unsure() -> pl.Expr:
    """How far a duration may be off, microseconds; any length where nothing bounds it."""
    loose = pl.col("duration_us").is_not_null() & pl.col("uncertainty_us").is_null()
    return pl.when(loose).then(FARTHEST_US).otherwise(pl.col("uncertainty_us").fill_null(0))


def _artifact_changes(claims: pl.LazyFrame, a: Side, b: Side) -> tuple[Change, ...]:
    """Artifacts by id whose digest differs, or that one side lacks; what a side only read comes first."""
    parts = [_digests(claims, side) for side in (a, b)]
    both = parts[0].join(parts[1], on="artifact_id", how="full", coalesce=True, suffix="_b")
    changed = both.filter(pl.col("v").ne_missing(pl.col("v_b")))
    given = pl.coalesce("given", "given_b")
    return _changes(changed.sort(~given, "artifact_id").head(SHOWN).select("artifact_id", "v", "v_b"))


def _digests(claims: pl.LazyFrame, side: Side) -> pl.DataFrame:
    """`artifact_id, v, given`: the last digest that an attempt states of each artifact, and whether it only read it."""
    mine = claims.filter((pl.col("run_id") == side.run_id) & (pl.col("attempt") == side.attempt))
    rows = mine.filter(pl.col("action") != "expected").collect().sort("artifact_id", "ts", "source_id", "byte_start")
    return rows.group_by("artifact_id", maintain_order=True).agg(
        v=pl.coalesce(pl.col("checksum").drop_nulls().last(), pl.lit("no checksum stated")),
        given=(pl.col("action") == "read").all(),
    )


def frame_changes(attempts: pl.DataFrame, a: Side, b: Side) -> tuple[Change, ...]:
    """Columns of ATTEMPTS that differ."""
    rows: Sequence[dict[str, object]] = [
        next(iter(_attempt(attempts, side).iter_rows(named=True)), dict.fromkeys(FRAME)) for side in (a, b)
    ]
    texts = [[None if r[c] is None else str(r[c]) for c in FRAME] for r in rows]
    return tuple(Change(c, x, y) for c, x, y in zip(FRAME, texts[0], texts[1], strict=True) if x != y)


def _attempt(attempts: pl.DataFrame, side: Side) -> pl.DataFrame:
    return attempts.filter((pl.col("run_id") == side.run_id) & (pl.col("attempt") == side.attempt)).select(FRAME)


def _changes(rows: pl.DataFrame) -> tuple[Change, ...]:
    return tuple(Change(name, x, y) for name, x, y in rows.iter_rows())
