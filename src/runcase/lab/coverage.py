"""`rules coverage`: how much of a case its rules explain, which rules never speak, and which overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from runcase.lab.case_view import LabCase, opened, rules_for
from runcase.lab.trial import in_precedence
from runcase.rules.compile import condition
from runcase.rules.language import EventRule, Pack

SAMPLE = 200_000
"""Events on which all rules are asked; a larger case is thinned out evenly."""

CHUNK = 50_000


@dataclass(frozen=True, slots=True)
class Share:
    """Of a total, how much rules, and how much readers explain."""

    rules: int
    readers: int
    total: int

    @property
    def explained(self) -> float:
        """Between 0 and 1; 1 of nothing."""
        return (self.rules + self.readers) / self.total if self.total else 1.0


@dataclass(frozen=True, slots=True)
class RuleUse:
    """One rule: events that it names, events that it matches in the sample, and who names those instead."""

    rule: str
    place: str
    named: int
    matched: int
    beaten_by: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The account of a case."""

    lines: Share
    bytes: Share
    time_us: Share
    rules: tuple[RuleUse, ...]
    sampled: int
    events: int
    notes: tuple[str, ...]

    @property
    def dead(self) -> list[RuleUse]:
        """Rules that name nothing in this case."""
        return [r for r in self.rules if not r.named]

    @property
    def overlaps(self) -> list[tuple[str, str, int]]:
        """(rule that names, rule that matches too, events of the sample), most frequent first."""
        pairs = [(winner, use.rule, n) for use in self.rules for winner, n in use.beaten_by]
        return sorted(pairs, key=lambda p: (-p[2], p[0], p[1]))


def coverage(path: str, rules: Sequence[str] = (), sample: int = SAMPLE) -> Coverage:
    """The account of a case, by the packs that every build uses and `rules`.

    Raises:
        RuncaseError: `not_a_case`, `newer_case`, `unknown_pack`, `invalid_pack`.
    """
    case = opened(path, rules)
    spent = timed(case.events()).collect()
    ordered = in_precedence(case.packs)
    sampled, matched = _matches(case, ordered, sample)
    named = dict(spent.filter(pl.col("rule").is_not_null())["rule"].value_counts().iter_rows())
    uses = [_use(n, rule, pack, ordered, named, matched) for n, (rule, pack) in enumerate(ordered)]
    return Coverage(
        _share(spent, "n_lines"),
        _share(spent, "byte_len"),
        _share(spent, "spent_us"),
        tuple(uses),
        sampled,
        spent.height,
        case.notes,
    )


def timed(events: pl.LazyFrame) -> pl.LazyFrame:
    """`kind, rule, n_lines, byte_len, spent_us`: time from each event to the next of its source, else 0."""
    ordered = events.sort("source_id", "byte_start")
    step = (pl.col("ts").shift(-1).over("source_id") - pl.col("ts")).dt.total_microseconds()
    return ordered.select("kind", "rule", "n_lines", "byte_len", spent_us=step.clip(lower_bound=0).fill_null(0))


def _share(spent: pl.DataFrame, column: str) -> Share:
    by_rule = pl.col("rule").is_not_null()
    known = pl.col("kind") != "unknown"
    row = spent.select(
        rules=pl.col(column).filter(by_rule).sum(),
        readers=pl.col(column).filter(~by_rule & known).sum(),
        total=pl.col(column).sum(),
    ).row(0)
    return Share(*(int(v) for v in row))


def _matches(
    case: LabCase, ordered: Sequence[tuple[EventRule, Pack]], sample: int
) -> tuple[int, dict[tuple[int, int], int]]:
    """Events looked at, and (first rule that matches, rule that matches) -> how many of them."""
    total = int(case.facts.events.select(pl.len()).collect().item())
    thin = case.events().sort("source_id", "byte_start").gather_every(max(1, -(-total // sample))).collect()
    counts: dict[tuple[int, int], int] = {}
    for (path, reader), rows in thin.group_by(["path", "reader"], maintain_order=True):
        asked = rules_for(ordered, str(path), str(reader) if reader is not None else None)
        for chunk in rows.iter_slices(CHUNK):
            for first, other, n in _pairs(chunk, asked):
                counts[first, other] = counts.get((first, other), 0) + n
    return thin.height, counts


def _pairs(rows: pl.DataFrame, asked: Sequence[tuple[int, EventRule, Pack]]) -> Iterator[tuple[int, int, int]]:
    if not asked:
        return
    hits = rows.select(pl.col("source_id"), *(condition(rule.match).alias(str(n)) for n, rule, _ in asked))
    hits = hits.drop("source_id")
    first = hits.select(
        pl.coalesce(pl.when(pl.col(str(n))).then(pl.lit(n, dtype=pl.Int32)) for n, _, _ in asked).alias("first")
    ).to_series()
    for n, _, _ in asked:
        winners = first.filter(hits[str(n)])
        yield from ((int(w), n, int(count)) for w, count in winners.value_counts().iter_rows())


def _use(
    number: int,
    rule: EventRule,
    pack: Pack,
    ordered: Sequence[tuple[EventRule, Pack]],
    named: dict[str, int],
    matched: dict[tuple[int, int], int],
) -> RuleUse:
    mine = {first: n for (first, other), n in matched.items() if other == number}
    beaten = sorted(
        ((ordered[f][1].cite(ordered[f][0].id), n) for f, n in mine.items() if f != number), key=lambda b: (-b[1], b[0])
    )
    cite = pack.cite(rule.id)
    return RuleUse(cite, str(rule.place), named.get(cite, 0), sum(mine.values()), tuple(beaten))
