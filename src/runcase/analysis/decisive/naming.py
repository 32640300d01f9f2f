"""Which family names a line: literals first, so that most lines meet no pattern at all."""

from __future__ import annotations

import numpy as np
import polars as pl

from runcase.analysis.decisive.families import FAMILIES, Family
from runcase.analysis.decisive.quiet import QUIET
from runcase.rules.literals import FOLDED, required_of
from runcase.rules.patterns import any_of, ascii_borders

BY_NAME = {f.name: f for f in FAMILIES}
_STRONGEST_FIRST = sorted(FAMILIES, key=lambda f: -f.weight)
_NEEDED = dict(zip(BY_NAME, required_of([f.pattern for f in BY_NAME.values()], __file__), strict=True))
_LITERALS = sorted({t for texts in _NEEDED.values() for t in texts}) + list(FOLDED)
_OTHERS = ascii_borders(any_of(f.pattern for f in FAMILIES if not _NEEDED[f.name]))
_QUIET = ascii_borders(QUIET)
_FAMILIES_BY_LITERAL = pl.DataFrame(
    [(t, f) for f, texts in _NEEDED.items() if texts for t in (*texts, *FOLDED)],
    schema={"literal": pl.String(), "family": pl.String()},
    orient="row",
)


def families(texts: pl.Series) -> pl.Series:
    """The name of the strongest family that names each text; null for most.

    Each family's pattern looks only at texts that hold one of the literals it cannot match without.
    """
    maybe = _by_family(texts)
    loud = ~texts.str.contains(_QUIET).fill_null(value=False).to_numpy()
    everywhere = np.arange(texts.len())
    found = np.full(texts.len(), -1)
    for n, family in enumerate(_STRONGEST_FIRST):
        rows = maybe.get(family.name) if _NEEDED[family.name] else everywhere
        if rows is None:
            continue
        rows = rows[(found[rows] < 0) & (loud[rows] | family.sure)]
        if rows.size:
            found[rows[_says(texts[rows], family)]] = n
    names = pl.Series([f.name for f in _STRONGEST_FIRST])
    return names.gather(pl.Series(found).replace(-1, None)).alias("family")


def _by_family(texts: pl.Series) -> dict[str, np.ndarray]:
    """Family -> rows of texts that hold one of its literals, in order."""
    hits = pl.DataFrame({"text": texts}).with_row_index("row").select("row", literal=_hits(pl.col("text")))
    # U+212A would become a plain k
    literal = pl.col("literal")
    listed = pl.when(~literal.is_in(FOLDED)).then(literal.str.to_lowercase()).otherwise(literal)
    hits = hits.explode("literal", empty_as_null=False).with_columns(literal=listed).unique(maintain_order=True)
    pairs = hits.join(_FAMILIES_BY_LITERAL, on="literal", how="inner", maintain_order="left")
    parts = pairs.select("family", "row").unique(maintain_order=True).group_by("family", maintain_order=True).agg("row")
    return {family: rows.to_numpy() for family, rows in zip(parts["family"], parts["row"], strict=True)}


def _hits(text: pl.Expr) -> pl.Expr:
    return text.str.extract_many(_LITERALS, ascii_case_insensitive=True, overlapping=True)


def _says(texts: pl.Series, family: Family) -> np.ndarray:
    says = texts.str.contains(ascii_borders(family.pattern))
    if family.unless and says.any():
        says &= ~texts.str.contains(ascii_borders(family.unless))
    return says.fill_null(value=False).to_numpy()


def could_say(texts: pl.Series) -> pl.Series:
    """False for texts that no family can name: two cheap passes spare most lines a hundred patterns."""
    near = texts.str.contains_any(_LITERALS, ascii_case_insensitive=True).fill_null(value=False)
    return near | texts.zip_with(~near, pl.Series([None], dtype=pl.String)).str.contains(_OTHERS).fill_null(value=False)
