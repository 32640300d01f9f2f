"""Logs as someone who is on call has them at night: of many tools, with nothing of a CI service around them."""

from __future__ import annotations

import pytest
from tests.commands import Built, build
from tests.failures.logbook import BARE, Sample, samples

SAMPLES = {s.name: s for s in samples(BARE)}
SCREEN = 60


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """All samples in one case, a folder each."""
    root = tmp_path_factory.mktemp("bare")
    for s in SAMPLES.values():
        (root / "logs" / s.name).mkdir(parents=True)
        (root / "logs" / s.name / f"{s.name}.log").write_text("\n".join(s.body) + "\n", encoding="utf-8")
    return build(root / "case", root / "logs")


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=lambda s: s.name)
def test_the_first_screen_says_how_it_ended_and_why(sample: Sample, case: Built) -> None:
    of_sample = (d for d in case.dossiers().values() if f"/{sample.name}/{sample.name}.log" in str(d["sources"]))
    (dossier,) = of_sample
    run, failure, tests = dossier["run"], dossier["failure"], dossier["tests"]
    assert run["status"] == sample.status
    assert (failure["class"] if failure else None) == sample.failure
    assert sample.why in (failure["blocker"]["text"] if failure else "")
    assert sample.tests is None or (tests["run"], tests["failed"], tests["skipped"]) == sample.tests
    assert not sample.failed_names or sample.failed_names == tuple(tests["failed_names"])
    screen = [" ".join(line.split()) for line in case.markdown(run["run_id"]).split("\n")[:SCREEN]]
    assert [s for s in sample.shows if not any(" ".join(s.split()) in line for line in screen)] == []
    assert [s for s in sample.hides if any(" ".join(s.split()) in line for line in screen)] == []
