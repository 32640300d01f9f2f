"""Names every record: the first rule that matches gives kind, stage, ids, times and artifacts.

What a reader knows already (kind, stage, summary, ids) is kept: a rule fills
what is null. Records that nothing names are `unknown`, and stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from runcase.intake.read import SourceContext
from runcase.ledger.candidates import Candidates
from runcase.model.kinds import FAILURE_ROOTS
from runcase.model.tables import ARTIFACTS, EVENTS
from runcase.rules.compile import CompiledRule, Ruleset, SourceRules, text_column
from runcase.rules.language import ArtifactClaim, IdentityRule
from runcase.rules.literals import required
from runcase.rules.patterns import named_captures
from runcase.rules.units import duration_us

ID_COLUMNS = ("run_id", "attempt", "workspace_id", "tool_call_id", "invocation_id", "trace_id", "span_id", "stage")
_KNOWN_CLASS = rf'"failure":"(?:{"|".join(FAILURE_ROOTS)})[.\w]*"'
_HOLE = re.compile(r"\{([A-Za-z_][\w.]*)\}")


@dataclass(frozen=True, slots=True)
class Classified:
    """EVENTS (without `batch`) in the order of the records, and the ARTIFACTS that they claim."""

    events: pl.DataFrame
    artifacts: pl.DataFrame


class Classifier:
    """Names the records of sources, block by block, in order; a source may go on in the next block."""

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._candidates: dict[SourceRules, Candidates] = {}
        self._carried: dict[str, Mapping[str, object]] = {}

    def feed(self, records: pl.DataFrame, sources: Sequence[SourceContext]) -> Classified:
        """The records of one block, named; same rows, same order.

        Args:
            records: RECORDS of one or several sources, of each in one stretch.
            sources: What is known of each source, in order.
        """
        by_rules: dict[SourceRules, list[SourceContext]] = {}
        for one in sources:
            by_rules.setdefault(self._ruleset.for_source(one.path, one.reader), []).append(one)
        last = records["source_id"][-1] if records.height else None
        if len(by_rules) == 1:
            (found,) = (self._classified(records, *group) for group in by_rules.items())
        else:
            found = self._in_parts(records, by_rules)
        self._carried = {source: ids for source, ids in self._carried.items() if source == last}
        return found

    def _in_parts(self, records: pl.DataFrame, by_rules: Mapping[SourceRules, Sequence[SourceContext]]) -> Classified:
        """As `feed`, where sources differ in the rules that speak of them."""
        parts = []
        for rules, sources in by_rules.items():
            rows = records["source_id"].is_in([s.source_id for s in sources]).arg_true()
            if rows.len():
                parts.append((rows, self._classified(records[rows], rules, sources)))
        order = pl.concat([rows for rows, _ in parts]).arg_sort()
        return Classified(
            pl.concat([part.events for _, part in parts])[order], pl.concat([part.artifacts for _, part in parts])
        )

    def _classified(self, records: pl.DataFrame, rules: SourceRules, sources: Sequence[SourceContext]) -> Classified:
        block = records.with_row_index("_row").with_columns(_own_stage=pl.col("stage"))
        block = self._identified(block, rules.identity, sources)
        if rules not in self._candidates:
            self._candidates[rules] = Candidates(rules.rules)
        which = self._candidates[rules].first_match(block)
        named = [_named(block, which, n, rules.rules[n]) for n in np.unique(which[which >= 0]).tolist()]
        events = _merged(block, [n.updates for n in named])
        claims = [n.claims for n in named if not n.claims.is_empty()]
        artifacts = pl.concat(claims) if claims else ARTIFACTS.empty()
        return Classified(EVENTS.fill(events), artifacts)

    def _identified(
        self, block: pl.DataFrame, identity: tuple[IdentityRule, ...], sources: Sequence[SourceContext]
    ) -> pl.DataFrame:
        """`path`; and ids from the records themselves, then carried ones, then those of the path."""
        told = _path_ids(identity, [s.path for s in sources])
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
        block = block.join(known, on="source_id", how="left", maintain_order="left")
        first, last = block["source_id"][0], block["source_id"][-1]
        carried = _Carried(self._carried.get(first, {}))
        for rule in identity:
            block = _with_identity(block, rule, carried)
        self._carried[last] = carried.ended
        return block.with_columns(pl.col(n).fill_null(pl.col(f"{n}@path")) for n in names).drop(
            f"{n}@path" for n in names
        )


# --- identity -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Carried:
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


def _with_identity(block: pl.DataFrame, rule: IdentityRule, carried: _Carried) -> pl.DataFrame:
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


def _carry(block: pl.DataFrame, rule: IdentityRule, values: dict[str, pl.Series], carried: _Carried) -> pl.DataFrame:
    columns = []
    names = [n for n in named_captures(rule.pattern or "") + list(rule.sets) if n in ID_COLUMNS]
    for name in names if rule.carry else list(values):
        found = values.get(name, pl.Series([None] * block.height, dtype=pl.String)).replace("", None)
        typed = found.cast(EVENTS.schema[name], strict=False)
        if rule.carry:
            typed = carried.along(name, typed, block["source_id"])
        columns.append(pl.coalesce(pl.col(name), pl.lit(typed)).alias(name))
    return block.with_columns(columns)


# --- rules ------------------------------------------------------------------------------------


def _named(block: pl.DataFrame, which: np.ndarray, number: int, rule: CompiledRule) -> _Named:
    """What the rule of this number says of the rows that it named."""
    rows = block.filter(pl.Series(which == number))
    for column, pattern in rule.captures:
        groups = rows.select(text_column(column).str.extract_groups(pattern)).to_series().struct.unnest()
        found = {f"@{n}": groups[n].replace("", None) for n in named_captures(pattern)}
        rows = rows.with_columns(
            pl.coalesce(name, pl.lit(value)).alias(name) if name in rows.columns else value.alias(name)
            for name, value in found.items()
        )
    return _Named(_updates(rows, rule), _claims(rows, rule))


@dataclass(frozen=True, slots=True)
class _Named:
    """What one rule says of the rows that it named: columns to fill by `_row`, and claims."""

    updates: pl.DataFrame
    claims: pl.DataFrame


def _path_ids(identity: tuple[IdentityRule, ...], paths: Sequence[str]) -> list[dict[str, object]]:
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


def _updates(rows: pl.DataFrame, rule: CompiledRule) -> pl.DataFrame:
    r = rule.rule
    columns = {
        "_row": pl.col("_row"),
        "kind": pl.lit(r.kind),
        "rule": pl.lit(rule.cite),
        "stage": _stage(rule, rows),
        "level": pl.lit(r.level, dtype=pl.String),
        "summary": _template(r.summary, rows),
        "duration_us": duration_us(_template(r.duration, rows)) if r.duration else pl.lit(None, dtype=pl.Int64),
        "_fields": _fields(rows, rule),
        "_artifacts": _artifact_ids(rows, rule),
    }
    for name in ID_COLUMNS:
        if name in r.ids:
            columns[name] = _template(r.ids[name], rows).cast(EVENTS.schema[name], strict=False)
        elif f"@{name}" in rows.columns and (name not in columns or (name == "stage" and r.stage is None)):
            columns[name] = pl.col(f"@{name}").cast(EVENTS.schema[name], strict=False)
    return rows.select(**columns)


def _stage(rule: CompiledRule, rows: pl.DataFrame) -> pl.Expr:
    """The stage that the record itself names, or that its rule stands for."""
    said = pl.col("@stage") if "@stage" in rows.columns else pl.lit(None, dtype=pl.String)
    return pl.coalesce(said, _template(rule.rule.stage, rows))


def _fields(rows: pl.DataFrame, rule: CompiledRule) -> pl.Expr:
    """JSON object of the rule's fields and of captures that are no ids; null when there are none."""
    given = {name: _template(t, rows) for name, t in rule.rule.fields.items()}
    if rule.rule.ids.get("bundle"):
        given["bundle"] = _template(rule.rule.ids["bundle"], rows)
    captured = {n[1:]: pl.col(n) for n in rows.columns if n.startswith("@") and n[1:] not in ID_COLUMNS}
    if rule.rule.failure:
        given["failure"] = pl.lit(rule.rule.failure)
    parts = {**captured, **given}
    if not parts:
        return pl.lit(None, dtype=pl.String)
    return pl.struct([part.alias(name) for name, part in parts.items()]).struct.json_encode()


def _artifact_ids(rows: pl.DataFrame, rule: CompiledRule) -> pl.Expr:
    if not rule.rule.artifacts:
        return pl.lit(None, dtype=pl.List(pl.String))
    return pl.concat_list([_template(a.id, rows) for a in rule.rule.artifacts]).list.drop_nulls()


def _claims(rows: pl.DataFrame, rule: CompiledRule) -> pl.DataFrame:
    frames = [_claim(rows, a, rule) for a in rule.rule.artifacts]
    return pl.concat(frames) if frames else ARTIFACTS.empty()


def _claim(rows: pl.DataFrame, claim: ArtifactClaim, rule: CompiledRule) -> pl.DataFrame:
    stage = pl.coalesce("_own_stage", _stage(rule, rows), "stage")
    derived = [_template(d, rows) for d in claim.derived_from]
    frame = rows.select(
        "run_id",
        "attempt",
        "ts",
        "source_id",
        "byte_start",
        "byte_len",
        artifact_id=_template(claim.id, rows),
        action=pl.lit(claim.action),
        role=_template(claim.role, rows),
        path=_template(claim.path, rows),
        size_bytes=_template(claim.size, rows).cast(pl.Int64, strict=False),
        checksum=_template(claim.checksum, rows),
        derived_from=pl.concat_list(derived).list.drop_nulls() if derived else pl.lit(None, dtype=pl.List(pl.String)),
        stage=stage,
    )
    return ARTIFACTS.fill(frame.filter(pl.col("artifact_id").is_not_null()))


def _template(template: str | None, rows: pl.DataFrame) -> pl.Expr:
    """A template's text for each row: `{name}` is a capture, a column, or `{fields.name}`; null if a hole is empty."""
    if template is None:
        return pl.lit(None, dtype=pl.String)
    parts: list[pl.Expr] = []
    end = 0
    for hole in _HOLE.finditer(template):
        parts += [pl.lit(template[end : hole.start()])] if hole.start() > end else []
        parts.append(_value(hole[1], rows))
        end = hole.end()
    if end < len(template):
        parts.append(pl.lit(template[end:]))
    return pl.concat_str(parts) if parts else pl.lit("")


def _value(name: str, rows: pl.DataFrame) -> pl.Expr:
    if f"@{name}" in rows.columns:
        return pl.col(f"@{name}")
    if name.startswith("fields."):
        return text_column(name)
    return pl.col(name).cast(pl.String) if name in rows.columns else pl.lit(None, dtype=pl.String)


def _merged(block: pl.DataFrame, updates: list[pl.DataFrame]) -> pl.DataFrame:
    """The block with nulls filled from the updates; fields are united."""
    block = block.with_columns(rule=pl.lit(None, dtype=pl.String), template_id=pl.lit(None, dtype=pl.String))
    if updates:
        said = pl.concat(updates, how="diagonal_relaxed").rename({"_fields": "_more", "_artifacts": "_ids"})
        shared = [c for c in said.columns if c not in ("_row", "_more", "_ids")]
        joined = block.join(said, on="_row", how="left", suffix="@", maintain_order="left")
        block = joined.with_columns(
            # what a reader knows, then what the record says; a stage that was only carried along is the weakest
            *(pl.coalesce(c, f"{c}@") for c in shared if c != "stage"),
            stage=pl.coalesce("_own_stage", "stage@", "stage"),
            fields=_united(pl.col("fields"), pl.col("_more")),
            artifacts=pl.coalesce(_filled(pl.col("artifacts")), "_ids"),
        )
    return block.with_columns(
        event_id=pl.lit(None, dtype=pl.String),
        batch=pl.lit(None, dtype=pl.String),
        kind=pl.col("kind").fill_null("unknown"),
        artifacts=pl.col("artifacts").fill_null([]),
    )


def _filled(lists: pl.Expr) -> pl.Expr:
    return pl.when(lists.list.len() > 0).then(lists)


def _united(first: pl.Expr, second: pl.Expr) -> pl.Expr:
    """Two JSON objects as one; where both are there, their members stand side by side.

    A failure class that the first one has, which only a reader writes, is kept.
    """
    known = first.str.contains(_KNOWN_CLASS).fill_null(value=False)
    bare = second.str.replace(r',"failure":"[^"]*"', "").str.replace(r'"failure":"[^"]*",?', "")
    second = pl.when(known).then(bare).otherwise(second)
    both = pl.concat_str(first.str.slice(0, first.str.len_chars() - 1), pl.lit(","), second.str.slice(1))
    return (
        pl.when(first.is_null() | (first == "{}"))
        .then(second)
        .when(second.is_null() | (second == "{}"))
        .then(first)
        .otherwise(both)
    )
