"""Inputs to batches of facts: groups of units in worker processes, each of which writes batches of its own.

No process has to gather what the others made, and the ledger's bytes do not
depend on the number of processes.
A decoder that crashes or hangs costs the source that it was at, and not the batch.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from secrets import token_hex
from time import process_time
from typing import IO

import polars as pl
import pyarrow as pa

from runcase.intake.archive import Budget, stream_sizes
from runcase.intake.pieces import Piece
from runcase.intake.read import read_inputs
from runcase.intake.read_plan import Input, ReadPlan
from runcase.ledger.batch_writer import BatchWriter, give_place
from runcase.ledger.classify import Classifier
from runcase.ledger.serving import Stage, Tell
from runcase.ledger.units import Group, Unit, divided, divided_from, largest_first, portions
from runcase.ledger.workers import Crew
from runcase.model.problems import Problem
from runcase.model.refs import source_id
from runcase.model.tables import (
    ARTIFACTS,
    EVENTS,
    FACTS,
    PROBLEMS,
    RAW,
    REDACTIONS,
    SOURCES,
    SPANS,
    Table,
    problem_frame,
)
from runcase.rules.compile import Ruleset, compile_packs
from runcase.rules.language import Pack


@dataclass(frozen=True, slots=True)
class IngestPlan:
    """How units are read and classified."""

    read: ReadPlan
    packs: tuple[Pack, ...]


Progress = Callable[[int], None]
"""Is told of bytes that were read."""


def ingest(groups: Sequence[Group], plan: IngestPlan, crew: Crew, ledger: Path, progress: Progress) -> None:
    """Writes one batch a group into `ledger`.

    Where a process dies, its group is read unit by unit, each in a process of its
    own, which tells the culprit from its neighbours. The portions of an input are
    shown when all are written, the last one last: as long as it is missing, the
    case does not know the input.
    """
    ordered = largest_first(groups)
    passed = [0] * len(ordered)
    written: dict[str, Path] = {}

    def tell(number: int, size: int) -> None:
        passed[number] = min(passed[number] + size, ordered[number].size_bytes)
        progress(sum(passed))

    for outcome in crew.each(Stage(_prepare, (plan, ledger), _work), ordered, tell):
        group = ordered[outcome.number]
        placed = not group.is_portion
        staging = outcome.value
        if outcome.died and not (placed and (ledger / group.batch).is_dir()):
            staging = write_carefully(group, plan, ledger, placed)
        if staging is not None and not placed:
            written[group.batch] = staging
        tell(outcome.number, group.size_bytes)
    place_portions(written, ledger)


def place_portions(written: Mapping[str, Path], ledger: Path) -> None:
    """Shows the batches of portions, in their order; `written` names where each was staged."""
    for batch, staging in sorted(written.items()):
        give_place(staging, ledger / batch)


def in_portions(groups: Sequence[Group], crew: Crew) -> list[Group]:
    """The same groups, with large archives among them divided."""
    least = divided_from([u for g in groups for u in g.units])
    parts = surveyed([g for g in groups if len(g.units) == 1 and g.size_bytes >= least], crew)
    return [part for g in groups for part in parts.get(g.batch, [g])]


def surveyed(groups: Sequence[Group], crew: Crew) -> dict[str, list[Group]]:
    """Batch -> the portions of each group of one unit; an input that kills a process is not divided."""
    found = crew.each(Stage(Budget, (), _survey), [g.units[0] for g in groups])
    return {groups[o.number].batch: divided(groups[o.number], portions(o.value or ())) for o in found}


# --- in the parent --------------------------------------------------------------------------------


def write_carefully(group: Group, plan: IngestPlan, ledger: Path, placed: bool = True) -> Path:
    """A group's batch from facts that each unit left as Arrow streams; the folder in which it was written."""
    parts = ledger / f".staging-parts-{group.batch}-{token_hex(4)}"
    parts.mkdir()
    for unit in group.units:
        _alone(unit, plan, parts)
    with BatchWriter(ledger, group.batch, placed=placed) as writer:
        for unit in group.units:
            _append(unit, parts, writer)
    parts.rmdir()
    return writer.staging


def _alone(unit: Unit, plan: IngestPlan, parts: Path) -> None:
    """Reads a unit in a process of its own; when that dies, what was whole before is kept."""
    with Crew(1) as crew:
        (outcome,) = crew.each(Stage(_prepare, (plan, parts), _save), [unit])
    if outcome.died:
        facts = _before_the_crash(parts, unit)
        through = {sid for t, f in facts if t is SOURCES for sid in f["source_id"]}
        whole = source_id(unit.sha256, unit.name, 0) in through
        _write_parts(parts, unit, facts if whole else [*facts, *_crashed(unit, len(through))])


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
    last = unit.portion.stop is None
    problem = Problem(
        "decoder_crashed",
        "error",
        f"the process that read it died or used up its processor time; {sources} source(s) were read before",
        path=unit.name,
        source_id=sid,
        byte_start=0,
        byte_len=unit.size_bytes,
        quarantined_bytes=unit.size_bytes if last else 0,
    )
    if not last:  # the row of the input is in the batch of its last portion
        return [(PROBLEMS, problem_frame([problem]))]
    row = {"source_id": sid, "path": unit.name, "ordinal": 0, "kind": "container" if sources else "file"}
    row |= {"sha256": unit.sha256, "size_bytes": unit.size_bytes, "event_bytes": 0}
    row |= {"quarantined_bytes": unit.size_bytes, "overhead_bytes": 0, "verdict": "corrupt"}
    row |= {"role": "container" if sources else "other", "lines": 0, "events": 0}
    return [(SOURCES, SOURCES.frame([row])), (PROBLEMS, problem_frame([problem]))]


# --- in a worker ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a process reads with, and where to."""

    plan: IngestPlan
    ruleset: Ruleset
    folder: Path


def _prepare(plan: IngestPlan, folder: Path) -> _Reading:
    return _Reading(plan, compile_packs(plan.packs), folder)


def _work(reading: _Reading, group: Group, tell: Tell) -> Path:
    return write_group(group, reading.plan, reading.ruleset, reading.folder, tell, not group.is_portion)


def _survey(budget: Budget, unit: Unit, _: Tell) -> list[int]:
    """Bytes of the streams of an input."""
    allowance = _Allowance(budget.cpu_seconds)
    sizes = stream_sizes(unit.path, unit.name, budget, lambda _: allowance.renew())
    allowance.lift()
    return sizes


def write_group(
    group: Group,
    plan: IngestPlan,
    ruleset: Ruleset,
    ledger: Path,
    passed: Progress = lambda _: None,
    placed: bool = True,
) -> Path:
    """A group's batch; the folder in which it was written, and in which it stays unless it is `placed`."""
    with BatchWriter(ledger, group.batch, placed=placed) as writer:
        for table, frame in _in_steps(group.units, plan, ruleset, passed):
            writer.write(table, frame)
    return writer.staging


def _save(reading: _Reading, unit: Unit, tell: Tell) -> None:
    # source by source, so that a crash costs no source before it
    plan = replace(reading.plan, read=replace(reading.plan.read, at_once=1))
    _write_parts(reading.folder, unit, _in_steps([unit], plan, reading.ruleset, tell))


def _in_steps(
    units: Iterable[Unit], plan: IngestPlan, ruleset: Ruleset, passed: Progress = lambda _: None
) -> Iterator[tuple[Table, pl.DataFrame]]:
    """As `facts_of`; a step that takes too long ends the process, while steps may be any number: budgets count them."""
    allowance = _Allowance(plan.read.budget.cpu_seconds)

    def step(size: int) -> None:
        allowance.renew()
        passed(size)

    for table, frame in facts_of(units, plan, ruleset, step):
        yield table, frame
        allowance.renew()
    allowance.lift()


class _Allowance:
    """Processor time until the next step is through; a decoder that hangs is killed when it is used up."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._renewed = -1.0
        self.renew()

    def renew(self) -> None:
        """From here on the process may use `seconds` at least. The limit counts whole ones: it is set once in each."""
        used = process_time()
        if self._renewed < 0 or used - self._renewed >= 1:
            self._renewed = used
            self._limit(ceil(used) + self._seconds + 1)

    def lift(self) -> None:
        """What follows in this process has no limit of its own."""
        self._limit(resource.getrlimit(resource.RLIMIT_CPU)[1])

    def _limit(self, seconds: int) -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def facts_of(
    units: Iterable[Unit], plan: IngestPlan, ruleset: Ruleset, passed: Progress = lambda _: None
) -> Iterator[tuple[Table, pl.DataFrame]]:
    """Frames of facts in the order of the inputs; each names its table. `passed` is told of bytes as they are read."""
    classifier = Classifier(ruleset, plan.read.compiled)
    inputs = (Input(u.path, u.name, u.sha256, u.portion.first, u.portion.stop) for u in units)
    for piece in read_inputs(inputs, plan.read, passed):
        claims = piece.artifacts
        if piece.records.height:
            classified = classifier.feed(piece.records, piece.contexts)
            yield EVENTS, classified.events
            claims = _source_by_source([classified.artifacts, claims], piece)
        yield ARTIFACTS, claims
        yield SPANS, piece.spans
        yield PROBLEMS, piece.problems
        yield REDACTIONS, piece.redactions
        yield RAW, piece.raw
        yield SOURCES, piece.source


def _source_by_source(claims: Sequence[pl.DataFrame], piece: Piece) -> pl.DataFrame:
    """Claims in the order of the sources, so that it does not matter which sources are read in one pass."""
    found = pl.concat(ARTIFACTS.fill(c) for c in claims)
    order = {c.source_id: n for n, c in enumerate(piece.contexts)}
    return found if len(order) == 1 else found.sort(pl.col("source_id").replace_strict(order), maintain_order=True)


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
