"""Whose records they are: ids by identity rules, from the records, from the records before, from the path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from runcase.intake.pieces import SourceContext
from runcase.model.tables import EVENTS
from runcase.rules.compile import text_column
from runcase.rules.language import IdentityRule
from runcase.rules.literals import required
from runcase.rules.patterns import named_captures

ID_COLUMNS = ("run_id", "attempt", "workspace_id", "tool_call_id", "invocation_id", "trace_id", "span_id", "stage")


@dataclass(slots=True)
class Carried:
    """Ids that go on from the block before, for the first source; and those that the last source ends with."""

    begun: Mapping[str, object]
    ended: dict[str, object] = field(default_factory=dict)

    def along(self, name: str, found: pl.Series, sources: pl.Series) -> pl.Series:
        """The ids with those of the rows before filled in, source by source."""
        frame = pl.DataFrame({"source": sources, "id": found})
        frame = frame.with_columns(pl.col("id").forward_fill().over("source"))
        if (begun := self.begun.get(name)) is not None:
            goes_on = pl.col("source") == sources[0]
            frame = frame.with_columns(pl.when(goes_on).then(pl.col("id").fill_null(begun)).otherwise("id"))
        filled = frame["id"]
        if filled[-1] is not None:
            self.ended[name] = filled[-1]
        return filled


def identified(
    block: pl.DataFrame, rules: Sequence[IdentityRule], sources: Sequence[SourceContext], carried: Carried
) -> pl.DataFrame:
    """The block with `path`; and ids from the records themselves, then carried ones, then those of the path.

    Args:
        block: RECORDS of some sources, of each in one stretch.
        rules: Identity rules that speak of all of them.
        sources: What is known of each source, in order.
        carried: Ids that the first source goes on with; is told those that the last one ends with.
    """
    told = _path_ids(rules, [s.path for s in sources])
    names = sorted({name for ids in told for name in ids})
    known = pl.DataFrame(
        {
            "source_id": [s.source_id for s in sources],
            "path": [s.path for s in sources],
            **{f"{n}@path": [ids.get(n) for ids in told] for n in names},
        },
        schema_overrides={f"{n}@path": EVENTS.schema[n] for n in names},
        strict=False,
    )
    if known.height == 1:
        block = block.with_columns(pl.lit(value).first().alias(value.name) for value in known.drop("source_id"))
    else:
        block = block.join(known, on="source_id", how="left", maintain_order="left")
    for rule in rules:
        block = _with_identity(block, rule, carried)
    return block.with_columns(pl.col(n).fill_null(pl.col(f"{n}@path")) for n in names).drop(f"{n}@path" for n in names)


def _with_identity(block: pl.DataFrame, rule: IdentityRule, carried: Carried) -> pl.DataFrame:
    if rule.pattern is None:
        return block
    literals = required(rule.pattern)
    if literals and not rule.from_field:
        maybe = block["message"].str.contains_any(literals, ascii_case_insensitive=True)
        if not maybe.any():
            return _carry(block, rule, {}, carried)
    texts = _texts_of(block, rule)
    if texts.null_count() == texts.len():
        return _carry(block, rule, {}, carried)
    found = texts.str.extract_groups(rule.pattern).struct.unnest()
    values = {n: found[n] for n in found.columns if n in ID_COLUMNS}
    for name, fixed in rule.sets.items():
        if name in ID_COLUMNS:
            first = found[found.columns[0]]
            values[name] = pl.select(pl.when(first.is_not_null()).then(pl.lit(fixed))).to_series()
    return _carry(block, rule, values, carried)


def _texts_of(block: pl.DataFrame, rule: IdentityRule) -> pl.Series:
    """What an identity rule looks at; fields are parsed only where the key may be."""
    if not rule.from_field:
        return block["message"]
    key = rule.from_field.rpartition(".")[2]
    maybe = block["fields"].str.contains(f'"{key}"', literal=True) | block["fields"].str.contains("\\", literal=True)
    if not maybe.any():
        return pl.repeat(None, block.height, dtype=pl.String, eager=True)
    return block.select(pl.when(maybe).then(text_column(f"fields.{rule.from_field}"))).to_series()


def _carry(block: pl.DataFrame, rule: IdentityRule, values: dict[str, pl.Series], carried: Carried) -> pl.DataFrame:
    columns = []
    names = [n for n in named_captures(rule.pattern or "") + list(rule.sets) if n in ID_COLUMNS]
    for name in names if rule.carry else list(values):
        found = values.get(name, pl.Series([None] * block.height, dtype=pl.String)).replace("", None)
        typed = found.cast(EVENTS.schema[name], strict=False)
        if rule.carry:
            typed = carried.along(name, typed, block["source_id"])
        columns.append(pl.coalesce(pl.col(name), pl.lit(typed)).alias(name))
    return block.with_columns(columns)


def _path_ids(identity: Sequence[IdentityRule], paths: Sequence[str]) -> list[dict[str, object]]:
    """Ids that the path of each source tells; the first rule that tells one wins."""
    found: list[dict[str, object]] = [{} for _ in paths]
    texts = pl.Series(paths, dtype=pl.String)
    for rule in identity:
        if rule.path is None:
            continue
        groups = texts.str.extract_groups(rule.path).struct.unnest()
        for n, told in enumerate(groups.iter_rows(named=True)):
            if any(v is not None for v in told.values()):
                found[n] = {i: v for i, v in {**told, **rule.sets}.items() if i in ID_COLUMNS and v} | found[n]
    return found
