"""The journal of systemd as `journalctl -o export|json|json-pretty|json-seq` writes it (systemd 230 to 257).

Entries of the export format are lines of `NAME=value`, ended by an empty line;
a value that is no plain text follows its name on a line of its own, with its
length as eight bytes before it. In JSON such a value is an array of bytes, null
where it was too large, and an array of values where a field occurs again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from runcase.intake.instants import NOWHEN, since_epoch
from runcase.intake.json_spans import JsonText
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, number_of, text_of
from runcase.model.problems import Problem

_EXPORT = re.compile(rb"\A(?:__CURSOR=|__REALTIME_TIMESTAMP=)")
_JSON = re.compile(rb'"__REALTIME_TIMESTAMP"\s*:\s*"\d{13,17}"')
_NAME = re.compile(rb"[A-Z_][A-Z0-9_]{0,63}")
_LEVELS = ("fatal", "fatal", "fatal", "error", "warning", "info", "info", "debug")
"""Of the priorities 0 to 7 (syslog.h)."""
_KEPT = (
    "_SYSTEMD_UNIT", "_SYSTEMD_USER_UNIT", "UNIT", "SYSLOG_IDENTIFIER", "_PID", "_COMM", "_HOSTNAME", "_BOOT_ID",
    "_TRANSPORT", "PRIORITY", "CODE_FILE", "CODE_LINE", "MESSAGE_ID", "EXIT_CODE", "EXIT_STATUS", "UNIT_RESULT",
    "CONTAINER_NAME", "RUN_ID", "TRACE_ID",
)  # fmt: skip


class Journald(DocumentReader):
    """Entries of a journal."""

    name = "journald"
    versions = "systemd 230 to 257: export format, JSON, pretty and sequence"
    ends_lines = True

    def recognises(self, sniff: Sniff) -> Taken | None:
        """The cursor or time that opens every exported entry; the time of JSON entries."""
        if _EXPORT.match(sniff.head):
            return Taken("entries of the export format", 88)
        found = len(_JSON.findall(sniff.head))
        return Taken(f"{found} entries with times of the journal", 86) if found else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """A record an entry, for the rules to name; the unit's invocation is its invocation."""
        if _EXPORT.match(data):
            draft = Draft(data)
            for place, entry in _entries(data, draft, path):
                _tell(draft, place, entry)
            return draft.facts()
        text = JsonText(data.replace(b"\x1e", b" "), path)
        draft = Draft(data, problems=text.problems)
        for leaf in text.walk(lambda _: False) if _pretty(data) else text.items():
            _tell(draft, Place(leaf.start, leaf.length), {k: _plain(v) for k, v in leaf.members.items()})
        return draft.facts()


def _pretty(data: bytes) -> bool:
    return re.match(rb"\s*\{\s*\n", data) is not None


def _plain(value: object) -> str | None:
    """A value of the JSON form: text, bytes as an array, or the last of several."""
    if isinstance(value, list):
        if value and all(isinstance(b, int) and 0 <= b < 256 for b in value):
            return bytes(b for b in value if isinstance(b, int)).decode("utf-8", "backslashreplace")
        return _plain(value[-1]) if value and not isinstance(value[-1], list) else None
    return text_of(value)


def _entries(data: bytes, draft: Draft, path: str) -> Iterator[tuple[Place, dict[str, str | None]]]:
    """Entries of the export format with their places, the empty line that ends them included."""
    at, start = 0, 0
    entry: dict[str, str | None] = {}
    while at < len(data):
        end = data.find(b"\n", at)
        line = data[at : end if end >= 0 else len(data)]
        after = end + 1 if end >= 0 else len(data)
        if not line:
            if entry:
                yield Place(start, after - start), entry
            entry, start, at = {}, after, after
            continue
        name, equals, value = line.partition(b"=")
        if equals and _NAME.fullmatch(name):
            entry[name.decode()] = value.decode("utf-8", "backslashreplace")
        elif _NAME.fullmatch(line) and end >= 0:
            size = int.from_bytes(data[after : after + 8], "little")
            if after + 8 + size > len(data):
                why = f"the value of {line.decode()} is cut off"
                draft.problems.append(Problem("entry_truncated", "warning", why, path, None, at, len(data) - at))
                entry[line.decode()] = data[after + 8 :].decode("utf-8", "backslashreplace")
                after = len(data)
            else:
                entry[line.decode()] = data[after + 8 : after + 8 + size].decode("utf-8", "backslashreplace")
                after = after + 8 + size
                after += data[after : after + 1] == b"\n"
        else:
            draft.problems.append(
                Problem("line_malformed", "info", "no field of an entry", path, None, at, max(0, after - at))
            )
        at = after
    if entry:
        yield Place(start, len(data) - start), entry


def _tell(draft: Draft, place: Place, entry: Mapping[str, str | None]) -> None:
    stamp = entry.get("__REALTIME_TIMESTAMP") or entry.get("_SOURCE_REALTIME_TIMESTAMP")
    when = since_epoch(stamp, 1_000_000) if stamp else NOWHEN
    priority = number_of(entry.get("PRIORITY"))
    level = _LEVELS[priority] if priority is not None and 0 <= priority < 8 else None
    message = entry.get("MESSAGE")
    lines = (message or "entry without a message").split("\n")
    trace = (entry.get("TRACE_ID") or "").lower()
    draft.record(
        place, None, lines[0], when, lines[1:], {k: entry.get(k) for k in _KEPT}, level=level,
        invocation_id=entry.get("_SYSTEMD_INVOCATION_ID") or entry.get("INVOCATION_ID"), run_id=entry.get("RUN_ID"),
        trace_id=trace if re.fullmatch(r"[0-9a-f]{32}", trace) else None,
    )  # fmt: skip
