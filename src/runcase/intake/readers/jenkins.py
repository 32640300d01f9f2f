"""Jenkins: `consoleText` of a freestyle or Pipeline build.

Console notes are escapes that a terminal hides; the Timestamper plugin may put a
clock, an elapsed time or RFC 3339 before each line (jenkins-core, workflow-job).
"""

from __future__ import annotations

import re

import polars as pl

from runcase.intake.readers.base import Annotator, Sniff, Taken, TextReader
from runcase.intake.readers.phrases import Phrase, PhraseAnnotator

_MARK = re.compile(
    rb"(?m)^(?:\[[^\]\n]{5,40}\] |\d\d:\d\d:\d\d  ?)?(?:\x1b\[8mha:[^\x1b]*\x1b\[0m)*"
    rb"(?:Started by (?:user|timer|upstream|an SCM change|remote|GitHub|GitLab|branch)|\[Pipeline\] |"
    rb"Building (?:remotely )?(?:on|in workspace)|Running on \S+ in /|"
    rb"Finished: (?:SUCCESS|FAILURE|UNSTABLE|ABORTED|NOT_BUILT))"
)
_STRONG = re.compile(rb"\[Pipeline\] |Finished: [A-Z_]+\s*$|\x1b\[8mha:")

_P = r"^(?:\[\S+\] )?"
_PHRASES = (
    Phrase(r"^Finished: SUCCESS", "run.finished", status="succeeded"),
    Phrase(r"^Finished: (?P<result>FAILURE|UNSTABLE|NOT_BUILT)", "run.finished", "error", "failed"),
    Phrase(r"^Finished: ABORTED", "run.finished", "error", "cancelled"),
    Phrase(r"^Started by (?P<cause>.+)", "run.created"),
    Phrase(r"^(?:Running on|Building remotely on|Building on) (?:the )?(?P<host>\S+)", "attempt.claimed"),
    Phrase(r"^Building in workspace ", "attempt.claimed"),
    Phrase(r"^Still waiting to schedule task|^Waiting for next available executor", "invocation.queued"),
    Phrase(r"^\[Pipeline\] \{ \((?P<stage>(?P<afterwards>Declarative: Post Actions))\)$", "stage.started"),
    Phrase(r"^\[Pipeline\] \{ \((?P<stage>.+)\)$", "stage.started"),
    Phrase(r"^\[Pipeline\] // stage$", "stage.finished"),
    Phrase(
        r'^Stage "(?P<stage>.+)" (?P<afterwards>skipped due to earlier failure)', "stage.finished", status="skipped"
    ),
    Phrase(r'^Stage "(?P<stage>.+)" skipped due to', "stage.finished", status="skipped"),
    Phrase(r"^\[Pipeline\] (?://|\}|\{|Start of Pipeline|End of Pipeline)", "log"),
    Phrase(r"^\[Pipeline\] (?P<tool>retry)$", "log"),
    Phrase(r"^\[Pipeline\] (?P<tool>\w+)", "tool.started"),
    Phrase(r"^Retrying$", "retry"),
    Phrase(_P + r"ERROR: script returned exit code (?P<exit_code>-?\d+)", "exit", "error"),
    Phrase(r"^Build step '(?P<tool>.+)' (?:marked build as failure|changed build result to FAILURE)", "error", "error"),
    Phrase(
        r"^Cancelling nested steps due to timeout|^Timeout has been exceeded|^Build timed out",
        "error.timeout.job",
        "error",
    ),
    Phrase(r"^Aborted by (?P<by>.+)", "error.aborted", "error"),
    Phrase(r"^Archiving artifacts|^Recording test results", "upload.started"),
    Phrase(_P + r"(?:ERROR|FATAL): ", "error", "error"),
    Phrase(_P + r"WARNING: ", "warning", "warning"),
)
_ABORTED = 2


class Jenkins(TextReader):
    """One build's console."""

    name = "jenkins"
    versions = "Jenkins 1.x and 2.x consoleText, freestyle and Pipeline, with or without Timestamper"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Two of the console's set phrases, at least one of them Jenkins' own."""
        found = _MARK.findall(sniff.head)
        own = _STRONG.search(sniff.head) or sniff.head.lstrip().startswith(b"Started by ")
        if len(found) < 2 or not own:
            return None
        return Taken(f"{len(found)} set phrases of the console", 80)

    def annotator(self, path: str) -> Annotator:
        """Keeps the open stage, and whether time ran out."""
        return _Annotator(_PHRASES)


class _Annotator(PhraseAnnotator):
    _late = False

    def prepared(self, records: pl.DataFrame) -> pl.DataFrame:
        """The message without the second blank that the Timestamper plugin puts after a clock."""
        return records.with_columns(pl.col("message").str.replace(r"^ (\S)", "${1}"))

    def concluded(self, records: pl.DataFrame) -> pl.DataFrame:
        """A build that is aborted because its time ran out has timed out."""
        late = (pl.col("kind") == "error.timeout.job").fill_null(value=False).cum_max() | self._late
        seen = records.with_columns(_late=late)
        self._late = bool(seen["_late"][-1])
        out_of_time = pl.col("_late") & (pl.col("_which") == _ABORTED).fill_null(value=False)
        return seen.with_columns(fields=pl.when(out_of_time).then(pl.lit('{"status":"timed_out"}')).otherwise("fields"))
