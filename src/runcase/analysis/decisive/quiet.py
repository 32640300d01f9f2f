"""Lines that only look like failures."""

from __future__ import annotations

QUIET = (
    # what Docker says before it pulls an image, and pub of what it did not take
    r"(?:Unable to find image '[^']+' locally$|newer versions? incompatible with dependency constraints"
    # what goes on, and what pip says of packages that it leaves alone
    r"|\bcontinuing (?:with|without|anyway)\b|pip's dependency resolver does not currently"
    r"|^\S+ \S+ requires .+, but you have .+ which is incompatible"
    # what CMake tries out
    r"|^-- (?:Performing Test|Looking for|Check(?:ing)?) "
    # what a runner of GitLab says of artifacts and caches, whose lack fails no job
    r"|^ERROR: No files to upload|^Failed to (?:extract|create) cache"
    # members of a printed error that say that something was not so
    r"|^\s*['\"]?(?:timedOut|isCanceled|isTerminated|isMaxBuffer|killed|failed|aborted|signal|error)['\"]?:"
    r" (?:false|undefined|null|None),?$)|"
    # counts of zero
    r"(?i)(?:^|[^\w.])(?:0|no|zero|without) (?:errors?|failures?|failed|problems|issues)\b|\b(?:errors?"
    r"|failures?|failed)[:=(] *0\b"
    # warnings, and what passed
    r"|\b[Ww]arning\b|\bWARN(?:ING)?\b|npm notice|(?:^|\s)NOTICE: |\bdeprecat"
    r"|^\s*(?:✓|✔|√|ok \d|PASS\b|PASSED)|\.\.\. ?ok$|\bPASSED\b"
    r"|\s(?:xfail|XFAIL|xpass)|-W(?:no-)?error|(?:\bignored|ignoring|expected failure|fail-fast"
    r"|continue-on-error|on-error|if-no-files|^\[  +OK \]|SUCCESS)"
    # what Python's `warnings` writes
    r"|\.py:\d+: \w*Warning: "
    # names of files, packages and flags
    r"|\w(?:[/_-]errors\b|\.errors(?:[^.\w]|\.(?-i:[^A-Z])|$))"
    r"|\berrors[/_-]\w|error(?:_handler|-handler|_test|\.test|-overlay|s?\.(?:[cm]?[jt]sx?|py|go|rs|rb"
    r"|java|h|c|cpp|md|o|lo|po|svg|class))\b|--\S*(?:error|fail)\S*"
    # marks of the runner, echoed commands
    r"|^##\[(?:group|endgroup|debug|command)\]|^\[command\]|^\x1b\[36;1m|^\s*(?:if|then|fi|echo|set"
    r"|export|trap) |^[+$] |\|\| (?:true|exit|echo)"
    r"|\blevel=(?:debug|info)\b|cache (?:importer|manifest)|(?-i:\b(?:Compiling|Downloading|Downloaded|Installing"
    r"|Unpacking|Selecting"
    r"|Preparing|Collecting|Setting up|Fetching|Get:\d+|Processing triggers) )"
)
"""Counts of zero, warnings, passing tests, file names, echoed commands."""
