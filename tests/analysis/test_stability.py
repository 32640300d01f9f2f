"""What must not change the conclusions, and what must."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest
from tests.analysis.family import FAMILY, RUN, Files
from tests.simulator.damage import exported
from tests.simulator.knobs import CAUSES, Knobs
from tests.simulator.reading import seen
from tests.simulator.world import simulated

from runcase.ledger.store import _frames
from runcase.model.case import Conclusions


def concluded(files: Files, folder: Path) -> Conclusions:
    return seen(files, folder).found


@pytest.mark.parametrize("name", ["upload_timeout", "bundle_drifted", "worker_seven_minutes_behind"])
def test_the_order_of_the_inputs_changes_no_conclusion(name: str, tmp_path: Path) -> None:
    files = list(FAMILY[name].files().items())
    straight = concluded(dict(files), tmp_path)
    random.Random(1).shuffle(files)
    shuffled = concluded(dict(files), tmp_path)
    for a, b in zip(_frames(straight), _frames(shuffled), strict=True):
        assert a.equals(b)


@pytest.mark.parametrize(
    ("name", "code", "carriers"),
    [
        ("boot_failed", "no_first_work_event", ("worker.log",)),
        ("disk_full", "no_final_artifact", ("worker.log", "manifest.jsonl")),
        ("disk_full", "announced_never_seen", ("worker.log",)),
        ("never_claimed", "no_claim", ("queue.log",)),
    ],
)
def test_without_the_source_that_would_have_carried_it_no_absence_is_proven(
    name: str, code: str, carriers: tuple[str, ...], tmp_path: Path
) -> None:
    files = FAMILY[name].files()
    proven = concluded(files, tmp_path).signals.filter(pl.col("code") == code)
    assert proven["verdict"].to_list() == ["absent_proven"]
    left = {p: d for p, d in files.items() if not p.endswith(carriers)}
    verdicts = concluded(left, tmp_path).signals.filter(pl.col("code") == code)["verdict"].to_list()
    assert "absent_proven" not in verdicts


@pytest.mark.parametrize(
    ("minutes", "told"), [(-7, ("clock_skew", "observed")), (7, ("clock_not_bounded", "not_observable"))]
)
@pytest.mark.parametrize("cause", ["disk_full", "upload_timeout", "success"])
def test_a_host_seven_minutes_off_changes_no_conclusion_and_is_reported(
    cause: str, minutes: int, told: tuple[str, str], tmp_path: Path
) -> None:
    def of(skew: tuple[tuple[str, int], ...]) -> Conclusions:
        knobs = Knobs(CAUSES[cause], sources=3, skew=skew)
        return concluded(exported(simulated(knobs)).files, tmp_path)

    straight, skewed = of(()), of((("worker-1", minutes * 60_000),))
    frame = ("status", "job", "bundle")
    assert skewed.runs.select(frame).equals(straight.runs.select(frame))
    windows = pl.col("kind") == "window"
    shape = ("name", "state", "reason")
    assert skewed.windows.filter(windows).select(shape).equals(straight.windows.filter(windows).select(shape))
    assert skewed.diagnoses.select("class", "confidence").equals(straight.diagnoses.select("class", "confidence"))
    assert skewed.replay.select("start", "reuse", "redo").equals(straight.replay.select("start", "reuse", "redo"))
    known = set(straight.signals.select("code", "verdict").rows())
    assert set(skewed.signals.select("code", "verdict").rows()) == known | {told}


def test_a_failed_run_is_held_against_the_last_good_one_of_its_job(tmp_path: Path) -> None:
    on_that_day = exported(simulated(Knobs(CAUSES["success"], sources=3), "run_741")).files
    good = {path: data.replace(b"2026-05-09", b"2026-05-08") for path, data in on_that_day.items()}
    later = exported(simulated(Knobs(CAUSES["disk_full"], sources=3), RUN)).files
    found = concluded({**good, **later}, tmp_path)
    text = found.signals.filter(pl.col("code") == "differs_from")["text"].to_list()
    assert len(text) == 1
    assert text[0].startswith("last good run run_741: parts at")
