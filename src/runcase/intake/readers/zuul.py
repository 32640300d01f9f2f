"""Zuul: `job-output.txt` of one build.

Each line is a local time, a bar, the node and a bar where a node speaks, and the
text. Playbooks begin and end in phases; the play recap counts failed tasks, and
nothing states the result of the job: it follows from the recaps before the post-run
phase (zuul executor, callback plugin zuul_stream).
"""

from __future__ import annotations

import re

import polars as pl

from runcase.intake.readers.base import Annotator, Sniff, Taken, TextReader
from runcase.intake.readers.phrases import Phrase, PhraseAnnotator

_LINE = re.compile(rb"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} \| ")
_PHASE = re.compile(rb"(?m) \| (?:(?:PRE-|POST-|CLEANUP-)?RUN (?:START|END RESULT_)|Running Ansible setup|TASK \[)")
_FOLDER = re.compile(r"(?:^|/)([^/]+?)!?/(?:job-output\.(?:txt|json)|zuul-manifest\.json)(?:\.gz)?$")
_BAR = r"^\| ?"
_NODE = r"^([\w.-]+) \| "
_RECAP = r"^(?P<host>\S+) \| ok: \d+ changed: \d+ unreachable: \d+ failed: \d+"

_PHRASES = (
    Phrase(r"^PRE-RUN START: \[\w+ : (?P<stage>.+?)(?:@.*)?\]", "stage.started"),
    Phrase(r"^RUN START: \[\w+ : (?P<stage>.+?)(?:@.*)?\]", "stage.started"),
    Phrase(r"^(?:POST|CLEANUP)-RUN START: \[\w+ : (?P<stage>.+?)(?:@.*)?\]", "stage.started"),
    Phrase(r"^(?:PRE-)?RUN END RESULT_TIMED_OUT", "error.timeout.job", "error", "timed_out"),
    Phrase(r"^(?:PRE-)?RUN END RESULT_(?:UNREACHABLE|ABORTED|DISK_FULL)", "error.aborted", "error", "failed"),
    Phrase(r"^POST-RUN END RESULT_", "run.finished"),
    Phrase(r"^(?:PRE-|CLEANUP-)?RUN END RESULT_", "stage.finished"),
    Phrase(_RECAP.replace(r"failed: \d+", "failed: [1-9]"), "error.task", "error", "failed"),
    Phrase(
        _RECAP.replace(r"unreachable: \d+ failed: \d+", "unreachable: [1-9]"), "error.unreachable", "error", "failed"
    ),
    Phrase(_RECAP, "log"),
    Phrase(r"^TASK \[(?P<tool>.+)\]", "tool.started"),
    Phrase(r"^(?P<host>\S+) \| ERROR$", "error.task", "error"),
)
_POST, _OVER = 2, 5


class Zuul(TextReader):
    """One build's output."""

    name = "zuul"
    versions = "job-output.txt of Zuul 3 to 11"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Bars after the time on most lines, and a phase or task of the executor."""
        lines = sniff.head.count(b"\n") or 1
        barred = len(_LINE.findall(sniff.head))
        if barred < 0.5 * lines or not _PHASE.search(sniff.head):
            return None
        return Taken(f"{barred} of {lines} lines are those of the executor", 85)

    def annotator(self, path: str) -> Annotator:
        """Keeps the phase and what failed before it."""
        return _Annotator(build_of(path).get("run_id"))


def build_of(path: str) -> dict[str, str]:
    """`run_id` by the folder of the files that Zuul names alike in every build; empty for other files."""
    found = _FOLDER.search(path)
    return {"run_id": found[1]} if found else {}


class _Annotator(PhraseAnnotator):
    def __init__(self, run_id: str | None) -> None:
        super().__init__(_PHRASES, run_id)
        self._post = False
        self._bad: str | None = None

    def prepared(self, records: pl.DataFrame) -> pl.DataFrame:
        """The message without the bar that follows the time."""
        return records.with_columns(pl.col("message").str.replace(_BAR, ""))

    def concluded(self, records: pl.DataFrame) -> pl.DataFrame:
        """The job failed if a recap, a limit or a lost node said so before the post-run phase began."""
        began = (pl.col("_which") == _POST).fill_null(value=False).cum_max() | self._post
        told = pl.col("_which").is_null() & pl.col("message").str.contains(_NODE)
        spoken = pl.when(told).then(pl.col("message").str.replace(_NODE, "")).otherwise("message")
        host = pl.concat_str(pl.lit('{"host":"'), pl.col("message").str.extract(_NODE), pl.lit('"}'))
        records = records.with_columns(
            message=spoken, fields=pl.when(told & pl.col("fields").is_null()).then(host).otherwise("fields")
        )
        seen = records.with_columns(_after=began, _said=pl.col("fields").str.json_path_match("$.status"))
        said = seen.filter(~pl.col("_after") & pl.col("_said").is_not_null())["_said"].to_list()
        self._bad = next((s for s in (self._bad, *said) if s == "timed_out"), self._bad or (said[0] if said else None))
        self._post = bool(seen["_after"][-1])
        over = (pl.col("_which") == _OVER).fill_null(value=False)
        status = pl.lit(f'{{"status":"{self._bad or "succeeded"}"}}')
        return seen.with_columns(
            fields=pl.when(over).then(status).otherwise("fields"),
            level=pl.when(over & (pl.lit(self._bad is not None))).then(pl.lit("error")).otherwise("level"),
        )
