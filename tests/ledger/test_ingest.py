"""Worker processes that die, and inputs that cannot be read as files are."""

from __future__ import annotations

import bz2
import os
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from tests.commands import Built, build
from tests.intake.archives import TEXT, gz, zipped
from tests.readers.samples import SAMPLES

from runcase.intake.archive import Budget
from runcase.intake.inputs import fingerprint
from runcase.intake.read_plan import ReadPlan
from runcase.ledger.ingest import IngestPlan, facts_of, ingest
from runcase.ledger.store import Case
from runcase.ledger.units import GROUP_UNITS, Group, Unit, grouped
from runcase.ledger.workers import Crew
from runcase.rules.compile import compile_packs
from runcase.rules.pack import load_packs
from runcase.settings import DEFAULT_PACKS

POD = (
    b"2026-03-14T13:40:01.000000001Z stdout P the begin of\n"
    b"2026-03-14T13:40:01.000000002Z stderr F Traceback (most recent call last):\n"
    b"2026-03-14T13:40:01.000000003Z stdout F  a line\n"
    b'2026-03-14T13:40:01.000000004Z stderr F   File "a.py", line 3, in run\n'
    b"2026-03-14T13:40:01.000000005Z stderr F ValueError: no\n"
)
COMPOSE = (
    b"web_1  | 2026-03-14 13:40:01 INFO up\ndb_1   | Traceback (most recent call last):\n"
    b"web_1  | 2026-03-14 13:40:02 ERROR down\ndb_1   |   File \"b.py\", line 7, in go\ndb_1   | KeyError: 'x'\n"
)
"""Writers that alternate."""


def busy() -> bytes:
    """A small file that takes many seconds to decode, to bytes that are no text."""
    return bz2.compress(b"\x7fELF\0\0\1\2" + bytes(32 << 20)) * 100


def ingested(tmp_path: Path, inputs: dict[str, bytes], budget: Budget) -> Case:
    case = Case.create(tmp_path / "case")
    units = []
    for n, (name, data) in enumerate(inputs.items()):
        (tmp_path / name).write_bytes(data)
        sha256, size = fingerprint(tmp_path / name)
        units.append(Unit(n, tmp_path / name, name, sha256, size))
    plan = IngestPlan(ReadPlan(budget), load_packs(("generic",)))
    with Crew(2) as crew:
        ingest([Group("0" * 16, tuple(units))], plan, crew, case.root / "ledger", lambda _: None)
    return case


def test_a_decoder_that_hangs_costs_the_source_that_it_was_at(tmp_path: Path) -> None:
    budget = Budget(cpu_seconds=1, ratio=1 << 20)
    hanging = zipped({"before.log": TEXT, "hangs.bin.bz2": busy(), "behind.log": TEXT})
    inputs = {"a.log.gz": gz(TEXT), "b.zip": hanging, "c.log": b"the last\n", "d.log": b"one more\n"}
    facts = ingested(tmp_path, inputs, budget).facts()
    rows = facts.sources.select("path", "verdict", "kind").sort("path").collect().rows()
    assert rows == [
        ("a.log.gz", "ok", "container"),
        ("a.log.gz!/a.log", "ok", "file"),
        ("b.zip", "corrupt", "container"),
        ("b.zip!/before.log", "ok", "file"),
        ("c.log", "ok", "file"),
        ("d.log", "ok", "file"),
    ]
    problem = facts.problems.filter(pl.col("code") == "decoder_crashed").collect()
    assert problem["path"].to_list() == ["b.zip"]
    assert problem["quarantined_bytes"].item() == len(hanging)
    assert facts.events.select("source_id").unique().collect().height == 4


def test_groups_keep_the_order_and_are_of_about_the_same_work() -> None:
    units = [Unit(n, Path("x"), f"{n}", "0", size) for n, size in enumerate([3 << 20, 6 << 20, 1, 9 << 20, *[1] * 70])]
    groups = list(grouped(units))
    assert [u for g in groups for u in g] == units
    assert [len(g) for g in groups] == [1, 1, 1, 1, 35, 35]


def sources(built: Built) -> dict[str, tuple[str, str, str | None]]:
    found = pl.concat([pl.read_parquet(p) for p in built.root.glob("ledger/*/sources.parquet")])
    return {r[0]: r[1:] for r in found.select("path", "kind", "verdict", "link_target").rows()}


def test_standard_input_is_read_like_a_file_without_a_time_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from runcase.cli import main; main()", "build", "-", "-o", str(tmp_path / "case")]
    subprocess.run(command, input=gz(b"Jan  3 10:00:00 host app: hello\n"), check=True)
    built = Built(tmp_path / "case")
    assert set(sources(built)) == {"stdin", "stdin!/stdin"}
    events = pl.concat([pl.read_parquet(p) for p in built.root.glob("ledger/*/events.parquet")])
    assert str(datetime.now(UTC).year) not in str(events["ts"].to_list())
    assert not (built.root / ".spool").exists()


def test_a_folder_tells_of_its_links_and_devices_and_opens_none(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "app.log").write_bytes(TEXT[:500])
    (folder / "latest.log").symlink_to("app.log")
    (folder / "up").symlink_to("..")
    os.mkfifo(folder / "pipe")
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.log")).write_bytes(b"one\n")
    found = sources(build(tmp_path / "case", folder))
    assert found == {
        "logs/app.log": ("file", "ok", None),
        "logs/latest.log": ("link", "ok", "app.log"),
        "logs/up": ("link", "ok", ".."),
        "logs/pipe": ("device", "ok", None),
        r"logs/caf\xe9.log": ("file", "ok", None),
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "secret.log").write_bytes(b"x\n")
    (tmp_path / "secret.log").chmod(0)
    built = build(tmp_path / "case", tmp_path / "secret.log")
    assert sources(built)["secret.log"] == ("file", "unsupported", None)


def test_a_damaged_archive_says_so_on_the_first_screen(tmp_path: Path) -> None:
    text = b"2026-03-14T13:40:01Z INFO started\n" * 3000 + b"2026-03-14T13:50:01Z ERROR disk full\n"
    data = gz(text + os.urandom(3000).hex().encode())
    (tmp_path / "app.log.gz").write_bytes(data[:-1000])
    built = build(tmp_path / "case", tmp_path / "app.log.gz")
    (dossier,) = built.dossiers().values()
    assert "stream_truncated" in {d["code"] for d in dossier["evidence_damage"]}
    head = next(built.root.glob("runs/*/dossier.md")).read_text().split("\n")[:60]
    assert any("incomplete" in line for line in head)
    assert "incomplete" in next(built.root.glob("runs/*/dossier.html")).read_text()


def test_how_many_sources_are_read_in_one_pass_changes_no_fact(tmp_path: Path) -> None:
    packs = load_packs(DEFAULT_PACKS)
    logs = {f"{n:03}-{Path(s.path).name}": s.data for n, s in enumerate([*SAMPLES.values()][::4])}
    logs |= {f"app-{n}.log": TEXT[n * 40 :] for n in range(5)} | {
        "long.log": TEXT * 40,
        "key.log": b"password=hunter22x\n",
    }
    logs |= {f"pod-{n}.log": POD[n * 60 :] for n in range(3)} | {
        f"compose-{n}.log": COMPOSE * (n + 1) for n in range(3)
    }
    files = {"logs.zip": zipped(logs), "plain.log": TEXT, "odd.log.gz": gz(TEXT)[:-9]}
    units = []
    for n, (name, data) in enumerate(files.items()):
        (tmp_path / name).write_bytes(data)
        units.append(Unit(n, tmp_path / name, name, *fingerprint(tmp_path / name)))

    def facts(at_once: int) -> dict[str, list[tuple[object, ...]]]:
        found: dict[str, list[tuple[object, ...]]] = {}
        for table, frame in facts_of(units, IngestPlan(ReadPlan(at_once=at_once), packs), compile_packs(packs)):
            found.setdefault(table.name, []).extend(table.fill(frame).rows())
        return found

    assert facts(7) == facts(1)


def numbered(folder: Path, numbers: Iterable[int]) -> Path:
    """Files of one run each of which says its number."""
    folder.mkdir()
    for n in numbers:
        (folder / f"{n}_step.log").write_text(f'{{"run_id": "r-1", "message": "step {n} of it"}}\n')
    return folder


def read_order(built: Built) -> list[int]:
    """The numbers that the events of a case tell, as analysis meets them."""
    facts = Case.open(built.root).facts()
    return [int(m.split()[1]) for m in facts.events.select("message").collect()["message"]]


def test_sources_of_several_batches_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    built = build(tmp_path / "case", numbered(tmp_path / "logs", range(1, 5 * GROUP_UNITS)))
    assert len(Case.open(built.root).batches()) == 5
    assert read_order(built) == list(range(1, 5 * GROUP_UNITS))


def test_what_later_nights_add_is_read_where_its_name_puts_it(tmp_path: Path) -> None:
    for night in (3, 1, 10, 2):
        numbers = range(100 * night, 100 * night + 3)
        built = build(tmp_path / "case", numbered(tmp_path / f"night-{night}", numbers))
    assert read_order(built) == [100 * night + n for night in (1, 2, 3, 10) for n in range(3)]
