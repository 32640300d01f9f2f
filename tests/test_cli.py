"""The command line at its edges: misuse, odd inputs, exit codes, sameness."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from tests.commands import SAMPLES, Built, build, runcase


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    ended = runcase("build", tmp_path / "nowhere.log", "-o", tmp_path / "case")
    assert ended.code == 2
    assert "nowhere.log" in ended.err
    assert "[missing_path]" in ended.err
    assert not (tmp_path / "case").exists()


def test_a_folder_that_is_no_case_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    ended = runcase("build", SAMPLES / "ci-run.zip", "-o", tmp_path)
    assert ended.code == 2
    assert "[not_a_case]" in ended.err
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_invalid_pack_is_reported_with_every_place_at_once(tmp_path: Path) -> None:
    pack = tmp_path / "bad"
    pack.mkdir()
    (pack / "pack.yaml").write_text("name: bad\nversion: '1'\nsorces: [a]\n")
    (pack / "events.yaml").write_text("events:\n  - id: x\n    kind: eror\n    match: '(?=a)'\n")
    ended = runcase("build", SAMPLES / "ci-run.zip", "-o", tmp_path / "case", "--rules", pack)
    assert ended.code == 2
    assert "bad/pack.yaml:3:1: unknown key 'sorces'; did you mean 'sources'?" in ended.err
    assert "bad/events.yaml:3:5" in ended.err
    assert "look-around is not allowed" in ended.err


def test_an_empty_archive_makes_an_empty_case(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "empty.tar.gz", "w:gz"):
        pass
    assert build(tmp_path / "case", tmp_path / "empty.tar.gz").dossiers() == {}


def test_a_text_named_like_an_archive_is_read_as_text(tmp_path: Path) -> None:
    (tmp_path / "log.tar.gz").write_text("ERROR: disk full\nProcess exited with code 1\n")
    built = build(tmp_path / "case", tmp_path / "log.tar.gz")
    (dossier,) = built.dossiers().values()
    assert dossier["run"]["status"] == "failed"
    assert [d["code"] for d in dossier["evidence_damage"]] == ["misnamed"]


def test_a_broken_input_does_not_keep_the_others_from_being_read(tmp_path: Path) -> None:
    whole = gzip.compress(b"INFO one\n" * 20_000, mtime=0)
    (tmp_path / "cut.log.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "good.log").write_text("ERROR: no\nProcess exited with code 3\n")
    built = build(tmp_path / "case", tmp_path / "cut.log.gz", tmp_path / "good.log")
    runs = built.dossiers()
    assert runs["good.log"]["run"]["status"] == "failed"
    (cut,) = (d for name, d in runs.items() if name.startswith("cut"))
    assert cut["coverage"]["events"] > 0
    assert any(d["severity"] == "error" for d in cut["evidence_damage"])


def test_a_plain_log_without_metadata_is_one_run(tmp_path: Path) -> None:
    lines = [
        "starting",
        "Traceback (most recent call last):",
        '  File "a.py", line 3, in f',
        "ValueError: no such colour",
    ]
    (tmp_path / "plain.txt").write_text("\n".join([*lines, "Process exited with code 1", ""]))
    (dossier,) = build(tmp_path / "case", tmp_path / "plain.txt").dossiers().values()
    assert dossier["run"]["status"] == "failed"
    assert "ValueError: no such colour" in json.dumps(dossier["excerpts"])


def test_documents_and_licences_beside_logs_are_no_runs(tmp_path: Path) -> None:
    for name in ("alpha", "beta"):
        folder = tmp_path / "logs" / name
        folder.mkdir(parents=True)
        (folder / "raw.log.gz").write_bytes(
            gzip.compress(b"step one\nerror: it broke\nProcess exited with code 2\n", mtime=0)
        )
        (folder / "notes.json").write_text('{"author": "nobody"}')
    (tmp_path / "logs" / "LICENSE").write_text("You may do what you like with these files.\n")
    assert len(build(tmp_path / "case", tmp_path / "logs").dossiers()) == 2


def test_failed_runs_exit_with_one_only_when_asked(tmp_path: Path) -> None:
    assert runcase("build", SAMPLES / "ci-run.zip", "-o", tmp_path / "a").code == 0
    assert runcase("build", SAMPLES / "ci-run.zip", "-o", tmp_path / "b", "--fail-on", "failed").code == 1


def test_a_case_without_any_run_is_a_case(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "LICENSE").write_text("You may do what you like with these files.\n")
    (tmp_path / "logs" / "notes.md").write_text("nothing ran\n")
    said = runcase("build", tmp_path / "logs", "-o", tmp_path / "case").out
    assert said.startswith("runs: none; 2 records belong to no run; the index lists their sources\n")
    assert runcase("show", "-c", tmp_path / "case").code == 0


def test_quarantined_evidence_exits_with_three_under_strict(tmp_path: Path) -> None:
    good = (SAMPLES / "render-retry.tar.gz").read_bytes()
    bad = bytearray(good)
    bad[len(bad) // 2] ^= 0xFF
    (tmp_path / "bad.tar.gz").write_bytes(bytes(bad))
    assert runcase("build", tmp_path / "bad.tar.gz", "-o", tmp_path / "case", "--strict").code == 3
    assert runcase("build", SAMPLES / "render-retry.tar.gz", "-o", tmp_path / "whole", "--strict").code == 0


def test_reading_the_same_input_twice_adds_nothing(tmp_path: Path) -> None:
    case = tmp_path / "case"
    first = build(case, SAMPLES / "ci-run.zip").tree()
    again = runcase("build", SAMPLES / "ci-run.zip", "-o", case)
    assert "in the case already" in again.out
    assert Built(case).tree() == first


def test_a_build_into_a_case_that_has_runs_says_so(tmp_path: Path) -> None:
    case = tmp_path / "case"
    assert "before" not in runcase("build", SAMPLES / "ci-run.zip", "-o", case).out
    said = runcase("build", SAMPLES / "render-retry.tar.gz", "-o", case).out
    assert "3 of them were in the case before" in said
    assert json.loads(runcase("build", SAMPLES, "-o", case, "--format", "json").out)["older_runs"] == 4


def test_json_is_there_for_scripts(tmp_path: Path, story: Built) -> None:
    built = json.loads(runcase("build", SAMPLES / "ci-run.zip", "-o", tmp_path / "c", "--format", "json").out)
    assert built["runs"] == {"failed": 2, "succeeded": 1}
    listed = json.loads(runcase("show", "-c", story.root, "--format", "json").out)
    assert [r["run_id"] for r in listed["runs"]] == ["run_742"]
    shown = json.loads(runcase("show", "run_742", "-c", story.root, "--format", "json").out)
    assert shown["schema"] == "runcase/dossier/1"
    ref = shown["failure"]["decisive"][0]
    assert json.loads(runcase("raw", ref, "-c", story.root, "--format", "json").out)["state"] == "kept"


def test_an_unknown_run_and_a_bad_ref_are_explained(story: Built) -> None:
    unknown = runcase("show", "run_999", "-c", story.root)
    assert (unknown.code, "[unknown_run]" in unknown.err, "run_742" in unknown.err) == (2, True, True)
    bad = runcase("raw", "nonsense", "-c", story.root)
    assert (bad.code, "[bad_ref]" in bad.err) == (2, True)


def test_bytes_that_were_not_kept_are_said_to_be_expired(tmp_path: Path) -> None:
    built = build(tmp_path / "case", SAMPLES / "render-retry.tar.gz", "--no-keep-raw")
    ref = built.dossiers()["run_742"]["failure"]["decisive"][0]
    assert "expired" in runcase("raw", ref, "-c", built.root).out


def test_help_loads_none_of_the_heavy_libraries() -> None:
    heavy = "('polars', 'pyarrow', 'networkx', 'jinja2', 'pydantic')"
    code = f"import sys, runcase.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_hostile_text_does_not_reach_the_terminal(tmp_path: Path) -> None:
    evil = "error: \x1b]0;owned\x07\x1b[2Jfile \u202egpj.exe is missing\nProcess exited with code 1\n"
    (tmp_path / "evil.log").write_text(evil)
    built = build(tmp_path / "case", tmp_path / "evil.log")
    shown = runcase("show", "evil.log", "-c", built.root).out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "⟨U+202E⟩" in shown


def test_a_full_disk_is_told_in_words(tmp_path: Path) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", tmp_path], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a small file system needs the right to mount")
    try:
        ended = runcase("build", SAMPLES / "render-retry.tar.gz", "-o", tmp_path / "case")
    finally:
        subprocess.run(["umount", tmp_path], check=True)
    assert (ended.code, ended.err.startswith("runcase: No space left on device")) == (2, True)
