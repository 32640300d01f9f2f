"""A hundred and more console logs of our own making: status, class, decisive lines, test results."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.commands import once
from tests.failures.frames import FRAMES
from tests.failures.logbook import Sample, samples

from runcase import pipeline, settings

SAMPLES = {s.name: s for s in samples()}
FAILED = [s for s in SAMPLES.values() if s.status != "succeeded"]
SCREEN = 60


@dataclass(frozen=True, slots=True)
class Shown:
    """What a reader gets of one log."""

    dossier: dict[str, Any]
    screen: tuple[str, ...]
    log_chars: int

    @property
    def reduction(self) -> float:
        return 1 - len("\n".join(self.screen)) / self.log_chars


Look = Callable[[Sample], Shown]


@pytest.fixture(scope="module")
def look(tmp_path_factory: pytest.TempPathFactory) -> Look:
    """All samples in one case, as one build."""

    def made(root: Path) -> None:
        (root / "logs").mkdir()
        for s in SAMPLES.values():
            (root / "logs" / f"{s.name}.log").write_text(FRAMES[s.frame](s.body), encoding="utf-8")
        pipeline.build(settings.resolve((str(root / "logs"),), str(root / "case"), jobs=2))

    root = once(tmp_path_factory, "logbook", made)
    found: dict[str, Path] = {}
    for path in root.glob("case/runs/*/dossier.json"):
        found[json.loads(path.read_bytes())["run"]["run_id"].rpartition("/")[2]] = path

    def of(sample: Sample) -> Shown:
        path = found[f"{sample.name}.log"]
        screen = path.with_name("dossier.md").read_text(encoding="utf-8").split("\n")[:SCREEN]
        log = (root / "logs" / f"{sample.name}.log").read_text(encoding="utf-8")
        return Shown(json.loads(path.read_bytes()), tuple(screen), len(log))

    return of


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=lambda s: s.name)
def test_the_status_is_that_of_the_log(sample: Sample, look: Look) -> None:
    assert look(sample).dossier["run"]["status"] == sample.status


@pytest.mark.parametrize("sample", [s for s in SAMPLES.values() if s.status == "succeeded"], ids=lambda s: s.name)
def test_words_that_frighten_are_no_cause_where_nothing_failed(sample: Sample, look: Look) -> None:
    assert look(sample).dossier["failure"] is None


@pytest.mark.parametrize("sample", FAILED, ids=lambda s: s.name)
def test_the_class_says_what_kind_of_failure_it_was(sample: Sample, look: Look) -> None:
    failure = look(sample).dossier["failure"]
    assert failure["class"] == sample.failure or failure["class"].startswith(f"{sample.failure}.")
    assert sample.why in failure["blocker"]["text"]


@pytest.mark.parametrize("sample", FAILED, ids=lambda s: s.name)
def test_the_first_screen_shows_the_lines_that_decide(sample: Sample, look: Look) -> None:
    shown = [squeezed(line) for line in look(sample).screen]
    hidden = [line for line in sample.shows if not any(squeezed(line) in s for s in shown)]
    assert not hidden


@pytest.mark.parametrize("sample", [s for s in SAMPLES.values() if s.hides], ids=lambda s: s.name)
def test_the_first_screen_leaves_out_what_says_nothing_of_the_failure(sample: Sample, look: Look) -> None:
    screen = [squeezed(line) for line in look(sample).screen]
    assert [line for line in sample.hides if any(squeezed(line) in s for s in screen)] == []


@pytest.mark.parametrize("sample", [s for s in SAMPLES.values() if s.tests], ids=lambda s: s.name)
def test_the_results_are_those_that_the_test_tool_prints(sample: Sample, look: Look) -> None:
    tests = look(sample).dossier["tests"]
    assert (tests["run"], tests["failed"], tests["skipped"]) == sample.tests
    assert set(sample.failed_names) <= set(tests["failed_names"])
    assert not set(sample.never_failed) & set(tests["failed_names"])


def test_first_screens_are_short_against_their_logs(look: Look) -> None:
    reductions = [look(s).reduction for s in FAILED]
    assert sum(reductions) / len(reductions) >= 0.97
    assert min(reductions) >= 0.95


@pytest.mark.parametrize("sample", FAILED, ids=lambda s: s.name)
def test_no_line_stands_twice_among_the_evidence(sample: Sample, look: Look) -> None:
    evidence = [(e["text"], *e["refs"]) for e in look(sample).dossier["failure"]["evidence"]]
    assert len(evidence) == len(set(evidence))
