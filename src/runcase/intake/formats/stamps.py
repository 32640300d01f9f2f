"""Which stamps the lines of a source show, and what they say.

A source is looked at once. Stamps that open the line come first; those behind a
prefix count only when most lines have them or a word such as `time:` announces
them, so that a date in running text is no time of its line. Numbers that may be
day or month are read as the source as a whole evidences.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

import polars as pl

from runcase.intake.formats.stamp_orders import with_order
from runcase.intake.formats.stamp_shapes import ANNOUNCED, DENSE, LOOSE_HEAD_CHARS, Place, StampShape, shapes_at
from runcase.intake.formats.stamp_times import NUMBERS, Before, captured, numbers, resolved

MIN_SHARE = 0.02
"""A stamp that fewer of the sampled lines open with is taken for text."""

OPENED_SHARE = 0.3
"""Of the lines that open with stamps in a source whose other lines go on with the record before."""

LOOSE_SHARE = 0.2
"""Of the lines that must show a stamp behind a prefix which does not announce it."""

_LOOKED_AT = 200
"""Lines that stand for all others when patterns are tried."""

_KEY_CHARS = 48
_MAX_HEADINGS = 8

_ALIKE_SHARE, _ALIKE_LINES = 0.05, 5
"""As LOOSE_SHARE, where the prefixes of so many lines are alike but for their words."""

_FEW_SHARE = 0.5
"""As LOOSE_SHARE, where fewer than `_ALIKE_LINES` lines show the stamp."""

_DIGIT = re.compile("[0-9]")
_WORDS = re.compile(r"[^\s|,;=\"'()\[\]{}<>]+")

_WEAK = frozenset({"epoch", "compact_y2", "num", "num_y2", "clock", "iso_minute"})
"""Shapes that other numbers may look like: they need `LOOSE_SHARE` at any place."""

_SPREAD_SECONDS = 5 * 366 * 86400
"""Unix times of one source lie closer together than this; ids that look like them do not."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Lines to look at, each standing for `weight` lines like it, of a source of `total` lines."""

    texts: tuple[str, ...]
    weights: tuple[float, ...]
    total: int
    recorded_at: datetime | None

    def hits(self, shape: StampShape) -> list[bool]:
        """Which lines show the shape."""
        search = _compiled(shape.strict).search
        return [search(t) is not None for t in self.texts]

    def weight(self, hits: Sequence[bool]) -> float:
        """How many lines of the source the hits stand for."""
        return sum(w for w, h in zip(self.weights, hits, strict=True) if h)

    def without(self, hits: Sequence[bool]) -> Sample:
        """The lines that were not hit."""
        rows = [(t, w) for t, w, h in zip(self.texts, self.weights, hits, strict=True) if not h]
        return replace(self, texts=tuple(t for t, _ in rows), weights=tuple(w for _, w in rows))


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Sources are many and patterns few; polars would compile them again for each."""
    return re.compile(pattern)


def detect(sample: pl.Series, recorded_at: datetime | None = None) -> list[StampShape]:
    """The shapes that the lines of a source show, strongest first; empty when it has no stamps."""
    lines = sample.filter(sample.str.strip_chars().str.len_bytes() > 0)
    heads = _head(lines)
    dense = heads.filter(heads.str.contains(DENSE))
    if dense.is_empty():
        return []
    found = _found(_alike(dense, lines.len(), recorded_at), "tight", max(1.0, MIN_SHARE * lines.len()))
    left = _without(dense, found)
    if found and dense.len() - left.len() >= OPENED_SHARE * lines.len():
        found += _headings(heads, found, recorded_at)
    else:
        announcing = _each(left.filter(left.str.contains(ANNOUNCED)), lines.len(), recorded_at)
        found += _found(announcing, "announced", 1)
        left = _without(left, found)
    if left.len() < _ALIKE_SHARE * lines.len():
        return found
    return found + _found(_spread(left, lines.len(), recorded_at), "loose", max(1.0, _ALIKE_SHARE * lines.len()), found)


def _alike(lines: pl.Series, total: int, recorded_at: datetime | None) -> Sample:
    """One line of each kind that differs in more than its digits near the begin."""
    kinds: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for text in lines:
        key = _DIGIT.sub("0", text[:_KEY_CHARS])
        kinds.setdefault(key, text)
        counts[key] += 1
    if len(kinds) > _LOOKED_AT:
        return _spread(lines, total, recorded_at)
    return Sample(tuple(kinds.values()), tuple(float(counts[k]) for k in kinds), total, recorded_at)


def _spread(lines: pl.Series, total: int, recorded_at: datetime | None) -> Sample:
    """Lines at even distances, each for its neighbours."""
    taken = lines.gather_every(max(1, -(-lines.len() // _LOOKED_AT)))
    return Sample(tuple(taken), (lines.len() / taken.len(),) * taken.len(), total, recorded_at)


def _each(lines: pl.Series, total: int, recorded_at: datetime | None) -> Sample:
    return Sample(tuple(lines), (1.0,) * lines.len(), total, recorded_at)


def _without(lines: pl.Series, shapes: Sequence[StampShape]) -> pl.Series:
    """The lines that show none of the shapes."""
    patterns = [_compiled(s.strict).search for s in shapes]
    return lines.filter(pl.Series([not any(p(t) for p in patterns) for t in lines], dtype=pl.Boolean))


def _headings(lines: pl.Series, found: list[StampShape], recorded_at: datetime | None) -> list[StampShape]:
    """Announced stamps of a source whose lines open with stamps: those above the first, or any if the lines lack dates.

    They count behind that very text only; elsewhere they belong to the record that they stand in.
    """
    patterns = [_compiled(s.strict).search for s in found]
    rest: list[str] = []
    dated = all(s.has_year for s in found)
    for line in lines:
        if not any(p(line) for p in patterns):
            rest.append(line)
        elif dated:
            break
    above = pl.Series(rest, dtype=pl.String)
    shapes = _found(_each(above.filter(above.str.contains(ANNOUNCED)), lines.len(), recorded_at), "announced", 1)
    texts = [(s, captured(above, s.strict)["pre"].drop_nulls().unique(maintain_order=True)) for s in shapes]
    return [replace(s, behind=str(text)) for s, pre in texts for text in pre.head(_MAX_HEADINGS)]


def _found(left: Sample, place: Place, least: float, before: Sequence[StampShape] = ()) -> list[StampShape]:
    """The shapes at a place that at least so many lines show; of equals the one that was found before, or declared."""
    found: list[StampShape] = []
    names = {s.name for s in before}
    candidates = sorted(shapes_at(place), key=lambda s: s.name not in names)
    while left.texts and sum(left.weights) >= least:
        best, candidates = _best(left, candidates, least, names)
        if best is None:
            break
        _, shape, hits = best
        lines = pl.Series([t for t, h in zip(left.texts, hits, strict=True) if h])
        few = place == "loose" and left.weight(hits) < _ALIKE_LINES
        found.append(replace(with_order(shape, lines, left.recorded_at), few=few))
        left = left.without(hits)
    return found


_Counted = tuple[float, StampShape, list[bool]]
"""How many lines show a shape, and which."""


def _best(
    sample: Sample, candidates: Sequence[StampShape], least: float, names: Set[str]
) -> tuple[_Counted | None, list[StampShape]]:
    """The shape that most lines show, of those that make sense; and the others that enough lines show.

    Of one that all lines show none is better, and nothing is left for others: the rest need no look.
    """
    counted: list[_Counted] = []
    for shape in candidates:
        hits = sample.hits(shape)
        counted.append((sample.weight(hits), shape, hits))
        if all(hits) and _makes_sense(sample, *counted[-1], known=shape.name in names):
            return counted[-1], []
    enough = [c for c in counted if c[0] >= least]
    ranked = sorted(enough, key=lambda c: -c[0])
    best = next((c for c in ranked if _makes_sense(sample, *c, known=c[1].name in names)), None)
    return best, [s for _, s, _ in enough if best is None or s.name != best[1].name]


def _makes_sense(sample: Sample, weight: float, shape: StampShape, hits: list[bool], known: bool) -> bool:
    """Whether the hits are times of their lines: enough of them, one after the other, near each other."""
    if shape.place == "announced":
        return True
    lines = [t for t, h in zip(sample.texts, hits, strict=True) if h]
    opening = shape.place == "tight" and shape.name not in _WEAK
    share = LOOSE_SHARE if weight >= _ALIKE_LINES else _FEW_SHARE
    if not opening and not known and weight < share * sample.total and not _alike_before(lines, weight, shape):
        return False
    if weight < OPENED_SHARE * sample.total and not _in_order(lines, shape):
        return False
    return shape.name != "epoch" or known or _are_times(lines, weight, shape, sample.recorded_at)


def _alike_before(lines: list[str], weight: float, shape: StampShape) -> bool:
    """Whether the prefixes of most hits are the same but for their words."""
    found = (_compiled(shape.strict).search(t) for t in lines)
    forms = [_WORDS.sub("w", m["pre"]) for m in found if m]
    most = max((forms.count(f) for f in set(forms)), default=0)
    return weight >= _ALIKE_LINES and most >= 0.5 * len(forms) and not forms[0].startswith("w w w w w ")


def _in_order(lines: list[str], shape: StampShape) -> bool:
    """Whether stamps of few lines follow each other; those of a listing do not.

    The lines are in the order of the source, or one for each kind of them.
    """
    parts = numbers(captured(pl.Series(lines, dtype=pl.String), shape.strict), shape)
    times = resolved(parts, Before.of(first_year=2000))["ts"].drop_nulls()
    steps = times.diff().drop_nulls().dt.total_microseconds()
    ahead, back = int((steps >= 0).sum()), int((steps <= 0).sum())
    return len(lines) < 4 or max(ahead, back) >= 0.75 * steps.len()


def _are_times(lines: list[str], weight: float, shape: StampShape, recorded_at: datetime | None) -> bool:
    """Whether ten-digit numbers are Unix times: close together, and none after the file was written."""
    if weight < 3 and shape.place == "loose":
        return False
    found = (_compiled(shape.strict).search(t) for t in lines)
    seconds = sorted(int(m["e"]) for m in found if m)
    low, high = seconds[len(seconds) // 20], seconds[-1 - len(seconds) // 20]
    latest = recorded_at.timestamp() + 86400 if recorded_at else high
    return high - low <= _SPREAD_SECONDS and high <= latest


def _head(lines: pl.Series) -> pl.Series:
    """Where a stamp is looked for."""
    return lines.str.slice(0, LOOSE_HEAD_CHARS) if (lines.str.len_bytes() > LOOSE_HEAD_CHARS).any() else lines


def read(texts: pl.Series, shapes: Sequence[StampShape]) -> pl.DataFrame:
    """Columns of NUMBERS, one row a line; each line is read by the first shape that it shows."""
    rows = pl.DataFrame({"text": texts}).with_row_index("row")
    left, parts = rows, [pl.DataFrame(schema={"row": pl.UInt32(), **NUMBERS})]
    for shape in shapes:
        heads = left["text"] if shape.name == "sccm" else _head(left["text"])
        found = numbers(captured(heads, shape.pattern), shape)
        shown = found["at"].is_not_null()
        parts.append(left.select("row").hstack(found).filter(shown))
        left = left.filter(~shown)
    return rows.select("row").join(pl.concat(parts), on="row", how="left", maintain_order="left").drop("row")


def opening(texts: pl.Series, shapes: Sequence[StampShape]) -> pl.Series:
    """Whether each line bears a stamp that is no announced one: what `read` says of that, for less."""
    free = pl.repeat(value=True, n=texts.len(), eager=True)
    bearing = ~free
    for shape in shapes:
        heads = texts if shape.name == "sccm" else _head(texts)
        shown = heads.str.contains(shape.pattern).fill_null(value=False) & free
        free &= ~shown
        bearing |= shown & (shape.place != "announced")
    return bearing


def instants(values: pl.Series, text: pl.Series | None = None) -> pl.DataFrame:
    """`ts` and `ts_basis` of values that are stamps with a year, each on its own.

    Args:
        values: Values, null for none.
        text: Which text each value stands in; how stamps are written is detected text by text. None for one text.
    """
    rows = pl.DataFrame({"value": values, "text": 0 if text is None else text}).with_row_index("row")
    usual = (pl.col("value").is_null() | pl.col("value").str.contains(_ISO.strict)).all().over("text")
    rows = rows.with_columns(usual=usual)
    parts = rows.filter(~pl.col("usual")).partition_by("text", maintain_order=True)
    read = [_instants(part, _shapes_of(part["value"])) for part in parts]
    found = pl.concat([_instants(rows.filter("usual"), (_ISO,)), *read])
    return found.sort("row").drop("row")


_ISO = StampShape("iso", "tight")
"""What nearly all values are; where all are, nothing else need be looked for."""


def _shapes_of(values: pl.Series) -> tuple[StampShape, ...]:
    return tuple(s for s in detect(values.drop_nulls()) if s.has_year and s.name != "epoch")


def _instants(rows: pl.DataFrame, shapes: Sequence[StampShape]) -> pl.DataFrame:
    """`row, ts, ts_basis` of one way to write stamps."""
    times = resolved(read(rows["value"], shapes), Before.of())
    return rows.select("row").hstack(times.select("ts", "ts_basis"))
