"""The shipped samples through the command line: what a newcomer sees first."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.commands import SAMPLES, Built, runcase


def window(dossier: dict[str, Any], name: str, attempt: int) -> dict[str, Any]:
    found = [w for w in dossier["windows"] if w["name"] == name and w["attempt"] == attempt]
    assert len(found) == 1
    return dict(found[0])


def test_the_story_is_a_lost_write_back(story: Built) -> None:
    dossier = story.dossiers()["run_742"]
    assert dossier["failure"]["class"] == "writeback.upload_timeout"
    assert dossier["run"]["claimed_status"] == "running"
    assert [a["attempt"] for a in dossier["run"]["attempts"]] == [1, 2]
    assert dossier["run"]["bundle"] == "bundle_129"
    assert dossier["run"]["workspace_id"] == "ws_742"


def test_the_story_cites_what_it_rests_on(story: Built) -> None:
    evidence = {e["text"]: e["refs"] for e in story.dossiers()["run_742"]["failure"]["evidence"]}
    assert set(evidence) == {
        "the final artifact exists",
        "the upload timed out",
        "the status stayed running",
        "the bundle was the same on the retry",
    }
    timeout = runcase("raw", evidence["the upload timed out"][0], "-c", story.root)
    assert "upload timeout artifact_087 after 56.7s" in timeout.out


def test_the_windows_of_the_story_come_from_its_evidence(story: Built) -> None:
    dossier = story.dossiers()["run_742"]
    assert window(dossier, "queue", 2)["duration_us"] == 51_000_000
    assert window(dossier, "boot", 2)["duration_us"] == 17_000_000
    assert window(dossier, "active", 2)["duration_us"] == (11 * 60 + 28) * 1_000_000
    assert window(dossier, "writeback", 2)["state"] == "open"
    assert window(dossier, "writeback", 2)["duration_us"] is None


def test_the_final_artifact_is_verified_against_the_file_in_the_archive(story: Built) -> None:
    states = {a["artifact_id"]: a for a in story.dossiers()["run_742"]["artifacts"]}
    assert states["artifact_087"]["state"] == "verified"
    assert states["artifact_044"]["state"] == "claimed"


def test_the_replay_starts_at_the_write_back(story: Built) -> None:
    replay = story.dossiers()["run_742"]["replay"]
    assert replay["start"] == "writeback"
    assert any("artifact_087" in x for x in replay["reuse"])
    assert any("bundle" in x for x in replay["reuse"])
    assert any("workspace" in x or "ws_742" in x for x in replay["reuse"])
    redo = " ".join(replay["redo"])
    assert "upload" in redo
    assert "status row" in redo
    assert "completion event" in redo
    not_redo = " ".join(replay["not_redo"])
    assert all(stage in not_redo for stage in ("preprocessing", "extraction", "validation"))


def test_each_failing_job_shows_its_decisive_lines_on_the_first_screen(ci_run: Built) -> None:
    runs = ci_run.dossiers()
    assert {name: d["run"]["status"] for name, d in runs.items()} == {
        "ci-run/lint": "succeeded",
        "ci-run/package": "failed",
        "ci-run/test (3.12, ubuntu-24.04)": "failed",
    }
    test_screen = ci_run.markdown("ci-run/test (3.12, ubuntu-24.04)").split("\n")[:60]
    assert any("assert ['Buch', 'stabe'] == ['Buch-', 'stabe']" in line for line in test_screen)
    package_screen = ci_run.markdown("ci-run/package").split("\n")[:60]
    assert "/bin/sh: 1: flatpak-builder: not found" in package_screen
    assert "##[error]Process completed with exit code 127." in package_screen


def test_a_job_and_its_steps_count_once(ci_run: Built) -> None:
    tests = ci_run.dossiers()["ci-run/test (3.12, ubuntu-24.04)"]["tests"]
    assert tests == {
        "tool": "pytest",
        "run": 117,
        "passed": 116,
        "failed": 1,
        "skipped": 1,
        "failed_names": ["tests.test_hyphen::test_soft_hyphen_at_line_end"],
    }


@pytest.mark.parametrize("sample", ["story", "ci_run"])
def test_every_byte_of_a_sample_is_accounted_for(sample: str, request: pytest.FixtureRequest) -> None:
    built: Built = request.getfixturevalue(sample)
    sources = pl.concat(pl.read_parquet(p) for p in built.root.glob("ledger/*/sources.parquet"))
    split = pl.col("event_bytes") + pl.col("quarantined_bytes") + pl.col("overhead_bytes")
    assert sources.filter(pl.col("size_bytes") != split).is_empty()
    assert sources.filter(pl.col("quarantined_bytes") > 0).is_empty()


@pytest.mark.parametrize("sample", ["story", "ci_run"])
def test_every_first_screen_fits_sixty_lines(sample: str, request: pytest.FixtureRequest) -> None:
    built: Built = request.getfixturevalue(sample)
    for run_id, dossier in built.dossiers().items():
        screen = built.markdown(run_id).split("\n## ", 1)[0].rstrip().split("\n")
        assert len(screen) <= 60
        if dossier["failure"]:
            assert any(dossier["failure"]["blocker"]["text"] in line for line in screen)


@pytest.mark.parametrize("name", ["make_render_retry", "make_ci_run"])
def test_a_sample_is_what_its_script_writes(name: str) -> None:
    script = runpy.run_path(str(SAMPLES / f"{name}.py"))
    shipped = {"make_render_retry": "render-retry.tar.gz", "make_ci_run": "ci-run.zip"}[name]
    assert script["archive"]() == (SAMPLES / shipped).read_bytes()


def test_show_lists_runs_and_opens_one(story: Built) -> None:
    listed = runcase("show", "-c", story.root)
    assert "run_742" in listed.out
    one = runcase("show", "run_742", "-c", story.root)
    assert "writeback.upload_timeout" in one.out
    assert "\x1b" not in one.out


def test_index_names_the_failure_and_the_run(story: Built) -> None:
    page = (story.root / "index.md").read_text()
    assert "writeback.upload_timeout" in page
    assert "run_742" in page
    assert Path(story.root / "index.html").stat().st_size > 1000


def test_duckdb_reads_a_case_as_plain_parquet(story: Built) -> None:
    words = [sys.executable, str(SAMPLES / "read_with_duckdb.py"), str(story.root)]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert re.search(r"run_742 +│ failed +│ window +│ active +│ +688\.0 │ INFO", told)
