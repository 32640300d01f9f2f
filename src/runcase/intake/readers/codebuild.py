"""AWS CodeBuild: the log of one build, with or without the agent's stamp (`[Container] 2024/05/02 10:00:01.101`)."""

from __future__ import annotations

import re

import polars as pl

from runcase.intake.readers.base import Annotator, Sniff, Taken, TextReader
from runcase.intake.readers.phrases import Phrase, PhraseAnnotator

_LINE = re.compile(
    rb"(?m)^(?:\S+ )?\[Container\] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)? "
    rb"(?:Running on CodeBuild|Waiting for|Phase |Entering phase|Running command|CODEBUILD_|YAML location)"
)
_AGENT = r"^\[Container\] (?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)? )?"

_PHRASES = (
    Phrase(r"^Running on CodeBuild", "attempt.claimed"),
    Phrase(r"^Entering phase (?P<stage>\w+)$", "stage.started"),
    Phrase(r"^Running command (?P<tool>.+)$", "tool.started"),
    Phrase(r"^Command did not exit successfully .* exit status (?P<exit_code>\d+)$", "exit.command", "error"),
    Phrase(
        r"^Phase complete: (?P<stage>POST_BUILD|UPLOAD_ARTIFACTS|FINALIZING) State: SUCCEEDED",
        "invocation.finished",
        status="succeeded",
    ),
    Phrase(r"^Phase complete: (?P<stage>\w+) State: SUCCEEDED", "stage.finished", status="succeeded"),
    Phrase(r"^Phase complete: (?P<stage>\w+) State: TIMED_OUT", "invocation.finished", "error", "timed_out"),
    Phrase(r"^Phase complete: (?P<stage>\w+) State: STOPPED", "invocation.finished", "error", "cancelled"),
    Phrase(r"^Phase complete: (?P<stage>\w+) State: (?P<result>\w+)", "invocation.finished", "error", "failed"),
    Phrase(r"^Phase context status code: (?P<code>[A-Z_]+) Message: \S", "error", "error"),
)


class CodeBuild(TextReader):
    """One build's log."""

    name = "codebuild"
    versions = "AWS CodeBuild, CloudWatch and S3 logs of one build"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Lines of the agent in its set phrases."""
        lines = len(_LINE.findall(sniff.head))
        return Taken(f"{lines} set phrases of the build container's agent", 80) if lines >= 2 else None

    def annotator(self, path: str) -> Annotator:
        """Keeps the open phase."""
        return _Annotator(_PHRASES)


class _Annotator(PhraseAnnotator):
    def prepared(self, records: pl.DataFrame) -> pl.DataFrame:
        """The message without what the agent puts before its own."""
        return records.with_columns(message=pl.col("message").str.replace(_AGENT, ""))
