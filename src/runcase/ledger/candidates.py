"""Which rules could match which rows: one search for the texts that rules cannot do without.

A rule is looked at only on rows that hold one of its texts, so that the cost of a
block grows with what is said in it and hardly with the number of rules. What a
match is, is still decided by the rule's own condition.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from runcase.rules.compile import CompiledRule
from runcase.rules.literals import FOLDED

if TYPE_CHECKING:
    from runcase.intake.kernels.words import Automaton

SMALL_BYTES = 128 * 1024
"""Of messages, that are searched text by text."""

_LOWER = {c: c + 32 for c in range(ord("A"), ord("Z") + 1)}


class Candidates:
    """The texts of some rules, and the way back from a text to the rules that need it."""

    def __init__(self, rules: Sequence[CompiledRule], compiled: bool = False) -> None:
        self._rules = rules
        self._compiled = compiled
        self._walked: Automaton | None = None
        pairs = [(t, n) for n, r in enumerate(rules) if r.literals for t in (*r.literals, *FOLDED)]
        self._texts = sorted({t for t, _ in pairs})
        self._needed_by = pl.DataFrame(pairs, schema={"text": pl.String(), "rule": pl.Int32()}, orient="row")
        self._columns = [sorted(set(r.condition.meta.root_names())) for r in rules]

    def first_match(self, block: pl.DataFrame) -> np.ndarray:
        """Index of the first rule that matches each row, -1 for none.

        Args:
            block: Rows with the columns that conditions look at.
        """
        which = np.full(block.height, -1, dtype=np.int32)
        near = self._near(block["message"]) if self._texts else {}
        for number, rule in enumerate(self._rules):
            if not rule.literals:
                rows = np.flatnonzero(which < 0)
            elif number in near:
                rows = near[number][which[near[number]] < 0]
            else:
                continue
            if rows.size:
                which[rows[self._holds(number, block, rows)]] = number
        return which

    def _holds(self, number: int, block: pl.DataFrame, rows: np.ndarray) -> np.ndarray:
        """Whether the rule's condition holds for each of `rows`."""
        if not self._columns[number]:
            return np.full(rows.size, bool(pl.select(self._rules[number].condition).item()))
        part = part_of(block, self._columns[number])
        part = part if rows.size == block.height else part[rows]
        return part.select(self._rules[number].condition).to_series().to_numpy()

    def _near(self, messages: pl.Series) -> dict[int, np.ndarray]:
        """Rule -> rows that hold one of its texts, ascending."""
        return self._by_walk(messages) if self._compiled else self._by_search(messages)

    def _by_walk(self, messages: pl.Series) -> dict[int, np.ndarray]:
        """As `_near`, by one pass over the bytes of all messages."""
        from runcase.intake.kernels.words import automaton, places

        if self._walked is None:
            self._walked = automaton([t.encode() for t in self._texts])
        ends, data = _joined(messages)
        at, which = places(data, self._walked)
        rows = np.searchsorted(ends, at, side="right") - 1
        within = at + self._walked.lengths[which] <= ends[rows + 1]
        hits = np.unique(which[within].astype(np.int64) * len(messages) + rows[within])
        number, row = np.divmod(hits, max(len(messages), 1))
        texts = pl.Series(self._texts, dtype=pl.String).gather(number)
        return self._by_rule(pl.DataFrame({"row": row, "text": texts}))

    def _by_search(self, messages: pl.Series) -> dict[int, np.ndarray]:
        """As `_near`, by what polars has."""
        texts = self._occurring(messages)
        if not texts:
            return {}
        worth = messages.str.contains_any(texts, ascii_case_insensitive=True).fill_null(value=False)
        if not worth.any():
            return {}
        frame = pl.DataFrame({"row": worth.arg_true(), "text": messages.filter(worth)})
        found = pl.col("text").str.extract_many(texts, ascii_case_insensitive=True, overlapping=True)
        hits = frame.select("row", text=found).explode("text", empty_as_null=False)
        # U+212A would become a plain k
        as_listed = pl.when(~pl.col("text").is_in(FOLDED)).then(pl.col("text").str.to_lowercase()).otherwise("text")
        return self._by_rule(hits.with_columns(text=as_listed).unique())

    def _by_rule(self, hits: pl.DataFrame) -> dict[int, np.ndarray]:
        """The rows of each rule, from `row, text`."""
        pairs = hits.join(self._needed_by, on="text", how="inner").select("rule", "row").unique().sort("rule", "row")
        return dict(_parts(pairs["rule"].to_numpy(), pairs["row"].to_numpy()))

    def _occurring(self, messages: pl.Series) -> list[str]:
        """The texts that may occur: building an automaton of all of them costs more than a small block is worth."""
        if messages.str.len_bytes().sum() > SMALL_BYTES:
            return self._texts
        whole = "\n".join(messages.drop_nulls().to_list())
        lower = whole.lower() if whole.isascii() else whole.translate(_LOWER)
        return [t for t in self._texts if t in lower]


def part_of(block: pl.DataFrame, columns: Collection[str]) -> pl.DataFrame:
    """Those of the columns that a block has; a query for them would cost as much as a rule."""
    return pl.DataFrame([block.get_column(c) for c in block.columns if c in columns])


def _joined(texts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Where each text begins, with the end of the last, and the bytes of all, one after the other; null is empty."""
    _, ends, data = texts.fill_null("").to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()
    borders = np.frombuffer(ends, dtype=np.int64)[: len(texts) + 1]
    return borders - borders[0], np.frombuffer(data, dtype=np.uint8)[borders[0] : borders[-1]]


def _parts(rules: np.ndarray, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The rows of each rule; `rules` is sorted."""
    cuts = np.flatnonzero(np.diff(rules)) + 1
    for part, begin in zip(np.split(rows, cuts), [0, *cuts.tolist()], strict=True):
        if part.size:
            yield int(rules[begin]), part
