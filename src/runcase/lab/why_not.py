"""`rules why-not`: why a record was not named by a rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from runcase.lab.case_view import LabCase, opened, rule_named
from runcase.lab.explain import first_failed, quoted
from runcase.lab.trial import in_precedence
from runcase.model.problems import RuncaseError
from runcase.model.refs import Ref, ref_of
from runcase.rules.compile import applies, condition
from runcase.rules.language import EventRule, Pack


@dataclass(frozen=True, slots=True)
class WhyNot:
    """The answer: a stable code, a sentence, and the condition that failed, if one did."""

    ref: str
    rule: str
    code: str
    """named | pack_does_not_apply | condition_failed | reader_named_it | earlier_rule | not_named_then."""
    text: str
    where: str | None = None
    wanted: str | None = None
    on: str | None = None
    detail: str = ""


def why_not(path: str, ref: str, rule: str, rules: Sequence[str] = ()) -> WhyNot:
    """Why the record at `ref` is not named by `rule`.

    Raises:
        RuncaseError: `bad_ref`, `unknown_rule`, `not_a_case`, and those of packs.
    """
    case = opened(path, rules)
    event = _event_at(case, Ref.parse(ref))
    ordered = in_precedence(case.packs)
    number = rule_named(rule, ordered)
    asked, pack = ordered[number]
    cite = pack.cite(asked.id)
    own = str(ref_of_row(event))
    if event["rule"][0] == cite:
        return WhyNot(own, cite, "named", "this rule names the record")
    if not applies(pack, str(event["path"][0]), event["reader"][0]):
        return WhyNot(own, cite, "pack_does_not_apply", _scope(pack, event))
    step = first_failed(asked.match, event)
    if step is not None:
        return WhyNot(own, cite, "condition_failed", step.sentence(), step.where, step.wanted, step.text, step.detail)
    return _beaten(own, cite, number, ordered, event)


def ref_of_row(event: pl.DataFrame) -> str:
    """The ref of the one row."""
    return str(event.select(ref_of())[0, 0])


def _event_at(case: LabCase, ref: Ref) -> pl.DataFrame:
    """The record that holds the first byte of the ref."""
    end = pl.col("byte_start") + pl.col("byte_len")
    inside = (pl.col("byte_start") <= ref.byte_start) & (end > ref.byte_start)
    found = case.events().filter((pl.col("source_id") == ref.source_id) & inside).sort("byte_start").collect()
    if found.is_empty():
        raise RuncaseError("bad_ref", f"{case.root} has no record at {ref}", "refs are printed in the dossiers")
    return found.head(1)


def _scope(pack: Pack, event: pl.DataFrame) -> str:
    speaks = [f"readers {', '.join(pack.readers)}"] if pack.readers else []
    speaks += [f"sources {', '.join(pack.sources)}"] if pack.sources else []
    reader = event["reader"][0] or "none"
    path = quoted(str(event["path"][0]))
    return f"pack {pack.name} speaks of {' and '.join(speaks)} only; this source is {path}, reader {reader}"


def _beaten(ref: str, cite: str, number: int, ordered: Sequence[tuple[EventRule, Pack]], event: pl.DataFrame) -> WhyNot:
    """The rule matches, and something else came first."""
    path, reader = str(event["path"][0]), event["reader"][0]
    for rule, pack in ordered[:number]:
        if applies(pack, path, reader) and event.select(pl.col("source_id"), h=condition(rule.match))["h"][0]:
            place = f"priority {rule.priority}, {rule.place}"
            return WhyNot(
                ref,
                cite,
                "earlier_rule",
                f"it matches, but {pack.cite(rule.id)} ({place}) is asked first and matches too",
            )
    if event["rule"][0] is None and event["kind"][0] != "unknown":
        kind = event["kind"][0]
        return WhyNot(ref, cite, "reader_named_it", f"it matches, but reader {reader} had named the record {kind!r}")
    return WhyNot(
        ref,
        cite,
        "not_named_then",
        "it matches now; the case was built before, renew it with: runcase build --reclassify",
    )
