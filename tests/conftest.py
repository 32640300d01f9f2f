"""Cases that many tests look at, built once."""

from __future__ import annotations

import pytest
from tests.commands import SAMPLES, Built, build


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The case of the first sample: run_742, whose write-back was lost."""
    return build(tmp_path_factory.mktemp("story") / "case", SAMPLES / "render-retry.tar.gz")


@pytest.fixture(scope="session")
def ci_run(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The case of the second sample: a CI run with three jobs."""
    return build(tmp_path_factory.mktemp("ci") / "case", SAMPLES / "ci-run.zip")
