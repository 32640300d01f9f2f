"""JUnit's own console, TestNG's reporter."""

from __future__ import annotations

import re

from runcase.analysis.test_reports.base import LineTool

JUNIT_TEXT = LineTool(
    "junit",
    r"^OK \(\d+ tests?\)|^Tests run: \d+,  Failures: \d+$|^\d+\) \w+\([\w.$]+\)",
    re.compile(r"^(?:OK \((?P<run>\d+) tests?\)|Tests run: (?P<run_failed>\d+),  Failures: (?P<failed>\d+))"),
    re.compile(r"^\d+\) (\w+\([\w.$]+\))"),
)
TESTNG = LineTool(
    "testng",
    r"^Total tests run: \d+, |^FAILED: \w",
    re.compile(
        r"^Total tests run: (?P<run>\d+), (?:Passes: (?P<passed>\d+), )?Failures: (?P<failed>\d+)"
        r", Skips: (?P<skipped>\d+)"
    ),
    re.compile(r"^FAILED: (\w[\w.$]*)"),
)
