"""The last words of build and test tools: how a log ended in which nothing else says it.

A tool's verdict is no end of a run: a script may go on after it. So a failure counts
where nothing takes it back, and a success only where nothing follows it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import polars as pl

from runcase.analysis.last_lines import told_at_the_end
from runcase.analysis.multiplexed import own_words
from runcase.analysis.selection import of_kind
from runcase.analysis.status import END_LINES, VERDICTS
from runcase.model.refs import ref_of
from runcase.rules.literals import required_of
from runcase.rules.patterns import any_of, ascii_borders

TRAILER_LINES = 40
"""A tool's trailer is shorter: a verdict with more lines below it is not the last word."""

MAX_LINE_CHARS = 500
"""A verdict's line is shorter."""


@dataclass(frozen=True, slots=True)
class _Builder:
    """How a build tool says that it is done; `tests` are the test tools that run inside it."""

    tool: str
    succeeded: str
    failed: str
    tests: tuple[str, ...] = ()
    gone_on_after: bool = False
    """Scripts often go on after its failure, which counts near the end of a log alone."""


_JVM = ("maven", "gradle", "ant", "sbt", "scalatest", "junit", "junit text", "testng", "cucumber", "unknown tool")
_PYTHON = ("pytest", "unittest", "nose", "stestr", "unknown tool")
_BUILDERS = (
    _Builder("maven", r"(?:\[INFO\] )?BUILD SUCCESS$", r"(?:\[(?:INFO|ERROR)\] )?BUILD (?:FAILURE|ERROR)$", _JVM),
    _Builder(
        "gradle or ant",
        r"(?:\[INFO\] )?BUILD SUCCESSFUL(?: in [\d.hms ]+| \(total time: .+\))?$",
        r"BUILD FAILED(?: in [\d.hms ]+| \(total time: .+\))?$",
        _JVM,
    ),
    _Builder("sbt", r"\[success\] Total time: ", r"\[error\] Total time: ", _JVM),
    _Builder("msbuild", r"Build succeeded\.$", r"Build FAILED\.$", ("dotnet", "nunit")),
    _Builder(
        "bazel",
        r"(?:INFO: )?Build completed successfully, \d+ total actions?",
        r"(?:FAILED|ERROR): Build did NOT complete successfully|(?:INFO: )?Build completed, \d+ tests? FAILED",
        ("bazel", "gtest", "junit", "go", "unittest", "pytest", "unknown tool"),
    ),
    _Builder(
        "buck2",
        r"Tests finished: Pass \d+\. (?:\w+ 0\. )+.*Build failure 0$|BUILD SUCCEEDED$",
        r"[1-9]\d* TESTS? (?:FAILED|TIMED OUT|FATALS?)$|(?:\[.*\] )?BUILD FAILED$",
        ("buck2", "gtest", "go", "pytest", "unittest", "cargo"),
    ),
    _Builder(
        "xcodebuild",
        r"\*\* (?:[A-Z]+ )+SUCCEEDED \*\*",
        r"\*\* (?:[A-Z]+ )+FAILED \*\*",
        ("xctest", "swift testing"),
    ),
    _Builder(
        "go",
        r"ok  \t\S+\t(?:[\d.]+s|\(cached\))",
        r"FAIL(?:$|\t\S+\t[\d.]+s|\t\S+ \[(?:build|setup) failed\])"
        r"|\S+\.go:\d+:\d+: (?:undefined: |too many |not enough |cannot use |syntax error: |missing return"
        r"|invalid operation: |declared and not used: |\S+ (?:declared and not used|imported and not used|redeclared))",
        ("go",),
    ),
    _Builder(
        "terraform",
        r"(?:Apply|Destroy) complete! Resources: |No changes\. Your infrastructure matches the configuration\.",
        r"│ Error: ",
    ),
    _Builder(
        "ansible",
        r"\S+ +: ok=\d+ +changed=\d+ +unreachable=0 +failed=0\b",
        r"\S+ +: ok=\d+ +changed=\d+ +(?:unreachable=[1-9]|unreachable=0 +failed=[1-9])",
    ),
    _Builder("tox", r"\s+congratulations :\)", r"\s+evaluation failed :\(", _PYTHON),
    _Builder("nox", r"nox > Session \S+ was successful\.", r"nox > Session \S+ failed\.", _PYTHON),
    _Builder("yarn", r"(?:✨ +)?Done in [\d.]+s\b", r"error Command failed with exit code \d"),
    _Builder(
        "npm",
        r"(?:added|changed|removed|up to date)\b.* packages? in \d+m?s$",
        r"npm (?:ERR!|error) (?:code E|Lifecycle script `.*` failed)",
        gone_on_after=True,
    ),
    _Builder(
        "pip",
        r"Successfully installed \S+-\d",
        r"error: metadata-generation-failed|ERROR: (?:No matching distribution|ResolutionImpossible)",
        gone_on_after=True,
    ),
    _Builder(
        "webpack",
        r"webpack [\d.]+ compiled (?:successfully|with \d+ warnings?) in ",
        r"webpack [\d.]+ compiled with \d+ errors?",
    ),
    _Builder("vite", r"✓ built in [\d.]+m?s$", r"error during build:$"),
    _Builder(
        "docker",
        r"#\d+ (?:naming to|pushing manifest for) \S+.* done$|Successfully (?:built|tagged) \S+$",
        r"ERROR: failed to (?:solve|build): |The command '.+' returned a non-zero code: ",
        gone_on_after=True,
    ),
    _Builder("cypress", r"\s+✔  All specs passed!", r"\s+✖  \d+ of \d+ failed \(\d+%\)", ("mocha", "unknown tool")),
    _Builder(
        "kubectl",
        r".*\bsuccessfully rolled out$|(?:partitioned roll out|statefulset rolling update) complete",
        r"The \w+ \".+\" is invalid: "
        r"|error: (?:deployment \".+\" exceeded its progress deadline|timed out waiting for the condition)",
        gone_on_after=True,
    ),
    _Builder(
        "packer",
        r"==> Builds finished\. The artifacts of successful builds are:",
        r"==> (?:Some builds didn't complete successfully|Builds finished but no artifacts were created)",
    ),
    _Builder(
        "hadoop",
        r".*\bJob job_\d+_\d+ completed successfully",
        r".*\bJob job_\d+_\d+ failed with state (?:FAILED|KILLED)",
    ),
    _Builder(
        "flink",
        r".*\bJob .+ \(\w+\) switched from state \w+ to FINISHED",
        r".*\bJob .+ \(\w+\) switched from state \w+ to FAILED",
    ),
    _Builder(
        "snakemake",
        r"(?!)",
        r"(?:\w+Exception in rule \w+ in file |WorkflowError:$|Exiting because a job execution failed)",
    ),
    _Builder("elm-test", r"TEST RUN PASSED$", r"TEST RUN FAILED$", ("elm-test",)),
    _Builder(
        "webdriverio",
        r"Spec Files:\s+\d+ passed, \d+ total",
        r"Spec Files:\s+\d+ passed, (?:\d+ retries, )?[1-9]\d* failed",
        ("mocha", "jasmine", "unknown tool"),
    ),
    _Builder("testcafe", r" \d+ passed \(\d+[ms\d ]*\)$", r" [1-9]\d*/\d+ failed \(", ("testcafe",)),
    _Builder("npm audit", r"(?!)", r"# npm audit report$", gone_on_after=True),
    _Builder(
        "govulncheck",
        r"No vulnerabilities found\.$",
        r"Your code is affected by [1-9]\d* vulnerabilit",
        gone_on_after=True,
    ),
    _Builder("gitleaks", r"(?!)", r".*\bleaks found: [1-9]", gone_on_after=True),
    _Builder("gatling", r"(?!)", r".+ : false \(actual ?: ", gone_on_after=True),
    _Builder("great expectations", r"Validation succeeded!$", r"Validation failed!$"),
    _Builder("fastlane", r".*fastlane\.tools finished successfully", r".*\bfastlane finished with errors"),
    _Builder("serverless", r"✔ Service deployed to stack \S", r"✖ Stack \S+ failed to deploy"),
    _Builder("cdk", r"\s*✅  \S", r"\s*❌ +\S+ failed|❌ Deployment failed"),
    _Builder(
        "checkers",
        r"All checks passed!$|Success: no issues found in \d|All matched files use Prettier code style!"
        r"|\d+ files? inspected, no offenses detected|\s*\[OK\] No errors|Success! The configuration is valid\.",
        r"✖ \d+ problems? \([1-9]|Found \d+ errors?(?: in \S+|\.| \()"
        r"|\d+ files? inspected, \d+ offenses? detected"
        r"|\s*\[ERROR\] Found \d+ errors?|Oh no! 💥|\[warn\] Code style issues found in ",
        gone_on_after=True,
    ),
    _Builder("meson", r"(?!)", r"\S*meson\.build:\d+:\d+: ERROR: "),
    _Builder("cmake", r"(?!)", r"-- Configuring incomplete, errors occurred!"),
    _Builder("dbt", r"\s*Done\. PASS=\S+ WARN=\d+ ERROR=0 ", r"\s*Done\. PASS=\S+ WARN=\d+ ERROR=[1-9]"),
    _Builder(
        "liquibase", r"Liquibase command '\w+' was executed successfully\.", r"Unexpected error running Liquibase: "
    ),
    _Builder("pulumi", r"(?!)", r"    error: (?:update|preview|destroy|refresh) failed"),
    _Builder("flux", r"(?!)", r"✗ (?:\w+ ){1,3}failed\b"),
    _Builder("skaffold", r"Deployments stabilized in ", r"\d+/\d+ deployment\(s\) failed"),
    _Builder(
        "certbot",
        r"Congratulations, all renewals succeeded|Successfully received certificate",
        r"[1-9]\d* renew failure\(s\)|Some challenges have failed\.",
    ),
    _Builder("restic", r"(?!)", r"Fatal: "),
    _Builder(
        "borg",
        r"terminating with success status, rc 0",
        r"Failed to create/acquire the lock |terminating with error status",
    ),
    _Builder("vagrant", r"(?!)", r"There was an error while executing `"),
    _Builder(
        "helm", r"STATUS: deployed$", r"Error: (?:(?:INSTALLATION|UPGRADE|ROLLBACK) FAILED|failed (?:pre|post)-\w+: )"
    ),
    _Builder(
        "sbuild", r"Status: successful$", r"E: Build failure \(|Status: (?:attempted|failed|given-back)$", ("automake",)
    ),
    _Builder(
        "mock",
        r"Child return code was: 0$",
        r"Child return code was: [1-9]|RPM build errors:$",
        ("automake", "ctest", "meson"),
    ),
    _Builder(
        "prefect",
        r".*\bFlow run '.+' - Finished in state Completed\b",
        r".*\bFlow run '.+' - Finished in state (?:Failed|Crashed|TimedOut)\b",
    ),
    _Builder("luigi", r"This progress looks :\)", r"This progress looks :\("),
    _Builder(
        "cromwell",
        r"Workflow \S+ transitioned to state Succeeded",
        r"Workflow \S+ transitioned to state (?:Failed|Aborted)",
    ),
    _Builder(
        "sphinx", r"build succeeded(?:, \d+ warnings?)?\.$", r"build finished with problems|Warning, treated as error:$"
    ),
    _Builder("mkdocs", r"INFO +- +Documentation built in [\d.]+ seconds", r"Aborted with \d+ warnings? in strict mode"),
    _Builder("docusaurus", r"\[SUCCESS\] Generated static files in ", r"\[ERROR\] Unable to build website "),
    _Builder(
        "latexmk",
        r"Latexmk: All targets \(.*\) are up-to-date",
        r"Latexmk: Errors, so I did not complete making targets",
    ),
    _Builder("goreleaser", r"\s*• (?:release|build) succeeded after ", r"\s*⨯ (?:release|build) failed after "),
    _Builder("bundler", r"Bundle complete! \d+ Gemfile dependenc", r"(?!)"),
    _Builder("swift", r"Build complete!(?: \([\d.]+s\))?$", r"(?!)", ("xctest", "swift testing")),
    _Builder(
        "zig",
        r"Build Summary: \d+/\d+ steps succeeded(?:; \d+/\d+ tests passed)?$",
        r"Build Summary: \d+/\d+ steps succeeded.*; \d+ failed",
        ("zig",),
    ),
    _Builder(
        "cabal",
        r"[1-9]\d* of \d+ test suites \(\d+ of \d+ test cases?\) passed\.$",
        r"Error: (?:cabal: |\[Cabal-\d+\])",
    ),
    _Builder(
        "platformio",
        r"=+ (?:\[SUCCESS\] Took [\d.]+ seconds|\d+ succeeded in [\d:.]+) =+$",
        r"=+ (?:\[FAILED\] Took [\d.]+ seconds|(?:\d+ succeeded, )?\d+ failed(?:, \d+ succeeded)? in [\d:.]+) =+$",
    ),
    _Builder("unity", r"Exiting batchmode successfully now!", r"Aborting batchmode due to "),
    _Builder("unreal", r"AutomationTool exiting with ExitCode=0 ", r"AutomationTool exiting with ExitCode=[1-9]"),
    _Builder(
        "quartus",
        r"Info.*: Quartus Prime .* was successful\. 0 errors",
        r"Error.*: Quartus Prime .* was unsuccessful\.",
    ),
    _Builder(
        "chef",
        r"(?:Chef|Cinc)(?: Infra)? Client finished, \d+/\d+ resources",
        r"(?:Chef|Cinc)(?: Infra)? Client failed\.",
    ),
    _Builder("puppet", r"Notice: Applied catalog in [\d.]+ seconds", r"Error: Could not (?:run|retrieve catalog)"),
    _Builder("rsync", r"total size is [\d,.KMGT]+  speedup is ", r"rsync error: ", gone_on_after=True),
    _Builder("gsutil", r"Operation completed over [\d.k]+ objects?/", r"(?!)"),
    _Builder(
        "cloudformation",
        r"Successfully created/updated stack - \S",
        r"Failed to create/update the stack|Error: Failed to create/update the stack",
    ),
    _Builder("gcloud", r"(?!)", r"ERROR: \(gcloud\.[\w.-]+\) ", gone_on_after=True),
    _Builder("firebase", r"✔  Deploy complete!", r"(?!)"),
    _Builder(
        "appveyor", r"Build success$", r"Command exited with code [1-9-]\d*$", (*_JVM, *_PYTHON, "dotnet", "nunit")
    ),
    _Builder("cloud build", r"DONE$", r"ERROR: build step \d+ \".+\" failed: |BUILD FAILURE: "),
    _Builder("obs", r'\S+ finished "build .+" at ', r'\S+ failed "build .+" at '),
    _Builder("netlify", r"Site is live ✨", r"Failing build: |Build failed due to a user error"),
    _Builder("heroku", r"Verifying deploy\.\.\. done\.", r"Push rejected, failed to compile |Push rejected to "),
    _Builder("bitrise", r"Bitrise build successful", r"Bitrise build failed"),
    _Builder("earthly", r"=+ 🌍 Earthly Build +✅ SUCCESS =+", r"=+ ❌ FAILURE\b"),
    _Builder("vercel", r"Deployment completed$", r'Error: Command ".+" exited with [1-9]'),
    _Builder("render", r"==> Build successful 🎉", r"==> Build failed 😞"),
    _Builder("act", r"\[.+\] 🏁  Job succeeded", r"\[.+\] 🏁  Job failed"),
    _Builder("circleci", r"CircleCI received exit code 0$", r"Exited with code exit status [1-9]"),
    _Builder("lsf", r"Successfully completed\.$", r"Exited with exit code \d+\.$|Exited by signal \d+\.$"),
    _Builder(
        "mpi",
        r"(?!)",
        r"MPI_ABORT was invoked on rank \d|=   BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES"
        r"|srun: error: \S+: tasks? [\d,-]+: (?:Exited with exit code [1-9]|Killed|Aborted|Segmentation fault)",
    ),
    _Builder(
        "cargo",
        r"\s+Finished .+ target\(s\) in [\d.]+",
        r"error: (?:could not compile `|test failed, to rerun pass )",
        ("cargo",),
    ),
    _Builder("stack", r"(?!)", r"Error: \[S-\d+\]"),
    _Builder("pnpm", r"(?!)", r" ?ERR_PNPM_[A-Z_]+ "),
    _Builder("ninja", r"(?!)", r"ninja: build stopped: "),
    _Builder("make", r"(?!)", r"g?make: \*\*\* "),
)
_GONE_ON_AFTER = frozenset(b.tool for b in _BUILDERS if b.gone_on_after)

_BOTH_WAYS = [way for b in _BUILDERS for way in (b.succeeded, b.failed)]
_WAYS = any_of(way for way in _BOTH_WAYS if way != r"(?!)")
_VERDICT = ascii_borders(rf"(?m)^(?:{_WAYS})")
VERDICT_LITERALS = sorted({*chain(*required_of(_BOTH_WAYS, __file__)), "fail", "\tok"})

_TRAILER = re.compile(
    r"\s*$|(?:\[(?:INFO|WARNING|info)\])?\s*(?:$|[-=]{3,}\s*$|(?:Total time|Finished at|Final Memory)\b)"
    # Gradle
    r"|\d+ actionable tasks?: |Deprecated Gradle features|You can use '--warning-mode|For more on this, please refer"
    r"|See (?:https://docs\.gradle\.org|the profiling report)|Publishing (?:a )?build scan|https://gradle\.com/s/"
    r"|Configuration (?:cache|on demand)|Watched directory hierarchies"
    # MSBuild, Bazel, Go
    r"|\s+\d+ (?:Warning|Error)\(s\)|Time Elapsed "
    r"|//\S+ +(?:\(cached\) )?(?:PASSED|FLAKY|SKIPPED)\b|\s+Stats over \d+ runs|Executed \d+ out of \d+ tests?: |INFO: "
    r"|\?   \t\S+\t\[no test files\]|PASS$"
    # coverage
    r"|\s*% Coverage report from|[-|\s]{10,}$|=+(?: Coverage summary =+)?$|[^|]*\|(?: +(?:[\d.]+|% \w+) +\|){2}"
    r"|File +\| +% Stmts"
    r"|(?:Statements|Branches|Functions|Lines) +: [\d.]+%|Generating code coverage report in "
    r"|Coverage report generated for |(?:Line|Branch) Coverage: [\d.]+%"
    # Vitest, Playwright, Bun, RSpec and ExUnit, CTest, Meson, automake
    r"|\s+(?:Start at|Duration) +\S|To open last HTML report run:|\s+(?:npx|yarn|pnpm(?: exec)?) playwright show-report"
    r"|\s+\d+ (?:passed|skipped|flaky|did not run|pending|pass|fail|todo|expect\(\) calls)\b"
    r"|Ran \d+ tests? across \d+ files?\.|Randomized with seed \d"
    r"|\s+(?:FLAKY|SLOW|LEAK)\b|Total Test time \(real\) = |Full log written to "
    r"|(?:Ok|Expected Fail|Fail|Unexpected Pass|Skipped|Timeout): +\d+\s*$"
    r"|Duration: [\d.]+ m?s$|(?:Passed|Failed): +\d+$|# (?:TOTAL|PASS|SKIP|XFAIL|FAIL|XPASS|ERROR): +\d+$"
    # npm, pip, BuildKit, Helm, Packer, Serverless, pytest
    r"|\d+ vulnerabilities \(|To address all issues|\s+npm audit fix|Run `npm audit` for"
    r"|\d+ packages? (?:are|is) looking for funding|\s+run `npm fund`|found \d+ vulnerabilities|\[notice\] "
    r"|WARNING: Running pip as|#\d+ (?:DONE [\d.]+s|(?:naming to|pushing|unpacking to|exporting) .*)$"
    r"|(?:REVISION|TEST SUITE): |--> \S+: |\S+: ami-|(?:endpoints?|functions):|\s+\S+: \S+ \([\d.]+ [kM]B\)$|\s+\w+ - https://\S+$"
    # Jest, cargo, unittest, npm and yarn, the shell's time
    r"|(?:Test Suites|Tests|Snapshots|Time):? +|Ran all test suites|\s+Doc-tests \S+$|running 0 tests$|OK(?: \(.*\))?$"
    r"|npm notice|Done in [\d.]+s|(?:real|user|sys)\t\d"
    # CMake that installs
    r"|-- (?:Install configuration|Installing|Up-to-date): "
    # hosts that build
    r"|### VM INTERACTION |\[ *[\d.]+\]\[ +\w+\] sysrq: |To https://git\.|\s+\w{7,}\.\.\w{7,} +\S+ -> "
    # Luigi, Sphinx, Firebase, sbuild
    r"|===== Luigi Execution Summary =====$|The (?:HTML|text|manual|Texinfo) (?:pages?|files?) (?:is|are) in "
    r"|(?:Project Console|Hosting URL): |Bundled gems are installed into |Use `bundle info "
    r"|Version: \S+$|-{40,}$|Finished at \S|Build needed \d"
    # LSF
    r"|Resource usage summary:$|\s{4}[A-Z][\w ()]+ : +\S|The output \(if any\) follows:|PS:$|Read file <"
    # Terraform
    r"|Outputs:$|[\w-]+ = \S|Terraform has compared your real|(?:configuration )?and found no differences"
)
"""What tools still write below their verdict; a line of any other kind may be the begin of something else."""

_DOUBT = re.compile(r"(?i)error|fail|denied|not found|unable|abort")


def last_words(
    events: pl.LazyFrame,
    verdicts: pl.DataFrame,
    sources: pl.DataFrame,
    own: pl.DataFrame,
    numbers: pl.DataFrame,
    marks: pl.DataFrame,
    totals: pl.DataFrame,
) -> pl.DataFrame:
    """`VERDICTS` of runs that are one log each.

    Args:
        events: EVENTS with runs assigned.
        verdicts: Those of which `is_verdict` holds, in their order.
        sources: SOURCES.
        own: `source_id, run_id`: sources that are runs of their own, and of which nothing heavier tells the status.
        numbers: `run_id, attempt` of all attempts.
        marks: As `marks.marks` yields them.
        totals: `results.TOTALS`, where test tools count their tests.
    """
    single = own.filter(pl.len().over("run_id") == 1).join(
        numbers.filter(pl.len().over("run_id") == 1).select("run_id", "attempt"), on="run_id", how="inner"
    )
    logs = single.join(sources.select("source_id", "reader", "format", "lines"), on="source_id", how="inner")
    logs = logs.filter(pl.col("reader").is_null() | pl.col("reader").ne_missing(pl.col("format"))).sort("source_id")
    if logs.is_empty():
        return pl.DataFrame(schema=VERDICTS)
    said = pl.concat([_built(verdicts, logs), _counted(events, logs, totals)]).sort("source_id", "byte_start", "rank")
    spoken = said.select("source_id").unique()
    silent = logs.filter(pl.col("reader").is_null()).join(spoken, on="source_id", how="anti", maintain_order="left")
    stated = told_at_the_end(events, silent)
    if said.is_empty():
        return stated
    turns = _turns(marks.join(logs.select("source_id"), on="source_id", how="semi"))
    tails = _tails(events, logs.filter(pl.col("reader").is_null()), said)
    rows = []
    for log in logs.join(spoken, on="source_id", how="semi").iter_rows(named=True):
        words = [_Word(**w) for w in said.filter(source_id=log["source_id"]).drop("source_id").iter_rows(named=True)]
        outcome = _outcome(words, turns.get(log["source_id"], []))
        if outcome is not None:
            rows += _verdict(log, outcome, tails.get(log["source_id"]))
    return pl.concat([pl.DataFrame(rows, schema=VERDICTS), stated])


@dataclass(frozen=True, slots=True)
class _Word:
    """A verdict of a tool, in its place."""

    tool: str
    builds: bool
    failed: bool
    byte_start: int
    line: int
    rank: int
    """The line inside its record."""
    ts: object
    ref: str


_WORDS = pl.Schema(
    {
        "source_id": pl.String(),
        "tool": pl.String(),
        "builds": pl.Boolean(),
        "failed": pl.Boolean(),
        "byte_start": pl.Int64(),
        "line": pl.Int64(),
        "rank": pl.Int64(),
        "ts": pl.Datetime("us", "UTC"),
        "ref": pl.String(),
    }
)
"""`_Word`, with its source."""


def is_verdict() -> pl.Expr:
    """Whether the `message` of a record holds a verdict of a build tool."""
    return own_words(pl.col("message")).str.contains(_VERDICT)


def _built(verdicts: pl.DataFrame, logs: pl.DataFrame) -> pl.DataFrame:
    """Verdicts of build tools; a record of several lines may hold more than one."""
    mine = verdicts.join(logs.select("source_id"), on="source_id", how="semi", maintain_order="left")
    kept = mine.select("source_id", "byte_start", "line", "ts", own_words(pl.col("message")), ref=ref_of())
    rows = []
    for record in kept.iter_rows(named=True):
        for rank, text in enumerate(record.pop("message").split("\n")):
            for b in _BUILDERS if len(text) <= MAX_LINE_CHARS else ():
                failed = re.match(b.failed, text) is not None
                if failed or re.match(b.succeeded, text):
                    rows.append(record | {"tool": b.tool, "builds": True, "failed": failed, "rank": rank})
    return pl.DataFrame(rows, schema=_WORDS)


def _counted(events: pl.LazyFrame, logs: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """Totals of test tools, which stand on the first line of their records."""
    mine = totals.join(logs.select("source_id"), on="source_id", how="semi")
    keys = mine.select("source_id", "byte_start").unique()
    mentioned = events.join(keys.lazy(), on=["source_id", "byte_start"], how="semi")
    placed = mentioned.select("source_id", "byte_start", "line", "ts", ref=ref_of()).collect(engine="streaming")
    met = mine.join(placed, on=["source_id", "byte_start"], how="inner")
    return met.with_columns(builds=pl.lit(value=False), rank=pl.lit(0, pl.Int64)).select(_WORDS.names())


def _turns(marks: pl.DataFrame) -> dict[str, list[tuple[int, bool]]]:
    """Source -> places where something else begins, and whether it is tried again."""
    again = of_kind(pl.col("kind"), ["retry"])
    work = of_kind(pl.col("kind"), ["stage.started", "tool.started", "artifact.written", "upload.started"])
    rows = marks.filter(again | work).select("source_id", "byte_start", again=again).sort("source_id", "byte_start")
    return {str(k[0]): list(v.select("byte_start", "again").iter_rows()) for k, v in rows.group_by("source_id")}


def _outcome(words: Sequence[_Word], turns: Sequence[tuple[int, bool]]) -> _Word | None:
    """The word that tells how the log ended; None where words disagree, or something else began after a failure."""
    builder = next((n for n in range(len(words) - 1, -1, -1) if words[n].builds), -1)
    if builder >= 0:
        inside = next(b.tests for b in _BUILDERS if b.tool == words[builder].tool)
        words = [w for n, w in enumerate(words) if n >= builder or w.tool not in inside]
    final, retried = words[-1], [place for place, again in turns if again]
    if final.failed:
        return None if any(place > final.byte_start for place, _ in turns) else final
    before = [w for w in words if w.failed]
    mended = all(w.tool == final.tool and any(w.byte_start < r < final.byte_start for r in retried) for w in before)
    return final if mended else None


def _tails(events: pl.LazyFrame, logs: pl.DataFrame, said: pl.DataFrame) -> dict[str, list[tuple[int, str]]]:
    """Source -> `byte_start` and message of its last records, of logs that end soon after a verdict."""
    near = said.filter(~pl.col("failed")).join(logs, on="source_id", how="inner")
    near = near.filter(pl.col("lines") - pl.col("line") < TRAILER_LINES).select("source_id", "lines").unique()
    if near.is_empty():
        return {}
    late = pl.col("line") + pl.col("n_lines") - 1 > pl.col("lines") - TRAILER_LINES
    rows = events.join(near.lazy(), on="source_id", how="inner").filter(late)
    kept = (
        rows.select("source_id", "byte_start", own_words(pl.col("message")))
        .collect(engine="streaming")
        .sort("source_id", "byte_start")
    )
    tails: dict[str, list[tuple[int, str]]] = {}
    for source_id, place, message in kept.iter_rows():
        tails.setdefault(source_id, []).append((place, message))
    return tails


def _verdict(log: dict[str, object], word: _Word, tail: list[tuple[int, str]] | None) -> list[dict[str, object]]:
    """A `VERDICTS` row. A failure has no instant: the log goes on after it, or breaks off."""
    row = {"run_id": log["run_id"], "attempt": log["attempt"], "order": 0, "ref": word.ref}
    if word.failed:
        plain = log["reader"] is None
        follow = int(str(log["lines"])) - word.line
        near = follow <= (TRAILER_LINES if plain else END_LINES) or (plain and word.tool not in _GONE_ON_AFTER)
        return [row | {"status": "failed", "basis": "tool_failure", "ts": None}] if near else []
    after = [text for place, text in tail or () if place >= word.byte_start]
    if not after:
        return []
    below = [*after[0].split("\n")[word.rank + 1 :], *(line for text in after[1:] for line in text.split("\n"))]
    if word.tool == "helm" and "NOTES:" in below and not any(_DOUBT.search(line) for line in below):
        below = below[: below.index("NOTES:")]  # what a chart says of itself is of any kind
    if not all(_TRAILER.match(line) for line in below):
        return []
    return [row | {"status": "succeeded", "basis": "tool_success", "ts": word.ts}]
