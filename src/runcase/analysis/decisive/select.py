"""Which lines of a failed run decide: candidates by family, weighed by place and novelty, chosen within a budget."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import polars as pl

from runcase.analysis.decisive.families import FAMILIES, QUIET, Family
from runcase.rules.literals import FOLDED, required

MAX_LINE_CHARS = 400
"""What of a line counts against the budget; faces cut longer lines there."""

_MASK = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{7,64}\b|\d+(?:\.\d+)*|\x1b\[[0-9;]*m")
_BY_NAME = {f.name: f for f in FAMILIES}
_STRONGEST_FIRST = sorted(FAMILIES, key=lambda f: -f.weight)
_NEEDED = {f.name: required(f.pattern) for f in FAMILIES}
_LITERALS = sorted({t for texts in _NEEDED.values() for t in texts}) + list(FOLDED)
_OTHERS = "|".join(f"(?:{f.pattern})" for f in FAMILIES if not _NEEDED[f.name])
_FAMILIES_BY_LITERAL = pl.DataFrame(
    [(t, f) for f, texts in _NEEDED.items() if texts for t in (*texts, *FOLDED)],
    schema={"literal": pl.String(), "family": pl.String()},
    orient="row",
)
_WRAPPERS = 45
"""Families up to this weight repeat what others said."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be shown."""

    lines: int = 36
    chars: int = 3000


def budget_for(log_chars: int) -> Budget:
    """About two per cent of the log, but enough for one statement and not more than a screen."""
    return Budget(chars=max(350, min(3600, int(0.02 * log_chars))))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A line that says that something failed; `place` is its row in the run."""

    place: int
    family: Family
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Decision:
    """The chosen rows in reading order, the best candidate, and all candidates by falling score."""

    places: tuple[int, ...]
    best: Candidate | None
    candidates: tuple[Candidate, ...]


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
    hits = hits.with_columns(pl.col("literal").str.to_lowercase()).unique(maintain_order=True)
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


def decide(weighed: list[Candidate], texts: dict[int, str], budget: Budget) -> Decision:
    """The decisive rows.

    Args:
        weighed: As `weighed` yields them.
        texts: Row -> text of the rows near candidates, for context.
        budget: How much may be shown.
    """
    chosen = _Choice(budget, texts)
    for candidate in _first_of_each_kind(weighed):
        chosen.add(candidate)
    best = next((c for c in weighed if c.family.weight > _WRAPPERS), weighed[0] if weighed else None)
    return Decision(tuple(sorted(chosen.places)), best, tuple(weighed))


def weighed(found: pl.DataFrame, end: int | None, begin: int) -> list[Candidate]:
    """Candidates by falling score: weight, inside the failing stage, near its end, rare.

    Args:
        found: `place, text, family` of the lines that `families` names.
        end: Row at which the run was declared failed; null when nothing says so.
        begin: Row at which the failing stage began.
    """
    seen = Counter(masked(t) for t in found["text"].to_list())
    result = []
    for place, text, name in found.select("place", "text", "family").iter_rows():
        family = _BY_NAME[name]
        score = float(family.weight)
        if end is not None and place > end + 2:
            score -= 45
        elif begin <= place <= (end if end is not None else place):
            score += 12
        else:
            score -= 8
        if end is not None and 0 <= end - place <= 60:
            score += 4
        score -= min(24, 5 * max(0, seen[masked(text)] - 3) ** 0.5)
        result.append(Candidate(place, family, text, score))
    return sorted(result, key=lambda c: (-c.score, c.place))


def masked(text: str) -> str:
    """The text with numbers, digests and addresses as holes."""
    return _MASK.sub("#", text.strip()[:200])


def _first_of_each_kind(weighed: list[Candidate]) -> list[Candidate]:
    """Candidates so that different statements come before further ones of a kind, and repeats come last."""
    rounds: list[list[Candidate]] = [[], [], [], []]
    by_family: Counter[str] = Counter()
    said: set[str] = set()
    exits = [c for c in weighed if c.family.name in ("exit_step", "exit_done")]
    for c in weighed:
        if c in exits[1:]:
            continue
        text = masked(c.text)
        if text in said:
            rounds[3].append(c)
            continue
        said.add(text)
        by_family[c.family.name] += 1
        n = by_family[c.family.name]
        rounds[0 if n <= 2 else 1 if n <= 6 else 2].append(c)
    first = exits[:1]
    return first + [c for r in rounds for c in r if c not in first]


class _Choice:
    """Rows taken so far, and what is left of the budget."""

    def __init__(self, budget: Budget, texts: dict[int, str]) -> None:
        self.places: set[int] = set()
        self._lines, self._chars = budget.lines, budget.chars
        self._texts = texts
        self._shown: set[str] = set()

    def add(self, c: Candidate) -> None:
        """Takes a candidate and the rows that belong to it, as far as the budget goes."""
        text = c.text.strip()
        if c.place in self.places or text in self._shown or not self._take(c.place, c.text):
            return
        self._shown.add(text)
        for place in range(c.place - c.family.before, c.place):
            self._context(place)
        for place in range(c.place + 1, c.place + 1 + c.family.after):
            if not self._context(place):
                break

    def _context(self, place: int) -> bool:
        text = self._texts.get(place)
        if text is None or place in self.places:
            return text is not None
        if text.startswith(("##[group]", "##[endgroup]")):
            return False
        return not text.strip() or self._take(place, text)

    def _take(self, place: int, text: str) -> bool:
        cost = min(len(text), MAX_LINE_CHARS) + 1
        fresh_gap = 0 if {place - 1, place + 1} & self.places else 18
        if self._lines <= 0 or cost + fresh_gap > self._chars:
            return False
        self.places.add(place)
        self._lines -= 1 if not fresh_gap else 2
        self._chars -= cost + fresh_gap
        return True
