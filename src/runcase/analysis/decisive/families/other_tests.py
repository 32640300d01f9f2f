"""How test tools of compiled and scripting languages write failures."""

from __future__ import annotations

from runcase.analysis.decisive.families.base import FILE, Family

_FAILED = "test.failed"

NATIVE = (
    Family("go_late", r"^panic: test timed out after", 101, "timeout.test", after=3, sure=True),
    Family("gotestsum", r"^=== FAIL: \S+ \S", 100, _FAILED, after=2, sure=True),
    Family("ginkgo", r"^\s*\[(?:FAIL|Fail|FAILED|PANICKED|Panic!|TIMEDOUT)\] \S", 98, _FAILED, after=2, sure=True),
    Family("ginkgo_totals", r"^Ran \d+ of \d+ Specs|^FAIL! -- ", 72, _FAILED, sure=True, total=True),
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
    Family("no_ctests", r"^No tests were found!!!$", 92, "test.none_found", sure=True),
    Family("ctest_totals", r"^\d+% tests passed, [1-9]\d* tests? failed out of", 76, _FAILED, sure=True, total=True),
    Family("gtest", r"^\[  FAILED  \] [A-Za-z_]\S*", 97, _FAILED, sure=True),
    Family("cmocka", r"^\[  ERROR   \] --- \S", 97, _FAILED, after=1, sure=True),
    Family("gtest_place", rf"^(?:{FILE}:\d+|unknown file): Failure", 94, _FAILED, after=5, sure=True),
    Family("catch2", rf"^{FILE}:\d+: (?:FAILED|failed):", 97, _FAILED, before=4, after=3, sure=True),
    Family(
        "catch2_totals",
        r"^(?:Failed \d+ test cases?, failed \d+|test cases: +\d+ \|.*failed)",
        74,
        _FAILED,
        sure=True,
        total=True,
    ),
    Family("boost_test", r"\): (?:fatal )?error: in \"[^\"]+\": ", 100, _FAILED, sure=True),
    Family("doctest_case", r"^TEST CASE: ", 84, _FAILED),
    Family("automake_totals", r"^# (?:FAIL|ERROR|XPASS): +[1-9]", 74, _FAILED, sure=True, total=True),
    Family("meson_totals", r"^(?:Fail|FAIL|Timeout|TIMEOUT): +[1-9]", 74, _FAILED, sure=True, total=True),
    Family("zig", r"^\d+/\d+ .*\.\.\.FAIL\b", 97, _FAILED, after=3, sure=True),
    Family("meson_output", r"^std(?:err|out):$", 81, None, after=3, sure=True),
    Family("meson_test", r"^\s*\d+/\d+ .* (?:FAIL|ERROR|TIMEOUT)\s+[\d.]+ ?s", 96, _FAILED, sure=True),
    Family("automake", r"^(?:FAIL|ERROR|XPASS): \S+$", 96, _FAILED, sure=True),
    Family("dotnet_test", r"^\s*(?:Failed|X) \S.*\[[<\d].*m?s\]", 98, _FAILED, after=4, sure=True),
    Family("nunit", r"^\d+\) (?:Failed|Error|Test Failure|Test Error) : \S", 98, _FAILED, after=3, sure=True),
    Family("nunit_totals", r"^\s*Test Count: \d+, Passed: .*Failed: [1-9]", 74, _FAILED, sure=True, total=True),
    Family("xunit", r"^\[xUnit\.net .*\] +\S.*\[FAIL\]", 96, _FAILED, sure=True),
    Family(
        "dotnet_totals",
        r"^(?:Failed!|Test Run Failed|Total tests: .*Failed: [1-9]|Test summary: .*failed: [1-9]"
        r"|\s{4,}Failed: [1-9]\d*$)",
        76,
        _FAILED,
        sure=True,
        total=True,
    ),
    Family(
        "xctest",
        r"^\S+\.(?:swift|mm?):\d+: error: (?:-\[|\w+\.\w+ : )|^Test [Cc]ase '.*' failed|^✘ +Test ",
        99,
        _FAILED,
        sure=True,
    ),
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
    Family("rspec_load", r"^An error occurred while loading ", 90, _FAILED, after=1, sure=True),
    Family("test_unit", r"^(?:Failure|Error): \w+\(\S+\)", 98, _FAILED, after=2, sure=True),
    Family("minitest_spec", r"^\s+test_\d{4}_.* (?:FAIL|ERROR) \(", 97, _FAILED, after=3, sure=True),
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
    Family(
        "testthat_totals",
        r"^\[ FAIL [1-9]|^\s+Failed: [1-9]\d*\.  Skipped: |[1-9]\d* out of \d+ tests failed|Some tests did not pass: ",
        72,
        _FAILED,
        sure=True,
        total=True,
    ),
    Family("julia", r": (?:Test Failed|Error During Test) at ", 97, _FAILED, after=3, sure=True),
    Family("haskell_stack", r"^\s+Test suite failure for package ", 97, _FAILED, after=2, sure=True),
    Family("tasty", r"^\s+\S.*: +FAIL(?: \([\d.]+s\))?$|^\s+\S.* FAILED \[\d+\]$", 94, _FAILED, after=3, sure=True),
    Family("busted", r"^(?:Failure|Error) (?:→|->) ", 97, _FAILED, after=4, sure=True),
    Family("flutter", r"^❌ .*\(failed\)$", 97, _FAILED, after=3, sure=True),
    Family("flutter_thrown", r"^The following .{1,60} was thrown ", 90, _FAILED, after=3, sure=True),
    Family("alcotest", r"^(?:> |│ )\[FAIL\] +\S", 98, _FAILED, sure=True),
    Family(
        "scenario_totals",
        r"^\d+ [Ss]cenarios? \((?:\d+ \w+, )*[1-9]\d* (?:failed|undefined|ambiguous)\b",
        76,
        _FAILED,
        sure=True,
        total=True,
    ),
    Family("failing_scenarios", r"^(?:-+ )?Fail(?:ed|ing) [Ss]cenarios:", 90, _FAILED, after=2, sure=True),
    Family("testthat", r"^\s*(?:── )?(?:Failure|Error) \(.*\S+\.R:\d+", 97, _FAILED, after=3, sure=True),
    Family("pester", r"^\s*\[-\] \S.* [\d.]+m?s(?: \(|$)", 97, _FAILED, after=3, sure=True),
    Family("buck2", r"^✗ (?:Fail|Timeout|Fatal): \S+//\S* - ", 97, _FAILED, sure=True),
    Family("bats", r"^ ✗ \S", 97, _FAILED, after=4, sure=True),
    Family("bats_place", r"^#? *\((?:in test file|from function) ", 90, _FAILED, after=2, sure=True),
)
COMMON = (
    Family(
        "test_word", r"^\W*(?:Test|TEST|test)(?: case)?[ :]\s*\S.*\b(?:FAILED|FAIL|failed)\W*$", 89, _FAILED, after=1
    ),
    Family("clojure", r"^(?:FAIL|ERROR) in \(\S+\) \(", 98, _FAILED, after=4, sure=True),
    Family("helm_unittest", r"^\s+- asserts\[\d+\] `\w+` fail", 96, _FAILED, before=2, after=6, sure=True),
    Family(
        "dbt_test",
        r"^(?:\d\d:\d\d:\d\d +)?\s*(?:Failure|(?:\d+ of \d+ )?FAIL \d+|\[ERROR\]:) (?:in )?(?:test|unit_test)\b \w+ \(",
        98,
        _FAILED,
        after=1,
        sure=True,
    ),
    Family("idempotence", r"\bIdempotence test failed", 97, _FAILED, after=1),
    Family("expectations", r"^Validation failed!$", 90, _FAILED),
    Family(
        "threshold",
        r"\bthresholds on metrics? .* (?:have|has) been (?:crossed|breached)|: false \(actual ?: ",
        97,
        "test.threshold",
        sure=True,
    ),
    Family(
        "cross_mark",
        r"^\s*[✗✘✖×❌] +\S|^\s*\d+\) [✗✘✖×❌] ",
        88,
        None,
        after=2,
        unless=r"^\W+\d+ |[Bb]uild failed in|: FAIL(?: |$)",
        sure=True,
    ),
    Family(
        "fail_mark",
        r"^\s*(?:FAIL|FAILED|Fail)\s+\S*(?:test|spec|Test|Spec|\"|::)\S* |^\s*FAIL\s+(?:\S+ +\"\S|\"[^\"]+\"$)",
        90,
        _FAILED,
        after=3,
        sure=True,
    ),
    Family(
        "counted",
        r"(?i)\d+ (?:tests? |specs? )?(?:passed|pass|passing|tests?|specs|examples|scenarios|succeeded|successes|ok)\b"
        r".*?\b[1-9]\d* (?:tests? )?(?:failed|fail|failures?|failing|errors?)\b"
        r"|\b[1-9]\d* (?:failed|failures?)\b.*\b\d+ (?:passed|succeeded)"
        r"|\b(?:checks|run|total|tests)[:\s]\s*\d+[\s,]+(?:(?:passed|skipped)[:\s]\s*\d+[\s,]+)*fail(?:ed|ures)[:\s]\s*[1-9]"
        r"|\b[1-9]\d* (?:of|out of|/) \d+ tests? failed",
        68,
        _FAILED,
        unless=r"(?i)\b(?:(?:test )?files?|suites?|assertions?|steps?|tasks?)\b",
        sure=True,
        total=True,
    ),
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

ALL_PASSED = Family(
    "all_passed",
    r"^(?:=+ )?(?:\d+ (?:skipped|deselected|xfailed|xpassed|warnings?|rerun), )*\d+ passed"
    r"(?:, \d+ (?:skipped|deselected|xfailed|xpassed|warnings?|rerun))* in [\d.]+ ?s"
    r"|^OK \((?:\d+ tests?, |skipped=|expected failures=).*\)$"
    r"|^\s*Test Suites: (?:\d+ skipped, )?\d+ passed, .*total$"
    r"|^\d+ (?:examples|specs|tests), 0 failures\b|^100% tests passed|^Result: PASS$"
    r"|^(?:\[INFO\] )?Tests run: \d+, Failures: 0, Errors: 0, Skipped: \d+$|^# fail +0$",
    1,
    sure=True,
)
"""No trouble: what tests wrote before it they outlived."""

OTHER_TESTS = (ALL_PASSED, *NATIVE, *SCRIPTING, *COMMON)
