"""Which events belong to a run, and what a dossier reads of them; many runs share one pass over the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

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


def _placed(log: RunLog, decisive: Sequence[str], paths: Mapping[str, str]) -> Iterator[Placed]:
    """Decisive records with their neighbours: stretches in the order of the verdict, each in reading order."""
    order = {ref: n for n, ref in enumerate(decisive)}
    sources = sorted({Ref.parse(r).source_id for r in decisive})
    if not sources:
        return
    stretches: list[list[dict[str, object]]] = []
    for row in _around(log, sources, decisive).iter_rows(named=True):
        if row["begins"] or not stretches:
            stretches.append([])
        stretches[-1].append(row)
    for stretch in sorted(stretches, key=lambda s: min(order.get(str(r["ref"]), len(order)) for r in s)):
        for r in stretch:
            path, decides = paths.get(str(r["source_id"]), ""), str(r["ref"]) in order
            yield Placed(
                Ref.parse(str(r["ref"])), int(str(r["line"] or 1)), path, decides, iso(r["ts"]), _str(r["level"])
            )


def _str(value: object) -> str | None:
    return None if value is None else str(value)


def _around(log: RunLog, sources: Sequence[str], decisive: Sequence[str]) -> pl.DataFrame:
    """Decisive records and their neighbours in reading order; `begins` where lines are left out before one."""
    mine = log.events.filter(pl.col("source_id").is_in(sources))
    near = _parts_around(log.collect(mine.group_by("source_id", _part()).len()), decisive)
    columns = ("source_id", "line", "ts", "level", "byte_start", "byte_len")
    read = mine.filter(_part().is_in(near["part"].unique().implode())).select(*columns, _part())
    found = log.collect(read.join(near.lazy(), on=["source_id", "part"], how="inner")).sort("source_id", "byte_start")
    found = found.with_columns(ref=ref_of(), row=pl.col("before") + pl.int_range(pl.len()).over("source_id", "part"))
    hit = pl.col("ref").is_in(decisive)
    apart = (pl.col("row").diff() != 1) | (pl.col("source_id").shift() != pl.col("source_id"))
    return found.filter(_near(hit)).with_columns(begins=apart.fill_null(value=True))


def _part() -> pl.Expr:
    """Where in its source a record stands, roughly: what is near is found without a sorted list of all records."""
    return (pl.col("byte_start") // _PART_BYTES).alias("part")


def _near(hit: pl.Expr) -> pl.Expr:
    """Whether a row is a hit, or one of the `AROUND` before or after one in its source."""
    return pl.any_horizontal(hit.shift(n).over("source_id").fill_null(value=False) for n in range(-AROUND, AROUND + 1))


def _parts_around(counted: pl.DataFrame, decisive: Sequence[str]) -> pl.DataFrame:
    """`source_id, part, before` of the parts that hold decisive records or their neighbours.

    Args:
        counted: `source_id, part, len`: the records of each part that has any.
        decisive: Refs.
    """
    held = [(ref.source_id, ref.byte_start // _PART_BYTES) for ref in map(Ref.parse, decisive)]
    keys = {"source_id": pl.String(), "part": pl.Int64()}
    holding = pl.DataFrame(held, schema=keys, orient="row").unique().with_columns(hit=pl.lit(value=True))
    parts = counted.sort(*keys).join(holding, on=list(keys), how="left", maintain_order="left")
    # a part has a record at least, so that as many parts as neighbours are asked for hold them
    before = (pl.col("len").cum_sum() - pl.col("len")).over("source_id").cast(pl.Int64)
    return parts.with_columns(before=before).filter(_near(pl.col("hit"))).select(*keys, "before")


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
