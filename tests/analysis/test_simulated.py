"""Random runs of a simulated pipeline, whole and damaged: the conclusions are as good as the evidence, and no better.

`python -m tests.bench.simulated` judges 500.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.simulator.sweep import judged

ROTATED_ON_A_SKEWED_HOST = 82
"""Both parts of a rotated log have one clock, and only one of them shows that it is wrong."""


@pytest.mark.parametrize("seed", [*range(25), ROTATED_ON_A_SKEWED_HOST])
def test_windows_cause_lineage_and_plan_of_a_random_run_are_as_its_evidence_allows(seed: int, tmp_path: Path) -> None:
    assert judged(seed, tmp_path) == []
