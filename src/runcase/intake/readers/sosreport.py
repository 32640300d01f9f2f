"""sosreport: the logs and the manifest of what one host told of itself.

A report is one folder, `sosreport-HOST-CASE-DATE-ID/`, that mirrors the host's file tree beside `sos_commands/`,
`sos_logs/` and `sos_reports/` (sos 3.9 to 4.8). Its logs belong together: they are one run, named by the folder.
"""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from runcase.intake.instants import instant
from runcase.intake.json_spans import JsonText
from runcase.intake.readers.base import Annotator, DocumentFacts, DocumentReader, Sniff, Taken, TextReader
from runcase.intake.readers.draft import Draft, Place, member, text_of

_REPORT = re.compile(r"(?:^|/|!/)(sos(?:report|collector)?-[^/!]+)/(.+)$")
_LOG = re.compile(
    r"^(?:var/log/|sos_logs/|sos_commands/logs/journalctl|sos_commands/\w+/(?:journalctl|dmesg)|run/log/)"
)
_STAMPED = re.compile(
    rb"(?m)^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d |\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d|\[ *\d+\.\d+\] "
    rb"|.{0,80}\[\d\d?/\w{3}/\d{4}:)"
)
_TREE = re.compile(r"^(?:sos_(?:commands|logs|reports|strings)|var|etc|proc|sys|run|usr|boot|root|lib|dev|host)/")
_MANIFEST = re.compile(rb'"(?:cmdline|start_time|end_time|run_time|components|compression)"\s*:')


def place_of(path: str) -> tuple[str, str] | None:
    """The report's folder and the path inside it; None for what lies in no report."""
    found = _REPORT.search(path)
    return (found[1], found[2]) if found and _TREE.match(found[2]) else None


class SosLog(TextReader):
    """A log of the host."""

    name = "sosreport_log"
    versions = "sos 3.9 to 4.8: logs of the host, the journal as text, sos's own logs"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Stamped lines at a log's place in the tree of a report."""
        at = place_of(sniff.path)
        if not at or not _LOG.match(at[1]) or not _STAMPED.search(sniff.head):
            return None
        return Taken(f"stamped lines in the report {at[0]}", 40)

    def annotator(self, path: str) -> Annotator:
        """Names the run by the report."""
        at = place_of(path)
        return _Named(at[0] if at else None)


class _Named(Annotator):
    def __init__(self, run_id: str | None) -> None:
        self._run_id = run_id

    def annotate(self, records: pl.DataFrame) -> pl.DataFrame:
        """The records, with the run that the folder names."""
        return records.with_columns(run_id=pl.coalesce("run_id", pl.lit(self._run_id, dtype=pl.String)))


class SosManifest(DocumentReader):
    """`sos_reports/manifest.json`: when the report was made, and which plugins ran out of time."""

    name = "sosreport_manifest"
    versions = "sos 4.0 to 4.8 manifest.json"
    describes_run = False

    def recognises(self, sniff: Sniff) -> Taken | None:
        """An object with the command line, the times and the components of a report."""
        found = len({m[0] for m in _MANIFEST.finditer(sniff.head)})
        return (
            Taken(f"{found} keys of a report's manifest", 80)
            if found >= 4 and sniff.head.lstrip()[:1] == b"{"
            else None
        )

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """Begin and end of the report, and a warning a plugin that did not finish."""
        text = JsonText(data, path)
        draft = Draft(data, problems=text.problems)
        at = place_of(path)
        ids: dict[str, Any] = {"run_id": at[0] if at else None}
        opened = ((), ("components",), ("components", "report"), ("components", "report", "plugins"))
        for leaf in text.walk(lambda p: p in opened):
            place = Place(leaf.start, leaf.length)
            match leaf.path:
                case ("start_time",):
                    draft.record(place, "attempt.started", "sos began", instant(leaf.value), **ids)
                case ("end_time",) if instant(leaf.value)[0] is not None:
                    fields = {"status": "succeeded"}
                    draft.record(
                        place, "run.finished", "sos made the report", instant(leaf.value), fields=fields, **ids
                    )
                case ("components", "report", "plugins", str(plugin)):
                    _tell_plugin(plugin, leaf.value, place, draft, ids)
        return draft.facts()


def _tell_plugin(plugin: str, value: object, place: Place, draft: Draft, ids: dict[str, Any]) -> None:
    begin, end = (instant(member(value, key)) for key in ("start_time", "end_time"))
    late = member(value, "timeout_hit") is True
    status = "timeout" if late else "ok" if end[0] is not None else "unset"
    draft.span(place, f"plugin:{place.start}", plugin, kind="tool", start=begin[0], end=end[0], status=status,
               parent_span_id="report", **ids)  # fmt: skip
    kind, level = ("warning.timeout", "warning") if late else ("tool.finished", None)
    words = f"plugin {plugin} ran out of time" if late else f"plugin {plugin}"
    fields = {"run_time": text_of(member(value, "run_time"))}
    draft.record(place, kind, words, end if end[0] is not None else begin, fields=fields, level=level, **ids)
