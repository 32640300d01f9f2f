"""Which lines of a failed run decide: candidates by family, weighed by place and novelty, chosen within a budget."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from runcase.analysis.decisive.details import TAIL, TAIL_LINES, advises, details, opening, origin, tail
from runcase.analysis.decisive.novelty import masked
from runcase.analysis.decisive.records import told_lines
from runcase.analysis.decisive.regions import Region
from runcase.analysis.decisive.survival import ended_by
from runcase.analysis.decisive.weighing import TELLING, Candidate, by_score

MAX_LINE_CHARS = 400
"""What of a line counts against the budget; faces cut longer lines there."""

MOST_CHARS = 4500
"""Of a screen."""

FRAME_CHARS = 370
"""What the first screen holds besides the decisive lines, about."""

_IMAGE_STEP = re.compile(r"^#(\d+) ")
_IMAGE_ERROR = re.compile(r"^#(\d+) ERROR: (?!.*cache (?:importer|manifest))")
_IGNORED = re.compile(
    r"^\.\.\.ignoring|^\s*\(?ignor(?:ed|ing)\b|^make.*\(ignored\)"
    r"|\bwill attempt to run again\b|\b(?:[Ww]ill (?:be )?retr(?:y|ied)\b|[Rr]etrying) (?:in|after) \d"
)
"""What right below an error says that it was not the last word."""

_LOGGED = re.compile(r"^(?:.{0,20}\d\d:\d\d:\d\d\S* +(?:\S+ +){0,2})?(?:TRACE|DEBUG|INFO|WARN(?:ING)?) +\S")
_THROWN = re.compile(r"^(?:Traceback \(|(?:\w+[.$])*(?:\w+Exception|\w*Error)\b)")
"""An exception right below a line that was logged as no error was logged with it."""

_BROWSER = re.compile(r"^\[\d+:(?:\d+:)?\d{4}/\d{6}\.\d+:(?:ERROR|WARNING|INFO):[\w.]+\(\d+\)\] ")
"""What Chromium writes of its surroundings whatever is tested in it."""

_WARNED = re.compile(r"^(?:warning|WARNING)\b")
"""What is indented below such a line belongs to a warning."""

_WRAPPERS = 45
"""Families up to this weight repeat what others said."""

_AS_GOOD = 4.0
"""Among candidates whose scores lie so near, the first is the cause."""

_FAR = 75.0
"""A candidate whose score lies so far below that of the cause says nothing of it."""

_FAR_OUTSIDE = 30.0
"""The same for a line outside the parts that failed, where one of them holds the cause."""

_MARK_CHARS = 18
"""What the mark for rows that are left out costs."""

_DETAILED = 4
"""So many statements are shown with details; further ones by their first line."""

_REPEATS = 4
"""So many lines that differ in numbers alone are shown; names of tests may differ in no more."""

EXITS = ("exit_step", "exit_done")
"""Families of lines by which a CI service says that a command failed."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be shown."""

    lines: int = 36
    chars: int = 3000


def budget_for(log_chars: int) -> Budget:
    """So much that the first screen is under three per cent of the log; enough for a statement, at most a screen."""
    return Budget(chars=max(520, min(MOST_CHARS, int(0.026 * log_chars) - FRAME_CHARS)))


@dataclass(frozen=True, slots=True)
class Decision:
    """The chosen rows in reading order, the best candidate, and all candidates by falling score."""

    places: tuple[int, ...]
    best: Candidate | None
    candidates: tuple[Candidate, ...]


def decide(weighed: Sequence[Candidate], texts: dict[int, str], regions: Sequence[Region], budget: Budget) -> Decision:
    """The decisive rows.

    Args:
        weighed: As `weighed` yields them.
        texts: Row -> text of the rows near candidates and ends, for context.
        regions: Where the run was declared failed, in order; empty when nothing says so.
        budget: How much may be shown.
    """
    told = by_score(_without_harmless(weighed, texts))
    best = _first_cause(told)
    while best and (later := ended_by(best, told, regions)):
        told = [_outlived(c, later[0]) if c.place < later[0].place else c for c in told]
        best = _first_cause(by_score(later))
    if best and best.family.weight < TELLING and regions and not any(r.holds(best.place) for r in regions):
        best = None  # a general word elsewhere says less than the last words of what failed
    told = by_score([*told, *_tails(regions, texts, best)])
    best = best or _first_cause(told)
    told = [c for c in told if best is None or c.score >= best.score - _reach(c, best, regions)]
    chosen = _Choice(budget, texts, best, frozenset(e - (e != r.end) for r in regions for e in r.ends))
    for candidate in _in_turn(told, best, texts):
        chosen.add(candidate)
    return Decision(tuple(sorted(chosen.places | chosen.between())), best or (told[0] if told else None), tuple(told))


def _without_harmless(weighed: Sequence[Candidate], texts: dict[int, str]) -> list[Candidate]:
    """Without what belongs to a warning; less weight for what was ignored, logged as no error, or in a good step."""
    broken = {m[1] for c in weighed if (m := _IMAGE_ERROR.match(c.text))}

    def harmless(c: Candidate) -> bool:
        step = _IMAGE_STEP.match(c.text)
        if (broken and step and step[1] not in broken) or _BROWSER.match(c.text):
            return True
        if "\nTraceback " in c.text and _LOGGED.match(c.text):
            return True
        if _THROWN.match(texts.get(c.place, c.text)) and _LOGGED.match(texts.get(c.place - 1, "")):
            return True
        return bool(_IGNORED.search(texts.get(c.place + 1, "")))

    told = (c for c in weighed if not (c.text[:1] in " \t" and _WARNED.match(texts.get(c.place - 1, ""))))
    return [replace(c, score=c.score - (_FAR if _BROWSER.match(c.text) else 40)) if harmless(c) else c for c in told]


def _first_cause(weighed: Sequence[Candidate]) -> Candidate | None:
    """The earliest of the candidates that are about as good as the best one."""
    telling = [c for c in weighed if c.family.weight > _WRAPPERS]
    if not telling:
        return None
    if telling[0].family is TAIL:
        return telling[0]
    return min((c for c in telling if c.score >= telling[0].score - _AS_GOOD), key=lambda c: c.place)


def _outlived(c: Candidate, later: Candidate) -> Candidate:
    """With what speaks against it; it stays among what is shown."""
    return replace(c, against=c.against or f"was outlived: what ended the run came {later.place - c.place} lines later")


def _tails(regions: Sequence[Region], texts: dict[int, str], best: Candidate | None) -> list[Candidate]:
    """The last lines before each exit: many when nothing else tells, else a few."""
    known = best is not None and best.family.weight >= TELLING and any(r.holds(best.place) for r in regions)
    count = 2 if known else TAIL_LINES
    rows = [row for r in regions for row in tail(r.ends[0], texts, count, known) if row[0] > _title_end(r, texts)]
    lift = 0.0 if known else 12.0
    return [
        Candidate(place, family, text, family.weight + lift - n / 10) for n, (place, text, family) in enumerate(rows)
    ]


def _title_end(region: Region, texts: dict[int, str]) -> int:
    """The last row of the group that says what a step is about to run; the begin where there is no such group."""
    if not texts.get(region.begin, "").startswith("##[group]"):
        return region.begin
    ends = (p for p in range(region.begin, region.end) if texts.get(p, "").startswith("##[endgroup]"))
    return next(ends, region.begin)


def _reach(c: Candidate, best: Candidate, regions: Sequence[Region]) -> float:
    """How far below the cause a line may score that still says something of it."""
    found = best.family.weight >= TELLING and any(r.holds(best.place) for r in regions)
    return _FAR_OUTSIDE if found and not any(r.holds(c.place) for r in regions) else _FAR


# --- choosing -------------------------------------------------------------------------------------


def _in_turn(weighed: Sequence[Candidate], best: Candidate | None, texts: dict[int, str]) -> list[Candidate]:
    """The exit, the cause with its details, then one statement of each kind, then further ones; repeats last."""
    exits = [c for c in weighed if c.family.name in EXITS]
    rounds: list[list[Candidate]] = [[], [], [], [], []]
    by_family: Counter[str] = Counter()
    said: Counter[str] = Counter()
    for c in ([best] if best else []) + [c for c in weighed if c not in exits and c is not best]:
        text = masked(c.text)
        said[text] += 1
        if said[text] > 1:
            named = (c.family.failure or "").startswith("test.")
            rounds[4] += [c] if named or said[text] <= _REPEATS else []
            continue
        by_family[c.family.name] += 1
        n = by_family[c.family.name]
        rounds[0 if c is best else 1 if n <= 2 else 2 if n <= 6 else 3].append(c)
    for n in (0, 1):
        rounds[n] = [x for c in rounds[n] for x in (c, *_completed(c, texts, n == 0))]
    total = next((c for c in weighed if c.family.total and best and c.score >= best.score - _FAR / 2), None)
    first = [*exits[:1], *rounds[0][:1], *([total] if total else [])]
    return first + [c for r in rounds for c in r]


def _completed(c: Candidate, texts: dict[int, str], whole: bool) -> list[Candidate]:
    """What completes a statement; of one that is not the cause only the nearest place."""
    if c.family.weight < TELLING:
        return []
    rows = [*opening(c.place, texts, c.family.headed), *origin(c.place, texts), *details(c.place, texts)]
    rows = rows if whole else rows[:1]
    return [replace(c, place=place, text=text, family=family) for place, text, family in rows]


class _Choice:
    """Rows taken so far, and what is left of the budget."""

    def __init__(self, budget: Budget, texts: dict[int, str], best: Candidate | None, ends: frozenset[int]) -> None:
        self.places: set[int] = set()
        self._ends = ends
        self._lines, self._chars = budget.lines, budget.chars
        self._texts = texts
        self._best = best
        self._shown: set[str] = set()
        self._statements = 0

    def add(self, c: Candidate) -> None:
        """Takes a candidate and the rows that belong to it, as far as the budget goes; the cause in any case."""
        text = c.text.strip()
        most = MOST_CHARS if c is self._best else None
        if c.place in self.places or text in self._shown:
            return
        if not self._take(c.place, self._texts.get(c.place, c.text), most):
            return
        self._shown.add(text)
        self._statements += c.family.after > 0
        after = c.family.after if self._statements <= _DETAILED else min(1, c.family.after)
        for place in range(c.place - 1, c.place - 1 - c.family.before, -1):
            if place in self._ends or not self._context(place):
                break
        for place in range(c.place + 1, c.place + 1 + after):
            if place - 1 in self._ends or not self._context(place):
                break

    def between(self) -> set[int]:
        """Single rows between taken ones that are no longer than the mark that would stand for them."""
        near = (p + 1 for p in self.places if p + 2 in self.places)
        return {p for p in near if p not in self.places and len(self._texts.get(p, "x" * _MARK_CHARS)) < _MARK_CHARS}

    def _neighbours(self, place: int) -> bool:
        """Whether a row stands next to a taken one, or one blank row away from it."""
        if {place - 1, place + 1} & self.places:
            return True
        return any(place + 2 * d in self.places and not self._texts.get(place + d, "x").strip() for d in (-1, 1))

    def _context(self, place: int) -> bool:
        text = self._texts.get(place)
        if text is None or place in self.places:
            return text is not None
        if text.startswith(("##[group]", "##[endgroup]", "[Pipeline] ", "PASS ", "ok ")) or advises(text):
            return False
        return not text.strip() or self._take(place, text, self._chars * 7 // 10 if "\n" in text else self._chars)

    def _take(self, place: int, text: str, most: int | None = None) -> bool:
        lines = text.split("\n")
        shown = [min(len(lines[n]), MAX_LINE_CHARS) + 1 for n in told_lines(lines)]
        cost = sum(shown)
        fresh_gap = 0 if self._neighbours(place) else _MARK_CHARS
        if self._lines <= 0 or cost + fresh_gap > (self._chars if most is None else most):
            return False
        self.places.add(place)
        self._lines -= len(shown) + bool(fresh_gap)
        self._chars -= cost + fresh_gap
        return True
