"""Random runs of a simulated pipeline, whole and damaged: the conclusions are as good as the evidence, and no better.

`python -m tests.bench.simulated` judges 500.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.simulator.sweep import judged

ROTATED_ON_A_SKEWED_HOST = 82
"""Both parts of a rotated log have one clock, and only one of them shows that it is wrong."""

CLAIMED_ONLY_THE_FIRST_TIME = 5028
"""Attempt 1 did work, which says nothing of attempt 2."""

LISTED_WHAT_ITS_LOG_DOES_NOT_TELL = 5049
"""The log of an attempt is cut before its work, and its manifest names what the work made."""

PECULIAR = (ROTATED_ON_A_SKEWED_HOST, CLAIMED_ONLY_THE_FIRST_TIME, LISTED_WHAT_ITS_LOG_DOES_NOT_TELL)


@pytest.mark.parametrize("seed", [*range(25), *PECULIAR])
def test_windows_cause_lineage_and_plan_of_a_random_run_are_as_its_evidence_allows(seed: int, tmp_path: Path) -> None:
    assert judged(seed, tmp_path) == []
