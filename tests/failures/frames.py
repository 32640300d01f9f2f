"""How CI services frame what commands print: stamps, steps, folds, noise before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

Body = Sequence[str]
Block = tuple[str, list[str], int | None]
"""A command, what it prints, and its exit code (none: the log breaks off, or an action that failed by itself)."""

BEGIN = datetime(2024, 5, 2, 10, 0, tzinfo=UTC)
PACKAGES = (
    "libgpg-error0 exceptiongroup error-stack-parser fatal-lint catch2 failsafe killable-threads timeoutd".split()
)


def blocks(body: Body) -> list[Block]:
    """The commands of a sample."""
    found: list[Block] = []
    for line in body:
        if line.startswith("== exit "):
            title, printed, _ = found[-1]
            found[-1] = (title, printed, int(line.removeprefix("== exit ")))
        elif line.startswith("== "):
            found.append((line.removeprefix("== "), [], None))
        else:
            found[-1][1].append(line)
    return found


def noise(lines: int = 420) -> Iterator[str]:
    """What installing dependencies prints, words that frighten included."""
    for n in range(lines):
        package = PACKAGES[n % len(PACKAGES)]
        yield (
            f"Get:{n} http://azure.archive.ubuntu.com/ubuntu jammy/main amd64 {package} amd64 1.{n} [{n * 7} kB]",
            f"Setting up {package}:amd64 (1.{n}-2ubuntu{n % 5}) ...",
            f"npm warn deprecated {package}@{n}.1.0: this version has errors that were fixed, please upgrade",
            f"  Downloading {package}-{n}.2-py3-none-any.whl ({n} kB)",
            f"Processing triggers for {package} (2.{n}), 0 errors",
        )[n % 5]


def github(body: Body) -> str:
    """The text of one job of GitHub Actions."""
    lines = [
        "Current runner version: '2.316.1'",
        "##[group]Operating System",
        *("Ubuntu", "22.04.4", "LTS"),
        "##[endgroup]",
        "##[group]GITHUB_TOKEN Permissions",
        *("Contents: read", "Metadata: read"),
        "##[endgroup]",
        "Secret source: Actions",
        "Prepare workflow directory",
        "Prepare all required actions",
        "Getting action download info",
        "Complete job name: build (ubuntu-22.04)",
        "##[group]Run actions/checkout@v4",
        *("with:", "  repository: acme/shop", "  fail-on-error: true"),
        "##[endgroup]",
        "Syncing repository: acme/shop",
        "[command]/usr/bin/git version",
        "git version 2.43.2",
        "##[group]Run ./install-dependencies.sh",
        "\x1b[36;1m./install-dependencies.sh || exit 1\x1b[0m",
        "shell: /usr/bin/bash --noprofile --norc -e -o pipefail {0}",
        "##[endgroup]",
        *noise(),
    ]
    for title, printed, code in blocks(body):
        lines += [f"##[group]{title}", f"\x1b[36;1m{title.removeprefix('Run ')}\x1b[0m"]
        lines += ["shell: /usr/bin/bash -e {0}", "env:", "  FAIL_FAST: false", "##[endgroup]", *printed]
        if code:
            lines.append(f"##[error]Process completed with exit code {code}.")
    lines += [
        "Post job cleanup.",
        "[command]/usr/bin/git config --local --name-only --get-regexp core\\.sshCommand",
        "[command]/usr/bin/git submodule foreach --recursive sh -c \"git config --local --unset-all 'x' || :\"",
        "Cleaning up orphan processes",
    ]
    return "".join(f"{_stamp(n)} {line}\n" for n, line in enumerate(lines))


def _stamp(n: int) -> str:
    return (BEGIN + timedelta(milliseconds=173 * n)).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def travis(body: Body, end: Sequence[str] = ()) -> str:
    """The text of one job of Travis CI."""
    lines = ["travis_fold:start:worker_info\r\x1b[0K\x1b[33;1mWorker information\x1b[0m", "hostname: worker-7 (gce)"]
    lines += ["version: v6.2.0 https://github.com/travis-ci/worker/", "travis_fold:end:worker_info\r\x1b[0K"]
    lines += ["travis_fold:start:install\r\x1b[0Ktravis_time:start:0a1b\r\x1b[0K$ ./install.sh", *noise()]
    lines += [_travis_time("0a1b", 0), "travis_fold:end:install\r\x1b[0K"]
    worst = 0
    for n, (title, printed, code) in enumerate(blocks(body), 1):
        lines += [f"travis_time:start:{n:08x}\r\x1b[0K$ {title}", *printed]
        if code is not None:
            colour = "31;1" if code else "32;1"
            lines += [_travis_time(f"{n:08x}", n)]
            lines += [f'\x1b[{colour}mThe command "{title}" exited with {code}.\x1b[0m']
            worst = worst or code
    lines += end or ["", f"Done. Your build exited with {min(1, worst)}."]
    return "\n".join(lines) + "\n"


def _travis_time(name: str, n: int) -> str:
    start = 1_714_644_000_000_000_000 + n * 9_000_000_000
    return f"travis_time:end:{name}:start={start},finish={start + 8_000_000_000},duration=8000000000\r\x1b[0K"


def gitlab(body: Body, end: Sequence[str] = ()) -> str:
    """The trace of one job of GitLab."""
    lines = ["\x1b[0KRunning with gitlab-runner 16.11.0 (91a27b2a)\x1b[0;m", "\x1b[0K  on runner-7 abcdef\x1b[0;m"]
    lines += _section("prepare_executor", 0, ["Using Docker executor with image debian:12 ..."])
    lines += _section("get_sources", 9, ["Fetching changes with git depth set to 20...", *noise()])
    printed_all: list[str] = []
    worst = 0
    for title, printed, code in blocks(body):
        printed_all += [f"\x1b[32;1m$ {title}\x1b[0;m", *printed]
        worst = worst or (code or 0)
    lines += _section("step_script", 30, printed_all)
    failed = f"\x1b[31;1mERROR: Job failed: exit code {worst}\x1b[0;m" if worst else "\x1b[32;1mJob succeeded\x1b[0;m"
    return "\n".join([*lines, *(end or [failed])]) + "\n"


def _section(name: str, at: int, lines: Sequence[str]) -> list[str]:
    begin = 1_714_644_000 + at
    return [
        f"section_start:{begin}:{name}\r\x1b[0K\x1b[0K\x1b[36;1m{name}\x1b[0;m\x1b[0;m",
        *lines,
        f"section_end:{begin + 8}:{name}\r\x1b[0K",
    ]


def gitlab_to_the_end(body: Body) -> str:
    """The trace of a failed job with what its runner does after the script; `after: x` is of `after_script`."""
    script, after = ([b for b in blocks(body) if b[0].startswith("after: ") is late] for late in (False, True))
    code = next(code for _, _, code in script if code)
    echoed = [
        [line for title, printed, _ in part for line in (f"\x1b[32;1m$ {title}\x1b[0;m", *printed)]
        for part in (script, after)
    ]
    nothing = ["WARNING: coverage/: no matching files.", "\x1b[31;1mERROR: No files to upload   \x1b[0;m"]
    lines = ["\x1b[0KRunning with gitlab-runner 16.11.0 (91a27b2a)\x1b[0;m"]
    lines += _section("get_sources", 0, list(noise()))
    lines += _section("restore_cache", 9, ["\x1b[0;33mFailed to extract cache\x1b[0;m"])
    lines += _section("step_script", 20, echoed[0])
    lines += _section("after_script", 30, ["Running after script...", *echoed[1]]) if after else []
    lines += _section("upload_artifacts_on_failure", 40, nothing)
    lines += _section("cleanup_file_variables", 50, [])
    joined = "\n".join([*lines, f"\x1b[31;1mERROR: Job failed: exit code {code}\x1b[0;m"]) + "\n"
    return joined.replace("\r\x1b[0K\nsection_start", "\r\x1b[0Ksection_start")


_STALLED = (
    "",
    "No output has been received in the last 10m0s, this potentially indicates a stalled build or something wrong"
    " with the build itself.",
    "Check the details on how to adjust your build configuration on: https://docs.travis-ci.com/user/common-build",
    "",
    "The build has been terminated",
)
_TOO_LONG = ("", "The job exceeded the maximum time limit for jobs, and has been terminated.", "")
_SYSTEM = (
    "\x1b[31;1mERROR: Job failed (system failure): prepare environment: waiting for pod running: timed out waiting for"
    " pod to start\x1b[0;m",
)
_TOOK_LONGER = ("\x1b[31;1mERROR: Job failed: execution took longer than 1h0m0s seconds\x1b[0;m",)

FRAMES: dict[str, Callable[[Body], str]] = {
    "github": github,
    "travis": travis,
    "travis-stalled": lambda body: travis(body, _STALLED),
    "travis-too-long": lambda body: travis(body, _TOO_LONG),
    "gitlab": gitlab,
    "gitlab-to-the-end": gitlab_to_the_end,
    "gitlab-system": lambda body: gitlab(body, _SYSTEM),
    "gitlab-timeout": lambda body: gitlab(body, _TOOK_LONGER),
}
