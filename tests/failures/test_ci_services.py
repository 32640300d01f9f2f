"""CI services whose runs are told by several files, or by no word on how they ended."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runcase import pipeline, settings

_T0 = 1_714_644_000
_JUNIT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites><testsuite name="cart" tests="3" failures="1" skipped="1">
<testcase classname="cart.CartTest" name="adds twice"><failure message="1 is not 2">cart_test.go:14</failure></testcase>
<testcase classname="cart.CartTest" name="adds once"/>
<testcase classname="cart.CartTest" name="slow"><skipped/></testcase>
</testsuite></testsuites>
"""


Runs = dict[str, dict[str, Any]]
_ID = "17860000000000000"
_RESULTS: dict[str, dict[str, Any] | None] = {
    f"{_ID}01": {"passed": True, "result": "SUCCESS"},
    f"{_ID}02": {"passed": False, "result": "FAILURE"},
    f"{_ID}03": {"passed": False, "result": "ABORTED"},
    f"{_ID}04": {"passed": False},
    f"{_ID}05": None,
    f"{_ID}06": {"passed": False, "result": "FAILURE"},
}
_CUT = f"{_ID}06"
"""The build whose finished.json is truncated."""


def prow(build: str, result: dict[str, Any] | None) -> dict[str, str]:
    folder = f"logs/ci-unit/{build}"
    files = {
        f"{folder}/started.json": json.dumps({"timestamp": _T0, "node": "node-7", "repos": {"acme/shop": "main"}}),
        f"{folder}/build-log.txt": _FAILING if result and not result["passed"] and build != _CUT else _PLAIN,
        f"{folder}/artifacts/junit_01.xml": _JUNIT.replace("cart.CartTest", f"cart{build}"),
    }
    if result is not None:
        end = json.dumps({"timestamp": _T0 + 60} | result)
        files[f"{folder}/finished.json"] = end[:-10] if build == _CUT else end
    return files


_PLAIN = "+ make test\nok acme/shop/mail\n"
_FAILING = f"{_PLAIN}--- FAIL: TestAddTwice (0.00s)\n    cart_test.go:14: 1 is not 2\nFAIL\n"


def zuul(recap: str, end: str = "RESULT_NORMAL", post: bool = True) -> str:
    lines = [
        "Running Ansible setup...",
        "PRE-RUN START: [trusted : opendev.org/base-jobs/playbooks/base/pre.yaml@master]",
        "TASK [Setup log path fact]",
        "ubuntu-jammy | ok",
        "PLAY RECAP",
        "ubuntu-jammy | ok: 2 changed: 0 unreachable: 0 failed: 0 skipped: 0 rescued: 0 ignored: 0",
        "PRE-RUN END RESULT_NORMAL: [trusted : opendev.org/base-jobs/playbooks/base/pre.yaml@master]",
        "RUN START: [untrusted : opendev.org/zuul-jobs/playbooks/tox/run.yaml@master]",
        "TASK [tox : Run tox]",
        "ubuntu-jammy | FAILED tests/test_cart.py::test_add - assert 1 == 2",
        "PLAY RECAP",
        f"ubuntu-jammy | {recap}",
        f"RUN END {end}: [untrusted : opendev.org/zuul-jobs/playbooks/tox/run.yaml@master]",
    ]
    if post:
        lines += [
            "POST-RUN START: [trusted : opendev.org/base-jobs/playbooks/base/post.yaml@master]",
            "TASK [fetch-output : Collect logs]",
            "ubuntu-jammy | ok: 9 changed: 2 unreachable: 0 failed: 0 skipped: 1 rescued: 0 ignored: 0",
            "POST-RUN END RESULT_NORMAL: [trusted : opendev.org/base-jobs/playbooks/base/post.yaml@master]",
        ]
    return "".join(f"2024-05-02 10:00:{n:02}.123456 | {line}\n" for n, line in enumerate(lines))


_GOOD = "ok: 3 changed: 1 unreachable: 0 failed: 0 skipped: 0 rescued: 0 ignored: 0"
_BAD = "ok: 2 changed: 1 unreachable: 0 failed: 1 skipped: 0 rescued: 0 ignored: 0"


_ZUUL = {
    "good": zuul(_GOOD),
    "bad": zuul(_BAD),
    "late": zuul(_GOOD, "RESULT_TIMED_OUT"),
    "cut": zuul(_GOOD, post=False),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """All builds of both services in one case; Zuul's by the name of their file."""
    root = tmp_path_factory.mktemp("services")
    files = {f"zuul/{name}.txt": text for name, text in _ZUUL.items()}
    for build, result in _RESULTS.items():
        files |= prow(build, result)
    for name, text in files.items():
        (root / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "in" / name).write_text(text, encoding="utf-8")
    pipeline.build(settings.resolve((str(root / "in"),), str(root / "case"), jobs=2))
    found = [json.loads(p.read_bytes()) for p in sorted(root.glob("case/runs/*/dossier.json"))]
    return {d["run"]["run_id"].rpartition("/")[2].removesuffix(".txt"): d for d in found}


def test_each_build_is_one_run(runs: Runs) -> None:
    assert set(runs) == {*_RESULTS, *_ZUUL}


@pytest.mark.parametrize(
    ("build", "status"), list(zip(_RESULTS, ("succeeded", "failed", "cancelled", "failed"), strict=False))
)
def test_the_folder_of_a_prow_job_has_the_result_that_it_states(runs: Runs, build: str, status: str) -> None:
    run = runs[build]["run"]
    assert (run["job"], run["status"]) == ("ci-unit", status)
    assert run["claimed_at"] == "2024-05-02T10:00:00.000000Z"


@pytest.mark.parametrize("build", [f"{_ID}05", _CUT])
def test_a_prow_job_whose_end_is_missing_or_cut_has_no_end(runs: Runs, build: str) -> None:
    assert runs[build]["run"]["status"] in ("lost", "running")


def test_a_truncated_finished_json_is_a_located_problem(runs: Runs) -> None:
    damage = [d for d in runs[_CUT]["evidence_damage"] if d["path"].endswith("finished.json")]
    assert [d["code"] for d in damage] == ["json_truncated"]


def test_test_reports_beside_a_run_are_its_results(runs: Runs) -> None:
    tests = runs[f"{_ID}02"]["tests"]
    assert (tests["run"], tests["failed"], tests["skipped"]) == (2, 1, 1)
    assert tests["failed_names"] == [f"cart{_ID}02.adds twice"]


@pytest.mark.parametrize(
    ("name", "status"), [("good", "succeeded"), ("bad", "failed"), ("late", "timed_out"), ("cut", "lost")]
)
def test_the_end_of_a_zuul_build_follows_from_its_recaps(runs: Runs, name: str, status: str) -> None:
    assert runs[name]["run"]["status"] == status
    assert any("tox/run.yaml" in s["name"] for s in runs[name]["stages"])
