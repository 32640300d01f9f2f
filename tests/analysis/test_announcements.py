"""Announced, never seen; and what an absence is worth once the source that would have carried it is gone."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pytest
from tests.analysis.family import FAMILY, Files
from tests.factory import Row, event, facts, source, span
from tests.simulator.reading import seen

from runcase.analysis.conclude import conclude
from runcase.model.case import Conclusions

CODE = "announced_never_seen"

SNAKEMAKE = """Building DAG of jobs...
Job stats:
job      count
total        5

[Sat Mar 14 08:00:00 2026]
rule align:
    input: a.fq
    output: a.bam
    jobid: 1

[Sat Mar 14 08:00:00 2026]
rule align:
    input: b.fq
    output: b.bam
    jobid: 2

[Sat Mar 14 08:00:09 2026]
Finished job 1.
1 of 5 steps (20%) done
[Sat Mar 14 08:00:19 2026]
Error in rule align:
    jobid: 2
    output: b.bam

Exiting because a job execution failed. Look above for error message
"""


def found(files: dict[str, str], folder: Path) -> Conclusions:
    return seen({p: t.encode() for p, t in files.items()}, folder).found


def announced(conclusions: Conclusions) -> list[tuple[str, str]]:
    rows = conclusions.signals.filter(pl.col("code") == CODE)
    return [(v, t) for v, t in rows.select("verdict", "text").iter_rows()]


# --- Snakemake ------------------------------------------------------------------------------------


def test_steps_and_outputs_that_snakemake_announces_and_does_not_make(tmp_path: Path) -> None:
    seen = found({"x.snakemake.log": SNAKEMAKE}, tmp_path)
    assert announced(seen) == [
        ("absent_proven", "`1 of 5 steps (20%) done` was the last of 5; 4 never came"),
        ("absent_proven", "b.bam was announced, and never made"),
    ]
    assert dict(seen.states.select("artifact_id", "state").iter_rows())["a.bam"] == "claimed"


def test_jobs_of_which_none_was_done_are_announced_by_their_total(tmp_path: Path) -> None:
    nothing = SNAKEMAKE.replace("1 of 5 steps (20%) done\n", "")
    assert ("absent_proven", "`total        5` announced 5, and none of them came") in announced(
        found({"x.snakemake.log": nothing}, tmp_path)
    )


def test_jobs_of_one_rule_that_overlap_are_one_stage_that_ends_with_the_last_of_them(tmp_path: Path) -> None:
    stages = found({"x.snakemake.log": SNAKEMAKE}, tmp_path).windows.filter(pl.col("kind") == "stage")
    assert stages.select("name", "state", "duration_us", "detail").rows() == [("align", "closed", 19_000_000, "error")]


# --- Bazel ----------------------------------------------------------------------------------------


def bazel(last: bool) -> str:
    target = {"targetCompleted": {"label": "//a:b"}}
    lines = [
        {
            "id": {"started": {}},
            "children": [{"progress": {"opaqueCount": 0}}, target, {"buildFinished": {}}],
            "started": {
                "uuid": "u-1",
                "startTimeMillis": "1773475200000",
                "command": "build",
                "optionsDescription": "",
            },
        },
        {"id": {"progress": {"opaqueCount": 0}}, "progress": {}},
        {
            "id": {"buildFinished": {}},
            "finished": {"exitCode": {"name": "BUILD_FAILURE", "code": 1}, "finishTimeMillis": "1773475260000"},
            **({"lastMessage": True} if last else {}),
        },
    ]
    return "".join(json.dumps(x) + "\n" for x in lines)


@pytest.mark.parametrize(("last", "verdict"), [(True, "absent_proven"), (False, "not_observable")])
def test_a_child_that_bazel_announced_is_proven_missing_only_in_a_stream_with_its_last_message(
    last: bool, verdict: str, tmp_path: Path
) -> None:
    assert announced(found({"bep.json": bazel(last)}, tmp_path)) == [
        (verdict, "targetCompleted //a:b was announced, and never came")
    ]


# --- plans and queues -----------------------------------------------------------------------------

R: Row = {"run_id": "r1", "attempt": 1}


def test_a_node_of_the_dag_that_was_never_submitted_and_a_task_that_was_scheduled_and_never_began() -> None:
    events = [
        event("run.created", "10:00:00", "state", **R),
        event("log.dag_job", None, "dag", **R, stage="one", fields={"announces": "one"}),
        event("log.dag_job", None, "dag", **R, stage="two", fields={"announces": "two"}),
        event("stage.started", "10:00:01", "state", **R, stage="one"),
        event("stage.finished", "10:00:05", "state", **R, stage="one", fields={"status": "failed"}),
        event("run.finished", "10:00:06", "state", **R, fields={"status": "failed"}),
    ]
    waits = [span("three", "10:00:02", None, "state", kind="queue", status="open", **R)]
    sources = [source("state", "jobstate.log", last_ts="10:00:06", events=5), source("dag", "w.dag")]
    assert announced(conclude(facts(events, sources, spans=waits), ())) == [
        ("absent_proven", "three was scheduled, and never began"),
        ("absent_proven", "two was announced, and never began"),
    ]


# --- what an absence rests on ---------------------------------------------------------------------


def _carriers(files: Files, conclusions: Conclusions, paths: dict[str, str], row: dict[str, object]) -> set[str]:
    """Paths of the sources that an absence was searched in: by name, or the one that it cites."""
    searched = str(row["searched"])
    named = {p for p in files if p.rsplit("/", 1)[-1] in searched}
    if "manifest" in searched:
        named |= {p for p in files if p.endswith("manifest.jsonl")}
    if "rest of the source" in searched:
        named |= {paths[str(r).split(":")[0]] for r in row["refs"]}  # type: ignore[attr-defined]
    if "status row" in searched:
        named |= {p for p in files if p.endswith(("run.json", "worker.log"))}
    if "folder" in searched:
        named |= {p for p in files if "/workspace/" in p}
    return named


PROVEN = [
    ("boot_failed", "no_first_work_event"),
    ("disk_full", "announced_never_seen"),
    ("disk_full", "no_final_artifact"),
    ("never_claimed", "no_claim"),
    ("upload_timeout", "no_status_writeback"),
    ("no_manifest_row", "manifest_row_missing"),
    ("artifact_file_gone", "artifact_file_missing"),
    ("lost_worker", "no_final_artifact"),
]


@pytest.mark.parametrize("way", ["removed", "cut"])
@pytest.mark.parametrize(("name", "code"), PROVEN)
def test_what_is_proven_absent_is_not_observable_without_the_source_that_would_have_carried_it(
    name: str, code: str, way: str, tmp_path: Path
) -> None:
    files = FAMILY[name].files()
    whole = seen(files, tmp_path)
    rows = whole.found.signals.filter((pl.col("code") == code) & (pl.col("verdict") == "absent_proven"))
    assert not rows.is_empty()
    paths: dict[str, str] = dict(whole.facts.sources.collect().select("source_id", "path").iter_rows())
    carriers = set().union(*(_carriers(files, whole.found, paths, r) for r in rows.iter_rows(named=True)))
    assert carriers
    if way == "removed":
        left = {p: d for p, d in files.items() if p not in carriers}
    else:
        left = {(f"{p}.gz" if p in carriers else p): (_cut(p, d) if p in carriers else d) for p, d in files.items()}
    after = seen(left, tmp_path).found.signals.filter(pl.col("code") == code)
    assert "absent_proven" not in after["verdict"].to_list()


def _cut(path: str, data: bytes) -> bytes:
    """A stream without its end; of a record its half."""
    whole = data[: len(data) // 2] if path.endswith("run.json") else data
    return gzip.compress(whole, mtime=0, compresslevel=0)[:-8]
