"""JUnit XML test reports, in the dialects that tools write.

There is no single schema: suites nest, counts may be absent or wrong, surefire adds
`rerunFailure` and `flakyFailure`, GoogleTest marks a case with `status="notrun"`.
The parser is expat with every entity declaration refused: nothing expands and
nothing is fetched (XML 1.0; surefire-test-report-3.0.xsd; windyroad JUnit.xsd).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn
from xml.parsers import expat

from runcase.intake.instants import NOWHEN, Instant, instant
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, number_of
from runcase.model.problems import Problem

_PROLOG = re.compile(rb"(?s)<!--.*?-->|<\?.*?\?>|<!DOCTYPE[^\[>]*(?:\[.*?\])?\s*>")
_FAILED = frozenset({"failure", "error"})
_AGAIN = frozenset({"rerunFailure", "rerunError", "flakyFailure", "flakyError"})
_FLAKY = frozenset({"flakyFailure", "flakyError"})
_OUTPUT = frozenset({"system-out", "system-err"})
_NOT_RUN = frozenset({"notrun", "disabled", "skipped", "ignored", "suppressed"})
_COUNTS = ("tests", "failures", "errors", "skipped")

MAX_DEPTH = 256
"""Elements nested deeper than any report nests."""

MAX_TEXT_CHARS = 64 * 1024
"""Of one element's text that is kept; the raw bytes hold the whole."""


class JUnit(DocumentReader):
    """One report file."""

    name = "junit"
    versions = "JUnit XML of Ant, Surefire 2 and 3, pytest, Jest, Mocha, GoogleTest, Bazel, PHPUnit, ScalaTest"
    describes_run = False

    def recognises(self, sniff: Sniff) -> Taken | None:
        """An XML document whose root is a suite or a list of suites."""
        head = sniff.head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if not head.startswith(b"<"):
            return None
        first = re.search(rb"<[A-Za-z][^\s>/]*", _PROLOG.sub(b"", head))
        if first is None or first[0] not in (b"<testsuites", b"<testsuite"):
            return None
        return Taken("XML with test suites at its root", 90)

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """A record and a span of kind `test` a case; a record a suite; a damaged rest as a problem."""
        report = _Report(Draft(data), path)
        report.parse()
        return report.draft.facts()


class _RefusedError(Exception):
    """The document declares entities or nests without bounds."""


@dataclass(slots=True)
class _Suite:
    """An open `testsuite`."""

    name: str
    start: int
    tag_end: int
    attributes: Mapping[str, str]
    seen: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTS, 0))


@dataclass(slots=True)
class _Case:
    """An open `testcase`; `told` holds its outcome elements as `(element, type, message, text)`."""

    attributes: Mapping[str, str]
    start: int
    told: list[tuple[str, str, str, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """`class.name`, without repeating what the name says already."""
        name, owner = self.attributes.get("name", ""), self.attributes.get("classname", "")
        return name if not owner or name.startswith(owner) else f"{owner}.{name}"

    @property
    def status(self) -> str:
        """As in SPANS: error before skipped before retried before ok."""
        elements = {element for element, *_ in self.told}
        if elements & _FAILED:
            return "error"
        words = {self.attributes.get(k, "").lower() for k in ("status", "result")}
        if "skipped" in elements or words & _NOT_RUN:
            return "skipped"
        return "retried" if elements & _FLAKY else "ok"


class _Report:
    """Follows the parser's calls; offsets are those of expat, bytes of the document."""

    def __init__(self, draft: Draft, path: str) -> None:
        self.draft = draft
        self._path = path
        self._suites: list[_Suite] = []
        self._case: _Case | None = None
        self._open: list[tuple[str, int]] = []
        self._attributes: Mapping[str, str] = {}
        self._text: list[str] = []
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.EntityDeclHandler = self._refuse
        self._parser.ExternalEntityRefHandler = self._refuse

    def parse(self) -> None:
        """Reads as far as the document is sound; the rest becomes one problem."""
        data = self.draft.data
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            cut = error.code in (expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS], _UNCLOSED, _PARTIAL)
            why = expat.ErrorString(error.code)
            self._stop("xml_truncated" if cut else "xml_malformed", why, self._parser.ErrorByteIndex, error.lineno)
        except _RefusedError as error:
            self._stop("xml_refused", str(error), self._parser.CurrentByteIndex, self._parser.CurrentLineNumber)

    def _stop(self, code: str, why: str, at: int, line: int) -> None:
        """What was open is told as far as it goes; what was not read is set aside."""
        size = len(self.draft.data)
        at = min(max(at, 0), size)
        if self._case is not None and at > self._case.start:
            self._tell_case(self._case, at, "open")
        for suite in reversed(self._suites):
            self._tell_suite(suite)
        message = f"{why}; the rest is not read"
        self.draft.problems.append(
            Problem(code, "warning", message, self._path, None, at, size - at, line, quarantined_bytes=size - at)
        )

    # --- the parser's calls -----------------------------------------------------------------------

    def _refuse(self, *_: object) -> NoReturn:
        raise _RefusedError("the document declares or uses entities of its own, which no test report needs")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        at = self._parser.CurrentByteIndex
        if len(self._open) >= MAX_DEPTH:
            raise _RefusedError(f"elements are nested deeper than {MAX_DEPTH}")
        self._open.append((name, at))
        self._text = []
        if name == "testsuite":
            self._suites.append(_Suite(attributes.get("name", ""), at, self._tag_end(at), attributes))
        elif name == "testcase" and self._case is None:
            self._case = _Case(attributes, at)
        elif name in _FAILED | _AGAIN | {"skipped"}:
            self._attributes = attributes

    def _characters(self, text: str) -> None:
        if sum(map(len, self._text[-4:])) < MAX_TEXT_CHARS and len(self._text) < MAX_TEXT_CHARS:
            self._text.append(text)

    def _end(self, name: str) -> None:
        _, start = self._open.pop()
        at = self._parser.CurrentByteIndex
        # for `<a/>` expat calls the end behind the tag, for `</a>` before it
        empty = self.draft.data[at - 2 : at] == b"/>" and self._tag_end(start) == at
        end = at if empty else self._tag_end(at)
        case = self._case
        if name == "testcase" and case is not None and start == case.start:
            self._case = None
            self._tell_case(case, end, case.status)
        elif name == "testsuite":
            self._tell_suite(self._suites.pop())
        elif case is not None and name in _FAILED | _AGAIN | {"skipped"}:
            a = self._attributes
            case.told.append((name, a.get("type", ""), a.get("message", ""), self._kept_text()))
        elif case is None and name in _OUTPUT and self._kept_text().strip():
            stream = "stderr" if name == "system-err" else "stdout"
            self.draft.record(Place(start, end - start), "log", self._kept_text().strip(), stream=stream)
        self._text = []

    def _kept_text(self) -> str:
        return "".join(self._text)[:MAX_TEXT_CHARS]

    def _tag_end(self, at: int) -> int:
        """Offset after the tag that begins at `at`."""
        quote = 0
        data = self.draft.data
        for place in range(at, len(data)):
            byte = data[place]
            if quote:
                quote = 0 if byte == quote else quote
            elif byte in b"\"'":
                quote = byte
            elif byte == 0x3E:
                return place + 1
        return len(data)

    # --- facts ------------------------------------------------------------------------------------

    def _tell_case(self, case: _Case, end: int, status: str) -> None:
        place = Place(case.start, end - case.start)
        seconds = _seconds(case.attributes.get("time"))
        for around in self._suites:
            _count(around.seen, case, status)
        failed = status == "error"
        kind = "error.test" if failed else "warning.test" if status == "retried" else "log.test"
        first = next((t for t in case.told if t[0] in (_FAILED if failed else _AGAIN)), None)
        why = _headline(first) if first else ""
        suite = self._suites[-1] if self._suites else None
        word = {"error": "failed", "ok": "passed"}.get(status, status)
        self.draft.record(
            place,
            kind,
            f"test {case.name} {word}" + (f": {why}" if why else ""),
            details=[part for _, _, message, text in case.told for part in (message, text.strip()) if part],
            fields={
                "test": case.name,
                "outcome": status,
                "error_name": (first[1] if first else "") or None,
                "file": case.attributes.get("file"),
                "at_line": number_of(case.attributes.get("line")),
                "reruns": sum(t[0] in _AGAIN for t in case.told) or None,
            },
            level="error" if failed else None,
            duration_us=_micros(seconds),
        )
        self.draft.span(
            place,
            f"test-{case.start}",
            case.name,
            kind="test",
            status=status,
            error=why or None,
            parent_span_id=f"suite-{suite.start}" if suite else "tests",
            attributes={"seconds": seconds, "suite": suite.name if suite else None},
        )

    def _tell_suite(self, suite: _Suite) -> None:
        place = Place(suite.start, suite.tag_end - suite.start)
        stated = {k: number_of(suite.attributes.get(k)) for k in _COUNTS}
        begin = instant(suite.attributes.get("timestamp"))
        wrong = {k: f"{v} stated, {suite.seen[k]} found" for k, v in stated.items() if v not in (None, suite.seen[k])}
        nothing = not any(suite.seen.values())
        self.draft.record(
            place,
            "log.test_suite",
            f"test suite {suite.name or 'without name'}",
            begin,
            fields={**stated, "host": suite.attributes.get("hostname"), "differs": wrong or None},
            duration_us=_micros(_seconds(suite.attributes.get("time"))),
        )
        if wrong and not nothing:
            text = "; ".join(f"{k}: {v}" for k, v in wrong.items())
            self.draft.problems.append(
                Problem("junit_counts_differ", "info", text, self._path, None, place.start, place.length)
            )
        self._suite_span(suite, place, begin, bool(suite.seen["failures"] + suite.seen["errors"]))

    def _suite_span(self, suite: _Suite, place: Place, begin: Instant, failed: bool) -> None:
        seconds = _seconds(suite.attributes.get("time"))
        start = begin[0] if begin != NOWHEN else None
        self.draft.span(
            place,
            f"suite-{suite.start}",
            suite.name or "tests",
            kind="other",
            parent_span_id="tests",
            start=start,
            end=start + timedelta(seconds=seconds) if start is not None and seconds is not None else None,
            status="error" if failed else "ok",
        )


_UNCLOSED = expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN]
_PARTIAL = expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR]


def _count(seen: dict[str, int], case: _Case, status: str) -> None:
    seen["tests"] += 1
    if status == "skipped":
        seen["skipped"] += 1
    elif status == "error":
        seen["errors" if any(t[0] == "error" for t in case.told) else "failures"] += 1


def _headline(told: tuple[str, str, str, str]) -> str:
    _, kind, message, text = told
    line = (message.strip() or text.strip()).split("\n")[0].strip()
    return (line if not kind or kind in line else f"{kind}: {line}".removesuffix(": "))[:400]


def _seconds(value: str | None) -> float | None:
    """Seconds as attributes write them, thousands separators included; null for anything that is no duration."""
    try:
        seconds = float(value.replace(",", "")) if value else None
    except ValueError:
        return None
    return seconds if seconds is not None and 0 <= seconds < 1e9 else None


def _micros(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1_000_000)
