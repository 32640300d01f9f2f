"""The lines of unsuccessful runs that say that something failed, sifted out of any number of events in bounded memory.

Two passes: the first keeps what speaks of failure and of ends, the second fetches
the lines around the best of it. What is held grows with the runs and not with
their events.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from runcase.analysis.decisive.select import Candidate, Decision, budget_for, could_say, decide, families, weighed
from runcase.model.refs import ref_of

NEAR = 12
"""Rows around a candidate that may belong to its statement."""

MOST_OF_A_KIND = 200
"""Rows of one family, and ends of one kind, that are kept of a run from its begin, and as many from its end."""

MOST_SHOWN = 200
"""Candidates of a run, by falling score, whose surroundings are fetched; a first screen shows a fifth."""

BATCH_ROWS = 200_000
TEXT_CHARS = 2000
_ENDS = "^(?:exit|run[.]finished|stage[.]started)"
_KEPT = ("run_id", "place", "text", "family", "kind", "code", "ended", "ref")


@dataclass(frozen=True, slots=True)
class Told:
    """What the lines of one run say: the decision, the refs of its rows, and the exit codes that occur near it."""

    decision: Decision
    refs: dict[int, str]
    codes: tuple[str, ...]


def decisions(events: pl.LazyFrame, runs: pl.Series) -> dict[str, Told]:
    """The decision of each of `runs` that says anything.

    Args:
        events: EVENTS with runs assigned, in the order of the sources.
        runs: Run ids.
    """
    rows = events.filter(pl.col("run_id").is_in(runs.implode())).with_row_index("place")
    marked = {str(k[0]): v for k, v in _marked(rows).partition_by("run_id", as_dict=True, maintain_order=True).items()}
    sizes = dict(rows.group_by("run_id").agg(pl.col("byte_len").sum()).collect().iter_rows())
    found = {run_id: _weighed(mine) for run_id, mine in marked.items()}
    around = _around(rows, (c.place for candidates in found.values() for c in candidates[:MOST_SHOWN]))
    result = {}
    for run_id, mine in marked.items():
        near = around.get(run_id, around[""])
        refs = dict(zip(mine["place"].to_list(), mine["ref"].to_list(), strict=True))
        refs |= dict(zip(near["place"].to_list(), near["ref"].to_list(), strict=True))
        texts = dict(zip(near["place"].to_list(), near["text"].to_list(), strict=True))
        decision = decide(found[run_id], texts, budget_for(sizes[run_id]))
        result[run_id] = Told(decision, refs, tuple(mine["code"].drop_nulls().to_list()))
    return result


def _marked(rows: pl.LazyFrame) -> pl.DataFrame:
    """Rows that a family names, and ends; at most twice `MOST_OF_A_KIND` of a family and run."""
    text = pl.col("message").str.slice(0, TEXT_CHARS)
    coded = pl.col("fields").str.contains('"exit_code"', literal=True)
    ends = (pl.col("kind").str.contains(_ENDS) | coded).fill_null(value=False)
    sifted = rows.select(
        *("run_id", "place", "source_id", "byte_start", "byte_len", "kind", "fields"), text=text, _ends=ends
    ).filter(pl.col("_ends") | could_say(pl.col("text")))
    kept = pl.DataFrame(schema=_schema())
    for batch in sifted.collect_batches(maintain_order=True, chunk_size=BATCH_ROWS):
        named = batch.with_columns(family=families(batch["text"]))
        named = named.filter(pl.col("_ends") | pl.col("family").is_not_null()).with_columns(
            ref=ref_of(),
            code=pl.col("fields").str.json_path_match("$.exit_code"),
            ended=pl.col("fields").str.json_path_match("$.status"),
        )
        kept = pl.concat([kept, named.select(_schema().names())])
        kept = _first_and_last(kept)
    return kept.sort("place")


def _schema() -> pl.Schema:
    return pl.Schema({c: pl.UInt32() if c == "place" else pl.String() for c in _KEPT})


def _first_and_last(kept: pl.DataFrame) -> pl.DataFrame:
    kind = pl.coalesce("family", "kind")
    from_begin = pl.int_range(pl.len()).over("run_id", kind)
    from_end = pl.len().over("run_id", kind) - from_begin
    return kept.filter((from_begin < MOST_OF_A_KIND) | (from_end <= MOST_OF_A_KIND))


def _weighed(rows: pl.DataFrame) -> list[Candidate]:
    """Candidates of one run by falling score."""
    failing = rows.filter(
        (pl.col("kind").str.starts_with("exit") & (pl.col("code") != "0").fill_null(value=False))
        | ((pl.col("kind") == "run.finished") & (pl.col("ended") != "succeeded").fill_null(value=False))
    )
    end = int(failing["place"][0]) if failing.height else None
    before = rows.filter(
        (pl.col("kind") == "stage.started") & (pl.col("place") <= (end if end is not None else 1 << 62))
    )
    begin = int(before["place"][-1]) if before.height and end is not None else int(rows["place"][0] or 0)
    return weighed(rows.filter(pl.col("family").is_not_null()).select("place", "text", "family"), end, begin)


def _around(rows: pl.LazyFrame, places: Iterable[int]) -> dict[str, pl.DataFrame]:
    """Run -> `place, text, ref` of the rows near `places`; the key "" has no rows."""
    near = sorted({p + d for p in places for d in range(-NEAR, NEAR + 1) if p + d >= 0})
    wanted = pl.Series(near, dtype=pl.UInt32).implode()
    text = pl.col("message").str.slice(0, TEXT_CHARS)
    found = rows.filter(pl.col("place").is_in(wanted)).select("run_id", "place", text=text, ref=ref_of()).collect()
    parts = found.partition_by("run_id", as_dict=True, maintain_order=True).items()
    return {"": found.clear(), **{str(k[0]): v for k, v in parts}}
