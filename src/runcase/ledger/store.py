"""The case on disk.

A batch is written into a staging folder beside its place, synced, and renamed:
one rename makes all its tables visible. The batch's name is the digest of what
went in. `case.json` lists the batches that the conclusions know and is replaced
last: a kill at any point leaves the old state or the new one, and the next build
goes on from the batches that are there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from runcase.ledger.batches import Batches
from runcase.ledger.case_files import Elsewhere, sync, sync_tree
from runcase.ledger.parquet import narrowed, scanned, unreadable, write_parquet
from runcase.ledger.raw_chunks import Decoded, RawChunks, decoded
from runcase.model.case import Conclusions, Facts
from runcase.model.problems import RuncaseError
from runcase.model.refs import Ref
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
    problem_frame,
)

SCHEMA_VERSION = 1
"""Version of the case layout and of the stored columns."""

OPEN_BATCHES = 8
"""Of which raw chunks are found without opening them again: 0.7 MiB and a file each, for 31 MB of evidence."""

_LAST_ANALYSIS = ".analysis-last"
_RESTED_ON = "batches.json"


def _overview_name(table: Table) -> str:
    return f"all_{table.name}.parquet"


class Case(Batches):
    """A case folder: its ledger, its conclusions and its provenance."""

    def _forget(self) -> None:
        super()._forget()
        self._batch_of: dict[str, str] = {}
        self._chunks: dict[str, RawChunks] = {}
        self._decoded: Decoded | None = None

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
        sync(self.root)

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
        unreadable = problem_frame(self.ledger_problems(chosen)).with_columns(batch=pl.lit("")).lazy()
        return Facts(
            sources=self._fact(SOURCES, chosen),
            events=self._fact(EVENTS, chosen),
            artifacts=self._fact(ARTIFACTS, chosen),
            spans=self._fact(SPANS, chosen),
            problems=pl.concat([self._fact(PROBLEMS, chosen), unreadable]),
            redactions=self._fact(REDACTIONS, chosen),
            tombstones=self._fact(TOMBSTONES, chosen),
        )

    def holding(self, source_ids: pl.Series) -> list[str]:
        """The concluded batches that hold some of these sources."""
        told, _ = self.overview()
        return sorted({*told.filter(pl.col("source_id").is_in(source_ids.implode()))["batch"]})

    def raw(self, ref: Ref) -> bytes | None:
        """The bytes that `ref` names; None when they were not kept, or have expired."""
        if not self._batch_of:
            self._batch_of = dict(self.overview()[0].select("source_id", "batch").iter_rows())
        known = self._batch_of.get(ref.source_id)
        for batch in self.batches() if known is None else [known]:
            if (data := self._raw_chunks(batch).bytes_of(ref)) is not None:
                return data
        return None

    def _raw_chunks(self, batch: str) -> RawChunks:
        """Those of a batch; the batches that were asked last are kept open."""
        chunks = self._chunks.pop(batch, None)
        if chunks is None:
            self.bring([batch], [RAW, REDACTIONS])
            paths = [path for path, problem in self._parts(RAW, [batch]) if problem is None]
            self._decoded = self._decoded or decoded()
            chunks = RawChunks(paths, self._fact(REDACTIONS, [batch]).collect(), self._decoded)
        self._chunks[batch] = chunks
        if len(self._chunks) > OPEN_BATCHES:
            del self._chunks[next(iter(self._chunks))]
        return chunks

    def write_conclusions(self, conclusions: Conclusions, sources: pl.DataFrame, problems: pl.DataFrame) -> None:
        """Replaces the tables of analysis/ together; SOURCES and PROBLEMS are those of all batches, for `overview`."""
        staged, place, last = (self.root / n for n in (".analysis-new", "analysis", _LAST_ANALYSIS))
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir()
        for table, frame in zip(CONCLUSIONS, _frames(conclusions), strict=True):
            write_parquet(table.fill(frame).sort(table.key, nulls_last=True), staged / f"{table.name}.parquet")
        for table, frame in ((SOURCES, sources), (PROBLEMS, problems.filter(pl.col("batch") != ""))):
            write_parquet(narrowed(frame, table).sort(table.key, nulls_last=True), staged / _overview_name(table))
        (staged / _RESTED_ON).write_text(json.dumps(self.batches()) + "\n")
        sync_tree(staged)
        if place.is_dir():
            shutil.rmtree(last, ignore_errors=True)
            place.rename(last)
        staged.rename(place)
        self.renewed = True
        shutil.rmtree(last, ignore_errors=True)
        sync(self.root)
        self._forget()

    def overview(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """SOURCES and PROBLEMS of the batches that the conclusions rest on, without opening these batches."""
        paths = {t: self._analysis() / _overview_name(t) for t in (SOURCES, PROBLEMS)}
        if any(unreadable(path, path.name, t, self._held) for t, path in paths.items()):
            facts = self.facts()
            return facts.sources.collect(), facts.problems.collect()
        sources, problems = (scanned(path, t).collect() for t, path in paths.items())
        return sources, problems

    def is_concluded(self) -> bool:
        """Whether every table of the conclusions is there and readable."""
        folder = self.root / "analysis"
        return all(unreadable(folder / f"{t.name}.parquet", t.name, t, self._held) is None for t in CONCLUSIONS)

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
        problem = unreadable(path, f"analysis/{table.name}.parquet", table, self._held)
        if problem is not None:
            raise RuncaseError("not_a_case", problem.message, "build again: conclusions are recomputed from the ledger")
        return scanned(path, table).collect()


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
