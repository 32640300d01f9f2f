"""cwltool: what the engine says of its steps, on the console or in a research object's `metadata/logs/engine.*.txt`.

The provenance beside it tells that a process ended and not how; the last line here does (cwltool 1.0 to 3.x).
"""

from __future__ import annotations

import re

import polars as pl

from runcase.intake.readers.base import Annotator, Sniff, Taken, TextReader
from runcase.intake.readers.phrases import Phrase, PhraseAnnotator
from runcase.intake.readers.stated_version import stated

_MARK = re.compile(
    rb"(?m)^(?:\[[^\]]+Z\] |(?:\x1b\[[\d;]*m)*(?:INFO|WARNING|ERROR)(?:\x1b\[[\d;]*m)* )(?:\x1b\[[\d;]*m)*"
    rb"(?:\[(?:workflow|step|job) [^\]\n]*\] (?:start|starting step|completed) ?|Final process status is |\[cwltool\] )"
)
_LEVEL = r"^(?:(?:INFO|WARNING|ERROR) )?"
_FAILED = r"(?:permanentFail|temporaryFail)"
_PHRASES = (
    Phrase(_LEVEL + r"\[cwltool\] ", "run.created"),
    Phrase(_LEVEL + r"\[step (?P<stage>[^\]]+)\] start$", "stage.started"),
    Phrase(_LEVEL + r"\[step (?P<stage>[^\]]+)\] completed (?:success|skipped)$", "stage.finished", status="ok"),
    Phrase(_LEVEL + rf"\[step (?P<stage>[^\]]+)\] completed {_FAILED}$", "stage.finished", "error", "failed"),
    Phrase(
        _LEVEL + r"\[job (?P<tool>[^\]]+)\] exited with status: (?P<tool_exit_code>\d+)$", "error.tool", level="error"
    ),
    Phrase(_LEVEL + r"\[job (?P<tool>[^\]]+)\] Job error:", "error.tool", level="error"),
    Phrase(_LEVEL + r"Final process status is success$", "run.finished", status="succeeded"),
    Phrase(_LEVEL + rf"Final process status is {_FAILED}$", "run.finished", "error", "failed"),
)


class Cwltool(TextReader):
    """The engine's log of one run of a workflow or tool."""

    name = "cwltool"
    versions = "cwltool 1.0 to 3.x console, engine logs of CWLProv 0.3 to 0.6"
    stated_version = stated(rb"/cwltool (\d\S*)", rb"[1-3]\..*")
    marks = r"^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d,\d{1,3}\.\d+Z\]"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Lines of the engine, of steps and of jobs."""
        found = len(_MARK.findall(sniff.head))
        return Taken(f"{found} lines of the engine", 86) if found >= 2 or (found and sniff.complete) else None

    def annotator(self, path: str) -> Annotator:
        """Steps, tools that failed, and the final status."""
        return _Annotator(_PHRASES)


class _Annotator(PhraseAnnotator):
    """The engine writes 59 milliseconds as `,59.000000Z`."""

    def prepared(self, records: pl.DataFrame) -> pl.DataFrame:
        """Times and messages as the stamp means them."""
        second = pl.col("_marks").str.extract(r"^\[([^,]+),").str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False)
        millis = pl.col("_marks").str.extract(r",(\d+)").cast(pl.Int64, strict=False)
        exact = second.dt.cast_time_unit("us").dt.replace_time_zone("UTC") + pl.duration(milliseconds=millis)
        times = (pl.coalesce(exact, c).alias(c) for c in ("ts", "ts_lo", "ts_hi"))
        return records.with_columns(*times, message=pl.col("message").str.replace(r"^\.\d+Z\] ", ""))
