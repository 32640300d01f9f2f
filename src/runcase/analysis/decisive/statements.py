"""What the lines of unsuccessful runs say of why they failed, out of any number of events in bounded memory.

Two passes: the first keeps what speaks of failure and of ends, the second fetches
the lines around the best of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import polars as pl

from runcase.analysis.decisive.classes import classes_inside
from runcase.analysis.decisive.details import REACH
from runcase.analysis.decisive.headline import headline
from runcase.analysis.decisive.novelty import NOTHING, shared
from runcase.analysis.decisive.regions import command, regions
from runcase.analysis.decisive.rows import PLACE, TEXT_CHARS, placed, plain, said
from runcase.analysis.decisive.select import Decision, budget_for, decide
from runcase.analysis.decisive.sifting import by_run, speaking
from runcase.analysis.decisive.weighing import weighed
from runcase.analysis.stretches import BATCH_ROWS, EVERYTHING, Stretch, stretches
from runcase.model.refs import ref_of

BEFORE, AFTER = 12, REACH
"""Rows before and after a candidate that may belong to its statement."""

TAIL = 22
"""Rows before an end among which the last words of a command stand."""

MOST_SHOWN = 200
"""Candidates of a run, by falling score, whose surroundings are fetched; a first screen shows a fifth."""

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
    marked = speaking(rows, parted, spans)
    sizes = dict(spans.select("run_id", "byte_len").iter_rows())
    good = events.filter(pl.col("run_id").is_in(goods["other"].unique().implode()))
    usual = shared(marked, good, goods, said)
    speaks = by_run(marked)
    failing = {run_id: regions(mine) for run_id, mine in speaks.items()}
    found = {run_id: weighed(mine, failing[run_id], usual.get(run_id, NOTHING)) for run_id, mine in speaks.items()}
    reached = {
        run_id: _reached((c.place for c in found[run_id][:MOST_SHOWN]), (e for r in failing[run_id] for e in r.ends))
        for run_id in speaks
    }
    near = _around(rows, parted, reached)
    result = {}
    for run_id, mine in speaks.items():
        around = near[run_id]
        decision = decide(found[run_id], around.texts, failing[run_id], budget_for(sizes[run_id]))
        result[run_id] = Told(
            decision=replace(decision, places=tuple(p for p in decision.places if p not in around.unseen)),
            refs={r.place: r.ref for r in mine} | around.refs,
            codes=tuple(r.code for r in mine if r.code is not None),
            command=command(mine, failing[run_id]),
            cause=headline(decision.best, around.texts) if decision.best else "",
            good_runs=usual.get(run_id, NOTHING).runs,
        )
    inside = classes_inside({r: t.decision.best for r, t in result.items() if t.decision.best})
    return {run_id: replace(told, inside=inside.get(run_id)) for run_id, told in result.items()}


def _reached(places: Iterable[int], ends: Iterable[int]) -> set[int]:
    """The places near candidates and before ends."""
    near = {p + d for p in places for d in range(-BEFORE, AFTER + 1)} | {e - d for e in ends for d in range(TAIL + 1)}
    return {p for p in near if p >= 0}


@dataclass(frozen=True, slots=True)
class _Around:
    """The rows of one run that stand near what speaks."""

    texts: dict[int, str]
    refs: dict[int, str]
    unseen: set[int]
    """Rows of marks alone, which a terminal hides."""


def _around(rows: pl.LazyFrame, parted: Iterable[Stretch], reached: Mapping[str, Iterable[int]]) -> dict[str, _Around]:
    """Run -> its rows at the places `reached`."""
    wanted = pl.DataFrame(
        [(run_id, p) for run_id, places in reached.items() for p in sorted(places)],
        schema={"run_id": pl.String(), "place": pl.UInt32()},
        orient="row",
    )
    around = {run_id: _Around({}, {}, set()) for run_id in reached}
    looked_at = rows.select("run_id", *PLACE, "byte_len")
    found = [batch.join(wanted, on=["run_id", "place"], how="semi") for batch, _ in placed(looked_at, parted)]
    if not found:
        return around
    places = pl.concat(found)
    # the ledger looks at a record's text only where these two hold
    near = [pl.col(c).is_in(places[c].unique().implode()) for c in PLACE]
    blank, marked = pl.col("message").str.strip_chars() == "", pl.col("fields").str.contains('"marks"', literal=True)
    texts = rows.filter(*near).select(
        *PLACE, text=plain(pl.col("message").str.slice(0, TEXT_CHARS)), unseen=(blank & marked).fill_null(value=False)
    )
    told = places.join(texts.collect(engine="streaming"), on=list(PLACE), how="left", maintain_order="left")
    for run_id, place, text, unseen, ref in told.select("run_id", "place", "text", "unseen", ref_of()).iter_rows():
        mine = around[run_id]
        mine.texts[place], mine.refs[place] = text, ref
        if unseen:
            mine.unseen.add(place)
    return around
