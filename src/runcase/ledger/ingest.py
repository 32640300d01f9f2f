"""Inputs to one batch of facts: work units in worker processes, written in input order.

A unit is one input file. Workers read, classify and leave their facts as Arrow
streams in the batch's staging folder; the parent appends them in the order of
the units, so that the ledger's bytes do not depend on the number of processes.
A decoder that crashes or hangs costs the source that it was at, and not the batch.
"""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import IO

import polars as pl
import pyarrow as pa

from runcase.intake.archive import Budget
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
    """Each unit in order, as soon as its parts are complete.

    When a worker dies, the units that were being read get a process of their own
    each, which tells the culprit from its neighbours; then the pool goes on.
    """
    left = list(units)
    ready: set[int] = set()
    while left:
        todo = [u for u in left if u.number not in ready]
        futures: dict[int, Future[None]] = {}
        try:
            with _pool(max(1, min(jobs, len(todo))), plan) as pool:
                futures |= ((u.number, pool.submit(_work, u, parts)) for u in todo)
                while left:
                    if left[0].number in futures:
                        futures[left[0].number].result()
                    yield left.pop(0)
        except BrokenProcessPool:
            ready |= {n for n, future in futures.items() if _succeeded(future)}
            for unit in _suspects([u for u in left if u.number not in ready], parts):
                _alone(unit, plan, parts)
                ready.add(unit.number)


def _succeeded(future: Future[None]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _suspects(unfinished: Sequence[Unit], parts: Path) -> list[Unit]:
    """Units whose reading had begun when a worker died; the first one when none had."""
    return [u for u in unfinished if _begun(parts, u).exists()] or list(unfinished[:1])


def _alone(unit: Unit, plan: IngestPlan, parts: Path) -> None:
    """Reads a unit in a process of its own; when that dies too, what was whole before is kept."""
    try:
        with _pool(1, plan) as pool:
            pool.submit(_work, unit, parts).result()
    except BrokenProcessPool:
        facts = _before_the_crash(parts, unit)
        through = {sid for t, f in facts if t is SOURCES for sid in f["source_id"]}
        whole = source_id(unit.sha256, unit.name, 0) in through
        _write_parts(parts, unit, facts if whole else [*facts, *_crashed(unit, len(through))])
        _begun(parts, unit).unlink(missing_ok=True)


def _before_the_crash(parts: Path, unit: Unit) -> list[tuple[Table, pl.DataFrame]]:
    """The facts of the sources that were through when the process died."""
    found = {table.name: _readable(_part(parts, unit, table)) for table in FACTS}
    sources = found[SOURCES.name]
    if sources is None:
        return []
    whole = sources["source_id"].to_list()
    frames = ((t, found[t.name]) for t in FACTS)
    return [(t, f.filter(pl.col("source_id").is_in(whole))) for t, f in frames if f is not None]


def _readable(path: Path) -> pl.DataFrame | None:
    """The batches of an Arrow stream up to where it breaks off."""
    batches: list[pa.RecordBatch] = []
    try:
        with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
            batches.extend(stream)
    except (OSError, pa.ArrowInvalid):
        pass
    frame = pl.from_arrow(pa.Table.from_batches(batches)) if batches else None
    return frame if isinstance(frame, pl.DataFrame) else None


def _pool(jobs: int, plan: IngestPlan) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_prepare, initargs=(plan,)
    )


def _append(unit: Unit, parts: Path, writer: BatchWriter) -> None:
    for table in FACTS:
        path = _part(parts, unit, table)
        if path.exists():
            with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as stream:
                for batch in stream:
                    writer.write(table, pl.DataFrame(pa.Table.from_batches([batch])))
            path.unlink()


def _crashed(unit: Unit, sources: int) -> list[tuple[Table, pl.DataFrame]]:
    """What is left to say of an input whose decoder took its process down after some sources."""
    sid = source_id(unit.sha256, unit.name, 0)
    problem = Problem(
        "decoder_crashed",
        "error",
        f"the process that read it died or used up its processor time; {sources} source(s) were read before",
        path=unit.name,
        source_id=sid,
        byte_start=0,
        byte_len=unit.size_bytes,
        quarantined_bytes=unit.size_bytes,
    )
    row = {"source_id": sid, "path": unit.name, "ordinal": 0, "kind": "container" if sources else "file"}
    row |= {"sha256": unit.sha256, "size_bytes": unit.size_bytes, "event_bytes": 0}
    row |= {"quarantined_bytes": unit.size_bytes, "overhead_bytes": 0, "verdict": "corrupt"}
    row |= {"role": "container" if sources else "other", "lines": 0, "events": 0}
    return [(SOURCES, SOURCES.frame([row])), (PROBLEMS, problem_frame([problem]))]


# --- in a worker ----------------------------------------------------------------------------------

_plan: IngestPlan
_ruleset: Ruleset


def _prepare(plan: IngestPlan) -> None:
    global _plan, _ruleset
    _plan, _ruleset = plan, compile_packs(plan.packs)


def _work(unit: Unit, parts: Path) -> None:
    begun = _begun(parts, unit)
    begun.touch()
    _limit_time(unit, _plan.read.budget)
    _write_parts(parts, unit, unit_facts(unit, _plan, _ruleset))
    begun.unlink()


def _limit_time(unit: Unit, budget: Budget) -> None:
    """From here on the process may use so much processor time; a decoder that hangs is killed by the system then."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = budget.cpu_seconds + budget.cpu_seconds_per_mib * (unit.size_bytes >> 20)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (ceil(used.ru_utime + used.ru_stime) + allowed, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


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


def _begun(parts: Path, unit: Unit) -> Path:
    return parts / f"{unit.number:08d}.begun"


def _part(parts: Path, unit: Unit, table: Table) -> Path:
    return parts / f"{unit.number:08d}-{table.name}.arrow"


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
            if table is SOURCES:  # a source is through: a crash after it must not cost its facts
                for written, _ in files.values():
                    written.flush()
    finally:
        for file, stream in files.values():
            stream.close()
            file.close()
