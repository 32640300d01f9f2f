"""The missing-data paths that operators hit at 2 AM: each is a signal with a stable code, never a blank."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from tests.analysis.family import FAMILY, Files
from tests.factory import Row, artifact, event, facts, source, span
from tests.simulator.reading import seen

from runcase.analysis.conclude import conclude
from runcase.model.case import Facts
from runcase.report.build import dossiers
from runcase.report.dossier import Dossier
from runcase.rules.pack import load_packs

PACKS = load_packs(["generic", "document-pipeline"])
CITED = f"{PACKS[1].cite('run-created')}"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"

QUEUE, WORKER, STDOUT = "a" * 12, "b" * 12, "c" * 12
SOURCES = [
    source(QUEUE, "run_1/queue.log"),
    source(WORKER, "run_1/worker.log"),
    source(STDOUT, "run_1/stdout.log"),
]


def of_run(rows: Sequence[Row]) -> list[Row]:
    return [{"run_id": "run_1", "attempt": 1, "rule": CITED} | r for r in rows]


CREATED = event("run.created", "13:00:00", QUEUE)
CLAIMED = event("attempt.claimed", "13:00:30", QUEUE)
READY = event("workspace.ready", "13:00:40", WORKER)
WORK = event("stage.started", "13:00:41", WORKER, stage="preprocessing")
FINAL = event("artifact.written", "13:05:00", WORKER, stage="validation", fields={"role": "final"}, artifacts=["a1"])
SPOKE = event("log", "13:00:41", STDOUT, stream="stdout", message="hello")
FAILED = event("run.finished", "13:06:00", WORKER, fields={"status": "failed"})
LATER = event("log", "13:30:00", QUEUE, message="depth=0 oldest=- consumers=8")


def the_dossier(given: Facts) -> Dossier:
    found = [r.dossier for r in dossiers(given, conclude(given, PACKS), lambda _: None)]
    assert len(found) == 1
    return found[0]


def codes(dossier: Dossier) -> dict[str, str]:
    return {s.code: s.verdict for s in (*dossier.signals, *dossier.contradictions)}


def window_reasons(dossier: Dossier) -> dict[str, str | None]:
    return {w.name: w.reason for w in dossier.windows if w.kind == "window"}


def test_a_run_without_any_stdout_says_so() -> None:
    dossier = the_dossier(facts(of_run([CREATED, CLAIMED, READY, WORK, FINAL, FAILED, LATER]), SOURCES[:2]))
    assert codes(dossier)["no_first_stdout"] == "not_observable"


def test_a_claimed_attempt_that_never_worked_has_no_first_work_event() -> None:
    dossier = the_dossier(facts(of_run([CREATED, CLAIMED, SPOKE, LATER]), SOURCES))
    assert codes(dossier)["no_first_work_event"] == "not_observable"
    assert window_reasons(dossier)["boot"] == "no_workspace_ready"
    assert dossier.run.started_at is None


def test_a_run_that_worked_and_wrote_no_final_artifact_says_so() -> None:
    dossier = the_dossier(facts(of_run([CREATED, CLAIMED, READY, WORK, SPOKE, FAILED, LATER]), SOURCES))
    assert codes(dossier)["no_final_artifact"] == "not_observable"
    assert window_reasons(dossier)["active"] == "no_final_artifact"


def test_a_run_that_failed_before_any_worker_claimed_it_leaves_the_queue_window_open() -> None:
    gone = event("run.finished", "13:20:00", QUEUE, fields={"status": "failed"})
    dossier = the_dossier(facts(of_run([CREATED, gone, LATER]), SOURCES[:1]))
    assert codes(dossier)["no_claim"] == "absent_proven"
    queue = next(w for w in dossier.windows if w.name == "queue")
    assert (queue.state, queue.reason, queue.duration_us) == ("open", "no_claim", None)
    assert dossier.failure is not None


def test_an_artifact_that_the_manifest_does_not_list_is_told() -> None:
    claims = [
        artifact("a0", "listed", "manifest", run_id="run_1", attempt=1, byte_start=0),
        artifact("a1", "written", WORKER, run_id="run_1", attempt=1, byte_start=400, role="final"),
    ]
    listed = event("log.manifest_row", None, "manifest", artifacts=["a0"])
    held = [*SOURCES, source("manifest", "run_1/manifest.jsonl", reader="manifest")]
    events = of_run([CREATED, CLAIMED, READY, WORK, SPOKE, FINAL, FAILED, listed])
    dossier = the_dossier(facts(events, held, claims))
    assert codes(dossier)["manifest_row_missing"] == "absent_proven"
    assert next(a.state for a in dossier.artifacts if a.artifact_id == "a1") == "unlisted"


def test_a_trace_id_without_spans_is_told() -> None:
    traced = [r | {"trace_id": TRACE} for r in of_run([CREATED, CLAIMED, READY, WORK, SPOKE, FINAL, FAILED])]
    dossier = the_dossier(facts(traced, SOURCES))
    assert codes(dossier)["trace_without_spans"] == "not_observable"


def test_spans_that_name_no_run_are_told() -> None:
    lonely = span("render", "13:00:00", "13:01:00", "trace", trace_id=TRACE)
    given = facts(of_run([CREATED, CLAIMED, READY, WORK, SPOKE, FINAL, FAILED]), SOURCES, spans=[lonely])
    conclusions = conclude(given, PACKS)
    told = conclusions.signals.filter(pl.col("code") == "spans_without_run")
    assert told["verdict"].to_list() == ["observed"]


CARRIERS = {
    "the status row itself": ("run.json",),
    "the manifest": ("manifest.jsonl",),
    "the archive, which holds other files of its folder": (".pages", ".pdf"),
    "the rest of the source, beyond the end of the attempt": ("worker.log",),
}
"""What was searched, where it is not told by the names of sources -> ends of the paths that would have carried it."""


def _carriers(searched: str) -> tuple[str, ...]:
    return CARRIERS.get(searched) or tuple(searched.removeprefix("searched ").split(", "))


def _proven(files: Files, folder: Path) -> set[tuple[str, str]]:
    """Code of each absence that is proven, and what was searched."""
    signals = seen(files, folder).found.signals
    proven = signals.filter((pl.col("family") == "absence") & (pl.col("verdict") == "absent_proven"))
    return set(proven.select("code", "searched").iter_rows())


@pytest.mark.parametrize("name", FAMILY)
def test_an_absence_is_proven_only_while_a_source_that_would_have_carried_the_event_is_there(
    name: str, tmp_path: Path
) -> None:
    files = FAMILY[name].files()
    proven = _proven(files, tmp_path)
    while proven:
        code, searched = min(proven)
        left = {p: d for p, d in files.items() if not p.endswith(_carriers(searched))}
        assert len(left) < len(files), f"{code}: {searched}"
        files, proven = left, _proven(left, tmp_path)
        assert (code, searched) not in proven
