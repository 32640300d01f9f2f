"""jest, mocha, vitest, uvu, elm-test."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runcase.analysis.test_reports.base import Line, Report, Tool, counts, distinct, summed

_JEST_SUITES = re.compile(r"^\s*Test Suites:\s+[1-9]\d* failed")
_JEST_END = re.compile(r"^\s*Tests:\s+(?P<parts>.*\b\d+ total)")
_PART = re.compile(r"(\d+) (failed|passed|skipped|todo|total|pending)")
_JEST_NAME = re.compile(r"^\s*● (?!Console)(.+?)\s*$")
_JEST_FILE = re.compile(r"^\s*FAIL\s+(?:\S+ )?(\S+\.(?:[cm]?[jt]sx?|vue|svelte))\b")
_NOISE = re.compile(
    r"^(?:Test suite failed to run|Deprecation|Validation|process\.exit|Cannot log after|.*(?:snapshot|obsolete))",
    re.IGNORECASE,
)
_PASSING = re.compile(r"^\s+(?P<passed>\d+) passing\b|^\s*[✔✓] (?P<passed_old>\d+) tests? completed?\b")
_FAILING = re.compile(r"^\s+(?P<failed>\d+) failing\s*$|^\s*✖ (?P<failed_old>\d+) of (?P<run>\d+) tests? failed:?$")
_PENDING = re.compile(r"^\s+(?P<skipped>\d+) pending\s*$|^\s*[ℹ•] (?P<skipped_old>\d+) tests? skipped")
_COUNT = re.compile(r"\d+")
_DURATION = re.compile(r"\([^()]*\)")
MIN_ALIKE = 10
"""Suites of fewer tests may have the same counts by chance."""

_TITLE = re.compile(r"^\s{1,4}\d+\) (.+?)\s*$")
_VITEST_END = re.compile(r"^\s*Tests\s+(?P<parts>(?:\d+ \w+(?: \| )?)+)\s*\(\d+\)")
_VITEST_BROKEN = re.compile(r"^\s*(?:Test Files\s+[1-9]\d* failed|Errors\s+[1-9]\d* errors?$)")
_VITEST_NAME = re.compile(
    r"^\s*(?:FAIL|×)\s+((?:\|.+?\| | ?[\w-]+ (?:\([\w-]+\) )? *)?\S+\.[cm]?[jt]sx?(?: \[.*?\])?) > (.+?)"
    r"(?: {1,2}\d+ ?ms)?(?: \((?:retry|repeat) x\d+\))*\s*$"
)


class Jest(Tool):
    """jest: the `Tests:` line of each invocation, and the `●` titles."""

    name = "jest"
    wanted = rf"^\s*Tests:\s+.*\d+ total|^\s*● |{_JEST_FILE.pattern}|{_JEST_SUITES.pattern}"
    sign = r"^\s*Tests:\s+.*\d+ total"

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed."""
        ends = [(line, m) for line in lines if (m := _JEST_END.match(line.text))]
        if not ends:
            return None
        total = _parts_of(_once([m["parts"] for _, m in ends]))
        names = [m[1] for line in lines if (m := _JEST_NAME.match(line.text)) and not _NOISE.match(m[1])]
        names += _broken_suites(lines)
        skipped = total.get("skipped", 0) + total.get("pending", 0)
        failed = total.get("failed", 0)
        places = tuple(line.place for line, _ in ends)
        passed = total.get("passed", 0)
        broken = any(_JEST_SUITES.match(line.text) for line in lines)
        shown = distinct(names) if failed or broken else ()
        return Report(self.name, passed + failed, passed, failed, skipped, shown, places, broken)


def _broken_suites(lines: Sequence[Line]) -> list[str]:
    """Files that could not run."""
    file, broken = "", []
    for line in lines:
        if m := _JEST_FILE.match(line.text):
            file = m[1]
        elif line.text.strip() == "● Test suite failed to run" and file:
            broken.append(f"{file}: Test suite failed to run")
    return broken


def _once(ends: Sequence[str]) -> Sequence[str]:
    """A large suite that passed again with the same counts is the same one, run once more for its coverage."""
    counted = [tuple(int(n) for n in _COUNT.findall(_DURATION.sub("", end))) for end in ends]
    alike = len(set(counted)) == 1 and max(counted[0], default=0) >= MIN_ALIKE
    return ends[:1] if alike and not any("failed" in end for end in ends) else ends


class Mocha(Tool):
    """mocha's spec and dot reporters, and karma in their manner."""

    name = "mocha"
    wanted = (
        r"^\s+\d+ (?:passing|failing|pending)\b|^\s*[✔✓ℹ•] \d+ tests? (?:complete|skipped)|^\s{1,4}\d+\) |^\s{5,}\S.*$"
        r"|^\s*✖ \d+ of \d+ tests? failed"
    )
    sign = r"^\s+\d+ (?:passing|failing)\b|^\s*[✔✓] \d+ tests? completed?\b|^\s*✖ \d+ of \d+ tests? failed"

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed; names are the suites and the test of each numbered failure."""
        ends, failing = counts(_PASSING, lines), counts(_FAILING, lines)
        if not ends and not failing:
            return None
        failed = summed(failing, "failed")
        pending = counts(_PENDING, lines)
        if not failing and _once([line.text for line, _ in ends]) != [line.text for line, _ in ends]:
            ends, pending = ends[:1], pending[:1]
        skipped = summed(pending, "skipped")
        names = _numbered(lines, failing[0][0].place) if failing else ()
        passed = summed(ends, "passed") + max(0, summed(failing, "run") - summed(failing, "failed_old"))
        places = tuple(line.place for line, _ in [*ends, *failing])
        return Report(self.name, passed + failed, passed, failed, skipped, names, places)


def _numbered(lines: Sequence[Line], after: int) -> tuple[str, ...]:
    """`1) suite`, deeper lines, up to the one that ends with a colon: one name."""
    names: list[str] = []
    parts: list[str] = []
    for line in lines:
        if line.place <= after:
            continue
        if m := _TITLE.match(line.text):
            parts = [m[1]]
        elif parts and len(parts) < 8:
            parts.append(line.text.strip())
        if parts and parts[-1].endswith(":"):
            names.append(" ".join(parts).removesuffix(":"))
            parts = []
    return distinct(names)


class Vitest(Tool):
    """vitest."""

    name = "vitest"
    wanted = rf"^\s*Tests\s+\d+ \w+.*\(\d+\)|^\s*(?:FAIL|×)\s+.*\.[cm]?[jt]sx?|{_VITEST_BROKEN.pattern}"
    sign = r"^\s*Tests\s+(?:\d+ passed|\d+ failed|\d+ skipped).*\(\d+\)"

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed."""
        ends = [(line, m) for line in lines if (m := _VITEST_END.match(line.text))]
        if not ends:
            return None
        total = _parts_of(m["parts"] for _, m in ends)
        names = [f"{m[1]} > {m[2]}" for line in lines if (m := _VITEST_NAME.match(line.text))]
        places = tuple(line.place for line, _ in ends)
        passed, failed = total.get("passed", 0), total.get("failed", 0)
        broken = any(_VITEST_BROKEN.match(line.text) for line in lines)
        skipped = total.get("skipped", 0)
        return Report(self.name, passed + failed, passed, failed, skipped, distinct(names), places, broken)


def _parts_of(ends: object) -> dict[str, int]:
    total: dict[str, int] = {}
    for parts in ends:  # type: ignore[attr-defined]
        for number, what in _PART.findall(parts):
            total[what] = total.get(what, 0) + int(number)
    return total


_UVU_END = re.compile(r"^ {2}(?:Total: +(?P<run>\d+)|Passed: +(?P<passed>\d+)|Skipped: +(?P<skipped>\d+))\s*$")
_UVU_NAME = re.compile(r'^\s+FAIL {2}(?:.+ )?"(.+)"\s*$')


class Uvu(Tool):
    """uvu: what neither passed nor was skipped has failed."""

    name = "uvu"
    wanted = r"^ {2}(?:Total|Passed|Skipped): +\d+\s*$|^\s+FAIL {2}\S"
    sign = r"^ {2}Passed: +\d+\s*$"

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed."""
        ends = counts(_UVU_END, lines)
        ran, passed, skipped = (summed(ends, kind) for kind in ("run", "passed", "skipped"))
        if not ran:
            return None
        failed = max(0, ran - passed - skipped)
        names = distinct([m[1] for line in lines if (m := _UVU_NAME.match(line.text))])
        places = tuple(line.place for line, said in ends if said["passed"] or not said["run"])
        return Report(self.name, passed + failed, passed, failed, skipped, names if failed else (), places)


_ELM_END = re.compile(r"^(?:Passed: +(?P<passed>\d+)|Failed: +(?P<failed>\d+)|(?:Skipped|Todo): +(?P<skipped>\d+))\s*$")


class ElmTest(Tool):
    """elm-test: its counts stand below a verdict, a name below the descriptions that it belongs to."""

    name = "elm-test"
    wanted = r"^TEST RUN (?:PASSED|FAILED|INCOMPLETE)|^(?:Passed|Failed|Skipped|Todo): +\d+\s*$|^[↓✗] \S"
    sign = r"^TEST RUN (?:PASSED|FAILED|INCOMPLETE)"

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed."""
        verdict = next((n for n, line in enumerate(lines) if line.text.startswith("TEST RUN ")), None)
        ends = counts(_ELM_END, lines[verdict:]) if verdict is not None else []
        if not ends:
            return None
        passed, failed, skipped = (summed(ends, kind) for kind in ("passed", "failed", "skipped"))
        above: list[str] = []
        names: list[str] = []
        for line in lines:
            if line.text.startswith("↓"):
                above.append(line.text[2:].strip())
            elif line.text.startswith("✗"):
                names.append(" › ".join([*above, line.text[2:].strip()]))
                above = []
        places = tuple(line.place for line, _ in ends)
        return Report(self.name, passed + failed, passed, failed, skipped, distinct(names), places)
