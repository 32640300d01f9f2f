"""Producers that speak in set phrases: a table of phrases is all that a reader has to write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import polars as pl

from runcase.intake.readers.annotation import MARKS, first_line, json_fields
from runcase.intake.readers.base import Annotator
from runcase.rules.patterns import any_of

_COLUMNS = frozenset({"stage", "run_id", "attempt", "invocation_id", "workspace_id", "trace_id", "span_id"})
_NUMBERS = frozenset({"exit_code", "done", "total"})


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase and what it says.

    Named groups fill the column of their name (`stage`, `run_id`, ...) or else the
    field (`exit_code`, `host`, ...). The first phrase of a table that matches counts.
    """

    pattern: str
    kind: str
    level: str | None = None
    status: str | None = None
    on_marks: bool = False
    """Look at what the reader's `marks` found instead of the first line."""


class PhraseAnnotator(Annotator):
    """Fills kind, level, columns and fields of the records that show a phrase of a table.

    A stage that a `stage.started` phrase names holds for the records up to the
    next such phrase, or up to and including a `stage.finished`.
    """

    def __init__(self, phrases: Sequence[Phrase], run_id: str | None = None) -> None:
        self._phrases = tuple(phrases)
        self._run_id = run_id
        self._stage: str | None = None
        self._shown: frozenset[int] = frozenset()
        """Indexes of the phrases that the records at hand show: no other is asked for its groups."""

    def annotate(self, records: pl.DataFrame) -> pl.DataFrame:
        """RECORDS in, RECORDS out."""
        if records.is_empty():
            return records
        seen = self.prepared(records.with_columns(_marks=MARKS))
        seen = seen.with_columns(_first=first_line())
        which = _which(seen, self._phrases)
        self._shown = frozenset(which.drop_nulls().to_list())
        seen = seen.with_columns(which.alias("_which"))
        found = seen.with_columns(
            kind=pl.coalesce(_of(which, [p.kind for p in self._phrases]), "kind"),
            level=pl.coalesce(_of(which, [p.level for p in self._phrases]), "level"),
            run_id=pl.coalesce(self._named("run_id"), "run_id", pl.lit(self._run_id, dtype=pl.String)),
            fields=pl.coalesce(json_fields(**self._fields(which)), "fields"),
            **self._columns(seen),
        )
        return self.concluded(self._staged(found)).select(records.columns)

    def prepared(self, records: pl.DataFrame) -> pl.DataFrame:
        """A place to take times and noise off records before phrases are looked for; has `_marks`."""
        return records

    def concluded(self, records: pl.DataFrame) -> pl.DataFrame:
        """A place to follow what the phrases said; has `_marks`, `_first` and `_which` (index into the table)."""
        return records

    def _named(self, group: str) -> pl.Expr:
        """The text of a named group in the phrase that counts; null where it has none."""
        parts = [
            pl.when(pl.col("_which") == n).then(_subject(p).str.extract(p.pattern, index))
            for n, p in enumerate(self._phrases)
            if n in self._shown and (index := re.compile(p.pattern).groupindex.get(group)) is not None
        ]
        return pl.coalesce(parts).replace("", None) if parts else pl.lit(None, dtype=pl.String)

    def _groups(self) -> list[str]:
        return sorted({g for p in self._phrases for g in re.compile(p.pattern).groupindex})

    def _fields(self, which: pl.Series) -> dict[str, pl.Expr]:
        named = {g: self._named(g) for g in self._groups() if g not in _COLUMNS and g != "status"}
        numbers = {g: e.cast(pl.Int64, strict=False) for g, e in named.items() if g in _NUMBERS}
        said = pl.coalesce(pl.lit(_of(which, [p.status for p in self._phrases])), self._named("status"))
        return {"status": said, **named, **numbers, "marks": pl.col("_marks")}

    def _columns(self, seen: pl.DataFrame) -> dict[str, pl.Expr]:
        names = [g for g in self._groups() if g in _COLUMNS - {"run_id"}]
        return {n: pl.coalesce(self._named(n).cast(seen.schema[n], strict=False), n) for n in names}

    def _staged(self, found: pl.DataFrame) -> pl.DataFrame:
        """Carries the open stage over the records that name none."""
        kind = pl.col("kind")
        opens = pl.when((kind == "stage.started") & pl.col("stage").is_not_null()).then("stage")
        closes = pl.when((kind == "stage.finished").shift(1, fill_value=False)).then(pl.lit(""))
        held = pl.coalesce(opens, closes).forward_fill().fill_null(pl.lit(self._stage, dtype=pl.String))
        found = found.with_columns(stage=pl.coalesce("stage", held.replace("", None)))
        closed = found["kind"][-1] == "stage.finished"
        last = found.select(held.replace("", None).alias("s")).to_series()[-1]
        self._stage = None if closed else last
        return found


def _subject(phrase: Phrase) -> pl.Expr:
    return pl.col("_marks") if phrase.on_marks else pl.col("_first")


def _which(seen: pl.DataFrame, phrases: tuple[Phrase, ...]) -> pl.Series:
    """Index of the first phrase that each record shows; null for none. Most show none, which one search tells."""
    near = [pl.col(column).str.contains(pattern) for column, pattern in _any_of(phrases).items()]
    rows = seen.select(pl.any_horizontal(near)).to_series().arg_true()
    hits = [
        pl.when(_subject(p).str.contains(p.pattern).fill_null(value=False)).then(pl.lit(n, dtype=pl.Int32))
        for n, p in enumerate(phrases)
    ]
    shown = seen.select("_first", "_marks")[rows].select(pl.coalesce(hits)).to_series()
    return pl.repeat(None, seen.height, dtype=pl.Int32, eager=True).scatter(rows, shown)


@cache
def _any_of(phrases: tuple[Phrase, ...]) -> dict[str, str]:
    """What phrases look at -> one pattern for all of them."""
    found: dict[str, list[str]] = {}
    for phrase in phrases:
        found.setdefault("_marks" if phrase.on_marks else "_first", []).append(phrase.pattern)
    return {column: any_of(patterns) for column, patterns in found.items()}


def _of(which: pl.Series, values: Sequence[str | None]) -> pl.Series:
    """Each record's value of the phrase that counts."""
    table = pl.Series(values, dtype=pl.String)
    return table.gather(which)
