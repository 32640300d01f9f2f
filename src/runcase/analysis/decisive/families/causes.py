"""What the world around a program denies it: memory, disk, network, rights, settings."""

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
        r"|Assertion .* failed\.?$|has overflowed its stack$|^fatal runtime error: ",
        93,
        "crash.abort",
        after=2,
    ),
    Family(
        "sanitizer",
        r"==\d+==\s?ERROR: \w+Sanitizer|:\d+: runtime error: |WARNING: ThreadSanitizer|SUMMARY: \w+Sanitizer",
        101,
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
    Family("miri", r"(?:^|\.\.\. )error: Undefined Behavior: \S", 102, "crash.sanitizer", after=4, sure=True),
    Family("race", r"^WARNING: DATA RACE", 98, "crash.data_race", after=6, sure=True),
    Family("rust_panic", r"^thread '.*' (?:\(\d+\) )?panicked at", 96, "crash.panic", after=3, sure=True),
    Family(
        "oom_heap",
        r"JavaScript heap out of memory|java\.lang\.OutOfMemoryError|Allowed memory size of \d+ bytes exhausted",
        100,
        "resource.oom",
        after=1,
        sure=True,
    ),
    Family(
        "oom",
        (
            r"[Oo]ut of memory|OutOfMemory|OOMKilled|oom-kill|Cannot allocate memory|std::bad_alloc"
            r"|TERM_MEMLIMIT: |^=>> PBS: job killed: v?mem |MemoryError"
            r"|running beyond (?:physical|virtual) memory limits"
            r"|virtual memory exhausted|[Ee]xit(?:ed with)? (?:code|status):? 137\b"
        ),
        97,
        "resource.oom",
        after=1,
        unless=r"^##\[error\]Process completed",
    ),
    Family(
        "killed",
        r"^(?:.*: )?(?:line \d+: )?\s*\d* ?Killed\b|signal: (?:9|killed)|terminated with signal 9"
        r"|\bexited (?:with|prematurely:) ['\"]?signal 9\b|TERMINATED WITH THE EXIT STRING: Killed",
        95,
        "resource.oom",
        unless=r"^srun: error: ",
        sure=True,
    ),
    Family("mpi_abort", r"^MPI_ABORT was invoked on rank \d", 98, "crash.abort", after=1, before=2, sure=True),
    Family(
        "disk",
        r"[Nn]o space left on device|ENOSPC|[Dd]isk quota exceeded|[Dd]isk [Ff]ull|not enough space on the disk",
        99,
        "resource.disk",
    ),
    Family("gpu", r"CUDA (?:out of memory|error)|cudaError|no CUDA-capable", 94, "resource.gpu"),
    Family(
        "lock",
        r"(?:[Ff]ailed to|[Cc]ould not|[Uu]nable to|[Cc]annot|[Ee]rror) (?:\w+[ /]){0,5}lock\b"
        r"|\bis (?:already |currently )?locked by\b|[Rr]esource temporarily unavailable\).*lock",
        98,
        "resource.lock",
        after=1,
        unless=r"lock ?file|\.lock (?:file|is|was)|-lock\b|version of .* lock",
    ),
    Family(
        "too_many_files",
        r"Too many open files|EMFILE|Resource temporarily unavailable"
        r"|remaining connection slots are reserved|too many clients already",
        94,
        "resource.limits",
    ),
)


def _http(name: str, status: str, failure: str, *more: str) -> Family:
    """An answer of a server with one of some codes; those that refuse a request are no trouble of the network."""
    told = (
        r"(?:HTTP(?:/[\d.]+)?|[Ss]tatus(?: code)?|returned error|server returned|response code|received|Response)"
        rf"[ :=]*(?:error: )?(?:HTTP/\d\S* )?\(?{status}\b"
    )
    pattern = "|".join((rf"\bERROR {status}: ", told, rf"\(HTTP {status}\)", *more))
    return Family(name, pattern, 94, failure, unless=r"\d (?:bytes|[kKMG]i?B|ms|s|rows|files|items|lines|of) ")


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
            r"|[Cc]ould not connect to|Failed to connect to|SSLHandshakeException|invalid peer certificate"
            r"|All attempts to connect to|net::ERR_|Couldn't connect to server|connection to the message broker"
        ),
        93,
        "dependency.network",
    ),
    _http(
        "http",
        r"(?:408|5\d\d)",
        "dependency.network",
        r"\b50[0234] (?:Internal Server|Bad Gateway|Service Unavailable|Gateway)",
    ),
    _http("http_refused", r"4(?:0[024-69]|1\d|2[0-8]|[3-9]\d)", "dependency.request"),
    _http("http_auth", r"40[137]", "dependency.auth"),
    _http("http_rate", r"429", "rate_limit"),
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
            r"(?:^|\W)(?:401 Unauthorized|403 Forbidden|Permission (?:to \S+ )?denied to|[Aa]uthentication failed"
            r"|Bad credentials|Resource not accessible|not authorized|could not read (?:Username|Password)"
            r"|denied to |[Aa]ccess (?:is )?[Dd]enied|requires authentication|[Ii]nvalid (?:credentials"
            r"|username or pass)"
            r"|unauthorized:|Permission denied \(publickey|denied: (?:requested|permission|installation)|no basic auth"
            r"|ENEEDAUTH|PERMISSION_DENIED|npm (?:ERR!|error) code E40[13]"
            r"|HTTP 40[13]\b|Host key verification failed|AccessDenied|ExpiredToken|UnauthorizedException"
            r"|refusing to allow|[Tt]oken (?:has )?expired|authentication required"
            r"|unable to authenticate, attempted methods|Could not fetch access token|[Ii]nvalid (?:api key|token))"
        ),
        97,
        "dependency.auth",
    ),
)
SERVICES = (
    Family(
        "cloud_api",
        r"\bapi error [A-Z]\w+: |An error occurred \([A-Z]\w+\) when calling the",
        93,
        "dependency.request",
    ),
    Family(
        "database",
        r"violates (?:not-null|unique|foreign key|check|exclusion) constraint"
        r"|[Dd]uplicate (?:key value|entry '|column name)"
        r"|\b(?:relation|column|table|type|schema|function|constraint|index) [\"'`]?[\w.]+[\"'`]?"
        r" (?:of relation \S+ )?(?:already exists|does not exist)"
        r"|SQL compilation error|[Dd]eadlock (?:detected|found when)|\bORA-\d{5}: |\(SQLSTATE \w{5}\)|SQLSTATE\[\w{5}\]"
        r"|Unknown column '|no such (?:table|column): |ERROR:  syntax error at or near \"|\b(?:Binder|Catalog"
        r"|Conversion) Error: ",
        89,
        "crash.database",
        after=1,
        unless=r"\bNOTICE\b|\bWARN|, skipping$|\bIF (?:NOT )?EXISTS\b",
        sure=True,
    ),
)
SETTINGS = (
    Family(
        "environment", r"externally-managed-environment|Cannot connect to the Docker daemon", 97, "config.environment"
    ),
    Family(
        "virtualization",
        r"\b(?:VT-x|AMD-V|KVM|[Hh]ardware virtuali[sz]ation) (?:\w+ ){0,3}"
        r"(?:not (?:available|enabled|supported)|disabled)|\bVERR_(?:VMX|SVM)_\w+",
        92,
        "config.environment",
    ),
    Family("acme", r"Certbot failed to authenticate|^(?:\S+ )?Some challenges have failed", 67, "dependency.request"),
    Family(
        "port", r"EADDRINUSE|[Aa]ddress already in use|port is already allocated", 97, "config.port_in_use", after=1
    ),
    Family("service", r"^dependency failed to start: |container \S+ is unhealthy", 96, "dependency.service"),
    Family(
        "jvm_start",
        r"^Unrecognized (?:VM )?option|^Invalid (?:maximum|initial) heap size"
        r"|^Error: Could not find or load main class ",
        97,
        "config.invalid",
        after=1,
    ),
    Family(
        "pom",
        r"\bNon-(?:readable|parseable) (?:POM|settings)|\bMalformed POM\b"
        r"|requires a project to execute but there is no POM",
        97,
        "config.invalid",
        sure=True,
    ),
    Family("environment_key", r"^KeyError: '[A-Z][A-Z0-9]*_[A-Z0-9_]+'$", 93, "config.invalid"),
    Family(
        "shell_unset",
        r": line \d+: \w+: (?:must be|is (?:not set|required|unset)|parameter (?:null or )?not set|please set)",
        95,
        "config.invalid",
    ),
    Family("emerg", r"(?:^|\s)\[emerg\] \S", 90, "config.invalid"),
    Family("shell_syntax", r": line \d+: syntax error\b|: \d+: Syntax error: ", 97, "build.syntax", after=1),
    Family(
        "corrupt",
        r"not in gzip format|does not look like a tar archive|End-of-central-directory signature not found"
        r"|unexpected end of file$|Unexpected EOF in archive|invalid compressed data",
        96,
        "input.corrupt",
        unless="syntax error",
    ),
    Family(
        "checksum",
        r"computed checksums? did NOT match|no properly formatted (?:\w+ )*checksum lines"
        r"|[Cc]hecksum (?:verification failed|does not match|validation failed)",
        96,
        "input.checksum",
        before=1,
        sure=True,
    ),
    Family("no_artifact", r"No files were found with the provided path", 97, "input.missing_file", sure=True),
    Family(
        "vulnerable",
        r"^[1-9]\d* vulnerabilit(?:y|ies) found|detected vulnerable packages"
        r"|^\s*FAILED for resource: |\bleaks found: [1-9]|^Total: [1-9]\d* \((?:UNKNOWN|LOW|MEDIUM|HIGH|CRITICAL): \d",
        90,
        "build.policy",
        before=2,
        sure=True,
    ),
    Family("vulnerabilities", r"^[1-9]\d* vulnerabilit(?:y|ies) \(", 40, None, sure=True),
    Family(
        "audit",
        r"^# npm audit report$|^Your code is affected by [1-9]\d* vulnerabilit",
        92,
        "build.policy",
        after=4,
        sure=True,
    ),
    Family(
        "denied_package",
        r"^error\[(?:vulnerability|unlicensed|rejected|banned|unmaintained|unsound|yanked|source-not-allowed)\]: ",
        98,
        "build.policy",
        after=4,
        sure=True,
    ),
    Family(
        "secret",
        r"Input required and not supplied"
        r"|\b[Nn]o (?:\w+ )?(?:token|api key|credentials|password) (?:was |were )?(?:specified|provided|set|found)\b"
        r"|[Ss]ecret \S+ (?:is )?(?:required|not (?:found|set|provided))"
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
            r"|executable (?:file )?not found|[Nn]o such command|Unable to locate executable|spawn \S+ ENOENT"
            r"|CommandNotFoundException|Missing script:|No rule to make target|Unknown command"
            r"|No targets specified and no makefile|^g?make(?:\[\d+\])?: [\w.+-]+: No such file or directory$"
            r"|Exception running subprocess \[Errno 2\]|Don't know how to build task '|couldn't resolve module/action '"
            r"|^Target \"[^\"]+\" does not exist in the project|Unknown lifecycle phase )"
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
    Family("missing_input", r"^MissingInputException in rule \w", 97, "input.missing_file", after=6, sure=True),
    Family("no_path", r"\[PATH_NOT_FOUND\]|Input path does not exist: ", 96, "input.missing_file", sure=True),
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
        r"lost communication with the server|stopped hearing from agent"
        r"|agent did not connect within|runner has received a shutdown signal"
        r"|agent (?:lost|disconnected|went offline)|ChannelClosedException|Agent was removed"
        r"|Backing channel '.*' is disconnected|is offline; cannot locate",
        97,
        "pre_work.runner_lost",
    ),
)

CAUSES = CRASHES + NETWORK + SERVICES + SETTINGS
