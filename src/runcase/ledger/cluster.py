"""The groups of `ingest` as tasks of a Dask cluster that shares a file system with this machine.

A task writes its group in a process of its own, into a staging folder of the ledger.
No task makes a batch visible: this process does, so that what a lost worker
left behind, or finishes late, is never seen.
"""

from __future__ import annotations

import logging
import os
import pickle
import platform
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

from runcase.ledger.batch_writer import give_place
from runcase.ledger.ingest import IngestPlan, Progress, place_portions, write_carefully, write_group
from runcase.ledger.serving import one_thread
from runcase.ledger.units import Group, Unit, largest_first
from runcase.model.problems import RuncaseError
from runcase.rules.compile import compile_packs

CONNECT_SECONDS = 20
_LENGTH_BYTES = 8
_SHARED = "the case, or for one at a URL the folder that TMPDIR names, must lie on storage that all machines share"
_DECIDING = ("runcase", "polars", "pyarrow")
"""Distributions that decide over the bytes of a ledger."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a task is asked: a group, and what must be the same where it runs."""

    group: Group
    plan: bytes
    ledger: Path
    versions: tuple[str, ...]
    carefully: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a task leaves: the name of a staging folder; or why it refused."""

    staging: str = ""
    refused: str = ""


def ingest_on(address: str, groups: Sequence[Group], plan: IngestPlan, ledger: Path, progress: Progress) -> None:
    """Writes one batch a group into `ledger` by the workers of a cluster.

    Raises:
        RuncaseError: `missing_extra`, `no_cluster`, `cluster_failed`.
    """
    try:
        dask: Any = import_module("distributed")
    except ModuleNotFoundError as e:
        raise RuncaseError("missing_extra", "--scheduler needs Dask", "pip install 'runcase[dask]'") from e
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = dask.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as e:
        raise RuncaseError("no_cluster", f"no Dask scheduler answers at {address}", "check the address") from e
    packed = pickle.dumps(plan)
    ledger = ledger.resolve()
    with client:
        jobs = {client.submit(answer, Job(g, packed, ledger, versions()), pure=False): g for g in largest_first(groups)}
        done = 0
        written: dict[str, Path] = {}
        for task in dask.as_completed(jobs, loop=client.loop):
            try:
                found: Answer = task.result()
            except Exception as e:  # whatever a cluster fails by: a lost scheduler, workers that died one after another
                raise RuncaseError("cluster_failed", f"the cluster gave up: {type(e).__name__}: {e}") from e
            group = jobs[task]
            staging = _written(found, ledger)
            if not group.is_portion:
                give_place(staging, ledger / group.batch)
            else:
                written[group.batch] = staging
            done += group.size_bytes
            progress(done)
        place_portions(written, ledger)


def _written(found: Answer, ledger: Path) -> Path:
    """The folder that an answer names."""
    if found.refused:
        raise RuncaseError("cluster_failed", found.refused)
    staging = ledger / found.staging
    if not staging.is_dir():
        message = f"{ledger} is not what the workers see under this name: they left no {found.staging}"
        raise RuncaseError("cluster_failed", message, _SHARED)
    return staging


def versions() -> tuple[str, ...]:
    """What decides over the bytes of a ledger, beside its inputs."""
    python = ".".join(platform.python_version_tuple()[:2])
    return (f"python {python}", *(f"{name} {version(name)}" for name in _DECIDING))


# --- on a worker ----------------------------------------------------------------------------------


def answer(job: Job) -> Answer:
    """Writes the group of a job; in a second try unit by unit, when a decoder took the process down."""
    if (why := _refusal(job)) is not None:
        return Answer(refused=why)
    found = _in_a_process(job) or _in_a_process(replace(job, carefully=True))
    return found or Answer(refused=f"a worker could not write the batch {job.group.batch}; its log says why")


def _refusal(job: Job) -> str | None:
    """Why this machine cannot do a job as the machine of the build would."""
    pairs = zip(versions(), job.versions, strict=True)
    if others := [f"{mine} in place of {asked}" for mine, asked in pairs if mine != asked]:
        return f"a worker has {', '.join(others)}"
    unseen = [str(u.path) for u in job.group.units if not _seen(u)]
    if not job.ledger.is_dir():
        unseen.append(str(job.ledger))
    return f"a worker does not see {unseen[0]} as this machine does: inputs and case must be shared" if unseen else None


def _seen(unit: Unit) -> bool:
    """Whether an input is there, as large as it was when it was digested."""
    if unit.path.is_file() and not unit.path.is_symlink():
        return unit.path.stat().st_size == unit.size_bytes
    return os.path.lexists(unit.path)


def _in_a_process(job: Job) -> Answer | None:
    """The answer of a process that ends with this one; None when it died."""
    data = pickle.dumps(job)
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
            process.stdin.flush()
        except BrokenPipeError:
            return None
        said = process.stdout.read()
    return Answer(staging=said.decode()) if process.returncode == 0 and said else None


def main() -> None:
    """The process of one job: reads it from standard input, and says which staging folder it filled."""
    source: BinaryIO = sys.stdin.buffer
    job: Job = pickle.loads(source.read(int.from_bytes(source.read(_LENGTH_BYTES), "big")))
    threading.Thread(target=_end_with, args=(source.fileno(),), daemon=True).start()
    plan: IngestPlan = pickle.loads(job.plan)
    one_thread()
    if job.carefully:
        staging = write_carefully(job.group, plan, job.ledger, placed=False)
    else:
        staging = write_group(job.group, plan, compile_packs(plan.packs), job.ledger, placed=False)
    sys.stdout.write(staging.name)


def _end_with(pipe: int) -> None:
    """Ends this process when the other end of a pipe is closed: its parent has died."""
    os.read(pipe, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
