"""Questions to a finished case: windows, graph, replay, compare."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from tests.commands import SAMPLES, Built, runcase

from runcase.cli import commands
from runcase.model.problems import RuncaseError

FINAL = "out/artifact_087.pdf"


def ask(built: Built, *args: object) -> str:
    """Standard output of a command, run in this process."""
    done = CliRunner().invoke(commands, [*map(str, args), "-c", str(built.root)])
    if done.exception is not None:
        raise done.exception
    return done.stdout


def asked(built: Built, *args: object) -> dict[str, Any]:
    return dict(json.loads(ask(built, *args, "--format", "json")))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of the story's second attempt, as its archive holds it."""
    folder = tmp_path_factory.mktemp("disk")
    with tarfile.open(SAMPLES / "render-retry.tar.gz") as tar:
        tar.extractall(folder, filter="data")
    return folder / "run_742" / "attempt-2" / "workspace"


def test_windows_says_what_the_total_consists_of(story: Built) -> None:
    said = ask(story, "windows", "run_742", "--attempt", 2)
    assert "813 s in all = 756 s in windows - 0 s of overlap + 57 s that no window explains" in said
    assert "no_status_writeback" in said
    assert "textract (42 calls)" in said


def test_windows_tells_what_the_run_would_have_taken_without_each_step(story: Built) -> None:
    chain = asked(story, "windows", "run_742")["critical_path"]
    assert [s["name"] for s in chain["steps"]] == ["preprocessing", "extraction", "rendering", "validation"]
    assert chain["steps"][3]["needed"] == ["artifact_085"]
    assert all(s["run_without_us"] == chain["total_us"] - (s["end_us"] - s["start_us"]) for s in chain["steps"])


def test_the_windows_of_a_run_are_those_of_its_dossier(story: Built) -> None:
    dossier = story.dossiers()["run_742"]
    assert asked(story, "windows", "run_742")["windows"][: len(dossier["windows"])] == dossier["windows"]


def test_graph_tells_what_each_stage_read_and_made(story: Built) -> None:
    said = ask(story, "graph", "run_742").split("\n")
    assert said[said.index("validation") :][:3] == [
        "validation",
        "  read:  artifact_085",
        "  wrote: artifact_086, artifact_087",
    ]


def test_graph_follows_an_artifact_both_ways(story: Built) -> None:
    found = asked(story, "graph", "run_742", "--of", "artifact_085")
    assert "artifact:bundle_129" in found["upstream"]
    assert found["downstream"] == ["artifact:artifact_086", "artifact:artifact_087", "stage:validation"]


def test_graph_is_well_formed_graphml(story: Built) -> None:
    tree = ElementTree.fromstring(ask(story, "graph", "run_742", "--format", "graphml"))
    names = {n.get("id") for n in tree.iter("{http://graphml.graphdrawing.org/xmlns}node")}
    assert {"artifact:artifact_087", "stage:validation"} <= names


def test_an_artifact_that_is_not_there_is_a_clear_mistake(story: Built) -> None:
    with pytest.raises(RuncaseError, match="no artifact or stage 'artifact_999'"):
        ask(story, "graph", "run_742", "--of", "artifact_999")


def test_replay_prints_the_plan_of_the_dossier(story: Built) -> None:
    assert asked(story, "replay", "run_742")["plan"] == story.dossiers()["run_742"]["replay"]


def test_replay_checks_the_workspace_of_today(story: Built, workspace: Path) -> None:
    kept = asked(story, "replay", "run_742", "--workspace", workspace)
    assert kept["plan"]["start"] == "writeback"
    assert kept["checked"]["found"] == 3
    final = (workspace / FINAL).read_bytes()
    (workspace / FINAL).write_bytes(b"other bytes")
    moved = asked(story, "replay", "run_742", "--workspace", workspace)
    (workspace / FINAL).write_bytes(final)
    assert moved["checked"]["mismatch"] == ["artifact_087"]
    assert moved["plan"]["start"] == "validation"
    assert moved["plan"]["counterfactuals"] == ["restore artifact_087 and the start moves to writeback"]


def test_a_claimed_path_that_leads_out_of_the_workspace_is_not_opened(story: Built, tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/")
    assert asked(story, "replay", "run_742", "--workspace", tmp_path)["checked"]["found"] == 0


def test_a_run_that_needs_no_replay_says_so(ci_run: Built) -> None:
    assert "nothing needs to be done again" in ask(ci_run, "replay", "lint")


def test_compare_takes_the_attempt_before_where_no_good_run_is_known(story: Built) -> None:
    found = asked(story, "compare", "run_742")
    assert (found["a"]["attempt"], found["b"]["attempt"]) == (2, 1)
    assert {"name": "host", "a": "worker-7", "b": "worker-3"} in found["frame"]
    assert any("upload of artifact_087 timed out" in t["text"] for t in found["only_a"])
    assert any("textract failed, exit 137" in t["text"] for t in found["only_b"])


def test_an_attempt_is_named_with_an_at_sign(story: Built) -> None:
    found = asked(story, "compare", "run_742@1", "run_742@2")
    assert (found["a"]["attempt"], found["b"]["attempt"]) == (1, 2)
    with pytest.raises(RuncaseError, match="run_742 has no attempt 3"):
        ask(story, "compare", "run_742@3")


def test_a_run_is_known_by_the_beginning_of_its_id(ci_run: Built) -> None:
    assert ask(ci_run, "windows", "ci-run/pack").startswith("ci-run/package failed")


def test_a_run_is_known_by_a_part_of_its_id_that_no_other_has(ci_run: Built) -> None:
    assert ask(ci_run, "windows", "package").startswith("ci-run/package failed")


def test_a_beginning_that_fits_no_run_is_misuse(ci_run: Built) -> None:
    ended = runcase("windows", "nightly", "-c", ci_run.root)
    assert ended.code == 2
    assert "[unknown_run]" in ended.err
