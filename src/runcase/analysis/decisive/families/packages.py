"""What package managers and version control write when they get nothing, too much, or something else."""

from __future__ import annotations

from runcase.analysis.decisive.families.base import Family

GIT = (
    Family("safe_directory", r"dubious ownership", 98, "config.git"),
    Family("git_lfs", r"^Error downloading object: |over its data quota", 98, "dependency.git", sure=True),
    Family(
        "git_fatal",
        r"^(?:.*[\"' ])?fatal: (?:.*\b(?:[Gg]it|repositor(?:y|ies)|remotes?|refs?|refspec|reference|revision|branch"
        r"|tags?|HEAD|commits?|objects?|pack|index-pack|submodules?|pathspec|checkout|clone|worktree|merge|rebase|shallow"
        r"|fast-forward|credential|bundle|early EOF|config|ident name|email address)\b|[Aa]uthentication failed"
        r"|[Cc]ould not (?:read|open|resolve)|[Uu]nable to access|destination path|protocol error|the remote end"
        r"|No (?:names|tags|url) (?:found|can describe))",
        93,
        "dependency.git",
        unless=r"fatal: \[",
    ),
    Family("other_fatal", r"^(?:.*[\"' ])?fatal: \S", 93, None, unless=r"fatal: \["),
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
        r"^error: pathspec|[Cc]ouldn't find remote ref|Remote branch \S+ not found|unable to access 'http"
        r"|Couldn't find any revision",
        95,
        "dependency.git",
    ),
)
PACKAGES = (
    Family("twine", r"^Checking \S+\.(?:whl|gz|zip): FAILED\b", 97, "build.package", after=2, sure=True),
    Family(
        "manifest",
        r"\binvalid pyproject\.toml config|^The Poetry configuration is invalid|JSON\.parse Invalid package\.json"
        r"|^\./composer\.json is (?:invalid|valid for simple usage with Composer but)",
        97,
        "config.invalid",
        after=2,
        sure=True,
    ),
    Family("not_installed", r"^\S+ \S+ requires \S+, which is not installed\.$", 82, "dependency.conflict"),
    Family("pip_raised", r"^ {6}[A-Z]\w*(?:Error|Exception|Exit): \S", 93, "dependency.build", before=2),
    Family(
        "solver",
        r"^(?:Could not find compatible versions|.*No solution found when resolving|.*Could not solve for environment)",
        88,
        "dependency.conflict",
        after=4,
    ),
    Family(
        "conflict",
        (
            r"ResolutionImpossible|ERR_PNPM_PEER_DEP|requirements are unsatisfiable"
            r"|version solving has failed"
            r"|UnsatisfiableError"
            r"|could not find compatible versions for pod|dependency resolution failed|"
            r"conflicting dependencies|code ERESOLVE|^npm (?:ERR!|error) peer \S"
            r"|could not be resolved to an installable set|your php version|version solving failed"
            r"|depends on .* which (?:requires|doesn't match)|[Uu]nmet (?:peer |build )?dependenc|held broken packages"
            r"|Not compatible with your version of node"
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
            r"|not found: manifest|pull access denied|version `\S+' not found|ERR_PNPM_(?:FETCH|NO_MATCH|\w*RESOLVE)"
            r"|was not found in any of the following sources|\(no such package\)|unable to select packages"
            r"|checksum mismatch|[Ii]ntegrity check(?:sum)? failed|GPG (?:check FAILED|error)|NO_PUBKEY"
            r"|HASHES FROM THE REQUIREMENTS"
            r"|audit endpoint returned an error|Could not find gem|Bundler cannot continue|package not found"
            r"|: \S+ can't be pulled\b|[Ff]ailed to pull image"
            r"|Non-resolvable (?:parent |import )?POM"
        ),
        94,
        "dependency.registry",
        after=2,
    ),
    Family(
        "resolve",
        r"ResolveException: (?:Error downloading|unresolved dependency)",
        97,
        "dependency.registry",
        after=3,
        sure=True,
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
    Family("bundler_build", r"^An error occurred while installing ", 90, "dependency.build", sure=True),
    Family(
        "pip_build",
        r"ERROR: (?:Failed building wheel|Could not build wheels|Failed to build)|error: subprocess-exited-with",
        88,
        "dependency.build",
    ),
    Family(
        "lockfile",
        (
            r"lockfile can't be updated|frozen mode is set"
            r"|[Ll]ock ?file.*(?:out of date|out of sync|not up to date|needs to be updated|would (?:have been"
            r"|be) modified)"
            r"|ERR_PNPM_(?:OUTDATED|NO)_LOCKFILE|--locked(?:` was provided| was passed)"
            r"|npm ci` (?:command )?can only|YN0028|lock file version"
            r"|(?:poetry|Pipfile|composer|pdm|uv)\.lock .*(?:out of date|last generated|not up to date|needs)"
            r"|since \S+\.lock was last generated|updates to go\.mod needed|go: updates to go\.sum"
            r"|missing go\.sum entry"
            r"|deployment setting requires a Gemfile\.lock"
            r"|Missing: \S+ from lock file|Your bundle only supports platforms"
        ),
        97,
        "dependency.lockfile",
        after=1,
        sure=True,
    ),
    Family(
        "module",
        (
            r"ModuleNotFoundError|ImportError|[Cc]annot find (?:module|package)|Cannot find dependency '"
            r"|[Cc]annot load such file"
            r"|ERR_MODULE_NOT_FOUND|package \S+ is not in|no required module provides|ClassNotFoundException"
            r"|NoClassDefFoundError|No module named|Can't locate \S+\.pm|there is no package called"
            r"|Could not import (?:module |extension |')"
            r"|[Ff]ailed to resolve (?:import|[\"']\.)|Could not resolve [\"'][@\w]|[Cc]annot resolve module"
            r"|Error: Can't resolve '"
        ),
        96,
        "dependency.module",
        after=1,
        unless=r"^ImportError while (?:importing test module|loading conftest)|^\s*throw new |^\s*code: '",
    ),
)
