"""Judges the conclusions on many random runs: `python -m tests.simulator.sweep [COUNT] [FIRST]`."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.simulator.damage import exported
from tests.simulator.judge import complaints
from tests.simulator.knobs import drawn
from tests.simulator.reading import seen
from tests.simulator.world import simulated


def judged(seed: int, folder: Path) -> list[str]:
    """Complaints about the conclusions on the run of a seed."""
    world = simulated(drawn(seed))
    left = exported(world, seed)
    return complaints(world, left, seen(left.files, folder).found) if left.files else []


def main(count: int, first: int) -> int:
    bad: Counter[str] = Counter()
    for seed in range(first, first + count):
        with tempfile.TemporaryDirectory() as folder:
            found = judged(seed, Path(folder))
        if found:
            bad[drawn(seed).cause.name] += 1
            print(f"seed {seed}: {drawn(seed)}", *found, sep="\n  ", flush=True)
    print(f"{count} seeds, {sum(bad.values())} with complaints: {dict(bad)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*(int(x) for x in (sys.argv[1:] + ["25", "0"][len(sys.argv) - 1 :]))))
