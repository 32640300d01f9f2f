"""The events that boundaries, states and statuses rest on, in memory and in the order of time."""

from __future__ import annotations

import polars as pl

from runcase.analysis.selection import KEPT, in_order, of_kind
from runcase.model.refs import ref_of
from runcase.rules.compile import field

QUIET_KINDS = ("log", "unknown", "heartbeat")
"""Kinds that mark nothing by themselves."""

RECORD_KIND = "log.run_record"
"""A record that sums a run up: the times that it states are claims, and nothing happened at them."""

TITLE_CHARS = 200
"""What is kept of a message that has no summary."""

FIELDS = (
    *("status", "claimed_status", "exit_code", "job", "bundle", "bundle_sha256", "host", "worker", "parent_run_id"),
    *("done", "total", "tool", "failure", "child"),
)
"""Members of `fields` that the analysis reads; each becomes the text column `f_<name>`."""

OOM_WORDS = r"(?i)\b(?:oom|oomkilled|out of memory|signal 9|sigkill|killed process)\b"

MOST_OF_A_KIND = 5_000
"""Errors and warnings of one kind that a source gives from its begin, and as many from its end: what marks hold does
not grow with a log that repeats itself for days. Those that speak of memory are few, and all count."""

_KIND = ("source_id", "kind")
_PART_BYTES = 1 << 20

ANNOUNCING = ('"announced"', '"announces"', '"never_came"')
"""Members of `fields` by which a record of any kind says what will come; see `announcements`."""

SUCCESS_WORDS = ("succeeded", "success", "successful", "ok", "passed", "pass", "complete", "completed", "done", "green")
STATUS_WORDS: dict[str, str] = {
    **dict.fromkeys(SUCCESS_WORDS, "succeeded"),
    **dict.fromkeys(("continuedasnew", "continued_as_new", "finished"), "succeeded"),
    **dict.fromkeys(("failed", "failure", "fail", "error", "errored", "broken", "fatal", "crashed"), "failed"),
    **dict.fromkeys(("timed_out", "timedout", "timeout", "timed out", "time_out"), "timed_out"),
    **dict.fromkeys(("cancelled", "canceled", "aborted", "abort", "terminated", "stopped", "killed"), "cancelled"),
    **dict.fromkeys(("running", "in_progress", "in progress", "started", "active", "claimed", "open"), "running"),
    **dict.fromkeys(("pending", "queued", "created", "scheduled", "waiting", "submitted"), "running"),
    "lost": "lost",
}
"""Words of producers -> status; letter case aside."""


def status_of(word: pl.Expr) -> pl.Expr:
    """The status that a producer's word means; null for a word that means none."""
    return word.str.strip_chars().str.to_lowercase().replace_strict(STATUS_WORDS, default=None, return_dtype=pl.String)


def is_failure(kind: pl.Expr, level: pl.Expr) -> pl.Expr:
    """True for events that say that something failed."""
    return of_kind(kind, ["error"]) | level.is_in(["error", "fatal"]).fill_null(value=False)


def marks(events: pl.LazyFrame, sources: pl.DataFrame, attempts: pl.DataFrame) -> pl.DataFrame:
    """Events that mark something, of all runs.

    Args:
        events: EVENTS with runs assigned. Of errors and warnings at most twice `MOST_OF_A_KIND` count.
        sources: SOURCES, in the order of their names.
        attempts: `run_id, attempt, first_ts`; an event of a run without an attempt of its own counts, by its
            time, for the attempt that had begun last.

    Returns:
        Columns of `selection.KEPT`, `line`, `n_lines`, `ref`, `title`, `order`, `f_<name>` for each of `FIELDS`,
        `own_attempt` (as evidenced, may be null), `in_attempt` (never null) and `lines_after` (lines that follow in
        its source; null in documents); sorted by `order`.
    """
    marking = ~of_kind(pl.col("kind"), QUIET_KINDS) | pl.col("level").is_in(["error", "fatal"])
    claims = pl.col("fields").str.contains_any(['"claimed_status"', '"child"', *ANNOUNCING])
    wanted = pl.col("run_id").is_not_null() & (marking.fill_null(value=False) | claims.fill_null(value=False))
    first_line = pl.col("message").str.split("\n").list.first().str.slice(0, TITLE_CHARS)
    title = pl.coalesce("summary", first_line)
    rows = events.filter(wanted)
    if not sources.filter(pl.col("events") > 2 * MOST_OF_A_KIND).is_empty():
        rows = _without_repeats(rows, claims)
    found = rows.select(*KEPT, "line", "n_lines", ref=ref_of(), title=title).collect(engine="streaming")
    found = _with_fields(in_order(found, sources))
    placed = found.with_columns(_in_attempt(found, attempts), _lines_after(found, sources))
    return placed.rename({"attempt": "own_attempt"})


def _without_repeats(rows: pl.LazyFrame, claims: pl.Expr) -> pl.LazyFrame:
    """Rows without those errors and warnings that stand in the middle of very many of their kind in their source."""
    plain = of_kind(pl.col("kind"), ["error", "warning", *QUIET_KINDS]) & ~claims.fill_null(value=False)
    # the pattern looks at the texts of these alone: a filter tries all its conditions on every row
    repeats = plain & ~pl.when(plain).then("message").str.contains(OOM_WORDS).fill_null(value=False)
    inner = _middles(rows.filter(repeats))
    if inner.is_empty():
        return rows
    inside = repeats & pl.col("byte_start").is_between("_first", "_last")
    joined = rows.join(inner.lazy(), on=_KIND, how="left", maintain_order="left")
    return joined.filter(~inside.fill_null(value=False)).drop("_first", "_last")


def _middles(repeating: pl.LazyFrame) -> pl.DataFrame:
    """`source_id, kind, _first, _last`: where those begin that count no more, and the last of them.

    Records are counted by parts of their source first, and then only the parts that hold one of the two are looked at.
    """
    placed = repeating.select(*_KIND, "byte_start", _part=pl.col("byte_start") // _PART_BYTES)
    keys = [*_KIND, "_part"]
    parts = placed.group_by(keys).len().collect(engine="streaming").sort(keys)
    before = (pl.col("len").cum_sum() - pl.col("len")).over(_KIND).cast(pl.Int64)
    total = pl.col("len").sum().over(_KIND).cast(pl.Int64)
    numbered = parts.with_columns(_before=before, _total=total).filter(pl.col("_total") > 2 * MOST_OF_A_KIND)
    first, last = pl.lit(MOST_OF_A_KIND), pl.col("_total") - MOST_OF_A_KIND - 1
    holding = [(n >= pl.col("_before")) & (n < pl.col("_before") + pl.col("len")) for n in (first, last)]
    ends = numbered.filter(holding[0] | holding[1])
    if ends.is_empty():
        return ends
    near = placed.filter(pl.col("_part").is_in(ends["_part"].unique().implode()))
    rows = near.join(ends.lazy(), on=keys, how="inner").collect(engine="streaming").sort(*keys, "byte_start")
    number = pl.col("_before") + pl.int_range(pl.len()).over(keys)
    found = rows.with_columns(_number=number).group_by(_KIND)
    place = pl.col("byte_start")
    return found.agg(
        _first=place.filter(pl.col("_number") == first).first(), _last=place.filter(pl.col("_number") == last).first()
    )


def _with_fields(found: pl.DataFrame) -> pl.DataFrame:
    """Adds `f_<name>`. Most marks are warnings without any of them; only the others are parsed, a dozen times each."""
    named = found.filter(pl.col("fields").str.contains_any([f'"{name}"' for name in FIELDS]))
    members = named.select("order", *(field(name).alias(f"f_{name}") for name in FIELDS))
    return found.join(members, on="order", how="left", maintain_order="left")


def _in_attempt(found: pl.DataFrame, attempts: pl.DataFrame) -> pl.Series:
    """`in_attempt` of each mark. Joins take only the columns that they need: marks are wide."""
    begun = attempts.select("run_id", _begin="first_ts", _begun="attempt").filter(pl.col("_begin").is_not_null())
    first = attempts.group_by("run_id").agg(_first=pl.col("attempt").min())
    rows = found.select("order", "run_id", "attempt", "ts")
    open_rows = rows.filter(pl.col("attempt").is_null() & pl.col("ts").is_not_null()).sort("ts", "order")
    placed = open_rows.join_asof(
        begun.sort("_begin", "_begun"),
        left_on="ts",
        right_on="_begin",
        by="run_id",
        strategy="backward",
        check_sortedness=False,
    )
    joined = rows.join(placed.select("order", "_begun"), on="order", how="left", maintain_order="left")
    joined = joined.join(first, on="run_id", how="left", maintain_order="left")
    return joined.select(in_attempt=pl.coalesce("attempt", "_begun", "_first", pl.lit(1))).to_series()


def _lines_after(found: pl.DataFrame, sources: pl.DataFrame) -> pl.Series:
    """`lines_after` of each mark."""
    # a document is no stream that breaks off: an end that it does not state is no crash (format = reader: a document)
    document = pl.col("format").eq_missing(pl.col("reader")) & pl.col("reader").is_not_null()
    lines = sources.select("source_id", _lines=pl.when(~document).then(pl.col("lines")))
    rows = found.select("source_id", "line", "n_lines")
    joined = rows.join(lines, on="source_id", how="left", maintain_order="left")
    after = (pl.col("_lines") - pl.col("line") - pl.col("n_lines") + 1).clip(lower_bound=0)
    return joined.select(lines_after=after).to_series()


def spread(events: pl.LazyFrame) -> pl.DataFrame:
    """`run_id, attempt, events, first_ts, last_ts`: how far the events of each run and attempt reach; sorted."""
    grouped = events.filter(pl.col("run_id").is_not_null()).group_by("run_id", "attempt")
    # a filter inside an aggregate makes the engine hold every row of the group
    happened = pl.when(pl.col("kind") != RECORD_KIND).then("ts")
    reach = grouped.agg(events=pl.len().cast(pl.Int64), first_ts=happened.min(), last_ts=happened.max())
    return reach.collect(engine="streaming").sort("run_id", "attempt", nulls_last=True)
