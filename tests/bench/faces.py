"""Time and peak memory of the faces: a case of 500 runs, and a case of one run with a million events.

    python tests/bench/faces.py FOLDER [--runs 500] [--events 1000000]

Builds each case once, then builds it again: nothing is new then, so the second
build only draws conclusions and renders. Prints one line a case.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.report.nightly import night

START = datetime(2026, 3, 1, tzinfo=UTC)


def long_run(path: Path, events: int) -> Path:
    """One log of one run; a line in a thousand is an error."""
    with path.open("w") as out:
        for n in range(events):
            level = "error" if n % 1000 == 999 else "info"
            at = (START + timedelta(milliseconds=3 * n)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            line = {
                "timestamp": at,
                "level": level,
                "message": f"request {n} took {n * 7919 % 10007} ms",
                "run_id": "big",
            }
            out.write(json.dumps(line) + "\n")
    return path


def built(source: Path, case: Path) -> tuple[float, float]:
    """Seconds, and MiB at the peak."""
    command = [sys.executable, "-c", "from runcase.cli import main; main()", "build", str(source), "-o", str(case)]
    began = time.monotonic()
    process = subprocess.Popen([*command, "--jobs", "1"], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"build ended with {status}")
    return time.monotonic() - began, usage.ru_maxrss / 1024


def measured(name: str, source: Path, case: Path) -> None:
    first, again = built(source, case), built(source, case)
    pages = sorted(case.glob("runs/*/dossier.html"), key=lambda p: p.stat().st_size)
    sizes = f"largest of {len(pages)} pages {pages[-1].stat().st_size:,} bytes"
    (seconds, peak), (drawn, held) = first, again
    print(f"{name}: build {seconds:.1f} s {peak:.0f} MiB; faces alone {drawn:.1f} s {held:.0f} MiB; {sizes}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--events", type=int, default=1_000_000)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True)
    runs = night(asked.folder, 1, asked.runs, lambda n: n % 3 if n % 7 == 0 else None, lines=60)
    measured(f"{asked.runs} runs", runs, asked.folder / "runs-case")
    big = long_run(asked.folder / "big.log", asked.events)
    measured(f"{asked.events:,} events", big, asked.folder / "events-case")
