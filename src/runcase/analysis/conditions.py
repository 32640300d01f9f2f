"""Conditions of packs over runs, evaluated for all runs at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce

import polars as pl

from runcase.analysis.selection import selected, value_of
from runcase.analysis.view import CaseView
from runcase.rules.comparison import compared
from runcase.rules.language import Comparison, Condition, EventSelector
from runcase.rules.units import duration_us

MAX_REFS = 12
"""Refs that one condition yields for a run; the first ones in time."""

HOLDS = pl.Schema({"run_id": pl.String(), "refs": pl.List(pl.String())})
"""What a condition yields: one row a run for which it holds, with its evidence in the order of time."""


def selectors_in(condition: Condition) -> Iterator[EventSelector]:
    """Every event selector that a condition holds, at any depth."""
    for part in (*condition.all_of, *condition.any_of, *condition.none_of):
        yield from selectors_in(part)
    if condition.event is not None:
        yield condition.event
    if condition.count is not None:
        yield condition.count[0]
    if condition.value_count is not None:
        yield condition.value_count[0]
    yield from condition.sequence
    yield from condition.compare.events if condition.compare is not None else ()


def _key(selector: EventSelector) -> str:
    return repr(selector)


class Evaluator:
    """Evaluates conditions over a view; the events that they name are fetched once, in `__init__`.

    Args:
        view: All runs.
        conditions: Every condition that will be asked for.
        selectors: Further selectors that `events` will be asked for.
    """

    def __init__(
        self, view: CaseView, conditions: Iterable[Condition] = (), selectors: Iterable[EventSelector] = ()
    ) -> None:
        wanted = {_key(s): s for c in conditions for s in selectors_in(c)} | {_key(s): s for s in selectors}
        self._numbers = {key: n for n, key in enumerate(wanted)}
        self._view = view
        self._events = selected(view.events, view.sources, view.attempts, list(wanted.values()))
        self._everyone = view.runs.select("run_id").sort("run_id")

    def events(self, selector: EventSelector) -> pl.DataFrame:
        """Events that satisfy the selector, in the order of time; columns as `selection.selected` yields them."""
        name = f"s{self._numbers[_key(selector)]}"
        return self._events.filter(pl.col(name)).drop(pl.selectors.matches(r"^s\d+$"))

    def holds(self, condition: Condition) -> pl.DataFrame:
        """Runs for which the condition holds, as `HOLDS`, sorted by run."""
        found = self._part(condition).sort("run_id")
        return found.select("run_id", refs=pl.col("refs").list.head(MAX_REFS)).cast(HOLDS)

    def _part(self, c: Condition) -> pl.DataFrame:
        if c.all_of:
            return reduce(_both, (self._part(x) for x in c.all_of))
        if c.any_of:
            return _either(self._part(x) for x in c.any_of)
        if c.none_of:
            found = _either(self._part(x) for x in c.none_of)
            return self._without_refs(self._everyone.join(found, on="run_id", how="anti", maintain_order="left"))
        if c.event is not None:
            return _grouped(self.events(c.event))
        if c.count is not None:
            return self._count(*c.count)
        if c.value_count is not None:
            return self._value_count(*c.value_count)
        if c.sequence:
            return self._sequence(c)
        if c.compare is not None:
            return self._compare(c.compare)
        return self._conclusion(c)

    def _conclusion(self, c: Condition) -> pl.DataFrame:
        if c.artifact is not None:
            return self._artifact(c.artifact)
        if c.window is not None:
            return self._window(c.window)
        if c.signal is not None:
            codes = [x.strip() for x in c.signal.split(",")]
            return _flattened(self._view.signals.filter(pl.col("code").is_in(codes)))
        if c.status:
            found = self._view.runs.filter(pl.col("status").is_in(list(c.status)))
            return found.select("run_id", refs=pl.col("status_refs").fill_null([]))
        if c.same:
            return self._without_refs(self._alike(c.same))
        if c.different:
            return self._without_refs(self._unlike(c.different))
        return self._without_refs(self._everyone)

    # --- events -----------------------------------------------------------------------------------

    def _count(self, selector: EventSelector, wanted: str) -> pl.DataFrame:
        counted = self.events(selector).group_by("run_id", maintain_order=True).agg(refs="ref", n=pl.len())
        return self._satisfying(counted, wanted)

    def _value_count(self, selector: EventSelector, name: str, wanted: str) -> pl.DataFrame:
        found = self.events(selector).with_columns(_value=value_of(name)).filter(pl.col("_value").is_not_null())
        first = found.unique(["run_id", "_value"], keep="first", maintain_order=True)
        counted = first.group_by("run_id", maintain_order=True).agg(refs="ref", n=pl.len())
        return self._satisfying(counted, wanted)

    def _satisfying(self, counted: pl.DataFrame, wanted: str) -> pl.DataFrame:
        """Runs whose count satisfies `wanted`; runs without any event count 0."""
        all_runs = self._everyone.join(counted, on="run_id", how="left", maintain_order="left")
        n = pl.col("n").fill_null(0).cast(pl.String)
        return all_runs.filter(compared(n, wanted)).select("run_id", refs=pl.col("refs").fill_null([]))

    def _sequence(self, c: Condition) -> pl.DataFrame:
        """Runs in which the selectors are met one after the other; from each start, the earliest next one is taken."""
        by = ["run_id"] + (["_by"] if c.by else [])
        chain = self._step(c.sequence[0], c, by).with_columns(refs=pl.concat_list("ref"), _begin="ts", _end="ts")
        for selector in c.sequence[1:]:
            step = self._step(selector, c, by).select(*by, "order", _ref="ref", _ts="ts", _order="order")
            chain = chain.sort("order").join_asof(
                step.sort("order"),
                on="order",
                by=by,
                strategy="forward",
                allow_exact_matches=False,
                check_sortedness=False,
            )
            chain = chain.filter(pl.col("_ref").is_not_null()).with_columns(
                order="_order", _end=pl.coalesce("_ts", "_end"), refs=pl.concat_list("refs", "_ref")
            )
            chain = chain.select(*by, "order", "refs", "_begin", "_end")
        if c.within is not None:
            chain = chain.filter(pl.col("_end") - pl.col("_begin") <= c.within)
        return chain.sort("run_id", "order").group_by("run_id", maintain_order=True).agg(pl.col("refs").first())

    def _step(self, selector: EventSelector, c: Condition, by: list[str]) -> pl.DataFrame:
        found = self.events(selector)
        if c.by:
            found = found.with_columns(_by=value_of(c.by)).filter(pl.col("_by").is_not_null())
        return found.select(*by, "order", "ref", "ts")

    def _compare(self, c: Comparison) -> pl.DataFrame:
        """Runs in which the last values of all selections are evidenced, and equal or not as wanted."""
        sides = [self._last_value(selector, c.value, n) for n, selector in enumerate(c.events)]
        joined = reduce(lambda a, b: a.join(b, on="run_id", how="inner", maintain_order="left"), sides)
        values = [f"_value{n}" for n in range(len(sides))]
        alike = pl.all_horizontal(pl.col(values[0]) == pl.col(v) for v in values[1:])
        found = joined.filter(alike if c.same else ~alike)
        return found.select("run_id", refs=pl.concat_list([f"_ref{n}" for n in range(len(sides))]))

    def _last_value(self, selector: EventSelector, name: str, number: int) -> pl.DataFrame:
        found = self.events(selector).with_columns(_value=value_of(name)).filter(pl.col("_value").is_not_null())
        last = found.group_by("run_id", maintain_order=True).agg(pl.col("_value", "ref").last())
        return last.rename({"_value": f"_value{number}", "ref": f"_ref{number}"})

    # --- conclusions ------------------------------------------------------------------------------

    def _artifact(self, wanted: Mapping[str, str]) -> pl.DataFrame:
        parts = [_listed(pl.col({"role": "kind"}.get(k, k)), v) for k, v in wanted.items()]
        return _flattened(self._view.states.filter(pl.all_horizontal(parts)))

    def _window(self, wanted: Mapping[str, str]) -> pl.DataFrame:
        last = self._view.attempts.group_by("run_id").agg(_last=pl.col("attempt").max())
        windows = self._view.windows.join(last, on="run_id", how="left", maintain_order="left")
        parts = [pl.col("attempt").is_null() | (pl.col("attempt") == pl.col("_last"))]
        for key, value in wanted.items():
            parts.append(_spent(value) if key == "duration" else _listed(pl.col(key), value))
        found = windows.filter(pl.all_horizontal(parts))
        proof = pl.concat_list("start_ref", "end_ref").list.drop_nulls()
        return _flattened(found.with_columns(refs=proof))

    def _alike(self, columns: tuple[str, ...]) -> pl.DataFrame:
        """Runs of several attempts that agree, with evidence, in each of these columns."""
        agree = [(pl.col(c).n_unique() == 1) & pl.col(c).is_not_null().all() for c in columns]
        found = self._view.attempts.group_by("run_id", maintain_order=True).agg(
            _agree=pl.all_horizontal(agree) & (pl.len() > 1)
        )
        return found.filter(pl.col("_agree"))

    def _unlike(self, columns: tuple[str, ...]) -> pl.DataFrame:
        """Runs whose last two attempts differ in each of these columns."""
        differ = [pl.col(c).get(-1) != pl.col(c).get(-2) for c in columns]
        several = self._view.attempts.filter(pl.len().over("run_id") > 1).sort("run_id", "attempt")
        found = several.group_by("run_id", maintain_order=True).agg(_differ=pl.all_horizontal(differ))
        return found.filter(pl.col("_differ"))

    def _without_refs(self, runs: pl.DataFrame) -> pl.DataFrame:
        return runs.select("run_id", refs=pl.lit([], dtype=pl.List(pl.String)))


def _listed(value: pl.Expr, wanted: str) -> pl.Expr:
    """`a, b` is either of them; anything else is a condition text."""
    if "," in wanted and not wanted.startswith("in("):
        return value.is_in([w.strip() for w in wanted.split(",")])
    return compared(value.cast(pl.String), wanted)


def _spent(wanted: str) -> pl.Expr:
    """`>15m` on `duration_us`."""
    m = re.fullmatch(r"\s*(>=|<=|!=|==|=|>|<)?\s*(.+?)\s*", wanted)
    sign, text = (m[1] or "=", m[2]) if m else ("=", wanted)
    limit = pl.select(duration_us(pl.lit(text))).item()
    return compared(pl.col("duration_us").cast(pl.String), f"{sign} {limit if limit is not None else -1}")


def _grouped(events: pl.DataFrame) -> pl.DataFrame:
    return events.group_by("run_id", maintain_order=True).agg(refs=pl.col("ref"))


def _flattened(rows: pl.DataFrame) -> pl.DataFrame:
    """One row a run; the refs of its rows one after the other."""
    return rows.group_by("run_id", maintain_order=True).agg(refs=pl.col("refs").explode().drop_nulls())


def _both(a: pl.DataFrame, b: pl.DataFrame) -> pl.DataFrame:
    joined = a.join(b, on="run_id", how="inner", suffix="_b", maintain_order="left")
    return joined.select("run_id", refs=pl.concat_list("refs", "refs_b").list.unique(maintain_order=True))


def _either(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    united = pl.concat([p.select("run_id", "refs") for p in parts])
    return _flattened(united).with_columns(pl.col("refs").list.unique(maintain_order=True))
