"""Dagster event logs: `dagster debug export`, the JSON console logger, GraphQL answers (Dagster 0.15 to 1.x).

One entry is an event of a run (`RUN_START`, `STEP_FAILURE`, `ASSET_MATERIALIZATION`)
or a log line of its code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from runcase.intake.instants import Instant, instant
from runcase.intake.json_spans import JsonText, Leaf, Path
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, list_of, member, number_of, text_of
from runcase.intake.readers.error_names import class_of
from runcase.intake.readers.stated_version import stated

_ENTRY = re.compile(
    rb'"__class__"\s*:\s*"(?:EventLogEntry|EventRecord|DebugRunPayload)"|"dagster_(?:event|meta)"\s*:\s*\{'
    rb'|"__typename"\s*:\s*"(?:Run|Pipeline|ExecutionStep|Step|Asset|Materialization|Engine|LogMessage)\w*Event"'
)
_HOLDERS = re.compile(rb'"(?:event_list|logsForRun|eventConnection)"\s*:')
_OPENED = frozenset(
    {"event_list", "data", "logsForRun", "runOrError", "pipelineRunOrError", "eventConnection", "events"}
)

_KINDS = {
    "ENQUEUED": "invocation.queued",
    "DEQUEUED": "invocation.claimed",
    "STARTING": "attempt.claimed",
    "START": "attempt.started",
    "SUCCESS": "run.finished",
    "FAILURE": "run.finished",
    "CANCELED": "run.finished",
    "STEP_START": "stage.started",
    "STEP_SUCCESS": "stage.finished",
    "STEP_FAILURE": "stage.finished",
    "STEP_SKIPPED": "stage.finished",
    "STEP_UP_FOR_RETRY": "retry",
    "STEP_RESTARTED": "stage.started",
    "ASSET_MATERIALIZATION": "artifact.written",
    "ASSET_OBSERVATION": "artifact.read",
}
_STATUS = {
    "SUCCESS": "succeeded",
    "FAILURE": "failed",
    "CANCELED": "cancelled",
    "STEP_SUCCESS": "ok",
    "STEP_FAILURE": "failed",
    "STEP_SKIPPED": "skipped",
}
_LEVELS = {10: "debug", 20: "info", 30: "warning", 40: "error", 50: "fatal"}


class Dagster(DocumentReader):
    """Events of runs."""

    name = "dagster"
    versions = "Dagster 0.15 to 1.x: debug exports, JSON console logger, GraphQL event connections"
    stated_version = stated(
        rb'"__class__"\s*:\s*"DebugRunPayload".{0,200}?"version"\s*:\s*"([^"]*)"', rb"(?:0|1)\..*|dev"
    )

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Classes and members that only Dagster's serialisation has."""
        if not sniff.head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")):
            return None
        found = len(_ENTRY.findall(sniff.head))
        return Taken(f"{found} entries of an event log", 89) if found else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """A record an entry; spans of steps; claims of materialised assets."""
        text = JsonText(data, path)
        draft = Draft(data, problems=text.problems)
        steps: dict[tuple[str | None, str], tuple[Place, Instant]] = {}
        for leaf in _entries(text, data):
            _tell(leaf, draft, steps)
        for (run_id, step), (place, begun) in steps.items():
            draft.span(place, f"step-{place.start}", step, kind="stage", parent_span_id="run", start=begun[0],
                       status="open", run_id=run_id)  # fmt: skip
        return draft.facts()


def _entries(text: JsonText, data: bytes) -> Iterator[Leaf]:
    if _HOLDERS.search(data[: 1 << 20]) is None:
        yield from text.items()
        return
    for leaf in text.walk(_opens):
        if leaf.path and isinstance(leaf.path[-1], int):
            yield leaf


def _opens(path: Path) -> bool:
    return all(part in _OPENED for part in path)


def _tell(leaf: Leaf, draft: Draft, steps: dict[tuple[str | None, str], tuple[Place, Instant]]) -> None:
    entry = leaf.members
    meta = entry.get("dagster_meta")
    outer: Mapping[str, object] = meta if isinstance(meta, dict) else entry
    event = outer.get("dagster_event") or outer.get("event")
    place = Place(leaf.start, leaf.length)
    name = _first(event, "event_type_value") or _first(outer, "eventType", "event_type_value") or ""
    name = re.sub(r"^(?:RUN|PIPELINE)_", "", name)
    run_id = _first(outer, "run_id", "runId")
    step = _first(outer, "step_key", "stepKey") or _first(event, "step_key")
    when = instant(_moment(entry.get("timestamp") or outer.get("log_timestamp") or entry.get("created")))
    error = _error(event, outer, entry)
    status = _STATUS.get(name)
    message = (
        _first(event, "message") or _first(outer, "user_message", "orig_message", "message") or _first(entry, "msg")
    )
    kind = _KINDS.get(name, "log" if name else None)
    level = (
        _LEVELS.get(number_of(entry.get("level")) or 0) or (_first(entry, "level", "levelname") or "").lower() or None
    )
    level = "error" if status == "failed" else level if level in _LEVELS.values() else None
    words = f"{name.replace('_', ' ').lower()}: {message}" if name and message else message or name or "entry"
    named = error.split(":", 1)[0].strip() if error else None
    fields: dict[str, object] = {
        "event_type": name or None,
        "job": _first(outer, "job_name", "pipeline_name", "pipelineName") or _first(event, "job_name", "pipeline_name"),
        "status": status,
        "error_name": named if status == "failed" and kind == "stage.finished" else None,
        "failure": class_of(named) if status == "failed" and kind == "stage.finished" else None,
    }
    asset = _asset(event, outer)
    why = f": {error.splitlines()[0]}" if error and status == "failed" else ""
    draft.record(
        place, kind, words.split("\n")[0] + why, when,
        (message if message and "\n" in message else None, error), fields, level=level, stage=step, run_id=run_id,
        artifacts=[asset] if asset else [],
    )  # fmt: skip
    if asset and kind in ("artifact.written", "artifact.read"):
        action = kind.removeprefix("artifact.")
        draft.artifact(place, asset, action, role="asset", stage=step, ts=when[0], run_id=run_id)
    _step(draft, place, name, (run_id, step or ""), when, error, steps)


def _step(
    draft: Draft, place: Place, name: str, key: tuple[str | None, str], when: Instant, error: str | None,
    steps: dict[tuple[str | None, str], tuple[Place, Instant]],
) -> None:  # fmt: skip
    """Opens and closes the span of a step."""
    if name in ("STEP_START", "STEP_RESTARTED"):
        steps[key] = (place, when)
    elif name in ("STEP_SUCCESS", "STEP_FAILURE", "STEP_UP_FOR_RETRY") and key in steps:
        begun = steps.pop(key)[1]
        status = {"STEP_SUCCESS": "ok", "STEP_FAILURE": "error"}.get(name, "retried")
        first = error.splitlines()[0] if error else None
        draft.span(place, f"step-{place.start}", key[1], kind="stage", parent_span_id="run", start=begun[0],
                   end=when[0], status=status, error=first, run_id=key[0])  # fmt: skip


def _moment(value: object) -> object:
    """GraphQL writes milliseconds as text."""
    text = text_of(value)
    return int(text) if text and re.fullmatch(r"\d{10,19}", text) else value


def _error(*holders: object) -> str | None:
    """`Class: message` and the stack, of the innermost cause that there is."""
    paths = (("event_specific_data", "error"), ("event_specific_data", "error_info"), ("error_info",), ("error",))
    found = next((e for h in holders for p in paths if isinstance(e := member(h, *p), dict)), None)
    for _ in range(10):
        inner = member(found, "cause")
        if not isinstance(inner, dict):
            break
        found = inner
    message = (text_of(member(found, "message")) or "").strip()
    named = text_of(member(found, "cls_name")) or text_of(member(found, "className"))
    stack = [t for s in list_of(member(found, "stack")) if (t := text_of(s))]
    head = message if not named or named in message else f"{named}: {message}"
    return "\n".join([head, "".join(stack)]).strip() or None


def _asset(event: object, outer: object) -> str | None:
    """`a/b` of the asset key ["a", "b"]."""
    data = member(event, "event_specific_data")
    keys = (
        member(data, "materialization", "asset_key", "path"),
        member(data, "asset_observation", "asset_key", "path"),
        member(outer, "assetKey", "path"),
    )
    parts = next((list_of(k) for k in keys if k), [])
    return "/".join(t for p in parts if (t := text_of(p))) or None


def _first(holder: object, *keys: str) -> str | None:
    return next((t for k in keys if (t := text_of(member(holder, k)))), None)
