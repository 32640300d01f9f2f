"""Inputs to one batch of facts: work units in worker processes, written in input order.

A unit is one input file. Workers read, classify and leave their facts as Arrow
streams in the batch's staging folder; the parent appends them in the order of
the units, so that the ledger's bytes do not depend on the number of processes.
A decoder that crashes or hangs costs its unit and not the batch.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import polars as pl
import pyarrow as pa

from runcase.intake.read import Piece, ReadPlan, read_input
from runcase.ledger.classify import Classifier
from runcase.ledger.store import BatchWriter, problem_frame
from runcase.model.problems import Problem
from runcase.model.refs import source_id
from runcase.model.tables import ARTIFACTS, EVENTS, FACTS, PROBLEMS, RAW, REDACTIONS, SOURCES, SPANS, Table
from runcase.rules.compile import Ruleset, compile_packs
from runcase.rules.language import Pack


@dataclass(frozen=True, slots=True)
class Unit:
    """One input file: where it is, what it is called in the case, and its digest."""

    number: int
    path: Path
    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class IngestPlan:
    """How units are read and classified."""

    read: ReadPlan
    packs: tuple[Pack, ...]


Progress = Callable[[Unit], None]
"""Called in the parent after each unit."""


def ingest(units: Sequence[Unit], plan: IngestPlan, jobs: int, writer: BatchWriter, progress: Progress) -> None:
    """Writes the facts of `units` to `writer`, in order of the units."""
    parts = writer.staging / "parts"
    parts.mkdir()
    for unit in _finished(units, plan, jobs, parts):
        _append(unit, parts, writer)
        progress(unit)
    parts.rmdir()


# --- in the parent --------------------------------------------------------------------------------


def _finished(units: Sequence[Unit], plan: IngestPlan, jobs: int, parts: Path) -> Iterator[Unit]:
    """Each unit in order, as soon as its parts are complete; a crash of a worker is retried alone, once."""
    waiting = list(units)
    while waiting:
        with _pool(min(jobs, len(waiting)), plan) as pool:
            futures = [(unit, pool.submit(_work, unit, parts)) for unit in waiting]
            done = 0
            try:
                for unit, future in futures:
                    future.result()
                    done += 1
                    yield unit
            except BrokenProcessPool:
                pass
        waiting = waiting[done:]
        if waiting:
            yield from _one_by_one(waiting, plan, parts, futures[done:])
            return


def _one_by_one(
    units: Sequence[Unit], plan: IngestPlan, parts: Path, earlier: Sequence[tuple[Unit, Future[None]]]
) -> Iterator[Unit]:
    """Units whose pool broke: those that had finished are kept, the others get a process of their own."""
    finished = {u.number for u, f in earlier if f.done() and not f.cancelled() and f.exception() is None}
    for unit in units:
        if unit.number not in finished:
            try:
                with _pool(1, plan) as pool:
                    pool.submit(_work, unit, parts).result()
            except BrokenProcessPool:
                _remove_parts(unit, parts)
                _write_parts(parts, unit, _crashed(unit))
        yield unit


def _pool(jobs: int, plan: IngestPlan) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_prepare, initargs=(plan,)
    )


def _append(unit: Unit, parts: Path, writer: BatchWriter) -> None:
    for table in FACTS:
        path = _part(parts, unit, table)
        if path.exists():
            with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as stream:
                for batch in stream:
                    writer.write(table, pl.DataFrame(pa.Table.from_batches([batch])))
            path.unlink()


def _crashed(unit: Unit) -> list[tuple[Table, pl.DataFrame]]:
    """What is left to say of an input whose decoder took its process down."""
    sid = source_id(unit.sha256, unit.name, 0)
    problem = Problem(
        "decoder_crashed",
        "error",
        "the process that read it died; nothing of it could be read",
        path=unit.name,
        source_id=sid,
        byte_start=0,
        byte_len=unit.size_bytes,
        quarantined_bytes=unit.size_bytes,
    )
    row = {"source_id": sid, "path": unit.name, "ordinal": 0, "kind": "file", "sha256": unit.sha256}
    row |= {"size_bytes": unit.size_bytes, "event_bytes": 0, "quarantined_bytes": unit.size_bytes}
    row |= {"overhead_bytes": 0, "verdict": "corrupt", "role": "other", "lines": 0, "events": 0}
    return [(SOURCES, SOURCES.frame([row])), (PROBLEMS, problem_frame([problem]))]


# --- in a worker ----------------------------------------------------------------------------------

_plan: IngestPlan
_ruleset: Ruleset


def _prepare(plan: IngestPlan) -> None:
    global _plan, _ruleset
    _plan, _ruleset = plan, compile_packs(plan.packs)


def _work(unit: Unit, parts: Path) -> None:
    _write_parts(parts, unit, unit_facts(unit, _plan, _ruleset))


def unit_facts(unit: Unit, plan: IngestPlan, ruleset: Ruleset) -> Iterator[tuple[Table, pl.DataFrame]]:
    """Frames of facts in the order of the input; each names its table."""
    classifier: Classifier | None = None
    current = ""
    for piece in read_input(unit.path, unit.name, unit.sha256, plan.read):
        if classifier is None or piece.context.source_id != current:
            current = piece.context.source_id
            classifier = Classifier(ruleset, piece.context.path, piece.context.reader, piece.context.format)
        yield from _classified(piece, classifier)


def _classified(piece: Piece, classifier: Classifier) -> Iterator[tuple[Table, pl.DataFrame]]:
    if piece.records.height:
        classified = classifier.feed(piece.records)
        yield EVENTS, classified.events
        yield ARTIFACTS, classified.artifacts
    yield ARTIFACTS, piece.artifacts
    yield SPANS, piece.spans
    yield PROBLEMS, piece.problems
    yield REDACTIONS, piece.redactions
    yield RAW, piece.raw
    yield SOURCES, piece.source


def _part(parts: Path, unit: Unit, table: Table) -> Path:
    return parts / f"{unit.number:08d}-{table.name}.arrow"


def _remove_parts(unit: Unit, parts: Path) -> None:
    for table in FACTS:
        _part(parts, unit, table).unlink(missing_ok=True)


def _write_parts(
    parts: Path, unit: Unit, facts: Iterator[tuple[Table, pl.DataFrame]] | list[tuple[Table, pl.DataFrame]]
) -> None:
    files: dict[str, tuple[IO[bytes], pa.RecordBatchStreamWriter]] = {}
    try:
        for table, frame in facts:
            if frame.is_empty():
                continue
            arrow = table.fill(frame).to_arrow()
            if table.name not in files:
                file: IO[bytes] = _part(parts, unit, table).open("wb")
                files[table.name] = (file, pa.ipc.new_stream(file, arrow.schema))
            files[table.name][1].write_table(arrow)
    finally:
        for file, stream in files.values():
            stream.close()
            file.close()
