"""Tools that nothing here knows: a line that counts tests in words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runcase.analysis.test_reports.base import Line, Report, Tool, distinct

_KINDS = {
    "passed": r"pass(?:ed|ing|es)?|succe(?:eded|ss|sses|ssful)|ok",
    "failed": r"fail(?:ed|ing|ures?|s)?|err(?:or|ors|ored)|broken",
    "skipped": r"skip(?:ped|s)?|pending|ignored|disabled|todo",
    "run": r"total|checks|run|tests?|specs?|examples?|scenarios?|test cases?|testcases?",
}
_WORD = "|".join(f"(?P<{kind}>{words})" for kind, words in _KINDS.items())
_THING = r"(?:(?:tests?|specs?|test cases?|scenarios?|examples?|were|are|have|has) )*"
_NUMBER_FIRST = re.compile(rf"(?<![\w.:-])(?P<n>\d+) {_THING}(?:{_WORD})\b", re.IGNORECASE)
_WORD_FIRST = re.compile(rf"\b(?:{_WORD})(?:[:=]\s*|\s+)(?P<n>\d+)(?![\w.:%-])", re.IGNORECASE)
_SHARE = re.compile(r"\b(?P<failed>\d+) (?:of|out of) (?P<run>\d+) (?:tests?|specs?|test cases?) failed\b")
_OTHER_THINGS = re.compile(
    r"\b(?:assertions?|steps?|files?|suites?|features?|tasks?|jobs?|packages?|projects?|targets?|modules?|unreachable|changed"
    r"|rows|bytes|requests?|downloads?|hooks?|links?|urls?|expect)\b",
    re.IGNORECASE,
)
_OF_TESTS = re.compile(r"test|spec|scenario|example|pass|assert|\bchecks:|\brun: *\d+ *failures:", re.IGNORECASE)
_WHOLE = re.compile(r"(?i)\W*(?:build|tests?|test run|result|status|total)\W*")
"""What fails as a whole is no test."""
_NAME = re.compile(
    r"^\W{0,6}(?:FAIL(?:ED|URE)?\b|not ok\b|[✗✘✖×❌])[:\s]+(\S.{1,120}?)\s*$"
    r"|^\s*(\S.{1,120}?)[\s.:|-]+(?:FAIL(?:ED|URE)?)\W*$"
)


class Worded(Tool):
    """A total by words: what failed and what passed, was skipped or is the sum, in one line and in any order.

    A total that is the sum of those since the last such one takes their place.
    """

    name = "unknown tool"
    wanted = (
        r"(?i)\d+ (?:\w+ )?(?:pass(?:ed|ing)?|fail(?:ed|ures?|ing)?|errors?|succeeded|success(?:es)?|tests? failed)\b"
        r"|\b(?:pass(?:ed)?|fail(?:ed|ures?)?|succeeded)[:=]?\s*\d|^\W{0,6}(?:FAIL|not ok|[✗✘✖×❌])|FAIL(?:ED|URE)?\W*$"
    )
    sign = (
        r"(?i)\d+ (?:\w+ )?(?:passed|passing|pass|failed|failures?|failing|succeeded|success)\b|\bpass(?:ed)?[:=]? *\d"
        r"|\bfail(?:ed|ures?)?[:=]? *\d|\d+ (?:of|out of) \d+ tests? failed"
    )

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Totals that no other one repeats are summed."""
        found = [(line, n) for line in lines if (n := totals(line.text))]
        if not found:
            return None
        kept = _unrepeated(found)
        run, passed, failed, skipped = (
            sum(n.get(k, 0) for _, n in kept) for k in ("run", "passed", "failed", "skipped")
        )
        passed = passed or max(0, run - failed - skipped)
        told = [m[1] or m[2] for line in lines if not totals(line.text) and (m := _NAME.match(line.text))]
        names = distinct([name for name in told if not _WHOLE.fullmatch(name)])
        names = names if len(names) <= failed else ()
        return Report(self.name, passed + failed, passed, failed, skipped, names, tuple(line.place for line, _ in kept))


def totals(text: str) -> dict[str, int]:
    """Kind -> count of a line that is a total of tests; empty for others."""
    if _OTHER_THINGS.search(text.partition("(")[0]) or not _OF_TESTS.search(text):
        return {}
    # `Total: 3 tests, 1 failures`: one word stands before its number by the way
    found = _of(text) or max(_counted(_WORD_FIRST, text), _counted(_NUMBER_FIRST, text), key=len)
    return found if len(found) > 1 and ("failed" in found or "passed" in found) else {}


def _of(text: str) -> dict[str, int]:
    m = _SHARE.search(text)
    return {"failed": int(m["failed"]), "run": int(m["run"])} if m else {}


def _counted(order: re.Pattern[str], text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for m in order.finditer(text):
        kind = next(k for k in _KINDS if m[k])
        found[kind] = found.get(kind, 0) + int(m["n"])
    return found


def _unrepeated(found: Sequence[tuple[Line, dict[str, int]]]) -> list[tuple[Line, dict[str, int]]]:
    kept: list[tuple[Line, dict[str, int]]] = []
    since = 0
    for line, n in found:
        if len(kept) > since and n == _sum([m for _, m in kept[since:]]):
            kept = [*kept[:since], (line, n)]
            since = len(kept)
        else:
            kept.append((line, n))
    return kept


def _sum(parts: Sequence[dict[str, int]]) -> dict[str, int]:
    kinds = dict.fromkeys(k for p in parts for k in p)
    return {k: sum(p.get(k, 0) for p in parts) for k in kinds}
