"""An early error that the job went on after, and what ended it: which of them is the cause."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.commands import build
from tests.failures.frames import github

PROGRESS = [f"@acme/part-{n}:build: cache miss, executing {n:08x}" for n in range(900)]
SPENT = ["tests/cart.test.tsx failed to pass within 2 retries", "Some tests failed"]

ENDS = {
    "git-asked-in-vain": (
        ["fatal: detected dubious ownership in repository at '/shop'", *PROGRESS, *SPENT],
        ("test.failed", "tests/cart.test.tsx failed to pass"),
    ),
    "lock-of-another-and-then-no-memory": (
        ["error: could not lock config file .git/config: File exists", *PROGRESS,
         "c++: fatal error: Killed signal terminated program cc1plus", "ninja: build stopped: subcommand failed."],
        ("resource.oom", "Killed signal terminated program cc1plus"),
    ),
    "ended-soon-after": (
        ["fatal: detected dubious ownership in repository at '/shop'", *PROGRESS[:40], *SPENT],
        ("config.git", "dubious ownership"),
    ),
    "not-installed-then-not-there": (
        [
            "ERROR: No matching distribution found for cartlib==9.1",
            *PROGRESS,
            "ModuleNotFoundError: No module named 'cartlib'",
        ],
        ("dependency.registry", "No matching distribution found for cartlib"),
    ),
    "came-again-at-the-end": (
        [
            "curl: (6) Could not resolve host: cache.example.com",
            *PROGRESS,
            "Error: getaddrinfo ENOTFOUND registry.example.org",
        ],
        ("dependency.dns", "cache.example.com"),
    ),
    "only-a-consequence-told": (
        ["psql: error: connection to server at \"db\" failed: FATAL:  password authentication failed for user \"shop\"",
         *PROGRESS, "Error: timed out waiting for the condition"],
        ("dependency.auth", "password authentication failed"),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def dossiers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    root: Path = tmp_path_factory.mktemp("outlived")
    (root / "logs").mkdir()
    for name, (printed, _) in ENDS.items():
        body = ["== Run ./build-and-test", *printed, "== exit 1"]
        (root / "logs" / f"{name}.log").write_text(github(body), encoding="utf-8")
    found = build(root / "case", root / "logs").dossiers()
    return {run_id.rpartition("/")[2].removesuffix(".log"): d for run_id, d in found.items()}


@pytest.mark.parametrize("name", ENDS)
def test_what_a_job_plainly_outlived_is_not_why_it_failed(name: str, dossiers: dict[str, dict[str, Any]]) -> None:
    failure = dossiers[name]["failure"]
    failure_class, text = ENDS[name][1]
    assert (failure["class"], text in failure["blocker"]["text"]) == (failure_class, True)


def test_outlived_trouble_is_shown_and_it_is_said_why_it_was_passed_over(dossiers: dict[str, dict[str, Any]]) -> None:
    failure = dossiers["git-asked-in-vain"]["failure"]
    assert any("dubious ownership" in e["text"] for e in failure["evidence"])
    (why,) = (c["rejected_because"] for c in failure["considered"] if c["class"] == "config.git")
    assert "was outlived: what ended the run came 901 lines later" in why
