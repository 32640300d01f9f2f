"""Builds whose inputs are read by a Dask cluster, and inputs on other storage."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import fsspec
import pytest
from tests.commands import Built, build, command, runcase
from tests.storage import objects

from runcase import pipeline, settings
from runcase.ledger.units import GROUP_UNITS
from runcase.model.problems import RuncaseError

pytest.importorskip("distributed")

Found = TypeVar("Found")


def logs(folder: Path) -> Path:
    """Files for three batches, of one run."""
    folder.mkdir()
    for n in range(2 * GROUP_UNITS + 5):
        said = {"ts": f"2026-03-14T10:00:{n % 50:02}Z", "level": "info", "message": f"part {n}", "run_id": "r-1"}
        path = folder / f"worker-{n:03}.log"
        path.write_text(json.dumps(said) + "\n")
        os.utime(path, (1_773_500_000, 1_773_500_000))
    return folder


def awaited(look: Callable[[], Found | None]) -> Found:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.01)
    raise TimeoutError


def dask(part: str, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.dask_{part}", *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler's address, and three worker processes that have reported to it."""
    told = tmp_path / "scheduler.json"
    plain = ["--scheduler-file", str(told), "--no-dashboard"]
    alone = ["--no-nanny", "--nthreads", "1", "--local-directory", str(tmp_path / "scratch")]
    started = [dask("scheduler", "--host", "127.0.0.1", "--port", "0", *plain)]
    started += [dask("worker", *alone, *plain) for _ in range(3)]
    try:
        address = awaited(lambda: told.exists() and told.stat().st_size and json.loads(told.read_bytes())["address"])
        yield address, started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()


def writing(case: Path) -> int | None:
    """The parent of a process that is writing a batch."""
    for staging in case.glob("ledger/.staging-*-*-*"):
        writer = int(staging.name.split("-")[2])
        try:
            status = Path(f"/proc/{writer}/status").read_text()
        except FileNotFoundError:
            continue
        return int(status.split("PPid:")[1].split()[0])
    return None


def test_a_cluster_of_which_a_worker_is_killed_writes_the_same_case(
    tmp_path: Path, workers: tuple[str, list[subprocess.Popen[bytes]]]
) -> None:
    given = logs(tmp_path / "logs")
    alone = build(tmp_path / "alone", given)
    address, processes = workers
    words = command("build", given, "-o", tmp_path / "case", "--scheduler", address)
    running = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    struck = awaited(lambda: writing(tmp_path / "case"))
    os.kill(struck, signal.SIGKILL)
    said = running.communicate(timeout=200)[1]
    assert (running.returncode, said) == (0, "")
    assert struck in {p.pid for p in processes}
    assert sum(p.poll() is not None for p in processes) == 1
    assert Built(tmp_path / "case").tree() == alone.tree()
    assert not list((tmp_path / "case").glob("ledger/.*"))
    assert runcase("verify", "-c", tmp_path / "case").code == 0


def test_an_address_where_nobody_answers_is_told_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.log").write_text("one\n")
    monkeypatch.setattr("runcase.ledger.cluster.CONNECT_SECONDS", 1)
    asked = settings.resolve((str(tmp_path / "a.log"),), str(tmp_path / "case"), scheduler="tcp://127.0.0.1:9")
    with pytest.raises(RuncaseError) as e:
        pipeline.build(asked)
    assert e.value.code == "no_cluster"


def test_a_cluster_fills_the_working_folder_of_a_case_on_other_storage(
    tmp_path: Path, workers: tuple[str, list[subprocess.Popen[bytes]]]
) -> None:
    given = logs(tmp_path / "logs")
    for path in given.iterdir():
        os.utime(path, (0, 0))
    fsspec.filesystem("memory").put(str(given), "/cluster/", recursive=True)
    pipeline.build(settings.resolve((str(given),), str(tmp_path / "alone")))
    pipeline.build(settings.resolve(("memory://cluster/logs",), "memory://cluster/case", scheduler=workers[0]))
    assert objects("memory://cluster/case") == Built(tmp_path / "alone").tree()


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("one\n")
    wrong = runcase("build", tmp_path / "a.log", "-o", tmp_path / "case", "--scheduler", "elsewhere")
    assert (wrong.code, "[bad_value]" in wrong.err) == (2, True)
    assert [p.name for p in tmp_path.iterdir()] == ["a.log"]


def test_objects_on_other_storage_are_read_like_files_without_a_time(tmp_path: Path) -> None:
    files = logs(tmp_path / "logs")
    for path in files.iterdir():
        os.utime(path, (0, 0))
    storage = fsspec.filesystem("memory")
    storage.put(str(files), "/bucket/", recursive=True)
    pipeline.build(settings.resolve((str(files),), str(tmp_path / "local")))
    pipeline.build(settings.resolve(("memory://bucket/logs",), str(tmp_path / "remote")))
    assert Built(tmp_path / "remote").tree() == Built(tmp_path / "local").tree()


def test_an_object_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuncaseError) as e:
        pipeline.build(settings.resolve(("memory://bucket/nothing",), str(tmp_path / "case")))
    assert (e.value.code, "memory://bucket/nothing" in e.value.message) == ("missing_path", True)
    assert not (tmp_path / "case" / "case.json").exists()
