"""Time and peak memory of the faces: a case of 500 runs, and a case of one run with a million events.

    python tests/bench/faces.py FOLDER [--runs 500] [--events 1000000]

Builds each case once, then renders all its dossiers anew from the ledger, each in a
process of its own. Prints one line a case; times are those of the processor.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
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


BUILD = "import sys; from runcase.cli import main; main()"
RENDER = """
import sys, time
from pathlib import Path
from runcase import publishing
case = publishing.Case.open(Path(sys.argv[1]))
runs = set(case.conclusions().runs["run_id"])
began = time.process_time()
publishing.render_again(case, runs)
print(time.process_time() - began)
"""


def ran(code: str, *words: str) -> tuple[float, float, str]:
    """Seconds of processor time, children included, MiB at the peak of the process itself, and what it printed."""
    process = subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"it ended with {status}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said


def measured(name: str, source: Path, case: Path) -> None:
    spent, peak, _ = ran(BUILD, "build", str(source), "-o", str(case), "--jobs", "1")
    _, held, drawn = ran(RENDER, str(case))
    pages = sorted(p.stat().st_size for p in case.glob("runs/*/dossier.html"))
    each = f"{float(drawn) * 1000 / len(pages):.1f} ms a dossier"
    print(
        f"{name}: build {spent:.1f} s {peak:.0f} MiB; faces alone {float(drawn):.1f} s ({each}) {held:.0f} MiB; ",
        end="",
    )
    print(f"largest of {len(pages)} pages {pages[-1]:,} bytes")


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
