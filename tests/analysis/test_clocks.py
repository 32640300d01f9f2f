"""Clocks that stand apart: what causal order proves of them, and what a dossier may then say."""

from __future__ import annotations

import re
import tarfile
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulator.damage import exported
from tests.simulator.judge import complaints
from tests.simulator.knobs import drawn
from tests.simulator.reading import seen
from tests.simulator.world import simulated

from runcase.analysis.clock_solver import Edge, Hints, solve
from runcase.model.case import Conclusions

SAMPLE = Path(__file__).parents[2] / "samples" / "render-retry.tar.gz"
HOSTS = {"queue-1": ("/queue.log",), "worker-3": ("attempt-1/",), "worker-7": ("attempt-2/",)}
"""Host of the sample -> ends or parts of the paths that it stamped."""

STAMP = re.compile(rb"(?m)^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)")
NO_HINTS = Hints({}, {})

Positions = dict[str, int]


# --- the solver -----------------------------------------------------------------------------------


@st.composite
def possible(draw: st.DrawFn) -> tuple[Positions, list[Edge]]:
    """Clocks that are off by something, and true constraints between some of them."""
    names = [f"c{n}" for n in range(draw(st.integers(2, 7)))]
    true = {n: draw(st.integers(-500, 500)) for n in names}
    pairs = draw(st.lists(st.sampled_from([p for p in product(names, names) if p[0] != p[1]]), unique=True))
    return true, [Edge(a, b, true[b] - true[a] - draw(st.integers(0, 300)), (f"{a}{b}",)) for a, b in pairs]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(possible())
def test_what_is_possible_is_solved_within_bounds_that_hold_the_truth(given: tuple[Positions, list[Edge]]) -> None:
    true, edges = given
    offsets, impossible = solve(edges, NO_HINTS)
    assert not impossible
    at = {o.clock: o.by_us for o in offsets}
    assert [e for e in edges if at.get(e.late, 0) - at.get(e.early, 0) < e.bound] == []
    for o in offsets:
        off = true[o.clock] - true[o.reference]
        assert o.lo_us is None or o.lo_us <= min(off, o.by_us)
        assert o.hi_us is None or o.hi_us >= max(off, o.by_us)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(possible(), st.integers(1, 5), st.integers(2, 4))
def test_a_circle_that_demands_more_than_nothing_is_told_and_none_of_its_clocks_is_moved(
    given: tuple[Positions, list[Edge]], more: int, size: int
) -> None:
    circle = [f"x{n}" for n in range(size)]
    bounds = [more if n == 0 else 0 for n in range(size)]
    around = [Edge(a, b, n, (a,)) for a, b, n in zip(circle, [*circle[1:], circle[0]], bounds, strict=True)]
    offsets, impossible = solve([*given[1], *around, Edge("c0", "x0", -(10**9), ("tie",))], NO_HINTS)
    assert [set(i.clocks) for i in impossible] == [set(circle)]
    assert set(impossible[0].refs) == set(circle)
    assert set(circle).isdisjoint(o.clock for o in offsets)


def test_the_clock_that_all_others_contradict_is_the_one_that_is_off() -> None:
    edges = [Edge("queue", w, 418, (w,)) for w in ("w1", "w2", "w3")] + [Edge("w1", "w2", -5, ("t",))]
    offsets, _ = solve(edges, Hints({}, {n: n for n in ("queue", "w1", "w2", "w3")}))
    assert [(o.clock, o.by_us) for o in offsets] == [("queue", -418)]


def test_an_output_says_nothing_of_which_of_two_hosts_is_right() -> None:
    asked = Edge("queue", "worker", 400, ("claimed",))
    printed_late = Edge("worker", "output", 5, ("begun",))
    ended_early = Edge("output", "worker", 380, ("exit",))
    places = Hints({}, {"queue": "run", "worker": "run/attempt"})
    for moved, edges in (({"worker", "output"}, [asked, printed_late]), ({"worker"}, [asked, ended_early])):
        offsets, _ = solve(edges, places)
        assert {o.clock for o in offsets} == moved
        assert {o.reference for o in offsets} == {"queue"}


# --- the story ------------------------------------------------------------------------------------


def _shifted(data: bytes, minutes: int) -> bytes:
    def later(m: re.Match[bytes]) -> bytes:
        text = m[1].decode()
        moved = datetime.fromisoformat(text) + timedelta(minutes=minutes)
        return moved.isoformat(sep=text[10]).encode()

    return STAMP.sub(later, data)


@cache
def story(host: str, minutes: int, folder: Path) -> Conclusions:
    with tarfile.open(SAMPLE) as archive:
        files = {m.name: archive.extractfile(m).read() for m in archive if m.isfile()}  # type: ignore[union-attr]
    mine = HOSTS[host]
    moved = {p: _shifted(d, minutes) if any(x in f"/{p}" for x in mine) else d for p, d in files.items()}
    return seen(moved, folder).found


def _shape(found: Conclusions) -> list[object]:
    """What a skew must not change."""
    windows = found.windows.filter(pl.col("kind") == "window")
    return [
        found.runs.select("status", "job", "bundle").rows(),
        found.attempts["status"].to_list(),
        windows.select("attempt", "name", "state", "reason").rows(),
        found.diagnoses.select("rank", "class", "confidence").rows(),
        found.states.select("artifact_id", "state").rows(),
        found.replay.select("start", "reuse", "redo", "not_redo").rows(),
    ]


@pytest.mark.parametrize("minutes", [7, -7])
@pytest.mark.parametrize("host", HOSTS)
def test_each_host_of_the_story_seven_minutes_off_leaves_the_conclusions_and_is_reported(
    host: str, minutes: int, tmp_path: Path
) -> None:
    straight, skewed = story("queue-1", 0, tmp_path), story(host, minutes, tmp_path)
    shapes = [_shape(f) for f in (straight, skewed)]
    assert shapes[0] == shapes[1]
    codes = [set(f.signals.select("code", "verdict").rows()) for f in (straight, skewed)]
    clocks = {("clock_skew", "observed"), ("clock_not_bounded", "not_observable")}
    assert codes[1] - codes[0] <= clocks
    assert codes[1] - codes[0]
    assert codes[0] <= codes[1]


def test_a_clock_that_is_bounded_from_both_sides_gives_durations_their_uncertainty(tmp_path: Path) -> None:
    found = story("worker-7", 7, tmp_path)
    text = found.signals.filter(pl.col("code") == "clock_skew")["text"].item()
    assert text == (
        "the clock of attempt-2/worker.log stands 361.4 to 421.4 s ahead of that of run_742/queue.log; "
        "its times were corrected by 361.4 s"
    )
    boot = found.windows.filter((pl.col("name") == "boot") & (pl.col("attempt") == 2)).row(0, named=True)
    assert (boot["duration_us"], boot["uncertainty_us"]) == (75_600_000, 60_000_000)
    active = found.windows.filter((pl.col("name") == "active") & (pl.col("attempt") == 2)).row(0, named=True)
    assert (active["duration_us"], active["uncertainty_us"]) == (688_000_000, 0)


def test_a_duration_that_rests_on_a_clock_bounded_from_one_side_is_at_least_that_long(tmp_path: Path) -> None:
    found = story("worker-3", -7, tmp_path)
    boot = found.windows.filter((pl.col("name") == "boot") & (pl.col("attempt") == 1)).row(0, named=True)
    assert (boot["state"], boot["uncertainty_us"]) == ("closed", None)
    assert boot["detail"].startswith("at least this long")


@pytest.mark.parametrize(("minutes", "side"), [(7, "ahead of"), (-7, "behind")])
def test_a_stdout_whose_clock_is_off_is_told_within_limits_that_hold_the_truth(
    minutes: int, side: str, tmp_path: Path
) -> None:
    knobs = replace(drawn(5), skew=(("agent", minutes * 60_000),), loss=0.0, dropped=(), cut=None)
    found = seen(exported(simulated(knobs), 5).files, tmp_path).found
    texts = found.signals.filter((pl.col("code") == "clock_skew") & pl.col("text").str.contains("stdout"))["text"]
    assert texts.len() > 0
    for text in texts:
        told = re.search(r"stands (?:at least )?([\d.]+)(?: to ([\d.]+))? s (ahead of|behind)", text)
        assert told is not None
        assert told[3] == side
        assert float(told[1]) <= 420 <= float(told[2] or 420)


@pytest.mark.parametrize("minutes", [7, -7])
@pytest.mark.parametrize(("host", "seed"), [("queue-1", 3), ("worker-1", 5), ("worker-1", 8), ("agent", 5)])
def test_of_random_runs_one_host_seven_minutes_off_leaves_the_judgement(
    host: str, seed: int, minutes: int, tmp_path: Path
) -> None:
    knobs = replace(drawn(seed), skew=((host, minutes * 60_000),), loss=0.0, dropped=(), cut=None)
    world = simulated(knobs)
    left = exported(world, seed)
    assert complaints(world, left, seen(left.files, tmp_path).found) == []
