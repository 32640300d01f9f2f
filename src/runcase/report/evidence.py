"""Which events belong to a run, and what a dossier reads of them; many runs share one pass over the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass

import numpy as np
import polars as pl

from runcase.model.case import Conclusions, Facts
from runcase.model.naming_order import in_order_of_names, numbered
from runcase.model.refs import Ref, ref_of
from runcase.model.text import present_line
from runcase.report.citations import parsed
from runcase.report.dossier import Cited
from runcase.report.event_table import TEXT_CHARS, Engine, EventTable, of_frame
from runcase.report.excerpts import Placed
from runcase.report.words import iso

MAX_KEY_EVENTS = 400
"""Events that a dossier names; the ledger has them all."""

MAX_CITED = 400
"""Cited records whose text a dossier carries beside those that it excerpts."""

AROUND = 2
"""Records shown before and after a decisive one."""

_PART_BYTES = 64 * 1024
"""Of a source: 500 lines, about."""

HELD_EVENTS = 75_000
"""Events that are held at once: small runs are served by one pass; a longer run is streamed, question by question."""

_KEY_KINDS = "^(?:run|attempt|invocation|workspace|stage|tool|artifact|upload|retry|error|warning|exit)(?:[.]|$)"

_COLUMNS = ("ts", "ts_basis", "attempt", "kind", "stage", "level", "rule", "source_id", "line", "summary")
_PLACE = ("byte_start", "byte_len")
_ORDER = ("ts", "_source", "byte_start")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a dossier asks of a run's events: the decisive refs in the order of the verdict, and all that it cites."""

    decisive: Sequence[str]
    cited: Sequence[str]


@dataclass(frozen=True, slots=True)
class RunEvents:
    """What is read of one run's events."""

    key: pl.DataFrame
    placed: tuple[Placed, ...]
    cited: tuple[Cited, ...]
    total: int
    unknown: int
    table: EventTable


@dataclass(frozen=True, slots=True)
class RunLog:
    """The events of one run, and how to ask them: streamed from the ledger, or held (a streamed query costs 2 ms)."""

    events: pl.LazyFrame
    engine: Engine

    def collect(self, query: pl.LazyFrame) -> pl.DataFrame:
        """The answer to a query over these events."""
        return query.collect(engine=self.engine)


class Ledger:
    """The events of a case by run."""

    def __init__(self, facts: Facts, conclusions: Conclusions) -> None:
        """Nothing is read before a run is asked for."""
        self.paths: dict[str, str] = {}
        sources = in_order_of_names(facts.sources.select("source_id", "path", "ordinal").collect())
        self.paths = dict(zip(sources["source_id"].to_list(), sources["path"].to_list(), strict=True))
        pairs = conclusions.members.select("source_id", "run_id").unique().sort("source_id", "run_id")
        self._sources = pairs
        alone = pairs.filter(pl.len().over("source_id") == 1).rename({"run_id": "only_run"})
        owners = pairs.rename({"run_id": "owner"}).join(numbered(sources), on="source_id", maintain_order="left")
        self._events = (
            facts.events.select(*_COLUMNS, *_PLACE, "run_id", text=_text())
            .join(alone.lazy(), on="source_id", how="left")
            .with_columns(owner=pl.coalesce("only_run", "run_id"))
            .join(owners.lazy(), on=["source_id", "owner"], maintain_order="left")
        )
        self._sizes = dict(zip(conclusions.runs["run_id"].to_list(), conclusions.runs["events"].to_list(), strict=True))

    def by_run(self, run_ids: Sequence[str]) -> Iterator[tuple[str, RunLog]]:
        """The events of each run; runs that are small together are read in one pass."""
        for group in self._passes(run_ids):
            sources = self._sources.filter(pl.col("run_id").is_in(group))["source_id"].unique().sort()
            # the ledger skips what lies outside these two, before it looks at a row
            near = pl.col("source_id").is_between(pl.lit(sources.min()), pl.lit(sources.max()))
            mine = self._events.filter(
                near & pl.col("source_id").is_in(sources.implode()), pl.col("owner").is_in(group)
            )
            if sum(self._sizes.get(r, 0) for r in group) > HELD_EVENTS:
                yield group[0], RunLog(mine, "streaming")
                continue
            held = mine.collect(engine="streaming").partition_by("owner", as_dict=True, maintain_order=True)
            none = mine.collect_schema().to_frame()
            for run_id in group:
                yield run_id, RunLog(held.get((run_id,), none).lazy(), "in-memory")

    def _passes(self, run_ids: Sequence[str]) -> Iterator[list[str]]:
        group: list[str] = []
        held = 0
        for run_id in run_ids:
            size = self._sizes.get(run_id, 0)
            if group and held + size > HELD_EVENTS:
                yield group
                group, held = [], 0
            group.append(run_id)
            held += size
        if group:
            yield group


def run_events(log: RunLog, wanted: Wanted, paths: Mapping[str, str]) -> RunEvents:
    """What a dossier needs of the events of one run."""
    events = log.events
    counts = log.collect(events.select(total=pl.len(), unknown=(pl.col("kind") == "unknown").sum()))
    named = pl.col("kind").str.contains(_KEY_KINDS) | pl.col("level").is_in(["error", "fatal"])
    key = events.filter(named.fill_null(value=False)).sort(*_ORDER, nulls_last=True).head(MAX_KEY_EVENTS)
    return RunEvents(
        key=log.collect(key),
        placed=tuple(_placed(log, wanted.decisive, paths)),
        cited=tuple(_cited(log, wanted.cited, paths)),
        total=int(counts["total"][0]),
        unknown=int(counts["unknown"][0] or 0),
        table=of_frame(events, paths, engine=log.engine),
    )


def _text() -> pl.Expr:
    """The first line of what an event says (of one that says nothing, its summary), not longer than a page shows."""
    first = pl.col("message").str.split_exact("\n", 0).struct[0]
    return pl.coalesce(pl.when(first.str.contains(r"\S")).then(first), "summary").str.head(2 * TEXT_CHARS)


def _placed(log: RunLog, decisive: Sequence[str], paths: Mapping[str, str]) -> list[Placed]:
    """Decisive records with their neighbours: stretches in the order of the verdict, each in reading order."""
    order = {Ref.parse(ref): n for n, ref in enumerate(decisive)}
    if not order:
        return []
    stretches: list[list[Placed]] = []
    following = ("", 0)
    for row, line, ts, level, *place in _around(log, list(order)).iter_rows():
        ref = Ref(*place)
        if (ref.source_id, row) != following:
            stretches.append([])
        following = (ref.source_id, row + 1)
        path = paths.get(ref.source_id, "")
        stretches[-1].append(Placed(ref, line or 1, path, ref in order, iso(ts), level))
    stretches.sort(key=lambda s: min(order.get(p.ref, len(order)) for p in s))
    return [p for stretch in stretches for p in stretch]


def _around(log: RunLog, decisive: Sequence[Ref]) -> pl.DataFrame:
    """`row, line, ts, level, source_id, byte_start, byte_len` of decisive records and their neighbours, in order.

    The `row`s of a source follow one another where its records do.
    """
    mine = log.events.filter(pl.col("source_id").is_in({ref.source_id for ref in decisive}))
    read = mine.select("line", "ts", "level", "source_id", *_PLACE)
    if log.engine == "streaming":
        near = _parts_around(log.collect(read.group_by("source_id", _part()).len()), decisive)
        read = read.filter(_part().is_in(near["part"].unique().implode())).with_columns(_part())
        read = read.join(near.lazy(), on=["source_id", "part"], how="inner")
        rows = log.collect(read).sort("source_id", "byte_start")
        row = pl.col("before") + pl.int_range(pl.len()).over("source_id", "part")
        rows = rows.select(row.alias("row"), pl.exclude("part", "before"))
    else:
        rows = log.collect(read).sort("source_id", "byte_start").with_row_index("row")
    return rows[_near_hits(rows, decisive)]


def _near_hits(rows: pl.DataFrame, decisive: Sequence[Ref]) -> np.ndarray:
    """Where the decisive records stand, and those `AROUND` of them in their source; ascending."""
    held = rows.select("source_id", *_PLACE)
    places = pl.DataFrame([astuple(ref) for ref in decisive], schema=held.schema, orient="row")
    hits = held.with_row_index().join(places, on=held.columns, how="semi")["index"].to_numpy()
    sources = rows["source_id"].rle_id().to_numpy()
    near = hits.astype(np.int64)[:, None] + np.arange(-AROUND, AROUND + 1)
    inside = (near >= 0) & (near < rows.height)
    same: np.ndarray = sources[near.clip(0, max(0, rows.height - 1))] == sources[hits][:, None]
    return np.unique(near[inside & same])


def _part() -> pl.Expr:
    """Where in its source a record stands, roughly: what is near is found without a sorted list of all records."""
    return (pl.col("byte_start") // _PART_BYTES).alias("part")


def _parts_around(counted: pl.DataFrame, decisive: Sequence[Ref]) -> pl.DataFrame:
    """`source_id, part, before` of the parts that hold decisive records or their neighbours.

    Args:
        counted: `source_id, part, len`: the records of each part that has any.
        decisive: What is cited.
    """
    held = [(ref.source_id, ref.byte_start // _PART_BYTES) for ref in decisive]
    keys = {"source_id": pl.String(), "part": pl.Int64()}
    holding = pl.DataFrame(held, schema=keys, orient="row").unique().with_columns(hit=pl.lit(value=True))
    parts = counted.sort(*keys).join(holding, on=list(keys), how="left", maintain_order="left")
    # a part has a record at least, so that as many parts as neighbours are asked for hold them
    before = (pl.col("len").cum_sum() - pl.col("len")).over("source_id").cast(pl.Int64)
    near = pl.any_horizontal(
        pl.col("hit").shift(n).over("source_id").fill_null(value=False) for n in range(-AROUND, AROUND + 1)
    )
    return parts.with_columns(before=before).filter(near).select(*keys, "before")


def _cited(log: RunLog, refs: Sequence[str], paths: Mapping[str, str]) -> Iterator[Cited]:
    """What stands at the refs, in their order; a ref at which no event begins has a path at most."""
    wanted = list(dict.fromkeys(refs))[:MAX_CITED]
    places = [place for ref in wanted if (place := parsed(ref))]
    # the ledger looks at a record's text only where these two hold
    near = pl.col("source_id").is_in({p.source_id for p in places}) & pl.col("byte_start").is_in(
        {p.byte_start for p in places}
    )
    read = log.events.filter(near).select("line", "text", ref=ref_of()).filter(pl.col("ref").is_in(wanted))
    found = {str(r["ref"]): r for r in log.collect(read).iter_rows(named=True)}
    for ref in wanted:
        place, row = parsed(ref), found.get(ref)
        path = paths.get(place.source_id) if place else None
        text = present_line(str(row["text"] or ""), TEXT_CHARS) if row else None
        yield Cited(ref, present_line(path) if path else None, row["line"] if row else None, text)
