"""A case that grows night by night."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.commands import SAMPLES, Built, build, runcase
from tests.report.nightly import night as logs_of_a_night

from runcase import pipeline, settings
from runcase.ledger.store import Case
from runcase.ledger.sums import verify as verified

GOOD = "2026-03-14T10:00:00Z INFO start\n2026-03-14T10:00:09Z INFO done\nProcess exited with code 0\n"
BAD = "2026-03-15T10:00:00Z INFO start\n2026-03-15T10:00:09Z ERROR it broke\nProcess exited with code 2\n"


def claimed(attempt: int) -> str:
    """What the queue of the document pipeline says of one attempt of run_9, a day each."""
    day = f"2026-03-1{attempt}T10:00"
    said = ("run created", "message claimed")
    return "".join(f"{day}:0{n}Z queue-1 broker[311]: {t} run=run_9 attempt={attempt}\n" for n, t in enumerate(said))


def night(case: Path, folder: Path, **logs: str) -> Built:
    """One more build, of a folder of its own."""
    folder.mkdir(parents=True)
    for name, text in logs.items():
        (folder / f"{name}.log").write_text(text)
    return build(case, folder)


def inodes(case: Path) -> dict[str, int]:
    """Dossier -> the file that holds it: one that is written again is another file."""
    return {str(p.relative_to(case)): p.stat().st_ino for p in case.glob("runs/*/dossier.json")}


def test_two_attempts_of_two_nights_are_one_run(tmp_path: Path) -> None:
    case = tmp_path / "case"
    night(case, tmp_path / "1", run_9=claimed(1))
    built = night(case, tmp_path / "2", run_9=claimed(2))
    (dossier,) = built.dossiers().values()
    assert [a["attempt"] for a in dossier["run"]["attempts"]] == [1, 2]
    assert len(Case.open(case).batches()) == 2


def test_a_night_writes_only_the_dossiers_that_changed(tmp_path: Path) -> None:
    case = tmp_path / "case"
    night(case, tmp_path / "1", alpha=GOOD, beta=BAD)
    before = inodes(case)
    built = night(case, tmp_path / "2", gamma=BAD.replace("it broke", "it broke again"))
    after = inodes(case)
    assert len(built.dossiers()) == 3
    assert all(after[name] == inode for name, inode in before.items())


def test_runs_keep_their_ids_when_later_logs_have_the_same_name(tmp_path: Path) -> None:
    case = tmp_path / "case"
    first = set(night(case, tmp_path / "1", app=GOOD).dossiers())
    second = set(night(case, tmp_path / "2", app=BAD).dossiers())
    assert first < second
    assert len(second) == 2


def test_a_sample_read_in_parts_ends_in_the_same_verdict(tmp_path: Path) -> None:
    whole = build(tmp_path / "whole", SAMPLES / "render-retry.tar.gz").dossiers()["run_742"]
    shutil.unpack_archive(SAMPLES / "render-retry.tar.gz", tmp_path / "out", filter="data")
    files = sorted(p for p in (tmp_path / "out").rglob("*") if p.is_file())
    case = tmp_path / "case"
    for n, part in enumerate((files[: len(files) // 2], files[len(files) // 2 :])):
        for path in part:
            to = tmp_path / f"night{n}" / path.relative_to(tmp_path / "out")
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, to)
        built = build(case, tmp_path / f"night{n}")
    parts = built.dossiers()["run_742"]
    assert parts["failure"]["class"] == whole["failure"]["class"]
    assert [(w["name"], w["attempt"], w["duration_us"]) for w in parts["windows"]] == [
        (w["name"], w["attempt"], w["duration_us"]) for w in whole["windows"]
    ]


def test_other_packs_conclude_everything_anew(tmp_path: Path) -> None:
    case = tmp_path / "case"
    night(case, tmp_path / "1", alpha=GOOD)
    before = inodes(case)
    pack = tmp_path / "mine"
    pack.mkdir()
    (pack / "pack.yaml").write_text("name: mine\nversion: '1'\n")
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "beta.log").write_text(BAD)
    built = build(case, tmp_path / "2", "--rules", pack)
    assert len(built.dossiers()) == 2
    assert [p["name"] for p in json.loads((case / "case.json").read_bytes())["packs"]][-1] == "mine"
    assert before.keys() <= inodes(case).keys()


def test_a_dossier_that_is_gone_is_written_again(tmp_path: Path) -> None:
    case = tmp_path / "case"
    first = night(case, tmp_path / "1", alpha=BAD).tree()
    shutil.rmtree(case / "runs")
    build(case, tmp_path / "1")
    assert Built(case).tree() == first


def test_a_batch_that_was_not_concluded_is_concluded_by_the_next_build(tmp_path: Path) -> None:
    case = tmp_path / "case"
    night(case, tmp_path / "1", alpha=GOOD)
    committed = (case / "case.json").read_bytes()
    tables = {p.name: p.read_bytes() for p in (case / "analysis").iterdir()}
    whole = night(case, tmp_path / "2", beta=BAD).tree()
    (case / "case.json").write_bytes(committed)
    for name, data in tables.items():
        (case / "analysis" / name).write_bytes(data)
    assert "alpha" in runcase("show", "-c", case).out
    assert "beta" not in runcase("show", "-c", case).out
    assert "[batch_pending]" in runcase("verify", "-c", case).out
    build(case, tmp_path / "2")
    assert Built(case).tree() == whole


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case that tests copy before they damage it."""
    root = tmp_path_factory.mktemp("verify")
    (root / "a.log.gz").write_bytes(gzip.compress(BAD.encode(), mtime=0))
    return build(root / "case", root / "a.log.gz").root


def test_a_case_that_is_as_written_passes(intact: Path) -> None:
    ended = runcase("verify", "-c", intact)
    assert (ended.code, "all as they were written" in ended.out) == (0, True)


@pytest.mark.parametrize("name", ["index.md", "analysis/runs.parquet", "ledger/*/events.parquet"])
def test_every_change_is_found(tmp_path: Path, intact: Path, name: str) -> None:
    case = tmp_path / "case"
    shutil.copytree(intact, case)
    (path,) = case.glob(name)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    (case / "stray.txt").write_text("x")
    ended = runcase("verify", "-c", case, "--format", "json")
    found = {(f["code"], f["path"]) for f in json.loads(ended.out)["findings"]}
    assert ended.code == 3
    assert found >= {("file_changed", path.relative_to(case).as_posix()), ("file_unlisted", "stray.txt")}


def test_files_that_are_gone_are_named(tmp_path: Path, intact: Path) -> None:
    case = tmp_path / "case"
    shutil.copytree(intact, case)
    (case / "index.html").unlink()
    assert "index.html: listed, and not there [file_missing]" in runcase("verify", "-c", case).out


def test_runs_that_the_index_does_not_list_stand_on_pages_of_their_months(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runcase.report.history.LISTED_RUNS", 2)
    case = tmp_path / "case"
    for day in (0, 40, 80):
        logs = logs_of_a_night(tmp_path / "logs", day, 2, lambda n: n or None)
        pipeline.build(settings.resolve((str(logs),), str(case)))
    text = (case / "index.html").read_text()
    assert sorted(p.name for p in case.glob("index-*.html")) == ["index-2026-03.html", "index-2026-04.html"]
    assert re.findall(r'href="(index-[^"]+)"', text) == ["index-2026-04.html", "index-2026-03.html"]
    listed = {p.name: set(re.findall(r"runs/([^/]+)/dossier.html", p.read_text())) for p in case.glob("index-*.html")}
    assert listed["index-2026-03.html"] == {"render-report-0-0", "sync-mirror-0-1"}
    assert listed["index-2026-04.html"] == {"render-report-40-0", "sync-mirror-40-1"}
    whole = Built(case).tree()
    old = (case / "index-2026-03.html").stat().st_ino
    (tmp_path / "late.log").write_text((tmp_path / "logs/night-40/sync-mirror-40-1.log").read_text() + "{}\n")
    pipeline.build(settings.resolve((str(tmp_path / "late.log"),), str(case)))
    assert (case / "index-2026-03.html").stat().st_ino == old
    assert Built(case).tree() != whole
    assert verified(Case.open(case)) == []


USUAL = "Error: cannot find module fast-path, using the slow one"
BROKE = "Error: cannot open cart.db"


def job(day: int, *printed: str, code: int = 0) -> str:
    """One job of GitHub Actions, on a day of March."""
    lines = ["Current runner version: '2.317.0'", "Complete job name: build", "##[group]Run make", "##[endgroup]"]
    lines += [*printed, *([f"##[error]Process completed with exit code {code}."] if code else [])]
    lines.append("Cleaning up orphan processes")
    return "".join(f"2026-03-{day:02}T10:00:{n:02}.0000000Z {line}\n" for n, line in enumerate(lines))


@pytest.mark.parametrize("order", ["abcd", "dcba", "cadb"])
def test_nights_in_any_order_hold_a_failure_against_the_good_runs_before_it(tmp_path: Path, order: str) -> None:
    logs = {"a": job(1, USUAL), "b": job(2, USUAL), "c": job(3, USUAL, BROKE, code=2), "d": job(4, BROKE)}
    for folder, names in (("all", order), *((name, name) for name in order)):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / f"{name}.log").write_text(logs[name])
        case = tmp_path / ("whole" if folder == "all" else "case")
        pipeline.build(settings.resolve((str(tmp_path / folder),), str(case), jobs=1))
    whole, found = (Built(tmp_path / name).dossiers() for name in ("whole", "case"))
    assert {r: _said(d) for r, d in found.items()} == {r: _said(d) for r, d in whole.items()}
    assert BROKE in found["c.log"]["failure"]["blocker"]["text"]
    assert "2 good runs of this job do not have this line" in _said(found["c.log"])


def _said(dossier: dict[str, Any]) -> list[str]:
    """What a dossier says of the cause and of what differs, without the places of the evidence."""
    failure = dossier["failure"] or {"blocker": {"text": ""}, "evidence": [], "considered": []}
    told = [failure["blocker"], *failure["evidence"], *dossier["signals"]]
    return [t["text"] for t in told] + [c["rejected_because"] for c in failure["considered"]]


def test_a_failure_of_an_earlier_night_fails_no_later_one(tmp_path: Path) -> None:
    case = tmp_path / "case"
    for name, text in (("bad", BAD), ("good", GOOD), ("worse", BAD.replace("it broke", "it broke again"))):
        (tmp_path / f"{name}.log").write_text(text)

    def code(*names: str) -> int:
        return runcase("build", *(tmp_path / f"{n}.log" for n in names), "-o", case, "--fail-on", "failed").code

    assert code("bad") == 1
    assert code("bad") == 1, "tried again, it answers the same"
    assert code("good") == 0
    assert code("bad", "good", "worse") == 1
    assert code("good") == 0
