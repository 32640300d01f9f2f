"""The lines of unsuccessful runs that say that something failed, sifted out of any number of events in bounded memory.

Two passes: the first keeps what speaks of failure and of ends, the second fetches
the lines around the best of it. What is held grows with the runs and not with
their events.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from runcase.analysis.decisive.classes import classes_inside
from runcase.analysis.decisive.details import REACH
from runcase.analysis.decisive.headline import headline
from runcase.analysis.decisive.naming import could_say, families
from runcase.analysis.decisive.novelty import NOTHING, Shared, masked_of, shared
from runcase.analysis.decisive.parts import part_of
from runcase.analysis.decisive.records import spoken
from runcase.analysis.decisive.select import Decision, budget_for, decide
from runcase.analysis.decisive.weighing import Candidate, Region, weighed
from runcase.analysis.multiplexed import own_words
from runcase.analysis.stretches import BATCH_ROWS, EVERYTHING, Stretch, apart, in_batches, stretches
from runcase.model.refs import ref_of

BEFORE, AFTER = 12, REACH
"""Rows before and after a candidate that may belong to its statement."""

TAIL = 22
"""Rows before an end among which the last words of a command stand."""

MOST_REGIONS = 4
"""Failing commands or steps of a run that are looked at, from the first."""

MOST_OF_A_KIND = 200
"""Rows of one family, and ends of one kind, that are kept of a run from its begin, and as many from its end."""

LOOKED_AT = 1000
"""Rows that may say something which are looked at from a run's begin, of its errors and ends as many from either end,
and three times as many from its end: what a run costs is bounded."""

MOST_SHOWN = 200
"""Candidates of a run, by falling score, whose surroundings are fetched; a first screen shows a fifth."""

FEW_ALIKE = 5
"""Rows that differ in numbers alone of which the first are looked at wherever they stand."""

_NAMED_BEFORE = 3
"""So many rows before a job says that it leaves out a stage it named the stage."""

TEXT_CHARS = 2000
_ENDS = "^(?:exit|run[.]finished|stage[.]started|tool[.]started)"
_BAD = ("failed", "timed_out", "cancelled")
_PLACE = ("source_id", "byte_start")
_KEPT = ("run_id", "place", "text", "family", "kind", "code", "ended", "afterwards", "part", "ref")


_ERROR_MEMBER = r'"(?:error|err|exception|cause)": ?"((?:[^"\\]|\\.)+)"'

_NO_GOODS = pl.DataFrame(schema={"run_id": pl.String(), "other": pl.String()})


@dataclass(frozen=True, slots=True)
class Told:
    """What the lines of one run say: the decision, the refs of its rows, exit codes, the command that failed."""

    decision: Decision
    refs: dict[int, str]
    codes: tuple[str, ...]
    command: str
    """What the first failing command or step calls itself, and the line of its end; empty when nothing says so."""
    cause: str
    """The best candidate in one line; empty for none."""
    good_runs: int
    """Good runs of its job that its lines were looked for in."""
    inside: str | None = None
    """The class within the cause, as `classes.classes_inside` yields it."""


def decisions(events: pl.LazyFrame, runs: pl.Series, goods: pl.DataFrame | None = None) -> dict[str, Told]:
    """The decision of each of `runs` that says anything.

    Args:
        events: EVENTS with runs assigned, in the order of the sources.
        runs: Run ids.
        goods: `run_id, other`: the good runs of its job that each run is held against; None: none are known.
    """
    goods = _NO_GOODS if goods is None else goods
    rows = events.filter(pl.col("run_id").is_in(runs.implode()))
    spans = rows.group_by("run_id").agg(pl.col("byte_len").sum(), total=pl.len()).collect(engine="streaming")
    parted = stretches(rows) if int(spans["total"].sum()) > BATCH_ROWS else [EVERYTHING]
    speaking = _marked(rows, parted, spans)
    parts = speaking.partition_by("run_id", as_dict=True, maintain_order=True)
    marked = {str(k[0]): v for k, v in parts.items()}
    sizes = dict(spans.select("run_id", "byte_len").iter_rows())
    failing = {run_id: _regions(mine) for run_id, mine in marked.items()}
    good = events.filter(pl.col("run_id").is_in(goods["other"].unique().implode()))
    usual = shared(speaking, good, goods, said)
    found = {run_id: _weighed(mine, failing[run_id], usual.get(run_id, NOTHING)) for run_id, mine in marked.items()}
    near = _around(
        rows,
        parted,
        {
            run_id: _reached(
                [c.place for c in found[run_id][:MOST_SHOWN]], [e for r in failing[run_id] for e in r.ends]
            )
            for run_id in marked
        },
    )
    result = {}
    for run_id, mine in marked.items():
        around = near.get(run_id, near[""])
        refs = dict(zip(mine["place"].to_list(), mine["ref"].to_list(), strict=True))
        refs |= dict(zip(around["place"].to_list(), around["ref"].to_list(), strict=True))
        texts = dict(zip(around["place"].to_list(), around["text"].to_list(), strict=True))
        decision = decide(found[run_id], texts, failing[run_id], budget_for(sizes[run_id]))
        unseen = set(around.filter("unseen")["place"].to_list())
        decision = replace(decision, places=tuple(p for p in decision.places if p not in unseen))
        codes = tuple(mine["code"].drop_nulls().to_list())
        cause = headline(decision.best, texts) if decision.best else ""
        good_runs = usual.get(run_id, NOTHING).runs
        result[run_id] = Told(decision, refs, codes, _command(mine, failing[run_id]), cause, good_runs)
    inside = classes_inside({r: t.decision.best for r, t in result.items() if t.decision.best})
    return {run_id: replace(told, inside=inside.get(run_id)) for run_id, told in result.items()}


def said(messages: pl.Series) -> pl.Series:
    """What families look at of records."""
    return spoken(messages, TEXT_CHARS).to_frame("text").select(_plain(pl.col("text"))).to_series()


def _plain(text: pl.Expr) -> pl.Expr:
    """What is looked at of a record: no colours that were written down as `^[[31m`, nothing that multiplexers add."""
    coloured = text.str.contains("^[[", literal=True)
    return own_words(pl.when(coloured).then(text.str.replace_all(r"\^\[\[[0-9;]*[mK]", "")).otherwise(text))


def _placed(
    query: pl.LazyFrame,
    parted: Iterable[Stretch],
    sifted: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows,
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Batches with `place`, the number of a row within its run, and `run_id, passed`: rows of each run so far.

    A place says nothing of other runs: neither what lies between two rows of a run nor what is concluded beside it.
    """
    passed = pl.DataFrame(schema={"run_id": pl.String(), "passed": pl.UInt32()})
    for batch in in_batches(query, parted, sifted):
        before = batch.join(passed, on="run_id", how="left", maintain_order="left")["passed"].fill_null(0)
        placed = batch.with_columns(place=pl.int_range(pl.len(), dtype=pl.UInt32).over("run_id") + before)
        counted = placed.group_by("run_id").agg(passed=pl.col("place").max() + 1)
        passed = pl.concat([counted, passed.join(counted, on="run_id", how="anti")])
        yield placed, passed


def _marked(rows: pl.LazyFrame, parted: Iterable[Stretch], spans: pl.DataFrame) -> pl.DataFrame:
    """Rows that a family names, and ends; at most twice `MOST_OF_A_KIND` of a family and run.

    Args:
        rows: EVENTS.
        parted: Their stretches.
        spans: `run_id, total`: how many rows each run has.
    """
    looked_at = rows.select("run_id", *_PLACE, "byte_len", "kind", "fields", "level", "message")
    parts = pl.DataFrame(schema={"run_id": pl.String(), "part": pl.String()})
    kept = _empty()
    waiting: pl.DataFrame | None = None
    for batch, passed in _placed(looked_at, parted, _sifted):
        batch, parts = _in_parts(batch, parts)
        fresh = batch.filter("_sifted")
        held = _within_reach(fresh if waiting is None else pl.concat([waiting, fresh]))
        through = spans.join(passed, left_on=["run_id", "total"], right_on=["run_id", "passed"], how="semi")["run_id"]
        over = held["run_id"].is_in(through.implode())
        kept = _first_and_last(pl.concat([kept, _named(held.filter(over))]))
        waiting = apart(held.filter(~over))
    return _first_and_last(pl.concat([kept, _named(waiting)]) if waiting is not None else kept).sort("run_id", "place")


def _sifted(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds `_ends`, `_begun`, and `_sifted`: whether a row may say something. No other has `fields` and `text`."""
    texts = said(rows["message"])
    coded = pl.col("fields").str.contains('"exit_code"|"afterwards"') | _failed_itself()
    ends = (pl.col("kind").str.contains(_ENDS) | coded).fill_null(value=False)
    told = rows.drop("message").with_columns(text=texts, _ends=ends)
    sifted = told.with_columns(_begun=_begun(), _sifted=pl.col("_ends") | pl.lit(could_say(texts)))
    return sifted.with_columns(pl.when("_sifted").then(pl.col("fields", "text")))


def _begun() -> pl.Expr:
    """The part of a build that begins with a row; empty where one ends."""
    step = (pl.col("kind") == "stage.started").fill_null(value=False)
    return pl.when(step).then(pl.lit("")).otherwise(part_of(pl.col("text")))


def _in_parts(batch: pl.DataFrame, before: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Adds `part`, the part of a build that each row belongs to; and `run_id, part` of each run's last row so far."""
    known = batch.join(before, on="run_id", how="left", maintain_order="left")
    filled = known.with_columns(part=pl.coalesce(pl.col("_begun").forward_fill().over("run_id"), "part"))
    last = filled.group_by("run_id").agg(pl.col("part").last())
    return filled, pl.concat([last, before.join(last, on="run_id", how="anti")])


def _within_reach(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of each run that are looked at: near its begin and end, its ends and errors, what is rare."""
    if rows.height <= LOOKED_AT:
        return rows
    loud = pl.col("_ends") | pl.col("level").is_in(["error", "fatal"]).fill_null(value=False)
    what = masked_of(pl.col("text")).hash()
    told = rows.select(pl.col("run_id").rank("dense"), loud.alias("loud"), what.alias("what"))
    run_of, louds, whats = (told[c].to_numpy() for c in told.columns)
    by_run = np.argsort(run_of, kind="stable")
    kept = np.zeros(rows.height, dtype=np.bool_)
    for mine in np.split(by_run, np.flatnonzero(np.diff(run_of[by_run])) + 1):
        kept[mine] = _reached_by(whats[mine], louds[mine])
    return rows.filter(pl.Series(kept))


def _reached_by(whats: np.ndarray, louds: np.ndarray) -> np.ndarray:
    """Which rows of one run are looked at; `whats` are equal where rows differ in numbers alone."""
    size = whats.size
    alike = np.argsort(whats, kind="stable")
    begins = np.flatnonzero(np.append(True, np.diff(whats[alike]) != 0))
    nth = np.empty(size, dtype=np.int64)
    nth[alike] = np.arange(size) - np.repeat(begins, np.diff(np.append(begins, size)))
    fresh = nth < FEW_ALIKE
    rare = fresh & (np.cumsum(fresh) <= 3 * LOOKED_AT)
    from_begin, before = np.arange(size), np.cumsum(louds)
    near = (from_begin < LOOKED_AT) | (size - from_begin <= 3 * LOOKED_AT)
    kept: np.ndarray = near | rare | (louds & ((before <= LOOKED_AT) | (before[-1] - before < LOOKED_AT)))
    return kept


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that a family names, and ends."""
    rows = rows.with_columns(text=_with_error())
    named = rows.with_columns(family=families(rows["text"])).with_columns(
        family=pl.when(~_aside()).then(pl.col("family"))
    )
    named = named.filter(pl.col("_ends") | pl.col("family").is_not_null()).with_columns(
        ref=ref_of(),
        code=pl.col("fields").str.json_path_match("$.exit_code"),
        ended=pl.col("fields").str.json_path_match("$.status"),
        afterwards=pl.col("fields").str.json_path_match("$.afterwards"),
    )
    return named.select(_schema().names())


def _with_error() -> pl.Expr:
    """What loggers of objects say of an error beside their message: `failed to load: open x: no such file`."""
    loud = pl.col("level").is_in(["error", "fatal"]).fill_null(value=False)
    error = pl.col("fields").str.extract(_ERROR_MEMBER).str.slice(0, TEXT_CHARS)
    said = loud & error.is_not_null() & ~pl.col("text").str.contains(error, literal=True).fill_null(value=True)
    return pl.when(said).then(pl.concat_str("text", error, separator=": ")).otherwise("text")


def _empty() -> pl.DataFrame:
    return pl.DataFrame(schema=_schema())


def _schema() -> pl.Schema:
    return pl.Schema({c: pl.UInt32() if c == "place" else pl.String() for c in _KEPT})


def _first_and_last(kept: pl.DataFrame) -> pl.DataFrame:
    kind = pl.coalesce("family", "kind")
    from_begin = pl.int_range(pl.len()).over("run_id", kind)
    from_end = pl.len().over("run_id", kind) - from_begin
    return kept.filter((from_begin < MOST_OF_A_KIND) | (from_end <= MOST_OF_A_KIND))


def _failed_itself() -> pl.Expr:
    """An error of which the reader says that it ended a step: it stands for the exit that is not there."""
    status = pl.col("fields").str.json_path_match("$.status")
    return pl.col("kind").str.starts_with("error") & status.is_in(_BAD)


def _aside() -> pl.Expr:
    """Records that a reader knows to be no output: marks, the text of a script."""
    loud = pl.col("level").is_in(["error", "fatal"]).fill_null(value=False)
    return (pl.col("kind") == "log").fill_null(value=False) & ~loud


def _regions(rows: pl.DataFrame) -> list[Region]:
    """The commands or steps that failed; without an exit of their own, the run up to its failed end."""
    bad = pl.col("ended").is_in(_BAD).fill_null(value=False)
    exits = rows.filter(
        (pl.col("kind").str.starts_with("exit") & (pl.col("code") != "0").fill_null(value=False))
        | (pl.col("kind").str.starts_with("error") & bad)
    )
    ends = exits if exits.height else rows.filter((pl.col("kind") == "run.finished") & bad)
    begins = rows.filter(pl.col("kind").is_in(["stage.started", "tool.started"]))["place"].to_list()
    afterwards = rows.filter(pl.col("afterwards").is_not_null())["place"].to_list()
    found: dict[int, Region] = {}
    for end in ends["place"].to_list():
        over = next((place for place in afterwards if place < end), None)
        at = bisect_right(begins, end if over is None else over - _NAMED_BEFORE)
        begin = begins[at - 1] if at else int(rows["place"][0])
        if begin in found or len(found) < MOST_REGIONS:
            found[begin] = Region(begin, end, over)
    return list(found.values())


def _command(rows: pl.DataFrame, regions: list[Region]) -> str:
    if not regions:
        return ""
    # what an action says of its own error is no name of what it ran
    ended = (pl.col("place") == regions[0].end) & pl.col("kind").str.starts_with("exit")
    named = rows.filter((pl.col("place") == regions[0].begin) | ended)
    return "\n".join(t.split("\n", 1)[0] for t in named["text"].to_list())


def _weighed(rows: pl.DataFrame, regions: list[Region], usual: Shared) -> list[Candidate]:
    """Candidates of one run by falling score."""
    named = rows.filter(pl.col("family").is_not_null()).select("place", "text", "family", "part")
    return weighed(named, regions, usual)


def _reached(places: Iterable[int], ends: Iterable[int]) -> set[int]:
    """The places near candidates and before ends."""
    near = {p + d for p in places for d in range(-BEFORE, AFTER + 1)} | {e - d for e in ends for d in range(TAIL + 1)}
    return {p for p in near if p >= 0}


def _around(
    rows: pl.LazyFrame, parted: Iterable[Stretch], reached: Mapping[str, Iterable[int]]
) -> dict[str, pl.DataFrame]:
    """Run -> `place, text, unseen, ref` of its rows at the places `reached`; the key "" has no rows.

    Unseen are rows of marks alone, which a terminal hides.
    """
    wanted = pl.DataFrame(
        [(run_id, p) for run_id, places in reached.items() for p in sorted(places)],
        schema={"run_id": pl.String(), "place": pl.UInt32()},
        orient="row",
    )
    looked_at = rows.select("run_id", *_PLACE, "byte_len")
    found = [batch.join(wanted, on=["run_id", "place"], how="semi") for batch, _ in _placed(looked_at, parted)]
    if not found:
        return {"": wanted.clear().with_columns(text=pl.lit(""), ref=pl.lit(""), unseen=pl.lit(value=False))}
    places = pl.concat(found)
    # the ledger looks at a record's text only where these two hold
    near = [pl.col(c).is_in(places[c].unique().implode()) for c in _PLACE]
    blank, marked = pl.col("message").str.strip_chars() == "", pl.col("fields").str.contains('"marks"', literal=True)
    texts = rows.filter(*near).select(
        *_PLACE, text=_plain(pl.col("message").str.slice(0, TEXT_CHARS)), unseen=(blank & marked).fill_null(value=False)
    )
    told = places.join(texts.collect(engine="streaming"), on=list(_PLACE), how="left", maintain_order="left")
    told = told.select("run_id", "place", "text", "unseen", ref=ref_of())
    parts = told.partition_by("run_id", as_dict=True, maintain_order=True).items()
    return {"": told.clear(), **{str(k[0]): v for k, v in parts}}
