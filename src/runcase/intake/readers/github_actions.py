"""GitHub Actions: the text of one job, alone or as a member of a run's log archive.

Each line opens with RFC 3339 and seven digits of a second; `##[group]` and
`##[endgroup]` fold, `##[error]` and `Process completed with exit code N.` tell
failures (actions/runner, 2.3xx). An archive holds each text twice: a file a job
at the top (`0_build.txt`) and a file a step in a folder (`build/1_Set up job.txt`).
"""

from __future__ import annotations

import re

import polars as pl

from runcase.intake.readers.base import Annotator, Sniff, Taken, TextReader

_LINE = re.compile(rb"(?m)^(?:\xef\xbb\xbf)?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z ")
_MARK = re.compile(rb"##\[(?:group|endgroup|error|warning|command|section|debug)\]|\[command\]|Current runner version:")
_JOB_FILE = re.compile(r"!/(?:[^/]+/)*?\d+_(?P<job>[^/]+)\.txt$")
_STEP_FILE = re.compile(r"!/(?P<job>[^/]+)/\d+_(?P<step>[^/]+)\.txt$")

_EXIT = r"Process completed with exit code (\d+)\.?"
_CANCELLED = r"^##\[error\](?:The operation was canceled|The run was canceled|.*has been cancell?ed)"
_TIMED_OUT = r"^##\[error\].*(?:exceeded the maximum execution time|has exceeded the maximum)"


class GitHubActions(TextReader):
    """One job's or step's text."""

    name = "github_actions"
    versions = "runner 2.x logs, single job and run archive"
    format = "iso"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Stamps with seven digits on most lines, and a mark of the runner."""
        lines = sniff.head.count(b"\n") or 1
        stamped = len(_LINE.findall(sniff.head))
        if stamped < 0.5 * lines or not stamped:
            return None
        in_archive = bool(_JOB_FILE.search(sniff.path) or _STEP_FILE.search(sniff.path))
        if not _MARK.search(sniff.head) and not in_archive:
            return None
        return Taken(f"{stamped} of {lines} lines are stamped as the runner does", 80)

    def annotator(self, path: str) -> Annotator:
        """A fresh annotator; a file of an archive names its job."""
        return _Annotator(job_of(path))


def job_of(path: str) -> str | None:
    """The job that a path inside a run archive names, or None."""
    step = _STEP_FILE.search(path)
    if step:
        return step["job"]
    job = _JOB_FILE.search(path)
    return job["job"] if job else None


class _Annotator(Annotator):
    def __init__(self, job: str | None) -> None:
        self._job = job
        self._stage: str | None = None
        self._failed = False

    def annotate(self, records: pl.DataFrame) -> pl.DataFrame:
        """Kinds, levels and stages (the last group that a step opened)."""
        if records.is_empty():
            return records
        first = pl.col("message").str.split("\n").list.first()
        title = first.str.extract(r"^##\[group\](?:Run )?(.+)$")
        step = pl.when(first.str.starts_with("##[group]Run ")).then(title)
        stage = pl.select(records.select(step.alias("s")).to_series().fill_null(strategy="forward")).to_series()
        stage = stage.fill_null(self._stage) if self._stage else stage
        self._stage = stage[-1] if stage.len() else self._stage
        exit_code = first.str.extract(_EXIT)
        ended = self._ended_well(records)
        return records.with_columns(
            stage=stage,
            kind=pl.when(ended).then(pl.lit("run.finished")).otherwise(_kind(first, exit_code)),
            level=pl.when(first.str.starts_with("##[error]"))
            .then(pl.lit("error"))
            .when(first.str.starts_with("##[warning]"))
            .then(pl.lit("warning"))
            .otherwise(pl.col("level")),
            run_id=pl.coalesce("run_id", pl.lit(self._job, dtype=pl.String)),
            fields=_fields(exit_code, first, ended, self._job),
        )

    def _ended_well(self, records: pl.DataFrame) -> pl.Series:
        """The line that ends a job in which no step has failed so far."""
        text = records["message"]
        self._failed = self._failed or bool(text.str.contains(r"^##\[error\]").any())
        return text.str.contains("^Cleaning up orphan processes") & (not self._failed)


def _kind(first: pl.Expr, exit_code: pl.Expr) -> pl.Expr:
    return (
        pl.when(exit_code.is_not_null() & first.str.starts_with("##[error]"))
        .then(pl.lit("exit"))
        .when(first.str.contains(_CANCELLED) | first.str.contains(_TIMED_OUT))
        .then(pl.lit("run.finished"))
        .when(
            first.str.contains(r"^(?:Job is about to start running on the (?:hosted )?runner|Current runner version:)")
        )
        .then(pl.lit("attempt.claimed"))
        .when(first.str.contains(r"^##\[group\]Run "))
        .then(pl.lit("stage.started"))
        .when(first.str.contains(r"^##\[(?:group|endgroup|debug|command|section)\]"))
        .then(pl.lit("log"))
        .when(first.str.starts_with("##[error]"))
        .then(pl.lit("error"))
        .when(first.str.starts_with("##[warning]"))
        .then(pl.lit("warning"))
        .when(first.str.contains(r"^(?:Cleaning up orphan processes|Evaluate and set job outputs)"))
        .then(pl.lit("invocation.finished"))
        .otherwise(pl.col("kind"))
    )


def _fields(exit_code: pl.Expr, first: pl.Expr, ended: pl.Series, job: str | None) -> pl.Expr:
    """`exit_code` of an exit, `status` of an end; `job` where the path tells it."""
    status = (
        pl.when(first.str.contains(_CANCELLED))
        .then(pl.lit("cancelled"))
        .when(first.str.contains(_TIMED_OUT))
        .then(pl.lit("timed_out"))
        .when(ended)
        .then(pl.lit("succeeded"))
    )
    code = pl.when(first.str.starts_with("##[error]")).then(exit_code)
    named = pl.lit(f',"job":{_quoted(job)}') if job else pl.lit("")
    return (
        pl.when(code.is_not_null())
        .then(pl.concat_str(pl.lit('{"exit_code":'), code, named, pl.lit("}")))
        .when(status.is_not_null())
        .then(pl.concat_str(pl.lit('{"status":"'), status, pl.lit('"'), named, pl.lit("}")))
        .otherwise(pl.coalesce("fields", pl.lit(f'{{"job":{_quoted(job)}}}' if job else None, dtype=pl.String)))
    )


def _quoted(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)
