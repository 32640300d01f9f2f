"""What new evidence changes in the conclusions of a case that has some already.

A night's evidence is concluded together with the runs that it touches; the other
runs keep their conclusions, and their ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import fields

import polars as pl

from runcase.analysis.counterparts import MOST, good_runs_before
from runcase.analysis.identity import MIN_PATH_ID
from runcase.analysis.naming import leaf_folder
from runcase.analysis.shares import with_containers
from runcase.model.case import Conclusions, Facts
from runcase.model.tables import CONCLUSIONS


def touched_runs(old: Conclusions, sources: pl.DataFrame, fresh: Facts) -> set[str]:
    """Runs of `old` that `fresh` may belong to.

    Those that a fresh record names by run, trace or workspace id, that a fresh path
    names, or that hold the same text as a fresh source.

    Args:
        old: The conclusions so far.
        sources: SOURCES of the whole case.
        fresh: The facts that are not concluded yet.
    """
    columns = ("run_id", "trace_id", "workspace_id")
    frames = (old.runs, old.attempts)
    met = _met(fresh, {n: pl.concat(f[n] for f in frames).drop_nulls().unique() for n in columns})
    by_id = pl.any_horizontal(pl.col(n).is_in(met[n].implode()) for n in columns)
    runs = {r for f in frames for r in f.filter(by_id)["run_id"]}
    runs |= _path_parts(fresh) & set(old.runs["run_id"])
    same = sources.filter(pl.col("sha256").is_in(_digests(fresh)) & (pl.col("events") > 0))
    return runs | set(old.members.filter(pl.col("source_id").is_in(same["source_id"].implode()))["run_id"])


def last_good_runs(old: Conclusions) -> set[str]:
    """The latest runs of each job that succeeded: a failed run of a new night is most likely held against them."""
    good = old.runs.filter((pl.col("status") == "succeeded") & pl.col("job").is_not_null())
    return set(good.sort("first_ts", "run_id").group_by("job", maintain_order=True).tail(MOST)["run_id"])


def also_concerned(old: Conclusions, whole: Conclusions, changed: Set[str]) -> tuple[set[str], set[str]]:
    """What else has to be concluded, because runs are held against the good runs of their job.

    Args:
        old: The conclusions so far.
        whole: Those with the conclusions of `changed` runs replaced.
        changed: Runs whose conclusions are new.

    Returns:
        Runs that are held against other good runs than before (a good run came late, or is none any more), and the
        good runs that changed runs are held against.
    """
    before, after = (good_runs_before(c.runs) for c in (old, whole))
    pairs = ["run_id", "other"]
    differ = {
        *before.join(after, on=pairs, how="anti")["run_id"],
        *after.join(before, on=pairs, how="anti")["run_id"],
        *after.filter(pl.col("other").is_in(sorted(changed)))["run_id"],
    }
    held = after.filter(pl.col("run_id").is_in(sorted(changed | differ)))
    return differ & set(whole.runs["run_id"]), set(held["other"])


def own_names(old: Conclusions) -> dict[str, str]:
    """Source -> the run that is named after it."""
    named = old.members.filter(pl.col("basis") == "source")
    return dict(named.select("source_id", "run_id").iter_rows())


def with_touched(whole: Facts, fresh: Facts, old: Conclusions, touched: Set[str]) -> Facts:
    """The facts of the whole case that tell of fresh sources and of touched runs, containers included."""
    sources = whole.sources.select("source_id", "parent_id").collect()
    members = old.members.filter(pl.col("run_id").is_in(sorted(touched)))["source_id"]
    wanted = pl.concat([members, fresh.sources.select("source_id").collect()["source_id"]]).unique()
    return of_sources(whole, with_containers(wanted, sources))


def of_sources(facts: Facts, sources: pl.Series) -> Facts:
    """The facts that some sources hold."""
    held = pl.col("source_id").is_in(sources.implode())
    return Facts(**{f.name: getattr(facts, f.name).filter(held) for f in fields(facts)})


def renewed(old: Conclusions, found: Conclusions, touched: Set[str]) -> Conclusions:
    """`old` with the conclusions of touched runs replaced, and those of new ones added."""
    kept = ~pl.col("run_id").is_in(sorted(touched))
    return together([Conclusions(*(getattr(old, f.name).filter(kept) for f in fields(old))), found])


def together(parts: Iterable[Conclusions]) -> Conclusions:
    """The conclusions on different runs as those of one case."""
    tables = zip(*([getattr(part, f.name) for f in fields(part)] for part in parts), strict=True)
    return Conclusions(
        *(
            pl.concat(table.fill(frame) for frame in frames).sort(table.key, nulls_last=True)
            for table, frames in zip(CONCLUSIONS, tables, strict=True)
        )
    )


def of_runs(conclusions: Conclusions, runs: Set[str]) -> Conclusions:
    """The conclusions on some runs."""
    chosen = pl.col("run_id").is_in(sorted(runs))
    return Conclusions(*(getattr(conclusions, f.name).filter(chosen) for f in fields(conclusions)))


def runs_of(conclusions: Conclusions, rows: pl.LazyFrame) -> set[str]:
    """Runs that the sources of some rows belong to."""
    sources = rows.select("source_id").unique().collect()["source_id"]
    return set(conclusions.members.filter(pl.col("source_id").is_in(sources.implode()))["run_id"])


def _met(fresh: Facts, known: dict[str, pl.Series]) -> dict[str, pl.Series]:
    """Of the ids that are known, by column, those that fresh records carry."""
    found: dict[str, list[pl.Series]] = {name: [ids.clear()] for name, ids in known.items()}
    for frame in (fresh.events, fresh.spans, fresh.artifacts):
        names = [name for name in known if name in frame.collect_schema().names()]
        met = (pl.when(pl.col(name).is_in(known[name].implode())).then(name).alias(name) for name in names)
        rows = frame.select(met).unique().collect(engine="streaming")
        for name in names:
            found[name].append(rows[name].drop_nulls())
    return {name: pl.concat(parts).unique() for name, parts in found.items()}


def _path_parts(fresh: Facts) -> set[str]:
    paths = fresh.sources.filter(pl.col("kind") == "file").select("path").collect()["path"]
    return {part for path in paths for part in leaf_folder(path) if len(part) >= MIN_PATH_ID}


def _digests(fresh: Facts) -> list[str]:
    found = fresh.sources.filter(pl.col("events") > 0).select("sha256").unique().collect()
    return sorted(found["sha256"].drop_nulls())
