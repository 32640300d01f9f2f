"""How compilers, linters and build tools write failures: a file, a place, a verdict; a task or target."""

from __future__ import annotations

from runcase.analysis.decisive.families.base import FILE, Family, place

_COMPILE = "build.compile"
_LINT = "build.lint"

COMPILERS = (
    Family("fatal_include", rf"{FILE}:\d+(?::\d+)?: fatal error: ", 100, _COMPILE, after=2, sure=True),
    Family(
        "compiler",
        rf"(?:^|\s|/|\\){FILE}[:(]\d+(?:[:,] ?\d+)?\)?:? *(?:\w+ )?(?:fatal |internal compiler )?[eE]rror\b",
        98,
        _COMPILE,
        after=4,
        unless=r": runtime error: |error: Failure!$|\blogger\.go:\d+: ",
        sure=True,
    ),
    Family(
        "tsc", rf"{FILE}(?:\(\d+,\d+\)|:\d+:\d+)(?: -|:)? error TS\d+|^error TS\d+: ", 98, _COMPILE, after=1, sure=True
    ),
    Family("rustc", r"^error\[E\d{4}\]: ", 98, _COMPILE, after=6, sure=True),
    Family(
        "error_line",
        r"^error: ",
        92,
        None,
        after=6,
        unless=(
            "error: (?:could not compile|aborting due|process didn't|build failed|Process completed|failed to"
            "|test failed"
            "|no such|command|target|recipe|pathspec|timed out|unknown|unexpected argument|the (?:lock|following))"
        ),
    ),
    Family(
        "rustdoc", r"^error: (?:unresolved link to|public documentation for) ", 99, "build.docs", after=4, sure=True
    ),
    Family("rustc_place", r"^\s+--> \S+:\d+:\d+", 84, _COMPILE, after=4, sure=True),
    Family(
        "clippy", r"^\s+= note: `-[DF] clippy::|^\s+= note: .*\bclippy::\w+.* implied by ", 50, "build.lint", sure=True
    ),
    Family("buf", r"^\S+\.proto:\d+:\d+:[A-Z]", 95, "build.lint", sure=True),
    Family("rust_crate", r"^error: could not compile `", 64, _COMPILE, sure=True),
    Family("candidate", r": note: candidate (?:template|function|constructor)? ?ignored", 70, _COMPILE),
    Family(
        "javac",
        rf"{FILE}:\[?\d+(?:,\d+\])?:? error:|^\[ERROR\] \S+\.(?:java|kt|scala|groovy):\[?\d+",
        98,
        _COMPILE,
        after=3,
        sure=True,
    ),
    Family("kotlin", r"^e: (?:file://)?\S+\.kts?", 98, _COMPILE, sure=True),
    Family(
        "scalac",
        r"^\[error\] (?:-- .*Error: )?\S+\.(?:scala|sbt|java)(?:\.\w+)?:\d+",
        98,
        _COMPILE,
        after=4,
        sure=True,
    ),
    Family("sbt_compile", r"^\[error\] \(\S*[cC]ompile\S*\) Compilation failed", 76, _COMPILE, sure=True),
    Family(
        "golangci",
        r"^\S+\.go:\d+(?::\d+)?: .*\((?:errcheck|govet|staticcheck|ineffassign|unused|gosimple|revive|gosec|stylecheck"
        r"|gocritic|gofmt|gofumpt|goimports|misspell|lll|dupl|gocyclo|funlen|wsl|nolintlint|bodyclose|unparam|unconvert"
        r"|exhaustive|errorlint|depguard|prealloc)\)(?:\n|$)",
        101,
        "build.lint",
        after=2,
        sure=True,
    ),
    Family(
        "go_build",
        r"^(?:vet: )?(?:\./|\.\./)?\S+\.go:\d+:\d+: ",
        96,
        _COMPILE,
        before=1,
        unless="no required module provides|cannot find (?:module|package)|missing go.sum|is not in (?:GOROOT|std)",
        sure=True,
    ),
    Family(
        "linker",
        r"undefined reference to|[Uu]ndefined symbols?\b|ld(?:\.\w+)?: (?:error|cannot find|symbol)|LNK\d{4}"
        r"|linker command failed|collect2: error|duplicate symbol",
        97,
        "build.link",
        after=1,
        sure=True,
    ),
    Family("msbuild", r": (?:fatal )?error (?:CS|MSB|NETSDK|C|BC|FS|RZ)\d+\b", 98, _COMPILE, sure=True),
    Family(
        "werror",
        r"all warnings being treated as errors|warning(?:s)? (?:as|treated as) error",
        72,
        _COMPILE,
        after=1,
        sure=True,
    ),
    Family(
        "swift",
        r"^error: (?:emit-module|compile) command failed|^\*\* (?:BUILD|ARCHIVE) FAILED \*\*",
        70,
        _COMPILE,
        sure=True,
    ),
    Family(
        "signing",
        r"\berrSec[A-Z]\w+|\berror: No (?:signing certificate|profiles for)"
        r"|[Pp]rovisioning profile .* (?:doesn't|does not|has expired)",
        98,
        "config.signing",
        after=1,
        sure=True,
    ),
    Family("esbuild", r"^✘ \[ERROR\] \S|^\[!\] (?:\(plugin [^)]*\) )?\w*Error: ", 95, _COMPILE, after=2, sure=True),
    Family("haskell", r"^\S+\.hs:\d+:\d+: error", 98, _COMPILE, after=4, sure=True),
    Family("protoc", r"^\S+\.(?:proto|thrift|fbs):\d+:\d+: ", 96, _COMPILE, sure=True),
    Family("fortran", r"^\S+\.[fF]\d*:\d+:\d+:$", 98, _COMPILE, after=5, sure=True),
    Family(
        "elixirc",
        r"^== Compilation error in file |^\*\* \((?:\w+\.)*(?:CompileError|SyntaxError|TokenMissingError)\)",
        97,
        _COMPILE,
        after=1,
        sure=True,
    ),
    Family("php_syntax", r"^(?:PHP )?Parse error: |^\S+:\d+: syntax errors?\b", 97, "build.syntax", after=2, sure=True),
    Family(
        "syntax",
        r"^\s*(?:\w+\.)*(?:SyntaxError|IndentationError|TabError|ParseError)\b",
        95,
        "build.syntax",
        before=3,
        sure=True,
    ),
    Family("scons", r"^scons: \*\*\* ", 92, "build.task_failed", sure=True),
    Family("ninja_target", r"^FAILED: \S*[./]\S*(?: |$)", 66, _COMPILE, after=1, sure=True),
)
LINTERS = (
    Family("eslint_row", r"^\s+\d+:\d+\s+error\s+\S", 96, _LINT, headed=True, sure=True),
    Family(
        "lint_row",
        rf"^{FILE}:\d+(?::\d+)?:? (?:\[?[A-Z]{{1,5}}\d{{2,5}}\b|[CRWEF]: |\[[CRWEF]\] )",
        96,
        _LINT,
        after=1,
        sure=True,
    ),
    Family(
        "mypy_row",
        rf"^{place('pyi?', 'ipynb')}:\d+(?::\d+)?: error: ",
        99,
        "build.types",
        unless=r"error: \[GHC",
        sure=True,
    ),
    Family("pyright", r"^\s+\S+:\d+:\d+ - error: ", 99, "build.types", sure=True),
    Family("android_lint", rf"^{FILE}:\d+: Error: .*\[\w+\]$", 99, _LINT, after=1, sure=True),
    Family(
        "checkstyle",
        r"^\[(?:ERROR|WARN|ant:checkstyle)\].*\((?:\w+)\) \w+: |^(?:\[\w+\] )?\S+\.java:\[?\d+\S* .*\[[A-Z]\w+\]$",
        99,
        _LINT,
        sure=True,
    ),
    Family(
        "violations",
        r"You have [1-9]\d* \w+ violation|[1-9]\d* (?:Checkstyle|PMD|SpotBugs|style) (?:rule )?violation",
        80,
        _LINT,
        total=True,
    ),
    Family(
        "lint_end",
        r"^✖ \d+ problems? \([1-9]|^Found [1-9]\d* errors?\b|^\[?\*?\]? ?[1-9]\d* fixable"
        r"|^\d+ files? inspected, [1-9]\d* offenses?|^\s*\[ERROR\] Found [1-9]\d* errors?|^[1-9]\d* errors? generated"
        r"|^[1-9]\d* (?:problems?|issues?|violations?|errors?)\b.*(?:found|\()",
        80,
        _LINT,
        sure=True,
        total=True,
    ),
    Family("too_many_warnings", r"^ESLint found too many warnings", 90, _LINT),
    Family(
        "would_reformat",
        r"^[Ww]ould reformat|^\d+ files? would be (?:reformatted|changed)|^Diff in \S+",
        92,
        _LINT,
        after=1,
        sure=True,
    ),
    Family("clang_format", r": error: code should be clang-formatted", 101, _LINT, after=2, sure=True),
    Family("error_row", rf"^\s*(?:(?:Error|error): )?{FILE}:\d+:\d+: .*\([\w@/.-]+\)$", 98, _LINT, sure=True),
    Family("cppcheck", rf"^{FILE}:\d+:\d+: (?:error|warning|style|performance): .*\[\w+\]$", 99, _LINT, sure=True),
    Family(
        "ruff_full",
        r"^[A-Z]{1,4}\d{3,4} (?:\[\*\] )?[A-Z`]",
        91,
        _LINT,
        after=6,
        unless=r"^(?:SHA|HTTP|RFC|UTF|ISO|AES|DEP)\d",
        sure=True,
    ),
    Family("pydocstyle", r"^\s+[A-Z]\d{3}: \S", 91, _LINT, before=1, sure=True),
    Family("bandit", r"^>> Issue: \[", 95, _LINT, after=3, sure=True),
    Family("lint_result", r"^\W*RESULT: FAILED\b", 82, _LINT, sure=True, total=True),
    Family(
        "size_limit",
        r"(?:size limit|budgets?) (?:has|was|have been|were) exceeded|exceeded (?:the )?maximum budget|B > maxSize \d",
        96,
        "build.policy",
        after=4,
        sure=True,
        unless=r"^\W*(?:[Ww]arning|WARN(?:ING)?)\b",
    ),
    Family(
        "quality_gate",
        r"(?i)\bquality gate\b.*\b(?:failed|not met|not passed)\b|\bquality gate(?: status)?(?: failure| is '?ERROR)",
        97,
        "build.policy",
        sure=True,
    ),
    Family("commitlint", r"^✖ +\S.*\[[\w-]+\]$", 95, _LINT, sure=True),
    Family("gofmt", r"^diff (?:-u )?\S+\.orig \S+", 92, _LINT, after=6, sure=True),
    Family("codespell", rf"^{FILE}:\d+: \S+ ==> \S", 96, _LINT, sure=True),
    Family("biome", r"^\S+\.\w+(?::\d+:\d+)? (?:lint/\S+|format|organizeImports|assist/\S+) .*━", 97, _LINT, after=2),
    Family("swiftlint", rf"^{FILE}:\d+:\d+: (?:error|warning): .* Violation: .*\(\w+\)$", 101, _LINT, sure=True),
    Family("phpcs", r"^\s*\d+ \| (?:ERROR|WARNING) +\| ", 96, _LINT, sure=True),
    Family("dart_format", r"^Formatted \d+ files? \([1-9]\d* changed\)", 92, _LINT, before=1, sure=True),
    Family("stylelint", r"^\s+\d+:\d+\s+[✖×]\s+\S", 96, _LINT, headed=True, sure=True),
    Family("pmd", r"^\[\w+\] PMD Failure: |^\[ERROR\] (?:High|Medium|Low): .*In .*java", 98, _LINT, sure=True),
    Family("format_violations", r"^> The following files had format violations", 96, _LINT, after=4, sure=True),
    Family("imports", r"^ERROR: \S+ Imports are incorrectly sorted", 96, _LINT, sure=True),
    Family("prettier", r"^\[(?:error|warn)\] \S+\.\w+$", 92, _LINT, sure=True),
    Family(
        "prettier_end",
        r"^\[(?:error|warn)\] (?:Code style issues|Forgot to run Prettier)",
        84,
        _LINT,
        sure=True,
        total=True,
    ),
    Family("pre_commit", r"^\S.*\.{4,}(?:\(.*\))?Failed$", 96, _LINT, after=3, sure=True),
    Family("hook_fix", r"^(?:Fixing|Reformatting|reformatted) \S+", 70, _LINT),
    Family("phpstan", r"^\s+:?\d+\s{2,}[A-Z]\S*.*\.$", 93, _LINT, before=2),
    Family("shellcheck", r"^In \S+ line \d+:|SC\d{4}(?:\s\(error\)|:)", 92, _LINT, after=2, sure=True),
    Family(
        "dirty_tree",
        r"^(?:error: )?(?:.*(?:uncommitted|generated) (?:files|changes|code)\b.*(?:commit|differ|out of date)"
        r"|diff --git a/|Files .* differ$|.*not up[- ]to[- ]date.*run)",
        72,
        "build.generated",
        after=3,
    ),
)
BUILD_TOOLS = (
    Family("gradle_task", r"^> Task :\S+ FAILED", 88, "build.task_failed", sure=True),
    Family(
        "gradle_what",
        r"^(?:Execution failed for task|A problem (?:occurred|was found) )",
        89,
        "build.task_failed",
        before=1,
        after=6,
        sure=True,
    ),
    Family("gradle_where", r"^(?:Build|Settings) file '[^']+' line: \d+$", 84, "build.task_failed", sure=True),
    Family("maven_module", r"^\[INFO\] \S.* \.{2,} FAILURE \[", 74, None, sure=True),
    Family("maven_goal", r"^\[ERROR\] Failed to execute goal", 74, "build.task_failed"),
    Family(
        "enforcer", r"^\[(?:ERROR|WARNING)\] Rule \d+: \S+ failed with message", 97, "build.policy", after=1, sure=True
    ),
    Family("ant_task", r"^/\S+build\.xml:\d+: ", 66, "build.task_failed", unless="The following error occurred"),
    Family("bazel_action", r"^ERROR: \S+(?:BUILD|BUILD\.bazel):\d+:\d+: ", 90, "build.task_failed", sure=True),
    Family("cmake", r"^CMake Error\b", 95, "build.configure", after=10, sure=True),
    Family("autoconf", r"^configure: error: |^\*\*\* extconf\.rb failed", 96, "build.configure", before=1, after=2),
    Family("meson", r"^\S*meson\.build:\d+:\d+: ERROR: ", 97, "build.configure"),
    Family("gem_native", r"Gem::Ext::BuildError|Failed to build gem native extension", 93, _COMPILE, after=6),
    Family("pkg_config", r"^checking for .*\.\.\. no$", 60, None),
    Family(
        "webpack",
        r"^(?:ERROR in \S|Module not found:|Module build failed|\S+ Module parse failed)",
        96,
        _COMPILE,
        after=2,
        sure=True,
    ),
    Family(
        "vite",
        r"^(?:✗|x) Build failed in|^\[vite(?::\S+)?\].*(?:[Ee]rror|failed)|^error during build:",
        88,
        _COMPILE,
        after=3,
    ),
    Family("next_type", r"^\s*Type error: ", 97, "build.types", before=1, after=4, sure=True),
    Family("next_build", r"^\s*(?:> )?(?:Failed to compile|Build error occurred)", 90, _COMPILE, after=4),
    Family(
        "sphinx",
        r"^Warning, treated as error:|\.rst:\d+: (?:ERROR|CRITICAL|SEVERE)",
        94,
        "build.docs",
        after=1,
        sure=True,
    ),
    Family(
        "sphinx_end",
        r"^build finished with problems, .*warnings treated as errors",
        92,
        "build.docs",
        sure=True,
        total=True,
    ),
    Family(
        "sphinx_warning", r"\.(?:rst|md|ipynb|py)(?::docstring of \S+)?:\d+: WARNING: ", 64, "build.docs", sure=True
    ),
    Family("docs_row", r"^WARNING -  ", 91, "build.docs", sure=True),
    Family("strict_docs", r"^Aborted with \d+ warnings? in strict mode", 86, "build.docs", sure=True, total=True),
    Family("broken_links", r"broken link|[Dd]ead link|✖ .*→ Status: \d+", 84, "build.docs"),
    Family(
        "latex", r"^! (?:LaTeX Error|Undefined control sequence|Emergency stop)", 95, "build.docs", after=3, sure=True
    ),
    Family(
        "docker_step",
        r"^(?:#\d+ )?ERROR: (?:failed to (?:solve|build)|process )",
        93,
        "build.docker",
        sure=True,
        total=True,
    ),
    Family(
        "docker_cause",
        r"^#\d+ \d+\.\d+ .*\b(?:error|Error|ERROR|fatal|failed|not found|denied|No such|cannot|Cannot|unable)\b",
        90,
        "build.docker",
        before=2,
    ),
    Family("docker_run", r"^ > \[.*\] ?(?:RUN|COPY|ADD|FROM) ?", 85, "build.docker", after=4, sure=True),
    Family(
        "docker_copy",
        r"failed to (?:compute cache key|calculate checksum|read dockerfile)|COPY failed:",
        96,
        "build.docker",
    ),
    Family("docker_place", r"^\S*Dockerfile\S*:\d+$", 84, "build.docker", sure=True),
    Family("docker_line", r"^\s*\d+ \| +>>> ", 80, "build.docker", sure=True),
    Family("docker_legacy", r"^The command '.*' returned a non-zero code: \d+", 62, "build.docker"),
    Family(
        "helm",
        r"^Error: (?:(?:INSTALLATION|UPGRADE|ROLLBACK) FAILED|failed (?:pre|post)-\w+: )",
        97,
        "config.deploy",
        after=2,
    ),
    Family(
        "argocd",
        r"\bsynchronization tasks (?:completed unsuccessfully|are not valid)|\bobjects failed to apply\b"
        r"|\bOperation has completed with phase: (?:Failed|Error)\b",
        66,
        "config.deploy",
        sure=True,
    ),
    Family(
        "kubectl",
        r"^(?:Error from server|error: (?:error validating|unable to recognize|the server))"
        r"|\bis invalid: (?:spec|metadata|data|status)[.\[:]|^error: \S+ \S+ exceeded its progress deadline",
        94,
        "config.deploy",
    ),
    Family(
        "kube_mount",
        r"MountVolume\.\w+ failed for volume|\b(?:configmap|secret|persistentvolumeclaim) \"[^\"]+\" not found",
        95,
        "config.deploy",
        sure=True,
    ),
    Family(
        "downstream",
        r"^(?:\[[^\]]+\] )?(?:ERROR: |Build )?\S.* #\d+ completed(?: with status|:) (?:FAILURE|UNSTABLE|ABORTED)\b",
        92,
        "build.downstream",
        sure=True,
    ),
    Family("terraform", r"^[│╷|] ?Error: \S", 93, "config.terraform", after=4),
    Family(
        "ansible", r"^fatal: \[[^\]]+\]: (?:FAILED|UNREACHABLE)!", 97, "config.deploy", before=1, after=1, sure=True
    ),
    Family(
        "ansible_recap",
        r"^\S+ +: ok=\d+ .*(?:unreachable=[1-9]|failed=[1-9])",
        76,
        "config.deploy",
        sure=True,
        total=True,
    ),
    Family(
        "pulumi",
        r"^\s+(?:error: )?(?:\* )?(?:creating|updating|deleting|replacing|refreshing) urn:pulumi:",
        94,
        "config.deploy",
        after=1,
        sure=True,
        unless=r"\b\d+ errors? occurred:$|api error ",
    ),
    Family(
        "packer",
        r"^==> [\w.-]+: .*(?:\b[Ee]rror\b|[Tt]imeout |[Ff]ailed )|^Build '\S+' errored after ",
        93,
        "build.failed",
        sure=True,
    ),
    Family("cloudformation", r"(?:CREATE|UPDATE|DELETE)_FAILED\b", 92, "config.deploy"),
)

BUILDS = COMPILERS + LINTERS + BUILD_TOOLS
