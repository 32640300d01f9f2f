"""Gradle, Ant's junit task, sbt, ZIO Test, JUnit's console launcher."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from runcase.analysis.test_reports.base import Line, Report, Tool, counts, distinct, first, summed
from runcase.analysis.test_reports.maven import ANT, TOTALS
from runcase.rules.patterns import unnamed

_GRADLE_NAME = re.compile(r"^(?P<holder>\S.*?) > (?P<name>.+?) FAILED\s*$")
_GRADLE_END = re.compile(r"^(?P<run>\d+) tests? completed(?:, (?P<failed>\d+) failed)?(?:, (?P<skipped>\d+) skipped)?")
_GRADLE_RESULT = re.compile(
    r"Results?: \w+ \((?P<run>\d+) tests?, (?P<passed>\d+) (?:passed|successes), (?P<failed>\d+) (?:failed|failures),"
    r" (?P<skipped>\d+) skipped\)"
)
_ANDROID = re.compile(r"^Starting (?P<run>\d+) tests on ")
"""Tests on a device: what failed is told by name alone."""

_BUILT = re.compile(r"^BUILD (?P<well>SUCCESSFUL|FAILED)\b")
_NESTED = re.compile(r"^[A-Z]\w*$")
_GRADLE_PLAIN = re.compile(r"^((?:[a-z][\w$]*\.)+[A-Z][\w$]*\.\w\S*) FAILED\s*$")
"""TestNG's data providers and set-up methods."""

_CLASS = re.compile(r"^(?:[\w$]+\.)*[A-Z][\w$]*$")
_SUITE_NAME = re.compile(r"^\s*\[junit\] (?:Testsuite: |Running |TEST )([\w.$]+)")
_CASE_NAME = re.compile(
    r"^\s*\[junit\] Testcase: (.+?)"
    r"(?: took [\d.,]+ \w+.*|(?:\([\w.$]+\))?:(?:SKIPPED.*|\s*(?:FAILED|Caused an ERROR).*)?)$"
)
"""One formatter writes the time of a case, the other one its class; a name may hold brackets and colons itself."""

_CASE_FAILED = re.compile(
    r"^\s*\[junit\]\s+(?:FAILED|Caused an ERROR)|^\s*\[junit\] Testcase: .*(?:FAILED|Caused an ERROR)"
)
_PLATFORM = re.compile(r"\[ +(\d+) tests (found|started|failed|successful|skipped|aborted) +\]")
_METHOD_SOURCE = re.compile(r"MethodSource \[className = '([^']+)', methodName = '([^']+)'")
_SCALATEST = re.compile(
    r"Tests: succeeded (?P<passed>\d+), failed (?P<failed>\d+), canceled (?P<skipped_canceled>\d+)"
    r", ignored (?P<skipped>\d+), pending (?P<skipped_pending>\d+)"
)
_SCALA_SUITE = re.compile(r"^(?:\[\w+\] )?(\w\S*):$")
_SCALA_NAME = re.compile(
    r"^(?:\[\w+\] )?\s*- (.+?) \*\*\* FAILED \*\*\*|^\[\w+\] +[x!✗] (\S.*?)\s*$|^==> X (\S.*?) +[\d.]+s "
    r"|^\[error\] Test (\S+?)(?:\(.*\))? failed"
)
_SBT = re.compile(
    r"(?:Passed|Failed): Total (?P<run>\d+), Failed (?P<failed>\d+), Errors (?P<errors>\d+), Passed (?P<passed>\d+)"
    r"(?:, (?:Ignored|Skipped) (?P<skipped>\d+))?"
)


class Gradle(Tool):
    """Gradle's test task and the test-logger plugin."""

    name = "gradle"
    wanted = rf" > .+ FAILED\s*$|{_GRADLE_PLAIN.pattern}|^\d+ tests? completed|Results?: \w+ \(\d+ tests?, "
    wanted += rf"|^BUILD (?:SUCCESSFUL|FAILED)\b|{unnamed(_ANDROID.pattern)}"
    sign = r"\S > .+ FAILED\s*$|^\d+ tests? completed|Results?: \w+ \(\d+ tests?, "
    counts_for = ("testng",)

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Totals of tasks are summed; Gradle prints them only when something failed.

        Without any, tests that failed in a build that was successful passed when they were run again.
        """
        ends = counts(_GRADLE_RESULT, lines) or counts(_GRADLE_END, lines)
        found = [m for line in lines if (m := _GRADLE_NAME.match(line.text)) and not m["holder"].startswith("Task")]
        names = [_gradle_case(f"{m['holder']} > {m['name']}") for m in found if ":" not in m["holder"][:1]]
        if not ends and (not names or _mended(lines)):
            return None
        names += [m[1] for line in lines if ends and (m := _GRADLE_PLAIN.match(line.text))]
        skipped = sum(n["skipped"] for _, n in ends)
        failed = sum(n["failed"] for _, n in ends) if ends else len(set(names))
        ends = ends or counts(_ANDROID, lines)
        ran = sum(n["run"] for _, n in ends) if ends else failed
        places = tuple(line.place for line, _ in ends)
        return Report(self.name, ran, max(0, ran - failed - skipped), failed, skipped, distinct(names), places)


def _mended(lines: Sequence[Line]) -> bool:
    """Whether the first build that ended after a test had failed was successful."""
    failed = next((n for n, line in enumerate(lines) if _GRADLE_NAME.match(line.text)), len(lines))
    built = next((m for line in lines[failed:] if (m := _BUILT.match(line.text))), None)
    return built is not None and built["well"] == "SUCCESSFUL"


def _gradle_case(path: str) -> str:
    """`pkg.Class.method` of `pkg.Class > group > method`, `$` before nested classes, whatever runners stand before."""
    *holders, case = path.split(" > ")
    first_class = next((n for n, p in enumerate(holders) if _CLASS.match(p)), len(holders) - 1)
    nested = [p for p in holders[first_class + 1 :] if _NESTED.match(p)]
    return f"{'$'.join([holders[first_class], *nested])}.{case.removeprefix(f'{holders[first_class]}.')}"


class AntJunit(Tool):
    """Ant's junit task: one total a suite, cases under their suite."""

    name = "ant"
    wanted = r"^\s*\[junit\] "
    sign = r"^\s*\[junit\] "
    counts_for = ("testng",)

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Suites are summed; a total that two formatters print alike, time and all, counts once."""
        fresh = {line.text: line for line in reversed(lines) if ANT.match(line.text)}
        found = counts(TOTALS, sorted(fresh.values(), key=lambda x: x.place))
        if not found:
            return None
        failed = sum(n["failures"] + n["errors"] for _, n in found)
        skipped = sum(n["skipped"] for _, n in found)
        ran = sum(n["run"] for _, n in found)
        names = tuple(_failed_cases(lines))
        places = tuple(line.place for line, _ in found)
        return Report(self.name, ran, max(0, ran - failed - skipped), failed, skipped, names, places)


def _failed_cases(lines: Sequence[Line]) -> tuple[str, ...]:
    suite = case = ""
    names = []
    for line in lines:
        if m := _SUITE_NAME.match(line.text):
            suite = m[1]
        if m := _CASE_NAME.match(line.text):
            case = m[1]
        if _CASE_FAILED.match(line.text) and case:
            names.append(f"{suite}.{case}" if suite and case != suite else case)
    return distinct(names)


class Sbt(Tool):
    """sbt, and what builds on it (play), with the names that ScalaTest, specs2, MUnit and JUnit's interface print."""

    name = "sbt"
    wanted = (
        r"(?:Passed|Failed): Total \d+, Failed |\*\*\* FAILED \*\*\*|^\[\w+\] +[x!✗] \S"
        r"|^==> X |^\[error\] Test \S+ failed|^\[\w+\] \w\S*:$"
    )
    sign = r"(?:Passed|Failed): Total \d+, Failed "
    counts_for = ("scalatest",)

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Projects are summed."""
        found = counts(_SBT, lines)
        if not found:
            return None
        failed = sum(n["failed"] + n["errors"] for _, n in found)
        skipped = sum(n["skipped"] for _, n in found)
        passed = sum(n["passed"] for _, n in found)
        names = _scala_names(lines) if failed else ()
        return Report(
            self.name, passed + failed, passed, failed, skipped, names, tuple(line.place for line, _ in found)
        )


class ScalaTest(Tool):
    """ScalaTest's own totals, where no sbt counts."""

    name = "scalatest"
    wanted = r"Tests: succeeded \d+, failed |\*\*\* FAILED \*\*\*|^(?:\[\w+\] )?\w\S*:$"
    sign = r"Tests: succeeded \d+, failed "

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Projects are summed."""
        found = counts(_SCALATEST, lines)
        if not found:
            return None
        passed, failed, skipped = (summed(found, kind) for kind in ("passed", "failed", "skipped"))
        names = _scala_names(lines) if failed else ()
        return Report(
            self.name, passed + failed, passed, failed, skipped, names, tuple(line.place for line, _ in found)
        )


def _scala_names(lines: Sequence[Line]) -> tuple[str, ...]:
    """Names of failed tests, those of ScalaTest below the suite that printed them."""
    suite, names = "", []
    for line in lines:
        if m := _SCALA_SUITE.match(line.text):
            suite = f"{m[1]}."
        elif m := _SCALA_NAME.match(line.text):
            names.append(f"{suite}{m[1]}" if m[1] else first(m))
    return distinct(names)


class JunitPlatform(Tool):
    """The console launcher of JUnit 5, alone or under Ant: `[  14 tests failed  ]` and the sources of the failures."""

    name = "junit"
    sign = r"\[ +\d+ tests (?:found|started|failed) +\]"
    wanted = r"\[ +\d+ tests (?:found|started|failed|successful|skipped|aborted) +\]|MethodSource \[className = "

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed."""
        total: dict[str, int] = {}
        for line in lines:
            if m := _PLATFORM.search(line.text):
                total[m[2]] = total.get(m[2], 0) + int(m[1])
        if "found" not in total:
            return None
        names = [f"{m[1]}.{m[2]}" for line in lines if (m := _METHOD_SOURCE.search(line.text))]
        places = tuple(line.place for line in lines if _PLATFORM.search(line.text))
        ran, failed, skipped = total["found"], total.get("failed", 0), total.get("skipped", 0)
        return Report(self.name, ran, total.get("successful", 0), failed, skipped, distinct(names), places)


_ZIO_END = re.compile(
    r"^(?P<passed>\d+) tests passed\. (?P<failed>\d+) tests failed\. (?P<skipped>\d+) tests ignored\."
)
_ZIO_NAME = re.compile(r"^\s+- (\S.*?)\s*$")


class ZioTest(Tool):
    """ZIO Test: what was not met stands right below the name of a test."""

    name = "zio"
    wanted = r"^\d+ tests passed\. \d+ tests failed\. \d+ tests ignored\.|^\s+- \S|^\s+✗ "
    sign = r"^\d+ tests passed\. \d+ tests failed\. \d+ tests ignored\."

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed."""
        ends = counts(_ZIO_END, lines)
        if not ends:
            return None
        passed, failed, skipped = (summed(ends, kind) for kind in ("passed", "failed", "skipped"))
        unmet = (a for a, b in pairwise(lines) if b.place == a.place + 1 and b.text.lstrip().startswith("✗ "))
        names = distinct([m[1] for line in unmet if (m := _ZIO_NAME.match(line.text))])
        return Report(self.name, passed + failed, passed, failed, skipped, names, tuple(line.place for line, _ in ends))
