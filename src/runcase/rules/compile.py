"""Rules to matchers: every condition becomes a polars expression, evaluated on whole blocks.

One engine decides what a match is: Rust's `regex`, as polars carries it. One
Aho-Corasick pass over the texts that rules cannot do without picks the rows
worth a closer look; the patterns run on those.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from runcase.rules.comparison import compared
from runcase.rules.globs import glob_pattern
from runcase.rules.language import EventRule, IdentityRule, Match, Pack
from runcase.rules.patterns import named_captures
from runcase.rules.precedence import overridden


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """An event rule with its citation, its condition, and its literals."""

    rule: EventRule
    cite: str
    condition: pl.Expr
    literals: tuple[str, ...]
    captures: tuple[tuple[str, str], ...]
    """(column, pattern) of every pattern with named captures, in the order of the match."""


@dataclass(frozen=True, slots=True, eq=False)
class SourceRules:
    """What applies to some sources: event rules in the order of precedence, and identity rules; equal when the same."""

    rules: tuple[CompiledRule, ...]
    identity: tuple[IdentityRule, ...]


class Ruleset:
    """All rules of some packs; `for_source` picks those that apply."""

    def __init__(self, packs: Sequence[Pack]) -> None:
        self.packs = overridden(packs)
        self._made: dict[tuple[int, ...], SourceRules] = {}

    def for_source(self, path: str, reader: str | None) -> SourceRules:
        """Rules for a source: by descending priority, then stronger packs, then the order of the files."""
        which = tuple(n for n, p in enumerate(self.packs) if applies(p, path, reader))
        if which not in self._made:
            self._made[which] = self._compiled([self.packs[n] for n in which])
        return self._made[which]

    def _compiled(self, packs: Sequence[Pack]) -> SourceRules:
        rules = [compiled(rule, pack) for pack in reversed(packs) for rule in pack.events]
        rules.sort(key=lambda r: -r.rule.priority)
        return SourceRules(tuple(rules), tuple(i for p in reversed(packs) for i in p.identity))


def compile_packs(packs: Sequence[Pack]) -> Ruleset:
    """A ruleset of `packs`; later packs are stronger."""
    return Ruleset(packs)


def applies(pack: Pack, path: str, reader: str | None) -> bool:
    """Whether a pack speaks about this source: it names its reader or its path, or neither."""
    if not pack.readers and not pack.sources:
        return True
    return reader in pack.readers or any(re.match(glob_pattern(g), path) for g in pack.sources)


def compiled(rule: EventRule, pack: Pack) -> CompiledRule:
    """One rule as expressions over RECORDS."""
    return CompiledRule(rule, pack.cite(rule.id), condition(rule.match), rule.literals, tuple(captures(rule.match)))


def condition(match: Match) -> pl.Expr:
    """The condition as one boolean expression; null counts as no."""
    parts = [*_text_parts(match), *_column_parts(match)]
    parts += [condition(m) for m in match.all_of]
    if match.any_of:
        parts.append(pl.any_horizontal([condition(m) for m in match.any_of]))
    parts += [~condition(m) for m in match.none_of]
    return pl.all_horizontal(parts).fill_null(value=False) if parts else pl.lit(value=True)


def text_column(on: str) -> pl.Expr:
    """The text that a condition looks at."""
    if on.startswith("fields."):
        return field(on.removeprefix("fields."))
    return pl.col(on)


def field(name: str) -> pl.Expr:
    """A value of the `fields` JSON as text; null when it is not there."""
    return pl.col("fields").str.json_path_match(f"$['{name}']")


def _text_parts(match: Match) -> list[pl.Expr]:
    text = text_column(match.on)
    parts = []
    if match.contains:
        parts.append(text.str.contains_any(list(match.contains), ascii_case_insensitive=True))
    if match.pattern is not None:
        parts.append(text.str.contains(match.pattern))
    return parts


def _column_parts(match: Match) -> list[pl.Expr]:
    parts = []
    if match.level:
        parts.append(pl.col("level").is_in(list(match.level)))
    if match.logger is not None:
        parts.append(_glob(field("logger"), match.logger))
    if match.stream is not None:
        parts.append(_glob(pl.col("stream"), match.stream))
    if match.source is not None:
        parts.append(_glob(pl.col("path"), match.source))
    if match.stage is not None:
        parts.append(_glob(pl.col("stage"), match.stage))
    if match.attempt is not None:
        parts.append(compared(pl.col("attempt").cast(pl.String), match.attempt))
    parts += [compared(field(name), wanted) for name, wanted in match.fields.items()]
    return parts


def _glob(text: pl.Expr, glob: str) -> pl.Expr:
    return text.str.contains(glob_pattern(glob))


def captures(match: Match) -> list[tuple[str, str]]:
    """(column, pattern) of every pattern of a match that has named captures, in their order."""
    own = [(match.on, match.pattern)] if match.pattern else []
    own += [("path", glob_pattern(match.source))] if match.source else []
    own = [(column, pattern) for column, pattern in own if named_captures(pattern)]
    return [*own, *(x for m in (*match.all_of, *match.any_of) for x in captures(m))]
