"""Azure Pipelines: the text of one job or task.

Lines open with RFC 3339 and seven digits as in GitHub's logs (both come from one
agent); `##[section]Starting:` and `Finishing:` nest jobs and tasks (azure-pipelines-agent).
"""

from __future__ import annotations

import re

import polars as pl

from runcase.intake.readers.base import Annotator, Sniff, Taken, TextReader
from runcase.intake.readers.github_files import job_of
from runcase.intake.readers.phrases import Phrase, PhraseAnnotator
from runcase.intake.readers.stated_version import stated

_SECTION = re.compile(rb"##\[section\](?:Starting|Finishing|Async Command)|##vso\[")

_PHRASES = (
    Phrase(
        r"^##\[error\].*(?:exited with code|failed with exit code|exit code:?) '?(?P<exit_code>-?\d+)'?",
        "exit",
        "error",
    ),
    Phrase(r"^##\[error\](?:The (?:operation|job) was cancell?ed|.*has been cancell?ed)", "error.cancelled", "error"),
    Phrase(r"^##\[error\].*ran longer than the maximum time", "error.timeout.job", "error"),
    Phrase(r"^##\[section\]Starting: (?P<stage>.+)$", "stage.started"),
    Phrase(r"^##\[section\]Finishing: (?P<stage>.+)$", "stage.finished"),
    Phrase(r"^Agent (?:machine )?name: '?(?P<host>[^']+)'?", "attempt.claimed"),
    Phrase(r"^##\[error\]", "error", "error"),
    Phrase(r"^##\[warning\]", "warning", "warning"),
    Phrase(r"^##\[(?:group|endgroup|debug|command|section)\]", "log"),
)
_START, _FINISH = 3, 4


class Azure(TextReader):
    """One job's or task's text."""

    name = "azure_pipelines"
    versions = "azure-pipelines-agent 2.x to 4.x, job and task logs"
    stated_version = stated(rb"(?:Current agent|Agent) version: '([^'\s]+)", rb"[2-4]\..*")
    format = "iso"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Sections of the agent."""
        found = _SECTION.findall(sniff.head)
        return Taken(f"{len(found)} sections of the agent", 85) if found else None

    def annotator(self, path: str) -> Annotator:
        """Keeps open sections; a file of an archive names its job."""
        file = job_of(path)
        return _Annotator(file.run_id if file else None, whole=file is None or file.step is None)


class _Annotator(PhraseAnnotator):
    def __init__(self, job: str | None, whole: bool) -> None:
        super().__init__(_PHRASES, job)
        self._whole = whole
        self._depth = 0
        self._bad: str | None = None

    def concluded(self, records: pl.DataFrame) -> pl.DataFrame:
        """The outermost section is the job, or one invocation in a task's own file, and no stage of it."""
        which = pl.col("_which")
        step = pl.when(which == _START).then(1).when(which == _FINISH).then(-1).otherwise(0)
        depth = step.cum_sum() + self._depth
        seen = records.with_columns(_depth=depth, _outer=(which == _FINISH).fill_null(value=False) & (depth <= 0))
        self._judge(seen)
        self._depth = max(0, int(seen["_depth"][-1]))
        kind = pl.lit("run.finished" if self._whole else "invocation.finished")
        status = pl.lit(f'{{"status":"{self._bad or "succeeded"}"}}')
        first = (which == _START).fill_null(value=False) & (depth == 1) & self._whole
        return seen.with_columns(
            kind=pl.when("_outer").then(kind).when(first).then(pl.lit("attempt.started")).otherwise("kind"),
            fields=pl.when("_outer").then(status).otherwise("fields"),
        )

    def _judge(self, seen: pl.DataFrame) -> None:
        kinds = set(seen["kind"].drop_nulls().unique())
        for kind, status in (("error.timeout.job", "timed_out"), ("error.cancelled", "cancelled")):
            if kind in kinds and self._bad in (None, "failed"):
                self._bad = status
        if self._bad is None and kinds & {"error", "exit"}:
            self._bad = "failed"
