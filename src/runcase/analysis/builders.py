"""The build tools whose last words are known, and whose lines end how a log went that says nothing else of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import polars as pl

from runcase.analysis.multiplexed import own_words
from runcase.rules.literals import required_of
from runcase.rules.patterns import any_of, ascii_borders


@dataclass(frozen=True, slots=True)
class Builder:
    """How a build tool says that it is done; `tests` are the test tools that run inside it."""

    tool: str
    succeeded: str
    failed: str
    tests: tuple[str, ...] = ()
    gone_on_after: bool = False
    """Scripts often go on after its failure, which counts near the end of a log alone."""
    by_part: bool = False
    """It says so of each of its parts, and one that failed fails the whole."""


_JVM = ("maven", "gradle", "ant", "sbt", "scalatest", "junit", "junit text", "testng", "cucumber", "unknown tool")
_PYTHON = ("pytest", "unittest", "nose", "stestr", "unknown tool")
BUILDERS = (
    Builder("maven", r"(?:\[INFO\] )?BUILD SUCCESS$", r"(?:\[(?:INFO|ERROR)\] )?BUILD (?:FAILURE|ERROR)$", _JVM),
    Builder(
        "gradle or ant",
        r"(?:\[INFO\] )?BUILD SUCCESSFUL(?: in [\d.hms ]+| \(total time: .+\))?$",
        r"BUILD FAILED(?: in [\d.hms ]+| \(total time: .+\))?$",
        _JVM,
    ),
    Builder("sbt", r"\[success\] Total time: ", r"\[error\] Total time: ", _JVM),
    Builder("msbuild", r"Build succeeded\.$", r"Build FAILED\.$", ("dotnet", "nunit")),
    Builder(
        "bazel",
        r"(?:INFO: )?Build completed successfully, \d+ total actions?",
        r"(?:FAILED|ERROR): Build did NOT complete successfully|(?:INFO: )?Build completed, \d+ tests? FAILED",
        ("bazel", "gtest", "junit", "go", "unittest", "pytest", "unknown tool"),
    ),
    Builder(
        "buck2",
        r"Tests finished: Pass \d+\. (?:\w+ 0\. )+.*Build failure 0$|BUILD SUCCEEDED$",
        r"[1-9]\d* TESTS? (?:FAILED|TIMED OUT|FATALS?)$|(?:\[.*\] )?BUILD FAILED$",
        ("buck2", "gtest", "go", "pytest", "unittest", "cargo"),
    ),
    Builder(
        "xcodebuild",
        r"\*\* (?:[A-Z]+ )+SUCCEEDED \*\*",
        r"\*\* (?:[A-Z]+ )+FAILED \*\*",
        ("xctest", "swift testing"),
    ),
    Builder(
        "go",
        r"ok  \t\S+\t(?:[\d.]+s|\(cached\))",
        r"FAIL(?:$|\t\S+\t[\d.]+s|\t\S+ \[(?:build|setup) failed\])"
        r"|\S+\.go:\d+:\d+: (?:undefined: |too many |not enough |cannot use |syntax error: |missing return"
        r"|invalid operation: |declared and not used: |\S+ (?:declared and not used|imported and not used|redeclared))",
        ("go",),
    ),
    Builder(
        "terraform",
        r"(?:Apply|Destroy) complete! Resources: |No changes\. Your infrastructure matches the configuration\.",
        r"│ Error: ",
    ),
    Builder(
        "ansible",
        r"\S+ +: ok=\d+ +changed=\d+ +unreachable=0 +failed=0\b",
        r"\S+ +: ok=\d+ +changed=\d+ +(?:unreachable=[1-9]|unreachable=0 +failed=[1-9])",
        by_part=True,
    ),
    Builder("tox", r"\s+congratulations :\)", r"\s+evaluation failed :\(", _PYTHON),
    Builder("nox", r"nox > Session \S+ was successful\.", r"nox > Session \S+ failed\.", _PYTHON, by_part=True),
    Builder(
        "pre-commit",
        r"\S.*\.{4,}(?:\(.*\))?(?:Passed|Skipped)$",
        r"\S.*\.{4,}(?:\(.*\))?Failed$",
        gone_on_after=True,
        by_part=True,
    ),
    Builder("yarn", r"(?:✨ +)?Done in [\d.]+s\b", r"error (?:Command failed with exit code \d|Couldn't find )"),
    Builder(
        "npm",
        r"(?:added|changed|removed|up to date)\b.* packages? in \d+m?s$",
        r"npm (?:ERR!|error) (?:code E|Lifecycle script `.*` failed|A complete log of this run can be found in)",
        gone_on_after=True,
    ),
    Builder(
        "pip",
        r"Successfully installed \S+-\d",
        r"error: (?:metadata-generation-failed|subprocess-exited-with-error)"
        r"|ERROR: (?:No matching distribution|ResolutionImpossible|Could not open requirements file)",
        gone_on_after=True,
    ),
    Builder(
        "webpack",
        r"webpack [\d.]+ compiled (?:successfully|with \d+ warnings?) in ",
        r"webpack [\d.]+ compiled with \d+ errors?|\[webpack-cli\] (?:✖ )?(?:Invalid |Failed to |\w*Error: )",
    ),
    Builder("vite", r"✓ built in [\d.]+m?s$", r"error during build:$"),
    Builder(
        "docker",
        r"#\d+ (?:naming to|pushing manifest for) \S+.* done$|Successfully (?:built|tagged) \S+$",
        r"ERROR: failed to (?:solve|build): |The command '.+' returned a non-zero code: ",
        gone_on_after=True,
    ),
    Builder("cypress", r"\s+✔  All specs passed!", r"\s+✖  \d+ of \d+ failed \(\d+%\)", ("mocha", "unknown tool")),
    Builder(
        "kubectl",
        r".*\bsuccessfully rolled out$|(?:partitioned roll out|statefulset rolling update) complete",
        r"The \w+ \".+\" is invalid: "
        r"|error: (?:deployment \".+\" exceeded its progress deadline|timed out waiting for the condition)",
        gone_on_after=True,
    ),
    Builder(
        "packer",
        r"==> Builds finished\. The artifacts of successful builds are:",
        r"==> (?:Some builds didn't complete successfully|Builds finished but no artifacts were created)",
    ),
    Builder(
        "hadoop",
        r".*\bJob job_\d+_\d+ completed successfully",
        r".*\bJob job_\d+_\d+ failed with state (?:FAILED|KILLED)",
    ),
    Builder(
        "flink",
        r".*\bJob .+ \(\w+\) switched from state \w+ to FINISHED",
        r".*\bJob .+ \(\w+\) switched from state \w+ to FAILED",
    ),
    Builder(
        "snakemake",
        r"(?!)",
        r"(?:\w+Exception in rule \w+ in file |WorkflowError:$|Exiting because a job execution failed)",
    ),
    Builder("elm-test", r"TEST RUN PASSED$", r"TEST RUN FAILED$", ("elm-test",)),
    Builder(
        "webdriverio",
        r"Spec Files:\s+\d+ passed, \d+ total",
        r"Spec Files:\s+\d+ passed, (?:\d+ retries, )?[1-9]\d* failed",
        ("mocha", "jasmine", "unknown tool"),
    ),
    Builder("testcafe", r" \d+ passed \(\d+[ms\d ]*\)$", r" [1-9]\d*/\d+ failed \(", ("testcafe",)),
    Builder("npm audit", r"(?!)", r"# npm audit report$", gone_on_after=True),
    Builder(
        "govulncheck",
        r"No vulnerabilities found\.$",
        r"Your code is affected by [1-9]\d* vulnerabilit",
        gone_on_after=True,
    ),
    Builder("gitleaks", r"(?!)", r".*\bleaks found: [1-9]", gone_on_after=True),
    Builder("gatling", r"(?!)", r".+ : false \(actual ?: ", gone_on_after=True),
    Builder("great expectations", r"Validation succeeded!$", r"Validation failed!$"),
    Builder("fastlane", r".*fastlane\.tools finished successfully", r".*\bfastlane finished with errors"),
    Builder("serverless", r"✔ Service deployed to stack \S", r"✖ Stack \S+ failed to deploy"),
    Builder("cdk", r"\s*✅  \S", r"\s*❌ +\S+ failed|❌ Deployment failed"),
    Builder(
        "checkers",
        r"All checks passed!$|Success: no issues found in \d|All matched files use Prettier code style!"
        r"|\d+ files? inspected, no offenses detected|\s*\[OK\] No errors|Success! The configuration is valid\."
        r"|Done linting! Found \d+ violations?, 0 serious in |0 issues\.$|Summary: 0 error\(s\)$|All done! ✨"
        r"|CSpell: Files checked: \d+, Issues found: 0 in |No errors found!$|✔ +found 0 problems"
        r"|\d+ files? already formatted$|Your code has been rated at 10\.00/10",
        r"✖ \d+ problems? \([1-9]|Found \d+ errors?(?: in \S+|\.| \()"
        r"|\d+ files? inspected, \d+ offenses? detected"
        r"|\s*\[ERROR\] Found \d+ errors?|Oh no! 💥|Summary: [1-9]\d* error\(s\)$|\[warn\] Code style issues found in "
        r"|Error occurred when checking code style in |Oops! Something went wrong! :\(|>> Issue: \[\w+:\w+\] "
        r"|CSpell: Files checked: \d+, Issues found: [1-9]|Failed: [1-9]\d* failure\(s\), |❌ Validation failed with ",
        gone_on_after=True,
    ),
    Builder("meson", r"(?!)", r"\S*meson\.build:\d+:\d+: ERROR: "),
    Builder("cmake", r"\[100%\] Built target \S+$", r"-- Configuring incomplete, errors occurred!"),
    Builder(
        "dbt",
        r"\s*Done\. PASS=\S+ WARN=\d+ ERROR=0 ",
        r"\s*Done\. PASS=\S+ WARN=\d+ ERROR=[1-9]|\s*(?:\[ERROR\]: )?Encountered an error:$",
    ),
    Builder(
        "liquibase", r"Liquibase command '\w+' was executed successfully\.", r"Unexpected error running Liquibase: "
    ),
    Builder("pulumi", r"(?!)", r"    error: (?:update|preview|destroy|refresh) failed"),
    Builder("flux", r"(?!)", r"✗ (?:\w+ ){1,3}failed\b"),
    Builder("skaffold", r"Deployments stabilized in ", r"\d+/\d+ deployment\(s\) failed"),
    Builder(
        "certbot",
        r"Congratulations, all renewals succeeded|Successfully received certificate",
        r"[1-9]\d* renew failure\(s\)|Some challenges have failed\.",
    ),
    Builder("restic", r"(?!)", r"Fatal: "),
    Builder(
        "borg",
        r"terminating with success status, rc 0",
        r"Failed to create/acquire the lock |terminating with error status",
    ),
    Builder("vagrant", r"(?!)", r"There was an error while executing `"),
    Builder(
        "helm", r"STATUS: deployed$", r"Error: (?:(?:INSTALLATION|UPGRADE|ROLLBACK) FAILED|failed (?:pre|post)-\w+: )"
    ),
    Builder(
        "sbuild", r"Status: successful$", r"E: Build failure \(|Status: (?:attempted|failed|given-back)$", ("automake",)
    ),
    Builder(
        "mock",
        r"Child return code was: 0$",
        r"Child return code was: [1-9]|RPM build errors:$",
        ("automake", "ctest", "meson"),
    ),
    Builder(
        "prefect",
        r".*\bFlow run '.+' - Finished in state Completed\b",
        r".*\bFlow run '.+' - Finished in state (?:Failed|Crashed|TimedOut)\b",
    ),
    Builder("dagster", r".* - RUN_SUCCESS - Finished execution of run for ", r".* - RUN_FAILURE - "),
    Builder("luigi", r"This progress looks :\)", r"This progress looks :\("),
    Builder(
        "cromwell",
        r"Workflow \S+ transitioned to state Succeeded",
        r"Workflow \S+ transitioned to state (?:Failed|Aborted)",
    ),
    Builder(
        "sphinx",
        r"build succeeded(?:, \d+ warnings?)?\.$",
        r"build finished with problems|Warning, treated as error:$|(?:Extension|Theme|Configuration|Sphinx"
        r"|Application) error[:!]$",
    ),
    Builder(
        "mkdocs",
        r"INFO +- +Documentation built in [\d.]+ seconds",
        r"Aborted with (?:\d+ warnings? in strict mode|a configuration error)",
    ),
    Builder("docusaurus", r"\[SUCCESS\] Generated static files in ", r"\[ERROR\] Unable to build website "),
    Builder(
        "latexmk",
        r"Latexmk: All targets \(.*\) are up-to-date",
        r"Latexmk: Errors, so I did not complete making targets",
    ),
    Builder("goreleaser", r"\s*• (?:release|build) succeeded after ", r"\s*⨯ (?:release|build) failed after "),
    Builder("bundler", r"Bundle complete! \d+ Gemfile dependenc", r"(?!)"),
    Builder("swift", r"Build complete!(?: \([\d.]+s\))?$", r"(?!)", ("xctest", "swift testing")),
    Builder(
        "zig",
        r"Build Summary: \d+/\d+ steps succeeded(?:; \d+/\d+ tests passed)?$",
        r"Build Summary: \d+/\d+ steps succeeded.*; \d+ failed",
        ("zig",),
    ),
    Builder(
        "cabal",
        r"[1-9]\d* of \d+ test suites \(\d+ of \d+ test cases?\) passed\.$",
        r"Error: (?:cabal: |\[Cabal-\d+\])",
    ),
    Builder(
        "platformio",
        r"=+ (?:\[SUCCESS\] Took [\d.]+ seconds|\d+ succeeded in [\d:.]+) =+$",
        r"=+ (?:\[FAILED\] Took [\d.]+ seconds|(?:\d+ succeeded, )?\d+ failed(?:, \d+ succeeded)? in [\d:.]+) =+$",
    ),
    Builder("unity", r"Exiting batchmode successfully now!", r"Aborting batchmode due to "),
    Builder("unreal", r"AutomationTool exiting with ExitCode=0 ", r"AutomationTool exiting with ExitCode=[1-9]"),
    Builder(
        "quartus",
        r"Info.*: Quartus Prime .* was successful\. 0 errors",
        r"Error.*: Quartus Prime .* was unsuccessful\.",
    ),
    Builder(
        "chef",
        r"(?:Chef|Cinc)(?: Infra)? Client finished, \d+/\d+ resources",
        r"(?:Chef|Cinc)(?: Infra)? Client failed\.",
    ),
    Builder("puppet", r"Notice: Applied catalog in [\d.]+ seconds", r"Error: Could not (?:run|retrieve catalog)"),
    Builder("rsync", r"total size is [\d,.KMGT]+  speedup is ", r"rsync error: ", gone_on_after=True),
    Builder("gsutil", r"Operation completed over [\d.k]+ objects?/", r"(?!)"),
    Builder(
        "cloudformation",
        r"Successfully created/updated stack - \S",
        r"Failed to create/update the stack|Error: Failed to create/update the stack",
    ),
    Builder("gcloud", r"(?!)", r"ERROR: \(gcloud\.[\w.-]+\) ", gone_on_after=True),
    Builder("firebase", r"✔  Deploy complete!", r"(?!)"),
    Builder(
        "appveyor", r"Build success$", r"Command exited with code [1-9-]\d*$", (*_JVM, *_PYTHON, "dotnet", "nunit")
    ),
    Builder("cloud build", r"DONE$", r"ERROR: build step \d+ \".+\" failed: |BUILD FAILURE: "),
    Builder("obs", r'\S+ finished "build .+" at ', r'\S+ failed "build .+" at '),
    Builder("netlify", r"Site is live ✨", r"Failing build: |Build failed due to a user error"),
    Builder("heroku", r"Verifying deploy\.\.\. done\.", r"Push rejected, failed to compile |Push rejected to "),
    Builder("bitrise", r"Bitrise build successful", r"Bitrise build failed"),
    Builder("earthly", r"=+ 🌍 Earthly Build +✅ SUCCESS =+", r"=+ ❌ FAILURE\b"),
    Builder("vercel", r"Deployment completed$", r'Error: Command ".+" exited with [1-9]'),
    Builder("render", r"==> Build successful 🎉", r"==> Build failed 😞"),
    Builder("act", r"\[.+\] 🏁  Job succeeded", r"\[.+\] 🏁  Job failed"),
    Builder("dotnet publish", r"\s+[\w.-]+ -> \S+[\\/]$", r"(?!)"),
    Builder(
        "site generators",
        r"Total in \d+ ms$|\s+done in [\d.]+ seconds\.$|[○●ƒλ]  \((?:Static|Dynamic|SSG|Server)\)\s"
        r"|info Done building in [\d.]+ sec|✨ Build complete!|.*\[build\] Complete!$",
        r"> Build failed because of webpack errors|ERROR Failed to compile with \d+ errors?",
    ),
    Builder(
        "bundlers",
        r"Application bundle generation complete\. \[|✨ Built in [\d.]+m?s$|\s*⚡️? ?Done in [\d.]+m?s$"
        r"|(?:ESM|CJS|DTS) ⚡️ Build success in |Done, without errors\.$|✓ Built \S+ \([\d.]+ ?MB\)",
        r"Application bundle generation failed\.|Aborted due to warnings\.|🚨 Build failed\.|\[!\] (?:\(plugin "
        r"|\w*Error)",
    ),
    Builder(
        "monorepos",
        r"\s*Tasks: +\d+ successful, \d+ total$|\s*NX +Successfully ran targets? |lerna success run Ran npm script",
        r"\s*Failed: +\S+#\w|\s*NX +Running targets? .* failed$",
        ("jest", "vitest", "mocha", "unknown tool"),
    ),
    Builder(
        "python builders", r"Successfully built \S+\.(?:tar\.gz|whl)\b|📦 Built wheel |  - Built \S+\.whl$", r"(?!)"
    ),
    Builder("circleci", r"CircleCI received exit code 0$", r"Exited with code exit status [1-9]"),
    Builder("lsf", r"Successfully completed\.$", r"Exited with exit code \d+\.$|Exited by signal \d+\.$"),
    Builder(
        "mpi",
        r"(?!)",
        r"MPI_ABORT was invoked on rank \d|=   BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES"
        r"|srun: error: \S+: tasks? [\d,-]+: (?:Exited with exit code [1-9]|Killed|Aborted|Segmentation fault)",
    ),
    Builder(
        "cargo",
        r"\s+Finished .+ target\(s\) in [\d.]+",
        r"error: (?:could not compile `|test failed, to rerun pass |failed to (?:run custom build|select a"
        r"|parse manifest|get `)"
        r"|no matching package |cannot update the lock file)",
        ("cargo",),
    ),
    Builder("stack", r"(?!)", r"Error: \[S-\d+\]"),
    Builder("pnpm", r"(?!)", r"(?: |Error: )?ERR_PNPM_[A-Z_]+(?: |$)"),
    Builder(
        "uv and poetry",
        r"(?!)",
        r"  × No solution found when resolving |error: (?:Failed to fetch: `?http|Unable to find lockfile at "
        r"|The lockfile at )"
        r"|Because .* version solving failed\.$|So, because .* version solving failed\.$"
        r"|The Poetry configuration is invalid|All attempts to connect to \S+ failed\.$"
        r"|pyproject\.toml changed significantly since ",
        gone_on_after=True,
    ),
    Builder("python itself", r"(?!)", r"(?:\S+ )?Fatal Python error: \w|INTERNALERROR> \S|\++ Timeout \++$"),
    Builder(
        "interpreters",
        r"(?!)",
        r"Execution halted$|Compilation failed: [1-9]\d* error\(s\)"
        r"|Execution of \S+ aborted due to compilation errors|BEGIN failed--compilation aborted"
        r"|unhandled condition in --disable-debugger mode|(?:rake|bin/rails) aborted!|lua[\w.]*: \S+:\d+: ",
        gone_on_after=True,
    ),
    Builder(
        "git, tar and psql",
        r"(?!)",
        r"error: failed to push some refs to |Automatic merge failed; fix conflicts"
        r"|tar: (?:Error is not recoverable: exiting now|Exiting with failure status)|psql: error: "
        r"|(?:sha\d+|md5)sum: WARNING: [1-9]\d* computed checksums? did NOT match",
        gone_on_after=True,
    ),
    Builder("gulp", r"(?!)", r"(?:\[[\d:]+\] )?'.+' errored after "),
    Builder("newman", r"(?!)", r"\s+#  failure +detail\s*$", ("unknown tool",)),
    Builder(
        "dpkg",
        r"(?!)",
        r"dpkg-buildpackage: (?:error: |warning: build dependencies/conflicts unsatisfied; aborting)",
        ("automake", "ctest", "meson", "pytest", "unittest", "go", "unknown tool"),
    ),
    Builder("mocha itself", r"(?!)", r"\s*✖ ERROR: |\s*Exception during run: "),
    Builder("twine", r"(?!)", r"Checking \S+\.(?:whl|gz|zip): FAILED\b"),
    Builder("build", r"(?!)", r"ERROR Backend (?:subprocess exited|\S+ is not available)"),
    Builder(
        "coverage",
        r"(?!)",
        r"(?:ERROR: )?Coverage failure: total of |FAIL Required test coverage of "
        r"|(?:ERROR: )?Coverage for \w+ \(.*does not meet"
        r"|Jest: (?:\".*\" c|C)overage (?:threshold )?for ",
        ("pytest", "unittest", "jest", "vitest", "mocha", "tap", "unknown tool"),
        gone_on_after=True,
    ),
    Builder("ninja", r"(?!)", r"ninja: build stopped: "),
    Builder("make", r"(?!)", r"g?make: \*\*\* |\S+:\d+: \*\*\* .*  Stop\.$"),
    Builder("compilers", r"(?!)", r"\S+\.(?:[ch]|cc|cpp|cxx|hpp|mm?):\d+:\d+: (?:fatal )?error: ", gone_on_after=True),
    Builder("ctest", r"(?!)", r"Errors while running CTest$", gone_on_after=True),
    Builder("sanitizers", r"(?!)", r"SUMMARY: \w+Sanitizer: |ThreadSanitizer: reported [1-9]", gone_on_after=True),
)
BY_PART = frozenset(b.tool for b in BUILDERS if b.by_part)
GONE_ON_AFTER = frozenset(b.tool for b in BUILDERS if b.gone_on_after)

_BOTH_WAYS = [way for b in BUILDERS for way in (b.succeeded, b.failed)]
_WAYS = any_of(way for way in _BOTH_WAYS if way != r"(?!)")
_VERDICT = ascii_borders(rf"(?m)^(?:{_WAYS})")
VERDICT_LITERALS = sorted({*chain(*required_of(_BOTH_WAYS, __file__)), "fail", "\tok"})


def is_verdict() -> pl.Expr:
    """Whether the `message` of a record holds a verdict of a build tool."""
    return own_words(pl.col("message")).str.contains(_VERDICT)
