"""How test tools write failures: the name of what failed, the assertion, the totals."""

from __future__ import annotations

from runcase.analysis.decisive.families.base import FILE, Family

_FAILED = "test.failed"

PYTHON = (
    Family("pytest_summary", r"^(?:FAILED|ERROR) \S+\.py::\S+", 100, _FAILED, sure=True),
    Family("pytest_collect", r"^ERROR \S+\.py\b", 89, _FAILED, sure=True),
    Family("pytest_assert", r"^E   +\S", 92, _FAILED, after=1, sure=True),
    Family("pytest_place", rf"^{FILE}:\d+: \w*(?:Error|Exception|Failed|Exit|Interrupt)\b", 86, _FAILED, sure=True),
    Family("pytest_title", r"^_{3,} (?:ERROR (?:at|collecting) )?\S.* _{3,}$", 84, _FAILED, sure=True),
    Family(
        "pytest_totals",
        r"^=+ (?:\d+ \w+, )*\d+ (?:failed|errors?)\b.* in [\d.]+|^=+ no tests ran in",
        66,
        _FAILED,
        sure=True,
        total=True,
    ),
    Family("coverage", r"^(?:FAIL|ERROR:?) Required test coverage|^Coverage failure: total of", 99, "test.coverage"),
    Family("unittest_title", r"^(?:FAIL|ERROR): \w[\w.]*(?: \(|\(|$)", 98, _FAILED, sure=True),
    Family(
        "unittest_end", r"^FAILED \((?:\w+=\d+, )*(?:failures|errors|unexpected)", 78, _FAILED, sure=True, total=True
    ),
    Family("tox", r"^\s*\S+: FAIL (?:code \d+|✖)|^ERROR:\s+\S+: commands failed", 70, _FAILED, sure=True),
)
JAVASCRIPT = (
    Family("jest_cannot", r"^\s*● Test suite failed to run", 90, _FAILED, after=4, sure=True),
    Family(
        "jest_title",
        r"^\s*● \S.*",
        99,
        _FAILED,
        after=8,
        unless="● (?:Console|Deprecation|Validation Warning|Test suite failed)",
        sure=True,
    ),
    Family("jest_file", r"^\s*FAIL\s+\S+\.(?:[cm]?[jt]sx?|vue|svelte)\b", 91, _FAILED, sure=True),
    Family(
        "jest_coverage",
        r"coverage threshold for \w+ \([\d.]+%\) not met|Coverage for \w+ \(.*does not meet",
        99,
        "test.coverage",
        sure=True,
    ),
    Family(
        "vitest_title", r"^\s*(?:FAIL|×|❯)\s+\S+\.(?:test|spec)\.[cm]?[jt]sx?\b.* > ", 97, _FAILED, after=2, sure=True
    ),
    Family("snapshots", r"^\s*›? ?\d+ snapshots? (?:failed|obsolete|written)\b", 82, "test.snapshot", sure=True),
    Family("snapshot_totals", r"\d+ snapshots? failed from \d+ test suite", 85, "test.snapshot", sure=True, total=True),
    Family(
        "snapshot",
        r"^\s*(?:- Snapshot\b|expect\(.*\)\.(?:rejects\.|resolves\.)?to\w*Match\w*Snapshot)",
        86,
        "test.snapshot",
        after=1,
        sure=True,
    ),
    Family(
        "js_totals",
        r"^\s*(?:Tests?|Test Suites|Test Files|Snapshots):? +.*\d+ failed",
        72,
        _FAILED,
        sure=True,
        total=True,
    ),
    Family("no_tests", r"^No tests? (?:files )?found, exiting with code [1-9]", 92, "test.none_found"),
    Family("retries_spent", r"\bfailed to pass within \d+ retries", 95, _FAILED),
    Family("mocha_title", r"^\s*\d+\) [A-Z\w\"'`#.\[].{2,}", 64, _FAILED, after=4, unless=r"\) Errors? fail"),
    Family("mocha_totals", r"^\s+\d+ failing$", 97, _FAILED, after=10, sure=True, total=True),
    Family("karma", r"\(\S.*\) \S.* FAILED$", 98, _FAILED, after=3, sure=True),
    Family("jasmine_totals", r"^\d+ specs?, [1-9]\d* failures?", 76, _FAILED, sure=True, total=True),
    Family("ava", r"^\s*✖ \S.* › ", 97, _FAILED, after=4, sure=True),
    Family("ava_totals", r"^\s*\d+ tests? failed$", 72, _FAILED, sure=True, total=True),
    Family(
        "karma_totals",
        r"Executed \d+ of \d+.*\([1-9]\d* FAILED\)|^TOTAL: [1-9]\d* FAILED",
        70,
        _FAILED,
        sure=True,
        total=True,
    ),
    Family("tap", r"^\s*not ok \d+", 92, _FAILED, after=4, unless="# (?:TODO|SKIP)", sure=True),
    Family("cypress", r"^\s+(?:AssertionError|CypressError): Timed out retrying", 92, _FAILED, sure=True),
    Family("playwright", r"^\s+\d+\) (?:\[[\w -]+\] › )?\S+:\d+:\d+ › ", 99, _FAILED, after=4, sure=True),
    Family("playwright_totals", r"^\s{2}\d+ (?:failed|flaky)$", 70, _FAILED, after=1, sure=True, total=True),
)
JVM = (
    Family(
        "surefire_case",
        r"^(?:\[ERROR\] )?\s*\S.*<<< (?:FAILURE|ERROR)!",
        97,
        _FAILED,
        after=2,
        sure=True,
        unless=r"Tests run:",
    ),
    Family(
        "surefire_list",
        r"^(?:\[ERROR\]\s+|\s{2,})\w\S*[.:]\w\S*:\d+(?:->|\s)",
        96,
        _FAILED,
        unless=r"\.(?:java|kt|scala|groovy):",
    ),
    Family("surefire_old", r"^(?:Failed tests|Tests in error): ", 92, _FAILED, after=2),
    Family(
        "surefire_totals",
        r"^(?:\[\w+\] )?Tests run: \d+, (?:Failures: [1-9]|Failures: \d+, Errors: [1-9])",
        76,
        _FAILED,
        unless="Time elapsed",
        sure=True,
        total=True,
    ),
    Family("gradle_test", r"^\S.* > .* FAILED\s*$", 98, _FAILED, after=2, unless="^> Task", sure=True),
    Family("gradle_totals", r"^\d+ tests? completed, [1-9]\d* failed", 76, _FAILED, sure=True, total=True),
    Family(
        "ant_junit",
        r"^\s*\[junit\]\s+(?:FAILED|Caused an ERROR)$|^\s*\[junit\] Testcase: .*(?:FAILED|ERROR)$",
        97,
        _FAILED,
        before=1,
        after=2,
        sure=True,
    ),
    Family(
        "ant_totals",
        r"^\s*\[junit\] (?:Test \S+ FAILED|Tests run: \d+, Failures: (?:[1-9]|\d+, Errors: [1-9]))",
        76,
        _FAILED,
        sure=True,
        total=True,
    ),
    Family("testng", r"^(?:FAILED|SKIPPED): \w+(?:\(|$)", 95, _FAILED, after=1),
    Family("scalatest", r"\*\*\* FAILED \*\*\*", 98, _FAILED, after=1, sure=True, unless=r"\*\*\* \d+ TESTS? FAILED"),
    Family(
        "sbt_totals",
        r"^\[error\] Failed: Total \d+|\*\*\* \d+ (?:TESTS?|SUITES?) (?:FAILED|ABORTED)",
        76,
        _FAILED,
        sure=True,
        total=True,
    ),
    Family("specs2", r"^\[(?:error|info)\]\s+[x!✗] \S", 96, _FAILED, after=1, sure=True),
    Family("bazel_test", r"^(?:FAIL|TIMEOUT): //\S+|^//\S+\s+(?:FAILED|TIMEOUT|NO STATUS)", 95, _FAILED, sure=True),
)
NATIVE = (
    Family("go_test", r"^\s*--- FAIL: \S+", 100, _FAILED, after=3, sure=True),
    Family("go_package", r"^FAIL\s+\S+[/.]\S+\s+(?:\[(?:build|setup) failed\]|\(?[\d.]+)", 80, _FAILED, sure=True),
    Family("go_place", r"^\s+\w+_test\.go:\d+: ", 90, _FAILED, after=2),
    Family("testify", r"^\s+Error Trace:\s", 91, _FAILED, after=4, sure=True),
    Family("rust_test", r"^test \S+ (?:- .* )?\.\.\. FAILED", 98, _FAILED, sure=True),
    Family("rust_test_panic", r"^thread '[\w:]*(?:test|spec)s?\S*' (?:\(\d+\) )?panicked at", 97, _FAILED, after=3),
    Family(
        "rust_totals", r"^test result: FAILED\.|^\s+Summary \[.*[1-9]\d* failed", 78, _FAILED, sure=True, total=True
    ),
    Family("nextest", r"^\s+(?:FAIL|SIGSEGV|SIGABRT|TIMEOUT) \[ *[\d.]+s\]", 97, _FAILED, sure=True),
    Family("ctest", r"\*\*\*(?:Failed|Exception|Timeout|Not Run)", 95, _FAILED, after=3, sure=True),
    Family(
        "ctest_list",
        r"^\s*\d+ - \S+ \((?:Failed|SEGFAULT|Timeout|Subprocess aborted|Not Run|ILLEGAL)\)",
        96,
        _FAILED,
        sure=True,
    ),
    Family("ctest_totals", r"^\d+% tests passed, [1-9]\d* tests? failed out of", 76, _FAILED, sure=True, total=True),
    Family("gtest", r"^\[  FAILED  \] \S+\.\S+", 97, _FAILED, sure=True),
    Family("gtest_place", rf"^{FILE}:\d+: Failure", 94, _FAILED, after=5, sure=True),
    Family("catch2", rf"^{FILE}:\d+: FAILED:", 94, _FAILED, after=3, sure=True),
    Family("meson_test", r"^\s*\d+/\d+ .* (?:FAIL|ERROR|TIMEOUT)\s+[\d.]+ ?s", 96, _FAILED, sure=True),
    Family("automake", r"^(?:FAIL|ERROR|XPASS): \S+$", 96, _FAILED, sure=True),
    Family("dotnet_test", r"^\s*(?:Failed|X) \S.*\[[<\d].*m?s\]", 98, _FAILED, after=4, sure=True),
    Family("xunit", r"^\[xUnit\.net .*\] +\S.*\[FAIL\]", 96, _FAILED, sure=True),
    Family(
        "dotnet_totals",
        r"^(?:Failed!|Test Run Failed|Total tests: .*Failed: [1-9])",
        76,
        _FAILED,
        sure=True,
        total=True,
    ),
    Family("xctest", r"^\S+\.(?:swift|mm?):\d+: error: -\[|^Test Case '.*' failed|^✘ Test ", 98, _FAILED, sure=True),
    Family("xctest_totals", r"Executed \d+ tests?, with [1-9]\d* failures?", 74, _FAILED, sure=True, total=True),
    Family("xcode_test", r"^\*\* TEST FAILED \*\*", 70, _FAILED, sure=True),
)
SCRIPTING = (
    Family("rspec_place", r"^rspec (?:\./|'\./)\S+", 97, _FAILED, sure=True),
    Family("rspec_error", r"^\s+Failure/Error:", 96, _FAILED, before=1, after=5, sure=True),
    Family(
        "rspec_totals",
        r"^\d+ examples?, (?:[1-9]\d* failures?|\d+ failures?, .*error)",
        78,
        _FAILED,
        sure=True,
        total=True,
    ),
    Family("minitest", r"^\s*\d+\) (?:Failure|Error):$", 97, _FAILED, after=4, sure=True),
    Family(
        "minitest_place", r"^\w\S*#test_\S+ \[\S+:\d+\]:|^(?:FAIL|ERROR)\S* +\w+#test_", 97, _FAILED, after=2, sure=True
    ),
    Family(
        "minitest_totals",
        r"^\d+ (?:runs|tests), \d+ assertions, (?:[1-9]|0 failures, [1-9])",
        78,
        _FAILED,
        sure=True,
        total=True,
    ),
    Family("cucumber", r"^cucumber \S+\.feature:\d+", 96, _FAILED, sure=True),
    Family("phpunit_title", r"^\d+\) \S+::\S+", 98, _FAILED, after=4, sure=True),
    Family(
        "phpunit_totals",
        r"^Tests: \d+, Assertions: \d+, .*(?:Failures|Errors|Warnings|Risky): [1-9]",
        78,
        _FAILED,
        sure=True,
        total=True,
    ),
    Family("perl_test", r"^#\s+Failed test\b|^Result: FAIL|^\S+\.t\s+\(Wstat: [1-9]", 92, _FAILED, after=2, sure=True),
    Family("elixir_test", r"^\s+\d+\) test .* \(\S+\)", 97, _FAILED, after=5, sure=True),
    Family("elixir_totals", r"^\d+ tests?, [1-9]\d* failures?", 76, _FAILED, sure=True, total=True),
    Family("dart_test", r"^\d\d:\d\d \+\d+ (?:~\d+ )?-[1-9]\d*: .* \[E\]", 97, _FAILED, after=2, sure=True),
    Family("testthat", r"^(?:── )?(?:Failure|Error) \(.*\S+\.R:\d+", 96, _FAILED, after=3, sure=True),
    Family("bats", r"^ ?[✗x] \S|^#? ?\(in test file ", 90, _FAILED, after=2, sure=True),
)
COMMON = (
    Family(
        "expected",
        r"^\s*(?:[-+] )?(?:Expected|Received|expected|actual|Actual|got|Got|want|but was)\b.{0,20}?: *\S",
        86,
        _FAILED,
    ),
    Family(
        "failed_tests",
        r"^(?:\[error\] )?(?:The following tests FAILED|Failed tests:|Failing tests:|There (?:was"
        r"|were) \d+ (?:failure|error))",
        68,
        _FAILED,
        after=1,
    ),
)

TESTS = PYTHON + JAVASCRIPT + JVM + NATIVE + SCRIPTING + COMMON
