"""Kills and failing system calls at points of a build: the case is the old or the new one, and a rerun ends.

    python tests/bench/faults.py [--calls rename,fsync,openat,write] [--most 5] [--folder DIR]

Needs strace. A case with one night is built; then a second night is built again and again, each
time with one fault: SIGKILL, ENOSPC or EIO at the N-th call of a kind in any process of the build.
Points are calls that touch the case and nothing else, spread evenly from the first to the last.
After each, the runs must be those of the old case or of the new one, a rerun must end with exactly
the files of an undisturbed build, and `verify` must find nothing. Five points a kind of
call and fault take about six minutes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import runcase
from runcase import pipeline, settings
from runcase.ledger.store import Case
from runcase.ledger.sums import verify
from runcase.model.problems import RuncaseError

FIRST = "2026-03-14T10:00:00Z INFO start\n2026-03-14T10:00:09Z ERROR it broke\nProcess exited with code 2\n"
SECOND = "2026-03-15T10:00:00Z INFO start\n2026-03-15T10:00:09Z ERROR it broke again\nProcess exited with code 3\n"
FAULTS = ("signal=KILL", "error=ENOSPC", "error=EIO")
HANGS_SECONDS = 120
"""A build of a few lines that takes longer hangs, on a busy machine too."""
RUNCASE = (sys.executable, "-c", "from runcase.cli import main; main()")


@dataclass(frozen=True, slots=True)
class Point:
    """One fault: at the N-th `call` of a process."""

    call: str
    fault: str
    number: int

    @property
    def flag(self) -> str:
        return f"inject={self.call}:{self.fault}:when={self.number}"


@dataclass(frozen=True, slots=True)
class Bench:
    """The nights, the case after the first, and what an undisturbed second night makes of it."""

    folder: Path
    old_runs: frozenset[str]
    new_runs: frozenset[str]
    tree: dict[str, str]

    def outcome(self, point: Point) -> str:
        """`old`, `new`, or what is wrong."""
        case = self.folder / "case"
        shutil.rmtree(case, ignore_errors=True)
        shutil.copytree(self.folder / "old", case)
        try:
            strace(["-e", f"trace={point.call}", "-e", point.flag], self.folder)
        except subprocess.TimeoutExpired:
            return f"no end within {HANGS_SECONDS} seconds"
        runs = runs_of(case)
        state = "old" if runs == self.old_runs else "new" if runs == self.new_runs else f"other runs: {sorted(runs)}"
        build(self.folder / "2", case)
        if tree_of(case) != self.tree:
            return "the rerun left other files than an undisturbed build"
        found = verify(Case.open(case))
        return f"verify finds {found[0].code}" if found else state


def build(night: Path, case: Path) -> None:
    """An undisturbed build, in this process, which has loaded everything already."""
    pipeline.build(settings.resolve((str(night),), str(case)))


def strace(flags: list[str], folder: Path) -> str:
    """A second night under strace; what it traced."""
    log = folder / "trace.txt"
    command = ["strace", "-f", "-qq", "-o", str(log), *flags, *RUNCASE, "build", str(folder / "2"), "-o"]
    words = [*command, str(folder / "case"), "--jobs", "1"]
    with subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            process.wait(HANGS_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return log.read_text(errors="replace")


def runs_of(case: Path) -> frozenset[str]:
    try:
        return frozenset(runcase.open(case).runs.collect()["run_id"])
    except RuncaseError:
        return frozenset()


def tree_of(case: Path) -> dict[str, str]:
    files = (p for p in sorted(case.rglob("*")) if p.is_file())
    return {str(p.relative_to(case)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def prepared(folder: Path) -> Bench:
    for night, text in (("1", FIRST), ("2", SECOND)):
        (folder / night).mkdir(parents=True, exist_ok=True)
        (folder / night / f"app{night}.log").write_text(text)
    build(folder / "1", folder / "old")
    shutil.copytree(folder / "old", folder / "new")
    build(folder / "2", folder / "new")
    return Bench(folder, runs_of(folder / "old"), runs_of(folder / "new"), tree_of(folder / "new"))


def points(folder: Path, calls: list[str], most: int) -> Iterator[Point]:
    """Faults at the numbers under which threads touch nothing but the case by a call, at most `most` of them.

    strace counts in each thread. A refused write to a library's own wake-up pipe says nothing of a disk, and stops
    that library for ever.
    """
    for call in calls:
        shutil.rmtree(folder / "case", ignore_errors=True)
        shutil.copytree(folder / "old", folder / "case")
        seen: Counter[str] = Counter()
        numbers: set[int] = set()
        others: set[int] = set()
        for line in strace(["-y", "-e", f"trace={call}"], folder).splitlines():
            if made := re.match(rf"(\d+) +{call}\(", line):
                seen[made[1]] += 1
                (numbers if f"{folder}/case/" in line else others).add(seen[made[1]])
        for number in spread(sorted(numbers - others), most):
            yield from (Point(call, fault, number) for fault in FAULTS)


def spread(numbers: list[int], most: int) -> list[int]:
    """At most `most` of them, the first and the last included."""
    if len(numbers) <= most:
        return numbers
    return [numbers[round(n * (len(numbers) - 1) / (most - 1))] for n in range(most)]


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--calls", default="rename,fsync,openat,write")
    ap.add_argument("--most", type=int, default=5, help="points for each kind of call and fault")
    ap.add_argument("--folder", type=Path)
    o = ap.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        folder = o.folder or Path(tmp)
        bench = prepared(folder)
        tally: Counter[tuple[str, str, str]] = Counter()
        for call in o.calls.split(","):
            for point in points(folder, [call], o.most):
                outcome = bench.outcome(point)
                tally[point.call, point.fault, outcome] += 1
                if outcome not in ("old", "new"):
                    print(f"{point.flag}: {outcome}", flush=True)
            for (made, fault, outcome), n in sorted(tally.items()):
                if made == call:
                    print(f"{call:8} {fault:14} {n:4}  {outcome}", flush=True)
        wrong = sum(n for (_, _, outcome), n in tally.items() if outcome not in ("old", "new"))
        print(f"{sum(tally.values())} points, {wrong} wrong")


if __name__ == "__main__":
    main()
