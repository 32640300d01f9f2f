"""Bazel's Build Event Protocol as JSON lines (`--build_event_json_file`).

Events have ids and announce children. A child that never came, and a stream
without `lastMessage`, say that Bazel or the writer died; `aborted` takes the place
of what was announced (build_event_stream.proto).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta

from runcase.intake.instants import NOWHEN, Instant, instant, since_epoch
from runcase.intake.json_spans import JsonText, Leaf
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, list_of, member, number_of, text_of
from runcase.intake.readers.stated_version import stated
from runcase.model.problems import Problem

_FIRST = re.compile(rb'^\s*\{\s*"id"\s*:\s*\{\s*"(?:started|progress|pattern|unstructuredCommandLine|buildMetadata)"')
_KNOWN = re.compile(rb'"(?:buildToolVersion|optionsDescription|targetConfigured|buildFinished|opaqueCount)"')
_CANCELLED = frozenset({"INTERRUPTED"})
_TEST_STATUS = {
    "PASSED": "ok",
    "FLAKY": "retried",
    "TIMEOUT": "timeout",
    "NO_STATUS": "skipped",
    "INCOMPLETE": "skipped",
}
_EXITS = {
    "BUILD_FAILURE": "build",
    "PARSING_FAILURE": "build.target",
    "TESTS_FAILED": "test.failed",
    "PARTIAL_ANALYSIS_FAILURE": "build.target",
    "COMMAND_LINE_ERROR": "config.command_line",
    "NO_TESTS_FOUND": "test.none_found",
    "OOM_ERROR": "resource.oom",
    "REMOTE_ERROR": "dependency.remote_execution",
    "REMOTE_CACHE_EVICTED": "dependency.remote_execution",
    "REMOTE_ENVIRONMENTAL_ERROR": "dependency.remote_execution",
    "LOCAL_ENVIRONMENTAL_ERROR": "config.environment",
    "LOCK_HELD_NOBLOCK_FOR_LOCK": "config.environment",
    "BLAZE_INTERNAL_ERROR": "crash.bazel",
}
"""Name of the exit code -> class, where no event before it says more (Bazel, ExitCode.java)."""
MOST_NAMED = 5
"""Announced events that a record names one by one when they never came."""

_SKIPPED = frozenset({"SKIPPED", "NO_BUILD", "NO_ANALYZE"})


class BazelBep(DocumentReader):
    """One build's event stream."""

    name = "bazel_bep"
    versions = "Bazel 4 to 8, BEP as JSON lines"
    stated_version = stated(rb'"buildToolVersion"\s*:\s*"([^"]*)"', rb"[4-8]\..*|\D.*")

    def recognises(self, sniff: Sniff) -> Taken | None:
        """A first event with an id of the protocol, and a member that only Bazel writes."""
        if _FIRST.search(sniff.head) and _KNOWN.search(sniff.head):
            return Taken("build events with ids of the protocol", 90)
        return None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """A record an event; spans of the build, its tests and test attempts; claims of important outputs."""
        text = JsonText(data, path)
        draft = Draft(data, problems=text.problems)
        build = _Build(draft, path)
        for leaf in text.lines():
            build.tell(leaf)
        build.close(len(data))
        return draft.facts()


class _Build:
    """Follows one build from `started` to the last message."""

    def __init__(self, draft: Draft, path: str) -> None:
        self._draft = draft
        self._path = path
        self._run_id: str | None = None
        self._begin: tuple[Place, Instant, str] | None = None
        self._end: tuple[Instant, str] | None = None
        self._announced: dict[str, tuple[str, int]] = {}
        self._came: set[str] = set()
        self._configured: dict[str, Place] = {}
        self._last = False

    def tell(self, leaf: Leaf) -> None:
        """Adds the record of one event."""
        event = leaf.members
        identity = event.get("id")
        ids = identity if isinstance(identity, dict) else {}
        kind = next(iter(ids), "")
        self._came.add(_key(identity))
        for child in list_of(event.get("children")):
            self._announced.setdefault(_key(child), (_words(child), self._draft.size))
        self._last = self._last or event.get("lastMessage") is True
        label = text_of(member(ids, kind, "label"))
        place = Place(leaf.start, leaf.length)
        if "aborted" in event:
            self._aborted(place, kind, label, event["aborted"])
        elif kind == "buildFinished":
            self._finished(place, event.get("finished"))
        elif kind == "started":
            self._started(place, event.get("started"))
        elif kind == "targetCompleted":
            self._target(place, label, event.get("completed"))
        elif kind == "testResult":
            self._attempt(place, label, ids[kind], event.get("testResult"))
        elif kind == "testSummary":
            self._test(place, label, event.get("testSummary"))
        elif kind == "actionCompleted":
            self._action(place, label or text_of(member(ids, kind, "primaryOutput")), event.get("action"))
        else:
            self._other(place, kind, label, event)

    def close(self, size: int) -> None:
        """What the end of the stream leaves open."""
        for label, place in self._configured.items():
            self._span(place, label, "stage", NOWHEN, NOWHEN, "open")
        if self._begin is not None:
            place, when, command = self._begin
            end, status = self._end or (NOWHEN, "open")
            self._draft.span(
                place,
                "build",
                f"bazel {command}",
                kind="other",
                start=when[0],
                end=end[0],
                status=status,
                run_id=self._run_id,
            )
        missing = [said for key, said in self._announced.items() if key not in self._came]
        self._tell_missing(missing)
        if not self._last:
            message = f"the stream has no last message; {len(missing)} announced events never came"
            self._draft.problems.append(Problem("bep_truncated", "warning", message, self._path, None, size, 0))

    def _tell_missing(self, missing: list[tuple[str, int]]) -> None:
        """On the record that announced it: what never came; that of the next progress tells nothing."""
        by_record: dict[int, list[str]] = {}
        for words, number in missing:
            if words != "progress":
                by_record.setdefault(number, []).append(words)
        for number, names in by_record.items():
            more = f" and {len(names) - MOST_NAMED} more" * (len(names) > MOST_NAMED)
            said = ", ".join(names[:MOST_NAMED]) + more
            self._draft.amend(number, {"never_came": said, "stream_ended": self._last})

    def _record(
        self,
        place: Place,
        kind: str | None,
        summary: str,
        when: Instant = NOWHEN,
        details: tuple[str | None, ...] = (),
        fields: Mapping[str, object] | None = None,
        level: str | None = None,
        stage: str | None = None,
        stream: str | None = None,
    ) -> None:
        self._draft.record(
            place, kind, summary, when, details, fields, level=level, stage=stage, stream=stream, run_id=self._run_id
        )

    def _span(self, place: Place, name: str, kind: str, start: Instant, end: Instant, status: str) -> None:
        self._draft.span(
            place,
            f"{kind}-{place.start}",
            name,
            kind=kind,
            parent_span_id="build",
            start=start[0],
            end=end[0],
            status=status,
            run_id=self._run_id,
        )

    def _started(self, place: Place, started: object) -> None:
        self._run_id = text_of(member(started, "uuid"))
        command = text_of(member(started, "command")) or "build"
        when = _time(started, "startTime", "startTimeMillis")
        self._begin = (place, when, command)
        fields = {"job": command, "version": text_of(member(started, "buildToolVersion"))}
        options = text_of(member(started, "optionsDescription"))
        self._record(place, "run.created", f"bazel {command} started", when, (options,), fields)

    def _finished(self, place: Place, finished: object) -> None:
        name = text_of(member(finished, "exitCode", "name")) or "UNKNOWN"
        code = number_of(member(finished, "exitCode", "code")) or 0
        status = "succeeded" if name == "SUCCESS" else "cancelled" if name in _CANCELLED else "failed"
        when = _time(finished, "finishTime", "finishTimeMillis")
        self._end = (when, {"succeeded": "ok", "failed": "error"}.get(status, status))
        detail = text_of(member(finished, "failureDetail", "message"))
        fields = {"status": status, "exit_code": code, "exit_name": name, "failure": _EXITS.get(name)}
        level = "info" if status == "succeeded" else "error"
        self._record(place, "run.finished", f"build finished: {name} ({code})", when, (detail,), fields, level)

    def _target(self, place: Place, label: str | None, completed: object) -> None:
        success = member(completed, "success") is True
        self._configured.pop(label or "", None)
        detail = text_of(member(completed, "failureDetail", "message"))
        word = "built" if success else "failed to build"
        fields = {"status": "ok" if success else "failed", "failure": None if success else "build.target"}
        level = None if success else "error"
        self._record(place, "stage.finished", f"{label} {word}", NOWHEN, (detail,), fields, level, label)
        for output in list_of(member(completed, "importantOutput")):
            self._output(place, label, output)

    def _output(self, place: Place, label: str | None, output: object) -> None:
        name = text_of(member(output, "name"))
        digest = text_of(member(output, "digest"))
        if name:
            self._draft.artifact(
                place,
                name,
                "written",
                path=name,
                size_bytes=number_of(member(output, "length")),
                checksum=f"sha256:{digest}" if digest and len(digest) == 64 else digest,
                stage=label,
                run_id=self._run_id,
            )

    def _attempt(self, place: Place, label: str | None, identity: object, result: object) -> None:
        status = text_of(member(result, "status")) or "NO_STATUS"
        start = _time(result, "testAttemptStart", "testAttemptStartMillisEpoch")
        seconds = _duration(result)
        end = NOWHEN if start[0] is None or seconds is None else (start[0] + timedelta(seconds=seconds), start[1])
        attempt = number_of(member(identity, "attempt"))
        detail = text_of(member(result, "statusDetails"))
        good = status in ("PASSED", "FLAKY")
        fields = {
            "status": "ok" if good else "failed",
            "test_status": status,
            "attempt": attempt,
            "shard": number_of(member(identity, "shard")),
            "run": number_of(member(identity, "run")),
            "cached": member(result, "cachedLocally"),
        }
        words = f"{label} attempt {attempt or 1}: {status}"
        if self._elsewhere(start):
            self._record(place, "log", f"{words} (cached, of an earlier build)", NOWHEN, (detail,), fields, None, label)
            return
        self._record(place, "tool.finished", words, end, (detail,), fields, None if good else "warning", label)
        self._span(place, f"{label} attempt {attempt or 1}", "tool", start, end, _TEST_STATUS.get(status, "error"))

    def _elsewhere(self, start: Instant) -> bool:
        """Whether something began before this build did: its result comes from a cache, and took none of its time."""
        begun = self._begin[1][0] if self._begin else None
        return begun is not None and start[0] is not None and start[0] < begun

    def _test(self, place: Place, label: str | None, summary: object) -> None:
        status = text_of(member(summary, "overallStatus")) or "NO_STATUS"
        said = _TEST_STATUS.get(status, "error")
        bad = said in ("error", "timeout")
        start = _time(summary, "firstStartTime", "firstStartTimeMillis")
        end = _time(summary, "lastStopTime", "lastStopTimeMillis")
        if self._elsewhere(start):
            start, end = NOWHEN, NOWHEN
        fields = {"test": label, "outcome": said, "test_status": status, "runs": member(summary, "totalRunCount")}
        fields |= {"failure": "timeout.test" if said == "timeout" else "test.failed" if bad else None}
        fields |= {"error_name": status if bad else None}
        kind = "error.test" if bad else "log.test"
        self._record(place, kind, f"test {label} {status}", end, (), fields, "error" if bad else None, label)
        self._span(place, label or "test", "test", start, end, said)

    def _action(self, place: Place, label: str | None, action: object) -> None:
        success = member(action, "success") is True
        code = number_of(member(action, "exitCode")) or 0
        mnemonic = text_of(member(action, "type"))
        detail = text_of(member(action, "failureDetail", "message"))
        fields = {"status": "ok" if success else "failed", "tool": mnemonic, "tool_exit_code": code}
        fields |= {"failure": None if success else "build.action", "error_name": None if success else mnemonic}
        words = f"{mnemonic} of {label} " + ("succeeded" if success else f"failed with exit code {code}")
        end = instant(member(action, "endTime"))
        level = None if success else "error"
        self._record(place, "tool.finished", words, end, (detail,), fields, level, label)
        self._span(place, words, "tool", instant(member(action, "startTime")), end, "ok" if success else "error")

    def _aborted(self, place: Place, kind: str, label: str | None, aborted: object) -> None:
        reason = text_of(member(aborted, "reason")) or "UNKNOWN"
        said = text_of(member(aborted, "description"))
        self._configured.pop(label or "", None)
        skipped = reason in _SKIPPED
        fields = {"status": "skipped" if skipped else "failed", "error_name": reason}
        of_target = label is not None
        event = "stage.finished" if of_target else "log" if skipped else "error"
        words = f"{label or kind} aborted: {reason}"
        self._record(place, event, words, NOWHEN, (said,), fields, None if skipped else "error", label)

    def _other(self, place: Place, kind: str, label: str | None, event: Mapping[str, object]) -> None:
        if kind == "targetConfigured" and label:
            self._configured.setdefault(label, place)
            self._record(place, "log", f"{label} configured", stage=label)
        elif kind == "progress":
            said = [text_of(member(event.get("progress"), name)) for name in ("stdout", "stderr")]
            text = "\n".join(s.rstrip("\n") for s in said if s and s.strip())
            self._record(place, None if text else "log", text or "progress", stream="stderr" if said[1] else None)
        else:
            self._record(place, "log", kind or "event without id")


def _words(child: object) -> str:
    """The kind of an announced event, and the label that it is about."""
    kind = next(iter(child), "?") if isinstance(child, dict) else "?"
    label = next((w for k in ("label", "primaryOutput") if (w := text_of(member(child, kind, k)))), None)
    return f"{kind} {label}" if label else kind


def _key(identity: object) -> str:
    return json.dumps(identity, sort_keys=True, default=str)


def _time(holder: object, name: str, millis: str) -> Instant:
    """An instant as RFC 3339 or, in older streams, as milliseconds."""
    when = instant(member(holder, name))
    return when if when[0] is not None else since_epoch(member(holder, millis), 1000)


def _duration(result: object) -> float | None:
    """Seconds that a test attempt took: `"1.5s"`, or milliseconds in older streams."""
    written = text_of(member(result, "testAttemptDuration"))
    if written and re.fullmatch(r"\d{1,9}(?:\.\d+)?s", written):
        return float(written[:-1])
    millis = number_of(member(result, "testAttemptDurationMillis"))
    return None if millis is None else millis / 1000
