"""The timeline: nothing invented, nothing unreadable."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.report.page_samples import at, attempts, bare_run, busy_run, failed_run, span

from runcase.report.dossier import Dossier
from runcase.report.fitting import cells, cut_to
from runcase.report.timeline import Timeline, timeline
from runcase.report.timeline_rows import NARROW, Row


def drawn(d: Dossier) -> Timeline:
    found = timeline(d)
    assert found
    return found


def row(d: Dossier, label: str) -> Row:
    return next(r for r in drawn(d).rows if r.label.startswith(label))


def test_an_end_that_was_not_seen_is_drawn_open_to_the_end_of_its_attempt_or_of_the_axis() -> None:
    found = [r for r in drawn(failed_run()).rows if r.label == "writeback"]
    assert [b.opens for r in found for b in r.bars] == ["end", "end", "end"]
    ended = row(failed_run(), "Attempt 1").bars[0]
    assert [round(b.x + b.width, 2) for r in found for b in r.bars] == [round(ended.x + ended.width, 2), 100, 100]


def test_the_gaps_of_an_attempt_share_a_row_and_each_is_drawn_where_it_is() -> None:
    gaps = tuple(span("gap", "gap", 2, at(14 + n), at(14 + n, 20)) for n in range(3))
    found = row(failed_run(gaps=gaps), "gaps ×3")
    assert (len(found.bars), found.note) == (3, "Σ 1m 00s")


def test_stages_without_any_time_have_no_rows_but_are_counted() -> None:
    untimed = tuple(span("stage", f"//app/pages:target_{n}", 2, None, None) for n in range(20))
    found = timeline(failed_run(stages=(span("stage", "test", 2, at(13), at(14)), *untimed)))
    assert found is not None
    assert [r.label for r in found.rows if r.kind == "stage"] == ["test"]
    assert any(note.startswith("20 stages of attempt 2 have no time") for note in found.left_out)


def test_windows_stand_in_the_order_of_a_run_though_the_first_was_not_seen() -> None:
    queue = span("window", "queue", 2, None, at(13), reason="no_run_created")
    boot = span("window", "boot", 2, at(12, 30), at(13, 18))
    found = timeline(failed_run(windows=(queue, boot)))
    assert found is not None
    assert [r.label for r in found.rows if r.kind == "window"] == ["queue", "boot"]


def test_a_long_path_keeps_its_end() -> None:
    long = span("stage", "//company/product/frontend/pages:component_test", 2, at(13), at(14))
    assert row(failed_run(stages=(long,)), "//company").label.endswith(":component_test")


def test_an_absent_window_has_a_row_and_no_bar() -> None:
    absent = span("window", "boot", 2, None, None, reason="no_claim")
    found = row(failed_run(windows=(absent,)), "boot")
    assert (found.bars, found.note) == ((), "not seen")


def test_uncertainty_is_a_soft_edge_on_both_sides_and_is_said() -> None:
    found = [r for r in drawn(failed_run()).rows if r.label == "active"][1]
    assert found.note == "10m 12s ±45s"
    assert found.bars[0].soft > 1


def test_a_failed_attempt_is_marked_at_its_end() -> None:
    first = row(failed_run(), "Attempt 1")
    assert first.failed_at is not None
    assert first.failed_at == first.bars[0].x + first.bars[0].width


def test_the_first_decisive_line_is_marked() -> None:
    found = drawn(failed_run())
    assert found.failed_at is not None
    assert 99 < found.failed_at < 100


def test_a_run_without_times_has_no_picture() -> None:
    assert timeline(bare_run()) is None


def test_three_thousand_spans_share_a_few_rows_and_the_rest_is_counted() -> None:
    found = drawn(busy_run(3000))
    assert len(found.rows) <= 45
    assert found.left_out == ("2995 of 3000 tool calls of attempt 2 share a row or are left out; the table lists them",)
    assert sum(len(r.bars) for r in found.rows) < 1000


def test_an_open_tool_call_keeps_its_own_row_among_thousands() -> None:
    assert any(b.opens == "end" for r in drawn(busy_run(3000)).rows if r.kind == "tool" for b in r.bars)


def test_many_attempts_leave_room_for_the_first_and_the_last() -> None:
    many = tuple(attempts()[0].__class__(**{**_values(attempts()[0]), "attempt": n}) for n in range(1, 41))
    base = failed_run()
    found = drawn(failed_run(run=base.run.__class__(**{**_values(base.run), "attempts": many})))
    heads = [r.label for r in found.rows if r.kind == "head"]
    assert heads[:2] == ["Attempt 1: failed", "Attempt 2: failed"]
    assert heads[-1] == "Attempt 40: failed"
    assert found.left_out[0] == "28 attempts between the first and the last are left out"


def _values(value: object) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}  # type: ignore[attr-defined]


def test_instants_that_are_none_are_not_drawn() -> None:
    found = drawn(failed_run(stages=(span("stage", "x", 2, "yesterday", "<b>"),)))
    assert next(r for r in found.rows if r.label == "x").bars == ()


def test_an_end_before_the_start_is_drawn_as_a_contradiction() -> None:
    found = row(failed_run(stages=(span("stage", "back", 2, at(20), at(15), state="contradictory"),)), "back")
    assert found.bars[0].tone == "contradictory"
    assert found.bars[0].width > 0


@settings(max_examples=80, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=60), st.integers(0, 59), st.integers(0, 59)), min_size=1, max_size=40))
def test_every_bar_lies_on_the_axis_and_no_label_reaches_its_note(spans: list[tuple[str, int, int]]) -> None:
    found = drawn(failed_run(tools=tuple(span("tool", name, 2, at(a), at(b)) for name, a, b in spans)))
    for r in found.rows:
        assert all(b.x >= 0 and b.x + b.width <= 100.01 for b in r.bars)
        assert (cells(r.label) + cells(r.note) + 1) * 6.4 <= NARROW
    assert len({r.y for r in found.rows}) == len(found.rows)


def test_ticks_are_round_and_few() -> None:
    assert [t.label for t in drawn(failed_run()).ticks] == ["0", "+5m 00s", "+10m 00s", "+15m 00s", "+20m 00s"]


def test_wide_characters_count_double_when_a_label_is_cut() -> None:
    assert cut_to("日本語のログ", 7) == "日本語…"
