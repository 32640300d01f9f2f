"""Peak memory of reading what is large in three ways: one line, many members, much text.

    python tests/bench/memory.py [--scale 1.0] [--folder DIR]

Each input is read into a ledger by one worker, as `runcase build` does it; what is
printed is the worker's largest resident set. The three figures should lie within
a tenth of each other: nothing grows with the input.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

SPREAD = 0.10

CHILD = """
import json, resource, sys, time
from pathlib import Path
from runcase.intake.inputs import fingerprint
from runcase.intake.read_plan import ReadPlan
from runcase.ledger.ingest import IngestPlan, ingest
from runcase.ledger.store import Case
from runcase.ledger.units import Group, Unit
from runcase.ledger.workers import Crew
from runcase.arrivals import formats_of
from runcase.rules.pack import load_packs
from runcase.settings import DEFAULT_PACKS

if __name__ == "__main__":
    path, case, packs = Path(sys.argv[1]), Case.create(Path(sys.argv[2])), load_packs(DEFAULT_PACKS)
    unit, secrets = Unit(0, path, path.name, *fingerprint(path)), tuple(r for p in packs for r in p.redact)
    plan = IngestPlan(ReadPlan(formats=formats_of(packs), compiled=True, redact=secrets), packs)
    began = time.monotonic()
    with Crew(1) as crew:
        ingest([Group("0" * 16, (unit,))], plan, crew, case.root / "ledger", lambda _: None)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps({"peak_kib": used.ru_maxrss, "cpu": used.ru_utime, "seconds": time.monotonic() - began}))
"""


def one_line(path: Path, scale: float) -> None:
    """1 GiB without a line end."""
    with path.open("wb") as f:
        for n in range(int(1024 * scale)):
            f.write(b"%07d " % n * (1 << 17))


def many_members(path: Path, scale: float) -> None:
    """A zip of 20,000 small logs."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for n in range(int(20_000 * scale)):
            text = "".join(f"2026-03-14T13:{m:02d}:01Z INFO worker {n} did step {m}\n" for m in range(20))
            z.writestr(zipfile.ZipInfo(f"logs/{n % 100}/{n}.log", (2026, 3, 14, 14, 0, 0)), text)


def much_text(path: Path, scale: float) -> None:
    """2 GB of ordinary lines."""
    with path.open("wb") as f:
        for n in range(int(2000 * scale)):
            lines = (
                b"2026-03-14T13:%02d:%02dZ INFO worker %d took item %d\n" % (n % 60, m % 60, m % 7, m)
                for m in range(21_700)
            )
            f.write(b"".join(lines)[:1_000_000])


CASES: dict[str, Callable[[Path, float], None]] = {
    "one line.log": one_line,
    "many members.zip": many_members,
    "much text.log": much_text,
}


def measured(path: Path, case: Path) -> dict[str, float]:
    """Peak memory and time of reading one input."""
    script = case.parent / "child.py"
    script.write_text(CHILD)
    done = subprocess.run([sys.executable, script, path, case], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def main() -> None:
    """Prints a line an input, and the spread."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--scale", type=float, default=1.0, help="share of the full sizes")
    options.add_argument("--folder", type=Path, help="where the inputs are written (default: a temporary folder)")
    options.add_argument("--only", choices=[name.split(".")[0] for name in CASES], help="one input alone")
    given = options.parse_args()
    peaks: list[float] = []
    for name, write in CASES.items():
        if given.only and not name.startswith(given.only):
            continue
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            path = Path(folder) / name
            began = time.monotonic()
            write(path, given.scale)
            wrote = time.monotonic() - began
            found = measured(path, Path(folder) / "case")
            mib = found["peak_kib"] / 1024
            peaks.append(mib)
            took = f"read in {found['seconds']:6.1f} s, {found['cpu']:.0f} of the processor (written in {wrote:.0f} s)"
            print(f"{name:20s} {path.stat().st_size / 1e6:6.0f} MB  peak {mib:5.0f} MiB  {took}", flush=True)
    spread = max(peaks) / min(peaks) - 1
    print(f"spread {spread:.1%} ({'within' if spread <= SPREAD else 'over'} {SPREAD:.0%})")


if __name__ == "__main__":
    main()
