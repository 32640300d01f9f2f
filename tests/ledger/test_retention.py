"""Payloads expire, and what remains says so."""

from __future__ import annotations

import io
import json
import shutil
import signal
import subprocess
import tarfile
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest
from tests.commands import Built, Ended, command, perturbed, runcase
from tests.simulator.damage import exported
from tests.simulator.knobs import CAUSES, Knobs
from tests.simulator.world import simulated

import runcase as api
from runcase import pipeline, settings


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
    retained(case, "raw: 30d\nevents: 60d\n")
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


@pytest.mark.parametrize("moment", [".raw.parquet", ".events.parquet", ".dossier.md", ".SHA256SUMS"])
def test_retention_that_was_killed_is_told_and_completed_by_the_next_run(case: Path, moment: str) -> None:
    whole = case.parent / "whole"
    shutil.copytree(case, whole)
    policy = "raw: 30d\nevents: 60d\n"
    retained(whole, policy)
    words = command("retain", "-c", case, "--policy", case.parent / "retention.yaml", "--as-of", "2026-06-01")
    env = perturbed(SIGNALLED_BEFORE=f"KILL:replace:{moment}")
    died = subprocess.run(words, env=env, start_new_session=True, capture_output=True)
    assert died.returncode == -signal.SIGKILL
    assert "[retention_pending]" in runcase("verify", "-c", case).out
    assert retained(case, policy).code == 0
    assert Built(case).tree() == Built(whole).tree()
    assert runcase("verify", "-c", case).code == 0


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


def with_text_artifacts(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files of a run whose artifacts are text, their digests in manifest and logs with them."""
    own = {path: data for path, data in files.items() if data.startswith(b"\x00\x01BIN")}
    texts = {path: b"page of " + data[5:].rstrip(b"\x00") + b"\n" for path, data in own.items()}
    digests = {sha256(own[path]).hexdigest(): sha256(texts[path]).hexdigest() for path in own}

    def told(data: bytes) -> bytes:
        for old, new in digests.items():
            data = data.replace(old.encode(), new.encode())
        return data

    return {path: texts.get(path, told(data)) for path, data in files.items()}


@pytest.fixture
def simulated_case(tmp_path: Path) -> Path:
    """A run that failed in its write-back and whose archive holds what it made, as text."""
    knobs = Knobs(CAUSES["upload_timeout"], sources=3)
    with tarfile.open(tmp_path / "run.tar", "w") as archive:
        for path, data in with_text_artifacts(exported(simulated(knobs)).files).items():
            member = tarfile.TarInfo(path)
            member.size, member.mtime = len(data), 1_778_313_600
            archive.addfile(member, io.BytesIO(data))
    pipeline.build(settings.resolve((str(tmp_path / "run.tar"),), str(tmp_path / "case"), jobs=1))
    return tmp_path / "case"


def test_an_artifact_whose_payload_expired_is_reused_by_no_plan(simulated_case: Path) -> None:
    (before,) = Built(simulated_case).dossiers().values()
    retained(simulated_case, "payloads: 1d\n", "2027-06-01")
    (after,) = Built(simulated_case).dossiers().values()
    states = [{a["artifact_id"]: a["state"] for a in d["artifacts"]} for d in (before, after)]
    assert "verified" in states[0].values()
    assert {states[1][name] for name, state in states[0].items() if state == "verified"} == {"expired"}
    assert "payload_expired" in {b["code"] for b in after["replay"]["blockers"]}
    gone = {name for name, state in states[1].items() if state == "expired"}
    assert gone.isdisjoint(after["replay"]["reuse"])
    assert runcase("verify", "-c", simulated_case).code == 0


def test_conclusions_drawn_anew_say_of_an_expired_payload_what_retention_said(simulated_case: Path) -> None:
    retained(simulated_case, "payloads: 1d\n", "2027-06-01")
    (said,) = Built(simulated_case).dossiers().values()
    archive = str(simulated_case.parent / "run.tar")
    pipeline.build(settings.resolve((archive,), str(simulated_case), max_size="200000"))
    (again,) = Built(simulated_case).dossiers().values()
    assert (again["artifacts"], again["replay"]) == (said["artifacts"], said["replay"])
