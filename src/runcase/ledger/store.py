"""The case on disk: the only module that opens Parquet.

A batch is written into a staging folder beside its place, synced, and renamed:
one rename makes all its tables visible. The batch's name is the digest of what
went in. `case.json` lists the batches that the conclusions know and is replaced
last: a kill at any point leaves the old state or the new one, and the next build
goes on from the batches that are there.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import cache
from itertools import groupby, product
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import Protocol

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from runcase.ledger.raw_chunks import Decoded, RawChunks, decoded
from runcase.model.case import Conclusions, Facts
from runcase.model.naming_order import counted
from runcase.model.problems import Problem, RuncaseError
from runcase.model.refs import Ref, event_id_of
from runcase.model.tables import (
    ARTIFACTS,
    ATTEMPTS,
    CONCLUSIONS,
    DIAGNOSES,
    EDGES,
    EVENTS,
    FACTS,
    MEMBERS,
    PROBLEMS,
    RAW,
    REDACTIONS,
    REPLAYS,
    RUNS,
    SIGNALS,
    SOURCES,
    SPANS,
    STATES,
    TESTS,
    TOMBSTONES,
    WINDOWS,
    Table,
)

SCHEMA_VERSION = 1
"""Version of the case layout and of the stored columns."""

ROW_GROUP_ROWS = 32 * 1024
"""Rows a row group; large enough to compress well, small enough to be held in memory while writing."""

_LONG: dict[str, tuple[tuple[str, ...], int]] = {
    EVENTS.name: (("message", "fields"), 8 * 1024 * 1024),
    RAW.name: (("data",), 2 * 1024 * 1024),
}
"""Columns of long values, and how many of their bytes end a row group early.

Few of the rows of a giant line fill the memory, and a ref costs one row group of raw chunks. A writer keeps some
100 KB a row group, so that groups of a few rows each would fill the memory as well (measured 2026-11).
"""

PART_GROUPS = 192
"""Row groups of one file: a writer holds 23 KB for each row group of events until the file ends (measured 2026-11)."""

_EARLIER = b"earlier_parts"
"""What the last file of a table that has several says of how many stand before it."""

MOST_WAITING = 16
"""Tables that wait to be a row group before they are made one: each holds some 40 KB a column beside its rows."""

SUPERSEDES = "supersedes"
"""File of a batch that names another one, whose place it takes: one rename shows the new and hides the old."""

_DICTIONARY = frozenset(
    ["batch", "run_id", "ts_basis", "kind", "stage", "level", "rule", "template_id", "source_id", "stream", "code"]
) | frozenset(["severity", "action", "role", "status", "format", "reader", "verdict", "encoding"])
"""Columns whose values repeat; the others are cheaper without a dictionary."""


_TEXTS = frozenset(["message", "fields", "summary", "data", "artifacts"])
"""Columns that nobody compares: without their least and greatest values a table takes two thirds of the time to write.
"""

_LAST_ANALYSIS = ".analysis-last"
_RESTED_ON = "batches.json"


def _overview_name(table: Table) -> str:
    return f"all_{table.name}.parquet"


def parts_of(folder: Path, table: Table) -> list[Path]:
    """The files of a table of a batch, in stored order: long tables have `events.1.parquet` and so on before the last.

    One that is missing is among them, unless it is the one before the last: that is for `_unreadable` to see.
    """
    return [folder / name for name in _parts_among(os.listdir(folder), table)]


def _parts_among(names: Iterable[str], table: Table) -> list[str]:
    pattern = re.compile(rf"{table.name}\.([1-9][0-9]{{0,5}})\.parquet")
    earlier = max((int(found[1]) for name in names if (found := pattern.fullmatch(name))), default=0)
    return [_earlier(table, n + 1) for n in range(earlier)] + [f"{table.name}.parquet"]


def _earlier(table: Table, number: int) -> str:
    return f"{table.name}.{number}.parquet"


def _tell_earlier(writer: pq.ParquetWriter, number: int) -> None:
    """How many files of the table stand before the one that is written."""
    if number:
        writer.add_key_value_metadata({_EARLIER: str(number).encode()})


def _earlier_parts(stored: pq.FileMetaData) -> int:
    told = (stored.metadata or {}).get(_EARLIER, b"0")
    return int(told) if told.isdigit() else 0


class Elsewhere(Protocol):
    """Where the files of a case are kept when its folder only mirrors them."""

    name: str
    """The place as messages name it."""

    def bring(self, names: Iterable[str]) -> None:
        """Makes files of the case local that are not yet."""

    def bring_all(self) -> list[str]:
        """Makes every file local; returns those that are not as they were written."""

    def withholds(self, name: str) -> bool:
        """Whether a file is there and has not been made local."""

    def inside(self, folder: str) -> Sequence[str]:
        """Names of the files that lie in a folder of the case, local or not."""


class Case:
    """A case folder: its ledger, its conclusions and its provenance.

    Args:
        root: The folder.
        elsewhere: Where its files come from when they are asked for; None when the folder is the case.
    """

    def __init__(self, root: Path, elsewhere: Elsewhere | None = None) -> None:
        self.root = root
        self.name = elsewhere.name if elsewhere is not None else str(root)
        self.renewed = False
        """Whether what a reader is told of it has been replaced through this object."""
        self._elsewhere = elsewhere
        self._held = False
        self._checked: dict[Path, Problem | None] = {}
        self._batch_of: dict[str, str] = {}
        self._chunks: dict[str, RawChunks] = {}
        self._decoded: Decoded | None = None
        self._first_inputs: dict[str, str] = {}
        self._inside: dict[str, list[str]] = {}
        self._superseded: dict[str, str | None] = {}

    @classmethod
    def open(cls, root: Path, elsewhere: Elsewhere | None = None) -> Case:
        """An existing case.

        Raises:
            RuncaseError: `not_a_case`, or `newer_case` when a later version wrote it.
        """
        case = cls(root, elsewhere)
        if not (root / "case.json").is_file() and not (root / "ledger").is_dir():
            raise RuncaseError(
                "not_a_case", f"{case.name} is not a case", "make one with: runcase build INPUT... -o CASE"
            )
        case._check_version()
        return case

    @classmethod
    def create(cls, root: Path, elsewhere: Elsewhere | None = None) -> Case:
        """A case at `root`, made if the folder is missing or empty.

        Raises:
            RuncaseError: `not_a_case` when the folder holds something else.
        """
        if root.exists() and not root.is_dir():
            raise RuncaseError("not_a_case", f"{root} is a file, not a folder", "name a new folder with -o")
        held = sorted(p.name for p in root.iterdir()) if root.is_dir() else []
        if held and "ledger" not in held and "case.json" not in held:
            raise RuncaseError(
                "not_a_case", f"{root} is neither empty nor a case (it holds {held[0]})", "name a new folder with -o"
            )
        (root / "ledger").mkdir(parents=True, exist_ok=True)
        case = cls(root, elsewhere)
        case._check_version()
        return case

    def _check_version(self) -> None:
        version = self.provenance().get("schema_version", SCHEMA_VERSION)
        if not isinstance(version, int) or version > SCHEMA_VERSION:
            raise RuncaseError(
                "newer_case",
                f"{self.name} has layout version {version}; this runcase knows up to {SCHEMA_VERSION}",
                "read it with a newer runcase, or build into a new folder",
            )

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the case for writing; the lock goes with the process, so a kill leaves none behind.

        Raises:
            RuncaseError: `busy` when another build holds it.
        """
        fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as e:
                raise RuncaseError("busy", f"another build is writing to {self.name}", "wait for it, then retry") from e
            self._held = True
            yield
        finally:
            self._held = False
            os.close(fd)

    # --- provenance -------------------------------------------------------------------------------

    def provenance(self) -> dict[str, object]:
        """What case.json says; empty for a case that has none yet."""
        try:
            found = json.loads((self.root / "case.json").read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError as e:
            raise RuncaseError("not_a_case", f"{self.name}/case.json is damaged: {e}", "build into a new folder") from e
        return found if isinstance(found, dict) else {}

    def write_provenance(self, provenance: Mapping[str, object]) -> None:
        """Replaces case.json and lists the batches that are there: the last step of a build, which commits it."""
        body = {"schema_version": SCHEMA_VERSION, "batches": self.batches(), **provenance}
        text = json.dumps(body, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        self.write_text("case.json", text, durable=True)
        _sync(self.root)

    def write_text(self, name: str, text: str, durable: bool = False) -> None:
        """Replaces one text file of the case atomically; unchanged content is left alone.

        Faces are not synced: they are made anew from the ledger, and `verify` names one that a power cut took.
        """
        path = self.root / name
        data = text.encode("utf-8", "backslashreplace")
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_size == len(data) and path.read_bytes() == data:
                return
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = path.with_name(f".{path.name}.new")
        staged.write_bytes(data)
        if durable:
            _sync(staged)
        staged.replace(path)

    def has(self, name: str) -> bool:
        """Whether the case has this file."""
        return os.path.isfile(f"{self.root}/{name}") or self._withheld(name)

    def bring(self, batches: Iterable[str], tables: Iterable[Table] = FACTS) -> None:
        """Makes tables of some batches local, before anything opens them by their paths."""
        if self._elsewhere is not None:
            self._elsewhere.bring(n for b, t in product(batches, tables) for n in self._names(b, t))

    def bring_all(self) -> list[str]:
        """Makes every file local; returns those that are known not to be as they were written."""
        return self._elsewhere.bring_all() if self._elsewhere is not None else []

    def _withheld(self, name: str) -> bool:
        return self._elsewhere is not None and self._elsewhere.withholds(name)

    def remove_runs_except(self, folders: set[str]) -> None:
        """Drops dossiers of runs that the conclusions no longer know."""
        runs = self.root / "runs"
        for name in sorted(set(os.listdir(runs)) - folders) if runs.is_dir() else []:
            shutil.rmtree(runs / name)

    def remove_pages_except(self, pattern: str, names: Set[str]) -> None:
        """Drops pages beside the index that it no longer links to."""
        for page in self.root.glob(pattern):
            if page.name not in names:
                page.unlink()

    # --- facts ------------------------------------------------------------------------------------

    def batches(self) -> list[str]:
        """Names of the batches that are visible, sorted; one that another takes the place of is none."""
        with os.scandir(self.root / "ledger") as entries:
            found = {e.name for e in entries if not e.name.startswith(".") and e.is_dir()}
        return sorted(found - {self._superseded_by(name) for name in found})

    def _superseded_by(self, batch: str) -> str | None:
        """The batch whose place one takes, if any; a batch comes with its note."""
        if batch not in self._superseded:
            self._superseded[batch] = _superseded(self.root / "ledger" / batch / SUPERSEDES)
        return self._superseded[batch]

    def remove_superseded(self) -> None:
        """Drops batches that others took the place of, and then the notes that say so."""
        ledger = self.root / "ledger"
        for note in sorted(ledger.glob(f"*/{SUPERSEDES}")):
            if (name := _superseded(note)) is not None:
                shutil.rmtree(ledger / name, ignore_errors=True)
            note.unlink()
        self._superseded = {}

    def clear_staging(self) -> None:
        """Removes what a killed build left behind, before batches are written."""
        for stale in (self.root / "ledger").glob(".staging-*"):
            shutil.rmtree(stale)
        self._forget()

    def _forget(self) -> None:
        """What was learned of files that a build is about to replace."""
        self._checked, self._batch_of, self._chunks, self._first_inputs, self._inside = {}, {}, {}, {}, {}
        self._superseded = {}

    def batch(self, name: str, supersedes: str | None = None) -> BatchWriter:
        """A writer for a new batch, which may take the place of another; leftovers of a killed build are removed."""
        self.clear_staging()
        return BatchWriter(self.root / "ledger", name, supersedes)

    def concluded(self) -> list[str]:
        """Batches whose conclusions and faces are published, sorted: those that case.json lists."""
        return self._known(self.provenance().get("batches"))

    def rested_on(self) -> list[str]:
        """Batches that the conclusions rest on, sorted: ahead of `concluded` when a build was killed in between."""
        try:
            return self._known(json.loads((self._analysis() / _RESTED_ON).read_bytes()))
        except (FileNotFoundError, ValueError):
            return self.concluded()

    def _known(self, listed: object) -> list[str]:
        """Batches that are listed or take the place of one that is; all where none of them is there."""
        names = {n for n in listed if isinstance(n, str)} if isinstance(listed, list) else set()
        notes = {b: self._superseded_by(b) for b in self.batches()}
        return [b for b, before in notes.items() if b in names or before in names] or self.batches()

    def builds(self) -> list[list[str]]:
        """The batches that came together, each build's sorted; those that case.json does not know came last.

        In the order of their names and not of the calendar: a case has no clock.
        """
        listed = self.provenance().get("builds")
        successor = {self._superseded_by(b) or b: b for b in self.batches()}
        known = (
            [[successor[b] for b in build if b in successor] for build in listed] if isinstance(listed, list) else []
        )
        fresh = set(self.batches()).difference(*known)
        return sorted(sorted(build) for build in [*known, list(fresh)] if build)

    def facts(self, batches: Sequence[str] | None = None) -> Facts:
        """The fact tables with every declared column; unreadable parts are left out, and named among the problems.

        Batches follow one another in the order of their inputs' names: as their inputs are neighbours, so are sources.
        Where a later build put inputs between those of an earlier one, each batch stands where its first one does.

        Args:
            batches: Which ones; None means those that the conclusions rest on.
        """
        asked = self.rested_on() if batches is None else batches
        self.bring(asked, [t for t in FACTS if t is not RAW])
        chosen = self._as_named(asked)
        unreadable = _problem_frame(self.ledger_problems(chosen)).lazy()
        return Facts(
            sources=self._fact(SOURCES, chosen),
            events=self._fact(EVENTS, chosen),
            artifacts=self._fact(ARTIFACTS, chosen),
            spans=self._fact(SPANS, chosen),
            problems=pl.concat([self._fact(PROBLEMS, chosen), unreadable]),
            redactions=self._fact(REDACTIONS, chosen),
            tombstones=self._fact(TOMBSTONES, chosen),
        )

    def _as_named(self, batches: Sequence[str]) -> list[str]:
        """Batches in the order of the names of their first inputs."""
        if len(batches) < 2:
            return list(batches)
        for batch in batches:
            if batch not in self._first_inputs:
                self._first_inputs[batch] = self._first_input(batch)
        return sorted(batches, key=lambda b: (counted(self._first_inputs[b]), b))

    def _first_input(self, batch: str) -> str:
        """The name of the first input that a batch holds; empty where it cannot be read."""
        for path, problem in self._parts(SOURCES, [batch]):
            file = pq.ParquetFile(path) if problem is None else None
            if file is not None and file.num_row_groups:
                first = file.read_row_group(0, columns=["path"])["path"][0].as_py()
                return str(first).split("!/", 1)[0]
        return ""

    def holding(self, source_ids: pl.Series) -> list[str]:
        """The concluded batches that hold some of these sources."""
        told, _ = self.overview()
        return sorted({*told.filter(pl.col("source_id").is_in(source_ids.implode()))["batch"]})

    def facts_of(self, table: Table, batch: str) -> pl.LazyFrame:
        """One fact table of one batch, in stored order.

        Raises:
            RuncaseError: `not_a_case` when it cannot be read.
        """
        self.bring([batch], [table])
        parts = list(self._parts(table, [batch]))
        for _, problem in parts:
            if problem is not None:
                raise RuncaseError("not_a_case", problem.message, "build anew from the inputs")
        return _scanned([path for path, _ in parts], table)

    def kept(self, batch: str) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Sources whose bytes a batch holds, in the order in which they were read, each with its chunks."""
        self.bring([batch], [RAW])
        groups = row_groups([self.root / n for n in self._names(batch, RAW)], ["source_id", "data"])
        rows = (r for g in groups for r in zip(g["source_id"].to_pylist(), g["data"].to_pylist(), strict=True))
        for source_id, chunks in groupby(rows, key=lambda r: str(r[0])):
            yield source_id, (data for _, data in chunks)

    def _parts(self, table: Table, batches: Sequence[str]) -> Iterator[tuple[Path, Problem | None]]:
        for batch in batches:
            for name in self._names(batch, table):
                path = self.root / name
                if path not in self._checked:
                    if self._withheld(name):
                        continue
                    self._checked[path] = _unreadable(path, name, table, self._held)
                yield path, self._checked[path]

    def _names(self, batch: str, table: Table) -> list[str]:
        """The files of a table of a batch within the case, in stored order, also those that are not local."""
        folder = f"ledger/{batch}"
        if batch not in self._inside:
            own = os.listdir(self.root / folder) if (self.root / folder).is_dir() else []
            self._inside[batch] = [*own, *(self._elsewhere.inside(folder) if self._elsewhere is not None else ())]
        return [f"{folder}/{name}" for name in _parts_among(self._inside[batch], table)]

    def ledger_problems(self, batches: Sequence[str]) -> list[Problem]:
        """One problem a ledger file that cannot be read; what is kept elsewhere and was not needed is not looked at."""
        return [problem for table in FACTS for _, problem in self._parts(table, batches) if problem is not None]

    def _fact(self, table: Table, batches: Sequence[str]) -> pl.LazyFrame:
        parts = [path for path, problem in self._parts(table, batches) if problem is None]
        if not parts:
            return table.empty().lazy()
        return _scanned(parts, table)

    # --- raw bytes --------------------------------------------------------------------------------

    def raw(self, ref: Ref) -> bytes | None:
        """The bytes that `ref` names; None when they were not kept, or have expired."""
        if not self._batch_of:
            self._batch_of = dict(self.overview()[0].select("source_id", "batch").iter_rows())
        known = self._batch_of.get(ref.source_id)
        for batch in self.batches() if known is None else [known]:
            if batch not in self._chunks:
                self.bring([batch], [RAW, REDACTIONS])
                paths = [path for path, problem in self._parts(RAW, [batch]) if problem is None]
                self._decoded = self._decoded or decoded()
                self._chunks[batch] = RawChunks(paths, self._fact(REDACTIONS, [batch]).collect(), self._decoded)
            if (data := self._chunks[batch].bytes_of(ref)) is not None:
                return data
        return None

    # --- conclusions ------------------------------------------------------------------------------

    def write_conclusions(self, conclusions: Conclusions, sources: pl.DataFrame, problems: pl.DataFrame) -> None:
        """Replaces the tables of analysis/ together; SOURCES and PROBLEMS are those of all batches, for `overview`."""
        staged, place, last = (self.root / n for n in (".analysis-new", "analysis", _LAST_ANALYSIS))
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir()
        for table, frame in zip(CONCLUSIONS, _frames(conclusions), strict=True):
            _write_parquet(table.fill(frame).sort(table.key, nulls_last=True), staged / f"{table.name}.parquet")
        for table, frame in ((SOURCES, sources), (PROBLEMS, problems.filter(pl.col("batch") != ""))):
            _write_parquet(_narrowed(frame, table).sort(table.key, nulls_last=True), staged / _overview_name(table))
        (staged / _RESTED_ON).write_text(json.dumps(self.batches()) + "\n")
        _sync_tree(staged)
        if place.is_dir():
            shutil.rmtree(last, ignore_errors=True)
            place.rename(last)
        staged.rename(place)
        self.renewed = True
        shutil.rmtree(last, ignore_errors=True)
        _sync(self.root)
        self._forget()

    def overview(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """SOURCES and PROBLEMS of the batches that the conclusions rest on, without opening these batches."""
        paths = {t: self._analysis() / _overview_name(t) for t in (SOURCES, PROBLEMS)}
        if any(_unreadable(path, path.name, t, self._held) for t, path in paths.items()):
            facts = self.facts()
            return facts.sources.collect(), facts.problems.collect()
        sources, problems = (_scanned(path, t).collect() for t, path in paths.items())
        return sources, problems

    def is_concluded(self) -> bool:
        """Whether every table of the conclusions is there and readable."""
        folder = self.root / "analysis"
        return all(_unreadable(folder / f"{t.name}.parquet", t.name, t, self._held) is None for t in CONCLUSIONS)

    def conclusions(self) -> Conclusions:
        """The conclusions of the last build.

        Raises:
            RuncaseError: `not_a_case` when a table is missing or damaged.
        """
        return Conclusions(*(self._conclusion(table) for table in CONCLUSIONS))

    def _analysis(self) -> Path:
        """The folder of the conclusions; the last one when a build was killed between two renames."""
        folder = self.root / "analysis"
        return folder if folder.is_dir() else self.root / _LAST_ANALYSIS

    def _conclusion(self, table: Table) -> pl.DataFrame:
        path = self._analysis() / f"{table.name}.parquet"
        problem = _unreadable(path, f"analysis/{table.name}.parquet", table, self._held)
        if problem is not None:
            raise RuncaseError("not_a_case", problem.message, "build again: conclusions are recomputed from the ledger")
        return _scanned(path, table).collect()


class BatchWriter:
    """Writes one batch; leaving the `with` block without an error makes it visible, or leaves that to `give_place`.

    Frames are gathered into row groups of a fixed size, so that the files depend
    on the rows and not on how they were handed in. A table of many row groups is
    written as several files.
    """

    def __init__(
        self,
        ledger: Path,
        name: str,
        supersedes: str | None = None,
        placed: bool = True,
        part_groups: int = PART_GROUPS,
    ) -> None:
        self.name = name
        self._supersedes = supersedes
        self._placed = placed
        self.staging = ledger / f".staging-{name}-{os.getpid()}-{token_hex(4)}"
        self._place = ledger / name
        self._part_groups = part_groups
        self._groups = {t.name: 0 for t in FACTS}
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._waiting: dict[str, list[pa.Table]] = {t.name: [] for t in FACTS}
        self._long_bytes = dict.fromkeys(_LONG, 0)

    def __enter__(self) -> BatchWriter:
        self.staging.mkdir(parents=True)
        for table in FACTS:
            self._begin_part(table)
        return self

    def _begin_part(self, table: Table) -> None:
        schema = _arrow_schema(table)
        path = self.staging / f"{table.name}.parquet"
        self._writers[table.name] = pq.ParquetWriter(path, schema, **_encoding(schema))

    def write(self, table: Table, frame: pl.DataFrame) -> None:
        """Appends rows; the batch column is filled in."""
        if frame.is_empty():
            return
        stored = _narrowed(frame.with_columns(batch=pl.lit(self.name)), table)
        waiting = self._waiting[table.name]
        waiting.append(stored.to_arrow().cast(self._writers[table.name].schema))
        if len(waiting) >= MOST_WAITING:
            waiting[:] = [pa.concat_tables(waiting).combine_chunks()]
        full = sum(t.num_rows for t in waiting) >= ROW_GROUP_ROWS
        if table.name in _LONG:
            self._long_bytes[table.name] += int(_long_bytes(waiting[-1], table).sum())
            full |= self._long_bytes[table.name] >= _LONG[table.name][1]
        if full:
            self._flush(table, whole_groups=True)

    def _flush(self, table: Table, whole_groups: bool) -> None:
        if not self._waiting[table.name]:
            return
        rows = pa.concat_tables(self._waiting[table.name])
        while size := _group_end(rows, table, whole_groups):
            self._write_group(table, rows.slice(0, size))
            rows = rows.slice(size)
        self._waiting[table.name] = [rows] if rows.num_rows else []
        if table.name in _LONG:
            self._long_bytes[table.name] = int(_long_bytes(rows, table).sum())

    def _write_group(self, table: Table, rows: pa.Table) -> None:
        earlier, begun = divmod(self._groups[table.name], self._part_groups)
        if earlier and not begun:
            self._writers[table.name].close()
            (self.staging / f"{table.name}.parquet").rename(self.staging / _earlier(table, earlier))
            self._begin_part(table)
        self._writers[table.name].write_table(rows, row_group_size=rows.num_rows)
        self._groups[table.name] += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for table in FACTS:
                self._flush(table, whole_groups=False)
                _tell_earlier(self._writers[table.name], max(self._groups[table.name] - 1, 0) // self._part_groups)
        for writer in self._writers.values():
            writer.close()
        if kind is not None:
            shutil.rmtree(self.staging, ignore_errors=True)
            return
        if self._supersedes is not None:
            (self.staging / SUPERSEDES).write_text(self._supersedes)
        _sync_tree(self.staging)
        if self._placed:
            give_place(self.staging, self._place)


def give_place(staging: Path, place: Path) -> None:
    """Makes a written batch visible; one that stands there has the same name, so it is the same or damaged."""
    aside = place.with_name(f".staging-{place.name}-replaced")
    if place.is_dir():
        place.rename(aside)
    staging.rename(place)
    shutil.rmtree(aside, ignore_errors=True)
    _sync(place.parent)


def _superseded(note: Path) -> str | None:
    """The batch that a note names; None without a note, or where it names none: a case may be a stranger's."""
    try:
        name = note.read_bytes()[:64].decode("ascii", "replace")
    except FileNotFoundError:
        return None
    return name if re.fullmatch(r"[0-9a-f]{16}(?:-[0-9]+)?", name) and name != note.parent.name else None


def _group_end(rows: pa.Table, table: Table, whole: bool) -> int:
    """Rows of the next row group; 0 when there are none, or (`whole`) too few to fill one."""
    if table.name in _LONG:
        sizes = _long_bytes(rows.slice(0, ROW_GROUP_ROWS), table)
        passed = np.flatnonzero(np.cumsum(sizes) >= _LONG[table.name][1])
        if passed.size:
            return int(passed[0]) + 1
    if rows.num_rows >= ROW_GROUP_ROWS:
        return ROW_GROUP_ROWS
    return 0 if whole else int(rows.num_rows)


def _long_bytes(rows: pa.Table, table: Table) -> np.ndarray:
    """Bytes of the long columns of each row."""
    columns, _ = _LONG[table.name]
    return np.asarray(sum(_lengths(rows[c]) for c in columns))


def _lengths(column: pa.ChunkedArray) -> np.ndarray:
    """Bytes of each value, which its offsets tell; 0 for null."""
    offsets = [np.frombuffer(c.buffers()[1], np.int64)[c.offset : c.offset + len(c) + 1] for c in column.chunks]
    return np.concatenate([np.diff(found) for found in offsets])


def _frames(conclusions: Conclusions) -> tuple[pl.DataFrame, ...]:
    by_table = {
        RUNS: conclusions.runs,
        ATTEMPTS: conclusions.attempts,
        MEMBERS: conclusions.members,
        WINDOWS: conclusions.windows,
        STATES: conclusions.states,
        EDGES: conclusions.edges,
        SIGNALS: conclusions.signals,
        DIAGNOSES: conclusions.diagnoses,
        REPLAYS: conclusions.replay,
        TESTS: conclusions.tests,
    }
    return tuple(by_table[t] for t in CONCLUSIONS)


def _narrowed(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The stored columns; an interval that is a point, and a point that has no interval, stay implicit."""
    if table is EVENTS:
        exact = pl.col("ts_lo").eq_missing(pl.col("ts")) & pl.col("ts_hi").eq_missing(pl.col("ts"))
        frame = frame.with_columns(pl.when(~exact).then(pl.col("ts_lo", "ts_hi")))
    stored = table.stored_schema
    return frame.select(pl.col(name).cast(dtype) for name, dtype in stored.items())


def _as_declared(stored: pl.LazyFrame, table: Table) -> pl.LazyFrame:
    """Every declared column, derived ones computed."""
    if table is EVENTS:
        stored = stored.with_columns(
            event_id_of().alias("event_id"),
            pl.col("ts_lo").fill_null(pl.col("ts")),
            pl.col("ts_hi").fill_null(pl.col("ts")),
        )
    return stored.select(pl.col(name).cast(dtype) for name, dtype in table.schema.items())


@cache
def _arrow_schema(table: Table) -> pa.Schema:
    return pl.DataFrame(schema=table.stored_schema).to_arrow().schema


def _encoding(schema: pa.Schema) -> dict[str, object]:
    """zstd-1, dictionaries where values repeat, delta coding for integers and times, statistics of short columns."""
    dictionary = [f.name for f in schema if f.name in _DICTIONARY]
    delta = {
        f.name: "DELTA_BINARY_PACKED"
        for f in schema
        if f.name not in _DICTIONARY and (pa.types.is_integer(f.type) or pa.types.is_timestamp(f.type))
    }
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": dictionary,
        "column_encoding": delta or None,
        "write_statistics": [f.name for f in schema if f.name not in _TEXTS],
    }


def row_groups(paths: Sequence[Path], columns: list[str] | None = None) -> Iterator[pa.Table]:
    """The row groups of the files of a table, in stored order; all columns, or some."""
    for path in paths:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                yield file.read_row_group(group, columns=columns)


def replace_table(path: Path, groups: Iterable[pa.Table]) -> None:
    """Replaces a table of a batch by one rename; only retention does, and it leaves tombstones."""
    staged = path.with_name(f".{path.name}.new")
    stored = pq.read_metadata(path)
    schema = stored.schema.to_arrow_schema()
    with pq.ParquetWriter(staged, schema, **_encoding(schema)) as writer:
        for rows in groups:
            if rows.num_rows:
                writer.write_table(rows.cast(schema))
        _tell_earlier(writer, _earlier_parts(stored))
    _sync(staged)
    staged.replace(path)
    _sync(path.parent)


def _write_parquet(frame: pl.DataFrame, path: Path) -> None:
    arrow = frame.to_arrow()
    with pq.ParquetWriter(path, arrow.schema, **_encoding(arrow.schema)) as writer:
        writer.write_table(arrow, row_group_size=ROW_GROUP_ROWS)


def _unreadable(path: Path, name: str, table: Table, strict: bool) -> Problem | None:
    """Why a ledger file cannot be read; pyarrow looks first, because polars can abort on a corrupt file.

    Raises:
        OSError: When `strict` and the system refuses to read it: a build must not go on as if it were damaged.
    """
    try:
        stored = pq.read_metadata(path)
        schema = stored.schema.to_arrow_schema()
    except FileNotFoundError:
        return Problem("ledger_part_missing", "error", f"{name} is missing", path=name)
    except (pa.ArrowException, OSError) as e:
        if strict and isinstance(e, OSError) and e.errno:
            raise
        return Problem("ledger_part_damaged", "error", f"{name} cannot be read: {e}", path=name)
    before = _earlier_parts(stored)
    if before and not (path.parent / _earlier(table, before)).exists():
        missing = f"{Path(name).parent}/{_earlier(table, before)}"
        return Problem("ledger_part_missing", "error", f"{missing} is missing", path=missing)
    for field, column in zip(_arrow_schema(table), (c for c in table.columns if not c.derived), strict=True):
        there = schema.names.count(field.name)
        if there > 1 or (not there and not column.nullable):
            said = "has twice" if there else "lacks"
            return Problem("ledger_part_foreign", "error", f"{name} {said} the column {field.name}", path=name)
        if there and schema.field(field.name).type != field.type:
            message = f"{name} has another type in the column {field.name}"
            return Problem("ledger_part_foreign", "error", message, path=name)
    return None


def _scanned(parts: Path | list[Path], table: Table) -> pl.LazyFrame:
    """Every declared column of parts that can be read; a nullable one that an older version did not write is null."""
    stored = pl.scan_parquet(parts, schema=table.stored_schema, missing_columns="insert", extra_columns="ignore")
    return _as_declared(stored, table)


def _problem_frame(problems: list[Problem]) -> pl.DataFrame:
    return problem_frame(problems).with_columns(batch=pl.lit(""))


def problem_frame(problems: list[Problem]) -> pl.DataFrame:
    """PROBLEMS rows; batch is null until a batch writes them."""
    return PROBLEMS.frame([{name: getattr(p, name, None) for name in PROBLEMS.names} for p in problems])


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _sync_tree(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        _sync(path)
    _sync(folder)
