"""A simulated year: night after night into one case, and what each costs.

    python tests/bench/nightly.py FOLDER [--nights 300] [--runs 100] [--jobs 1]

Builds in this process, which has loaded everything once. Times are those of the processor, of
this process and its workers. Every seventh night brings a second attempt of a run of
the night before. Prints a line each tenth of the year, then the cost of the
first, median and last night, the ratio of the last tenth to the first, and what listing all runs takes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from statistics import mean, median

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.report.nightly import night

from runcase import finished, pipeline, settings


def spent() -> float:
    """Seconds of processor time of this process and of those that it waited for."""
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system


def fails(number: int) -> int | None:
    """The error of a run, of which one in five fails."""
    return (number // 5) % 3 if number % 5 == 0 else None


def one_night(folder: Path, case: Path, day: int, runs: int, jobs: int) -> float:
    """Builds a night into the case; its cost in seconds."""
    logs = night(folder, day, runs, fails)
    if day % 7 == 6:
        before = sorted((folder / f"night-{day - 1}").iterdir())[0]
        (logs / f"again-{before.name}").write_text(before.read_text().replace("T02:", "T22:"))
    begun = spent()
    pipeline.build(settings.resolve((str(logs),), str(case), jobs=jobs))
    if day:
        shutil.rmtree(folder / f"night-{day - 1}")
    return spent() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--nights", type=int, default=300)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    case = asked.folder / "case"
    one_night(asked.folder / "warm", asked.folder / "warm-case", 0, 2, asked.jobs)
    costs: list[float] = []
    tenth = max(1, asked.nights // 10)
    for day in range(asked.nights):
        costs.append(one_night(asked.folder, case, day, asked.runs, asked.jobs))
        if (day + 1) % tenth == 0:
            print(f"nights {day + 2 - tenth:3} to {day + 1:3}: {mean(costs[-tenth:]):6.2f} s each", flush=True)
    begun = spent()
    listed = len(finished.case_index(str(case)).runs)
    print(f"first {costs[0]:.2f} s, median {median(costs):.2f} s, last {costs[-1]:.2f} s")
    print(f"last tenth / first tenth: {mean(costs[-tenth:]) / mean(costs[:tenth]):.2f}")
    print(
        f"listing {listed:,} runs: {spent() - begun:.2f} s; index.html {(case / 'index.html').stat().st_size:,} bytes"
    )


if __name__ == "__main__":
    main()
