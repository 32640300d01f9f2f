"""Statements that any program may make: exceptions, time, general words, and what wraps them."""

from __future__ import annotations

from runcase.analysis.decisive.families.base import Family

_THROWN = "crash.exception"

EXCEPTIONS = (
    Family(
        "python_error",
        r"^(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Warning|Failure|Fault)\b(?::|$)",
        91,
        _THROWN,
    ),
    Family(
        "python_raised",
        r"^(?:[a-z_]\w*\.)+(?:(?:Broken|Invalid|Missing|Unknown|Unexpected)[A-Z]\w*|[A-Z]\w*(?:NotFound|DoesNotExist|Timeout"
        r"|Expired|Abort(?:ed)?|Denied|Refused|Unavailable|Conflict|Forbidden|Unauthorized|Missing|Rejected|Exceeded|Failed"
        r"|Violation|Undefined\w*))(?:: |$)",
        90,
        _THROWN,
    ),
    Family(
        "java_error",
        r"^(?:Exception in thread .*|(?:[a-z][\w$]*\.)+[A-Z]\w*(?:Exception|Error|Failure)\b.*)",
        88,
        _THROWN,
        after=1,
    ),
    Family("caused_by", r"^\s*(?:\[\w+\] )?Caused by: \S+", 94, _THROWN, after=1),
    Family(
        "js_error",
        r"^\s*(?:\[!\] |[▲✘│] |\[)?(?:Unhandled\w* |Uncaught )?(?:[A-Z]\w*(?:Error|Exception|Rejection)|Error)"
        r"(?: \[\w+\])?: \S",
        90,
        _THROWN,
        after=2,
    ),
    Family("js_cause", r"^\s*\[cause\]: \S", 93, _THROWN, after=1),
    Family(
        "grouped_error",
        r"^[ |]+\| (?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Warning|Failure|Fault"
        r"|Timeout)(?::|$)",
        92,
        _THROWN,
        unless=r"Group: ",
    ),
    Family("error_group", r"^(?:[ |]*\| )?(?:Base)?ExceptionGroup: ", 78, _THROWN),
    Family(
        "ruby_error", r"^\S+\.rb:\d+:in .*\((?:\w+::)*\w*(?:Error|Exception|Exit)\)|^(?:\w+::)+\w*Error: ", 93, _THROWN
    ),
    Family("php_error", r"^(?:PHP )?(?:Fatal error|Uncaught \w+): ", 95, _THROWN, after=1, sure=True),
    Family("dotnet_error", r"^Unhandled [Ee]xception[.:]", 94, _THROWN, after=1, sure=True),
    Family("inner_exception", r"^\s*---> (?:[A-Za-z_]\w*\.)+\w*(?:Exception|Error)\b", 93, _THROWN),
    Family(
        "snakemake_raised", r'^\w*(?:Error|Exception) in file "?[^"]+"?, line \d+:$', 96, _THROWN, after=1, sure=True
    ),
    Family("celery", r"\bTask \S+ raised unexpected: \w", 91, _THROWN, sure=True),
    Family("no_output", r"^\s*Missing output file\(s\) \S", 92, None, sure=True),
    Family("htslib", r"^\[E::\w+\] \S", 91, None, after=1, sure=True),
    Family("node_throw", r"^\s*throw (?:new |er|err)", 70, _THROWN, after=1),
    Family("node_threw_a_value", r"^throw [{\['\"`\d]", 71, _THROWN, after=2),
    Family(
        "pytest_internal",
        r"^INTERNALERROR> (?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Exit)(?::|$)",
        99,
        _THROWN,
        sure=True,
    ),
    Family(
        "ghc_error",
        r"^[\w./-]+: (?:Prelude\.\S+: |\S+\.hs:[\d():,-]+: Non-exhaustive |<<loop>>$|(?:stack|heap) overflow$)",
        92,
        _THROWN,
        after=2,
        sure=True,
    ),
    Family("lua_error", r"^lua[\w.]*: \S+:\d+: \S", 93, _THROWN, after=2),
    Family("r_error", r"^Error in \S.*\) ?: ?", 92, _THROWN, after=1),
    Family(
        "lisp_error", r"^(?:debugger invoked on a|Unhandled) [A-Z][\w:-]+ in thread\b", 93, _THROWN, after=1, sure=True
    ),
    Family("perl_error", r"^\S.* at \S+ line \d+\.?$", 84, _THROWN, unless="^[Ww]arning"),
    Family("rake", r"^rake aborted!|^bin/rails aborted!", 70, _THROWN, after=1),
    Family("traceback", r"^\s*Traceback \(most recent call last\)", 60, _THROWN),
    Family(
        "timeout",
        r"(?i)\btimed? ?out\b|deadline exceeded|exceeded the maximum"
        r"|No output has been received|timeout of \d+\s?m?s exceeded",
        86,
        "timeout.operation",
        unless=r"(?i)\btimeout\)$|time-?out\S* *[=:] *\d|^\s*timeout[ _]\w+ *[:=]|\w-timeout\b|--time-?out|timeout-\d"
        r"|\bwith (?:a )?timeout of \d",
    ),
    Family(
        "job_time",
        r"has exceeded the maximum execution time|No output has been received in the last"
        r"|exceeded the maximum (?:time limit|log length)|execution took longer than"
        r"|ran longer than the maximum time of|Build timed out \(after|[Cc]ancelling nested steps due to timeout"
        r"|Timeout has been exceeded$|Too long with no output \(exceeded|exceeded (?:the )?build time limit"
        r"|did not finish before .* timeout|could not run to completion because the timeout was exceeded"
        r"|^##\[error\]The action '.*' has timed out after \d"
        r"|^=>> PBS: job killed: walltime|^TERM_RUNLIMIT: ",
        99,
        "timeout.run",
        sure=True,
    ),
    Family(
        "time_limit",
        r"^timeout: sending signal \S+ to command|^(?:.*: )?[Cc]ommand timed out after \d|\bkilled by timeout\b",
        98,
        "timeout.command",
        sure=True,
    ),
    Family("node_failed", r"^slurmstepd\S*: error: .* DUE TO NODE FAILURE", 98, "crash.node", sure=True),
    Family(
        "terminated",
        r"^(?:.*: )?(?:line \d+: )?\s*\d* ?Terminated(?:$|\s{3,})|^g?make(?:\[\d+\])?: \*\*\* \[.*\] Terminated$",
        92,
        "cancelled",
        sure=True,
    ),
    Family(
        "cancelled",
        r"(?i)^(?:##\[error\])?(?:the (?:operation|run|job) was cancell?ed|.*\bcancell?ed\b.*because)",
        70,
        "cancelled",
        sure=True,
    ),
)
WORDS = (
    Family(
        "usage",
        r"^\S[\w ./-]*: error: (?:unrecognized arguments|argument \S+: |the following arguments|ambiguous option"
        r"|one of the arguments)",
        97,
        "config.invalid",
        after=1,
        sure=True,
    ),
    Family(
        "annotation",
        r"^##\[error\]|^::error(?: [^:]*)?::",
        86,
        None,
        after=1,
        unless="Process completed with exit code",
        sure=True,
    ),
    Family(
        "error_first",
        r"^(?:\S+ )?(?:Error|ERROR|error|fatal|FATAL): \S",
        84,
        None,
        after=1,
        unless="^ERROR: (?:Job failed: exit|script returned exit code)",
    ),
    Family("fatal_first", r"^Fatal: \S", 97, None),
    Family("unsuccessful", r"\bunsuccessful(?:ly)?\b|\bdid not succeed\b", 66, None, sure=True),
    Family(
        "reason_field",
        r"^\s+(?:Reason|Details?|Stderr): +\S.*(?:[Ee]rror|[Ff]ail|[Ii]nvalid|not |n't |denied|disabled|[Uu]nable)",
        86,
        None,
    ),
    Family(
        "reason_row",
        r"^(?:Reason|Details?|Message|Stderr) *: +\S.*(?:[Ee]rror|[Ff]ail|[Ii]nvalid|n't |denied|[Uu]nable)",
        86,
        None,
    ),
    Family(
        "error_word",
        r"^\s*(?:\S+ )?(?:\[?'?(?:ERROR|FATAL|CRITICAL|SEVERE|Error|error|fatal|Fatal"
        r"|critical)'?\]?)(?:\s*[:\]!-]|\s+\S)",
        66,
        None,
        after=1,
        unless=r"^\s*\[?(?:ERROR|error)\]?\s*$|stack trace is suppressed; run |Total time: "
        r"|^ERROR: (?:Job failed: exit|script returned exit code)",
    ),
    Family(
        "failed_word",
        (
            r"(?:^|\W)(?:FAILED|FAILURE|[Ff]ailed (?:to|with|because)|Failure:|[Cc]ould not|[Cc]ouldn't"
            r"|[Uu]nable to|[Cc]annot|[Aa]borting|not satisfy|mismatch)\b|[Ff]ailed[.!]?$"
        ),
        55,
        None,
        unless="^Finished: ",
    ),
    Family(
        "exit_command",
        (
            r"(?:Command failed|[Cc]ommand .* (?:failed|exited)|returned non-zero|[Ee]xited with(?: code"
            r"| status)?:?) *(?:with )?(?:exit )?(?:code|status)? *[1-9]\d*|exit code:? [1-9]\d*"
        ),
        58,
        None,
        unless=(
            r"^(?:##\[error\]Process completed|ERROR: (?:Job failed|script returned)"
            r"|The command \"|Done\. Your build)"
        ),
    ),
)
WRAPPERS = (
    Family("exit_step", r"^##\[error\]Process completed with exit code [1-9-]", 39, None, sure=True),
    Family(
        "exit_done",
        r"^(?:Done\. Your build exited with [1-9]|The command \".*\" (?:failed and )?exited with [1-9]"
        r"|ERROR: Job failed|Finished: (?:FAILURE|UNSTABLE|ABORTED)|ERROR: script returned exit code [1-9]"
        r"|Exited with code (?:exit status )?[1-9]"
        r"|🚨 Error: The command exited with status)",
        38,
        None,
        sure=True,
    ),
    Family("make", r"^(?:g?make|ninja)(?:\[\d+\])?: (?:\*\*\*|build stopped|subcommand failed)", 34, None, sure=True),
    Family(
        "build_failed",
        r"^(?:\[ERROR\] )?(?:FAILURE: Build failed|BUILD FAILED|\[INFO\] BUILD FAILURE|Build (?:FAILED|failed)"
        r"|Execution failed"
        r"|ERROR: Build did NOT|> Compilation)",
        45,
        None,
        after=1,
        sure=True,
    ),
    Family(
        "elifecycle",
        r"ELIFECYCLE|Lifecycle script .* failed|ERR_PNPM_RECURSIVE|Exit status [1-9]|npm ERR! Failed at"
        r"|^npm ERR! Test failed|^error Command failed with exit code",
        33,
        None,
        sure=True,
    ),
)

GENERAL = EXCEPTIONS + WORDS + WRAPPERS
