"""GitHub Actions as its command line prints it: `gh run view --log`, the jobs of a workflow run one after the other.

Each line is the job, the step and the line of the runner, with tabs between them (cli/cli, pkg/cmd/run/view).
"""

from __future__ import annotations

import re

import polars as pl

from runcase.intake.readers.base import Annotator, Sniff, Taken, TextReader
from runcase.intake.readers.github_actions import of_job
from runcase.intake.readers.github_files import JobFile, scope_of
from runcase.intake.readers.stated_version import stated
from runcase.model.tables import SPANS

_LINE = r"^[^\t]+\t[^\t]+\t\x{feff}?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z) ?"
_WHERE = r"^[^\t]+\t[^\t]+\t\x{feff}?\d{4}-\d\d-\d\dT"
"""What a line begins with; where all jobs and steps are single words, the line's stamp takes them off its message."""
_JOB = r"^([^\t]+)\t"
_BYTES = re.compile(rb"(?m)^[^\t\n]+\t[^\t\n]+\t(?:\xef\xbb\xbf)?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")
_NAME = re.compile(r"\.(?:log|txt)$")


class GitHubCli(TextReader):
    """The texts of the jobs of a workflow run."""

    name = "github_cli"
    versions = "gh 2.x: run view --log and --log-failed"
    stated_version = stated(rb"Current runner version: '([^'\s]+)", rb"2\..*")
    joins = False
    marks = _WHERE

    def recognises(self, sniff: Sniff) -> Taken | None:
        """A job, a step and a stamp of the runner on most lines."""
        lines = sniff.head.count(b"\n") or 1
        found = len(_BYTES.findall(sniff.head))
        return Taken(f"{found} of {lines} lines name a job and a step", 85) if found >= 0.5 * lines else None

    def annotator(self, path: str) -> Annotator:
        """An annotator a job."""
        return _Annotator(scope_of(_NAME.sub("", path)))


class _Annotator(Annotator):
    def __init__(self, scope: str) -> None:
        self._scope = scope
        self._job = ""
        self._jobs: dict[str, Annotator] = {}

    def annotate(self, records: pl.DataFrame) -> pl.DataFrame:
        """Each record as that of its job; a line that names none is of the job before."""
        if records.is_empty():
            return records
        stamp = pl.col("message").str.extract(_LINE)
        at = stamp.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC", strict=False)
        marks = pl.col("fields").str.json_path_match("$.marks")
        told = records.with_columns(
            _job=marks.str.extract(_JOB).forward_fill().fill_null(self._job),
            fields=pl.when(marks.is_null()).then("fields"),
            message=pl.col("message").str.replace(_LINE, ""),
            ts=pl.coalesce(at, "ts"),
            ts_lo=pl.coalesce(at, "ts_lo"),
            ts_hi=pl.coalesce(at, "ts_hi"),
            ts_basis=pl.when(at.is_not_null()).then(pl.lit("explicit_zone")).otherwise("ts_basis"),
        )
        self._job = str(told["_job"][-1])
        parts = told.with_row_index("_row").partition_by("_job", maintain_order=True)
        order = pl.concat([p["_row"] for p in parts]).arg_sort()
        return pl.concat([self._of(str(p["_job"][0])).annotate(p.select(records.columns)) for p in parts])[order]

    def spans(self) -> pl.DataFrame:
        """Those of all jobs."""
        return pl.concat([SPANS.empty(), *(a.spans() for a in self._jobs.values())])

    def _of(self, job: str) -> Annotator:
        if job not in self._jobs:
            self._jobs[job] = of_job(JobFile(job or None, None, self._scope))
        return self._jobs[job]
