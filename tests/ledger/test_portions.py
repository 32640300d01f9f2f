"""Large archives divided among processes: the same facts, in the same order, and none without the others."""

from __future__ import annotations

import json
import random
import shutil
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.commands import Built, build, once, runcase
from tests.intake.archives import TEXT, gz, tar, zipped
from tests.ledger.test_ingest import busy
from tests.readers.samples import SAMPLES

from runcase.intake.archive import Budget, stream_sizes
from runcase.intake.inputs import fingerprint
from runcase.intake.read_plan import ReadPlan
from runcase.ledger.ingest import IngestPlan, facts_of, in_portions, ingest
from runcase.ledger.store import Case
from runcase.ledger.units import (
    MOST_PORTIONS,
    PORTION_BYTES,
    SOURCE_BYTES,
    WHOLE,
    Group,
    Portion,
    Unit,
    divided,
    grouped,
    portions,
)
from runcase.ledger.workers import Crew
from runcase.rules.compile import compile_packs
from runcase.rules.pack import load_packs
from runcase.settings import DEFAULT_PACKS

STEPS = 260
"""Members of the archive below: with what each costs beside its bytes, worth two portions."""


def step(number: int) -> bytes:
    draw = random.Random(number)
    said = [
        f"step {number} of it",
        *(f"read {draw.randbytes(900).hex()}" for _ in range(4)),
        f"step {number}: disk full",
    ]
    lines = [{"run_id": "r-1", "level": "error" if "disk" in m else "info", "message": m} for m in said]
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run in many members, which an archive does not have in the order of their names."""
    path = tmp_path_factory.mktemp("inputs") / "logs.zip"
    path.write_bytes(zipped({f"{n}_step.log": step(n) for n in range(STEPS)}))
    return path


@pytest.fixture(scope="module")
def built(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(once(tmp_path_factory, "portions", lambda f: build(f / "case", archive, "--jobs", "2")) / "case")


def copied(built: Built, tmp_path: Path) -> Path:
    shutil.copytree(built.root, tmp_path / "case")
    return tmp_path / "case"


def files(case: Path) -> dict[str, bytes]:
    return {str(p.relative_to(case)): p.read_bytes() for p in sorted(case.rglob("*")) if p.is_file()}


# --- where an input is cut ------------------------------------------------------------------------


@given(st.lists(st.integers(0, 3 * PORTION_BYTES), max_size=60))
def test_portions_follow_one_another_and_leave_no_stream_out(sizes: list[int]) -> None:
    found = portions(sizes)
    assert [p.number for p in found] == list(range(len(found)))
    assert {p.of for p in found} == {len(found)}
    assert len(found) <= MOST_PORTIONS
    assert found[0].first == 0
    assert [p.stop for p in found] == [*(p.first for p in found[1:]), None]
    assert all(a.first < b.first < len(sizes) for a, b in pairwise(found))


def test_portions_are_of_about_the_same_work() -> None:
    assert portions([]) == portions([PORTION_BYTES]) == [Portion()]
    assert [p.first for p in portions([PORTION_BYTES] * 8)] == [0, 2, 4, 6]
    assert [p.first for p in portions([0] * (4 * PORTION_BYTES // SOURCE_BYTES))] == [0, 128, 256, 384]
    assert portions([9 * PORTION_BYTES, 1, 1, 1]) == [Portion()]
    assert [p.first for p in portions([1, 1, 1, 9 * PORTION_BYTES])] == [0, 3]


def test_only_an_archive_that_is_a_large_part_of_all_inputs_is_divided(archive: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.log"
    plain.write_bytes(TEXT * 20)

    def cut(*paths: Path) -> list[tuple[str, int]]:
        units = [Unit(n, p, p.name, *fingerprint(p)) for n, p in enumerate(paths)]
        with Crew(1) as crew:
            groups = in_portions([Group(str(n), g) for n, g in enumerate(grouped(units))], crew)
        return [(u.name, u.portion.number) for g in groups for u in g.units]

    assert cut(archive) == [("logs.zip", 0), ("logs.zip", 1)]
    assert cut(plain, archive) == [("plain.log", 0), ("logs.zip", 0), ("logs.zip", 1)]
    others = [tmp_path / f"{n}.zip" for n in range(4)]
    for other in others:
        other.write_bytes(archive.read_bytes())
    assert cut(*others, archive) == [*((p.name, 0) for p in others), ("logs.zip", 0)]


# --- the same facts -------------------------------------------------------------------------------


def test_portions_hold_the_facts_of_the_whole(tmp_path: Path) -> None:
    logs = {f"{n:03}-{Path(s.path).name}": s.data for n, s in enumerate([*SAMPLES.values()][::3])}
    inner = {"twice.log": TEXT[:200], "deep.tar": tar({"a.log": TEXT[:90], "b.log.gz": gz(TEXT)[:-9]})}
    path = tmp_path / "logs.tar.gz"
    path.write_bytes(gz(tar({**logs, "inner.zip": zipped(inner), "key.log": b"password=hunter22x\n"})))
    unit = Unit(0, path, path.name, *fingerprint(path))
    packs = load_packs(DEFAULT_PACKS)

    def facts(*read: Portion) -> dict[str, list[tuple[object, ...]]]:
        found: dict[str, list[tuple[object, ...]]] = {}
        for group in divided(Group("0" * 16, (unit,)), read):
            for table, frame in facts_of(group.units, IngestPlan(ReadPlan(), packs), compile_packs(packs)):
                found.setdefault(table.name, []).extend(table.fill(frame).rows())
        return found

    cuts = [*range(1, len(stream_sizes(path, path.name, Budget())), 3)]
    parts = zip([0, *cuts], [*cuts, None], strict=True)
    whole = facts(WHOLE)
    assert facts(*(Portion(n, len(cuts) + 1, *part) for n, part in enumerate(parts))) == whole
    assert len(whole["sources"]) > len(cuts)


def test_a_run_in_several_portions_is_read_in_the_order_of_the_archive(built: Built) -> None:
    case = Case.open(built.root)
    assert [b.rpartition("-")[2] for b in case.batches()] == ["0", "1"]
    said = case.facts().events.filter(pl.col("message").str.starts_with("step ")).select("message").collect()["message"]
    assert [int(m.split()[1].rstrip(":")) for m in said] == [n for n in range(STEPS) for _ in range(2)]
    (dossier,) = built.dossiers().values()
    assert "step 0: disk full" in dossier["failure"]["blocker"]["text"]
    assert runcase("verify", "-c", built.root).code == 0


def test_a_divided_archive_gives_the_same_case_for_any_number_of_processes(
    archive: Path, built: Built, tmp_path: Path
) -> None:
    assert files(build(tmp_path / "case", archive, "--jobs", "1").root) == files(built.root)


# --- none without the others ----------------------------------------------------------------------


def test_an_input_whose_last_portion_is_missing_is_read_anew(archive: Path, built: Built, tmp_path: Path) -> None:
    """What a kill between two portions leaves: the first is there, and nothing knows the input."""
    first = min((built.root / "ledger").iterdir())
    shutil.copytree(first, tmp_path / "case" / "ledger" / first.name)
    assert files(build(tmp_path / "case", archive).root) == files(built.root)


@pytest.mark.parametrize("portion", [0, 1])
def test_a_portion_that_cannot_be_read_is_read_again(archive: Path, built: Built, tmp_path: Path, portion: int) -> None:
    case = copied(built, tmp_path)
    batches = sorted((case / "ledger").iterdir())
    (batches[portion] / "events.parquet").write_bytes(b"PAR1")
    whole = (batches[1 - portion] / "events.parquet").stat().st_ino
    build(case, archive)
    assert files(case) == files(built.root)
    assert (batches[1 - portion] / "events.parquet").stat().st_ino == whole


def test_new_rules_reach_every_portion(built: Built, tmp_path: Path) -> None:
    pack = tmp_path / "mine"
    pack.mkdir()
    rule = "events:\n  - id: step\n    kind: progress\n    match: {pattern: '^step [0-9]+ of it'}\n"
    example = "    examples:\n      match: ['step 3 of it']\n      no_match: ['stop']\n"
    (pack / "pack.yaml").write_text(f"name: mine\nversion: 1.0.0\n{rule}{example}")
    case = copied(built, tmp_path)
    assert runcase("build", "--reclassify", "-o", case, "--rules", pack).code == 0
    events = Case.open(case).facts().events.filter(pl.col("kind") == "progress").collect()
    assert events.height == STEPS
    assert [p.name[-2:] for p in sorted((case / "ledger").iterdir())] == ["-0", "-1"]


def test_a_decoder_that_hangs_costs_what_its_portion_had_left(tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(zipped({"a.log": TEXT, "hangs.bin.bz2": busy(), "lost.log": TEXT, "behind.log": b"the last\n"}))
    unit = Unit(0, path, path.name, *fingerprint(path))
    plan = IngestPlan(ReadPlan(Budget(cpu_seconds=1, ratio=1 << 20)), load_packs(("generic",)))
    case = Case.create(tmp_path / "case")
    groups = divided(Group("0" * 16, (unit,)), [Portion(0, 2, 0, 3), Portion(1, 2, 3, None)])
    with Crew(2) as crew:
        ingest(groups, plan, crew, case.root / "ledger", lambda _: None)
    facts = case.facts()
    rows = facts.sources.select("path", "verdict", "quarantined_bytes").sort("path").collect().rows()
    assert rows == [("b.zip", "corrupt", unit.size_bytes), ("b.zip!/a.log", "ok", 0)]
    problems = facts.problems.filter(pl.col("code") == "decoder_crashed").collect()
    assert problems["path"].to_list() == ["b.zip", "b.zip"]
    assert problems["quarantined_bytes"].sum() == unit.size_bytes
