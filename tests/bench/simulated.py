"""Judges the conclusions on many random runs of the simulator, and tells how often each knob was turned.

    python -m tests.bench.simulated [COUNT] [FIRST]

A seed decides how a run of the pipeline went and what became of its evidence (`tests/simulator`). Windows must be
exact, the cause right where the evidence allows one, lineage complete and no plan unsafe; anything else is printed
as a complaint, and the exit code is 1. 500 seeds take about seven minutes of one processor.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.simulator.knobs import Knobs, drawn
from tests.simulator.sweep import judged


def turned(k: Knobs) -> list[str]:
    """The knobs that a run has turned."""
    flags = {
        "retries": k.attempts > 1,
        "redeliveries": k.redeliveries > 0,
        "drift": k.drift,
        "spoiled": k.spoiled,
        "unlisted": k.unlisted,
        "no workspace": not k.workspace,
        "skew ahead": any(ms > 0 for _, ms in k.skew),
        "skew behind": any(ms < 0 for _, ms in k.skew),
        "loss": k.loss > 0,
        "truncation": k.cut is not None,
        "rotation": k.rotated,
        "interleaving": k.interleaved,
        "whole evidence": k.whole,
    }
    return [*(name for name, on in flags.items() if on), *(f"without {s}" for s in k.dropped), f"cause {k.cause.name}"]


def main(count: int = 500, first: int = 0) -> int:
    """Judges `count` seeds from `first` on."""
    bad, knobs = 0, Counter[str]()
    for seed in range(first, first + count):
        knobs.update(turned(drawn(seed)))
        with tempfile.TemporaryDirectory() as folder:
            found = judged(seed, Path(folder))
        if found:
            bad += 1
            print(f"seed {seed}: {drawn(seed)}", *found, sep="\n  ", flush=True)
    print(*(f"{n:5} {name}" for name, n in sorted(knobs.items())), sep="\n")
    print(f"{count} seeds, {bad} with complaints")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*(int(x) for x in sys.argv[1:])))
