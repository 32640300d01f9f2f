"""Logs that nothing ends but what a build or test tool says of itself."""

from __future__ import annotations

import polars as pl
import pytest
from tests.factory import event, facts, source
from tests.readers.reading import read_one

from runcase.analysis.heard import heard
from runcase.analysis.stretches import stretches
from runcase.analysis.test_reports import results

_PYTEST = """============================= test session starts ==============================
platform linux -- Python 3.11.2, pytest-7.4.0, pluggy-1.2.0
collected 3 items
tests/test_cart.py {dots}                                                   [100%]
{end}
"""
_FAILED = _PYTEST.format(
    dots=".F.", end="========================= 1 failed, 2 passed in 0.12s =========================="
)
_PASSED = _PYTEST.format(
    dots="...", end="============================== 3 passed in 0.12s ==============================="
)
_MAVEN = """[INFO] Scanning for projects...
{tests}
[INFO] ------------------------------------------------------------------------
[INFO] BUILD {word}
[INFO] ------------------------------------------------------------------------
[INFO] Total time:  4.2 s
[INFO] Finished at: 2024-05-02T10:11:12+02:00
[INFO] ------------------------------------------------------------------------
"""
_MAVEN_GOOD = _MAVEN.format(word="SUCCESS", tests="[INFO] Tests run: 12, Failures: 0, Errors: 0, Skipped: 1")
_MUCH = "".join(f"collecting the coverage of part {n}\n" for n in range(60))

GOOD = {
    "pytest": _PASSED,
    "unittest": "...\n" + "-" * 70 + "\nRan 3 tests in 0.001s\n\nOK\n",
    "cargo": "running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored\n\n",
    "go": "ok  \tacme/shop/cart\t0.003s\n?   \tacme/shop/mail\t[no test files]\n",
    "jest": "PASS src/a.test.js\n\nTest Suites: 1 passed, 1 total\nTests:       3 passed, 3 total\nTime:        1.2 s\n"
    "Ran all test suites.\n",
    "maven": _MAVEN_GOOD,
    "maven, failures ignored": _MAVEN.format(word="SUCCESS", tests="[ERROR] Tests run: 12, Failures: 1, Errors: 0"),
    "maven, tried again": _MAVEN.format(word="FAILURE", tests="") + "Attempt 1 failed, retrying in 5 s\n" + _MAVEN_GOOD,
    "gradle": "> Task :test\n\nBUILD SUCCESSFUL in 12s\n5 actionable tasks: 5 executed\n",
    "ant": "Buildfile: /app/build.xml\n\ncompile:\n\nBUILD SUCCESSFUL\nTotal time: 1 second\n",
    "sbt": "[info] Passed: Total 3, Failed 0, Errors 0, Passed 3\n[success] Total time: 5 s, completed May 2, 2024\n",
    "bazel": "INFO: Analyzed 3 targets.\nINFO: Build completed successfully, 3 total actions\n",
    "msbuild": "  shop -> /app/bin/shop.dll\n\nBuild succeeded.\n    0 Error(s)\n\nTime Elapsed 00:00:03.2\n",
    "a linter that a script goes on after": ">> Issue: [B602:subprocess_popen_with_shell_equals_true] shell\n"
    + _PASSED,
    "an error that the tool survived": "ERROR: could not reach the cache\n" + _PASSED,
}
BAD = {
    "pytest, and much after it": _FAILED + _MUCH,
    "pytest, cut off later": _FAILED + "uploading cov",
    "ant": "Buildfile: /app/build.xml\n\ncompile:\n    [javac] A.java:3: error: no symbol\n\nBUILD FAILED\n"
    "/app/build.xml:12: Compile failed.\n\nTotal time: 1 second\n" + _MUCH,
    "sbt": "[info] Failed: Total 3, Failed 1, Errors 0, Passed 2\n[error] Total time: 5 s\n" + _MUCH,
    "ansible, the first of two hosts": "web1 : ok=2 changed=0 unreachable=0 failed=1\n"
    "web2 : ok=5 changed=1 unreachable=0 failed=0\n",
    "pytest, too little coverage": "FAIL Required test coverage of 90% not reached. Total coverage: 75.00%\n" + _PASSED,
    "jest, a file that did not load": "Test Suites: 1 failed, 1 passed, 2 total\n"
    "Tests:       3 passed, 3 total\nTime:        1.2 s\nRan all test suites.\n",
    "a good build, and an error as the very last line": _MAVEN_GOOD
    + "+ ./deploy.sh\ncp: cannot stat 'shop.jar': No such"
    " file or directory\n",
    "mocha": "  cart\n    1) adds twice\n\n\n  1 passing (8ms)\n  1 failing\n" + _MUCH,
}
UNKNOWN = {
    "cut off before the total": _PASSED.rsplit("=====", 1)[0].split("\n=====")[0],
    "a success, and something begins after it": _MAVEN_GOOD
    + "+ ./deploy.sh production\nwaiting for the health check\n",
    "a failure, and no word of a retry before the same tool passes": _FAILED + _MUCH + _PASSED,
    "a failure, and a retry of which nothing is known": _FAILED + "retrying the failed tests\n" + _MUCH,
    "a failure of one tool and a success of another": _FAILED + _MUCH + _MAVEN_GOOD,
}
_FOLDS = "##[group]Run make test\nmake test\n##[endgroup]\n"
"""What only a CI service writes: its log ends with the service's own word, or was cut off."""


@pytest.mark.parametrize("name", GOOD)
def test_a_log_that_ends_with_the_success_of_its_tool_has_succeeded(name: str) -> None:
    run = read_one(GOOD[name], "log.txt").run
    assert (run["status"], run["status_basis"]) == ("succeeded", "tool_success")


@pytest.mark.parametrize("name", BAD)
def test_a_failure_that_nothing_takes_back_stands_and_no_end_is_invented(name: str) -> None:
    run = read_one(BAD[name], "log.txt").run
    assert (run["status"], run["status_basis"], run["finished_at"]) == ("failed", "tool_failure", None)


@pytest.mark.parametrize("name", UNKNOWN)
def test_where_the_words_of_tools_do_not_tell_the_outcome_the_run_is_lost(name: str) -> None:
    assert read_one(UNKNOWN[name], "log.txt").run["status"] == "lost"


def test_the_verdict_is_cited() -> None:
    seen = read_one(GOOD["gradle"], "log.txt")
    [ref] = seen.run["status_refs"]
    assert ref.partition(":")[2].startswith(f"{GOOD['gradle'].index('BUILD')}+")


def test_a_log_of_a_ci_service_without_its_end_fails_by_its_last_words_only() -> None:
    assert read_one(_FOLDS + _FAILED, "log.txt").run["status"] == "failed"
    assert read_one(_FOLDS + _FAILED + _MUCH, "log.txt").run["status"] == "lost"
    assert read_one(_FOLDS + _PASSED, "log.txt").run["status"] == "lost"


def test_an_exit_code_outweighs_the_words_of_tools() -> None:
    run = read_one(_PASSED + "Process exited with code 3\n", "log.txt").run
    assert (run["status"], run["status_basis"]) == ("failed", "exit")


def test_where_tools_count_is_told_of_the_runs_that_are_asked_for() -> None:
    lines = ("=== 3 failed, 4 passed in 0.10s ===",)
    rows = [event("unknown", f"10:00:0{n}", r, run_id=r, message=m) for r in ("a", "b") for n, m in enumerate(lines)]
    events = facts(rows, [source(r, f"{r}.log") for r in ("a", "b")]).events
    parted = stretches(events)
    said = heard(events, parted, pl.Series("source_id", ["a", "b"]))
    found = results.tested(events, parted, said.reporting, {"b"})
    assert found.results["run_id"].to_list() == ["a", "b"]
    assert found.totals["run_id"].to_list() == ["b"]
