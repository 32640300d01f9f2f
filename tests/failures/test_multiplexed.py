"""Programs whose output several tools mix into one log, with a mark before each line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.failures.frames import FRAMES
from tests.failures.logbook import Sample, samples

from runcase import pipeline, settings

BEFORE = {
    "docker-compose": "test_1  | ",
    "compose-2": "shop-test-1  | ",
    "turbo": "@acme/shop:test: ",
    "pnpm": "packages/shop test: ",
    "lerna": "@acme/shop: ",
    "concurrently": "[test] ",
}
KINDS = ("unittest-failure", "jest-assertion", "mocha-failure", "rspec", "go-test", "real-mvn-results-only")
MIXED = {s.name: s for s in samples() if s.name in KINDS}

Look = Callable[[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def look(tmp_path_factory: pytest.TempPathFactory) -> Look:
    """All samples below all marks, in one case."""
    root = tmp_path_factory.mktemp("mixed")
    (root / "logs").mkdir()
    for name, sample in MIXED.items():
        for tool, mark in BEFORE.items():
            body = [line if line.startswith("== ") else f"{mark}{line}" for line in sample.body]
            (root / "logs" / f"{name}@{tool}.log").write_text(FRAMES[sample.frame](body), encoding="utf-8")
    pipeline.build(settings.resolve((str(root / "logs"),), str(root / "case"), jobs=2))
    found: dict[str, dict[str, Any]] = {}
    for path in Path(root).glob("case/runs/*/dossier.json"):
        dossier = json.loads(path.read_bytes())
        found[dossier["run"]["run_id"].rpartition("/")[2]] = dossier
    return lambda name, tool: found[f"{name}@{tool}.log"]


@pytest.mark.parametrize("tool", BEFORE)
@pytest.mark.parametrize("sample", MIXED.values(), ids=lambda s: s.name)
def test_a_mark_before_each_line_hides_neither_the_class_nor_the_results(sample: Sample, tool: str, look: Look) -> None:
    dossier = look(sample.name, tool)
    tests = dossier["tests"]
    assert dossier["failure"]["class"] == sample.failure
    assert (tests["run"], tests["failed"], tests["skipped"]) == sample.tests
    assert set(sample.failed_names) <= set(tests["failed_names"])


def test_all_samples_that_are_named_are_there() -> None:
    assert set(MIXED) == set(KINDS)
