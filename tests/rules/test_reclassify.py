from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from pathlib import Path

import polars as pl
from tests.commands import SAMPLES, Built, build, runcase
from tests.rules.packs import event, written

import runcase as package
from runcase.cli.reclassified import told
from runcase.settings import resolve

PACK = "events:\n" + event(
    r"'flush (?P<id>0x[0-9a-f]+)'",
    "flush",
    examples="    examples: {match: [flush 0x1f], no_match: [flush]}\n",
).replace("kind: error", "kind: log")


def renewed(case: Path, *packs: Path) -> str:
    """What the command says, in this process."""
    settings = resolve([str(case)], str(case), [str(p) for p in packs])
    return told(settings, "text", lambda: nullcontext(lambda _: None))


def test_new_rules_are_applied_to_the_kept_bytes_and_give_what_a_fresh_build_gives(
    tmp_path: Path, story: Built
) -> None:
    pack = written(tmp_path, PACK)
    old = build(tmp_path / "old", SAMPLES / "render-retry.tar.gz")
    done = runcase("build", "--reclassify", "-o", old.root, "--rules", pack, "--format", "json")
    assert done.code == 0, done.err
    report = json.loads(done.out)
    assert [(c["before"], c["after"]) for c in report["changes"]] == [("unknown", "log by mine#flush")]
    assert report["changed"] == report["changes"][0]["events"] > 0
    assert report["runs"] == []
    assert report["not_read"] == 0
    fresh = runcase("build", SAMPLES / "render-retry.tar.gz", "-o", tmp_path / "fresh", "--rules", pack)
    assert fresh.code == 0, fresh.err
    assert old.tree() == Built(tmp_path / "fresh").tree()
    assert old.tree() != story.tree()


def test_offsets_of_redacted_sources_stay_those_of_the_evidence(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    secret = "ghp_" + "a1B2" * 9
    log.write_text(
        f"2026-03-14T13:00:00Z token {secret} used\n2026-03-14T13:00:01Z flush 0x7f\nMar 14 13:00:02 h x: done\n"
    )
    case = build(tmp_path / "case", log)
    places = package.open(case.root).events.select("byte_start", "byte_len", "ts").collect().rows()
    assert "unknown -> log by mine#flush" in renewed(case.root, written(tmp_path, PACK))
    after = package.open(case.root).events.sort("byte_start").select("byte_start", "byte_len", "ts").collect().rows()
    assert after == places
    assert all(secret.encode() not in data for data in case.tree().values())


def test_sources_whose_bytes_are_not_kept_stay_as_they_were_and_are_counted(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("2026-03-14T13:00:01Z flush 0x7f\n")
    done = runcase("build", log, "-o", tmp_path / "case", "--no-keep-raw")
    assert done.code == 0, done.err
    said = renewed(tmp_path / "case", written(tmp_path, PACK))
    assert "1 sources were left as they were: their bytes are not kept" in said
    kinds = package.open(tmp_path / "case").events.select("kind").collect()["kind"].to_list()
    assert kinds == ["unknown"]


def test_a_batch_that_another_takes_the_place_of_is_not_seen(tmp_path: Path, ci_run: Built) -> None:
    case = tmp_path / "case"
    shutil.copytree(ci_run.root, case)
    (old,) = (case / "ledger").iterdir()
    new = old.with_name("f" * 16)
    shutil.copytree(old, new)
    (new / "supersedes").write_text(old.name)
    assert package.open(case).events.select(pl.len()).collect().item() == 358


def test_the_same_rules_change_nothing(tmp_path: Path, ci_run: Built) -> None:
    case = tmp_path / "case"
    shutil.copytree(ci_run.root, case)
    assert renewed(case) == "0 of 358 events have another verdict\n0 runs are judged otherwise"
    assert Built(case).tree() == ci_run.tree()


def test_reclassify_takes_no_input_and_needs_a_case(tmp_path: Path) -> None:
    done = runcase("build", "--reclassify", tmp_path, "-o", tmp_path / "case")
    assert done.code == 2
    assert "--reclassify takes no INPUT" in done.err
    missing = runcase("build", "--reclassify", "-o", tmp_path / "nothing")
    assert missing.code == 2
