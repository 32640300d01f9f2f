"""How tools write failures: patterns by family, each with a weight and the failure class that it suggests.

A weight says how near to a cause such a line usually is: 90 and more names what
broke (a test, a file and line, an exception), 40 to 80 says that something
broke, below 40 wraps what was said before.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """Lines of one kind; `after` and `before` say how many lines around them belong to the statement."""

    name: str
    pattern: str
    weight: int
    failure: str | None = None
    after: int = 0
    before: int = 0
    unless: str | None = None
    """Lines that `pattern` finds and that are none of this family."""

    @property
    def sure(self) -> bool:
        """Whether the shape alone tells, even where a word of the line is in QUIET."""
        return self.weight >= 97 or self.name in _SURE


_SURE = frozenset({"exit_step", "exit_done", "annotation", "surefire_totals", "js_totals", "unittest_end", "lint_end"})
_FILE = r"[^\s:()\[\]\"']*[\w-]\.[A-Za-z]\w{0,8}"

FAMILIES = (
    # --- tests: the name of what failed, and the assertion
    Family("pytest_summary", r"^(?:FAILED|ERROR) \S+\.py(?:::\S+)?", 100, "test.failed"),
    Family("pytest_assert", r"^E   +(?:\w|\S*Error|assert)", 92, "test.failed", after=2),
    Family("pytest_place", rf"^{_FILE}:\d+: \w*(?:Error|Exception|Failed)\b", 88, "test.failed"),
    Family("pytest_title", r"^_{3,} (?:ERROR (?:at|collecting) )?\S.* _{3,}$", 84, "test.failed"),
    Family("unittest_title", r"^(?:FAIL|ERROR): test\w* \(", 100, "test.failed"),
    Family("unittest_end", r"^FAILED \((?:failures|errors)=", 78, "test.failed"),
    Family(
        "jest_title", r"^\s*● \S.*", 99, "test.failed", after=8, unless="● (?:Console|Deprecation|Validation Warning)"
    ),
    Family("jest_file", r"^\s*FAIL\s+\S+\.(?:[cm]?[jt]sx?|vue|svelte)\b", 94, "test.failed"),
    Family("vitest_title", r"^\s*(?:FAIL|×|❯)\s+\S+\.(?:test|spec)\.[cm]?[jt]sx?\b.*", 95, "test.failed", after=2),
    Family("expected", r"^\s*(?:[-+] )?(?:Expected|Received|expected|actual|Actual|got|want)\b *:", 86, "test.failed"),
    Family(
        "snapshot", r"^\s*(?:- Snapshot|\+ Received|› \d+ snapshots? (?:failed|obsolete))", 82, "test.failed", after=6
    ),
    Family("js_totals", r"^\s*(?:Tests?|Test Suites|Snapshots):? +.*\d+ failed", 70, "test.failed"),
    Family("no_tests", r"^No tests found, exiting with code [1-9]", 92, "test.none_found"),
    Family("retries_spent", r"\bfailed to pass within \d+ retries", 95, "test.failed"),
    Family("mocha_title", r"^\s+\d+\) [A-Z\w\"'`].{3,}", 62, "test.failed", after=4),
    Family("mocha_totals", r"^\s+\d+ failing$", 80, "test.failed", after=6),
    Family("tap", r"^\s*not ok \d+", 90, "test.failed", after=4),
    Family("go_test", r"^\s*--- FAIL: \S+", 100, "test.failed", after=3),
    Family("go_package", r"^FAIL\s+\S+/\S+\s+(?:\[build failed\]|\d)", 80, "test.failed"),
    Family("go_place", r"^\s+\w+_test\.go:\d+: ", 88, "test.failed", after=2),
    Family("rust_test", r"^test \S+ (?:- \S+ )?\.\.\. FAILED", 96, "test.failed"),
    Family("rust_panic", r"^thread '.*' (?:\(\d+\) )?panicked at", 98, "crash.panic", after=3),
    Family("surefire_case", r"^(?:\[ERROR\] )?\s*\S.*<<< (?:FAILURE|ERROR)!", 97, "test.failed", after=3),
    Family("surefire_list", r"^\[ERROR\]\s+\S+[.:]\S+:\d+(?:->|\s)", 96, "test.failed"),
    Family(
        "surefire_totals",
        r"^(?:\[\w+\] )?Tests run: \d+, (?:Failures: [1-9]|Failures: \d+, Errors: [1-9])",
        76,
        "test.failed",
    ),
    Family("gradle_test", r"^\S.* > .* FAILED\s*$", 97, "test.failed", after=3),
    Family("gradle_task", r"^> Task :\S+ FAILED", 90, "build.task_failed"),
    Family("gradle_what", r"^\* What went wrong:", 90, "build.task_failed", after=8),
    Family("rspec_place", r"^rspec \./\S+:\d+", 96, "test.failed"),
    Family("rspec_error", r"^\s+Failure/Error:", 94, "test.failed", after=5),
    Family("rspec_totals", r"^\d+ examples?, [1-9]\d* failures?", 78, "test.failed"),
    Family("phpunit_title", r"^\d+\) \S+::\S+", 97, "test.failed", after=4),
    Family("phpunit_totals", r"^Tests: \d+, Assertions: \d+, .*(?:Failures|Errors): [1-9]", 78, "test.failed"),
    Family("ctest", r"\*\*\*(?:Failed|Exception|Timeout|Not Run)", 95, "test.failed"),
    Family(
        "ctest_list", r"^\s*\d+ - \S+ \((?:Failed|SEGFAULT|Timeout|Subprocess aborted|Not Run)\)", 96, "test.failed"
    ),
    Family("gtest", r"^\[  FAILED  \] \S+", 97, "test.failed"),
    Family("gtest_place", rf"^{_FILE}:\d+: Failure", 94, "test.failed", after=5),
    Family("dotnet_test", r"^\s*(?:Failed|X) \S.*\[[<\d].*m?s\]", 97, "test.failed", after=4),
    Family("bazel_test", r"^(?:FAIL|TIMEOUT): //\S+|^//\S+\s+(?:FAILED|TIMEOUT|NO STATUS)", 95, "test.failed"),
    Family("elixir_test", r"^\s+\d+\) test .* \(\S+\)", 96, "test.failed", after=5),
    Family("cypress", r"^\s+AssertionError: Timed out retrying", 92, "test.failed"),
    Family("playwright", r"^\s+\d+\) \[\w+\] › \S+:\d+:\d+ ›", 97, "test.failed", after=4),
    # --- compilers and linters: a file, a place, a verdict
    Family(
        "compiler",
        rf"(?:^|\s|/){_FILE}[:(]\d+(?:[:,]\d+)?\)?:? *(?:fatal |internal compiler )?error\b",
        98,
        "build.compile",
        after=4,
    ),
    Family("tsc", rf"{_FILE}(?:\(\d+,\d+\)|:\d+:\d+)(?: -|:)? error TS\d+", 98, "build.compile", after=1),
    Family(
        "rustc",
        r"^error(?:\[E\d{4}\])?: ",
        96,
        "build.compile",
        after=4,
        unless="error: (?:could not compile|aborting due|process didn't|build failed|Process completed|failed to)",
    ),
    Family("rustc_place", r"^\s+--> \S+:\d+:\d+", 84, "build.compile", after=4),
    Family("candidate", r": note: candidate (?:template|function|constructor)? ?ignored", 70, "build.compile"),
    Family(
        "javac",
        rf"{_FILE}:\[?\d+(?:,\d+\])?:? error:|^\[ERROR\] \S+\.(?:java|kt|scala):\[?\d+",
        98,
        "build.compile",
        after=3,
    ),
    Family("kotlin", r"^e: (?:file://)?\S+\.kts?", 98, "build.compile"),
    Family("go_build", r"^(?:\./|\.\./)?\S+\.go:\d+:\d+: ", 92, "build.compile"),
    Family(
        "linker",
        r"undefined reference to|undefined symbol|ld(?:\.\w+)?: (?:error|cannot find)|LNK\d{4}",
        96,
        "build.link",
        after=1,
    ),
    Family("msbuild", r": error (?:CS|MSB|NETSDK|C|BC|FS)\d+:", 98, "build.compile"),
    Family("syntax", r"^\s*(?:\w+\.)*(?:SyntaxError|IndentationError|TabError|ParseError)\b", 94, "build.syntax"),
    Family("eslint_row", r"^\s+\d+:\d+\s+error\s+\S", 94, "build.lint"),
    Family("lint_row", rf"^{_FILE}:\d+(?::\d+)?:? \[?[A-Z]{{1,5}}\d{{2,5}}\b", 94, "build.lint"),
    Family("mypy_row", rf"^{_FILE}:\d+: error: .*\[[\w-]+\]$", 96, "build.types"),
    Family(
        "lint_end",
        r"^✖ \d+ problems? \([1-9]|^Found [1-9]\d* errors?\b|^Would reformat|^\d+ files? would be reformatted",
        80,
        "build.lint",
    ),
    Family("prettier", r"^\[(?:error|warn)\] (?:\S+\.\w+|Code style issues)", 84, "build.lint"),
    Family("cmake", r"^CMake Error\b", 94, "build.configure", after=4),
    Family("webpack", r"^(?:ERROR in|Module not found:|Module build failed)", 94, "build.compile", after=3),
    Family("next_build", r"^\s*(?:Failed to compile|Type error:|Build error occurred)", 93, "build.compile", after=4),
    Family("docker_step", r"^(?:#\d+ )?ERROR: (?:failed to (?:solve|build)|process )", 93, "build.docker"),
    Family(
        "docker_cause",
        r"^#\d+ (?:\d+\.\d+ )?.*\b(?:error|Error|ERROR|fatal|failed|not found|denied|No such)\b",
        90,
        "build.docker",
        before=2,
    ),
    Family("docker_run", r"^ > \[.*\].*RUN ", 85, "build.docker", after=4),
    Family("helm", r"^Error: (?:INSTALLATION|UPGRADE) FAILED", 94, "config.deploy", after=2),
    Family("terraform", r"^[│╷]\s*Error: \S", 93, "config.terraform", after=4),
    # --- crashes and resources
    Family(
        "segfault", r"Segmentation fault|SIGSEGV|signal 11\b|core dumped|exit code 139\b", 97, "crash.segfault", after=4
    ),
    Family("fatal_python", r"Fatal Python error:", 98, "crash.segfault", after=6),
    Family(
        "abort",
        r"\bSIGABRT\b|Aborted \(core|terminate called|free\(\): invalid|double free",
        95,
        "crash.abort",
        after=2,
    ),
    Family("sanitizer", r"==\d+==ERROR: \w+Sanitizer|runtime error: ", 97, "crash.sanitizer", after=4),
    Family("go_panic", r"^panic: ", 97, "crash.panic", after=4),
    Family(
        "oom",
        (
            r"[Oo]ut of memory|OutOfMemory|OOMKilled|oom-kill|Cannot allocate memory|JavaScript heap"
            r"|MemoryError|exit code 137\b"
        ),
        96,
        "resource.oom",
        after=1,
    ),
    Family("killed", r"^(?:.*: )?(?:line \d+: )?\s*\d* ?Killed\b", 90, "resource.oom"),
    Family("disk", r"No space left on device|ENOSPC|disk quota exceeded|Disk full", 97, "resource.disk"),
    Family("gpu", r"CUDA (?:out of memory|error)|cudaError|no CUDA-capable", 94, "resource.gpu"),
    # --- dependencies, network, permissions
    Family(
        "dns",
        (
            r"Could not resolve (?:host|hostname)|Name or service not known|getaddrinfo"
            r"|Temporary failure in name resolution|ENOTFOUND|EAI_AGAIN"
        ),
        95,
        "dependency.dns",
    ),
    Family(
        "network",
        (
            r"Connection (?:refused|reset|timed out)|ECONNRE(?:FUSED|SET)|ETIMEDOUT"
            r"|[Nn]etwork is unreachable|TLS handshake|SSL_ERROR|certificate verify failed|socket hang up"
            r"|unexpected EOF|RPC failed"
        ),
        92,
        "dependency.network",
    ),
    Family(
        "http",
        (
            r"(?:HTTP(?:/[\d.]+)?|[Ss]tatus(?: code)?|returned error|server returned"
            r"|response code)[ :=]*(?:error: )?(?:HTTP/\d\S* )?\(?[45]\d\d\b|\(HTTP [45]\d\d\)"
            r"|\b50[234] (?:Bad Gateway|Service Unavailable|Gateway)"
        ),
        94,
        "dependency.network",
    ),
    Family("rate", r"[Rr]ate limit|429 Too Many|toomanyrequests|secondary rate|API rate", 95, "rate_limit"),
    Family(
        "auth",
        (
            r"(?:^|\W)(?:401 Unauthorized|403 Forbidden|Permission (?:to \S+ )?denied|Authentication failed"
            r"|Bad credentials|Resource not accessible|access denied|not authorized|could not read Username"
            r"|denied to |Access Denied|requires authentication|Invalid credentials|unauthorized:"
            r"|Permission denied \(publickey)"
        ),
        96,
        "dependency.auth",
    ),
    Family("git_fatal", r"^(?:.*[\"' ])?fatal: \S", 93, "dependency.git"),
    Family("git_remote", r"remote: (?:error|fatal|Permission|Repository not found|Invalid)", 94, "dependency.auth"),
    Family(
        "registry",
        (
            r"^npm (?:ERR!|error) (?:code|40\d|notarget|ERESOLVE)|No matching (?:version|distribution) found"
            r"|Could not find a version that satisfies|Unable to locate package|ERR_PNPM_"
            r"|Could not (?:resolve|find) (?:artifact|dependencies)|404 Not Found|Couldn't find package"
            r"|failed to select a version|unresolved (?:import|dependency)|E: Failed to fetch"
            r"|manifest unknown|Failed to download|does not exist in the registry"
        ),
        93,
        "dependency.registry",
        after=2,
    ),
    Family(
        "npm_usage",
        r"^npm (?:ERR!|error) ",
        50,
        "dependency.registry",
        unless=(
            r"npm (?:ERR!|error) (?:A complete log|errno|syscall|path|command|Lifecycle|workspace|location"
            r"|\s*$|code (?:ELIFECYCLE|1$)|Exit status|Failed at|This is probably)"
        ),
    ),
    Family(
        "lockfile",
        (
            r"lock ?file.*(?:out of date|out of sync|not up to date|needs to be updated)|frozen-lockfile"
            r"|--locked was passed|npm ci` can only"
        ),
        95,
        "dependency.lockfile",
    ),
    Family(
        "module",
        (
            r"ModuleNotFoundError|ImportError|Cannot find (?:module|package)|[Cc]annot load such file"
            r"|ERR_MODULE_NOT_FOUND|package \S+ is not in|ClassNotFoundException|NoClassDefFoundError"
            r"|No module named"
        ),
        93,
        "dependency.module",
        after=1,
    ),
    Family(
        "command",
        (
            r"(?:command not found|: not found$|is not recognized as an internal|executable file not found"
            r"|No such command|ENOENT)"
        ),
        92,
        "config.command_not_found",
    ),
    Family(
        "no_file",
        (
            r"No such file or directory|cannot (?:stat|open|access|find)|File not found|FileNotFoundError"
            r"|does not exist\b|Not a directory"
        ),
        80,
        "input.missing_file",
    ),
    Family("safe_directory", r"dubious ownership", 97, "config.git"),
    Family(
        "config",
        (
            r"[Ii]nvalid (?:configuration|option|argument|value|workflow)|Unrecognized (?:option|argument"
            r"|named)|[Uu]nknown (?:option|flag|argument|key)|[Mm]issing required|is required but"
            r"|not set\b.*(?:secret|variable|token)|unbound variable|Unexpected input"
        ),
        88,
        "config.invalid",
    ),
    # --- exceptions and time
    Family(
        "python_error",
        r"^(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Warning|Failure|Fault)\b(?::|$)",
        91,
        "crash.exception",
    ),
    Family(
        "java_error",
        r"^(?:Exception in thread .*|(?:[a-z][\w$]*\.)+[A-Z]\w*(?:Exception|Error)\b.*)",
        88,
        "crash.exception",
        after=1,
    ),
    Family("caused_by", r"^\s*Caused by: \S+", 94, "crash.exception", after=1),
    Family(
        "js_error", r"^\s*(?:Uncaught )?(?:\w*Error|AssertionError)(?: \[\w+\])?: \S", 90, "crash.exception", after=2
    ),
    Family("traceback", r"^\s*Traceback \(most recent call last\)", 60, "crash.exception"),
    Family(
        "timeout",
        r"(?i)\btimed? ?out\b|deadline exceeded|exceeded the maximum|No output has been received",
        84,
        "timeout.operation",
        unless=r"(?i)time-?out\S* *[=:] *\d",
    ),
    Family(
        "cancelled",
        r"(?i)^(?:##\[error\])?(?:the (?:operation|run|job) was cancell?ed|.*\bcancell?ed\b.*because)",
        70,
        "cancelled",
    ),
    # --- general statements of failure
    Family("annotation", r"^##\[error\]", 88, None, after=1, unless="Process completed with exit code"),
    Family("error_first", r"^(?:\S+ )?Error: \S", 82, None, after=2),
    Family(
        "error_word",
        r"^\s*(?:\S+ )?(?:\[?(?:ERROR|FATAL|CRITICAL|SEVERE|Error|error|fatal|Fatal)\]?)(?:\s*[:\]!-]|\s+\S)",
        66,
        None,
        after=1,
    ),
    Family(
        "failed_word",
        (
            r"(?:^|\W)(?:FAILED|FAILURE|Failed to|failed to|failed with|Failure:|could not|Could not"
            r"|[Uu]nable to|Cannot|cannot)\b"
        ),
        55,
        None,
    ),
    Family(
        "exit_command",
        (
            r"(?:Command failed|[Cc]ommand .* (?:failed|exited)|returned non-zero|exited with(?: code"
            r"| status)?) *(?:with )?(?:exit )?(?:code|status)? *[1-9]\d*"
        ),
        58,
        None,
    ),
    # --- wrappers: what was said before, once more
    Family("exit_step", r"^##\[error\]Process completed with exit code [1-9-]", 39, None),
    Family(
        "exit_done",
        r"^(?:Done\. Your build exited with [1-9]|The command \".*\" (?:failed and )?exited with [1-9])",
        38,
        None,
    ),
    Family("make", r"^(?:g?make|ninja)(?:\[\d+\])?: (?:\*\*\*|build stopped|subcommand failed)", 34, None),
    Family(
        "build_failed",
        r"^(?:\[ERROR\] )?(?:FAILURE: Build failed|BUILD FAILED|\[INFO\] BUILD FAILURE|Build failed|Execution failed)",
        45,
        None,
        after=1,
    ),
    Family(
        "elifecycle",
        r"ELIFECYCLE|Lifecycle script .* failed|ERR_PNPM_RECURSIVE|Exit status [1-9]|npm ERR! Failed at",
        33,
        None,
    ),
)

QUIET = (
    r"(?i)(?:^|\W)(?:0|no|zero|without) (?:errors?|failures?|failed|problems|issues)\b|\b(?:errors?"
    r"|failures?|failed)[:=] *0\b"
    r"|\b[Ww]arning\b|\bWARN(?:ING)?\b|npm notice|\bdeprecat|^\s*(?:✓|✔|√|ok \d|PASS\b|PASSED)|\.\.\. ?ok$|\bPASSED\b"
    r"|\s(?:xfail|XFAIL|xpass)|-W(?:no-)?error|(?:ignored|ignoring|expected failure|fail-fast"
    r"|continue-on-error|on-error|if-no-files)"
    r"|error(?:s|_handler|-handler|_test|\.test|-overlay|s?\.(?:[cm]?[jt]sx?|py|go|rs|rb|java|h|c"
    r"|cpp|md|o|lo|po|svg|class))\b"
    r"|^##\[(?:group|endgroup|debug|command)\]|^\[command\]|^\x1b\[36;1m|^\s*(?:if|then|fi|echo|set"
    r"|export|trap) |^[+$] |\|\| (?:true|exit|echo)"
    r"|\blevel=(?:debug|info)\b|\b(?:Compiling|Downloading|Downloaded|Installing|Unpacking|Selecting"
    r"|Preparing|Collecting|Setting up|Fetching|Get:\d+) "
)
"""Lines that only look like failures: counts of zero, warnings, passing tests, file names, echoed commands."""
