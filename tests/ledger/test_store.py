"""The case on disk."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

from runcase.ledger.batch_writer import BatchWriter
from runcase.ledger.parquet import ROW_GROUP_ROWS, replace_table, row_groups
from runcase.ledger.store import OPEN_BATCHES, Case
from runcase.model.problems import RuncaseError
from runcase.model.refs import Ref
from runcase.model.tables import EVENTS, FACTS, RAW, SOURCES

SID = "0123456789ab"
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def event(start: int, **given: object) -> dict[str, object]:
    row: dict[str, object] = {"source_id": SID, "byte_start": start, "byte_len": 10, "line": 1, "n_lines": 1}
    row |= {"ts": NOON, "ts_lo": NOON, "ts_hi": NOON, "ts_basis": "explicit_zone", "kind": "log", "message": "m"}
    return row | {"artifacts": []} | given


def write_batch(case: Case, name: str, rows: list[dict[str, object]]) -> None:
    with case.batch(name) as writer:
        writer.write(EVENTS, EVENTS.frame(rows))


def test_a_batch_comes_back_with_every_declared_column(tmp_path: Path) -> None:
    case = Case.create(tmp_path / "case")
    later = NOON.replace(hour=13)
    rows = [event(0), event(10, ts_hi=later), event(20, ts=None, ts_lo=None, ts_hi=None, ts_basis="none")]
    write_batch(case, "b1", rows)
    got = case.facts().events.collect()
    assert got.schema == EVENTS.schema
    assert got["event_id"].to_list() == [f"evt_{SID}_0", f"evt_{SID}_10", f"evt_{SID}_20"]
    assert got["ts_lo"].to_list() == [NOON, NOON, None]
    assert got["ts_hi"].to_list() == [NOON, later, None]
    assert got["batch"].unique().to_list() == ["b1"]


def test_a_batch_that_fails_half_way_leaves_the_case_as_it_was(tmp_path: Path) -> None:
    case = Case.create(tmp_path / "case")
    write_batch(case, "b1", [event(0)])
    before = sorted(p.name for p in tmp_path.rglob("*"))
    with pytest.raises(pl.exceptions.ColumnNotFoundError), case.batch("b2") as writer:
        writer.write(EVENTS, EVENTS.frame([event(10)]).drop("kind"))
    assert sorted(p.name for p in tmp_path.rglob("*")) == before


def test_what_a_killed_build_left_is_removed_by_the_next(tmp_path: Path) -> None:
    case = Case.create(tmp_path / "case")
    (case.root / "ledger" / ".staging-dead-1").mkdir()
    assert case.batches() == []
    write_batch(case, "b1", [event(0)])
    assert [p.name for p in (case.root / "ledger").iterdir()] == ["b1"]


def test_the_file_depends_on_the_rows_and_not_on_how_they_were_handed_in(tmp_path: Path) -> None:
    rows = EVENTS.frame([event(10 * n) for n in range(100)])
    once, piecewise = Case.create(tmp_path / "once"), Case.create(tmp_path / "piecewise")
    with once.batch("b") as writer:
        writer.write(EVENTS, rows)
    with piecewise.batch("b") as writer:
        for start in range(0, 100, 7):
            writer.write(EVENTS, rows.slice(start, 7))
    assert (once.root / "ledger/b/events.parquet").read_bytes() == (
        piecewise.root / "ledger/b/events.parquet"
    ).read_bytes()


def test_rows_beyond_one_row_group_are_all_kept(tmp_path: Path) -> None:
    case = Case.create(tmp_path / "case")
    count = 2 * ROW_GROUP_ROWS + 5
    one = EVENTS.frame([event(0)])
    many = pl.concat([one] * 1000)
    with case.batch("b") as writer:
        for _ in range(count // 1000):
            writer.write(EVENTS, many)
        writer.write(EVENTS, many.head(count % 1000))
    assert case.facts().events.select(pl.len()).collect().item() == count


@pytest.mark.parametrize("damage", ["truncate", "overwrite", "remove"])
def test_a_damaged_part_is_named_and_the_rest_stays_readable(tmp_path: Path, damage: str) -> None:
    case = Case.create(tmp_path / "case")
    write_batch(case, "b1", [event(0)])
    write_batch(case, "b2", [event(10)])
    part = case.root / "ledger/b2/events.parquet"
    if damage == "truncate":
        part.write_bytes(part.read_bytes()[:-20])
    elif damage == "overwrite":
        part.write_bytes(b"PAR1 is not enough")
    else:
        part.unlink()
    facts = case.facts()
    assert facts.events.collect()["batch"].to_list() == ["b1"]
    problems = facts.problems.collect()
    assert problems["path"].to_list() == ["ledger/b2/events.parquet"]
    assert problems["code"][0] == ("ledger_part_missing" if damage == "remove" else "ledger_part_damaged")


@pytest.mark.parametrize("said", ["lacks the column kind", "has another type in the column line"])
def test_a_foreign_part_is_named_and_the_rest_stays_readable(tmp_path: Path, said: str) -> None:
    case = Case.create(tmp_path / "case")
    write_batch(case, "b1", [event(0)])
    write_batch(case, "b2", [event(10)])
    part = case.root / "ledger/b2/events.parquet"
    stored = pl.read_parquet(part)
    foreign = stored.drop("kind") if "lacks" in said else stored.with_columns(pl.col("line").cast(pl.String))
    foreign.write_parquet(part)
    facts = case.facts()
    assert facts.events.collect()["batch"].to_list() == ["b1"]
    (problem,) = facts.problems.collect().rows(named=True)
    assert (problem["code"], said in problem["message"]) == ("ledger_part_foreign", True)


def test_a_column_that_an_older_version_did_not_write_is_null(tmp_path: Path) -> None:
    case = Case.create(tmp_path / "case")
    write_batch(case, "b1", [event(0, stream="stdout")])
    write_batch(case, "b2", [event(10, stream="stdout")])
    part = case.root / "ledger/b1/events.parquet"
    pq.write_table(pq.read_table(part).drop_columns(["stream"]), part)
    got = case.facts().events.collect()
    assert got["stream"].to_list() == [None, "stdout"]
    assert case.facts().problems.collect().is_empty()


def test_a_ref_yields_exactly_its_bytes_across_chunks(tmp_path: Path) -> None:
    case = Case.create(tmp_path / "case")
    data = bytes(range(256)) * 4
    chunks = [{"source_id": SID, "byte_start": n, "data": data[n : n + 100]} for n in range(0, len(data), 100)]
    with case.batch("b1") as writer:
        writer.write(RAW, RAW.frame(chunks))
    assert case.raw(Ref(SID, 95, 210)) == data[95:305]
    assert case.raw(Ref(SID, 0, len(data))) == data
    assert case.raw(Ref(SID, 1000, 100)) is None
    assert case.raw(Ref("ffffffffffff", 0, 1)) is None


def test_a_case_that_is_asked_for_bytes_of_many_batches_keeps_few_of_their_files_open(tmp_path: Path) -> None:
    case = Case.create(tmp_path / "case")
    said = [b"what source %d said" % n for n in range(3 * OPEN_BATCHES)]
    refs = [Ref(f"{n:012x}", 0, len(text)) for n, text in enumerate(said)]
    for n, (ref, text) in enumerate(zip(refs, said, strict=True)):
        with case.batch(f"batch{n:02d}") as batch:
            batch.write(RAW, RAW.frame([{"source_id": ref.source_id, "byte_start": 0, "data": text}]))
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert [case.raw(ref) for ref in [*refs, *refs]] == said + said
    assert len(list(Path("/proc/self/fd").iterdir())) - before <= 2 * OPEN_BATCHES


def test_a_folder_that_is_not_a_case_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("important")
    with pytest.raises(RuncaseError) as e:
        Case.create(tmp_path)
    assert e.value.code == "not_a_case"
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_case_of_a_newer_layout_is_refused(tmp_path: Path) -> None:
    case = Case.create(tmp_path / "case")
    case.write_provenance({})
    file = case.root / "case.json"
    file.write_text(file.read_text().replace('"schema_version": 1', '"schema_version": 99'))
    with pytest.raises(RuncaseError) as e:
        Case.open(case.root)
    assert e.value.code == "newer_case"


def test_a_second_writer_is_told_that_the_case_is_busy(tmp_path: Path) -> None:
    case = Case.create(tmp_path / "case")
    with case.locked(), pytest.raises(RuncaseError) as e, Case(case.root).locked():
        pass
    assert e.value.code == "busy"
    with Case(case.root).locked():
        pass


def test_an_empty_batch_has_every_table_with_its_columns(tmp_path: Path) -> None:
    case = Case.create(tmp_path / "case")
    write_batch(case, "b1", [])
    for table in FACTS:
        stored = pl.read_parquet(case.root / "ledger/b1" / f"{table.name}.parquet")
        assert stored.schema == table.stored_schema
    assert_frame_equal(case.facts().sources.collect(), SOURCES.empty())


def test_long_messages_end_a_row_group_early_whatever_the_frames_they_came_in(tmp_path: Path) -> None:
    frame = EVENTS.frame([event(n * 10, message="x" * 100_000) for n in range(800)])
    groups = []
    for name, step in (("one", 800), ("many", 7)):
        with Case.create(tmp_path / name).batch("b1") as writer:
            for at in range(0, frame.height, step):
                writer.write(EVENTS, frame.slice(at, step))
        told = pq.ParquetFile(tmp_path / name / "ledger/b1/events.parquet").metadata
        groups.append([told.row_group(n).num_rows for n in range(told.num_row_groups)])
    assert groups[0] == groups[1]
    assert groups[0] == [84] * 9 + [44]


def test_row_groups_depend_on_the_rows_and_not_on_how_they_are_handed_in(tmp_path: Path) -> None:
    chunk = b"x" * 1000
    rows = [{"source_id": f"s{n:04}", "byte_start": 0, "data": chunk} for n in range(3000)]
    sizes = []
    for step in (1, 7, 3000):
        with BatchWriter(tmp_path, f"{step:016}") as writer:
            for at in range(0, len(rows), step):
                writer.write(RAW, RAW.frame(rows[at : at + step]))
        told = pq.read_metadata(tmp_path / f"{step:016}" / "raw.parquet")
        sizes.append([told.row_group(n).num_rows for n in range(told.num_row_groups)])
    assert sizes[0] == sizes[1] == sizes[2]
    assert sum(sizes[0]) == 3000
    assert len(sizes[0]) == 2, "many small chunks share a group"


def write_batch_of(case: Case, frame: pl.DataFrame, part_groups: int) -> None:
    with BatchWriter(case.root / "ledger", "b1", part_groups=part_groups) as writer:
        writer.write(EVENTS, frame)


def many_events(groups: int) -> pl.DataFrame:
    """Events that fill so many row groups and begin one more."""
    height = groups * ROW_GROUP_ROWS + 7
    return (
        EVENTS.frame([event(0)])
        .select(pl.all().repeat_by(height).explode())
        .with_columns(artifacts=pl.lit([], dtype=EVENTS.schema["artifacts"]), byte_start=pl.int_range(height) * 10)
    )


def test_a_table_of_many_row_groups_stands_in_several_files_and_reads_as_one(tmp_path: Path) -> None:
    whole, parted = Case.create(tmp_path / "whole"), Case.create(tmp_path / "parted")
    frame = many_events(4)
    write_batch_of(whole, frame, 100)
    write_batch_of(parted, frame, 2)
    files = sorted(p.name for p in (parted.root / "ledger" / "b1").glob("events*"))
    assert files == ["events.1.parquet", "events.2.parquet", "events.parquet"]
    assert_frame_equal(parted.facts().events.collect(), whole.facts().events.collect())
    assert_frame_equal(parted.facts_of(EVENTS, "b1").collect(), whole.facts_of(EVENTS, "b1").collect())
    assert parted.ledger_problems(["b1"]) == []


@pytest.mark.parametrize("number", [1, 2])
def test_an_earlier_file_of_a_table_that_is_missing_is_named(tmp_path: Path, number: int) -> None:
    case = Case.create(tmp_path / "case")
    write_batch_of(case, many_events(4), 2)
    missing = f"ledger/b1/events.{number}.parquet"
    (case.root / missing).unlink()
    assert [(p.code, p.path) for p in case.ledger_problems(["b1"])] == [("ledger_part_missing", missing)]
    assert case.facts().events.select(pl.len()).collect().item() > 0


def test_a_file_that_is_written_anew_still_says_how_many_stand_before_it(tmp_path: Path) -> None:
    case = Case.create(tmp_path / "case")
    write_batch_of(case, many_events(2), 1)
    last = case.root / "ledger/b1/events.parquet"
    replace_table(last, row_groups([last]))
    (case.root / "ledger/b1/events.2.parquet").unlink()
    assert [p.path for p in case.ledger_problems(["b1"])] == ["ledger/b1/events.2.parquet"]


def test_kept_bytes_and_refs_reach_across_the_files_of_a_table(tmp_path: Path) -> None:
    case = Case.create(tmp_path / "case")
    data = [bytes([65 + n]) * (2 << 20) for n in range(5)]
    rows = [{"source_id": SID, "byte_start": n << 21, "data": d} for n, d in enumerate(data)]
    with BatchWriter(case.root / "ledger", "b1", part_groups=2) as writer:
        writer.write(RAW, RAW.frame(rows))
    assert sorted(p.name for p in (case.root / "ledger" / "b1").glob("raw.*")) == [
        *("raw.1.parquet", "raw.2.parquet", "raw.parquet")
    ]
    assert [(sid, b"".join(chunks)) for sid, chunks in case.kept("b1")] == [(SID, b"".join(data))]
    assert case.raw(Ref(SID, (4 << 20) - 3, 6)) == b"BBBCCC"
