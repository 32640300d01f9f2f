"""Which family names a line: literals first, so that most lines meet no pattern at all."""

from __future__ import annotations

import polars as pl

from runcase.analysis.decisive.families import FAMILIES, Family
from runcase.analysis.decisive.quiet import QUIET
from runcase.rules.literals import FOLDED, required

BY_NAME = {f.name: f for f in FAMILIES}
_STRONGEST_FIRST = sorted(FAMILIES, key=lambda f: -f.weight)
_NEEDED = {f.name: required(f.pattern) for f in FAMILIES}
_LITERALS = sorted({t for texts in _NEEDED.values() for t in texts}) + list(FOLDED)
_OTHERS = "|".join(f"(?:{f.pattern})" for f in FAMILIES if not _NEEDED[f.name])
_FAMILIES_BY_LITERAL = pl.DataFrame(
    [(t, f) for f, texts in _NEEDED.items() if texts for t in (*texts, *FOLDED)],
    schema={"literal": pl.String(), "family": pl.String()},
    orient="row",
)


def families(texts: pl.Series) -> pl.Series:
    """The name of the strongest family that names each text; null for most.

    Each family's pattern looks only at texts that hold one of the literals it cannot match without.
    """
    frame = pl.DataFrame({"text": texts}).with_row_index("_row")
    maybe = _by_family(frame)
    loud = ~texts.str.contains(QUIET)
    found = pl.repeat(None, texts.len(), dtype=pl.String, eager=True).alias("family")
    free = pl.repeat(value=True, n=texts.len(), eager=True)
    for family in _STRONGEST_FIRST:
        rows = maybe[family.name] if family.name in maybe else frame["_row"].clear()
        if not _NEEDED[family.name]:
            rows = frame["_row"]
        rows = rows.filter(free.gather(rows) & (loud.gather(rows) | family.sure))
        rows = rows.filter(_says(texts.gather(rows), family))
        if rows.len():
            found = found.scatter(rows, family.name)
            free = free.scatter(rows, False)
    return found


def _by_family(frame: pl.DataFrame) -> dict[str, pl.Series]:
    """Family -> rows of texts that hold one of its literals, in order."""
    hits = frame.select("_row", literal=_hits(pl.col("text"))).explode("literal", empty_as_null=False)
    # U+212A would become a plain k
    literal = pl.col("literal")
    listed = pl.when(~literal.is_in(FOLDED)).then(literal.str.to_lowercase()).otherwise(literal)
    hits = hits.with_columns(literal=listed).unique(maintain_order=True)
    pairs = hits.join(_FAMILIES_BY_LITERAL, on="literal", how="inner", maintain_order="left")
    parts = pairs.partition_by("family", as_dict=True, maintain_order=True, include_key=False)
    return {str(k[0]): part["_row"].unique(maintain_order=True) for k, part in parts.items()}


def _hits(text: pl.Expr) -> pl.Expr:
    return text.str.extract_many(_LITERALS, ascii_case_insensitive=True, overlapping=True)


def _says(texts: pl.Series, family: Family) -> pl.Series:
    says = texts.str.contains(family.pattern)
    return says & ~texts.str.contains(family.unless) if family.unless else says


def could_say(text: pl.Expr) -> pl.Expr:
    """False for texts that no family can name: two cheap passes spare most lines a hundred patterns."""
    near = text.str.contains_any(_LITERALS, ascii_case_insensitive=True)
    return (near | text.str.contains(_OTHERS) if _OTHERS else near).fill_null(value=False)
