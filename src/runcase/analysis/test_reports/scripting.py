"""Ruby, PHP, Perl, Elixir and Erlang, Dart, R, Julia, Haskell, Lua, shell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from runcase.analysis.test_reports.base import Line, LineTool, Report, Tool, counts, distinct, summed

_RSPEC_END = re.compile(r"^(?P<run>\d+) examples?, (?P<failed>\d+) failures?(?:, (?P<skipped>\d+) pending)?")
_RSPEC_NAME = re.compile(r"^rspec '?\./\S+ # (.+?)\s*$")
_RSPEC_TITLE = re.compile(r"^ {2}\d+\) (\S.*?)\s*$")
_RSPEC_SUMMED = re.compile(r"^Took \d+ seconds")
"""What parallel_tests writes below the sum over its processes."""


class Rspec(Tool):
    """RSpec and Hspec: names are those of the list at the end, or the numbered titles below `Failures:`."""

    name = "rspec"
    wanted = r"^\d+ examples?, \d+ failures?|^rspec '?\./|^Failures:|^ {2}\d+\) \S|^Took \d+ seconds"
    sign = r"^\d+ examples?, \d+ failures?"

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed."""
        summed_at = {line.place - n for line in lines if _RSPEC_SUMMED.match(line.text) for n in (1, 2)}
        every = counts(_RSPEC_END, lines)
        ends = [end for end in every if end[0].place not in summed_at] or every
        if not ends:
            return None
        ran, failed, skipped = (summed(ends, kind) for kind in ("run", "failed", "skipped"))
        begin = next((line.place for line in lines if line.text.startswith("Failures:")), ends[-1][0].place)
        listed = [m[1] for line in lines if (m := _RSPEC_NAME.match(line.text))]
        titles = [m[1] for line in lines if line.place > begin and (m := _RSPEC_TITLE.match(line.text))]
        names = distinct(listed or titles) if failed else ()
        places = tuple(line.place for line, _ in ends)
        return Report(self.name, ran, max(0, ran - failed - skipped), failed, skipped, names, places)


CLOJURE = LineTool(
    "clojure.test",
    r"^Ran \d+ tests containing \d+ assertions\.|^\d+ failures, \d+ errors\.|^(?:FAIL|ERROR) in \(",
    re.compile(
        r"^Ran (?P<run>\d+) tests containing \d+ assertions\."
        r"|^(?P<failed>\d+) failures, (?P<failed_errors>\d+) errors\."
    ),
    re.compile(r"^(?:FAIL|ERROR) in \((\S+)\) \("),
)
PESTER = LineTool(
    "pester",
    r"^Tests Passed: \d+, Failed: |^\s*\[-\] \S",
    re.compile(r"^Tests Passed: (?P<passed>\d+), Failed: (?P<failed>\d+), Skipped: (?P<skipped>\d+)"),
    re.compile(r"^\s*\[-\] (\S.*?) \d[\d.]*m?s(?: \(|$)"),
)
PHPUNIT = LineTool(
    "phpunit",
    r"^Tests: \d+, Assertions: |^OK \(\d+ tests?, |^\d+\) \S+::|^There (?:was|were) \d+ |^ ✘ \S",
    re.compile(
        r"^(?:Tests: (?P<run>\d+), Assertions: \d+|OK \((?P<passed>\d+) tests?, )"
        r"(?:.*?Errors: (?P<failed_errors>\d+))?(?:.*?Failures: (?P<failed>\d+))?(?:.*?Skipped: (?P<skipped>\d+))?"
    ),
    re.compile(r"^\d+\) (\S+::.+?)\s*$|^ ✘ (\S.*?)(?: \[[\d.]+ ms\])?\s*$"),
    headings=re.compile(r"^There (?:was|were) \d+ (?:(?P<failing>failures?|errors?):|.*)"),
)
PEST = LineTool(
    "pest",
    r"^  Tests: .*\d+ \w+.* \(\d+ assertions?\)|^\s+FAILED  \S",
    re.compile(
        r"^  Tests: +(?:(?P<failed>\d+) failed,? ?)?(?:\d+ (?:deprecated|warnings?|risky|incompleted?|todos?),? ?)*"
        r"(?:(?P<skipped>\d+) skipped,? ?)?(?:(?P<passed>\d+) passed)? *\(\d+ assertions?\)"
    ),
    re.compile(r"^\s+FAILED  (\S.*?)(?: {2,}\S+)?\s*$"),
)
MINITEST = LineTool(
    "minitest",
    r"^\d+ (?:runs|tests), \d+ assertions, |^\s*\S.*#test_\S+|^\s+test_\d{4}_.* FAIL \("
    r"|^(?:Failure|Error): \w+\(\S+\)|^\s+\d+\) (?:Failure|Error|Skipped):$",
    re.compile(
        r"^(?P<run>\d+) (?:runs|tests), \d+ assertions, (?P<failed>\d+) failures, (?P<failed_errors>\d+) errors"
        r"(?:, (?P<skipped_pending>\d+) pendings, (?P<skipped_omitted>\d+) omissions)?(?:, (?P<skipped>\d+) skips)?"
    ),
    re.compile(
        r"^\s*(\w.*?#test_\S.*?)(?: \[\S+:\d+\])?:$|^\s+(test_\d{4}_\S.*?)\s+(?:FAIL|ERROR) \("
        r"|^(?:Failure|Error): (\w+\(\S+?\))"
    ),
    headings=re.compile(r"^\s+\d+\) (?:(?P<failing>Failure|Error)|Skipped):$"),
)
EXUNIT = LineTool(
    "exunit",
    r"^(?:\d+ doctests?, )?(?:\d+ propert(?:y|ies), )?\d+ tests?, \d+ failures?|^  \d+\) (?:test|doctest|property) ",
    re.compile(
        r"^(?:(?P<run_doctests>\d+) doctests?, )?(?:(?P<run_properties>\d+) propert(?:y|ies), )?(?P<run>\d+) tests?"
        r", (?P<failed>\d+) failures?(?:, \d+ excluded)?(?:, (?P<skipped>\d+) skipped)?"
    ),
    re.compile(r"^  \d+\) ((?:test|doctest|property) \S.*?)\s*$"),
)
EUNIT = LineTool(
    "eunit",
    r"^\s+Failed: \d+\.  Skipped: |\.\.\.\*failed\*",
    re.compile(r"^\s+Failed: (?P<failed>\d+)\.  Skipped: (?P<skipped>\d+)\.  Passed: (?P<passed>\d+)\."),
    re.compile(r"^\s*(\w+:(?:\d+:)? \S.*?)(?: \(module '\w+'\))?\.\.\.\*failed\*"),
)
_BATS_END = re.compile(r"^(?P<run>\d+) tests?, (?P<failed>\d+) failures?(?:, (?P<skipped>\d+) skipped)?$")
_BATS_CASE = re.compile(r"^ (?:✓|(✗)) (\S.*?)(?: \[\d+\])?\s*$")


class Bats(Tool):
    """bats in its pretty form; its totals alone might be ExUnit's."""

    name = "bats"
    wanted = r"^\d+ tests?, \d+ failures?|^ [✓✗] \S"
    sign = r"^\d+ tests?, \d+ failures?"
    counts_for = ("exunit",)

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed."""
        ends = counts(_BATS_END, lines)
        cases = [m for line in lines if (m := _BATS_CASE.match(line.text))]
        if not ends or not cases:
            return None
        ran, failed, skipped = (summed(ends, kind) for kind in ("run", "failed", "skipped"))
        names, places = distinct([m[2] for m in cases if m[1]]), tuple(line.place for line, _ in ends)
        return Report(self.name, ran, max(0, ran - failed - skipped), failed, skipped, names, places)


class _Testthat(LineTool):
    """Its totals stand above and below what failed, and rcmdcheck prints both again."""

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed."""
        totals: dict[str, Line] = {}
        for line in lines:
            if self.end.match(line.text):
                totals.setdefault(line.text.strip(), line)
        first = {line.place for line in totals.values()}
        return super().report([line for line in lines if line.place in first or not self.end.match(line.text)])


TESTTHAT = _Testthat(
    "testthat",
    r"^\s*\[ FAIL \d+ \| WARN|^\s*(?:── )?(?:\d+\. )?(?:Failure|Error) \(|^(?:OK|Failed): +\d+$",
    re.compile(r"^\s*\[ FAIL (?P<failed>\d+) \| WARN \d+ \| SKIP (?P<skipped>\d+) \| PASS (?P<passed>\d+) \]\s*$"),
    re.compile(r"^\s*(?:── )?(?:\d+\. )?(?:Failure|Error) \(.*?\S+\.[rR]\S*\): (.+?)(?: ─+)?\s*$"),
)
JULIA = LineTool(
    "julia",
    r"Some tests did not pass: \d+ passed",
    re.compile(
        r"Some tests did not pass: (?P<passed>\d+) passed, (?P<failed>\d+) failed, (?P<failed_errors>\d+) errored"
        r", (?P<skipped>\d+) broken"
    ),
    re.compile(r"^(\S.*): (?:Test Failed|Error During Test) at "),
)


class _Alcotest(LineTool):
    """Names are a suite, a number and a title, in columns."""

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed."""
        told = super().report(lines)
        return told and replace(told, failed_names=tuple(" ".join(n.split()) for n in told.failed_names))


ALCOTEST = _Alcotest(
    "alcotest",
    r"^Test Successful in [\d.]+s\. \d+ tests? run\.|^\d+ failures?! in [\d.]+s\. \d+ tests? run\.|^> \[FAIL\] ",
    re.compile(r"^(?:Test Successful in [\d.]+s\. |(?P<failed>\d+) failures?! in [\d.]+s\. )(?P<run>\d+) tests? run\."),
    re.compile(r"^> \[FAIL\]\s+(\S.*?)\.?\s*$"),
)
TASTY = LineTool(
    "tasty",
    r"^\d+ out of \d+ tests failed|^All \d+ tests passed \(|: +FAIL(?: \([\d.]+s\))?$",
    re.compile(r"^(?P<failed>\d+) out of (?P<run>\d+) tests failed|^All (?P<passed>\d+) tests passed \("),
    re.compile(r"^\s+(\S.*?): +FAIL(?: \([\d.]+s\))?$"),
)
_BUSTED_END = re.compile(
    r"^(?P<passed>\d+) success(?:es)? / (?P<failed>\d+) failures? / (?P<failed_errors>\d+) errors?"
    r" / (?P<skipped>\d+) pending"
)
_BUSTED_PLACE = re.compile(r"^(?:Failure|Error) (?:→|->) (?P<place>\S+ @ \d+)$")


class Busted(Tool):
    """busted: the name of a failure stands right below its place."""

    name = "busted"
    wanted = rf"^\d+ success(?:es)? / \d+ failures? / \d+ errors? / |{_BUSTED_PLACE.pattern.replace('?P<place>', '?:')}"
    sign = r"^\d+ success(?:es)? / \d+ failures? / \d+ errors? / "
    after = r"^(?:Failure|Error) (?:→|->) "

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed."""
        ends = counts(_BUSTED_END, lines)
        if not ends:
            return None
        passed, failed, skipped = (summed(ends, kind) for kind in ("passed", "failed", "skipped"))
        places = {line.place + 1 for line in lines if _BUSTED_PLACE.match(line.text)}
        names = distinct([line.text for line in lines if line.place in places])
        ended = tuple(line.place for line, _ in ends)
        return Report(self.name, passed + failed, passed, failed, skipped, names, ended)


_PROVE_END = re.compile(r"^Files=\d+, Tests=(?P<run>\d+),")
_PROVE_CASE = re.compile(r"^#\s+Failed test '(.+)'$")
_PROVE_FILE = re.compile(r"^(\S+\.t)\s+\(Wstat: .*Failed: (\d+)\)")


class Prove(Tool):
    """Perl's prove: the end counts tests, a line a file counts failures."""

    name = "prove"
    wanted = r"^Files=\d+, Tests=\d+,|^\S+\.t\s+\(Wstat: |^#\s+Failed test '"
    sign = r"^Files=\d+, Tests=\d+,"
    counts_for = ("tap",)

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed; a file that failed counts as one failure at least."""
        ends = counts(_PROVE_END, lines)
        if not ends:
            return None
        files = [m for line in lines if (m := _PROVE_FILE.match(line.text))]
        ran, failed = sum(n["run"] for _, n in ends), sum(max(1, int(m[2])) for m in files)
        cases = [m[1] for line in lines if (m := _PROVE_CASE.match(line.text))]
        names, places = distinct([*(m[1] for m in files), *cases]), tuple(line.place for line, _ in ends)
        return Report(self.name, ran, max(0, ran - failed), failed, 0, names, places)


_DART_STATE = re.compile(r"^\d\d:\d\d \+(\d+)(?: ~(\d+))?(?: -(\d+))?: (.*)$")
_DART_GITHUB = re.compile(
    r"^(?:##\[\w+\])?🎉? ?(?P<passed>\d+) tests? passed(?:, (?P<failed>\d+) failed)?(?:, (?P<skipped>\d+) skipped)?\.?$"
)
_DART_NAME = re.compile(r"^(?:##\[group\])?❌ (.+) \(failed\)$")


class Dart(Tool):
    """dart test and flutter test: each line repeats the counts; the last ones stand."""

    name = "dart"
    wanted = r"^\d\d:\d\d \+\d+.*: |\d+ tests? passed(?:, \d+ failed)?(?:, \d+ skipped)?\.?$|❌ .* \(failed\)$"
    sign = r"^\d\d:\d\d \+\d+.*: (?:All tests passed|Some tests failed)|^(?:##\[\w+\])?🎉? ?\d+ tests? passed"

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Invocations are summed: each ends with `All tests passed!` or `Some tests failed.`, or with totals."""
        states = [(line, m) for line in lines if (m := _DART_STATE.match(line.text))]
        ends = [(line, m) for line, m in states if m[4].startswith(("All tests passed", "Some tests failed"))]
        totals = counts(_DART_GITHUB, lines)
        if not ends and not totals:
            return None
        numbers = [[int(m[g] or 0) for g in (1, 2, 3)] for _, m in ends]
        numbers += [[n["passed"], n["skipped"], n["failed"]] for _, n in totals]
        passed, skipped, failed = (sum(column) for column in zip(*numbers, strict=True))
        names = [m[4].removesuffix(" [E]") for _, m in states if m[4].endswith(" [E]")]
        names += [m[1] for line in lines if (m := _DART_NAME.match(line.text))]
        places = tuple(line.place for line, _ in [*ends, *totals])
        return Report(self.name, passed + failed, passed, failed, skipped, distinct(names), places)
