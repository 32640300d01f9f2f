"""Folders whose files tell of one run together: a build of Zuul, a sosreport."""

from __future__ import annotations

import json

import pytest
from tests.readers.reading import Read, read
from tests.readers.samples import SAMPLES

_T = "2026-03-14T08:0{}:00Z"
FOLDER = "sosreport-web1-2026-03-14-abcdefg"


def playbook(phase: str, minute: int, failures: int = 0, ignored: bool = False) -> dict[str, object]:
    times = {"start": _T.format(minute), "end": _T.format(minute + 1)}
    result = {
        "failed": bool(failures) or ignored,
        "rc": 2,
        "msg": "non-zero return code",
        "stdout_lines": ["total is 1"],
    }
    if ignored:
        result["ignore_errors"] = True
    tasks = [{"hosts": {"jammy": result}, "task": {"duration": times, "id": f"t{minute}", "name": f"make {phase}"}}]
    plays = [{"play": {"duration": times, "id": f"p{minute}", "name": "all"}, "tasks": tasks}]
    stats = {"jammy": {"ok": 1, "failures": failures, "unreachable": 0, "skipped": 0}}
    return {"phase": phase, "playbook": f"playbooks/{phase}.yaml", "plays": plays, "stats": stats, "trusted": False}


def build(*books: dict[str, object]) -> Read:
    return read({"logs/0a1b2c3/job-output.json": json.dumps(list(books)).encode()})


@pytest.mark.parametrize(
    ("failures", "ignored", "status"), [(0, False, "succeeded"), (1, False, "failed"), (0, True, "succeeded")]
)
def test_a_build_of_zuul_is_told_by_its_playbooks_alone(failures: int, ignored: bool, status: str) -> None:
    seen = build(playbook("pre", 0), playbook("run", 2, failures, ignored), playbook("post", 4))
    assert seen.statuses == {"0a1b2c3": status}
    stages = seen.conclusions.windows.filter(kind="stage")["name"].to_list()
    assert stages == ["playbooks/pre.yaml", "playbooks/run.yaml", "playbooks/post.yaml"]


def test_a_failure_after_the_run_phase_is_none_of_the_job() -> None:
    assert build(playbook("run", 2), playbook("post", 4, failures=1)).statuses == {"0a1b2c3": "succeeded"}


def test_a_task_that_failed_shows_what_it_printed() -> None:
    seen = build(playbook("run", 2, failures=1), playbook("post", 4))
    failed = seen.facts.events.collect().filter(kind="error.task")
    assert failed["message"].to_list() == ["task make run failed on jammy\nnon-zero return code\ntotal is 1"]


def test_a_build_whose_run_playbook_was_killed_has_no_end_by_its_json() -> None:
    assert build(playbook("pre", 0), playbook("post", 4)).statuses["0a1b2c3"] in ("lost", "running")


def test_console_json_and_manifest_of_one_folder_are_one_run() -> None:
    console = (
        "2026-03-14 08:02:00.123456 | RUN START: [untrusted : playbooks/run.yaml@main]\n"
        "2026-03-14 08:02:01.123456 | TASK [make run]\n"
        "2026-03-14 08:02:02.123456 | jammy | ok: 1 changed: 0 unreachable: 0 failed: 0 skipped: 0 rescued: 0 "
        "ignored: 0\n"
        "2026-03-14 08:02:03.123456 | RUN END RESULT_NORMAL: [untrusted : playbooks/run.yaml@main]\n"
        "2026-03-14 08:04:00.123456 | POST-RUN START: [trusted : playbooks/post.yaml@main]\n"
        "2026-03-14 08:04:03.123456 | POST-RUN END RESULT_NORMAL: [trusted : playbooks/post.yaml@main]\n"
    )
    seen = read(
        {
            "logs/0a1b2c3/job-output.txt": console.encode(),
            "logs/0a1b2c3/job-output.json": json.dumps([playbook("run", 2), playbook("post", 4)]).encode(),
            "logs/0a1b2c3/zuul-manifest.json": SAMPLES["zuul_manifest"].data,
        }
    )
    assert seen.statuses == {"0a1b2c3": "succeeded"}
    listed = seen.facts.artifacts.collect().filter(action="listed").sort("artifact_id")
    assert listed.select("artifact_id", "size_bytes").rows() == [("job-output.txt", 7), ("logs/a.log", 9)]


def test_a_sosreport_is_one_run_with_the_logs_of_its_host_in_it() -> None:
    seen = read(
        {
            f"{FOLDER}/var/log/messages": SAMPLES["sosreport_log"].data,
            f"{FOLDER}/sos_commands/logs/journalctl_--no-pager": b"2026-03-14T08:00:02+00:00 web1 sshd[9]: accepted\n",
            f"{FOLDER}/sos_reports/manifest.json": SAMPLES["sosreport_manifest"].data,
            f"{FOLDER}/sos_commands/memory/free": b"total used free\n",
            f"{FOLDER}/etc/hosts": b"127.0.0.1 localhost\n",
        }
    )
    assert seen.statuses == {FOLDER: "succeeded"}
    assert seen.facts.events.collect().filter(kind="warning.timeout")["message"].to_list()
    members = seen.conclusions.members
    assert members["run_id"].unique().to_list() == [FOLDER]
    assert members.height == 5


def test_a_sosreport_without_its_manifest_is_no_success() -> None:
    seen = read({f"{FOLDER}/var/log/messages": SAMPLES["sosreport_log"].data})
    assert seen.statuses[FOLDER] != "succeeded"
