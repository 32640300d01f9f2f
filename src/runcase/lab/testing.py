"""`rules test`: each rule on its examples, each pack on its scenarios."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from runcase.lab.explain import first_failed, quoted
from runcase.lab.trial import event, hits, in_precedence, records
from runcase.rules.language import EventRule, Example, Pack


@dataclass(frozen=True, slots=True)
class Verdict:
    """One test: what was tried, where it is declared, and why it failed (empty: it passed)."""

    pack: str
    subject: str
    title: str
    place: str
    failure: str = ""

    @property
    def passed(self) -> bool:
        """Whether it did what its author says."""
        return not self.failure


def tried_examples(pack: Pack, weaker: Sequence[Pack] = ()) -> list[Verdict]:
    """Every example of a pack: those that match are named by their rule, the others are not matched by it."""
    rules = in_precedence([pack])
    wanted = [(n, e, yes) for n, (rule, _) in enumerate(rules) for e, yes in _examples(rule)]
    frame = records([e for _, e, _ in wanted], pack)
    found = hits(rules, frame)
    verdicts = [
        _tried(pack, rules, n, example, yes, found.row(at), frame.slice(at, 1), weaker)
        for at, (n, example, yes) in enumerate(wanted)
    ]
    return [*verdicts, *_format_samples(pack)]


def _examples(rule: EventRule) -> Iterator[tuple[Example, bool]]:
    yield from ((e, True) for e in rule.examples)
    yield from ((e, False) for e in rule.counterexamples)


def _tried(
    pack: Pack,
    rules: Sequence[tuple[EventRule, Pack]],
    n: int,
    example: Example,
    yes: bool,
    row: tuple[object, ...],
    record: pl.DataFrame,
    weaker: Sequence[Pack],
) -> Verdict:
    rule = rules[n][0]
    title = f"{'matches' if yes else 'does not match'} {quoted(example.line)}"
    winner = next((m for m, hit in enumerate(row) if hit), None)
    failure = ""
    if yes and not row[n]:
        step = first_failed(rule.match, record)
        failure = f"the example is not matched\n{step.sentence() if step else ''}"
    elif not yes and row[n]:
        failure = "the rule matches an example that it must not match"
    elif yes and winner is not None and winner != n:
        failure = f"the earlier rule {rules[winner][0].id!r} ({rules[winner][0].place}) names this example"
    elif example.gives and yes:
        failure = _given(example, event(example, record, [*weaker, pack], _reader(pack)))
    return Verdict(pack.name, rule.id, title, str(example.place), failure)


def _reader(pack: Pack) -> str | None:
    return pack.readers[0] if pack.readers else None


def _given(example: Example, made: dict[str, object]) -> str:
    """A diff of what the example says that the rule gives and what it gives; empty when they agree."""
    fields = json.loads(str(made["fields"])) if made["fields"] else {}
    actual = {name: _shown(name, made, fields) for name in example.gives}
    return difference(
        [f"{k}: {v}" for k, v in sorted(example.gives.items())], [f"{k}: {v}" for k, v in sorted(actual.items())]
    )


def _shown(name: str, made: dict[str, object], fields: dict[str, object]) -> str:
    if name == "artifacts":
        listed = made["artifacts"]
        return ", ".join(map(str, listed)) if isinstance(listed, list) else ""
    value = made[name] if name in made and name != "fields" else fields.get(name.removeprefix("fields."))
    return "" if value is None else str(value)


def difference(wanted: Sequence[str], actual: Sequence[str]) -> str:
    """A unified diff from what was wanted to what came; empty when they are equal."""
    if list(wanted) == list(actual):
        return ""
    lines = difflib.unified_diff(list(wanted), list(actual), "wanted", "actual", lineterm="", n=2)
    return "\n".join(lines)


def _format_samples(pack: Pack) -> Iterator[Verdict]:
    """Sample lines of the pack's line formats."""
    for rule in pack.formats:
        for sample in rule.samples:
            held = pl.Series([sample]).str.contains(rule.pattern)[0]
            failure = "" if held else f"the pattern does not match the sample: {rule.pattern}"
            yield Verdict(pack.name, rule.id, f"reads {quoted(sample)}", str(rule.place), failure)
