"""Builds that are killed, and builds that meet: the case is the old one or the new one, and nothing is lost."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.commands import SAMPLES, Built, build, command, perturbed, runcase

import runcase as api
from runcase import pipeline, settings
from runcase.ledger.store import Case
from runcase.ledger.sums import verify
from runcase.model.problems import RENEWED

TEXT = "2026-03-1{0}T10:00:00Z INFO start\n2026-03-1{0}T10:00:09Z ERROR part {0} broke\nProcess exited with code 2\n"


def night(folder: Path, number: int) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"app{number}.log"
    path.write_text(TEXT.format(number))
    return path


def all_ended(group: int) -> bool:
    """Whether no process of a group is left, waited for."""
    deadline = time.monotonic() + 50
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def run_ids(case: Path) -> set[str]:
    return set(api.open(case).runs.collect()["run_id"])


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the logs of two nights, the case after the first as `old` and after both as `new`."""
    root = tmp_path_factory.mktemp("nights")
    build(root / "old", night(root, 1))
    shutil.copytree(root / "old", root / "new")
    build(root / "new", night(root, 2))
    return root


@pytest.mark.parametrize(
    ("moment", "left"),
    [
        ("rename:.staging-", "old"),
        ("rename:analysis", "old"),
        ("rename:.analysis-new", "old"),
        ("replace:.dossier.md", "new"),
        ("replace:.SHA256SUMS", "new"),
        ("replace:.case.json", "new"),
    ],
)
def test_a_killed_build_leaves_a_readable_case_and_the_next_one_completes_it(
    tmp_path: Path, nights: Path, moment: str, left: str
) -> None:
    case = tmp_path / "case"
    shutil.copytree(nights / "old", case)
    words = command("build", nights / "app2.log", "-o", case, "--jobs", 1)
    died = subprocess.run(
        words, env=perturbed(SIGNALLED_BEFORE=f"KILL:{moment}"), start_new_session=True, capture_output=True
    )
    assert died.returncode == -signal.SIGKILL
    assert run_ids(case) == run_ids(nights / left)
    assert set(api.open(case).events.collect()["batch"]) == set(Case.open(nights / left).batches())
    pipeline.build(settings.resolve((str(nights / "app2.log"),), str(case)))
    assert Built(case).tree() == Built(nights / "new").tree()
    assert verify(Case.open(case)) == []


@pytest.mark.parametrize(
    ("moment", "code", "left", "words"),
    [
        ("INT:rename:.staging-", 130, "old", "as it was before"),
        ("TERM:rename:.staging-", 143, "old", "as it was before"),
        ("INT:rename:.analysis-new", 130, "old", "as it was before"),
        ("INT:replace:.SHA256SUMS", 130, "new", RENEWED.removeprefix("the case is ")),
    ],
)
def test_a_build_that_is_stopped_ends_all_its_processes_and_says_what_it_leaves(
    tmp_path: Path, nights: Path, moment: str, code: int, left: str, words: str
) -> None:
    case = tmp_path / "case"
    shutil.copytree(nights / "old", case)
    env = perturbed(SIGNALLED_BEFORE=moment)
    build = subprocess.Popen(
        command("build", nights / "app2.log", "-o", case, "--jobs", 2),
        env=env,
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = build.communicate(timeout=50)[1]  # the pipe ends with the last process that holds it
    assert (build.returncode, said.split("\n")) == (code, ["", f"runcase: stopped; the case is {words}", ""])
    assert all_ended(build.pid)
    assert run_ids(case) == run_ids(nights / left)
    assert not list(case.glob("ledger/.*"))
    pipeline.build(settings.resolve((str(nights / "app2.log"),), str(case)))
    assert Built(case).tree() == Built(nights / "new").tree()


def test_workers_end_with_a_build_that_was_killed(tmp_path: Path) -> None:
    words = command("build", night(tmp_path / "logs", 1), "-o", tmp_path / "case", "--jobs", 2)
    env = perturbed(SIGNALLED_BEFORE="CONT:rename:.staging-")
    build = subprocess.Popen(words, env=env, start_new_session=True, stderr=subprocess.PIPE, text=True)
    while not list((tmp_path / "case").glob("ledger/.staging-*/sources.parquet")):
        assert build.poll() is None
        time.sleep(0.05)
    build.kill()
    build.communicate(timeout=50)
    assert all_ended(build.pid)


def test_a_terminal_is_shown_bytes_rate_and_remaining_time(tmp_path: Path) -> None:
    import pty

    seen, shown = pty.openpty()
    words = command("build", SAMPLES / "render-retry.tar.gz", "-o", tmp_path / "case", "--jobs", 1)
    build = subprocess.Popen(words, stderr=shown, stdout=subprocess.DEVNULL, env={**os.environ, "COLUMNS": "120"})
    os.close(shown)
    told = b""
    with contextlib.suppress(OSError):  # EIO: the last process has closed the terminal
        while part := os.read(seen, 65536):
            told += part
    os.close(seen)
    assert build.wait() == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", told.decode())
    assert re.search(r"reading .*13\.8/13\.8 kB +([\d.]+ kB/s|\?) .*\d:\d\d:\d\d", text)
    assert re.search(r"dossiers .*1 of 1 runs", text)
    assert text.rstrip("\r\n").endswith("\r") or not text.split("\r")[-1].strip()


def test_a_damaged_batch_is_read_again_from_its_inputs(tmp_path: Path, nights: Path) -> None:
    case = tmp_path / "case"
    shutil.copytree(nights / "new", case)
    (batch,) = set(Case.open(case).batches()) - set(Case.open(nights / "old").batches())
    part = case / "ledger" / batch / "sources.parquet"
    part.write_bytes(part.read_bytes()[:-9])
    pipeline.build(settings.resolve((str(nights / "app2.log"),), str(case)))
    assert Built(case).tree() == Built(nights / "new").tree()


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace makes calls fail")
def test_a_ledger_that_the_system_refuses_to_read_stops_the_build(tmp_path: Path, nights: Path) -> None:
    case = tmp_path / "case"
    shutil.copytree(nights / "old", case)
    part = case / "analysis" / "all_sources.parquet"
    failing = ["strace", "-f", "-qq", "-o", str(tmp_path / "trace"), "-P", str(part), "-e", "inject=openat:error=EIO"]
    words = [*failing, *command("build", nights / "app2.log", "-o", case)]
    ended = subprocess.run(words, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr.startswith("runcase: Input/output error")) == (2, True)
    assert Built(case).tree() == Built(nights / "old").tree()


def test_builds_that_meet_in_one_case_land_or_say_that_it_is_busy(tmp_path: Path) -> None:
    case = tmp_path / "case"
    waiting = {n: command("build", night(tmp_path / "logs", n), "-o", case, "--jobs", 1) for n in range(1, 4)}
    while waiting:
        started = {n: subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for n, words in waiting.items()}
        ended = {n: (process.communicate()[1], process.returncode) for n, process in started.items()}
        assert {code for _, code in ended.values()} <= {0, 2}
        assert all("[busy]" in said for said, code in ended.values() if code == 2)
        landed = {n for n, (_, code) in ended.items() if code == 0}
        assert landed
        waiting = {n: words for n, words in waiting.items() if n not in landed}
    assert run_ids(case) == {"app1.log", "app2.log", "app3.log"}
    assert len(list(case.glob("ledger/*/events.parquet"))) == 3
    assert runcase("verify", "-c", case).code == 0
    assert not [p for p in os.listdir(case / "ledger") if p.startswith(".")]
