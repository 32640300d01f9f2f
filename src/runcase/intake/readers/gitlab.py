"""GitLab CI: the trace of one job.

`section_start:UNIX:NAME[options]` and `section_end:UNIX:NAME` stand before a
carriage return and an erase; with timestamps on (runner 17), each line opens with
RFC 3339, two hex digits of a stream and `O` or `E` (gitlab-runner, helpers/trace).
"""

from __future__ import annotations

import re

import polars as pl

from runcase.intake.readers.base import Annotator, Sniff, Taken, TextReader
from runcase.intake.readers.phrases import Phrase, PhraseAnnotator
from runcase.intake.readers.stated_version import stated
from runcase.model.tables import SPANS

_MARK = re.compile(
    rb"section_(?:start|end):\d{9,11}:\w|Running with gitlab-runner "
    rb"|(?m:^(?:.{32})?(?:\x1b\[[\d;]*m)*ERROR: Job failed)"
)
_PREFIX = r"^([0-9a-f]{2})([OE])[ +]"
_SECTION = r"section_(start|end):(\d{9,11}):([\w.-]+)"

_AFTERWARDS = r"after_script|upload_artifacts_on_failure|cleanup_file_variables"
_WELL = r"archive_cache\w*|upload_artifacts_on_\w+"
"""Sections that follow the script, whose failure the last line of the trace tells; their times are spans. Some follow
one that went well alone."""

_PHRASES = (
    Phrase(r"^Job succeeded", "run.finished", status="succeeded"),
    Phrase(r"^ERROR: Job failed: (?:.*exit (?:code|status)) (?P<exit_code>-?\d+)", "run.finished", "error", "failed"),
    Phrase(r"^ERROR: Job failed \((?P<reason>system failure)\)", "run.finished", "error", "failed"),
    Phrase(
        r"^ERROR: Job failed(?: \([\w ]+\))?: (?:execution took longer than|.*timed out)",
        "run.finished",
        "error",
        "timed_out",
    ),
    Phrase(
        r"^(?:ERROR: Job failed: (?:canceled|aborted)|WARNING: .*Job canceled|ERROR: Job canceled)",
        "run.finished",
        "error",
        "cancelled",
    ),
    Phrase(r"^ERROR: Job failed(?: \((?P<reason>[\w ]+)\))?", "run.finished", "error", "failed"),
    Phrase(r"^Running with gitlab-runner (?P<runner>\S+)", "attempt.claimed"),
    Phrase(r"^Running on (?P<host>\S+)(?: via (?P<manager>\S+?)\.*)?$", "invocation.started"),
    Phrase(r"^Uploading artifacts (?P<afterwards>for failed job)", "upload.started"),
    Phrase(r"^Uploading artifacts", "upload.started"),
    Phrase(r"^Uploading artifacts as .* to coordinator.* 201 Created|^Uploading artifacts .*\bok\b", "upload.finished"),
    Phrase(r"^WARNING: Uploading artifacts .*\bfailed|^ERROR: Uploading artifacts", "error.upload", "error"),
    Phrase(r"^WARNING: Retrying|^Retrying", "retry"),
    Phrase(r"^WARNING: ", "warning", "warning"),
    Phrase(r"^ERROR: ", "error", "error"),
    Phrase(rf"section_start:\d+:(?P<stage>(?P<afterwards>{_AFTERWARDS}))[^ ]*$", "log", on_marks=True),
    Phrase(rf"section_start:\d+:(?P<stage>{_WELL})[^ ]*$", "log", on_marks=True),
    Phrase(r"section_start:\d+:(?P<stage>[\w.-]+)[^ ]*$", "stage.started", on_marks=True),
    Phrase(r"section_end:\d+:(?P<stage>[\w.-]+)$", "stage.finished", on_marks=True),
    Phrase(r"^\$ (?P<tool>.+)$", "tool.started"),
)


class GitLab(TextReader):
    """One job's trace."""

    name = "gitlab"
    versions = "gitlab-runner 9 to 18, with and without timestamps and sections"
    stated_version = stated(rb"Running with gitlab-runner (\S+)", rb"(?:9|1[0-8])\..*|\D.*")
    marks = _SECTION

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Section markers, or the runner's greeting."""
        found = _MARK.findall(sniff.head)
        return Taken(f"{len(found)} marks of gitlab-runner", 85) if found else None

    def annotator(self, path: str) -> Annotator:
        """Keeps open sections."""
        return _Annotator()


class _Annotator(PhraseAnnotator):
    def __init__(self) -> None:
        super().__init__(_PHRASES)
        self._open: dict[str, tuple[int, int, int]] = {}
        self._closed: list[dict[str, object]] = []

    def prepared(self, records: pl.DataFrame) -> pl.DataFrame:
        """Stream and message from the prefix of timestamped lines; times from the section markers."""
        prefixed = pl.col("message").str.contains(_PREFIX)
        letter = pl.col("message").str.extract(_PREFIX, 2)
        at = pl.from_epoch(pl.col("_marks").str.extract(_SECTION, 2).cast(pl.Int64), time_unit="s")
        at = at.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        fresh = pl.col("ts").is_null() & at.is_not_null()
        self._collect(records)
        return records.with_columns(
            message=pl.when(prefixed).then(pl.col("message").str.replace(_PREFIX, "")).otherwise("message"),
            stream=pl.coalesce("stream", letter.replace_strict({"O": "stdout", "E": "stderr"}, default=None)),
            ts=pl.coalesce("ts", at),
            ts_lo=pl.coalesce("ts_lo", at),
            ts_hi=pl.coalesce("ts_hi", at),
            ts_basis=pl.when(fresh).then(pl.lit("explicit_zone")).otherwise("ts_basis"),
        )

    def spans(self) -> pl.DataFrame:
        """A span a section that ended."""
        rows, self._closed = self._closed, []
        return SPANS.frame(rows)

    def open_spans(self) -> pl.DataFrame:
        """Sections that never ended."""
        return SPANS.frame([_section(name, *begun, None) for name, begun in self._open.items()])

    def _collect(self, records: pl.DataFrame) -> None:
        marked = records.filter(pl.col("_marks").is_not_null()).select("_marks", "byte_start", "byte_len")
        for marks, start, length in marked.iter_rows():
            for way, seconds, name in re.findall(_SECTION, marks):
                if way == "start":
                    self._open[name] = (int(seconds), start, length)
                elif name in self._open:
                    self._closed.append(_section(name, *self._open.pop(name), int(seconds)))


def _section(name: str, begin: int, start: int, length: int, end: int | None) -> dict[str, object]:
    """A SPANS row; whether a section failed is not said in it."""
    return {
        "span_id": f"section-{start}-{name}",
        "parent_span_id": "job",
        "name": name,
        "kind": "stage",
        "start": pl.select(pl.from_epoch(pl.lit(begin), time_unit="s").dt.replace_time_zone("UTC")).item(),
        "end": None if end is None else pl.select(pl.from_epoch(pl.lit(end)).dt.replace_time_zone("UTC")).item(),
        "status": "open" if end is None else "unset",
        "byte_start": start,
        "byte_len": length,
    }
