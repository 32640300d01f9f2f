"""The same evidence gives the same case, whatever surrounds the process that reads it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pytest
from tests.commands import ROOT, SAMPLES, Built, perturbed, runcase

from runcase.ledger.units import GROUP_UNITS

YEARS = 20 * 366 * 86400


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything that may differ between two builds of the same evidence; each number is a level from 0 to 2."""

    jobs: int
    threads: int
    seed: int
    zone: int
    locale: int
    umask: int
    folder: int
    arguments: int
    listing: int
    clock: int

    def environment(self) -> dict[str, str]:
        """Of the build's process."""
        return perturbed(
            POLARS_MAX_THREADS="124"[self.threads],
            PYTHONHASHSEED=("0", "1", "4242")[self.seed],
            TZ=("UTC", "Asia/Kathmandu", "America/St_Johns")[self.zone],
            LC_ALL=("C.UTF-8", "C", "de_DE.ISO-8859-1")[self.locale],
            SHIFTED_CLOCK=(0, -YEARS, YEARS)[self.clock],
            REVERSED_LISTING=("", "", "yes")[self.listing],
        )


USUAL = Surroundings(1, 1, 0, 0, 0, 0, 0, 0, 0, 0)


def matrix() -> list[Surroundings]:
    """27 builds in which any two levels of any two things meet three times: an orthogonal array of strength 2."""
    weights = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 2, 0)]
    weights += [(1, 0, 1), (1, 0, 2), (0, 1, 1), (0, 1, 2), (1, 1, 1)]
    cells = product(range(3), repeat=3)
    return [Surroundings(*(sum(w * c for w, c in zip(ws, cell, strict=True)) % 3 for ws in weights)) for cell in cells]


def inputs(folder: Path, listing: int) -> list[Path]:
    """More files than one batch takes, most of them empty, and an archive; written in different orders."""
    logs = folder / "logs"
    logs.mkdir(parents=True)
    numbers = list(range(GROUP_UNITS + 4))
    for n in numbers[::-1] if listing else numbers:
        level, text = ("ERROR", f"part {n % 3} broke") if n % 20 == 7 else ("INFO", f"part {n}")
        path = logs / f"worker-{n:02}.log"
        said = {"ts": f"2026-03-14T10:00:{n % 50:02}Z", "level": level, "message": text, "run_id": "r-1"}
        path.write_text(json.dumps(said) + "\n" if n % 10 == 7 else "")
        os.utime(path, (1_773_500_000 + n // 7, 1_773_500_000 + n // 7))
    (logs / "undated.log").write_text("Mar 14 10:00:01 host app[1]: started\n03/04/26 11:00 which month\n")
    os.utime(logs / "undated.log", (1_773_500_000, 1_773_500_000))
    archive = folder / "render-retry.tar.gz"
    shutil.copy2(SAMPLES / "render-retry.tar.gz", archive)
    os.utime(archive, (1_773_500_000, 1_773_500_000))
    return [logs, archive]


def built(folder: Path, around: Surroundings) -> Built:
    """The case that comes out; the build sees its inputs by other paths each time."""
    given = inputs(folder, around.listing)
    here = (folder, folder / "logs", ROOT)[around.folder]
    given = [p if around.folder == 2 else Path(os.path.relpath(p, here)) for p in given]
    given = [given, given[::-1], [*given, given[0]]][around.arguments]
    words = ["build", *given, "-o", os.path.relpath(folder / "case", here), "--jobs", 2**around.jobs]
    before = os.umask((0o022, 0o077, 0o000)[around.umask])
    try:
        ended = runcase(*words, cwd=here, env=around.environment())
    finally:
        os.umask(before)
    assert ended.code == 0, ended.err
    return Built(folder / "case")


def test_the_surroundings_are_what_they_are_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").touch()
    code = "import os, sys, datetime; print(datetime.date.today().year, *os.listdir(sys.argv[1]))"
    told = set()
    for listing, clock in ((0, 1), (2, 2)):
        env = replace(USUAL, listing=listing, clock=clock).environment()
        told.add(subprocess.run([sys.executable, "-c", code, tmp_path], env=env, capture_output=True, text=True).stdout)
    (early, one), (late, other) = sorted(t.split(maxsplit=1) for t in told)
    assert int(late) - int(early) in (40, 41)
    assert one.split() == other.split()[::-1]


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The case of a build in its usual surroundings."""
    return built(tmp_path_factory.mktemp("usual"), USUAL).tree()


def test_the_usual_case_has_several_batches_and_both_runs(usual: dict[str, bytes]) -> None:
    assert len({name.split("/")[1] for name in usual if name.startswith("ledger/")}) == 2
    assert {name.split("/")[1] for name in usual if name.startswith("runs/")} >= {"r-1", "run_742"}


@pytest.mark.parametrize("around", matrix(), ids=lambda a: "".join(str(getattr(a, n)) for n in a.__slots__))
def test_the_case_is_the_same_in_any_surroundings(
    tmp_path: Path, usual: dict[str, bytes], around: Surroundings
) -> None:
    case = built(tmp_path, around)
    assert {name: data for name, data in case.tree().items() if data != usual.get(name)} == {}
    assert case.tree().keys() == usual.keys()
    modes = {p.stat().st_mode & 0o777 for p in case.root.rglob("*") if p.is_file()}
    assert modes == {0o666 & ~(0o022, 0o077, 0o000)[around.umask]}
