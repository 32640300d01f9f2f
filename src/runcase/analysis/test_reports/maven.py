"""Maven's Surefire and Failsafe."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runcase.analysis.test_reports.base import Line, Report, Tool, counts, distinct

_NUMBER = r"\d+(?:,\d{3})*"
TOTALS = re.compile(
    rf"Tests run: *(?P<run>{_NUMBER}), *Failures: *(?P<failures>{_NUMBER}), *Errors: *(?P<errors>{_NUMBER})"
    rf"(?:, *Skipped: *(?P<skipped>{_NUMBER}))?"
)
"""What Ant's junit task prints too."""

ANT = re.compile(r"^\s*\[junit\] ")
_ELAPSED = re.compile(r"Time elapsed")
_SUITE = re.compile(r"^(?:\[\w+\] )?Tests run:.*?(?: --? in ([\w.$]+))?\s*$")
_CASE = re.compile(r"^(?:\[\w+\] )?\s*(?P<name>\S.*?)\s+(?:--\s+)?Time elapsed: .*<<< (?:FAILURE|ERROR)!")
_WITH_CLASS = re.compile(
    r"^(?:[\w.$]+\.)?(?P<name>\w.*)\((?P<holder>(?:[\w$]+\.)+[A-Z][\w$]*)\)$"
    r"|^(?P<plain>\w[^.()]*)\((?P<of>[A-Z][\w$]*)\)$"
)
"""`total(String)` behind a class is a method with its parameter."""

_DOTTED = re.compile(r"^(?P<holder>(?:[\w$]+\.)+)(?P<name>[^.()]+)$")

_RESULTS = r"^(?:\[\w+\] )?Results ?:"
_FLAKES = r"^(?:\[\w+\] )?(?:Flakes|Flaked tests): *"
_FAILURES = r"^(?:\[\w+\] )?(?:Failures|Errors|Failed tests|Tests in error): *"
_LIST = re.compile(rf"(?P<results>{_RESULTS})|(?P<flakes>{_FLAKES})|(?P<failures>{_FAILURES})")
_FLAKE = re.compile(r"^(?:\[WARNING\] )?(\w\S*(?:\(.*\))?)\s*$")
_LISTED = re.compile(
    r"^(?:\[ERROR\]|(?:\[ERROR\] +)?(?:Failed tests|Tests in error): *|) {2,}(\w[\w.$]*(?:\([\w.$]+\)|(?=:\d)))"
)
_RUN = re.compile(r"^(?:\[\w+\] )? *Run \d+: ")


class Surefire(Tool):
    """Maven Surefire and Failsafe 2 and 3: totals a module, cases marked `<<< FAILURE!`, lists of results."""

    name = "maven"
    wanted = (
        r"Tests run: *\d+, *Failures: |<<< (?:FAILURE|ERROR)!"
        rf"|{_RESULTS}|{_FLAKES}|{_FAILURES}|^\[WARNING\] \w[\w.$]*\.\w\S*(?:\(.*\))?\s*$"
        r"|^(?:\[ERROR\])? {2,}\w[\w.$]*(?:\([\w.$]+\)|:\d)"
    )
    sign = r"Tests run: *\d+, *Failures: "
    counts_for = ("testng",)

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Totals of modules (lines without a time) are summed; without any, those of the classes.

        A test that passed when it was run again has not failed.
        """
        found = [(line, n) for line, n in counts(TOTALS, lines) if not ANT.match(line.text)]
        if not found:
            return None
        modules = [(line, n) for line, n in found if not _ELAPSED.search(line.text)]
        classes = [(line, n) for line, n in found if _ELAPSED.search(line.text)]
        used = modules or classes
        failed = sum(n["failures"] + n["errors"] for _, n in used)
        skipped = sum(n["skipped"] for _, n in used)
        ran = sum(n["run"] for _, n in used)
        listed, flaked = _lists(lines)
        names = [n for n in _cases(lines) if n not in flaked] or listed
        places = tuple(line.place for line, _ in used)
        return Report(
            self.name, ran, max(0, ran - failed - skipped), failed, skipped, distinct(names) if failed else (), places
        )


def _cases(lines: Sequence[Line]) -> list[str]:
    """`name(pkg.Class)` of the lines that end a case; the class is that of the suite above where a line has none."""
    suite, names = "", []
    for line in lines:
        if m := _SUITE.match(line.text):
            suite = m[1] or ""
        elif m := _CASE.match(line.text):
            names.append(_case(m["name"].strip(), suite))
    return names


def _case(name: str, suite: str = "") -> str:
    """`name(pkg.Class)`, however the version writes it; a class that broke as a whole is its own name."""
    if m := _WITH_CLASS.match(name):
        return f"{m['name'] or m['plain']}({m['holder'] or m['of']})"
    if name == suite:
        return name
    if m := _DOTTED.match(name):
        return f"{m['name']}({m['holder'].rstrip('.')})"
    return f"{name}({suite})" if suite and not name.startswith(suite) else name


def _lists(lines: Sequence[Line]) -> tuple[list[str], set[str]]:
    """Names that the results of modules list as failed, and those that they list as flaky."""
    listed, flaked = [], set()
    part = None
    for line in lines:
        head = _LIST.match(line.text)
        part = head.lastgroup if head else None if _SUITE.match(line.text) else part
        if part == "flakes" and (m := _FLAKE.match(line.text)):
            flaked.add(_case(m[1]))
        elif part == "failures" and not _RUN.match(line.text) and (m := _LISTED.match(line.text)):
            listed.append(m[1])
    return listed, flaked
