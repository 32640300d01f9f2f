"""Event selectors of packs, evaluated over all runs in one pass.

The cheap parts of a selector (kind, rule, stage, level) are decided once for
each combination that occurs; only events of a combination that some selector
wants are looked at more closely.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from runcase.model.naming_order import numbered
from runcase.model.refs import ref_of
from runcase.model.tables import EVENTS
from runcase.rules.comparison import compared
from runcase.rules.compile import field
from runcase.rules.language import EventSelector

STATIC = ("kind", "rule", "stage", "level")
"""Columns of low cardinality that a selector tests by value."""

KEPT = (
    *("run_id", "attempt", "ts", "ts_lo", "ts_hi", "kind", "stage", "level", "rule", "summary", "duration_us"),
    *("artifacts", "tool_call_id", "invocation_id", "workspace_id", "trace_id", "span_id", "fields", "stream"),
    *("source_id", "byte_start", "byte_len"),
)
"""Columns of EVENTS that a selected event carries; the message stays in the ledger."""


def of_kind(kind: pl.Expr, kinds: Sequence[str]) -> pl.Expr:
    """True for one of `kinds` and for a refinement of one (`error.timeout` is an `error`)."""
    parts = [kind.is_in(list(kinds)), *(kind.str.starts_with(f"{k}.") for k in kinds)]
    return pl.any_horizontal(parts).fill_null(value=False)


def value_of(name: str) -> pl.Expr:
    """Text of a column of EVENTS, or of a member of its `fields` (`fields.x`, or plain `x`)."""
    if name == "artifacts":
        return pl.col(name).list.join(",")
    if name in EVENTS.schema and name != "fields":
        return pl.col(name).cast(pl.String)
    return field(name.removeprefix("fields."))


def _static(selector: EventSelector) -> pl.Expr:
    parts = [pl.lit(value=True)]
    if selector.kinds:
        parts.append(of_kind(pl.col("kind"), selector.kinds))
    if selector.rule is not None:
        suffix = selector.rule if "#" in selector.rule else f"#{selector.rule}"
        parts.append(pl.col("rule").str.ends_with(suffix))
    if selector.stage is not None:
        parts.append(pl.col("stage") == selector.stage)
    if selector.level:
        parts.append(pl.col("level").is_in(list(selector.level)))
    return pl.all_horizontal(parts).fill_null(value=False)


def _close(selector: EventSelector, number: int) -> pl.Expr:
    """Whether an event satisfies the selector, given that `_c<number>` says so of its combination."""
    parts = [pl.col(f"_c{number}"), *(compared(value_of(k), v) for k, v in selector.where.items())]
    parts.append(_in_attempt(selector))
    return pl.all_horizontal(parts).fill_null(value=False)


def _in_attempt(selector: EventSelector) -> pl.Expr:
    """Events of no single attempt count for the last one from its first instant on."""
    last = pl.col("_last")
    if selector.attempt == "any":
        return pl.lit(value=True)
    if selector.attempt == "earlier":
        return pl.col("attempt") < last
    late = pl.col("ts").is_null() | pl.col("_last_begin").is_null() | (pl.col("ts") >= pl.col("_last_begin"))
    return (pl.col("attempt") == last) | (pl.col("attempt").is_null() & late)


def selected(
    events: pl.LazyFrame, sources: pl.DataFrame, attempts: pl.DataFrame, selectors: Sequence[EventSelector]
) -> pl.DataFrame:
    """Events that at least one selector wants.

    Args:
        events: EVENTS with runs assigned.
        sources: SOURCES, in the order of their names.
        attempts: ATTEMPTS; tells which attempt is the last.
        selectors: Distinct selectors.

    Returns:
        Columns `KEPT`, `ref`, `order` (position in time within the case) and one boolean `s<n>` a selector;
        sorted by `order`.
    """
    hits = [f"s{n}" for n in range(len(selectors))]
    schema = {c: EVENTS.schema[c] for c in KEPT} | {"ref": pl.String(), "order": pl.Int64()}
    if not selectors:
        return pl.DataFrame(schema=schema)
    combos = events.select(STATIC).unique().collect(engine="streaming")
    combos = combos.with_columns(_static(s).alias(f"_c{n}") for n, s in enumerate(selectors))
    wanted = combos.filter(pl.any_horizontal(f"_c{n}" for n in range(len(selectors)))).sort(STATIC)
    found = (
        events.filter(pl.col("run_id").is_not_null())
        .join(wanted.lazy(), on=list(STATIC), how="inner", nulls_equal=True)
        .join(_last_attempts(attempts).lazy(), on="run_id", how="left")
        .with_columns(_close(s, n).alias(f"s{n}") for n, s in enumerate(selectors))
        .filter(pl.any_horizontal(hits))
        .select(*KEPT, *hits, ref=ref_of())
        .collect()
    )
    return in_order(found, sources)


def in_order(events: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """Sorted by time, and where times are equal by source and place; adds `order`.

    An event without a time stands at that of the nearest earlier timed event of
    its source (or the first timed one after it).

    Args:
        events: Rows of EVENTS.
        sources: SOURCES, in the order of their names.
    """
    # only the keys are sorted: rows are wide, and a copy of them all is what a large run cannot afford
    keys = events.select("ts", "source_id", "byte_start").with_row_index("_row")
    place = ("_source", "source_id", "byte_start", "_row")
    keys = keys.join(numbered(sources), on="source_id", how="left").sort(place)
    placed = keys.with_columns(_at=pl.col("ts").forward_fill().backward_fill().over("source_id"))
    rows = placed.sort("_at", *place, nulls_last=False)["_row"]
    return events[rows].with_columns(order=pl.int_range(pl.len(), dtype=pl.Int64))


def _last_attempts(attempts: pl.DataFrame) -> pl.DataFrame:
    last = attempts.sort("run_id", "attempt").group_by("run_id", maintain_order=True).last()
    return last.select("run_id", _last="attempt", _last_begin="first_ts")
