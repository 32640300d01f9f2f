"""Runs of GitHub Actions: archives of several workflow runs, and what the API says beside them."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.commands import build
from tests.readers.reading import Read, read, read_one

_LEG = "test (ubuntu-22.04, 3.12)"


def log(job: str, fails: bool, day: int = 2) -> str:
    lines = (
        "Requested labels: ubuntu-latest",
        "Waiting for a runner to pick up this job...",
        "Job is about to start running on the hosted runner: GitHub Actions 3 (hosted)",
        "Current runner version: '2.316.1'",
        f"Complete job name: {job}",
        "##[group]Run make test",
        "##[endgroup]",
        "cart.c:12: error: total is 1" if fails else "all is well",
        "##[error]Process completed with exit code 2." if fails else "done",
        "Post job cleanup.",
        "Cleaning up orphan processes",
    )
    return "".join(f"2024-05-{day:02}T10:00:{n:02}.1234567Z {line}\r\n" for n, line in enumerate(lines))


def archive(day: int, *failing: str) -> bytes:
    """The archive of a workflow run of two legs and a build."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as z:
        for n, job in enumerate(("build", _LEG, "test (ubuntu-22.04, 3.13)")):
            z.writestr(f"{n}_{job}.txt", "\ufeff" + log(job, job in failing, day))
    return held.getvalue()


def step(name: str, conclusion: str, start: int, end: int) -> dict[str, Any]:
    times = {"started_at": f"2024-05-02T10:00:{start:02}Z", "completed_at": f"2024-05-02T10:00:{end:02}Z"}
    return {"name": name, "status": "completed", "conclusion": conclusion, "number": 1} | times


def job(name: str, conclusion: str | None, **more: Any) -> dict[str, Any]:
    return {
        "run_id": 42,
        "workflow_name": "CI",
        "run_attempt": 1,
        "name": name,
        "status": "completed" if conclusion else "in_progress",
        "conclusion": conclusion,
        "created_at": "2024-05-02T09:59:50Z",
        "started_at": "2024-05-02T10:00:02Z",
        "completed_at": "2024-05-02T10:00:11Z" if conclusion else None,
        "runner_name": "GitHub Actions 3",
        "steps": [step("Run make test", conclusion or "success", 5, 9), step("Upload", "skipped", 9, 9)],
    } | more


def jobs(*given: dict[str, Any]) -> str:
    return json.dumps({"total_count": len(given), "jobs": list(given)}, indent=1)


_RUN = {
    "id": 42,
    "name": "CI",
    "run_number": 7,
    "workflow_id": 9,
    "run_attempt": 1,
    "status": "completed",
    "conclusion": "failure",
    "created_at": "2024-05-02T09:59:40Z",
    "updated_at": "2024-05-02T10:00:12Z",
    "jobs_url": "https://api.github.com/x",
}


def stages(seen: Read, run: str) -> list[tuple[Any, ...]]:
    rows = seen.conclusions.windows.filter(kind="stage", run_id=run).sort("start")
    return rows.select("name", "state", "detail").rows()


def test_two_archives_with_jobs_of_the_same_names_are_runs_apart() -> None:
    seen = read({"logs_1.zip": archive(2, _LEG), "logs_2.zip": archive(3)})
    assert seen.statuses[f"logs_1/{_LEG}"] == "failed"
    assert seen.statuses[f"logs_2/{_LEG}"] == "succeeded"
    assert len(seen.statuses) == 6


def test_a_leg_of_a_matrix_is_a_run_whose_job_has_its_values_and_whose_queue_is_the_wait_for_a_runner() -> None:
    seen = read({"logs.zip": archive(2)})
    runs = seen.conclusions.runs.filter(run_id=_LEG)
    assert runs["job"].to_list() == [_LEG]
    queue = seen.conclusions.windows.filter(run_id=_LEG, name="queue").row(0, named=True)
    assert (queue["state"], queue["duration_us"]) == ("closed", 2_000_000)


def test_the_api_beside_an_archive_tells_of_the_same_runs_and_no_step_twice() -> None:
    document = jobs(job("build", "success"), job(_LEG, "failure"), job("deploy", "skipped", steps=[]))
    seen = read({"42/logs.zip": archive(2, _LEG), "42/jobs.json": document, "42/run.json": json.dumps(_RUN)})
    assert seen.statuses == {
        "42": "failed",
        "42/build": "succeeded",
        f"42/{_LEG}": "failed",
        "42/test (ubuntu-22.04, 3.13)": "succeeded",
    }
    assert stages(seen, f"42/{_LEG}") == [("make test", "closed", "error")]
    build = seen.conclusions.runs.filter(run_id="42/build").row(0, named=True)
    assert build["parent_run_id"] == "42"
    assert build["created_at"].second == 50
    cause = seen.conclusions.diagnoses.filter(run_id=f"42/{_LEG}", rank=0)["text"].item()
    assert "cart.c:12" in cause


def test_a_job_that_the_api_alone_tells_of_has_its_steps_and_its_queue() -> None:
    seen = read_one(jobs(job("build", "timed_out")), "jobs.json")
    assert (seen.run["run_id"], seen.run["status"]) == ("build", "timed_out")
    assert stages(seen, "build") == [("make test", "closed", "timeout")]


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (job("build", None), "running"),
        (job("build", None, status="queued", started_at=None, runner_name=None, steps=[]), "running"),
        (job("build", "cancelled"), "cancelled"),
        (job("build", "startup_failure", steps=[]), "failed"),
    ],
)
def test_a_job_ends_as_its_conclusion_says_and_without_one_it_has_no_end(given: dict[str, Any], status: str) -> None:
    run = read_one(jobs(given), "jobs.json").run
    assert run["status"] == status
    assert (run["finished_at"] is None) == (status == "running")


def test_what_gh_prints_is_a_workflow_run_with_its_jobs_as_stages() -> None:
    inner = {"name": "build", "status": "completed", "conclusion": "failure", "databaseId": 1}
    inner |= {"startedAt": "2024-05-02T10:00:02Z", "completedAt": "2024-05-02T10:00:11Z", "steps": []}
    document = {"attempt": 2, "conclusion": "failure", "createdAt": "2024-05-02T09:59:40Z", "databaseId": 42}
    document |= {"jobs": [inner], "status": "completed", "updatedAt": "2024-05-02T10:00:12Z", "workflowName": "CI"}
    seen = read_one(json.dumps(document), "run.json")
    assert seen.statuses == {"42": "failed", "build": "failed"}
    assert stages(seen, "42") == [("build", "closed", "error")]
    whole = seen.conclusions.diagnoses.filter(pl.col("run_id") == "42", pl.col("rank") == 0)["text"].item()
    assert whole == "workflow run: failure; job build failed"


def folder(at: str) -> dict[str, str]:
    """An extracted archive of two jobs, of which one is there step by step too."""
    lines = log("test", fails=True).splitlines(keepends=True)
    steps = {"1_Set up job.txt": lines[3:5], "2_Run make test.txt": lines[5:9], "3_Complete job.txt": lines[9:]}
    files = {f"{at}/test/{name}": "".join(text) for name, text in steps.items()}
    return files | {f"{at}/0_build.txt": log("build", fails=False), f"{at}/1_test.txt": "".join(lines)}


@pytest.mark.parametrize("at", ["logs_42", "downloads/logs_42", "downloads/may/logs_42"])
def test_a_jobs_own_text_is_told_from_a_step_however_deep_its_archive_was_extracted(at: str) -> None:
    seen = read(folder(at))
    assert seen.statuses == {f"{at}/build": "succeeded", f"{at}/test": "failed"}
    assert seen.conclusions.runs["job"].to_list() == ["build", "test"]


def test_steps_alone_are_still_steps_of_the_job_that_their_folder_names() -> None:
    seen = read({p: t for p, t in folder("downloads/logs_42").items() if "/test/" in p})
    assert list(seen.statuses) == ["downloads/logs_42/test"]


def test_the_folder_of_one_job_given_alone_holds_its_steps() -> None:
    given = {p.removeprefix("logs_42/"): t for p, t in folder("logs_42").items() if "/test/" in p}
    seen = read(given)
    assert seen.statuses == {"test": "failed"}
    assert [name for name, *_ in stages(seen, "test")] == ["Run make test", "Complete job"]


def test_a_folder_of_whole_jobs_holds_no_steps() -> None:
    given = {f"mine/{n}_{name}.txt": log(name, name == "test") for n, name in enumerate(("build", "test"), 1)}
    assert read(given).statuses == {"mine/build": "succeeded", "mine/test": "failed"}


def stripped(job: str, fails: bool) -> str:
    """The text of a job as a page shows it: no stamps, no marks."""
    lines = [line.partition("Z ")[2] for line in log(job, fails).splitlines()]
    plain = [line.removeprefix("##[group]").replace("##[error]", "Error: ") for line in lines]
    return "".join(f"{line}\n" for line in plain if line != "##[endgroup]")


def test_jobs_without_stamps_and_marks_are_told_by_the_phrases_of_the_runner() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as z:
        for n, name in enumerate(("build", _LEG)):
            z.writestr(f"{n}_{name}.txt", stripped(name, name == _LEG))
    assert read({"logs_1.zip": held.getvalue()}).statuses == {"logs_1/build": "succeeded", f"logs_1/{_LEG}": "failed"}


def test_steps_that_are_named_one_by_one_are_the_job_that_their_folder_is(tmp_path: Path) -> None:
    lines = log("unit tests", fails=True).splitlines(keepends=True)
    folder = tmp_path / "unit tests"
    folder.mkdir()
    for name, rows in (("1_Set up job", lines[:5]), ("2_Run make test", lines[5:9]), ("4_Complete job", lines[9:])):
        (folder / f"{name}.txt").write_text("".join(rows))
    named = build(tmp_path / "named", *sorted(folder.iterdir(), reverse=True))
    (dossier,) = named.dossiers().values()
    assert (dossier["run"]["run_id"], dossier["run"]["status"]) == ("unit tests", "failed")
    assert named.tree() == build(tmp_path / "whole", folder).tree()


def test_numbered_texts_that_no_runner_wrote_stay_apart(tmp_path: Path) -> None:
    for name in ("1_cart", "2_mail"):
        (tmp_path / f"{name}.txt").write_text("starting\nERROR: it broke\nProcess exited with code 2\n")
    given = (tmp_path / "1_cart.txt", tmp_path / "2_mail.txt")
    assert set(build(tmp_path / "case", *given).dossiers()) == {"1_cart.txt", "2_mail.txt"}


_SAVED = "Cache hit occurred on the primary key npm-Linux-12ab, not saving cache."


@pytest.mark.parametrize(("said", "status"), [([_SAVED], "succeeded"), (["Cache not found for input keys"], "failed")])
def test_a_step_that_was_allowed_to_fail_fails_no_job_whose_clean_up_is_that_of_one_that_ended_well(
    said: list[str], status: str
) -> None:
    rows = [line.partition("Z ")[2] for line in log("build", fails=True).splitlines()]
    rows[9:9] = ["##[group]Run npm test", "##[endgroup]", "Tests:       3 passed, 3 total"]
    rows[-1:-1] = [*said, "Post job cleanup."]
    text = "".join(f"2024-05-02T10:00:{n:02}.1234567Z {line}\n" for n, line in enumerate(rows))
    assert list(read_one(text, "0_build.txt").statuses.values()) == [status]


def test_the_api_knows_that_a_step_was_allowed_to_fail() -> None:
    seen = read({"42/0_build.txt": log("build", fails=True), "42/jobs.json": jobs(job("build", "success"))})
    assert seen.statuses["42/build"] == "succeeded"


@pytest.mark.parametrize("packed", [True, False])
def test_what_the_service_tells_of_a_job_is_of_its_run_and_no_step(packed: bool, tmp_path: Path) -> None:
    waited = "".join(
        f"2024-05-02T09:59:{n:02}.1234567Z {line}\r\n"
        for n, line in enumerate(("Requested labels: ubuntu-latest", "Waiting for a runner to pick up this job..."))
    )
    files = {f"{_LEG}/1_Set up job.txt": log(_LEG, fails=True), f"{_LEG}/system.txt": waited}
    (tmp_path / "logs_7").mkdir()
    if packed:
        with zipfile.ZipFile(tmp_path / "logs_7" / "logs_7.zip", "w") as z:
            for name, text in files.items():
                z.writestr(name, text)
    else:
        for name, text in files.items():
            (tmp_path / "logs_7" / name).parent.mkdir(exist_ok=True)
            (tmp_path / "logs_7" / name).write_text(text, encoding="utf-8", newline="")
    (dossier,) = build(tmp_path / "case", tmp_path / "logs_7").dossiers().values()
    assert dossier["run"]["job"] == _LEG
    assert "system" not in {s["name"] for s in dossier["stages"]}
    queue = next(w for w in dossier["windows"] if w["name"] == "queue")
    assert (queue["start"], queue["end"]) == ("2024-05-02T09:59:00.123456Z", "2024-05-02T10:00:02.123456Z")


def test_what_the_command_line_prints_of_a_workflow_run_is_a_run_a_job(tmp_path: Path) -> None:
    def printed(job: str, fails: bool) -> str:
        lines = ("\ufeff" + log(job, fails)).splitlines()
        return "".join(f"{job}\tUNKNOWN STEP\t{line}\n" for line in lines)

    (tmp_path / "run.log").write_text(printed("build", fails=False) + printed(_LEG, fails=True), encoding="utf-8")
    found = build(tmp_path / "case", tmp_path / "run.log").dossiers().values()
    runs = {d["run"]["job"]: d for d in found}
    assert {job: d["run"]["status"] for job, d in runs.items()} == {"build": "succeeded", _LEG: "failed"}
    assert runs[_LEG]["failure"]["blocker"]["text"] == "cart.c:12: error: total is 1"
    assert runs[_LEG]["run"]["finished_at"] == "2024-05-02T10:00:10.123456Z"


def test_jobs_of_the_command_line_are_told_apart_where_all_names_are_single_words(tmp_path: Path) -> None:
    def printed(job: str, fails: bool) -> str:
        return "".join(f"{job}\tTest\t{line}\n" for line in log(job, fails).splitlines())

    (tmp_path / "run.log").write_text(printed("build", fails=False) + printed("deploy", fails=True), encoding="utf-8")
    found = build(tmp_path / "case", tmp_path / "run.log").dossiers().values()
    assert {d["run"]["job"]: d["run"]["status"] for d in found} == {"build": "succeeded", "deploy": "failed"}
