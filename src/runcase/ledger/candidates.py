"""Which rules could match which rows: one search for the texts that rules cannot do without.

A rule is looked at only on rows that hold one of its texts, so that the cost of a
block grows with what is said in it and hardly with the number of rules. What a
match is, is still decided by the rule's own condition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from runcase.rules.compile import CompiledRule
from runcase.rules.literals import FOLDED

SMALL_BYTES = 128 * 1024
"""Of messages, that are searched text by text."""

_LOWER = {c: c + 32 for c in range(ord("A"), ord("Z") + 1)}


class Candidates:
    """The texts of some rules, and the way back from a text to the rules that need it."""

    def __init__(self, rules: Sequence[CompiledRule]) -> None:
        self._rules = rules
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
        near = self._rows_by_rule(block["message"]) if self._texts else {}
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
        part = block.select(self._columns[number])
        part = part if rows.size == block.height else part[rows]
        return part.select(self._rules[number].condition).to_series().to_numpy()

    def _rows_by_rule(self, messages: pl.Series) -> dict[int, np.ndarray]:
        """Rule -> rows that hold one of its texts, ascending."""
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
        hits = hits.with_columns(text=as_listed).unique()
        pairs = hits.join(self._needed_by, on="text", how="inner").select("rule", "row").unique().sort("rule", "row")
        return dict(_parts(pairs["rule"].to_numpy(), pairs["row"].to_numpy()))

    def _occurring(self, messages: pl.Series) -> list[str]:
        """The texts that may occur: building an automaton of all of them costs more than a small block is worth."""
        if messages.str.len_bytes().sum() > SMALL_BYTES:
            return self._texts
        whole = "\n".join(messages.drop_nulls().to_list())
        lower = whole.lower() if whole.isascii() else whole.translate(_LOWER)
        return [t for t in self._texts if t in lower]


def _parts(rules: np.ndarray, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The rows of each rule; `rules` is sorted."""
    cuts = np.flatnonzero(np.diff(rules)) + 1
    for part, begin in zip(np.split(rows, cuts), [0, *cuts.tolist()], strict=True):
        if part.size:
            yield int(rules[begin]), part
