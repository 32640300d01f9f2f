"""JUnit XML: the run as a suite whose cases are its stages, and a suite of the tests that failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from runcase.model.kinds import FAILED
from runcase.report.build import Reported
from runcase.report.decisive import decisive_lines
from runcase.report.dossier import Dossier, Window
from runcase.report.exports.base import Exported, run_bounds
from runcase.report.outcomes import outcome

MAX_LINES = 60


def junit(one: Reported) -> Exported:
    """`testsuites` with one suite for the run and, where a test tool failed, one for its tests."""
    d = one.dossier
    cases = list(_cases(d))
    suites = [_suite(d.run.job or d.run.run_id, cases, d)]
    loss = ["evidence beyond the decisive lines, artifacts, lineage and the replay plan"]
    if d.tests and d.tests.failed_names:
        failed = [_case(d.tests.tool, name, None, "failure", "test failed", ()) for name in d.tests.failed_names]
        suites.append(_suite(d.tests.tool, failed, d))
    if d.tests and d.tests.run + d.tests.skipped > len(d.tests.failed_names):
        loss.append(
            f"{d.tests.passed} passed and {d.tests.skipped} skipped tests of {d.tests.tool}: no names are known"
        )
    text = "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", *suites, "</testsuites>", ""])
    return Exported(text.encode("utf-8", "backslashreplace"), tuple(loss))


def _attr(text: str) -> str:
    return quoteattr(_xml_text(text), {"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"})


def _suite(name: str, cases: Sequence[str], d: Dossier) -> str:
    failed = sum("<failure" in c for c in cases)
    errors = sum("<error" in c for c in cases)
    skipped = sum("<skipped" in c for c in cases)
    counts = f'tests="{len(cases)}" failures="{failed}" errors="{errors}" skipped="{skipped}"'
    bounds = run_bounds(d)
    time = f' time="{(bounds[1] - bounds[0]) / 1e6:.3f}"' if bounds else ""
    began = d.run.created_at or d.run.first_ts
    stamp = f" timestamp={_attr(began[:19])}" if began else ""
    return "\n".join([f"<testsuite name={_attr(name)} {counts}{time}{stamp}>", *cases, "</testsuite>"])


def _cases(d: Dossier) -> Iterator[str]:
    """The stages of the last attempt, then the run itself, which carries the verdict."""
    last = d.run.attempts[-1].attempt if d.run.attempts else None
    for w in d.stages:
        if w.attempt == last:
            yield _case(d.run.run_id, w.name, w, *_stage(w, d), ())
    lines = decisive_lines(d, MAX_LINES)
    if d.failure and d.run.status in FAILED:
        message = f"{d.failure.failure_class}: {d.failure.blocker.text}"
        yield _case(d.run.run_id, "run", None, "error", message, [*lines, "", *d.next_actions])
    elif d.run.status in (*FAILED, "cancelled"):
        yield _case(d.run.run_id, "run", None, "error", d.run.status, lines)
    else:
        yield _case(d.run.run_id, "run", None, "" if d.run.status == "succeeded" else "skipped", d.run.status, ())


def _stage(w: Window, d: Dossier) -> tuple[str, str]:
    """The element that tells how a stage went (none for one that passed), and its message."""
    if w.state != "closed":
        return "error" if d.run.status in FAILED else "skipped", f"{w.state}: {w.reason or 'no reason known'}"
    ended = outcome(w)
    return {"failed": "failure", "cancelled": "skipped"}.get(ended, ""), w.detail or ""


def _case(suite: str, name: str, window: Window | None, element: str, message: str, body: Sequence[str]) -> str:
    time = f' time="{window.duration_us / 1e6:.3f}"' if window and window.duration_us is not None else ""
    head = f"<testcase classname={_attr(suite)} name={_attr(name)}{time}"
    if not element:
        return f"{head}/>"
    sort = "" if element == "skipped" else f" type={_attr(message.split(':', 1)[0])}"
    text = escape(_xml_text("\n".join(body)))
    return f"{head}><{element} message={_attr(message)}{sort}>{text}</{element}></testcase>"


def _xml_text(text: str) -> str:
    """`text` without what XML 1.0 forbids (section 2.2, Char)."""
    return "".join(
        c if c in "\t\n\r" or "\x20" <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c >= "\U00010000" else "\ufffd"
        for c in text
    )
