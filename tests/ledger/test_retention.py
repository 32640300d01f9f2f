"""Payloads expire, and what remains says so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from tests.commands import Built, Ended, runcase

import runcase as api


def retained(case: Path, policy: str, as_of: str = "2026-06-01", *more: str) -> Ended:
    (case.parent / "retention.yaml").write_text(policy)
    return runcase("retain", "-c", case, "--policy", case.parent / "retention.yaml", "--as-of", as_of, *more)


@pytest.fixture
def case(tmp_path: Path, story: Built) -> Path:
    """A copy of the story's case, to age."""
    shutil.copytree(story.root, tmp_path / "case")
    return tmp_path / "case"


def test_expired_bytes_leave_a_digest_a_size_and_a_day(case: Path, story: Built) -> None:
    ref = story.dossiers()["run_742"]["failure"]["decisive"][0]
    assert retained(case, "raw: 30d\n").code == 0
    said = runcase("raw", ref, "-c", case).out
    assert "expired" in said
    assert "as of 2026-06-01, sha256" in said
    stones = api.open(case).tombstones.collect()
    assert stones["class"].unique().to_list() == ["raw"]
    assert (stones["size_bytes"] > 0).all()


def test_dossiers_say_that_the_payload_expired_and_keep_their_verdict(case: Path, story: Built) -> None:
    retained(case, "raw: 30d\nevents: 60d\npayloads: 7d\n")
    after, before = Built(case).dossiers()["run_742"], story.dossiers()["run_742"]
    assert "raw payload expired" in Built(case).markdown("run_742")
    for kept in ("run", "windows", "stages", "replay", "artifacts"):
        assert after[kept] == before[kept]
    assert after["failure"]["class"] == before["failure"]["class"]


def test_boundaries_claims_and_cited_events_outlive_detail(case: Path, story: Built) -> None:
    before, _ = api.open(story.root).events.collect(), retained(case, "events: 60d\n")
    after = api.open(case).events.collect()
    gone = before.join(after, on="event_id", how="anti")
    assert set(gone["kind"]) <= {"log", "unknown", "progress", "heartbeat"}
    assert gone.height == api.open(case).tombstones.collect()["events"].sum() > 0


def test_what_is_younger_than_the_policy_stays(case: Path, story: Built) -> None:
    retained(case, "raw: 30d\nevents: 30d\n", "2026-04-01")
    assert Built(case).tree() == story.tree()


def test_a_dry_run_changes_nothing(case: Path, story: Built) -> None:
    ended = retained(case, "raw: 30d\n", "2026-06-01", "--dry-run", "--format", "json")
    assert json.loads(ended.out)["raw_bytes"] > 0
    assert Built(case).tree() == story.tree()


def test_the_same_policy_twice_expires_nothing_more_and_the_case_verifies(case: Path) -> None:
    retained(case, "raw: 30d\nevents: 60d\n")
    once = Built(case).tree()
    retained(case, "raw: 30d\nevents: 60d\n", "2026-07-01")
    assert Built(case).tree() == once
    assert runcase("verify", "-c", case).code == 0


def test_bytes_that_a_killed_run_left_are_removed_by_the_next(case: Path, story: Built) -> None:
    retained(case, "raw: 30d\n")
    (batch,) = (case / "ledger").iterdir()
    shutil.copy(next(story.root.glob("ledger/*/raw.parquet")), batch / "raw.parquet")
    retained(case, "raw: 30d\n", "2026-07-01")
    assert pl.read_parquet(batch / "raw.parquet").join(api.open(case).tombstones.collect(), on="source_id").is_empty()
    assert api.open(case).tombstones.collect()["as_of"].n_unique() == 1


def test_conclusions_outlive_the_events_that_they_rest_on(case: Path, tmp_path: Path) -> None:
    retained(case, "raw: 30d\nevents: 60d\n")
    before = Built(case).dossiers()["run_742"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "pack.yaml").write_text("name: mine\nversion: '1'\n")
    (tmp_path / "new.log").write_text("ERROR: no\nProcess exited with code 2\n")
    assert runcase("build", tmp_path / "new.log", "-o", case, "--rules", tmp_path / "mine").code == 0
    after = Built(case).dossiers()["run_742"]
    assert (after["run"], after["windows"]) == (before["run"], before["windows"])


def test_a_policy_with_mistakes_is_told_with_every_place(case: Path) -> None:
    ended = retained(case, "raw: soon\ncold: 3d\n")
    assert ended.code == 2
    assert "retention.yaml:1:6" in ended.err
    assert "retention.yaml:2:1" in ended.err
