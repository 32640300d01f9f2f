"""Buildkite: the log of one job.

The agent puts `ESC _bk;t=<milliseconds> BEL` before each line, sometimes inside
one, and may leave the last unterminated; `---`, `~~~` and `+++` open groups
(buildkite/agent v3). Groups follow one another: the head of the next one is the
end of a group.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import polars as pl

from runcase.intake.readers.base import Annotator, Sniff, Taken, TextReader
from runcase.intake.readers.phrases import Phrase, PhraseAnnotator
from runcase.model.tables import SPANS

_TIME = re.compile(rb"\x1b_bk;t=\d{12,14}")
_GROUP = re.compile(rb"(?m)^(?:---|~~~|\+\+\+) \S")
_PHRASE = re.compile(rb"(?m)^(?:~~~ (?:Running|Preparing|Setting up)|# .*buildkite|.*BUILDKITE_|\^\^\^ \+\+\+)")
_LEFT = r"_?bk;t=\d+"

_PHRASES = (
    Phrase(r"The command exited with status (?P<exit_code>-?\d+)", "exit", "error"),
    Phrase(r"^user command error: exit status (?P<exit_code>\d+)", "exit", "error"),
    Phrase(
        r"^# Received cancellation signal|The command was interrupted by a signal|^Job cancell?ed",
        "error.cancelled",
        "error",
    ),
    Phrase(r"^\^\^\^ \+\+\+", "log"),
    # programs write such lines too: verdicts of Go, heads of differences
    Phrase(
        r"^--- (?:FAIL|PASS|SKIP|BENCH): |^(?:---|\+\+\+) (?:[ab]/|/dev/null|(?:Expected|Actual|expected|actual)\b)",
        "unknown",
    ),
    Phrase(r"^(?:---|~~~|\+\+\+) (?::[\w-]+: ?)*(?P<stage>.+)$", "stage.started"),
    Phrase(r"🚨 Error: ", "error", "error"),
    Phrase(r"^⚠️? Warning: |^# Warning", "warning", "warning"),
    Phrase(r"^\$ (?P<tool>.+)$", "tool.started"),
)


class Buildkite(TextReader):
    """One job's log."""

    name = "buildkite"
    versions = "buildkite-agent v3 job logs"
    marks = _LEFT

    def recognises(self, sniff: Sniff) -> Taken | None:
        """The agent's time marks; without them, several groups and a phrase of the agent."""
        times, groups = len(_TIME.findall(sniff.head)), len(_GROUP.findall(sniff.head))
        if times:
            return Taken(f"{times} time marks of the agent", 90)
        if groups >= 2 and _PHRASE.search(sniff.head):
            return Taken(f"{groups} groups and a phrase of the agent", 60)
        return None

    def annotator(self, path: str) -> Annotator:
        """Keeps the open group."""
        return _Annotator(_PHRASES)


class _Annotator(PhraseAnnotator):
    def __init__(self, phrases: Sequence[Phrase]) -> None:
        super().__init__(phrases)
        self._group: dict[str, Any] | None = None
        self._closed: list[dict[str, object]] = []

    def prepared(self, records: pl.DataFrame) -> pl.DataFrame:
        """The time of the first mark of a record; what is left of unterminated marks is taken off the message."""
        millis = pl.col("_marks").str.extract(r"t=(\d{12,14})").cast(pl.Int64, strict=False)
        at = (millis * 1000).cast(pl.Datetime("us", "UTC"))
        return records.with_columns(
            message=pl.col("message").str.replace_all(_LEFT, ""),
            ts=pl.coalesce(at, "ts"),
            ts_lo=pl.coalesce(at, "ts_lo"),
            ts_hi=pl.coalesce(at, "ts_hi"),
            ts_basis=pl.when(at.is_not_null()).then(pl.lit("explicit_zone")).otherwise("ts_basis"),
        )

    def concluded(self, records: pl.DataFrame) -> pl.DataFrame:
        """Each head of a group ends the group before it."""
        heads = records.filter(kind="stage.started").select("stage", "ts", "byte_start", "byte_len")
        for head in heads.iter_rows(named=True):
            if self._group is not None:
                self._closed.append(_span(self._group, head["ts"]))
            self._group = head
        return records

    def spans(self) -> pl.DataFrame:
        """A span a group that ended; whether something in it failed is not said in it."""
        rows, self._closed = self._closed, []
        return SPANS.frame(rows)


def _span(group: dict[str, Any], end: object) -> dict[str, object]:
    return {
        "span_id": f"group-{group['byte_start']}",
        "parent_span_id": "job",
        "name": group["stage"],
        "kind": "stage",
        "start": group["ts"],
        "end": end,
        "status": "unset",
        "byte_start": group["byte_start"],
        "byte_len": group["byte_len"],
    }
