"""The class that decisive lines name, and the class that a command's own name suggests where lines say nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import polars as pl

from runcase.analysis.decisive.details import REACH
from runcase.analysis.decisive.naming import BY_NAME, families
from runcase.analysis.decisive.records import PYTHON_TITLE
from runcase.analysis.decisive.select import Decision
from runcase.analysis.decisive.weighing import Candidate

_CLASSIFIES = 60.0
"""A line of a lower score (outside the failing part, or a general word) names no class."""

_COUNTS = 76.0
"""Totals of tests of a higher score stand in the failing part, or in a log that names none."""

_PURPOSES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (failure, re.compile(pattern, re.IGNORECASE))
    for failure, pattern in (
        (
            "build.types",
            r"\b(?:mypy|pyright|pyre|typecheck|type-check|check-types|tsc --noEmit|vue-tsc|flow check)\b",
        ),
        (
            "build.lint",
            r"lint\b|\b(?:spotless|checkstyle|detekt|ktlint|pmd|spotbugs)[A-Z]\w*"
            r"|\b(?:credo|codespell|typos|biome|clang-tidy|cppcheck|fmt|vale|bandit|semgrep|interrogate|pydocstyle|pycodestyle|doc8|deptry|lint-imports"
            r"|vulture|knip|depcheck|commitlint|cspell|standard|xo|oxlint|actionlint|zizmor|taplo|tflint|kube-linter|cfn-lint"
            r"|dprint|license:check|licen[cs]es?|reuse)\b"
            r"|\b(?:clippy|go vet|checkstyle|spotless|rubocop|phpstan|psalm|phpcs|flake8|ruff|pylint|pre-commit"
            r"|eslint|prettier|stylelint|black|isort|shellcheck|hadolint|ktlint|detekt|scalafmt|rustfmt|cargo fmt|gofmt"
            r"|clang-format|swiftlint|format(?:ting)?|golangci|staticcheck|code.?style|lintDebug)\b",
        ),
        ("build.package", r"\b(?:twine check|check-wheel-contents|pyroma|publint|attw|cargo package|npm pack)\b"),
        (
            "test.failed",
            r"\b(?:pytest|tox|nox|nosetests|unittest|jest|mocha|vitest|karma|ava|cypress|playwright|rspec|minitest|phpunit"
            r"|ctest|tests?|check|verify|e2e|integration|smoke|spec|benchmark|coverage)\b",
        ),
        ("build.docs", r"\b(?:sphinx-build|mkdocs|docs?|javadoc|rustdoc|typedoc|doxygen)\b"),
        ("build.docker", r"\b(?:docker (?:build|buildx)|buildx|docker-build|bake)\b|build-push-action"),
        ("config.deploy", r"\b(?:deploy\w*|helm|kubectl|terraform|ansible\S*|cdk|serverless|rollout)\b"),
        ("dependency.upload", r"\b(?:upload\S*|publish|push|release|codecov|twine|changeset)\b"),
        (
            "dependency.install",
            r"\b(?:apt|apt-get|yum|dnf|brew|choco|pip3?|npm (?:ci|i|install)|yarn(?: install)?|pnpm(?: i"
            r"| install)?|bundle"
            r"|composer|conda|mamba|poetry|install|setup|bootstrap|restore)\b|actions/setup-|setup-\w+@",
        ),
        ("dependency.git", r"\bgit\b|actions/checkout"),
        (
            "build.failed",
            r"\b(?:make|ninja|cmake|build|compile|package|gradlew?|mvn|ant|cargo|go|dotnet|msbuild|xcodebuild)\b",
        ),
        ("dependency.network", r"\b(?:curl|wget|fetch|download)\b"),
    )
)

_ERROR_WORD = re.compile(
    r"^\s*(?:##\[error\]\s*|::error(?: [^:]*)?::)?"
    r"(?:(?:[\w./+-]+: )?(?:Unhandled error|\[?Error\]?|\[?ERROR\]?|error|fatal): ?)*"
)
"""What makes a line a statement of an error, whatever it says."""

_EXCEPTION = re.compile(r"(?:Caused by: )?(?:[A-Za-z_][\w$]*[.$])*[A-Z]\w*(?:Error|Exception)\b(?: \[\w+\])?: ")
_OF_EXCEPTIONS = ("crash.database", "timeout.operation")
"""What the message of an exception names plainly; other words are its program's own, as `invalid argument` is."""

_LOGGED_TRACE = re.compile(r"[^\n]*\nTraceback \(most recent call last\)")
_ONE_LINE = re.compile(r"[^\n]*(?:\n\s+at [^\n]*)*\Z")
_ASSERTION = re.compile(r"\b(?:Assertion\w*Error|ComparisonFailure|AssertionFailed\w*|ExpectationNotMetError)\b")


_PLAIN_ERROR = re.compile(r"\s*Error: ")
_OF_COMMANDS = ("config.deploy", "build.lint")
"""What such commands call an error is none that was thrown."""


def purpose(command: str) -> str | None:
    """The failure class that a command's own name suggests; None when it says nothing."""
    return next((failure for failure, pattern in _PURPOSES if pattern.search(command)), None)


def named_class(decision: Decision, command: str, inside: str | None) -> str | None:
    """The class of the cause; where that is a general word, of the strongest line that has one; None for none.

    Args:
        decision: What was chosen of the lines of a run.
        command: The command that failed.
        inside: As `classes_inside` yields it.
    """
    best = decision.best.family.failure if decision.best else None
    strong = (c.family.failure for c in decision.candidates if c.family.failure and c.score >= _CLASSIFIES)
    named = best or inside or next(strong, None)
    refined = _refined(_narrowed(named, decision), command, decision) if named else None
    return inside or refined if refined == "crash.exception" else refined


def classes_inside(causes: Mapping[str, Candidate]) -> dict[str, str]:
    """The class that the cause of a run names once the word that makes it an error is taken away.

    Only of causes that stand in one line, frames aside, and of what was thrown below a line that logged it. They are
    asked together: a question to all families costs the same for many.
    """
    asked = [(run_id, *told) for run_id, c in causes.items() for told in _without_words(c.text.strip())]
    named = families(pl.Series([text for _, text, _ in asked], dtype=pl.String))
    found: dict[str, str] = {}
    for (run_id, _, thrown), name in zip(asked, named, strict=True):
        failure = BY_NAME[name].failure if name else None
        if failure and (not thrown or failure in _OF_EXCEPTIONS):
            found[run_id] = failure
    return found


def _without_words(text: str) -> Iterator[tuple[str, bool]]:
    """What a cause says without the word that makes it an error, and whether that was an exception's name."""
    title = re.match(PYTHON_TITLE, text) if _LOGGED_TRACE.match(text) else None
    if title is None and not _ONE_LINE.match(text):
        return
    line = (title[1] if title else text).split("\n", 1)[0]
    word = _ERROR_WORD.match(line)
    bare = line[word.end() :] if word else line
    if title or bare != line:
        yield bare, False
    if thrown := _EXCEPTION.match(bare):
        yield bare[thrown.end() :], True


def why_cancelled(decision: Decision) -> str:
    """Time that ran out is why, where a line says so."""
    out_of_time = any(c.family.failure == "timeout.run" for c in decision.candidates)
    return "timeout.run" if out_of_time else "cancelled"


def _within(best: Candidate, decision: Decision) -> list[Candidate]:
    """Candidates among the cause's own lines."""
    own = range(best.place, best.place + REACH)
    return [c for c in decision.candidates if c.place in own]


def _narrowed(failure: str, decision: Decision) -> str:
    """The narrower class that the statement's own lines name: `test.snapshot` below `test.failed`."""
    root, _, leaf = failure.partition(".")
    if leaf != "failed" or decision.best is None:
        return failure
    inside = (c.family.failure or "" for c in _within(decision.best, decision))
    return next((f for f in inside if f.startswith(f"{root}.") and f != failure), failure)


def _refined(failure: str, command: str, decision: Decision) -> str:
    """A place in a file is no compiler's when a linter or type checker ran; what a test throws is no crash."""
    text = decision.best.text if decision.best else ""
    if failure == "crash.exception" and (_counted(decision) or _asserted(text, command)):
        return "test.failed"
    if failure == "crash.exception" and _PLAIN_ERROR.match(text) and purpose(command) in _OF_COMMANDS:
        return purpose(command) or failure
    if decision.best and decision.best.family.name == "rustc":
        return failure
    if (
        failure == "build.compile"
        and decision.best
        and any(c.family.name == "clippy" for c in _within(decision.best, decision))
    ):
        return "build.lint"
    if failure not in ("build.compile", "build.task_failed", "build.lint"):
        return failure
    named = (purpose(command), purpose(text) if failure == "build.task_failed" else None)
    return next((p for p in named if p in ("build.lint", "build.types")), failure)


def _counted(decision: Decision) -> bool:
    """Whether a test tool counted failures in the part of the run that failed."""
    return any(
        c.family.total and (c.family.failure or "") == "test.failed" and c.score >= _COUNTS for c in decision.candidates
    )


def _asserted(text: str, command: str) -> bool:
    return bool(_ASSERTION.search(text)) and purpose(command) == "test.failed"
