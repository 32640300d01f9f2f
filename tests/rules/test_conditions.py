from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from tests.rules.packs import loaded

from runcase.lab.scenarios import outcome
from runcase.model.case import Conclusions

HEAD = r"""
identity:
  - {id: run, pattern: '\brun=(?P<run_id>\w+)'}
  - {id: attempt, pattern: '\battempt=(?P<attempt>\d+)'}
events:
"""
EVENTS = {
    "upload.started": r"upload (?P<what>\w+) began",
    "upload.finished": r"upload (?P<what>\w+) ended",
    "heartbeat": r"\bbeat\b",
    "log": r"\bon host (?P<host>\w+) in (?P<stage>\w+)",
}
HEAD += "".join(
    f"  - {{id: {kind.replace('.', '-')}, kind: {kind}, match: '{pattern}', examples: {{match: x, no_match: y}}}}\n"
    for kind, pattern in EVENTS.items()
)
BEGAN, ENDED = "00:00 upload a began", "00:01 upload a ended"


def made(folder: Path, body: str, **files: list[str]) -> Conclusions:
    """Conclusions of logs whose lines are `MM:SS text` of one hour."""
    texts = {
        f"{n}.log": "".join(f"2026-03-14T13:{line[:5]}Z {line[6:]} run=r1\n" for line in ls) for n, ls in files.items()
    }
    return outcome(texts, [loaded(folder, HEAD + body)])[1]


def signals(folder: Path, expect: str, **files: list[str]) -> dict[str, tuple[str, str, str]]:
    found = made(folder, f"expect:\n  - {{id: e, code: due, text: it was due, {expect}}}\n", **files).signals
    rows = found.filter(pl.col("code").str.starts_with("due"))
    return {r["code"]: (r["verdict"], r["text"], r["searched"]) for r in rows.iter_rows(named=True)}


def holds(folder: Path, when: str, *lines: str) -> bool:
    body = f"failures:\n  - {{id: f, class: crash.test, priority: 999, when: {when}}}\n"
    found = made(folder, body, app=list(lines)).diagnoses
    return bool(found.filter(pl.col("class") == "crash.test").height)


ANSWERED = "after: {kind: upload.started}, event: {kind: upload.finished}, within: 60s, by: what"


def test_an_answer_that_never_came_is_proven_absent_where_the_log_goes_on(tmp_path: Path) -> None:
    lines = ["00:00 upload a began", "00:01 upload b began", "00:09 upload b ended", "05:00 later"]
    assert signals(tmp_path, ANSWERED, app=lines) == {"due": ("absent_proven", "it was due", "searched app.log")}


def test_an_answer_is_not_observable_where_the_log_ends_before_it_was_due(tmp_path: Path) -> None:
    verdict, _, searched = signals(tmp_path, ANSWERED, app=["00:00 upload a began", "00:09 working"])["due"]
    assert (verdict, searched) == ("not_observable", "searched app.log, which does not reach beyond that instant")


def test_an_answer_that_came_late_is_unmet_and_one_in_time_is_observed(tmp_path: Path) -> None:
    met = ANSWERED + ", met: each upload was answered"
    late = ["00:00 upload a began", "02:00 upload a ended"]
    assert signals(tmp_path, met, app=late)["due"][0] == "absent_proven"
    in_time = signals(tmp_path, met, app=["00:00 upload a began", "00:50 upload a ended"])
    assert in_time == {"due.met": ("observed", "each upload was answered", "the events that it cites")}


def test_each_event_that_was_not_answered_counts(tmp_path: Path) -> None:
    lines = ["00:00 upload a began", "00:01 upload b began", "05:00 later"]
    assert signals(tmp_path, ANSWERED, app=lines)["due"][1] == "it was due (2 times)"


def test_what_is_due_at_all_needs_a_source_that_would_carry_it(tmp_path: Path) -> None:
    lines = ["00:00 upload a began"]
    assert signals(tmp_path, "event: {kind: exit}", app=lines)["due"][::2] == (
        "not_observable",
        "no source of the run carries such events",
    )
    assert signals(tmp_path, "event: {kind: exit}, carrier: app.log", app=lines)["due"][0] == "absent_proven"


def test_an_event_that_is_due_inside_a_window(tmp_path: Path) -> None:
    window = (
        "windows:\n  - {name: up, start: {kind: upload.started}, end: {kind: upload.finished}, "
        "start_absent: no_begin, end_absent: no_end}\n"
    )
    body = window + "expect:\n  - {id: e, code: due, text: it was due, window: up, event: {kind: heartbeat}}\n"
    outside = ["00:00 upload a began", "00:09 upload a ended", "00:10 beat"]
    inside = ["00:00 upload a began", "00:05 beat", "00:09 upload a ended"]
    for lines, wanted in ((outside, ["absent_proven"]), (inside, [])):
        found = made(tmp_path, body, app=lines).signals.filter(pl.col("code") == "due")
        assert found["verdict"].to_list() == wanted


SILENT = "event: {kind: heartbeat}, silent: 2m"


def test_silence_counts_only_while_another_source_is_alive(tmp_path: Path) -> None:
    beats = ["00:00 beat", "01:00 beat", "06:00 beat"]
    assert signals(tmp_path, SILENT, app=beats) == {}
    told = signals(tmp_path, SILENT, app=beats, other=["03:00 on host a in b"])
    assert told == {"due": ("absent_proven", "it was due (300 s)", "searched app.log")}


def test_silence_after_the_last_event_is_not_observable_where_its_source_ends(tmp_path: Path) -> None:
    told = signals(tmp_path, SILENT, app=["00:00 beat", "01:00 beat"], other=["05:00 on host a in b", "09:00 x"])
    assert told["due"][0] == "not_observable"


@pytest.mark.parametrize(
    ("when", "lines", "wanted"),
    [
        (
            "{sequence: [{kind: upload.started}, {kind: upload.finished}]}",
            ["00:00 upload a began", "00:01 upload a ended"],
            True,
        ),
        (
            "{sequence: [{kind: upload.finished}, {kind: upload.started}]}",
            ["00:00 upload a began", "00:01 upload a ended"],
            False,
        ),
        (
            "{sequence: [{kind: upload.started}, {kind: upload.finished}], by: what}",
            ["00:00 upload a began", "00:01 upload b ended"],
            False,
        ),
        (
            "{sequence: [{kind: upload.started}, {kind: heartbeat}, {kind: upload.finished}], within: 10s}",
            ["00:00 upload a began", "00:05 upload a began", "00:08 beat", "00:12 upload a ended"],
            True,
        ),
        (
            "{sequence: [{kind: upload.started}, {kind: heartbeat}, {kind: upload.finished}], within: 5s}",
            ["00:00 upload a began", "00:05 upload a began", "00:08 beat", "00:12 upload a ended"],
            False,
        ),
        ("{count: {event: {kind: heartbeat}, is: '>=2'}}", ["00:00 beat", "00:01 beat"], True),
        ("{count: {event: {kind: heartbeat}, is: '=0'}}", ["00:00 upload a began"], True),
        (
            "{count: {event: {kind: upload.started}, value: what, is: '>=2'}}",
            ["00:00 upload a began", "00:01 upload a began"],
            False,
        ),
        (
            "{compare: {value: host, events: [{stage: extract}, {stage: render}], is: different}}",
            ["00:00 on host a in extract", "00:01 on host b in render"],
            True,
        ),
        (
            "{compare: {value: host, events: [{stage: extract}, {stage: render}], is: same}}",
            ["00:00 on host a in extract", "00:01 on host b in render"],
            False,
        ),
        (
            "{compare: {value: host, events: [{kind: log, attempt: earlier}, {kind: log}], is: same}}",
            ["00:00 attempt=1 on host a in b", "00:01 attempt=2 on host a in b"],
            True,
        ),
    ],
)
def test_conditions_over_the_events_of_a_run(tmp_path: Path, when: str, lines: list[str], wanted: bool) -> None:
    assert holds(tmp_path, when, *lines, "09:00 Process exited with code 1") is wanted


def test_durations_are_read_with_their_units() -> None:
    from runcase.rules.spelled_values import duration
    from runcase.rules.units import duration_us

    said = {"31.8s": 31.8, "00:12:33": 753, "1m 3s": 63, "250 ms": 0.25, "PT1M3S": 63, "2 days": 172_800, "12": 12}
    for text, seconds in said.items():
        assert pl.select(duration_us(pl.lit(text))).item() == round(seconds * 1_000_000)
    for text in ("5 mounts", "fast", "", "1:xx"):
        assert pl.select(duration_us(pl.lit(text))).item() is None
    assert duration("1h 30m") == timedelta(minutes=90)
