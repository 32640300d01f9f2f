"""Ledgers of every schema version are read by this one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.commands import ROOT, build, runcase

from runcase.ledger.store import SCHEMA_VERSION, Case
from runcase.model.refs import Ref

GOLDEN = ROOT / "tests" / "golden"
LATER = "2026-03-15T10:00:00Z INFO start\n2026-03-15T10:00:09Z ERROR it broke\nProcess exited with code 2\n"

each_version = pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))


@each_version
def test_the_facts_of_an_old_ledger_are_read_without_a_complaint(version: int) -> None:
    case = Case.open(GOLDEN / f"ledger-v{version}")
    facts = case.facts()
    events = facts.events.collect().sort("byte_start")
    assert case.ledger_problems(case.batches()) == []
    assert facts.problems.collect().is_empty()
    assert events["level"].to_list() == ["info", "error", "info"]
    assert [str(at)[11:19] for at in events["ts"]] == ["10:00:00", "10:00:09", "10:00:10"]
    assert events["run_id"].unique().to_list() == ["golden-1"]
    assert facts.redactions.collect()["kind"].to_list() == ["password"]
    first = events.row(0, named=True)
    raw = case.raw(Ref(first["source_id"], first["byte_start"], first["byte_len"]))
    assert raw is not None
    assert b"run started" in raw


@each_version
def test_a_night_is_added_to_an_old_ledger(tmp_path: Path, version: int) -> None:
    case = tmp_path / "case"
    shutil.copytree(GOLDEN / f"ledger-v{version}", case)
    before = {p.name: p.stat().st_ino for p in case.glob("ledger/*")}
    (tmp_path / "later.log").write_text(LATER)
    dossiers = build(case, tmp_path / "later.log").dossiers()
    assert (dossiers["golden-1"]["run"]["status"], len(dossiers)) == ("failed", 2)
    assert before.items() <= {p.name: p.stat().st_ino for p in case.glob("ledger/*")}.items()
    assert runcase("verify", "-c", case).code == 0
