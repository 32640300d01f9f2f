"""GitHub Actions: the text of one job, alone or as a member of a run's log archive.

Each line opens with RFC 3339 and seven digits of a second; `##[group]` and
`##[endgroup]` fold, `##[error]` and `Process completed with exit code N.` tell
failures (actions/runner 2.x). An archive holds each text twice: a file a job at
the top (`0_build.txt`) and a file a step in a folder (`build/1_Set up job.txt`).
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from runcase.intake.readers.annotation import first_line, json_fields
from runcase.intake.readers.base import Annotator, Sniff, Taken, TextReader
from runcase.intake.readers.github_files import OF_THE_SERVICE, JobFile, as_it_begins, job_of
from runcase.intake.readers.stated_version import stated
from runcase.model.tables import SPANS

_LINE = re.compile(rb"(?m)^(?:\xef\xbb\xbf)?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z ")
_MARK = re.compile(
    rb"##\[(?:group|endgroup|error|warning|command|debug|notice)\]|\[command\]|Current runner version:"
    rb"|Waiting for a runner to pick up this job|Job is about to start running on|Cleaning up orphan processes"
)
_FOLD = re.compile(rb"(?m)^##\[(?:group\]Run |endgroup\])")
_PHRASE = re.compile(
    rb"(?m)^(?:\xef\xbb\xbf)?(?:Current runner version: '|Complete job name: |Secret source: "
    rb"|Prepare workflow directory\r?$|Getting action download info\r?$|Post job cleanup\.|Cleaning up orphan processes"
    rb"|(?:##\[error\]|Error: )Process completed with exit code \d)"
)
_PHRASES = 3
"""So many set phrases of the runner tell its text where stamps and marks are stripped."""
_AZURE = re.compile(rb"##\[section\]|##vso\[")

_STEP = r"^##\[group\]Run (.+)$"
_ACTION = r"^(?:[\w.-]+/[\w./-]+@\S+|\./\S*|docker://\S+)$"
_ERROR = r"^##\[error\](.*)$"
_EXIT = r"^(?:##\[error\]|Error: )(?:Process completed with|The process '.+' failed with) exit code (-?\d+)\.?$"
_JOB = r"^Complete job name: (.+)$"
_MATRIX = r"^Complete job name: .* \(([^()]+)\)$"
"""A job of a matrix has its values behind its name."""
_CANCELLED = r"^##\[error\](?:The (?:operation|run|job) was cancell?ed|.* (?:run|job) has been cancell?ed)"
_TIMED_OUT = r"^##\[error\]The job (?:running on .+ |.+ )?has exceeded the maximum execution time"
_STEP_TIMED_OUT = r"^##\[error\]The action '.*' has timed out after \d"
_LOST = r"^##\[error\]The (?:self-)?hosted runner\b.* lost communication|The runner has received a shutdown signal"
_CLAIMED = r"^(?:Job is about to start running on the (?:hosted )?runner|Current runner version:)"
_RUNNER = r"^Job is about to start running on the (?:hosted )?runner: ?(.+?)(?: \(\w+\))?$"
_QUEUED = r"^(?:Waiting for a (?:hosted )?runner to pick up this job|Requested labels:)"
_END = r"^Cleaning up orphan processes"
_POST = r"^Post job cleanup\.$"
"""The first of them says that all steps of the workflow file are over; what actions do afterwards changes no status."""

_WELL = r"^Cache saved with (?:the )?key: |^Cache hit occurred on the primary key .+, not saving cache"
"""What the clean-up of a job that ended well alone says: actions save their caches only then (`post-if: success()`).

A step that failed before was allowed to (`continue-on-error`).
"""


class GitHubActions(TextReader):
    """One job's or step's text."""

    name = "github_actions"
    versions = "actions/runner 2.x: text of one job, run archives of jobs and steps"
    stated_version = stated(rb"Current runner version: '([^'\s]+)", rb"2\..*")
    format = "iso"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Stamps with seven digits on most lines and a mark of the runner; without any, its folds or phrases."""
        lines = sniff.head.count(b"\n") or 1
        stamped = len(_LINE.findall(sniff.head))
        folds = len(_FOLD.findall(sniff.head))
        if not stamped and folds and not _AZURE.search(sniff.head):
            return Taken(f"{folds} folds of the runner, its stamps are stripped", 70)
        phrases = len(set(_PHRASE.findall(sniff.head))) if not stamped else 0
        if phrases >= _PHRASES:
            return Taken(f"{phrases} set phrases of the runner, its stamps and marks are stripped", 60)
        if not stamped or stamped < 0.5 * lines:
            return None
        if not _MARK.search(sniff.head) and job_of(sniff.path) is None:
            return None
        return Taken(f"{stamped} of {lines} lines are stamped as the runner does", 80)

    def annotator(self, path: str) -> Annotator:
        """A fresh annotator; a file of an archive names its job."""
        job = job_of(path)
        return _Annotator(job or JobFile(None, None), path)


def of_job(file: JobFile) -> Annotator:
    """An annotator of the text of one job that stands in no file of its own."""
    return _Annotator(file, "")


@dataclass(slots=True)
class _Step:
    """The step that the text is in: its title, begin, and whether something in it failed."""

    title: str
    begin: datetime | None
    byte_start: int
    byte_len: int
    failed: bool = False


class _Annotator(Annotator):
    def __init__(self, file: JobFile, path: str) -> None:
        self._file = file
        self._path = path
        self._step: _Step | None = None
        self._steps = 0
        self._claimed = False
        self._opened = False
        self._posted = False
        self._well = False
        self._in_header = False
        self._ends: set[str] = set()
        self._spans: list[dict[str, object]] = []

    def annotate(self, records: pl.DataFrame) -> pl.DataFrame:
        """Kinds, levels, stages (the last step that began), and the end of the job by what went before."""
        if records.is_empty():
            return records
        seen = records.with_columns(_first=first_line()).with_columns(**_marks(pl.col("_first")))
        if not self._opened:
            self._file = as_it_begins(self._file, self._path, str(seen["_first"][0] or ""))
        seen = self._with_steps(seen)
        cleaning = (pl.col("_post").cum_sum() > 0) | self._posted
        over = self._steps_over(seen)
        seen = seen.with_columns(_over=pl.int_range(pl.len()).eq(-1 if over is None else over[0]), _cleaning=cleaning)
        self._follow(seen)
        ends = self._ends - {"_fatal"} if self._well else self._ends
        ended = pl.lit(_status(ends) if self._file.step is None else None, dtype=pl.String)
        end = pl.col("_end")
        found = seen.with_columns(
            kind=self._kind(),
            level=_level(),
            fields=pl.coalesce(
                json_fields(
                    exit_code=pl.col("_exit").cast(pl.Int64, strict=False),
                    status=pl.when(end)
                    .then(ended)
                    .when("_over")
                    .then(pl.lit(over[1] if over else None, dtype=pl.String))
                    .when(_broken())
                    .then(pl.lit("failed")),
                    host=pl.col("_first").str.extract(_RUNNER),
                    matrix=pl.col("_first").str.extract(_MATRIX),
                    job=pl.coalesce(pl.col("_first").str.extract(_JOB), pl.lit(self._file.job, dtype=pl.String)),
                ),
                "fields",
            ),
            run_id=pl.coalesce("run_id", pl.lit(self._file.run_id, dtype=pl.String)),
        )
        return found.select(records.columns)

    def spans(self) -> pl.DataFrame:
        """A span a step that ended: from its first line to the first of the next step, or of the clean-up."""
        rows, self._spans = self._spans, []
        return SPANS.frame(rows)

    def _with_steps(self, seen: pl.DataFrame) -> pl.DataFrame:
        """Adds `stage`, `_in_action` and `_number` of the step that each record lies in.

        The first record of a step's own file begins it; only one claim of a job counts.
        """
        number = pl.col("_title").is_not_null().cum_sum() + self._steps
        before = self._step.title if self._step else None
        title = pl.col("_title").forward_fill().fill_null(pl.lit(before, dtype=pl.String))
        step = self._file.step not in (None, OF_THE_SERVICE)
        claim = pl.col("_claim") & (pl.col("_claim").cum_sum() == 1) & (not self._claimed)
        seen = seen.with_columns(
            stage=pl.lit(self._file.step) if step else title,
            _in_action=title.str.contains(_ACTION).fill_null(value=True),
            _number=number,
            _claim=claim.fill_null(value=False),
            _header=self._headers(seen),
            _first_of_file=(pl.int_range(pl.len()) == 0) & (not self._opened) & step,
        )
        self._opened = True
        return seen.with_columns(
            _fatal=pl.col("_lost")
            | pl.col("_first").str.contains(_STEP_TIMED_OUT)
            | (pl.col("_exit").is_not_null() & (pl.col("_exit") != "0"))
            | (pl.col("_in_action") & pl.col("_error").is_not_null())
        )

    def _headers(self, seen: pl.DataFrame) -> pl.Series:
        """True for what a step's first group shows: its script, shell and environment, none of it output."""
        first = pl.col("_first")
        opens = (
            pl.when(pl.col("_title").is_not_null()).then(pl.lit(True)).when(first == "##[endgroup]").then(pl.lit(False))
        )
        header = seen.select(opens.forward_fill().fill_null(self._in_header)).to_series()
        self._in_header = bool(header[-1])
        return header

    def _steps_over(self, seen: pl.DataFrame) -> tuple[int, str] | None:
        """Where the first clean-up of a whole job begins, and how its steps went until then."""
        rows = seen["_post"].arg_true()
        if self._posted or self._file.step is not None or not rows.len():
            return None
        self._posted = True
        before = seen.head(int(rows[0]))
        marks = {mark for mark in ("_cancel", "_timeout", "_fatal") if before[mark].any()}
        return int(rows[0]), _status(self._ends | marks)

    def _follow(self, seen: pl.DataFrame) -> None:
        """Carries steps, claims and verdicts from block to block; one turn a step."""
        self._claimed = self._claimed or bool(seen["_claim"].any())
        for mark in ("_cancel", "_timeout", "_fatal"):
            self._ends |= {mark} if seen[mark].any() else set()
        cleaning = seen.filter("_cleaning")["_first"]
        self._well = self._well or bool(cleaning.str.contains(_WELL).any())
        steps = seen.group_by("_number", maintain_order=True).agg(
            pl.col("_title", "ts", "byte_start", "byte_len").first(), failed=pl.col("_fatal").any()
        )
        for row in steps.iter_rows(named=True):
            if row["_title"] is not None:
                self._close(row["ts"])
                self._step = _Step(row["_title"], row["ts"], row["byte_start"], row["byte_len"])
            if self._step is not None and row["failed"]:
                self._step.failed = True
        self._steps = int(seen["_number"][-1])
        end = seen.filter(pl.col("_end") | pl.col("_over"))
        if end.height:
            self._close(end["ts"][0])

    def _close(self, at: datetime | None) -> None:
        """The open step has ended at `at`."""
        step, self._step = self._step, None
        if step is None or self._file.step is not None:
            return
        self._spans.append(
            {
                "run_id": self._file.run_id,
                "span_id": f"step-{step.byte_start}",
                "parent_span_id": "job",
                "name": step.title,
                "kind": "stage",
                "start": step.begin,
                "end": at,
                "status": "error" if step.failed else "ok",
                "byte_start": step.byte_start,
                "byte_len": step.byte_len,
            }
        )

    def _kind(self) -> pl.Expr:
        finished = pl.lit("run.finished" if self._file.step is None else "invocation.finished")
        return (
            pl.when("_end")
            .then(finished)
            .when("_cancel")
            .then(pl.lit("error.cancelled"))
            .when("_timeout")
            .then(pl.lit("error.timeout.job"))
            .when(pl.col("_exit").is_not_null())
            .then(pl.lit("exit"))
            .when("_over")
            .then(pl.lit("invocation.finished"))
            .when(_broken() & (self._file.step is not None))
            .then(pl.lit("invocation.finished"))
            .when(pl.col("_error").is_not_null() | pl.col("_lost"))
            .then(pl.lit("error"))
            .when("_claim")
            .then(pl.lit("attempt.claimed"))
            .when(pl.col("_first").str.contains(_JOB))
            .then(pl.lit("attempt.started"))
            .when(pl.col("_first").str.contains(_QUEUED))
            .then(pl.lit("invocation.queued"))
            .when(pl.col("_title").is_not_null() | pl.col("_first_of_file"))
            .then(pl.lit("stage.started"))
            .when(pl.col("_first").str.starts_with("##[warning]"))
            .then(pl.lit("warning"))
            .when(
                pl.col("_header")
                | pl.col("_first").str.contains(
                    r"^(?:##\[(?:group|endgroup|debug|command|section|notice)\]|\[command\])"
                )
            )
            .then(pl.lit("log"))
            .otherwise(pl.col("kind"))
        )


def _status(marks: Set[str]) -> str:
    """How a job ended whose clean-up was reached."""
    for mark, status in (("_timeout", "timed_out"), ("_cancel", "cancelled"), ("_fatal", "failed")):
        if mark in marks:
            return status
    return "succeeded"


def _marks(first: pl.Expr) -> dict[str, pl.Expr]:
    """What the first line of a record says; flags are never null."""
    flags = {
        "_cancel": _CANCELLED,
        "_timeout": _TIMED_OUT,
        "_lost": _LOST,
        "_end": _END,
        "_post": _POST,
        "_claim": _CLAIMED,
    }
    return {
        "_title": first.str.extract(_STEP),
        "_error": first.str.extract(_ERROR),
        "_exit": first.str.extract(_EXIT),
        **{name: first.str.contains(pattern).fill_null(value=False) for name, pattern in flags.items()},
    }


def _broken() -> pl.Expr:
    """An action that failed itself prints an error and no exit code."""
    return pl.col("_fatal") & pl.col("_exit").is_null()


def _level() -> pl.Expr:
    return (
        pl.when(pl.col("_error").is_not_null())
        .then(pl.lit("error"))
        .when(pl.col("_first").str.starts_with("##[warning]"))
        .then(pl.lit("warning"))
        .otherwise(pl.col("level"))
    )
