"""Why a record is not what a rule describes: the first condition that does not hold, and on which text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from runcase.rules.compile import condition, field, text_column
from runcase.rules.language import Match

SHOWN = 160
"""Characters of a text that an explanation quotes."""


@dataclass(frozen=True, slots=True)
class Step:
    """One condition: where it stands in the rule, what it wants, on which text, and whether it holds."""

    where: str
    wanted: str
    text: str | None
    holds: bool
    detail: str = ""

    def sentence(self) -> str:
        """One or two lines."""
        on = "which is not there" if self.text is None else f"on {quoted(self.text)}"
        said = f"{self.where}: {self.wanted} {'holds' if self.holds else 'does not hold'}, {on}"
        return f"{said}\n  {self.detail}" if self.detail else said


def quoted(text: str) -> str:
    """A text in quotes, cut to what an explanation shows."""
    shown = text if len(text) <= SHOWN else text[:SHOWN] + "..."
    return "'" + shown.replace("\n", "\\n") + "'"


def first_failed(match: Match, record: pl.DataFrame) -> Step | None:
    """The first condition that the record does not satisfy; None when it satisfies all.

    Args:
        match: The condition of a rule.
        record: One row of RECORDS, with `path`.
    """
    return next((step for step in steps(match, record) if not step.holds), None)


def steps(match: Match, record: pl.DataFrame, where: str = "match") -> Iterator[Step]:
    """Every condition of a match in the order in which a reader meets them."""
    yield from _text_steps(match, record, where)
    yield from _column_steps(match, record, where)
    for n, part in enumerate(match.all_of):
        yield from steps(part, record, f"{where}.all[{n}]")
    if match.any_of:
        yield _any_step(match, record, where)
    for n, part in enumerate(match.none_of):
        held = _holds(part, record)
        step = next(iter(steps(part, record, f"{where}.none[{n}]")), None)
        wanted = f"must not hold: {step.wanted if step else 'it'}"
        yield Step(f"{where}.none[{n}]", wanted, _value(record, text_column(part.on)), not held)


def _text_steps(match: Match, record: pl.DataFrame, where: str) -> Iterator[Step]:
    text = _value(record, text_column(match.on))
    if match.contains:
        part = Match(contains=match.contains, on=match.on)
        yield Step(f"{where}.contains", f"one of {list(match.contains)}", text, _holds(part, record))
    if match.pattern is not None:
        held = _holds(Match(pattern=match.pattern, on=match.on), record)
        detail = "" if held or text is None else _how_far(match.pattern, text)
        yield Step(f"{where}.pattern", match.pattern, text, held, detail)


def _column_steps(match: Match, record: pl.DataFrame, where: str) -> Iterator[Step]:
    if match.level:
        held = _holds(Match(level=match.level), record)
        yield Step(f"{where}.level", f"one of {list(match.level)}", _value(record, pl.col("level")), held)
    for name, column in (("logger", field("logger")), ("stream", pl.col("stream")), ("source", pl.col("path"))):
        if (wanted := getattr(match, name)) is not None:
            held = _holds(_only(name, wanted), record)
            yield Step(f"{where}.{name}", wanted, _value(record, column), held)
    for name in ("stage", "attempt"):
        if (wanted := getattr(match, name)) is not None:
            yield Step(f"{where}.{name}", wanted, _value(record, pl.col(name)), _holds(_only(name, wanted), record))
    for name, wanted in match.fields.items():
        held = _holds(Match(fields={name: wanted}), record)
        yield Step(f"{where}.fields.{name}", wanted, _value(record, field(name)), held)


def _only(name: str, wanted: str) -> Match:
    return Match(
        logger=wanted if name == "logger" else None,
        stream=wanted if name == "stream" else None,
        source=wanted if name == "source" else None,
        stage=wanted if name == "stage" else None,
        attempt=wanted if name == "attempt" else None,
    )


def _any_step(match: Match, record: pl.DataFrame, where: str) -> Step:
    """One step for all branches; it quotes why each of them fails."""
    held = any(_holds(branch, record) for branch in match.any_of)
    reasons = [
        step.sentence().split("\n")[0]
        for n, branch in enumerate(match.any_of)
        if (step := next((s for s in steps(branch, record, f"{where}.any[{n}]") if not s.holds), None))
    ]
    return Step(f"{where}.any", "one branch", _value(record, pl.col("message")), held, "\n  ".join(reasons))


def _holds(match: Match, record: pl.DataFrame) -> bool:
    return bool(record.select(pl.col("source_id"), held=condition(match))["held"][0])


def _value(record: pl.DataFrame, column: pl.Expr) -> str | None:
    found = record.select(column.cast(pl.String).alias("v"))["v"][0]
    return None if found is None else str(found)


def _how_far(pattern: str, text: str) -> str:
    """The longest part of the pattern, from its begin, that the text still matches, and what stands after it."""
    cuts = [n for n in range(1, len(pattern)) if _is_pattern(pattern[:n])]
    low, high = 0, len(cuts)
    while low < high:
        middle = (low + high + 1) // 2
        if _found(pattern[: cuts[middle - 1]], text) is not None:
            low = middle
        else:
            high = middle - 1
    if low == 0:
        return f"nothing of it is found, not even {quoted(pattern[: cuts[0]])}" if cuts else ""
    part = pattern[: cuts[low - 1]]
    end = _found(part, text) or 0
    return f"it matches up to {quoted(part)}; {quoted(pattern[len(part) :])} is not found at {quoted(text[end:])}"


def _is_pattern(text: str) -> bool:
    """Whether a begin of a pattern is a pattern itself; a cut inside an escape, set or group is none."""
    try:
        pl.Series([""]).str.contains(text)
    except pl.exceptions.ComputeError:
        return False
    return not text.endswith("\\") and text.count("|") == 0


def _found(pattern: str, text: str) -> int | None:
    """Where the first match of `pattern` ends, in characters; None where there is none."""
    found = pl.Series([text]).str.extract(f"(?s)^(.*?(?:{pattern}))", 1)[0]
    return None if found is None else len(found)
