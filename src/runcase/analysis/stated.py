"""The cause that structured evidence states: an engine's own error name or failure class, not words in a text.

Readers write `error_name` (as the producer spells it) or `failure` (a class of
the tree) into the fields of records at level error, and leave both out where a
record only repeats that something else failed, or where the failure was handled.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from runcase.model.kinds import is_failure_class
from runcase.model.naming_order import numbered
from runcase.model.refs import ref_of

MAX_REFS = 3


@dataclass(frozen=True, slots=True)
class Stated:
    """What a run's evidence names as its cause; `failure` is null where only a name is stated."""

    failure: str | None
    text: str
    refs: tuple[str, ...]


def stated_causes(events: pl.LazyFrame, sources: pl.DataFrame) -> dict[str, Stated]:
    """Run -> the cause that its structured evidence states.

    Args:
        events: EVENTS with runs assigned.
        sources: SOURCES, in the order of their names.

    Returns:
        Where the run's end names an error: the last failure of that name before the end, and the end itself. Else
        the first failure whose class is known, in the order of `_rank`; else the last one that has a name.
    """
    named = pl.col("fields").str.json_path_match("$.error_name")
    failure = pl.col("fields").str.json_path_match("$.failure")
    loud = pl.col("level").is_in(["error", "fatal"]).fill_null(value=False) & pl.col("run_id").is_not_null()
    worth = pl.col("fields").str.contains('"(?:error_name|failure)"').fill_null(value=False)
    # a class that the generic pack gives to a line of text is a word in a text: the decisive lines weigh it better
    words = pl.col("rule").str.starts_with("generic@").fill_null(value=False) & named.is_null()
    rows = events.filter(loud & worth & ~words).select(
        "run_id", "ts", "source_id", "byte_start", ref=ref_of(), name=named, failure=failure,
        text=pl.coalesce("summary", headline(pl.col("message"))),
        end=pl.col("kind") == "run.finished",
    )  # fmt: skip
    found = rows.filter(pl.col("name").is_not_null() | pl.col("failure").is_not_null()).collect()
    placed = found.join(numbered(sources), on="source_id", how="left")
    ordered = placed.sort("run_id", "ts", "_source", "source_id", "byte_start", nulls_last=True)
    parts = ordered.partition_by("run_id", as_dict=True, maintain_order=True)
    return {str(key[0]): _cause(part) for key, part in parts.items()}


def _rank(failure: pl.Expr) -> pl.Expr:
    """What broke the work comes before what had kept it from beginning, and both before a limit that ran out."""
    before = failure.str.starts_with("pre_work") | failure.is_in(["dependency.registry", "config.invalid"])
    return pl.when(failure == "timeout.run").then(2).when(before).then(1).otherwise(0)


def headline(message: pl.Expr) -> pl.Expr:
    """The first line, and what was raised where a stack trace follows it."""
    first = message.str.split("\n").list.first()
    raised = message.str.strip_chars_end().str.split("\n").list.last()
    traced = message.str.contains("\nTraceback (most recent call last):", literal=True)
    return pl.when(traced).then(pl.format("{}; {}", first, raised)).otherwise(first)


def _cause(rows: pl.DataFrame) -> Stated:
    """Of the failures of one run, in order of time."""
    ends = rows.filter(pl.col("end"))
    before = rows.filter(~pl.col("end"))
    name = ends["name"].drop_nulls().last() if ends.height else None
    same = before.filter(pl.col("name") == pl.lit(name, dtype=pl.String))
    classed = before.filter(pl.col("failure").is_not_null())
    if same.height:
        chosen = same.row(-1, named=True)
    elif classed.height and not (name and ends["failure"].drop_nulls().len()):
        chosen = classed.sort(_rank(pl.col("failure")), maintain_order=True).row(0, named=True)
    else:
        chosen = (ends if name else rows).row(-1, named=True)
    refs = list(dict.fromkeys([chosen["ref"], *ends["ref"].tail(1)]))[:MAX_REFS]
    classes = [chosen["failure"], *ends["failure"].reverse()]
    failure = next((str(c) for c in classes if c and is_failure_class(str(c))), None)
    return Stated(failure, chosen["text"] or "", tuple(refs))
