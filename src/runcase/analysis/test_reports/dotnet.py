"""dotnet test (VSTest, terminal logger, Microsoft.Testing.Platform) and NUnit's console."""

from __future__ import annotations

import re

from runcase.analysis.test_reports.base import LineTool

DOTNET = LineTool(
    "dotnet",
    r"(?:Failed|Passed|Skipped)!\s+- Failed:|^\s*(?:Failed|X|failed) \S.*[\[(]"
    r"|^Total tests: \d+|^\s+(?:Passed|Failed|Skipped): \d+$"
    r"|^Test summary: total: |^\s+(?:failed|succeeded|skipped): \d+$|^\[xUnit\.net .*\[FAIL\]",
    re.compile(
        r"Failed:\s*(?P<failed>\d+), Passed:\s*(?P<passed>\d+), Skipped:\s*(?P<skipped>\d+)"
        r"|^Total tests: \d+\. Passed: (?P<passed2>\d+)\. Failed: (?P<failed2>\d+)\. Skipped: (?P<skipped2>\d+)"
        r"|^\s{4,}(?:Passed: (?P<passed3>\d+)|Failed: (?P<failed3>\d+)|Skipped: (?P<skipped3>\d+))$"
        r"|^Test summary: total: \d+, failed: (?P<failed4>\d+), succeeded: (?P<passed4>\d+), skipped: (?P<skipped4>\d+)"
        r"|^  (?:succeeded: (?P<passed5>\d+)|failed: (?P<failed5>\d+)|skipped: (?P<skipped5>\d+))$"
    ),
    re.compile(
        r"^\s*(?:Failed|X) (\S.*?) \[[<\d]|^\[xUnit\.net [\d:.]+\]\s+(\S.*?) \[FAIL\]|^failed (\S.*?) \([\d.m]+s"
    ),
)
NUNIT = LineTool(
    "nunit",
    r"^\s*Test Count: \d+, Passed: |^Tests run: \d+, Errors: "
    r"|^\s*Not run: \d+, Invalid: |^\d+\) (?:Failed|Error|Test) ",
    re.compile(
        r"^\s*Test Count: (?P<run>\d+), Passed: (?P<passed>\d+), Failed: (?P<failed>\d+)"
        r"(?:.*Skipped: (?P<skipped>\d+))?"
        r"|^Tests run: (?P<run2>\d+), Errors: (?P<failed_errors>\d+), Failures: (?P<failed2>\d+)"
        r"|^\s*Not run: (?P<skipped2>\d+), Invalid: "
    ),
    re.compile(r"^\d+\) (?:Failed|Error|Test Failure|Test Error) : (\S+?)\s*$"),
)
