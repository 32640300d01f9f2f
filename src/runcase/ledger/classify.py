"""Names every record: the first rule that matches gives kind, stage, ids, times and artifacts.

What a reader knows already (kind, stage, summary, ids) is kept: a rule fills
what is null. Records that nothing names are `unknown`, and stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from runcase.intake.pieces import SourceContext
from runcase.ledger.candidates import Candidates, part_of
from runcase.ledger.identify import ID_COLUMNS, Carried, identified
from runcase.model.kinds import FAILURE_ROOTS
from runcase.model.tables import ARTIFACTS, EVENTS
from runcase.rules.compile import CompiledRule, Ruleset, SourceRules, text_column
from runcase.rules.language import ArtifactClaim
from runcase.rules.patterns import named_captures
from runcase.rules.units import duration_us

_KNOWN_CLASS = rf'"failure":"(?:{"|".join(FAILURE_ROOTS)})[.\w]*"'
_TAKEN_OVER = ("run_id", "attempt", "ts", "source_id", "byte_start", "byte_len")
_OF_A_CLAIM = (*_TAKEN_OVER, "_own_stage", "stage")
"""What a claim says of the record that makes it."""

_HOLE = re.compile(r"\{([A-Za-z_][\w.]*)\}")


@dataclass(frozen=True, slots=True)
class Classified:
    """EVENTS (without `batch`) in the order of the records, and the ARTIFACTS that they claim."""

    events: pl.DataFrame
    artifacts: pl.DataFrame


class Classifier:
    """Names the records of sources, block by block, in order; a source may go on in the next block."""

    def __init__(self, ruleset: Ruleset, compiled: bool = False) -> None:
        self._ruleset = ruleset
        self._compiled = compiled
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
        carried = Carried(self._carried.get(block["source_id"][0], {}))
        block = identified(block, rules.identity, sources, carried)
        self._carried[block["source_id"][-1]] = carried.ended
        if rules not in self._candidates:
            self._candidates[rules] = Candidates(rules.rules, self._compiled)
        which = self._candidates[rules].first_match(block)
        named = [_named(block, which, n, rules.rules[n]) for n in np.unique(which[which >= 0]).tolist()]
        events = _merged(block, [n.updates for n in named])
        claims = [n.claims for n in named if not n.claims.is_empty()]
        artifacts = pl.concat(claims) if claims else ARTIFACTS.empty()
        return Classified(EVENTS.fill(events), artifacts)


# --- rules ------------------------------------------------------------------------------------


def _named(block: pl.DataFrame, which: np.ndarray, number: int, rule: CompiledRule) -> _Named:
    """What the rule of this number says of the rows that it named."""
    rows = part_of(block, _read_by(rule))[np.flatnonzero(which == number)]
    for column, pattern in rule.captures:
        rows = rows.with_columns(text_column(column).str.extract_groups(pattern).alias("@"))
        said = {f"@{n}": pl.col("@").struct.field(n) for n in named_captures(pattern)}
        told = {name: pl.when(text != "").then(text) for name, text in said.items()}
        rows = rows.with_columns(
            pl.coalesce(name, text).alias(name) if name in rows.columns else text.alias(name)
            for name, text in told.items()
        ).drop("@")
    return _Named(_updates(rows, rule), _claims(rows, rule))


def _read_by(rule: CompiledRule) -> set[str]:
    """The columns that a rule looks at when it says something of a record."""
    r = rule.rule
    claimed = (t for a in r.artifacts for t in (a.id, a.role, a.path, a.size, a.checksum, *a.derived_from))
    templates = (r.stage, r.summary, r.duration, *r.ids.values(), *r.fields.values(), *claimed)
    values = {*(hole for t in templates if t for hole in _HOLE.findall(t)), *(column for column, _ in rule.captures)}
    columns = {"fields" if v.startswith("fields.") else v for v in values}
    return {"_row", *columns, *(_OF_A_CLAIM if r.artifacts else ())}


@dataclass(frozen=True, slots=True)
class _Named:
    """What one rule says of the rows that it named: columns to fill by `_row`, and claims."""

    updates: pl.DataFrame
    claims: pl.DataFrame


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
        *_TAKEN_OVER,
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
