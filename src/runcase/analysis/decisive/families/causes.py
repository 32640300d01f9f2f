"""What the world around a program denies it: memory, disk, network, packages, rights, settings."""

from __future__ import annotations

from runcase.analysis.decisive.families.base import Family

CRASHES = (
    Family(
        "segfault",
        r"Segmentation fault|SIGSEGV|signal 11\b|exit code 139\b|Bus error|EXC_BAD_ACCESS|Access violation",
        97,
        "crash.segfault",
        after=4,
    ),
    Family("fatal_python", r"Fatal Python error:", 98, "crash.segfault", after=6),
    Family("jvm_crash", r"A fatal error has been detected by the Java Runtime", 98, "crash.segfault", after=3),
    Family(
        "abort",
        r"\bSIGABRT\b|Aborted \(core|core dumped|terminate called|free\(\): invalid|double free"
        r"|Assertion .* failed\.?$",
        93,
        "crash.abort",
        after=2,
    ),
    Family(
        "sanitizer",
        r"==\d+==\s?ERROR: \w+Sanitizer|: runtime error: |WARNING: ThreadSanitizer|SUMMARY: \w+Sanitizer",
        98,
        "crash.sanitizer",
        after=4,
        sure=True,
    ),
    Family(
        "valgrind", r"^==\d+== ERROR SUMMARY: [1-9]|^==\d+== Invalid (?:read|write)", 93, "crash.sanitizer", after=2
    ),
    Family("go_panic", r"^panic: ", 99, "crash.panic", after=1, sure=True),
    Family(
        "go_fatal",
        r"^fatal error: (?:all goroutines|concurrent map|stack overflow|runtime)",
        98,
        "crash.panic",
        after=2,
    ),
    Family("race", r"^WARNING: DATA RACE", 95, "crash.data_race", after=6, sure=True),
    Family("rust_panic", r"^thread '.*' (?:\(\d+\) )?panicked at", 96, "crash.panic", after=3, sure=True),
    Family(
        "oom_heap",
        r"JavaScript heap out of memory|java\.lang\.OutOfMemoryError",
        100,
        "resource.oom",
        after=1,
        sure=True,
    ),
    Family(
        "oom",
        (
            r"[Oo]ut of memory|OutOfMemory|OOMKilled|oom-kill|Cannot allocate memory|std::bad_alloc"
            r"|MemoryError|virtual memory exhausted|[Ee]xit(?:ed with)? (?:code|status):? 137\b"
        ),
        97,
        "resource.oom",
        after=1,
        unless=r"^##\[error\]Process completed",
    ),
    Family(
        "killed",
        r"^(?:.*: )?(?:line \d+: )?\s*\d* ?Killed\b|signal: (?:9|killed)|terminated with signal 9",
        95,
        "resource.oom",
        sure=True,
    ),
    Family(
        "disk",
        r"No space left on device|ENOSPC|[Dd]isk quota exceeded|[Dd]isk [Ff]ull|not enough space on the disk",
        99,
        "resource.disk",
    ),
    Family("gpu", r"CUDA (?:out of memory|error)|cudaError|no CUDA-capable", 94, "resource.gpu"),
    Family("too_many_files", r"Too many open files|EMFILE|Resource temporarily unavailable", 94, "resource.limits"),
)
NETWORK = (
    Family(
        "dns",
        (
            r"Could not resolve (?:host|hostname|proxy)|Name or service not known|getaddrinfo"
            r"|[Tt]emporary failure in name resolution|ENOTFOUND|EAI_AGAIN|no such host|UnknownHostException"
            r"|Temporary failure resolving|nodename nor servname"
        ),
        97,
        "dependency.dns",
        sure=True,
    ),
    Family(
        "network",
        (
            r"[Cc]onnection (?:refused|reset|timed out|aborted)|ECONNRE(?:FUSED|SET)|E(?:SOCKET)?TIMEDOUT"
            r"|[Nn]etwork is unreachable|TLS handshake|SSL_ERROR|[Cc]ertificate (?:verify failed|has expired)"
            r"|SSL certificate problem|CERT_HAS_EXPIRED|x509: certificate|socket hang up|unexpected EOF|RPC failed"
            r"|early EOF|remote end hung up|No route to host|i/o timeout|Read timed out|ConnectTimeout|PKIX path"
            r"|[Cc]ould not connect to|Failed to connect to|SSLHandshakeException|net::ERR_|Couldn't connect to server"
        ),
        93,
        "dependency.network",
    ),
    Family(
        "http",
        (
            r"(?:HTTP(?:/[\d.]+)?|[Ss]tatus(?: code)?|returned error|server returned|response code|received"
            r"|Response)[ :=]*(?:error: )?(?:HTTP/\d\S* )?\(?[45]\d\d\b|\(HTTP [45]\d\d\)"
            r"|\b50[0234] (?:Internal Server|Bad Gateway|Service Unavailable|Gateway)"
        ),
        94,
        "dependency.network",
    ),
    Family(
        "rate",
        r"[Rr]ate limit|429 Too Many|toomanyrequests|secondary rate|API rate|[Tt]oo [Mm]any [Rr]equests",
        96,
        "rate_limit",
    ),
    Family(
        "upload",
        r"(?:[Ee]rror|[Ff]ail\w*) (?:while |to )?(?:properly )?(?:running the upload|upload|publish)\w*",
        91,
        "dependency.upload",
    ),
    Family(
        "auth",
        (
            r"(?:^|\W)(?:401 Unauthorized|403 Forbidden|Permission (?:to \S+ )?denied to|Authentication failed"
            r"|Bad credentials|Resource not accessible|not authorized|could not read (?:Username|Password)"
            r"|denied to |[Aa]ccess (?:is )?[Dd]enied|requires authentication|[Ii]nvalid (?:credentials"
            r"|username or pass)"
            r"|unauthorized:|Permission denied \(publickey|denied: (?:requested|permission|installation)|no basic auth"
            r"|ENEEDAUTH|HTTP 40[13]\b|Host key verification failed|AccessDenied|ExpiredToken|UnauthorizedException"
            r"|refusing to allow|[Tt]oken (?:has )?expired|authentication required"
            r"|Could not fetch access token|[Ii]nvalid (?:api key|token))"
        ),
        97,
        "dependency.auth",
    ),
)
GIT = (
    Family("safe_directory", r"dubious ownership", 98, "config.git"),
    Family("git_fatal", r"^(?:.*[\"' ])?fatal: \S", 93, "dependency.git", unless=r"fatal: \["),
    Family(
        "git_remote",
        r"remote: (?:error|fatal|Permission|Repository not found|Invalid|HTTP Basic)",
        96,
        "dependency.auth",
    ),
    Family(
        "git_rejected",
        r"^ ?! \[(?:remote )?rejected\]|^error: failed to push some refs|protected branch hook declined",
        95,
        "dependency.git",
    ),
    Family(
        "git_conflict",
        r"^CONFLICT \(|^Automatic merge failed|^error: (?:could not apply|patch failed)",
        96,
        "dependency.git",
    ),
    Family(
        "git_ref",
        r"^error: pathspec|[Cc]ouldn't find remote ref|Remote branch \S+ not found|unable to access 'http",
        95,
        "dependency.git",
    ),
)
PACKAGES = (
    Family(
        "conflict",
        (
            r"ResolutionImpossible|conflicting dependencies|code ERESOLVE|^npm (?:ERR!|error) peer \S"
            r"|could not be resolved to an installable set|your php version|version solving failed"
            r"|depends on .* which (?:requires|doesn't match)|unmet dependencies|held broken packages"
            r"|incompatible with|SolverProblemError|versions conflict|Bundler could not find compatible"
        ),
        95,
        "dependency.conflict",
        after=1,
    ),
    Family(
        "registry",
        (
            r"^npm (?:ERR!|error) (?:40\d|notarget|code E(?:40\d|TARGET))|No matching (?:version|distribution) found"
            r"|Could not find a version that satisfies|[Uu]nable to (?:locate package|find a match|find package)"
            r"|Could not (?:resolve|find) (?:all |artifact|dependencies|gem|\S+:\S+:)|404 +Not Found"
            r"|Couldn't find package"
            r"|failed to select a version|no matching package named|E: (?:Failed to fetch|Package|Unable)"
            r"|manifest unknown|Failed to download|does not exist in the registry|error NU\d{4}|unknown revision"
            r"|nothing provides|PackagesNotFoundError|No match for argument|Failed to fetch|No available formula"
            r"|has no installation candidate|Hash Sum mismatch|hash(?:es)? (?:do(?:es)? not match|mismatch)|EINTEGRITY"
            r"|not found: manifest|pull access denied|version `\S+' not found|ERR_PNPM_(?:FETCH|NO_MATCH)"
            r"|Could not find gem|Bundler cannot continue|package not found"
        ),
        94,
        "dependency.registry",
        after=2,
    ),
    Family(
        "npm_usage",
        r"^npm (?:ERR!|error) \S",
        50,
        "dependency.registry",
        unless=(
            r"npm (?:ERR!|error) (?:A complete log|errno|syscall|path|command|Lifecycle|workspace|location"
            r"|code (?:ELIFECYCLE|1$|EUSAGE)|Exit status|Failed at|This is probably|Test failed|\S+@\S+ \w+: )"
        ),
    ),
    Family(
        "pip_build",
        r"ERROR: (?:Failed building wheel|Could not build wheels|Failed to build)|error: subprocess-exited-with",
        88,
        "dependency.build",
    ),
    Family(
        "lockfile",
        (
            r"[Ll]ock ?file.*(?:out of date|out of sync|not up to date|needs to be updated|would (?:have been"
            r"|be) modified)"
            r"|ERR_PNPM_OUTDATED_LOCKFILE|--locked was passed|npm ci` can only|YN0028|lock file version"
            r"|(?:poetry|Pipfile|composer|pdm|uv)\.lock .*(?:out of date|last generated|not up to date|needs)"
            r"|since \S+\.lock was last generated|updates to go\.mod needed|go: updates to go\.sum"
            r"|missing go\.sum entry"
            r"|Missing: \S+ from lock file"
        ),
        97,
        "dependency.lockfile",
        after=1,
    ),
    Family(
        "module",
        (
            r"ModuleNotFoundError|ImportError|Cannot find (?:module|package)|[Cc]annot load such file"
            r"|ERR_MODULE_NOT_FOUND|package \S+ is not in|no required module provides|ClassNotFoundException"
            r"|NoClassDefFoundError|No module named|Can't locate \S+\.pm|there is no package called"
            r"|[Ff]ailed to resolve import|Could not resolve [\"'][@\w]|[Cc]annot resolve module"
            r"|Error: Can't resolve '"
        ),
        96,
        "dependency.module",
        after=1,
        unless="^ImportError while (?:importing test module|loading conftest)",
    ),
)
SETTINGS = (
    Family(
        "secret",
        r"Input required and not supplied|[Ss]ecret \S+ (?:is )?(?:required|not (?:found|set|provided))"
        r"|(?:token|TOKEN|key|KEY|password|PASSWORD|secret) (?:is )?(?:not set|missing|required|empty)",
        98,
        "config.secret",
    ),
    Family(
        "not_executable",
        r"(?:^|: )\.{0,2}/\S+: Permission denied$|cannot execute(?: binary file)?|Exec format error"
        r"|bad interpreter",
        96,
        "config.not_executable",
    ),
    Family(
        "command",
        (
            r"(?:command not found|: not found$|is not recognized as (?:an internal|the name|a name)"
            r"|executable file not found|[Nn]o such command|Unable to locate executable|spawn \S+ ENOENT"
            r"|CommandNotFoundException|Missing script:|No rule to make target|Unknown command)"
        ),
        95,
        "config.command_not_found",
    ),
    Family(
        "permission", r"[Pp]ermission denied\b|EACCES|PermissionError|Operation not permitted", 93, "config.permission"
    ),
    Family(
        "powershell",
        r"^[\w-]+: [A-Z]:\\\S+:\d+$|^\s+\+ FullyQualifiedErrorId|^At [A-Z]:\\.*char:\d+",
        92,
        "crash.exception",
        after=4,
        sure=True,
    ),
    Family(
        "no_file",
        (
            r"No such file or directory|cannot (?:stat|open|access|find)|[Ff]ile not found|FileNotFoundError|ENOENT"
            r"|[Dd]oes not exist\b|Not a directory|Cannot find path|NoSuchFileException|no such file"
        ),
        82,
        "input.missing_file",
    ),
    Family(
        "workflow",
        r"Invalid workflow file|Can't find 'action\.yml'|Unable to resolve action|Missing download info",
        97,
        "config.workflow",
        sure=True,
    ),
    Family(
        "deprecated_action",
        r"automatically failed because it uses a deprecated version",
        97,
        "config.workflow",
        sure=True,
    ),
    Family(
        "config",
        (
            r"[Ii]nvalid (?:configuration|option|argument|value|workflow|input)|[Uu]nrecognized (?:option|argument"
            r"|named)|[Uu]nknown (?:option|flag|argument|key|property)|[Mm]issing required|is required but"
            r"|not set\b.*(?:secret|variable|token)|unbound variable|Unexpected input|KeyError: '[A-Z_]{4,}'"
            r"|[Nn]o such option|unexpected argument|parameter not set"
        ),
        88,
        "config.invalid",
    ),
    Family(
        "runner_lost",
        r"lost communication with the server|runner has received a shutdown signal"
        r"|agent (?:lost|disconnected|went offline)|ChannelClosedException|Agent was removed",
        97,
        "pre_work.runner_lost",
    ),
)

CAUSES = CRASHES + NETWORK + GIT + PACKAGES + SETTINGS
