"""From raw logs to dossier: what a run claims against what its bytes show, and what is known of what it made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.analysis.family import FAMILY, RUN, Files
from tests.simulator.damage import exported
from tests.simulator.knobs import CAUSES, Knobs
from tests.simulator.reading import seen
from tests.simulator.world import FINAL, simulated

from runcase.report.dossier import Dossier


def run(cause: str, attempts: int = 1) -> Files:
    """The files of a run with three sources."""
    return exported(simulated(Knobs(CAUSES[cause], sources=3, attempts=attempts), RUN)).files


def edited(files: Files, leaf: str, edit: Callable[[str], str]) -> Files:
    """The files, those that end so as `edit` makes them."""
    return {p: edit(d.decode()).encode() if p.endswith(leaf) else d for p, d in files.items()}


def dossier(files: Files, folder: Path) -> Dossier:
    return seen(files, folder).dossier(RUN)


def without(text: str, words: str) -> str:
    return "".join(x for x in text.splitlines(keepends=True) if words not in x)


def _killed_and_zero(text: str) -> str:
    return without(text, "attempt failed").replace("exited with code 1", "exited with code 0")


def _claimed_before_created(text: str) -> str:
    stamp = next(x for x in text.splitlines() if "message claimed" in x).split(" ", 1)[0]
    return text.replace(
        f"{stamp} queue-1 broker[311]: message claimed", stamp[:11] + "07:30:00Z queue-1 broker[311]: message claimed"
    )


def _zombie(text: str) -> str:
    return text + "2026-05-09 08:30:00,000 INFO    [worker-1] pipeline: stage rendering started\n"


CONTRADICTIONS: dict[str, Callable[[], Files]] = {
    "green_but_failed": FAMILY["green_but_failed"].files,
    "exit_zero_after_oom": lambda: edited(run("out_of_memory"), "worker.log", _killed_and_zero),
    "checksum_differs": FAMILY["artifact_spoiled"].files,
    "negative_duration": lambda: edited(run("disk_full"), "queue.log", _claimed_before_created),
    "status_running_after_exit": lambda: run("disk_full"),
    "claimed_status_denied": lambda: edited(
        run("disk_full"), "run.json", lambda t: t.replace('"running"', '"succeeded"')
    ),
    "two_attempts_alive": lambda: edited(run("network", attempts=2), "attempt-1/worker.log", _zombie),
    "input_drifted": FAMILY["bundle_drifted"].files,
}
ROWS_AND_FILES: dict[str, Callable[[], Files]] = {
    "manifest_row_missing": FAMILY["no_manifest_row"].files,
    "artifact_file_missing": FAMILY["artifact_file_gone"].files,
}


@pytest.mark.parametrize("code", CONTRADICTIONS)
def test_a_claim_that_the_bytes_deny_is_a_contradiction_in_the_dossier(code: str, tmp_path: Path) -> None:
    found = [c for c in dossier(CONTRADICTIONS[code](), tmp_path).contradictions if c.code == code]
    assert found
    assert all(c.refs and c.text for c in found)


@pytest.mark.parametrize("code", ["exit_zero_after_oom", "two_attempts_alive", "negative_duration", "green_but_failed"])
def test_a_run_that_claims_no_such_thing_has_no_such_contradiction(code: str, tmp_path: Path) -> None:
    assert code not in [c.code for c in dossier(run("network", attempts=2), tmp_path).contradictions]


@pytest.mark.parametrize("code", ROWS_AND_FILES)
def test_a_row_without_its_file_and_a_file_without_its_row_are_told(code: str, tmp_path: Path) -> None:
    found = [s for s in dossier(ROWS_AND_FILES[code](), tmp_path).signals if s.code == code]
    assert [(s.verdict, FINAL in s.text) for s in found] == [("absent_proven", True)]


def _tombstone(text: str) -> str:
    rows = [json.loads(x) for x in text.splitlines()]
    return "".join(json.dumps(r | ({"status": "expired"} if r["artifact_id"] == FINAL else {})) + "\n" for r in rows)


STATES: dict[str, Callable[[], Files]] = {
    "verified": lambda: run("upload_timeout"),
    "claimed": lambda: {p: d for p, d in run("upload_timeout").items() if "/workspace/" not in p},
    "missing": FAMILY["artifact_file_gone"].files,
    "mismatch": FAMILY["artifact_spoiled"].files,
    "unlisted": FAMILY["no_manifest_row"].files,
    "expired": lambda: edited(FAMILY["artifact_file_gone"].files(), "manifest.jsonl", _tombstone),
}


@pytest.mark.parametrize("state", STATES)
def test_each_state_of_an_artifact_is_reached_from_files(state: str, tmp_path: Path) -> None:
    final = next(a for a in dossier(STATES[state](), tmp_path).artifacts if a.artifact_id == FINAL)
    assert final.state == state
    assert final.refs


@pytest.mark.parametrize(
    ("state", "blocker"),
    [("missing", "artifact_missing"), ("mismatch", "artifact_partial"), ("expired", "payload_expired")],
)
def test_an_artifact_in_such_a_state_is_not_reused_and_blocks_a_later_start(
    state: str, blocker: str, tmp_path: Path
) -> None:
    plan = dossier(STATES[state](), tmp_path).replay
    assert plan is not None
    assert FINAL not in plan.reuse
    assert blocker in [b.code for b in plan.blockers]
