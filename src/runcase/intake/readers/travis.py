"""Travis CI: the console text of one job.

`travis_fold` and `travis_time` markers stand between carriage returns and
escapes, so that a terminal hides them; `The command "..." exited with N.` ends
a command and `Done. Your build exited with N.` the job (travis-build, 2012 to 2021).
"""

from __future__ import annotations

import re

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


class _Annotator(Annotator):
    def __init__(self) -> None:
        self._fold: str | None = None
        self._command: str | None = None
        self._spans: list[pl.DataFrame] = []

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
        seen = self._in_folds(seen)
        self._collect(seen)
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
                marks=pl.col("_marks"),
            ),
        )
        return found.select(records.columns)

    def spans(self) -> pl.DataFrame:
        """A span a timed command."""
        frames, self._spans = self._spans, []
        return pl.concat(frames) if frames else SPANS.empty()

    def _in_folds(self, seen: pl.DataFrame) -> pl.DataFrame:
        """Adds `stage`: the open fold; `_running`: the last command that was shown."""
        closed = pl.when(pl.col("_marks").str.contains(_FOLD_END)).then(pl.lit(""))
        fold = pl.coalesce("_fold", closed.shift(1)).forward_fill().fill_null(pl.lit(self._fold, dtype=pl.String))
        running = pl.col("_command").forward_fill().fill_null(pl.lit(self._command, dtype=pl.String))
        seen = seen.with_columns(stage=fold.replace("", None), _running=running)
        ends_open = seen["_marks"].str.contains(_FOLD_END)[-1]
        self._fold = None if ends_open else seen["stage"][-1]
        self._command = seen["_running"][-1]
        return seen

    def _collect(self, seen: pl.DataFrame) -> None:
        timed = seen.filter(pl.col("_finish").is_not_null())
        if timed.is_empty():
            return
        start = _micros(pl.col("_marks").str.extract(_TIMES, 2))
        name = pl.coalesce("_running", pl.col("_marks").str.extract(_TIMES, 4), pl.lit("command"))
        self._spans.append(
            SPANS.fill(
                timed.select(
                    "byte_start",
                    "byte_len",
                    span_id=pl.concat_str(pl.lit("time-"), "byte_start"),
                    parent_span_id=pl.lit("job"),
                    name=name.str.slice(0, 400),
                    kind=pl.lit("tool"),
                    start=start,
                    end=pl.col("_finish"),
                    status=pl.lit("unset"),
                )
            )
        )


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
        .when(pl.col("_marks").str.contains(_FOLD_END))
        .then(pl.lit("stage.finished"))
        .when(pl.col("_command").is_not_null())
        .then(pl.lit("tool.started"))
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
