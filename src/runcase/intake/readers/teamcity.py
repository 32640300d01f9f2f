"""TeamCity: the log of one build, as its page downloads it.

A head tells how the build ended; each line opens with a clock, a letter for its level and the step that wrote it:
`[10:00:19]W:<tab> [Step 1/2] text` (TeamCity 8 to 2024).
"""

from __future__ import annotations

import re

import polars as pl

from runcase.intake.readers.base import Annotator, Sniff, Taken, TextReader
from runcase.intake.readers.phrases import Phrase, PhraseAnnotator

_LINE = re.compile(rb"(?m)^\[\d\d:\d\d:\d\d\][ iWEF]?:")
_HEAD = re.compile(rb"(?m)^(?:Build '.+' #\S+|TeamCity URL http|\[\d\d:\d\d:\d\d\]i?: *TeamCity server version is )")
_BEFORE = r"^(?:\[\d\d:\d\d:\d\d\])?([ iWEF]?):[\t ]*(?:\[[^\]\n]+\] )?"
_LEVELS = {"W": "warning", "E": "error", "F": "error"}

_PHRASES = (
    Phrase(r"^Finished \d.* with status (?:SUCCESS|NORMAL)\b", "run.finished", status="succeeded"),
    Phrase(r"^Finished \d.* with status (?:\w+ )?'?(?:Canceled|Interrupted)", "run.finished", "error", "cancelled"),
    Phrase(r"^Finished \d.* with status (?P<result>FAILURE|ERROR|FAILED)\b", "run.finished", "error", "failed"),
    Phrase(r"^Triggered \d.* by '(?P<cause>.+)'$", "run.created"),
    Phrase(r"^Started \d.* on agent '(?P<host>.+)'$", "attempt.claimed"),
    Phrase(r"^Step (?P<number>\d+/\d+): (?P<stage>.+)$", "stage.started"),
    Phrase(r"^Process exited with code (?P<exit_code>-?\d+)$", "exit"),
    Phrase(r"^Step .+ failed$", "log"),
    Phrase(r"^(?:Build was interrupted|The build was cancell?ed)", "error.cancelled", "error"),
    Phrase(r"^The build .+ has been running for more than \d+|^Execution timeout", "error.timeout.job", "error"),
)


class TeamCity(TextReader):
    """One build's log."""

    name = "teamcity"
    versions = "TeamCity 8 to 2024, build logs"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Lines with a clock and a level, and the head or the server's greeting."""
        lines = len(_LINE.findall(sniff.head))
        if lines < 2 or not _HEAD.search(sniff.head):
            return None
        return Taken(f"{lines} lines with a clock and a level, as the server writes them", 80)

    def annotator(self, path: str) -> Annotator:
        """Keeps the open step."""
        return _Annotator(_PHRASES)


class _Annotator(PhraseAnnotator):
    def prepared(self, records: pl.DataFrame) -> pl.DataFrame:
        """The message as the step wrote it, and the level that its letter says."""
        letter = pl.col("message").str.extract(_BEFORE)
        level = letter.replace_strict(_LEVELS, default=None, return_dtype=pl.String)
        return records.with_columns(
            message=pl.col("message").str.replace(_BEFORE, ""), level=pl.coalesce("level", level)
        )
