"""Builds that are killed, and builds that meet: the case is the old one or the new one, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from tests.commands import Built, build, command, perturbed, runcase

import runcase as api
from runcase import pipeline, settings
from runcase.ledger.store import Case
from runcase.ledger.sums import verify

TEXT = "2026-03-1{0}T10:00:00Z INFO start\n2026-03-1{0}T10:00:09Z ERROR part {0} broke\nProcess exited with code 2\n"


def night(folder: Path, number: int) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"app{number}.log"
    path.write_text(TEXT.format(number))
    return path


def run_ids(case: Path) -> set[str]:
    return set(api.open(case).runs.collect()["run_id"])


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the logs of two nights, the case after the first as `old` and after both as `new`."""
    root = tmp_path_factory.mktemp("nights")
    build(root / "old", night(root, 1))
    shutil.copytree(root / "old", root / "new")
    build(root / "new", night(root, 2))
    return root


@pytest.mark.parametrize(
    ("moment", "left"),
    [
        ("rename:.staging-", "old"),
        ("rename:analysis", "old"),
        ("rename:.analysis-new", "old"),
        ("replace:.dossier.md", "new"),
        ("replace:.SHA256SUMS", "new"),
        ("replace:.case.json", "new"),
    ],
)
def test_a_killed_build_leaves_a_readable_case_and_the_next_one_completes_it(
    tmp_path: Path, nights: Path, moment: str, left: str
) -> None:
    case = tmp_path / "case"
    shutil.copytree(nights / "old", case)
    words = command("build", nights / "app2.log", "-o", case, "--jobs", 1)
    died = subprocess.run(words, env=perturbed(KILLED_BEFORE=moment), start_new_session=True, capture_output=True)
    assert died.returncode == -signal.SIGKILL
    assert run_ids(case) == run_ids(nights / left)
    assert set(api.open(case).events.collect()["batch"]) == set(Case.open(nights / left).batches())
    pipeline.build(settings.resolve((str(nights / "app2.log"),), str(case)))
    assert Built(case).tree() == Built(nights / "new").tree()
    assert verify(Case.open(case)) == []


def test_builds_that_meet_in_one_case_land_or_say_that_it_is_busy(tmp_path: Path) -> None:
    case = tmp_path / "case"
    waiting = {n: command("build", night(tmp_path / "logs", n), "-o", case, "--jobs", 1) for n in range(1, 4)}
    while waiting:
        started = {n: subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for n, words in waiting.items()}
        ended = {n: (process.communicate()[1], process.returncode) for n, process in started.items()}
        assert {code for _, code in ended.values()} <= {0, 2}
        assert all("[busy]" in said for said, code in ended.values() if code == 2)
        landed = {n for n, (_, code) in ended.items() if code == 0}
        assert landed
        waiting = {n: words for n, words in waiting.items() if n not in landed}
    assert run_ids(case) == {"app1.log", "app2.log", "app3.log"}
    assert len(list(case.glob("ledger/*/events.parquet"))) == 3
    assert runcase("verify", "-c", case).code == 0
    assert not [p for p in os.listdir(case / "ledger") if p.startswith(".")]
