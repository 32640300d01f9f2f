"""Snakemake: what it prints, and its log files under `.snakemake/log`.

A line of its own stamps what follows; `input:` and `output:` of a rule are lineage
(Snakemake 5 to 9).
"""

from __future__ import annotations

import re

import polars as pl

from runcase.intake.readers.base import Annotator, Sniff, Taken, TextReader
from runcase.intake.readers.phrases import Phrase, PhraseAnnotator
from runcase.model.tables import ARTIFACTS

_MARK = re.compile(
    rb"(?m)^(?:Building DAG of jobs\.\.\.|(?:local)?(?:rule|checkpoint) \w+:|\d+ of \d+ steps \(\d+(?:\.\d+)?%\) done"
    rb"|Error in (?:group job|rule) \w+:|Finished job(?:id)?:? \d+|Complete log(?:\(s\))?: |Job stats:|Job counts:)"
)

_PHRASES = (
    Phrase(r"^(?P<done>\d+) of (?P<total>\d+) steps \(100%\) done", "run.finished", status="succeeded"),
    Phrase(r"^(?P<done>\d+) of (?P<total>\d+) steps \(", "progress"),
    Phrase(r"^Nothing to be done", "run.finished", status="succeeded"),
    Phrase(r"^Exiting because a job execution failed", "run.finished", "error", "failed"),
    Phrase(r"^Error in (?:rule|group job) (?P<stage>\w+):", "error.rule", "error"),
    Phrase(r"^(?:local)?(?:rule|checkpoint) (?P<stage>\w+):", "stage.started"),
    Phrase(r"^Finished job(?:id)?:? (?P<job_number>\d+)(?: \(Rule: (?P<stage>\w+)\))?", "stage.finished", None, "ok"),
    Phrase(r"^Trying to restart job (?P<job_number>\d+)", "retry"),
    Phrase(r"^Building DAG of jobs", "run.created"),
    Phrase(r"^total +(?P<announced>\d+)\b", "log"),
    Phrase(r"^(?:Select jobs to execute|Execute \d+ jobs)", "log"),
    Phrase(r"^Submitted (?:job|group job) \S+ with external jobid '?(?P<external_id>[^'. ]+)", "invocation.queued"),
    Phrase(
        r"^Will exit after finishing currently running jobs|^Terminating processes on user request",
        "error.cancelled",
        "error",
    ),
    Phrase(r"^(?P<error_name>\w+(?:Error|Exception))(?: in |:)", "error", "error"),
    Phrase(r"^Removing output files of failed job (?P<stage>\w+)", "warning", "warning"),
    Phrase(r"^Shutting down, this might take some time", "warning", "warning"),
    Phrase(r"^Complete log", "log"),
)


class Snakemake(TextReader):
    """One invocation's log."""

    name = "snakemake"
    versions = "Snakemake 5 to 9 log files and console"
    joins = False

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Two set phrases of the scheduler."""
        found = _MARK.findall(sniff.head)
        return Taken(f"{len(found)} phrases of the scheduler", 80) if len(found) >= 2 else None

    def annotator(self, path: str) -> Annotator:
        """Carries stamps, and the rule that speaks."""
        return _Annotator(_PHRASES)


class _Annotator(PhraseAnnotator):
    def __init__(self, phrases: tuple[Phrase, ...]) -> None:
        super().__init__(phrases)
        self._last: object = None
        self._claims: list[pl.DataFrame] = []
        self._block = 0
        self._outputs: list[pl.DataFrame] = []
        self._jobs: list[pl.DataFrame] = []

    def prepared(self, records: pl.DataFrame) -> pl.DataFrame:
        """A stamp on a line of its own holds for the lines that follow."""
        held = pl.col("ts").forward_fill().fill_null(pl.lit(self._last, dtype=records.schema["ts"]))
        fresh = pl.col("ts").is_null() & held.is_not_null()
        seen = records.with_columns(
            ts=held,
            ts_lo=pl.coalesce("ts_lo", held),
            ts_hi=pl.coalesce("ts_hi", held),
            ts_basis=pl.when(fresh).then(pl.lit("inherited")).otherwise("ts_basis"),
        )
        self._last = seen["ts"][-1]
        return seen

    def concluded(self, records: pl.DataFrame) -> pl.DataFrame:
        """Collects what rules read and will write, and what they wrote once their job is finished."""
        begins = pl.col("kind").is_in(["stage.started", "error.rule"]).fill_null(value=False)
        rows = records.with_columns(_block=begins.cum_sum().cast(pl.Int64) + self._block)
        self._block = int(rows["_block"][-1])
        self._claims.append(ARTIFACTS.fill(_listed(rows, "input").with_columns(action=pl.lit("read"))))
        expected = _listed(rows, "output").with_columns(action=pl.lit("expected"))
        self._claims.append(ARTIFACTS.fill(expected))
        self._outputs.append(expected.select("_block", "artifact_id", "stage"))
        job = pl.col("message").str.extract(r"^ +jobid: (\d+)")
        self._jobs.append(rows.select("_block", job=job).filter(pl.col("job").is_not_null()))
        self._claims.append(self._written(rows))
        return records

    def _written(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Outputs of the jobs that these records finish: Snakemake looks whether they are there before it says so."""
        number = pl.col("message").str.extract(r"^Finished job(?:id)?:? (\d+)")
        place = ("ts", "run_id", "attempt", "byte_start", "byte_len")
        done = rows.select(*place, job=number).filter(pl.col("job").is_not_null())
        if done.is_empty():
            return ARTIFACTS.empty()
        made = done.join(pl.concat(self._jobs), on="job").join(pl.concat(self._outputs), on="_block")
        once = made.unique(["byte_start", "artifact_id"], keep="first", maintain_order=True)
        return ARTIFACTS.fill(once.with_columns(path="artifact_id", action=pl.lit("written")))

    def artifacts(self) -> pl.DataFrame:
        """What rules say that they read, and will write."""
        claims, self._claims = self._claims, []
        return pl.concat(claims) if claims else ARTIFACTS.empty()


def _listed(rows: pl.DataFrame, word: str) -> pl.DataFrame:
    """Claims of the files that an `input:` or `output:` line of a rule lists, with the rule's `_block`."""
    named = pl.col("message").str.extract(rf"(?m)^ +{word}: (.+)$")
    found = rows.select(
        *("ts", "run_id", "attempt", "stage", "byte_start", "byte_len", "_block"),
        artifact_id=named.str.replace_all(r" \((?:cached|retrieve|send)[^)]*\)", "").str.split(", "),
    )
    found = found.explode("artifact_id").filter(pl.col("artifact_id").is_not_null())
    return found.with_columns(path="artifact_id")
