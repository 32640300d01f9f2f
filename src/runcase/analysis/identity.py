"""Which source and which record belongs to which run and attempt.

Evidence in the order of its weight: a run id that the record names (its path
included, which classification has filled in); a source in which exactly one run
id occurs; a trace, workspace or invocation id that leads to exactly one run. A
log without any of these is a run of its own, unless all its traces begin in one
other such source. Nothing else is joined.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass

import polars as pl

from runcase.analysis.beside import housed, lying_beside
from runcase.analysis.duplicates import duplicate_sources
from runcase.analysis.naming import leaf_folder, own_run_ids
from runcase.analysis.own_logs import plain_logs, runs_of_their_own, speaks, with_run
from runcase.analysis.rotation import rotated
from runcase.model.case import Facts
from runcase.model.tables import SOURCES

JOIN_IDS = ("trace_id", "workspace_id", "invocation_id")
"""Ids that lead from a record to a run, in the order of their weight."""

_BASIS = {"trace_id": "trace", "workspace_id": "workspace", "invocation_id": "invocation"}

LEADS_NOWHERE = "\0"
"""Stands for any number of ids that no run is known by."""

MIN_PATH_ID = 4
"""Run ids shorter than this prove nothing as a part of a path (`1`, `ci`)."""

_ATTEMPT_PART = re.compile(r"(?i)(?:attempt|try)[-_=.]?(\d{1,6})")


@dataclass(frozen=True, slots=True)
class Assignment:
    """How records are joined to runs; small frames, one lookup each."""

    duplicates: pl.DataFrame
    """`source_id, same_as`: sources whose text another source holds already."""
    by_source: pl.DataFrame
    """`source_id, run_id, attempt, basis`: runs of records that name none; null attempt: several."""
    beside: pl.DataFrame
    """As `by_source`: sources that lie beside a run and say nothing of it; their records stay unassigned."""
    by_id: dict[str, pl.DataFrame]
    """Column of `JOIN_IDS` -> that id, `run_id`, `attempt`."""
    own: pl.DataFrame
    """`source_id, run_id`: sources that are runs of their own."""
    single: pl.DataFrame
    """`run_id, attempt`: runs of exactly one attempt."""
    pieces: pl.DataFrame
    """`rotation.PIECES`: sources that are pieces of one log."""

    def apply(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Rows of a fact table with `run_id` and `attempt` as assigned; rows of duplicate sources are left out."""
        columns = rows.collect_schema().names()
        # a join costs more than reading what is joined: those that find nothing are left out
        if self.duplicates.height:
            duplicates = self.duplicates.lazy().select("source_id")
            rows = rows.join(duplicates, on="source_id", how="anti", maintain_order="left")
        if self.by_source.height:
            rows = _joined(rows, self.by_source, "source_id")
        for name, found in self.by_id.items():
            if name in columns and found.height:
                rows = _joined(rows, found, name)
        if self.single.height:
            single = self.single.lazy().select("run_id", _only="attempt")
            rows = rows.join(single, on="run_id", how="left", maintain_order="left")
            rows = rows.with_columns(attempt=pl.coalesce("attempt", "_only"))
        return rows.select(columns)

    def of(self, sources: pl.Series, runs: pl.Series) -> Assignment:
        """What concerns some sources and the runs that they belong to."""
        held, known = (pl.col(n).is_in(ids.implode()) for n, ids in (("source_id", sources), ("run_id", runs)))
        by_source = {n: getattr(self, n).filter(held) for n in ("duplicates", "by_source", "beside", "own", "pieces")}
        by_id = {name: found.filter(known) for name, found in self.by_id.items()}
        return Assignment(**by_source, by_id=by_id, single=self.single.filter(known))


def _joined(rows: pl.LazyFrame, found: pl.DataFrame, name: str) -> pl.LazyFrame:
    """Rows with the run and attempt that a lookup by one column gives them, where it agrees with their run."""
    lookup = found.lazy().select(name, _run="run_id", _attempt="attempt")
    agrees = pl.col("run_id").is_null() | (pl.col("run_id") == pl.col("_run"))
    attempt = pl.coalesce("attempt", pl.when(agrees).then(pl.col("_attempt")))
    joined = rows.join(lookup, on=name, how="left", maintain_order="left")
    return joined.with_columns(attempt=attempt, run_id=pl.coalesce("run_id", "_run")).drop("_run", "_attempt")


def assignment(facts: Facts, taken: Set[str] = frozenset(), names: Mapping[str, str] | None = None) -> Assignment:
    """The joins of all records, from what the records and sources themselves say.

    Args:
        facts: The fact tables.
        taken: Ids that no source may be named after.
        names: Source -> the id that the run which is named after it has already.
    """
    sources = facts.sources.collect().sort(SOURCES.key)
    named = _named(facts)
    duplicates = duplicate_sources(sources, named.select("source_id", "run_id", "attempt"))
    named = named.join(duplicates, on="source_id", how="anti", maintain_order="left")
    told = _told(named)
    by_id = {name: _leading(named, told, name) for name in JOIN_IDS}
    led = _led(named, told, by_id)
    led = pl.concat([led, _pathed(sources, named, led)])
    led = pl.concat([led, housed(sources, [*with_run(named)["source_id"], *led["source_id"]], by_id, led.schema)])
    pieces = rotated(sources)
    led = pl.concat([led, _continuing(pieces, named, led)])
    alone = runs_of_their_own(facts, sources, named, duplicates, told, led)
    taken = taken | set(named["run_id"].drop_nulls().to_list())
    traced = _traced(alone.join(pieces, on="source_id", how="anti"), named, facts.spans)
    alone = alone.join(traced, on="source_id", how="anti", maintain_order="left")
    own = _own_runs(alone, pieces, taken, names or {})
    of_traces = traced.join(own.rename({"source_id": "_root"}), on="_root", how="inner", maintain_order="left")
    own = own.join(_only_attempt(named), on="source_id", how="left", maintain_order="left")
    based = [own.with_columns(basis=pl.lit("source")), of_traces.drop("_root").with_columns(basis=pl.lit("trace"))]
    joined = pl.concat([told, led, *based], how="diagonal")
    beside = lying_beside(sources, named, joined, duplicates)
    placed = pl.concat([d.select("source_id") for d in (with_run(named), joined, beside, duplicates)])
    plain = plain_logs(sources.join(placed, on="source_id", how="anti", maintain_order="left"))
    further = _own_runs(plain, pieces, taken | set(own["run_id"]), names or {})
    further = further.join(_only_attempt(named), on="source_id", how="left", maintain_order="left")
    own = pl.concat([own, further])
    joined = pl.concat([joined, further.with_columns(basis=pl.lit("source"))], how="diagonal")
    speaking = beside.join(sources.filter(speaks()), on="source_id", how="semi", maintain_order="left")
    silent = beside.join(speaking, on="source_id", how="anti", maintain_order="left")
    by_source = pl.concat([joined.select(_BY_SOURCE), speaking]).sort("source_id")
    single = _attempts_of_runs(named, by_source, by_id)
    return Assignment(duplicates, by_source, silent, by_id, own.select("source_id", "run_id"), single, pieces)


_BY_SOURCE = ("source_id", "run_id", "attempt", "basis")


def _named(facts: Facts) -> pl.DataFrame:
    """Distinct ids that records of each source carry: `source_id, run_id, attempt, *JOIN_IDS`; sorted.

    Spans and claims count as well. An id that neither a source with a run nor a span carries leads nowhere: all such
    ids of a source are one `LEADS_NOWHERE`, for a service log has as many as lines.
    """
    ids = ("source_id", "run_id", "attempt", *JOIN_IDS)
    parts = []
    for frame in (facts.events, facts.spans, facts.artifacts):
        present = frame.collect_schema().names()
        parts.append(frame.select(pl.col(n) if n in present else pl.lit(None, dtype=pl.String).alias(n) for n in ids))
    rows = pl.concat(parts)
    named = rows.filter(pl.col("run_id").is_not_null()).select("source_id").unique().collect(engine="streaming")
    speaking = pl.col("source_id").is_in(named["source_id"].implode())
    known = rows.filter(speaking).unique().collect(engine="streaming")
    leading = {n: known[n].drop_nulls() for n in JOIN_IDS}
    traces = facts.spans.select("trace_id").drop_nulls().unique().collect(engine="streaming")["trace_id"]
    leading["trace_id"] = pl.concat([leading["trace_id"], traces])
    blank = [
        pl.when(pl.col(n).is_in(ids.unique().implode()) | pl.col(n).is_null())
        .then(n)
        .otherwise(pl.lit(LEADS_NOWHERE))
        .alias(n)
        for n, ids in leading.items()
    ]
    rest = rows.filter(~speaking).with_columns(blank).unique().collect(engine="streaming")
    return pl.concat([known, rest]).sort(ids)


def _only_attempt(named: pl.DataFrame) -> pl.DataFrame:
    """`source_id, attempt`: the attempt number of sources in which exactly one occurs."""
    numbers = named.filter(pl.col("attempt").is_not_null()).select("source_id", "attempt").unique()
    return numbers.filter(pl.len().over("source_id") == 1)


def _told(named: pl.DataFrame) -> pl.DataFrame:
    """Sources in which exactly one run id occurs: `source_id, run_id, attempt, basis`."""
    pairs = named.filter(pl.col("run_id").is_not_null()).select("source_id", "run_id").unique()
    one = pairs.filter(pl.len().over("source_id") == 1).sort("source_id")
    return one.join(_only_attempt(named), on="source_id", how="left", maintain_order="left").with_columns(
        basis=pl.lit("field")
    )


def _leading(named: pl.DataFrame, told: pl.DataFrame, name: str) -> pl.DataFrame:
    """`<name>, run_id, attempt`: ids that occur with exactly one run; null attempt where they occur with several."""
    source_run = told.select("source_id", _run="run_id", _attempt="attempt")
    ids = named.filter(pl.col(name) != LEADS_NOWHERE)
    rows = ids.join(source_run, on="source_id", how="left", maintain_order="left")
    rows = rows.with_columns(
        run_id=pl.coalesce("run_id", "_run"),
        attempt=pl.coalesce("attempt", pl.when(pl.col("run_id").is_null()).then("_attempt")),
    ).filter(pl.col("run_id").is_not_null())
    one = pl.col("run_id").n_unique() == 1
    attempts = pl.col("attempt").drop_nulls()
    return (
        rows.group_by(name, maintain_order=True)
        .agg(
            _one=one,
            run_id=pl.col("run_id").first(),
            attempt=pl.when(attempts.n_unique() == 1).then(attempts.first()),
        )
        .filter(pl.col("_one"))
        .select(name, "run_id", "attempt")
        .sort(name)
    )


def _led(named: pl.DataFrame, told: pl.DataFrame, by_id: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Sources that name no run, and whose trace, workspace or invocation ids all lead to the same one."""
    silent = named.join(with_run(named), on="source_id", how="anti", maintain_order="left")
    parts = []
    for weight, name in enumerate(JOIN_IDS):
        ids = silent.filter(pl.col(name).is_not_null()).select("source_id", name).unique()
        found = ids.join(by_id[name], on=name, how="left", maintain_order="left")
        attempts = pl.col("attempt").drop_nulls()
        parts.append(
            found.sort("source_id", name)
            .group_by("source_id", maintain_order=True)
            .agg(
                run_id=pl.col("run_id").first(),
                attempt=pl.when(attempts.n_unique() == 1).then(attempts.first()),
                _all=pl.col("run_id").is_not_null().all() & (pl.col("run_id").n_unique() == 1),
            )
            .filter(pl.col("_all"))
            .select("source_id", "run_id", "attempt", basis=pl.lit(_BASIS[name]), _weight=pl.lit(weight))
        )
    best = pl.concat(parts).sort("source_id", "_weight").unique("source_id", keep="first", maintain_order=True)
    return best.drop("_weight").cast({c: told.schema[c] for c in told.columns})


def _pathed(sources: pl.DataFrame, named: pl.DataFrame, led: pl.DataFrame) -> pl.DataFrame:
    """Sources that name no run, with exactly one known run id as a part of their path; columns as `led`."""
    known = {r for r in named["run_id"].drop_nulls().to_list() if len(r) >= MIN_PATH_ID}
    taken = {*with_run(named)["source_id"], *led["source_id"]}
    rows: list[dict[str, object]] = []
    for sid, path in sources.filter(pl.col("kind") == "file").select("source_id", "path").iter_rows():
        parts = leaf_folder(path)
        runs = known.intersection(parts)
        if len(runs) == 1 and sid not in taken:
            numbers = {int(m[1]) for p in parts if (m := _ATTEMPT_PART.fullmatch(p))}
            attempt = numbers.pop() if len(numbers) == 1 else None
            rows.append({"source_id": sid, "run_id": runs.pop(), "attempt": attempt, "basis": "path"})
    return pl.DataFrame(rows, schema=led.schema)


def _continuing(pieces: pl.DataFrame, named: pl.DataFrame, led: pl.DataFrame) -> pl.DataFrame:
    """Pieces of a rotated log that name no run, where the others lead to exactly one; columns as `led`."""
    known = pl.concat([named.select("source_id", "run_id"), led.select("source_id", "run_id")]).drop_nulls().unique()
    runs = pieces.join(known, on="source_id", how="inner", maintain_order="left")
    one = runs.group_by("newest_id").agg(_runs=pl.col("run_id").n_unique(), run_id=pl.col("run_id").first())
    silent = pieces.join(known, on="source_id", how="anti", maintain_order="left")
    found = silent.join(one.filter(pl.col("_runs") == 1), on="newest_id", how="inner", maintain_order="left")
    rows = found.select("source_id", "run_id", attempt=pl.lit(None, pl.Int64), basis=pl.lit("sibling"))
    return rows.select(pl.col(c).cast(t) for c, t in led.schema.items())


def _traced(alone: pl.DataFrame, named: pl.DataFrame, spans: pl.LazyFrame) -> pl.DataFrame:
    """`source_id, _root`: sources without a root span whose traces all have theirs in one other source of `alone`."""
    candidates = alone.select("source_id")
    rooted = spans.filter(pl.col("parent_span_id").is_null() & pl.col("trace_id").is_not_null())
    roots = rooted.select("source_id", "trace_id").unique().collect(engine="streaming")
    homes = roots.filter(pl.len().over("trace_id") == 1).join(candidates, on="source_id", how="semi")
    rest = candidates.join(roots, on="source_id", how="anti")
    traces = named.filter(pl.col("trace_id").is_not_null()).select("source_id", "trace_id").unique()
    met = traces.join(rest, on="source_id", how="semi").join(
        homes.rename({"source_id": "_root"}), on="trace_id", how="left"
    )
    led = met.group_by("source_id").agg(
        pl.col("_root").first(), _all=pl.col("_root").is_not_null().all() & (pl.col("_root").n_unique() == 1)
    )
    return led.filter(pl.col("_all")).select("source_id", "_root").sort("source_id")


def _own_runs(alone: pl.DataFrame, pieces: pl.DataFrame, taken: Set[str], names: Mapping[str, str]) -> pl.DataFrame:
    """`source_id, run_id`: a run a source; the pieces of a rotated log are one, named after the newest."""
    rows = alone.select("source_id", "path").join(pieces, on="source_id", how="left", maintain_order="left")
    rows = rows.with_columns(_log=pl.coalesce("newest_id", "source_id")).sort("_log", "place", "source_id")
    last = rows.group_by("_log", maintain_order=True).agg(pl.col("source_id", "path").last())
    ids = own_run_ids(dict(last.select("source_id", "path").iter_rows()), taken, names)
    last = last.with_columns(run_id=pl.col("source_id").replace_strict(ids, return_dtype=pl.String))
    return rows.join(last.select("_log", "run_id"), on="_log", how="left", maintain_order="left").select(
        "source_id", "run_id"
    )


# --- attempts ------------- -------------------------------------------------------------------------


def _attempts_of_runs(named: pl.DataFrame, joined: pl.DataFrame, by_id: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """`run_id, attempt` of runs of which evidence names one attempt at most; 1 where it names none."""
    source_run = joined.select("source_id", _run="run_id")
    rows = named.join(source_run, on="source_id", how="left", maintain_order="left")
    rows = rows.with_columns(run_id=pl.coalesce("run_id", "_run"))
    for name in JOIN_IDS:
        found = by_id[name].select(name, _joined="run_id")
        rows = rows.join(found, on=name, how="left", maintain_order="left")
        rows = rows.with_columns(run_id=pl.coalesce("run_id", "_joined")).drop("_joined")
    pairs = rows.filter(pl.col("run_id").is_not_null()).select("run_id", "attempt")
    pairs = pl.concat([pairs, joined.select("run_id", pl.lit(None, dtype=pl.Int64).alias("attempt"))])
    counted = pairs.group_by("run_id").agg(
        _n=pl.col("attempt").drop_nulls().n_unique(), attempt=pl.col("attempt").drop_nulls().first()
    )
    return counted.filter(pl.col("_n") <= 1).select("run_id", pl.col("attempt").fill_null(1)).sort("run_id")
