"""Travis CI: the console text of one job.

`travis_fold` and `travis_time` markers stand between carriage returns and
escapes, so that a terminal hides them; `The command "..." exited with N.` ends
a command and `Done. Your build exited with N.` the job (travis-build, 2012 to 2021).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from runcase.intake.readers.annotation import MARKS, first_line, json_fields
from runcase.intake.readers.base import Annotator, Sniff, Taken, TextReader
from runcase.model.tables import SPANS

_MARK = re.compile(
    rb"travis_(?:fold|time):(?:start|end):|Worker information|Using worker: worker-|travis-build version|"
    rb"Build system information|Build language: |travis_wait|Done\. Your build exited with -?\d"
)
_GREETING = re.compile(rb"travis")

_DONE = r"^Done\. Your build exited with (-?\d+)"
_COMMAND = r'^The command "?(.+?)"? (?:failed and )?exited with (-?\d+)'
_FAILED_COMMAND = r'^The command "(.+)" failed(?: \d+ times| and exited with (-?\d+))'
_STOPPED = r"^(?:Your build has been stopped|The log length has exceeded the limit)"
_TERMINATED = r"^(?:The build has been terminated|The job exceeded the maximum time limit .*terminated)"
_STALLED = (
    r"^(?:No output has been received in the last \d+|The job exceeded the maximum time limit"
    r"|(?:I'm sorry but )?[Yy]our test run exceeded \d+)"
)
_CANCELLED = r"^(?:Done: Job Cancelled|Your build has been cancell?ed|The job was cancell?ed)"
_RETRY = r'^The command "(.+)" failed\. Retrying, (\d+) of (\d+)'
_HOST = r"^(?:hostname: |Using worker: )(\S+)"
_FOLD = r"travis_fold:start:([\w.-]+)"
_FOLD_END = r"travis_fold:end:([\w.-]+)"
_TIMES = r"travis_time:end:([0-9a-f]+):start=(\d+),finish=(\d+),duration=-?\d+(?:,event=([\w-]+))?"
_STEP = re.compile(
    r"travis_fold:(?P<fold>start|end):(?P<name>[\w.-]+)|travis_time:start:(?P<begun>[0-9a-f]+)"
    r"|travis_time:end:(?P<timer>[0-9a-f]+):start=(?P<start>\d+),finish=(?P<finish>\d+),duration=-?\d+"
    r"(?:,event=(?P<event>[\w-]+))?"
)

MAX_NAME = 400
"""Of a longer command the begin is its name."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END_OF_TIME = 253_402_300_800 * 1_000_000
"""The year 10000, in microseconds."""


class Travis(TextReader):
    """One job's console text."""

    name = "travis"
    versions = "travis-build console logs, 2012 to 2021"
    marks = r"travis_(?:fold|time):(?:start|end):[\w.:=,-]+"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Fold or time markers, or several of the worker's set phrases."""
        found = _MARK.findall(sniff.head)
        folds = [f for f in found if f.startswith((b"travis_fold", b"travis_time", b"Done."))]
        if not folds and (len(found) < 2 or not _GREETING.search(sniff.head)):
            return None
        return Taken(f"{len(found)} marks of travis-build", 85)

    def annotator(self, path: str) -> Annotator:
        """Keeps the open fold and command."""
        return _Annotator()


@dataclass(slots=True)
class _Operation:
    """An open fold, or an open timer and the command that it times."""

    span_id: str
    name: str
    byte_start: int
    byte_len: int
    parent: str = "job"
    start: datetime | None = None
    finish: datetime | None = None
    status: str = "open"

    def reach(self, start: datetime | None, finish: datetime | None) -> None:
        """What was timed inside it makes it last at least so long."""
        self.start = min((t for t in (self.start, start) if t), default=None)
        self.finish = max((t for t in (self.finish, finish) if t), default=None)

    def row(self, kind: str) -> dict[str, object]:
        """A SPANS row; what is open has no end."""
        return {
            "span_id": self.span_id,
            "parent_span_id": self.parent,
            "name": self.name[:MAX_NAME],
            "kind": kind,
            "start": self.start,
            "end": None if self.status == "open" else self.finish,
            "status": self.status,
            "byte_start": self.byte_start,
            "byte_len": self.byte_len,
        }


class _Annotator(Annotator):
    def __init__(self) -> None:
        self._folds: dict[str, _Operation] = {}
        self._timers: dict[str, _Operation] = {}
        self._command = "command"
        self._timed: _Operation | None = None
        self._spans: list[dict[str, object]] = []

    def annotate(self, records: pl.DataFrame) -> pl.DataFrame:
        """Kinds of command ends, of the job's end and of stalls; times and stages from the markers."""
        if records.is_empty():
            return records
        text = first_line()
        seen = records.with_columns(_text=text, _marks=MARKS).with_columns(
            _done=text.str.extract(_DONE),
            _exit=pl.coalesce(text.str.extract(_COMMAND, 2), text.str.extract(_FAILED_COMMAND, 2)),
            _stalled=text.str.contains(_STALLED),
            _stopped=text.str.contains(_STOPPED),
            _cancelled=text.str.contains(_CANCELLED) | text.str.contains(_TERMINATED),
            _finish=_micros(pl.col("_marks").str.extract(_TIMES, 3)),
            _fold=pl.col("_marks").str.extract(_FOLD),
            _command=text.str.extract(r"^\$ (.+)$"),
        )
        seen = seen.with_columns(stage=self._stages(seen))
        ended = pl.col("_finish").is_not_null()
        found = seen.with_columns(
            ts=pl.coalesce("ts", "_finish"),
            ts_lo=pl.coalesce("ts_lo", "_finish"),
            ts_hi=pl.coalesce("ts_hi", "_finish"),
            ts_basis=pl.when(ended & pl.col("ts").is_null()).then(pl.lit("explicit_zone")).otherwise("ts_basis"),
            kind=_kind(),
            level=pl.when(pl.col("_stalled") | pl.col("_stopped") | pl.col("_cancelled"))
            .then(pl.lit("error"))
            .otherwise("level"),
            fields=json_fields(
                status=_status(),
                exit_code=pl.coalesce("_done", "_exit").cast(pl.Int64, strict=False),
                host=pl.col("_text").str.extract(_HOST),
                tool=pl.col("_command").str.slice(0, MAX_NAME),
                marks=pl.col("_marks"),
            ),
        )
        return found.select(records.columns)

    def spans(self) -> pl.DataFrame:
        """A span a timed command and a span a fold, from the first to the last instant timed in it."""
        rows, self._spans = self._spans, []
        return SPANS.frame(rows)

    def open_spans(self) -> pl.DataFrame:
        """Folds and timers that never ended, and the last command, of which nothing more will be said."""
        last = [self._timed.row("tool")] if self._timed else []
        folds = [fold.row("stage") for fold in self._folds.values()]
        return SPANS.frame([*last, *folds, *(timer.row("tool") for timer in self._timers.values())])

    def _stages(self, seen: pl.DataFrame) -> pl.Series:
        """The fold that each record lies in; a mark stands before the text of its line."""
        says = pl.col("_marks").is_not_null() | pl.col("_command").is_not_null() | pl.col("_exit").is_not_null()
        rows = seen.select("_marks", "_command", "_exit", "_text", "byte_start", "byte_len", _says=says)
        known = {0: self._stage()}
        for n, row in enumerate(rows.iter_rows(named=True)):
            if row["_says"]:
                before = self._stage()
                self._follow(row)
                known[n] = self._stage() if row["_text"] or n == 0 else self._stage() or before
                known[n + 1] = self._stage()
        stages, stage = [], known[0]
        for n in range(rows.height):
            stage = known.get(n, stage)
            stages.append(stage)
        return pl.Series(stages, dtype=pl.String)

    def _stage(self) -> str | None:
        return next(reversed(self._folds), None)

    def _follow(self, row: dict[str, Any]) -> None:
        """Takes the marks of a record in their order, then the command that it shows, or how one ended."""
        place = (row["byte_start"], row["byte_len"])
        for mark in _STEP.finditer(row["_marks"] or ""):
            name = mark["name"]
            if mark["fold"] == "start":
                self._folds[name] = _Operation(f"fold-{place[0]}-{name}", name, *place)
            elif mark["fold"] == "end" and name in self._folds:
                fold = self._folds.pop(name)
                fold.status = "unset"
                self._spans.append(fold.row("stage"))
            elif mark["begun"]:
                fold_id = self._folds[stage].span_id if (stage := self._stage()) else "job"
                self._timers[mark["begun"]] = _Operation(f"time-{place[0]}-{mark['begun']}", "", *place, fold_id)
            elif mark["timer"]:
                self._end(mark, place)
        if row["_command"]:
            self._command = row["_command"]
            for timer in self._timers.values():
                timer.name = timer.name or self._command
        if row["_exit"] and self._timed:
            self._timed.status = "ok" if row["_exit"] == "0" else "error"

    def _end(self, mark: re.Match[str], place: tuple[int, int]) -> None:
        """A timer ended: its command is told of once the next one ends, for the line of its exit comes later."""
        unseen = _Operation(f"time-{place[0]}-{mark['timer']}", self._command, *place)
        timer = self._timers.pop(mark["timer"], unseen)
        timer.name = timer.name or mark["event"] or self._command
        timer.status = "unset"
        timer.reach(_instant(mark["start"]), _instant(mark["finish"]))
        for fold in self._folds.values():
            fold.reach(timer.start, timer.finish)
        if self._timed:
            self._spans.append(self._timed.row("tool"))
        self._timed = timer


def _finished() -> pl.Expr:
    return pl.col("_done").is_not_null() | pl.col("_stopped") | pl.col("_cancelled")


def _kind() -> pl.Expr:
    text = pl.col("_text")
    return (
        pl.when(_finished())
        .then(pl.lit("run.finished"))
        .when(pl.col("_stalled"))
        .then(pl.lit("error.timeout.job"))
        .when(pl.col("_exit").is_not_null())
        .then(pl.lit("exit.command"))
        .when(text.str.contains(_RETRY))
        .then(pl.lit("retry"))
        .when(text.str.contains(_HOST) | text.str.contains("^(?:Worker information|Using worker: )"))
        .then(pl.lit("attempt.claimed"))
        .when(pl.col("_fold").is_not_null())
        .then(pl.lit("stage.started"))
        .when(pl.col("_command").is_not_null())
        .then(pl.lit("tool.started"))
        .when(pl.col("_marks").str.contains(_FOLD_END))
        .then(pl.lit("log"))
        .otherwise(pl.col("kind"))
    )


def _status() -> pl.Expr:
    """The status that an end tells. A job that the worker terminates is cancelled; why stands in the lines before."""
    return (
        pl.when(pl.col("_cancelled"))
        .then(pl.lit("cancelled"))
        .when(pl.col("_stopped"))
        .then(pl.lit("failed"))
        .when(pl.col("_done") == "0")
        .then(pl.lit("succeeded"))
        .when(pl.col("_done").is_not_null())
        .then(pl.lit("failed"))
    )


def _micros(nanoseconds: pl.Expr) -> pl.Expr:
    """An instant from nanoseconds since 1970, as digits; null for anything that is none."""
    micros = nanoseconds.cast(pl.Int64, strict=False) // 1000
    return pl.when(micros > 0).then(micros).cast(pl.Datetime("us", "UTC"))


def _instant(nanoseconds: str) -> datetime | None:
    """As `_micros`, of one instant."""
    micros = int(nanoseconds) // 1000
    return _EPOCH + timedelta(microseconds=micros) if 0 < micros < _END_OF_TIME else None
